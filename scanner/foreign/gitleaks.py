"""gitleaks and betterleaks: ignore files, reports that serve as baselines, and what configurations allow.

Looked at: gitleaks 8.30, betterleaks 1 and 2.0.0-rc.4. An ignore file has a fingerprint a line, `COMMIT:FILE:RULE:LINE`
or `FILE:RULE:LINE`; that of betterleaks 2 has SHA-256 digests of values. A configuration is TOML with allowlists, for
all rules or for some; in betterleaks, allowlists are expressions. Source: https://github.com/gitleaks/gitleaks#readme,
https://github.com/betterleaks/betterleaks/tree/main/docs
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ForeignError
from ..model import Secret
from .entries import (
    BY_VALUE,
    NOT_SO,
    Entry,
    Excluded,
    Known,
    Unmapped,
    from_json,
    line_of,
    records,
    shown,
    text_of,
    texts_of,
)
from .paths import excluded

# --- ignore files ---------------------------------------------------------------------------------------------------

_PLACE = re.compile(
    rb"(?:(?P<commit>[0-9a-f]{7,64}):)?(?P<path>.+):(?P<rule>[^:]+):(?P<line>[0-9]{1,9})", re.IGNORECASE
)
_DIGEST = re.compile(rb"[0-9a-f]{64}")


def ignore_file(name: str, content: bytes) -> Iterator[Entry]:
    """The fingerprints of an ignore file. A path may hold colons."""
    for line in dict.fromkeys(content.splitlines()):
        says = line.strip()
        if not says or says.startswith(b"#"):
            continue
        if _DIGEST.fullmatch(says):
            yield Known(shown(says), f"imported from {name}: SHA-256 of the value", digest=says.decode())
        elif found := _PLACE.fullmatch(says):
            rule = found["rule"].decode("utf-8", "replace")
            yield Known(
                shown(says),
                f"imported from {name}: rule {shown(rule)}",
                path=found["path"],
                line=int(found["line"]),
                commit=(found["commit"] or b"").decode().lower(),
                rule=rule,
            )
        else:
            yield Unmapped(shown(says), NOT_SO)


# --- reports --------------------------------------------------------------------------------------------------------


def report(name: str, content: bytes) -> Iterator[Entry]:
    """The findings of a JSON report, which `--baseline-path` takes as known."""
    document = from_json(name, content)
    if not isinstance(document, list):
        raise ForeignError(f"{name}: is not a report of gitleaks: that is a list of findings")
    for number, finding in enumerate(document, 1):
        one = finding if isinstance(finding, dict) else {}
        path, rule, value = text_of(one, "File"), text_of(one, "RuleID"), text_of(one, "Secret")
        if not path or not rule:
            yield Unmapped(f"finding {number}", NOT_SO)
            continue
        redacted = value == "REDACTED" or value.endswith("...")
        yield Known(
            shown(f"finding {number}: {rule} at {path}:{line_of(one, 'StartLine')}"),
            f"imported from {name}: rule {shown(rule)}",
            path=path.encode("utf-8", "surrogatepass"),
            line=line_of(one, "StartLine"),
            commit=text_of(one, "Commit").lower(),
            rule=rule,
            values=() if redacted or not value else (Secret(value.encode("utf-8", "surrogatepass")),),
        )


# --- configurations -------------------------------------------------------------------------------------------------

_CONDITIONS = ("paths", "commits", "regexes", "stopwords")
_DETECTION = "what to look for is not imported: oakum has detectors of its own, and takes more by --detectors FILE"
MOST_DOTS = 500
"""Dots of a line: the time that a key of TOML takes grows with the square of its parts."""


def configuration(name: str, content: bytes) -> Iterator[Entry]:
    """What the allowlists of a configuration say."""
    document = _document(name, content)
    reason = f"imported from {name}"
    for place, allowlist in _allowlists(document):
        yield from _allowed(place, allowlist, texts_of(allowlist, "targetRules") or [""], reason)
    for key in ("prefilter", "filter"):
        if text_of(document, key):
            yield from _expression(key, text_of(document, key), reason) or [Unmapped(key, _MORE)]
    own = filters = 0
    for rule in records(document.get("rules", [])):
        id_ = text_of(rule, "id")
        own += "regex" in rule or "path" in rule
        for place, allowlist in _allowlists(rule):
            yield from _allowed(f"rule {id_}: {place}", allowlist, [id_], reason)
        entries = _expression(f"rule {id_}: filter", text_of(rule, "filter"), reason, rule=id_)
        filters += "filter" in rule and not entries
        yield from entries
    for extended in records(document.get("extend", [])):
        for id_ in texts_of(extended, "disabledRules"):
            yield Excluded(f"disabledRules: {id_}", f"{reason}: rule {shown(id_)} is disabled", rule=id_)
        if "path" in extended or "url" in extended:
            yield Unmapped("extend", "another file is not read: import it by itself")
    if filters:
        yield Unmapped(f"rules: {filters} with a filter", _MORE)
    if own:
        yield Unmapped(f"rules: {own} with a pattern of their own", _DETECTION)


def _document(name: str, content: bytes) -> dict[str, Any]:
    import tomllib

    if any(line.count(b".") > MOST_DOTS for line in content.split(b"\n")):
        raise ForeignError(f"{name}: a line with more than {MOST_DOTS} dots is not read")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as e:
        raise ForeignError(f"{name}: is not valid TOML: {shown(str(e))}") from e


def _allowlists(table: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The allowlists of a configuration or a rule, each with what it is called."""
    for key in ("allowlist", "allowlists"):
        for number, allowlist in enumerate(records(table.get(key, [])), 1):
            yield text_of(allowlist, "description") or f"{key} {number}", allowlist


