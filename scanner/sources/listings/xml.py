"""Listings in XML, read from bytes: entries are found by their tags, and their fields by a pattern that is learned.

The entries of a listing look alike: a pattern made from the first one (its tags as they stand, its texts captured)
reads a million of the same form about as fast as bytes can be searched. An entry of another form goes to a strict
parser of its own (expat, XML 1.0), with nothing around it: no document type and no entity of the listing counts there,
and what is damaged costs that entry alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from ...listed import Container, Folders, Rows
from ...model import NotScanned
from . import CHUNK, HEAD, LONGEST, Chunk, Read
from .fields import CUT_OFF, GOES_ON, LONGEST_KEY, NO_DATE, NO_SIZE, blocks, day_of, size_of

LAYOUTS = 16
"""Forms of entries that are learned of one chunk."""
TOKENS = 200
"""Tags of an entry from which a pattern is made; one with more is read by the strict parser."""
DECLARES = "it declares a document type (DTD): nothing of that is used, and entries that need it are refused"
DAMAGED = "entries that are not well-formed XML, or have no name: they are left out, those around them are not"
TOO_LONG = f"entries longer than {LONGEST >> 20} MiB, or with a name longer than {LONGEST_KEY >> 10} KiB: left out"

Role = Literal["object", "folder", "container", "deleted"]
"""What an entry tells of: an object, a folder that is not entered, a container, something deleted (left out)."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a store's XML looks like: by the root element's name, the entries that stand in it. All root elements have
    `sign` in their names.

    `fields` says which element of an entry is what (`key`, `size`, `day`, `etag`, `version`, `access`); the texts of
    `harmless` elements hold no credential, those of others are searched. In `pairs` stand users' own names and values.
    `named_by` finds the container's name in what stands before the first entry, `goes_on` what says that there is
    another page; `access` translates what is said of who may read a container.
    """

    name: str
    title: str
    sign: bytes
    roots: Mapping[bytes, Mapping[bytes, Role]]
    fields: Mapping[bytes, str]
    harmless: frozenset[bytes]
    named_by: re.Pattern[bytes]
    goes_on: re.Pattern[bytes]
    pairs: frozenset[bytes] = frozenset()
    access: Mapping[bytes, str] = field(default_factory=dict)


class XmlKind:
    """The listings of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        names = b"|".join(map(re.escape, dialect.roots))
        self.root = re.compile(rb"<((?:[A-Za-z_][\w.-]{0,30}:)?)(" + names + rb")(?:\s[^<>]{0,4096})?>")

    @property
    def name(self) -> str:
        """As `--kind` takes it."""
        return self.dialect.name

    @property
    def title(self) -> str:
        """For people."""
        return self.dialect.title

    def recognises(self, head: bytes) -> bool:
        """By the root element, before which a declaration, comments and a document type may stand."""
        root = self.root.search(head)
        return root is not None and not _PROLOG.sub(b"", head[: root.start()]).strip(_SPACE)

    def split(self, stream: Iterable[bytes], container: bytes) -> Iterator[Chunk | NotScanned]:
        """Chunks that each lie in one page (root element); several pages may follow each other."""
        splitter = _Splitter(self, container)
        for block in blocks(stream):
            yield from splitter.take(block)
        yield from splitter.end()

    def read(self, chunk: Chunk) -> Iterator[Read]:
        """Its entries, in the order of their kinds."""
        root, prefix, encoded = chunk.state
        counts: Counter[str] = Counter()
        for name, role in self.dialect.roots[root].items():
            if role != "deleted" and b"<" + prefix + name in chunk.data:
                reader = _Reader(self.dialect, prefix, prefix + name, counts, url=encoded == b"url")
                yield from reader.read(chunk.data, role, chunk.container)
        for why, count in (+counts).items():
            yield NotScanned(chunk.container or b"the listing", why, policy=why in (NO_DATE, NO_SIZE), count=count)


