"""What a foreign file says, one entry at a time, whatever scanner it is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ForeignError
from ..model import Secret, clean

LONGEST = 200
"""Characters that are kept of a text of the file."""


@dataclass(frozen=True, slots=True)
class Known:
    """A secret that another scanner was told to pass over: by its place, its value, or a digest of it.

    `says` is the entry for people, `reason` why it is accepted. `digest` is the SHA-1 or SHA-256 of the value as the
    other scanner cuts it, in hexadecimal; `values` are what it calls the value. An empty `path` is any; `repository` is
    what the other scanner calls the one that it is in.
    """

    says: str
    reason: str
    path: bytes = b""
    line: int = 0
    commit: str = ""
    rule: str = ""
    digest: str = ""
    values: tuple[Secret, ...] = ()
    repository: str = ""


@dataclass(frozen=True, slots=True)
class Excluded:
    """What another scanner leaves out: paths that fit a glob, what a rule of it finds, or both together."""

    says: str
    reason: str
    path: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What is not taken over, and why not."""

    says: str
    why: str


Entry = Known | Excluded | Unmapped

BY_VALUE = "oakum accepts secrets one by one: run `oakum scan`, then `oakum allow FINGERPRINT` for what is accepted"
"""What to do instead of a condition that oakum does not have."""
REAL = "a real secret is not accepted on another's word: rotate it, or accept it yourself with `oakum allow`"
NOT_SO = "is not of the form that such a file has"


def shown(text: bytes | str) -> str:
    """A text of the file, fit to be shown and to be written into another file."""
    cut = text[: 4 * LONGEST]
    return clean(cut if isinstance(cut, bytes) else cut.encode("utf-8", "replace"))[:LONGEST]


def text_of(record: Mapping[str, Any], key: str) -> str:
    """The text under a key of a JSON or YAML record; empty where there is none."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def texts_of(record: Mapping[str, Any], key: str) -> list[str]:
    """The texts of the list under a key; none where there is no list."""
    value = record.get(key)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def line_of(record: Mapping[str, Any], key: str) -> int:
    """The number of a line under a key of a record; 0 where there is none."""
    value = record.get(key)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else 0


def records(value: object) -> list[dict[str, Any]]:
    """The tables of a list, or the one table that stands in the place of it."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, dict)]


def from_json(name: str, text: bytes) -> Any:
    """A JSON document."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ForeignError(f"{name}: is not valid JSON: {shown(str(e))}") from e
