"""Sizes and days as programs write them for people: `12.3 KiB`, `1.2K`, `1,234`; `29-Feb-2024`, `2/29/2024`.

Rounded sizes are turned into about as many bytes; a unit counts 1,024 of the one below it, as `ls -h`, Apache, nginx,
gsutil, azcopy and rclone have it. A date in numbers has the month first (with dots the day), unless that cannot be.
"""

from __future__ import annotations

import functools
import re

from .fields import day_of, size_of

NO_YEAR = "their dates tell no year; they are listed without"

_AMOUNT = re.compile(
    rb"(\d{1,20}(?:,\d{3}(?!\d))*)(?:[.,](\d{1,6}))?\s?([KMGTPE]?)i?(?:B|bytes?)?", re.IGNORECASE | re.ASCII
)
_UNITS = b"KMGTPE"
_MONTH_NAMES = b"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MONTH_FIRST = re.compile(
    rb"(?:[A-Za-z]{3,9},? )?(" + _MONTH_NAMES + rb")[a-z]{0,6}\.? +([0-3]?\d),?(?: +\d\d:\d\d:\d\d)? +(\d{4})(?!\d)"
)
_YEAR_FIRST = re.compile(rb"(\d{4})[-/](" + _MONTH_NAMES + rb"|\d\d)[-/](\d\d)(?!\d)")
_DAY_FIRST = re.compile(rb"([0-3]?\d)-(" + _MONTH_NAMES + rb")-(\d\d)(?!\d)")
_NUMBERS = re.compile(rb"([01]?\d|[0-3]\d)([/.-])([0-3]?\d)\2(\d{4}|\d\d)(?!\d)")
_YEAR = re.compile(rb"(?<!\d)\d{4}(?!\d)|/|-\d\d-")


def amount_of(text: bytes) -> int:
    """About how many bytes a size says; -1 for what is none, or too large for any store."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return -1
    whole, part, unit = found[1].replace(b",", b""), found[2] or b"", found[3].upper()
    if not unit:
        return -1 if part.strip(b"0") else size_of(whole)
    times = 1 << 10 * (_UNITS.index(unit) + 1)
    size = int(whole) * times + int(part or b"0") * times // 10 ** len(part)
    return size if size < 1 << 63 else -1


@functools.lru_cache(maxsize=1 << 16)
def spoken_day(text: bytes) -> bytes:
    """The day of a time in one of many ways of writing, as `YYYY-MM-DD`; empty where it is none, or tells no year."""
    text = b" ".join(text.split())
    if day := day_of(text):
        return day
    if found := _YEAR_FIRST.match(text):
        return _day(found[1], found[2], found[3])
    if found := _MONTH_FIRST.match(text):
        return _day(found[3], found[1], found[2])
    if found := _DAY_FIRST.match(text):
        return _day(found[3], found[2], found[1])
    if found := _NUMBERS.match(text):
        month, day = (found[3], found[1]) if found[2] == b"." else (found[1], found[3])
        return _day(found[4], month, day) or _day(found[4], day, month)
    return b""


def tells_no_year(text: bytes) -> bool:
    """Whether a time is written without its year, as `ls -l` does for the last six months."""
    return b":" in text and not _YEAR.search(text)


def _day(year: bytes, month: bytes, day: bytes) -> bytes:
    if len(year) == 2:
        year = (b"19" if year >= b"70" else b"20") + year
    if month.isdigit():
        return day_of(b"%s-%s-%s" % (year, month.zfill(2), day.zfill(2)))
    return day_of(b"%s %s %s" % (day, month, year))
