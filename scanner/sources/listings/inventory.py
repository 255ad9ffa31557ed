"""Inventories in CSV (RFC 4180): those of S3, Azure and GCS, and any table of objects with a header in plain words.

A record ends with its line, unless the line's end stands in quotes. A record may have `LONGEST` bytes. One that is
damaged (text behind a closing quote, a quote that is never closed, a column too many or too few) is left out and
counted, and reading goes on with the next line. Keys of S3 are URL-encoded, with `+` for a space; others are as they
stand. GCS lets the separator be chosen: comma, semicolon, tab or bar. A header that comes again (files one after
another) is passed over. gzip has to be undone before.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from ...listed import Container
from ...model import NotScanned
from . import CHUNK, LONGEST, Chunk, Read
from .csv_columns import Roles, is_azure, is_gcs, is_s3, is_table, roles_of, s3_roles, s3_schema
from .fields import CUT_OFF, TOO_LONG, blocks
from .table import Columns, not_scanned, rows
from .values import LONGEST_NAME, days_of, encoded, sizes_of

DAMAGED = "entries that are not well-formed CSV, or have no name: they are left out, those around them are not"
SEPARATORS = b",;\t|"
SAMPLE = 200
"""Records by whose looks columns without names are known."""

_BOM = b"\xef\xbb\xbf"


class CsvKind:
    """A table in CSV. `schema` are the names of its columns where it has no header, as S3's manifest tells them."""

    def __init__(self, name: str, title: str, schema: str = "") -> None:
        self._name, self._title, self._schema = name, title, schema

    @property
    def name(self) -> str:
        """As `--kind` takes it."""
        return self._name

    @property
    def title(self) -> str:
        """For people."""
        return self._title

    def recognises(self, head: bytes) -> bool:
        """By the names of its columns, or (S3) by its first records."""
        separator, sample = _sample(head)
        if not sample:
            return False
        if self._name == "s3-inventory":
            return separator == b"," and head.startswith(b'"') and is_s3(sample) and not is_table(sample[0])
        return _RECOGNISED[self._name](sample[0])

    def split(self, stream: Iterable[bytes], container: bytes) -> Iterator[Chunk | NotScanned]:
        """Chunks of whole records, which say what their columns are."""
        yield from _Splitter(self, container, self._schema).split(stream)

    def read(self, chunk: Chunk) -> Iterator[Read]:
        """Its records."""
        counts: Counter[str] = Counter()
        separator, *roles = chunk.state
        records = _records(chunk.data, separator, len(roles), counts)
        columns = list(zip(*records, strict=True))
        yield from told(columns, tuple(roles), chunk.container, counts, url=self._name == "s3-inventory")
        yield from not_scanned(chunk.container, counts)


_RECOGNISED = {"azure-inventory": is_azure, "gcs-inventory": is_gcs, "csv": is_table}

S3 = CsvKind("s3-inventory", "S3 Inventory, CSV")
AZURE = CsvKind("azure-inventory", "Azure blob inventory, CSV")
GCS = CsvKind("gcs-inventory", "GCS Storage Insights inventory, CSV")
TABLE = CsvKind("csv", "CSV with a header that names key and size or date")
KINDS = (S3, AZURE, GCS, TABLE)
"""Particular ones first."""


def s3_inventory(manifest: bytes) -> CsvKind | None:
    """The kind of the CSV files that a manifest.json of S3 Inventory names; None where it is no manifest of such."""
    try:
        said = json.loads(manifest)
    except (ValueError, RecursionError):
        return None
    schema = said.get("fileSchema") if isinstance(said, dict) else None
    if not isinstance(schema, str) or said.get("fileFormat") != "CSV":
        return None
    return CsvKind(S3.name, S3.title, schema)


# --- splitting -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Grammar:
    """Patterns for a whole record with its line's end, for one that may go on, and for a field with what ends it."""

    record: re.Pattern[bytes]
    open: re.Pattern[bytes]
    field: re.Pattern[bytes]


