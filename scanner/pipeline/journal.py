"""What has been fetched of a plan, in a file, so that a fetch that was broken off goes on where it was.

JSON, one object a line: the first says what the file is, for what search it holds, and the key of the digests; each
other one is an object that was read: a digest of its name, version and etag, and whether anything was found in it. No
name and no value stands there. A last line without its end is what a process was writing when it was killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from types import TracebackType
from typing import Any, Self

from .. import catalog
from ..errors import UsageError
from ..model import clean
from ..sources.stores.reading import Wanted
from .memory import program
from .workers import Searcher

FORM = "oakum fetched 1"
LARGEST = 256 << 20
"""Bytes of such a file."""
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


class Journal:
    """The objects that were read before, and those that are now. Use it as a context."""

    def __init__(self, path: str, searcher: Searcher, max_size: int) -> None:
        """Of a file that is there, or a new one (mode 0600); UsageError for one that is of no use."""
        self._path = clean(path)
        search = program(searcher, max_size) + catalog.name_of(searcher.options.detectors)
        self._search = hashlib.sha256(search.encode()).hexdigest()
        self._key = os.urandom(32)
        self._read: dict[str, bool] = {}
        self._descriptor = self._opened(path)
        try:
            self._load()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def is_done(self, wanted: Wanted) -> bool:
        """Whether an object was read before, as it is now, and nothing was found in it."""
        return self._read.get(self._digest(wanted)) is False

    def done(self, wanted: Wanted, *, found: bool) -> None:
        """An object was read to its end."""
        self._write({"object": self._digest(wanted), "found": found})

    def _digest(self, wanted: Wanted) -> str:
        """Who knows an object's name can tell whether it stands here only with the key."""
        digest = hashlib.blake2b(key=self._key, digest_size=16)
        names = (wanted.store.encode(), wanted.container, wanted.key, wanted.version.encode(), wanted.etag.encode())
        for name in (*names, b"%d" % wanted.size):
            digest.update(b"%d " % len(name) + name)
        return digest.hexdigest()

    def _opened(self, path: str) -> int:
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise UsageError(f"--resume {self._path}: cannot be opened: {error.strerror}") from error
        found = os.fstat(descriptor)
        why = ""
        if not stat.S_ISREG(found.st_mode):
            why = "is no file: name another"
        elif found.st_size > LARGEST:
            why = f"is larger than {LARGEST >> 20} MiB, and none of oakum's: name another"
        if why:
            os.close(descriptor)
            raise UsageError(f"--resume {self._path}: {why}")
        return descriptor

    def _load(self) -> None:
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            text = file.read(LARGEST)
        whole = text.rfind(b"\n") + 1
        if not whole and _BEGINNING.startswith(text[: len(_BEGINNING)]):  # killed before its first line was written
            os.ftruncate(self._descriptor, 0)
            self._write({"form": FORM, "search": self._search, "key": self._key.hex()})
            return
        head, *lines = text[:whole].splitlines() or [b""]
        told = _object(head)
        if told.get("form") != FORM:
            raise UsageError(f"--resume {self._path}: is no file that oakum wrote for this: name another, or a new one")
        key = _unhexed(told.get("key"))
        if len(key) != 32:
            raise UsageError(self._damaged(1))
        if told.get("search") != self._search:
            raise UsageError(
                f"--resume {self._path}: was written by another version of oakum, or with other detectors or limits: "
                "name a new file"
            )
        self._key = key
        for number, line in enumerate(lines, 2):
            told = _object(line)
            name, found = told.get("object"), told.get("found")
            if len(_unhexed(name)) != 16 or not isinstance(found, bool):
                raise UsageError(self._damaged(number))
            self._read[str(name)] = found
        if whole < len(text):
            os.ftruncate(self._descriptor, whole)

    def _damaged(self, line: int) -> str:
        return f"--resume {self._path}: line {line} is damaged: remove the file, and all is fetched again"

    def _write(self, told: dict[str, Any]) -> None:
        """One line, in one piece: it is there even if this process is killed."""
        try:
            os.write(self._descriptor, json.dumps(told).encode() + b"\n")
        except OSError as error:
            raise UsageError(f"--resume {self._path}: cannot be written: {error.strerror}") from error


_BEGINNING = json.dumps({"form": FORM}).encode()[:-1]


def _object(line: bytes) -> dict[str, Any]:
    """A line as an object; empty for what is none."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _unhexed(text: object) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""
