"""Where tasks are worked on, on many machines: the workers of a Dask cluster (`pip install 'oakum[distributed]'`).

The only module that knows `distributed`. A task is a repository's name and URL, an outcome what was found in it,
masked: no credential goes through the scheduler, for workers have tokens in their own environments. Whoever may talk to
the scheduler may have its workers run anything: that is how Dask works, so it belongs behind TLS (`tls://`) or into a
network of its own. A task goes to the worker that has the repository's clone, while that has nothing better to do; a
worker that cannot work at all (another version) is told of, and left alone.
Sources: https://distributed.dask.org/en/stable/ (resilience.html, locality.html, tls.html).
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import Future as Told
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from dask.typing import Key
from distributed import Client, Future, KilledWorker, Security, get_worker, wait
from distributed.client import ClosedClientError

from ..errors import OakumError, UsageError
from ..model import clean
from ..pipeline.workers import where_raised
from ..sources.git import end_all
from ..swept import Outcome
from . import Settings, Task
from .executors import DIED, HANGS, SEARCHING, Work
from .work import OTHER_VERSION

CONNECTING = 10.0
"""Seconds that the scheduler may take to answer at first."""
ANSWERING = 60.0
"""Seconds that it may take later, with many to listen to."""
WORKERLESS = 300.0
"""Seconds that there may be no worker at all."""
UNFIT = 30.0
"""Seconds that there may be none but those that cannot work."""
LOOK = 1.0
"""Seconds between two looks at whether the scheduler is still there."""
MISSING = "scheduler and workers must have this version of oakum, with oakum[distributed]: install it there, too"
LOST = (
    "the scheduler at {} was lost, and with it what was under way; what was committed stays, and the next sweep goes "
    "on from there"
)
CERTIFICATES = "certificates must stand in Dask's settings (DASK_DISTRIBUTED__COMM__TLS__CA_FILE and others)"


@dataclass(frozen=True, slots=True)
class _Given:
    """A task that is with the cluster, and which workers may have it (none: all of them)."""

    task: Task
    places: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Unfit:
    """What a worker tells that can work on no task at all: its name, and why."""

    worker: str
    why: str


def _nothing(_text: str) -> None:
    pass


class Dask:
    """The workers of the cluster that a scheduler at `address` has (`tcp://HOST:PORT`, `tls://HOST:PORT`). `note` is
    told what people should read."""

    def __init__(self, address: str, work: Work, settings: Settings, note: Callable[[str], None] = _nothing) -> None:
        """UsageError where an address is none."""
        if not _is_address(address):
            raise UsageError(f"--scheduler {clean(address)}: write tcp://HOST:PORT or tls://HOST:PORT")
        self._address, self._work, self._settings, self._note = address, work, settings, note
        self._at = clean(address)
        self._unfit: dict[str, str] = {}

    def run(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """The outcome of every task, in the order in which they are done. OakumError where the scheduler is not there,
        or is lost, or has no workers."""
        self._unfit = {}
        client = self._connected()
        try:
            yield from self._outcomes(client, tasks)
        except ClosedClientError as error:
            raise OakumError(LOST.format(self._at)) from error
        finally:
            client.close(timeout=5)  # which has the scheduler forget what nobody waits for

    def _connected(self) -> Client:
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what went wrong is told here, without a traceback
        tls = self._address.startswith("tls:")
        try:
            if tls and not Security().get_connection_args("client").get("ssl_context"):
                raise OakumError(f"--scheduler {self._at}: {CERTIFICATES}")  # a client without prints a traceback
            return Client(self._address, timeout=CONNECTING, set_as_default=False, name="oakum-sweep")
        except (OSError, ValueError, TypeError, ImportError) as error:
            raise OakumError(
                f"the scheduler at {self._at} does not answer ({type(error).__name__}): see whether it runs "
                f"(dask scheduler), and whether --scheduler names it{f'; {CERTIFICATES}' if tls else ''}"
            ) from error

    def _outcomes(self, client: Client, tasks: Iterable[Task]) -> Iterator[Outcome]:
        given: dict[Future[Any], _Given] = {}
        cluster, queue = _Cluster(client, self._at), _Queue(tasks)
        alone: Task | None = None
        while True:
            workers = cluster.workers(self._unfit)
            for future, one in list(given.items()):
                if one.places and not one.places & workers:  # all that may have it are gone
                    del given[future]
                    future.cancel()
                    queue.again.append(one.task)
            room = 2 * max(len(workers), 0 if self._unfit else 1)
            while len(given) < room and queue.waits():
                self._give(client, queue.again.popleft(), workers, given)
            if not given and not queue.waits() and not queue.suspects:
                return
            if not given and room:
                alone = queue.suspects.popleft()
                self._give(client, alone, workers, given)
            for future in _done(client, given):
                task, told = given[future].task, self._told(future)
                if told is None:
                    continue
                del given[future]
                if isinstance(told, _Unfit):
                    self._leave(told)
                    queue.again.append(task)
                elif isinstance(told, KilledWorker) and task is not alone:
                    queue.suspects.append(task)  # or its neighbour: it is done alone when all others are
                else:
                    yield told if isinstance(told, Outcome) else self._failed(task, told)
                future.release()

    def _give(self, client: Client, task: Task, workers: frozenset[str], given: dict[Future[Any], _Given]) -> None:
        """Have the cluster work on a task: any worker, or where some are unfit one of the others."""
        places = workers if self._unfit else frozenset[str]()
        near = [task.known.worker] if task.known.worker in workers else None
        future = client.submit(
            _worked,
            self._work,
            self._settings,
            task,
            self._settings.seconds + SEARCHING,
            pure=False,
            workers=sorted(places) or near,
            allow_other_workers=not places and near is not None,
        )
        given[future] = _Given(task, places)

    def _told(self, future: Future[Any]) -> Outcome | _Unfit | BaseException | None:
        """What a worker told of a task, or what was raised; None where its worker died before it was here."""
        try:
            told: Outcome | _Unfit | BaseException | None = future.exception(timeout=ANSWERING)
            if told is None:
                told = future.result(timeout=ANSWERING)
        except TimeoutError:
            return None
        except KilledWorker as error:
            return error
        except (CancelledError, OSError) as error:
            raise OakumError(LOST.format(self._at)) from error
        return told

    def _leave(self, unfit: _Unfit) -> None:
        """Give no more tasks to a worker that can do none: it would be through with all of them in no time."""
        if unfit.worker not in self._unfit:
            self._note(f"the worker {unfit.worker} gets no more tasks: {unfit.why}")
        self._unfit[unfit.worker] = unfit.why

    def _failed(self, task: Task, error: BaseException) -> Outcome:
        if isinstance(error, KilledWorker):
            return Outcome(task.remote, "failed", why=DIED.format(_deaths(error)))
        if isinstance(error, ImportError | AttributeError) or "deserializ" in str(error):
            raise OakumError(f"{type(error).__name__}: {clean(str(error))[:200]}: {MISSING}")
        return Outcome(task.remote, "failed", why=f"an error in oakum ({where_raised(error)}); please report it")


class _Queue:
    """Tasks to be given: those that come back first, then those that come. `suspects` are for when all else is done."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self.again: deque[Task] = deque()
        self.suspects: deque[Task] = deque()

    def waits(self) -> bool:
        """Whether there is one that may be given, at the head of `again` then."""
        if not self.again:
            self.again.extend(islice(self._tasks, 1))
        return bool(self.again)


