"""Logins to PostgreSQL, and to what speaks as it does: messages of version 3 of its protocol.

https://www.postgresql.org/docs/current/protocol-message-formats.html
https://www.postgresql.org/docs/current/errcodes-appendix.html

A wrong password is 28P01, and nothing else is: 28000 is said of who may not come from here (`no pg_hba.conf entry`) or
not at all. What is wrong with the database alone comes after the role was let in, and takes nothing back.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from ...model import Facts
from ..credential import UnaskedError
from ..line import LaterError
from . import Login, RefusedError
from .scram import Scram, prepared
from .wire import MOST, NO_TLS, Wire

_WRONG = "28P01"
_LATER = {"53300", "57P03", "57P02", "57P01"}
"""Too many connections, starting up, shutting down."""
_OF_THE_DATABASE = {"3D000", "42501", "55000", "53300"}
"""It does not exist, may not be connected to, takes no connections, or no more of them."""
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_VERSION = 196608
_PRIVILEGE = """
set local statement_timeout = 4000;
select case
  when r.rolsuper or r.rolcreaterole then 'admin'
  when pg_catalog.pg_has_role(current_user, d.datdba, 'usage') then 'full'
  when pg_catalog.has_database_privilege(d.oid, 'create') or exists (
    select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and pg_catalog.has_table_privilege(c.oid, 'insert, update, delete, truncate')) then 'write'
  when exists (
    select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and pg_catalog.has_table_privilege(c.oid, 'select')) then 'read'
  end
from pg_catalog.pg_roles r, pg_catalog.pg_database d
where r.rolname = current_user and d.datname = pg_catalog.current_database()
"""
_PRIVILEGES = {b"admin": "admin", b"full": "full", b"write": "write", b"read": "read"}


def log_in(login: Login, wire: Wire) -> Facts:
    """Log in, and ask what the role may do."""
    if not wire.private:
        wire.send(_SSL_REQUEST)
        if wire.exactly(1) != b"S":
            raise UnaskedError(NO_TLS)
        wire.secure()
    database = login.database if login.database not in ("", "*") else "postgres"
    pairs = ("user", login.user, "database", database, "application_name", "oakum")
    started = struct.pack("!i", _VERSION) + b"".join(text.encode() + b"\0" for text in pairs) + b"\0"
    wire.send(struct.pack("!i", len(started) + 4) + started)
    _authenticate(login, wire)
    if not _is_ready(wire):
        return ()
    facts = {"database": database}
    if privilege := _privilege(wire):
        facts["privilege"] = privilege
    wire.send(b"X\0\0\0\4")
    return tuple(facts.items())


def _authenticate(login: Login, wire: Wire) -> None:
    """Until AuthenticationOk."""
    scram: Scram | None = None
    proved = False
    for kind, body in _messages(wire):
        if kind == b"E":
            raise _error(body, wire)
        if kind != b"R":
            continue
        (what,) = struct.unpack("!i", body[:4])
        match what:
            case 0 if proved:
                return
            case 0:
                raise UnaskedError("it lets anybody in: it asked for no password (`trust` in its pg_hba.conf)")
            case 3:
                _answer(wire, login.password.encode() + b"\0")
                proved = True
            case 5:
                inner = _md5(login.password.encode() + login.user.encode())
                _answer(wire, b"md5" + _md5(inner + body[4:8]) + b"\0")
                proved = True
            case 10:
                if b"SCRAM-SHA-256" not in body[4:].split(b"\0"):
                    raise UnaskedError("it asks for a proof of the password that is not known here")
                scram = Scram("sha256", "", prepared(login.password))
                first = scram.first()
                _answer(wire, b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
            case 11 if scram:
                _answer(wire, scram.last(body[4:]))
            case 12 if scram:
                proved = scram.is_proved(body[4:])
                if not proved:
                    raise UnaskedError("it cannot prove that it knows the password itself")
            case _:
                raise UnaskedError(f"it asks for something other than a password (authentication {what})")


def _messages(wire: Wire) -> Iterator[tuple[bytes, bytes]]:
    while True:
        kind, size = struct.unpack("!ci", wire.exactly(5))
        if not 4 <= size <= MOST:
            raise ValueError
        yield kind, wire.exactly(size - 4)


def _answer(wire: Wire, body: bytes) -> None:
    wire.send(b"p" + struct.pack("!i", len(body) + 4) + body, secret=True)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


def _error(body: bytes, wire: Wire) -> Exception:
    """What an ErrorResponse means. Its text is not told: it may hold anything."""
    fields = _fields(body)
    code = _code(body)
    if code == _WRONG and wire.tried:
        return RefusedError(code)
    if code in _LATER:
        return LaterError(f"it takes nobody now ({code})", 2)
    if b"pg_hba.conf" in fields.get(b"M", b""):
        return UnaskedError("it takes nobody from here (no entry in its pg_hba.conf)")
    return UnaskedError(f"it refuses, and does not say that the password is wrong ({code})")


def _fields(body: bytes) -> dict[bytes, bytes]:
    return {part[:1]: part[1:] for part in body.split(b"\0")}


def _code(body: bytes) -> str:
    code = _fields(body).get(b"C", b"")[:5].decode("ascii", "replace")
    return code if code.isalnum() and code.isascii() else "no code"


def _is_ready(wire: Wire) -> bool:
    """Whether it takes queries; not where something is wrong with the database. UnaskedError where the role is not let
    in after all."""
    for kind, body in _messages(wire):
        if kind == b"Z":
            return True
        if kind == b"E":
            if _code(body) in _OF_THE_DATABASE:
                return False
            raise UnaskedError(f"it takes the password, but does not let the role in ({_code(body)})")
    return False


def _privilege(wire: Wire) -> str:
    """What the role may do in the database; empty where that cannot be told (others that speak the protocol have other
    catalogs)."""
    query = _PRIVILEGE.encode() + b"\0"
    wire.send(b"Q" + struct.pack("!i", len(query) + 4) + query)
    told = ""
    for kind, body in _messages(wire):
        if kind == b"D":
            told = _PRIVILEGES.get(body[6:], "")
        elif kind == b"Z":
            break
    return told
