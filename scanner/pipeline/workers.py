"""The part of the pipeline that runs in workers: a unit in, sightings out; and the pool that they run in."""

from __future__ import annotations

import functools
import gc
import hashlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from .. import catalog
from ..allow import Allowlist
from ..cache import Cache
from ..engine import Engine, Matcher, Searched, vectorised
from ..engine.aho_corasick import AhoCorasick
from ..engine.carry import cluster_of, moved
from ..errors import UsageError
from ..model import (
    Detector,
    File,
    GitBlob,
    GitMessage,
    ListingEntry,
    NotScanned,
    Origin,
    Secret,
    Sighting,
    Stdin,
    StoredObject,
)
from ..sources import Batch, Counted, Heard, Hinted, Item, Unit, Walked
from ..sources.git import end_all
from ..sources.objects import ObjectUnit

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..sources.listings.units import Listed
    from .options import ScanOptions

AnyUnit = Unit | Walked
POOL_BREAKS = 5
"""How often workers may die before the rest is given up."""


@dataclass(slots=True)
class Harvest:
    """What one unit gave: sightings by blob, what could not be searched, and counts."""

    found: list[tuple[Origin, list[Sighting]]] = field(default_factory=list)
    not_scanned: list[NotScanned] = field(default_factory=list)
    suppressed: set[tuple[str, bytes]] = field(default_factory=set)
    dropped: set[tuple[str, bytes]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    copied: int = 0
    """Bytes of `bytes` that were copied from what had been searched, and were not looked at again."""
    heard: list[Heard] = field(default_factory=list)
    """For attribution; not added up."""

    def add(self, other: Harvest) -> None:
        """What another unit gave."""
        self.found += other.found
        self.not_scanned += other.not_scanned
        self.suppressed |= other.suppressed
        self.dropped |= other.dropped
        self.counts.update(other.counts)
        self.bytes += other.bytes
        self.copied += other.copied


_COUNTED = {
    File: "files",
    GitBlob: "git blobs",
    GitMessage: "git messages",
    Stdin: "standard input",
    StoredObject: "objects",
    ListingEntry: "listing entries",
}
_COUNT_KEY = os.urandom(16)


def digest(secret: Secret) -> bytes:
    """Enough to count distinct values in this run, and nothing to find them by."""
    return _digest(secret.canonical())


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=8, key=_COUNT_KEY).digest()


ENGINES = ("auto", "vector", "aho-corasick")
"""The matchers by name; `auto` takes the vectorised one where it is there and pays."""
WORTHWHILE = 16 << 20
"""Bytes from which on the vectorised matcher pays, even if its database is still to be compiled."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What a searcher is made of, in any process: detector files of the user, markers, matcher, cache folder, whether
    it is to be known how providers are asked."""

    detectors: tuple[str, ...] = ()
    markers: bool = True
    engine: str = "auto"
    cache: str = ""
    verify: bool = False


