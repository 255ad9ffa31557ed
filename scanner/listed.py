"""What a listing of stored objects says, as it passes between the stages: rows, folders, containers, names.

Keys, container names and what is said of an object stay `bytes` until they are reported; sizes are bytes, -1 where
none is told; days are `YYYY-MM-DD`, empty where none is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .model import BANDS, Exposure, RankedFinding, ScanResult


@dataclass(frozen=True, slots=True)
class Rows:
    """Objects of one container, as columns of the same length, in the order of the listing.

    `keys` are decoded: as the store would be asked for them. `etags` and `versions` may be empty: none is told then.
    `texts` holds, for the object at a place, what else is said of it that could hold a credential (metadata, tags,
    URLs), one `name=value` a line.
    """

    container: bytes
    keys: Sequence[bytes]
    sizes: Sequence[int]
    days: Sequence[bytes]
    etags: Sequence[bytes] = ()
    versions: Sequence[bytes] = ()
    texts: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders that a listing names and does not enter, by their prefixes, which end with `/`."""

    container: bytes
    prefixes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Container:
    """A container (bucket, Azure container) that a listing of containers names.

    `access` says what anybody may do there, where the listing tells: `list` (list and read), `read` (read what he
    knows the name of), `none`; empty where it tells nothing. `text` is as in `Rows`.
    """

    name: bytes
    access: str = ""
    day: bytes = b""
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class NameRule:
    """What an object's name says of it: read from `detectors/names/` (docs/listing.md has the fields).

    `chance` is how likely an object of such a name holds a credential, in [0, 1]; `impact` is a severity.
    """

    id: str
    kind: str
    impact: str
    chance: float
    reason: str
    exact: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """An object whose name tells of credentials: how likely and how bad (`score`, 0 to 100, and its band), and how much
    a look at it promises for what it costs (`worth`). `target` is the place of the target that lists it."""

    target: int
    container: bytes
    key: bytes
    size: int
    day: bytes
    etag: str
    version: str
    rule: NameRule
    score: int
    band: str
    worth: float


Place = tuple[bytes, bytes]
"""A container and a prefix in it, which ends with `/` or is empty."""

NONE_NAMED = (0,) * len(BANDS)


@dataclass(slots=True)
class Extent:
    """How much there is: objects, their size in bytes, how many of them tell no size, and their first and last day.

    `named` counts the objects whose names tell of credentials, for each of `BANDS`.
    """

    objects: int = 0
    size: int = 0
    unsized: int = 0
    oldest: bytes = b""
    newest: bytes = b""
    named: tuple[int, ...] = NONE_NAMED

    def add(self, other: Extent) -> None:
        """What another one has."""
        self.objects += other.objects
        self.size += other.size
        self.unsized += other.unsized
        if other.oldest and (other.oldest < self.oldest or not self.oldest):
            self.oldest = other.oldest
        self.newest = max(self.newest, other.newest)
        if other.named is not NONE_NAMED:
            self.named = tuple(map(sum, zip(self.named, other.named, strict=True)))


@dataclass(frozen=True, slots=True)
class Target:
    """What was listed: its name without any signature, what it is in words, and who can list it.

    `openness` says what came of asking it without credentials, `url` what a signed URL is, where that is the target.
    `tree` has each container and each folder that is told apart, with all that lies below it; `folders` counts those
    that a listing names and does not enter.
    """

    name: str
    kind: str = ""
    exposure: Exposure = "unknown"
    openness: str = ""
    url: RankedFinding | None = None
    tree: Mapping[Place, Extent] = field(default_factory=dict)
    containers: Mapping[bytes, Container] = field(default_factory=dict)
    folders: int = 0

    def named_containers(self) -> list[bytes]:
        """The names of the containers that are known."""
        return sorted({name for name, _ in self.tree if name})

    def whole(self) -> Extent:
        """All that was listed."""
        total = Extent()
        for (_, prefix), extent in self.tree.items():
            if not prefix:
                total.add(extent)
        return total


@dataclass(frozen=True, slots=True)
class ListingResult:
    """What listings gave: credentials in them and in what was fetched (`scan`), what lies where, and the plan.

    `plan` holds the objects whose names tell of credentials, what is worth most first; `named` counts all of them by
    band, `kinds` by kind, `below_band` those that are not reported.
    """

    targets: tuple[Target, ...]
    scan: ScanResult
    plan: Sequence[Named]
    named: Mapping[str, int]
    kinds: Mapping[str, int]
    below_band: int
    shown: Callable[[bytes], bytes]
    """A key or a prefix without the credentials in it."""