_SPACE = b"\xef\xbb\xbf \t\r\n"
_PROLOG = re.compile(rb"<!--.*?-->|<!DOCTYPE[^\[>]*\[.*?\]\s*>|<[?!][^<>]*>", re.DOTALL)


# --- splitting -------------------------------------------------------------------------------------------------------


class _Splitter:
    """Cuts a stream at the ends of entries, and at those of pages."""

    def __init__(self, kind: XmlKind, container: bytes) -> None:
        self._kind, self._given = kind, container
        self._container = container
        self._state = (b"", b"", b"")
        self._tags: list[bytes] = []
        self._opens = _NEVER
        self._said = self._rest = b""
        self._skipped = 0

    def take(self, block: bytes) -> Iterator[Chunk | NotScanned]:
        """The chunks that are whole when this has come."""
        data = yield from self._pages(self._rest + block, last=False)
        cut = self._last_end(data)
        if cut:
            yield self._chunk(data[:cut])
        elif len(data) > LONGEST + CHUNK and self._opens.search(data):
            self._skipped += 1
            cut = len(data) - HEAD
        self._rest = data[cut:]

    def end(self) -> Iterator[Chunk | NotScanned]:
        """What is left, and how the listing ends."""
        data = yield from self._pages(self._rest, last=True)
        yield from self._page(data)
        if self._skipped:
            yield NotScanned(self._container or b"the listing", TOO_LONG, count=self._skipped)
        if self._kind.dialect.goes_on.search(self._said + data[-HEAD:]):
            yield NotScanned(self._container or b"the listing", GOES_ON)

    def _pages(self, data: bytes, *, last: bool) -> Generator[Chunk | NotScanned, None, bytes]:
        """Begin every page whose root is there, with what stands before its first entry; give what is behind the last
        root."""
        at = 0
        if self._kind.dialect.sign in data:
            for root in self._kind.root.finditer(data):
                opens = self._opening(root)
                first = opens.search(data, root.end())
                if not (first or last or len(data) - root.end() > HEAD):
                    break  # not all that stands before its first entry has come
                yield from self._page(data[at : root.start()])
                self._opens = opens
                self._said = data[root.start() : min(first.start() if first else len(data), root.end() + HEAD)]
                self._begin(root, data)
                if b"<!DOCTYPE" in data[max(at, root.start() - HEAD) : root.start()]:
                    yield NotScanned(self._container or b"the listing", DECLARES, policy=True)
                at = root.end()
        return data[at:]

    def _opening(self, root: re.Match[bytes]) -> re.Pattern[bytes]:
        tags = b"|".join(re.escape(root[1] + name) for name in self._kind.dialect.roots[root[2]])
        return re.compile(rb"<(?:" + tags + rb")[\s>]")

    def _begin(self, root: re.Match[bytes], data: bytes) -> None:
        dialect = self._kind.dialect
        self._tags = [root[1] + name for name in dialect.roots[root[2]]]
        said = self._said + self._behind(root, data)
        named = dialect.named_by.search(said)
        self._container = (unescaped(named[1]) or self._given) if named else self._given
        self._state = (root[2], root[1], b"url" if b"EncodingType>url</" in said else b"")

    def _behind(self, root: re.Match[bytes], data: bytes) -> bytes:
        """What stands behind the last entry of a page that has come whole: some stores say there what it is."""
        end = data.find(b"</%s%s" % (root[1], root[2]), root.end())
        page = data[root.end() : end] if end >= 0 else b""
        return page[self._last_end(page) :][-HEAD:]

    def _page(self, data: bytes) -> Iterator[Chunk | NotScanned]:
        """The rest of a page, whole or not."""
        if not self._tags:
            return
        cut = self._last_end(data)
        if cut:
            yield self._chunk(data[:cut])
        root, prefix, _ = self._state
        if self._opens.search(data, cut) or b"</%s%s" % (prefix, root) not in data[cut:]:
            yield NotScanned(self._container or b"the listing", CUT_OFF)

    def _last_end(self, data: bytes) -> int:
        """Where the last whole entry ends; 0 where there is none. To look backwards takes long: most often a part will
        do."""
        for start in (max(0, len(data) - HEAD), 0):
            ends = [(data.rfind(b"</%s>" % tag, start), len(tag) + 3) for tag in self._tags]
            if found := [end + length for end, length in ends if end >= 0]:
                return max(found)
        return 0

    def _chunk(self, data: bytes) -> Chunk:
        return Chunk(self._kind.name, self._container, data, self._state)


