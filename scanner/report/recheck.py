"""The reports of `oakum verify`: those of a scan, with the verdict that each finding had before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ..model import RankedFinding, Verdict, clean
from ..rechecked import OUTCOMES, RecheckResult
from . import sarif
from .amounts import counted
from .options import ReportOptions, answer
from .structured import finding_object, not_scanned_object, summary_object, to_json, verdict_object
from .text import asked_of, finding_lines, not_scanned_lines, paint, searched_in

Render = Callable[[RecheckResult, ReportOptions], Iterator[str]]


def outcomes(result: RecheckResult) -> dict[str, int]:
    """How many findings there are of each outcome."""
    found = Counter(map(result.outcome, result.scan.findings))
    return {outcome: found[outcome] for outcome in OUTCOMES}


def render_text(result: RecheckResult, options: ReportOptions) -> Iterator[str]:
    """For people: each finding as in a scan, with the verdict of then and of now; what counts most first."""
    for line in options.heading:
        yield paint(line, "dim", options) + "\n"
    if options.heading:
        yield "\n"
    for ranked in result.scan.findings:
        yield from (line + "\n" for line in finding_lines(ranked, options, asked=_then_and_now(ranked, result)))
        yield "\n"
    yield from (line + "\n" for line in _summary(result, options))


def _then_and_now(ranked: RankedFinding, result: RecheckResult) -> str:
    verdict = ranked.finding.verdict
    now = answer(ranked) or f"{verdict.state}: {ranked.finding.told}"
    return f"{_was(result.was(ranked), result.report.started[:10])}, now {now}"


def _was(verdict: Verdict, day: str) -> str:
    on = f" on {day}" if day else ""
    if verdict.state == "unknown" and verdict.reason.startswith("not asked"):
        return f"was not asked about{on}"
    return f"was {verdict.state}{on}"


def _summary(result: RecheckResult, options: ReportOptions) -> Iterator[str]:
    scan = result.scan
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes(result).items() if number)
    checked = f"{counted(len(scan.findings), 'finding')} checked again"
    yield paint(f"{checked}: {told}" if told else checked, "bold", options)
    yield f"  searched     {searched_in(scan.coverage)}"
    yield f"  verified     {asked_of(scan.coverage.asked)}"
    if scan.interrupted:
        yield paint("  interrupted  it was stopped: this is what was told until then", "high", options)
    yield from not_scanned_lines(scan, options, "could not be checked again")


def render_json(result: RecheckResult, options: ReportOptions) -> Iterator[str]:
    """One document, of the form of a scan's: it can be checked again itself."""
    report = result.report
    document = {
        "schema": 1,
        "complete": result.scan.complete,
        "report": {"name": result.name, "started": report.started, "targets": list(report.targets)},
        "findings": [finding_object(one, options) | _former(one, result) for one in result.scan.findings],
        "not_scanned": [not_scanned_object(one) for one in result.scan.not_scanned],
        "summary": summary_object(result.scan, options) | {"outcomes": outcomes(result)},
    }
    yield to_json(document, indent=2) + "\n"


def render_jsonl(result: RecheckResult, options: ReportOptions) -> Iterator[str]:
    """One finding a line, what counts most first."""
    for one in result.scan.findings:
        yield to_json(finding_object(one, options) | _former(one, result)) + "\n"


def render_sarif(result: RecheckResult, options: ReportOptions) -> Iterator[str]:
    """As of a scan; the verdict of then is among the properties."""
    return sarif.render(result.scan, options, lambda one: _former(one, result))


def _former(ranked: RankedFinding, result: RecheckResult) -> dict[str, Any]:
    return {"outcome": result.outcome(ranked), "former_verdict": verdict_object(result.was(ranked))}


RECHECK_FORMATS: dict[str, Render] = {
    "text": render_text,
    "json": render_json,
    "jsonl": render_jsonl,
    "sarif": render_sarif,
}


def heading(result: RecheckResult, options: ReportOptions) -> Iterator[str]:
    """Which report was checked again, and where it was read again."""
    of = f" of {result.report.started[:10]}" if result.report.started else ""
    yield f"oakum {options.version}  {clean(result.name)}{of}"
    yield from (f"  {target}" for target in result.scan.coverage.targets)
