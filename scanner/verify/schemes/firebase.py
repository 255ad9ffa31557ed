"""Realtime Databases of Firebase: whether anybody can read one, and whether a database secret is still taken.

An address is asked without any credential for the names at its root (`shallow=true`, which gives no values): data says
that anybody can read it, `Permission denied` that its rules do not let just anybody. Whether it can be written is never
tried. The control is the same database with a made-up credential, which is refused even where the rules are open.
A secret goes with a request for the rules of the database, which only who owns it may read. It stands in the query:
these secrets are taken nowhere else (`Authorization` is for tokens of OAuth 2). The emulator has all databases at one
address, told apart by `ns`. Sources: https://firebase.google.com/docs/reference/rest/database,
https://firebase.google.com/docs/database/rest/auth, https://firebase.google.com/docs/database/rest/app-management,
https://firebase.google.com/docs/emulator-suite/connect_rtdb.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Literal
from urllib.parse import urlsplit

from ...model import Verdict, is_here
from ...net.http import Answer, Request
from ...net.urls import Url
from ...verification import Verification
from ..answers import Told
from ..credential import Credential, Destination, UnaskedError, destination
from ..line import Line

PROBE: Literal["each", "host", "never"] = "each"

ADDRESS = "firebase-database-url"
"""The detector of addresses; what others find is a secret of a database."""
_DATABASE = re.compile(r"([a-z0-9-]{3,80})\.(?:firebaseio\.com|[a-z0-9-]{3,40}\.firebasedatabase\.app)")
_RULES = re.compile(rb'\s*(?:\{|/[/*])[^\x00]{0,4096}?"rules"\s*:')
"""JSON, in which comments may stand."""
_REASONS = {
    402: "the database has used up its quota",
    404: "there is no such database",
    423: "the database was deactivated by its owner",
}


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """The database's own host."""
    return (destination(f"https://{_host(credential)}", check.hosts),)


def ask(credential: Credential, _check: Verification, line: Line) -> Verdict:
    """Ask for the names at the root, or with a secret for the rules."""
    host = _host(credential)
    database = _name(host)
    if credential.detector.id != ADDRESS:
        return _ask_for_rules(credential, host, database, line)
    made_up = urlsplit(credential.text).fragment
    asked = [("auth", made_up), ("print", "silent")] if made_up else [("shallow", "true")]
    answer = line.send(_request(host, "/.json", asked, line, signed=bool(made_up)))
    if answer.status == 204 or (answer.status == 200 and _is_data(answer)):
        empty = " (it is empty)" if answer.body.strip() == b"null" else ""
        facts = (("database", database), ("privilege", "read"), ("scope", "container"))
        return Verdict("live", f"anybody can read it{empty}", facts, line.host)
    if answer.status == 401 and _error(answer) == "permission denied":
        return Verdict("dead", "not open: its rules refuse who has no credential", asked=line.host)
    raise UnaskedError(_unclear(answer))


def made_up(credential: Credential, value: bytes) -> Credential:
    """The same database: with another secret; or, of an address, with a credential that nobody has, kept behind a `#`,
    which no address has."""
    if credential.detector.id != ADDRESS:
        return credential.with_value(value)
    return credential.with_value(credential.value + b"#" + secrets.token_hex(20).encode())


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""


def _ask_for_rules(credential: Credential, host: str, database: str, line: Line) -> Verdict:
    answer = line.send(_request(host, "/.settings/rules.json", [("auth", credential.text)], line, signed=True))
    if answer.status == 200 and _RULES.match(answer.body):
        facts = (("database", database), ("privilege", "full"), ("scope", "container"))
        return Verdict("live", f"owner of database {database}", facts, line.host)
    if answer.status == 401 and _error(answer):
        return Verdict("dead", f"database {database} does not take it (401)", asked=line.host)
    raise UnaskedError(_unclear(answer))


def _host(credential: Credential) -> str:
    if credential.detector.id == ADDRESS:
        host = (urlsplit(credential.text).hostname or "").lower()
    else:
        host = credential.fact("host").lower()
    if not _DATABASE.fullmatch(host):
        raise UnaskedError("the address of the database is none")
    return host


def _name(host: str) -> str:
    return host.partition(".")[0]


def _request(host: str, path: str, asked: list[tuple[str, str]], line: Line, *, signed: bool) -> Request:
    if is_here(line.host):
        asked = [("ns", _name(host)), *asked]
    return Request(Url("https", host, path).asking(asked), signed=signed)


def _is_data(answer: Answer) -> bool:
    """Whether it is JSON, as every database is, and no error."""
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return not (isinstance(data, dict) and "error" in data and len(data) == 1)


def _error(answer: Answer) -> str:
    told = Told(answer).at("error")
    return told.lower().rstrip(".") if isinstance(told, str) else ""


def _unclear(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"it redirects ({answer.status}), which is not followed"
    if answer.status in _REASONS:
        return f"{_REASONS[answer.status]} ({answer.status})"
    return f"its answer is not as Firebase describes it ({answer.status})"
