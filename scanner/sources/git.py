"""Git, run so that a hostile repository can neither execute anything nor hide anything.

Plumbing commands only, never `log`, `status` or `diff` (`gpg.program`, text conversion and clean filters run
programs). Every call names the git directory itself, so that git does not look for one, and carries the settings
below. The caller's `GIT_*` variables and git configuration are left out: the same scan everywhere. Git runs in the
work tree, wherever we are, because `ls-files` lists only what lies below its own folder.
"""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BufferedReader
from types import TracebackType
from typing import IO, cast

from ..errors import GitError, UsageError
from ..model import clean
from .locate import common_dir, git_file, has_layout, is_repository, is_usual, locate

FIRST_ANSWER = 30.0
"""Seconds that git may take to open a repository."""

SILENCE = 120.0
"""Seconds that we wait for a byte from git before it is taken to hang (a FIFO where an object should be)."""

LAST_WORDS = 0.5
"""Seconds that a git is given that has told something else than it was asked for."""

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
    "core.ignoreCase=false",  # else an untracked CONFIG.env counts as the tracked config.env
    "protocol.allow=never",
    "credential.helper=",
    "diff.external=",
    "log.showSignature=false",
    "advice.graftFileDeprecated=false",
    "gc.auto=0",
    "maintenance.auto=false",
)

_ENVIRONMENT = {
    "GIT_ALLOC_LIMIT": "1g",  # a pack of a few bytes can ask for any amount
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_FLUSH": "0",  # else a write, and a wake-up of ours, for every commit
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

_OF_THE_USER = (
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
)
"""Variables by which a user says where git finds his configuration and his repositories, whatever it is run for."""

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

    @property
    def shallow(self) -> bool:
        """Whether git hides the parents of some commits. Source: gitrepository-layout(5)."""
        return os.path.lexists(os.path.join(self.common_dir, b"shallow"))

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

    def run(
        self, *arguments: str, lines: Sequence[bytes] = (), timeout: float = 0.0, said: list[str] | None = None
    ) -> bytes:
        """What a short call prints; GitError when it fails or takes longer than `timeout` (or `SILENCE`) seconds.

        `said` receives what a call that succeeds writes on standard error: such as a folder that it cannot read.
        """
        timeout = timeout or SILENCE
        try:
            process = self._start(arguments, subprocess.PIPE, subprocess.PIPE)
        except OSError as e:
            raise GitError(f"git {arguments[0]} could not be started: {e.strerror or e}") from e
        with process:
            try:
                output, errors = process.communicate(b"".join(line + b"\n" for line in lines), timeout)
            except subprocess.TimeoutExpired as e:
                raise GitError(f"git {arguments[0]} gave no answer in {timeout:.0f} s and was stopped") from e
            finally:
                kill(process)
        if process.returncode:
            raise GitError(f"git {arguments[0]}: {first_line(errors) or f'exit status {process.returncode}'}")
        if said is not None:
            said += shown_lines(errors)
        return output

    def _start(self, arguments: Sequence[str], stdin: int | IO[bytes], stderr: int | IO[bytes]) -> Popen:
        process = Popen(
            self.command(*arguments),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=self._folder,
            env=self._environment(arguments[0]),
            bufsize=1 << 18,
            start_new_session=True,  # Ctrl-C is ours to handle
        )
        begun(process)
        return process

    @property
    def _folder(self) -> bytes:
        return self.work_tree or self.git_dir

    def _environment(self, command: str) -> dict[str, str]:
        """Without the index for calls that have no use for it: `diff-tree` reads it, and dies of a damaged one."""
        given = dict(self.environment)
        return given if command == "ls-files" else given | {"GIT_INDEX_FILE": os.fsdecode(self.git_dir) + _NO_INDEX}

    @contextmanager
    def open(self, *arguments: str, given: bytes | None = None, patience: float = 0.0) -> Iterator[Conversation]:
        """A long call: its pipes, watched for silence; what it says on standard error is kept, up to a bound.

        With `given`, all that it reads is known: it comes from a file, so that nobody waits for anybody. `patience` is
        how many seconds it may be silent, where that is more than `SILENCE`.
        """
        with _scratch() as errors, _scratch() as questions:
            if given is not None:
                questions.write(given)
                questions.seek(0)
            process = self._start(arguments, subprocess.PIPE if given is None else questions, errors)
            with Conversation(process, errors, max(patience, SILENCE)) as conversation:
                yield conversation


def _scratch() -> IO[bytes]:
    """A file without a name: in memory where the system has such, so that a full disk does not matter."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("oakum"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()


class Popen(subprocess.Popen[bytes]):
    """A program whose end is heard at once. Where there is a limit of time, `subprocess` itself only looks for it, each
    millisecond or more rarely; a short git takes no longer."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; TimeoutExpired after so many seconds. Source: pidfd_open(2)."""
        if timeout is not None and self.returncode is None and hasattr(os, "pidfd_open"):
            until = time.monotonic() + timeout
            with suppress(OSError):  # an old kernel, or no descriptor left: then as usual
                handle = os.pidfd_open(self.pid)
                try:
                    ended = select.poll()
                    ended.register(handle, select.POLLIN)
                    ended.poll(max(0.0, timeout * 1000))
                finally:
                    os.close(handle)
            timeout = max(0.0, until - time.monotonic())
        return super().wait(timeout)


_running: set[Popen] = set()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)  # a parent's are not ours


