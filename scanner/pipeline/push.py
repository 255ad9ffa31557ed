"""What a push adds, searched: as little is imported and read as a push needs in which nothing is found.

1. Git lists the objects that the remote does not have, while the engine is made; they are searched, the newest first.
2. Only where something is found: does the remote have the secret already, in what stood there before, in what the push
   replaces, or elsewhere in the trees that it builds on? Then this push is not to blame.
3. What is left is attributed to the commits of the push, ranked, and compared with what was accepted.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import GitError, OutOfTime, UntoldError, UsageError
from ..model import Coverage, GitBlob, NotScanned, Origin, ScanResult
from ..sources import Batch, Item, Unit, pushed
from ..sources.git import Repository
from ..sources.objects import Store
from ..sources.pushed import Listing, Refs
from .budget import Budget

if TYPE_CHECKING:
    from ..ledger import Resolve
    from ..model import Detector, Secret
    from ..sources.objects import ObjectUnit
    from ..sources.packs import Packs
    from ..sources.selection import Brought
    from .options import ScanOptions
    from .scan import TargetScan
    from .workers import Harvest, Searcher

POOLED = 24 << 20
"""Bytes from which on several processes search."""
LOADING = 0.1
"""Seconds in which a matcher is loaded that need not be compiled."""
NEWEST = 1 << 20
"""Bytes that one processor searches before it does nothing but make the matcher."""
WHOLE = 512 << 20
"""Bytes from which on it may be faster to go through all packs."""
ANOTHER_LOOK = 0.25
"""How much of the budget may be used beyond it, once something was found, to tell where it comes from."""
TO_TELL = 0.5
"""The same until they are ranked and named by their fingerprints, each of which takes time on purpose."""
TREES = 16
"""Trees of the remote that are searched for a secret that seems to be new."""
MOST_FILES = 200_000
"""Files of them."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome: findings that are new with this push, worst first, and what was not searched.

    `known` counts secrets that the remote has already; `unsure` says that there was no time to see whether it has those
    found. `unknown` are ids that the push names and the store does not have. Of `count` objects, `left` had to be left
    out, as the time was up. `commits` are those that the remote does not have, newest first.
    """

    result: ScanResult
    commits: tuple[str, ...] = ()
    count: int = 0
    left: int = 0
    known: int = 0
    unsure: bool = False
    unknown: tuple[str, ...] = ()


def search(
    repository: Repository, tips: Sequence[str], known: Sequence[str], refs: Refs, options: ScanOptions, budget: Budget
) -> Pushed:
    """Search what `tips` add to what is known, by its ids and by what `refs` say; GitError where git cannot list it."""
    started = time.monotonic()
    late, units = False, list[Unit]()
    with pushed.listing(repository, tips, known, refs, max_size=options.max_size) as listing:
        from .workers import Harvest, broken_off, searcher_for  # here: git is at work while the engine is made

        harvest, searcher = Harvest(), searcher_for(options)
        try:
            with budget.bounded():
                units += listing.units()
                _search(searcher, units, listing, options, harvest)
        except OutOfTime:
            late = True
        except (GitError, UsageError):
            raise
        except Exception as e:  # noqa: BLE001  what was found until then is not lost
            harvest.not_scanned.append(broken_off(e))
    harvest.not_scanned += listing.not_scanned
    left = max(1, listing.count - sum(harvest.counts.values())) if late else 0
    found = Pushed(
        result=_nothing_found(harvest, searcher, options, started),
        commits=tuple(listing.commits),
        count=listing.count,
        left=-1 if late and not units else left,
        unknown=tuple(listing.unknown),
    )
    if not harvest.found:
        return found
    secrets = {one.secret for _, sightings in harvest.found for one in sightings}
    try:
        remote = _Elsewhere.of(searcher, secrets)
        return _Judge(listing, refs, searcher, harvest, options, budget, remote).judged(found, started)
    except Exception as e:
        from .workers import where_raised

        raise UntoldError(len(secrets), f"an error in oakum ({where_raised(e)}); please report it") from e


def staged(repository: Repository, options: ScanOptions, budget: Budget) -> Pushed:
    """Search what is staged for the next commit; `options` say so. What HEAD has, or what is merged, is not new."""
    from ..prove import prove
    from ..sources.refs import head_of
    from .scan import Tally, TargetScan, conclude
    from .targets import as_given, selection
    from .workers import digest, searcher_for

    started = time.monotonic()
    tally = Tally(options, searcher_for(options))
    scan, late = TargetScan(tally, repository.work_tree, label=""), False
    resolve: Resolve = as_given
    try:
        with budget.bounded():
            resolve = selection(scan, repository, options)
    except OutOfTime:
        late = True
    late, tally.interrupted = late or tally.interrupted, False  # what was found is told as ever
    findings = list(scan.findings(resolve))
    here = _Elsewhere.of(tally.searcher, (finding.secret for finding in findings))
    try:
        with budget.bounded(budget.seconds * ANOTHER_LOOK):
            heads = [name for name in (head_of(repository), head_of(repository, "MERGE_HEAD")) if name]
            here.look_at_trees(repository, heads, max_size=options.max_size)
    except (OutOfTime, GitError):
        late = True
    new = [finding for finding in findings if digest(finding.secret) not in here.met]
    result = conclude(tally, prove(new), (), started)
    return Pushed(
        result, count=sum(tally.counts.values()), left=-1 if late else 0, known=len(findings) - len(new), unsure=late
    )


def _search(
    searcher: Searcher, units: Sequence[Unit], listing: Listing, options: ScanOptions, harvest: Harvest
) -> None:
    """Search what is pushed; what is found is in the harvest, even where `OutOfTime` breaks it off."""
    from .workers import WORTHWHILE, Harvest, Pool

    weight, waiting = listing.weight, iter(units)
    packs = _packs(listing, options) if options.jobs > 1 else None
    if weight < WORTHWHILE:
        searcher.prepare(weight)
    else:
        most = 0 if packs else weight if options.jobs > 1 else NEWEST
        _prepare(searcher, weight, waiting, most, harvest)
    if weight <= POOLED or options.jobs < 2:
        for unit in waiting:
            searcher.search(unit, harvest)
        return
    pool, store = Pool(searcher, amount=weight, jobs=options.jobs), Store(listing.repository.id_length)
    for one in pool.run(packs.list_units(store) if packs else waiting):
        harvest.add(_of_the_push(one, listing) if packs else one)
    harvest.add(_of_the_push(Harvest(not_scanned=store.not_scanned), listing))


def _prepare(searcher: Searcher, weight: int, units: Iterator[Unit], most: int, harvest: Harvest) -> None:
    """Have a thread make the matcher, which may have to be compiled for seconds, in which no signal would be heard; up
    to `most` bytes are searched by the other matcher until then."""
    from .workers import Searcher

    failed: list[Exception] = []

    def prepare() -> None:
        try:
            searcher.prepare(weight)
        except Exception as e:  # noqa: BLE001  it is raised where somebody waits
            failed.append(e)

    thread = threading.Thread(target=prepare, daemon=True)
    thread.start()
    thread.join(LOADING)
    other = None
    while thread.is_alive() and harvest.bytes < most and (unit := next(units, None)):
        if other is None:
            other = Searcher(searcher.options, searcher.catalog)
            other.prepare(0)
        other.search(unit, harvest)
    thread.join()
    if failed:
        raise failed[0]


def _packs(listing: Listing, options: ScanOptions) -> Packs | None:
    """The packs of the repository, where most of what they hold is pushed: to go through all of it is faster then."""
    elsewhere = {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
    if listing.weight < WHOLE or not elsewhere.isdisjoint(dict(listing.repository.environment)):
        return None
    from ..sources.packs import open_packs

    found, _ = open_packs(listing.repository, max_size=options.max_size, jobs=options.jobs, grow=False)
    if found is None or 3 * listing.count < sum(pack.count for pack in found.opened) or found.grow():
        return None
    return found


def _of_the_push(harvest: Harvest, listing: Listing) -> Harvest:
    """What a unit gave, without what is not pushed."""
    from .workers import name_of

    names = listing.names
    harvest.found = [(origin, found) for origin, found in harvest.found if name_of(origin).decode() in names]
    harvest.not_scanned = [
        entry for entry in harvest.not_scanned if entry.what.decode("ascii", "replace") in names or b" " in entry.what
    ]
    return harvest


def _nothing_found(harvest: Harvest, searcher: Searcher, options: ScanOptions, started: float) -> ScanResult:
    return ScanResult(
        findings=(),
        not_scanned=harvest.not_scanned,
        suppressed=tuple(sorted(Counter(reason for reason, _ in harvest.suppressed).items())),
        dropped=(),
        coverage=Coverage(
            counts=tuple(sorted(harvest.counts.items())),
            bytes=harvest.bytes,
            seconds=time.monotonic() - started,
            detectors=len(searcher.catalog),
            matcher=searcher.matcher,
            matcher_why=searcher.why,
            notes=tuple(searcher.notes()),
        ),
        started=options.now,
    )


@dataclass(slots=True)
class _Judge:
    """Tells what was found apart: what the remote has already, and what is new."""

    listing: Listing
    refs: Refs
    searcher: Searcher
    harvest: Harvest
    options: ScanOptions
    budget: Budget
    remote: _Elsewhere
    brought: Brought | None = None

    def judged(self, found: Pushed, started: float) -> Pushed:
        """The outcome with its findings."""
        from ..prove import prove
        from .scan import Tally, TargetScan, conclude
        from .workers import digest, where_raised

        tally = Tally(self.options, self.searcher)
        scan = TargetScan(tally, b"", label="")
        scan.take(self.harvest)
        problem, why = "", "where a finding comes from could not be told"
        try:
            with self.budget.bounded(self.budget.seconds * ANOTHER_LOOK):
                self._attribute(scan)
                self._look_at_the_remote()
        except OutOfTime:
            problem = "no time"
        except GitError as e:
            problem = f"{why}: {e}"
            scan.leave_out([NotScanned(b"history", problem)])
        except Exception as e:  # noqa: BLE001  whatever goes wrong with that, what was found stops the push
            problem = f"{why}: an error in oakum ({where_raised(e)}); please report it"
            scan.leave_out([NotScanned(b"history", problem)])
        if problem or (self.brought and self.brought.folded):
            scan.know_no_places()
        findings = list(scan.findings(self._places))
        new = [finding for finding in findings if digest(finding.secret) not in self.remote.met]
        try:
            with self.budget.bounded(self.budget.seconds * TO_TELL):
                result = conclude(tally, prove(new), (), started)
        except OutOfTime:
            tally.interrupted = True  # fingerprints are left out
            result = replace(conclude(tally, new, (), started), interrupted=False)
        return replace(found, result=result, known=len(findings) - len(new), unsure=bool(problem))

    def _attribute(self, scan: TargetScan) -> None:
        from ..sources.selection import Selection

        chosen = Selection(tuple(reversed(self.listing.commits)), frozenset(self.listing.blobs))
        packs = _packs(self.listing, self.options)
        changes = (packs.changes,) if packs and not self.listing.repository.shallow else ()
        self.brought = chosen.history(self.listing.repository, scan.ledger.blobs(), *changes)
        self.brought.messages.update(dict.fromkeys(scan.ledger.messages(), ("history", "")))

    def _places(self, detector: Detector, origin: Origin, blobs: set[str]) -> list[tuple[Origin, int]]:
        """Where what was found stands; a blob that no commit brought (a tag names it, say) as git came by it."""
        from .targets import brought

        if self.brought is not None and not (isinstance(origin, GitBlob) and not self.brought.has(origin.blob)):
            return brought(self.brought)(detector, origin, blobs)
        if isinstance(origin, GitBlob):
            origin = replace(origin, path=self.listing.path(origin.blob), reach="history")
        return [(origin, 0)]

    def _look_at_the_remote(self) -> None:
        """Whether the secrets stand in what the remote has: first where that is likely, then where it is dear."""
        from ..sources.diffs import replaced
        from ..sources.objects import chosen_units

        repository, ours, size = self.listing.repository, self.listing.blobs, self.options.max_size
        ways = (way for paths in self.brought.introductions.values() for way in paths.values()) if self.brought else ()
        commits = {place.commit for way in ways for place in way.values() if place.commit}
        before = sorted(replaced(repository, sorted(commits)) - ours)
        self.remote.look(chosen_units(repository, "blob", before, [], max_size=size))
        if self.remote.left and self.listing.known:
            with pushed.listing(repository, self.listing.known, self.listing.tips, Refs(), max_size=size) as gone:
                self.remote.look(gone.units())
        if self.remote.left:
            self.remote.look_at_trees(repository, pushed.behind(self.listing, self.refs)[:TREES], max_size=size)


@dataclass(slots=True)
class _Elsewhere:
    """Looks for secrets that were found in what is there already: `values` by their digests, and those `met` there."""

    searcher: Searcher
    values: dict[bytes, bytes]
    met: set[bytes] = field(default_factory=set)

    @classmethod
    def of(cls, searcher: Searcher, found: Iterable[Secret]) -> _Elsewhere:
        """For some secrets."""
        from .workers import digest

        return cls(searcher, {digest(secret): secret.reveal() for secret in found})

    @property
    def left(self) -> list[bytes]:
        """The values that were not met."""
        return [value for digest, value in self.values.items() if digest not in self.met]

    def look(self, units: Iterable[Unit]) -> None:
        """Search units, until all are met."""
        from .workers import digest

        for unit in units:
            if not self.left:
                return
            found = self.searcher.search(unit).found
            self.met.update(digest(sighting.secret) for _, sightings in found for sighting in sightings)

    def look_at_trees(self, repository: Repository, commits: Iterable[str], *, max_size: int) -> None:
        """Search the files of some commits; those only in which a value stands as it is: that is told faster."""
        from ..sources.diffs import tree
        from ..sources.objects import chosen_units

        there: dict[str, None] = {}
        for commit in commits if self.left else ():
            there.update((blob, None) for _, blob in tree(repository, commit, [], most=MOST_FILES))
        units = chosen_units(repository, "blob", list(there), [], max_size=max_size)
        self.look(unit for unit in units if self._holds(unit))

    def _holds(self, unit: ObjectUnit) -> bool:
        values = self.left
        for read in unit.blobs():
            buffers = [read.buffer] if isinstance(read, Batch) else []
            if isinstance(read, Item):
                buffers += (piece.content for piece in read.pieces)
            if any(value in buffer for buffer in buffers for value in values):
                return True
        return False
