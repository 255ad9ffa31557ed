"""Tokens against the keys of a loopback issuer that publishes them as OpenID Connect Discovery describes it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from logging_in import NOW, only, verdicts
from servers import Asked, answer, told

pytestmark = pytest.mark.long

ISSUER = "https://id.acme.test/realms/own"
LATER = int(NOW.timestamp()) + 3600
RSA = rsa.generate_private_key(65537, 2048)
Sign = Callable[[bytes], bytes]
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def coded(data: bytes | dict[str, Any]) -> str:
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(sign: Sign, header: dict[str, Any], **claims: Any) -> str:
    body = {"iss": ISSUER, "sub": "service account 7", "exp": LATER} | claims
    signed = f"{coded(header)}.{coded(body)}"
    return f"{signed}.{coded(sign(signed.encode()))}"


def number(value: int) -> str:
    return coded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def rsa_pair(alg: str, key: rsa.RSAPrivateKey = RSA) -> tuple[Sign, dict[str, Any]]:
    """What signs by an algorithm, and the published half."""
    hashed = HASHES[alg[2:]]
    pss = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
    public = key.public_key().public_numbers()
    half = {"kty": "RSA", "n": number(public.n), "e": number(public.e)}
    return lambda data: key.sign(data, pss if alg[0] == "P" else padding.PKCS1v15(), hashed), half


def ec_pair(alg: str) -> tuple[Sign, dict[str, Any]]:
    """The same with a curve."""
    curves: dict[str, tuple[ec.EllipticCurve, str]] = {
        "ES256": (ec.SECP256R1(), "P-256"),
        "ES384": (ec.SECP384R1(), "P-384"),
        "ES512": (ec.SECP521R1(), "P-521"),
        "ES256K": (ec.SECP256K1(), "secp256k1"),
    }
    curve, name = curves[alg]
    key, width = ec.generate_private_key(curve), (curve.key_size + 7) // 8
    public = key.public_key().public_numbers()

    def sign(data: bytes) -> bytes:
        pair = decode_dss_signature(key.sign(data, ec.ECDSA(HASHES[alg[2:5]])))
        return b"".join(each.to_bytes(width, "big") for each in pair)

    both = (coded(each.to_bytes(width, "big")) for each in (public.x, public.y))
    return sign, {"kty": "EC", "crv": name} | dict(zip("xy", both, strict=True))


def edwards_pair(alg: str) -> tuple[Sign, dict[str, Any]]:
    """The same with one of the newer ones."""
    kind = ed448.Ed448PrivateKey if alg == "Ed448" else ed25519.Ed25519PrivateKey
    key = kind.generate()
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return key.sign, {"kty": "OKP", "crv": "Ed448" if alg == "Ed448" else "Ed25519", "x": coded(raw)}


def pair(alg: str) -> tuple[Sign, dict[str, Any]]:
    return rsa_pair(alg) if alg[1] == "S" and alg[0] in "RP" else ec_pair(alg) if alg[1] == "S" else edwards_pair(alg)


@contextmanager
def issuer(keys: object, **about: object) -> Iterator[tuple[str, Asked]]:
    """One that publishes keys; what names it for `--verify-host`, and what it was asked."""
    pages: Mapping[str, object] = {
        "/realms/own/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/certs"} | about,
        "/realms/own/certs": {"keys": keys},
    }
    with told(lambda to, _: answer(to, json.dumps(pages[to.path])) if to.path in pages else answer(to, "", 404)) as (
        url,
        asked,
    ):
        yield f"jwt={url}", asked


ALL = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K EdDSA Ed448".split()


@pytest.mark.parametrize("alg", ALL)
def test_a_token_that_a_published_key_signed_is_live(alg: str) -> None:
    """And nothing of it was sent to anybody."""
    sign, half = pair(alg)
    value = token(sign, {"alg": alg, "kid": "k1"})
    with issuer([{"kid": "k0"} | pair("ES256")[1], {"kid": "k1", "use": "sig", "alg": alg} | half]) as (named, asked):
        (verdict,) = verdicts(f"token={value}", named)
        sent = json.dumps([asked.targets, asked.headers])
    assert (verdict.state, verdict.reason) == ("live", f"signed by a key that {ISSUER} publishes")
    facts = {"issuer": ISSUER, "subject": "service account 7", "expires": "2027-01-01T01:00:00+00:00"}
    assert dict(verdict.facts) == facts
    assert asked.targets == ["/realms/own/.well-known/openid-configuration", "/realms/own/certs"]
    assert not any(part in sent for part in value.split("."))


@pytest.mark.parametrize("alg", ALL)
def test_a_token_that_the_key_of_its_name_did_not_sign_is_dead(alg: str) -> None:
    """By another key of the same kind."""
    half = rsa_pair(alg, rsa.generate_private_key(65537, 2048))[1] if alg[0] in "RP" else pair(alg)[1]
    value = token(pair(alg)[0], {"alg": alg, "kid": "k1"})
    with issuer([{"kid": "k1"} | half]) as (named, _):
        assert only(f"token={value}", named) == ("dead", "the key of its name did not sign it")


def test_a_token_without_the_name_of_a_key_is_tried_with_all() -> None:
    """None that fits says that it is wrong, then."""
    sign, half = pair("ES256")
    value = token(sign, {"alg": "ES256"})
    with issuer([pair("ES256")[1], half]) as (named, _):
        assert only(f"token={value}", named)[0] == "live"
    with issuer([pair("ES256")[1], pair("ES256")[1]]) as (named, _):
        reason = "127.0.0.1: none of the keys that are published signed it"
        assert only(f"token={value}", named) == ("unknown", reason)


PUBLIC = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
SIGN, HALF = rsa_pair("RS256")
NOT_PUBLISHED = "the key that signed it is not published, or not any more"


CASES: list[tuple[str, object, str]] = [
    # The published half taken for a secret.
    (
        token(lambda data: hmac.digest(PUBLIC, data, hashlib.sha256), {"alg": "HS256", "kid": "k1"}),
        [{"kid": "k1", "kty": "oct", "k": coded(PUBLIC)}, {"kid": "k1"} | HALF],
        "its signature is none by a key that an issuer publishes",
    ),
    (token(SIGN, {"alg": "RS256", "kid": "k2"}), [{"kid": "k1"} | HALF], NOT_PUBLISHED),
    (token(SIGN, {"alg": "RS256", "kid": "k1"}), [{"kid": "k1", "alg": "RS512"} | HALF], NOT_PUBLISHED),
    (token(SIGN, {"alg": "RS256", "kid": "k1"}), [{"kid": "k1", "use": "enc"} | HALF], NOT_PUBLISHED),
    (token(SIGN, {"alg": "RS256", "kid": "k1"}), [HALF], NOT_PUBLISHED),
    (token(SIGN, {"alg": "RS256", "kid": "k1"}), [], NOT_PUBLISHED),
    (token(SIGN, {"alg": "RS256", "kid": "k1"}), {}, "what it publishes as keys is none (RFC 7517)"),
    (
        token(SIGN, {"alg": "RS256", "kid": "k1"}),
        [{"kid": "k1", "kty": "RSA", "n": number(15), "e": "Aw"}],
        "none of the keys that are published signed it",
    ),
    (
        token(SIGN, {"alg": "RS256", "kid": "k1"}),
        [{"kid": "k1", "kty": "RSA", "n": "A" * 100_000, "e": ["AQAB"]}],
        "none of the keys that are published signed it",
    ),
    (
        token(SIGN, {"alg": "RS256", "kid": "k1", "nonce": "n"}),
        [{"kid": "k1"} | HALF],
        "its header changes what is signed, in a way that is its issuer's own",
    ),
    (token(SIGN, {"alg": "RS256", "kid": "k1"}, nbf=LATER), [{"kid": "k1"} | HALF], "it begins on 2027-01-01"),
]


@pytest.mark.parametrize(("value", "keys", "reason"), CASES, ids=map(str, range(len(CASES))))
def test_what_cannot_be_told_is_unknown(value: str, keys: object, reason: str) -> None:
    """A key pair must have signed it, the one of its name, of which the public half is published."""
    with issuer(keys) as (named, _):
        assert only(f"token={value}", named) == ("unknown", f"127.0.0.1: {reason}")


def test_a_token_that_has_ended_is_dead_and_nobody_is_asked() -> None:
    """Its end stands in it."""
    with issuer([{"kid": "k1"} | HALF]) as (named, asked):
        assert only(f"token={token(SIGN, {'alg': 'RS256', 'kid': 'k1'}, exp=1_600_000_000)}", named)[0] == "dead"
        assert asked.targets == []


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"issuer": "https://other.acme.test"}, "what it publishes is about another issuer"),
        ({"jwks_uri": None}, "it does not say where its keys are published"),
        ({"jwks_uri": "http://id.acme.test/realms/own/certs"}, "it does not say where its keys are published"),
        ({"jwks_uri": f"{ISSUER}/gone"}, "its keys are not to be had (404)"),
    ],
)
def test_an_issuer_that_publishes_no_keys_of_its_own(about: dict[str, Any], reason: str) -> None:
    """The document must be about the issuer, and lead to its keys by TLS."""
    with issuer([{"kid": "k1"} | HALF], **about) as (named, _):
        found = only(f"token={token(SIGN, {'alg': 'RS256', 'kid': 'k1'})}", named)
        assert found == ("unknown", f"127.0.0.1: {reason}")


@pytest.mark.parametrize(
    "where", ["http://id.acme.test", "id.acme.test", "https://id.acme.test/?x=1", "https://a@b.test"]
)
def test_an_issuer_that_is_no_https_address_is_not_asked(where: str) -> None:
    """Nor one with a query or a user."""
    state, reason = only(f"token={token(SIGN, {'alg': 'RS256', 'kid': 'k1'}, iss=where)}", "id.acme.test")
    assert (state, reason.startswith("its issuer is no")) == ("unknown", True)


def test_an_issuer_is_asked_only_where_it_is_named() -> None:
    """It came out of the token."""
    reason = "not asked: id.acme.test came out of the data (--verify-host id.acme.test names it)"
    assert only(f"token={token(SIGN, {'alg': 'RS256', 'kid': 'k1'})}") == ("unknown", reason)