def begun(process: Popen) -> None:
    """Know a git, so that `end_all` ends it, too."""
    _running.add(process)


def kill(process: Popen) -> None:
    """End a git that was not waited for, and what it has started: the leader of a session of its own."""
    _running.discard(process)
    if process.returncode is not None:
        return
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (PermissionError, ProcessLookupError):  # it has ended by itself
        return


def end_all() -> None:
    """End every git that is at work still, in whatever thread: for the end of this process."""
    for process in list(_running):
        kill(process)


class Conversation:
    """A running git: `stdin`, `stdout`, and a watch that kills it when we wait for it longer than `patience` seconds.

    Only the time that is spent waiting in a read of `stdout` counts: whoever reads may take his time in between.
    """

    def __init__(self, process: Popen, errors: IO[bytes], patience: float) -> None:
        assert process.stdout is not None
        self.stdin = process.stdin or io.BytesIO()
        self.stdout = cast(IO[bytes], _Reader(cast(BufferedReader, process.stdout), self))
        self.timed_out = False
        self.waiting_since: float | None = None
        """When the wait that is going on began."""
        self.pid = process.pid
        """Of the process, for what the system can do to it."""
        self._process, self._errors, self._patience = process, errors, patience
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._watched, daemon=True)

    def __enter__(self) -> Conversation:
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        kill(self._process)
        self._watch.join()
        for pipe in (self.stdin, self.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                continue
        self._process.wait()

    def feed(self, lines: Sequence[str]) -> None:
        """Have a thread write lines to its standard input, and then its end."""

        def write() -> None:
            try:
                for begin in range(0, len(lines), 1000):
                    self.stdin.write("".join(f"{line}\n" for line in lines[begin : begin + 1000]).encode())
                self.stdin.close()
            except (OSError, ValueError):  # git has ended, or was stopped
                return

        threading.Thread(target=write, daemon=True).start()

    def end(self) -> int:
        """Wait for the end that follows the end of its output; the exit status."""
        self.waiting_since = time.monotonic()
        try:
            return self._process.wait()
        finally:
            self.waiting_since = None

    def stop(self) -> None:
        """Let it say why it gives up, for a moment; end it where it does not, as nobody reads what it has to tell."""
        try:
            self._process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            kill(self._process)
            self._process.wait()

    def said(self) -> list[str]:
        """The lines it wrote on standard error, at most 20, fit to be shown."""
        if self.timed_out:
            return [f"no answer from git in {self._patience:.0f} s; it was stopped"]
        self._errors.seek(0)
        return shown_lines(self._errors.read(1 << 16))

    def _watched(self) -> None:
        late = None
        while not self._ended.wait(min(1.0, self._patience / 2)):
            since = self.waiting_since
            if since is None or time.monotonic() - since <= self._patience:
                late = None
            elif since != late:  # once more: this process may have been stopped itself (Ctrl-Z)
                late = since
            else:
                self.timed_out = True
                kill(self._process)
                return


class _Reader:
    """The output of git: a conversation knows when somebody waits in a read of it."""

    def __init__(self, pipe: BufferedReader, conversation: Conversation) -> None:
        self._pipe, self._conversation = pipe, conversation

    def readline(self) -> bytes:
        self._conversation.waiting_since = time.monotonic()
        line = self._pipe.readline()
        self._conversation.waiting_since = None
        return line

    def read(self, size: int) -> bytes:
        self._conversation.waiting_since = time.monotonic()
        data = self._pipe.read(size)
        self._conversation.waiting_since = None
        return data

    def read1(self, size: int) -> bytes:
        self._conversation.waiting_since = time.monotonic()
        data = self._pipe.read1(size)
        self._conversation.waiting_since = None
        return data

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def close(self) -> None:
        self._pipe.close()


def shown_lines(text: bytes) -> list[str]:
    """The lines of what git said, at most 20, each once, fit to be shown."""
    return [clean(line[:300]) for line in list(dict.fromkeys(text.splitlines()))[:20] if line]


def first_line(text: bytes) -> str:
    """The first error among what git said (or its first line), fit to be shown."""
    lines = text.strip().split(b"\n")
    return clean(next((line for line in lines if line.startswith((b"fatal:", b"error:"))), lines[0])[:300])


def open_repository(path: bytes, environment: Mapping[str, str], *, asked: bool = True) -> Repository | None:
    """The repository whose work tree, git directory or `.git` file is at `path`; None when there is none just there.

    `environment` is the caller's. GitError when there is one that git refuses (unknown format, damaged). Who looks at
    its state only need not have git `asked`: whether it takes the repository, and how long ids are (0), is open then.
    """
    found = locate(path)
    if found is None:
        return None
    program = _git(environment)
    repository = Repository(*found, 0, program, tuple((_kept(environment) | _ENVIRONMENT).items()))
    return _measured(repository) if asked else repository


IN_A_HOOK = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
)
"""What git tells its hooks of the repository. Source: githooks(5), git-receive-pack(1), "Quarantine Environment"."""


