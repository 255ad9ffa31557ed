"""From hints to matches: the detector's own pattern at every start it could have, then entropy and offline checks.

A detector's matches are what `pattern.match(buffer, s)` gives at each start s; two with the same secret span are one.
A search that goes on at one past the last start gives just these, without trying each start by itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..model import Detector, Facts
from .entropy import randomness
from .views import ALL


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A secret span that a pattern took. `rejected` names the later test that it failed, if it failed one."""

    detector: Detector
    start: int
    end: int
    facts: Facts = ()
    rejected: str = ""


Window = tuple[int, int]
"""How far before a hint a match may begin at most, and how far at least: negative where it may begin behind it."""


def anywhere(detector: Detector) -> Window:
    """The window of a hint that lies anywhere inside a match widened by its look-around."""
    return detector.width + detector.ahead, -detector.behind


def surroundings(
    detectors: Sequence[Detector], windows: Sequence[Window], others: Sequence[int]
) -> tuple[array[int], array[int]]:
    """For each detector how many bytes before a hint, and from it on, decide what the detector takes there.

    `others` follow, for hints of other things: as many bytes each way.
    """
    before = [min(ALL, most + d.behind + 1) for d, (most, _) in zip(detectors, windows, strict=True)]
    behind = [min(ALL, d.width + d.ahead + 1 - least) for d, (_, least) in zip(detectors, windows, strict=True)]
    return array("I", [*before, *others]), array("I", [*behind, *others])


Took = tuple[int, Confirmed]
"""Where a match begins, and what its detector took."""


def tell(detector: Detector, buffer: bytes, offsets: Iterable[int], window: Window) -> Iterator[list[Took]]:
    """For each hint, in order of their offsets, what the detector takes there; the buffer is a whole blob."""
    most, least = window
    taken: list[Took] = []
    searched = 0
    for offset in offsets:
        low, high = max(0, offset - most), min(offset - least, len(buffer))
        end = min(len(buffer), high + detector.width + detector.ahead + 1)
        taken += _take(detector, buffer, max(low, searched), high, end, first=True, last=True)
        searched = max(searched, high + 1)
        yield [took for took in taken if low <= took[0] <= high] if taken else []


def confirm(
    detector: Detector,
    buffer: bytes,
    offsets: Iterable[int],
    window: Window,
    *,
    first: bool,
    last: bool,
) -> Iterator[Confirmed]:
    """What the detector takes at the hints; `first` and `last` say that the buffer begins and ends the blob.

    A match whose look-around would leave the buffer counts only where the blob itself ends there: otherwise the
    neighbouring piece, which holds it whole, has it.
    """
    seen: set[tuple[int, int]] = set()
    for low, high in _starts(offsets, window, len(buffer)):
        end = min(len(buffer), high + detector.width + detector.ahead + 1)
        for _, one in _take(detector, buffer, low, high, end, first=first, last=last):
            if (one.start, one.end) not in seen:
                seen.add((one.start, one.end))
                yield one


def _take(
    detector: Detector, buffer: bytes, low: int, high: int, end: int, *, first: bool, last: bool
) -> Iterator[Took]:
    """What the pattern takes at the starts low to high, each with its start; a secret is judged once."""
    search = detector.pattern.search
    judged: dict[tuple[int, int], Confirmed] = {}
    position = low
    while position <= high and (found := search(buffer, position, end)) and found.start() <= high:
        position = found.start() + 1
        if not (first or found.start() >= detector.behind):
            continue
        if not (last or found.end() + detector.ahead <= len(buffer)):
            continue
        span = found.span("secret")
        if span not in judged:
            judged[span] = _judge(detector, span, found.group("secret"), found.groupdict())
        yield found.start(), judged[span]


def _starts(offsets: Iterable[int], window: Window, length: int) -> Iterator[tuple[int, int]]:
    """Ranges of starts, merged where they meet."""
    most, least = window
    low = high = -1
    for offset in sorted(offsets):
        if low >= 0 and offset - most <= high + 1:
            high = min(offset - least, length)
            continue
        if low >= 0:
            yield low, high
        low, high = max(0, offset - most), min(offset - least, length)
    if low >= 0:
        yield low, high


def _judge(detector: Detector, span: tuple[int, int], value: bytes, groups: dict[str, bytes | None]) -> Confirmed:
    facts = list(detector.facts)
    for name, text in groups.items():
        if name != "secret" and text:
            facts.append((name, text.decode("utf-8", "replace")))
    if detector.min_entropy and randomness(value) < detector.min_entropy:
        return Confirmed(detector, *span, rejected="entropy")
    for check in detector.checks:
        learned = check(value, tuple(facts))
        if learned is None:
            return Confirmed(detector, *span, rejected="check")
        names = {name for name, _ in learned}
        facts = [fact for fact in facts if fact[0] not in names] + list(learned)
    return Confirmed(detector, *span, facts=tuple(fact for fact in facts if fact[1]))
