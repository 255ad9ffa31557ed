"""A server that speaks OP_MSG and SCRAM as MongoDB's manual and RFC 5802 describe them, and a name server for its
address: there is no Debian package of MongoDB.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg
https://www.mongodb.com/docs/manual/reference/command/connectionStatus/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bson
import dns.message
import dns.rrset

ROUNDS = 5000
User = tuple[str, str, list[str]]
"""Mechanism, password, roles as `role@database`."""


@dataclass
class Mongo:
    """A running one. `heard` are the names of the commands that came."""

    port: int
    heard: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """As `--verify-host` names it."""
        return f"127.0.0.1:{self.port}"


class _Exchange:
    """The server's half of SCRAM."""

    def __init__(self, mechanism: str, name: str, password: str) -> None:
        self.hash = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}[mechanism]
        plain = password.encode()
        if self.hash == "sha1":
            plain = hashlib.md5(f"{name}:mongo:{password}".encode()).hexdigest().encode()
        self.salt = secrets.token_bytes(16)
        self.salted = hashlib.pbkdf2_hmac(self.hash, plain, self.salt, ROUNDS)

    def challenge(self, first: str) -> str:
        self.bare = first.removeprefix("n,,")
        nonce = dict(part.split("=", 1) for part in self.bare.split(","))["r"] + secrets.token_hex(8)
        self.first = f"r={nonce},s={base64.b64encode(self.salt).decode()},i={ROUNDS}"
        return self.first

    def judge(self, last: str) -> str | None:
        """The server's signature, if the proof is right."""
        without, _, proof = last.rpartition(",p=")
        message = f"{self.bare},{self.first},{without}".encode()
        key = hmac.digest(self.salted, b"Client Key", self.hash)
        stored = hashlib.new(self.hash, key).digest()
        mask = hmac.digest(stored, message, self.hash)
        if bytes(a ^ b for a, b in zip(base64.b64decode(proof), mask, strict=True)) != key:
            return None
        told = hmac.digest(hmac.digest(self.salted, b"Server Key", self.hash), message, self.hash)
        return f"v={base64.b64encode(told).decode()}"


FAILED = {"ok": 0.0, "errmsg": "Authentication failed.", "code": 18, "codeName": "AuthenticationFailed"}


class _Session:
    def __init__(self, users: Mapping[str, User], barred: Collection[str]) -> None:
        self._users, self._barred = users, barred
        self._short = False
        self._who = ""
        self._exchange: _Exchange | None = None

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """As the manual has it. `users` are called `database.user`."""
        match next(iter(command)):
            case "isMaster":
                known = self._users.get(command["saslSupportedMechs"])
                return {"ismaster": True, "maxWireVersion": 21, "ok": 1.0} | (
                    {"saslSupportedMechs": [known[0]]} if known else {}
                )
            case "saslStart":
                first = bytes(command["payload"]).decode()
                name = first.split("n=", 1)[1].split(",")[0].replace("=2C", ",").replace("=3D", "=")
                known = self._users.get(f"{command['$db']}.{name}")
                if known is None:
                    return FAILED
                self._short = bool(command.get("options", {}).get("skipEmptyExchange"))
                self._who = f"{command['$db']}.{name}"
                self._exchange = _Exchange(command["mechanism"], name, known[1])
                return self._step(self._exchange.challenge(first), done=False)
            case "saslContinue":
                assert self._exchange is not None
                payload = bytes(command["payload"]).decode()
                told = self._exchange.judge(payload) if payload else ""
                done = self._short or not payload
                if told is None or (done and self._who in self._barred):
                    return FAILED
                return self._step(told, done=done)
            case _:
                roles = [dict(zip(("role", "db"), one.split("@"), strict=True)) for one in self._users[self._who][2]]
                return {"authInfo": {"authenticatedUserRoles": roles}, "ok": 1.0}

    def _step(self, payload: str, *, done: bool) -> dict[str, Any]:
        return {"conversationId": 1, "done": done, "payload": payload.encode(), "ok": 1.0}


@contextmanager
def mongo(
    users: Mapping[str, User], secured: ssl.SSLContext | None = None, barred: Collection[str] = ()
) -> Iterator[Mongo]:
    """A server, while the block runs. Who is `barred` may not come from here (authenticationRestrictions)."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = secured.wrap_socket(self.request, server_side=True) if secured else self.request
            session = _Session(users, barred)
            with connection, connection.makefile("rb") as read:
                while header := read.read(16):
                    size, number, _, kind = struct.unpack("<iiii", header)
                    assert kind == 2013
                    command = bson.decode(read.read(size - 16)[5:])
                    server.heard.append(next(iter(command)))
                    body = struct.pack("<IB", 0, 0) + bson.encode(session.answer(command))
                    connection.sendall(struct.pack("<iiii", 16 + len(body), 1, number, 2013) + body)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as listening:
        server = Mongo(listening.server_address[1])
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def name_server(records: Mapping[tuple[str, str], str]) -> Iterator[tuple[int, list[str]]]:
    """A name server for SRV and TXT records; its port, and the names that it was asked for."""
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(0.05)
        ends = threading.Event()

        def serve() -> None:
            while not ends.is_set():
                try:
                    data, address = s.recvfrom(4096)
                except TimeoutError:
                    continue
                query = dns.message.from_wire(data)
                name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
                asked.append(f"{kind} {name}")
                response = dns.message.make_response(query)
                if text := records.get((kind, str(name))):
                    response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, text))
                s.sendto(response.to_wire(), address)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield s.getsockname()[1], asked
        finally:
            ends.set()
            thread.join()
