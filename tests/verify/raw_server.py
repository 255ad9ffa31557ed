"""A server that does what it is told, byte for byte, and keeps what it is sent."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Doing = Callable[["Talk"], None]
"""What is done on each connection."""


@dataclass
class Raw:
    """A running one. `got` is what came on each connection."""

    port: int
    host: str = "127.0.0.1"
    got: list[bytearray] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> str:
        """As `--verify-host` names it."""
        return f"{self.host}:{self.port}"

    @property
    def all(self) -> bytes:
        """All that came."""
        return b"".join(self.got)


class Talk:
    """A connection."""

    def __init__(self, connection: socket.socket, server: Raw) -> None:
        self.connection, self._server = connection, server
        self._got = bytearray()
        server.got.append(self._got)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def read(self, size: int = 65536) -> bytes:
        """What comes, at least a byte; none at the end."""
        data = self.connection.recv(size)
        self._got += data
        return data

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (part := self.read(size - len(data))):
            data += part
        return data

    def pause(self, seconds: float) -> None:
        """Wait, unless the server ends."""
        self._server.ends.wait(seconds)

    @property
    def goes_on(self) -> bool:
        return not self._server.ends.is_set()


@contextmanager
def raw(doing: Doing, host: str = "127.0.0.1") -> Iterator[Raw]:
    """The server, while the block runs, at an address of this machine."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            doing(Talk(self.request, server))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            pass

    with Server((host, 0), Handler) as listening:
        server = Raw(listening.server_address[1], host)
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.ends.set()
            listening.shutdown()
            thread.join()