class Searcher:
    """Searches units: the engine and the allowlists, with one catalog."""

    def __init__(self, options: SearchOptions, detectors: Sequence[Detector] | None = None) -> None:
        """For some detectors, or for those that the options say."""
        self.options = options
        self.cache = Cache(options.cache)
        self.catalog = (
            catalog.load(options.detectors, self.cache, verify=options.verify)
            if detectors is None
            else tuple(detectors)
        )
        self.by_id = {d.id: d for d in self.catalog}
        self.matcher = self.why = ""
        """The matcher that is used, and why, in a word; empty until `prepare` has chosen one."""
        self._engine: Engine | None = None
        self.changes: dict[tuple[str, str], tuple[Detector, ...] | None] = {}
        """Detectors in which two catalogs, by their names, differ: whoever searches many repositories asks again."""
        self.made_with: dict[int, tuple[str, str]] = {}
        """What decides what it finds in what is no larger than so many bytes, as a memory names it."""
        self._touchers: dict[tuple[Detector, ...], Toucher] = {}

    def toucher(self, changed: tuple[Detector, ...]) -> Toucher:
        """Who says which objects some detectors could find something in; made once for the same ones."""
        if changed not in self._touchers:
            self._touchers = {changed: Toucher(replace(self.options, cache=""), changed)}
        return self._touchers[changed]

    @functools.cached_property
    def allowlist(self) -> Allowlist:
        """The allowlists, read when the first match is there to be looked at."""
        return Allowlist.load(markers=self.options.markers)

    def prepare(self, amount: int) -> None:
        """Choose the matcher for about so many bytes; UsageError where the wanted one cannot be had here."""
        wanted, self.why = self._choice(amount)
        if wanted == self.matcher:
            return
        self.matcher = wanted
        matcher: Matcher
        matcher = vectorised.load(self.catalog, self.cache) if wanted == "vector" else AhoCorasick(self.catalog)
        self._engine = Engine(self.catalog, matcher)

    def _choice(self, amount: int) -> tuple[str, str]:
        wanted = self.options.engine
        if wanted == "vector" and not vectorised.available():
            raise UsageError("--engine vector needs the package hyperscan, which has no wheel for this platform")
        if wanted != "auto":
            return wanted, "asked for"
        if not vectorised.available():
            return "aho-corasick", "no hyperscan here"
        if amount >= WORTHWHILE or self.matcher == "vector":
            return "vector", "much to search"
        return "aho-corasick", "little to search"

    @property
    def engine(self) -> Engine:
        """The engine; `prepare` comes first."""
        assert self._engine is not None
        return self._engine

    def notes(self) -> Iterator[str]:
        """What made the search slower than it could be, and what to do about it."""
        if self.cache.problem:
            yield self.cache.problem

    def search(self, unit: AnyUnit, into: Harvest | None = None) -> Harvest:
        """Search every blob of a unit; `prepare` comes first.

        What is found goes into the caller's own harvest, if one is given: there it is even if this is broken off."""
        engine = self.engine
        harvest = Harvest() if into is None else into
        try:
            for read in unit.walk(engine) if isinstance(unit, Walked) else unit.blobs():
                if isinstance(read, ObjectUnit):
                    harvest.add(self.search(read))
                elif isinstance(read, Heard):
                    harvest.heard.append(read)
                elif isinstance(read, NotScanned):
                    harvest.not_scanned.append(read)
                else:
                    self._search(engine, read, harvest)
        except Exception as e:  # noqa: BLE001  whatever one unit does to us, what the others gave is not lost
            harvest.not_scanned.append(_failed(unit, e))
        return harvest

    def _search(
        self,
        engine: Engine,
        read: Batch | Counted | Item | Listed | tuple[Callable[[], Origin], Hinted],
        harvest: Harvest,
    ) -> None:
        if TYPE_CHECKING:
            assert not isinstance(read, Listed)  # those are a Surveyor's
        if isinstance(read, tuple):
            self._search_hinted(engine, *read, harvest)
            return
        if isinstance(read, Counted):
            harvest.counts[_COUNTED[read.kind]] += read.blobs
            harvest.bytes += read.bytes
            harvest.copied += read.bytes - min(read.searched, read.bytes)
            return
        if isinstance(read, Item):
            searched = engine.search(read.pieces)
            harvest.counts[_COUNTED[type(read.origin)]] += 1
            harvest.bytes += searched.bytes
            self._sift(read.true or (lambda: read.origin), searched, harvest)
            return
        harvest.counts[_COUNTED[read.kind]] += len(read.starts)
        harvest.bytes += sum(read.ends) - sum(read.starts)
        for place, searched in engine.search_batch(read.buffer, read.starts, read.ends):
            self._sift(functools.partial(read.origin, place), searched, harvest)

    def _search_hinted(self, engine: Engine, origin: Callable[[], Origin], hinted: Hinted, harvest: Harvest) -> None:
        """Search a blob with hints; where nothing but what was found in the one before can be found, that is moved."""
        told = engine.tell(hinted.content, hinted.hints)
        shifts = hinted.learn(told.states)
        if shifts is not None:
            before = cast("list[tuple[int, Sighting]]", hinted.kept)
            kept = [(n, self._moved(hinted.content, one, shifts[n])) for n, one in before]
            hinted.keep(None, kept)
            if kept:
                harvest.found.append((origin(), [one for _, one in kept]))
            return
        searched = engine.search_told(told)
        sightings = self._sift(origin, searched, harvest)
        hinted.learn(told.states)
        if searched.clusters is not None:
            hinted.keep(searched.clusters, [(cluster_of(one.span, searched.clusters), one) for one in sightings])

    @staticmethod
    def _moved(content: bytes, one: Sighting, by: int) -> Sighting:
        span, excerpt = moved(content, one.span, one.excerpt, by)
        return Sighting(one.detector, one.also, one.secret, span, one.facts, excerpt, one.near)

    def _sift(self, origin: Callable[[], Origin], searched: Searched, harvest: Harvest) -> list[Sighting]:
        """What the allowlists leave of a blob's matches."""
        harvest.dropped.update((reason, _digest(value)) for reason, value in searched.dropped)
        sightings: list[Sighting] = []
        for match in searched.matches:
            reason = self.allowlist.review(match, self.by_id[match.detector])
            if reason:
                harvest.suppressed.add((reason, digest(match.secret)))
            else:
                m = match
                sightings.append(Sighting(m.detector, m.also, m.secret, m.span, m.facts, m.excerpt, m.near))
        if searched.folded:
            why = "has more matches than are kept of one blob; the rest was counted only"
            harvest.not_scanned.append(NotScanned(name_of(origin()), why, count=searched.folded))
        if sightings:
            harvest.found.append((origin(), sightings))
        return sightings


