"""The catalog: the detectors in force, read from the detector files and from files that the user names.

A mistake in a file is a `DetectorError` that names file, detector, field and what is allowed.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from ... import detectors as detector_files
from ...detectors.checks import CHECKS, FILTERS
from ..errors import DetectorError
from ..model import FACT_NAMES, KINDS, SEVERITIES, Check, Detector, Facts, part_fact
from .patterns import shape

REACHES = {"narrow": 512, "wide": 16 << 10, "block": 64 << 10}
"""How wide a match may be, in bytes."""

_REQUIRED = {"id": str, "name": str, "kind": str, "severity": str, "pattern": str, "keywords": list, "examples": list}
_OPTIONAL = {
    "reach": str,
    "check": (str, list),
    "min_entropy": float,
    "sample": str,
    "counterexamples": list,
    "parts": list,
    "part_distance": int,
    "part_only": bool,
    "facts": dict,
    "rotate": str,
    "source": str,
}


def load(extra: Iterable[str] = ()) -> tuple[Detector, ...]:
    """All detectors: those that come with oakum, then those of the user's own files, sorted by id.

    A detector of the user's file replaces one with the same id.
    """
    found = {d.id: d for d in _built_in()}
    for name in extra:
        try:
            text = Path(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as e:
            raise DetectorError(f"{name}: cannot be read as a detector file: {e}") from e
        found |= {d.id: d for d in parse(text, file=name, provider=Path(name).stem)}
    _require_parts(found)
    return tuple(found[i] for i in sorted(found))


@functools.cache
def _built_in() -> tuple[Detector, ...]:
    found: dict[str, Detector] = {}
    for file in sorted(resources.files(detector_files).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for detector in _read(file):
                if detector.id in found:
                    raise DetectorError(f"{file.name}: {detector.id}: id: another detector file has this id already")
                found[detector.id] = detector
    return tuple(found.values())


def _read(file: Traversable) -> list[Detector]:
    return parse(file.read_text("utf-8"), file=file.name, provider=file.name.removesuffix(".toml"))


def parse(text: str, *, file: str, provider: str) -> list[Detector]:
    """The detectors of one file's text; `file` names it in messages."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise DetectorError(f"{file}: not valid TOML: {e}") from e
    if isinstance(document.get("detector"), dict):
        raise DetectorError(f"{file}: write [[detector]], with two brackets: a file can hold several")
    unknown = set(document) - {"detector"}
    if unknown or not isinstance(document.get("detector"), list):
        raise DetectorError(f"{file}: the file holds [[detector]] tables and nothing else, not {sorted(unknown)}")
    found: list[Detector] = []
    for number, entry in enumerate(document["detector"], 1):
        if not isinstance(entry, dict):
            raise DetectorError(f"{file}: detector {number}: a table of fields is needed, not {entry!r}")
        where = f"{file}: {entry.get('id', f'detector {number}')}"
        detector = _detector(entry, where=where, provider=provider)
        if any(d.id == detector.id for d in found):
            raise DetectorError(f"{where}: id: stands twice in this file")
        found.append(detector)
    return found


