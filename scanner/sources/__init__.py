"""Sources: where blobs come from. Each lists its content as units of work, and reads a unit in any process.

A unit is small, frozen and picklable; `blobs` gives its content, small blobs many at a time. An item's pieces must be
used before anything else is asked for. What cannot be read comes as `NotScanned` in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..model import NotScanned, Origin, Piece


@dataclass(frozen=True, slots=True)
class Item:
    """A blob to search: where it stands, and its pieces."""

    origin: Origin
    pieces: Iterable[Piece]


BATCH_SIZE = 1 << 20
"""About how many bytes of small blobs are searched at once."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Small blobs in one buffer: blob i is `buffer[starts[i]:ends[i]]`, in order and without overlaps.

    A newline stands behind each, unless the buffer ends there. What stands between them is not searched. `origin(i)`
    says where blob i stands; it is asked only for blobs in which something was found. All are of one `kind`.
    """

    kind: type[Origin]
    buffer: bytes
    starts: Sequence[int]
    ends: Sequence[int]
    origin: Callable[[int], Origin]


@dataclass(frozen=True, slots=True)
class Counted:
    """Blobs of one kind that a walk has been through: how many, their bytes, and how many of these were searched."""

    kind: type[Origin]
    blobs: int
    bytes: int
    searched: int


@dataclass(slots=True)
class Hinted:
    """A blob for which the matcher has hints already, as (index, offset).

    Whoever searches it sets `live`: the indexes whose hints count for what is made from this blob, too; and `rejected`:
    those that took something only to drop it again, which matters where something else is found beside it.
    """

    origin: Origin
    content: bytes
    hints: Sequence[tuple[int, int]]
    live: frozenset[int] | None = None
    rejected: frozenset[int] = frozenset()


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

    def blobs(self) -> Iterator[Batch | Item | NotScanned]:
        """The blobs of the unit, and what could not be read of it."""
        ...
