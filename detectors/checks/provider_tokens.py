"""Checks on tokens of single providers: checksums and structures that their documents or sources describe."""

from __future__ import annotations

import base64
import zlib

from .decoding import json_object, pairs_of, said

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
    claims = json_object(value.partition(b".")[2].partition(b".")[0])
    account = "" if claims is None else said(claims.get("u"))
    return [("account", account)] if account else None


def onepassword_token(value: bytes) -> list[tuple[str, str]] | None:
    """The token of a 1Password service account: `ops_` and a JSON object that names address and mail of the account.

    Source: https://developer.1password.com/docs/service-accounts/security/
    """
    claims = json_object(value.removeprefix(b"ops_"))
    return None if claims is None else pairs_of(claims, (("signInAddress", "host"), ("email", "email")))


def sentry_org_token(value: bytes) -> list[tuple[str, str]] | None:
    """A Sentry organization token: `sntrys_`, JSON in base64 with the organization and its address, `_`, the secret.

    Source: https://develop.sentry.dev/backend/auth-tokens/
    """
    claims = json_object(value.removeprefix(b"sntrys_").rpartition(b"_")[0])
    if claims is None or "iat" not in claims:
        return None
    return pairs_of(claims, (("org", "account"), ("region_url", "host")))
