"""What can be said of one secret: where its detector has examples of it, by itself, beside a key."""

from __future__ import annotations

import base64
from random import Random

import pytest
from git_repository import utc
from oakum.detectors import samples
from oakum.detectors.checks import azure_sas
from oakum.scanner import catalog
from oakum.scanner.model import Detector, Explanation
from oakum.scanner.pipeline.explain import explain

DETECTORS = catalog.load()
ALONE = [d for d in DETECTORS if not d.part_only]


def said(text: bytes) -> Explanation:
    return explain(text, now=utc(2027))


@pytest.mark.parametrize("detector", ALONE[::7], ids=lambda d: d.id)
def test_a_secret_in_its_surroundings_is_named(detector: Detector) -> None:
    """Ranked, with a line that says what it is and a fingerprint."""
    rng = Random(detector.id)
    for _ in range(20):
        secret = samples.draw(detector.sample, detector.regex, rng)
        text = samples.fill(detector.examples[0], secret, rng)
        if detector.pattern.search(text):
            break
    found = said(text).secrets
    named = {name for ranked, _ in found for name in (ranked.finding.detector.id, *ranked.finding.also)}
    assert detector.id in named
    assert all(ranked.summary.strip() and len(ranked.fingerprint) == 26 for ranked, _ in found)


def test_a_key_and_a_signature_at_once_prove_each_other() -> None:
    """As in a scan."""
    raw = Random("explain").randbytes(64)
    parameters = {"sv": "2022-11-02", "ss": "b", "srt": "o", "sp": "r", "se": "2030-01-01T00:00:00Z"}
    text = next(azure_sas._strings_to_sign(parameters, {"account": "acme"}))
    signature = base64.b64encode(azure_sas.hmac.digest(raw, text.encode(), "sha256")).decode()
    query = "&".join(f"{name}={value}" for name, value in {**parameters, "sig": signature}.items())
    key = base64.b64encode(raw).decode()
    both = f"AccountName=acme;AccountKey={key}\nhttps://acme.blob.core.windows.net/a/b?{query}\n"
    found = {r.finding.detector.id: dict(r.finding.facts) for r, _ in said(both.encode()).secrets}
    assert found["azure-storage-sas"]["signature"] == "proved"


def test_what_a_scan_would_leave_out_is_explained_with_the_reason() -> None:
    """Placeholders and published samples, too."""
    value = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + b"EXAMPLEKEY"
    found = said(b"aws_access_key_id = AKIA" + b"IOSFODNN7EXAMPLE\naws_secret_access_key = " + value)
    assert [(r.finding.secret.reveal(), why) for r, why in found.secrets] == [(value, "published")]


def test_a_value_by_itself_is_guessed_at() -> None:
    """An AWS secret key has no mark of its own: what stands around it would tell."""
    value = samples.build("aws_secret_key", Random(3))
    found = said(value + b"\n")
    assert found.secrets == ()
    assert "aws-secret-access-key" in {g.detector.id for g in found.guesses}
    assert [g.failed for g in found.guesses] == sorted(g.failed for g in found.guesses)


def test_a_guess_says_nothing_of_made_up_surroundings() -> None:
    """Hosts and accounts of examples are no facts of the value."""
    value = samples.build("base64:64", Random(5))
    told = {fact for guess in said(value).guesses for fact in guess.facts}
    assert {text for name, text in told if name in ("host", "account", "user")} == set()


def test_what_only_fails_a_check_is_said_to_do_so() -> None:
    """The right form with a wrong checksum."""
    token = samples.build("github:ghp", Random(7))
    wrong = token[:-1] + (b"a" if token[-1:] != b"a" else b"b")
    found = said(wrong)
    assert found.secrets == ()
    assert ("github-pat", True) in {(g.detector.id, g.failed) for g in found.guesses}


@pytest.mark.parametrize("text", [b"hello", b"\0" * 100, b"\xff\xfe", "пароль".encode(), b"a" * 5000])
def test_of_what_nobody_knows_nothing_is_said(text: bytes) -> None:
    """No text is an error, and that anything can be a password is no answer."""
    assert said(text) == Explanation(())
