"""From runs to figures: medians, and ratios of runs that stood next to each other in time.

Tools run in turn, round by round. What slows the machine for a while slows the runs of one round alike, so a ratio is
taken within each round; the figure is the median of these, with the least and the greatest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, with the least and the greatest."""

    middle: float
    least: float
    most: float

    def text(self) -> str:
        """As it stands in a table: two significant digits at least."""
        digits = 2 if self.middle < 10 else 1
        return f"{self.middle:.{digits}f} ({self.least:.{digits}f}–{self.most:.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """Of one value or more."""
    return Spread(median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    """Ours over theirs, round by round; None where there is nothing to compare."""
    pairs = [a / b for a, b in zip(ours, theirs, strict=True) if b > 0]
    return spread(pairs) if pairs else None
