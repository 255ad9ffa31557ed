"""The engine: finds matches in blobs. A matcher gives hints, each detector confirms its own, overlaps are settled.

A match is local: whether it is one depends on the match itself and the bytes its look-around sees, never on where the
search began. So any cut of a blob into overlapping pieces gives the same matches; `tests/engine` proves it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..model import DEAD, LIVE, QUIET, SIGNED_KINDS, UNTOLD, Detector, KnownHint, Match, Piece, Secret
from .carry import Stretch, clusters
from .confirm import Confirmed, Took, surroundings, tell
from .excerpt import READ, Masks, context, excerpt
from .lines import Lines
from .pairs import pair
from .reading import MAPPED, Hints, Matcher, Reading, Taken, is_cut, read, values
from .settle import settle, withhold
from .views import TRIGGERS, may_be_wide

MOST_MATCHES = 10_000
"""Matches that are kept of one blob; the rest is counted."""
PROVIDERS = 2
"""The specificity from which on a detector knows a format."""


@dataclass(slots=True)
class Searched:
    """What a search of one blob gave: its matches in order, what each test dropped, bytes searched.

    `folded` counts the matches beyond `MOST_MATCHES`, which were not kept; those where two pieces of a large blob
    overlap may count twice.
    """

    matches: list[Match] = field(default_factory=list)
    dropped: set[tuple[str, bytes]] = field(default_factory=set, repr=False)
    bytes: int = 0
    folded: int = 0
    clusters: list[Stretch] | None = None
    """What decides the matches (`carry.py`), in a search with hints; None where that is not known."""


@dataclass(slots=True)
class Told:
    """What is known of a blob's hints (`states`), and of each detector what it took, by where its match begins."""

    content: bytes
    hints: Sequence[KnownHint]
    states: bytearray
    took: dict[int, dict[int, Confirmed]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A match of a piece, before its place is put in lines and its line is masked.

    `margin` is how far it lies from the nearest end of the piece at which the blob goes on.
    """

    reading: Reading
    confirmed: Confirmed
    start: int
    end: int
    margin: float


class Engine:
    """Searches blobs for the detectors it was made with."""

    def __init__(self, detectors: Sequence[Detector], matcher: Matcher) -> None:
        self.detectors = tuple(detectors)
        self._matcher = matcher
        self._by_id = {d.id: d for d in detectors}
        # No secret that a detector could not confirm at a cut reaches farther than this from it.
        self._reach = max((d.width + d.behind + d.ahead for d in detectors), default=0) + READ
        self._parts = frozenset(part for d in detectors for part in d.parts)
        self._paired = frozenset(i for i, d in enumerate(detectors) if d.parts or d.id in self._parts)
        self.reach = matcher.reach
        self.known: dict[bytes, int] = {}
        self.before, self.behind = surroundings(detectors, matcher.windows, [t.reach for t in TRIGGERS])

    def hints(self, buffer: bytes) -> Hints:
        """What the matcher says of a buffer."""
        return self._matcher.hints(buffer)

    def tell(self, content: bytes, hints: Sequence[KnownHint]) -> Told:
        """What detectors take in a blob at the hints of which nothing is known, and which triggers lead to no view.

        Most hints lead to nothing, and most blobs need no more than this.
        """
        told = Told(content, hints, bytearray(state for _, _, state in hints))
        fresh = [place for place, (_, _, state) in enumerate(hints) if state == UNTOLD]
        self._tell(told, fresh)
        triggers: dict[int, list[int]] = {}
        for place in fresh:
            if hints[place][0] >= len(self.detectors):
                triggers.setdefault(hints[place][0], []).append(place)
        for index, its in triggers.items():
            if TRIGGERS[index - len(self.detectors)].make(content, [hints[place][1] for place in its]) is None:
                for place in its:
                    told.states[place] = DEAD
        return told

    def takes(self, told: Told) -> bool:
        """Whether any detector takes anything in a blob, or in a view of it, be it dropped or withheld afterwards."""
        if any(told.took.values()):
            return True
        hints = [h[:2] for h, state in zip(told.hints, told.states, strict=True) if state != DEAD]
        if not hints and not may_be_wide(told.content, 0, len(told.content)):
            return False
        return any(r.confirmed for r in read(Piece(told.content), hints, self.detectors, self._matcher))

    def search_told(self, told: Told) -> Searched:
        """All matches of a blob with hints, of which is known afterwards what is known of any hint with the same
        surroundings (`before` and `behind`)."""
        many, content = len(self.detectors), told.content
        triggers = any(
            index >= many for (index, _, _), state in zip(told.hints, told.states, strict=True) if state != DEAD
        )
        if not (triggers or LIVE in told.states or may_be_wide(content, 0, len(content))):
            dropped = (c for took in told.took.values() for c in took.values())
            return Searched(bytes=len(content), dropped={(c.rejected, content[c.start : c.end]) for c in dropped})
        self._tell(told, [place for place, (_, _, state) in enumerate(told.hints) if state != UNTOLD])
        taken = {index: _each_secret_once(sorted(took.items())) for index, took in told.took.items()}
        led = set[int]()
        found = self._search(
            [(Piece(content), [h[:2] for h, state in zip(told.hints, told.states, strict=True) if state != DEAD])],
            taken,
            led,
        )
        for place, (index, _, _) in enumerate(told.hints):
            if index >= many and told.states[place] != DEAD:
                told.states[place] = LIVE if index - many in led else DEAD
        if not (found.folded or led or any(match.view for match in found.matches)):
            known = [(index, offset, state) for (index, offset, _), state in zip(told.hints, told.states, strict=True)]
            together = any(state == LIVE and index in self._paired for index, _, state in known)
            found.clusters = clusters(content, found.matches, known, (self.before, self.behind), together=together)
        return found

    def _tell(self, told: Told, chosen: Sequence[int]) -> None:
        """Look at some hints of detectors, by their places."""
        places: dict[int, list[int]] = {}
        for place in chosen:
            places.setdefault(told.hints[place][0], []).append(place)
        for index, its in places.items():
            if index >= len(self.detectors):
                continue
            offsets = [told.hints[place][1] for place in its]
            took = told.took.setdefault(index, {})
            found = tell(self.detectors[index], told.content, offsets, self._matcher.windows[index])
            for place, taken_there in zip(its, found, strict=True):
                took.update(taken_there)
                told.states[place] = _known_by(taken_there)

    def search(self, pieces: Iterable[Piece]) -> Searched:
        """All matches of one blob, given as its pieces in order (see `Piece`)."""
        return self._search((piece, self._matcher.hints(piece.content)) for piece in pieces)

    def search_batch(self, buffer: bytes, starts: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[int, Searched]]:
        """What stands in small blobs, with the place of each blob; those in which nothing was found are left out.

        Blob i is `buffer[starts[i]:ends[i]]`; a newline stands behind it, or the buffer ends. The matcher looks at all
        of them at once, and what it points at is searched as a blob of its own.
        """
        hints: dict[int, list[tuple[int, int]]] = {}
        for index, offset in self._matcher.hints(buffer):
            place = bisect_right(starts, offset) - 1
            if place >= 0 and starts[place] < ends[place] >= offset:  # one at the newline: it tells of the blob's end
                hints.setdefault(place, []).append((index, min(offset, ends[place] - 1) - starts[place]))
        if 0 in buffer or 0xFF in buffer:  # a NUL or a byte order mark
            for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
                if may_be_wide(buffer, start, end):
                    hints.setdefault(place, [])
        for place in sorted(hints):
            piece = Piece(buffer[starts[place] : ends[place]])
            found = self._search([(piece, hints[place])])
            if found.matches or found.dropped:
                yield place, found

    def _search(
        self, pieces: Iterable[tuple[Piece, Hints]], taken: Taken | None = None, led: set[int] | None = None
    ) -> Searched:
        """All matches; `taken` is what detectors took in the one piece, where that is known, and `led` is told the
        triggers that led to something."""
        found = Searched()
        kept: dict[tuple[str, int, int], tuple[int, float]] = {}
        for piece, hints, lines in _numbered(pieces):
            found.bytes = piece.offset + len(piece.content)
            readings = read(piece, hints, self.detectors, self._matcher, taken)
            if not readings:
                continue
            if led is not None:
                led.update(r.trigger for r in readings if r.trigger >= 0)
            known = values(readings, piece)
            masks = {id(reading): Masks(reading.spans, known) for reading in readings}
            for candidate in _candidates(readings, piece, found.dropped):
                detector = candidate.confirmed.detector
                key = (detector.id, piece.offset + candidate.start, piece.offset + candidate.end)
                place, margin = kept.get(key, (len(found.matches), -1.0))
                if candidate.margin <= margin:
                    continue
                if place >= MOST_MATCHES:
                    found.folded += 1
                    continue
                # Of two pieces that have it, the one in whose middle it lies sees more of what stands around it.
                kept[key] = (place, candidate.margin)
                found.matches[place : place + 1] = [self._match(candidate, masks[id(candidate.reading)], lines)]
        if found.matches:
            settled = withhold(settle(found.matches, self._by_id))
            found.matches = pair([self._without_tokens(m) for m in settled], self._by_id)
        return found

    def _without_tokens(self, match: Match) -> Match:
        """What is told of a signed URL is text of the target, decoded: a token in its path, say, is masked there."""
        if self._by_id[match.detector].kind not in SIGNED_KINDS:
            return match
        text = "\n".join(fact for _, fact in match.facts).encode()
        masks: dict[str, str] = {}
        for reading in read(Piece(text), self._matcher.hints(text), self.detectors, self._matcher):
            for c in reading.confirmed:
                if not c.rejected and c.detector.specificity >= PROVIDERS and c.detector.id not in self._parts:
                    start, end = reading.view.original(c.start, c.end)
                    secret = Secret(reading.view.buffer[c.start : c.end]).named_by(c.detector)
                    masks[text[start:end].decode("utf-8", "replace")] = secret.mask()
        facts = match.facts
        for value, mask in sorted(masks.items(), key=lambda m: -len(m[0])):
            facts = tuple((name, fact.replace(value, mask)) for name, fact in facts)
        return replace(match, facts=facts)

    def _match(self, candidate: _Candidate, masks: Masks, lines: Lines) -> Match:
        view, at, end = candidate.reading.view, candidate.confirmed.start, candidate.confirmed.end
        secret = Secret(view.buffer[at:end]).named_by(candidate.confirmed.detector)
        around = context(view.buffer, at, end)
        cut = candidate.margin < self._reach * (MAPPED if candidate.reading.depth else 1)
        return Match(
            detector=candidate.confirmed.detector.id,
            secret=secret,
            span=lines.span(candidate.start, candidate.end),
            facts=candidate.confirmed.facts,
            excerpt=excerpt(view.buffer, at, end, secret, masks, view=view.name, cut=cut),
            line=around.line,
            line_at=around.at,
            previous_line=around.previous,
        )


def _known_by(taken: Sequence[Took]) -> int:
    """What is known of a hint where this was taken."""
    if not taken:
        return DEAD
    return QUIET if all(one.rejected for _, one in taken) else LIVE


def _each_secret_once(taken: Iterable[Took]) -> list[Confirmed]:
    """What was taken, in order of its start, without what has the same secret as one before."""
    spans: dict[tuple[int, int], Confirmed] = {}
    for _, one in taken:
        spans.setdefault((one.start, one.end), one)
    return list(spans.values())


def _numbered(pieces: Iterable[tuple[Piece, Hints]]) -> Iterator[tuple[Piece, Hints, Lines]]:
    """Each piece with its lines; newlines up to its offset are counted in the piece before it, as pieces overlap."""
    lines_before, line_start, counted, previous = 0, 0, 0, b""
    for piece, hints in pieces:
        if piece.offset > counted:
            head = previous[: piece.offset - counted]
            lines_before += head.count(b"\n")
            last_newline = head.rfind(b"\n")
            if last_newline >= 0:
                line_start = counted + last_newline + 1
            counted = piece.offset
        previous = piece.content
        yield piece, hints, Lines(piece, before=lines_before, line_start=line_start)


def _candidates(readings: Iterable[Reading], piece: Piece, dropped: set[tuple[str, bytes]]) -> Iterator[_Candidate]:
    for reading in readings:
        for confirmed in reading.confirmed:
            if reading.depth and is_cut(confirmed, reading, piece):
                continue
            if confirmed.rejected:
                dropped.add((confirmed.rejected, reading.view.buffer[confirmed.start : confirmed.end]))
                continue
            start, end = reading.view.original(confirmed.start, confirmed.end)
            before = start if piece.offset else math.inf
            behind = math.inf if piece.last else len(piece.content) - end
            yield _Candidate(reading, confirmed, start, end, min(before, behind))


__all__ = ["MOST_MATCHES", "Engine", "Matcher", "Searched", "Told"]
