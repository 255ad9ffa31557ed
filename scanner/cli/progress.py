"""Progress bars, on a terminal only."""

from __future__ import annotations

from types import TracebackType
from typing import Any


class Bars:
    """One bar at a time, for the stage that is running; called by the pipeline with (what, done, total)."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None  # a tqdm; its stubs know no bar without an iterable
        self._what = ""

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` units of `total` (0: unknown) of a stage are done."""
        if not self._shown:
            return
        if self._bar is None or what != self._what:
            from tqdm import tqdm  # 20 ms that a hook or a pipeline has no use for

            tqdm.monitor_interval = 0  # no thread of its own: workers are forked
            self._close()
            self._what = what
            self._bar = tqdm(desc=what, total=total or None, unit=" units", leave=False, dynamic_ncols=True, delay=0.5)
        if total:
            self._bar.total = total
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
