"""Logins by SSH with a password: the handshake, the host's key, one try, and no session (RFC 4252, RFC 4253).

The host's key must stand in the user's own file of known hosts: to any other the password is not sent. A refusal is
never `dead`: servers say the same of a wrong password and of who may not log in by one, or not from here
(`PermitRootLogin`, `AllowUsers`: sshd_config(5)).

The protocol is spoken by paramiko, over a socket that counts. What it would do on its own is switched off: it asks no
agent, tries no keys, and answers no questions of the server with the password (`fallback`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import os
import re
from collections.abc import Mapping
from typing import Any

from ...model import Facts
from ..credential import UnaskedError
from . import Login, library
from .wire import Wire

_LARGEST = 8 << 20
"""Bytes of a file of known hosts."""
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
_REFUSED = (
    "it refuses the login, in words that say neither that the password is wrong nor that the user may not log in by one"
)


def log_in(login: Login, wire: Wire) -> Facts:
    """Log in, and leave."""
    keys = known_keys(login, wire.environment)
    paramiko = library("paramiko")
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # it tells what it hears on standard error
    seconds = wire.patience
    transport: Any = paramiko.Transport(_Socket(wire))
    try:
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = seconds
        options = transport.get_security_options()
        wanted = [name for kind in keys for name in (_RSA if kind == "ssh-rsa" else (kind,))]
        options.key_types = [name for name in options.key_types if name in wanted]
        transport.start_client(timeout=seconds)
        if transport.get_remote_server_key().asbytes() not in keys.values():
            raise UnaskedError("its key is not the one in known_hosts: the password was not sent")
        if _is_open(transport, login.user, paramiko):
            raise UnaskedError("it lets that user in without a password")
        wire.tried = True
        more = transport.auth_password(login.user, login.password, fallback=False)
    except paramiko.BadAuthenticationType:
        raise UnaskedError("it takes no passwords of that user") from None
    except paramiko.AuthenticationException:
        raise UnaskedError(_REFUSED) from None
    except paramiko.SSHException as error:
        raise UnaskedError(f"it does not speak SSH as it is spoken here ({type(error).__name__})") from None
    finally:
        transport.close()
    if more:
        raise UnaskedError("it takes the password, and asks for something else besides")
    return (("privilege", "admin"),) if login.user == "root" else ()


def _is_open(transport: Any, user: str, paramiko: Any) -> bool:
    """Whether a user is let in without anything (`none`, RFC 4252 5.2), which every client of OpenSSH asks first."""
    try:
        return not transport.auth_none(user)
    except paramiko.BadAuthenticationType as error:
        if "password" not in error.allowed_types:
            raise
    except paramiko.AuthenticationException:
        pass
    return False


class _Socket:
    """The connection as paramiko takes one. What goes out is encrypted by it; what comes in is counted."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._closed = False  # paramiko reads it, as sockets have it

    def recv(self, most: int) -> bytes:
        try:
            return self._wire.some(most)
        except UnaskedError:
            return b""

    def send(self, data: bytes) -> int:
        self._wire.send(data)
        return len(data)

    def settimeout(self, seconds: float) -> None:
        self._wire.patience = seconds

    def close(self) -> None:
        self._closed = True
        self._wire.close()


def known_keys(login: Login, environment: Mapping[str, str]) -> dict[str, bytes]:
    """The keys of a host by their kind, from the user's known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Patterns
    and authorities are left aside. UnaskedError where there is none."""
    home = environment.get("HOME") or environment.get("USERPROFILE") or ""
    path = os.path.join(home, ".ssh", "known_hosts")
    try:
        with open(path, "rb") as file:
            lines = file.read(_LARGEST).decode("utf-8", "replace").splitlines() if home else []
    except OSError:
        lines = []
    name = login.host if login.port == 22 else f"[{login.host}]:{login.port}"
    keys: dict[str, bytes] = {}
    revoked: set[bytes] = set()
    for line in lines:
        found = _LINE.fullmatch(line.strip())
        if not found or len(found["key"]) % 4:
            continue
        key = base64.b64decode(found["key"])
        if found["mark"] == "@revoked":
            revoked.add(key)
        elif not found["mark"] and _names(found["hosts"], name):
            keys.setdefault(found["kind"], key)
    keys = {kind: key for kind, key in keys.items() if key not in revoked}
    if not keys:
        raise UnaskedError("its key is not in known_hosts: the password was not sent")
    return keys


_LINE = re.compile(
    r"(?:(?P<mark>@\S+)\s+)?(?P<hosts>\S+)\s+(?P<kind>[\w@.-]+)\s+(?P<key>[A-Za-z0-9+/]+={0,2})(?:\s.*)?"
)


def _names(hosts: str, name: str) -> bool:
    hashed = re.fullmatch(r"\|1\|([A-Za-z0-9+/]{27}=)\|([A-Za-z0-9+/]{27}=)", hosts)
    if hashed:
        salt, digest = map(base64.b64decode, hashed.groups())
        return hmac.compare_digest(hmac.digest(salt, name.encode(), hashlib.sha1), digest)
    return name in hosts.lower().split(",")
