"""Which core a process of the pool works on, where the system lets it choose (Linux, sched_setaffinity(2)).

A search of a small repository is a chain of short conversations with git. Left to itself, the system hands them from
core to core: with as many workers as cores, cores stand idle an eighth of the time while somebody waits for another.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_all: frozenset[int] = frozenset()
"""The cores of this process before it was kept to one; none where it was not."""


def allowed() -> tuple[int, ...]:
    """The cores that this process may use; none where a process cannot choose."""
    return tuple(sorted(os.sched_getaffinity(0))) if sys.platform == "linux" else ()


def keep_to(core: int) -> None:
    """Have this thread, and what it starts, use one core only."""
    global _all
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it was taken from us, or the machine forbids that: then any
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {core})
            _all = frozenset(before)


@contextlib.contextmanager
def all_of_them() -> Iterator[None]:
    """All cores again, for as long as the context lasts: for what is searched by several processes."""
    if sys.platform != "linux" or not _all:
        yield
        return
    kept = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, _all)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, kept)
