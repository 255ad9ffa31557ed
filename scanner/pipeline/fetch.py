"""`oakum listing --fetch`: the objects of a download plan, read in its order and searched, until the budget is spent.

All in this process: objects come in by a thread (`sources/stores/fetched.py`) while others are searched, and none
touches the disk. Ctrl-C, and the end of the budget in the middle of an object, leave all that was found until then.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..errors import OakumError, UsageError
from ..listed import Fetched, Named
from ..model import PIECE_SIZE, Exposure, NotScanned
from ..sources.stores import Store
from ..sources.stores.fetched import AHEAD, ROOM, Download, Reading, Spent, StoredUnit
from ..sources.stores.objects import reader_for
from ..sources.stores.reading import ObjectReader, ReadSpec, Wanted, spec_of, unaddressable
from .journal import Journal
from .scan import TargetScan
from .workers import Harvest

INTERRUPTED = "not read: it was interrupted"

NO_STORE = "its listing does not say how it is read: give the store itself as the target"

Planned = tuple[Wanted, ReadSpec | str]
"""An object, and how it is read, or why it cannot be. The same `ReadSpec` is meant by being the same object."""

Readers = Callable[[ReadSpec], ObjectReader]


@dataclass(frozen=True, slots=True)
class FetchBudget:
    """What a fetch may take: bytes that are read, objects, seconds; 0 for no bound."""

    bytes: int = 1 << 30
    objects: int = 1000
    seconds: float = 0.0


def planned(plan: Iterable[Named], stores: Mapping[int, tuple[Store, Exposure]]) -> Iterator[Planned]:
    """The objects of a download plan; `stores` has, by the place of a target, its store and who can read it."""
    specs: dict[tuple[int, bytes], ReadSpec | str] = {}
    for named in plan:
        unlisted: tuple[None, Exposure] = None, "unknown"
        store, exposure = stores.get(named.target, unlisted)
        place = named.target, named.container
        if place not in specs:
            specs[place] = NO_STORE if store is None else _spec_of(store, named.container)
        origin = store.origin if store is not None else ""
        fields = named.container, named.key, named.size, named.version, named.etag
        yield Wanted(origin, *fields, exposure), specs[place]


def _spec_of(store: Store, container: bytes) -> ReadSpec | str:
    try:
        return spec_of(store, container)
    except OakumError as error:
        return str(error)


def fetch(
    scan: TargetScan,
    plan: Iterable[Planned],
    budget: FetchBudget,
    journal: Journal | None = None,
    readers: Readers = reader_for,
) -> Fetched:
    """Read objects in the order of a plan and search them; what is found goes where that of other units goes.

    Of each at most as many bytes as `max_size` of the options says. What is not read is told, with the reason.
    """
    options = scan.tally.options
    until = time.monotonic() + budget.seconds if budget.seconds else None
    spent = Spent(until, budget.bytes or None)
    scan.tally.searcher.prepare(budget.bytes or ROOM)
    with scan.stage("objects"), Reading() as reading:
        run = _Fetch(scan, iter(plan), budget, journal, readers, options.max_size, spent, reading)
        with contextlib.suppress(KeyboardInterrupt), _gently(spent):
            run.run()
        scan.tally.interrupted |= spent.interrupted
        run.tell()
    return Fetched(run.searched, run.known, spent.bytes)


@contextmanager
def _gently(spent: Spent) -> Iterator[None]:
    """Ctrl-C ends the waiting for a part at once, and a search when what is there has been searched; a second one, at
    once, too."""

    def interrupt(_signal: int, _frame: object) -> None:
        again, spent.interrupted = spent.interrupted, True
        if spent.waiting or again:
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        try:
            yield
        except KeyboardInterrupt:
            spent.interrupted = True
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(slots=True)
class _Fetch:
    """One fetch."""

    scan: TargetScan
    waiting: Iterator[Planned]
    budget: FetchBudget
    journal: Journal | None
    readers: Readers
    most: int
    spent: Spent
    reading: Reading
    beyond: Counter[str] = field(default_factory=Counter)
    lost: Counter[tuple[bytes, str]] = field(default_factory=Counter)
    """Objects of containers that cannot be read, by container and why."""
    ahead: deque[tuple[Download, ReadSpec]] = field(default_factory=deque)
    made: dict[int, tuple[ReadSpec, ObjectReader | str]] = field(default_factory=dict)
    begun: int = 0
    planned: int = 0
    """Bytes of the objects that were begun, as their listing tells them."""
    searched: int = 0
    known: int = 0

    def run(self) -> None:
        """Read and search, object after object."""
        while (taken := self._next()) is not None:
            download, spec = taken
            harvest = Harvest()
            try:
                self.scan.tally.searcher.search(StoredUnit(download), harvest)
            finally:
                self.scan.take(harvest)
            if self.spent.interrupted:
                return
            if download.final:
                self.made[id(spec)] = spec, download.final
            self.searched += download.took > 0 or not download.failed
            if self.journal is not None and not download.failed:
                self.journal.done(download.wanted, found=bool(harvest.found or harvest.not_scanned))
            self.scan.tally.options.progress("objects", self.searched, 0)

    def tell(self) -> None:
        """Note what was not read."""
        left = sum(1 for _ in self.ahead) + sum(1 for _ in self._unknown())
        if left and self.scan.interrupted:
            self.beyond[INTERRUPTED] += left
        entries = [NotScanned(b"objects of the plan", why, policy=True, count=n) for why, n in self.beyond.items()]
        entries += [NotScanned(what, why, count=n) for (what, why), n in self.lost.items()]
        self.scan.leave_out(entries)

    def _next(self) -> tuple[Download, ReadSpec] | None:
        """The next object that is to be read."""
        while True:
            self._begin_more()
            if not self.ahead:
                return None
            download, spec = self.ahead.popleft()
            if not self.spent.why():
                return download, spec
            download.drop()
            self.beyond[self._why_over()] += 1

    def _begin_more(self) -> None:
        """Ask for the first parts of the next objects, as far as there is room for them."""
        room = ROOM - sum(download.room for download, _ in self.ahead)
        while len(self.ahead) < AHEAD and (not self.ahead or room > 0):
            taken = next(self._unknown(), None)
            if taken is None:
                return
            wanted, spec = taken
            if why := unaddressable(wanted.key):
                self.scan.leave_out([NotScanned(wanted.name, why)])
            elif why := self._beyond(wanted):
                self.beyond[why] += 1
            elif isinstance(spec, str):
                self.lost[wanted.container or wanted.store.encode(), spec] += 1
            elif isinstance(reader := self._reader(spec), str):
                self.lost[wanted.container or wanted.store.encode(), reader] += 1
            else:
                download = Download(wanted, reader, self.most, self.reading, self.spent)
                download.begin()
                self.ahead.append((download, spec))
                self.begun += 1
                self.planned += self._told(wanted)
                room -= download.room

    def _unknown(self) -> Iterator[Planned]:
        """What is still to come of the plan, but for what was read before."""
        for wanted, spec in self.waiting:
            if self.journal is not None and self.journal.is_done(wanted):
                self.known += 1
            else:
                yield wanted, spec

    def _told(self, wanted: Wanted) -> int:
        """The bytes that will be read of an object, as far as its listing tells."""
        return min(self.most, wanted.size if wanted.size >= 0 else PIECE_SIZE)

    def _beyond(self, wanted: Wanted) -> str:
        """Why the budget does not reach for an object; empty where it does."""
        if self.spent.why():
            return self._why_over()
        if self.budget.objects and self.begun >= self.budget.objects:
            return f"beyond the budget of {self.budget.objects:,} objects: not read"
        committed = max(self.planned, self.spent.bytes)
        if self.budget.bytes and committed + self._told(wanted) > self.budget.bytes:
            return self._why_over()
        return ""

    def _why_over(self) -> str:
        if self.spent.interrupted:
            return INTERRUPTED
        left = self.spent.left()
        if left is not None and left <= 0:
            return f"beyond the budget of {self.budget.seconds:g} seconds: not read"
        return f"beyond the budget of {self.budget.bytes:,} bytes: not read"

    def _reader(self, spec: ReadSpec) -> ObjectReader | str:
        """What reads the objects of a container, or why nothing can."""
        if id(spec) not in self.made:
            try:
                made: ObjectReader | str = self.readers(spec)
            except UsageError:
                raise
            except OakumError as error:
                made = str(error)
            self.made[id(spec)] = spec, made
        return self.made[id(spec)][1]
