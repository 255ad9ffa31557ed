"""Rank: how urgent a finding is, 0 to 100, with the reason for every factor.

score = 100 x certainty x impact x exposure, each the product of named factors from the tables below, each factor in
[0, 1]. Nothing else decides the order, so that the report can say all of it.

- certainty: is it a credential at all (what the detector could check, a proved signature, how the value looks, where
  it stands, verdict);
- impact: how bad if it is (the detector's severity, privilege, scope, lifetime, limits, revocation, mode, encryption);
- exposure, in [0.6, 1]: who can see it (default branch, other branch, history, unreachable).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .model import (
    BANDS,
    EXPOSURE_WORDS,
    NOT_ASKED,
    REACH_WORDS,
    WRITERS,
    Exposure,
    Finding,
    GitBlob,
    GitMessage,
    ListingEntry,
    Occurrence,
    RankedFinding,
    Readers,
    Reason,
    StoredObject,
    is_here,
    is_reserved,
)

BAND_FROM = {"critical": 80, "high": 60, "medium": 30, "low": 0}
"""The lowest score of each band."""

SEVERITY = {"critical": 1.0, "high": 0.8, "medium": 0.6, "low": 0.3}

OPEN = "critical", "no credential is needed for it"
"""In place of a detector's own severity, for an exposure (an address) that was found open."""

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

CHECKED_IN_DOCS = 0.9
"""In place of that of `docs` for what passed an offline check: the largest leak stood in a README."""

EXPOSURES: dict[Exposure, float] = {"public": 1.0, "unknown": 0.97, "private": 0.9}
"""Of what lies in a store, or stands in a listing, by who can read it."""

REACH: dict[str, tuple[float, str]] = {
    "file": (1.0, "in a file"),
    **{str(exposure): (value, EXPOSURE_WORDS[exposure]) for exposure, value in EXPOSURES.items()},
    "head": (1.0, REACH_WORDS["head"]),
    "staged": (0.97, REACH_WORDS["staged"]),
    "branch": (0.95, REACH_WORDS["branch"]),
    "history": (0.9, REACH_WORDS["history"]),
    "unreachable": (0.8, REACH_WORDS["unreachable"]),
}

READERS: dict[Readers, tuple[float, str]] = {
    "public": (1.0, "in a repository that anybody can read"),
    "unknown": (1.0, ""),
    "internal": (0.98, "in a repository that the whole company can read"),
    "private": (0.95, "in a repository that only its own users can read"),
}
"""Of what lies in a repository, by who can read that."""

CASES = {
    "test mode": (0.35, "test mode: moves no real money or data"),
    "emulator": (0.03, "signed with the public key of a storage emulator"),
    "canary": (0.1, "a canary token ({}): its use tells whoever laid it out"),
    "encrypted": (0.4, "protected by a passphrase"),
    "not encrypted": (1.0, "not protected by a passphrase"),
    "host for examples": (0.45, "the host {} is reserved for examples"),
    "host is this machine": (0.6, "for this machine's own address only"),
    "common password": (0.8, "a password like those in manuals"),
    "comment": (0.8, "stands in a comment or a documentation string"),
    "proved": (1.0, "its signature was made with a key that stands in the same scan, or is public"),
    "refuted": (0.95, "none of its account's keys that are known here made its signature; an account has two"),
    "problems": (0.6, "something is wrong with it: {}"),
    "limited to addresses": (0.8, "only from {}"),
    "any address": (1.0, "any IP"),
    "https only": (0.99, "https only"),
    "plain http": (1.0, "plain http allowed"),
}
"""What a fact says of a secret; `{}` stands for the fact itself."""

PRIVILEGES = {
    "admin": (1.0, "administrator's rights"),
    "full": (1.0, "full control"),
    "write": (0.95, "write access"),
    "list": (0.85, "list access"),
    "read": (0.8, "read access"),
    "none": (0.5, "opens nothing by itself"),
}
"""By the fact `privilege`, most first."""

SCOPES = {
    "organization": (1.0, "opens a whole organization"),
    "account": (1.0, "opens a whole account"),
    "project": (0.97, "opens one project"),
    "container": (0.92, "opens one container"),
    "object": (0.85, "opens one object"),
}
"""By the fact `scope`, widest first."""

LIFETIMES = (
    (timedelta(0), 0.15, "expired on {} ({})"),
    (timedelta(days=1), 0.7, "expires {} ({})"),
    (timedelta(days=30), 0.85, "expires {} ({})"),
    (timedelta(days=365), 0.95, "expires {} ({})"),
    (timedelta.max, 1.0, "expires {} ({})"),
)
"""By the time that is left, shortest first. What never expires has no factor."""

REVOCATIONS = {
    "account key": (1.0, "can be revoked only by rotating the account key"),
    "signing key": (1.0, "can be ended only through the key that signed it"),
    "delegation key": (0.97, "can be revoked with the user delegation keys of the account"),
    "policy": (0.95, "can be revoked by deleting its stored access policy"),
}
"""By the fact `revocation`, hardest first."""

