"""Git, run so that a hostile repository can neither execute anything nor hide anything.

Plumbing commands only, never `log`, `status` or `diff` (`gpg.program`, text conversion and clean filters run
programs). Every call names the git directory itself, so that git does not look for one, and carries the settings
below. The caller's `GIT_*` variables and git configuration are left out: the same scan everywhere.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import IO

from ..errors import GitError, UsageError
from ..model import clean

FIRST_ANSWER = 30.0
"""Seconds that git may take to open a repository."""
SILENCE = 120.0
"""Seconds without a byte from git after which it is taken to hang (a FIFO where an object should be)."""

_SETTINGS = (
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.commitGraph=false",  # a forged one lies about parents
    "core.useReplaceRefs=false",
    f"core.hooksPath={os.devnull}",
    f"core.attributesFile={os.devnull}",
    f"core.excludesFile={os.devnull}",
    "core.pager=cat",
    "core.alternateRefsCommand=false",
    "core.packedGitWindowSize=1m",
    "core.packedGitLimit=32m",
    "core.deltaBaseCacheLimit=32m",
    "core.bigFileThreshold=32m",
    "core.quotePath=false",
    "protocol.allow=never",
    "credential.helper=",
    "diff.external=",
    "log.showSignature=false",
    "advice.graftFileDeprecated=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ADVICE": "0",
    "LC_ALL": "C",
}

_NO_INDEX = f"/no-index-{os.urandom(8).hex()}"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as git is to see it. Paths are absolute; `work_tree` is empty for a bare one."""

    git_dir: bytes
    common_dir: bytes
    work_tree: bytes
    id_length: int
    program: str
    environment: tuple[tuple[str, str], ...]

    def command(self, *arguments: str) -> list[bytes]:
        """The full command line of a git call."""
        head: list[str | bytes] = [self.program, "--no-pager"]
        for setting in _SETTINGS:
            head += ["-c", setting]
        for directory in {self.git_dir, self.common_dir, self.work_tree} - {b""}:
            head += ["-c", b"safe.directory=" + directory]
        head.append(b"--git-dir=" + self.git_dir)
        if self.work_tree:
            head.append(b"--work-tree=" + self.work_tree)
        return [os.fsencode(part) for part in [*head, *arguments]]

    def run(self, *arguments: str, lines: Sequence[bytes] = (), timeout: float = 0.0) -> bytes:
        """What a short call prints; GitError when it fails or takes longer than `timeout` (or `SILENCE`) seconds."""
        timeout = timeout or SILENCE
        try:
            done = subprocess.run(
                self.command(*arguments),
                input=b"".join(line + b"\n" for line in lines),
                capture_output=True,
                env=self._environment(arguments[0]),
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise GitError(f"git {arguments[0]} gave no answer in {timeout:.0f} s and was stopped") from e
        if done.returncode:
            raise GitError(f"git {arguments[0]}: {first_line(done.stderr) or f'exit status {done.returncode}'}")
        return done.stdout

    def _environment(self, command: str) -> dict[str, str]:
        """Without the index for calls that have no use for it: `diff-tree` reads it, and dies of a damaged one."""
        given = dict(self.environment)
        return given if command == "ls-files" else given | {"GIT_INDEX_FILE": os.fsdecode(self.git_dir) + _NO_INDEX}

    @contextmanager
    def open(self, *arguments: str) -> Iterator[Conversation]:
        """A long call: its pipes, watched for silence; what it says on standard error is kept, up to a bound."""
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                self.command(*arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment(arguments[0]),
                bufsize=1 << 18,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
            with Conversation(process, errors) as conversation:
                yield conversation


class Conversation:
    """A running git: `stdin`, `stdout`, and a watch that kills it when `alive()` was not called for too long."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout
        self.timed_out = False
        self._process, self._errors = process, errors
        self._seen = time.monotonic()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._watched, daemon=True)

    def __enter__(self) -> Conversation:
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._process.kill()
        self._watch.join()
        for pipe in (self.stdin, self.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                continue
        self._process.wait()

    def alive(self) -> None:
        """Say that something was read."""
        self._seen = time.monotonic()

    def end(self) -> int:
        """Wait for the end that follows the end of its output; the exit status."""
        return self._process.wait()

    def said(self) -> list[str]:
        """The lines it wrote on standard error, at most 20, fit to be shown."""
        self._errors.seek(0)
        lines = dict.fromkeys(self._errors.read(1 << 16).splitlines())
        if self.timed_out:
            lines = dict.fromkeys([f"no answer from git in {SILENCE:.0f} s; it was stopped".encode()])
        return [clean(line[:300]) for line in list(lines)[:20]]

    def _watched(self) -> None:
        while not self._ended.wait(1.0):
            if time.monotonic() - self._seen > SILENCE:
                self.timed_out = True
                self._process.kill()
                return


def first_line(text: bytes) -> str:
    """The first error among what git said (or its first line), fit to be shown."""
    lines = text.strip().split(b"\n")
    return clean(next((line for line in lines if line.startswith((b"fatal:", b"error:"))), lines[0])[:300])


def open_repository(path: bytes, environment: Mapping[str, str]) -> Repository | None:
    """The repository whose work tree, git directory or `.git` file is at `path`; None when there is none just there.

    `environment` is the caller's. GitError when there is one that git refuses (unknown format, damaged).
    """
    found = locate(path)
    if found is None:
        return None
    program = shutil.which("git", path=environment.get("PATH"))
    if program is None:
        raise UsageError("git was not found: install it (https://git-scm.com) or put it on PATH")
    kept = {k: v for k, v in environment.items() if not k.upper().startswith("GIT_")}
    repository = Repository(*found, 40, program, tuple((kept | _ENVIRONMENT).items()))
    algorithm = repository.run("rev-parse", "--show-object-format", timeout=FIRST_ANSWER).strip()
    return replace(repository, id_length=64 if algorithm == b"sha256" else 40)


def locate(path: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Git directory, common directory and work tree (empty for a bare one) of the repository at `path`, if any.

    GitError when the git directory holds something that would hang whoever reads it.
    """
    path = os.path.abspath(path)
    dot_git = os.path.join(path, b".git")
    if os.path.isdir(dot_git):
        git_dir, work_tree = dot_git, path
    elif os.path.isfile(dot_git):
        git_dir, work_tree = _git_file(dot_git), path
    elif all(os.path.exists(os.path.join(path, name)) for name in (b"HEAD", b"objects", b"refs")):
        git_dir, work_tree = path, b""
    else:
        return None
    common = _common_dir(git_dir)
    for directory in {git_dir, common}:
        _require_plain(directory)
    return git_dir, common, work_tree


def _git_file(path: bytes) -> bytes:
    """Source: gitrepository-layout(5): `gitdir: PATH`, in linked work trees and submodules."""
    with open(path, "rb") as file:
        text = file.read(65536)
    if not text.startswith(b"gitdir: "):
        raise GitError(f"{clean(path)} is not a git directory and does not name one (`gitdir: PATH`)")
    found = os.path.join(os.path.dirname(path), text[8:].strip(b"\r\n"))
    if not os.path.isdir(found):
        raise GitError(f"{clean(path)} names a git directory that is not there: {clean(found)}")
    return os.path.abspath(found)


def _common_dir(git_dir: bytes) -> bytes:
    file = os.path.join(git_dir, b"commondir")
    if not os.path.isfile(file):
        return git_dir  # what else it may be, `_require_plain` says
    with open(file, "rb") as opened:
        return os.path.abspath(os.path.join(git_dir, opened.read(65536).strip(b"\r\n")))


_OTHERS = frozenset({b"annex", b"lfs", b"modules"})
"""Folders of a git directory that the calls made here do not look into."""


def _require_plain(git_dir: bytes) -> None:
    """A FIFO or a device anywhere in a git directory would hang git. (A socket would not: it cannot be opened.)"""
    folders = [git_dir]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if folder != git_dir or entry.name not in _OTHERS:
                    folders.append(entry.path)
            elif not entry.is_file(follow_symlinks=False) and _never_ends(entry.path):
                raise GitError(f"{clean(entry.path)} is not a regular file: git is not run on this repository")


def _never_ends(path: bytes) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
