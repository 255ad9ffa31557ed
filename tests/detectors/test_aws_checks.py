"""Amazon's key ids: the kind of key, the account in it, and keys that are bait."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors.checks import aws

LONG_TERM, TEMPORARY = ("type", "long-term access key"), ("type", "temporary access key")
THINKST = ("canary", "Thinkst Canarytokens")
TEXT = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def key_id(prefix: str, account: int, rest: int = 0) -> bytes:
    """The id of a key of that account, in the form since 2019: a bit 1, 40 bits of the account, 39 of the rest."""
    return prefix.encode() + base64.b32encode((1 << 79 | account << 39 | rest).to_bytes(10, "big"))


@pytest.mark.parametrize(
    ("prefix", "behind", "expected"),
    [
        ("ASIA", "c6f85ca82e53293ad7e0", [TEMPORARY, ("account", "609629065308")]),
        ("AKIA", "aa662c1debf42c5ae790", [LONG_TERM, ("account", "364205587415")]),
        ("AKIA", "93f5379d3281f654c697", [LONG_TERM, ("account", "171436882533"), THINKST]),
        ("AKIA", "8616f637a739cafc819a", [LONG_TERM, ("account", "052310077262"), THINKST]),
        ("AKIA", "f3874e8cf3f9cd692e9d", [LONG_TERM, ("account", "992382622183"), THINKST]),
    ],
)
def test_the_account_stands_in_the_id(prefix: str, behind: str, expected: list[tuple[str, str]]) -> None:
    """Ids whose accounts are published: by awsteele.com, and for those of canarytokens.org."""
    assert aws.aws_access_key_id(prefix.encode() + base64.b32encode(bytes.fromhex(behind))) == expected


@given(st.integers(0, 10**12 - 1), st.integers(0, (1 << 39) - 1))
def test_any_account_comes_back_with_its_leading_zeros(account: int, rest: int) -> None:
    """What stands behind the account does not matter."""
    facts = dict(aws.aws_access_key_id(key_id("AKIA", account, rest)))
    assert facts["account"] == f"{account:012}"


@given(st.text("ABCDEFGHIJKLMNOP", min_size=1, max_size=1), st.text(TEXT, min_size=15, max_size=15))
def test_an_older_id_does_not_tell_its_account(first: str, rest: str) -> None:
    """Before 2019 the first bit was 0, and the rest random."""
    assert aws.aws_access_key_id(f"AKIA{first}{rest}".encode()) == [LONG_TERM]


def test_a_number_of_13_digits_is_no_account() -> None:
    """40 bits hold a little more than 12 digits."""
    assert aws.aws_access_key_id(key_id("ASIA", 10**12)) == [TEMPORARY]


def test_a_pair_tells_what_its_id_tells() -> None:
    """The secret key itself says nothing."""
    found = key_id("AKIA", 44858866125).decode()
    expected = [LONG_TERM, ("account", "044858866125"), ("canary", "a canary service")]
    assert aws.aws_key_pair(b"x", {"access_key_id": found}) == expected
    assert aws.aws_key_pair(b"x", {}) == []


@given(st.binary(max_size=40) | st.binary(min_size=16, max_size=16).map(lambda b: b"AKIA" + b))
def test_any_bytes_are_answered(value: bytes) -> None:
    """Nothing is raised, and nothing is dropped."""
    assert isinstance(aws.aws_access_key_id(value), list)
