"""Tokens with a checksum or a structure: what they tell, and that a near miss is dropped where that is proved."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks import CHECKS, tokens

Check = Callable[[bytes], "list[tuple[str, str]] | None"]
RANDOM = st.randoms(use_true_random=False)
VALID = ("checksum", "valid")

PROVED: list[tuple[Check, str]] = [
    (tokens.github_checksum, "github:ghp"),
    (tokens.gitlab_checksum, "gitlab_routable"),
    (tokens.grafana_checksum, "grafana:sa"),
    *((tokens.atlassian_checksum, f"atlassian:{prefix}") for prefix in ("ATATT3", "ATCTT3", "ATBB", "ATTA")),
]


def base36(number: int) -> bytes:
    """A number in base36."""
    digits = b""
    while number:
        number, digit = divmod(number, 36)
        digits = b"0123456789abcdefghijklmnopqrstuvwxyz"[digit : digit + 1] + digits
    return digits or b"0"


def routable(prefix: bytes, payload: bytes) -> bytes:
    """A token as GitLab's routable_token.rb makes it."""
    body = base64.urlsafe_b64encode(bytes(16) + payload + bytes([len(payload)])).rstrip(b"=")
    head = prefix + body + b".01." + base36(len(body)).rjust(2, b"0")
    return head + base36(zlib.crc32(head)).rjust(7, b"0")


@pytest.mark.parametrize(("check", "spec"), PROVED, ids=[spec for _, spec in PROVED])
@given(rng=RANDOM)
def test_a_fresh_token_passes_and_a_near_miss_is_dropped(check: Check, spec: str, rng: Random) -> None:
    """One other character in what the checksum covers, or in the checksum itself."""
    value = samples.build(spec, rng)
    assert VALID in (check(value) or [])
    at = rng.choice([-3, -12, -20])
    other = b"1" if value[at : at + 1] != b"1" else b"2"
    assert check(value[:at] + other + value[len(value) + at + 1 :]) is None


def test_atlassians_checksum_covers_prefix_and_body() -> None:
    """CRC-32 in capital hexadecimal digits, `=` included."""
    head = b"ATATT3" + b"x" * 60 + b"="
    assert tokens.atlassian_checksum(head + b"%08X" % zlib.crc32(head)) == [VALID]
    assert tokens.atlassian_checksum(head + b"%08X" % zlib.crc32(head[:-1])) is None
    assert tokens.atlassian_checksum(head + b"%08X" % zlib.crc32(head[6:])) is None


@pytest.mark.parametrize(
    ("prefix", "payload", "expected"),
    [
        (
            b"glpat-",
            b"o:1\nu:2s",
            [("type", "personal, project or group access token"), ("account", "1"), ("user", "100"), VALID],
        ),
        (
            b"acme-glrt-t3_",
            b"c:1\ng:a\no:1\np:10\nt:3",
            [("type", "runner authentication token"), ("account", "1"), ("team", "10"), ("project", "36"), VALID],
        ),
        (b"gldt-", b"nothing", [("type", "deploy token"), VALID]),
        (b"glxx-", b"o:1", [("account", "1"), VALID]),
    ],
)
def test_a_routable_gitlab_token_tells_where_it_belongs(
    prefix: bytes, payload: bytes, expected: list[tuple[str, str]]
) -> None:
    """Organization, group, project and user, in base36."""
    assert tokens.gitlab_checksum(routable(prefix, payload)) == expected


def test_a_fine_grained_github_token_tells_its_user() -> None:
    """Four bytes in base32, the padding written as `0`; another form tells nothing, and drops nothing."""
    number = base64.b32encode((1234567).to_bytes(4, "big"))[:7]
    behind = b"a" * 11 + b"_" + b"b" * 59
    assert tokens.github_user(b"github_pat_11" + number + b"0" + behind) == [("user", "1234567")]
    assert tokens.github_user(b"github_pat_22" + number + b"0" + behind) == []
    assert tokens.github_user(b"github_pat_11" + number + b"1" + behind) == []


