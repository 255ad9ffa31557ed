"""The catalog: the detectors in force, read from the detector files and from files that the user names.

A mistake in a file is a `DetectorError` that names file, detector, field and what is allowed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ... import detectors as detector_files
from .. import __version__
from ..cache import Cache
from ..errors import DetectorError
from ..model import FACT_NAMES, HIDDEN_KINDS, KINDS, SEVERITIES, Check, Detector, Facts, Guess, Proof, part_fact
from ..verification import Verification

DRAWS = 20
"""Samples that are drawn until the pattern takes one: a look-ahead may want a digit."""
REACHES = {"narrow": 512, "wide": 16 << 10, "block": 64 << 10}
"""How wide a match may be, in bytes."""

_REQUIRED = {"id": str, "name": str, "kind": str, "severity": str, "pattern": str, "keywords": list, "examples": list}
_OPTIONAL = {
    "reach": str,
    "check": (str, list),
    "proof": str,
    "proved_by": list,
    "min_entropy": float,
    "sample": str,
    "counterexamples": list,
    "parts": list,
    "part_distance": int,
    "part_only": bool,
    "facts": dict,
    "rotate": str,
    "source": str,
    "verify": dict,
}


def name_of(extra: Iterable[str] = ()) -> str:
    """The name of a catalog: other files, other name."""
    return _name([*_built_in(), *map(_of_the_user, extra)])


def changes(old: str, new: str, cache: Cache) -> tuple[Detector, ...] | None:
    """The detectors that two catalogs, by their names, do not have alike: as they were in the old one, and as they are
    in the new one. None where the cache does not have both any more."""
    kept = [cache.read(name) for name in (old, new)]
    if kept[0] is None or kept[1] is None:
        return None
    before, after = ({record["id"]: record for record in json.loads(text)} for text in kept if text is not None)
    differ = [i for i in sorted(before.keys() | after.keys()) if before.get(i) != after.get(i)]
    return tuple(_made(records[i]) for records in (before, after) for i in differ if i in records)


def load(extra: Iterable[str] = (), cache: Cache | None = None, *, verify: bool = True) -> tuple[Detector, ...]:
    """All detectors: those that come with oakum, then those of the user's own files, sorted by id.

    A detector of the user's file replaces one with the same id. What was read and measured once is kept in the cache,
    under a name made from the texts of all files; how providers are asked, which is as long as all the rest, in a file
    of its own, which is read only to `verify`.
    """
    files = [*_built_in(), *map(_of_the_user, extra)]
    if cache is None:
        return _load(files)[0]
    name = _name(files)
    kept, asked = cache.read(name), cache.read(_asked(name)) if verify else b"{}"
    if kept is not None and asked is not None:
        tables = json.loads(asked)
        return tuple(_made(record | tables.get(record["id"], {})) for record in json.loads(kept))
    detectors, records = _load(files)
    tables = {record["id"]: {"verify": record["verify"]} for record in records if "verify" in record}
    silent = [{field: value for field, value in record.items() if field != "verify"} for record in records]
    cache.write(name, json.dumps(silent).encode())
    if verify:
        cache.write(_asked(name), json.dumps(tables).encode())
    return detectors


def _asked(name: str) -> str:
    """The name of the file that says how the providers of a catalog are asked."""
    return f"{name}-verify"


@dataclass(frozen=True, slots=True)
class _File:
    """A detector file: what messages call it, its provider, its text, and whether it is the user's."""

    name: str
    provider: str
    text: str
    own: bool = False


@functools.cache
def _built_in() -> tuple[_File, ...]:
    """The files that come with oakum, in order. They lie unpacked beside the code, as data of a package do."""
    folder = os.path.dirname(detector_files.__file__)
    found: list[_File] = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".toml"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found.append(_File(name, name.removesuffix(".toml"), file.read()))
    return tuple(found)


def _of_the_user(name: str) -> _File:
    try:
        with open(name, encoding="utf-8") as file:
            return _File(name, os.path.splitext(os.path.basename(name))[0], file.read(), own=True)
    except (OSError, UnicodeDecodeError) as e:
        raise DetectorError(f"{name}: cannot be read as a detector file: {e}") from e