def _grammar(separator: bytes) -> _Grammar:
    by = re.escape(separator)
    value = rb'(?:"(?:[^"]++|"")*+"|[^\n"' + by + rb"][^\n" + by + rb"]*+)?"
    values = value + rb"(?:" + by + value + rb")*+"
    return _Grammar(
        re.compile(values + rb"\r?\n"),
        re.compile(values + rb'(?:\r?|"(?:[^"]++|"")*+)\Z'),
        re.compile(rb'(?:"((?:[^"]++|"")*+)"|([^\n' + by + rb"]*?))(?:" + by + rb"|\r?\n)"),
    )


_GRAMMARS = {bytes([separator]): _grammar(bytes([separator])) for separator in SEPARATORS}


def _sample(head: bytes) -> tuple[bytes, list[list[str]]]:
    """The separator, and the first records that are whole: all of them, if the head is the whole table."""
    head = head.removeprefix(_BOM)
    first, _, _ = head.partition(b"\n")
    separator = max((bytes([s]) for s in SEPARATORS), key=first.count)
    there: list[list[str]] = []
    at = 0
    data = head if head.endswith(b"\n") else head + b"\n"
    while len(there) < SAMPLE and at < len(data) and (record := _GRAMMARS[separator].record.match(data, at)):
        at = record.end()
        there += _parsed(record[0], separator)
    if at == len(data) and data is not head and len(there) > 1:
        there.pop()  # it may go on behind the head
    return separator, there


class _Splitter:
    """Cuts a table at the ends of records."""

    def __init__(self, kind: CsvKind, container: bytes, schema: str) -> None:
        self._kind, self._container, self._schema = kind, container, schema
        self._header = b""
        self._state: tuple[bytes, ...] = ()
        self._grammar = _GRAMMARS[b","]
        self._damaged = self._long = 0
        self._lost = False

    def split(self, stream: Iterable[bytes]) -> Iterator[Chunk | NotScanned]:
        """All of it, and how it ends."""
        rest = b""
        for block in blocks(stream):
            for start in range(0, len(block), CHUNK):
                data = rest + block[start : start + CHUNK]
                data = data if self._state else self._begin(data)
                chunk, rest = self._cut(data)
                yield from chunk
        chunk, rest = self._cut(rest + b"\n" if rest else rest, last=True)
        yield from chunk
        what = self._container or b"the listing"
        if self._damaged:
            yield NotScanned(what, DAMAGED, count=self._damaged)
        if self._long:
            yield NotScanned(what, TOO_LONG, count=self._long)
        if rest:
            yield NotScanned(b"the end of the listing", CUT_OFF)

    def _begin(self, data: bytes) -> bytes:
        """What the columns are; the header is taken off."""
        data = data.removeprefix(_BOM)
        separator, sample = _sample(data)
        self._grammar = _GRAMMARS[separator]
        if self._kind.name == "s3-inventory":
            roles = s3_schema(self._schema) if self._schema else ()
            if sample and len(roles) != len(sample[0]):
                alike = [row for row in sample if len(row) == len(sample[0])]
                roles = s3_roles(alike) if len(sample[0]) > 1 else (b"container", b"key")
            self._state = (separator, *(roles or (b"container", b"key")))
            return data
        self._state = (separator, *(roles_of(sample[0]) if sample else (b"key",)))
        header = self._grammar.record.match(data)
        self._header = header[0] if header else b""
        return data

    def _cut(self, data: bytes, *, last: bool = False) -> tuple[list[Chunk], bytes]:
        """The whole records of it, and the rest."""
        parts: list[bytes] = []
        at = start = 0
        match, header = self._grammar.record.match, self._header
        while at < len(data):
            if self._lost:
                end = data.find(b"\n", at) + 1
                at = start = end or len(data)
                self._lost = not end
                continue
            record = match(data, at, at + LONGEST)
            if record and record[0] != header:
                at = record.end()
                continue
            parts.append(data[start:at])
            start = at
            if record:
                at = start = record.end()
                continue
            limit = min(len(data), at + LONGEST)
            opened = self._grammar.open.match(data, at, limit)
            line = data.find(b"\n", at, limit - 1) >= 0
            if opened and limit < at + LONGEST and (not last or not line):
                break
            self._damaged += line or limit < at + LONGEST
            self._long += not line and limit == at + LONGEST
            self._lost = True
        parts.append(data[start:at])
        return self._chunk(parts), data[at:]

    def _chunk(self, parts: Sequence[bytes]) -> list[Chunk]:
        data = b"".join(parts)
        return [Chunk(self._kind.name, self._container, data, self._state)] if data else []


