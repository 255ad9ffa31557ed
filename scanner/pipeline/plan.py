"""The download plan: which objects deserve a look first, from what their names tell, against what a look costs.

score = 100 x chance x severity of the impact x exposure, as a rank's; worth = score / (1 + log2(1 + size / 1 MiB)), so
that of two objects alike the smaller one comes first, and a disk image of a terabyte at the same chance counts as a
twentieth of a key file. An empty object holds nothing, and is none of them.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field

from ..listed import Named, NameRule, Rows
from ..model import BANDS, Exposure
from ..rank import EXPOSURES, SEVERITY, band_of

MOST_NAMED = 10_000
"""Objects that are kept one by one; the rest is counted."""
MOST_BYTES = 8 << 20
"""Bytes of their keys."""
UNIT = 1 << 20


def score_of(rule: NameRule, exposure: Exposure) -> int:
    """How likely and how bad, from 0 to 100."""
    return round(100 * rule.chance * SEVERITY[rule.impact] * EXPOSURES[exposure])


def worth_of(score: int, size: int) -> float:
    """How much a look at an object promises for what it costs; one that tells no size counts as one of 1 MiB."""
    return round(score / (1 + math.log2(1 + (UNIT if size < 0 else size) / UNIT)), 3)


def named(target: int, rows: Rows, place: int, rule: NameRule, exposure: Exposure) -> Named:
    """The object at a place of some rows, whose name a rule takes."""
    size = rows.sizes[place]
    score = score_of(rule, exposure)
    return Named(
        target=target,
        container=rows.container,
        key=rows.keys[place],
        size=size,
        day=rows.days[place],
        etag=_text(rows.etags[place]) if rows.etags else "",
        version=_text(rows.versions[place]) if rows.versions else "",
        rule=rule,
        score=score,
        band=band_of(score),
        worth=worth_of(score, size),
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


@dataclass(slots=True)
class Names:
    """Objects whose names tell of credentials: those that may be among the best one by one, and counts of all."""

    kept: list[Named] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By band and kind."""


class Plan:
    """Collects objects by their names, and keeps those that are worth most; of equals, those that came first."""

    def __init__(self, min_band: str) -> None:
        self.reported = BANDS[: BANDS.index(min_band) + 1]
        """Bands that are reported."""
        self._kept: list[tuple[float, int, Named]] = []
        self._number = self._bytes = 0
        self.bands: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.below = 0
        """Objects in bands that are not reported."""

    @property
    def floor(self) -> float:
        """What is worth no more than this is not kept."""
        return self._kept[0][0] if len(self._kept) >= MOST_NAMED or self._bytes >= MOST_BYTES else -1.0

    def add(self, found: Names) -> None:
        """Take what a chunk gave."""
        for (band, kind), count in found.counts.items():
            if band in self.reported:
                self.bands[band] += count
                self.kinds[kind] += count
            else:
                self.below += count
        for one in found.kept:
            if one.band in self.reported and one.worth > self.floor:
                self._number += 1
                self._bytes += len(one.key)
                heapq.heappush(self._kept, (one.worth, -self._number, one))
                while len(self._kept) > MOST_NAMED or self._bytes > MOST_BYTES:
                    self._bytes -= len(heapq.heappop(self._kept)[2].key)

    def best(self) -> list[Named]:
        """Those kept, what is worth most first; ties by container and key."""
        kept = (one for _, _, one in self._kept)
        return sorted(kept, key=lambda n: (-n.worth, n.target, n.container, n.key, n.version))
