"""A git server with a repository on it, as the tests of clones have it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from git_repository import GitRepository
from git_server import GitServer, Mishap
from oakum.scanner.logins import Login
from oakum.scanner.net import Limits
from oakum.scanner.sources.clones import Reach
from oakum.scanner.swept import Remote
from servers import answer

QUICK = Limits(connect=2, silence=2, answer=5, retries=1, pause=0.01, longest_pause=0.05)


@dataclass
class Host:
    """A server, the repository that is pushed to it, and how it is reached."""

    server: GitServer
    root: Path
    work: GitRepository
    reach: Reach

    def remote(self, name: str = "web", **more: Any) -> Remote:
        """A repository of acme as the host lists it."""
        return Remote(f"host:{name}", f"acme/{name}", f"{self.server.url}/{name}.git", "github:acme", **more)

    def push(self, name: str = "web") -> None:
        """All of the work's refs, as they are now."""
        self.work.git("push", "--quiet", "--mirror", str(self.root / f"{name}.git"))

    def bare(self, name: str = "web") -> GitRepository:
        """The repository on the server."""
        return GitRepository(self.root / f"{name}.git")

    def with_login(self, user: str, password: str) -> Reach:
        """Its reach with a login."""
        return replace(self.reach, login=lambda _url: Login("127.0.0.1", user, password, "SOME_TOKEN"))


def pkt(line: bytes) -> bytes:
    """A packet line."""
    return b"%04x%s" % (len(line) + 4, line)


def advertisement(refs: list[tuple[str, str]], head: str = "refs/heads/main", *, agent: str = "git/2") -> bytes:
    """Refs, each with its object, as a server advertises them (gitprotocol-pack(5), version 0)."""
    capabilities = (
        f"multi_ack_detailed no-done side-band-64k symref=HEAD:{head} object-format=sha1 agent={agent}".encode()
    )
    lines = [f"{name} {ref}".encode() for ref, name in refs] or [b"0" * 40 + b" capabilities^{}"]
    lines[0] += b"\0" + capabilities
    return pkt(b"# service=git-upload-pack\n") + b"0000" + b"".join(pkt(line + b"\n") for line in lines) + b"0000"


def told(service: str, body: bytes) -> Mishap:
    """A mishap: an answer of git's, with this in it."""

    def mishap(request: BaseHTTPRequestHandler) -> None:
        answer(request, body, content_type=f"application/x-git-upload-pack-{service}")

    return mishap


def endless(service: str, head: bytes, more: Callable[[], bytes], *, pause: float = 0.0) -> Mishap:
    """A mishap: an answer of git's that does not end, until whoever asks has had enough."""

    def mishap(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", f"application/x-git-upload-pack-{service}")
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(head)
        while not time.sleep(pause):
            request.wfile.write(more())

    return mishap
