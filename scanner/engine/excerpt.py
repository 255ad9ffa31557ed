"""What is shown of the line around a secret: at most 200 bytes, with every match on it masked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..model import HIDDEN_KINDS, Detector, Excerpt, Secret

SHOWN = 200
CONTEXT = 1000


@dataclass(frozen=True, slots=True)
class Context:
    """The raw line around a secret, cut to `CONTEXT` bytes either way, where the secret stands in it, and the line
    before it."""

    line: bytes
    at: int
    previous: bytes


def _line(buffer: bytes, start: int, end: int, most: int) -> tuple[int, int]:
    """The line that a span begins in, at most `most` bytes before it and behind its end."""
    low = max(buffer.rfind(b"\n", max(0, start - most), start) + 1, start - most, 0)
    stop = buffer.find(b"\n", end, end + most)
    return low, min(len(buffer), end + most) if stop < 0 else stop


def context(buffer: bytes, start: int, end: int) -> Context:
    """The line around a span as the allowlists look at it."""
    low, high = _line(buffer, start, min(end, start + CONTEXT), CONTEXT)
    before = buffer.rfind(b"\n", max(0, low - 1 - CONTEXT), max(0, low - 1))
    return Context(buffer[low:high], start - low, buffer[max(before + 1, low - 1 - CONTEXT, 0) : max(0, low - 1)])


_COMMENT = re.compile(
    rb"""\s*(?:#(?!include|define|if|else|pragma)|//|/\*|\*\s|;|--\s|<!--|%\s|"\s|dnl\s|REM\s|rem\s)"""
)
"""How a comment line begins in most languages."""


def excerpt(
    buffer: bytes, start: int, end: int, secret: Secret, spans: Sequence[tuple[int, int, Detector]], *, view: str = ""
) -> Excerpt:
    """The line around buffer[start:end] with the secret, its repetitions and all other spans that touch it masked."""
    low, high = _line(buffer, start, end, SHOWN)
    inner = [(s, e, d) for s, e, d in spans if e > low and s < high and not (s >= start and e <= end)]
    mask = secret.mask().encode()
    before = _masked(buffer, low, start, inner)
    after = _masked(buffer, end, high, inner)
    value = secret.reveal()
    if len(value) >= 4:
        before, after = before.replace(value, mask), after.replace(value, mask)
    room = max(0, SHOWN - len(mask))
    keep = before.lstrip()[-(room * 2 // 3) :] if len(before.lstrip()) > room * 2 // 3 else before.lstrip()
    tail = after.rstrip()[: max(0, room - len(keep))]
    comment = (low == 0 or buffer[low - 1 : low] == b"\n") and _COMMENT.match(buffer, low, start + 1) is not None
    return Excerpt(keep + mask + tail, len(keep), len(keep) + len(mask), view, comment)


def _masked(buffer: bytes, low: int, high: int, spans: Sequence[tuple[int, int, Detector]]) -> bytes:
    """A stretch of the buffer in which each span, or the part of it that lies here, is a mask."""
    out = bytearray()
    at = low
    for start, end, detector in sorted(spans, key=lambda s: (s[0], -s[1])):
        if end <= at or start >= high:
            continue
        out += buffer[at : max(at, start)]
        if start >= at:
            prefix = len(detector.prefix) if buffer.startswith(detector.prefix, start) else 0
            hidden = detector.kind in HIDDEN_KINDS
            out += Secret(buffer[start:end], prefix=prefix, hidden=hidden).mask().encode()
        else:
            out += b"[masked]"
        at = min(end, high)
    return bytes(out + buffer[at:high])
