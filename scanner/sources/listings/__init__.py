"""Listings of stored objects: what stores and tools write, read as rows, in constant memory.

A kind of listing is a module that splits a stream into chunks at the borders of entries, and reads a chunk in any
process. Which kind it is is told by its first bytes. What cannot be read comes as `NotScanned` in its place, and what
stands around it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ...listed import Container, Folders, Rows
from ...model import NotScanned

CHUNK = 1 << 20
"""About how many bytes of a listing are read at once."""
HEAD = 64 << 10
"""Bytes by which a kind is recognised."""
LONGEST = 1 << 20
"""Bytes that an entry may have: a longer one is none. (A key has at most 1,024 bytes at S3, Azure and GCS.)"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole entries of a listing. `container` is the one they are in, as far as it is known where they begin; `state`
    is what else of what stands before them decides how they are read, in the words of their kind."""

    kind: str
    container: bytes
    data: bytes
    state: tuple[bytes, ...] = ()


Read = Rows | Folders | Container | NotScanned
"""What comes out of a chunk."""


class Kind(Protocol):
    """A kind of listing."""

    @property
    def name(self) -> str:
        """As `--kind` takes it."""
        ...

    @property
    def title(self) -> str:
        """For people."""
        ...

    def recognises(self, head: bytes) -> bool:
        """Whether a stream that begins so (`HEAD` bytes, or all of it) is one of this kind."""
        ...

    def split(self, stream: Iterable[bytes], container: bytes) -> Iterator[Chunk | NotScanned]:
        """Chunks of about `CHUNK` bytes of a stream, which comes in parts of any size; `container` is its name as far
        as it is known without reading. Memory: a few chunks."""
        ...

    def read(self, chunk: Chunk) -> Iterator[Read]:
        """What a chunk says."""
        ...
