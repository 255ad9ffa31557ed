"""The work tree and index of a repository: which files there are, what is staged, and git's own notes beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import GitError
from ..model import NotScanned
from .files import walk
from .git import Repository

GIT_FILES = (b"config", b"config.worktree", b"FETCH_HEAD", b"logs/HEAD", b"COMMIT_EDITMSG", b"description")
"""Files of the git directory that hold text of people and URLs with tokens: remotes, extra headers, clone sources."""


@dataclass(slots=True)
class Index:
    """The index: for each path the id of its staged blob. Unmerged paths have several; submodules are apart."""

    staged: dict[bytes, str] = field(default_factory=dict)
    unmerged: list[tuple[bytes, str]] = field(default_factory=list)
    submodules: list[bytes] = field(default_factory=list)

    def entries(self) -> Iterator[tuple[bytes, str]]:
        """All (path, blob id) pairs."""
        yield from self.staged.items()
        yield from self.unmerged


def read_index(repository: Repository, not_scanned: list[NotScanned]) -> Index:
    """What `git ls-files --stage` says; an empty index for a bare repository, and for one that git cannot read."""
    index = Index()
    if not os.path.exists(os.path.join(repository.git_dir, b"index")):
        return index
    try:
        listed = repository.run("ls-files", "--stage", "-z")
    except GitError as e:
        not_scanned.append(NotScanned(b"index", f"what is staged cannot be read: {e}"))
        return index
    for entry in listed.split(b"\0"):
        meta, _, path = entry.partition(b"\t")
        if not path:
            continue
        mode, name, stage = meta.split()
        if mode == b"160000":
            index.submodules.append(path)
        elif stage == b"0":
            index.staged[path] = name.decode()
        else:
            index.unmerged.append((path, name.decode()))
    return index


def list_files(repository: Repository, index: Index, left_out: list[NotScanned], *, ignore: bool) -> list[bytes]:
    """The files of the work tree that are to be searched: tracked ones, and others that no .gitignore names.

    Without `ignore`, every file. What is left out is counted and named in `left_out`.
    """
    if not ignore:
        return list(walk(repository.work_tree, left_out))
    try:
        others = repository.run("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
        ignored = repository.run("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    except GitError:  # a damaged index, or a .gitignore that never ends: better too much than too little
        return list(walk(repository.work_tree, left_out))
    paths = dict.fromkeys([*index.staged, *(path for path, _ in index.unmerged)])
    for path in others:
        if path.endswith(b"/"):
            why = "a repository of its own inside this one: scan it by itself"
            left_out.append(NotScanned(path, why, policy=True))
        elif path:
            paths[path] = None
    for path in index.submodules:
        if os.path.isdir(os.path.join(repository.work_tree, path, b".git")) or os.path.isfile(
            os.path.join(repository.work_tree, path, b".git")
        ):
            left_out.append(NotScanned(path, "a submodule: scan it by itself", policy=True))
    for path in ignored.split(b"\0"):
        if path and not path.startswith(b".git/"):
            left_out.append(NotScanned(path, "ignored by .gitignore; --no-ignore searches it", policy=True))
    return list(paths)


def git_files(repository: Repository) -> Iterator[tuple[bytes, list[bytes]]]:
    """The git directory (and the common one of a linked work tree), each with its own text files that are there."""
    for folder in dict.fromkeys((repository.git_dir, repository.common_dir)):
        names = [name for name in GIT_FILES if os.path.isfile(os.path.join(folder, name))]
        if names:
            yield folder, names
