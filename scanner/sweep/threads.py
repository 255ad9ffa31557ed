"""Waiting for many hosts at once: threads of which a few ask, and one takes what they get."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Given = TypeVar("Given")
Got = TypeVar("Got")
TURN = 0.5
"""Seconds after which a wait looks up: Windows interrupts no wait for Ctrl-C."""
FEW, SLOW = 3, 0.02
"""Threads to begin with, and seconds without an answer after which there is another one: a host that is near answers so
fast that more threads would only be in each other's way."""


def each(
    work: Callable[[Given], Got], given: Iterable[Given], *, threads: int
) -> Iterator[tuple[Given, Got | Exception]]:
    """Each with what `work` made of it, or the exception that it raised, in the order in which they are done.

    There are at most so many `threads`. Nobody waits for them when the reader stops early (Ctrl-C): they begin nothing
    new, and what they wait for then ends with the process.
    """
    todo, lock, stopped = iter(given), threading.Lock(), threading.Event()
    done: queue.SimpleQueue[tuple[Given, Got | Exception] | Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            while not stopped.is_set():
                with lock:
                    one = next(todo)
                try:
                    done.put((one, work(one)))
                except Exception as error:  # noqa: BLE001  whatever it is, the others go on
                    done.put((one, error))
        except StopIteration:
            done.put(None)
        except Exception as error:  # noqa: BLE001  of `given` itself: the reader raises it
            done.put(error)

    started, ended, wanted = 0, 0, min(FEW, threads)
    try:
        while ended < wanted:
            while started < wanted:
                threading.Thread(target=run, daemon=True).start()
                started += 1
            try:
                got = done.get(timeout=SLOW if started < threads else TURN)
            except queue.Empty:
                wanted = min(wanted + 1, threads)
                continue
            if got is None:
                ended += 1
            elif isinstance(got, Exception):
                raise got
            else:
                yield got
    finally:
        stopped.set()
