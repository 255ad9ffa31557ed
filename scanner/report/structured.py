"""JSON and JSON Lines: schema 1, described in docs/reports.md."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from ..model import (
    UNSAFE,
    File,
    GitBlob,
    GitMessage,
    ListingEntry,
    NotScanned,
    Occurrence,
    Origin,
    RankedFinding,
    ScanResult,
    StoredObject,
    Suppression,
    Verdict,
)
from .options import ReportOptions, shown


def render_json(result: ScanResult, options: ReportOptions) -> Iterator[str]:
    """One document: schema, whether the scan is complete, findings worst first, what was not scanned, a summary."""
    document = {
        "schema": 1,
        "complete": result.complete,
        "findings": [finding_object(f, options) for f in result.findings],
        "not_scanned": [not_scanned_object(n) for n in result.not_scanned],
        "summary": summary_object(result, options),
    }
    yield to_json(document, indent=2) + "\n"


def render_jsonl(result: ScanResult, options: ReportOptions) -> Iterator[str]:
    """One finding a line, worst first."""
    for finding in result.findings:
        yield to_json(finding_object(finding, options)) + "\n"


def to_json(document: object, *, indent: int | None = None) -> str:
    """JSON in UTF-8, with an escape for each character that would act on a terminal (control, bidirectional)."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    return re.sub(UNSAFE, lambda m: m[0] if m[0] == "\n" else f"\\u{ord(m[0]):04x}", text)


def finding_object(ranked: RankedFinding, options: ReportOptions) -> dict[str, Any]:
    """A finding as JSON."""
    finding = ranked.finding
    detector = finding.detector
    return {
        "fingerprint": ranked.fingerprint,
        "detector": detector.id,
        "also": list(finding.also),
        "provider": detector.provider,
        "kind": detector.kind,
        "name": detector.name,
        "summary": ranked.summary,
        "band": ranked.band,
        "score": ranked.score,
        "severity": detector.severity,
        "confidence": ranked.confidence,
        "verdict": verdict_object(finding.verdict),
        "secret": shown(finding.secret, options),
        "facts": dict(finding.facts),
        "reasons": [{"factor": r.factor, "value": round(r.value, 3), "text": r.text} for r in ranked.reasons],
        "occurrences": [_occurrence(o) for o in finding.occurrences],
        "occurrences_folded": finding.folded,
        "rotate": detector.rotate,
    }


def verdict_object(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON: with what the provider told, and which host that was, where one was asked."""
    out: dict[str, Any] = {"state": verdict.state, "reason": verdict.reason}
    return out | ({"asked": verdict.asked, "facts": dict(verdict.facts)} if verdict.asked or verdict.facts else {})


def _occurrence(occurrence: Occurrence) -> dict[str, Any]:
    span = occurrence.span
    return {
        "origin": place_object(occurrence),
        "blobs": occurrence.blobs,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def place_object(occurrence: Occurrence) -> dict[str, Any]:
    """An origin with its class and its target, where it has them; `target` of a message is what carries it."""
    name = "scan_target" if isinstance(occurrence.origin, GitMessage) else "target"
    return (
        origin_object(occurrence.origin)
        | ({name: occurrence.target} if occurrence.target else {})
        | ({"class": occurrence.path_class} if occurrence.path_class else {})
    )


def origin_object(origin: Origin) -> dict[str, Any]:
    """An origin as JSON; a path that is not UTF-8 comes with `path_bytes` in base64."""
    match origin:
        case File():
            return {"type": "file"} | _path(origin.path)
        case GitBlob():
            out = {"type": "git", "blob": origin.blob} | _path(origin.path)
            return out | {"commit": origin.commit} | _who(origin)
        case GitMessage():
            return {"type": "git-message", "message": origin.message, "target": origin.target} | _who(origin)
        case StoredObject(store=store, version=version, etag=etag):
            return (
                {"type": "object", "store": store}
                | bytes_as_json("container", origin.container)
                | bytes_as_json("key", origin.key)
                | {"version": version, "etag": etag, "exposure": origin.exposure}
            )
        case ListingEntry(listing=listing):
            return (
                {"type": "listing", "listing": listing}
                | bytes_as_json("container", origin.container)
                | bytes_as_json("key", origin.key)
                | {"exposure": origin.exposure}
            )
        case _:
            return {"type": "stdin"}


def _who(origin: GitBlob | GitMessage) -> dict[str, Any]:
    out = {"author": origin.author, "date": origin.date, "reachable": origin.reach}
    return out | ({"via": origin.via} if origin.via else {})


def _path(path: bytes) -> dict[str, str]:
    return bytes_as_json("path", path)


def bytes_as_json(name: str, value: bytes) -> dict[str, str]:
    """A text of a target by a name; what is not UTF-8 comes as NAME_bytes in base64, too."""
    out = {name: value.decode("utf-8", "replace")}
    if out[name].encode() != value:
        out[f"{name}_bytes"] = base64.b64encode(value).decode()
    return out


def not_scanned_object(entry: NotScanned) -> dict[str, Any]:
    """What was not searched, as JSON."""
    return {
        "what": entry.what.decode("utf-8", "replace"),
        "why": entry.why,
        "policy": entry.policy,
        "count": entry.count,
    }


def _suppression(entry: Suppression) -> dict[str, str]:
    names = ("fingerprint", "path", "detector", "reason", "expires", "by", "seen", "source")
    return {name: str(value) for name in names if (value := getattr(entry, name))}


def summary_object(result: ScanResult, options: ReportOptions) -> dict[str, Any]:
    """Counts of what was covered, found and suppressed."""
    bands = {band: sum(f.band == band for f in result.findings) for band in ("critical", "high", "medium", "low")}
    coverage = result.coverage
    out: dict[str, Any] = {
        "version": options.version,
        "started": result.started.isoformat(),
        "targets": list(coverage.targets),
        "findings": bands,
        "below_min_band": result.below_band,
        "searched": dict(coverage.counts),
        "bytes": coverage.bytes,
        "seconds": round(coverage.seconds, 3),
        "detectors": coverage.detectors,
        "suppressed": dict(result.suppressed),
        "expired": [_suppression(entry) for entry in result.expired],
        "stale": [_suppression(entry) for entry in result.stale],
        "dropped": dict(result.dropped),
        "verdicts": dict(coverage.asked),
        "interrupted": result.interrupted,
    }
    if options.stats:
        out["matcher"], out["matcher_why"] = coverage.matcher, coverage.matcher_why
        out["packs"], out["copied"] = coverage.packs, coverage.copied
        out["stages"] = {name: round(seconds, 3) for name, seconds in coverage.stages}
    return out
