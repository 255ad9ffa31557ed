"""What is nearly an Azure SAS is none, and what contradicts itself says so."""

from __future__ import annotations

import base64
from random import Random

import blobs as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks.azure_sas import azure_sas, azure_sas_parameters
from oakum.scanner.model import Piece

HOST = {"host": "acme.blob.core.windows.net", "resource": "backup/db.bak"}
KINDS = ("account", "service", "delegation", "policy")
NEEDED = {
    "account": ("ss", "srt", "sp", "se", "sig"),
    "service": ("sr", "sp", "se", "sig"),
    "delegation": ("sp", "se", "sktid", "ske", "sig"),
    "policy": ("si", "sig"),
}
"""Without which it is no SAS of its kind. A delegated one without `sr` can be a queue's."""
seeds = st.integers(0, 1 << 32)


def query(kind: str, seed: int) -> dict[str, str]:
    value = samples.build(f"azure_sas:{kind}", Random(seed))
    return dict(pair.split("=", 1) for pair in value.decode().split("&"))


def found(pairs: dict[str, str]) -> list[str]:
    """The detectors that take a URL with these parameters."""
    text = "see https://acme.blob.core.windows.net/backup/db.bak?" + "&".join(f"{n}={v}" for n, v in pairs.items())
    return [m.detector for m in made.ENGINE.search([Piece(text.encode())]).matches if m.detector == "azure-storage-sas"]


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@settings(max_examples=100)
def test_one_that_is_well_formed_is_found(kind: str, seed: int) -> None:
    """So that the next ones are not silent for another reason."""
    assert found(query(kind, seed)) == ["azure-storage-sas"]


SIGNATURES = {
    "31 bytes": lambda rng: base64.b64encode(rng.randbytes(31)).decode(),
    "33 bytes": lambda rng: base64.b64encode(rng.randbytes(33)).decode(),
    "64 bytes": lambda rng: base64.b64encode(rng.randbytes(64)).decode(),
    "42 letters": lambda rng: samples.alnum(rng, "42").decode() + "=",
    "no padding": lambda rng: base64.b64encode(rng.randbytes(32)).decode().rstrip("="),
    "bits behind its end": lambda rng: (
        base64.b64encode(rng.randbytes(32)).decode()[:42] + rng.choice("BCDFGH159") + "="
    ),
    "hexadecimal": lambda rng: rng.randbytes(32).hex(),
    "of another alphabet": lambda rng: base64.urlsafe_b64encode(b"\xff\xef" + rng.randbytes(30)).decode(),
    "one letter over and over": lambda rng: rng.choice("AXx0") * 43 + "=",
    "recorded": lambda rng: rng.choice(("Sanitized", "fake", "REDACTED", "signature", "abc%3D", "")),
    "a place for one": lambda rng: rng.choice(("<signature>", "{sig}", "$SIG", "%s", "***", "[sig]")),
}


@pytest.mark.parametrize("form", SIGNATURES)
@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds)
@settings(max_examples=40)
def test_a_signature_that_is_none_makes_no_sas(kind: str, form: str, seed: int) -> None:
    """Of another length, in another alphabet, or a stand-in."""
    pairs = query(kind, seed)
    signature = SIGNATURES[form](Random(seed))
    for text in (signature, signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")):
        assert found(pairs | {"sig": text}) == []


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in NEEDED[kind]])
@given(seed=seeds)
@settings(max_examples=20)
def test_without_what_it_must_have_it_is_no_sas(kind: str, name: str, seed: int) -> None:
    """The service would refuse it."""
    pairs = query(kind, seed)
    assert found({n: text for n, text in pairs.items() if n != name}) == []
    assert found(pairs | {name: ""}) == []


@pytest.mark.parametrize(
    "wrong",
    [{"ss": "x"}, {"srt": "z"}, {"sv": "1.0"}, {"sv": "2020"}, {"sv": "later"}],
    ids=str,
)
def test_what_no_service_knows_makes_no_sas(wrong: dict[str, str]) -> None:
    """A service, a kind of resource, a version that do not exist."""
    assert found(query("account", 1) | wrong) == []
    assert found(query("service", 1) | {"sr": "zz"}) == []


# --- bad input -------------------------------------------------------------------------------------------------------


def told(*more: str, kind: str = "service") -> dict[str, str]:
    """The facts of a SAS with more parameters before its own."""
    value = "&".join([*more, *(f"{n}={v}" for n, v in query(kind, 7).items())])
    return {name: text for name, text in azure_sas(value.encode(), HOST) or () if text}


def test_contradictions_are_told() -> None:
    """It stays a finding: what the service makes of it is not known."""
    assert told("sp=r", "sp=w")["problems"] == "sp stands 3 times"
    assert told("ss=b")["problems"] == "ss (of the account) and sr (of one resource) both stand in it"
    assert told("st=2070-01-01")["problems"] == "st stands 2 times; it ends before it begins"


@pytest.mark.parametrize(
    "date",
    ["2021-13-45", "10000-01-01", "99999-01-01T00:00:00Z", "0000-00-00", "tomorrow", "2021-02-30", "1", "२०३०-०१-०१"],
)
def test_an_impossible_date_is_told_as_none(date: str) -> None:
    """And gives no end."""
    facts = told(f"se={date}")
    assert "expires" not in facts
    assert facts["problems"] == f"se stands 2 times; se={date} is no date"


@pytest.mark.parametrize(
    ("date", "end"),
    [
        ("2030-01-01", "2030-01-01T00:00:00Z"),
        ("2030-01-01T08%3A30Z", "2030-01-01T08:30:00Z"),
        ("2030-01-01T08:30:15.1234567Z", "2030-01-01T08:30:15Z"),
        ("2030-01-01T08:30:00%2B02:00", "2030-01-01T06:30:00Z"),
        ("2030-01-01T00:00:00-1100", "2030-01-01T11:00:00Z"),
    ],
)
def test_every_form_of_a_date_is_read_in_utc(date: str, end: str) -> None:
    """A day, a minute, fractions, other time zones."""
    assert told(f"se={date}")["expires"] == end


def test_letters_that_nobody_knows_are_kept_and_told() -> None:
    """Also those beyond ASCII."""
    facts = told("sp=rzЖ!")
    assert (facts["permissions"], facts["allows"], facts["unknown"]) == ("rzЖ!", "read", "permissions zЖ!")


def test_a_query_of_100_kb_is_no_error() -> None:
    """Behind a SAS it changes nothing; before it no server would take it."""
    junk = "&".join(f"a{n}={'x' * 90}" for n in range(1000))
    pairs = query("account", 3)
    assert found(pairs | {"zz": "1&" + junk}) == ["azure-storage-sas"]
    assert azure_sas_parameters(junk.encode())["a999"] == "x" * 90


@given(st.binary(max_size=300), st.dictionaries(st.sampled_from(["host", "resource"]), st.text(max_size=50)))
def test_no_value_is_an_error(value: bytes, facts: dict[str, str]) -> None:
    """Whatever stands in it."""
    for text in (
        value,
        b"sv=2020-01-01&sr=b&sp=r&se=2030-01-01&" + value + b"&sig=" + base64.b64encode(bytes(range(32))),
    ):
        assert all(len(fact) <= 200 for _, fact in azure_sas(text, facts) or ())
