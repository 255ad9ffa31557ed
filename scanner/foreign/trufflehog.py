"""trufflehog: what it reported, as JSON lines, and files of path patterns for `--exclude-paths`.

A line of a report has the value (`Raw`, `RawV2`, `SecretParts`), whether it was live (`Verified`), and
where it stands, under the name of the source (`SourceMetadata.Data.Git`). A file of patterns has a regular expression a
line. Source: https://github.com/trufflesecurity/trufflehog#readme
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..model import Secret
from .entries import NOT_SO, REAL, Entry, Known, Unmapped, from_json, line_of, shown, text_of
from .paths import excluded

SHORTEST = 6
"""Bytes of a part of a value that tells something."""


def report(name: str, content: bytes) -> Iterator[Entry]:
    """The secrets of a report, but those that were live."""
    if content.lstrip().startswith(b"["):
        listed = list(enumerate(from_json(name, content), 1))
    else:
        lines = ((n, line) for n, line in enumerate(content.splitlines(), 1) if line.strip())
        listed = [(number, from_json(f"{name}: line {number}", line)) for number, line in lines]
    for number, one in listed:
        yield _found(name, number, one if isinstance(one, dict) else {})


def _found(name: str, number: int, one: Mapping[str, Any]) -> Entry:
    values = _values(one)
    if not values:
        return Unmapped(f"line {number}", NOT_SO)
    detector, place = text_of(one, "DetectorName"), _place(one)
    path, line = text_of(place, "file"), line_of(place, "line")
    says = f"{detector} at {path or 'no file'}:{line}"
    if one.get("Verified") is True:
        return Unmapped(says, f"verified as live: {REAL}")
    return Known(
        says,
        f"imported from {name}: detector {shown(detector)}",
        path=path.encode("utf-8", "surrogatepass"),
        line=line,
        commit=text_of(place, "commit").lower(),
        rule=detector,
        values=values,
    )


def _values(one: Mapping[str, Any]) -> tuple[Secret, ...]:
    parts = one.get("SecretParts")
    texts = [text_of(one, "Raw"), text_of(one, "RawV2"), *(parts.values() if isinstance(parts, dict) else ())]
    encoded = (text.encode("utf-8", "surrogatepass") for text in texts if isinstance(text, str))
    return tuple(dict.fromkeys(Secret(value) for value in encoded if len(value) >= SHORTEST))


def _place(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the source says of the place: the one table below `Data`, whatever the source is called."""
    below: Any = one
    for key in ("SourceMetadata", "Data"):
        below = below.get(key) if isinstance(below, dict) else None
    sources = list(below.values()) if isinstance(below, dict) else []
    return sources[0] if len(sources) == 1 and isinstance(sources[0], dict) else {}


def exclude_paths(name: str, content: bytes) -> Iterator[Entry]:
    """A file of patterns."""
    for line in dict.fromkeys(content.decode("utf-8", "replace").splitlines()):
        if line.strip() and not line.lstrip().startswith("#"):
            yield from excluded(line, line, f"imported from {name}: paths left out")
