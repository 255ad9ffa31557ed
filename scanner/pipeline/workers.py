"""The part of the pipeline that runs in workers: a unit in, sightings out; and the pool that they run in."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from .. import catalog
from ..allow import Allowlist
from ..engine import Engine
from ..engine.aho_corasick import AhoCorasick
from ..model import File, GitBlob, GitMessage, NotScanned, Origin, Secret, Sighting, Stdin
from ..sources import Item, Unit

POOL_BREAKS = 5
"""How often workers may die before the rest is given up."""


@dataclass(slots=True)
class Harvest:
    """What one unit gave: sightings by blob, what could not be searched, and counts."""

    found: list[tuple[Origin, list[Sighting]]] = field(default_factory=list)
    not_scanned: list[NotScanned] = field(default_factory=list)
    suppressed: set[tuple[str, bytes]] = field(default_factory=set)
    dropped: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    bytes: int = 0


_COUNTED = {File: "files", GitBlob: "git blobs", GitMessage: "git messages", Stdin: "standard input"}
_COUNT_KEY = os.urandom(16)


def digest(secret: Secret) -> bytes:
    """Enough to count distinct values in this run, and nothing to find them by."""
    return hashlib.blake2b(secret.canonical(), digest_size=8, key=_COUNT_KEY).digest()


class Searcher:
    """Searches units: the engine and the allowlists, with one catalog."""

    def __init__(self, detectors: tuple[str, ...], *, markers: bool) -> None:
        self.catalog = catalog.load(detectors)
        self.by_id = {d.id: d for d in self.catalog}
        self.allowlist = Allowlist.load(markers=markers)
        self._engine = Engine(self.catalog, AhoCorasick(self.catalog))

    def search(self, unit: Unit) -> Harvest:
        """Search every blob of a unit."""
        harvest = Harvest()
        try:
            for item in unit.read():
                if isinstance(item, NotScanned):
                    harvest.not_scanned.append(item)
                else:
                    self._item(item, harvest)
        except Exception as e:  # noqa: BLE001  whatever one unit does to us, what the others gave is not lost
            harvest.not_scanned.append(_failed(unit, e))
        return harvest

    def _item(self, item: Item, harvest: Harvest) -> None:
        searched = self._engine.search(item.pieces)
        harvest.counts[_COUNTED[type(item.origin)]] += 1
        harvest.bytes += searched.bytes
        harvest.dropped.update(searched.dropped)
        sightings: list[Sighting] = []
        for match in searched.matches:
            reason = self.allowlist.review(match, self.by_id[match.detector])
            if reason:
                harvest.suppressed.add((reason, digest(match.secret)))
            else:
                sightings.append(
                    Sighting(match.detector, match.also, match.secret, match.span, match.facts, match.excerpt)
                )
        if getattr(searched, "folded", 0):
            why = "has more matches than are kept of one blob; the rest was counted only"
            harvest.not_scanned.append(NotScanned(name_of(item.origin), why, count=getattr(searched, "folded", 0)))
        if sightings:
            harvest.found.append((item.origin, sightings))


_searcher: Searcher | None = None


def _start_worker(detectors: tuple[str, ...], markers: bool, count_key: bytes) -> None:
    global _searcher, _COUNT_KEY
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, and ends the workers
    if _searcher is None:  # where processes are not forked
        _COUNT_KEY = count_key
        _searcher = Searcher(detectors, markers=markers)


def _work(unit: Unit) -> Harvest:
    assert _searcher is not None
    return _searcher.search(unit)


def _nothing() -> None:
    """A first task, which makes a pool start its processes before this process has threads."""


class Pool:
    """Runs units in `jobs` processes, at most three of them waiting for each. Used as a context."""

    def __init__(self, searcher: Searcher, detectors: tuple[str, ...], *, markers: bool, jobs: int) -> None:
        self._searcher, self._jobs = searcher, jobs
        self._arguments = (detectors, markers, _COUNT_KEY)

    def run(self, units: Iterable[Unit]) -> Iterator[Harvest]:
        """The harvest of every unit, in the order in which they are done.

        A worker that dies (killed for its memory, say) takes what was under way with it: that is reported, and the
        rest goes on.
        """
        if self._jobs < 2:
            yield from map(self._searcher.search, units)
            return
        waiting = iter(units)
        for _ in range(POOL_BREAKS):
            under_way: dict[Future[Harvest], Unit] = {}
            try:
                yield from self._pool(waiting, under_way)
                return
            except BrokenProcessPool:
                for unit in under_way.values():
                    yield Harvest(not_scanned=[_lost(unit)])
        rest = sum(unit.size() for unit in waiting)
        if rest:
            why = "workers died again and again (out of memory?); scan it again with --jobs 1"
            yield Harvest(not_scanned=[NotScanned(b"all that was left", why, count=rest)])

    def _pool(self, units: Iterator[Unit], under_way: dict[Future[Harvest], Unit]) -> Iterator[Harvest]:
        global _searcher
        _searcher = self._searcher
        method = "fork" if sys.platform == "linux" else None
        executor = ProcessPoolExecutor(
            self._jobs, multiprocessing.get_context(method), initializer=_start_worker, initargs=self._arguments
        )
        try:
            executor.submit(_nothing)
            for unit in units:
                under_way[Future()] = unit  # so that it is known as lost if it cannot even be submitted
                future = executor.submit(_work, unit)
                under_way.popitem()
                under_way[future] = unit
                while len(under_way) >= 3 * self._jobs:
                    yield from _done(under_way)
            while under_way:
                yield from _done(under_way)
        except (KeyboardInterrupt, GeneratorExit):
            for process in list(executor._processes.values()):  # executor.terminate_workers() from Python 3.14 on
                process.terminate()
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _done(under_way: dict[Future[Harvest], Unit]) -> Iterator[Harvest]:
    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
        harvest = future.result()
        del under_way[future]
        yield harvest


def name_of(origin: Origin) -> bytes:
    """An origin in a word, for the not-scanned list."""
    match origin:
        case File(path=path):
            return path
        case GitBlob(blob=name) | GitMessage(target=name):
            return name.encode()
        case _:
            return b"standard input"


def where_raised(error: BaseException) -> str:
    """An exception's type and place, without its text: that could hold what was searched."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"


def _failed(unit: Unit, error: Exception) -> NotScanned:
    why = f"an error in oakum ({where_raised(error)}) ended the search of these blobs; please report it"
    return NotScanned(unit.describe(), why, count=unit.size())


def _lost(unit: Unit) -> NotScanned:
    why = "the process that searched it died (out of memory?); scan it again with --jobs 1"
    return NotScanned(unit.describe(), why, count=unit.size())
