"""What is shown of the line around a secret: at most 200 bytes, with every match on it masked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..model import HIDDEN_KINDS, Detector, Excerpt, Secret
from ..patterns import later

SHOWN = 200
READ = 2 * SHOWN
"""Bytes of the line that are masked on either side, so that a value whose part would be shown is seen whole."""
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


def around(buffer: bytes, start: int, end: int) -> tuple[int, int]:
    """The stretch that decides what `context` and `excerpt` give for a span, but for `in_comment`, and its column.

    From -1, or to one more than there is, where it matters that the buffer begins or ends there.
    """
    low, high = _line(buffer, start, min(end, start + CONTEXT), CONTEXT)
    least = low - 2 - CONTEXT
    before = max(least, buffer.rfind(b"\n", max(0, least), max(0, low - 1)))
    line = max(start - FAR, buffer.rfind(b"\n", max(0, start - FAR), start))
    if start > FAR and line == start - FAR:  # its column is counted from farther away
        line = -1
    return max(-1, min(before, line)), max(high, _line(buffer, start, end, READ)[1]) + 1


_COMMENT = later(rb"""\s*+(?:#(?!include|define|if|else|pragma)|//|/\*|\*\s|;|--\s|<!--|%\s|"\s|dnl\s|REM\s|rem\s)""")
"""How a comment line begins in most languages."""


_DOCUMENTATION = later(rb"^(?:DOCUMENTATION|EXAMPLES|RETURN) ?= ?[rRuU]?\Z", re.MULTILINE)
"""What stands before the quotes of an Ansible module's documentation: YAML in a string of this name.
Source: https://docs.ansible.com/ansible/latest/dev_guide/developing_modules_documenting.html"""
FAR = 1 << 16
"""How far above a secret the quotes may stand."""


def _is_documentation(buffer: bytes, at: int) -> bool:
    """Whether the nearest triple quotes before a place open a documentation string: then it lies in there."""
    low = max(0, at - FAR)
    quotes = max(buffer.rfind(b"'''", low, at), buffer.rfind(b'"""', low, at))
    return quotes >= 0 and _DOCUMENTATION.search(buffer, max(0, quotes - 20), quotes) is not None


def in_comment(buffer: bytes, start: int, end: int) -> bool:
    """Whether a span's line is a comment, or stands in a documentation string."""
    low, _ = _line(buffer, start, end, READ)
    begins = low == 0 or buffer[low - 1 : low] == b"\n"
    return (begins and _COMMENT.match(buffer, low, start + 1) is not None) or _is_documentation(buffer, start)


SpanOf = tuple[int, int, Detector]
"""Where a value stands, and whose it is."""

SHORTEST = 8
"""Bytes of a value that is masked wherever else it stands; shorter ones are words."""
ALIKE = 16
"""Lengths of values that begin alike up to which each is looked for."""


class Values:
    """Secrets that may not be shown anywhere, whatever stands around them."""

    def __init__(self) -> None:
        self._masks: dict[bytes, Secret] = {}
        self._lengths: dict[bytes, set[int]] = {}
        self._ends: set[bytes] = set()

    def add(self, secret: Secret) -> None:
        """One more; of two masks of one value, the one that shows less."""
        value = secret.reveal()
        if len(value) >= SHORTEST:
            known = self._masks.get(value)
            self._masks[value] = secret if not known or len(secret.mask()) < len(known.mask()) else known
            self._lengths.setdefault(value[:SHORTEST], set()).add(len(value))
            self._ends.add(value[-SHORTEST:])

    def hide(self, text: bytes) -> bytes:
        """The text with each of them masked."""
        # Most texts hold none; how a value begins, its mask may show.
        if self._ends.isdisjoint([text[i : i + SHORTEST] for i in range(len(text) - SHORTEST + 1)]):
            return text
        out, shown, at = bytearray(), 0, 0
        while at <= len(text) - SHORTEST:
            lengths = self._lengths.get(text[at : at + SHORTEST], ())
            length = self._length(text, at, lengths)
            if length:
                value = self._masks.get(text[at : at + length])
                out += text[shown:at] + (value.mask().encode() if value else b"[masked]")
                shown = at + length
            at += length or 1
        return bytes(out + text[shown:])

    def _length(self, text: bytes, at: int, lengths: Collection[int]) -> int:
        """How much is masked here: the longest known value, or, where very many begin so, as much as any may have."""
        if len(lengths) > ALIKE:
            return max(lengths)
        return max((n for n in lengths if text[at : at + n] in self._masks), default=0)


class Masks:
    """What is masked wherever a buffer is shown: the outermost of all spans, in order, and every known value."""

    def __init__(self, spans: Iterable[SpanOf], values: Values) -> None:
        self.values = values
        self._spans: list[SpanOf] = []
        self._masks: dict[int, bytes] = {}
        furthest = 0
        for span in sorted(spans, key=lambda s: (s[0], -s[1], s[2].kind not in HIDDEN_KINDS)):
            if span[1] > furthest:
                self._spans.append(span)
                furthest = span[1]

    def between(self, buffer: bytes, low: int, high: int) -> bytes:
        """A stretch of the buffer in which each span, or the part of it that lies here, is a mask."""
        out = bytearray()
        at = low
        for place in range(bisect_right(self._spans, low, key=lambda s: s[1]), len(self._spans)):
            start, end, _ = self._spans[place]
            if start >= high:
                break
            out += buffer[at : max(at, start)]
            out += self._mask(buffer, place) if start >= at else b"[masked]"
            at = min(end, high)
        return self.values.hide(bytes(out + buffer[at:high]))

    def _mask(self, buffer: bytes, place: int) -> bytes:
        if place not in self._masks:
            start, end, detector = self._spans[place]
            prefix = len(detector.prefix) if buffer.startswith(detector.prefix, start) else 0
            secret = Secret(buffer[start:end], prefix=prefix, hidden=detector.kind in HIDDEN_KINDS)
            self._masks[place] = secret.mask().encode()
        return self._masks[place]


def excerpt(
    buffer: bytes, start: int, end: int, secret: Secret, masks: Masks, *, view: str = "", cut: bool = False
) -> Excerpt:
    """The line around buffer[start:end] with the secret, its repetitions and all other secrets on it masked.

    Of a secret that is `cut` off from what stands around it, because that may hold others that only another piece
    has whole, nothing but the mask is shown.
    """
    low, high = _line(buffer, start, end, READ)
    mask = secret.mask().encode()
    before = after = b""
    if not cut:
        before, after = masks.between(buffer, low, start), masks.between(buffer, end, high)
        value = secret.reveal()
        if 4 <= len(value) < SHORTEST:
            before, after = before.replace(value, mask), after.replace(value, mask)
    room = max(0, SHOWN - len(mask))
    keep = before.lstrip()[-(room * 2 // 3) :] if len(before.lstrip()) > room * 2 // 3 else before.lstrip()
    tail = after.rstrip()[: max(0, room - len(keep))]
    comment = in_comment(buffer, start, end)
    return Excerpt(keep + mask + tail, len(keep), len(keep) + len(mask), view, comment)
