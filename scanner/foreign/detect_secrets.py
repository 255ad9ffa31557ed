"""detect-secrets: `.secrets.baseline`, what it found in each file, and what somebody said of it.

Looked at: 1.5.0. JSON: `results` has by file the SHA-1 of each value as its plugin cuts it out, the line, and what an
audit said (`is_secret`). `filters_used` (before 1.0: `exclude`) says what is left out. Source:
https://github.com/Yelp/detect-secrets/tree/master/docs
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..errors import ForeignError
from .entries import BY_VALUE, NOT_SO, REAL, Entry, Known, Unmapped, from_json, line_of, records, shown, text_of
from .entries import texts_of as texts
from .paths import excluded

_BUILT_IN = "detect_secrets.filters."


def baseline(name: str, content: bytes) -> Iterator[Entry]:
    """What a baseline holds, but what was found to be real."""
    document = from_json(name, content)
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(results, dict):
        raise ForeignError(f"{name}: is not a baseline of detect-secrets: that has `results` by file")
    for path, found in results.items():
        for number, one in enumerate(found if isinstance(found, list) else [found], 1):
            yield _result(name, path, number, one if isinstance(one, dict) else {})
    yield from _filters(name, document)


def _result(name: str, path: str, number: int, one: dict[str, Any]) -> Entry:
    kind, line, digest = text_of(one, "type"), line_of(one, "line_number"), text_of(one, "hashed_secret").lower()
    says = f"{path}:{line} ({kind})"
    if not re.fullmatch("[0-9a-f]{40}", digest) or not path:
        return Unmapped(f"{path}: result {number}", NOT_SO)
    if one.get("is_secret") is True:
        return Unmapped(says, f"audited as a real secret: {REAL}")
    if one.get("is_verified") is True:
        return Unmapped(says, f"verified as a real secret: {REAL}")
    audit = "audited as no secret" if one.get("is_secret") is False else "not audited"
    return Known(
        says,
        f"imported from {name}: {shown(kind)}, {audit}",
        path=path.encode("utf-8", "surrogatepass"),
        line=line,
        rule=kind,
        digest=digest,
    )


def _filters(name: str, document: dict[str, Any]) -> Iterator[Entry]:
    built_in = 0
    old = document.get("exclude")
    for exclude in records(old):  # before 1.0
        if text_of(exclude, "files"):
            yield from _excluded(name, text_of(exclude, "files"))
        if text_of(exclude, "lines"):
            yield Unmapped("exclude: lines", BY_VALUE)
    for one in records(document.get("filters_used")):
        path = text_of(one, "path").removeprefix(_BUILT_IN)
        patterns = texts(one, "pattern") or [text_of(one, "pattern")]
        if path == "regex.should_exclude_file":
            for pattern in patterns:
                yield from _excluded(name, pattern)
        elif path in ("regex.should_exclude_line", "regex.should_exclude_secret", "wordlist.should_exclude_secret"):
            yield Unmapped(f"filter {path}", BY_VALUE)  # its patterns may hold a secret
        elif text_of(one, "path").startswith(_BUILT_IN):
            built_in += 1
        else:
            yield Unmapped(f"filter {path}", f"is code: {BY_VALUE}")
    if built_in:
        yield Unmapped(f"filters_used: {built_in} built in", "oakum has allowlists of its own")


def _excluded(name: str, pattern: str) -> Iterator[Entry]:
    return excluded(f"files left out: {pattern}", pattern, f"imported from {name}: files left out")
