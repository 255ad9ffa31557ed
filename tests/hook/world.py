"""A push to a real server through the real hook: what is prepared, what git does, and what plain git says of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from git_repository import Commit, GitRepository
from remotes import PROTOCOLS, Servers

LONGEST = 60.0
"""Seconds after which a push is taken to hang."""
RECORDING = Path(__file__).with_name("recording.py")
ALGORITHMS = ("sha1", "sha256")
STOPPED = "stopped"
ALREADY = "already"
NOT_SENT = "not sent"
NOTHING = "nothing"
"""What comes of a secret in a situation: the push is stopped; it goes on, as the remote has it already, or as nothing
of it is sent; there is no place for one."""


@dataclass(frozen=True)
class Push:
    """A call of `git push` in a folder, and what it is to do. `before` are options that stand before the word `push`.

    `tracking` are the folders of refs (or the refs) that say what is known of the remote, `name` is what the remote is
    called in messages, `to` the repositories that the calls of the hook are about, in their order (None: nothing of
    that is sent). `lacks` are objects that the pushing repository does not have. `refused` says that the remote takes
    nothing of what is sent.
    """

    arguments: tuple[str | bytes, ...]
    folder: Path
    environment: dict[str, str]
    to: tuple[GitRepository | None, ...]
    before: tuple[str, ...] = ()
    tracking: tuple[str, ...] = ("refs/remotes/origin",)
    tracked: int = 1 << 30
    """To how many of `to`, the first ones, they belong."""
    name: str = "origin"
    lacks: tuple[str, ...] = ()
    refused: bool = False
    arrives: bool = True
    notes: tuple[str, ...] = ()
    """What else oakum says where it finds nothing."""
    warnings: tuple[str, ...] = ()
    """What oakum says of what could not be searched."""
    hung_up: bool = False
    """Whether nobody is there: standard input, output and error are closed."""

    @property
    def named(self) -> dict[str, str]:
        """The variables by which it names the repository."""
        return {n: value for n, value in self.environment.items() if n.endswith("_DIRECTORY") or n == "GIT_DIR"}


@dataclass
class Run:
    """A call of the hook: its arguments and folder, what it was given, and the objects that it searched."""

    arguments: list[bytes]
    folder: bytes
    git_dir: bytes
    given: bytes
    searched: list[str] = field(default_factory=list)

    @property
    def updates(self) -> list[tuple[str, str, str]]:
        """(new id, ref at the remote, old id) of each line."""
        lines = [line.rsplit(b" ", 3) for line in self.given.splitlines() if line.count(b" ") >= 3]
        return [(new.decode(), os.fsdecode(ref), old.decode()) for _, new, ref, old in lines]

    @property
    def tips(self) -> list[str]:
        """The ids that are pushed."""
        return [new for new, _, _ in self.updates if new.strip("0")]


@dataclass(frozen=True)
class Done:
    """What came of a push."""

    status: int
    said: str
    runs: list[Run]

    @property
    def told(self) -> list[str]:
        """The lines that begin with oakum's name, without the time that it took."""
        lines = [line.removeprefix("remote: ").rstrip() for line in self.said.splitlines()]
        return [re.sub(r"[0-9.]+ s\)$", "… s)", line) for line in lines if line.startswith("oakum: ")]


@dataclass(frozen=True)
class Beginning:
    """What every world begins with, made once: a repository `here`, and `remote.git`, which has its two commits."""

    folder: Path
    algorithm: str
    first: Commit
    second: Commit

    @classmethod
    def create(cls, folder: Path, algorithm: str) -> Beginning:
        """In a folder of its own, with an algorithm for object ids."""
        form = f"--object-format={algorithm}"
        here = GitRepository.create(folder / "here", "--template=", form)
        GitRepository.create(folder / "remote.git", "--bare", "--template=", form)
        first = here.commit({"start.txt": b"begun\n", "app/main.py": b"import sys\n\nsys.exit()\n"}, "begin")
        second = here.commit({"readme.md": b"# Here\n"}, "describe")
        here.git("remote", "add", "origin", "../remote.git")
        here.git("push", "--quiet", "origin", "main")
        return cls(folder, algorithm, first, second)


