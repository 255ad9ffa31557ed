"""A bound on the time of a search: it is broken off where it stands, and what it found is kept."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import OutOfTime


class Budget:
    """So many seconds from now on; 0 for no bound."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    @contextmanager
    def bounded(self, extra: float = 0.0) -> Iterator[None]:
        """What runs in it is left with `OutOfTime` when the budget and `extra` seconds are used up.

        Waiting for a program that hangs is left, too. The main thread only can be bounded.
        """
        if not self.seconds:
            yield
            return
        left = self._until + extra - time.monotonic()
        if left <= 0:
            raise OutOfTime
        if not hasattr(signal, "setitimer"):  # Windows
            with _interrupted_after(left):
                yield
            return
        before = signal.signal(signal.SIGALRM, _out_of_time)
        signal.setitimer(signal.ITIMER_REAL, left)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _out_of_time(_signal: int, _frame: object) -> None:
    raise OutOfTime


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Where no signal can be had after a time, as with Ctrl-C."""
    import _thread
    import threading

    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.daemon = True
    timer.start()
    try:
        yield
    except KeyboardInterrupt as e:
        if timer.finished.is_set():
            raise OutOfTime from e
        raise
    finally:
        timer.cancel()
