"""What the XML of a store looks like, and the texts of XML 1.0 (https://www.w3.org/TR/xml/): references, sections.

Tags are looked for in a shadow of the text, in which comments, sections of character data, instructions and the
document type are blank: what stands in them is no tag. A prefix before a name may be any (Namespaces in XML 1.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["object", "folder", "container", "deleted"]
"""What an entry tells of: an object, a folder that is not entered, a container, something deleted (left out)."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a store's XML looks like: by the root element's name, the entries that stand in it. All root elements have
    `sign` in their names.

    `fields` says which element of an entry is what (`key`, `size`, `day`, `etag`, `version`, `access`); the texts of
    `harmless` elements hold no credential, those of others are searched. In `pairs` stand users' own names and values.
    `named_by` finds the container's name in what stands before the first entry, `goes_on` what says that there is
    another page; `access` translates what is said of who may read a container. `named_behind` says that both the name
    and the encoding may stand behind the entries.
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
    named_behind: bool = False


PREFIX = rb"(?:[^\s<>/:!?]{1,64}:)?"
"""Of a tag's name, in a pattern."""
LONGEST_PREFIX = 67
"""Bytes from the beginning of a tag to its name, at most."""
ATTRIBUTES = rb"""(?:\s(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)?+"""
"""Of a tag, and the `/` of an empty one."""

_SECTION = re.compile(
    rb"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)|<!DOCTYPE[^\[<>]*+(?:\[.*?(?:\]\s*>|\Z)|>)",
    re.DOTALL,
)
_ENDS = {b"<!--": b"-->", b"<![C": b"]]>", b"<!DO": b"]>"}


def shadow(data: bytes, within: bytes = b"") -> bytes:
    """A text of the same length without what is no tag; `within` is what ends the section that it begins in."""
    if within:
        end = data.find(within)
        end = end + len(within) if end >= 0 else len(data)
        return b" " * end + shadow(data[end:])
    if (b"!" in data and b"<!" in data) or (b"?" in data and b"<?" in data):
        return _SECTION.sub(lambda section: b" " * len(section[0]), data)
    return data


def ends_within(data: bytes, within: bytes, cut: int) -> bytes:
    """What ends the section that a text is in at a place, empty if in none."""
    at = 0
    if within:
        at = data.find(within)
        if not 0 <= at < cut:
            return within
        at += len(within)
    if b"<!" in data or b"<?" in data:
        for section in _SECTION.finditer(data, at):
            if section.start() < cut < section.end():
                return _ENDS.get(section[0][:4], b"?>")
    return b""


def declares(data: bytes) -> bool:
    """Whether there is a document type in it."""
    return b"<!DOCTYPE" in data and any(found[0].startswith(b"<!DO") for found in _SECTION.finditer(data))


def content(raw: bytes) -> bytes:
    """The text of an element that has no elements in it, with all its sections."""
    parts: list[bytes] = []
    at = 0
    for section in _SECTION.finditer(raw):
        parts.append(unescaped(raw[at : section.start()]))
        if section[0].startswith(b"<![C"):
            parts.append(section[0][9:].removesuffix(b"]]>"))
        at = section.end()
    return b"".join((*parts, unescaped(raw[at:])))


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
