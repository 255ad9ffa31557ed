"""The file tree: regular files only, never through a symbolic link; and single files and standard input."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO, Protocol

from ..cache import READING
from ..errors import TargetError
from ..model import PIECE_OVERLAP, PIECE_SIZE, File, NotScanned, Piece, Stdin, clean
from ..net.shown import may_be_url, shown
from . import BATCH_SIZE, Batch, Item
from .locate import has_layout, is_repository

UNIT_FILES = (128, 512)
"""Files of a unit, in a small tree and in a large one: what a unit costs beside its files shows there."""
UNIT_BYTES = 8 << 20
UNITS = 64
"""How many units a large tree has at least, so that all processes have work to the end."""
MANY = 1024
"""Files whose sizes are asked for one by one before they are opened; of more, every sixteenth."""


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
        paths: list[bytes] = []
        contents: list[bytes] = []
        room = BATCH_SIZE
        for read in self._read():
            if not isinstance(read, tuple):
                yield read
                continue
            path, content = read
            paths.append(path)
            contents.append(content)
            room -= len(content)
            if room <= 0:
                yield self._batch(paths, contents)
                paths, contents, room = [], [], BATCH_SIZE
        if paths:
            yield self._batch(paths, contents)

    def _read(self) -> Iterator[tuple[bytes, bytes] | Item | NotScanned]:
        """The path and content of small files, larger ones as items."""
        folders = {b"": True}
        before: set[bytes] = set()
        root = os.path.join(self.root, b"")
        for path in self.paths:
            folder = path[: max(0, path.rfind(b"/"))]
            if not (folders.get(folder) or _stays_inside(root, folder, folders)):
                yield NotScanned(self._called(path), "stands behind a symbolic link", policy=True)
                continue
            try:
                descriptor, size = _open(root + path)
                try:
                    if size > self.max_size:
                        why = f"larger than --max-size ({size:,} bytes)"
                        yield NotScanned(self._called(path), why, policy=True)
                    elif size > PIECE_SIZE:
                        with os.fdopen(descriptor, "rb", closefd=False) as file:
                            yield Item(File(self._called(path)), pieces(file))
                    else:
                        yield path, self._new(_read_whole(descriptor, size), before)
                finally:
                    os.close(descriptor)
            except (FileNotFoundError, NotADirectoryError):
                yield NotScanned(self._called(path), "went away before it was read")
            except _NotAFileError as e:
                yield NotScanned(self._called(path), str(e), policy=True)
            except OSError as e:
                yield NotScanned(self._called(path), f"cannot be read: {e.strerror or e}")

    def _called(self, path: bytes) -> bytes:
        """What the report calls a file."""
        return self.name or os.path.join(self.shown, path)

    def _batch(self, paths: Sequence[bytes], contents: Sequence[bytes]) -> Batch:
        starts = list(accumulate((len(content) + 1 for content in contents), initial=0))
        ends = [start - 1 for start in starts[1:]]
        return Batch(File, b"\n".join(contents), starts[:-1], ends, lambda place: File(self._called(paths[place])))

    def _new(self, content: bytes, before: set[bytes]) -> bytes:
        """What is to be searched of a file; `before` is for notes about the files of the unit that came before."""
        return content


class _NotAFileError(Exception):
    """What is to be opened is no regular file."""


_REFUSES_LINKS = hasattr(os, "O_NOFOLLOW")
LINK = "symbolic link, not followed"
NO_FILE = "not a regular file"


def _open(path: bytes) -> tuple[int, int]:
    """Open a regular file without following a link at its end and without waiting at a FIFO: descriptor and size."""
    if not _REFUSES_LINKS and os.path.islink(path):
        raise _NotAFileError(LINK)
    try:
        descriptor = os.open(path, READING)
    except OSError as e:
        if e.errno in (errno.ELOOP, errno.EMLINK):  # what O_NOFOLLOW says of a link, here and on BSD
            raise _NotAFileError(LINK) from e
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise _NotAFileError(NO_FILE)
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
    """Whether a folder of the tree is reached without a symbolic link; `known` remembers. An index may name any."""
    if folder not in known:
        above, _, name = folder.rpartition(b"/")
        known[folder] = (
            name not in (b"", b"..") and _stays_inside(root, above, known) and not os.path.islink(root + folder)
        )
    return known[folder]


class Readable(Protocol):
    """What can be read once, from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many; empty at the end."""
        ...


def pieces(file: Readable, whole: Callable[[], bool] = lambda: True) -> Iterator[Piece]:
    """A file of any length in pieces; memory for two of them. `whole` says, at its end, whether it ends there or was
    only not read on."""
    offset, kept = 0, b""
    while True:
        fresh = _read_full(file, PIECE_SIZE)
        content = kept + fresh
        last = len(fresh) < PIECE_SIZE
        yield Piece(content, offset, last and whole())
        if last:
            return
        kept = content[-PIECE_OVERLAP:]
        offset += len(content) - len(kept)


def _read_full(file: Readable, size: int) -> bytes:
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
    """The paths of all regular files below the folder `below` of `root`, relative to `root`, in order, with `/`.

    `ignored` holds paths to leave out, those of folders with a `/` at their end. What is no regular file is named, with
    `shown` before its path. So is a folder that is a repository of its own, and its git directory is not walked into;
    where `enter` says no, nor is the rest of it, and nothing is named.
    """
    folders = [below]
    top = os.path.join(root, b"")
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(top + folder) as listing:
                entries = {entry.name: entry for entry in listing}
        except OSError as e:
            left_out.append(NotScanned(os.path.join(shown, folder), f"folder cannot be read: {e.strerror or e}"))
            continue
        own = b".git" in entries and is_repository(top + folder)
        if folder != below:
            if own and not enter(folder):
                continue
            if own or (entries.keys() >= _BARE and has_layout(top + folder)):
                why = "a repository of its own: its files are searched here, its history by scanning it by itself"
                left_out.append(NotScanned(os.path.join(shown, folder), why, policy=True))
        inner: list[bytes] = []
        inside = folder + b"/" if folder else b""
        for name in sorted(entries):
            path, entry = inside + name, entries[name]
            if entry.is_dir(follow_symlinks=False):
                if not (own and name == b".git") and path + b"/" not in ignored:
                    inner.append(path)
            elif path in ignored:
                continue
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                why = LINK if entry.is_symlink() else NO_FILE
                left_out.append(NotScanned(os.path.join(shown, path), why, policy=True))
        folders.extend(reversed(inner))


_BARE = {b"HEAD", b"objects", b"refs"}
"""What every git directory holds."""


def units(root: bytes, paths: Sequence[bytes], *, shown: bytes, max_size: int) -> Iterator[FileUnit]:
    """Units of some files (see `UNIT_FILES`), or of about `UNIT_BYTES`. See `MANY` for its weight."""
    first = weight = 0
    folder = os.path.join(root, b"")
    fewest, most = UNIT_FILES
    count = min(most, max(fewest, len(paths) // UNITS))
    for place, path in enumerate(paths, 1):
        if place <= MANY:
            weight += size(folder + path)
        elif place % 16 == 0:
            weight += 16 * size(folder + path)
        if place - first >= count or weight >= UNIT_BYTES or place == len(paths):
            yield FileUnit(root, tuple(paths[first:place]), shown, max_size, weight)
            first, weight = place, 0


def size(path: bytes) -> int:
    """The bytes of a file; 0 where that cannot be told."""
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def require_readable(path: bytes) -> None:
    """TargetError, saying what to do, for a target that is not there or cannot be read at all."""
    if not os.path.lexists(path):
        text = os.fsdecode(path)
        called = shown(text) if may_be_url(text) else clean(path)
        if re.match(rb"[a-z+]{2,12}://|git@", path):
            raise TargetError(f"{called}: oakum does not fetch; clone it (git clone --mirror), then scan the clone")
        raise TargetError(f"{called}: there is no such file or folder")
    mode = os.stat(path).st_mode if os.path.exists(path) else 0
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise TargetError(f"{clean(path)}: is neither a regular file nor a folder; pipe it in and scan `-` instead")
    if not os.access(path, os.R_OK):
        raise TargetError(f"{clean(path)}: may not be read; run as a user who may, or change its mode")


def one_file(path: bytes, *, max_size: int) -> FileUnit:
    """A single file that the user named. It may be reached by links: that is the user's own wish."""
    folder, name = os.path.split(os.path.realpath(path))
    return FileUnit(folder, (name,), b"", max_size, size(path), name=path)
