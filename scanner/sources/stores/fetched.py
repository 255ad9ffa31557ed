"""Objects of stores as units of work: what is read ahead, and what becomes of it in memory.

One thread reads, the caller's searches. The first parts of the next objects are asked for while one is searched, as
many as there is room for; of that one the next part. gzip (RFC 1952, of several members, too) is undone on the way,
whatever an object is called; what lies in it counts as the object's content. Nothing is written anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Self

from ...model import PIECE_SIZE, NotScanned, StoredObject
from .. import Item
from ..files import pieces
from .reading import ObjectReader, Part, UnreadError, Wanted
from .unpacking import GZIP, StoppedError, unpacked

ROOM = 64 << 20
"""Bytes that are held of objects whose turn is still to come."""
AHEAD = 16
"""Objects that are read at once."""
PATIENCE = 0.25
"""Seconds; not everywhere does Ctrl-C end the waiting for a thread."""


class OutOfBudget(UnreadError):  # noqa: N818  as `OutOfTime`: no error, and the reading ends
    """There is no budget left to read on."""


@dataclass(slots=True)
class Spent:
    """What has been read, and until when on the clock of `time.monotonic` and how much may be (None: any)."""

    until: float | None = None
    most: int | None = None
    bytes: int = 0
    interrupted: bool = False
    waiting: bool = False
    """Whether nothing is done until a part comes."""

    def left(self) -> float | None:
        """The seconds that are left."""
        return None if self.until is None else self.until - time.monotonic()

    def why(self) -> str:
        """Why nothing more may be read; empty where it may."""
        left = self.left()
        if self.interrupted:
            return "it was interrupted"
        if left is not None and left <= 0:
            return "the time for it was over"
        if self.most is not None and self.bytes >= self.most:
            return "the bytes for it were used up"
        return ""


class Reading:
    """A thread that reads, while the block runs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="oakum reads", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    def next(self, parts: AsyncGenerator[Part, None]) -> Future[Part | None]:
        """Ask for the next part; None where there is none."""
        return asyncio.run_coroutine_threadsafe(anext(parts, None), self._loop)

    def end(self, parts: AsyncGenerator[Part, None]) -> None:
        """Nothing more of it is wanted."""
        asyncio.run_coroutine_threadsafe(_closed(parts), self._loop)


async def _closed(parts: AsyncGenerator[Part, None]) -> None:
    with contextlib.suppress(RuntimeError):  # a part that was asked for is being given up at this very moment
        await parts.aclose()


