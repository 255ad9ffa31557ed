"""Rank: how urgent a finding is, 0 to 100, with the reason for every factor.

score = 100 x certainty x impact x exposure, each the product of named factors from the tables below, each factor in
[0, 1]. Nothing else decides the order, so that the report can say all of it.

- certainty: is it a credential at all (what the detector could check, how the value looks, where it stands, verdict);
- impact: how bad if it is (the detector's severity, privilege, lifetime, encryption);
- exposure, in [0.6, 1]: who can see it (default branch, other branch, history, unreachable).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from .model import BANDS, REACH_WORDS, Finding, GitBlob, GitMessage, Occurrence, RankedFinding, Reason

BAND_FROM = {"critical": 80, "high": 60, "medium": 30, "low": 0}
"""The lowest score of each band."""

SEVERITY = {"critical": 1.0, "high": 0.8, "medium": 0.6, "low": 0.3}

EVIDENCE = {
    3: (0.98, "format and offline check pass"),
    2: (0.93, "has the provider's format"),
    1: (0.87, "matched by its context"),
    0: (0.72, "generic match by name and value"),
}
"""By the detector's specificity."""

PLACES = {
    "": (1.0, ""),
    "docs": (0.75, "stands in documentation only"),
    "vendored": (0.75, "stands in vendored code only"),
    "minified": (0.75, "stands in generated or minified code only"),
    "example": (0.5, "stands in examples only"),
    "test": (0.45, "stands in tests only"),
}

REACH = {
    "file": (1.0, "in a file"),
    "head": (1.0, REACH_WORDS["head"]),
    "staged": (0.97, REACH_WORDS["staged"]),
    "branch": (0.95, REACH_WORDS["branch"]),
    "history": (0.9, REACH_WORDS["history"]),
    "unreachable": (0.8, REACH_WORDS["unreachable"]),
}

CASES = {
    "expired": (0.15, "expired on {}"),
    "not expired yet": (1.0, "valid until {}"),
    "test mode": (0.35, "test mode: moves no real money or data"),
    "encrypted": (0.4, "protected by a passphrase"),
    "not encrypted": (1.0, "not protected by a passphrase"),
    "host for examples": (0.45, "the host {} is reserved for examples"),
    "host is this machine": (0.6, "for this machine's own address only"),
    "common password": (0.8, "a password like those in manuals"),
    "comment": (0.8, "stands in a comment or a documentation string"),
}
"""What a fact says of a secret; `{}` stands for the fact itself."""

VERDICTS = {"live": 1.0, "unknown": 0.97, "dead": 0.1}


def rank(finding: Finding, *, fingerprint: str, now: datetime) -> RankedFinding:
    """Score a finding; `now` (with a time zone) decides what has expired."""
    certainty = [*_evidence(finding), *_host(finding), *_strength(finding), *_place(finding), *_verdict(finding)]
    impact = [*_severity(finding), *_lifetime(finding, now), *_privilege(finding)]
    exposure = _exposure(finding.occurrences)
    confidence = math.prod(r.value for r in certainty)
    score = round(100 * confidence * math.prod(r.value for r in impact) * max(0.6, exposure.value))
    reasons = tuple(r for r in (*impact, *certainty, exposure) if r.text)
    return RankedFinding(finding, fingerprint, score, band_of(score), round(confidence, 2), reasons)


def band_of(score: int) -> str:
    """The band that a score lies in."""
    return next(band for band in BANDS if score >= BAND_FROM[band])


def order(found: Iterable[RankedFinding]) -> list[RankedFinding]:
    """Worst first; ties by detector, then by fingerprint, so that the order is the same every time."""
    return sorted(found, key=lambda r: (-r.score, r.finding.detector.id, r.fingerprint))


def _case(factor: str, case: str, fact: str = "") -> Reason:
    value, text = CASES[case]
    return Reason(factor, value, text.replace("{}", fact))


def _evidence(finding: Finding) -> list[Reason]:
    value, text = EVIDENCE[finding.detector.specificity]
    return [Reason("evidence", value, text)]