def _detector(entry: dict[str, Any], *, where: str, provider: str) -> Detector:
    _require_fields(entry, where)
    reach = entry.get("reach", "narrow")
    if reach not in REACHES:
        raise DetectorError(f"{where}: reach: {reach!r} is not one of {', '.join(REACHES)}")
    pattern = _pattern(entry["pattern"], where)
    try:
        measured = shape(pattern)
    except ValueError as e:
        raise DetectorError(f"{where}: pattern: {e}") from e
    if measured.width + measured.behind + measured.ahead > REACHES[reach]:
        raise DetectorError(
            f"{where}: pattern: {measured.width} bytes wide, {measured.behind} behind, {measured.ahead} ahead; "
            f"reach {reach!r} allows {REACHES[reach]} together (narrow, wide and block: {list(REACHES.values())})"
        )
    strangers = set(pattern.groupindex) - {"secret"} - FACT_NAMES
    if strangers:
        raise DetectorError(f"{where}: pattern: group names {sorted(strangers)}: allowed are {sorted(FACT_NAMES)}")
    return Detector(
        id=entry["id"],
        name=entry["name"],
        provider=provider,
        kind=entry["kind"],
        severity=entry["severity"],
        pattern=pattern,
        keywords=tuple(k.encode("ascii") for k in entry["keywords"]),
        width=measured.width,
        behind=measured.behind,
        ahead=measured.ahead,
        prefix=measured.prefix,
        checks=tuple(_check(spec, where) for spec in _listed(entry.get("check", []))),
        proved=any(spec.partition(":")[0] not in FILTERS for spec in _listed(entry.get("check", []))),
        min_entropy=entry.get("min_entropy", 0.0),
        parts=tuple(entry.get("parts", ())),
        part_distance=entry.get("part_distance", 512 if entry.get("parts") else 0),
        part_only=entry.get("part_only", False),
        facts=_facts(entry.get("facts", {}), where),
        rotate=entry.get("rotate", ""),
        source=entry.get("source", ""),
        sample=entry.get("sample", ""),
        examples=tuple(entry["examples"]),
        counterexamples=tuple(entry.get("counterexamples", ())),
    )


def _require_fields(entry: dict[str, Any], where: str) -> None:
    for name, kind in _REQUIRED.items():
        if not isinstance(entry.get(name), kind) or not entry[name]:
            raise DetectorError(f"{where}: {name}: is required, a {kind.__name__} that is not empty")
    for name, value in entry.items():
        if name not in _REQUIRED and name not in _OPTIONAL:
            raise DetectorError(f"{where}: {name}: unknown field; allowed are {', '.join({**_REQUIRED, **_OPTIONAL})}")
        if name in _OPTIONAL and not isinstance(value, _OPTIONAL[name]):  # type: ignore[arg-type]
            raise DetectorError(f"{where}: {name}: {value!r} is not of the right type")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry["id"]):
        raise DetectorError(f"{where}: id: small letters, digits and single hyphens, the provider first")
    for name, allowed in (("kind", KINDS), ("severity", SEVERITIES)):
        if entry[name] not in allowed:
            raise DetectorError(f"{where}: {name}: {entry[name]!r} is not one of {', '.join(allowed)}")
    for keyword in entry["keywords"]:
        if not isinstance(keyword, str) or not keyword.isascii() or keyword != keyword.lower() or len(keyword) < 3:
            raise DetectorError(f"{where}: keywords: {keyword!r}: small ASCII letters, 3 bytes or more")
    if not 0.0 <= entry.get("min_entropy", 0.0) <= 1.0:
        raise DetectorError(f"{where}: min_entropy: a share between 0 and 1 of what random text has")


def _pattern(text: str, where: str) -> re.Pattern[bytes]:
    try:
        return re.compile(text.encode("ascii"))
    except UnicodeEncodeError as e:
        raise DetectorError(f"{where}: pattern: write bytes outside ASCII as \\xNN") from e
    except re.error as e:
        raise DetectorError(f"{where}: pattern: {e}") from e


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _check(spec: str, where: str) -> Check:
    name, _, argument = spec.partition(":")
    if name not in CHECKS:
        raise DetectorError(f"{where}: check: no check is called {name!r}; there are {', '.join(sorted(CHECKS))}")
    function = CHECKS[name]

    def run(value: bytes) -> Facts | None:
        pairs = function(value, argument) if argument else function(value)
        return None if pairs is None else tuple(pairs)

    return run


def _facts(table: dict[str, Any], where: str) -> Facts:
    for name, value in table.items():
        if name not in FACT_NAMES or not isinstance(value, str):
            raise DetectorError(f"{where}: facts: {name} = {value!r}: a text under one of {sorted(FACT_NAMES)}")
    return tuple(table.items())


def _require_parts(found: dict[str, Detector]) -> None:
    for detector in found.values():
        for part in detector.parts:
            if part not in found:
                raise DetectorError(f"{detector.provider}: {detector.id}: parts: no detector is called {part!r}")
            if not part_fact(part):
                raise DetectorError(
                    f"{detector.id}: parts: {part!r} must end in the name of a fact, as in acme-client-id"
                )
