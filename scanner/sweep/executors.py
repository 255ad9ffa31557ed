"""Where tasks are worked on, on this machine: a pool of processes.

A process of the pool has a pipe of its own, so that it is known what it was at when it dies; the task is given to
another then, a few times. Each is the head of a group of processes: with it ends what it has started. It ends by itself
when whoever started it is gone, and makes way for a fresh one when it has grown. Where there are as many as cores, each
has one (`cores.py`).
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from ..sources.git import end_all
from ..swept import Outcome
from . import Settings, Task, cores

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess, SpawnProcess

Work = Callable[[Settings, Task], Outcome]
"""What a worker does; a function of a module, so that another process finds it by its name."""

TRIES = 3
"""How often a task is begun whose process dies."""
GROWN = 160 << 20
"""Bytes by which a process may have grown when it makes way for a fresh one."""
TASKS = 500
"""Tasks after which it does, where its size is not known."""
SEARCHING = 6 * 3600.0
"""Seconds that the search of one repository may take, besides the time to fetch it."""
ENDING = 2.0
"""Seconds that a process has to end its git, and then itself, before it is killed."""
DIED = (
    "the process that searched it died {} times (out of memory?): give it more memory, or leave it out with --exclude"
)
HANGS = "it was not done after {:.0f} s, and was stopped: leave it out with --exclude, or report it"


@dataclass(slots=True)
class _Worker:
    process: ForkProcess | SpawnProcess
    pipe: Connection
    core: int | None
    task: Task | None = None
    until: float = 0.0


class ProcessPool:
    """So many processes. `prepare` makes in this process what all of them need, before the first one is forked."""

    def __init__(self, work: Work, settings: Settings, jobs: int, prepare: Callable[[Settings], None]) -> None:
        self._work, self._settings, self._jobs, self._prepare = work, settings, jobs, prepare
        self._workers: list[_Worker] = []
        allowed = cores.allowed()
        self._cores = allowed if 1 < jobs == len(allowed) else ()
        self._tries: dict[str, int] = {}

    def run(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """The outcome of every task, in the order in which they are done. Of the wide ones, which have processes of
        their own, one is worked on at a time."""
        if sys.platform == "linux":
            self._prepare(self._settings)
        queue = _Queue(tasks)
        try:
            while True:
                self._give(queue)
                busy = [worker for worker in self._workers if worker.task]
                if not busy:
                    return
                done = self._heard(busy, queue)
                self._give(queue)  # whoever takes an outcome has something to do with it
                yield from done
        finally:
            self._end()

    def _give(self, queue: _Queue) -> None:
        """Give tasks to those that have nothing to do, started where there are less than may be."""
        while sum(1 for worker in self._workers if worker.task) < self._jobs:
            alone = any(worker.task and worker.task.wide for worker in self._workers)
            task = queue.next(narrow=alone)
            if task is None:
                return
            worker = next((each for each in self._workers if not each.task), None) or self._started()
            worker.task, worker.until = task, time.monotonic() + self._settings.seconds + SEARCHING
            with contextlib.suppress(OSError):  # it is dead: that is heard in a moment
                worker.pipe.send(task)

    def _heard(self, busy: list[_Worker], queue: _Queue) -> list[Outcome]:
        """What those say that are done; what becomes of the tasks of those that died or hang."""
        told: list[Outcome] = []
        ready = wait([worker.pipe for worker in busy], timeout=max(0.0, min(w.until for w in busy) - time.monotonic()))
        for worker in busy:
            task = worker.task
            assert task is not None
            if worker.pipe in ready:
                outcome = _received(worker.pipe)
                if outcome is None:
                    self._stop(worker)
                    self._tries[task.remote.id] = tries = self._tries.get(task.remote.id, 0) + 1
                    if tries < TRIES:
                        queue.back(task)
                    else:
                        told.append(Outcome(task.remote, "failed", why=DIED.format(tries)))
                    continue
                worker.task = None
                done, ends = outcome
                if ends:
                    self._stop(worker)
                told.append(done)
            elif time.monotonic() > worker.until:
                self._stop(worker)
                told.append(Outcome(task.remote, "failed", why=HANGS.format(self._settings.seconds + SEARCHING)))
        return told

    def _started(self) -> _Worker:
        if sys.platform == "linux":
            context = multiprocessing.get_context("fork")
        else:
            context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        others = [worker.pipe for worker in self._workers] if sys.platform == "linux" else []
        taken = [worker.core for worker in self._workers]
        core = next((each for each in self._cores if each not in taken), None)
        process = context.Process(
            target=_serve, args=(theirs, [*others, ours], core, self._work, self._settings), name="oakum worker"
        )
        process.start()
        theirs.close()
        worker = _Worker(process, ours, core)
        self._workers.append(worker)
        return worker

    def _stop(self, worker: _Worker) -> None:
        """End a process and all that it has started."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.terminate()
        _end(worker.process)

    def _end(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
            if worker.task:
                worker.process.terminate()
        for worker in self._workers:
            _end(worker.process)
        self._workers.clear()


class _Queue:
    """Tasks in the order in which they are given; of those that may not be begun yet, few are kept waiting."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self._kept: deque[Task] = deque()

    def next(self, *, narrow: bool) -> Task | None:
        """The next one; the next that is not wide, where `narrow` says so. None where there is none."""
        for at, task in enumerate(self._kept):
            if not (narrow and task.wide):
                del self._kept[at]
                return task
        for task in self._tasks:
            if not (narrow and task.wide):
                return task
            self._kept.append(task)
        return None

    def back(self, task: Task) -> None:
        """Have it begun again, after all that waits: what kills processes must not keep others from being done."""
        self._tasks = iter([*self._tasks, task])


def _received(pipe: Connection) -> tuple[Outcome, bool] | None:
    """An outcome, and whether its process wants to end; None where the process has died."""
    try:
        outcome, ends = pipe.recv()
    except (EOFError, OSError):
        return None
    return outcome, ends


def _end(process: ForkProcess | SpawnProcess) -> None:
    """Kill a process that was asked to end, and has not in a moment, with all that it has started."""
    if process.pid is None:
        return
    wait([process.sentinel], timeout=ENDING)
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # those that it had started may be there still
    process.kill()
    process.join()


# --- in a process of the pool ----------------------------------------------------------------------------------------


def _serve(pipe: Connection, others: list[Connection], core: int | None, work: Work, settings: Settings) -> None:
    """Work on what comes through a pipe, until it is closed, on one core where one is named. `others` are ends of pipes
    that belong to the parent."""
    if sys.platform == "linux":
        for each in others:
            each.close()  # else a pipe never ends here when the parent is gone
    if os.name == "posix":
        os.setpgid(0, 0)
    gc.freeze()  # what the parent made stays: to look through it again and again would copy its pages, too
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, and ends us
    signal.signal(signal.SIGTERM, _terminated)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    if core is not None:
        cores.keep_to(core)
    size = _resident()
    done = 0
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            break
        outcome = work(settings, task)
        done += 1
        grown = _resident() - size > GROWN if size else done >= TASKS
        try:
            pipe.send((outcome, grown))
        except OSError:
            break
        if grown:
            break


def _watch(parent: int) -> None:
    """End when whoever started us is gone: nobody wants to know what we find."""
    while os.getppid() == parent:
        time.sleep(1)
    _gone()


def _terminated(_signal: int, _frame: object) -> None:
    _gone()


def _gone() -> None:
    """End, with all that was started here."""
    end_all()
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGTERM)  # where there are no groups it ends a process at once


def _resident() -> int:
    """The bytes of memory that this process has; 0 where that cannot be told. Source: proc(5), statm."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
