"""Chunks of listings as units of work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...listed import Container, Folders, Rows
from ...model import ListingEntry, NotScanned
from . import Chunk
from .kinds import KINDS


@dataclass(frozen=True, slots=True)
class ListingUnit:
    """A chunk of a listing, or what was read of it already.

    `entry` is an entry of it, still without container and key; `target` the place of its target in the report;
    `entered` says that the folders it names are listed, too; `part` is the file that it lies in, where the target has
    several; of objects whose names tell of credentials, those that are worth no more than `floor` need not be told.
    """

    chunk: Chunk | Rows | Folders | Container
    entry: ListingEntry
    target: int
    entered: bool = False
    part: bytes = b""
    floor: float = -1.0

    @property
    def weight(self) -> int:
        """About how many bytes it has."""
        return len(self.chunk.data) if isinstance(self.chunk, Chunk) else 0

    def describe(self) -> bytes:
        """For a message about the unit as a whole."""
        return self.entry.listing.encode()

    def size(self) -> int:
        """A part of one listing."""
        return 1

    def blobs(self) -> Iterator[Listed | NotScanned]:
        """What the chunk says."""
        chunk = self.chunk
        for read in KINDS[chunk.kind].read(chunk) if isinstance(chunk, Chunk) else (chunk,):
            yield of_part(self.part, read) if isinstance(read, NotScanned) else Listed(self, read)


def of_part(part: bytes, entry: NotScanned) -> NotScanned:
    """What was not read of a file among several."""
    return replace(entry, what=part + b": " + entry.what) if part else entry


@dataclass(frozen=True, slots=True)
class Listed:
    """What a chunk says, with the unit that it is a part of."""

    unit: ListingUnit
    read: Rows | Folders | Container
