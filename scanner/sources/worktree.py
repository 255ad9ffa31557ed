"""The work tree and index of a repository: which files there are, what is staged, and git's own notes beside them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import GitError
from ..model import NotScanned
from .files import LINK, NO_FILE, FileUnit, units, walk
from .git import Repository
from .locate import has_layout


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
        said: list[str] = []
        listed = repository.run("ls-files", "--stage", "-z", said=said)
    except GitError as e:
        not_scanned.append(NotScanned(b"index", f"what is staged cannot be read: {e}"))
        return index
    not_scanned += [NotScanned(b"index", f"git says: {line}") for line in said]
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


def list_files(
    repository: Repository,
    index: Index,
    left_out: list[NotScanned],
    *,
    ignore: bool,
    below: bytes = b"",
    shown: bytes = b"",
) -> list[bytes]:
    """The files of the work tree, or below a folder of it, that are to be searched; relative to that folder.

    That is all that is there, but what git says that a .gitignore names and nothing tracks. (What git lists as tracked
    or untracked is less: it passes over whatever its rules make of a `.git` or of a submodule.) Without `ignore`, or
    where git cannot say, every file. What is left out is named in `left_out`, with `shown` before its path.
    """
    root = os.path.join(repository.work_tree, below)
    ignored = _ignored(repository, below, left_out) if ignore else set()

    def enter(folder: bytes) -> bool:
        whole = below + b"/" + folder if below else folder
        why = "a submodule" if whole in index.submodules else "a repository of its own inside this one"
        left_out.append(NotScanned(os.path.join(shown, folder), f"{why}: scan it by itself", policy=True))
        return False

    if ignore:
        paths = dict.fromkeys(walk(root, left_out, shown=shown, ignored=ignored, enter=enter))
    else:
        paths = dict.fromkeys(walk(root, left_out, shown=shown))
    inside = below + b"/" if below else b""
    for path, _ in index.entries():
        if path.startswith(inside) and path[len(inside) :] not in paths:
            why = _why_not(repository.work_tree, path)
            if why:
                left_out.append(NotScanned(os.path.join(shown, path[len(inside) :]), why, policy=True))
            elif why is not None:
                paths[path[len(inside) :]] = None
    for path in sorted(ignored):
        left_out.append(
            NotScanned(os.path.join(shown, path), "ignored by .gitignore; --no-ignore searches it", policy=True)
        )
    return list(paths)


def _ignored(repository: Repository, below: bytes, left_out: list[NotScanned]) -> set[bytes]:
    """What .gitignore leaves out below a folder, relative to it; nothing where that is the folder itself.

    A folder that only holds ignored files is listed beside them: it is not ignored itself.
    """
    said: list[str] = []
    limits = ("--", os.fsdecode(below)) if below else ()
    try:
        listed = repository.run(
            "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z", *limits, said=said
        )
    except GitError:  # a damaged index, or a .gitignore that never ends: better too much than too little
        return set()
    for line in said:
        if not line.startswith("warning: could not open directory"):  # the walk names that one
            left_out.append(NotScanned(b"work tree", f"git says: {line}"))
    inside = below + b"/" if below else b""
    found = sorted(path for path in listed.split(b"\0") if path and not path.startswith(b".git/"))
    alone = [path for path, after in zip(found, [*found[1:], b""], strict=False) if not _holds(path, after)]
    if any(_holds(path, inside) or path == inside for path in alone):
        return set()
    return {path[len(inside) :] for path in alone}


def _holds(folder: bytes, path: bytes) -> bool:
    return folder.endswith(b"/") and path.startswith(folder) and path != folder


def _why_not(root: bytes, path: bytes) -> str | None:
    """Why a tracked path is not read, empty where it may be a file; None where nothing is there, which is no loss."""
    try:
        mode = os.lstat(os.path.join(root, path)).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ""
    return LINK if stat.S_ISLNK(mode) else "" if stat.S_ISREG(mode) else NO_FILE


_OBJECTS = re.compile(
    rb"(?P<store>(?:.*/)?objects)/(?:[0-9a-f]{2}/(?:[0-9a-f]{38}|[0-9a-f]{62})"
    rb"|pack/pack-(?:[0-9a-f]{40}|[0-9a-f]{64})\.(?:pack|idx|rev|bitmap|mtimes)"
    rb"|pack/multi-pack-index(?:-[0-9a-f]{40,64}\.(?:bitmap|rev))?"
    rb"|info/commit-graph|info/commit-graphs/[^/]+)"
)
"""Files that hold objects, or say where they are. Source: gitrepository-layout(5), gitformat-pack(5)."""

_STORES = {
    b"annex": "files of git-annex: searched where they are checked out",
    b"lfs": "files of Git LFS: searched where they are checked out",
}
"""Folders of a git directory with content that is none of git's."""


def git_units(repository: Repository, left_out: list[NotScanned], *, max_size: int) -> Iterator[FileUnit]:
    """The files of the git directory (and of the common one of a linked work tree) but its index and its objects:
    configuration, hooks, messages, logs, what is underway, and whatever else somebody put there."""
    tops = dict.fromkeys((repository.git_dir, repository.common_dir))
    for top in tops:
        shown = _relative(top, repository.work_tree) if repository.work_tree else b""
        texts: list[bytes] = []
        logs: list[bytes] = []
        for path in _git_files(top, shown, left_out, without=tops.keys() - {top}):
            (logs if b"/logs/" in b"/" + path else texts).append(path)
        yield from units(top, texts, shown=shown, max_size=max_size)
        if logs:
            logs.sort(key=lambda path: not path.endswith(b"logs/HEAD"))
            weight = sum(unit.weight for unit in units(top, logs, shown=shown, max_size=max_size))
            yield LogUnit(top, tuple(logs), shown, max_size, weight)


def _relative(path: bytes, start: bytes) -> bytes:
    try:
        return os.path.relpath(path, start)
    except ValueError:  # another drive
        return path


def _git_files(top: bytes, shown: bytes, left_out: list[NotScanned], *, without: set[bytes]) -> Iterator[bytes]:
    """The paths of a git directory's own files; other repositories in it (of submodules) are named."""
    kept_apart = {path[len(top) + 1 :] + b"/" for path in without if path.startswith(top + b"/")}
    for name, why in _STORES.items():
        if os.path.isdir(os.path.join(top, name)):
            kept_apart.add(name + b"/")
            left_out.append(NotScanned(os.path.join(shown, name), why, policy=True))
    passed = {b"objects": True}
    for path in walk(top, left_out, shown=shown, ignored={b"index"} | kept_apart):
        objects = _OBJECTS.fullmatch(path)
        store = objects["store"] if objects else b""
        if store and store not in passed:
            passed[store] = has_layout(os.path.join(top, os.path.dirname(store)))  # then the walk has named it
        if not passed.get(store):
            yield path


_LOGGED = re.compile(rb"[0-9a-f]{40,64} [0-9a-f]{40,64} (.*) \d+ [+-]\d{4}(\t.*)")


@dataclass(frozen=True, slots=True)
class LogUnit(FileUnit):
    """Logs of refs. What stands in the log of HEAD stands once more in that of a branch: it is searched once."""

    def _new(self, content: bytes, before: set[bytes]) -> bytes:
        lines = content.split(b"\n")
        said = [b"".join(found.groups()) if (found := _LOGGED.fullmatch(line)) else b"" for line in lines]
        new = b"\n".join(b"" if words in before else line for line, words in zip(lines, said, strict=True))
        before.update(words for words in said if words)
        return new
