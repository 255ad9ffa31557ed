"""A folder whose names programs trip over, what is in it, and what a kind of listing makes of a text."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from oakum.scanner.listed import Folders, Rows
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings import Chunk, Kind, Read

DAY = b"2020-02-29"
_TIME = 1582970400  # noon of that day, UTC

NAMES = (
    b"plain.txt",
    b" lead",
    b"trail ",
    b"two  blanks",
    b"new\nline",
    b"tab\tbed",
    b"it's",
    b'q"uote',
    b"a&b",
    b"<b>bold",
    b"%41",
    b"back\\slash",
    b"x -> y",
    b"semi;colon",
    b"co:lon",
    b"a?b#c",
    b"-dash",
    b"12345",
    b"h\xc3\xa9l\xc3\xa8ne",
    b"latin-\xe9",
    b"n" * 200,
    b"with blank/inner one/deep.key",
    b"with blank/e.env",
    b"b/\xff/x",
)


def made(folder: Path) -> Path:
    """The folder, with a file of each name, sizes that differ, and all times on one day."""
    for number, name in enumerate(NAMES):
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"." * (number * 7 + 1))
    for parent, _folders, files in os.walk(os.fsencode(folder), topdown=False):
        for each in (*(os.path.join(parent, name) for name in files), parent):
            os.utime(each, (_TIME, _TIME))
    return folder


def walked(folder: Path) -> dict[bytes, int]:
    """What is in a folder: paths below it, and sizes."""
    top = os.fsencode(folder)
    return {
        os.path.relpath(path, top): os.path.getsize(path)
        for parent, _folders, files in os.walk(top)
        for path in (os.path.join(parent, name) for name in files)
    }


def read(kind: Kind, parts: Iterable[bytes], container: bytes = b"") -> list[Read]:
    """All that a kind makes of a stream."""
    told: list[Read] = []
    for chunk in kind.split(parts, container):
        if isinstance(chunk, NotScanned):
            told.append(chunk)
        else:
            assert isinstance(chunk, Chunk)
            told += kind.read(chunk)
    return told


def flat(told: list[Read]) -> list[object]:
    """What is told, without the borders of chunks."""
    counts: dict[str, int] = {}
    entries: list[object] = []
    for r in told:
        if isinstance(r, Rows):
            versions = r.versions or [b""] * len(r.keys)
            texts = [r.texts.get(place, b"") for place in range(len(r.keys))]
            columns = (r.keys, r.sizes, r.days, versions, texts)
            entries += [(r.container, *row) for row in zip(*columns, strict=True)]
        elif isinstance(r, Folders):
            entries += [(r.container, prefix) for prefix in r.prefixes]
        elif isinstance(r, NotScanned):
            counts[r.why] = counts.get(r.why, 0) + r.count
        else:
            entries.append((r.name, r.day))
    return [*sorted(entries, key=repr), counts]