@pytest.mark.parametrize(
    ("prefix", "members", "expected"),
    [
        (
            b"glc_",
            {"o": "652992", "n": "stack-1-x", "k": "hidden", "m": {"r": "us"}},
            [("account", "652992"), ("name", "stack-1-x"), ("region", "us")],
        ),
        (b"", {"k": "hidden", "n": "ci", "id": 1}, [("account", "1"), ("name", "ci")]),
        (b"glc_", {"o": "1", "k": "hidden", "m": "us"}, [("account", "1")]),
        (b"glc_", {"o": "1"}, None),
        (b"glc_", ["k"], None),
    ],
)
def test_a_grafana_key_tells_its_organization_and_never_the_key(
    prefix: bytes, members: object, expected: list[tuple[str, str]] | None
) -> None:
    """Base64 of a JSON object."""
    assert tokens.grafana_key(prefix + base64.b64encode(json.dumps(members).encode())) == expected


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (b"sk_live_", [("type", "secret key"), ("privilege", "admin"), ("scope", "account")]),
        (b"rk_test_", [("type", "restricted key"), ("scope", "account")]),
        (b"pk_live_", []),
    ],
)
def test_a_stripe_key_is_told_by_its_prefix(prefix: bytes, expected: list[tuple[str, str]]) -> None:
    """A secret key may do everything, a restricted one what its maker chose."""
    assert tokens.stripe_key(prefix + b"a" * 24) == expected


def pypi(*caveats: bytes) -> bytes:
    """A PyPI token with these caveats."""

    def packet(number: int, content: bytes) -> bytes:
        return bytes([number, len(content)]) + content

    raw = b"\x02" + packet(1, b"pypi.org") + packet(2, b"id") + b"\0"
    raw += b"".join(packet(2, caveat) + b"\0" for caveat in caveats) + b"\0" + packet(6, bytes(32))
    return b"pypi-" + base64.urlsafe_b64encode(raw).rstrip(b"=")


UPLOAD = [("allows", "upload files"), ("privilege", "write")]


@pytest.mark.parametrize(
    ("caveats", "limits", "scope"),
    [
        ([b'{"version": 1, "permissions": "user"}'], [("permissions", "user")], "account"),
        ([b'[3,"some-id"]'], [("permissions", "user")], "account"),
        (
            [b'[1,["acme","web"]]', b"[0,1893456000,1600000000]"],
            [("permissions", "project"), ("project", "acme, web"), ("expires", "2030-01-01T00:00:00Z")],
            "project",
        ),
        (
            [b'{"version":1,"permissions":{"projects":["acme"]}}'],
            [("permissions", "project"), ("project", "acme")],
            "project",
        ),
        ([b"[0,1e999,0]", b"[1,[[[]]]]", b"[" * 100, b"\xff"], [("permissions", "user")], "account"),
    ],
)
def test_a_pypi_token_tells_what_it_is_limited_to(
    caveats: list[bytes], limits: list[tuple[str, str]], scope: str
) -> None:
    """It uploads, to all projects of its user or to some; what a caveat does not say plainly limits nothing."""
    expected = [("host", "pypi.org"), *limits, *UPLOAD, ("scope", scope)]
    assert tokens.macaroon(pypi(*caveats), "pypi.org") == expected


NAMES = ("atlassian_checksum", "github_checksum", "github_user", "gitlab_checksum", "grafana_checksum", "grafana_key")
NAMES += ("npm_checksum", "stripe_key", "mapbox_token", "onepassword_token", "sentry_org_token", "base64_json")


@pytest.mark.parametrize("name", NAMES)
@given(value=st.binary(max_size=200) | st.binary(max_size=200).map(base64.b64encode))
def test_any_bytes_are_answered(name: str, value: bytes) -> None:
    """Nothing is raised."""
    for prefix in (b"", b"glpat-", b"glc_", b"github_pat_11", b"pypi-", b"sntrys_"):
        found = CHECKS[name](prefix + value)
        assert found is None or all(len(text) <= 200 for _, text in found)


@given(st.binary(max_size=200))
def test_any_bytes_are_no_macaroon(value: bytes) -> None:
    """Nothing is raised, of a macaroon cut short either."""
    assert tokens.macaroon(b"pypi-" + base64.urlsafe_b64encode(b"\x02" + value), "pypi.org") is None
    whole = pypi(b"[3]")
    assert tokens.macaroon(whole[: len(value) % len(whole)], "pypi.org") is None