def _allowed(place: str, allowlist: Mapping[str, Any], rules: list[str], reason: str) -> Iterator[Entry]:
    lists = {key: texts_of(allowlist, key) for key in _CONDITIONS}
    given = [key for key in _CONDITIONS if lists[key]]
    if len(given) > 1 and text_of(allowlist, "condition").upper() in ("AND", "&&"):
        yield Unmapped(f"{place}: {' and '.join(given)} together", f"no such condition: {BY_VALUE}")
        return
    for expression in lists["paths"]:
        for rule in rules:
            yield from excluded(f"{place}: paths: {expression}", expression, f"{reason}: {shown(place)}", rule=rule)
    for commit in lists["commits"]:
        yield Unmapped(f"{place}: commits: {commit}", BY_VALUE)
    for key in given:
        if key in ("regexes", "stopwords"):  # they may hold a secret: how many there are is enough
            yield Unmapped(f"{place}: {key} ({len(lists[key])})", BY_VALUE)


_PATH = (
    r"""(?:get\(\s*attributes\s*,\s*"path"\s*,\s*""\s*\)|attributes\["path"\]|attributes\[\?"path"\]\.orValue\(""\))"""
)
_TEXT = r'`[^`]*`|"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*"'
_FITS = re.compile(rf"(?:filter\.)?matchesAny\(\s*{_PATH}\s*,\s*\[(?P<list>(?:\s|,|{_TEXT})*)\]\s*\)\s*(?:\|\|\s*|\Z)")
_MORE = f"an expression of more than paths: {BY_VALUE}"


def _expression(place: str, expression: str, reason: str, *, rule: str = "") -> list[Entry]:
    """The paths of an expression that only asks whether the path fits one of some patterns; nothing of any other."""
    rest, listed = expression.strip(), list[str]()
    while rest:
        found = _FITS.match(rest)
        if not found:
            return []
        listed += (one[1:-1] if one[0] == "`" else json.loads(one) for one in re.findall(_TEXT, found["list"]))
        rest = rest[found.end() :]
    return [entry for path in listed for entry in excluded(f"{place}: {path}", path, f"{reason}: {place}", rule=rule)]
