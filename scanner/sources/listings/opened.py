"""The bytes of a listing that lies in a file or comes through a pipe, as its parser takes them.

gzip (RFC 1952, several members too, as S3 Inventory writes it) and UTF-16 (as PowerShell writes it) are undone on the
way. What cannot be read on ends the stream, and is told afterwards: what came before it counts.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from ...model import NotScanned
from . import HEAD

PART = 1 << 20
"""Bytes that are read, and inflated, at once."""


class Opened:
    """A listing as a stream of parts; used once. `problems` says afterwards what ended it before its end. `path` is
    where it lies, if it is a file."""

    def __init__(self, file: BinaryIO, name: bytes, path: bytes = b"") -> None:
        self.name, self.path = name, path
        self.problems: list[NotScanned] = []
        self._parts = self._plain(self._read(file))
        self.head = b""
        self._kept: list[bytes] = []
        for part in self._parts:
            self._kept.append(part)
            self.head += part
            if len(self.head) >= HEAD:
                break
        self.head = self.head[:HEAD]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._kept
        self._kept.clear()
        yield from self._parts

    def _read(self, file: BinaryIO) -> Iterator[bytes]:
        try:
            while part := file.read(PART):
                yield part
        except OSError as e:
            self._lost(f"cannot be read to its end: {e.strerror or e}")

    def _plain(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        first, parts = _begun(parts)
        if first.startswith(b"\x1f\x8b"):
            first, parts = _begun(self._inflated(chain((first,), parts)))
        if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _utf8(chain((first,), parts))
        return chain((first.removeprefix(codecs.BOM_UTF8),), parts)

    def _inflated(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        decoder, begun = zlib.decompressobj(wbits=31), False
        for part in parts:
            data = part
            while data:
                try:
                    out = decoder.decompress(data, PART)
                except zlib.error as e:
                    self._lost(f"its gzip data is damaged ({e}); what came before was read")
                    return
                begun = True
                if out:
                    yield out
                data = decoder.unconsumed_tail
                if decoder.eof:
                    data = decoder.unused_data.lstrip(b"\0")
                    decoder, begun = zlib.decompressobj(wbits=31), False
        if begun:
            yield decoder.flush()
            if not decoder.eof:
                self._lost("its gzip data is cut off; what came before was read")

    def _lost(self, why: str) -> None:
        self.problems.append(NotScanned(self.name, why))


def _begun(parts: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The beginning of a stream, long enough to tell its form, and the rest."""
    first = b""
    while len(first) < 4 and (part := next(parts, b"")):
        first += part
    return first, parts


def _utf8(parts: Iterable[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    for part in parts:
        yield decoder.decode(part).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")
