"""Logins to MySQL and MariaDB: version 10 of the handshake, `mysql_native_password` and `caching_sha2_password`.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html

A refusal (1045) is never `dead`: a user belongs to places, and one who may not come from here is refused with the same
words as one with a wrong password. Whoever has no password is refused with one. A server that checks none of a user
says so by what it leaves out of `caching_sha2_password`; of `mysql_native_password` there is no such sign. The server
may ask for the password itself (`mysql_clear_password`, `dialog`) or for a file of this machine (LOAD DATA LOCAL):
neither is sent.
"""

from __future__ import annotations

import hashlib
import re
import struct

from ...model import Facts
from ..credential import UnaskedError
from ..line import LaterError
from . import Login
from .wire import NO_TLS, Wire

_LONG_PASSWORD, _PROTOCOL_41, _TLS, _SECURE, _PLUGINS = 0x1, 0x200, 0x800, 0x8000, 0x80000
_UTF8 = 45
_LARGEST = 64 << 10
"""Bytes of a packet."""
_MOST_ROWS = 1000
_LATER = {1040, 1203, 1226}
"""Too many connections: of all, of a user, or of his in an hour."""
_MEANS = {
    1045: "it refuses the login from here, in words that say neither that the password is wrong nor that the place is",
    1129: "it takes nobody from here (1129)",
    1130: "it takes nobody from here (1130)",
    1862: "it takes the password, and wants another one (1862)",
    3118: "the account is locked (3118)",
    4151: "the account is locked (4151)",
}
_ADMIN = re.compile(r"\b(?:SUPER|CREATE USER|GRANT OPTION|SHUTDOWN|SYSTEM_USER|ROLE_ADMIN|CREATE ROLE)\b")
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|DROP|ALTER|CREATE|TRIGGER|EVENT)\b")
_GRANT = re.compile(r"GRANT (?P<rights>.{1,4000}?) ON (?P<where>.{1,300}?) TO (?P<rest>.*)", re.DOTALL)


def log_in(login: Login, wire: Wire) -> Facts:
    """Log in, and read what is granted."""
    packets = _Packets(wire)
    offers, salt, plugin = _greeting(packets.read())
    wants = _LONG_PASSWORD | _PROTOCOL_41 | _SECURE | _PLUGINS
    if not wire.private:
        if not offers & _TLS:
            raise UnaskedError(NO_TLS)
        wants |= _TLS
        packets.write(_preface(wants))
        wire.secure()
    if plugin not in _PROOFS:
        plugin = "mysql_native_password"  # the server asks for another one, where the user has one
    proof = _PROOFS[plugin](login.password, salt)
    packets.write(
        _preface(wants) + login.user.encode() + b"\0" + bytes([len(proof)]) + proof + plugin.encode() + b"\0",
        secret=True,
    )
    _authenticate(login, wire, packets, salt, plugin)
    privilege = _privilege(packets)
    packets.restart()
    packets.write(b"\x01")
    return (("privilege", privilege),) if privilege else ()


