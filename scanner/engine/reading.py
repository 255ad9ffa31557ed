"""A piece as it is read: the text itself and its views, with what was confirmed in each and what none may show.

A secret of a view stands in the text that the view was made from, too, in its other form: it is masked in both.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..model import Detector, Piece, Secret
from .confirm import Confirmed, Window, confirm
from .excerpt import SpanOf, Values
from .views import ALL, TRIGGERS, View, derive

VIEW_DEPTH = 2
MAPPED = 4
"""Bytes of a piece that at most stand for one of a view."""


Hints = Iterable[tuple[int, int]]
"""(index, offset) pairs: the index of a detector, or, behind these, of one of `views.TRIGGERS`."""


class Matcher(Protocol):
    """Says where detectors may match, and where the triggers of views stand.

    `hints(buffer)` gives (index, offset) pairs: every true match has one inside its span widened by its look-around.
    Hints may be false and may repeat, in any order.
    """

    @property
    def reach(self) -> int:
        """How many bytes, up to its offset, a hint may depend on."""
        ...

    @property
    def windows(self) -> Sequence[Window]:
        """For each detector, where around a hint its matches may begin."""
        ...

    def hints(self, buffer: bytes) -> Hints:
        """Where each detector may match in a buffer."""
        ...


@dataclass(slots=True)
class Reading:
    """One form of a piece: what was confirmed in it, and the spans that are masked wherever it is shown.

    `trigger` is the place in `TRIGGERS` of what led to this view of the piece, or to the view that it is one of."""

    view: View
    depth: int
    outer: Reading | None = None
    trigger: int = -1
    confirmed: list[Confirmed] = field(default_factory=list)
    spans: list[SpanOf] = field(default_factory=list)


def by_index(hints: Hints) -> dict[int, array[int]]:
    """The offsets of hints, for each detector and trigger that has any."""
    offsets: dict[int, array[int]] = {}
    for index, offset in hints:
        offsets.setdefault(index, array("Q")).append(offset)
    return offsets


Taken = Mapping[int, Iterable[Confirmed]]
"""What detectors took in a whole blob, by their indexes."""


def read(
    piece: Piece, hints: Hints, detectors: Sequence[Detector], matcher: Matcher, taken: Taken | None = None
) -> list[Reading]:
    """The piece itself, its views and theirs, each searched; only those in which anything may match are kept.

    `hints` are the matcher's for the piece itself; `taken` is what they lead to, where that is known.
    """
    readings = list(_readings(Reading(View(piece.content), 0), piece, by_index(hints), detectors, matcher, taken))
    for reading in reversed(readings):
        if reading.outer:
            reading.outer.spans += ((*reading.view.source(s, e), d) for s, e, d in reading.spans)
    return [reading for reading in readings if reading.confirmed]


def _readings(
    reading: Reading,
    piece: Piece,
    offsets: Mapping[int, array[int]],
    detectors: Sequence[Detector],
    matcher: Matcher,
    taken: Taken | None = None,
) -> Iterator[Reading]:
    """A reading, searched, and all that can be derived from it, each behind the one that it was made from."""
    buffer = reading.view.buffer
    first = reading.depth > 0 or piece.offset == 0
    last = reading.depth > 0 or piece.last
    triggered = {index - len(detectors): offsets[index] for index in offsets if index >= len(detectors)}
    # What is surest comes first: it is what is kept of a blob that has too many matches.
    for index in sorted((i for i in offsets if i < len(detectors)), key=lambda i: (-detectors[i].specificity, i)):
        reading.confirmed += (
            confirm(detectors[index], buffer, offsets[index], matcher.windows[index], first=first, last=last)
            if taken is None
            else taken[index]
        )
    reading.spans = [(c.start, c.end, c.detector) for c in reading.confirmed]
    yield reading
    if reading.depth < VIEW_DEPTH:
        for trigger, derived in derive(buffer, triggered):
            view = reading.view.then(derived) if reading.depth else derived
            inner = Reading(view, reading.depth + 1, reading, reading.trigger if reading.depth else trigger)
            yield from _readings(inner, piece, by_index(matcher.hints(view.buffer)), detectors, matcher)


def values(readings: Iterable[Reading], piece: Piece) -> Values:
    """Every secret of a piece, and the text that stands for it where a view has decoded it."""
    found = Values()
    for reading in readings:
        for c in reading.confirmed:
            if c.rejected:
                continue
            found.add(Secret(reading.view.buffer[c.start : c.end]).named_by(c.detector))
            if reading.depth:
                start, end = reading.view.original(c.start, c.end)
                found.add(Secret(piece.content[start:end], hidden=True))
    return found


def is_cut(found: Confirmed, reading: Reading, piece: Piece) -> bool:
    """Whether what a view shows lies at a cut: what it was made from may go on there, and another piece has it whole.

    A value in base64 is read up to its last whole group. What depends on so much around it must have it.
    """
    start, end = reading.view.original(found.start, found.end)
    reach = TRIGGERS[reading.trigger].reach if reading.trigger >= 0 else ALL
    around = reach if reach < ALL else 0
    behind, ahead = (max(MAPPED * (n + 1), around) for n in (found.detector.behind, found.detector.ahead))
    return (piece.offset > 0 and start < behind) or (not piece.last and end + ahead > len(piece.content))
