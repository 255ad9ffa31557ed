"""A git server over http on loopback, in a process of its own: what lies below a folder, as `git upload-pack` gives it.

    python -m benchmarks.git_server FOLDER

Smart HTTP as Gitea and GitLab do it: a process of git for each request. The first line on standard output is the URL;
it ends when its standard input does. Source: gitprotocol-http(5).
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .git import ENVIRONMENT


class Handler(BaseHTTPRequestHandler):
    """Answers for one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement of its head
    root: Path

    def do_GET(self) -> None:
        """The refs of a repository."""
        parts = urlsplit(self.path)
        repository = self._repository(parts.path.removesuffix("/info/refs"))
        if repository is None or parts.query != "service=git-upload-pack":
            self.send_error(404)
            return
        told = self._git("--advertise-refs", repository)
        self._answer("advertisement", b"001e# service=git-upload-pack\n0000" + told)

    def do_POST(self) -> None:
        """A pack."""
        repository = self._repository(urlsplit(self.path).path.removesuffix("/git-upload-pack"))
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if repository is None:
            self.send_error(404)
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self._answer("result", self._git(repository, given=body))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _repository(self, path: str) -> str | None:
        found = (self.root / unquote(path).lstrip("/")).resolve()
        return str(found) if found.is_relative_to(self.root) and (found / "HEAD").exists() else None

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        command = ["git", "-c", "safe.directory=*", "upload-pack", "--stateless-rpc", *arguments]
        return subprocess.run(command, env=ENVIRONMENT, input=given, capture_output=True, check=False).stdout

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"application/x-git-upload-pack-{kind}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL below which the repositories in a folder are served."""
    command = [sys.executable, "-m", "benchmarks.git_server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait()


def main() -> int:
    """Serve until standard input ends."""
    Handler.root = Path(sys.argv[1]).resolve()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
