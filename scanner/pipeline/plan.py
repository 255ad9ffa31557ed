"""The download plan: which objects deserve a look first, from what their names tell, against what a look costs.

score = 100 x chance x severity of the impact x exposure, as a rank's; worth = score / (1 + log2(1 + size / 1 MiB)), so
that of two objects alike the smaller one comes first, and a disk image of a terabyte at the same chance counts as a
twentieth of a key file. An empty object is worth nothing.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable

from ..listed import Named, NameRule, Rows
from ..model import BANDS, Exposure
from ..rank import EXPOSURES, SEVERITY, band_of

MOST_NAMED = 10_000
"""Objects that are kept one by one; the rest is counted."""
UNIT = 1 << 20


def named(target: int, rows: Rows, place: int, rule: NameRule, exposure: Exposure) -> Named:
    """The object at a place of some rows, whose name a rule takes."""
    size = rows.sizes[place]
    score = round(100 * rule.chance * SEVERITY[rule.impact] * EXPOSURES[exposure]) if size else 0
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
        worth=round(score / (1 + math.log2(1 + (UNIT if size < 0 else size) / UNIT)), 3),
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


class Plan:
    """Collects objects by their names, and keeps those that are worth most."""

    def __init__(self, min_band: str) -> None:
        self._bands = BANDS[: BANDS.index(min_band) + 1]
        self._kept: list[tuple[float, bytes, bytes, str, int, Named]] = []
        self._number = 0
        self.bands: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.below = 0
        """Objects in bands that are not reported."""

    def add(self, found: Iterable[Named]) -> None:
        """Take what a chunk gave."""
        for one in found:
            if one.band not in self._bands:
                self.below += 1
                continue
            self.bands[one.band] += 1
            self.kinds[one.rule.kind] += 1
            self._number += 1
            # The heap's smallest is what is worth least; of equals the one whose name comes last.
            entry = (one.worth, _turned(one.container), _turned(one.key), one.version, self._number, one)
            if len(self._kept) < MOST_NAMED:
                heapq.heappush(self._kept, entry)
            else:
                heapq.heappushpop(self._kept, entry)

    def best(self) -> list[Named]:
        """Those kept, what is worth most first; ties by container and key."""
        return sorted(
            (entry[-1] for entry in self._kept), key=lambda n: (-n.worth, n.target, n.container, n.key, n.version)
        )


_TURN = bytes(range(255, -1, -1))


def _turned(text: bytes) -> bytes:
    """A text that sorts the other way round."""
    return text.translate(_TURN) + b"\xff"
