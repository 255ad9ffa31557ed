"""Checks on tokens that carry a checksum or a structure of their own."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from datetime import UTC, datetime

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def github_checksum(value: bytes) -> list[tuple[str, str]] | None:
    """A GitHub token's last six characters: the CRC-32 of the ones before it (behind the prefix), in base62.

    Source: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    body = value.rpartition(b"_")[2]
    number, text = zlib.crc32(body[:-6]), ""
    while number:
        number, digit = divmod(number, 62)
        text = _BASE62[digit] + text
    return [("checksum", "valid")] if text.rjust(6, "0").encode() == body[-6:] else None


def jwt(value: bytes) -> list[tuple[str, str]] | None:
    """A JSON Web Token (RFC 7519): header and claims are JSON objects, the header names an algorithm."""
    parts = value.split(b".")
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(p + b"=" * (-len(p) % 4))) for p in parts[:2])
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict) or not isinstance(header.get("alg"), str):
        return None
    facts = [("algorithm", header["alg"])]
    for claim, name in (("iss", "issuer"), ("aud", "audience"), ("sub", "subject")):
        if isinstance(claims.get(claim), str) and len(claims[claim]) <= 200:
            facts.append((name, claims[claim]))
    expires = claims.get("exp")
    if isinstance(expires, int | float) and 0 < expires < 253402300800:
        facts.append(("expires", datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
    return facts
