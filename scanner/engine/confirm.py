"""From hints to matches: the detector's own pattern at every start it could have, then entropy and offline checks.

A detector's matches are what `pattern.match(buffer, s)` gives at each start s; two with the same secret span are one.
A search that goes on at one past the last start gives just these, without trying each start by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..model import Detector, Facts
from .entropy import randomness


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A secret span that a pattern took. `rejected` names the later test that it failed, if it failed one."""

    detector: Detector
    start: int
    end: int
    facts: Facts = ()
    rejected: str = ""


def confirm(
    detector: Detector, buffer: bytes, offsets: Iterable[int], *, first: bool, last: bool
) -> Iterator[Confirmed]:
    """What the detector takes at the hints; `first` and `last` say that the buffer begins and ends the blob.

    A match whose look-around would leave the buffer counts only where the blob itself ends there: otherwise the
    neighbouring piece, which holds it whole, has it.
    """
    seen: set[tuple[int, int]] = set()
    for low, high in _starts(detector, offsets, len(buffer)):
        end = min(len(buffer), high + detector.width + detector.ahead + 1)
        position = low
        while (found := detector.pattern.search(buffer, position, end)) and found.start() <= high:
            position = found.start() + 1
            span = found.span("secret")
            if span in seen:
                continue
            if not (first or found.start() >= detector.behind):
                continue
            if not (last or found.end() + detector.ahead <= len(buffer)):
                continue
            seen.add(span)
            yield _judge(detector, span, found.group("secret"), found.groupdict())


def _starts(detector: Detector, offsets: Iterable[int], length: int) -> Iterator[tuple[int, int]]:
    """Ranges of starts, merged where their windows meet: a hint lies inside the match widened by its look-around."""
    before = detector.width + detector.ahead
    low = high = -1
    for offset in sorted(offsets):
        if low >= 0 and offset - before <= high + 1:
            high = min(offset + detector.behind, length)
            continue
        if low >= 0:
            yield low, high
        low, high = max(0, offset - before), min(offset + detector.behind, length)
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
        learned = check(value)
        if learned is None:
            return Confirmed(detector, *span, rejected="check")
        facts += learned
    return Confirmed(detector, *span, facts=tuple(facts))
