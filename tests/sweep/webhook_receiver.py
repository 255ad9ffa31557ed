"""A receiver of webhooks on loopback that answers as it is told, and a program that sends to it."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from servers import answer, serving

Answer = Callable[[BaseHTTPRequestHandler], None]


def status(number: int, body: str = "", **headers: str) -> Answer:
    """An answer of this status."""
    return lambda to: answer(to, body, number, **headers)


def reset(to: BaseHTTPRequestHandler) -> None:
    """Break the connection after the message was read."""
    to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    to.close_connection = True
    to.rfile.close()
    to.wfile.close()
    to.connection.close()


def hang_up(to: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    to.close_connection = True


@dataclass
class Received:
    """Messages, in order, with their headers (in small letters) and paths."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def receiver(*answers: Answer, path: str = "/hook") -> Iterator[Received]:
    """A server that gives each of the answers once, the last again and again."""
    got = Received()
    left: Sequence[Answer] = answers

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal left
            got.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            got.headers.append({name.lower(): value for name, value in self.headers.items()})
            got.paths.append(self.path)
            now, left = left[0], left[1:] or left
            now(self)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        got.url = url + path
        yield got
