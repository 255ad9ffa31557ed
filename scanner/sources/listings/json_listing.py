"""Listings in JSON, of object stores, their tools and web servers: json_shapes.py has them, json_split.py cuts them.

Items are read by Python's own decoder (RFC 8259; control characters in texts are let pass), many at once, or one by one
where one of them is no JSON. Those with the same members in the same order are read together. Names are as the store
would be asked for them: tools have decoded them already. A date is an ISO 8601 or RFC 1123 text, or seconds or
milliseconds since 1970; a size a number, its digits, or (azcopy) a rounded one with its unit.
"""

from __future__ import annotations

import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...listed import Container, Folders
from ...model import NotScanned
from . import Chunk, Read
from .fields import GOES_ON
from .json_shapes import HARMLESS, Role, Shape, shape_of
from .json_split import DAMAGED, DEEPEST, LISTS, items, split
from .table import Columns, not_scanned, rows
from .values import days_of, encoded, in_bytes, sizes_of, texts_of

UNKNOWN = "entries of a form that is not known: left out"
ERRORS = "errors of the tool that made the listing: what it could not list is not here"
_DECODER = json.JSONDecoder(strict=False)

Item = dict[str, Any]


class JsonKind:
    """Listings in JSON, of any of the shapes."""

    name = "json"
    title = "listing in JSON (GCS, az, aws, rclone and others)"

    def recognises(self, head: bytes) -> bool:
        """By its items: one of a known shape, or a page that holds none."""
        if not _BEGINS.match(head):
            return False
        if _EMPTY.match(head):
            return True
        for chunk in self.split([head], b""):
            if isinstance(chunk, Chunk):
                reader = _Reader(b"", chunk.state[0], Counter())
                if any(reader.knows(item) for item in _decoded(chunk.data, Counter())):
                    return True
        return False

    def split(self, stream: Iterable[bytes], container: bytes) -> Iterator[Chunk | NotScanned]:
        """Chunks of items; a container that a page names before them is theirs."""
        return split(stream, container, self.name)

    def read(self, chunk: Chunk) -> Iterator[Read]:
        """Its items, in the order of the listing: objects, then folders, then containers."""
        reader = _Reader(chunk.container, chunk.state[0], Counter())
        reader.add(_decoded(chunk.data, reader.counts))
        yield from reader.told()


_BEGINS = re.compile(rb"[\s\xef\xbb\xbf\x1e]*+[{\[]")
_EMPTY = re.compile(
    rb"[\s\xef\xbb\xbf]*+(?:\[\s*+\]\s*+\Z|\{\s*+\"(?:RequestCharged\"|kind\"\s*+:\s*+\"storage#(?:objects|buckets)\"))"
)


def _decoded(data: bytes, counts: Counter[str]) -> list[Any]:
    """Items: all at once, or one by one, so that one that is damaged costs itself alone."""
    there: list[Any]
    try:
        there = _DECODER.decode(f"[{data.decode('utf-8', 'surrogateescape')}]")
        return there
    except (ValueError, RecursionError):
        pass
    there = []
    for item in items(data):
        try:
            there.append(_DECODER.decode(item.decode("utf-8", "surrogateescape")))
        except (ValueError, RecursionError):
            counts[DAMAGED] += 1
    return there


@dataclass(frozen=True, slots=True)
class _Layout:
    """How items with the same members are read: `get` gives the values of the members in `names`, which are named by
    what they say; some of them are members of the one called `within`."""

    shape: Shape
    get: Callable[[Item], tuple[Any, ...]]
    names: Mapping[str, str]
    within: str = ""


