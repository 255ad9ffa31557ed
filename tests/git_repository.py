"""Real git repositories for tests: fixed people and dates, nothing of the developer's own configuration."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

AUTHOR = "Ada Lovelace <ada@example.test>"
_FIRST = datetime(2024, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))


@dataclass
class GitRepository:
    """A repository at `path`. Each commit, tag, note and stash is a day later than the one before it."""

    path: Path
    days: int = 0

    @classmethod
    def create(cls, path: Path, *options: str) -> GitRepository:
        """`git init` with a branch `main`."""
        path.mkdir(parents=True, exist_ok=True)
        made = cls(path)
        made.git("init", "--quiet", "--initial-branch=main", *options)
        return made

    def git(self, *arguments: str | bytes, stdin: bytes = b"", **variables: str) -> str:
        """Run git and give what it prints."""
        return self.run(*arguments, stdin=stdin, **variables).decode().strip()

    def run(self, *arguments: str | bytes, stdin: bytes = b"", **variables: str) -> bytes:
        """Run git and give what it prints, as bytes."""
        date = self.date
        settings = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada Lovelace",
            "GIT_AUTHOR_EMAIL": "ada@example.test",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "Charles Babbage",
            "GIT_COMMITTER_EMAIL": "charles@example.test",
            "GIT_COMMITTER_DATE": date,
            "GIT_ALLOW_PROTOCOL": "file",
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=settings | variables, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    @property
    def date(self) -> str:
        """The date of the next commit, as the reports write it."""
        return (_FIRST + timedelta(days=self.days)).isoformat()

    def write(self, files: dict[str, bytes]) -> None:
        """Write files into the work tree."""
        for name, content in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def commit(self, files: dict[str, bytes] | None = None, message: str = "work") -> Commit:
        """Write files, add everything, commit."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.made("HEAD")

    def remove(self, *names: str) -> Commit:
        """Delete files and commit that."""
        self.git("rm", "--quiet", *names)
        self.git("commit", "--quiet", "-m", "remove")
        return self.made("HEAD")

    def made(self, name: str) -> Commit:
        """Note that a commit of that name was made now."""
        made = Commit(self.git("rev-parse", f"{name}^{{commit}}"), self.date)
        self.days += 1
        return made

    def blob(self, name: str) -> str:
        """The id of a blob, as `HEAD:path` or `:path`."""
        return self.git("rev-parse", name)

    def object_path(self, name: str) -> Path:
        """The file of a loose object."""
        return self.path / self.git("rev-parse", "--git-path", f"objects/{name[:2]}/{name[2:]}")


@dataclass(frozen=True)
class Commit:
    """A commit's id and its author date."""

    id: str
    date: str


def utc(year: int) -> datetime:
    """The beginning of a year."""
    return datetime(year, 1, 1, tzinfo=UTC)
