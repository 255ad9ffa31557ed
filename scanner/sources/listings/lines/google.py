"""What clients of Google Cloud Storage print: `gsutil ls`, `gcloud storage ls`, short (`-l`) and long (`-L`).

Sources: https://cloud.google.com/storage/docs/gsutil/commands/ls, https://cloud.google.com/sdk/gcloud/reference/storage/ls.
In the long form a line with the URL is followed by indented lines `Name: value`; users' own metadata stand in deeper
ones below `Metadata:` or `Additional Properties:`, and are searched.
"""

from __future__ import annotations

import re

from . import LineKind, State, form
from .found import Found

_URL = rb"gs://(?P<container>[^/\n]{1,255})/"
_OBJECT = _URL + rb"(?P<key>.{0,4096}[^/:\n])"

_FORMS = (
    form(
        "object",
        rb" *(?P<size>\d[\d.,]{0,20}(?: [KMGTPE]?i?B)?) {1,20}(?P<day>\d{4}-\d\d-\d\d)T[\d:]{4,8}Z? {1,20}"
        + _URL
        + rb"(?P<key>.{1,4096}?)(?:#(?P<version>\d{16}))?(?: {2}metageneration=\d+)?(?: {2}etag=\S+)?",
    ),
    form("nothing", rb"TOTAL: \d+ objects?, .{1,60}"),
    form("nothing", rb"gs://[^\n]+/:"),  # the heading of a folder that is entered
    form("folder", rb" *" + _URL + rb"(?P<key>.{1,4096})/"),
    form("container", rb"gs://(?P<key>[^/\n]{1,255})/"),
    form("object", _OBJECT + rb"#(?P<version>\d{16})"),
    form("object", _OBJECT),
)
_ENTRY = re.compile(rb"^gs://([^/\n]{1,255})/(.*):\n", re.MULTILINE)
_FIELD = re.compile(rb"^( +)([^:\n]{1,200}?): *(.*)$", re.MULTILINE)
_LONG = re.compile(rb"^gs://[^\n]+:\n {2,8}[A-Z][A-Za-z ()0-9-]{2,40}:", re.MULTILINE)
_SIZES = frozenset({b"content-length", b"size"})
_DAYS = frozenset({b"update time", b"creation time"})
_OWN = frozenset({b"metadata", b"additional properties"})


class _GsutilLs(LineKind):
    """Entries of the long form are kept together when a listing is cut."""

    def begin(self, data: bytes) -> State:
        """Whether it is the long form."""
        return (b"long",) if _LONG.search(data[: 1 << 20]) else ()

    def border(self, data: bytes, last: int) -> int:
        """Before the last URL; anywhere between lines of the short form."""
        return max(data.rfind(b"\ngs://", 0, last) + 1, 0) if _LONG.search(data) else last

    def take(self, data: bytes, state: State, found: Found) -> None:
        """By forms, or entry by entry."""
        if state or _LONG.search(data):
            self._long(data, found)
        else:
            self.by_forms(data, _FORMS, found)

    def _long(self, data: bytes, found: Found) -> None:
        begins = list(_ENTRY.finditer(data))
        self.by_forms(data[: begins[0].start()] if begins else data, _FORMS, found)
        for place, entry in enumerate(begins):
            end = begins[place + 1].start() if place + 1 < len(begins) else len(data)
            size, day, said, deep = b"", b"", [], 0
            for indent, name, value in _FIELD.findall(data, entry.end(), end):
                lower = name.strip().lower()
                if deep and len(indent) <= deep:
                    deep = 0
                if deep:
                    said.append(name.strip() + b"=" + value)
                elif lower in _OWN and not value:
                    deep = len(indent)
                elif lower in _SIZES:
                    size = value
                elif lower in _DAYS:
                    day = value
            if entry[2] and not entry[2].endswith(b"/"):
                texts = {0: b"\n".join(said)} if said else None
                key, hashed, version = entry[2].rpartition(b"#")
                if not (hashed and version.isdigit() and len(version) == 16):
                    key, version = entry[2], b""
                found.add([key], [size], [day], [version] if version else (), container=entry[1], texts=texts)
            elif entry[2]:
                found.add_folders([entry[2]], container=entry[1])
            elif size or day or said or end > entry.end():
                found.add_containers([entry[1]], [day])


GSUTIL_LS = _GsutilLs("gsutil-ls", "output of gsutil ls or gcloud storage ls", _FORMS)
