"""JSON Web Tokens against the keys that their issuer publishes: fetched from it, checked here. The token is not sent.

OpenID Connect Discovery 1.0, sections 3 and 4 (`jwks_uri`, `issuer`), RFC 7517 (keys), RFC 7518 and RFC 8037
(signatures), RFC 7515 4.1.11 (`crit`).

`live` is a token that a published key signed and that has not ended; whether its issuer took it back is not known.
`dead` is one that has ended, or that the key of its name did not sign. Issuers take keys out of their lists when they
change them, and those who cached them still take the tokens: where the key is not published any more, it is unknown.
Only signatures by a key pair are looked at: a published key is never taken for the secret of HS256, and `none` is none.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from ...model import Facts, Verdict
from ...net.http import Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import safe
from ..credential import Credential, Destination, UnaskedError, destination
from ..line import Line

PROBE: Literal["each", "host", "never"] = "never"
_MOST_KEYS = 100
_MODULUS = range(2048, 8193)
"""Bits of an RSA key: smaller ones prove nothing, larger ones are work."""


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """The issuer: never the provider's own, as it came out of the token."""
    return (destination(_issuer(_Token(credential)), check.hosts),)


def made_up(credential: Credential, value: bytes) -> Credential:
    """Nothing is accepted there that could be."""
    return credential.with_value(value)


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""


def ask(credential: Credential, check: Verification, line: Line) -> Verdict:
    """Fetch the keys, and check."""
    token = _Token(credential)
    issuer = _issuer(token)
    ends = _moment(token.claims.get("exp"))
    if ends is not None and ends <= line.now:
        return Verdict("dead", f"it ended on {ends:%Y-%m-%d}", asked=line.host)
    verify = _VERIFIERS.get(str(token.header.get("alg")))
    if verify is None:
        raise UnaskedError("its signature is none by a key that an issuer publishes")
    if "crit" in token.header or "nonce" in token.header:
        raise UnaskedError("its header changes what is signed, in a way that is its issuer's own")
    begins = _moment(token.claims.get("nbf"))
    if begins is not None and begins > line.now:
        raise UnaskedError(f"it begins on {begins:%Y-%m-%d}")
    keys = [key for key in _published(issuer, line) if _fits(key, token.header)]
    if not keys:
        raise UnaskedError("the key that signed it is not published, or not any more")
    answers = [verify(key, token.signed, token.signature) for key in keys]
    if True in answers:
        return _live(token, issuer, ends, credential)
    if len(keys) == 1 and answers[0] is False and token.header.get("kid"):
        return Verdict("dead", "the key of its name did not sign it", asked=line.host)
    raise UnaskedError("none of the keys that are published signed it")


def _live(token: _Token, issuer: str, ends: datetime | None, credential: Credential) -> Verdict:
    subject = token.claims.get("sub")
    told = {"issuer": issuer, "subject": subject if isinstance(subject, str) else ""}
    facts: Facts = tuple((name, text) for name, each in told.items() if (text := safe(each, credential.text)))
    if ends is not None:
        facts += (("expires", ends.isoformat()),)
    return Verdict("live", f"signed by a key that {safe(issuer, credential.text)} publishes", facts)


# --- the token -------------------------------------------------------------------------------------------------------


class _Token:
    """A token in its compact form (RFC 7515, 3.1)."""

    def __init__(self, credential: Credential) -> None:
        parts = credential.text.split(".")
        try:
            self.header, self.claims = (_object(_decoded(part)) for part in parts[:2])
            self.signature = _decoded(parts[2])
        except (ValueError, IndexError, RecursionError):
            raise UnaskedError("it is no token that can be read") from None
        self.signed = f"{parts[0]}.{parts[1]}".encode()


def _issuer(token: _Token) -> str:
    issuer = token.claims.get("iss")
    if not isinstance(issuer, str) or not issuer.startswith("https://"):
        raise UnaskedError("its issuer is no https address")
    if not re.fullmatch(r"https://[A-Za-z0-9.:\[\]_-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?", issuer):
        raise UnaskedError("its issuer is no address that keys are published at")
    return issuer


