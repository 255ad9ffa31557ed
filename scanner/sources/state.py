"""What a repository is at a moment, in a few digests: whether anything must be searched again, or attributed again."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..cache import READING
from ..errors import GitError
from .git import Repository
from .packs import borrows, list_loose, list_packs

LARGEST_LOG = 64 << 20
"""Bytes of the logs of refs and of the index that are read."""


@dataclass(frozen=True, slots=True)
class State:
    """`packs` has a digest of each pack's index, which holds the name and a checksum of each object, and the pack's
    path; `loose` a digest of the names of loose objects; `refs` one of all that attribution goes by, beside these."""

    packs: Mapping[str, bytes]
    loose: str
    refs: str


def state_of(repository: Repository) -> State | None:
    """The state of a repository; None where that cannot be told, or hangs on more than the repository itself."""
    if borrows(repository):
        return None
    folder = os.path.join(repository.common_dir, b"objects")
    try:
        paths = list_packs(os.path.join(folder, b"pack"))
        packs = {_digest_of(path[: -len(b".pack")] + b".idx"): path for path in paths}
        return State(packs, _loose(folder, repository), _refs(repository))
    except (OSError, GitError):
        return None


def still(repository: Repository, state: State) -> bool:
    """Whether a repository has the refs, loose objects and packs that it had: nobody wrote to it meanwhile."""
    folder = os.path.join(repository.common_dir, b"objects")
    try:
        return (
            set(list_packs(os.path.join(folder, b"pack"))) == set(state.packs.values())
            and _loose(folder, repository) == state.loose
            and _refs(repository) == state.refs
        )
    except (OSError, GitError):
        return False


def _loose(folder: bytes, repository: Repository) -> str:
    return hashlib.sha256("".join(list_loose(folder, repository.id_length)).encode()).hexdigest()


def _refs(repository: Repository) -> str:
    """Of the files in which refs stand, HEAD among them, their logs, and what else attribution goes by; git is not
    asked, as that takes longer than all of a small repository. Sources: gitrepository-layout(5), reftable(5)."""
    digest = hashlib.sha256()
    left = LARGEST_LOG
    for top in sorted({repository.git_dir, repository.common_dir}):
        for below in (b"refs", b"packed-refs", b"HEAD", os.path.join(b"reftable", b"tables.list"), b"shallow"):
            for path in _files(os.path.join(top, below)):
                digest.update(path + b"\0" + _digest_of(path).encode())
        for below in (b"index", b"logs"):
            for path in _files(os.path.join(top, below)):
                left -= os.lstat(path).st_size
                if left < 0:
                    raise OSError("too much to look at each time")
                digest.update(path + b"\0" + _digest_of(path).encode())
    return digest.hexdigest()


def _files(path: bytes) -> Iterator[bytes]:
    """A file, or all below a folder, in order; none where nothing is there. OSError for links, which lead elsewhere,
    and what is neither."""
    if not os.path.lexists(path):
        return
    left = [path]
    while left:
        path = left.pop()
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            left += (os.path.join(path, name) for name in sorted(os.listdir(path), reverse=True))
        elif stat.S_ISREG(mode):
            yield path
        else:
            raise OSError(errno.ELOOP, "is a link, or no file", path)


def _digest_of(path: bytes) -> str:
    with os.fdopen(os.open(path, READING), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
