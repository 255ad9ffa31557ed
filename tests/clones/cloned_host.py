"""A git server with a repository on it, and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from git_repository import GitRepository
from git_server import GitServer
from oakum.scanner.logins import Login
from oakum.scanner.net import Limits
from oakum.scanner.sources.clones import Reach
from oakum.scanner.swept import Remote

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