class _Cluster:
    """Which workers there are, looked up every now and then."""

    def __init__(self, client: Client, at: str) -> None:
        self._client, self._at = client, at
        self._names: dict[str, str] = {}
        self._looked = -LOOK
        self._seen = time.monotonic()

    def workers(self, unfit: Mapping[str, str]) -> frozenset[str]:
        """The names of those that can work. OakumError where the scheduler is gone, or where there is none for too
        long."""
        now = time.monotonic()
        if now - self._looked >= LOOK:
            self._looked = now
            told = self._asked("identity", n_workers=-1)["workers"]
            self._names = {address: str(worker["name"]) for address, worker in told.items()}
        fit = frozenset(self._names.values()) - unfit.keys()
        if fit:
            self._seen = now
        elif self._names and now - self._seen > UNFIT:
            name = min(self._names.values())
            raise OakumError(f"no worker of the scheduler at {self._at} can work; {clean(name)}: {unfit[name]}")
        elif now - self._seen > WORKERLESS:
            raise OakumError(f"the scheduler at {self._at} has no workers: start some (dask worker {self._at})")
        return fit

    def _asked(self, what: str, **more: int) -> dict[str, Any]:
        """What the scheduler answers: its own operations have no time limit in Dask's client."""
        scheduler = self._client.scheduler
        try:
            if scheduler and self._client.status == "running":
                told: dict[str, Any] = self._client.sync(getattr(scheduler, what), callback_timeout=ANSWERING, **more)
                return told
        except OSError as error:  # a time-out, too
            raise OakumError(LOST.format(self._at)) from error
        raise OakumError(LOST.format(self._at))


