"""Figures of a sweep for Prometheus, in its text format, for a file that node_exporter's textfile collector reads.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based format) and
https://prometheus.io/docs/practices/naming/. A name of a repository stands in no label: there may be thousands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from ..model import BANDS
from ..swept import NEWS, News, State


def render(news: News, status: Mapping[str, Any]) -> Iterator[str]:
    """All metrics of a store after a sweep: `status` is that of the store."""
    counts, findings = news.counts, status["findings"]
    yield from _metric(
        "oakum_sweep_start_timestamp_seconds", "When the last sweep began.", {"": news.started.timestamp()}
    )
    yield from _metric("oakum_sweep_end_timestamp_seconds", "When the last sweep ended.", {"": news.ended.timestamp()})
    duration = (news.ended - news.started).total_seconds()
    yield from _metric("oakum_sweep_duration_seconds", "How long the last sweep took.", {"": duration})
    yield from _metric(
        "oakum_sweep_complete", "Whether all could be listed and searched.", {"": 1 if news.complete else 0}
    )
    yield from _metric(
        "oakum_sweep_repositories",
        "Repositories of the last sweep, by how the work on them ended.",
        {_label("ending", ending): counts.get(ending, 0) for ending in ("searched", "unchanged", "failed")},
    )
    yield from _metric(
        "oakum_sweep_unlisted_parts", "Parts of targets that hosts did not list.", {"": len(news.unlisted)}
    )
    yield from _metric(
        "oakum_sweep_clone_bytes", "Bytes of the clones that were searched.", {"": counts.get("bytes", 0)}
    )
    yield from _metric("oakum_sweep_blobs", "Blobs of repositories that were searched.", {"": counts.get("blobs", 0)})
    yield from _metric(
        "oakum_sweep_news",
        "Findings that changed in the last sweep, by what changed.",
        {_label("change", change): counts.get(change, 0) for change in NEWS},
    )
    yield from _metric(
        "oakum_findings",
        "Findings in the store, by state.",
        {_label("state", state): findings["states"].get(state, 0) for state in get_args(State)},
    )
    yield from _metric(
        "oakum_findings_counting",
        "Findings that somebody has to do something about, by band.",
        {_label("band", band): findings["bands"].get(band, 0) for band in BANDS},
    )
    yield from _metric(
        "oakum_repositories_failing",
        "Repositories that could not be searched whole when they were last tried.",
        {"": status["repositories"]["failing"]},
    )
    deliveries = status["deliveries"]["counts"]
    yield from _metric(
        "oakum_deliveries",
        "Messages to webhooks, by what became of them.",
        {_label("status", name): number for name, number in deliveries.items()},
    )


def _metric(name: str, about: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
    for labels, value in values.items():
        yield f"{name}{labels} {value:.15g}\n"


def _label(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{{name}="{escaped}"}}'
