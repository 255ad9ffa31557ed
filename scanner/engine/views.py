"""Views: text in another form, read as what it stands for, with every offset mapped back to the original.

Each has a trigger: the matcher looks for it on its way, or (UTF-16) the first bytes tell. Derived buffers are bounded:
a view is never longer than what it was made from and a fixed overhead (`OVERHEAD`); what has no room is left out.

- UTF-16 (little and big endian, with a byte order mark or without): as bytes of Latin-1.
- Kubernetes Secret manifests: each value of `data:` decoded, as a line `kubernetes.secret/KEY: VALUE`.
- Docker and HTTP basic credentials: `"auth": "…"` and `Basic …` decoded, as `docker.auth: USER:PASSWORD` and
  `http.basic: USER:PASSWORD`.
- Signed URLs that are escaped, encoded, or broken over lines (`escapes.py`), each in its line.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..patterns import later
from . import escapes
from .escapes import Segment

ALL = (1 << 32) - 1
"""As a number of bytes: the whole text."""
OVERHEAD = 1 << 20
"""How many bytes longer than its source a view may be. Each value has a line of its own, which adds 20 bytes or so: a
source with some 50,000 values of a few bytes each comes to it."""


@dataclass(frozen=True, slots=True)
class View:
    """A buffer derived from another. Without segments it is the original itself."""

    buffer: bytes
    name: str = ""
    segments: tuple[Segment, ...] = ()
    outer: View | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the original that holds what stands at start:end here."""
        start, end = self.source(start, end)
        return self.outer.original(start, end) if self.outer else (start, end)

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The same for the buffer that this one was made from, one step back."""
        if not self.segments:
            return start, end
        return self._back(start, end=False), self._back(end, end=True)

    def _back(self, at: int, *, end: bool) -> int:
        key = at - 1 if end else at
        place = max(bisect_right(self.segments, key, key=lambda s: s[0]) - 1, 0)
        begin, stop, source, unit, width = self.segments[place]
        inside = min(max(at, begin), stop) - begin
        units = -(-inside // unit) if end else inside // unit
        return source + units * width

    def then(self, deeper: View) -> View:
        """A view of this view."""
        return View(deeper.buffer, f"{self.name}+{deeper.name}", deeper.segments, self)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What must stand in a buffer for a view of it to be made: small-letter texts, one of which stands there in
    whatever case, and an expression (as in `catalog/expressions.py`) that says it more closely. What a view has of one
    such place depends on `reach` bytes around it."""

    keywords: tuple[bytes, ...]
    expression: str
    make: Callable[[bytes, Sequence[int]], View | None]
    reach: int = ALL


def derive(buffer: bytes, triggered: Mapping[int, Sequence[int]]) -> Iterator[tuple[int, View]]:
    """The views of a buffer, most often none, each with the place of its trigger in `TRIGGERS` (-1: it has none);
    `triggered` says where each of these was found."""
    wide = _utf16(buffer) if may_be_wide(buffer, 0, len(buffer)) else None
    if wide:
        yield -1, wide
    for place, trigger in enumerate(TRIGGERS):
        view = trigger.make(buffer, triggered[place]) if place in triggered else None
        if view:
            yield place, view


def may_be_wide(buffer: bytes, start: int, end: int) -> bool:
    """Whether what stands at start:end of a buffer begins like UTF-16: with its mark, or with a NUL soon."""
    return buffer.find(0, start, min(end, start + 512)) >= 0 or buffer.startswith(
        (b"\xff\xfe", b"\xfe\xff"), start, end
    )


def _places(buffer: bytes, literal: bytes) -> Iterator[int]:
    """Where a literal stands: many times faster than a pattern that begins with anything."""
    at = buffer.find(literal)
    while at >= 0:
        yield at
        at = buffer.find(literal, at + 1)


