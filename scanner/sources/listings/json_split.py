"""Listings in JSON (RFC 8259), cut at the borders of their items, whatever the size of the document or of its lines.

What is cut: an array of items; an object with items in one of its members (`items`, `Contents`); several of these one
after another, as a store's pages are; objects one after another (JSON lines). Only brackets, strings and the marks
between them are looked at here: whether an item is JSON is decided where it is read.

An item may have `LONGEST` bytes and be nested `DEEPEST` levels deep, or a few more. What is no item (brackets that do
not fit, a string that is not closed on its line, text outside of strings) is left out and counted, and reading goes on
where the next item begins as those before it do. Every item before the damage is read; a byte that is changed costs its
item, and the next one only where it joins the two. Items of a listing that begin in many ways are not all found again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from ...model import NotScanned
from . import CHUNK, LONGEST, Chunk
from .fields import CUT_OFF, GOES_ON, LONGEST_KEY, TOO_LONG, blocks
from .json_shapes import shape_of

DEEPEST = 16
"""Levels of brackets in an item; the deepest that a store writes has five."""
DAMAGED = "entries that are not well-formed JSON, or have no name: they are left out, those around them are not"
LISTS = frozenset((b"items", b"prefixes", b"Contents", b"Versions", b"DeleteMarkers", b"CommonPrefixes", b"Buckets"))
"""The members in which a store's pages hold their items."""

_PLAIN = rb'"(?:[^"\\\n]++|\\[^\n])*+"'
_TEXT = _PLAIN + rb"\s*+(?:[,:]\s*+|(?=[}\]]))"  # a quote too many or too few is seen at the next one
_BARE = rb"[\s,:\w.+-]++"


def _nested(levels: int) -> bytes:
    """A pattern for what stands between two brackets, nested so many levels deep."""
    inner = rb"(?:" + _TEXT + rb"|" + _BARE + rb")*+"
    for _ in range(levels):
        inner = rb"(?:" + _TEXT + rb"|" + _BARE + rb"|\{" + inner + rb"\}|\[" + inner + rb"\])*+"
    return inner


_FLAT = _nested(3)
_ITEM = re.compile(rb"[\s,]*+(\{" + _FLAT + rb"\}|" + _PLAIN + rb"(?=\s*+[,\]]))")
_INSIDE = re.compile(rb"(?:" + _TEXT + rb"|" + _BARE + rb"|\{" + _FLAT + rb"\}|\[" + _FLAT + rb"\])++")
_OPEN = re.compile(rb'(?:"(?:[^"\\\n]++|\\[^\n])*+(?:\\|"\s*+)?)?\Z')
_BETWEEN = re.compile(rb"[\s,\x1e\xef\xbb\xbf]*+")
_NAME = re.compile(rb'\s*+"((?:[^"\\\n]++|\\[^\n])*+)"\s*+:\s*+(?=[^\s])')
_SCALAR = re.compile(rb"(" + _PLAIN + rb"|[\w.+-]++)(?=\s*+[,}])")
_FIRST = re.compile(rb'\{\s*+"([^"\\\n]{1,64})"\s*+:')
_CLOSED_BY = {b"{": b"}", b"[": b"]"}

End = int | Literal["open", "damaged"]
"""Where a value ends; `open` where it is not all here, `damaged` where it cannot be one."""


def end_of(data: bytes, at: int) -> End:
    """Where the object or array that begins at a place ends: within `LONGEST` bytes."""
    if data[at : at + 1] == b"{" and (item := _ITEM.match(data, at, at + LONGEST)):
        return item.end()
    limit = min(len(data), at + LONGEST)
    closing = [_CLOSED_BY[data[at : at + 1]]]
    at += 1
    while True:
        if inside := _INSIDE.match(data, at, limit):
            at = inside.end()
        here = data[at : at + 1] if at < limit else b""
        if here == closing[-1]:
            closing.pop()
            at += 1
            if not closing:
                return at
        elif here in _CLOSED_BY:
            closing.append(_CLOSED_BY[here])
            at += 1
            if len(closing) > DEEPEST:
                return "damaged"
        else:
            return "open" if _OPEN.match(data, at, limit) else "damaged"


def items(data: bytes) -> Iterator[bytes]:
    """The items of a chunk, one by one."""
    at = 0
    while at < len(data):
        item = _ITEM.match(data, at)
        if item:
            at = item.end()
            yield item[1]
            continue
        at = _space(data, at)
        end = end_of(data, at) if data[at : at + 1] in _CLOSED_BY else "damaged"
        if not isinstance(end, int):
            return
        yield data[at:end]
        at = end


def _space(data: bytes, at: int) -> int:
    between = _BETWEEN.match(data, at)
    return between.end() if between else at


