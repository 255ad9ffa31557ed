"""The JSON of `oakum listing`: schema 1, described in docs/listing.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..listed import Extent, Fetched, ListingResult, Named, Target
from ..model import BANDS
from .opening import sentence
from .options import ReportOptions
from .structured import bytes_as_json, finding_object, not_scanned_object, summary_object, to_json


def render(result: ListingResult, options: ReportOptions) -> Iterator[str]:
    """One document: what the targets come to, the plan, findings worst first, what was not read, a summary."""
    document = {
        "schema": 1,
        "complete": result.scan.complete,
        "targets": [_target(place, target, result, options) for place, target in enumerate(result.targets)],
        "named": {"bands": dict(result.named), "kinds": dict(result.kinds), "below_min_band": result.below_band},
        "plan": [_named(number, one, result) for number, one in enumerate(result.plan, 1)],
        "fetched": _fetched(result.fetched) if result.fetched else None,
        "findings": [finding_object(f, options) for f in result.scan.findings],
        "not_scanned": [not_scanned_object(n) for n in result.scan.not_scanned],
        "summary": summary_object(result.scan, options),
    }
    yield to_json(document, indent=2) + "\n"


def _plain(text: str, result: ListingResult) -> str:
    return result.shown(text.encode()).decode("utf-8", "replace")


def _fetched(fetched: Fetched) -> dict[str, int]:
    return {"objects": fetched.objects, "read_before": fetched.known, "bytes": fetched.bytes}


def _target(place: int, target: Target, result: ListingResult, options: ReportOptions) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": target.name,
        "kind": target.kind,
        "exposure": target.exposure,
        "complete": target.complete,
        "openness": target.openness,
        "sentence": sentence(place, result),
    }
    if target.url:
        url = finding_object(target.url, options)
        del url["occurrences"], url["occurrences_folded"]
        out["url"] = url
    out |= _extent(target.whole())
    out["containers"] = [
        bytes_as_json("name", result.shown(c.name)) | {"access": c.access, "changed": c.day.decode()}
        for c in target.containers.values()
    ]
    out["folders_not_entered"] = target.folders
    out["tree"] = [
        bytes_as_json("container", result.shown(container))
        | bytes_as_json("prefix", result.shown(prefix))
        | _extent(target.tree[container, prefix])
        for container, prefix in sorted(target.tree)
    ]
    return out


def _extent(extent: Extent) -> dict[str, Any]:
    return {
        "objects": extent.objects,
        "bytes": extent.size,
        "without_size": extent.unsized,
        "oldest": extent.oldest.decode("ascii", "replace"),
        "newest": extent.newest.decode("ascii", "replace"),
        "named": {band: count for band, count in zip(BANDS, extent.named, strict=True) if count},
    }


def _named(number: int, one: Named, result: ListingResult) -> dict[str, Any]:
    return (
        {"order": number, "target": result.targets[one.target].name}
        | bytes_as_json("container", result.shown(one.container))
        | bytes_as_json("key", result.shown(one.key))
        | {
            "bytes": None if one.size < 0 else one.size,
            "changed": one.day.decode("ascii", "replace"),
            "etag": _plain(one.etag, result),
            "version": _plain(one.version, result),
            "rule": one.rule.id,
            "kind": one.rule.kind,
            "impact": one.rule.impact,
            "chance": one.rule.chance,
            "reason": one.rule.reason,
            "band": one.band,
            "score": one.score,
            "worth": one.worth,
        }
    )
