"""The catalog of sensitive names: read from `detectors/names/`, strictly.

Each file holds [[name]] tables (`NameRule` of `listed.py`), but for `forms.toml`, which says what stands around a name
and what makes it an innocent one (`NameForms`). docs/listing.md describes both. A mistake is a `CatalogError` that
names file, entry, field and what is allowed.
"""

from __future__ import annotations

import itertools
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from ... import detectors as detector_files
from ..errors import CatalogError
from ..listed import NAME_KINDS, NameForms, NameRule, alike
from ..model import SEVERITIES

FORMS = "forms.toml"

_TEXTS = ("id", "kind", "impact", "reason")
_SHORTEST = {
    "exact": 2,
    "starts": 3,
    "extensions": 3,
    "folders": 3,
    "words": 2,
    "parts": 5,
    "folder_words": 3,
    "folder_parts": 4,
}
"""The lists of patterns, and how short one may be, in bytes."""
_GUESSES = ("words", "parts", "folder_words", "folder_parts")
_LISTS = (*_SHORTEST, "types", "must_be", "unless", "unless_folders")
_NOT_ASCII = ("words", "parts", "folder_words", "folder_parts", "unless", "unless_folders")
"""Words may be of any language: endings and whole names that matter are ASCII."""
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def load() -> tuple[tuple[NameRule, ...], NameForms]:
    """The rules that come with oakum, by file and place, and what stands around names."""
    folder = os.path.join(os.path.dirname(detector_files.__file__), "names")
    texts: dict[str, str] = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".toml"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts[name] = file.read()
    return parse(texts)


def parse(texts: Mapping[str, str]) -> tuple[tuple[NameRule, ...], NameForms]:
    """The rules of files by their names; one of them must be `forms.toml`."""
    if FORMS not in texts:
        raise CatalogError(f"{FORMS}: is missing: it tells the types that rules speak of")
    forms = _forms(_tables(FORMS, texts[FORMS], {"environments", "type", "innocent"}))
    known = frozenset(forms.types.values()) | {"none", "other"}
    rules: list[NameRule] = []
    holders: dict[str, str] = {}
    patterns: dict[tuple[str, str], list[tuple[str, frozenset[str]]]] = {}
    for file in sorted(texts.keys() - {FORMS}):
        for number, entry in enumerate(_entries(_tables(file, texts[file], {"name"}), "name", file), 1):
            where = f"{file}: {entry.get('id', f'name {number}')}"
            rule = _rule(entry, where, known)
            if rule.id in holders:
                raise CatalogError(f"{where}: id: stands in {holders[rule.id]} already")
            holders[rule.id] = file
            _require_new_patterns(rule, where, patterns)
            rules.append(rule)
    return tuple(rules), forms


def _tables(file: str, text: str, allowed: set[str]) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise CatalogError(f"{file}: not valid TOML: {e}") from e
    if unknown := sorted(document.keys() - allowed):
        raise CatalogError(f"{file}: the file holds {', '.join(sorted(allowed))} and nothing else, not {unknown}")
    return document


def _entries(document: Mapping[str, Any], name: str, file: str) -> list[dict[str, Any]]:
    entries = document.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CatalogError(f"{file}: {name}: [[{name}]] tables are needed, with two brackets each")
    return entries


def _rule(entry: dict[str, Any], where: str, types: frozenset[str]) -> NameRule:
    _require_texts(entry, _TEXTS, where)
    _require_known(entry, {*_TEXTS, "chance", *_LISTS}, where)
    if not _ID.fullmatch(entry["id"]):
        raise CatalogError(f"{where}: id: small letters, digits and single hyphens")
    for field, allowed in (("kind", NAME_KINDS), ("impact", SEVERITIES)):
        if entry[field] not in allowed:
            raise CatalogError(f"{where}: {field}: {entry[field]!r} is not one of {', '.join(allowed)}")
    chance = entry.get("chance")
    if not isinstance(chance, float) or not 0.0 < chance <= 1.0:
        raise CatalogError(f"{where}: chance: is required, a number with a point above 0.0 and up to 1.0")
    lists = {field: _patterns(entry[field], field, where) for field in _LISTS if field in entry}
    if not lists.keys() & _SHORTEST.keys():
        raise CatalogError(f"{where}: one of {', '.join(_SHORTEST)} is required")
    if "types" in lists and "must_be" in lists:
        raise CatalogError(f"{where}: types: stands for words and parts only; must_be, which stands for all, is enough")
    for field in ("types", "must_be"):
        if unknown := sorted(set(lists.get(field, ())) - types):
            raise CatalogError(f"{where}: {field}: {unknown} are not among {', '.join(sorted(types))}")
    given: dict[str, Any] = {field: entry[field] for field in _TEXTS} | lists
    given |= {field: frozenset(lists[field]) for field in ("types", "must_be") if field in lists}
    return NameRule(chance=chance, **given)