def _moment(value: Any) -> datetime | None:
    """A NumericDate (RFC 7519)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _decoded(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _object(data: bytes) -> dict[str, Any]:
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError
    return value


# --- the keys --------------------------------------------------------------------------------------------------------


def _published(issuer: str, line: Line) -> list[dict[str, Any]]:
    """The keys of an issuer."""
    about = _fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration", line)
    if about.get("issuer") != issuer:
        raise UnaskedError("what it publishes is about another issuer")
    where = about.get("jwks_uri")
    if not isinstance(where, str) or not where.startswith("https://"):
        raise UnaskedError("it does not say where its keys are published")
    keys = _fetched(where, line).get("keys")
    if not isinstance(keys, list):
        raise UnaskedError("what it publishes as keys is none (RFC 7517)")
    return [key for key in keys[:_MOST_KEYS] if isinstance(key, dict)]


def _fetched(address: str, line: Line) -> dict[str, Any]:
    """What is published at an address. Nothing of the token is in the request."""
    try:
        parts = urlsplit(address)
        to = destination(address, ())
    except ValueError:
        raise UnaskedError("an address of it is damaged") from None
    if "@" in parts.netloc:
        raise UnaskedError("an address of it is damaged")
    answer = line.send(Request(Url(to.scheme, str(to), parts.path or "/", parts.query)), public=True)
    if answer.status != 200:
        raise UnaskedError(f"its keys are not to be had ({answer.status})")
    try:
        return _object(answer.body)
    except (ValueError, RecursionError):
        raise UnaskedError("what it publishes is no JSON object") from None


def _fits(key: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    """Whether a key may be the one that signed (RFC 7517, 4)."""
    wanted = {"use": "sig", "alg": header["alg"]} | ({"kid": header["kid"]} if "kid" in header else {})
    return all(key.get(name, "" if name == "kid" else value) == value for name, value in wanted.items())


# --- signatures ------------------------------------------------------------------------------------------------------

Verifier = Callable[[Mapping[str, Any], bytes, bytes], "bool | None"]
"""Whether a key made a signature of something; None where it is none for that."""


def _rsa(size: int, *, pss: bool = False) -> Verifier:
    def verify(key: Mapping[str, Any], signed: bytes, signature: bytes) -> bool | None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        modulus, exponent = _number(key, "n"), _number(key, "e")
        if key.get("kty") != "RSA" or modulus.bit_length() not in _MODULUS or not 2 < exponent < 1 << 33:
            return None
        hashed = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[size]
        pad = padding.PSS(padding.MGF1(hashed), hashed.digest_size) if pss else padding.PKCS1v15()
        try:
            rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(signature, signed, pad, hashed)
        except InvalidSignature:
            return False
        except ValueError:
            return None
        return True

    return verify


def _ecdsa(name: str, size: int) -> Verifier:
    def verify(key: Mapping[str, Any], signed: bytes, signature: bytes) -> bool | None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        if key.get("kty") != "EC" or key.get("crv") != name:
            return None
        curve = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}
        hashed = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[size]
        half = (curve[name].key_size + 7) // 8
        if len(signature) != 2 * half:
            return False
        pair = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
        try:
            public = ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), curve[name]).public_key()
            public.verify(encode_dss_signature(*pair), signed, ec.ECDSA(hashed))
        except InvalidSignature:
            return False
        except ValueError:
            return None
        return True

    return verify


def _edwards(key: Mapping[str, Any], signed: bytes, signature: bytes) -> bool | None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

    curve = key.get("crv")
    if key.get("kty") != "OKP" or curve not in ("Ed25519", "Ed448"):
        return None
    made = ed25519.Ed25519PublicKey if curve == "Ed25519" else ed448.Ed448PublicKey
    try:
        made.from_public_bytes(_bytes(key, "x")).verify(signature, signed)
    except InvalidSignature:
        return False
    except ValueError:
        return None
    return True


def _bytes(key: Mapping[str, Any], name: str) -> bytes:
    value = key.get(name)
    try:
        return _decoded(value) if isinstance(value, str) and len(value) < 2000 else b""
    except ValueError:
        return b""


def _number(key: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_bytes(key, name), "big")


_VERIFIERS: dict[str, Verifier] = {
    "RS256": _rsa(256),
    "RS384": _rsa(384),
    "RS512": _rsa(512),
    "PS256": _rsa(256, pss=True),
    "PS384": _rsa(384, pss=True),
    "PS512": _rsa(512, pss=True),
    "ES256": _ecdsa("P-256", 256),
    "ES384": _ecdsa("P-384", 384),
    "ES512": _ecdsa("P-521", 512),
    "ES256K": _ecdsa("secp256k1", 256),
    "EdDSA": _edwards,
    "Ed25519": _edwards,
    "Ed448": _edwards,
}
