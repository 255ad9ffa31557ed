"""Where a repository is: the git directory, common directory and work tree at a path, before any git is run on it.

A git directory may hold what would hang git (a FIFO in place of an object), itself or where its links and alternates
lead: all of that is looked at first.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator

from ..errors import GitError
from ..model import clean

MOST_LINKED = 20_000
"""Folders outside of a git directory that its links and alternates may lead to."""
_MOST_SETTINGS = 16 << 10
"""Bytes of a configuration that is looked through here."""


def locate(path: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Git directory, common directory and work tree (empty for a bare one) of the repository at `path`, if any.

    GitError when the git directory holds something that would hang whoever reads it.
    """
    path = os.path.abspath(path)
    dot_git = os.path.join(path, b".git")
    if os.path.isdir(dot_git):
        git_dir, work_tree = dot_git, path
    elif os.path.isfile(dot_git):
        git_dir, work_tree = git_file(dot_git), path
    elif all(os.path.exists(os.path.join(path, name)) for name in (b"HEAD", b"objects", b"refs")):
        git_dir, work_tree = path, b""
    else:
        return None
    common = common_dir(git_dir)
    _require_plain(git_dir, common)
    return git_dir, common, work_tree


def has_layout(folder: bytes) -> bool:
    """Whether a folder looks like a git directory. Source: gitrepository-layout(5)."""
    if not os.path.lexists(os.path.join(folder, b"HEAD")):
        return False
    there = (os.path.exists(os.path.join(folder, name)) for name in (b"objects", b"refs"))
    return all(there) or os.path.lexists(os.path.join(folder, b"commondir"))


def is_repository(folder: bytes) -> bool:
    """Whether a folder has a `.git` that looks like a git directory, or like a file that names one."""
    dot_git = os.path.join(folder, b".git")
    if os.path.isdir(dot_git):
        return has_layout(dot_git)
    try:
        if os.path.isfile(dot_git):
            with open(dot_git, "rb") as file:
                return file.read(8) == b"gitdir: "
    except OSError:
        return True  # whatever it is, it is to be named
    return False


def top_of(folder: bytes) -> bytes:
    """The root of the work tree that a folder lies in, as git looks for it: upwards, not beyond a device. Where it lies
    in none, the folder itself."""
    here = folder = os.path.realpath(folder)
    device = os.stat(here).st_dev
    while not is_repository(folder):
        above = os.path.dirname(folder)
        if above == folder or os.stat(above).st_dev != device:
            return here
        folder = above
    return folder


def git_file(path: bytes) -> bytes:
    """The git directory that a `.git` file names: that of a linked work tree or a submodule.

    Source: gitrepository-layout(5): `gitdir: PATH`.
    """
    with open(path, "rb") as file:
        text = file.read(65536)
    if not text.startswith(b"gitdir: "):
        raise GitError(f"{clean(path)} is not a git directory and does not name one (`gitdir: PATH`)")
    found = os.path.join(os.path.dirname(path), text[8:].strip(b"\r\n"))
    if not os.path.isdir(found):
        raise GitError(f"{clean(path)} names a git directory that is not there: {clean(found)}")
    return os.path.abspath(found)


def common_dir(git_dir: bytes) -> bytes:
    """The git directory that a linked work tree's shares. Source: gitrepository-layout(5), commondir."""
    file = os.path.join(git_dir, b"commondir")
    if not os.path.isfile(file):
        return git_dir  # what else it may be, `_require_plain` says
    with open(file, "rb") as opened:
        return os.path.abspath(os.path.join(git_dir, opened.read(65536).strip(b"\r\n")))


_HEAD = re.compile(rb"ref: refs/heads/[A-Za-z0-9._/-]+\n|[0-9a-f]{40}\n")
_SECTION = re.compile(rb"\[core\]|\[(?:remote|branch) \"[A-Za-z0-9._/-]+\"\]")
_SETTING = re.compile(
    rb"\trepositoryformatversion = 0"
    rb"|\t(?:filemode|bare|logallrefupdates|ignorecase|precomposeunicode|mirror) = (?:true|false)"
    rb"|\t(?:url|fetch|remote|merge) = [A-Za-z0-9._/:@*+~-]+"
)


def is_usual(git_dir: bytes, common: bytes) -> bool:
    """Whether a repository is as `git init` and `git clone` make it, so that git need not be asked what it is: no
    extension, and so ids of SHA-1; nothing included; nothing that git would refuse.

    Source: git-config(1), gitrepository-layout(5) and the document "repository-version" of git.
    """
    try:
        for file in (head := os.path.join(git_dir, b"HEAD"), config := os.path.join(common, b"config")):
            if not stat.S_ISREG(os.lstat(file).st_mode):
                return False
        with open(head, "rb") as opened:
            usual = _HEAD.fullmatch(opened.read(1024)) is not None
        with open(config, "rb") as opened:
            lines = opened.read(_MOST_SETTINGS + 1)
    except OSError:
        return False
    first, *others = lines.split(b"\n")
    return (
        usual
        and len(lines) <= _MOST_SETTINGS
        and first == b"[core]"
        and others.count(b"\trepositoryformatversion = 0") == 1
        and all(not line or _SECTION.fullmatch(line) or _SETTING.fullmatch(line) for line in others)
        and all(os.path.isdir(os.path.join(common, name)) for name in (b"objects", b"refs"))
    )


_OTHERS = frozenset({b"annex", b"lfs", b"modules"})
"""Folders of a git directory that the calls made here do not look into."""


def _require_plain(git_dir: bytes, common: bytes) -> None:
    """A FIFO or a device anywhere in a git directory would hang git. (A socket would not: it cannot be opened.)

    Nor may there be one where its links and alternates lead. GitError where they lead to no end of folders.
    """
    seen: set[tuple[int, int]] = set()
    known: set[bytes] = set()
    linked = 0
    tops = {git_dir, common}
    stores = [os.path.join(common, b"objects")]
    waiting = [(folder, False) for folder in (*tops, *stores)]
    while waiting or stores:
        if not waiting:
            more = [store for store in _alternates(stores.pop()) if store not in known]
            known.update(more)
            stores += more
            waiting += [(store, True) for store in more]
            linked += len(more)
            continue
        folder, by_link = waiting.pop()
        linked += by_link
        if linked > MOST_LINKED:
            raise GitError(f"links or alternates of {clean(git_dir)} lead too far: git is not run on this repository")
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if folder not in tops or entry.name not in _OTHERS:
                    waiting.append((entry.path, by_link))
            elif not entry.is_file(follow_symlinks=False):
                if _never_ends(entry.path):
                    raise GitError(f"{clean(entry.path)} is not a regular file: git is not run on this repository")
                if os.path.isdir(entry.path) and (folder not in tops or entry.name not in _OTHERS):
                    waiting.append((entry.path, True))


def _alternates(store: bytes) -> Iterator[bytes]:
    """Other object stores that one names. Source: gitrepository-layout(5), objects/info/alternates."""
    file = os.path.join(store, b"info", b"alternates")
    try:
        if not os.path.isfile(file):
            return
        with open(file, "rb") as opened:
            lines = opened.read(1 << 20).split(b"\n")
    except OSError:
        return
    for line in lines:
        if line.startswith(b'"'):
            try:
                line = codecs.escape_decode(line.strip(b'"'))[0]
            except ValueError:
                continue
        if line and not line.startswith(b"#") and b"\0" not in line:
            yield os.path.realpath(os.path.join(store, line))


def _never_ends(path: bytes) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