def _is_address(text: str) -> bool:
    """Whether it names a protocol, a host and a port. Dask's client prints a traceback where it does not."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("tcp", "tls") and bool(parts.hostname and parts.port) and not parts.path.strip("/")
    except ValueError:
        return False


def _done(client: Client, given: Iterable[Future[Any]]) -> list[Future[Any]]:
    """Those that are done, after waiting for a moment where none is."""
    futures = list(given)
    if not futures:
        time.sleep(LOOK)
    with client.as_current(), contextlib.suppress(TimeoutError, CancelledError):
        wait(futures, timeout=LOOK, return_when="FIRST_COMPLETED")
    return [future for future in futures if future.done()]


def _deaths(error: KilledWorker) -> int:
    return int(getattr(error, "allowed_failures", 0)) + 1


# --- on a worker -----------------------------------------------------------------------------------------------------

_at_work = threading.Lock()
"""Held by the task that is worked on: one at a time, where a worker has several threads."""


def _worked(work: Work, settings: Settings, task: Task, seconds: float) -> Outcome | _Unfit:
    """The outcome of a task, which says by its name where the clone is. What is not done after so many seconds is
    given up, and the worker ends: nothing but that ends a thread."""
    worker = get_worker()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_at_work)
        told: Told[Outcome] = Told()
        threading.Thread(target=_tell, args=(told, work, settings, task), daemon=True).start()
        if not wait_for([told], seconds).done:
            stack.pop_all()  # it is held on to: nothing else is begun here
            threading.Thread(target=_end, args=(worker, worker.get_current_task()), daemon=True).start()
            return Outcome(task.remote, "failed", why=HANGS.format(seconds))
    try:
        outcome = told.result()
    except OakumError as error:  # it could not even begin: a file of detectors that is not there
        return _Unfit(str(worker.name), str(error))
    unfit = outcome.why == OTHER_VERSION
    return _Unfit(str(worker.name), OTHER_VERSION) if unfit else replace(outcome, worker=str(worker.name))


def _tell(told: Told[Outcome], work: Work, settings: Settings, task: Task) -> None:
    try:
        told.set_result(work(settings, task))
    except BaseException as error:  # noqa: BLE001  it is raised where it is waited for
        told.set_exception(error)


def _end(worker: Any, key: Key) -> None:
    """End this process when the sweep has what became of a task, or nobody wants it: where it ended before, others
    would be given the task. Its nanny, or whatever else has started it, starts it again."""
    while key in worker.state.tasks:
        time.sleep(LOOK)
    end_all()
    for process in multiprocessing.active_children():  # they may be what hangs, and have its connections
        process.kill()
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
