"""gzip data (RFC 1952, several members, too) as it comes in, undone in bounded memory.

Bounded is what becomes of it, too: in bytes, and against what was taken in, as a few kilobytes can stand for terabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain

from ...model import PIECE_SIZE

GZIP = b"\x1f\x8b\x08"
RATIO = 200
"""How many bytes one byte may become; more does no harm up to a piece."""
STEP = 1 << 20
"""Bytes that are unpacked at once."""
SLICE = 16 << 10
"""Bytes that are taken in at once."""


class StoppedError(Exception):
    """What comes behind is not unpacked: the text says why. `policy` says that this is no failure."""

    def __init__(self, why: str, *, policy: bool = False) -> None:
        super().__init__(why)
        self.policy = policy


def unpacked(parts: Iterator[bytes], most: int) -> Iterator[bytes]:
    """What lies in gzip data, up to `most` bytes; StoppedError where it ends before its end.

    Data that only begins like gzip is given as it is. Zeros behind a member are padding.
    """
    decoder = zlib.decompressobj(wbits=31)
    given = taken = 0
    begun = False
    slices = _slices(parts)
    for part in slices:
        taken += len(part)
        data = part
        while data:
            try:
                out = decoder.decompress(data, STEP)
            except zlib.error:
                if given:
                    raise StoppedError("its gzip data is damaged; what came before was searched") from None
                yield from chain((part,), slices)
                return
            begun = True
            given += len(out)
            if given > most:
                yield out[: len(out) - (given - most)]
                raise StoppedError("unpacks to more than is read of an object; its beginning was searched", policy=True)
            if out:
                yield out
            if given > max(PIECE_SIZE, RATIO * taken):
                raise StoppedError(f"unpacks to more than {RATIO} times its size; its beginning was searched")
            data = decoder.unconsumed_tail
            if decoder.eof:
                data = decoder.unused_data.lstrip(b"\0")
                decoder, begun = zlib.decompressobj(wbits=31), False
                if data and not data.startswith(GZIP[: len(data)]):
                    raise StoppedError("other data stands behind its gzip data; that was not searched")
    if begun:
        if rest := decoder.flush():
            yield rest
        raise StoppedError("its gzip data is cut off; what came before was searched")


def _slices(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Small ones: what stands before a damaged place in the same one is lost."""
    for part in parts:
        for at in range(0, len(part), SLICE):
            yield part[at : at + SLICE]
