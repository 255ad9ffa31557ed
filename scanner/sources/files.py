"""The file tree: regular files only, never through a symbolic link; and single files and standard input."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO

from ..errors import TargetError
from ..model import PIECE_OVERLAP, PIECE_SIZE, File, NotScanned, Piece, Stdin, clean
from . import Item

UNIT_FILES = 128
UNIT_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class FileUnit:
    """Some files of a tree. `root` is opened, `shown` is put before their paths in the report.

    `tracked` holds the id of the staged blob of each file that git tracks. With `skip_unmodified`, a file that still
    is that blob is not searched again, because git's objects are. The content is hashed for that: git's own notes
    about which files are unmodified come with the repository, and may lie.
    """

    root: bytes
    paths: tuple[bytes, ...]
    shown: bytes
    max_size: int
    weight: int
    tracked: tuple[str, ...] = ()
    skip_unmodified: bool = False
    id_length: int = 40
    name: bytes = b""
    """What a single file is called in the report, where that is not its path."""

    def describe(self) -> bytes:
        """For a message about the unit as a whole."""
        return b"files from " + self.paths[0] if self.paths else b""

    def size(self) -> int:
        """How many blobs it has."""
        return len(self.paths)

    def read(self) -> Iterator[Item | NotScanned]:
        """Each file that is there; a file that git tracks and the tree does not have is no loss."""
        folders: dict[bytes, bool] = {}
        for place, path in enumerate(self.paths):
            shown = self.name or (os.path.join(self.shown, path) if self.shown else path)
            if not _stays_inside(self.root, os.path.dirname(path), folders):
                yield NotScanned(shown, "stands behind a symbolic link", policy=True)
                continue
            tracked = self.tracked[place] if self.tracked else ""
            try:
                with _open(os.path.join(self.root, path)) as file:
                    yield from self._file(file, shown, tracked if self.skip_unmodified else "")
            except (FileNotFoundError, NotADirectoryError):
                if not tracked:
                    yield NotScanned(shown, "went away before it was read")
            except _NotAFileError as e:
                yield NotScanned(shown, str(e), policy=True)
            except OSError as e:
                yield NotScanned(shown, f"cannot be read: {e.strerror or e}")

    def _file(self, file: BinaryIO, shown: bytes, expected: str) -> Iterator[Item | NotScanned]:
        size = os.fstat(file.fileno()).st_size
        if size > self.max_size:
            yield NotScanned(shown, f"larger than --max-size ({size:,} bytes)", policy=True)
        elif size > PIECE_SIZE:
            yield Item(File(shown), pieces(file))
        else:
            content = file.read()
            if not expected or blob_id(content, self.id_length) != expected:
                yield Item(File(shown), (Piece(content),))


class _NotAFileError(Exception):
    """What is to be opened is no regular file."""


def _open(path: bytes) -> BinaryIO:
    """Open a regular file without following a link at its end and without waiting at a FIFO."""
    before = os.lstat(path)
    if stat.S_ISLNK(before.st_mode):
        raise _NotAFileError("symbolic link, not followed")
    if not stat.S_ISREG(before.st_mode):
        raise _NotAFileError("not a regular file")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _NotAFileError("not a regular file")
    return os.fdopen(descriptor, "rb")


def _stays_inside(root: bytes, folder: bytes, known: dict[bytes, bool]) -> bool:
    """Whether a folder of the tree is reached without a symbolic link; `known` remembers."""
    if folder in (b"", b"/"):
        return True
    if folder not in known:
        above = _stays_inside(root, os.path.dirname(folder), known)
        known[folder] = above and b".." not in folder.split(b"/") and not os.path.islink(os.path.join(root, folder))
    return known[folder]


def blob_id(content: bytes, length: int) -> str:
    """The git object id of a blob; `length` 40 for SHA-1, 64 for SHA-256 repositories."""
    digest = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % len(content))
    digest.update(content)
    return digest.hexdigest()


def pieces(file: BinaryIO) -> Iterator[Piece]:
    """A file of any length in pieces; memory for two of them."""
    offset, kept = 0, b""
    while True:
        fresh = _read_full(file, PIECE_SIZE)
        content = kept + fresh
        last = len(fresh) < PIECE_SIZE
        yield Piece(content, offset, last)
        if last:
            return
        kept = content[-PIECE_OVERLAP:]
        offset += len(content) - len(kept)


def _read_full(file: BinaryIO, size: int) -> bytes:
    """Read until `size` bytes are there or the file ends: a pipe gives less at a time."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class StdinUnit:
    """What comes in on a stream, to its end, in bounded memory. It cannot go to another process."""

    stream: BinaryIO
    weight: int = 0

    def describe(self) -> bytes:
        """For a message about the unit as a whole."""
        return b"standard input"

    def size(self) -> int:
        """One blob."""
        return 1

    def read(self) -> Iterator[Item | NotScanned]:
        """The one blob."""
        yield Item(Stdin(), pieces(self.stream))


def walk(root: bytes, left_out: list[NotScanned]) -> Iterator[bytes]:
    """The paths below a folder, relative to it, in order; git directories are left out and named."""
    folders = [b""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as listing:
                entries = sorted(listing, key=lambda e: e.name)
        except OSError as e:
            left_out.append(NotScanned(os.path.join(root, folder), f"folder cannot be read: {e.strerror or e}"))
            continue
        below: list[bytes] = []
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if entry.name == b".git":
                if folder and entry.is_dir(follow_symlinks=False):
                    why = "a repository of its own: its files are searched here, its history by scanning it by itself"
                    left_out.append(NotScanned(os.path.join(root, folder), why, policy=True))
            elif entry.is_dir(follow_symlinks=False):
                below.append(path)
            else:
                yield path
        folders.extend(reversed(below))


def units(
    root: bytes,
    paths: Iterable[bytes],
    *,
    shown: bytes,
    max_size: int,
    tracked: Mapping[bytes, str] = MappingProxyType({}),
    skip_unmodified: bool = False,
    id_length: int = 40,
) -> Iterator[FileUnit]:
    """Units of at most `UNIT_FILES` files, or of about `UNIT_BYTES`."""
    batch: list[bytes] = []
    weight = 0

    def unit() -> FileUnit:
        ids = tuple(tracked.get(p, "") for p in batch) if tracked else ()
        return FileUnit(root, tuple(batch), shown, max_size, weight, ids, skip_unmodified, id_length)

    for path in paths:
        batch.append(path)
        weight += _size(os.path.join(root, path))
        if len(batch) >= UNIT_FILES or weight >= UNIT_BYTES:
            yield unit()
            batch, weight = [], 0
    if batch:
        yield unit()


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def require_readable(path: bytes) -> None:
    """TargetError, saying what to do, for a target that is not there or cannot be read at all."""
    if not os.path.lexists(path):
        raise TargetError(f"{clean(path)}: there is no such file or folder")
    mode = os.stat(path).st_mode if os.path.exists(path) else 0
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise TargetError(f"{clean(path)}: is neither a regular file nor a folder; pipe it in and scan `-` instead")
    if not os.access(path, os.R_OK):
        raise TargetError(f"{clean(path)}: may not be read; run as a user who may, or change its mode")


def one_file(path: bytes, *, max_size: int) -> FileUnit:
    """A single file that the user named. It may be reached by links: that is the user's own wish."""
    folder, name = os.path.split(os.path.realpath(path))
    return FileUnit(folder, (name,), b"", max_size, _size(path), name=path)