def _utf16(buffer: bytes) -> View | None:
    if buffer.startswith((b"\xff\xfe", b"\xfe\xff")):
        skip, little = 2, buffer.startswith(b"\xff\xfe")
    else:
        head = buffer[:512]
        if head.count(0) * 4 < len(head) or len(head) < 16:
            return None
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) * 5 < len(head[0::2]) * 4 or min(even, odd) * 10 > len(head):
            return None
        skip, little = 0, odd > even
    low, high = buffer[skip + (not little) :: 2], buffer[skip + little :: 2]
    size = min(len(low), len(high))
    text = bytearray(low[:size])
    if high.count(0) != len(high):
        for at in (m.start() for m in re.finditer(rb"[^\x00]", high[:size])):
            text[at] = 0x1A
    return View(bytes(text), "utf-16", ((0, size, skip, 1, 2),))


class _Builder:
    """Puts a view together, line by line, as long as there is room."""

    def __init__(self, room: int) -> None:
        self.buffer = bytearray()
        self.segments: list[Segment] = []
        self._room = room + OVERHEAD

    def add(self, label: bytes, value: bytes, source: int, unit: int, width: int) -> None:
        if len(self.buffer) + len(label) + len(value) >= self._room:
            return
        self.buffer += label
        self.segments.append((len(self.buffer), len(self.buffer) + len(value), source, unit, width))
        self.buffer += value + b"\n"

    def add_line(self, text: bytes, segments: Sequence[Segment]) -> None:
        """A line with where its bytes come from."""
        size = len(self.buffer)
        if size + len(text) < self._room:
            self.segments += ((start + size, end + size, at, unit, width) for start, end, at, unit, width in segments)
            self.buffer += text + b"\n"

    def view(self, name: str) -> View | None:
        return View(bytes(self.buffer), name, tuple(self.segments)) if self.segments else None


_KIND = later(rb"""["']?kind["']?[ \t]{0,8}:[ \t]{0,8}["']?Secret["']?(?![\w-])""")
_DOCUMENT_END = later(rb"\n---")
_ENTRY = later(
    rb"""(?:^|[\n{,])[ \t]{0,64}["']?(?P<key>\.?[A-Za-z][\w.-]{0,252}|\.[\w.-]{1,252})["']?[ \t]{0,8}:"""
    rb"""[ \t\r\n]{0,64}+(?:[|>]-?[ \t]{0,8}\r?\n[ \t]{1,64})?["']?(?P<value>[A-Za-z0-9+/]{4,65536}+={0,2})["']?"""
    rb"""[ \t]{0,8}(?=[\r\n,}]|$)"""
)
_PLAIN_ENTRY = later(
    rb"""\n[ \t]{1,64}(?P<key>[A-Za-z.][\w.-]{0,252}):[ \t]{1,8}["']?(?P<value>[^\s"'][^\r\n"']{0,2000})"""
)
_SECTION = later(rb"""(?:^|\n)[ \t]{0,64}(?P<name>data|stringData):[ \t]{0,8}\r?\n""")
_NEXT_SECTION = later(rb"""\n(?![ \t\r\n#])""")
DOCUMENT = 1 << 20


def _kubernetes(buffer: bytes, _found: Sequence[int]) -> View | None:
    """Source: https://kubernetes.io/docs/concepts/configuration/secret/."""
    built = _Builder(len(buffer))
    done = 0
    for at in _places(buffer, b"Secret"):
        kind = _KIND.search(buffer, max(0, at - 32), at + 8)
        if not kind or kind.start() < done:
            continue
        before = buffer.rfind(b"\n---", max(0, kind.start() - DOCUMENT), kind.start())
        low = max(before + 1, kind.start() - DOCUMENT, done)
        stop = _DOCUMENT_END.search(buffer, kind.end(), kind.end() + DOCUMENT)
        high = stop.start() if stop else min(len(buffer), kind.end() + DOCUMENT)
        done = high
        for entry in _ENTRY.finditer(buffer, low, high):
            value = _decode(entry["value"])
            if value is not None:
                built.add(b"kubernetes.secret/" + entry["key"] + b": ", value, entry.start("value"), 3, 4)
        _plain_entries(buffer, low, high, built)
    return built.view("kubernetes-secret")


