"""Logins to Redis and its kin: RESP, `AUTH`, and what the user is.

https://redis.io/docs/latest/develop/reference/protocol-spec/ · https://redis.io/docs/latest/commands/auth/
https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/

A wrong password is WRONGPASS, before version 6 `ERR invalid password`. Many addresses hold a user that their clients
never sent: where one is refused, the password is tried without him, too, for which Redis locks nobody out. A user may
have no password at all (`nopass`), and is let in with any: one that was let in is tried again with a made-up one.
"""

from __future__ import annotations

import secrets

from ...model import Facts
from ..answers import safe
from ..credential import UnaskedError
from ..line import LaterError
from . import Login, RefusedError
from .wire import NO_TLS, Wire

_DEEPEST = 6
_OPEN = "it needs no password: anybody gets in"
_TAKES_ANY = "it takes any password of that user, a made-up one, too (`nopass`)"

Value = str | int | None | list["Value"]


class _ErrorReply(str):
    """What begins with `-`."""

    @property
    def word(self) -> str:
        return self.partition(" ")[0]


def log_in(login: Login, wire: Wire) -> Facts:
    """Log in, and ask who that is."""
    if not wire.private:
        raise UnaskedError(NO_TLS)
    open_to_all = _is_open(_asked(wire, "PING"))
    user = "" if login.user == "default" else login.user
    if open_to_all and not user:
        raise UnaskedError(_OPEN)
    said = _asked(wire, "AUTH", *([user] if user else []), login.password, secret=True)
    if user and not open_to_all and isinstance(said, _ErrorReply):
        user = ""
        said = _asked(wire, "AUTH", login.password, secret=True)
    if said != "OK" or isinstance(said, _ErrorReply):
        raise _refusal(said)
    facts: dict[str, str] = {}
    who = _asked(wire, "ACL", "WHOAMI")
    if isinstance(who, str) and not isinstance(who, _ErrorReply) and (name := safe(who, login.password)):
        facts["user"] = name
        if privilege := _privilege(_asked(wire, "ACL", "GETUSER", who)):
            facts["privilege"] = privilege
    # Whoever has no name is the user whom the made-up login before was refused as.
    if user and not _is_wrong(_asked(wire, "AUTH", user, secrets.token_hex(16))):
        raise UnaskedError(_TAKES_ANY)
    return tuple(facts.items())


def _is_wrong(said: Value) -> bool:
    return isinstance(said, _ErrorReply) and (said.word == "WRONGPASS" or said.startswith("ERR invalid password"))


def _is_open(said: Value) -> bool:
    """Whether it answers without a login."""
    if not isinstance(said, _ErrorReply):
        return True
    if said.word in ("LOADING", "MASTERDOWN", "BUSY"):
        raise LaterError(f"it takes nobody now ({said.word})", 2)
    if said.word == "DENIED":
        raise UnaskedError("it takes nobody from here (protected mode)")
    return said.word != "NOAUTH"


def _refusal(said: Value) -> Exception:
    if isinstance(said, _ErrorReply):
        if _is_wrong(said):
            return RefusedError("WRONGPASS")
        if said.startswith(("ERR AUTH <password> called without any", "ERR Client sent AUTH, but no password")):
            return UnaskedError(_OPEN)
    return UnaskedError("it refuses, and does not say that the password is wrong")


def _privilege(said: Value) -> str:
    """By `ACL GETUSER`, which only who may administer is answered: names and values in turn."""
    if not isinstance(said, list):
        return ""
    told = dict(zip(map(str, said[::2]), said[1::2], strict=False))
    rules = f" {told.get('commands')} "
    keys = told.get("keys")
    everywhere = "~*" in keys if isinstance(keys, str) else isinstance(keys, list) and "*" in keys
    if " +@all " in rules and " -" not in rules and everywhere:
        return "admin"
    return "write" if " +@all " in rules or " +@write " in rules else ""


# --- RESP ------------------------------------------------------------------------------------------------------------


def _asked(wire: Wire, *words: str, secret: bool = False) -> Value:
    parts = [word.encode() for word in words]
    wire.send(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts), secret=secret)
    return _value(wire, 0)


def _value(wire: Wire, depth: int) -> Value:
    line = wire.line()
    kind, rest = line[:1], line[1:].decode("utf-8", "replace")
    match kind:
        case b"+":
            return rest
        case b"-":
            return _ErrorReply(rest)
        case b":":
            return int(rest)
        case b"$":
            if int(rest) < 0:
                return None
            return wire.exactly(int(rest) + 2)[:-2].decode("utf-8", "replace")
        case b"*" if depth < _DEEPEST and int(rest) <= 10_000:
            return [_value(wire, depth + 1) for _ in range(int(rest))] if int(rest) >= 0 else None
        case _:
            raise ValueError
