"""The folder of clones: each in a folder of its own, named by a digest of the host's id for it, held by one process.

    ID/repo.git   the clone: there only when it was fetched whole
    ID/new.git    one that is being fetched
                  with oakum-refs, a digest of the refs that it was fetched at
    ID/memory/    what is remembered of its search (`pipeline/memory.py`); stays when the clone goes
    ID.lock       held (flock) by who works on it
    ledger.db     what each takes (`ledger.py`)

All of it together stays below a limit, also while one is being fetched. Where an organization is bigger than that, the
clones that were used least lately go; but of those that the present run has used, the latest go first: who visits all
repositories in the same order every night finds some of them there, and not each just deleted for the one before.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from ...errors import GitError
from ...model import clean
from ...swept import Remote
from ..git import open_repository
from . import network
from .ledger import Entry, Ledger
from .locks import Lock
from .reach import Clone, CloneError, Place, Reach, place_of
from .refs import asked, local_path

MOST_PACKS = 30
"""Packs of a clone; with more they are made few."""
MEMORY_SHARE = 10
"""The memory of searches takes at most this part of the limit."""
FULL, ENOUGH = 0.95, 0.9
"""From what part of the limit on room is made, as fetches go on meanwhile; and to what, so that not each must make
some."""
_PATIENCE = 600.0
"""Seconds that a clone is waited for that another process holds."""
_NAME = re.compile(r"[0-9a-f]{32}")


class Clones:
    """The clones in `folder`, which together take at most `limit` bytes on disk, also while one is being fetched.

    Several processes may use one folder: each clone is held by one at a time. What lies on this machine (`file` URLs)
    is not cloned: it is searched where it is. `now` is when the sweep began: what it has used stays rather than others.
    """

    def __init__(self, folder: str, limit: int, now: datetime | None = None) -> None:
        self._folder = os.path.abspath(os.fsencode(folder))
        self._limit = limit
        self._run = int(now.timestamp()) if now else 0
        self._ledger = Ledger(os.path.join(self._folder, b"ledger.db"), self._found)
        self._made = False

    @contextlib.contextmanager
    def held(self, remote: Remote, reach: Reach, refs: str = "") -> Iterator[Clone]:
        """The clone, as its host has it now, for as long as the context lasts; then it may be deleted. CloneError.

        `refs` is what `advertised` has just told: where the clone was fetched at the same, nothing is asked for.
        """
        place = place_of(remote)
        name = name_of(remote.id)
        with contextlib.ExitStack() as stack:
            with self._guarded():
                lock = stack.enter_context(self._lock(name))
                memory = os.path.join(self._folder, os.fsencode(name), b"memory")
                os.makedirs(memory, mode=0o700, exist_ok=True)
                if place.scheme == "file":
                    clone = Clone(local_path(place), os.fsdecode(memory), 0)
                else:
                    clone = self._brought(remote, place, name, os.fsdecode(memory), reach, lock, refs)
            try:
                yield clone
            finally:
                with contextlib.suppress(CloneError), self._guarded():  # what was found in it is not lost for that
                    self._noted(name)

    def forget(self, remotes: Iterable[str]) -> None:
        """Delete what is kept of repositories with these ids."""
        with self._guarded():
            for each in remotes:
                name = name_of(each)
                with self._lock(name):
                    _delete(self._path(name))
                    self._ledger.drop(name)

    # --- one clone ---------------------------------------------------------------------------------------------------

    def _brought(
        self, remote: Remote, place: Place, name: str, memory: str, reach: Reach, lock: Lock, refs: str
    ) -> Clone:
        """A clone as its host has it now: brought up to date, or made anew, once, where what is here is damaged."""
        folder = self._path(name)
        repository = os.path.join(folder, b"repo.git")
        self._noted(name)
        problems: tuple[str, ...] = ()
        fresh = not os.path.isdir(repository)
        told = os.path.join(repository, b"oakum-refs")
        if refs and not fresh and _content(told) == refs.encode():
            return Clone(repository, memory, size_of(repository))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(told)
        if not fresh:
            _unlock(repository)
            try:
                problems = self._fetched(place, repository, name, reach, lock)
            except network.FetchError:
                fresh = True
        if fresh:
            _delete(repository)
            problems = self._cloned(place, folder, name, reach, lock)
        elif len(_packs(repository)) > MOST_PACKS:
            with contextlib.suppress(CloneError):  # a clone of many packs is as good, if slower
                network.tidy(repository, reach.environment, reach.seconds)
        if not fresh or problems:
            _point(repository, remote.default_branch or asked(remote, reach).head)
        if refs and not problems:
            with open(told, "wb") as file:
                file.write(refs.encode())
        return Clone(repository, memory, size_of(repository), fresh, problems)

    def _cloned(self, place: Place, folder: bytes, name: str, reach: Reach, lock: Lock) -> tuple[str, ...]:
        new = os.path.join(folder, b"new.git")
        problems: tuple[str, ...] = ()
        try:
            _delete(new)
            try:
                network.clone(place, new, reach, self._held(new, name, lock))
            except network.FetchError as error:
                # Refs that cannot all be (`a` and `a/b`) fail a clone as a whole, and a fetch one by one.
                if not any(sign in str(error) for sign in ("ref", "lock")):
                    raise
                problems = self._fetched_one_by_one(place, new, name, reach, lock, error)
            os.rename(new, os.path.join(folder, b"repo.git"))
        except BaseException:
            _delete(new)
            raise
        return problems

    def _fetched_one_by_one(
        self, place: Place, new: bytes, name: str, reach: Reach, lock: Lock, error: CloneError
    ) -> tuple[str, ...]:
        _delete(new)
        network.make(new, reach.environment, "sha1")
        return self._fetched(place, new, name, reach, lock, partly=error)

    def _fetched(
        self,
        place: Place,
        repository: bytes,
        name: str,
        reach: Reach,
        lock: Lock,
        *,
        partly: CloneError | None = None,
    ) -> tuple[str, ...]:
        """Fetch; what could not be stored of it. Git ends with an error where one of many refs could not be stored."""
        try:
            network.fetch(place, repository, reach, self._held(repository, name, lock))
        except network.FetchError as error:
            if _is_empty(repository) or not any(sign in str(error) for sign in ("ref", "lock")):
                raise
            if partly is None and not _whole(repository, reach):
                raise
            return (str(error),)
        return ()

    def _held(self, repository: bytes, name: str, lock: Lock) -> network.Held:
        """What looks at a fetch while it goes on: room is made for it, or it is ended."""
        noted = 0

        def look() -> None:
            nonlocal noted
            taken = size_of(repository)
            if taken > self._limit:
                raise self._too_big(taken)
            if abs(taken - noted) >= 1 << 20:
                noted = taken
                total = self._ledger.grew(name, taken)
                if total > self._limit * FULL and not self._make_room(name, total):
                    raise self._too_big(taken)

        return network.Held(look, lock.descriptor)

    def _too_big(self, taken: int) -> CloneError:
        return CloneError(
            f"its clone has {taken >> 20} MiB and more, and all of them may take {self._limit >> 20} MiB: raise "
            "--clones-limit, or leave the repository out with --exclude"
        )

    # --- all of them -------------------------------------------------------------------------------------------------

    def _make_room(self, name: str, total: int) -> bool:
        """Delete clones that nobody holds until what is left fits; whether it does."""
        for entry in self._ledger.candidates(self._run):
            if total <= self._limit * ENOUGH:
                break
            if entry.bytes and entry.name != name and self._deleted(replace(entry, bytes=0), b"repo.git"):
                total -= entry.bytes
        return total <= self._limit

    def _forget_memories(self, name: str) -> None:
        """Delete memories of searches, longest unused first, until what is left has its share."""
        share = self._limit // MEMORY_SHARE
        left = self._ledger.remembered()
        for entry in self._ledger.candidates(self._run) if left > share else ():
            if left <= share * ENOUGH:
                break
            if entry.memory and entry.name != name and self._deleted(replace(entry, memory=0), b"memory"):
                left -= entry.memory

    def _deleted(self, entry: Entry, part: bytes) -> bool:
        """Delete a part of a clone that nobody holds; whether nobody did. `entry` is what is left of it."""
        if not _NAME.fullmatch(entry.name):
            return False
        lock = Lock(self._path(entry.name) + b".lock")
        if not lock.take():
            return False
        try:
            _delete(os.path.join(self._path(entry.name), part))
            self._ledger.correct(entry)
        finally:
            lock.give_back()
        return True

    def _noted(self, name: str) -> None:
        """Note what a clone takes, and that it was used; make room where all together take too much."""
        self._ledger.note(self._measured(name), self._run)
        self._forget_memories(name)
        total = self._ledger.total()
        if total > self._limit * FULL:
            self._make_room("", total)

    def _found(self) -> Iterator[Entry]:
        """What lies here, by looking at all of it."""
        for each in os.scandir(self._folder):
            name = os.fsdecode(each.name)
            if _NAME.fullmatch(name) and each.is_dir(follow_symlinks=False):
                yield self._measured(name)

    def _measured(self, name: str) -> Entry:
        folder = self._path(name)
        return Entry(name, size_of(os.path.join(folder, b"repo.git")), size_of(os.path.join(folder, b"memory")))

    # --- the folder --------------------------------------------------------------------------------------------------

    def _path(self, name: str) -> bytes:
        return os.path.join(self._folder, os.fsencode(name))

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """The folder, made where it is not there, ours alone; errors of the file system as such of a clone."""
        if not self._made:
            self._make()
            self._made = True
        try:
            yield
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def _make(self) -> None:
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            about = os.lstat(self._folder)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        if not stat.S_ISDIR(about.st_mode) or (hasattr(os, "getuid") and about.st_uid != os.getuid()):
            raise CloneError(f"{clean(self._folder)} is not ours alone: name another folder with --clones")
        if os.name == "posix" and about.st_mode & 0o022:
            raise CloneError(f"others may write into {clean(self._folder)}: chmod 700, or name another with --clones")

    @contextlib.contextmanager
    def _lock(self, name: str) -> Iterator[Lock]:
        lock = Lock(self._path(name) + b".lock")
        until = time.monotonic() + _PATIENCE
        while not lock.take():
            if time.monotonic() > until:
                raise CloneError(
                    "another process works on its clone: it is tried again in the next sweep", passing=True
                )
            time.sleep(0.2)
        try:
            yield lock
        finally:
            lock.give_back()


def name_of(remote: str) -> str:
    """The name of the folder of a repository: nothing in it is of the host's making."""
    return hashlib.sha256(remote.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def size_of(folder: bytes) -> int:
    """The bytes that a folder takes on disk, as far as it can be read: of a small repository most is what file systems
    round up to, and folders."""
    total, left = 0, [folder]
    while left:
        path = left.pop()
        try:
            total += _on_disk(os.lstat(path))
            for each in os.scandir(path):
                if each.is_dir(follow_symlinks=False):
                    left.append(each.path)
                else:
                    total += _on_disk(each.stat(follow_symlinks=False))
        except OSError:
            continue
    return total


def _on_disk(about: os.stat_result) -> int:
    """What a file takes; where the system does not say that, as much as is in it."""
    return max(about.st_size, getattr(about, "st_blocks", 0) * 512)


def _unwritable(folder: bytes, error: OSError) -> CloneError:
    return CloneError(
        f"the clones in {clean(folder)} cannot be written ({error.strerror or error}): free disk space, lower "
        "--clones-limit, or name another folder with --clones",
        passing=True,
    )


def _content(path: bytes) -> bytes:
    """A small file; empty where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read(4096)
    except FileNotFoundError:
        return b""


def _delete(path: bytes) -> None:
    """Delete what is there. What was renamed away first is never taken for whole."""
    if not os.path.lexists(path):
        return
    doomed = path + b".gone"
    shutil.rmtree(doomed, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _unlock(repository: bytes) -> None:
    """Delete what a git that was killed has left: nobody else works here, for we hold the lock."""
    for folder, folders, names in os.walk(repository):
        if os.path.basename(folder) == b"objects":
            folders[:] = [each for each in folders if each == b"pack"]
        for each in names:
            if each.endswith(b".lock") or each.startswith((b"tmp_", b".tmp-")):
                os.unlink(os.path.join(folder, each))


def _packs(repository: bytes) -> list[bytes]:
    try:
        return [each for each in os.listdir(os.path.join(repository, b"objects", b"pack")) if each.endswith(b".pack")]
    except OSError:
        return []


def _is_empty(repository: bytes) -> bool:
    return not _packs(repository)


def _whole(repository: bytes, reach: Reach) -> bool:
    """Whether git can open it, and read what its refs name."""
    try:
        found = open_repository(repository, reach.environment)
        return found is not None and bool(found.run("for-each-ref", "--format=%(objecttype)") or True)
    except GitError:
        return False


def _point(repository: bytes, branch: str) -> None:
    """Have HEAD name a branch, where it is one that a ref can be called."""
    if (
        not branch
        or not _BRANCH.fullmatch(branch)
        or any(sign in branch for sign in ("..", "//", "@{", "/.", ".lock/"))
    ):
        return
    if branch.endswith(("/", ".", ".lock")) or branch.startswith((".", "/")):
        return
    wanted = b"ref: refs/heads/" + branch.encode("utf-8", "surrogateescape") + b"\n"
    path = os.path.join(repository, b"HEAD")
    with open(path, "rb") as file:
        if file.read(4096) == wanted:
            return
    with open(path + b".new", "wb") as file:
        file.write(wanted)
    os.replace(path + b".new", path)


_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,250}")
"""Source: git-check-ref-format(1)."""
