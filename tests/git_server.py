"""A real git server over http on loopback: Python's HTTP server in front of `git http-backend`, which serves what lies
below a folder. It can ask for a password, and do to a repository what servers do in bad nights.
"""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from servers import serving

Mishap = Callable[[BaseHTTPRequestHandler], None]
"""Answers in place of git."""


@dataclass
class GitServer:
    """A running server. `url` is of its root; `logins` are the names and passwords that it takes (none: it asks for
    none); `mishaps` answer in place of git whatever begins with a path; `asked` is what was asked for, in order."""

    url: str = ""
    logins: dict[str, str] = field(default_factory=dict)
    mishaps: dict[str, Mishap] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def git_server(root: Path, **settings: object) -> Iterator[GitServer]:
    """Serves the bare repositories below `root`, each by its path."""
    server = GitServer(**settings)  # type: ignore[arg-type]
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement of its head

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                body = b"".join(self._chunks())
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(body)

        def _chunks(self) -> Iterator[bytes]:
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def _answer(self, body: bytes) -> None:
            path = unquote(urlsplit(self.path).path)
            with lock:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.asked.append((self.command, self.path, headers))
            for begin, mishap in list(server.mishaps.items()):
                if path.startswith(begin):
                    mishap(self)
                    return
            if server.logins and not self._is_let_in():
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._git(path, body)

        def _is_let_in(self) -> bool:
            scheme, _, given = self.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "basic":
                return False
            user, _, password = base64.b64decode(given).decode().partition(":")
            return server.logins.get(user) == password

        def _git(self, path: str, body: bytes) -> None:
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "PATH_INFO": path,
                "QUERY_STRING": urlsplit(self.path).query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, env=environment, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            lines = [line.partition(b": ") for line in head.split(b"\r\n") if line]
            status = next((value for name, _, value in lines if name == b"Status"), b"200 OK")
            self.send_response(int(status.split()[0]))
            for name, _, value in lines:
                if name != b"Status":
                    self.send_header(name.decode(), value.decode())
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        server.url = url
        yield server
