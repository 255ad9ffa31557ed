"""`[detector.verify]` of detector files: read, and refused where it could send a secret wrongly or prove nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import DetectorError
from ..model import FACT_NAMES
from ..verification import HTTP, ITSELF, PLACE, PRIVILEGES, Condition, Verification

SCHEMES = (
    HTTP,
    "alibaba",
    "aws",
    "azure-account-key",
    "azure-client-secret",
    "azure-sas",
    "firebase",
    "google-service-account",
    "jwt-issuer",
    "login",
    "tencent",
)
"""Those in code lie in `verify/schemes/`."""
AUTHS = ("bearer", "token", "basic", "header", "none")
METHODS = ("GET", "HEAD", "POST")
_FIELDS = {
    "like": str,
    "scheme": str,
    "request": (str, list),
    "auth": str,
    "headers": dict,
    "body": str,
    "hosts": list,
    "beside": list,
    "live": (dict, list),
    "dead": (dict, list),
    "refused": (dict, list),
    "tells": dict,
    "privileges": dict,
    "answers": dict,
    "joins": list,
    "rate": (int, float),
    "source": str,
}
_CONDITION = {"status": (int, list), "json": dict, "headers": dict, "body": str, "empty": bool}
_NAME = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_HOST = re.compile(rf"{_NAME.pattern}(?::[1-9][0-9]{{0,4}})?")
"""With a port where it is another than that of https."""
_TOLD = re.compile(r"(?:[a-z_ -]+ if )?(?:json:[^ =]+|header:[a-z0-9-]+)(?:=.+)?|text:.+")


def with_likes(tables: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The `verify` tables of the detectors of a file, by their ids; what is `like` another is that one."""
    for name, table in tables.items():
        if isinstance(table, dict) and "like" in table:
            other = tables.get(table["like"]) if isinstance(table["like"], str) else None
            if len(table) > 1 or not isinstance(other, dict) or "like" in other:
                raise DetectorError(f"{where}: {name}: verify: like: the id of a detector of this file that says how")
    return {
        name: tables[table["like"]] if isinstance(table, dict) and "like" in table else table
        for name, table in tables.items()
    }


def require(table: Any, where: str) -> None:
    """DetectorError where a table does not say how to ask."""
    where = f"{where}: verify"
    if not isinstance(table, dict):
        raise DetectorError(f"{where}: is a table, [detector.verify]")
    for name, value in table.items():
        if name not in _FIELDS or not isinstance(value, _FIELDS[name]):  # type: ignore[arg-type]
            raise DetectorError(f"{where}: {name}: unknown, or not of the right type; allowed are {', '.join(_FIELDS)}")
    if not 0 < table.get("rate", 1) <= 1000:
        raise DetectorError(f"{where}: rate: requests a second, more than 0 and at most 1000")
    if not table.get("source", "").startswith("https://"):
        raise DetectorError(f"{where}: source: the provider's page that describes the request")
    if table.get("scheme", HTTP) not in SCHEMES:
        raise DetectorError(f"{where}: scheme: {table['scheme']!r} is not one of {', '.join(SCHEMES)}")
    named = [(host, _HOST) for host in table.get("hosts", ())] + [(host, _NAME) for host in table.get("beside", ())]
    for host, form in named:
        if not isinstance(host, str) or not form.fullmatch(host):
            raise DetectorError(f"{where}: hosts: {host!r} is no name of a host of the provider")
    if not all(isinstance(name, str) for name in table.get("joins", ())):
        raise DetectorError(f"{where}: joins: the ids of detectors of this file whose secrets are sent along")
    if table.get("scheme", HTTP) == HTTP:
        _require_request(table, where)
        _require_conditions(table, where)
    _require_tells(table, where)


def _require_request(table: Mapping[str, Any], where: str) -> None:
    requests = _listed(table.get("request", ""))
    for request in requests or [""]:
        method, _, url = request.partition(" ") if isinstance(request, str) else ("", "", "")
        if method not in METHODS or not (url.startswith("https://") or url == ITSELF):
            raise DetectorError(
                f"{where}: request: one of {', '.join(METHODS)}, and a URL that begins with https://, or {ITSELF}"
            )
        _require_one_request(table, request, where)


