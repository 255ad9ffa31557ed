"""JSON Web Tokens: what the claims tell, whose they are, and which are none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks import json_web_tokens

LENGTHS = {"HS256": 32, "HS384": 48, "HS512": 64, "ES256": 64, "ES384": 96, "ES512": 132, "EdDSA": 64, "RS256": 256}


def part(content: bytes) -> bytes:
    """One part of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def token(claims: dict[str, Any], algorithm: str = "HS256", length: int | None = None, **header: str) -> bytes:
    """A token with these claims, and a signature of zeros in the length of its algorithm."""
    size = LENGTHS.get(algorithm, 40) if length is None else length
    texts = [json.dumps({"alg": algorithm, **header}).encode(), json.dumps(claims).encode(), bytes(size)]
    return b".".join(map(part, texts))


def learned(claims: dict[str, Any], **header: str) -> list[tuple[str, str]] | None:
    """What is learned of a token, but for its algorithm."""
    found = json_web_tokens.jwt(token(claims, **header))
    return found and found[1:]


def test_the_example_of_rfc_7515_is_read() -> None:
    """Appendix A.1.1, with its signature."""
    head, body = b'{"typ":"JWT",\r\n "alg":"HS256"}', b'{"iss":"joe",\r\n "exp":1300819380,\r\n "x":true}'
    signed = part(head) + b"." + part(body)
    value = signed + b"." + part(hmac.new(bytes(64), signed, hashlib.sha256).digest())
    expected = [("algorithm", "HS256"), ("issuer", "joe"), ("expires", "2011-03-22T18:43:00Z")]
    assert json_web_tokens.jwt(value) == expected


