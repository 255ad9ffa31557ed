"""Account keys of Azure Storage and Azure Cosmos DB: containers or databases are listed, one of them at most.

Each request is signed with HMAC-SHA256; the key itself is never sent. What is signed holds the time, which must be
within minutes of the server's: it is asked for first, without a credential, so that a wrong clock here makes no right
key wrong. Sources: https://learn.microsoft.com/rest/api/storageservices/
authorize-with-shared-key and list-containers2, https://learn.microsoft.com/rest/api/cosmos-db/
access-control-on-cosmosdb-resources and list-databases.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Literal
from urllib.parse import quote, urlsplit

from ...model import Verdict, is_here
from ...net.http import Answer, Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import Told
from ..clouds.azure import HOST, VERSION, code_of, is_by_path, is_from_storage, refusal, refuses, time_at
from ..credential import Credential, Destination, UnaskedError, destination
from ..line import Line

PROBE: Literal["each", "host", "never"] = "each"

COSMOS = "cosmos"
"""The `auth` of a table for keys of Cosmos DB."""
EMULATOR = "devstoreaccount1"
"""The account that emulators have, whose key is public."""
_COSMOS_VERSION = "2018-12-31"
_LISTED = (("comp", "list"), ("maxresults", "1"))


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """The account's host; another one that the data name is not the provider's."""
    return (destination(_url(credential, check).site, check.hosts),)


def ask(credential: Credential, check: Verification, line: Line) -> Verdict:
    """Ask for the time, then for a list."""
    url = _url(credential, check)
    account = _account(credential)
    path = f"/{account}" if check.auth != COSMOS and is_by_path(line.host) else ""
    if check.auth == COSMOS:
        url, version = Url(url.scheme, url.authority, "/dbs"), _COSMOS_VERSION
    else:
        url, version = Url(url.scheme, url.authority, path or "/").asking(_LISTED), VERSION
    at = time_at(line.send(Request(url, {"x-ms-version": version})))
    if at is None:
        raise UnaskedError("it does not tell its time, which must be signed")
    headers = {"x-ms-date": format_datetime(at, usegmt=True), "x-ms-version": version}
    key = _key(credential)
    if check.auth == COSMOS:
        headers |= {"Authorization": _cosmos(key, headers), "x-ms-max-item-count": "1"}
    else:
        headers["Authorization"] = f"SharedKey {account}:{_shared_key(key, account, path, headers)}"
    answer = line.send(Request(url, headers, signed=True))
    live, dead = _cosmos_meaning(answer) if check.auth == COSMOS else _storage_meaning(answer)
    if live:
        facts = [("account", account), ("scope", "account")]
        facts += [] if check.auth == COSMOS else [("privilege", "full")]
        return Verdict("live", f"a key of account {account}", tuple(facts), line.host)
    if dead and check.auth != COSMOS and not credential.facts.get("endpoint"):
        raise UnaskedError(
            f"account {account} does not take it: it may be the key of another one than stands before it"
        )
    if dead:
        return Verdict("dead", f"account {account} does not take it ({answer.status})", asked=line.host)
    raise UnaskedError(refusal(answer))


def made_up(credential: Credential, value: bytes) -> Credential:
    """Another key for the same account."""
    return credential.with_value(value)


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""


def _account(credential: Credential) -> str:
    """The account that stands with the key, by its name or by its host."""
    host = HOST.fullmatch(urlsplit(credential.facts.get("endpoint", "")).netloc.lower())
    return credential.facts.get("account", "") or (host["account"] if host else credential.fact("account"))


def _url(credential: Credential, check: Verification) -> Url:
    """Where the account lies: at the provider's hosts, or at the endpoint that its connection string names."""
    account = _account(credential)
    if check.auth == COSMOS:
        return Url("https", f"{account}.documents.azure.com")
    told = credential.facts.get("endpoint", "").lower()
    if account == EMULATOR and not told:
        raise UnaskedError("it is for the storage emulator, of which no address is known")
    endpoint = urlsplit(told if "://" in told else f"https://{account}.blob.{told or 'core.windows.net'}")
    if host := HOST.fullmatch(endpoint.netloc.removesuffix(":443")):
        return Url("https", f"{account}.{host['zone'] or ''}blob.{host['domain']}")
    return Url("http" if endpoint.scheme == "http" and is_here(endpoint.netloc) else "https", endpoint.netloc)


def _key(credential: Credential) -> bytes:
    try:
        return base64.b64decode(credential.text, validate=True)
    except binascii.Error:
        raise UnaskedError("it is no base64, as keys are") from None


def _shared_key(key: bytes, account: str, path: str, headers: Mapping[str, str]) -> str:
    """The signature of a list of containers, for the Blob service. `path` is where the account lies below its host."""
    empty = "\n" * 12  # the standard headers, of which none is sent
    named = "".join(f"{name}:{headers[name]}\n" for name in ("x-ms-date", "x-ms-version"))
    asked = "".join(f"\n{name}:{value}" for name, value in _LISTED)
    return _signed(key, f"GET{empty}{named}/{account}{path or '/'}{asked}")


def _cosmos(key: bytes, headers: Mapping[str, str]) -> str:
    """The header for a list of databases."""
    signature = _signed(key, f"get\ndbs\n\n{headers['x-ms-date'].lower()}\n\n")
    return quote(f"type=master&ver=1.0&sig={signature}", safe="")


def _signed(key: bytes, text: str) -> str:
    return base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()


def _storage_meaning(answer: Answer) -> tuple[bool, bool]:
    """Whether it is live, and whether it is dead."""
    listed = answer.status == 200 and b"<EnumerationResults" in answer.body
    return listed and is_from_storage(answer), refuses(answer)


def _cosmos_meaning(answer: Answer) -> tuple[bool, bool]:
    """The same; network rules and times have 403."""
    listed = answer.status == 200 and isinstance(Told(answer).at("Databases"), list)
    return listed, answer.status == 401 and code_of(answer) == "Unauthorized"