def _host(finding: Finding) -> list[Reason]:
    """Names kept for examples (RFC 2606, RFC 6761) and this machine's own open nothing that others can reach."""
    host = dict(finding.facts).get("host", "").lower().rstrip(".").partition(":")[0]
    if re.search(r"(^|\.)(example(\.(com|net|org))?|test|invalid)$", host):
        return [_case("host", "host for examples", host)]
    if re.fullmatch(r"localhost|127(\.\d{1,3}){3}|\[::1\]|0\.0\.0\.0|.*\.localhost", host):
        return [_case("host", "host is this machine")]
    return []


def _strength(finding: Finding) -> list[Reason]:
    """A password such as the ones in manuals is more often one that was made up; still, people do use them."""
    if dict(finding.facts).get("strength") == "common":
        return [_case("strength", "common password")]
    return []


def _place(finding: Finding) -> list[Reason]:
    """The best of all places counts: a secret in a test and in the source is in the source.

    Comments and documentation strings explain settings with made-up values; a token of a provider's own format is as
    leaked there as anywhere.
    """
    classes = sorted({o.path_class for o in finding.occurrences}, key=lambda c: -PLACES[c][0])
    value, text = PLACES[classes[0]]
    if text and len(classes) > 1:
        text = f"stands in {', '.join(classes)} files only"
    found = [Reason("place", value, text)]
    if finding.detector.specificity < 2 and all(o.excerpt.comment for o in finding.occurrences):
        found.append(_case("comment", "comment"))
    return found


def _verdict(finding: Finding) -> list[Reason]:
    state = finding.verdict.state
    text = "" if state == "unknown" else f"{state}: {finding.verdict.reason}"
    return [Reason("verdict", VERDICTS[state], text)]


def _severity(finding: Finding) -> list[Reason]:
    return [Reason("severity", SEVERITY[finding.detector.severity], _opens(finding))]


def _opens(finding: Finding) -> str:
    facts = dict(finding.facts)
    said = [f"{label} {facts[name]}" for name, label in _SAID if name in facts]
    return f"base severity {finding.detector.severity}" + (f" ({', '.join(said)})" if said else "")


_SAID = (
    ("user", "user"),
    ("account", "account"),
    ("access_key_id", "key id"),
    ("client_id", "client"),
    ("tenant", "tenant"),
    ("host", "host"),
    ("database", "database"),
    ("project", "project"),
    ("email", "identity"),
    ("issuer", "issuer"),
    ("key_type", "type"),
    ("scheme", "scheme"),
)


def _lifetime(finding: Finding, now: datetime) -> list[Reason]:
    expires = dict(finding.facts).get("expires")
    if not expires:
        return []
    try:
        at = datetime.fromisoformat(expires)
    except ValueError:
        return []
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return [_case("lifetime", "expired" if at < now else "not expired yet", expires[:10])]


def _privilege(finding: Finding) -> list[Reason]:
    facts = dict(finding.facts)
    found: list[Reason] = []
    if facts.get("mode") == "test":
        found.append(_case("mode", "test mode"))
    if facts.get("encrypted") == "yes":
        found.append(_case("encrypted", "encrypted"))
    elif facts.get("encrypted") == "no":
        found.append(_case("encrypted", "not encrypted"))
    return found


def reach_of(occurrence: Occurrence) -> str:
    """The key of `REACH` for an occurrence."""
    origin = occurrence.origin
    return origin.reach if isinstance(origin, GitBlob | GitMessage) else "file"


def _exposure(occurrences: Iterable[Occurrence]) -> Reason:
    best = max(occurrences, key=lambda o: REACH[reach_of(o)][0])
    value, text = REACH[reach_of(best)]
    origin = best.origin
    if isinstance(origin, GitBlob | GitMessage) and origin.via and origin.reach in ("unreachable", "branch"):
        text = f"{text} ({origin.via})"
    return Reason("exposure", value, text)
