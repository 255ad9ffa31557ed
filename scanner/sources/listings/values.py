"""Values of listings that were decoded: texts, days, sizes, and what else could hold a credential."""

from __future__ import annotations

import datetime
import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .amounts import amount_of, spoken_day
from .fields import NO_DATE, NO_SIZE, size_of
from .json_shapes import HARMLESS, LINKS, PAIRS

LONGEST_NAME = 128
"""Letters of a name that stand before each of many values; a longer one is told whole once, and its end after that."""


def encoded(column: Sequence[Any]) -> list[bytes]:
    """Texts as bytes: what was no UTF-8 as it stood; anything else as an empty text."""
    try:
        joined = "\0".join(column)
        if joined.count("\0") == len(column) - 1:
            return joined.encode("utf-8", "surrogateescape").split(b"\0")
    except (TypeError, UnicodeEncodeError):
        pass
    return [in_bytes(v) if isinstance(v, str) else str(v).encode() if type(v) is int else b"" for v in column]


def in_bytes(text: str) -> bytes:
    """A text as bytes: what was no UTF-8 as it stood."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, written as an escape
        return text.encode("utf-8", "surrogatepass")


def days_of(column: Sequence[Any], counts: Counter[str]) -> list[bytes]:
    """Days; those that cannot be read are counted."""
    days = [_day(v[:11] if v[4:5] == "-" else v[:40]) if type(v) is str else _counted(v) for v in column]
    if b"" in days and (wrong := sum(not day and _says(v) for day, v in zip(days, column, strict=True))):
        counts[NO_DATE] += wrong
    return days


def sizes_of(column: Sequence[Any], counts: Counter[str]) -> list[int]:
    """Sizes; those that cannot be read are counted. Tools write -1 where they know none."""
    sizes = [v if type(v) is int and 0 <= v < 1 << 63 else _size(v) for v in column]
    if -1 in sizes and (wrong := sum(n < 0 and v not in (-1, None, "") for n, v in zip(sizes, column, strict=True))):
        counts[NO_SIZE] += wrong
    return sizes


@functools.lru_cache(maxsize=1 << 16)
def _day(text: str) -> bytes:
    return spoken_day(text.encode("utf-8", "replace"))


def _counted(value: Any) -> bytes:
    """The day of a number of seconds or milliseconds since 1970, from 1971 on."""
    if type(value) not in (int, float) or not 31_536_000 <= value < 4_102_444_800_000:
        return b""
    seconds = value if value < 4_102_444_800 else value / 1000
    day = datetime.date(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return day.isoformat().encode()


def _says(value: Any) -> bool:
    """Whether there is a date at all: some tools write none as the year 1."""
    return value not in (None, "") and not str(value).startswith("0001-01-01")


def _size(value: Any) -> int:
    if type(value) is str:
        if value.isdigit() and value.isascii():
            return size_of(value.encode())
        return amount_of(value.encode("utf-8", "replace"))
    if type(value) is float and value.is_integer() and 0 <= value < 1 << 63:
        return int(value)
    return -1


_OWN_LINK = re.compile(r"(?:[a-z0-9]+://[\w.:-]+|\.)/[^?#@]*+(?:\?generation=\d+&alt=media)?(?:#\d+)?", re.ASCII)


def texts_of(columns: Mapping[str, Sequence[Any]]) -> dict[int, bytes]:
    """What else is said of each item, `name=value` a line."""
    texts: dict[int, list[bytes]] = {}
    for what, column in columns.items():
        if not what.startswith("="):
            continue
        name = what[1:]
        links = name in LINKS
        for place, value in enumerate(column):
            kind = type(value)
            if kind is str:
                if not value or (links and _OWN_LINK.fullmatch(value)):
                    continue
            elif kind is dict:
                if not any(map(value.get, value if name in PAIRS else _telling(tuple(value)))):
                    continue
            elif kind is not list or not value:
                continue
            said = in_bytes("\n".join(_lines(name, value)))
            if said:
                texts.setdefault(place, []).append(said)
    return {place: b"\n".join(there) for place, there in texts.items()}


@functools.lru_cache(maxsize=1 << 12)
def _telling(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in HARMLESS)


def _lines(name: str, value: Any) -> Iterator[str]:
    """The texts in a value, each with its name; all that stands where users name things."""
    if len(name) > LONGEST_NAME and isinstance(value, (dict, list)):
        yield name
        name = name[-LONGEST_NAME:]
    if isinstance(value, dict):
        pairs = name in PAIRS
        for inner in value if pairs else _telling(tuple(value)):
            held = value[inner]
            if pairs:
                yield from _lines(inner, str(held) if isinstance(held, (int, float)) else held)
            elif held:
                yield from _lines(f"{name}.{inner}", held)
    elif isinstance(value, list):
        for held in value:
            if isinstance(held, dict) and held.keys() >= {"Key", "Value"}:  # a tag
                yield from _lines(str(held["Key"]), held["Value"])
            else:
                yield from _lines(name, held)
    elif isinstance(value, str) and value:
        yield f"{name}={value}"
