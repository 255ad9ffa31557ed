"""Rows from columns of texts, however a listing was written: what cannot be read is counted, the rest is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...listed import Rows
from ...model import NotScanned
from .fields import LONGEST_KEY, NO_DATE, NO_SIZE

HELD = 8 << 20
"""About how many bytes of keys are told at once, where a few bytes of a listing make a long key."""
_POLICY = (NO_DATE, NO_SIZE)
TOO_LONG_KEY = f"entries with a name longer than {LONGEST_KEY >> 10} KiB: left out"
NO_KEY = "entries without a name: left out"


@dataclass(slots=True)
class Columns:
    """What is said of objects, as columns of the same length. `etags` and `versions` are empty texts where not told."""

    containers: list[bytes] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    days: list[bytes] = field(default_factory=list)
    etags: list[bytes] = field(default_factory=list)
    versions: list[bytes] = field(default_factory=list)
    texts: dict[int, bytes] = field(default_factory=dict)

    def ordered(self, places: Sequence[int]) -> Columns:
        """The same rows, in the order of their places in the listing."""
        order = sorted(range(len(places)), key=places.__getitem__)
        if order == list(range(len(places))):
            return self
        return self.picked(order)

    def picked(self, places: Sequence[int]) -> Columns:
        """The rows at these places."""
        texts = {new: self.texts[old] for new, old in enumerate(places) if old in self.texts} if self.texts else {}
        return Columns(
            [self.containers[n] for n in places],
            [self.keys[n] for n in places],
            [self.sizes[n] for n in places],
            [self.days[n] for n in places],
            [self.etags[n] for n in places],
            [self.versions[n] for n in places],
            texts,
        )


def rows(columns: Columns, counts: Counter[str]) -> Iterator[Rows]:
    """One `Rows` for each container, in the order in which they come; keys that are none are counted."""
    keys, containers = columns.keys, columns.containers
    if not keys:
        return
    whole = min(map(len, keys)) > 0 and max(map(len, keys)) <= LONGEST_KEY
    if whole and containers.count(containers[0]) == len(containers):
        yield _told(columns)
        return
    places: dict[bytes, list[int]] = {}
    for place, (container, key) in enumerate(zip(containers, keys, strict=True)):
        if 0 < len(key) <= LONGEST_KEY:
            places.setdefault(container, []).append(place)
        else:
            counts[TOO_LONG_KEY if key else NO_KEY] += 1
    for there in places.values():
        yield _told(columns.picked(there))


def _told(columns: Columns) -> Rows:
    etags = columns.etags if any(columns.etags) else ()
    versions = columns.versions if any(columns.versions) else ()
    return Rows(columns.containers[0], columns.keys, columns.sizes, columns.days, etags, versions, columns.texts)


def not_scanned(container: bytes, counts: Mapping[str, int]) -> Iterator[NotScanned]:
    """What was counted, a reason each. Rows without a date or a size are rows all the same."""
    for why, count in counts.items():
        yield NotScanned(container or b"the listing", why, policy=why in _POLICY, count=count)
