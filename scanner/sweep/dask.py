"""Where tasks are worked on, on many machines: the workers of a Dask cluster (`pip install 'oakum[distributed]'`).

The only module that knows `distributed`. A task is a repository's name and URL, an outcome what was found in it,
masked: no credential goes through the scheduler, for workers have tokens in their own environments. Whoever may talk to
the scheduler may have its workers run anything: that is how Dask works, so it belongs behind TLS (`tls://`) or into a
network of its own. A task goes to the worker that has the repository's clone, while that has nothing better to do.
Sources: https://distributed.dask.org/en/stable/ (resilience.html, locality.html, tls.html).
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from distributed import Client, Future, KilledWorker, get_worker, wait
from distributed.client import FuturesCancelledError

from ..errors import OakumError
from ..model import clean
from ..pipeline.workers import where_raised
from ..swept import Outcome
from . import Settings, Task
from .executors import DIED, HANGS, SEARCHING, Work

CONNECTING = 10.0
"""Seconds that the scheduler may take to answer at first."""
WORKERLESS = 300.0
"""Seconds that there may be no worker at all."""
LOOK = 1.0
"""Seconds between two looks at whether the scheduler is still there."""
MISSING = "scheduler and workers must have this version of oakum, with oakum[distributed]: install it there, too"


class Dask:
    """The workers of the cluster that a scheduler at `address` has (`tcp://HOST:PORT`, `tls://HOST:PORT`)."""

    def __init__(self, address: str, work: Work, settings: Settings) -> None:
        self._address, self._work, self._settings = address, work, settings
        self._at = clean(address)

    def run(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """The outcome of every task, in the order in which they are done. OakumError where the scheduler is not there,
        or has no workers."""
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what went wrong is told below, without a traceback
        try:
            client = Client(self._address, timeout=CONNECTING, set_as_default=False, name="oakum-sweep")
        except (OSError, ValueError, TypeError) as error:
            raise OakumError(
                f"the scheduler at {self._at} does not answer ({type(error).__name__}): see whether it runs "
                "(dask scheduler), and whether --scheduler names it"
            ) from error
        try:
            yield from self._outcomes(client, iter(tasks))
        finally:
            client.close(timeout=5)  # which has the scheduler forget what nobody waits for

    def _outcomes(self, client: Client, tasks: Iterator[Task]) -> Iterator[Outcome]:
        under_way: dict[Future[Any], tuple[Task, float]] = {}
        cluster = _Cluster(client, self._at)
        suspects: deque[Task] = deque()
        alone: Task | None = None
        waiting = True
        while True:
            workers = cluster.workers()
            while waiting and len(under_way) < 2 * max(1, len(workers)):
                task = next(tasks, None)
                waiting = task is not None
                if task is not None:
                    under_way[self._submitted(client, task, workers)] = task, time.monotonic()
            if not under_way:
                if not suspects:
                    return
                alone = suspects.popleft()
                under_way[self._submitted(client, alone, workers)] = alone, time.monotonic()
            for future in _done(client, under_way):
                task, _ = under_way.pop(future)
                if task is not alone and _is_killed(future):
                    suspects.append(task)  # or its neighbour: it is done alone when all others are
                else:
                    yield self._outcome(future, task)
                future.release()
            for future, (task, since) in list(under_way.items()):
                allowed = (self._settings.seconds + SEARCHING) * 2  # as long again to wait for its turn
                if time.monotonic() - since > allowed:
                    del under_way[future]
                    future.cancel(force=True)
                    yield Outcome(task.remote, "failed", why=HANGS.format(allowed))

    def _submitted(self, client: Client, task: Task, workers: frozenset[str]) -> Future[Any]:
        near = [task.known.worker] if task.known.worker in workers else None
        return client.submit(
            _worked,
            self._work,
            self._settings,
            task,
            pure=False,
            workers=near,
            allow_other_workers=near is not None,
        )

    def _outcome(self, future: Future[Any], task: Task) -> Outcome:
        if future.status in ("cancelled", "lost"):
            raise OakumError(
                f"the scheduler at {self._at} was lost, and with it what was under way; what was committed stays, and "
                "the next sweep goes on from there"
            )
        error: BaseException | None = future.exception()
        if error is None:
            outcome: Outcome = future.result()
            return outcome
        if isinstance(error, KilledWorker):
            return Outcome(task.remote, "failed", why=DIED.format(_deaths(error)))
        if isinstance(error, ImportError | AttributeError) or "deserializ" in str(error):
            raise OakumError(f"{type(error).__name__}: {clean(str(error))[:200]}: {MISSING}")
        return Outcome(task.remote, "failed", why=f"an error in oakum ({where_raised(error)}); please report it")


class _Cluster:
    """Which workers there are, looked up every now and then."""

    def __init__(self, client: Client, at: str) -> None:
        self._client, self._at = client, at
        self._names: frozenset[str] = frozenset()
        self._looked = -LOOK
        self._seen = time.monotonic()

    def workers(self) -> frozenset[str]:
        """Their names. OakumError where the scheduler is gone, or where there is none for too long."""
        now = time.monotonic()
        if now - self._looked >= LOOK:
            self._looked = now
            if self._client.status in ("closed", "closing", "connecting"):
                raise OakumError(
                    f"the scheduler at {self._at} is gone; what was committed stays, and the next sweep goes on from "
                    "there"
                )
            told = self._client.scheduler_info(n_workers=-1)["workers"].values()
            self._names = frozenset(str(worker["name"]) for worker in told)
            if self._names:
                self._seen = now
            elif now - self._seen > WORKERLESS:
                raise OakumError(f"the scheduler at {self._at} has no workers: start some (dask worker {self._at})")
        return self._names


def _done(client: Client, under_way: Iterable[Future[Any]]) -> list[Future[Any]]:
    """Those that are done, after waiting for a moment where none is."""
    futures = list(under_way)
    with client.as_current(), contextlib.suppress(TimeoutError, FuturesCancelledError):
        wait(futures, timeout=LOOK, return_when="FIRST_COMPLETED")
    return [future for future in futures if future.done()]


def _is_killed(future: Future[Any]) -> bool:
    """Whether workers died while they had it, among others."""
    return future.status == "error" and isinstance(future.exception(), KilledWorker)


def _deaths(error: KilledWorker) -> int:
    return int(getattr(error, "allowed_failures", 0)) + 1


def _worked(work: Work, settings: Settings, task: Task) -> Outcome:
    """On a worker: the outcome of a task, which says by its name where the clone is."""
    name: Any = get_worker().name
    return replace(work(settings, task), worker=str(name))
