"""The file tree: regular files only, never through a symbolic link; and single files and standard input."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

from ..errors import TargetError
from ..model import PIECE_OVERLAP, PIECE_SIZE, File, NotScanned, Piece, Stdin, clean
from . import BATCH_SIZE, Batch, Item
from .locate import has_layout, is_repository

UNIT_FILES = 128
UNIT_BYTES = 8 << 20
MANY = 4096
"""Files whose sizes are asked for one by one before they are opened."""


@dataclass(frozen=True, slots=True)
class FileUnit:
    """Some files of a tree. `root` is opened, `shown` is put before their paths in the report."""

    root: bytes
    paths: tuple[bytes, ...]
    shown: bytes
    max_size: int
    weight: int
    name: bytes = b""
    """What a single file is called in the report, where that is not its path."""

    def describe(self) -> bytes:
        """For a message about the unit as a whole."""
        return b"files from " + self.paths[0] if self.paths else b""

    def size(self) -> int:
        """How many blobs it has."""
        return len(self.paths)

    def blobs(self) -> Iterator[Batch | Item | NotScanned]:
        """Each file that is there, small ones together."""
        small: list[tuple[bytes, bytes]] = []
        room = BATCH_SIZE
        for read in self._read():
            if not isinstance(read, tuple):
                yield read
                continue
            small.append(read)
            room -= len(read[1])
            if room <= 0:
                yield _batch(small)
                small, room = [], BATCH_SIZE
        if small:
            yield _batch(small)

    def _read(self) -> Iterator[tuple[bytes, bytes] | Item | NotScanned]:
        """The name and content of small files, larger ones as items."""
        folders: dict[bytes, bool] = {}
        before: set[bytes] = set()
        root, head = os.path.join(self.root, b""), os.path.join(self.shown, b"") if self.shown else b""
        for path in self.paths:
            shown = self.name or head + path
            at = path.rfind(b"/")
            folder = path[: at or 1] if at >= 0 else b""
            if not (folders.get(folder) or _stays_inside(self.root, folder, folders)) or os.path.splitdrive(path)[0]:
                yield NotScanned(shown, "stands behind a symbolic link", policy=True)
                continue
            try:
                descriptor, size = _open(root + path)
                try:
                    if size > self.max_size:
                        yield NotScanned(shown, f"larger than --max-size ({size:,} bytes)", policy=True)
                    elif size > PIECE_SIZE:
                        with os.fdopen(descriptor, "rb", closefd=False) as file:
                            yield Item(File(shown), pieces(file))
                    else:
                        yield shown, self._new(_read_whole(descriptor, size), before)
                finally:
                    os.close(descriptor)
            except (FileNotFoundError, NotADirectoryError):
                yield NotScanned(shown, "went away before it was read")
            except _NotAFileError as e:
                yield NotScanned(shown, str(e), policy=True)
            except OSError as e:
                yield NotScanned(shown, f"cannot be read: {e.strerror or e}")

    def _new(self, content: bytes, before: set[bytes]) -> bytes:
        """What is to be searched of a file; `before` is for notes about the files of the unit that came before."""
        return content


def _batch(small: list[tuple[bytes, bytes]]) -> Batch:
    starts = list(accumulate((len(content) + 1 for _, content in small), initial=0))
    ends = [start - 1 for start in starts[1:]]
    buffer = b"\n".join([content for _, content in small])
    return Batch(File, buffer, starts[:-1], ends, lambda place: File(small[place][0]))


class _NotAFileError(Exception):
    """What is to be opened is no regular file."""


_READING = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))


def _open(path: bytes) -> tuple[int, int]:
    """Open a regular file without following a link at its end and without waiting at a FIFO: descriptor and size."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        raise _NotAFileError("symbolic link, not followed")
    if not stat.S_ISREG(mode):
        raise _NotAFileError("not a regular file")
    descriptor = os.open(path, _READING)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise _NotAFileError("not a regular file")
    return descriptor, found.st_size


