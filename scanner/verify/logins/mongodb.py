"""Logins to MongoDB: OP_MSG, SCRAM, and which roles that gives.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg
https://github.com/mongodb/specifications/blob/master/source/auth/auth.md
https://www.mongodb.com/docs/manual/reference/error-codes/ · https://www.mongodb.com/docs/atlas/troubleshoot-connection/

A wrong password is 18 (AuthenticationFailed), of Atlas 8000 with `bad auth`, and so is all else for which a login
fails: a user whom another database knows, one who has no password of that kind, one who may not come from here
(https://www.mongodb.com/docs/manual/reference/method/db.createUser/#authentication-restrictions). The steps tell them
apart. A user whom the server does not know is refused at the first. At the second it judges the proof of the password:
a refusal there is `dead`. What else there is against the login it says at a third, after it has proved that it knows
the password itself; so that step is not given up (by `skipEmptyExchange`). Where the address names a database, but not
the one that knows the user (`authSource`), a refusal says nothing. Nobody is let in without that proof: no user is open
to all.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from ...model import Facts
from ..answers import safe
from ..credential import UnaskedError
from ..line import LaterError
from . import Login, RefusedError, library, srv
from .scram import Scram, prepared
from .wire import MOST, Wire

_OP_MSG = 2013
_WRONG, _ATLAS = 18, 8000
_LATER = {91, 189, 11600, 10107, 13435, 13436}
"""Shutting down, stepping down, interrupted, no primary, none for reads, recovering."""
_EXTERNAL = "$external"
_ADMIN = frozenset(
    "root __system userAdminAnyDatabase dbAdminAnyDatabase clusterAdmin userAdmin dbOwner atlasAdmin restore".split()
)
_FULL = frozenset(("readWriteAnyDatabase",))
_WRITE = frozenset(("readWrite", "dbAdmin", "clusterManager", "hostManager"))
_READ = frozenset(("read", "readAnyDatabase", "backup", "clusterMonitor"))


def log_in(login: Login, wire: Wire) -> Facts:
    """Log in, and ask for the roles."""
    bson = library("bson")
    realm = login.realm or (srv.realm_of(login.host) if login.scheme == srv.SCHEME else "")
    told = bool(realm) or not login.database
    realm = realm or login.database or "admin"
    if realm == _EXTERNAL:
        raise UnaskedError("another service knows its users ($external)")
    if not wire.private:
        wire.secure()
    talk = _Talk(wire, bson)
    hello = talk.asked({"isMaster": 1, "saslSupportedMechs": f"{realm}.{login.user}", "$db": "admin"})
    mechanisms = hello.get("saslSupportedMechs") or ["SCRAM-SHA-1"]
    _authenticate(login, talk, realm, mechanisms, told=told)
    roles = _roles(talk.asked({"connectionStatus": 1, "$db": "admin"}), login)
    facts = {"role": ", ".join(roles), "privilege": _privilege(roles), "database": login.database}
    return tuple((name, text) for name, text in facts.items() if text)


class _Talk:
    """Commands, and what they answer."""

    def __init__(self, wire: Wire, bson: Any) -> None:
        self._wire, self._bson, self._number = wire, bson, 0

    def asked(self, command: dict[str, Any], *, secret: bool = False) -> dict[str, Any]:
        """The document that answers a command."""
        self._number += 1
        body = struct.pack("<IB", 0, 0) + self._bson.encode(command)
        header = struct.pack("<iiii", 16 + len(body), self._number, 0, _OP_MSG)
        self._wire.send(header + body, secret=secret)
        size, _, answers, kind = struct.unpack("<iiii", self._wire.exactly(16))
        if kind != _OP_MSG or answers != self._number or not 21 <= size <= MOST:
            raise ValueError
        answer = self._wire.exactly(size - 16)
        flags, section = struct.unpack_from("<IB", answer)
        if flags & 0xFFFE or section != 0:
            raise ValueError  # more to come, or in other sections: nothing that was asked for
        try:
            decoded: dict[str, Any] = self._bson.decode(answer[5 : len(answer) - (4 if flags & 1 else 0)])
        except self._bson.errors.BSONError:
            raise ValueError from None
        return decoded

    def payload(self, data: bytes) -> Any:
        """Bytes as a document has them."""
        return self._bson.binary.Binary(data)


def _authenticate(login: Login, talk: _Talk, realm: str, mechanisms: Any, *, told: bool) -> None:
    if "SCRAM-SHA-256" in mechanisms:
        mechanism, scram = "SCRAM-SHA-256", Scram("sha256", login.user, prepared(login.password))
    elif "SCRAM-SHA-1" in mechanisms:
        text = f"{login.user}:mongo:{login.password}".encode()
        hashed = hashlib.md5(text, usedforsecurity=False).hexdigest()
        mechanism, scram = "SCRAM-SHA-1", Scram("sha1", login.user, hashed)
    else:
        raise UnaskedError("it takes no passwords of that user")
    said = talk.asked(
        {
            "saslStart": 1,
            "mechanism": mechanism,
            "payload": talk.payload(scram.first()),
            "$db": realm,
        },
        secret=True,
    )
    _require_well(said, "the user, and not the password")
    step = {"saslContinue": 1, "conversationId": said["conversationId"], "$db": realm}
    said = talk.asked(step | {"payload": talk.payload(scram.last(bytes(said["payload"])))}, secret=True)
    _require_well(said, "" if told else "it, and another database may know the user: no authSource is named")
    if not scram.is_proved(bytes(said["payload"])):
        raise UnaskedError("it cannot prove that it knows the password itself")
    if not said.get("done"):
        said = talk.asked(step | {"payload": talk.payload(b"")})
        _require_well(said, "the login, though the password is right")
    if said.get("done") is not True:
        raise ValueError


def _require_well(said: dict[str, Any], otherwise: str) -> None:
    """That a step succeeds. RefusedError where it is the password that is wrong, and not something `otherwise`."""
    if said.get("ok") == 1:
        return
    code, text = said.get("code"), str(said.get("errmsg", ""))
    if code == _WRONG or (code == _ATLAS and text.startswith("bad auth")):
        if not otherwise:
            raise RefusedError(str(code))
        raise UnaskedError(f"it refuses {otherwise} ({code})")
    if code in _LATER:
        raise LaterError(f"it takes nobody now ({code})", 2)
    shown = code if isinstance(code, int) else "no code"
    raise UnaskedError(f"it refuses, and does not say that the password is wrong ({shown})")


def _roles(said: dict[str, Any], login: Login) -> list[str]:
    """The roles of who logged in, as `role@database`."""
    listed = said.get("authInfo", {}).get("authenticatedUserRoles", []) if said.get("ok") == 1 else []
    pairs = [f"{one['role']}@{one['db']}" for one in listed[:20]]
    return [text for pair in pairs if (text := safe(pair, login.password, most=100))]


def _privilege(roles: list[str]) -> str:
    names = {role.partition("@")[0] for role in roles}
    for privilege, known in (("admin", _ADMIN), ("full", _FULL), ("write", _WRITE), ("read", _READ)):
        if names & known:
            return privilege
    return ""