EVERYWHERE = ("any", "0.0.0.0-255.255.255.255")
"""Of the fact `ip`."""

LIVE_FLOOR = BAND_FROM["high"]
"""What is live and may write is never below it, wherever it stands."""
HARMLESS = (("mode", "test"), ("privilege", "none"))
"""What a provider may tell of a live one that makes it less than what nobody was asked about."""

VERDICTS = {"live": 1.0, "unknown": 0.97, "dead": 0.1}


def rank(finding: Finding, *, fingerprint: str, now: datetime) -> RankedFinding:
    """Score a finding; `now` (with a time zone) decides what has expired."""
    certainty = [*_evidence(finding), *_host(finding), *_strength(finding), *_place(finding), *_verdict(finding)]
    impact = [*_severity(finding), *_privilege(finding), *_lifetime(finding, now), *_limits(finding)]
    exposure = _exposure(finding.occurrences)
    confidence = math.prod(r.value for r in certainty)
    score = round(100 * confidence * math.prod(r.value for r in impact) * max(0.6, exposure.value))
    reasons = [r for r in (*impact, *certainty, exposure) if r.text]
    if finding.verdict.state == "live":
        least, why = _floor(finding, now)
        if score < least:
            score = least
            reasons.append(Reason("floor", 1.0, why))
    return RankedFinding(finding, fingerprint, score, band_of(score), round(confidence, 2), tuple(reasons))


def _floor(finding: Finding, now: datetime) -> tuple[int, str]:
    """The least score of a live one, and why: what its provider tells of it must not make it less than what nobody was
    asked about, but where that makes it harmless."""
    privilege = _fact(finding, "privilege")
    if privilege in WRITERS or (finding.detector.kind == "admin-credential" and not privilege):
        least, why = LIVE_FLOOR, f"live, and it may write: never below {LIVE_FLOOR}"
    else:
        least, why = 0, ""
    if finding.verdict.facts and not any(fact in HARMLESS for fact in finding.verdict.facts):
        unasked = rank(replace(finding, verdict=NOT_ASKED), fingerprint="", now=now).score
        if unasked > least:
            return unasked, f"live: never below {unasked}, where it would be if nobody had been asked"
    return least, why


def _fact(finding: Finding, name: str) -> str:
    return finding.known.get(name, "")


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
    """A proved signature is better evidence than any format."""
    facts = finding.known
    value, text = EVIDENCE[finding.detector.specificity]
    if facts.get("signature") == "proved":
        return [_case("evidence", "proved")]
    found = [Reason("evidence", value, text)]
    if facts.get("signature") == "refuted":
        found.append(_case("signature", "refuted"))
    if facts.get("problems"):
        found.append(_case("problems", "problems", facts["problems"]))
    return found


def _host(finding: Finding) -> list[Reason]:
    """Names kept for examples (RFC 2606, RFC 6761) and this machine's own open nothing that others can reach."""
    host = _fact(finding, "host")
    if not is_reserved(host):
        return []
    return [_case("host", "host is this machine") if is_here(host) else _case("host", "host for examples", host)]


def _strength(finding: Finding) -> list[Reason]:
    """A password such as the ones in manuals is more often one that was made up; still, people do use them."""
    if _fact(finding, "strength") == "common":
        return [_case("strength", "common password")]
    return []


def _place(finding: Finding) -> list[Reason]:
    """The best of all places counts: a secret in a test and in the source is in the source.

    What documentation shows is often made up; of what was checked that is less likely. Comments and documentation
    strings explain settings with made-up values; a token of a provider's own format is as leaked there as anywhere.
    """
    values = {c: PLACES[c][0] for c in {o.path_class for o in finding.occurrences}}
    if "docs" in values and finding.detector.specificity == 3:
        values["docs"] = CHECKED_IN_DOCS
    classes = sorted(values, key=lambda c: (-values[c], c))
    value, text = values[classes[0]], PLACES[classes[0]][1]
    if text and len(classes) > 1:
        text = f"stands in {', '.join(classes)} files only"
    found = [Reason("place", value, text)]
    if finding.detector.specificity < 2 and all(o.excerpt.comment for o in finding.occurrences):
        found.append(_case("comment", "comment"))
    return found


def _verdict(finding: Finding) -> list[Reason]:
    state = finding.verdict.state
    text = "" if state == "unknown" else f"{state}: {finding.told}"
    return [Reason("verdict", VERDICTS[state], text)]


def _severity(finding: Finding) -> list[Reason]:
    if finding.detector.kind == "exposure" and finding.verdict.state == "live":
        severity, text = OPEN
        return [Reason("severity", SEVERITY[severity], text)]
    return [Reason("severity", SEVERITY[finding.detector.severity], _opens(finding))]


def _opens(finding: Finding) -> str:
    facts = dict(finding.facts)  # what the provider told stands with its verdict
    known = _SAID_BY_ITSELF if finding.detector.kind == "sas" and "type" in facts else ()
    said = [f"{label} {facts[name]}" for name, label in _SAID if name in facts and name not in known]
    return f"base severity {finding.detector.severity}" + (f" ({', '.join(said)})" if said else "")


