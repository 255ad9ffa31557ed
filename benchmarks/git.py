"""Running git for the benchmarks: plumbing on repositories given by path, without configuration or network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    "HOME": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitError(Exception):
    """git failed; the message is what it said."""


def command(folder: Path, *arguments: str) -> list[str]:
    """A git command on the repository in a folder, whoever owns it."""
    return ["git", "-c", f"safe.directory={folder}", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]


def git(folder: Path, *arguments: str, stdin: bytes = b"", **variables: str) -> bytes:
    """Run git on a repository and give what it prints."""
    done = subprocess.run(
        command(folder, *arguments), env=ENVIRONMENT | variables, input=stdin, capture_output=True, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(f"git {arguments[0]} in {folder}: {said[-1] if said else done.returncode}")
    return done.stdout


def lines(folder: Path, *arguments: str) -> Iterator[bytes]:
    """What git prints, line by line, without keeping it."""
    with TemporaryFile() as errors:
        with subprocess.Popen(
            command(folder, *arguments), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=errors
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield line.rstrip(b"\n")
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()
            raise GitError(f"git {arguments[0]} in {folder}: {said}")