class World:
    """A repository `here` with the hook, and a bare one at `remote` that has its first two commits: `origin`.

    `line` and `word` hold the secret, or nothing of interest: so each situation is there with and without one.
    """

    def __init__(
        self, folder: Path, servers: Servers, caches: Path, *, protocol: str, beginning: Beginning, secret: bytes
    ) -> None:
        self.folder, self.servers, self.caches, self.protocol = folder, servers, caches, protocol
        self.word = secret or b"harmless"
        self.line = b"token = %s\n" % self.word
        self.log = folder / "log"
        self.first, self.second = beginning.first, beginning.second
        self._form = f"--object-format={beginning.algorithm}"
        shutil.copytree(beginning.folder, folder, dirs_exist_ok=True)
        self.remote = self._served(GitRepository(folder / "remote.git"))
        self.bares = [self.remote]
        self.here = GitRepository(folder / "here", days=2)
        self.here.git("config", "remote.origin.url", self.url(self.remote))
        self.install(self.here.path / ".git" / "hooks")

    def bare(self, name: str) -> GitRepository:
        """An empty repository that takes pushes."""
        self.bares.append(self._served(GitRepository.create(self.folder / name, "--bare", "--template=", self._form)))
        return self.bares[-1]

    def _served(self, bare: GitRepository) -> GitRepository:
        with (bare.path / "config").open("a") as file:
            file.write("[http]\nreceivepack = true\n[receive]\nautogc = false\n[uploadpack]\nallowFilter = true\n")
        return bare

    def repository(self, name: str) -> GitRepository:
        """An empty repository with the hook."""
        made = GitRepository.create(self.folder / name, "--template=", self._form)
        self.install(made.path / ".git" / "hooks")
        return made

    def clone(self, name: str, *options: str, source: GitRepository | None = None) -> GitRepository:
        """A clone of the remote, with the hook; dates in it go on from those here."""
        url = self.url(source or self.remote)
        self.here.git("clone", "--quiet", "--template=", *options, url, str(self.folder / name), **self.allowed)
        made = GitRepository(self.folder / name, self.here.days)
        self.install(made.path / made.git("rev-parse", "--git-common-dir") / "hooks")
        return made

    def url(self, repository: GitRepository) -> str:
        """Where a repository is served."""
        return self.servers.url(self.protocol, repository.path)

    def install(self, hooks: Path, stage: str = "pre-push") -> None:
        """Put the hook into a folder of hooks."""
        hooks.mkdir(parents=True, exist_ok=True)
        program = [sys.executable, "-P", str(RECORDING), str(self.log), stage]
        (hooks / stage).write_text(f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n')
        (hooks / stage).chmod(0o755)

    @property
    def allowed(self) -> dict[str, str]:
        """What lets the git of a test talk to the servers."""
        return {"GIT_ALLOW_PROTOCOL": "file:git:http"}

    @property
    def environment(self) -> dict[str, str]:
        """That of somebody who pushes."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.caches),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def publish(self, *references: str | bytes, to: str = "origin", by: GitRepository | None = None) -> None:
        """Push something that nobody looks at, before that which is to be looked at."""
        (by or self.here).git("push", "--quiet", "--no-verify", to, *references, **self.allowed)

    def change(self, name: str = "change.txt", content: bytes | None = None, message: str = "change") -> str:
        """A commit here that brings in `line`, or other content; its id."""
        return self.here.commit({name: self.line if content is None else content}, message).id

    def push(self, *arguments: str | bytes, by: GitRepository | None = None, **options: object) -> Push:
        """A push from here, or by another repository; `options` are fields of `Push`."""
        given = {"folder": (by or self.here).path, "environment": self.environment, "to": (self.remote,)}
        return Push(arguments, **(given | options))  # type: ignore[arg-type]


Prepare = Callable[[World], Push]


@dataclass(frozen=True)
class Situation:
    """A push situation: how it comes about, and what comes of a secret in it.

    `unsearched` says that git sends what the hook must take for known: the remote has lost it since.
    """

    prepare: Prepare
    secret: str = STOPPED
    sha256: bool = False
    unsearched: bool = False

    @property
    def name(self) -> str:
        """Of the function that prepares it."""
        return self.prepare.__name__


class Table(list[Situation]):
    """Situations, in the order in which they are written down."""

    def __call__(
        self, secret: str = STOPPED, *, sha256: bool = False, unsearched: bool = False
    ) -> Callable[[Prepare], Prepare]:
        """Add the decorated function; `sha256` has the fast tests try it in such repositories, too."""

        def add(prepare: Prepare) -> Prepare:
            self.append(Situation(prepare, secret, sha256, unsearched))
            return prepare

        return add


def cases(table: tuple[Situation, ...]) -> list[object]:
    """Each situation by one protocol, in turn, some with a secret and in SHA-256 repositories; the rest is for the long
    tests."""
    return [case for number, situation in enumerate(table) for case in _of(situation, number)]


def _of(situation: Situation, number: int) -> Iterator[object]:
    chosen = PROTOCOLS[number % len(PROTOCOLS)]
    for protocol, algorithm in (*((protocol, "sha1") for protocol in PROTOCOLS), (chosen, "sha256")):
        fast = protocol == chosen and (algorithm == "sha1" or (situation.sha256 and number % 8 == 0))
        for planted in (False, True) if situation.secret != NOTHING else (False,):
            words = [situation.name, protocol, *[algorithm] * (algorithm != "sha1"), *["planted"] * planted]
            marks = () if fast and (number % 8 == 1 or not planted) else pytest.mark.long
            yield pytest.param(situation, protocol, algorithm, planted, id="-".join(words), marks=marks)


def pushed(push: Push, log: Path) -> Done:
    """Let git push, without a terminal."""
    with (log.parent / "said").open("w+b") as said:
        process = subprocess.Popen(
            ["git", *push.before, "push", *push.arguments],
            cwd=push.folder,
            env=push.environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=_hang_up if push.hung_up else None,
        )
        try:
            status = process.wait(LONGEST)
        finally:
            process.kill()
        said.seek(0)
        return Done(status, said.read().decode("utf-8", "replace"), runs(log))


def _hang_up() -> None:
    for descriptor in range(3):
        os.close(descriptor)


def runs(log: Path) -> list[Run]:
    """What the calls of the hook recorded."""
    found: list[Run] = []
    for line in log.read_text().splitlines() if log.exists() else ():
        entry = json.loads(line)
        if "searched" in entry:
            found[-1].searched += entry["searched"]
            continue
        folder, git_dir, given = (entry[name].encode("latin-1") for name in ("folder", "git_dir", "given"))
        found.append(Run([one.encode("latin-1") for one in entry["arguments"]], folder, git_dir, given))
    return found


Kinds = dict[str, str]
"""Object ids, and the kind of each."""


def stored(repository: GitRepository) -> Kinds:
    """All that is in an object store, but trees."""
    form = "--batch-check=%(objectname) %(objecttype)"
    return _kinds(repository.git("cat-file", "--batch-all-objects", "--unordered", form).splitlines())


def refs_of(repository: GitRepository) -> dict[str, str]:
    """What each ref names."""
    listed = os.fsdecode(repository.run("for-each-ref", "--format=%(objectname) %(refname)")).split("\n")
    return {ref: name for name, _, ref in (line.partition(" ") for line in listed) if ref}


def _kinds(lines: Iterable[str]) -> Kinds:
    return {name: kind for name, kind in (line.split() for line in lines) if kind in ("blob", "commit", "tag")}


def new_to(repository: GitRepository, tips: Sequence[str], known: Sequence[str], **variables: str) -> Kinds:
    """What `git rev-list --objects TIPS --not KNOWN` lists, but trees. What is not in the object store is left out."""
    if not tips:
        return {}
    form = "--batch-check=%(objectname) %(objecttype)"
    there = repository.git("cat-file", form, stdin=_lines(known), **variables).splitlines()
    found = [line.split()[0] for line in there if not line.endswith(" missing")]
    lines = _lines([*tips, *(f"^{name}" for name in found)])
    listed = repository.run("rev-list", "--objects", "--missing=print", "--stdin", stdin=lines, **variables)
    names = [line.split(b" ")[0].decode() for line in listed.split(b"\n") if line[:1] not in (b"", b"?")]
    return _kinds(repository.git("cat-file", form, stdin=_lines(names), **variables).splitlines())


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def counted(number: int, name: str) -> str:
    """As oakum writes it."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"