_NEVER = re.compile(rb"(?!)")


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    """A pattern for entries of one form; of each of its groups, the field or (`=name`) the text that it is."""

    pattern: re.Pattern[bytes]
    groups: tuple[str, ...]


class _Reader:
    """Reads the entries of one tag in a chunk."""

    def __init__(self, dialect: Dialect, prefix: bytes, tag: bytes, counts: Counter[str], *, url: bool) -> None:
        self._dialect, self._prefix, self._tag = dialect, prefix, tag
        self._open, self._close = b"<%s>" % tag, b"</%s>" % tag
        self._counts, self._url = counts, url

    def read(self, data: bytes, role: Role, container: bytes) -> Iterator[Read]:
        """What they tell."""
        count = data.count(self._close)
        start = data.find(self._open)
        layout = self._layout(data[start : data.find(self._close, start) + len(self._close)]) if start >= 0 else None
        found = layout.pattern.findall(data) if layout else []
        whole = layout and len(found) == count
        columns = self._columns(layout.groups, found) if layout and whole else self._one_by_one(data)
        yield from self._told(columns, role, container)

    # fast: all at once

    def _layout(self, entry: bytes) -> _Layout | None:
        """A pattern made from an entry; None where it has too many tags, or no name."""
        parts: list[bytes] = []
        groups: list[str] = []
        at, tokens = 0, _TOKEN.findall(entry)
        if len(tokens) > TOKENS or b"<!" in entry or b"".join(tag + text for tag, text in tokens) != entry:
            return None
        while at < len(tokens):
            tag, text = tokens[at]
            name = tag[1:].rstrip(b"/> \t\r\n")
            local = name.removeprefix(self._prefix)
            at += 1
            if local in self._dialect.pairs:
                while not tag.endswith(b"/>") and at < len(tokens) and tokens[at - 1][0] != b"</%s>" % name:
                    at += 1
                n = re.escape(name)
                parts.append(rb"(?:<%s\s*/>|<%s>(.*?)</%s>)\s*" % (n, n, n))
                groups.append(f"={local.decode('ascii', 'replace')}")
                continue
            parts.append(re.escape(tag))
            leaf = at < len(tokens) and tokens[at][0] == b"</%s>" % name
            if not leaf:
                parts.append(rb"\s*")
                continue
            what = self._dialect.fields.get(local, "" if local in self._dialect.harmless else f"={local.decode()}")
            parts.append(
                _CAPTURES["iso" if what == "day" and text[4:5] == b"-" else what if what in _CAPTURES else "="]
            )
            if what:
                groups.append(what)
            else:
                parts[-1] = rb"[^<]*"
        if groups.count("key") != 1 or len(groups) != len(set(groups)):
            return None
        return _Layout(re.compile(b"".join(parts), re.DOTALL), tuple(groups))

    @staticmethod
    def _columns(groups: Sequence[str], found: Sequence[tuple[bytes, ...] | bytes]) -> dict[str, Sequence[bytes]]:
        if len(groups) == 1:
            return {groups[0]: found}  # type: ignore[dict-item]  # one group: findall gives it by itself
        return dict(zip(groups, zip(*found, strict=True), strict=True))

    # slow: each by itself

    def _one_by_one(self, data: bytes) -> dict[str, Sequence[bytes]]:
        """Each entry by the layouts of those before it, or by the strict parser."""
        layouts: list[_Layout] = []
        rows: list[dict[str, bytes]] = []
        opens = re.compile(rb"<%s[\s>]" % re.escape(self._tag))
        for part in data.split(self._close)[:-1]:
            start = opens.search(part)
            if start is None:
                continue
            entry = part[start.start() :] + self._close
            row = self._by_layout(entry, layouts)
            if row is None:
                row = self._strictly(entry)
                if row and len(layouts) < LAYOUTS and (layout := self._layout(entry)):
                    layouts.append(layout)
            if row and row.get("key"):
                rows.append(row)
            else:
                self._counts[DAMAGED] += 1
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name, b"") for row in rows] for name in names}

    @staticmethod
    def _by_layout(entry: bytes, layouts: Sequence[_Layout]) -> dict[str, bytes] | None:
        for layout in layouts:
            if found := layout.pattern.fullmatch(entry):
                return dict(zip(layout.groups, found.groups(b""), strict=True))
        return None

    def _strictly(self, entry: bytes) -> dict[str, bytes] | None:
        """An entry by expat; None where it is damaged, or has an entity that XML does not know."""
        row: dict[str, bytes] = {}
        path: list[bytes] = []
        text: list[str] = []
        encoded = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal encoded
            encoded = attributes.get("Encoded", "").lower() == "true"
            path.append(name.encode().removeprefix(self._prefix))
            text.clear()

        def end(_name: str) -> None:
            local = path.pop()
            value = "".join(text).encode("utf-8", "surrogatepass")
            text.clear()
            group = next((p for p in path if p in self._dialect.pairs), b"")
            if group:
                pair = b"<%s>%s</%s>" % (local, escaped(value), local) if value.strip() else b""
                row[f"={group.decode()}"] = row.get(f"={group.decode()}", b"") + pair
            elif value.strip():
                what = self._dialect.fields.get(local, "" if local in self._dialect.harmless else f"={local.decode()}")
                if what == "key" and encoded:
                    value = unquote_to_bytes(value)
                if what:
                    row.setdefault(what, escaped(value))

        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = text.append
        bound = b" ".join(b'xmlns:%s="x"' % p for p in {self._prefix.rstrip(b":")} if p)
        try:
            parser.Parse(b"<x %s>%s</x>" % (bound, entry), True)
        except expat.ExpatError:
            return None
        return row

    # what comes of both

    def _told(self, columns: dict[str, Sequence[bytes]], role: Role, container: bytes) -> Iterator[Read]:
        count = len(columns.get("key", ()))
        keys = self._keys(columns.get("key", ()))
        if b"" in keys or max(map(len, keys), default=0) > LONGEST_KEY:
            kept = [n for n, key in enumerate(keys) if 0 < len(key) <= LONGEST_KEY]
            self._counts[DAMAGED] += keys.count(b"")
            self._counts[TOO_LONG] += count - len(kept) - keys.count(b"")
            columns = {name: [column[n] for n in kept] for name, column in columns.items()}
            keys, count = [keys[n] for n in kept], len(kept)
        if not count:
            return
        days = self._days(columns.get("day"), count)
        texts = _texts(columns)
        if role == "folder":
            yield Folders(container, keys)
        elif role == "container":
            access = columns.get("access", (b"",) * count)
            for place, key in enumerate(keys):
                said = self._dialect.access.get(access[place].lower(), "")
                yield Container(key, said, days[place], texts.get(place, b""))
        else:
            sizes = self._sizes(columns.get("size"), count)
            etags, versions = _plain(columns.get("etag", ())), _plain(columns.get("version", ()))
            yield Rows(container, keys, sizes, days, etags, versions, texts)

    def _keys(self, raw: Sequence[bytes]) -> list[bytes]:
        keys = [unescaped(key) if b"&" in key else key for key in raw]
        if self._url:
            return [unquote_to_bytes(key.replace(b"+", b" ")) for key in keys]
        return keys

    def _days(self, raw: Sequence[bytes] | None, count: int) -> Sequence[bytes]:
        if raw is None:
            return (b"",) * count
        days = list(map(day_of, raw))
        wrong = days.count(b"") - raw.count(b"")
        if wrong:
            self._counts[NO_DATE] += wrong
        return days

    def _sizes(self, raw: Sequence[bytes] | None, count: int) -> Sequence[int]:
        if raw is None:
            return (-1,) * count
        try:
            return list(map(int, raw)) if max(map(len, raw)) < 19 else self._odd_sizes(raw)
        except ValueError:  # an empty one, say
            return self._odd_sizes(raw)

    def _odd_sizes(self, raw: Sequence[bytes]) -> Sequence[int]:
        sizes = list(map(size_of, raw))
        wrong = sizes.count(-1) - raw.count(b"")
        if wrong:
            self._counts[NO_SIZE] += wrong
        return sizes


