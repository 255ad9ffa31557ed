"""Checks on tokens that carry a checksum or a structure of their own."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator
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


def npm_checksum(value: bytes) -> list[tuple[str, str]]:
    """npm's tokens end as GitHub's do; what the CRC-32 covers is not documented, so that a failure drops nothing.

    Source: https://github.blog/security/announcing-npms-new-access-token-format/
    """
    return github_checksum(value) or []


def github_jwt(value: bytes) -> list[tuple[str, str]] | None:
    """A GitHub App installation token since 2026: `ghs_`, the number of the app, a JSON Web Token.

    Source: https://github.blog/changelog/2026-04-24-notice-about-upcoming-new-format-for-github-app-installation-tokens/
    """
    app, _, token = value.removeprefix(b"ghs_").partition(b"_")
    facts = jwt(token)
    return None if facts is None else [("client_id", app.decode("ascii", "replace")), *facts]


def gitlab_checksum(value: bytes) -> list[tuple[str, str]] | None:
    """A routable GitLab token: it ends with seven base36 digits, the CRC-32 of all before them.

    Source: https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/
    """
    try:
        return [("checksum", "valid")] if int(value[-7:], 36) == zlib.crc32(value[:-7]) else None
    except ValueError:
        return None


def grafana_checksum(value: bytes) -> list[tuple[str, str]] | None:
    """A Grafana service account token's last eight digits: the CRC-32 of what stands before them, low byte first.

    Source: https://github.com/grafana/grafana/tree/main/pkg/components/satokengen
    """
    head, _, digits = value.rpartition(b"_")
    valid = zlib.crc32(head).to_bytes(4, "little").hex().encode() == digits
    return [("checksum", "valid")] if valid else None


def base64_json(value: bytes, names: str = "") -> list[tuple[str, str]] | None:
    """Base64, behind a prefix that ends with `_` if there is one, of a JSON object with these `names`."""
    text = value.rpartition(b"_")[2] if value[:8].count(b"_") else value
    text = text.replace(b"-", b"+").replace(b"_", b"/")
    try:
        found = json.loads(base64.b64decode(text + b"=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return [] if isinstance(found, dict) and all(name in found for name in names.split(",") if name) else None


def macaroon(value: bytes, location: str) -> list[tuple[str, str]] | None:
    """A PyPI token: a macaroon (version 2, binary) of that location, and what its caveats limit it to.

    Sources: https://docs.pypi.org/api/secrets/; https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt
    """
    text = value.partition(b"-")[2]
    try:
        raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        fields = list(_macaroon_fields(raw))
    except (binascii.Error, IndexError):
        return None
    if fields[:1] != [(1, location.encode())] or fields[-1][0] != 6 or len(fields[-1][1]) != 32:
        return None
    facts = [("host", location)]
    for number, content in fields[2:-1]:
        if number == 2:
            facts += _pypi_caveat(content)
    return facts


def _macaroon_fields(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """The (type, content) pairs of a macaroon; IndexError for what is cut short or not version 2."""
    if raw[0] != 2:
        raise IndexError
    at = 1
    while at < len(raw):
        number, at = raw[at], at + 1
        if number == 0:
            continue
        size = shift = 0
        while True:
            byte, at = raw[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 63:
                raise IndexError
        if at + size > len(raw):
            raise IndexError
        yield number, raw[at : at + size]
        at += size


def _pypi_caveat(content: bytes) -> list[tuple[str, str]]:
    """What one caveat says: `[0, expires, …]`, `[1, [project, …]]`, `[3, user]`, or the older object."""
    try:
        caveat = json.loads(content)
    except (ValueError, RecursionError):
        return []
    match caveat:
        case [0, int(expires), *_] if 0 < expires < 253402300800:
            return [("expires", datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))]
        case [1, [*names]] | {"permissions": {"projects": [*names]}}:
            return [("permissions", "project"), ("project", ", ".join(n for n in names if isinstance(n, str))[:200])]
        case [3, str()] | {"permissions": "user"}:
            return [("permissions", "user")]
    return []


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
