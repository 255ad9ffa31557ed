"""The survey of a listing: how much lies where, how old it is, and where names tell of credentials. In bounded memory.

Folders are counted down to `DEEPEST` components of a key; where there are more than `MOST_FOLDERS` of them, the deepest
ones are counted with the folder that they lie in. That depends on what is listed alone, not on its order. Where there
are more containers than that, those that come last are counted together, under no name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .listed import Container, Extent, Place, Rows
from .model import BANDS

DEEPEST = 8
MOST_FOLDERS = 10_000
LONGEST_PREFIX = 1024
"""Bytes of a folder that is told apart, as many as a key has at most stores."""
MOST_CONTAINERS = 10_000
"""Containers of which is kept what a listing of containers says."""
_REST = (b"", b"")
_NO_CUTS: Mapping[int, int] = {}

_ONE = {band: tuple(int(other == band) for other in BANDS) for band in BANDS}


@dataclass(slots=True)
class Survey:
    """What lies in each folder itself, without the folders in it; and the containers that were named."""

    places: dict[Place, Extent] = field(default_factory=dict)
    containers: dict[bytes, Container] = field(default_factory=dict)
    depth: int = DEEPEST

    def add_rows(self, rows: Rows, cuts: Mapping[int, int] = _NO_CUTS) -> None:
        """Count the objects of some rows. `cuts` tells where in a key a credential begins: what lies behind that names
        no folder."""
        container, known = rows.container, dict[bytes, Extent]()
        keys = rows.keys
        if cuts:
            keys = list(keys)
            for place, cut in cuts.items():
                keys[place] = keys[place][:cut]
        for key, size, day in zip(keys, rows.sizes, rows.days, strict=True):
            folder = key[: key.rfind(b"/") + 1]
            extent = known.get(folder)
            if extent is None:
                extent = known[folder] = self._at(container, folder)
            extent.objects += 1
            if size < 0:
                extent.unsized += 1
            else:
                extent.size += size
            if day > extent.newest:
                extent.newest = day
            if day and (day < extent.oldest or not extent.oldest):
                extent.oldest = day
        self._fold()

    def add_named(self, container: bytes, key: bytes, band: str) -> None:
        """Count an object whose name tells of credentials, where it lies; as an object it is counted by `add_rows`."""
        self._at(container, key[: key.rfind(b"/") + 1]).add(Extent(named=_ONE[band]))

    def add_container(self, container: Container) -> None:
        """Note a container, even if nothing lies in it."""
        if len(self.containers) < MOST_CONTAINERS:
            self.containers[container.name] = container

    def merge(self, other: Survey) -> None:
        """What another survey has counted."""
        if other.depth < self.depth:
            self._fold_to(other.depth)
        for (container, prefix), extent in other.places.items():
            self._at(container, prefix).add(extent)
        for container_named in other.containers.values():
            self.add_container(container_named)
        self._fold()

    def whole(self) -> Extent:
        """All of it together."""
        total = Extent()
        for extent in self.places.values():
            total.add(extent)
        return total

    def tree(self) -> dict[Place, Extent]:
        """Each folder with all that lies below it, and each container (its prefix is empty)."""
        below: dict[Place, Extent] = {}
        for (container, prefix), extent in self.places.items():
            for above in above_and_itself(prefix):
                below.setdefault((container, above), Extent()).add(extent)
        for name in self.containers:
            below.setdefault((name, b""), Extent())
        return below

    def _at(self, container: bytes, prefix: bytes) -> Extent:
        place = (container, prefix)
        extent = self.places.get(place)
        if extent is None and (prefix.count(b"/") > self.depth or len(prefix) > LONGEST_PREFIX):
            prefix = b"/".join(prefix.split(b"/", self.depth)[: self.depth]) + b"/" if self.depth else b""
            prefix = prefix[: prefix.rfind(b"/", 0, LONGEST_PREFIX) + 1]
            place = (container, prefix)
            extent = self.places.get(place)
        if extent is None:
            if not self.depth and len(self.places) >= MOST_FOLDERS:  # that many containers
                return self.places.setdefault(_REST, Extent())
            extent = self.places[place] = Extent()
        return extent

    def _fold(self) -> None:
        while len(self.places) > MOST_FOLDERS and self.depth:
            self._fold_to(self.depth - 1)

    def _fold_to(self, depth: int) -> None:
        self.depth = depth
        places, self.places = self.places, {}
        for (container, prefix), extent in places.items():
            self._at(container, prefix).add(extent)


def above_and_itself(prefix: bytes) -> Iterator[bytes]:
    """Every prefix that a prefix lies in, from the container's own on: ``, `a/`, `a/b/`."""
    yield b""
    at = prefix.find(b"/")
    while at >= 0:
        yield prefix[: at + 1]
        at = prefix.find(b"/", at + 1)