_TOKEN = re.compile(rb"(<[^<>]*>)([^<]*)")
_CAPTURES = {
    "key": rb"([^<]+)",
    "size": rb"(\d*)",
    "iso": rb"(\d{4}-\d\d-\d\d)[^<]*",
    "day": rb"([^<]{0,16})[^<]*",
    "=": rb"([^<]*)",
}


def _plain(raw: Sequence[bytes]) -> Sequence[bytes]:
    """Etags and versions, in which only quotation marks are escaped, unless somebody made them up."""
    joined = b"\n".join(raw)
    if b"&" not in joined:
        return raw
    plain = joined.replace(b"&quot;", b'"').replace(b"&#34;", b'"')
    if b"&" in plain or plain.count(b"\n") != len(raw) - 1:
        return [unescaped(one) if b"&" in one else one for one in raw]
    return plain.split(b"\n")


def _texts(columns: Mapping[str, Sequence[bytes]]) -> dict[int, bytes]:
    """What else is said of each entry, `name=value` a line."""
    texts: dict[int, bytes] = {}
    for name, column in columns.items():
        if not name.startswith("="):
            continue
        for place, value in enumerate(column):
            if value and not value.isspace():
                said = b"\n".join(_pairs(name[1:].encode(), value))
                texts[place] = texts[place] + b"\n" + said if place in texts else said
    return texts


