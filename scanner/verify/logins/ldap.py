"""Logins to directories: a simple bind, and who that is (RFC 4511, RFC 4513 5.1, RFC 4532), in BER (X.690).

A wrong password is 49 (invalidCredentials), and so is a name that there is not; but OpenLDAP says the same of an
account that is locked, without a word more (slapo-ppolicy(5), `ppolicy_use_lockout`), and other servers of one that has
run out. It is `dead` only where Active Directory adds that the name or the password is wrong (`data 52e`, `data 525`),
of a name that can be bound by there: a DN, USER@DOMAIN or DOMAIN\\USER. What it adds of accounts that are locked,
switched off or barred now, and of passwords that must be changed, is unknown, as is 49 alone.
https://learn.microsoft.com/windows/win32/debug/system-error-codes--1300-1699-
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...model import Facts
from ..answers import safe
from ..credential import UnaskedError
from ..line import LaterError
from . import Login, RefusedError
from .wire import NO_TLS, Wire

_SEQUENCE, _INTEGER, _TEXT, _ENUMERATED = 0x30, 0x02, 0x04, 0x0A
_BIND, _BOUND, _UNBIND, _EXTENDED, _EXTENDED_ANSWER = 0x60, 0x61, 0x42, 0x77, 0x78
_START_TLS = "1.3.6.1.4.1.1466.20037"
_WHO_AM_I = "1.3.6.1.4.1.4203.1.11.3"
_ANSWERS = 20
_LONGEST = 64 << 10
_WRONG = {"52e", "525"}
"""A wrong password (ERROR_LOGON_FAILURE), and no such user (ERROR_NO_SUCH_USER)."""
_TOLD = re.compile(r"80090308: LdapErr: .*\bAcceptSecurityContext error, data ([0-9a-f]{3,4})\b")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.-]*=.+|[^@\\]+@[^@\\]+|[^@\\]+\\[^@\\]+")


def log_in(login: Login, wire: Wire) -> Facts:
    """Bind, and ask who that is."""
    if not login.user.strip() or not login.password:
        raise UnaskedError("without a name or a password it lets anybody in")
    if not wire.private:
        if _asked(wire, 1, _EXTENDED, _value(0x80, _START_TLS.encode()))[0] != 0:
            raise UnaskedError(NO_TLS)
        wire.secure()
    body = (
        _value(_INTEGER, b"\3") + _value(_TEXT, login.user.encode()) + _value(0x80, login.password.encode())
    )  # version, name, simple
    code, said, _ = _asked(wire, 2, _BIND, body, secret=True)
    if code != 0:
        raise _refusal(code, said, login)
    code, _, who = _asked(wire, 3, _EXTENDED, _value(0x80, _WHO_AM_I.encode()))
    if code == 0 and who in ("", "dn:"):
        raise UnaskedError("it lets anybody in: nobody is who was bound")
    wire.send(_message(4, _UNBIND, b""))
    identity = safe(who.partition(":")[2] or who, login.password) if code == 0 else ""
    return (("identity", identity),) if identity and identity != login.user else ()


def _refusal(code: int, said: str, login: Login) -> Exception:
    if code in (51, 52):
        return LaterError(f"it takes nobody now ({code})", 2)
    if code in (8, 13):
        return UnaskedError(f"it wants a stronger login than by a password ({code})")
    if code == 49:
        told = _TOLD.match(said)
        if told is None:
            return UnaskedError("it refuses, and says the same of an account that is locked (49)")
        if told[1] not in _WRONG:
            return UnaskedError(f"it refuses the account, and not the password (49, data {told[1]})")
        if _NAME.fullmatch(login.user):
            return RefusedError(f"49, data {told[1]}")
        return UnaskedError("it refuses a name that is none to bind by (49)")
    return UnaskedError(f"it refuses, and does not say that the password is wrong ({code})")


# --- BER -------------------------------------------------------------------------------------------------------------


def _value(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def _message(number: int, tag: int, body: bytes) -> bytes:
    return _value(_SEQUENCE, _value(_INTEGER, bytes([number])) + _value(tag, body))


def _asked(wire: Wire, number: int, tag: int, body: bytes, *, secret: bool = False) -> tuple[int, str, str]:
    """The result of an operation: its code, what is said of it, and the value that it answers."""
    wire.send(_message(number, tag, body), secret=secret)
    for _ in range(_ANSWERS):
        (_, answered), (kind, result) = list(_values(_read(wire)))[:2]
        if int.from_bytes(answered, "big") != number:
            if kind == _EXTENDED_ANSWER and not answered.strip(b"\0"):
                raise UnaskedError("it ends the connection (notice of disconnection)")
            continue
        if kind not in (_BOUND, _EXTENDED_ANSWER):
            raise ValueError
        parts = list(_values(result))
        (_, code), _, (_, said) = parts[:3]
        value = next((body for tag, body in parts[3:] if tag == 0x8B), b"")
        return int.from_bytes(code, "big"), said.decode("utf-8", "replace"), value.decode("utf-8", "replace")
    raise ValueError


def _read(wire: Wire) -> bytes:
    """The content of a message."""
    tag, size = wire.exactly(2)
    if tag != _SEQUENCE:
        raise ValueError
    if size & 0x80:
        if not 1 <= size & 0x7F <= 4:
            raise ValueError
        size = int.from_bytes(wire.exactly(size & 0x7F), "big")
    if size > _LONGEST:
        raise ValueError
    return wire.exactly(size)


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The values that stand one after the other."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            width = size & 0x7F
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        if at + size > len(data):
            raise ValueError
        yield tag, data[at : at + size]
        at += size
