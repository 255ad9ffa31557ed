"""What a listing of stored objects says, as it passes between the stages: rows, folders, containers, names.

Keys, container names and what is said of an object stay `bytes` until they are reported; sizes are bytes, -1 where
none is told; days are `YYYY-MM-DD`, empty where none is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


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
    a look at it promises for what it costs (`worth`)."""

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
