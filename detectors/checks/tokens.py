"""Checks on the tokens of code hosts and package registries, and of others that carry a checksum or a structure."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator

from .decoding import from_base64, json_object, moment, pairs_of, said

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


def github_user(value: bytes) -> list[tuple[str, str]]:
    """A fine-grained GitHub token: behind `11`, the number of its user in base32, padded with `0`; drops nothing.

    Not documented. Read from 23 public tokens, of which one could be held against the number in its owner's mail
    address at GitHub. `https://api.github.com/user/NUMBER` gives the name.
    """
    found = re.match(rb"github_pat_11([A-Z2-7]{7})0", value)
    if not found:
        return []
    return [("user", str(int.from_bytes(base64.b32decode(found[1] + b"="), "big")))]


def npm_checksum(value: bytes) -> list[tuple[str, str]]:
    """npm's tokens end as GitHub's do; what the CRC-32 covers is not documented, so that a failure drops nothing.

    Source: https://github.blog/security/announcing-npms-new-access-token-format/
    """
    return github_checksum(value) or []


_GITLAB = re.compile(
    rb"(?:[A-Za-z0-9]{1,20}-)?gl(?P<kind>[a-z]{2,5})-(?:t(?P<runner>[1-3])_)?(?P<payload>[A-Za-z0-9_-]{1,300})\."
)
_GITLAB_TYPES = {
    b"pat": "personal, project or group access token",
    b"oas": "OAuth application secret",
    b"dt": "deploy token",
    b"rt": "runner authentication token",
    b"rtr": "runner authentication token of a registration token",
    b"cbt": "CI job token",
    b"ptt": "pipeline trigger token",
    b"ft": "feed token",
    b"imt": "incoming mail token",
    b"agent": "agent for Kubernetes token",
    b"wt": "workspace token",
    b"soat": "SCIM token",
    b"ffct": "feature flags client token",
}
_GITLAB_ROUTES = (("o", "account"), ("g", "team"), ("p", "project"), ("u", "user"))
"""Organization, group, project, user."""


def gitlab_checksum(value: bytes) -> list[tuple[str, str]] | None:
    """A routable GitLab token: it ends with seven base36 digits, the CRC-32 of all before them; where it belongs.

    The payload is base64 of 16 random bytes, lines such as `o:1` and `u:2s` (numbers in base36), and their size.
    Sources: https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/;
    lib/authn/token_field/generator/routable_token.rb; https://docs.gitlab.com/security/tokens/#token-prefixes
    """
    if not re.fullmatch(rb"[0-9a-z]{7}", value[-7:]) or int(value[-7:], 36) != zlib.crc32(value[:-7]):
        return None
    found = _GITLAB.match(value)
    kind = _GITLAB_TYPES.get(found["kind"], "") if found else ""
    routes = _gitlab_routes(from_base64(found["payload"]) or b"") if found else {}
    facts = [("type", kind)] if kind else []
    facts += [(name, routes[key]) for key, name in _GITLAB_ROUTES if key in routes]
    return [*facts, ("checksum", "valid")]


def _gitlab_routes(raw: bytes) -> dict[str, str]:
    payload = raw[-1 - raw[-1] : -1] if len(raw) > 16 else b""
    pairs = re.findall(rb"(?m)^([a-z]):([0-9a-z]{1,12})$", payload)
    return {key.decode(): str(int(number, 36)) for key, number in pairs}


def grafana_checksum(value: bytes) -> list[tuple[str, str]] | None:
    """A Grafana service account token's last eight digits: the CRC-32 of what stands before them, low byte first.

    Source: https://github.com/grafana/grafana/tree/main/pkg/components/satokengen
    """
    head, _, digits = value.rpartition(b"_")
    valid = zlib.crc32(head).to_bytes(4, "little").hex().encode() == digits
    return [("checksum", "valid")] if valid else None


def grafana_key(value: bytes) -> list[tuple[str, str]] | None:
    """A Grafana key that is base64 of a JSON object: organization (`o`, `id`), name (`n`), region (`m.r`), key (`k`).

    Sources: https://github.com/grafana/grafana/tree/main/pkg/components/apikeygen for older API keys; for access
    policies (`glc_`) the object itself, as the tokens hold it.
    """
    members = json_object(value.removeprefix(b"glc_"))
    if members is None or not isinstance(members.get("k"), str):
        return None
    facts = pairs_of(members, (("o", "account"), ("id", "account"), ("n", "name")))
    more = members.get("m")
    return [*facts, *(pairs_of(more, (("r", "region"),)) if isinstance(more, dict) else [])]


def atlassian_checksum(value: bytes) -> list[tuple[str, str]] | None:
    """Atlassian's tokens (ATATT, ATCTT, ATBB, ATTA): the last eight digits are the CRC-32 of all before them, in hex.

    Not documented. It holds for all of 19 public tokens of the four kinds, so that a failure drops the match.
    """
    return [("checksum", "valid")] if b"%08X" % zlib.crc32(value[:-8]) == value[-8:].upper() else None


_STRIPE = {b"sk": ("secret key", "admin"), b"rk": ("restricted key", "")}


def stripe_key(value: bytes) -> list[tuple[str, str]]:
    """A Stripe key: secret (it opens all of the account) or restricted (to what its maker chose); drops nothing.

    Source: https://docs.stripe.com/keys
    """
    kind, privilege = _STRIPE.get(value[:2], ("", ""))
    facts = (("type", kind), ("privilege", privilege), ("scope", "account"))
    return [(name, text) for name, text in facts if kind and text]


def base64_json(value: bytes, names: str = "") -> list[tuple[str, str]] | None:
    """Base64, behind a prefix that ends with `_` if there is one, of a JSON object with these `names`."""
    text = value.rpartition(b"_")[2] if value[:8].count(b"_") else value
    found = json_object(text)
    return [] if found is not None and all(name in found for name in names.split(",") if name) else None


def macaroon(value: bytes, location: str) -> list[tuple[str, str]] | None:
    """A PyPI token: a macaroon (version 2, binary) of that location, and what its caveats limit it to.

    It uploads files and does nothing else, to all projects of its user or to those that a caveat names.
    Sources: https://docs.pypi.org/api/secrets/; https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt
    """
    raw = from_base64(value.partition(b"-")[2])
    try:
        fields = list(_macaroon_fields(raw or b""))
    except IndexError:
        return None
    if fields[:1] != [(1, location.encode())] or fields[-1][0] != 6 or len(fields[-1][1]) != 32:
        return None
    limits: dict[str, str] = {}
    for number, content in fields[2:-1]:
        if number == 2:
            limits |= _pypi_caveat(content)
    names = ("project", "expires")
    only = "project" if "project" in limits else "user"
    scope = "project" if "project" in limits else "account"
    facts = [("host", location), ("permissions", only), *((name, limits[name]) for name in names if name in limits)]
    return [*facts, ("allows", "upload files"), ("privilege", "write"), ("scope", scope)]


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


def _pypi_caveat(content: bytes) -> dict[str, str]:
    """What one caveat says: `[0, expires, …]`, `[1, [project, …]]`, or the older object that names projects."""
    try:
        caveat = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    match caveat:
        case [0, expires, *_] if moment(expires):
            return {"expires": moment(expires)}
        case [1, [*names]] | {"permissions": {"projects": [*names]}} if said(names):
            return {"project": said(names)}
    return {}