def test_claims_become_facts() -> None:
    """Registered claims, those of OpenID Connect and of scopes; lists are joined."""
    claims = {
        "exp": 1700003600,
        "iat": 1700000000,
        "nbf": 1699999999,
        "iss": "https://idp.acme.test",
        "aud": ["api", "web"],
        "sub": "u-1",
        "preferred_username": "ada",
        "email": "ada@acme.test",
        "tid": "t-1",
        "azp": "c-1",
        "roles": ["reader", "owner"],
        "scope": "read write",
        "permissions": ["a:read", "a:write"],
    }
    assert json_web_tokens.jwt(token(claims, kid="k-1")) == [
        ("algorithm", "HS256"),
        ("key_id", "k-1"),
        ("issuer", "https://idp.acme.test"),
        ("audience", "api, web"),
        ("subject", "u-1"),
        ("user", "ada"),
        ("email", "ada@acme.test"),
        ("tenant", "t-1"),
        ("client_id", "c-1"),
        ("role", "reader, owner"),
        ("scopes", "read write"),
        ("permissions", "a:read, a:write"),
        ("created", "2023-11-14T22:13:20Z"),
        ("starts", "2023-11-14T22:13:19Z"),
        ("expires", "2023-11-14T23:13:20Z"),
    ]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (
            {"iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:shop:deployer"},
            [("type", "Kubernetes service account"), ("project", "shop"), ("name", "deployer")],
        ),
        (
            {"iss": "https://token.actions.githubusercontent.com", "repository": "acme/app"},
            [("type", "GitHub Actions workflow identity"), ("project", "acme/app")],
        ),
        (
            {"iss": "https://securetoken.google.com/acme-1", "aud": "acme-1"},
            [("type", "Firebase user's ID token"), ("project", "acme-1")],
        ),
        ({"aud": json_web_tokens._FIREBASE_CUSTOM}, [("type", "Firebase custom token")]),
        ({"iss": "https://sts.windows.net/t-1/"}, [("type", "Microsoft Entra token")]),
        ({"iss": "https://login.microsoftonline.com/t-1/v2.0"}, [("type", "Microsoft Entra token")]),
        ({"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x"}, [("type", "Amazon Cognito token")]),
        ({"iss": "https://accounts.google.com"}, [("type", "Google ID token")]),
        ({"iss": "https://abc.supabase.co/auth/v1"}, [("type", "Supabase user session")]),
        (
            {"iss": "supabase", "role": "service_role", "ref": "abc"},
            [("type", "Supabase project key"), ("project", "abc"), ("privilege", "admin"), ("scope", "project")],
        ),
        (
            {"iss": "supabase", "role": "anon"},
            [("type", "Supabase project key"), ("privilege", "read"), ("scope", "project")],
        ),
        ({"iss": "https://idp.acme.test"}, []),
    ],
)
def test_tokens_of_known_makers_are_named(claims: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """By their issuer, subject or audience."""
    plain = [f for f in learned(claims) or [] if f[0] not in {"issuer", "audience", "subject", "role"}]
    assert plain == expected


@pytest.mark.parametrize(
    ("claims", "algorithm", "expected"),
    [
        ({"sub": "x"}, "none", "unsigned: algorithm none"),
        ({"iat": 2000, "exp": 1000}, "HS256", "expires before it was issued"),
        ({"iat": 2000, "nbf": 3000, "exp": 1000}, "None", "unsigned: algorithm none; expires before it was issued; "),
    ],
)
def test_contradictions_are_told(claims: dict[str, Any], algorithm: str, expected: str) -> None:
    """A token that nobody signed, and times that cannot all be right."""
    assert dict(json_web_tokens.jwt(token(claims, algorithm)) or [])["problems"].startswith(expected)


@pytest.mark.parametrize(("algorithm", "length"), LENGTHS.items())
def test_a_signature_has_the_length_of_its_algorithm(algorithm: str, length: int) -> None:
    """RFC 7518 fixes it, but for RSA, where 128 bytes are the least."""
    exact = json_web_tokens.jwt(token({"sub": "x"}, algorithm, length))
    assert exact == [("algorithm", algorithm), ("subject", "x")]
    short, longer = (
        json_web_tokens.jwt(token({"sub": "x"}, algorithm, size)) for size in (length // 2 - 1, length + 1)
    )
    assert (short, longer) == (None, exact if algorithm == "RS256" else None)


@pytest.mark.parametrize("secret", json_web_tokens._EXAMPLE_SECRETS)
def test_what_an_examples_secret_signed_is_for_tests(secret: bytes) -> None:
    """Whoever reads jwt.io can make such a token."""
    signed = token({"sub": "1234567890"}).rpartition(b".")[0]
    value = signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())
    expected = [("algorithm", "HS256"), ("subject", "1234567890"), ("mode", "test")]
    assert json_web_tokens.jwt(value) == expected


@pytest.mark.parametrize("odd", [1e999, -1, 0, 10**30, True, "soon", None, [1], {"a": 1}, 253402300800])
def test_a_time_that_is_none_is_left_out(odd: object) -> None:
    """Out of range, not a number, not finite."""
    assert json_web_tokens.jwt(token({"exp": odd, "iat": odd, "nbf": odd})) == [("algorithm", "HS256")]


def test_what_a_claim_says_is_cut_and_can_be_written() -> None:
    """200 characters at most, and no half of a surrogate pair."""
    assert learned({"sub": "x" * 300, "iss": "\ud800", "aud": [["deep"], "a"], "role": {"x": 1}}) == [
        ("issuer", "?"),
        ("audience", "a"),
        ("subject", "x" * 200),
    ]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"a.b.c",
        part(b"[]") + b"." + part(b"{}") + b"." + part(bytes(32)),
        part(b'{"alg":1}') + b"." + part(b"{}") + b"." + part(bytes(32)),
        part(b'{"alg":"HS256"}') + b"." + part(b"[" * 9000) + b"." + part(bytes(32)),
        part(b'{"alg":"HS256"}') + b"." + part(b'{"exp":' + b"9" * 5000 + b"}") + b"." + part(bytes(32)),
    ],
)
def test_what_is_no_token_is_dropped(value: bytes) -> None:
    """No objects, an algorithm that is no text, JSON too deep, numbers too long."""
    assert json_web_tokens.jwt(value) is None


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=80))
def test_any_bytes_are_answered(head: bytes, body: bytes, signature: bytes) -> None:
    """Nothing is raised, of text and of base64 of anything."""
    for value in (head + b"." + body + b"." + signature, b".".join(map(part, (head, body, signature)))):
        assert json_web_tokens.jwt(value) is None or json_web_tokens.jwt(value)
    assert json_web_tokens.github_jwt(b"ghs_1_" + head) is None


def test_a_github_jwt_names_its_app() -> None:
    """The number behind `ghs_`, whatever the claims say of the client."""
    facts = json_web_tokens.github_jwt(b"ghs_77_" + token({"client_id": "9", "sub": "x"}))
    assert facts == [("client_id", "77"), ("algorithm", "HS256"), ("subject", "x")]


@pytest.mark.parametrize(("role", "other"), [("service_role", "other"), ("anon", "service_role")])
def test_a_supabase_key_is_told_by_its_role(role: str, other: str) -> None:
    """One detector takes the one, another the rest."""
    value = samples.supabase_jwt(Random(role), role)
    found = dict(json_web_tokens.supabase_role(value, "service_role" if role == "service_role" else "other") or [])
    assert (found["role"], found["privilege"]) == (role, "admin" if role == "service_role" else "read")
    assert json_web_tokens.supabase_role(value, other) is None
