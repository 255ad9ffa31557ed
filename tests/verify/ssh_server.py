"""paramiko's own SSH server: OpenSSH's checks passwords of the machine's users only, and as root."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import paramiko


@dataclass
class Shell:
    """A running one. `tried` are the users who tried to log in; `key` is a line of known_hosts for it."""

    port: int
    key: str
    tried: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """As `--verify-host` names it."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def ssh(users: Mapping[str, str], *, ways: str = "password", then: str = "", open_to: str = "") -> Iterator[Shell]:
    """A server that takes passwords of `users`, in these `ways`; `then` it wants something else besides.
    It is `open_to` one without any."""
    own = paramiko.ECDSAKey.generate()

    class Interface(paramiko.ServerInterface):
        proved = False

        def get_allowed_auths(self, username: str) -> str:
            return then if self.proved else ways

        def check_auth_none(self, username: str) -> int:
            return paramiko.AUTH_SUCCESSFUL if username == open_to else paramiko.AUTH_FAILED

        def check_auth_password(self, username: str, password: str) -> int:
            shell.tried.append(username)
            if users.get(username) != password:
                return paramiko.AUTH_FAILED
            self.proved = bool(then)
            return paramiko.AUTH_PARTIALLY_SUCCESSFUL if then else paramiko.AUTH_SUCCESSFUL

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        shell = Shell(port, f"[127.0.0.1]:{port} {own.get_name()} {own.get_base64()}")
        transports: list[paramiko.Transport] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                transport = paramiko.Transport(connection)
                transports.append(transport)
                transport.add_server_key(own)
                try:
                    transport.start_server(threading.Event(), Interface())
                except paramiko.SSHException:
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield shell
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for transport in transports:
                transport.close()