_SAID = (
    ("type", "type"),
    ("user", "user"),
    ("role", "role"),
    ("account", "account"),
    ("access_key_id", "key id"),
    ("key_id", "key id"),
    ("client_id", "client"),
    ("tenant", "tenant"),
    ("team", "team"),
    ("host", "host"),
    ("database", "database"),
    ("service", "service"),
    ("resource", "resource"),
    ("project", "project"),
    ("email", "identity"),
    ("issuer", "issuer"),
    ("key_type", "key type"),
    ("key_size", "bits"),
    ("algorithm", "algorithm"),
    ("public_key", "public half"),
    ("scheme", "scheme"),
    ("scopes", "scopes"),
    ("policy", "stored policy"),
    ("signed_by", "signed for"),
    ("unknown", "unknown"),
)


_SAID_BY_ITSELF = ("type", "account", "service", "resource", "policy", "scopes")
"""Of a signed URL, what its summary says."""


ENDS = ("expires", "key_expires")
"""Facts after which a secret opens nothing: its own end, and that of the key which signed it."""


def _lifetime(finding: Finding, now: datetime) -> list[Reason]:
    end = _end(finding)
    if end is None:
        return []
    left = end - now
    value, text = next((value, text) for limit, value, text in LIFETIMES if left <= limit)
    return [Reason("lifetime", value, text.replace("{}", end.date().isoformat(), 1).replace("{}", span_of(left)))]


def expired(finding: Finding, now: datetime) -> str:
    """Since when it opens nothing any more, in words; empty where it still may."""
    end = _end(finding)
    return _lifetime(finding, now)[0].text if end is not None and end <= now else ""


def _end(finding: Finding) -> datetime | None:
    """From when on it opens nothing; None where it does not say."""
    return min((at for name in ENDS if (at := _time(_fact(finding, name)))), default=None)


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def span_of(left: timedelta) -> str:
    """A time from now in words: `in 24 years`, `3 days ago`, `within a day`."""
    days = abs(left) // timedelta(days=1)
    number, unit = next(
        (days // size, unit) for size, unit in ((365, "year"), (30, "month"), (1, "day")) if days >= size or size == 1
    )
    if not number:
        return "within a day" if left > timedelta(0) else "less than a day ago"
    words = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"in {words}" if left > timedelta(0) else f"{words} ago"


def _privilege(finding: Finding) -> list[Reason]:
    """What it allows, and on how much."""
    facts = finding.known
    found: list[Reason] = []
    if facts.get("privilege") in PRIVILEGES:
        value, text = PRIVILEGES[facts["privilege"]]
        letters = facts.get("permissions", "")
        if facts["privilege"] == "list" and "read" in facts.get("allows", ""):
            text = f"read and {text}"
        found.append(Reason("privilege", value, f"{text} ({letters})" if letters else text))
    if facts.get("scope") in SCOPES:
        found.append(Reason("scope", *SCOPES[facts["scope"]]))
    if facts.get("mode") == "test":
        found.append(_case("mode", "test mode"))
    if facts.get("mode") == "emulator":
        found.append(_case("mode", "emulator"))
    if facts.get("canary"):
        found.append(_case("canary", "canary", facts["canary"]))
    if facts.get("encrypted") == "yes":
        found.append(_case("encrypted", "encrypted"))
    elif facts.get("encrypted") == "no":
        found.append(_case("encrypted", "not encrypted"))
    return found


def _limits(finding: Finding) -> list[Reason]:
    """From where and over what it can be used, and what it takes to end that."""
    facts = finding.known
    found: list[Reason] = []
    if facts.get("ip") in EVERYWHERE:
        found.append(_case("ip", "any address"))
    elif facts.get("ip"):
        found.append(_case("ip", "limited to addresses", facts["ip"]))
    if facts.get("protocol"):
        found.append(_case("protocol", "https only" if facts["protocol"] == "https" else "plain http"))
    if facts.get("revocation") in REVOCATIONS:
        found.append(Reason("revocation", *REVOCATIONS[facts["revocation"]]))
    return found


def reach_of(occurrence: Occurrence) -> str:
    """The key of `REACH` for an occurrence."""
    origin = occurrence.origin
    if isinstance(origin, StoredObject | ListingEntry):
        return origin.exposure
    return origin.reach if isinstance(origin, GitBlob | GitMessage) else "file"


def _exposure(occurrences: Iterable[Occurrence]) -> Reason:
    best = max(occurrences, key=lambda o: REACH[reach_of(o)][0] * READERS[o.readers][0])
    value, text = REACH[reach_of(best)]
    origin = best.origin
    if isinstance(origin, GitBlob | GitMessage) and origin.via and origin.reach in ("unreachable", "branch"):
        text = f"{text} ({origin.via})"
    factor, readers = READERS[best.readers]
    return Reason("exposure", value * factor, f"{text}, {readers}" if readers else text)
