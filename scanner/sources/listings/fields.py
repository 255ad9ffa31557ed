"""The texts of a listing's fields: days and sizes as stores and tools write them; streams in blocks of one size."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from . import CHUNK, LONGEST

LONGEST_KEY = 16 << 10
"""Bytes that a key may have; stores allow 1,024, file systems 4,096."""
CUT_OFF = "the listing is cut off in the middle of an entry; fetch it again to have its end"
GOES_ON = "the listing says that it goes on where this ends; what comes then is not here"
"""Said at the end of a listing that is a page of several: a live store's pages are followed."""
TOO_LONG = f"entries longer than {LONGEST >> 20} MiB, or with a name longer than {LONGEST_KEY >> 10} KiB: left out"
NO_DATE = "their dates cannot be read; they are listed without"
NO_SIZE = "their sizes cannot be read; they are listed without"

_MONTHS = {
    month: b"%02d" % number
    for number, month in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
_ISO = re.compile(rb"((?:19[7-9]|20\d)\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?!\d)")
_WORDS = re.compile(rb"(?:[A-Za-z]{3,9},? )?([0-3]?\d)[ -]([A-Za-z]{3})[a-z]{0,6}[ -]((?:19[7-9]|20\d)\d)(?!\d)")


@functools.lru_cache(maxsize=1 << 16)
def day_of(text: bytes) -> bytes:
    """The day of a time in ISO 8601 or RFC 1123 (`Mon, 20 Jul 2020 …`), as `YYYY-MM-DD`; empty where it is none of the
    years 1970 to 2099."""
    if iso := _ISO.match(text):
        return b"-".join(iso.groups()) if int(iso[3]) <= _DAYS[int(iso[2])] else b""
    if words := _WORDS.match(text):
        month = _MONTHS.get(words[2].lower(), b"")
        if month and 1 <= int(words[1]) <= _DAYS[int(month)]:
            return b"%s-%s-%02d" % (words[3], month, int(words[1]))
    return b""


_DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def size_of(text: bytes) -> int:
    """A number of bytes; -1 for what is none, or more than any store holds (2^63)."""
    return int(text) if text.isdigit() and (len(text) < 19 or (len(text) == 19 and int(text) < 1 << 63)) else -1


def blocks(stream: Iterable[bytes], size: int = CHUNK) -> Iterator[bytes]:
    """A stream that comes in parts of any size, in blocks of at least this size; the last one may be smaller."""
    parts: list[bytes] = []
    there = 0
    for part in stream:
        parts.append(part)
        there += len(part)
        if there >= size:
            yield b"".join(parts)
            parts, there = [], 0
    if there:
        yield b"".join(parts)
