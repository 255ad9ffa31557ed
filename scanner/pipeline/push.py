"""What a push adds, searched: as little is imported and read as a push needs in which nothing is found.

1. Git lists the objects that the remote does not have, while the engine is made; they are searched, the newest first.
2. Only where something is found: does the remote have the secret already, in what stood there before, in what the push
   replaces, or elsewhere in the trees that it builds on? Then this push is not to blame.
3. What is left is attributed to the commits of the push, ranked, and compared with what was accepted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import GitError, OutOfTime
from ..model import BANDS, Coverage, GitBlob, NotScanned, Origin, ScanResult
from ..sources import pushed
from ..sources.git import Repository
from ..sources.pushed import Listing, Refs
from .budget import Budget

if TYPE_CHECKING:
    from ..model import Detector, Finding
    from ..sources.objects import ObjectUnit
    from ..sources.selection import Brought
    from .options import ScanOptions
    from .scan import TargetScan
    from .workers import Harvest, Searcher

POOLED = 24 << 20
"""Bytes from which on several processes search."""
ANOTHER_LOOK = 0.25
"""How much of the budget may be used beyond it, once something was found, to tell where it comes from."""
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
    repository: Repository,
    tips: Sequence[str],
    known: Sequence[str],
    refs: Refs,
    options: ScanOptions,
    budget: Budget,
) -> Pushed:
    """Search what `tips` add to what is known: by its ids, and by what `refs` say. GitError where git cannot list it."""
    started = time.monotonic()
    harvest, searcher, late, units = None, None, False, list[ObjectUnit]()
    with pushed.listing(repository, tips, known, refs) as listing:
        from .workers import Harvest, searcher_for  # here: git is at work while the engine is made

        harvest, searcher = Harvest(), searcher_for(options)
        try:
            with budget.bounded():
                units = listing.units(max_size=options.max_size)
                _search(searcher, units, listing.weight, options.jobs, harvest)
        except OutOfTime:
            late = True
    harvest.not_scanned += listing.not_scanned
    left = listing.count - sum(harvest.counts.values()) if late else 0
    found = Pushed(
        result=_nothing_found(harvest, searcher, options, started),
        commits=tuple(listing.commits),
        count=listing.count,
        left=-1 if late and not units else left,
        unknown=tuple(listing.unknown),
    )
    return _Judge(listing, refs, searcher, harvest, options, budget).judged(found, started) if harvest.found else found


def _search(searcher: Searcher, units: Sequence[ObjectUnit], weight: int, jobs: int, harvest: Harvest) -> None:
    """Search units; what is found is in the harvest, even where `OutOfTime` breaks it off."""
    searcher.prepare(weight)
    if weight <= POOLED or jobs < 2:
        for unit in units:
            searcher.search(unit, harvest)
        return
    from .workers import Pool

    for one in Pool(searcher, amount=weight, jobs=jobs).run(units):
        harvest.add(one)


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

    def judged(self, found: Pushed, started: float) -> Pushed:
        """The outcome with its findings."""
        from ..prove import prove
        from .scan import Tally, TargetScan, conclude

        tally = Tally(self.options, self.searcher)
        scan = TargetScan(tally, b"", label="")
        scan.take(self.harvest)
        values = {digest: value for digest, value in self._values().items()}
        brought, at_remote, unsure = None, set[bytes](), False
        try:
            with self.budget.bounded(self.budget.seconds * ANOTHER_LOOK):
                brought = self._brought(scan)
                at_remote = self._at_the_remote(brought, values)
        except OutOfTime:
            unsure = True
        except GitError as e:
            unsure = True
            scan.leave_out([NotScanned(b"history", f"where it comes from could not be told: {e}")])
        if brought:
            scan.leave_out(brought.not_scanned)
        findings = list(scan.findings(_resolve(brought)))
        new = [f for f in findings if self._digest(f) not in at_remote]
        result = conclude(tally, prove(new), (), started)
        return replace(found, result=result, known=len(findings) - len(new), unsure=unsure)
