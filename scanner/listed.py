"""What a listing of stored objects says, as it passes between the stages: rows, folders, containers, names.

Keys, container names and what is said of an object stay `bytes` until they are reported; sizes are bytes, -1 where
none is told; days are `YYYY-MM-DD`, empty where none is told.
"""

from __future__ import annotations

import re
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
    of patterns are alternatives. `types` limits words and parts, of names and folders; `must_be` limits all, and so do
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
