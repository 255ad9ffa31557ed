"""Logins to servers that the user named: a user and a password, tried once (`verify/logins/`).

In a table, `request` says how the text that holds them is read: `uri` (RFC 3986: the scheme says what is spoken there,
and what is percent-encoded is decoded), `jdbc` (the same, but drivers differ in what they decode), or the protocol's
name (`postgresql`, the text as it is); without it, the port says what is spoken there.
"""

from __future__ import annotations

import re
import secrets
import struct
from contextlib import closing
from dataclasses import replace
from typing import Literal
from urllib.parse import unquote

from ...model import Verdict
from ...verification import Verification
from ..answers import said
from ..credential import Credential, Destination, UnaskedError
from ..line import LaterError, Line
from ..logins import BY_PORT, KNOWN, Login, RefusedError, log_in_of, srv
from ..logins.wire import Wire

PROBE: Literal["each", "host", "never"] = "host"
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|[0-9a-f:.]{2,45}")
_SENDABLE = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


def destinations(credential: Credential, check: Verification) -> tuple[Destination, ...]:
    """The server: never the provider's own, as it came out of the data."""
    login = _login(credential, check)
    return (Destination(login.scheme, login.host, login.port),)


def behind(to: Destination) -> tuple[Destination, ...]:
    """The servers that a host which the user named leads to."""
    if to.scheme != srv.SCHEME:
        return ()
    return tuple(Destination("mongodb", host, port) for host, port in srv.servers(to.host))


def user(credential: Credential) -> str:
    """Whom it is for, with the kind of server that knows him: at whichever port, and however that is written."""
    check = credential.detector.verify
    assert check is not None
    login = _login(credential, check)
    kind, name = KNOWN[login.scheme].module, login.user
    if kind == "redis":
        name = name or "default"  # who is meant where nobody is named
    if kind == "ldap":
        name = re.sub(r"\s*([,=])\s*", r"\1", name)
    return f"{kind} {name.strip()}"


def made_up(credential: Credential, _value: bytes) -> Credential:
    """A user whom nobody has: of a directory, beside the real one. The made-up secret that is given is not taken: it
    may hold a `%` or `+`, which not all drivers read as the same."""
    name = f"oakum-{secrets.token_hex(6)}"
    real = credential.facts.get("user", "")
    if re.match(r"[A-Za-z]+(?:=|%3[Dd])", real):
        name = re.sub(r"^([A-Za-z]+(?:=|%3[Dd])).*?(?=,|%2[Cc]|$)", rf"\g<1>{name}", real)
    elif domain := re.search(r"(?:@|%40).+", real):
        name += domain[0]
    # Letters and digits alone: what stands for itself in all forms of an address.
    return replace(credential, value=secrets.token_hex(16).encode(), facts={**credential.facts, "user": name})


def ask(credential: Credential, check: Verification, line: Line) -> Verdict:
    """Log in, once. What breaks after the password was sent is not tried again: too many that fail lock a user out."""
    login = _login(credential, check)
    known = KNOWN[login.scheme]
    log_in = log_in_of(known)
    wire: Wire | None = None
    try:
        host, port = srv.servers(login.host)[0] if login.scheme == srv.SCHEME else (login.host, login.port)
        with line.connected(host, port, tls=known.tls) as connection:
            wire = Wire(connection, host, line.trust, line.environment)
            with closing(wire):
                told = log_in(login, wire)
    except RefusedError as error:
        return Verdict("dead", f"{line.host} refuses the login ({error})", asked=line.host)
    except LaterError as error:
        if wire is None or not wire.tried:
            raise
        raise UnaskedError(f"{error}, after the login was tried, which is done once") from None
    except (ValueError, LookupError, struct.error):
        raise UnaskedError(f"its answer is none of {known.module}'s") from None
    facts = {"user": login.user, "host": login.host} | dict(told)
    pairs = tuple((name, text) for name, text in facts.items() if text)
    return Verdict("live", said(pairs) or f"{line.host} takes it", pairs, line.host)


def _login(credential: Credential, check: Verification) -> Login:
    """What stands in the finding. UnaskedError where that is not enough."""
    facts = credential.facts
    form = check.request
    host = facts.get("host", "").strip().strip("[]").rstrip(".").lower()
    if not host:
        raise UnaskedError("no host stands beside it")
    if not _HOST.fullmatch(host):
        raise UnaskedError("what stands beside it as the host is none that can be asked")
    port = facts.get("port", "")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536) and port != "*":
        raise UnaskedError("the port that stands beside it is none")
    number = int(port) if port.isdigit() else 0
    scheme = facts.get("scheme", "") if form in ("uri", "jdbc") else form or BY_PORT.get(number, "")
    known = KNOWN.get(scheme.lower())
    if known is None:
        raise UnaskedError(f"logins of {scheme} are not tried" if scheme else "what is spoken there is not known")
    name, password = _read(facts.get("user", ""), form), _read(_text(credential), form)
    if not name.strip() and known.module != "redis":
        raise UnaskedError("no user stands beside it")
    if not password:
        raise UnaskedError("it is empty: a login without a password proves nothing")
    return Login(
        scheme=scheme.lower(),
        host=host,
        port=number or known.port,
        user=name,
        password=password,
        database=_read(facts.get("database", ""), form),
        realm=_read(facts.get("realm", ""), form),
    )


def _text(credential: Credential) -> str:
    try:
        return credential.value.decode()
    except UnicodeDecodeError:
        raise UnaskedError("it is no text: nothing that can be sent") from None


def _read(text: str, form: str) -> str:
    if form == "jdbc" and re.search(r"[%+]", text):
        raise UnaskedError("drivers differ in how they read its % or +")
    if form == "uri":
        text = unquote(text)
    if text and not _SENDABLE.fullmatch(text):
        raise UnaskedError("it holds characters that cannot be sent")
    return text