class _Reader:
    """Reads the items of a chunk, those with the same members together."""

    def __init__(self, container: bytes, held_in: bytes, counts: Counter[str]) -> None:
        self._container, self._list = container, held_in
        self.counts = counts
        self._columns = Columns()
        self._places: list[int] = []
        self._place = 0
        self._folders: dict[bytes, list[bytes]] = {}
        self._containers: list[Container] = []
        self._layouts: dict[tuple[bytes, tuple[str, ...], tuple[str, ...] | None], _Layout | None] = {}

    def knows(self, item: Any) -> bool:
        """Whether it is of a shape that is known, and names something."""
        if not isinstance(item, dict):
            return isinstance(item, str) and self._list == b"prefixes"
        if lists := _lists(item):
            return any(
                _Reader(b"", name.encode(), self.counts).knows(held) for name in lists for held in item[name][:9]
            )
        shape = shape_of(tuple(item), self._list)
        if shape is None or (shape.name == "gcs" and not str(item.get("kind", "storage#")).startswith("storage#")):
            return False
        return shape.role in ("object", "folder", "container") or shape.name == "azcopy-line"

    def add(self, there: Sequence[Any]) -> None:
        """Reads items."""
        groups: dict[tuple[str, ...], list[tuple[int, Item]]] = {}
        for place, item in enumerate(there, self._place):
            if type(item) is dict:
                groups.setdefault(tuple(item), []).append((place, item))
            elif type(item) is str and self._list == b"prefixes":
                self._folder([in_bytes(item)], [self._container])
            else:
                self.counts[UNKNOWN] += 1
        self._place += len(there)
        for names, group in groups.items():
            self._alike(names, [item for _, item in group], [place for place, _ in group])

    def told(self) -> Iterator[Read]:
        """What was read."""
        yield from rows(self._columns.ordered(self._places), self.counts)
        for container, prefixes in self._folders.items():
            yield Folders(container, prefixes)
        yield from self._containers
        yield from not_scanned(self._container, self.counts)

    def _alike(self, names: tuple[str, ...], alike: list[Item], places: list[int]) -> None:
        """Reads items that have the same members."""
        if lists := _lists(alike[0]):
            self._pages(lists, alike)
            return
        layout = self._layout(names)
        if layout is None:
            self.counts[UNKNOWN] += len(alike)
        elif layout.shape.name == "azcopy-line":
            self.add(list(_azcopy(alike, self.counts)))
        elif within := layout.within:
            groups: dict[tuple[str, ...], list[int]] = {}
            for n, item in enumerate(alike):
                inner = item[within]
                groups.setdefault(tuple(inner) if type(inner) is dict else (), []).append(n)
            for inner_names, group in groups.items():
                whole = self._layout(names, inner_names)
                if whole:
                    self._read(whole, [alike[n] for n in group], [places[n] for n in group])
        else:
            self._read(layout, alike, places)

    def _pages(self, lists: Sequence[str], pages: Sequence[Item]) -> None:
        """Pages among the items, as they come where their beginning is damaged."""
        outside = self._container, self._list
        for page in pages:
            for name in lists:
                held = page[name]
                if isinstance(held, list):
                    said = page.get("Name")
                    self._container = in_bytes(said) if isinstance(said, str) else outside[0]
                    self._list = name.encode()
                    self.add(held)
        self._container, self._list = outside

    def _layout(self, names: tuple[str, ...], inner: tuple[str, ...] | None = None) -> _Layout | None:
        known = (self._list, names, inner)
        if known not in self._layouts:
            shape = shape_of(names, self._list)
            self._layouts[known] = _layout(shape, names, inner or ()) if shape else None
        return self._layouts[known]

    def _read(self, layout: _Layout, alike: list[Item], places: list[int]) -> None:
        columns = dict(zip(layout.names, zip(*map(layout.get, alike), strict=True), strict=True))
        roles = _roles(layout.shape, columns, len(alike))
        if roles is None:
            self._told(layout.shape.role, layout, columns, alike, places)
            return
        for role in dict.fromkeys(roles):
            picked = [n for n, other in enumerate(roles) if other == role]
            some = {what: [column[n] for n in picked] for what, column in columns.items()}
            self._told(role, layout, some, [alike[n] for n in picked], [places[n] for n in picked])

    def _told(
        self, role: Role, layout: _Layout, columns: Mapping[str, Sequence[Any]], alike: list[Item], places: list[int]
    ) -> None:
        count = len(alike)
        if role in _COUNTED:
            self.counts[_COUNTED[role]] += count
        if role not in ("object", "folder", "container"):
            return
        keys = encoded(columns["key"])
        containers = encoded(columns["container"]) if "container" in columns else [self._container] * count
        if layout.shape.name == "gcloud":
            keys, containers = _by_url(layout.names, alike, keys, containers, role)
        if role == "folder":
            self._folder(keys, containers)
            return
        days = days_of(columns["day"], self.counts) if "day" in columns else [b""] * count
        texts = texts_of(columns)
        if role == "container":
            self._containers.extend(
                Container(key, _access(item, item.get(layout.within)), day, texts.get(place, b""))
                for place, (key, item, day) in enumerate(zip(keys, alike, days, strict=True))
                if key
            )
            return
        table = self._columns
        table.texts.update({place + len(table.keys): text for place, text in texts.items()} if table.keys else texts)
        table.keys += keys
        table.containers += containers
        table.sizes += sizes_of(columns["size"], self.counts) if "size" in columns else [-1] * count
        table.days += days
        table.etags += encoded(columns["etag"]) if "etag" in columns else [b""] * count
        table.versions += encoded(columns["version"]) if "version" in columns else [b""] * count
        self._places += places

    def _folder(self, prefixes: Iterable[bytes], containers: Iterable[bytes]) -> None:
        for prefix, container in zip(prefixes, containers, strict=True):
            if prefix:
                whole = prefix if prefix.endswith(b"/") else prefix + b"/"
                self._folders.setdefault(container or self._container, []).append(whole)


# --- layouts ---------------------------------------------------------------------------------------------------------


_COUNTED: dict[Role, str] = {"error": ERRORS, "more": GOES_ON}


