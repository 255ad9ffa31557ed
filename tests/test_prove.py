"""Signatures are proved and refuted by keys that stand in the same scan."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors.checks import azure_sas
from oakum.scanner import catalog
from oakum.scanner.model import Excerpt, Facts, File, Finding, Occurrence, Secret, Span
from oakum.scanner.prove import MOST_TRIALS, prove

DETECTORS = {d.id: d for d in catalog.load()}
SAS = DETECTORS["azure-storage-sas"]
KEY = DETECTORS["azure-storage-account-key"]
PLACE = (Occurrence(File(b"a"), Span(0, 1), Excerpt(b"", 0, 0)),)


def sas(key: bytes, account: str = "acme", *, told: str | None = None, changed: bool = False) -> Finding:
    """An account SAS that the key signed; `told` is the account that the finding knows."""
    parameters = {"sv": "2022-11-02", "ss": "b", "srt": "sco", "sp": "rl", "se": "2030-01-01T00:00:00Z"}
    facts = {"account": account, "service": "blob"}
    (text, *_) = azure_sas._strings_to_sign(parameters, facts)
    signature = base64.b64encode(azure_sas.hmac.digest(key, text.encode(), "sha256")).decode()
    value = "&".join(f"{k}={v}" for k, v in {**parameters, "sp": "rwl" if changed else "rl", "sig": signature}.items())
    known = account if told is None else told
    return Finding(SAS, (), Secret(value.encode()), ((("account", known),) if known else ()), PLACE)


def key(raw: bytes, account: str = "acme") -> Finding:
    facts: Facts = (("account", account),) if account else ()
    return Finding(KEY, (), Secret(base64.b64encode(raw)), facts, PLACE)


def outcome(findings: Sequence[Finding]) -> dict[str, str]:
    """The facts of the first finding, once proved."""
    return dict(prove(findings)[0].facts)


RAW = Random("key").randbytes(64)
OTHER = Random("other").randbytes(64)


@pytest.mark.parametrize(
    ("findings", "facts"),
    [
        ([sas(RAW), key(RAW)], {"account": "acme", "signature": "proved"}),
        ([sas(RAW), key(OTHER), key(RAW)], {"account": "acme", "signature": "proved"}),
        ([sas(RAW), key(RAW, "")], {"account": "acme", "signature": "proved"}),
        ([sas(RAW, told=""), key(RAW)], {"account": "acme", "signature": "proved"}),
        ([sas(RAW), key(OTHER)], {"account": "acme", "signature": "refuted"}),
        ([sas(RAW, changed=True), key(RAW)], {"account": "acme", "signature": "refuted"}),
        ([sas(RAW), key(OTHER, "")], {"account": "acme"}),
        ([sas(RAW), key(OTHER, "globex")], {"account": "acme"}),
        ([sas(RAW, told=""), key(OTHER)], {}),
        ([sas(RAW)], {"account": "acme"}),
        (
            [sas(azure_sas.EMULATOR_KEY, azure_sas.EMULATOR)],
            {"account": azure_sas.EMULATOR, "signature": "proved", "mode": "emulator"},
        ),
        ([sas(RAW, azure_sas.EMULATOR)], {"account": azure_sas.EMULATOR, "signature": "refuted"}),
        ([sas(RAW), key(b"")], {"account": "acme"}),
    ],
    ids=[
        *("its key", "both keys of the account", "a key of no known account", "the key tells the account"),
        *("another key of the account", "one letter changed", "a key of no known account refutes nothing"),
        *(
            "a key of another account",
            "nothing fits",
            "no key",
            "the emulator's public key",
            "the emulator's, not its",
            "an empty key",
        ),
    ],
)
def test_what_a_key_says_of_a_signature(findings: list[Finding], facts: dict[str, str]) -> None:
    """Proved by the key that made it; refuted only by a key of the very same account."""
    assert outcome(findings) == facts


def test_nothing_else_changes() -> None:
    """Keys and other findings pass through, in their order."""
    findings = [key(RAW), sas(RAW), key(OTHER)]
    proved = prove(findings)
    assert [proved[0], proved[2]] == [findings[0], findings[2]]


def test_a_secret_that_is_no_base64_is_no_key() -> None:
    """It is passed over."""
    broken = Finding(KEY, (), Secret(b"no base64!"), (("account", "acme"),), PLACE)
    assert outcome([sas(RAW), broken]) == {"account": "acme"}


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile repository can hold many signatures and many keys: past the bound, they are as if no key were there."""
    monkeypatch.setattr("oakum.scanner.prove.MOST_TRIALS", 3)
    assert MOST_TRIALS > 3
    found = prove([sas(RAW), sas(RAW), key(OTHER), key(RAW)])
    assert [dict(f.facts).get("signature") for f in found] == ["proved", "refuted", None, None]


@given(st.binary(max_size=100), st.binary(max_size=60), st.text(max_size=20))
def test_no_value_and_no_key_is_an_error(value: bytes, raw: bytes, account: str) -> None:
    """Whatever stands in them."""
    finding = Finding(SAS, (), Secret(value), (("account", account), ("service", "blob"), ("resource", "a/b")), PLACE)
    assert len(prove([finding, key(raw)])) == 2