def _read_whole(descriptor: int, size: int) -> bytes:
    """A file that was so long when it was opened, to its end; at most a piece of it."""
    content = os.read(descriptor, size + 1)
    if len(content) == size:  # less than was asked for: the end
        return content
    while len(content) < PIECE_SIZE and (more := os.read(descriptor, PIECE_SIZE - len(content))):
        content += more
    return content


def _stays_inside(root: bytes, folder: bytes, known: dict[bytes, bool]) -> bool:
    """Whether a folder of the tree is reached without a symbolic link; `known` remembers."""
    if folder in (b"", b"/"):  # an index may name absolute paths
        return not folder
    if folder not in known:
        above = _stays_inside(root, os.path.dirname(folder), known)
        known[folder] = above and b".." not in folder.split(b"/") and not os.path.islink(os.path.join(root, folder))
    return known[folder]


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

    def blobs(self) -> Iterator[Item]:
        """The one blob."""
        yield Item(Stdin(), pieces(self.stream))


def walk(
    root: bytes,
    left_out: list[NotScanned],
    *,
    shown: bytes,
    below: bytes = b"",
    ignored: Set[bytes] = frozenset(),
    enter: Callable[[bytes], bool] = lambda _folder: True,
) -> Iterator[bytes]:
    """The paths of all files below the folder `below` of `root`, relative to `root`, in order; `/` on every system.

    `ignored` holds paths to leave out, those of folders with a `/` at their end. A folder that is a repository of its
    own is named, with `shown` before its path, and its git directory is not walked into; where `enter` says no, nor is
    the rest of it, and nothing is named.
    """
    folders = [below]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as listing:
                entries = sorted(listing, key=lambda e: e.name)
        except OSError as e:
            left_out.append(NotScanned(os.path.join(shown, folder), f"folder cannot be read: {e.strerror or e}"))
            continue
        names = {entry.name for entry in entries}
        own = b".git" in names and is_repository(os.path.join(root, folder))
        if folder != below:
            if own and not enter(folder):
                continue
            if own or (names >= {b"HEAD", b"objects", b"refs"} and has_layout(os.path.join(root, folder))):
                why = "a repository of its own: its files are searched here, its history by scanning it by itself"
                left_out.append(NotScanned(os.path.join(shown, folder), why, policy=True))
        inner: list[bytes] = []
        for entry in entries:
            path = folder + b"/" + entry.name if folder else entry.name
            if not entry.is_dir(follow_symlinks=False):
                if path not in ignored:
                    yield path
            elif not (own and entry.name == b".git") and path + b"/" not in ignored:
                inner.append(path)
        folders.extend(reversed(inner))


def units(root: bytes, paths: Iterable[bytes], *, shown: bytes, max_size: int) -> Iterator[FileUnit]:
    """Units of at most `UNIT_FILES` files, or of about `UNIT_BYTES`. Of very many files every eighth is weighed."""
    batch: list[bytes] = []
    weight = 0
    folder = os.path.join(root, b"")
    for place, path in enumerate(paths):
        batch.append(path)
        if place < MANY:
            weight += _size(folder + path)
        elif place % 8 == 0:
            weight += 8 * _size(folder + path)
        if len(batch) >= UNIT_FILES or weight >= UNIT_BYTES:
            yield FileUnit(root, tuple(batch), shown, max_size, weight)
            batch, weight = [], 0
    if batch:
        yield FileUnit(root, tuple(batch), shown, max_size, weight)


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def require_readable(path: bytes) -> None:
    """TargetError, saying what to do, for a target that is not there or cannot be read at all."""
    if not os.path.lexists(path):
        if re.match(rb"[a-z+]{2,12}://|git@", path):
            raise TargetError(
                f"{clean(path)}: oakum does not fetch; clone it (git clone --mirror), then scan the clone"
            )
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