def searcher_for(options: ScanOptions) -> Searcher:
    """The searcher of a scan."""
    verify = options.verify is not None
    return Searcher(SearchOptions(options.detectors, options.markers, options.engine, options.cache, verify))


class Toucher(Searcher):
    """Says which objects some detectors could find something in; what that is, it does not say."""

    def search(self, unit: AnyUnit, into: Harvest | None = None) -> Harvest:
        """The objects of a unit, each without sightings; all of those that git would have to read."""
        if isinstance(unit, ObjectUnit):
            return Harvest(found=[(GitBlob(name), []) for name in unit.names()])
        return super().search(unit, into)

    def _search(
        self,
        engine: Engine,
        read: Batch | Counted | Item | Listed | tuple[Callable[[], Origin], Hinted],
        harvest: Harvest,
    ) -> None:
        if isinstance(read, tuple):
            origin, hinted = read
            told = engine.tell(hinted.content, hinted.hints)
            if engine.takes(told):
                harvest.found.append((origin(), []))
            hinted.learn(told.states)


_searcher: Searcher | None = None


def _start_worker(options: SearchOptions, amount: int, count_key: bytes) -> None:
    global _searcher, _COUNT_KEY
    gc.freeze()  # what the parent made stays: to look through it again and again would copy its pages, too
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C, and ends the workers
    signal.signal(signal.SIGTERM, _end_worker)
    if _searcher is None:  # where processes are not forked
        _COUNT_KEY = count_key
        _searcher = Searcher(options)
        _searcher.prepare(amount)


def _end_worker(_signal: int, _frame: object) -> None:
    """With the git that it has started, which may hang."""
    end_all()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _work(unit: AnyUnit) -> Harvest:
    assert _searcher is not None
    return _searcher.search(unit)


def _nothing() -> None:
    """A first task, which makes a pool start its processes before this process has threads."""


class Pool:
    """Runs units in `jobs` processes, at most three of them waiting for each. Used as a context."""

    def __init__(self, searcher: Searcher, *, amount: int, jobs: int) -> None:
        """`amount` is about how many bytes there are to search."""
        self._searcher, self._jobs = searcher, jobs
        self._arguments = (searcher.options, amount, _COUNT_KEY)

    def run(self, units: Iterable[AnyUnit]) -> Iterator[Harvest]:
        """The harvest of every unit, in the order in which they are done.

        A worker that dies (killed for its memory, say) takes what was under way with it: that is reported, and the
        rest goes on.
        """
        if self._jobs < 2:
            yield from map(self._searcher.search, units)
            return
        from concurrent.futures.process import BrokenProcessPool

        waiting = iter(units)
        for _ in range(POOL_BREAKS):
            under_way: dict[Future[Harvest], AnyUnit] = {}
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

    def _pool(self, units: Iterator[AnyUnit], under_way: dict[Future[Harvest], AnyUnit]) -> Iterator[Harvest]:
        global _searcher
        import multiprocessing  # here: a small scan, in one process, has no use for it
        from concurrent.futures import Future, ProcessPoolExecutor

        _searcher = self._searcher
        _ = _searcher.allowlist  # read once, for all processes that are forked
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


def _done(under_way: dict[Future[Harvest], AnyUnit]) -> Iterator[Harvest]:
    from concurrent.futures import FIRST_COMPLETED, wait

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
        case StoredObject(container=container, key=key) | ListingEntry(container=container, key=key):
            return b"/".join(filter(None, (container, key)))
        case _:
            return b"standard input"


def where_raised(error: BaseException) -> str:
    """An exception's type and place, without its text: that could hold what was searched."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"


def broken_off(error: Exception) -> NotScanned:
    """The entry for all that was left when an error ended a search."""
    why = f"an error in oakum ({where_raised(error)}) ended the search; please report it"
    return NotScanned(b"all that was left", why)


def _failed(unit: AnyUnit, error: Exception) -> NotScanned:
    why = f"an error in oakum ({where_raised(error)}) ended the search of these blobs; please report it"
    return NotScanned(unit.describe(), why, count=unit.size())


def _lost(unit: AnyUnit) -> NotScanned:
    why = "the process that searched it died (out of memory?); scan it again with --jobs 1"
    return NotScanned(unit.describe(), why, count=unit.size())
