"""What a finding is and what it opens, in one line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from oakum.scanner import catalog, rank
from oakum.scanner.headline import headline
from oakum.scanner.model import NOT_ASKED, Excerpt, File, Finding, Occurrence, Secret, Span, Verdict

DETECTORS = {d.id: d for d in catalog.load()}
NOW = datetime(2027, 1, 1, tzinfo=UTC)
PLACE = (Occurrence(File(b"a"), Span(0, 1), Excerpt(b"", 0, 0)),)
ACCOUNT = {
    "type": "Azure account SAS",
    "account": "contosomodels",
    "service": "blob",
    "scope": "account",
    "permissions": "racwdl",
    "privilege": "full",
    "expires": "2051-10-06T00:00:00Z",
    "ip": "any",
    "protocol": "https,http",
    "revocation": "account key",
}
CONTAINER = {
    "type": "Azure service SAS",
    "account": "acme",
    "service": "blob",
    "scope": "container",
    "resource": "backups",
    "permissions": "rl",
    "allows": "read, list",
    "privilege": "list",
    "expires": "2027-01-11T00:00:00Z",
    "ip": "192.0.2.1",
    "protocol": "https",
    "revocation": "account key",
}
POLICY = {
    "type": "Azure service SAS",
    "service": "blob",
    "scope": "container",
    "ip": "any",
    "protocol": "https,http",
    "policy": "readers",
    "revocation": "policy",
}


def line(detector: str, facts: dict[str, str], verdict: Verdict = NOT_ASKED) -> str:
    finding = Finding(DETECTORS[detector], (), Secret(b"value"), tuple(facts.items()), PLACE, verdict=verdict)
    return headline(rank.rank(finding, fingerprint="", now=NOW))


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            ACCOUNT,
            'Azure account SAS: full control (racwdl) of blobs in account "contosomodels", expires 2051-10-06 (in 24 '
            "years), any IP, plain http allowed; can be revoked only by rotating the account key",
        ),
        (
            ACCOUNT | {"service": "blob, queue", "account": "", "expires": "2021-10-06T00:00:00Z"},
            "Azure account SAS: full control (racwdl) of blobs, queues in an account, expired on 2021-10-06 (5 years "
            "ago)",
        ),
        (
            CONTAINER,
            'Azure service SAS: read and list access (rl) to container "backups" in account "acme", expires 2027-01-11 '
            "(in 10 days), only from 192.0.2.1, https only; can be revoked only by rotating the account key",
        ),
        (
            POLICY,
            'Azure service SAS: what the policy "readers" allows, one container, any IP, plain http allowed; '
            "can be revoked by deleting its stored access policy",
        ),
        ({"type": "Another signed URL"}, "Another signed URL: the request it was made for"),
    ],
    ids=["account", "expired", "container", "policy", "nothing known"],
)
def test_a_signed_url_is_told_whole(facts: dict[str, str], text: str) -> None:
    """What it allows, of what, until when, from where, and how it ends; of an expired one only that."""
    assert line("azure-storage-sas", facts) == text


@pytest.mark.parametrize(
    ("detector", "facts", "text"),
    [
        ("github-pat", {}, "{}"),
        ("stripe-secret-key", {"mode": "live"}, "{}: live mode"),
        ("privatekey-openssh", {"encrypted": "yes", "key_type": "RSA"}, "{}: under a passphrase"),
        (
            "aws-access-key-id",
            {"account": "123456789012", "canary": "Acme"},
            '{}: a canary token, account "123456789012"',
        ),
    ],
)
def test_another_kind_is_told_by_its_name_and_what_makes_this_one_special(
    detector: str, facts: dict[str, str], text: str
) -> None:
    """Its other facts stand among the reasons."""
    found = detector if detector in DETECTORS else next(d for d in DETECTORS if d.startswith(detector.split("-")[0]))
    assert line(found, facts) == text.format(DETECTORS[found].name)


@pytest.mark.parametrize(
    ("detector", "facts", "told", "reason", "text"),
    [
        ("github-pat", {}, {}, "api.acme.io takes it", "{}, live"),
        (
            *("github-pat", {}, {"user": "octocat", "privilege": "admin"}, "user octocat"),
            "{}, live: administrator's rights; user octocat",
        ),
        (
            *("aws-access-key-id", {"account": "123456789012"}, {"identity": "root"}, "root of account 123456789012"),
            "{}, live: root of account 123456789012",
        ),
        (
            *("azure-storage-sas", POLICY, {"privilege": "list"}, "list"),
            "Azure service SAS, live: list access to one container, any IP, plain http allowed; can be revoked by "
            "deleting its stored access policy; list",
        ),
        ("firebase", {}, {}, "api.acme.io takes it", "{}: anybody can read it"),
        ("firebase", {}, {}, "anybody can read it (it is empty)", "{}: anybody can read it (it is empty)"),
        ("github-pat", {}, {}, "its signature is right", "{}, live: its signature is right"),
        ("firebase", {}, {"privilege": "write"}, "project acme", "{}: anybody can read and change it; project acme"),
    ],
)
def test_of_a_live_one_it_is_said_first_and_once(
    detector: str, facts: dict[str, str], told: dict[str, str], reason: str, text: str
) -> None:
    """With what its provider told; of what is open to all, that it is."""
    kinds = {d.kind: d.id for d in DETECTORS.values()}
    found = kinds["exposure"] if detector == "firebase" else detector
    found = found if found in DETECTORS else next(d for d in DETECTORS if d.startswith(detector.split("-")[0]))
    verdict = Verdict("live", reason, tuple(told.items()), "api.acme.io")
    assert line(found, facts, verdict) == text.format(DETECTORS[found].name)


def test_what_is_dead_is_told_by_its_name() -> None:
    """Why stands among the reasons."""
    assert line("github-pat", {}, Verdict("dead", "it is refused")) == DETECTORS["github-pat"].name
