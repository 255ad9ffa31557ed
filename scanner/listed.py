"""What a listing of stored objects says, as it passes between the stages: rows, names, plans, and the result.

Keys, container names and what is said of an object stay `bytes` until they are reported; sizes are bytes, -1 where
none is told; times are text that begins with `YYYY-MM-DD`, empty where none is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rows:
    """Entries of one container, as columns of the same length, in the order of the listing.

    `keys` are decoded: as the store would be asked for them. `texts` holds what else is said of entry i that could hold
    a credential (metadata, tags, URLs), one `name=value` a line. `versions` and `etags` are asked for few entries only:
    `detail(i)` tells of one entry its (etag, version).
    """

    container: bytes
    keys: Sequence[bytes]
    sizes: Sequence[int]
    modified: Sequence[bytes]
    texts: Mapping[int, bytes] = field(default_factory=dict)
    details: Mapping[int, tuple[str, str]] = field(default_factory=dict)


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
