"""Listings in XML, read from bytes: entries are found by their tags, and their fields by a pattern that is learned.

The entries of a listing look alike: a pattern made from the first one (its tags as they stand, its texts captured)
reads a million of the same form about as fast as bytes can be searched. An entry of another form goes to a strict
parser of its own (expat, XML 1.0), with nothing around it: no document type and no entity of the listing counts there,
and what is damaged costs that entry alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from ...listed import Container, Folders, Rows
from . import Read
from .fields import LONGEST_KEY, NO_DATE, NO_SIZE, TOO_LONG, day_of, size_of
from .xml_dialect import Dialect, Role, escaped, shadow, unescaped
from .xml_split import Grammar

LAYOUTS = 16
"""Forms of entries that are learned of one chunk."""
TOKENS = 200
"""Tags of an entry from which a pattern is made; one with more is read by the strict parser."""
DEEPEST = 32
"""Elements that may be in each other in an entry; stores have five."""
EVENTS = 16
"""Tags of an entry's own name that are looked at to find its end: users' own names may be alike."""
DAMAGED = "entries that are not well-formed XML, or have no name: they are left out, those around them are not"


@dataclass(frozen=True, slots=True)
class _Layout:
    """A pattern for entries of one form; of each of its groups, the field or (`=name`) the text that it is. `all`
    takes one entry after the other, and in a last group whatever comes then."""

    pattern: re.Pattern[bytes]
    all: re.Pattern[bytes]
    groups: tuple[str, ...]


@dataclass(slots=True)
class _Row:
    """What an entry says: the fields that are known, and the lines of everything else."""

    fields: dict[str, bytes] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)


Columns = dict[str, Sequence[bytes]]
Texts = dict[int, bytes]


class Reader:
    """Reads the entries of a chunk."""

    def __init__(self, dialect: Dialect, rules: Grammar, counts: Counter[str], *, url: bool) -> None:
        self._dialect, self._entries = dialect, dialect.roots[rules.roots[0]]
        self._grammar = rules
        self._counts, self._url = counts, url
        self._learned: dict[bytes, list[_Layout]] = {tag: [] for tag in self._entries}

    def read(self, data: bytes, container: bytes) -> Iterator[Read]:
        """What they tell, in the order of their kinds."""
        seen = shadow(data)
        told: dict[bytes, list[tuple[Columns, Texts]]] = {tag: [] for tag in self._entries}
        at = 0
        tried: set[bytes] = set()
        while (first := self._grammar.opens.search(seen, at)) and first["entry"] not in tried:
            tag = first["entry"]
            tried.add(tag)
            if self._entries[tag] == "deleted":
                break
            at, columns = self._at_once(data, seen, first)
            told[tag].append((columns, _texts(columns)))
        for tag, rows in self._one_by_one(data, seen, at).items():
            names = dict.fromkeys(name for row in rows for name in row.fields)
            texts = {place: b"\n".join(row.lines) for place, row in enumerate(rows) if row.lines}
            told[tag].append(({name: [row.fields.get(name, b"") for row in rows] for name in names}, texts))
        for tag, parts in told.items():
            for columns, texts in parts:
                yield from self._told(columns, texts, self._entries[tag], container)

    # fast: all at once

    def _at_once(self, data: bytes, seen: bytes, first: re.Match[bytes]) -> tuple[int, Columns]:
        """The entries that look like this one, as far as one follows the other, and where they end."""
        close = self._grammar.closes.search(seen, first.end())
        layout = self._layout(data[first.start() : close.end()]) if close else None
        if not layout:
            return first.start(), {}
        self._learned[first["entry"]].append(layout)
        found = layout.all.findall(data, first.start())
        left = len(found[-1][-1])
        if left:
            found.pop()
        if not found:
            return first.start(), {}
        columns = list(zip(*found, strict=True))
        return len(data) - left, dict(zip(layout.groups, columns[:-1], strict=True))

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
            local = name.rpartition(b":")[2]
            at += 1
            if local in self._dialect.pairs:
                while not tag.endswith(b"/>") and at < len(tokens) and tokens[at - 1][0] != b"</%s>" % name:
                    at += 1
                n = re.escape(name)
                parts.append(rb"(?:<%s\s*+/>|<%s>(%s)</%s>)\s*+" % (n, n, self._pairs_in(n), n))
                groups.append(f"={local.decode('utf-8', 'replace')}")
                continue
            parts.append(re.escape(tag))
            leaf = at < len(tokens) and tokens[at][0] == b"</%s>" % name
            if not leaf:
                parts.append(rb"\s*+")
                continue
            what = self._what(local)
            parts.append(
                _CAPTURES["iso" if what == "day" and text[4:5] == b"-" else what if what in _CAPTURES else "="]
            )
            if what:
                groups.append(what)
            else:
                parts[-1] = rb"[^<]*+"
        if groups.count("key") != 1 or len(groups) != len(set(groups)):
            return None
        pattern = b"".join(parts)
        return _Layout(re.compile(pattern), re.compile(pattern + rb"\s*+|(.++)", re.DOTALL), tuple(groups))

    def _pairs_in(self, name: bytes) -> bytes:
        """A pattern for what is in an element of pairs: texts and plain tags, and none that begins or ends an entry."""
        entries = b"|".join(map(re.escape, self._entries))
        return rb"(?:[^<]++|<(?!/%s>|/?(?:[^\s<>/:]{1,64}:)?(?:%s)[\s/>])/?+[^\s<>/!?]{1,512}+(?:\s*+/)?+>)*+" % (
            name,
            entries,
        )

    def _what(self, local: bytes) -> str:
        """The field that an element is, `=name` for a text, empty for what is not looked at."""
        if local in self._dialect.harmless:
            return ""
        return self._dialect.fields.get(local) or "=" + local.decode("utf-8", "replace")

    # slow: each by itself

    def _one_by_one(self, data: bytes, seen: bytes, at: int) -> dict[bytes, list[_Row]]:
        """Each entry by the layouts of those before it, or by the strict parser."""
        layouts = self._learned
        rows: dict[bytes, list[_Row]] = {}
        while first := self._grammar.opens.search(seen, at):
            tag, begin = first["entry"], first.start()
            if self._entries[tag] == "deleted":
                at = first.end()
                continue
            row, at = self._by_layout(data, begin, layouts[tag])
            if row is None:
                end, at = _extent(seen, first, self._grammar.events[tag])
                entry = data[begin:end]
                row = self._strictly(entry) if end else None
                if row:
                    at = end
                    if len(layouts[tag]) < LAYOUTS and (layout := self._layout(entry)):
                        layouts[tag].append(layout)
            if row and row.fields.get("key"):
                rows.setdefault(tag, []).append(row)
            else:
                self._counts[DAMAGED] += 1
        return rows

    @staticmethod
    def _by_layout(data: bytes, at: int, layouts: Sequence[_Layout]) -> tuple[_Row | None, int]:
        for layout in layouts:
            if found := layout.pattern.match(data, at):
                row = _Row()
                for name, value in zip(layout.groups, found.groups(b""), strict=True):
                    if not name.startswith("="):
                        row.fields[name] = value
                    elif value:
                        row.lines += _pairs(name[1:].encode(), value)
                return row, found.end()
        return None, at

    def _strictly(self, entry: bytes) -> _Row | None:
        """An entry by expat; None where it is damaged, or has an entity that XML does not know."""
        row = _Row()
        path: list[bytes] = []
        text: list[str] = []
        encoded = False
        tag: bytes | None = None

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal encoded
            if len(path) > DEEPEST:
                raise _TooDeepError
            encoded = attributes.get("Encoded", "").lower() == "true"
            path.append(name.rpartition(":")[2].encode("utf-8", "surrogatepass"))
            text.clear()

        def end(_name: str) -> None:
            nonlocal tag
            local = path.pop()
            value = "".join(text).encode("utf-8", "surrogatepass")
            text.clear()
            if not self._dialect.pairs.isdisjoint(path):
                if local == b"Key":
                    tag = value
                elif value.strip():
                    row.lines.append((tag or local) + b"=" + value)
                    tag = None
                return
            what = self._what(local)
            if what == "key" and value:
                row.fields.setdefault(what, escaped(unquote_to_bytes(value) if encoded else value))
            elif what.startswith("=") and value.strip():
                row.lines.append(what[1:].encode() + b"=" + value)
            elif what and value.strip():
                row.fields.setdefault(what, escaped(value.strip()))

        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = text.append
        try:
            parser.Parse(entry, True)
        except (expat.ExpatError, _TooDeepError):
            return None
        return row

    # what comes of both

    def _told(self, columns: Columns, texts: Texts, role: Role, container: bytes) -> Iterator[Read]:
        count = len(columns.get("key", ()))
        keys = self._keys(columns.get("key", ()))
        if b"" in keys or max(map(len, keys), default=0) > LONGEST_KEY:
            kept = [n for n, key in enumerate(keys) if 0 < len(key) <= LONGEST_KEY]
            self._counts[DAMAGED] += keys.count(b"")
            self._counts[TOO_LONG] += count - len(kept) - keys.count(b"")
            columns = {name: [column[n] for n in kept] for name, column in columns.items()}
            texts = {place: texts[n] for place, n in enumerate(kept) if n in texts}
            keys, count = [keys[n] for n in kept], len(kept)
        if not count:
            return
        days = self._days(columns.get("day"), count)
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


class _TooDeepError(Exception):
    """Too many elements in each other."""


def _extent(seen: bytes, first: re.Match[bytes], events: re.Pattern[bytes]) -> tuple[int, int]:
    """Where an entry ends (0 where that is not to be found), and where to go on if it is damaged."""
    depth, place, on = 0, first.start(), 0
    for _ in range(EVENTS):
        event = events.search(seen, place)
        if event is None:
            break
        place = event.end()
        if event[1]:
            depth -= 1
        elif not event[0].endswith(b"/>"):
            depth += 1
        if event.start() > first.start():
            on = on or (event.end() if event[1] else event.start())
        if not depth:
            return place, on or place
    return 0, on or first.end()


_TOKEN = re.compile(rb"(<[^<>]*>)([^<]*)")
_CAPTURES = {
    "key": rb"([^<]++)",
    "size": rb"(\d*+)",
    "iso": rb"(\d{4}-\d\d-\d\d)[^<]*+",
    "day": rb"([^<]{0,16}+)[^<]*+",
    "=": rb"([^<]*+)",
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


def _texts(columns: Columns) -> Texts:
    """What else is said of each entry, `name=value` a line."""
    lines: dict[int, list[bytes]] = {}
    for name, column in columns.items():
        if name.startswith("=") and any(column):
            for place, value in enumerate(column):
                if value:
                    lines.setdefault(place, []).extend(_pairs(name[1:].encode(), value))
    return {place: b"\n".join(said) for place, said in lines.items() if said}


def _pairs(name: bytes, value: bytes) -> Iterator[bytes]:
    """The pairs in an element such as `Metadata` (`<name>value</name>`, or `<Tag><Key>…</Key><Value>…</Value></Tag>`);
    of one with a text that, with its own name."""
    if b"<" not in value:
        if not value.isspace():
            yield name + b"=" + (unescaped(value) or value)
        return
    key = b""
    for inner, text in _PAIR.findall(value):
        plain = unescaped(text) or text
        if inner == b"Key":
            key = plain
        elif plain.strip():
            yield (key or inner.rpartition(b":")[2]) + b"=" + plain
            key = b""


_PAIR = re.compile(rb"<([^<>/\s]{1,512})>([^<]*)</")
