"""Checks on tokens of single providers: checksums and structures that their documents or sources describe."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

from . import tokens

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(value: bytes) -> list[tuple[str, str]] | None:
    """Bech32 text (BIP 173), as age writes its keys: the last six characters are a checksum over all before them.

    Sources: https://age-encryption.org/v1; https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
    """
    text = value.decode("latin-1").lower()
    name, _, data = text.rpartition("1")
    if not name or len(data) < 6 or any(c not in _BECH32 for c in data):
        return None
    remainder = 1
    for five in [*(ord(c) >> 5 for c in name), 0, *(ord(c) & 31 for c in name), *(_BECH32.index(c) for c in data)]:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ five
        for bit, generator in enumerate(_GENERATORS):
            remainder ^= generator if top >> bit & 1 else 0
    return [("checksum", "valid")] if remainder == 1 else None


def confluent_checksum(value: bytes) -> list[tuple[str, str]]:
    """The secret of a Confluent key: its last six characters are the CRC-32 of the 54 before them, in base64.

    The byte order (least first) is from the one published example, which has one letter in the wrong case: a failure
    drops nothing. Source: https://docs.confluent.io/cloud/current/client-apps/api-keys.html
    """
    body, check = value[4:-6], value[-6:]
    computed = base64.b64encode(zlib.crc32(body).to_bytes(4, "little")).rstrip(b"=")
    return [("checksum", "valid")] if computed == check else []


def mapbox_token(value: bytes) -> list[tuple[str, str]] | None:
    """A Mapbox token: `sk`, `pk` or `tk`, the account (`u`) and number (`a`) of the token as JSON, a signature.

    Source: https://docs.mapbox.com/api/accounts/tokens/#token-format
    """
    claims = _json_object(value.partition(b".")[2].partition(b".")[0])
    if claims is None or not isinstance(claims.get("u"), str):
        return None
    return [("account", claims["u"][:200])]


def onepassword_token(value: bytes) -> list[tuple[str, str]] | None:
    """The token of a 1Password service account: `ops_` and a JSON object that names address and mail of the account.

    Source: https://developer.1password.com/docs/service-accounts/security/
    """
    claims = _json_object(value.removeprefix(b"ops_"))
    if claims is None:
        return None
    pairs = (("signInAddress", "host"), ("email", "email"))
    return [(name, claims[key][:200]) for key, name in pairs if isinstance(claims.get(key), str)]


def sentry_org_token(value: bytes) -> list[tuple[str, str]] | None:
    """A Sentry organization token: `sntrys_`, JSON in base64 with the organization and its address, `_`, the secret.

    Source: https://develop.sentry.dev/backend/auth-tokens/
    """
    claims = _json_object(value.removeprefix(b"sntrys_").rpartition(b"_")[0])
    if claims is None or "iat" not in claims:
        return None
    pairs = (("org", "account"), ("region_url", "host"))
    return [(name, claims[key][:200]) for key, name in pairs if isinstance(claims.get(key), str)]


def supabase_role(value: bytes, role: str = "service_role") -> list[tuple[str, str]] | None:
    """A Supabase project's old key: a JSON Web Token with that role; `other` is any role but `service_role`.

    Source: https://supabase.com/docs/guides/api/api-keys
    """
    facts = tokens.jwt(value)
    claims = _json_object(value.partition(b".")[2].partition(b".")[0])
    if facts is None or claims is None or not isinstance(claims.get("role"), str):
        return None
    if (claims["role"] == "service_role") != (role == "service_role"):
        return None
    project = claims.get("ref")
    named = [("project", project[:200])] if isinstance(project, str) else []
    return [*facts, ("permissions", claims["role"][:200]), *named]


def _json_object(text: bytes) -> dict[str, Any] | None:
    """The JSON object that stands in base64, of either alphabet, padded or not."""
    text = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        found = json.loads(base64.b64decode(text + b"=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