def _roles(shape: Shape, columns: Mapping[str, Sequence[Any]], count: int) -> list[Role] | None:
    """The role of each item; None where all have their shape's."""
    roles: list[Role] = [shape.role] * count
    if shape.name == "az" and "size" not in columns:  # prefixes, listed with a delimiter
        roles = ["folder" if str(key).endswith("/") else "object" for key in columns["key"]]
    for name, by_value in shape.roles.items():
        for n, value in enumerate(columns.get(f"?{name}", ())):
            if isinstance(value, (str, bool)) and value in by_value:
                roles[n] = by_value[value]
    return roles if roles.count(shape.role) < count else None


def _layout(shape: Shape, names: Sequence[str], inner: Sequence[str]) -> _Layout | None:
    """How items of a shape with these members are read; None where none of them is the key."""
    chosen: dict[str, str] = {}
    outside = frozenset(names)  # an item may have a hundred thousand members
    within = shape.within if shape.within in outside else ""
    all_names = dict.fromkeys(
        (*(n for n in names if n != within), *(n for n in inner if n not in outside or n == within))
    )
    fields = (("key", shape.key), ("size", shape.size), ("day", shape.day), ("etag", shape.etag))
    for what, among in (*fields, ("version", shape.version), ("container", shape.container)):
        if name := next((n for n in among if n in all_names), None):
            chosen[what] = name
    if "key" not in chosen:
        return None if shape.role in ("object", "folder", "container") else _Layout(shape, lambda _: ("",), {"key": ""})
    chosen.update({f"?{name}": name for name in shape.roles if name in all_names})
    used = set(chosen.values())
    chosen.update({f"={n}": n for n in all_names if n not in used and n not in HARMLESS})
    outer = {what: name for what, name in chosen.items() if name in outside and name != within}
    held = {what: name for what, name in chosen.items() if what not in outer}
    get, get_held = _getter(tuple(outer.values())), _getter(tuple(held.values()))
    if not held:
        return _Layout(shape, get, outer, within)
    return _Layout(shape, lambda item: get(item) + get_held(item[within]), outer | held, within)


def _getter(names: tuple[str, ...]) -> Callable[[Item], tuple[Any, ...]]:
    if len(names) > 1:
        return operator.itemgetter(*names)
    return (lambda item: (item[names[0]],)) if names else lambda _: ()


def _lists(item: Item) -> list[str]:
    return [name for name in item if name.encode("utf-8", "replace") in LISTS and isinstance(item[name], list)]


# --- single tools ----------------------------------------------------------------------------------------------------

_ACCESS = {"container": "list", "blob": "read", "off": "none", "none": "none"}


def _access(item: Item, inner: Any) -> str:
    """What anybody may do in a container, as Azure and GCS tell it."""
    said = {**inner, **item} if isinstance(inner, dict) else item
    if "publicAccess" in said:
        return _ACCESS.get(str(said["publicAccess"]).lower(), "")
    settings = said.get("iamConfiguration")
    prevention = settings.get("publicAccessPrevention") if isinstance(settings, dict) else None
    if "enforced" in (prevention, said.get("public_access_prevention")):
        return "none"
    grants = said.get("acl")
    for grant in grants if isinstance(grants, list) else ():
        if isinstance(grant, dict) and grant.get("entity") == "allUsers":
            return "list"
    return ""


_URL = re.compile(rb"[a-z0-9]+://([^/]*)/?(.*?)(?:#\d+)?", re.DOTALL)


def _by_url(
    names: Mapping[str, str], alike: Sequence[Item], keys: list[bytes], containers: list[bytes], role: Role
) -> tuple[list[bytes], list[bytes]]:
    """Keys and containers from the URLs of items, where they are not told otherwise."""
    urls = [_URL.fullmatch(url) for url in encoded([item["url"] for item in alike])]
    if role == "container":
        return [found[1] if found else key for found, key in zip(urls, keys, strict=True)], containers
    if names["key"] == "url":
        keys = [found[2] if found else key for found, key in zip(urls, keys, strict=True)]
    if "container" not in names:
        containers = [found[1] if found else c for found, c in zip(urls, containers, strict=True)]
    return keys, containers


_INFO = re.compile(r"(?:INFO: )?(.*?);\s.*?Content Length: (.*)", re.DOTALL)


def _azcopy(lines: Sequence[Item], counts: Counter[str]) -> Iterator[Any]:
    """The items in azcopy's lines, each a text in JSON; before version 10.25, a sentence."""
    for line in lines:
        kind, content = line["MessageType"], line["MessageContent"]
        if kind == "Error":
            counts[ERRORS] += 1
        elif not isinstance(content, str):
            counts[DAMAGED] += 1
        elif kind == "ListObject":
            try:
                item = _DECODER.decode(content)
            except (ValueError, RecursionError):
                counts[DAMAGED] += 1
                continue
            if content.count("{") + content.count("[") > DEEPEST:  # nobody has looked how deep it is nested
                counts[DAMAGED] += 1
            else:
                yield item
        elif kind == "Info" and (said := _INFO.fullmatch(content)):
            yield {"Path": said[1], "ContentLength": said[2]}
