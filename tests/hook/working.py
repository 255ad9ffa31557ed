"""A user's work tree with a remote, and what he does there."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from git_repository import GitRepository

ODD = 'o\'a k "x" $HOME `id` \\n & ;'

Oakum = Callable[..., tuple[int, str]]
"""Runs oakum's command line: its exit code and what it says on both outputs."""


@dataclass
class Work(GitRepository):
    """A work tree whose user has a git configuration of his own, and what his `git push` gives."""

    home: Path = Path()

    def run(self, *arguments: str | bytes, stdin: bytes = b"", **variables: str) -> bytes:
        """Run git as the user does."""
        own = {"HOME": str(self.home), "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig")}
        return super().run(*arguments, stdin=stdin, **own | variables)

    @property
    def environment(self) -> dict[str, str]:
        """What the user's git sees."""
        own = {"HOME": str(self.home), "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}
        return {"PATH": os.environ["PATH"]} | own

    def push(self, *arguments: str, **variables: str) -> tuple[bool, str]:
        """Whether a push went through, and what was said on standard error."""
        done = subprocess.run(
            ["git", "push", *(arguments or ("origin", "HEAD"))],
            cwd=self.path,
            env=self.environment | variables,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0, done.stderr.decode()

    def update(self, local: str, remote: str) -> bytes:
        """The line that git gives a pre-push hook of a new branch."""
        return f"{local} {self.git('rev-parse', 'HEAD')} {remote} {'0' * 40}\n".encode()

    def files(self) -> dict[str, tuple[int, bytes | str]]:
        """The files that an installation could change: all but what git keeps for itself."""
        kept = {name: file for name, file in tree(self.path).items() if not name.startswith(".git/")}
        return kept | {f"hooks/{name}": file for name, file in tree(self.hooks).items()}

    @property
    def hooks(self) -> Path:
        """Its own folder of hooks."""
        return self.path / ".git" / "hooks"


def tree(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """All files and links below a folder: mode, and content or target."""
    return {
        str(p.relative_to(folder)): (
            stat.S_IMODE(p.lstat().st_mode),
            os.readlink(p) if p.is_symlink() else p.read_bytes(),
        )
        for p in sorted(folder.rglob("*"))
        if p.is_symlink() or p.is_file()
    }