def _pairs(name: bytes, value: bytes) -> Iterator[bytes]:
    """The pairs in an element such as `Metadata` (`<name>value</name>`, or `<Tag><Key>…</Key><Value>…</Value></Tag>`);
    of one with a text that, with its own name."""
    if b"<" not in value:
        yield name + b"=" + (unescaped(value) or value)
        return
    key = b""
    for inner, text in _PAIR.findall(value):
        plain = unescaped(text) or text
        if inner == b"Key":
            key = plain
        else:
            yield (key or inner) + b"=" + plain
            key = b""


_PAIR = re.compile(rb"<([^<>/\s]{1,512})>([^<]*)</")


# --- text ------------------------------------------------------------------------------------------------------------

_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_ENTITY = re.compile(rb"&(#x[0-9A-Fa-f]{1,6}|#\d{1,7}|[a-z]{2,4});|&")


def unescaped(text: bytes) -> bytes:
    """A text without its character references; empty where it has an entity that XML does not know.

    Control characters may be referred to, as stores do: a key may have them, though XML 1.0 may not.
    """
    unknown = False

    def character(found: re.Match[bytes]) -> bytes:
        nonlocal unknown
        name = found[1] or b""
        if name.startswith(b"#"):
            code = int(name[2:], 16) if name[1:2] == b"x" else int(name[1:])
            if code < 0x110000:
                return chr(code).encode("utf-8", "surrogatepass")
        unknown = unknown or name not in _ENTITIES
        return _ENTITIES.get(name, b"")

    plain = _ENTITY.sub(character, text)
    return b"" if unknown else plain


def escaped(text: bytes) -> bytes:
    """A text as it stands in XML."""
    return text.replace(b"&", b"&amp;").replace(b"<", b"&lt;")
