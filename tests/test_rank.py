"""Rank: every score can be explained, and all else equal the order is the one that a reader expects."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner import catalog, rank
from oakum.scanner.model import (
    BANDS,
    EXPOSURE_WORDS,
    REACH_WORDS,
    SEVERITIES,
    Detector,
    Excerpt,
    File,
    Finding,
    GitBlob,
    GitMessage,
    ListingEntry,
    Occurrence,
    Origin,
    RankedFinding,
    Secret,
    Span,
    Stdin,
    StoredObject,
    Verdict,
)

NOW = datetime(2027, 1, 1, tzinfo=UTC)
DETECTORS = catalog.load()
SPAN, EXCERPT = Span(0, 1), Excerpt(b"", 0, 0)


def place(origin: Origin, path_class: str = "") -> Occurrence:
    return Occurrence(origin, SPAN, EXCERPT, path_class=path_class)


ORIGINS: dict[str, Origin] = {
    "file": File(b"a"),
    **{reach: GitBlob("b" * 40, b"a", reach=reach) for reach in REACH_WORDS},
    **{exposure: StoredObject("s3://acme", b"acme", b"a", exposure=exposure) for exposure in EXPOSURE_WORDS},
}
CLASSES = sorted(rank.PLACES)
FACTS = {
    "expires": ("2026-06-01T00:00:00+00:00", "2030-01-01T00:00:00+00:00", "2031-01-01", "not a date"),
    "mode": ("test", "live"),
    "encrypted": ("yes", "no"),
    "host": ("db.acme.io", "localhost", "db.example.com"),
    "user": ("admin",),
    "privilege": tuple(rank.PRIVILEGES),
    "permissions": ("racwdl",),
    "scope": tuple(rank.SCOPES),
    "revocation": tuple(rank.REVOCATIONS),
    "ip": ("any", "0.0.0.0-255.255.255.255", "192.0.2.1"),
    "protocol": ("https", "https,http"),
    "signature": ("proved", "refuted"),
    "problems": ("it ends before it begins",),
    "canary": ("Canary & Co.",),
    "key_expires": ("2026-06-01T00:00:00Z", "2031-01-01T00:00:00Z"),
}

TOLD = {
    "user": ("octocat",),
    "privilege": tuple(rank.PRIVILEGES),
    "scope": tuple(rank.SCOPES),
    "mode": ("test", "live"),
    "expires": ("2026-06-01T00:00:00+00:00", "2030-01-01T00:00:00+00:00"),
}
"""What a provider may say of a live one."""

origins = (
    st.sampled_from(sorted(ORIGINS)).map(ORIGINS.__getitem__)
    | st.just(Stdin())
    | st.just(GitMessage("commit", "c" * 40, reach="history"))
)
occurrences = st.lists(st.builds(place, origins, st.sampled_from(CLASSES)), min_size=1, max_size=4).map(tuple)
facts = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in FACTS.items()})
told = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in TOLD.items()})
lives = told.map(lambda facts: Verdict("live", "asked", tuple(facts.items()), "api.acme.io"))
findings = st.builds(
    Finding,
    detector=st.sampled_from(DETECTORS),
    also=st.just(()),
    secret=st.just(Secret(b"value")),
    facts=facts.map(lambda f: tuple(f.items())),
    occurrences=occurrences,
    folded=st.integers(0, 5),
    verdict=lives | st.sampled_from(("dead", "unknown")).map(lambda state: Verdict(state, "asked")),
)


def ranked(finding: Finding) -> RankedFinding:
    return rank.rank(finding, fingerprint="f" * 26, now=NOW)


def score(finding: Finding) -> int:
    return ranked(finding).score


def with_fact(finding: Finding, name: str, value: str | None) -> Finding:
    others = tuple((n, v) for n, v in finding.facts if n != name)
    return replace(finding, facts=others if value is None else (*others, (name, value)))


# --- what every rank is ---------------------------------------------------------------------------------------------


@given(findings)
def test_a_score_lies_between_0_and_100_in_the_band_that_it_names(finding: Finding) -> None:
    """Confidence is a probability."""
    found = ranked(finding)
    assert 0 <= found.score <= 100
    assert 0 <= found.confidence <= 1
    above = [band for band in BANDS if found.score >= rank.BAND_FROM[band]]
    assert found.band == above[0] == rank.band_of(found.score)


@given(findings)
def test_every_factor_lies_between_0_and_1_and_says_why(finding: Finding) -> None:
    """No factor twice."""
    reasons = ranked(finding).reasons
    assert all(0 < r.value <= 1 and r.text for r in reasons)
    names = [r.factor for r in reasons]
    assert len(names) == len(set(names))


@given(findings)
def test_nothing_but_the_factors_decides_the_score(finding: Finding) -> None:
    """Factors without a word for the reader are those of the ordinary case: no place class, not asked."""
    found = ranked(finding)
    silent = rank.VERDICTS["unknown"] if finding.verdict.state == "unknown" else 1.0
    product = round(100 * silent * math.prod(r.value for r in found.reasons))
    floors = [r.text for r in found.reasons if r.factor == "floor"]
    assert floors == [] or (finding.verdict.state == "live" and found.score > product)
    assert f"never below {found.score}" in floors[0] if floors else found.score == product


@given(findings)
def test_a_rank_is_the_same_every_time(finding: Finding) -> None:
    """Whatever the order of the occurrences."""
    turned = replace(finding, occurrences=finding.occurrences[::-1])
    assert (score(turned), ranked(turned).band) == (score(finding), ranked(finding).band)


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (100, "critical"),
        (80, "critical"),
        (79, "high"),
        (60, "high"),
        (59, "medium"),
        (30, "medium"),
        (29, "low"),
        (0, "low"),
    ],
)
def test_bands(value: int, band: str) -> None:
    """Critical from 80, high from 60, medium from 30."""
    assert rank.band_of(value) == band


@given(st.lists(findings, max_size=6))
def test_findings_come_worst_first(found: list[Finding]) -> None:
    """Ties by detector, so that two runs give one order."""
    order = rank.order(ranked(f) for f in found)
    keys = [(-r.score, r.finding.detector.id) for r in order]
    assert keys == sorted(keys)


def test_exposure_never_takes_more_than_two_fifths() -> None:
    """A secret that nobody seems to see is still one."""
    assert all(0.6 <= value <= 1 for value, _ in rank.REACH.values())


def test_every_word_that_a_rank_can_meet_has_a_value() -> None:
    """Reaches, severities."""
    assert set(rank.REACH) == {"file", *REACH_WORDS, *EXPOSURE_WORDS}
    assert set(rank.SEVERITY) == set(SEVERITIES)
    assert {d.specificity for d in DETECTORS} <= set(rank.EVIDENCE)


# --- all else equal -------------------------------------------------------------------------------------------------


@given(findings, st.sampled_from(CLASSES))
def test_a_nearer_head_is_never_below(finding: Finding, path_class: str) -> None:
    """Head, other branch, history only, unreachable."""
    scores = [
        score(replace(finding, occurrences=(place(ORIGINS[reach], path_class),)))
        for reach in ("head", "branch", "history", "unreachable")
    ]
    assert scores == sorted(scores, reverse=True)


@given(findings, st.sampled_from(CLASSES), st.sampled_from([StoredObject, ListingEntry]))
def test_what_anybody_can_read_is_never_below_what_nobody_knows_of(
    finding: Finding, path_class: str, kind: type[StoredObject | ListingEntry]
) -> None:
    """Nor that below what is private."""
    scores = [
        score(replace(finding, occurrences=(place(kind("acme", b"acme", b"a", exposure=exposure), path_class),)))
        for exposure in ("public", "unknown", "private")
    ]
    assert scores == sorted(scores, reverse=True)


@given(findings, st.sampled_from(sorted(REACH_WORDS)))
def test_a_repository_that_more_people_can_read_is_never_below(finding: Finding, reach: str) -> None:
    """Public, unknown, internal, private."""
    scores = [
        score(replace(finding, occurrences=(replace(place(ORIGINS[reach], ""), readers=readers),)))
        for readers in ("public", "unknown", "internal", "private")
    ]
    assert scores == sorted(scores, reverse=True)


@given(findings, st.builds(place, origins, st.sampled_from(CLASSES)))
def test_one_more_place_is_never_below(finding: Finding, more: Occurrence) -> None:
    """The best place counts."""
    assert score(replace(finding, occurrences=(*finding.occurrences, more))) >= score(finding)


@given(findings, origins, st.sampled_from([c for c in CLASSES if c]))
def test_no_path_class_is_never_below_one(finding: Finding, origin: Origin, path_class: str) -> None:
    """A path that says nothing against it."""
    plain = replace(finding, occurrences=(place(origin),))
    assert score(plain) >= score(replace(finding, occurrences=(place(origin, path_class),)))


@given(findings)
def test_more_evidence_is_never_below(finding: Finding) -> None:
    """A checksum, a format of its own, what stands around it, a name only."""
    known = replace(finding.detector, provider="acme", prefix=b"acme_", proved=False)
    proved = replace(known, proved=True)
    named, guessed = replace(known, prefix=b""), replace(known, provider="generic")
    assert [d.specificity for d in (proved, known, named, guessed)] == [3, 2, 1, 0]
    scores = [score(replace(finding, detector=d)) for d in (proved, known, named, guessed)]
    assert scores == sorted(scores, reverse=True)


@given(findings)
def test_a_worse_severity_is_never_below(finding: Finding) -> None:
    """Critical, high, medium, low."""
    scores = [score(replace(finding, detector=replace(finding.detector, severity=s))) for s in SEVERITIES]
    assert scores == sorted(scores, reverse=True)


@given(findings, lives.filter(lambda verdict: not set(verdict.facts) & set(rank.HARMLESS)))
def test_live_is_never_below_unknown_and_unknown_never_below_dead(finding: Finding, live: Verdict) -> None:
    """Whatever its provider tells of it, but that it is harmless."""
    verdicts = [live, Verdict("unknown", "asked"), Verdict("dead", "asked")]
    scores = [score(replace(finding, verdict=v)) for v in verdicts]
    assert scores == sorted(scores, reverse=True)


@given(findings)
def test_what_is_dead_is_low(finding: Finding) -> None:
    """Wherever it stands, and whatever it opened."""
    assert ranked(replace(finding, verdict=Verdict("dead", "asked"))).band == "low"


@given(findings, lives, st.sampled_from(sorted(rank.HARMLESS)))
def test_what_its_provider_calls_harmless_is_never_above(
    finding: Finding, live: Verdict, harmless: tuple[str, str]
) -> None:
    """In test mode, or opening nothing by itself."""
    others = tuple(fact for fact in live.facts if fact[0] != harmless[0])
    scores = [score(replace(finding, verdict=replace(live, facts=facts))) for facts in (others, (*others, harmless))]
    assert scores == sorted(scores, reverse=True)


@given(findings, lives, st.sampled_from([("privilege", rank.PRIVILEGES), ("scope", rank.SCOPES)]))
def test_more_of_what_is_told_is_never_below(
    finding: Finding, live: Verdict, ladder: tuple[str, dict[str, tuple[float, str]]]
) -> None:
    """Write never below read, an account never below a container, when the provider says so."""
    name, words = ladder
    others = tuple(fact for fact in live.facts if fact[0] != name)
    told = [replace(live, facts=(*others, (name, word))) for word in words]
    scores = [score(replace(finding, verdict=verdict)) for verdict in told]
    assert scores == sorted(scores, reverse=True)


@given(findings, st.integers(-3000, 3000), st.integers(0, 3000))
def test_later_expiry_is_never_below_and_no_expiry_below_none(finding: Finding, days: int, more: int) -> None:
    """What has expired opens nothing."""
    dates = [(NOW + timedelta(days=d)).isoformat() for d in (days, days + more)]
    sooner, later = (score(with_fact(finding, "expires", date)) for date in dates)
    assert sooner <= later <= score(with_fact(finding, "expires", None))


@given(
    findings,
    st.sampled_from(
        [
            *(("encrypted", "yes"), ("mode", "test"), ("mode", "emulator"), ("host", "localhost")),
            *(("host", "a.example.com"), ("canary", "Canary & Co."), ("ip", "192.0.2.1"), ("protocol", "https")),
            *(("signature", "refuted"), ("problems", "it ends before it begins"), ("privilege", "none")),
        ]
    ),
)
def test_what_opens_less_is_never_above(finding: Finding, weaker: tuple[str, str]) -> None:
    """Protected by a passphrase, in test mode, for this machine or a made-up host only, from one address, refuted …"""
    assert score(with_fact(finding, *weaker)) <= score(with_fact(finding, weaker[0], None))


@given(
    findings,
    st.sampled_from([("privilege", rank.PRIVILEGES), ("scope", rank.SCOPES), ("revocation", rank.REVOCATIONS)]),
)
def test_more_privilege_a_wider_scope_and_a_harder_revocation_are_never_below(
    finding: Finding, ladder: tuple[str, dict[str, tuple[float, str]]]
) -> None:
    """Write never below read, an account never below a container, an account key never below a policy."""
    name, words = ladder
    scores = [score(with_fact(finding, name, word)) for word in words]
    assert scores == sorted(scores, reverse=True)


@given(findings, st.sampled_from(rank.WRITERS))
def test_what_is_live_and_may_write_is_never_below_high(finding: Finding, privilege: str) -> None:
    """Wherever it stands, and whatever else speaks against it."""
    live = replace(with_fact(finding, "privilege", privilege), verdict=Verdict("live", "asked"))
    told = replace(finding, verdict=Verdict("live", "asked", (("privilege", privilege),)))
    assert {ranked(one).band for one in (live, told)} <= {"critical", "high"}


@given(findings.filter(lambda finding: "privilege" not in dict(finding.facts)))
def test_an_administrator_that_is_live_is_never_below_high(finding: Finding) -> None:
    """Without a word on privileges."""
    administrator = replace(finding.detector, kind="admin-credential")
    live = replace(finding, detector=administrator, verdict=Verdict("live", "asked"))
    assert ranked(live).band in ("critical", "high")


@given(findings)
def test_a_proved_signature_is_never_below_an_untested_one_and_that_never_below_a_refuted_one(finding: Finding) -> None:
    """A key that made it stands in the same scan."""
    scores = [score(with_fact(finding, "signature", value)) for value in ("proved", None, "refuted")]
    assert scores == sorted(scores, reverse=True)


@given(findings)
def test_any_address_is_never_below_one_and_plain_http_never_below_https(finding: Finding) -> None:
    """Limits only limit."""
    for name, better, worse in (("ip", "any", "192.0.2.1"), ("protocol", "https,http", "https")):
        assert score(with_fact(finding, name, better)) >= score(with_fact(finding, name, worse))


@given(findings)
def test_unencrypted_is_never_below_encrypted_and_live_mode_never_below_test_mode(finding: Finding) -> None:
    """Said or not."""
    for name, better, worse in (("encrypted", "no", "yes"), ("mode", "live", "test")):
        assert score(with_fact(finding, name, better)) >= score(with_fact(finding, name, worse))


# --- what a reader is told ------------------------------------------------------------------------------------------


def reasons(finding: Finding) -> dict[str, tuple[float, str]]:
    return {r.factor: (r.value, r.text) for r in ranked(finding).reasons}


def made(detector: Detector, occurrence: Occurrence, *known: tuple[str, str], state: str = "unknown") -> Finding:
    return Finding(detector, (), Secret(b"value"), known, (occurrence,), verdict=Verdict(state, "asked"))  # type: ignore[arg-type]


def test_the_reasons_of_a_token_at_the_head() -> None:
    """The first says what it is."""
    detector = next(d for d in DETECTORS if d.id == "github-pat")
    found = reasons(made(detector, place(ORIGINS["head"]), ("user", "ada")))
    assert found == {
        "severity": (rank.SEVERITY[detector.severity], f"base severity {detector.severity} (user ada)"),
        "evidence": rank.EVIDENCE[detector.specificity],
        "exposure": rank.REACH["head"],
    }


def test_the_reasons_of_a_password_in_a_stash_of_a_test() -> None:
    """What keeps it is said with it."""
    detector = replace(DETECTORS[0], provider="generic", severity="high", name="Password")
    origin = GitBlob("b" * 40, b"t", via="refs/stash")
    known = (("expires", "2026-06-01T00:00:00+00:00"), ("encrypted", "yes"), ("mode", "test"))
    found = reasons(made(detector, place(origin, "test"), *known, state="dead"))
    assert found == {
        "severity": (rank.SEVERITY["high"], "base severity high"),
        "lifetime": (rank.LIFETIMES[0][1], "expired on 2026-06-01 (7 months ago)"),
        "mode": rank.CASES["test mode"],
        "encrypted": rank.CASES["encrypted"],
        "evidence": rank.EVIDENCE[0],
        "place": rank.PLACES["test"],
        "verdict": (rank.VERDICTS["dead"], "dead: asked"),
        "exposure": (rank.REACH["unreachable"][0], "reached by no branch or tag (refs/stash)"),
    }


def test_the_reasons_of_a_shared_access_signature() -> None:
    """Every factor, in the order of the model: what it allows, of how much, until when, from where, and how it ends."""
    detector = next(d for d in DETECTORS if d.id == "azure-storage-sas")
    known = {
        "type": "Azure account SAS",
        "account": "contosomodels",
        "privilege": "full",
        "permissions": "racwdl",
        "scope": "account",
        "expires": "2051-10-06T00:00:00Z",
        "ip": "any",
        "protocol": "https,http",
        "revocation": "account key",
    }
    found = ranked(made(detector, place(ORIGINS["head"], "docs"), *known.items()))
    assert [(r.factor, r.value, r.text) for r in found.reasons] == [
        ("severity", 1.0, "base severity critical"),
        ("privilege", 1.0, "full control (racwdl)"),
        ("scope", 1.0, "opens a whole account"),
        ("lifetime", 1.0, "expires 2051-10-06 (in 24 years)"),
        ("ip", 1.0, "any IP"),
        ("protocol", 1.0, "plain http allowed"),
        ("revocation", 1.0, "can be revoked only by rotating the account key"),
        ("evidence", 0.98, "format and offline check pass"),
        ("place", 0.9, "stands in documentation only"),
        ("exposure", 1.0, "at the head of the default branch"),
    ]
    assert (found.band, found.score) == ("critical", 86)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=24 * 365 + 20), "in 24 years"),
        (timedelta(days=-366), "1 year ago"),
        (timedelta(days=45), "in 1 month"),
        (timedelta(days=-3, hours=-2), "3 days ago"),
        (timedelta(hours=5), "within a day"),
        (timedelta(hours=-5), "less than a day ago"),
    ],
)
def test_a_time_from_now_is_told_in_words(left: timedelta, words: str) -> None:
    """In the largest unit of which there is a whole one."""
    assert rank.span_of(left) == words
