"""A match is local: whatever is cut, wherever a search begins, whichever hints a matcher gives, the matches are the same."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.engine import Engine, Searched
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.engine.confirm import confirm
from oakum.scanner.model import Detector, Piece

DETECTORS = catalog.load()
NARROW = tuple(d for d in DETECTORS if d.width + d.behind + d.ahead <= 512)
"""Detectors that can be tested with small pieces."""
ENGINE = Engine(DETECTORS, AhoCorasick(DETECTORS))
NARROW_ENGINE = Engine(NARROW, AhoCorasick(NARROW))
OVERLAP = 512

NOISE = (
    b"\n", b"\n\n", b" ", b"\t", b"\r\n", b"\0", b"\xff\xfe", b"=", b'"', b"'", b":", b"-----", b"password", b"token = ",
    b"SECRET_KEY", b"a" * 40, b"0123456789abcdef" * 3, b"AKIA", b"ghp_", b"://user:", b"@", b"\xc3\xa9", b"{}", b"# ",
    b"the quick brown fox jumps over the lazy dog ", b"x" * 300, b"line\n" * 20,
)  # fmt: skip

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def draw(detector: Detector, rng: Random) -> bytes:
    """An example of a detector with a fresh secret, sometimes damaged."""
    sample = detector.sample
    secret = samples.build(sample, rng) if sample else samples.from_pattern(detector.pattern.pattern.decode(), rng)
    text = samples.fill(rng.choice(detector.examples), secret, rng)
    damage = rng.random()
    if damage < 0.15:
        return text[: rng.randrange(len(text) + 1)]
    if damage < 0.3:
        return text[rng.randrange(len(text) + 1) :]
    return secret if damage < 0.4 else text


def buffers(detectors: tuple[Detector, ...]) -> st.SearchStrategy[bytes]:
    """Samples of random detectors, damaged ones, noise and newlines, in any order and without care for delimiters."""
    sample = st.builds(lambda d, seed: draw(d, Random(seed)), st.sampled_from(detectors), st.integers(0, 10**9))
    part = st.one_of(sample, st.sampled_from(NOISE), sample, st.binary(max_size=20))
    return st.lists(part, min_size=1, max_size=16).map(b"".join)


def said(searched: Searched) -> list[tuple[object, ...]]:
    """Of each match what does not depend on how much of the line around it was seen."""
    return [
        (
            m.detector,
            m.also,
            m.secret,
            m.facts,
            *(getattr(m.span, n) for n in ("start", "end", "line", "column", "end_line")),
        )
        for m in searched.matches
    ]


def cut(buffer: bytes, cuts: list[int]) -> list[Piece]:
    """Pieces of a buffer that overlap by `OVERLAP` at least, their ends where the cuts say."""
    ends = sorted({c for c in cuts if OVERLAP < c < len(buffer)})
    begins = [0, *(end - OVERLAP - end % 3 for end in ends)]
    return [
        Piece(buffer[max(begin, 0) : end], max(begin, 0), end == len(buffer))
        for begin, end in zip(begins, [*ends, len(buffer)], strict=True)
    ]


@SETTINGS
@given(buffers(NARROW), st.lists(st.integers(0, 6000), max_size=6), st.data())
def test_any_cut_gives_the_same_matches(buffer: bytes, cuts: list[int], data: st.DataObject) -> None:
    """Detector, value, place, line and column of every match; cuts at random and inside of matches."""
    whole = NARROW_ENGINE.search([Piece(buffer)])
    edges = [m.span.start + data.draw(st.integers(-2, m.span.end - m.span.start + 2)) for m in whole.matches[:4]]
    pieces = cut(buffer, [*cuts, *edges])
    assert b"".join(p.content[-(p.offset + len(p.content)) :] for p in pieces[:1]) == pieces[0].content
    assert said(NARROW_ENGINE.search(pieces)) == said(whole)


def test_the_overlap_of_real_pieces_holds_the_widest_detector() -> None:
    """Twice, and once more in base64: a view's match lies whole in one of two pieces."""
    from oakum.scanner.model import PIECE_OVERLAP, PIECE_SIZE

    widest = max(d.width + d.behind + d.ahead for d in DETECTORS)
    assert widest <= 64 << 10
    assert 2 * widest < PIECE_OVERLAP
    assert PIECE_SIZE > 2 * PIECE_OVERLAP


@SETTINGS
@given(buffers(DETECTORS))
def test_matches_are_what_the_pattern_takes_at_each_start(buffer: bytes) -> None:
    """`confirm` at the hints of the matcher gives what `pattern.match` at every start gives: no hint is missing either."""
    hints: dict[int, list[int]] = {}
    for index, offset in AhoCorasick(DETECTORS).hints(buffer):
        hints.setdefault(index, []).append(offset)
    for index, detector in enumerate(DETECTORS):
        matches = (detector.pattern.match(buffer, start) for start in range(len(buffer) + 1))
        expected = {found.span("secret") for found in matches if found}
        confirmed = [(c.start, c.end) for c in confirm(detector, buffer, hints.get(index, ()), first=True, last=True)]
        assert len(confirmed) == len(set(confirmed))
        assert set(confirmed) == expected, detector.id


@SETTINGS
@given(buffers(DETECTORS))
def test_every_match_has_a_hint_inside_its_widened_span(buffer: bytes) -> None:
    """The contract of matchers: inside the match, widened by its look-around."""
    hints: dict[int, list[int]] = {}
    for index, offset in AhoCorasick(DETECTORS).hints(buffer):
        hints.setdefault(index, []).append(offset)
    for index, detector in enumerate(DETECTORS):
        start = 0
        while found := detector.pattern.search(buffer, start):
            start = found.start() + 1
            low, high = found.start() - detector.behind, found.end() + detector.ahead
            assert any(low <= offset <= high for offset in hints.get(index, ())), detector.id


def test_hints_across_the_chunks_of_the_matcher() -> None:
    """A keyword at every place around the seam of two chunks."""
    matcher = AhoCorasick(DETECTORS)
    index = next(i for i, d in enumerate(DETECTORS) if d.id == "github-pat")
    for at in range((1 << 20) - 40, (1 << 20) + 3):
        buffer = b"\xc0" * at + b"GhP_" + b"\xc0" * 50
        assert {o for i, o in matcher.hints(buffer) if i == index} == {at}


@SETTINGS
@given(buffers(DETECTORS))
def test_an_excerpt_shows_no_secret(buffer: bytes) -> None:
    """At most 200 bytes and the masks, the mask where it says, and of no match of the buffer the value."""
    matches = ENGINE.search([Piece(buffer)]).matches
    values = [m.secret.reveal() for m in matches if len(m.secret.reveal()) >= 8]
    for match in matches:
        shown = match.excerpt
        assert shown.text[shown.start : shown.end] == match.secret.mask().encode()
        assert len(shown.text) <= 200 + shown.end - shown.start
        assert b"\n" not in shown.text.strip(b"\n") or shown.text.count(b"\n") <= match.span.end_line - match.span.line
        assert [v for v in values if v in shown.text] == []
