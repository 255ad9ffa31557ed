"""What a listing of stored objects says, as it passes between the stages: rows, folders, containers, names.

Keys, container names and what is said of an object stay `bytes` until they are reported; sizes are bytes, -1 where
none is told; days are `YYYY-MM-DD`, empty where none is told.
"""

from __future__ import annotations

import re
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


NAME_KINDS = (
    "private-key",
    "key-store",
    "password-list",
    "password-manager",
    "configuration",
    "cloud-credential",
    "infrastructure-state",
    "system-credential",
    "database",
    "disk-image",
    "browser-profile",
    "mailbox",
    "chat-export",
    "memory-dump",
    "network-capture",
    "ci-secret",
    "backup",
    "source-code",
    "history",
    "remote-access",
    "wallet",
    "mobile-signing",
)
"""What an object is, by its name."""
_WEIGHTS = {"critical": 1.0, "high": 0.8, "medium": 0.6, "low": 0.3}
"""How much an impact counts, where rules are compared."""


_SIGNS = re.compile(r"[\x00-\x2d\x3a-\x40\x5b-\x60\x7b-\x7f]")


def alike(name: str) -> str:
    """A name in which all signs but dots and slashes are the same one: `service-account`, `service account`."""
    return _SIGNS.sub("_", name)


@dataclass(frozen=True, slots=True)
class NameRule:
    """What an object's name says of it: read from `detectors/names/` (docs/listing.md has the fields).

    `chance` is how likely an object of such a name holds a credential, in [0, 1]; `impact` is a severity. The lists
    of patterns are alternatives. `types` limits words and parts, of names and folders, `must_be` all of them, and so do
    `unless` and `unless_folders`, which are words of the name and of its folders.
    """

    id: str
    kind: str
    impact: str
    chance: float
    reason: str
    exact: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    folder_words: tuple[str, ...] = ()
    folder_parts: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    must_be: frozenset[str] = frozenset()
    unless: tuple[str, ...] = ()
    unless_folders: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        """By which rules that take the same name are compared: chance times impact."""
        return self.chance * _WEIGHTS[self.impact]


@dataclass(frozen=True, slots=True)
class NameForms:
    """What stands around a name and says nothing of what it holds, and what takes the sting out of it.

    `types` tells the type of an ending without its dot. `wrapping` are the types that go around a file that has a
    type of its own (archives, encryption, copies). `harmless` are those that hold no credentials, whatever the name;
    `environments` are words that tell where a file is used. Words of `made_up` and `folders` make a name an innocent
    one; `words` do where the name is one of the types that are `speaking`: written for people, or settings.
    """

    types: Mapping[str, str]
    wrapping: frozenset[str]
    harmless: frozenset[str]
    environments: frozenset[str]
    speaking: frozenset[str]
    made_up: frozenset[str]
    words: frozenset[str]
    folders: frozenset[str]

    @property
    def opaque(self) -> frozenset[str]:
        """The types whose endings are words of a name, too; and no type."""
        return self.harmless | {""}


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
    that a listing names and does not enter; `complete` says that all of it was read.
    """

    name: str
    kind: str = ""
    exposure: Exposure = "unknown"
    openness: str = ""
    url: RankedFinding | None = None
    tree: Mapping[Place, Extent] = field(default_factory=dict)
    containers: Mapping[bytes, Container] = field(default_factory=dict)
    folders: int = 0
    complete: bool = True

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
class Fetched:
    """What a fetch did: objects that were read, those that a journal knew, bytes that came in."""

    objects: int
    known: int
    bytes: int


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
    reported: Sequence[str]
    """The bands that are reported."""
    shown: Callable[[bytes], bytes]
    """A key or a prefix without the credentials in it."""
    fetched: Fetched | None = None
