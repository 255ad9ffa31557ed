"""Sources: where blobs come from. Each lists its content as units of work, and reads a unit in any process.

A unit is small, frozen and picklable; `blobs` gives its content, small blobs many at a time. An item's pieces must be
used before anything else is asked for. What cannot be read comes as `NotScanned` in its place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..model import KnownHint, NotScanned, Origin, Piece

if TYPE_CHECKING:
    from .listings.units import Listed
    from .objects import ObjectUnit


@dataclass(frozen=True, slots=True)
class Item:
    """A blob to search: where it stands, and its pieces. `true` makes sure of the origin, once something is found."""

    origin: Origin
    pieces: Iterable[Piece]
    true: Callable[[], Origin] | None = None


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


@dataclass(frozen=True, slots=True)
class Heard:
    """What the commits of a pack say of themselves, heard while they were searched: for `PackedCommits`."""

    pack: bytes
    said: bytes


class Hinted(Protocol):
    """A blob in which something may be found: its hints in order of their offsets, with what is known of each.

    `learn` takes what is known of them now. If all that was found in the blob that this one was made from was copied,
    and nothing else is to be found, it says how far each cluster has moved: what was kept then, in `kept`, holds here.
    `keep` is given the clusters, the stretches of the content that decide what was found, and what to keep of it.
    """

    @property
    def content(self) -> bytes:
        """The blob itself."""
        ...

    @property
    def hints(self) -> Sequence[KnownHint]:
        """All of them but those that are dead."""
        ...

    @property
    def kept(self) -> object:
        """What was kept of the blob that this one was made from."""
        ...

    def learn(self, states: bytes | bytearray) -> Sequence[int] | None:
        """A state for each hint."""
        ...

    def keep(self, clusters: Sequence[tuple[int, int]] | None, kept: object) -> None:
        """Without clusters, those of the blob that this one was made from count, moved."""
        ...


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

    def blobs(self) -> Iterator[Batch | Item | Listed | NotScanned]:
        """The blobs of the unit, and what could not be read of it."""
        ...


class Finder(Protocol):
    """What a walk must know of the matcher."""

    reach: int
    """Bytes that a hint may depend on, its own offset included."""
    before: array[int]
    """For each index, how many bytes before a hint may decide what is taken there."""
    behind: array[int]
    """The same for the bytes from the hint on."""
    known: dict[bytes, int]
    """For a walk's own use, as long as there is this finder."""

    def hints(self, buffer: bytes) -> Iterable[tuple[int, int]]:
        """(index, offset) pairs."""
        ...


class Walked(ABC):
    """A unit that is gone through with a matcher, so that what was seen before is not looked at again."""

    __slots__ = ()

    @abstractmethod
    def describe(self) -> bytes:
        """What it is, for a message about the unit as a whole."""

    @abstractmethod
    def size(self) -> int:
        """How many blobs it has."""

    @abstractmethod
    def walk(
        self, finder: Finder
    ) -> Iterator[tuple[Callable[[], Origin], Hinted] | Counted | Heard | ObjectUnit | NotScanned]:
        """What of its blobs is to be searched, with the matcher's hints; the others are counted.

        A blob with hints must be used up before anything else is asked for. What cannot be read in this way comes as
        units of the plain path.
        """
