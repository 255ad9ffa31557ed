"""Listings read as the pipeline reads them: split, and each chunk read by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from oakum.scanner.listed import Rows
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings import Chunk, Kind


class Row(NamedTuple):
    """An object of a listing, with its container."""

    container: bytes
    key: bytes
    size: int = -1
    day: bytes = b""
    etag: bytes = b""
    version: bytes = b""
    text: bytes = b""


def flat(found: Iterable[object]) -> list[object]:
    """What was read, the objects one by one; what was not read, summed up and last."""
    said: list[object] = []
    counts: dict[tuple[bytes, str, bool], int] = {}
    for part in found:
        if isinstance(part, Rows):
            assert len(part.keys) == len(part.sizes) == len(part.days)
            etags, versions = part.etags or [b""] * len(part.keys), part.versions or [b""] * len(part.keys)
            columns = zip(part.keys, part.sizes, part.days, etags, versions, strict=True)
            said += (Row(part.container, *row, part.texts.get(n, b"")) for n, row in enumerate(columns))
        elif isinstance(part, NotScanned):
            what = (part.what, part.why, part.policy)
            counts[what] = counts.get(what, 0) + part.count
        else:
            said.append(part)
    return said + [NotScanned(*what, count) for what, count in counts.items()]


def read(kind: Kind, data: bytes, container: bytes = b"", *, part: int = 1 << 20) -> list[object]:
    """All that a listing says that comes in parts of one size."""
    return flat(pieces(kind, (data[n : n + part] for n in range(0, len(data), part)), container))


def pieces(kind: Kind, stream: Iterable[bytes], container: bytes = b"") -> Iterable[object]:
    """What a listing says, as it comes."""
    for piece in kind.split(stream, container):
        if isinstance(piece, Chunk):
            yield from kind.read(piece)
        else:
            yield piece


def keys(found: Iterable[object]) -> list[bytes]:
    """The keys of the objects that were read."""
    return [part.key for part in found if isinstance(part, Row)]