def open_in_hook(
    folder: bytes, environment: Mapping[str, str], *, id_length: int = 0, grafts: bool = False
) -> Repository | None:
    """The repository that git runs a hook for, in `folder`; None where there is none.

    Git says where it is, and what to read instead of its own index and object store. What would hang git has not done
    so: it has just read all of this. The length of its ids is asked for where it is not given. `grafts` has git obey
    them, as it does when it pushes: it sends what they make the parents of a commit.
    """
    program = _git(environment)
    folder = os.path.abspath(folder)
    named = environment.get("GIT_DIR", "")
    if named:
        git_dir = os.path.abspath(os.path.join(folder, os.fsencode(named)))
        work_tree = b"" if (folder + b"/").startswith(git_dir + b"/") else folder
    else:
        found = _upwards(folder)
        if found is None:
            return None
        git_dir, work_tree = found
    if environment.get("GIT_WORK_TREE"):
        work_tree = os.path.abspath(os.path.join(folder, os.fsencode(environment["GIT_WORK_TREE"])))
    kept = _kept(environment) | {name: environment[name] for name in IN_A_HOOK[2:] if environment.get(name)}
    shared = common_dir(git_dir)
    kept |= _ENVIRONMENT
    if grafts:
        file = os.fsencode(environment.get("GIT_GRAFT_FILE", "")) or shared + b"/info/grafts"
        kept["GIT_GRAFT_FILE"] = os.fsdecode(os.path.join(folder, file))
    repository = Repository(git_dir, shared, work_tree, id_length or 40, program, tuple(kept.items()))
    return repository if id_length else _measured(repository)


