"""Counts and sizes in words, and texts by the columns that they take on a terminal."""

from __future__ import annotations

import unicodedata

_UNITS = (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def counted(number: int, noun: str) -> str:
    """A number with its noun, which is given in the singular: `1,204 objects`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_of(count: int) -> str:
    """Bytes in units of a thousand: `38.1 TB`."""
    return next((f"{count / size:.1f} {unit}" for unit, size in _UNITS if count >= size), counted(count, "byte"))


def cells(text: str) -> int:
    """The columns that a text takes: wide characters two, combining ones none (Unicode, UAX #11)."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def fitted(text: str, width: int) -> str:
    """A text in so many columns, filled up with blanks or cut."""
    if cells(text) > width:
        while cells(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cells(text))


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters: of a longer one its beginning and, more of it, its end."""
    return text if len(text) <= most else f"{text[: most // 4]}…{text[most // 4 + 1 - most :]}"
