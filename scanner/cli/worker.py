"""Where a process of a pool or of a cluster begins: with its own environment, which no other module reads."""

from __future__ import annotations

import os
from collections.abc import Callable

from ..sweep import Executor, Settings, Task
from ..sweep.work import Worker
from ..swept import Outcome
from .storing import require_extra

_made: tuple[Settings, Worker] | None = None
"""The worker of this process: making one takes longer than to search a small repository."""


def work(settings: Settings, task: Task) -> Outcome:
    """Work on a task, with what this process has made before."""
    return _worker(settings).work(task)


def prepare(settings: Settings) -> None:
    """Make the worker of this process, for those that are forked from it."""
    _worker(settings)


def executor_of(settings: Settings, scheduler: str, note: Callable[[str], None]) -> Executor:
    """Where tasks are worked on: on the workers of a scheduler's cluster, else here, by as many processes as there are
    jobs. `note` is told what people should read."""
    if scheduler:
        require_extra("distributed", "distributed")
        from ..sweep.dask import Dask

        return Dask(scheduler, work, settings, note)
    from ..sweep.executors import ProcessPool

    return ProcessPool(work, settings, settings.jobs, prepare)


def _worker(settings: Settings) -> Worker:
    global _made
    if _made is None or _made[0] != settings:
        _made = settings, Worker(settings, dict(os.environ))
    return _made[1]