def _patterns(given: Any, field: str, where: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(pattern, str) for pattern in given):
        raise CatalogError(f"{where}: {field}: a list of texts is needed that is not empty")
    given = [expanded for pattern in given for expanded in _expanded(pattern)]
    for pattern in given:
        if (wrong := _wrong(pattern, field)) is not None:
            raise CatalogError(f"{where}: {field}: {pattern!r}: {wrong}")
    written = [alike(pattern) for pattern in given]
    if len(set(written)) < len(given):
        twice = next(p for p, w in zip(given, written, strict=True) if written.count(w) > 1)
        raise CatalogError(f"{where}: {field}: {twice!r}: stands twice")
    return tuple(given)


def _expanded(pattern: str) -> Iterator[str]:
    """A pattern with alternatives in braces, as shells have them: `{ftp,vpn} access`."""
    parts = [part.split(",") for part in re.split(r"\{([^{}]*)\}", pattern)[1::2]]
    between = re.split(r"\{[^{}]*\}", pattern)
    for chosen in itertools.product(*parts):
        yield "".join(itertools.chain.from_iterable(zip(between, (*chosen, ""), strict=True)))


def _wrong(pattern: str, field: str) -> str | None:
    """What is wrong with a pattern; None if nothing is."""
    if len(pattern.encode()) < _SHORTEST.get(field, 1):
        return f"too short: {_SHORTEST[field]} bytes or more"
    if not pattern.isascii() and field not in _NOT_ASCII:
        return "ASCII only: words may be of any language, other patterns may not"
    if pattern != pattern.lower() or pattern != pattern.strip() or not pattern.isprintable():
        return "small letters only, without space at its ends or control characters: names are compared so"
    if "\\" in pattern or pattern.startswith("/") or (pattern.endswith("/") and field != "folder_parts"):
        return "components are parted by slashes, with none at the ends"
    if "/" in pattern and field not in ("exact", "folders", "folder_parts"):
        return "only `exact`, `folders` and `folder_parts` may have a slash"
    if field == "extensions" and not pattern.startswith((".", "-", "_")):
        return "an ending begins with a dot, a hyphen or an underscore"
    return None


def _require_new_patterns(
    rule: NameRule, where: str, patterns: dict[tuple[str, str], list[tuple[str, frozenset[str]]]]
) -> None:
    """A pattern may stand in two rules only where they are for different types of files."""
    for field in _SHORTEST:
        types = (field in _GUESSES and rule.types) or rule.must_be
        for pattern in getattr(rule, field):
            for other, others in patterns.setdefault((field, alike(pattern)), []):
                if not types or not others or types & others:
                    raise CatalogError(f"{where}: {field}: {pattern!r}: stands in {other} already")
            patterns[field, alike(pattern)].append((rule.id, types))


def _forms(document: Mapping[str, Any]) -> NameForms:
    types: dict[str, str] = {}
    flags: dict[str, set[str]] = {"wrapping": set(), "harmless": set(), "speaking": set()}
    for entry in _entries(document, "type", FORMS):
        where = f"{FORMS}: {entry.get('id', 'type')}"
        _require_texts(entry, ("id",), where)
        _require_known(entry, {"id", "endings", *flags}, where)
        for ending in _patterns(entry.get("endings"), "endings", where):
            if ending in types:
                raise CatalogError(f"{where}: endings: {ending!r}: stands in {types[ending]} already")
            types[ending] = entry["id"]
        for flag, holders in flags.items():
            if entry.get(flag, True) is not True:
                raise CatalogError(f"{where}: {flag}: is true, or is left out")
            if flag in entry:
                holders.add(entry["id"])
    found: dict[str, set[str]] = {"words": set(), "made_up": set(), "folders": set()}
    for entry in _entries(document, "innocent", FORMS):
        where = f"{FORMS}: {entry.get('id', 'innocent')}"
        _require_texts(entry, ("id", "reason"), where)
        _require_known(entry, {"id", "reason", *found}, where)
        for field in found.keys() & entry.keys():
            found[field].update(_patterns(entry[field], field, where))
    environments = frozenset(_patterns(document.get("environments"), "environments", FORMS))
    return NameForms(
        types=types,
        wrapping=frozenset(flags["wrapping"]),
        harmless=frozenset(flags["harmless"]),
        environments=environments,
        speaking=frozenset(flags["speaking"]) | {"none", "other"},
        made_up=_with_plurals(found["made_up"]),
        words=_with_plurals(found["words"]),
        folders=frozenset(map(alike, found["folders"])),
    )


def _with_plurals(words: set[str]) -> frozenset[str]:
    return frozenset(words | {f"{word}s" for word in words})


def _require_texts(entry: Mapping[str, Any], fields: tuple[str, ...], where: str) -> None:
    for field in fields:
        if not isinstance(entry.get(field), str) or not entry[field]:
            raise CatalogError(f"{where}: {field}: is required, a text that is not empty")


def _require_known(entry: Mapping[str, Any], allowed: set[str], where: str) -> None:
    if unknown := sorted(entry.keys() - allowed):
        raise CatalogError(f"{where}: {unknown[0]}: unknown field; allowed are {', '.join(sorted(allowed))}")


def examples(rule: NameRule) -> Iterator[str]:
    """Every pattern of a rule, as docs and tests count them."""
    for field in _SHORTEST:
        yield from getattr(rule, field)
