"""A finding judged: ranked, told in one line, and called dead where it has expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..headline import headline
from ..model import Finding, RankedFinding, Verdict
from ..rank import expired, rank


def judged(finding: Finding, now: datetime) -> RankedFinding:
    """The finding with its place in the list, but no fingerprint. What has expired is dead without asking anybody."""
    ranked = rank(finding, fingerprint="", now=now)
    reason = expired(finding, now)
    if reason and finding.verdict.state == "unknown":
        ranked = replace(ranked, finding=replace(finding, verdict=Verdict("dead", reason)))
    return replace(ranked, summary=headline(ranked))