def _plain_entries(buffer: bytes, low: int, high: int, built: _Builder) -> None:
    """What stands under `stringData:`; a section that begins within another is a part of it, not one more."""
    done = low
    for section in _SECTION.finditer(buffer, low, high):
        if section["name"] != b"stringData" or section.start() < done:
            continue
        end = _NEXT_SECTION.search(buffer, section.end() - 1, high)
        done = end.start() if end else high
        for entry in _PLAIN_ENTRY.finditer(buffer, section.end() - 1, done):
            built.add(b"kubernetes.secret/" + entry["key"] + b": ", entry["value"], entry.start("value"), 1, 1)


def _decode(value: bytes) -> bytes | None:
    """Base64 text that is text again once decoded; None for anything else."""
    if len(value) % 4:
        return None
    try:
        raw = base64.b64decode(value, validate=True)
        raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return raw if not re.search(rb"[\x00-\x08\x0e-\x1f]", raw) else None


_BASIC = later(
    rb"""(?:auth["'][ \t]{0,8}:\s{0,8}["']|auth[ \t]?=[ \t]{0,8}["']?|(?P<http>asic[ \t]{1,8}))"""
    rb"""(?P<value>[A-Za-z0-9+/]{6,4096}+={0,2}+)(?![A-Za-z0-9+/=])"""
)
_BASIC_HEAD = later(rb"""auth["'= \t]|asic[ \t]""")
_BASIC_REACH = 104
"""Bytes that may stand between the beginning of a head and where a matcher points: in the value, 64 bytes at most."""


def _basic(buffer: bytes, found: Sequence[int]) -> View | None:
    """Sources: RFC 7617; https://docs.docker.com/reference/cli/docker/login/; `_auth` of .npmrc."""
    built = _Builder(len(buffer))
    done = 0
    for at in sorted(found):
        for head in _BASIC_HEAD.finditer(buffer, max(at - _BASIC_REACH, done), at + 8):
            done = head.start() + 1
            one = _BASIC.match(buffer, head.start())
            raw = _decode(one["value"]) if one else None
            if one and raw is not None and raw.find(b":") > 0 and raw.isascii() and b"\n" not in raw:
                built.add(b"http.basic: " if one["http"] else b"docker.auth: ", raw, one.start("value"), 3, 4)
    return built.view("basic-credentials")


def _unescaped(buffer: bytes, found: Sequence[int]) -> View | None:
    built = _Builder(len(buffer))
    for text, segments in escapes.unescaped(buffer, found):
        built.add_line(text, segments)
    return built.view("unescaped")


_B = "[A-Za-z0-9+/]"
TRIGGERS = (
    Trigger((b"secret",), r"""kind["']?[\x20\t]{0,8}:[\x20\t]{0,8}["']?Secret""", _kubernetes),
    Trigger(
        (b'auth"', b"auth'", b"auth=", b"auth =", b"auth\t=", b"asic ", b"asic\t"),
        rf"""(?:auth["'][\x20\t]{{0,8}}:[\x20\t-\r]{{0,8}}["']|auth[\x20\t]?=[\x20\t]{{0,8}}["']?|asic[\x20\t]{{1,8}})"""
        rf"""(?:(?:{_B}{{4}}){{1,15}}(?:{_B}{{3}}=|{_B}{{2}}==|{_B}{{4}}[^A-Za-z0-9+/=])|{_B}{{61}})""",
        _basic,
    ),
    Trigger(escapes.KEYWORDS, escapes.EXPRESSION, _unescaped, escapes.AROUND),
)
"""The views that a matcher finds the triggers of. In what it reports they stand behind the detectors, in this order."""