# --- reading ---------------------------------------------------------------------------------------------------------


def _parsed(data: bytes, separator: bytes) -> list[list[str]]:
    """The records in whole lines: by Python's reader, or by the grammar where there is what that takes otherwise (a
    carriage return that ends no line) or refuses (a long field)."""
    try:
        if not _CARRIAGE_RETURN.search(data):
            text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="\n")
            return list(csv.reader(text, delimiter=separator.decode()))
    except csv.Error:
        pass
    field = _GRAMMARS[separator].field
    return [
        [
            (quoted.replace(b'""', b'"') or plain).decode("utf-8", "surrogateescape")
            for quoted, plain in field.findall(record[0])
        ]
        for record in _GRAMMARS[separator].record.finditer(data)
    ]


_CARRIAGE_RETURN = re.compile(rb"\r(?!\n)")


def _records(data: bytes, separator: bytes, columns: int, counts: Counter[str]) -> list[list[str]]:
    """The records of a chunk that have as many columns."""
    there = _parsed(data, separator)
    whole = [row for row in there if len(row) == columns]
    if len(whole) < len(there) and (damaged := sum(len(row) != columns and row not in ([], [""]) for row in there)):
        counts[DAMAGED] += damaged
    return whole


def told(
    columns: Sequence[Sequence[Any]], roles: Roles, container: bytes, counts: Counter[str], *, url: bool
) -> Iterator[Read]:
    """What columns with these roles say; `url` where keys are URL-encoded."""
    for marker in [columns[n] for n, role in enumerate(roles) if role == b"marker"]:
        if any(str(value).lower() == "true" for value in marker):
            kept = [n for n, value in enumerate(marker) if str(value).lower() != "true"]
            rest = [[column[n] for n in kept] for column in columns]
            yield from told(rest, roles, container, counts, url=url)
            return
    count = len(columns[0]) if columns else 0
    if not count:
        return
    by = {role: columns[n] for n, role in enumerate(roles) if role and not role.startswith(b"=")}
    keys = encoded(by.get(b"key") or by.get(b"path") or by.get(b"bucket") or [""] * count)
    containers = encoded(by[b"container"]) if b"container" in by else [container] * count
    if url:
        keys = [unquote_to_bytes(k.replace(b"+", b" ")) if b"%" in k or b"+" in k else k for k in keys]
    if b"path" in by:
        parts = [key.partition(b"/") for key in keys]
        containers = [before if slash else container for before, slash, _ in parts]
        keys = [after if slash else before for before, slash, after in parts]
    days = days_of(by[b"day"], counts) if b"day" in by else [b""] * count
    texts = _texts(columns, roles)
    if b"bucket" in by:
        levels = by.get(b"access", ["untold"] * count)
        for place, (key, level) in enumerate(zip(keys, levels, strict=True)):
            yield Container(key, _ACCESS.get(str(level).lower(), ""), days[place], texts.get(place, b""))
        return
    sizes = sizes_of(by[b"size"], counts) if b"size" in by else [-1] * count
    etags = encoded(by[b"etag"]) if b"etag" in by else [b""] * count
    versions = encoded(by[b"version"]) if b"version" in by else [b""] * count
    yield from rows(Columns(containers, keys, sizes, days, etags, versions, texts), counts)


_ACCESS = {"container": "list", "blob": "read", "none": "none", "": "none"}


def _texts(columns: Sequence[Sequence[Any]], roles: Roles) -> dict[int, bytes]:
    """What else is said of each record, `name=value` a line."""
    texts: dict[int, list[bytes]] = {}
    for role, column in zip(roles, columns, strict=True):
        if role.startswith(b"=") and any(column):
            name = role[1:]
            for place, value in enumerate(encoded(column)):
                if value:
                    texts.setdefault(place, []).append(name + b"=" + value)
                    name = name[-LONGEST_NAME:]
    return {place: b"\n".join(there) for place, there in texts.items()}
