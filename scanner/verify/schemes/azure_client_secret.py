"""Client secrets of Microsoft Entra: the application asks for a token for Microsoft Graph, and gives it up at once.

Nothing is asked with the token; it says itself what the application may do (its application permissions, `roles`). An
error has numbers: 7000215 says that the secret is wrong, 7000222 that it has expired. Others (700016: no such
application in that tenant, 90002: no such tenant, conditional access, an application that was disabled) say nothing of
the secret, of which the application and the tenant only stand near. Sources, below
https://learn.microsoft.com/entra/identity-platform/: v2-oauth2-client-creds-grant-flow, reference-error-codes,
access-token-claims-reference; https://learn.microsoft.com/graph/permissions-reference.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from ...model import Verdict
from ...net.http import Answer, Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import MOST_LISTED, Told, privilege_of, safe, said
from ..credential import Credential, Destination, UnaskedError, destination
from ..line import Line
from ..paired import require_sure

PROBE: Literal["each", "host", "never"] = "each"

HOST = "login.microsoftonline.com"
SCOPE = "https://graph.microsoft.com/.default"
WRONG, EXPIRED = 7000215, 7000222
DEAD = {WRONG: "is wrong", EXPIRED: "has expired"}
_OTHERS = {
    700016: "there is no such application in that tenant",
    90002: "there is no such tenant",
    7000112: "the application is disabled",
    53003: "conditional access refuses it",
}
_ID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_ROLE = re.compile(r"[A-Za-z0-9_.-]{3,80}")


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """The token service, which is one for all tenants of the public cloud."""
    _ids(credential)
    return (destination(f"https://{HOST}", check.hosts),)


def ask(credential: Credential, check: Verification, line: Line) -> Verdict:
    """Ask for a token."""
    client, tenant = _ids(credential)
    asked = {"grant_type": "client_credentials", "client_id": client, "client_secret": credential.text, "scope": SCOPE}
    answer = line.send(
        Request(
            Url("https", HOST, f"/{tenant}/oauth2/v2.0/token"),
            {"Content-Type": "application/x-www-form-urlencoded"},
            signed=True,
            method="POST",
            body=urlencode(asked).encode(),
        )
    )
    told = Told(answer)
    token = told.at("access_token")
    if answer.status == 200 and isinstance(token, str) and str(told.at("token_type")).lower() == "bearer":
        facts = _facts(_claims(token), credential, check)
        reason = "; ".join(filter(None, (f"application {client} of tenant {tenant}", said(tuple(facts.items())))))
        return Verdict("live", reason, tuple(facts.items()), line.host)
    codes = _codes(told, answer)
    for code, meaning in DEAD.items():
        if answer.status in (400, 401) and code in codes:
            if code == WRONG:
                require_sure(credential, ("client_id", "tenant"))
            return Verdict("dead", f"as the secret of application {client} it {meaning} (AADSTS{code})", (), line.host)
    for code, meaning in _OTHERS.items():
        if code in codes:
            raise UnaskedError(f"{meaning} (AADSTS{code})")
    raise UnaskedError(f"it answers {answer.status}" + (f" (AADSTS{codes[0]})" if codes else ""))


def made_up(credential: Credential, value: bytes) -> Credential:
    """Another secret of the same application."""
    return credential.with_value(value)


def user(_credential: Credential) -> str:
    """An application is not locked out by secrets that fail, as people are."""
    return ""


def _ids(credential: Credential) -> tuple[str, str]:
    client, tenant = credential.fact("client_id").lower(), credential.fact("tenant").lower()
    if not (_ID.fullmatch(client) and _ID.fullmatch(tenant)):
        raise UnaskedError("the application or the tenant that stands beside it is none")
    return client, tenant


def _codes(told: Told, answer: Answer) -> list[int]:
    """The numbers of an error; only of one that says it is."""
    codes = told.at("error_codes")
    if answer.status < 400 or not isinstance(told.at("error"), str) or not isinstance(codes, list):
        return []
    return [code for code in codes[:10] if type(code) is int and 0 < code < 1e9]


def _claims(token: str) -> dict[str, Any]:
    """What a token says (RFC 7519); it came from who signed it, so that its signature is not looked at."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _facts(claims: Mapping[str, Any], credential: Credential, check: Verification) -> dict[str, str]:
    listed = claims.get("roles", [])
    roles = [role for role in listed if isinstance(role, str) and _ROLE.fullmatch(role)] if type(listed) is list else []
    told = [role for role in dict.fromkeys(roles) if safe(role, credential.text)][:MOST_LISTED]
    found = {
        "name": safe(str(claims.get("app_displayname", "")), credential.text),
        "scopes": ", ".join(told),
        "privilege": _privilege(told, check),
    }
    return {name: text for name, text in found.items() if text}


def _privilege(roles: Iterable[str], check: Verification) -> str:
    """The most that one of them allows: those that the table names, then by the verb in their names, as they are made:
    `Mail.ReadWrite`, `Sites.FullControl.All`."""
    have = list(roles)
    listed = privilege_of(have, dict(check.privileges))
    verbs = [verb for role in have for verb in role.split(".")[1:]]
    if listed:
        return listed
    if any(verb == "FullControl" for verb in verbs):
        return "full"
    if any(verb.startswith(("ReadWrite", "Write", "Send", "Manage", "Create", "Delete", "Invite")) for verb in verbs):
        return "write"
    return "read" if have else ""
