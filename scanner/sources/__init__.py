"""Sources: where blobs come from. Each lists its content as units of work, and reads a unit in any process.

A unit is small, frozen and picklable; `read` gives its items one after another. An item's pieces must be used before
the next item is asked for. What cannot be read comes as `NotScanned` in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ..model import NotScanned, Origin, Piece


@dataclass(frozen=True, slots=True)
class Item:
    """A blob to search: where it stands, and its pieces."""

    origin: Origin
    pieces: Iterable[Piece]


class Unit(Protocol):
    """A piece of work: some blobs of one source. `weight` is about how many bytes they hold."""

    @property
    def weight(self) -> int:
        """About how many bytes there are to search."""
        ...

    def describe(self) -> bytes:
        """What it is, for a message about the unit as a whole."""
        ...

    def size(self) -> int:
        """How many blobs it has."""
        ...

    def read(self) -> Iterator[Item | NotScanned]:
        """The blobs of the unit, and what could not be read of it."""
        ...
