"""The engine: finds matches in blobs. A matcher gives hints, each detector confirms its own, overlaps are settled.

A match is local: whether it is one depends on the match itself and the bytes its look-around sees, never on where the
search began. So any cut of a blob into overlapping pieces gives the same matches; `tests/engine` proves it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..model import HIDDEN_KINDS, Detector, Match, Piece, Secret, Span
from .confirm import Confirmed, confirm
from .excerpt import context, excerpt
from .pairs import pair
from .settle import settle, withhold
from .views import View, derive

VIEW_DEPTH = 2


class Matcher(Protocol):
    """Says where detectors may match.

    `hints(buffer)` gives (detector index, offset) pairs: every true match has one inside its span widened by its
    look-around. Hints may be false and may repeat, in any order.
    """

    def hints(self, buffer: bytes) -> Iterable[tuple[int, int]]:
        """Where each detector may match in a buffer."""
        ...


@dataclass(slots=True)
class Searched:
    """What a search of one blob gave: its matches in order, how many candidates each test dropped, bytes searched."""

    matches: list[Match] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    bytes: int = 0


class Engine:
    """Searches blobs for the detectors it was made with."""

    def __init__(self, detectors: Sequence[Detector], matcher: Matcher) -> None:
        self.detectors = tuple(detectors)
        self._matcher = matcher
        self._by_id = {d.id: d for d in detectors}

    def search(self, pieces: Iterable[Piece]) -> Searched:
        """All matches of one blob, given as its pieces in order (see `Piece`)."""
        found = Searched()
        seen: set[tuple[str, int, int]] = set()
        lines_before, line_start, counted, previous = 0, 0, 0, b""
        for piece in pieces:
            # Newlines up to this piece's offset, counted in the piece before it: pieces overlap.
            if piece.offset > counted:
                head = previous[: piece.offset - counted]
                lines_before += head.count(b"\n")
                last_newline = head.rfind(b"\n")
                if last_newline >= 0:
                    line_start = counted + last_newline + 1
                counted = piece.offset
            previous = piece.content
            found.bytes = piece.offset + len(piece.content)
            start = _Start(piece.offset, lines_before, line_start)
            for match in self._search_piece(piece, start, found.dropped):
                key = (match.detector, match.span.start, match.span.end)
                if key not in seen:
                    seen.add(key)
                    found.matches.append(match)
        if found.matches:
            found.matches = pair(withhold(settle(found.matches, self._by_id)), self._by_id)
        return found

    def _search_piece(self, piece: Piece, start: _Start, dropped: Counter[str]) -> list[Match]:
        out = self._search_buffer(View(piece.content), piece, start, dropped, depth=0)
        for view in derive(piece.content):
            out += self._search_buffer(view, piece, start, dropped, depth=1)
        return out

    def _search_buffer(
        self, view: View, piece: Piece, start: _Start, dropped: Counter[str], *, depth: int
    ) -> list[Match]:
        buffer = view.buffer
        offsets: dict[int, list[int]] = {}
        for index, offset in self._matcher.hints(buffer):
            offsets.setdefault(index, []).append(offset)
        if not offsets:
            return []
        first = depth > 0 or piece.offset == 0
        last = depth > 0 or piece.last
        confirmed: list[Confirmed] = []
        for index in sorted(offsets):
            confirmed += confirm(self.detectors[index], buffer, offsets[index], first=first, last=last)
        spans = [(c.start, c.end, c.detector) for c in confirmed]
        out: list[Match] = []
        for candidate in confirmed:
            if depth and _cut(candidate, view, piece):
                continue
            if candidate.rejected:
                dropped[candidate.rejected] += 1
                continue
            out.append(_match(candidate, view, piece, start, spans))
        if 0 < depth < VIEW_DEPTH:
            for deeper in derive(buffer):
                out += self._search_buffer(view.then(deeper), piece, start, dropped, depth=depth + 1)
        return out


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a piece begins: its offset in the blob, the newlines before it, and where the line it is in began."""

    offset: int
    lines: int
    line_start: int


def _cut(found: Confirmed, view: View, piece: Piece) -> bool:
    """Whether what a view shows lies at a cut: what it was made from may go on there, and another piece has it whole.

    Four bytes of a piece at most stand for one of a view; a value in base64 is read up to its last whole group.
    """
    start, end = view.original(found.start, found.end)
    behind, ahead = 4 * (found.detector.behind + 1), 4 * (found.detector.ahead + 1)
    return (piece.offset > 0 and start < behind) or (not piece.last and end + ahead > len(piece.content))


def _match(
    found: Confirmed, view: View, piece: Piece, start: _Start, spans: Sequence[tuple[int, int, Detector]]
) -> Match:
    detector = found.detector
    secret = secret_of(detector, view.buffer[found.start : found.end])
    around = context(view.buffer, found.start, found.end)
    at, end = view.original(found.start, found.end)
    return Match(
        detector=detector.id,
        secret=secret,
        span=_span(piece.content, at, end, start),
        facts=found.facts,
        excerpt=excerpt(view.buffer, found.start, found.end, secret, spans, view=view.name),
        line=around.line,
        line_at=around.at,
        previous_line=around.previous,
    )


def secret_of(detector: Detector, value: bytes) -> Secret:
    """A value as the detector's secret: what a mask may show of it is the detector's to say."""
    prefix = len(detector.prefix) if value.startswith(detector.prefix) else 0
    return Secret(value, prefix=prefix, hidden=detector.kind in HIDDEN_KINDS)


def _span(content: bytes, at: int, end: int, start: _Start) -> Span:
    line, column = _position(content, at, start)
    end_line, end_column = _position(content, end, start)
    wide = (_surplus(content, at, column), _surplus(content, end, end_column))
    return Span(start.offset + at, start.offset + end, line, column, end_line, end_column, wide)


def _position(content: bytes, at: int, start: _Start) -> tuple[int, int]:
    line = start.lines + content.count(b"\n", 0, at) + 1
    newline = content.rfind(b"\n", 0, at)
    column = at - newline if newline >= 0 else start.offset + at - start.line_start + 1
    return line, column


def _surplus(content: bytes, at: int, column: int) -> int:
    """How many bytes more than UTF-16 code units stand in the line before a place; 0 where it is not UTF-8."""
    head = content[max(0, at - min(column - 1, 1 << 16)) : at]
    if head.isascii():
        return 0
    try:
        return len(head) - len(head.decode("utf-8").encode("utf-16-le")) // 2
    except UnicodeDecodeError:
        return 0


__all__ = ["Engine", "Matcher", "Searched", "secret_of"]