class _Packets:
    """Packets: 3 bytes of length, a number that counts up, a payload."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._number = wire, 0

    def read(self) -> bytes:
        header = self._wire.exactly(4)
        size = int.from_bytes(header[:3], "little")
        if size > _LARGEST:
            raise ValueError
        self._number = header[3] + 1
        return self._wire.exactly(size)

    def write(self, payload: bytes, *, secret: bool = False) -> None:
        self._wire.send(len(payload).to_bytes(3, "little") + bytes([self._number & 255]) + payload, secret=secret)
        self._number += 1

    def restart(self) -> None:
        """Before a command."""
        self._number = 0


def _greeting(packet: bytes) -> tuple[int, bytes, str]:
    """What the server offers, what a proof is made with, and by which plugin."""
    if packet[0] == 0xFF:
        raise _error(packet)
    if packet[0] != 10:
        raise UnaskedError("it speaks a version of MySQL's protocol that is not known here")
    at = packet.index(b"\0", 1) + 5
    salt, at = packet[at : at + 8], at + 9
    low, _, _, high, size = struct.unpack_from("<HBHHB", packet, at)
    at += 18
    more = max(13, size - 8)
    salt += packet[at : at + more].rstrip(b"\0")
    return low | high << 16, salt, _text(packet[at + more :])


def _preface(wants: int) -> bytes:
    return struct.pack("<IIB23x", wants, _LARGEST, _UTF8)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("ascii")


def _authenticate(login: Login, wire: Wire, packets: _Packets, salt: bytes, plugin: str) -> None:
    """Until the server says that it is well."""
    checked = False
    while True:
        packet = packets.read()
        match packet[0]:
            case 0x00 if plugin == "caching_sha2_password" and not checked:
                raise UnaskedError("it lets that user in, and checks no password")
            case 0x00:
                return
            case 0xFF:
                raise _error(packet)
            case 0xFE:
                plugin = _text(packet[1:]) or "mysql_old_password"
                if plugin not in _PROOFS:
                    shown = plugin if re.fullmatch(r"\w{1,40}", plugin) else "another plugin"
                    raise UnaskedError(f"it asks for the password in a way in which it is not sent ({shown})")
                salt = packet[packet.index(b"\0") + 1 :].rstrip(b"\0")
                packets.write(_PROOFS[plugin](login.password, salt), secret=True)
            case 0x01 if packet[1:] == b"\x03":
                checked = True  # the proof was right
            case 0x01 if packet[1:] == b"\x04":
                checked = True
                packets.write(_whole(login.password, wire, packets, salt), secret=True)
            case _:
                raise ValueError


def _native(password: str, salt: bytes) -> bytes:
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).digest()
    return _xor(once, hashlib.sha1(salt[:20] + twice, usedforsecurity=False).digest())


def _caching(password: str, salt: bytes) -> bytes:
    once = hashlib.sha256(password.encode()).digest()
    twice = hashlib.sha256(once).digest()
    return _xor(once, hashlib.sha256(twice + salt[:20]).digest())


_PROOFS = {"mysql_native_password": _native, "caching_sha2_password": _caching}


def _whole(password: str, wire: Wire, packets: _Packets, salt: bytes) -> bytes:
    """The password itself, for a server that does not remember it: within TLS, or by the key of a local server."""
    if wire.secured:
        return password.encode() + b"\0"
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    packets.write(b"\x02")
    key = load_pem_public_key(packets.read()[1:])
    if not isinstance(key, RSAPublicKey):
        raise ValueError
    plain = password.encode() + b"\0"
    hidden = _xor(plain, (salt[:20] * (len(plain) // 20 + 1))[: len(plain)])
    return key.encrypt(hidden, OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None))  # noqa: S303  the protocol's


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _error(packet: bytes) -> Exception:
    (code,) = struct.unpack_from("<H", packet, 1)
    if code in _LATER:
        return LaterError(f"it takes nobody now ({code})", 2)
    return UnaskedError(_MEANS.get(code, f"it refuses, and does not say that the password is wrong ({code})"))


# --- what is granted -------------------------------------------------------------------------------------------------


def _privilege(packets: _Packets) -> str:
    """The most that one of the user's grants allows; empty where that is not told."""
    packets.restart()
    packets.write(b"\x03SHOW GRANTS")
    if packets.read() != b"\x01":  # one column; an error, or a request for a file, is none
        return ""
    rows: list[str] = []
    ends = 0
    while ends < 2:
        packet = packets.read()
        if packet[:1] == b"\xff":
            return ""
        if packet[:1] == b"\xfe" and len(packet) < 9:
            ends += 1
        elif ends:
            rows.append(_row(packet))
            if len(rows) > _MOST_ROWS:
                raise ValueError
    return _most(rows)


def _row(packet: bytes) -> str:
    """A text of one column, after its length."""
    widths = {0xFC: 2, 0xFD: 3, 0xFE: 8}
    start = 1 + widths.get(packet[0], 0)
    return packet[start:].decode("utf-8", "replace")


def _most(grants: list[str]) -> str:
    found = [match for match in map(_GRANT.match, grants) if match]
    for match in found:
        given = match["rights"] + (" GRANT OPTION" if "WITH GRANT OPTION" in match["rest"] else "")
        if match["where"] == "*.*" and ("ALL PRIVILEGES" in given or _ADMIN.search(given)):
            return "admin"
    if any("ALL PRIVILEGES" in match["rights"] for match in found):
        return "full"
    if any(_WRITES.search(match["rights"]) for match in found):
        return "write"
    if any(re.search(r"\bSELECT\b", match["rights"]) for match in found):
        return "read"
    return "none" if len(found) == len(grants) else ""
