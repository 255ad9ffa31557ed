"""What all reports may be told, and how they show a secret."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from ..model import NOT_ASKED, RankedFinding, Secret, clean


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """`color` is for terminals; `heading` is what is known of the target; `stats` adds times; `version` is oakum's."""

    color: bool = False
    show_secrets: bool = False
    stats: bool = False
    heading: tuple[str, ...] = ()
    version: str = ""
    width: int = 100


def shown(secret: Secret, options: ReportOptions) -> str:
    """The mask, or with --show-secrets the value."""
    return secret.reveal().decode("utf-8", "replace") if options.show_secrets else secret.mask()


def reasons(ranked: RankedFinding) -> list[str]:
    """What the factors of a rank say beyond its summary and beyond its verdict, safe to print."""
    told = bool(answer(ranked))
    return [
        clean(r.text) for r in ranked.reasons if r.text not in ranked.summary and not (told and r.factor == "verdict")
    ]


def answer(ranked: RankedFinding) -> str:
    """What came of asking about a finding beyond what its summary says, or why nobody was asked, safe to print; empty
    where that was not wished, or the finding says by itself that it is dead."""
    finding = ranked.finding
    verdict = finding.verdict
    if verdict.state == "live" and verdict.asked and finding.told in ranked.summary:
        says = "answers anybody" if finding.detector.kind == "exposure" else "takes it"
        return clean(f"live: {verdict.asked} {says}")
    if finding.detector.verify is None and verdict.state == "unknown":
        return ""  # of hundreds of findings nobody can be asked, and none of them would read it
    if verdict == NOT_ASKED or (verdict.state == "dead" and not verdict.asked):
        return ""
    said = finding.told if verdict.reason.startswith("not asked") else f"{verdict.state}: {finding.told}"
    heard = f" ({verdict.asked})" if verdict.asked and verdict.asked not in said else ""
    return clean(said + heard)


def wrapped(text: str, options: ReportOptions, first: str, others: str) -> list[str]:
    """A text in lines as wide as wished, with what stands before the first and before each other one."""
    return textwrap.wrap(
        text,
        options.width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
