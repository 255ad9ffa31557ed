"""Pushes through the hook as a user meets them: a work tree, a bare remote, and what git says."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from git_repository import GitRepository

OAKUM = [sys.executable, "-m", "oakum.scanner"]
HOOK = f"""#!/bin/sh
exec '{sys.executable}' -m oakum.scanner push "$@"
"""
FAILED = re.compile(r"error: failed to push some refs to '.*'\n?\Z", re.DOTALL)
"""What git adds where a hook stops it."""


@dataclass(frozen=True)
class Answer:
    """The exit status of `git push`, and what oakum said."""

    code: int
    said: str


@dataclass
class Pushing:
    """A repository `work` whose pushes to the bare `remote` go through the hook; `variables` are for the hook."""

    work: GitRepository
    remote: GitRepository
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, *options: str, first: bool = True) -> Pushing:
        """With one commit that the remote has, and nothing of interest in it; or without a `first` one."""
        remote = GitRepository.create(folder / "remote.git", "--bare", *options)
        work = GitRepository.create(folder / "work", *options)
        work.git("config", "user.name", "Ada Lovelace")
        work.git("config", "user.email", "ada@example.test")
        work.git("config", "advice.detachedHead", "false")
        work.git("remote", "add", "origin", "../remote.git")
        hook = work.path / ".git" / "hooks" / "pre-push"
        hook.write_text(HOOK)
        hook.chmod(0o755)
        made = cls(work, remote, {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")})
        if not first:
            return made
        work.commit({"start.txt": b"nothing to see\n"}, "start")
        work.git("push", "--quiet", "--no-verify", "--set-upstream", "origin", "main")
        return made

    @property
    def environment(self) -> dict[str, str]:
        """Of whoever pushes."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.work.path),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "COLUMNS": "100",
            **self.variables,
        }

    def push(self, *arguments: str, folder: Path | None = None, **variables: str) -> Answer:
        """`git push`, with what else is given to it."""
        done = subprocess.run(
            ["git", "push", "--quiet", *arguments],
            cwd=folder or self.work.path,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        assert done.stdout == ""
        return Answer(done.returncode, FAILED.sub("", done.stderr))

    def told(self, branch: str = "main") -> bytes:
        """What git tells the hook of a push of a branch that the remote has."""
        old = self.remote.git("rev-parse", branch)
        return f"refs/heads/{branch} {self.work.git('rev-parse', branch)} refs/heads/{branch} {old}\n".encode()

    def hook(
        self,
        *,
        given: bytes | None = None,
        folder: Path | None = None,
        remote: Sequence[str | bytes] = ("origin", "../remote.git"),
        shell: str = '"$@"',
        limits: Mapping[int, int] | None = None,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run oakum as git calls its hook, through a shell; told, where nothing else is given, that `main` is pushed.

        `limits` are those of `resource.setrlimit`.
        """

        def limit() -> None:
            for name, value in (limits or {}).items():
                resource.setrlimit(name, (value, value))

        done = subprocess.run(
            ["/bin/sh", "-c", shell, "sh", *OAKUM, "push", *remote],
            cwd=folder or self.work.path,
            env=self.environment | variables,
            input=self.told() if given is None else given,
            capture_output=True,
            timeout=120,
            preexec_fn=limit,
            check=False,
        )
        said = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, *said)

    def configure(self, text: str) -> None:
        """The user's own configuration."""
        folder = Path(self.variables["XDG_CONFIG_HOME"]) / "oakum"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(text)

    def bash(self, command: str, *, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command line as a user does who has pasted it."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=folder or self.work.path,
            env=self.environment | {"GIT_EDITOR": "true"} | variables,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    def published(self, value: bytes) -> bool:
        """Whether some object at the remote holds a value, reached or not."""
        return holds(self.remote, value)


def holds(repository: GitRepository, value: bytes) -> bool:
    """Whether some object of a repository holds a value."""
    return value in repository.run("cat-file", "--batch", "--batch-all-objects", "--buffer")


def running(command: str) -> list[str]:
    """The processes whose command line has this in it; a moment is given to those that end."""
    for _ in range(50):
        found = [line for line in _command_lines() if command in line]
        if not found:
            break
        time.sleep(0.02)
    return found


def _command_lines() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