def _require_one_request(table: Mapping[str, Any], request: str, where: str) -> None:
    url = request.partition(" ")[2]
    auth, _, argument = table.get("auth", "none").partition(" ")
    if auth not in AUTHS or bool(argument) != (auth in ("basic", "header")):
        raise DetectorError(
            f"{where}: auth: bearer, token, basic USER:PASSWORD, header NAME, or none (the secret stands elsewhere)"
        )
    texts = [request, table.get("body", ""), *table.get("headers", {}).values(), argument]
    if not all(isinstance(text, str) for text in texts):
        raise DetectorError(f"{where}: headers: texts by the names of headers")
    places = [name for text in texts for name, _ in PLACE.findall(text)]
    strangers = set(places) - FACT_NAMES - {"secret"}
    if strangers:
        raise DetectorError(f"{where}: {sorted(strangers)} is no fact; allowed are secret and {sorted(FACT_NAMES)}")
    if (auth in ("none", "basic")) != ("secret" in places):
        raise DetectorError(f"{where}: the secret must be sent once: by auth, or at {{secret}}")
    try:
        parts = urlsplit(PLACE.sub(lambda place: place[2] or "x", url))
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise DetectorError(f"{where}: request: {url!r} is no URL") from None
    if PLACE.search(url.partition("://")[2].partition("/")[0] or url) and not table.get("hosts"):
        raise DetectorError(f"{where}: hosts: which hosts are the provider's own, as {host!r} may be any")
    if url != ITSELF and "{secret}" in url.split("/")[2]:
        raise DetectorError(f"{where}: request: the secret cannot be a part of the host")


def _require_conditions(table: Mapping[str, Any], where: str) -> None:
    for name in ("live", "dead", "refused"):
        found = _tables(table.get(name, []))
        if not found and (name == "live" or name in table):
            raise DetectorError(f"{where}: {name}: what an answer has that means it")
        for condition in found:
            if not isinstance(condition, dict):
                raise DetectorError(f"{where}: {name}: a table, or a list of tables")
            for field, value in condition.items():
                if field not in _CONDITION or not isinstance(value, _CONDITION[field]):  # type: ignore[arg-type]
                    raise DetectorError(f"{where}: {name}: {field}: allowed are {', '.join(_CONDITION)}")
            made = _condition(condition)
            if not made.status or not all(type(one) is int for one in made.status):
                raise DetectorError(f"{where}: {name}: status: which HTTP statuses mean it")
            if not made.speaks and not (name == "dead" and set(made.status) == {401}):
                raise DetectorError(
                    f"{where}: {name}: any server could answer with that status: say what of json, headers or body "
                    "shows that the provider means the secret (a 401 alone says dead)"
                )


def _require_tells(table: Mapping[str, Any], where: str) -> None:
    for fact, places in table.get("tells", {}).items():
        if fact not in FACT_NAMES:
            raise DetectorError(f"{where}: tells: {fact}: is none of {sorted(FACT_NAMES)}")
        for place in _listed(places):
            if not isinstance(place, str) or not _TOLD.fullmatch(place):
                raise DetectorError(
                    f"{where}: tells: {fact}: json:PATH, header:NAME or text:TEXT, or 'WORD if json:PATH=VALUE'"
                )
    for privilege, scopes in table.get("privileges", {}).items():
        if privilege not in PRIVILEGES or not isinstance(scopes, list) or not all(map(str, scopes)):
            raise DetectorError(f"{where}: privileges: scopes by one of {', '.join(PRIVILEGES)}")
    for name, text in table.get("answers", {}).items():
        if name not in ("live", "dead", "refused") or not isinstance(text, str):
            raise DetectorError(
                f"{where}: answers: live, dead and refused, each as 'STATUS', headers, an empty line, body"
            )


def made(table: Mapping[str, Any]) -> Verification:
    """What a table says that was found right."""
    request, *others = _listed(table.get("request", "")) or [""]
    found = (_host(one.partition(" ")[2]) for one in (request, *others))
    return Verification(
        scheme=table.get("scheme", HTTP),
        request=request,
        others=tuple(others),
        auth=table.get("auth", "none"),
        headers=tuple(table.get("headers", {}).items()),
        body=table.get("body", ""),
        hosts=tuple(table.get("hosts", dict.fromkeys(filter(None, found)))),
        beside=tuple(table.get("beside", ())),
        live=tuple(map(_condition, _tables(table.get("live", [])))),
        dead=tuple(map(_condition, _tables(table.get("dead", [])))),
        refused=tuple(map(_condition, _tables(table.get("refused", [])))),
        tells=tuple((fact, tuple(_listed(places))) for fact, places in table.get("tells", {}).items()),
        privileges=tuple((name, tuple(scopes)) for name, scopes in table.get("privileges", {}).items()),
        answers=tuple(table.get("answers", {}).items()),
        joins=tuple(table.get("joins", ())),
        rate=float(table.get("rate", 10)),
        source=table.get("source", ""),
    )


def _host(url: str) -> str:
    """That of a URL, with its port where it has one."""
    parts = urlsplit(PLACE.sub("x", url))
    return f"{parts.hostname}:{parts.port}" if parts.hostname and parts.port else parts.hostname or ""


def _tables(value: Any) -> list[dict[str, Any]]:
    return [value] if isinstance(value, dict) else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _condition(table: Mapping[str, Any]) -> Condition:
    return Condition(
        status=tuple(_listed(table.get("status", []))),
        json=tuple(
            (path, () if value == "*" else tuple(_listed(value))) for path, value in table.get("json", {}).items()
        ),
        headers=tuple((name.lower(), text) for name, text in table.get("headers", {}).items()),
        body=table.get("body", ""),
        empty=table.get("empty", False),
    )