def _load(files: Iterable[_File]) -> tuple[tuple[Detector, ...], list[dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        for record in _records_of(file):
            if record["id"] in found and not file.own:
                raise DetectorError(f"{file.name}: {record['id']}: id: another detector file has this id already")
            found[record["id"]] = record
    records = [found[i] for i in sorted(found)]
    detectors = tuple(_made(record) for record in records)
    _require_parts({d.id: d for d in detectors})
    return detectors, records


@functools.cache
def _records_of(file: _File) -> list[dict[str, Any]]:
    """Read once in a process: to test a pattern takes milliseconds."""
    records = _records(file.text, file=file.name, provider=file.provider, built_in=not file.own)
    if file.own:  # of those that come with oakum our tests draw thousands
        for record in records:
            _require_samples(record, where=f"{file.name}: {record['id']}")
    return records


def _name(files: Iterable[_File]) -> str:
    """Changes with any file, with the code that tests and measures patterns, and with Python's version."""
    digest = hashlib.sha256(f"{__version__} {sys.version_info[:3]}".encode())
    for module in ("__init__.py", "patterns.py", "expressions.py", "keywords.py", "verifications.py"):
        path = os.path.join(os.path.dirname(__file__), module)
        digest.update(str(os.stat(path).st_mtime_ns).encode() if os.path.exists(path) else b"")
    for file in files:
        digest.update(f"\0{file.provider}\0{file.own}\0{file.text}".encode())
    return f"catalog-{digest.hexdigest()[:32]}"


def parse(text: str, *, file: str, provider: str) -> list[Detector]:
    """The detectors of one file's text; `file` names it in messages."""
    return [_made(record) for record in _records(text, file=file, provider=provider)]


def _records(text: str, *, file: str, provider: str, built_in: bool = False) -> list[dict[str, Any]]:
    """The entries of one file's text, tested, with what was measured of their patterns.

    Those that come with oakum are compiled when they are first used: our tests have compiled them all.
    """
    import tomllib  # here, and in what follows: a catalog that was cached needs none of it

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise DetectorError(f"{file}: not valid TOML: {e}") from e
    if isinstance(document.get("detector"), dict):
        raise DetectorError(f"{file}: write [[detector]], with two brackets: a file can hold several")
    unknown = set(document) - {"detector"}
    if unknown or not isinstance(document.get("detector"), list):
        raise DetectorError(f"{file}: the file holds [[detector]] tables and nothing else, not {sorted(unknown)}")
    found: list[dict[str, Any]] = []
    verify = {e.get("id", ""): e["verify"] for e in document["detector"] if isinstance(e, dict) and "verify" in e}
    if verify:
        from . import verifications

        verify = verifications.with_likes(verify, file)
    for number, entry in enumerate(document["detector"], 1):
        if not isinstance(entry, dict):
            raise DetectorError(f"{file}: detector {number}: a table of fields is needed, not {entry!r}")
        where = f"{file}: {entry.get('id', f'detector {number}')}"
        if entry.get("id", "") in verify:
            entry["verify"] = verify[entry["id"]]
        record = _tested(entry, where=where, built_in=built_in) | {"provider": provider}
        if any(other["id"] == record["id"] for other in found):
            raise DetectorError(f"{where}: id: stands twice in this file")
        found.append(record)
    return found


def _tested(entry: dict[str, Any], *, where: str, built_in: bool) -> dict[str, Any]:
    from ...detectors.checks import FILTERS  # here: a scan with a cached catalog has no use for it
    from . import verifications
    from .expressions import expression
    from .patterns import parsed, shape

    _require_fields(entry, where)
    reach = entry.get("reach", "narrow")
    if reach not in REACHES:
        raise DetectorError(f"{where}: reach: {reach!r} is not one of {', '.join(REACHES)}")
    pattern = _pattern(entry["pattern"], where, compiled=not built_in)
    try:
        measured = shape(pattern)
    except ValueError as e:
        raise DetectorError(f"{where}: pattern: {e}") from e
    if measured.width + measured.behind + measured.ahead > REACHES[reach]:
        raise DetectorError(
            f"{where}: pattern: {measured.width} bytes wide, {measured.behind} behind, {measured.ahead} ahead; "
            f"reach {reach!r} allows {REACHES[reach]} together (narrow, wide and block: {list(REACHES.values())})"
        )
    strangers = set(parsed(pattern).state.groupdict) - {"secret"} - FACT_NAMES
    if strangers:
        raise DetectorError(f"{where}: pattern: group names {sorted(strangers)}: allowed are {sorted(FACT_NAMES)}")
    if not built_in:  # of those that come with oakum our tests prove it
        _require_keywords(entry, where)
    for spec in _listed(entry.get("check", [])):
        _require_check(spec, where)
    _require_facts(entry.get("facts", {}), where)
    _require_proof(entry, where)
    if "verify" in entry:
        verifications.require(entry["verify"], where)
    given = expression(entry["pattern"])
    return entry | {
        "width": measured.width,
        "behind": measured.behind,
        "ahead": measured.ahead,
        "prefix": measured.prefix.decode("latin-1"),
        "expression": given.text,
        "ends": [given.least, given.most],
        "expression_width": given.width,
        "proved": any(spec.partition(":")[0] not in FILTERS for spec in _listed(entry.get("check", []))),
    }


def _made(record: dict[str, Any]) -> Detector:
    return Detector(
        id=record["id"],
        name=record["name"],
        provider=record["provider"],
        kind=record["kind"],
        severity=record["severity"],
        regex=record["pattern"],
        keywords=tuple(k.encode("ascii") for k in record["keywords"]),
        width=record["width"],
        behind=record["behind"],
        ahead=record["ahead"],
        prefix=record["prefix"].encode("latin-1"),
        expression=record["expression"],
        ends=tuple(record["ends"]),
        expression_width=record["expression_width"],
        checks=tuple(map(_check, _listed(record.get("check", [])))),
        proved=record["proved"],
        proof=_proof(record.get("proof", "")),
        proved_by=tuple(record.get("proved_by", ())),
        min_entropy=record.get("min_entropy", 0.0),
        parts=tuple(record.get("parts", ())),
        part_distance=record.get("part_distance", 512 if record.get("parts") else 0),
        part_only=record.get("part_only", False),
        facts=tuple(record.get("facts", {}).items()),
        rotate=record.get("rotate", ""),
        source=record.get("source", ""),
        sample=record.get("sample", ""),
        examples=tuple(record["examples"]),
        counterexamples=tuple(record.get("counterexamples", ())),
        verify=_verification(record["verify"]) if "verify" in record else None,
    )


def _verification(table: dict[str, Any]) -> Verification:
    from . import verifications  # only where providers may be asked

    return verifications.made(table)


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


def _require_keywords(entry: dict[str, Any], where: str) -> None:
    """One of the keywords must stand in every match: the Aho-Corasick matcher looks at nothing else."""
    from .keywords import without_keyword

    text = without_keyword(entry["pattern"], entry["keywords"])
    if text is not None:
        shown = repr(text[:60])[1:] + ("…" if len(text) > 60 else "")
        raise DetectorError(f"{where}: keywords: one of them must stand in every match; {shown} is a match without")


def _pattern(text: str, where: str, *, compiled: bool) -> bytes:
    """A pattern that can be parsed and, if wished, compiled."""
    from .patterns import parsed

    try:
        pattern = text.encode("ascii")
        parsed(pattern)
        if compiled:
            re.compile(pattern)
        return pattern
    except UnicodeEncodeError as e:
        raise DetectorError(f"{where}: pattern: write bytes outside ASCII as \\xNN") from e
    except re.error as e:
        raise DetectorError(f"{where}: pattern: {e}") from e


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _require_check(spec: str, where: str) -> None:
    from ...detectors.checks import CHECKS

    name = spec.partition(":")[0]
    if name not in CHECKS:
        raise DetectorError(f"{where}: check: no check is called {name!r}; there are {', '.join(sorted(CHECKS))}")


def _check(spec: str) -> Check:
    name, _, argument = spec.partition(":")

    def run(value: bytes, facts: Facts) -> Facts | None:
        from ...detectors.checks import CHECKS, CONTEXTUAL

        arguments: list[Any] = [dict(facts)] if name in CONTEXTUAL else []
        pairs = CHECKS[name](value, *arguments, *([argument] if argument else []))
        if pairs is None:
            return None
        # A lone surrogate, which JSON can hold, can be in no report.
        return tuple((name, text.encode("utf-8", "replace").decode()) for name, text in pairs)

    return run


def _require_proof(entry: dict[str, Any], where: str) -> None:
    from ...detectors.checks import PROOFS

    if "proof" in entry and entry["proof"] not in PROOFS:
        raise DetectorError(f"{where}: proof: {entry['proof']!r} is not one of {', '.join(sorted(PROOFS))}")
    if bool(entry.get("proved_by")) != ("proof" in entry):
        raise DetectorError(f"{where}: proof and proved_by go together: how a key proves it, and who finds the keys")


def _proof(name: str) -> Proof | None:
    if not name:
        return None

    def run(value: bytes, facts: Facts, key: bytes | None) -> bool | None:
        from ...detectors.checks import PROOFS

        return PROOFS[name](value, dict(facts), key)

    return run


def _require_samples(record: dict[str, Any], *, where: str) -> None:
    """A detector must find what it was made for: samples of itself in its examples."""
    from random import Random

    from ...detectors import samples

    rng = Random(record["id"])  # noqa: S311  made-up values
    pattern = re.compile(record["pattern"].encode("ascii"))
    for example in record["examples"]:
        for _ in range(DRAWS):
            try:
                secret = samples.draw(record.get("sample", ""), record["pattern"], rng)
                content = samples.fill(example, secret, rng)
            except (KeyError, TypeError, ValueError) as e:
                raise DetectorError(f"{where}: sample: no sample can be made for {example!r}: {e}") from e
            if pattern.search(content):
                break
        else:
            raise DetectorError(
                f"{where}: examples: the pattern finds nothing in {example!r}, its places filled with samples"
            )


def look_alike(detector: Detector) -> bytes:
    """A made-up value of the same form as a detector's secrets, as random as those are."""
    from random import SystemRandom

    from ...detectors import samples

    return samples.draw(detector.sample, detector.regex, SystemRandom())


def fitting(value: bytes, detectors: Iterable[Detector]) -> list[Guess]:
    """The detectors that would take a value if it stood where their examples have it, the most specific first.

    Those whose check it passes come before those whose check it fails; those that take any text at all are no answer.
    What stands around it is made up here, so that only what the value says of itself is told.
    """
    from random import Random

    from ...detectors import samples

    found: list[Guess] = []
    telling = (d for d in detectors if not d.generic and d.kind not in HIDDEN_KINDS and len(value) <= d.width)
    telling = (d for d in telling if d.specificity > 1 or not d.part_only)  # the user's name beside a token
    for detector in telling:
        rng = Random(detector.id)  # noqa: S311  made-up surroundings
        texts = (samples.fill(example, value, rng) for example in detector.examples)
        if not any(_stands_in(detector, value, text) for text in texts):
            continue
        facts, failed = list(detector.facts), False
        for check in detector.checks:
            learned = check(value, ())
            failed = failed or learned is None
            facts += learned or ()
        found.append(Guess(detector, tuple(fact for fact in facts if fact[1]), failed))
    return sorted(found, key=lambda g: (g.failed, -g.detector.specificity, g.detector.id))


def _stands_in(detector: Detector, value: bytes, text: bytes) -> bool:
    return any(one["secret"] == value for one in detector.pattern.finditer(text))


def _require_facts(table: dict[str, Any], where: str) -> None:
    for name, value in table.items():
        if name not in FACT_NAMES or not isinstance(value, str):
            raise DetectorError(f"{where}: facts: {name} = {value!r}: a text under one of {sorted(FACT_NAMES)}")


def _require_parts(found: dict[str, Detector]) -> None:
    for detector in found.values():
        for key in detector.proved_by:
            if key not in found:
                raise DetectorError(f"{detector.provider}: {detector.id}: proved_by: no detector is called {key!r}")
        for part in detector.parts:
            if part not in found:
                raise DetectorError(f"{detector.provider}: {detector.id}: parts: no detector is called {part!r}")
            if not part_fact(part):
                raise DetectorError(
                    f"{detector.id}: parts: {part!r} must end in the name of a fact, as in acme-client-id"
                )
