"""Reads back a report as a whole (JSON, JSON Lines or SARIF), to check what it found again.

A report may come from anywhere: what is taken of it is bounded, and has the form that it should have; nothing else is.
SARIF names at most 20 places of a finding.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal, cast, get_args

from ..errors import ReportError
from ..model import (
    Exposure,
    File,
    GitBlob,
    GitMessage,
    ListingEntry,
    Origin,
    Reach,
    Stdin,
    StoredObject,
    Verdict,
)
from ..rechecked import Former, FormerPlace, FormerReport

MOST = 64 << 20
"""Bytes of a report."""
MOST_PLACES = 100
"""Places of a finding; a report has no more."""
LONGEST = 400
"""Characters of a text that are taken, but for paths."""
_FINGERPRINT = re.compile("[a-z2-7]{26}")
_ID = re.compile("[a-z0-9][a-z0-9-]{0,99}")
_OBJECT_ID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_OTHERS = (
    "is no report of oakum's: `oakum scan --format json --output FILE` writes one (json, jsonl and sarif can be "
    "checked again)"
)


def read(content: bytes) -> FormerReport:
    """The report. ReportError for what is none, is damaged, too large, or of a schema that is not known."""
    if len(content) > MOST:
        raise ReportError(f"is larger than {MOST >> 20} MiB: `oakum scan --min-band high` writes less of one")
    try:
        documents = list(_documents(content.decode("utf-8-sig")))
        read = [_document(document) for document in documents]
    except RecursionError:
        raise ReportError(f"{_OTHERS}; it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ReportError(f"{_OTHERS}; it is no text in UTF-8") from None
    known: dict[str, Former] = {}
    unnamed = 0
    for one in (one for report in read for one in report.findings):
        unnamed += not one.fingerprint
        other = known.get(one.fingerprint, one)
        places = dict.fromkeys((*one.places, *other.places))
        known[one.fingerprint] = Former(one.fingerprint, one.detector, one.verdict, tuple(places)[:MOST_PLACES])
    known.pop("", None)
    targets = dict.fromkeys(target for report in read for target in report.targets)
    started = next((report.started for report in read if report.started), "")
    return FormerReport(tuple(known.values()), tuple(targets), started, unnamed)


def _documents(text: str) -> Iterator[Any]:
    """The one document, or one of each line."""
    if not text.strip():  # what `jsonl` says where nothing was found
        return
    try:
        yield json.loads(text)
        return
    except ValueError as error:
        first = error
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            document = json.loads(line)
        except ValueError as error:
            whole = number == 1 or len(lines) == 1
            raise ReportError(
                f"is no JSON, or damaged: {first if whole else error} "
                f"({'' if whole else f'line {number}; '}was it written to its end?)"
            ) from None
        yield document


def _document(document: Any) -> FormerReport:
    match document:
        case {"runs": list(runs)}:
            if document.get("version") != "2.1.0":
                raise ReportError("is SARIF of another version than 2.1.0")
            read = [_run(run) for run in runs]
            return FormerReport(
                tuple(one for run in read for one in run.findings),
                tuple(target for run in read for target in run.targets),
                next((run.started for run in read if run.started), ""),
            )
        case {"schema": schema, "findings": list(findings)}:
            if schema != 1:
                raise ReportError(f"has schema {str(schema)[:20]}, and this oakum reads 1: is it of a newer one?")
            summary = document.get("summary")
            summary = summary if isinstance(summary, dict) else {}
            found = tuple(_finding(one, f"findings[{n}]") for n, one in enumerate(findings))
            return FormerReport(found, _targets(summary.get("targets")), _date(summary.get("started")))
        case {"fingerprint": _}:
            return FormerReport((_finding(document, "a line"),))
        case _:
            raise ReportError(_OTHERS)


def _run(run: Any) -> FormerReport:
    match run:
        case {"tool": {"driver": {"name": "oakum"}}, "results": list(results)}:
            pass
        case _:
            raise ReportError("is SARIF of another tool")
    invocations = run.get("invocations")
    first = invocations[0] if isinstance(invocations, list) and invocations else {}
    started = first.get("startTimeUtc") if isinstance(first, dict) else ""
    properties = run.get("properties")
    targets = properties.get("targets") if isinstance(properties, dict) else ()
    return FormerReport(
        tuple(_result(one, f"results[{n}]") for n, one in enumerate(results)), _targets(targets), _date(started)
    )


def _result(result: Any, where: str) -> Former:
    """A result of SARIF: its places are among its properties, as SARIF has no word for a blob of git."""
    match result:
        case {"ruleId": detector, "partialFingerprints": {"oakum/v1": name}, "properties": {"origins": list(origins)}}:
            lines = [_line(place) for place in (*result.get("locations", ()), *result.get("relatedLocations", ()))]
            lines += [0] * len(origins)
            verdict = result["properties"].get("verdict", {"state": "unknown", "reason": "not asked"})
            places = [{"origin": origin, "line": line} for origin, line in zip(origins, lines, strict=False)]
            one = {"fingerprint": name, "detector": detector, "verdict": verdict, "occurrences": places}
            return _finding(one, where)
        case _:
            raise ReportError(f"{where} is not as in a report")


def _line(location: Any) -> int:
    match location:
        case {"physicalLocation": {"region": {"startLine": int(line)}}}:
            return line
        case _:
            return 0


def _finding(finding: Any, where: str) -> Former:
    match finding:
        case {
            "fingerprint": str(name),
            "detector": str(detector),
            "verdict": {"state": ("live" | "dead" | "unknown") as state, "reason": str(reason)},
            "occurrences": list(occurrences),
        } if _ID.fullmatch(detector) and (not name or _FINGERPRINT.fullmatch(name)):
            verdict = Verdict(cast(Literal["live", "dead", "unknown"], state), _plain(reason))
            places = tuple(_place(one, where) for one in occurrences[:MOST_PLACES])
            return Former(name, detector, verdict, places)
        case _:
            raise ReportError(f"{where} is not as in a report")


def _place(occurrence: Any, where: str) -> FormerPlace:
    match occurrence:
        case {"origin": {"type": str()} as origin}:
            name = "scan_target" if origin["type"] == "git-message" else "target"
            line, target = occurrence.get("line", 0), origin.get(name, "")
            line = line if isinstance(line, int) and 0 <= line < 1 << 60 else 0
            return FormerPlace(_origin(origin), line, _plain(target) if isinstance(target, str) else "")
        case _:
            raise ReportError(f"{where}: an occurrence is not as in a report")


def _origin(origin: dict[str, Any]) -> Origin | None:
    """An origin as it stands in a report; None for one of another kind, or without what names it."""
    match origin:
        case {"type": "file"} if path := _bytes(origin, "path"):
            return File(path)
        case {"type": "git", "blob": str(blob)} if _OBJECT_ID.fullmatch(blob):
            commit = _text(origin, "commit")
            commit = commit if _OBJECT_ID.fullmatch(commit) else ""
            who = _text(origin, "author"), _text(origin, "date"), _reach(origin), _text(origin, "via")
            return GitBlob(blob, _bytes(origin, "path"), commit, *who)
        case {"type": "git-message", "message": ("commit" | "tag" | "note") as kind, "target": str(target)} if (
            _OBJECT_ID.fullmatch(target)
        ):
            who = _text(origin, "author"), _text(origin, "date"), _reach(origin), _text(origin, "via")
            return GitMessage(cast(Literal["commit", "tag", "note"], kind), target, *who)
        case {"type": "stdin"}:
            return Stdin()
        case {"type": "object"}:
            container, key = _bytes(origin, "container"), _bytes(origin, "key")
            return StoredObject(_text(origin, "store"), container, key, exposure=_exposure(origin))
        case {"type": "listing"}:
            container, key = _bytes(origin, "container"), _bytes(origin, "key")
            return ListingEntry(_text(origin, "listing"), container, key, _exposure(origin))
        case _:
            return None


def _text(origin: dict[str, Any], name: str) -> str:
    value = origin.get(name, "")
    return _plain(value) if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """The beginning of a text, without halves of characters, as JSON may hold them."""
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8")


def _bytes(origin: dict[str, Any], name: str) -> bytes:
    """A path or key: in base64, where it is not UTF-8."""
    coded, text = origin.get(f"{name}_bytes"), origin.get(name, "")
    if isinstance(coded, str):
        with suppress(ValueError):
            return base64.b64decode(coded, validate=True)
    return text.encode("utf-8", "replace") if isinstance(text, str) else b""


def _reach(origin: dict[str, Any]) -> Reach:
    reach = origin.get("reachable")
    return cast(Reach, reach) if reach in get_args(Reach) else "unreachable"


def _exposure(origin: dict[str, Any]) -> Exposure:
    exposure = origin.get("exposure")
    return cast(Exposure, exposure) if exposure in get_args(Exposure) else "unknown"


def _targets(targets: Any) -> tuple[str, ...]:
    if not isinstance(targets, list):
        return ()
    return tuple(one.encode("utf-8", "replace").decode("utf-8") for one in targets if isinstance(one, str) and one)


def _date(text: Any) -> str:
    """A time that is one."""
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(text).isoformat()
    return ""
