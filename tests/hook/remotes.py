"""Real servers of git repositories on loopback: file URLs, `git daemon`, and `git http-backend` behind Python's server.

All of them serve what lies below one folder, and take pushes to it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

PROTOCOLS = ("file", "git", "http")
ATTEMPTS = 5
"""Ports that are tried: between the choice of a free one and its use somebody else may take it."""


@dataclass(frozen=True)
class Servers:
    """Where the repositories below `folder` are served: ports on 127.0.0.1."""

    folder: Path
    git: int
    http: int

    def url(self, protocol: str, repository: Path) -> str:
        """Of a repository, by a protocol."""
        if protocol == "file":
            return f"file://{quote(str(repository))}"
        port = self.git if protocol == "git" else self.http
        return f"{protocol}://127.0.0.1:{port}/{quote(str(repository.relative_to(self.folder)))}"


@contextmanager
def serving(folder: Path, caches: Path) -> Iterator[Servers]:
    """Both servers, until the end of the context; `caches` is where a hook on the server keeps its cache."""
    programs = Path(subprocess.run(["git", "--exec-path"], capture_output=True, check=True, text=True).stdout.strip())
    for name in ("git-daemon", "git-http-backend"):
        if not shutil.which(name, path=str(programs)):
            pytest.skip(f"needs {name.replace('-', ' ', 1)}")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(caches),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": "somebody",
    }
    with ExitStack() as stack:
        git = stack.enter_context(_daemon(programs / "git-daemon", folder, environment))
        http = stack.enter_context(_http(programs / "git-http-backend", environment))
        yield Servers(folder, git, http)


@contextmanager
def _daemon(program: Path, folder: Path, environment: dict[str, str]) -> Iterator[int]:
    for _ in range(ATTEMPTS):
        port = _free_port()
        where = ["--listen=127.0.0.1", f"--port={port}", f"--base-path={folder}"]
        process = subprocess.Popen(
            [program, "--reuseaddr", *where, "--export-all", "--enable=receive-pack", folder],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if _answers(process, port):
                yield port
                return
        finally:
            process.terminate()
            process.wait(10)
    pytest.fail("git daemon gave no answer on loopback")


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process.poll() is None
        except ConnectionRefusedError:
            time.sleep(0.01)
    return False


@contextmanager
def _http(program: Path, environment: dict[str, str]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Backend, program, environment))
    thread = threading.Thread(target=partial(server.serve_forever, 0.05))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Backend(BaseHTTPRequestHandler):
    """One request, answered by `git http-backend`, which speaks CGI (RFC 3875)."""

    protocol_version = "HTTP/1.1"

    def __init__(self, program: Path, environment: dict[str, str], *arguments: object) -> None:
        self._program, self._given = program, environment
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        self._answer(b"".join(self._chunks()) if chunked else self.rfile.read(int(self.headers["Content-Length"])))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        asked = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            [self._program], input=body, env=self._given | asked, capture_output=True, timeout=120, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002
        """Nowhere."""
