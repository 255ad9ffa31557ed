"""What passes between the stages of `oakum verify`: a former report, and what came of checking it again.

A report comes from outside, as what it is about did. Of a finding it says by which fingerprint it is known again, and
where that may be read; what kind of secret it is, whom to ask about it and where is found out anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .model import NOT_ASKED, Origin, RankedFinding, ScanResult, Verdict

OUTCOMES = ("newly live", "still live", "unknown", "revoked since", "dead")
"""What may come of a finding, what counts most first."""


@dataclass(frozen=True, slots=True)
class FormerPlace:
    """A place of a finding as the report has it, in the target of that name where there were several; without an origin
    where its kind is not known here."""

    origin: Origin | None
    line: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Former:
    """A finding of a former report. `detector` is the id of the one that named it then."""

    fingerprint: str
    detector: str
    verdict: Verdict
    places: tuple[FormerPlace, ...]


@dataclass(frozen=True, slots=True)
class FormerReport:
    """A former report: its findings, the targets as they were named then, and when it was made (ISO 8601), as far as it
    says so. `unnamed` findings have no fingerprint, as their scan was stopped."""

    findings: tuple[Former, ...]
    targets: tuple[str, ...] = ()
    started: str = ""
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class RecheckResult:
    """What came of it: `scan` has the findings that could be read again, with what their providers say now, and what
    could not be; `former` has the verdicts of then, by fingerprint."""

    scan: ScanResult
    former: Mapping[str, Verdict]
    report: FormerReport
    name: str

    def was(self, ranked: RankedFinding) -> Verdict:
        """The verdict that a finding had."""
        return self.former.get(ranked.fingerprint, NOT_ASKED)

    def outcome(self, ranked: RankedFinding) -> str:
        """What came of a finding, as one of `OUTCOMES`."""
        was, now = self.was(ranked).state, ranked.finding.verdict.state
        if now == "live":
            return "still live" if was == "live" else "newly live"
        if now == "dead":
            return "revoked since" if was == "live" else "dead"
        return "unknown"
