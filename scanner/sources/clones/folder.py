"""The folder of clones: each in a folder of its own, named by a digest of the host's id for it, held by one process.

    ID/repo.git   the clone: there only when it was fetched whole; in it oakum-refs, a digest of the refs that it was
                  fetched at
    ID/new.git    one that is being fetched whole
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
MOST_LOOSE = 500
"""Refs of a clone in files of their own; more are put into one file: each is read and weighed in every fetch."""
MEMORY_SHARE = 10
"""The memory of searches takes at most this part of the limit."""
FULL, ENOUGH = 0.95, 0.9
"""From what part of the limit on room is made, as fetches go on meanwhile; and to what, so that not each must make
some."""
_PATIENCE = 600.0
"""Seconds that a clone is waited for that another process holds."""
_DAMAGED = b"damaged"
"""A file with the refs at which a fresh clone was damaged, and the sweep that found that."""
MENDED = 7 * 86400
"""Seconds after which a host may have mended its damage, so that it is fetched whole again."""
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
                if os.path.lexists(self._path(name)):
                    with self._lock(name):
                        _delete(self._path(name))
                        self._ledger.drop(name)

    def note_damage(self, remote: str, refs: str) -> None:
        """Note that a clone is damaged though it was fetched whole just now, at these refs: so it is at its host."""
        path = os.path.join(self._path(name_of(remote)), _DAMAGED)
        with self._guarded(), self._lock(name_of(remote)), open(path, "wb") as file:
            file.write(f"{refs} {self._run}".encode())

    def _is_damaged(self, folder: bytes, refs: str) -> bool:
        """Whether a clone was damaged though it was fresh, at these refs, not long ago: hosts are mended, too."""
        noted, _, run = _content(os.path.join(folder, _DAMAGED)).decode("ascii", "replace").partition(" ")
        return noted == refs and run.isdecimal() and self._run - int(run) < MENDED

    # --- one clone ---------------------------------------------------------------------------------------------------

    def _brought(
        self, remote: Remote, place: Place, name: str, memory: str, reach: Reach, lock: Lock, refs: str
    ) -> Clone:
        """A clone as its host has it now: brought up to date, or made anew, once, where what is here is damaged."""
        folder = self._path(name)
        repository = os.path.join(folder, b"repo.git")
        _clear(folder)
        self._noted(name)
        problems: tuple[str, ...] = ()
        fresh = not os.path.isdir(repository)
        told = os.path.join(repository, b"oakum-refs")
        if refs and not fresh and _content(told) == refs.encode():
            damaged = self._is_damaged(folder, refs)
            return Clone(repository, memory, size_of(repository), refs=refs, damaged=damaged)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(told)
        # What was told may be hours ago: refs may be others by now, and those again afterwards. And git would take any
        # page for a server of old, and an empty one for a repository without refs.
        now = asked(remote, reach)
        held = self._held(folder, name, lock)
        if not fresh:
            _unlock(repository)
            try:
                problems = _fetched(place, repository, reach, held)
            except network.FetchError:
                fresh = True
        if fresh:
            problems = self._cloned(place, folder, reach, held)
        elif len(_packs(repository)) > MOST_PACKS or _loose_refs(repository) > MOST_LOOSE:
            with contextlib.suppress(CloneError):  # a clone of many packs is as good, if slower
                network.tidy(repository, reach.environment, reach.seconds, held)
        if not fresh or problems:
            _point(repository, remote.default_branch or now.head)
        if not problems:
            with open(told, "wb") as file:
                file.write(now.digest.encode())
        damaged = self._is_damaged(folder, now.digest)
        return Clone(repository, memory, size_of(repository), fresh, problems, now.digest, damaged)

    def _cloned(self, place: Place, folder: bytes, reach: Reach, held: network.Held) -> tuple[str, ...]:
        """A new clone; the one that was there goes when the new one is whole, or where there is no room for both."""
        old, new = os.path.join(folder, b"repo.git"), os.path.join(folder, b"new.git")
        if 2 * size_of(old) > self._limit:
            _delete(old)
        problems: tuple[str, ...] = ()
        try:
            try:
                network.clone(place, new, reach, held)
            except network.FetchError as error:
                # Refs that cannot all be (`a` and `a/b`) fail a clone as a whole, and a fetch one by one.
                if not _is_about_refs(error):
                    raise
                _delete(new)
                network.make(new, reach.environment, "sha1", held)
                problems = _fetched(place, new, reach, held)
            _delete(old)
            os.rename(new, old)
        finally:
            _delete(new)
        return problems

    def _held(self, folder: bytes, name: str, lock: Lock) -> network.Held:
        """What looks at a fetch while it goes on: room is made for it, or it is ended."""
        noted = 0

        def look() -> None:
            nonlocal noted
            taken = _clones_in(folder)
            most = f"all of them may take {self._limit >> 20} MiB: raise --clones-limit"
            if taken > self._limit:
                raise CloneError(
                    f"its clone has {taken >> 20} MiB and more, and {most}, or leave the repository out with --exclude"
                )
            if abs(taken - noted) >= 1 << 20:
                noted = taken
                total = self._ledger.grew(name, taken)
                if total > self._limit * FULL and not self._make_room(name, total):
                    raise CloneError(
                        f"others are in use, so that there is no room for its clone ({taken >> 20} MiB and more), and "
                        f"{most}, or use fewer --jobs",
                        passing=True,
                        here=True,
                    )

        return network.Held(look, lock.descriptor)

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
            _clear(self._path(entry.name))
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
        return Entry(name, _clones_in(folder), size_of(os.path.join(folder, b"memory")))

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
                    "another process works on its clone: it is tried again in the next sweep", passing=True, here=True
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


def _clones_in(folder: bytes) -> int:
    """The bytes of a clone, of one that is made, and of what a process has left that was killed."""
    try:
        names = os.listdir(folder)
    except OSError:
        return 0
    return sum(size_of(os.path.join(folder, each)) for each in names if each.startswith((b"repo.git", b"new.git")))


def _unwritable(folder: bytes, error: OSError) -> CloneError:
    return CloneError(
        f"the clones in {clean(folder)} cannot be written ({error.strerror or error}): free disk space, lower "
        "--clones-limit, or name another folder with --clones",
        passing=True,
        here=True,
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
    doomed = path + b".gone"
    if os.path.lexists(doomed):
        shutil.rmtree(doomed, ignore_errors=True)
    if os.path.lexists(path):
        os.rename(path, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _clear(folder: bytes) -> None:
    """Delete what a process has left that was killed while it made or deleted a clone."""
    for each in (b"repo.git.gone", b"new.git", b"memory.gone"):
        if os.path.lexists(os.path.join(folder, each)) or os.path.lexists(os.path.join(folder, each + b".gone")):
            _delete(os.path.join(folder, each))


def _unlock(repository: bytes) -> None:
    """Delete what a git that was killed has left: nobody else works here, for we hold the lock."""
    objects = os.path.join(repository, b"objects")
    for folder, folders, names in os.walk(repository):
        if folder == objects:
            folders[:] = [each for each in folders if each in (b"pack", b"info")]
        scraps = (b"tmp_", b".tmp-") if folder.startswith(objects) else ()  # a branch may be called `tmp_x`
        for each in names:
            if each.endswith(b".lock") or each.startswith(scraps):
                os.unlink(os.path.join(folder, each))


def _packs(repository: bytes) -> list[bytes]:
    try:
        return [each for each in os.listdir(os.path.join(repository, b"objects", b"pack")) if each.endswith(b".pack")]
    except OSError:
        return []


def _loose_refs(repository: bytes) -> int:
    return sum(len(names) for _, _, names in os.walk(os.path.join(repository, b"refs")))


def _fetched(place: Place, repository: bytes, reach: Reach, held: network.Held) -> tuple[str, ...]:
    """Fetch; what could not be stored of it. Git ends with an error where one of many refs could not be stored."""
    try:
        network.fetch(place, repository, reach, held)
    except network.FetchError as error:
        if _packs(repository) and _is_about_refs(error) and _whole(repository, reach):
            return (str(error),)
        raise
    return ()


def _is_about_refs(error: network.FetchError) -> bool:
    return any(sign in str(error) for sign in (" ref ", "refs/", ".lock'"))


def _whole(repository: bytes, reach: Reach) -> bool:
    """Whether git can open it, and read what its refs name."""
    try:
        found = open_repository(repository, reach.environment)
        if found is None:
            return False
        found.run("for-each-ref", "--format=%(objecttype)")
    except GitError:
        return False
    return True


def _point(repository: bytes, branch: str) -> None:
    """Have HEAD name a branch, where it is one that a ref can be called."""
    if not _BRANCH.fullmatch(branch) or _NO_BRANCH.search(branch):
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
_NO_BRANCH = re.compile(r"\.\.|//|@\{|^[./]|/\.|[./]$|\.lock(?:/|$)")
"""Source: git-check-ref-format(1)."""