def split(stream: Iterable[bytes], container: bytes, kind: str) -> Iterator[Chunk | NotScanned]:
    """Chunks of items, joined by commas; their state is the name of the member that they stand in, if any."""
    splitter = _Splitter(container, kind)
    for block in blocks(stream):
        for start in range(0, len(block), CHUNK):
            yield from splitter.take(block[start : start + CHUNK])
    yield from splitter.end()


_Mode = Literal["top", "members", "list", "lost"]


class _Splitter:
    """Where in the documents a stream is, and what is not yet given on."""

    def __init__(self, container: bytes, kind: str) -> None:
        self._given, self._kind = container, kind
        self._mode: _Mode = "top"
        self._back: _Mode = "top"  # where to go on once it is known again where items begin
        self._document = False  # in an object whose members are read
        self._depth = 0  # of arrays in arrays
        self._said: dict[bytes, bytes] = {}
        self._list = b""
        self._line = b""  # the first member of items that stand one after another
        self._firsts: dict[bytes, None] = {}  # the first members of items
        self._starts: re.Pattern[bytes] | None = None  # made when it is needed
        self._learned = 0
        self._parts: list[bytes] = []
        self._rest = b""
        self._damaged = self._long = 0
        self._last = self._cut = False

    def take(self, block: bytes) -> Iterator[Chunk | NotScanned]:
        """The chunks that are whole when this has come."""
        data = self._rest + block
        at, before = 0, (-1, self._mode)
        while before != (at, self._mode):
            before = (at, self._mode)
            at = self._step(data, at)
            if self._parts and self._mode != "list":
                yield self._chunk()
        self._rest = data[at:]
        if self._parts:
            yield self._chunk()

    def end(self) -> Iterator[Chunk | NotScanned]:
        """What is left, and how the listing ends."""
        self._last = True
        yield from self.take(b"")
        what = self._container() or b"the listing"
        if self._damaged:
            yield NotScanned(what, DAMAGED, count=self._damaged)
        if self._long:
            yield NotScanned(what, TOO_LONG, count=self._long)
        if self._cut or (self._mode in ("members", "list")):
            yield NotScanned(b"the end of the listing", CUT_OFF)
        elif self._goes_on():
            yield NotScanned(what, GOES_ON)

    def _step(self, data: bytes, at: int) -> int:
        """One step: where it leads to. The same place in the same mode: more has to come."""
        if self._mode == "lost":
            return self._search(data, at)
        at = _space(data, at)
        if at == len(data):
            return at
        if self._mode == "members":
            return self._member(data, at)
        if self._mode == "list":
            return self._items(data, at)
        return self._top(data, at)

    def _top(self, data: bytes, at: int) -> int:
        here = data[at : at + 1]
        if here == b"[":
            self._begin(document=False)
            self._enter(b"")
            return at + 1
        if here != b"{":
            return self._not_whole(data, at, "damaged")
        first = _FIRST.match(data, at)
        if self._line and first and first[1] == self._line:
            return self._items(data, at)
        end = end_of(data, at)
        if end == "open" and len(data) - at < LONGEST and not self._last:
            return at
        said = _page(data, at, end if isinstance(end, int) else len(data))
        if said is not None or (isinstance(end, int) and b'"' not in data[at:end]):
            self._begin(document=True)
            self._said = said or {}
            self._mode = "members"
            return at + 1
        if isinstance(end, int):
            self._line = first[1] if first else b""
            return self._items(data, at)
        return self._not_whole(data, at, end)

    def _member(self, data: bytes, at: int) -> int:
        """A member of a page: a list is entered, and what tells of the listing is kept."""
        if data[at : at + 1] == b"}":
            self._document = False
            self._mode = "top"
            return at + 1
        name = _NAME.match(data, at)
        if not name:
            return self._not_whole(data, at, "open" if len(data) - at <= LONGEST_KEY else "damaged")
        value = name.end()
        here = data[value : value + 1]
        if here == b"[":  # whatever its name, which may be what is damaged
            self._enter(name[1])
            return value + 1
        if here == b"{":
            end = end_of(data, value)
            return end if isinstance(end, int) else self._not_whole(data, at, end)
        scalar = _SCALAR.match(data, value)
        if not scalar:
            return self._not_whole(data, at, "open" if len(data) - at <= LONGEST_KEY else "damaged")
        if name[1] in _TELLING:
            self._said[name[1]] = scalar[1].strip(b'"')
        return scalar.end()

    def _items(self, data: bytes, at: int) -> int:
        """The items from a place on, as many as are whole."""
        parts, start = self._parts, at
        while item := _ITEM.match(data, at, at + LONGEST):
            parts.append(item[1])
            at = item.end()
        if at > start:
            self._learn(parts[0])
            if self._mode == "top":
                return at
        at = _space(data, at)
        here = data[at : at + 1]
        if here == b"[":
            self._depth += 1
            return at + 1 if self._depth <= DEEPEST else self._not_whole(data, at, "damaged")
        if here == b"]":
            self._depth -= 1
            if not self._depth:
                self._mode = "members" if self._document else "top"
            return at + 1
        if here == b"{":
            end = end_of(data, at)
            if isinstance(end, int):
                parts.append(data[at:end])
                return end
            return self._not_whole(data, at, end)
        return self._not_whole(data, at, "open" if _OPEN.match(data, at) else "damaged") if here else at

    def _not_whole(self, data: bytes, at: int, end: End) -> int:
        """Something that is not whole: it is waited for, unless it never will be."""
        whole = end == "damaged" or len(data) - at >= LONGEST
        if not whole and not self._last:
            return at
        self._cut = not whole
        self._long += whole and end == "open"
        self._damaged += end == "damaged"
        self._back = self._mode if self._mode != "members" else "list"
        self._mode = "lost"
        return at + 1

    def _search(self, data: bytes, at: int) -> int:
        """The next item; what stands before it is dropped. One behind a colon, on its line, is part of another."""
        self._starts = self._starts or _start_of(self._firsts)
        for start in self._starts.finditer(data, at):
            if data[max(at, start.start() - _SPACES) : start.start()].rstrip(b" \t,")[-1:] != b":":
                self._mode = self._back
                self._depth = max(self._depth, 1) if self._mode == "list" else 0
                self._damaged += self._cut
                self._cut = False
                return start.start()
        return max(at, len(data) - _REACH)

    def _begin(self, *, document: bool) -> None:
        self._document, self._said, self._depth, self._list = document, {}, 0, b""

    def _enter(self, name: bytes) -> None:
        self._mode, self._list, self._depth = "list", name, 1

    def _learn(self, item: bytes) -> None:
        """How items begin: so is the next one found behind damage."""
        first = _FIRST.match(item)
        if first is None or first[1] in self._firsts or self._learned == _LEARNED:
            return
        self._learned += 1
        try:
            known = shape_of(tuple(json.loads(item)), self._list)
        except (ValueError, RecursionError):
            return
        if known:
            self._firsts[first[1]] = None
            if len(self._firsts) > _FIRSTS:
                del self._firsts[next(iter(self._firsts))]
            self._starts = None

    def _container(self) -> bytes:
        return self._said.get(b"Name", b"") or self._given

    def _goes_on(self) -> bool:
        tokens = (self._said.get(name, b"") for name in _TELLING - {b"Name"})
        return any(token not in (b"", b"null", b"false") for token in tokens)

    def _chunk(self) -> Chunk:
        data = b",".join(self._parts)
        self._parts = []
        return Chunk(self._kind, self._container(), data, (self._list,))


