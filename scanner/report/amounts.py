"""Counts and sizes in words."""

from __future__ import annotations

_UNITS = (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def counted(number: int, noun: str) -> str:
    """A number with its noun, which is given in the singular: `1,204 objects`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_of(count: int) -> str:
    """Bytes in units of a thousand: `38.1 TB`."""
    return next((f"{count / size:.1f} {unit}" for unit, size in _UNITS if count >= size), f"{count} bytes")
