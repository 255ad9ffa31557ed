"""Shared access signatures of Azure Storage: one request that changes nothing, chosen by what the signature allows.

A list of one entry, the properties of what it opens, or, where no name is known, those of something that nobody has.
Whatever is asked for, the service first looks at the signature: `AuthenticationFailed` says that it is wrong, has ended
or was revoked. It names other errors for what a right one does not allow, and for what is not there; they are believed
where the same request with a made-up signature has `AuthenticationFailed`. So what only writes can be asked about, too.
Sources, below https://learn.microsoft.com/rest/api/storageservices/: create-account-sas, create-service-sas,
sas-error-codes, list-containers2, list-blobs, get-blob-properties, get-container-properties, list-shares,
list-directories-and-files, get-file-properties, list-queues1, get-queue-metadata, query-tables, query-entities.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote

from ...model import Verdict
from ...net.http import Answer, Request
from ...net.urls import Parameters, Url, quoted
from ...verification import Verification
from ..clouds.azure import HOST, VERSION, code_of, is_by_path, is_from_storage, refusal, refuses, time_at
from ..credential import Credential, Destination, UnaskedError, destination
from ..line import Line

PROBE: Literal["each", "host", "never"] = "each"

_SIGNED = frozenset(
    "sv ss srt sr st se sp sip spr si sig skoid sktid skt ske sks skv saoid suoid scid skdutid sduoid sdd ses tn spk "
    "srk epk erk rscc rscd rsce rscl rsct snapshot versionid".split()
)
"""Parameters of a signature, and those that it may cover. Others of a URL say what somebody asked for with it."""
_LETTERS = {"b": "blob", "f": "file", "q": "queue", "t": "table"}
_MOST = 200
"""Characters at which facts are cut: a path of so many may lack its end."""
_NOT_ALLOWED = {
    "AuthorizationPermissionMismatch": "it does not allow to read or list",
    "AuthorizationResourceTypeMismatch": "it does not allow what was asked",
    "AuthorizationServiceMismatch": "it is for another service of the account",
    "AuthorizationSourceIPMismatch": "it is refused from this address",
    "AuthorizationProtocolMismatch": "it is refused over this protocol",
}
_NOT_THERE = frozenset(
    "BlobNotFound ContainerNotFound FilesystemNotFound ParentNotFound PathNotFound QueueNotFound ResourceNotFound "
    "ShareNotFound TableNotFound".split()
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request: the parts of its path, its parameters, what stands in the answer that has what was asked for, and in a
    few words what that shows (none: it asks for what nobody has)."""

    names: tuple[str, ...]
    parameters: Parameters = ()
    shows: bytes = b""
    says: str = ""
    method: str = "GET"


_LISTED = b"<EnumerationResults"
_ONE = (("comp", "list"), ("maxresults", "1"))
_SETTINGS = (("restype", "service"), ("comp", "properties"))
_METADATA = (("comp", "metadata"),)
_HELD = {"blob": "container", "file": "share", "queue": "queue", "table": "table"}


def _of_account(service: str) -> Iterator[tuple[str, str, _Asked]]:
    """What an account's signature may be asked: the type of resource and the permission that it takes, and the request;
    the best first."""
    name = f"oakum{secrets.token_hex(8)}"
    if service != "table":
        yield "s", "l", _Asked((), _ONE, _LISTED, f"lists its {_HELD[service]}s")
    yield "s", "r", _Asked((), _SETTINGS, b"<StorageServiceProperties", "reads its settings")
    match service:
        case "blob":
            yield "c", "l", _Asked((name,), (("restype", "container"), *_ONE))
            yield "c", "r", _Asked((name,), (("restype", "container"),))
            yield "o", "r", _Asked((name, name), method="HEAD")
        case "file":
            yield "c", "r", _Asked((name,), (("restype", "share"),))
            yield "o", "l", _Asked((name,), (("restype", "directory"), *_ONE))
            yield "o", "r", _Asked((name, name), method="HEAD")
        case "queue":
            yield "c", "r", _Asked((name,), _METADATA)
            yield "o", "r", _Asked((name, "messages"), (("peekonly", "true"),))
        case _:
            yield "c", "l", _Asked(("Tables",), (("$top", "1"),), b'"value"', f"lists its {_HELD[service]}s")
            yield "o", "r", _Asked((f"{name}()",), (("$top", "1"),))


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """The host in its URL, or that of the service which it is for in the same account."""
    _, authority, _ = _question(credential)
    return (destination(f"https://{authority}", check.hosts),)


def ask(credential: Credential, _check: Verification, line: Line) -> Verdict:
    """Ask, and where something else than its signature may be wrong, once more with a made-up one."""
    asked, authority, sas = _question(credential)
    answer = line.send(_request(asked, authority, sas, credential, line))
    if not is_from_storage(answer):
        raise UnaskedError(refusal(answer))
    if 200 <= answer.status < 300 and asked.shows in answer.body:
        return Verdict("live", f"{_account(credential)}: {asked.says or 'taken'}", asked=line.host)
    if refuses(answer):
        _require_begun(credential, answer)
        return Verdict("dead", f"{line.host} refuses its signature ({answer.status})", asked=line.host)
    why = _right_though(answer, asked)
    if why is None:
        raise UnaskedError(refusal(answer))
    if not refuses(line.send(_request(asked, authority, sas | {"sig": _signature()}, credential, line))):
        raise UnaskedError(f"it answers {code_of(answer)}, whatever the signature is")
    return Verdict("live", f"{_account(credential)}: its signature is right{why}", asked=line.host)


