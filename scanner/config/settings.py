"""What a configuration may hold: the one table from which files are read, and their schema and documentation made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..model import BANDS

MOST_SECONDS = 3600
LONGEST = 4096
"""Characters of a pattern of paths."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: `allowed` says to people what it may be, `schema` to programs (JSON Schema).

    `read` gives what a value of a file means, None for one that is not allowed.
    """

    allowed: str
    schema: Mapping[str, Any]
    read: Callable[[Any], Any]


def _text(allowed: str, pattern: str, read: Callable[[str], Any] = str) -> Kind:
    """Texts that fit a pattern, which ECMAScript and Python read alike."""
    return Kind(
        allowed,
        {"type": "string", "pattern": f"^(?:{pattern})$"},
        lambda value: read(value) if isinstance(value, str) and re.fullmatch(pattern, value) else None,
    )


def _choice(*words: str) -> Kind:
    return Kind(f"one of {', '.join(words)}", {"enum": list(words)}, lambda value: value if value in words else None)


def size(text: str) -> int:
    """Bytes of a text such as 64M, which fits `SIZE`."""
    number = text.rstrip("kKmMgGiIbB")
    return int(number) << {"": 0, "k": 10, "m": 20, "g": 30}[text[len(number) :].lower().rstrip("ib")]


def _seconds(value: object) -> float | None:
    if isinstance(value, str):
        return float(value[:-1]) * (60 if value.endswith("m") else 1) if re.fullmatch(_TIME, value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= MOST_SECONDS else None


def _date(value: object) -> date | None:
    if isinstance(value, str) and re.fullmatch(_DATE, value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _list(value: object) -> tuple[str, ...] | None:
    fits = isinstance(value, list) and all(isinstance(one, str) and one for one in value)
    return tuple(value) if fits and isinstance(value, list) else None


_TIME = "(?:[1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)s|(?:[1-9]|[1-5][0-9]|60)m"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_NAME = r"(?!\.\.?(?:/|$))[^/\\]+"
"""A name in a path that is not `.` or `..`."""

BAND = _choice(*BANDS[::-1])
SIZE = _text("a number of bytes, with k, M or G behind it, as a text", "[0-9]{1,12}[kKmMgG]?(?:[iI]?[bB])?", size)
TIME = Kind(
    f'more than 0 and at most {MOST_SECONDS} seconds: a number, or a text such as "10s" or "2m"',
    {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_SECONDS},
            {"type": "string", "pattern": f"^(?:{_TIME})$"},
        ]
    },
    _seconds,
)
FLAG = Kind("true or false", {"type": "boolean"}, lambda value: value if isinstance(value, bool) else None)
FILES = Kind("a list of files", {"type": "array", "items": {"type": "string", "minLength": 1}}, _list)
TEXT = _text("a text that is not empty", r"[\s\S]*\S[\s\S]*")
FINGERPRINT = _text("26 characters of a to z and 2 to 7", "[a-z2-7]{26}")
DETECTOR = _text("the id of a detector", "[a-z0-9]+(?:-[a-z0-9]+)*")
GLOB = _text(
    f"a path inside of the target of at most {LONGEST} characters, with / between its names, none of them . or ..",
    rf"(?![\s\S]{{{LONGEST + 1}}})/?{_NAME}(?:/{_NAME})*/?",
)
DAY = Kind("a date such as 2030-12-31", {"type": "string", "format": "date", "pattern": f"^{_DATE}$"}, _date)


@dataclass(frozen=True, slots=True)
class Setting:
    """A key that a file may have, `push.` before it in that table; `default` is written as in a file.

    `own` marks one that only the user's own file may have. `bound` says what a target's file can do to a value, given
    that and whether the user set it himself.
    """

    name: str
    kind: Kind
    meaning: str
    default: Any = None
    own: bool = False
    bound: Callable[[Any, Any, bool], bool] = lambda _theirs, _ours, _set: True


def _lowers(theirs: int, ours: int, _set: bool) -> bool:
    return theirs <= ours


def _is_stricter(theirs: str, ours: str, is_set: bool) -> bool:
    """Of a band, a lower one; of policies, to block."""
    order = BANDS if theirs in BANDS else ("warn", "block")
    return not is_set or order.index(theirs) > order.index(ours)


def _is_unset(_theirs: Any, _ours: Any, is_set: bool) -> bool:
    return not is_set


SETTINGS = (
    Setting("min-band", BAND, "report findings from this band upwards", "low"),
    Setting("max-size", SIZE, "leave out larger files and blobs; a target can only lower it", "64M", bound=_lowers),
    Setting("detectors", FILES, "detector files to add, by their paths from the folder of this file", [], own=True),
    Setting("markers", FLAG, "obey inline markers such as oakum:allow", True, own=True),
    Setting("push.min-band", BAND, "what blocks a push, from this band upwards", "medium", bound=_is_stricter),
    Setting("push.budget", TIME, "the seconds that a hook may take", 10, bound=_is_unset),
    Setting("push.on-incomplete", _choice("warn", "block"), "what a hook does if not all was searched; a server blocks "
            "unless its own file says otherwise", "warn", bound=_is_stricter),
)  # fmt: skip
ENTRY = (
    Setting("fingerprint", FINGERPRINT, "the secret that is accepted, wherever it stands"),
    Setting("path", GLOB, "accept what stands in files that fit this pattern"),
    Setting("detector", DETECTOR, "accept what this detector finds; with `path`, only there"),
    Setting("reason", TEXT, "why; required"),
    Setting("expires", DAY, "the last day on which the entry holds"),
    Setting("by", TEXT, "who accepted it"),
    Setting("seen", TEXT, "where it stood and what it is, for readers"),
)
"""The keys of an `[[allow]]` table, in the order in which they are written."""
