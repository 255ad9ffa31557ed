"""Matches are local: how a blob is cut, or where a search begins, changes nothing."""

from __future__ import annotations

from random import Random

import blobs as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner.engine import aho_corasick
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.engine.confirm import anywhere, confirm
from oakum.scanner.engine.reading import by_index
from oakum.scanner.model import PIECE_OVERLAP, Piece


def cut(content: bytes, places: list[int], overlap: int) -> list[Piece]:
    """Overlapping pieces of a blob, cut near the given places."""
    ends = [*sorted({p for p in places if 0 < p < len(content)}), len(content)]
    starts = [0, *(max(0, end - overlap) for end in ends[:-1])]
    return [Piece(content[s:e], s, e == len(content)) for s, e in zip(starts, ends, strict=True)]


def test_two_pieces_overlap_by_more_than_the_widest_detector() -> None:
    """Otherwise a match could lie whole in neither."""
    assert made.WIDEST < PIECE_OVERLAP


@settings(max_examples=150, deadline=None)
@given(made.blobs(), st.lists(st.integers(1, 3000), max_size=4), st.integers(0, 40))
def test_any_cut_into_overlapping_pieces_gives_the_same_matches(content: bytes, places: list[int], more: int) -> None:
    """Same detectors, spans, lines and columns; views apart, which look at a piece as a whole."""
    overlap = max(d.width + d.behind + d.ahead for d in made.NARROW) + more
    pieces = made.ENGINE.search(cut(content, places, overlap)).matches
    alone = [m for m in made.whole(content) if not m.view]
    assert made.told([m for m in pieces if not m.view]) == made.told(alone)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 1 << 19), min_size=1, max_size=3))
@pytest.mark.long
def test_a_wide_match_survives_any_cut(seed: int, places: list[int]) -> None:
    """Blobs of several hundred kilobytes with wide and block detectors, cut with the overlap that is used."""
    rng = Random(seed)
    wide = [d for d in made.DETECTORS if d not in made.NARROW]
    detector = rng.choice(wide)
    filler = b"x = 1\n" * rng.randrange(20_000, 60_000)
    content = filler + samples.fill(rng.choice(detector.examples), made.draw(detector, rng), rng) + b"\n" + filler
    pieces = made.ENGINE.search(cut(content, places, PIECE_OVERLAP)).matches
    assert made.told(pieces) == made.told(made.whole(content))


@settings(max_examples=150, deadline=None)
@given(made.blobs(most=2), st.integers(0, 2**32))
def test_confirm_gives_what_the_pattern_matches_at_each_start(content: bytes, seed: int) -> None:
    """The definition of a match, taken at its word."""
    for index, detector in enumerate(made.DETECTORS):
        offsets = [offset for i, offset in HINTS.hints(content) if i == index]
        if not offsets:
            continue
        starts = (detector.pattern.match(content, start) for start in range(len(content)))
        expected = {found.span("secret") for found in starts if found}
        given_ = {
            (c.start, c.end) for c in confirm(detector, content, offsets, anywhere(detector), first=True, last=True)
        }
        assert given_ == expected, detector.id


HINTS = AhoCorasick(made.DETECTORS)


@settings(max_examples=150, deadline=None)
@given(made.blobs())
def test_every_true_match_has_a_hint_inside_its_widened_span(content: bytes) -> None:
    """The matchers' contract."""
    hints = by_index(HINTS.hints(content))
    for index, detector in enumerate(made.DETECTORS):
        for start in range(len(content)):
            found = detector.pattern.match(content, start)
            if found:
                low, high = found.start() - detector.behind, found.end() + detector.ahead
                assert any(low <= offset < high for offset in hints.get(index, ())), (detector.id, found)


@settings(max_examples=50, deadline=None)
@given(made.blobs())
def test_the_automaton_is_fed_in_chunks_and_misses_nothing_at_their_seams(content: bytes) -> None:
    """A chunk of 64 bytes in place of one of 1 MiB."""
    expected = sorted(set(HINTS.hints(content)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aho_corasick, "CHUNK", 64)
        assert sorted(set(HINTS.hints(content))) == expected