def made_up(credential: Credential, _value: bytes) -> Credential:
    """The same for the same, with another signature."""
    return credential.with_value(re.sub(rb"(?<![A-Za-z])sig=[^&]*", b"sig=" + _coded_signature(), credential.value))


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""


def _right_though(answer: Answer, asked: _Asked) -> str | None:
    """What an error adds to a right signature, in words; None where it says nothing of the signature."""
    code = code_of(answer)
    if answer.status in (403, 404) and code in _NOT_ALLOWED:
        return f"; {_NOT_ALLOWED[code]} ({code})"
    if answer.status == 404 and code in _NOT_THERE:
        return f"; what it opens is not there ({code})" if asked.says else ""
    return None


def _require_begun(credential: Credential, answer: Answer) -> None:
    """What is not valid yet is refused, too."""
    try:
        starts = datetime.fromisoformat(credential.facts.get("starts", ""))
    except ValueError:
        return
    at = time_at(answer)
    if at is not None and (starts if starts.tzinfo else starts.replace(tzinfo=UTC)) > at:
        raise UnaskedError(f"it is not valid before {starts:%Y-%m-%d %H:%M}")


def _account(credential: Credential) -> str:
    named = credential.facts.get("account", "")
    return f"account {named}" if named else "the account"


def _signature() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _coded_signature() -> bytes:
    return _signature().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D").encode()


# --- what to ask -----------------------------------------------------------------------------------------------------


def _question(credential: Credential) -> tuple[_Asked, str, dict[str, str]]:
    """The request, the host with its port, and the signature's parameters, decoded."""
    sas = _parameters(credential.text)
    if sas.get("srh") or sas.get("srq"):
        raise UnaskedError("headers or parameters are signed with it, which are not known")
    if not sas.get("sv"):
        raise UnaskedError("it is of a version before 2012, which names none")
    authority = credential.fact("host").lower()
    host = HOST.fullmatch(authority.removesuffix(":443"))
    own = host["service"] if host else ""
    if sas.get("ss") and sas.get("srt"):
        service, asked = _account_question(sas, own)
    else:
        service, asked = _service_question(sas, credential, own)
    if host:
        authority = f"{host['account']}{host['replica'] or ''}.{host['zone'] or ''}{service}.{host['domain']}"
    return asked, authority, {name: text for name, text in sas.items() if name in _SIGNED and text}


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, text = pair.partition("=")
        found.setdefault(name, unquote(text))
    return found


def _account_question(sas: Mapping[str, str], own: str) -> tuple[str, _Asked]:
    """Of the services that it is for, that of the host first; else the one that can be asked best."""
    allowed = [_LETTERS[letter] for letter in sas["ss"] if letter in _LETTERS]
    own = {"dfs": "blob", "web": "blob"}.get(own, own)
    service = own if own in allowed else next((s for s in _LETTERS.values() if s in allowed), "blob")
    requests = list(_of_account(service))
    types, letters = sas.get("srt", ""), sas.get("sp", "")
    for kind, letter, asked in requests:
        if kind in types and letter in letters:
            return service, asked
    return service, replace(requests[0][2], says="")


def _service_question(sas: Mapping[str, str], credential: Credential, own: str) -> tuple[str, _Asked]:
    """Of one resource: a list of one entry where it lists, otherwise what it is."""
    kind = sas.get("sr", "")
    lists = "l" in sas.get("sp", "") or (not sas.get("sp") and bool(sas.get("si")))
    name = f"oakum{secrets.token_hex(8)}"
    if sas.get("tn"):
        top = (("$top", "1"), ("$select", "PartitionKey"))
        return "table", _Asked((f"{sas['tn']}()",), top, b'"value"', "reads the table")
    names = _names(credential, folder=kind == "d")
    match kind:
        case "c" if lists:
            return "blob", _Asked(names[:1], (("restype", "container"), *_ONE), _LISTED, "lists the container")
        case "c":
            return "blob", _Asked((names[0], name), method="HEAD")
        case "d":
            return own if own == "dfs" else "blob", _Asked((*names, name), method="HEAD")
        case "b" | "bv" | "bs":
            return "blob", _Asked(names, says="reads the blob", method="HEAD")
        case "s" if lists:
            return "file", _Asked(names[:1], (("restype", "directory"), *_ONE), _LISTED, "lists the share")
        case "s":
            return "file", _Asked((names[0], name), method="HEAD")
        case "f":
            return "file", _Asked(names, says="reads the file", method="HEAD")
        case _:
            return "queue", _Asked(names[:1], _METADATA, says="reads the queue")


def _names(credential: Credential, *, folder: bool) -> tuple[str, ...]:
    """The container or share, and the path in it, which may have slashes."""
    resource = credential.fact("resource")
    if len(resource) >= _MOST:
        raise UnaskedError("what it opens has a path too long to be known here")
    container, _, path = resource.strip("/").partition("/") if folder else resource.lstrip("/").partition("/")
    return (container, path) if path else (container,)


def _request(asked: _Asked, authority: str, sas: Mapping[str, str], credential: Credential, line: Line) -> Request:
    """`authority` is where it was found; the line may lead elsewhere, where the account is a part of the path."""
    names = (credential.fact("account"), *asked.names) if is_by_path(line.host) else asked.names
    path = "/" + "/".join(quoted(name, keep="/()$") for name in names)
    url = Url("https", authority, path).asking([*asked.parameters, *sas.items()])
    headers = {"x-ms-version": VERSION}
    if any(name == "$top" for name, _ in asked.parameters):
        headers["Accept"] = "application/json;odata=nometadata"
    return Request(url, headers, signed=True, method=asked.method)