def _upwards(folder: bytes) -> tuple[bytes, bytes] | None:
    """Git directory and work tree of the repository that a folder lies in."""
    while True:
        if is_repository(folder):
            dot_git = os.path.join(folder, b".git")
            return (dot_git if os.path.isdir(dot_git) else git_file(dot_git)), folder
        if has_layout(folder):
            return folder, b""
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)


def _git(environment: Mapping[str, str]) -> str:
    """The full path of git."""
    program = find_program("git", environment)
    if program is None:
        raise UsageError("git was not found: install it (https://git-scm.com) or put it on PATH")
    return program


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment, without what is git's."""
    kept = {k: v for k, v in environment.items() if not k.upper().startswith("GIT_")}
    return kept | {"PATH": os.pathsep.join(_search_path(environment))}


def _measured(repository: Repository) -> Repository:
    if is_usual(repository.git_dir, repository.common_dir):
        return replace(repository, id_length=40)
    algorithm = repository.run("rev-parse", "--show-object-format", timeout=FIRST_ANSWER).strip()
    return replace(repository, id_length=64 if algorithm == b"sha256" else 40)


def open_around(path: bytes, environment: Mapping[str, str]) -> tuple[Repository, bytes] | None:
    """The repository whose work tree a folder lies in, and the folder's path in there; None when it lies in none, or
    is one itself.

    As git looks for it: upwards, to the root of the file system or to another device.
    """
    here = folder = os.path.realpath(path)
    if os.path.lexists(os.path.join(here, b".git")) or has_layout(here):
        return None
    try:
        device = os.stat(here).st_dev
        while (above := os.path.dirname(folder)) != folder and os.stat(above).st_dev == device:
            folder = above
            if is_repository(folder):
                found = open_repository(folder, environment)
                return (
                    None if found is None else (found, os.path.relpath(here, folder).replace(os.fsencode(os.sep), b"/"))
                )
    except OSError:
        return None
    return None


def _search_path(environment: Mapping[str, str]) -> list[str]:
    """The folders of PATH that do not depend on where we are: a relative one could lie in what is scanned."""
    named = (name.strip('"') for name in environment.get("PATH", os.defpath).split(os.pathsep))
    return [name for name in named if os.path.isabs(name)]


def find_program(name: str, environment: Mapping[str, str]) -> str | None:
    """The full path of a program on PATH. (`shutil.which` looks into the current folder first on Windows.)"""
    endings = (".exe", ".com") if os.name == "nt" else ("",)
    for folder in _search_path(environment):
        for ending in endings:
            found = os.path.join(folder, name + ending)
            if os.path.isfile(found) and os.access(found, os.X_OK):
                return found
    return None


def ask_as_user(folder: str, environment: Mapping[str, str], *arguments: str) -> bytes | None:
    """What git prints in a folder, run as the user runs it: with his own configuration, looking for the repository.

    Only for questions about configuration and places, and for settings of the user's own configuration: with such
    calls, none of what is configured is run. None where it ends with 1, which means that a setting is not there;
    GitError when it fails.
    """
    program = _git(environment)
    own = {name: environment[name] for name in _OF_THE_USER if name in environment}
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder,
            env=_kept(environment) | own | {"LC_ALL": "C"},
            timeout=FIRST_ANSWER,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        raise GitError(f"git {arguments[0]} gave no answer in {FIRST_ANSWER:.0f} s and was stopped") from e
    except OSError as e:
        raise GitError(f"git {arguments[0]} could not be started in {clean(folder)}: {e.strerror or e}") from e
    if done.returncode not in (0, 1):
        raise GitError(f"git {arguments[0]}: {first_line(done.stderr) or f'exit status {done.returncode}'}")
    return None if done.returncode else done.stdout
