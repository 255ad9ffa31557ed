"""SARIF 2.1.0, for code-scanning uploads (OASIS standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any
from urllib.parse import quote

from ..model import File, GitBlob, GitMessage, ListingEntry, Occurrence, RankedFinding, ScanResult, StoredObject
from .options import ReportOptions, answer, reasons, shown
from .structured import place_object, to_json, verdict_object

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVEL = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
LOCATIONS = 20
"""Locations given for one result; code-scanning services refuse results with very many."""


def render(
    result: ScanResult, options: ReportOptions, more: Callable[[RankedFinding], dict[str, Any]] = lambda _: {}
) -> Iterator[str]:
    """One run: a rule for each detector that found something, a result for each finding; `more` are properties of its
    besides those of a scan."""
    rules = {f.finding.detector.id: _rule(f) for f in result.findings}
    indexes = {name: place for place, name in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "oakum",
                "semanticVersion": options.version,
                "rules": list(rules.values()),
            }
        },
        "columnKind": "utf16CodeUnits",
        "invocations": [
            {
                "executionSuccessful": result.complete,
                "startTimeUtc": result.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "toolExecutionNotifications": [
                    {
                        "level": "note" if entry.policy else "warning",
                        "message": {"text": f"not scanned: {entry.what.decode('utf-8', 'replace')}: {entry.why}"},
                    }
                    for entry in result.not_scanned
                ],
            }
        ],
        "results": [_result(f, indexes[f.finding.detector.id], options, more(f)) for f in result.findings],
        "properties": {"targets": list(result.coverage.targets)},
    }
    yield to_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(ranked: RankedFinding) -> dict[str, Any]:
    detector = ranked.finding.detector
    score = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}[detector.severity]
    rule: dict[str, Any] = {
        "id": detector.id,
        "name": detector.name,
        "shortDescription": {"text": detector.name},
        "defaultConfiguration": {"level": LEVEL[detector.severity]},
        "properties": {"security-severity": score, "tags": ["security", "secret", detector.kind]},
    }
    if detector.rotate:
        rule["helpUri"] = detector.rotate
    return rule


def _result(ranked: RankedFinding, rule: int, options: ReportOptions, more: dict[str, Any]) -> dict[str, Any]:
    finding = ranked.finding
    why = "; ".join(filter(None, (answer(ranked), *reasons(ranked))))
    return {
        "ruleId": finding.detector.id,
        "ruleIndex": rule,
        "level": LEVEL[ranked.band],
        "rank": float(ranked.score),
        "message": {
            "text": f"{_plain(ranked.summary)} {shown(finding.secret, options)} ({ranked.band}): {_plain(why)}"
        },
        "locations": [_location(o) for o in finding.occurrences[:1]],
        "relatedLocations": [_location(o) | {"id": n} for n, o in enumerate(finding.occurrences[1:LOCATIONS], 1)],
        "fingerprints": {"oakum/v1": ranked.fingerprint},
        "partialFingerprints": {"oakum/v1": ranked.fingerprint},
        "properties": {
            "band": ranked.band,
            "confidence": ranked.confidence,
            "verdict": verdict_object(finding.verdict),
            "facts": dict(finding.facts),
            "origins": [place_object(o) for o in finding.occurrences[:LOCATIONS]],
        }
        | more,
    }


def _plain(text: str) -> str:
    """A message without links: viewers make some of `[text](target)` (SARIF 2.1.0, 3.11.6)."""
    return re.sub(r"([\\\[\]])", r"\\\1", text)


def _location(occurrence: Occurrence) -> dict[str, Any]:
    span = occurrence.span
    start, end = span.column - span.wide[0], span.end_column - span.wide[1]
    region = {
        "startLine": max(1, span.line),
        "startColumn": max(1, start),
        "endLine": max(1, span.end_line),
        "endColumn": max(1, end),
    }
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(occurrence)}, "region": region}}


def _uri(occurrence: Occurrence) -> str:
    """A relative reference (RFC 3986), every other byte percent-encoded; messages have none and get a made-up one."""
    match occurrence.origin:
        case File(path=path) | GitBlob(path=path) if path:
            text = quote(path.replace(b"\\", b"/"), safe="/")
            return text if not text.startswith("/") else f"file://{text}"
        case GitBlob(blob=blob):
            return f"git/blob/{blob}"
        case GitMessage(message=kind, target=target):
            return f"git/{kind}/{target}"
        case StoredObject(container=container, key=key):
            return "store/" + quote(b"/".join(filter(None, (container, key))), safe="/")
        case ListingEntry(container=container, key=key):
            return "listing/" + quote(b"/".join(filter(None, (container, key))), safe="/")
        case _:
            return "stdin"