@dataclass(slots=True)
class Download:
    """One object that is being read. It is begun once, by `begin`, and used once, by `parts`."""

    wanted: Wanted
    reader: ObjectReader
    most: int
    reading: Reading
    spent: Spent
    took: int = 0
    """Bytes that were read of it."""
    total: int = -1
    failed: bool = False
    """Whether it could not be read to its end, or up to `most`."""
    final: str = ""
    """Why no other object of its container can be read, where that is so."""
    etag: str = ""
    _parts: AsyncGenerator[Part, None] | None = None
    _next: Future[Part | None] | None = None

    @property
    def room(self) -> int:
        """The bytes that its first part may take."""
        size = self.wanted.size if self.wanted.size >= 0 else PIECE_SIZE
        return min(size, self.most, PIECE_SIZE)

    def begin(self) -> None:
        """Ask for its first part."""
        if self._parts is None:
            self._parts = self.reader.parts(self.wanted, self.most)
            self._next = self.reading.next(self._parts)

    def parts(self) -> Iterator[bytes]:
        """Its bytes; UnreadError where they end before its end."""
        self.begin()
        assert self._parts is not None
        try:
            while part := self._awaited():
                self.total, self.etag = part.total, self.etag or part.etag
                if not part.last and self.took + len(part.data) < self.most:
                    self._next = self.reading.next(self._parts)
                self.took += len(part.data)
                self.spent.bytes += len(part.data)
                yield part.data
                if self._next is None:
                    return
        except UnreadError as error:
            self.failed = True
            self.final = str(error) if error.final else ""
            raise
        finally:
            self.drop()

    def drop(self) -> None:
        """Nothing more of it is wanted."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._parts is not None:
            self.reading.end(self._parts)

    def _patience(self) -> float:
        """The seconds until it is looked whether there is still time, and whether somebody wants to end it."""
        left = self.spent.left()
        return PATIENCE if left is None else max(0.0, min(left, PATIENCE))

    def _awaited(self) -> Part | None:
        """The part that was asked for."""
        waited, self._next = self._next, None
        assert waited is not None
        done: set[Future[Part | None]] = set()
        self.spent.waiting = True
        try:
            while not (why := self.spent.why()):
                if done := wait((waited,), self._patience()).done:
                    return next(iter(done)).result()
            waited.cancel()
            raise OutOfBudget(why)
        except KeyboardInterrupt:  # what was found in the parts before is kept
            self.spent.interrupted = True
            waited.cancel()
            raise OutOfBudget(self.spent.why()) from None
        finally:
            self.spent.waiting = False
            done.clear()
            del waited  # it holds the error whose traceback holds this: connections would stay open


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """One object. It cannot go to another process."""

    download: Download

    @property
    def weight(self) -> int:
        """Its size, as far as it is known."""
        return self.download.room

    def describe(self) -> bytes:
        """For a message about the unit as a whole."""
        return self.download.wanted.name

    def size(self) -> int:
        """One object."""
        return 1

    def blobs(self) -> Iterator[Item | NotScanned]:
        """The object, and what of it could not be read."""
        stream = _Content(self.download)
        try:
            if stream.begin():
                yield Item(self._origin(), pieces(stream, lambda: stream.whole), self._origin)
        finally:
            stream.close()
        yield from stream.problems

    def _origin(self) -> StoredObject:
        """With the etag that it was read with, where its listing tells none."""
        wanted = self.download.wanted
        etag = wanted.etag or self.download.etag
        return StoredObject(wanted.store, wanted.container, wanted.key, wanted.version, etag, wanted.exposure)


class _Content:
    """The content of an object as a file that can be read once; what ends it before its end is kept in `problems`."""

    def __init__(self, download: Download) -> None:
        self._download = download
        self._parts = self._read()
        self._rest = b""
        self.problems: list[NotScanned] = []
        self.whole = True
        """Whether the end that was reached is the object's."""

    def begin(self) -> bool:
        """Whether there is anything to search; an empty object has been searched, too."""
        first = b""
        while len(first) < len(GZIP) and (part := next(self._parts, b"")):
            first += part
        self._rest = first
        if first.startswith(GZIP):
            self._parts = self._unpacked(chain((first,), self._parts))
            self._rest = next(self._parts, b"")
        return bool(self._rest) or not self.problems

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; empty at the end."""
        if not self._rest:
            self._rest = next(self._parts, b"")
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def close(self) -> None:
        """Read nothing more."""
        self._parts.close()

    def _read(self) -> Generator[bytes, None, None]:
        download = self._download
        try:
            yield from download.parts()
        except OutOfBudget as error:
            self._broken(f"not read to its end, as {error}" if download.took else f"not read, as {error}", policy=True)
        except UnreadError as error:
            searched = f"; {download.took:,} bytes of it were searched" if download.took else ""
            self._broken(f"{error}{searched}")
        else:
            if download.took < download.total:
                why = f"larger than what is read of an object ({download.total:,} bytes); its beginning was searched"
                self._broken(why, policy=True)

    def _unpacked(self, parts: Iterator[bytes]) -> Generator[bytes, None, None]:
        try:
            yield from unpacked(parts, self._download.most)
        except StoppedError as error:
            if not self.problems:  # else it is cut off because it was not read on
                self._broken(str(error), policy=error.policy)

    def _broken(self, why: str, *, policy: bool = False) -> None:
        self.whole = False
        self.problems.append(NotScanned(self._download.wanted.name, why, policy))
