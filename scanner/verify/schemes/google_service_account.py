"""Keys of Google service accounts: whether Google gives a token for them, and what that may do with their project.

The private key signs an assertion (JWT, RFC 7523, RS256) that is good for five minutes, and is never sent. The
assertion goes to Google alone, whatever `token_uri` the file names; the token that comes for it may read only
(`cloud-platform.read-only`), ends within an hour and is used for one question: which of some permissions the account
has on its project (`testIamPermissions`, which needs none, and changes nothing).

Sources: https://developers.google.com/identity/protocols/oauth2/service-account#httprest (requests and error codes),
https://cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions,
https://cloud.google.com/iam/docs/permissions-reference
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal
from urllib.parse import quote, urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ...model import Facts, Verdict
from ...net.http import Answer, Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import Told, said
from ..credential import Credential, Destination, UnaskedError, destination
from ..declared import meaning
from ..line import LaterError, Line

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"

TOKENS, PROJECTS = "oauth2.googleapis.com", "cloudresourcemanager.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform.read-only"
SECONDS = 300
"""That an assertion is good for."""

ADMIN = ("resourcemanager.projects.setIamPolicy",)
"""Who has it gives himself all others."""
WRITES = tuple(
    "bigquery.tables.delete bigquery.tables.updateData cloudfunctions.functions.update cloudsql.instances.update "
    "compute.instances.create compute.instances.delete compute.instances.setMetadata container.clusters.update "
    "datastore.entities.update iam.serviceAccounts.actAs iam.serviceAccountKeys.create pubsub.topics.publish "
    "run.services.update secretmanager.versions.add storage.buckets.delete storage.objects.create "
    "storage.objects.delete".split()
)
EDITS = ("compute.instances.delete", "storage.buckets.delete", "iam.serviceAccounts.actAs", "cloudsql.instances.update")
"""Who has all of these has the role of an editor, or more."""
READS = tuple(
    "bigquery.tables.getData cloudsql.instances.get compute.instances.list container.clusters.get "
    "datastore.entities.get logging.logEntries.list resourcemanager.projects.get secretmanager.versions.access "
    "storage.objects.get storage.objects.list".split()
)
SHOWN = 3
"""Permissions that are named."""

_EMAIL = re.compile(r"[a-z0-9-]{1,80}@[a-z0-9.-]{1,120}\.gserviceaccount\.com")
_ELSEWHERE = re.compile(r".+@[a-z0-9-]+\.[a-z0-9]+\.iam\.gserviceaccount\.com")
"""Of a cloud that a partner runs with Google's software (`PROJECT.s3ns.iam…`): Google does not know its accounts."""
_PROJECT = re.compile(r"[a-z0-9.:-]{4,80}")
_KEY_ID = re.compile(r"[0-9a-f]{40}")


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """Where tokens are given, and where permissions are told."""
    _email(credential)
    return tuple(destination(f"https://{host}/", check.hosts) for host in (TOKENS, PROJECTS))


def ask(credential: Credential, _check: Verification, line: Line) -> Verdict:
    """Ask for a token. UnaskedError where none comes, and the answer does not say that the key is wrong."""
    email = _email(credential)
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": _assertion(credential, line)}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = Url("https", TOKENS, "/token")
    answer = line.send(Request(url, headers, signed=True, method="POST", body=urlencode(grant).encode()))
    told = Told(answer)
    token = told.at("access_token")
    if answer.status == 200 and isinstance(token, str) and token.isascii() and token.isprintable() and token:
        project = credential.facts.get("project", "")
        facts: Facts = (("email", email), *((("project", project),) if project else ()))
        return Verdict("live", said(facts), (*facts, *_rights(project, token, line)))
    if why := _refused(answer, told, email):
        return Verdict("dead", why)
    raise UnaskedError(_meaning(answer, told))


def made_up(credential: Credential, _value: bytes) -> Credential:
    """The same account with a key that nobody gave out, made here: a made-up text is no key."""
    return credential.with_value(_new_key())


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""


@functools.cache
def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())


def _email(credential: Credential) -> str:
    email = credential.fact("email")
    if not _EMAIL.fullmatch(email):
        raise UnaskedError("what stands beside it is no address of a service account")
    return email


def _assertion(credential: Credential, line: Line) -> str:
    """The signed claim to be the account: RFC 7523, in the form of RFC 7515."""
    key, at = _key(credential.text), int(line.now.timestamp())
    head = {"alg": "RS256", "typ": "JWT"}
    if _KEY_ID.fullmatch(credential.facts.get("key_id", "")):
        head["kid"] = credential.facts["key_id"]
    claims = {"iss": _email(credential), "scope": SCOPE, "aud": f"https://{TOKENS}/token"}
    times = {"iat": at, "exp": at + SECONDS}
    text = f"{_coded(head)}.{_coded({**claims, **times})}"
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _coded(claims: Mapping[str, str | int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode().rstrip("=")


def _key(text: str) -> rsa.RSAPrivateKey:
    """The key, of PEM in which line ends are written as in JSON, once or twice."""
    lines = re.sub(r"\\{1,4}r|\r", "", re.sub(r"\\{1,4}n", "\n", text))
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = serialization.load_pem_private_key(lines.encode(), None)
        if isinstance(key, rsa.RSAPrivateKey):
            return key
    raise UnaskedError("its key cannot be read: it is damaged, or none of RSA")


def _refused(answer: Answer, told: Told, email: str) -> str:
    """Why the key is dead; empty where the answer does not say so."""
    error, description = told.at("error"), told.at("error_description")
    if answer.status not in (400, 401) or not isinstance(description, str):
        return ""
    said_so = description.lower().removeprefix("invalid grant: ")
    if error == "invalid_grant" and said_so.startswith("invalid jwt signature"):
        return "it is no key of its account: deleted, switched off or expired"
    if error == "invalid_grant" and said_so.startswith("account not found") and not _ELSEWHERE.fullmatch(email):
        return "its account is deleted"
    if error == "disabled_client":
        return "its account is switched off"
    return ""


def _meaning(answer: Answer, told: Told) -> str:
    if told.at("error") == "invalid_grant" and "reasonable timeframe" in str(told.at("error_description")):
        return "it takes the time of this machine for wrong: set its clock"
    return meaning(answer)


def _rights(project: str, token: str, line: Line) -> Facts:
    """What it may do with its project, as far as Google tells."""
    if not _PROJECT.fullmatch(project):
        return ()
    url = Url("https", PROJECTS, f"/v1/projects/{quote(project, safe='')}:testIamPermissions")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"permissions": [*ADMIN, *WRITES, *READS]}).encode()
    try:
        answer = line.send(Request(url, headers, signed=True, method="POST", body=body))
    except (UnaskedError, LaterError):
        return ()
    listed = Told(answer).at("permissions") if answer.status == 200 else None
    has = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    for privilege, wanted in (("admin", ADMIN), ("full", EDITS), ("write", WRITES), ("read", READS)):
        held = [one for one in wanted if one in has]
        if len(held) == len(wanted) or (held and privilege in ("write", "read")):
            more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
            named = ", ".join(held[:SHOWN]) + more
            return (("privilege", privilege), ("permissions", named), ("scope", "project"))
    return ()