_TELLING = frozenset((b"Name", b"nextPageToken", b"NextToken", b"NextContinuationToken", b"IsTruncated"))
_PAGE = LISTS | (_TELLING - {b"Name"}) | {b"RequestCharged", b"ResponseMetadata"}
"""Members that only a page has, not an item."""
_SPACES = 256
_REACH = 1024  # longer than what `_start_of` finds, with the spaces before it
_FIRSTS = 4
_LEARNED = 1000  # looks at how items begin: a listing has few ways, and each look costs


def _start_of(names: Iterable[bytes]) -> re.Pattern[bytes]:
    """A pattern of where an item begins that has a member of such a name first."""
    first = b"|".join(map(re.escape, names)) or rb'[^"\\\n]{1,64}'
    return re.compile(rb'\{\s{0,256}"(?:' + first + rb')"\s{0,8}:')


def _page(data: bytes, at: int, end: int) -> dict[bytes, bytes] | None:
    """What the object that begins at a place tells of the listing, as far as it is here; None where it is no page."""
    said: dict[bytes, bytes] = {}
    page = False
    at += 1
    while at < end and (name := _NAME.match(data, _space(data, at))):
        at = name.end()
        here = data[at : at + 1]
        page = page or (name[1] in _PAGE and (here == b"[" or name[1] not in LISTS))
        if here in _CLOSED_BY:
            value = end_of(data, at)
            if not isinstance(value, int):
                break
            at = value
        elif scalar := _SCALAR.match(data, at):
            page = page or (name[1] == b"kind" and scalar[1] in (b'"storage#objects"', b'"storage#buckets"'))
            if name[1] in _TELLING:
                said[name[1]] = scalar[1].strip(b'"')
            at = scalar.end()
        else:
            break
    return said if page else None
