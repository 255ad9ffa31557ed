"""`oakum listing`: listings are read, searched as any text is, surveyed, and the names of their objects looked at.

Each target becomes chunks of one kind of listing, whether it lies in a file, comes through a pipe or is asked of a
store; from there on all are alike. What was found, credentials and names, comes into one report.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import OakumError
from ..listed import Fetched, ListingResult, Target
from ..model import SIGNED_KINDS, Exposure, Finding, ListingEntry, NotScanned, Piece, RankedFinding
from ..net.shown import may_be_url, shown
from ..prove import prove
from ..sources import files
from ..sources.listings import HEAD, Chunk, Kind, Read, columnar
from ..sources.listings.fields import GOES_ON
from ..sources.listings.inventory import s3_inventory
from ..sources.listings.kinds import KINDS, recognise
from ..sources.listings.opened import Opened
from ..sources.listings.units import ListingUnit, of_part
from ..survey import Survey
from .explain import explain
from .options import ListingOptions, ScanOptions
from .plan import Plan
from .redact import Redactor
from .scan import SMALL, Tally, TargetScan, conclude, merge
from .surveyor import ENTRIES, Surveyed, Surveyor
from .targets import as_given
from .workers import Pool, SearchOptions

if TYPE_CHECKING:
    from ..sources.stores import Store
    from .fetch import FetchBudget

_STORE = re.compile(r"(?:s3|gs|az|https?)://", re.IGNORECASE)
_EXPOSURES: dict[str, Exposure] = {"open": "public", "closed": "private", "unknown": "unknown"}
UNKNOWN_AMOUNT = 1 << 30
"""What is taken for the size of a listing that comes through a pipe."""
MANIFEST = "manifest.json"
"""Of an S3 inventory: it says what the columns of its files are."""
LARGEST_MANIFEST = 64 << 20
"""Bytes that are read of one: it names every file."""
NO_LISTING = "no listing that oakum knows (if it is one, --kind says which)"


def listing(names: Sequence[str], options: ListingOptions, stdin: BinaryIO) -> ListingResult:
    """Read listings: files, folders of them, `-` for standard input, stores and URLs.

    Ctrl-C ends it; what was found until then is still reported.
    """
    started = time.monotonic()
    run = _Run(options, stdin)
    found: list[Finding] = []
    for name in names:
        if run.tally.interrupted:
            break
        try:
            found += run.target(name, label=shown_name(name) if len(names) > 1 else "")
        except OakumError as e:
            if len(names) == 1:
                raise
            run.targets.pop()
            run.stores.pop(len(run.targets), None)
            run.tally.leave_out([NotScanned(os.fsencode(shown_name(name)), str(e))])
    run.note_left()
    fetched = None
    if options.fetch and not run.tally.interrupted:
        objects = TargetScan(run.tally, b"", label="")
        fetched = run.fetch(objects, options.fetch)
        found += objects.findings(as_given)
    scan = conclude(run.tally, prove(merge(found)), [os.fsencode(target.name) for target in run.targets], started)
    return ListingResult(
        targets=tuple(run.targets),
        scan=scan,
        plan=run.plan.best(),
        named=run.plan.bands,
        kinds=run.plan.kinds,
        below_band=run.plan.below,
        reported=run.plan.reported,
        shown=_masking(run.searcher, found),
        fetched=fetched,
    )


def is_store(target: str) -> bool:
    """Whether a target is a store or a URL, and no file."""
    return _STORE.match(target) is not None


def shown_name(target: str) -> str:
    """A target as it is shown: without what could be a credential, unless it is a file."""
    return shown(target) if is_store(target) or (may_be_url(target) and not os.path.lexists(target)) else target


@dataclass(slots=True)
class _Run:
    """What is collected over all targets."""

    options: ListingOptions
    stdin: BinaryIO
    searcher: Surveyor = field(init=False)
    tally: Tally = field(init=False)
    plan: Plan = field(init=False)
    targets: list[Target] = field(default_factory=list)
    stores: dict[int, tuple[Store, Exposure]] = field(default_factory=dict)
    """Those that were asked, by the places of their targets, and who can read them."""
    left: Counter[tuple[bytes, str, bool]] = field(default_factory=Counter)
    survey: Survey = field(default_factory=Survey)
    folders: int = 0
    complete: bool = True
    inventory: Kind | None = None
    """What the manifest of an S3 inventory says of its files."""

    def __post_init__(self) -> None:
        told = self.options.scan
        self.searcher = Surveyor(SearchOptions(told.detectors, told.markers, told.engine, told.cache))
        self.tally = Tally(told, self.searcher)
        self.plan = Plan(told.min_band)

    def target(self, name: str, *, label: str) -> list[Finding]:
        """Read one target."""
        self.survey, self.folders, self.complete, self.inventory = Survey(), 0, True, None
        place = len(self.targets)
        target = Target(shown_name(name))
        self.targets.append(target)
        scan = TargetScan(self.tally, os.fsencode(target.name), label=label)
        entry = ListingEntry(target.name, b"", b"")
        if is_store(name):
            self._store(scan, name, place)
        elif name == "-":
            entry = replace(entry, listing="standard input")
            self._tell(place, name=entry.listing)
            self._read(scan, [Opened(self.stdin, b"standard input")], entry, UNKNOWN_AMOUNT)
        elif os.path.isdir(name):
            self._folder(scan, name, entry)
        else:
            files.require_readable(os.fsencode(name))
            with open(name, "rb") as file:
                self._read(scan, [Opened(file, os.fsencode(name), os.fsencode(name))], entry, os.path.getsize(name))
        self._tell(
            place,
            tree=self.survey.tree(),
            containers=self.survey.containers,
            folders=self.folders,
            complete=self.complete and not self.tally.interrupted,
        )
        return scan.findings(as_given)

    def fetch(self, scan: TargetScan, budget: FetchBudget) -> Fetched:
        """Read objects in the order of the plan, and search them."""
        from .fetch import fetch, planned
        from .journal import Journal

        plan = planned(self.plan.best(), self.stores)
        if not self.options.resume:
            return fetch(scan, plan, budget)
        with Journal(self.options.resume, self.searcher, self.options.scan.max_size) as journal:
            return fetch(scan, plan, budget, journal)

    def note_left(self) -> None:
        """Put what was left out, each thing with its count, into the tally."""
        self.tally.leave_out(NotScanned(what, why, policy, count) for (what, why, policy), count in self.left.items())

    def leave(self, entry: NotScanned) -> None:
        """Note what could not be read of the target at hand."""
        self.complete = self.complete and entry.policy
        self.left[entry.what, entry.why, entry.policy] += entry.count

    def _tell(self, place: int, **what: Any) -> None:
        """Something more of a target."""
        self.targets[place] = replace(self.targets[place], **what)

    def _store(self, scan: TargetScan, name: str, place: int) -> None:
        """A store that is asked, page by page."""
        from ..sources.stores.opening import open_store  # httpcore takes its time

        store = open_store(name, self.options.access)
        url = _signed(name, self.options.scan)
        exposure: Exposure = "public" if store.exposure == "anonymous" else "unknown"
        openness = ""
        if self.options.ask_anonymous and exposure != "public":
            asked = store.anybody()
            exposure, openness = _EXPOSURES[asked.state], asked.why
        self.stores[place] = store, exposure
        self._tell(place, name=store.title, exposure=exposure, openness=openness, url=url)
        entry = ListingEntry(store.origin, b"", b"", exposure)
        kinds: dict[str, None] = {}

        def units() -> Iterator[ListingUnit]:
            for page in store.pages():
                if isinstance(page, NotScanned):
                    self.leave(page)
                    continue
                kind = KINDS[page.kind] if page.kind else recognise(page.data[:HEAD])
                if kind is None:
                    self.leave(NotScanned(store.origin.encode(), NO_LISTING))
                    continue
                kinds[kind.title] = None
                for part in page.chunks(kind):
                    if isinstance(part, Chunk):
                        yield ListingUnit(part, entry, place, entered=bool(page.url), floor=self.plan.floor)
                    elif part.why != GOES_ON:
                        self.leave(part)

        self._search(scan, units(), SMALL)
        self._tell(place, kind=", ".join(kinds))

    def _folder(self, scan: TargetScan, name: str, entry: ListingEntry) -> None:
        """A folder with listings, such as the parts of an inventory."""
        left_out: list[NotScanned] = []
        paths = [os.path.join(name, os.fsdecode(p)) for p in files.walk(os.fsencode(name), left_out, shown=b"")]
        for one in left_out:
            self.leave(one)
        paths = [path for path in paths if not (os.path.basename(path) == MANIFEST and self._is_manifest(path))]

        def opened() -> Iterator[Opened]:
            for path in paths:
                try:
                    with open(path, "rb") as file:
                        yield Opened(file, os.fsencode(path), os.fsencode(path))
                except OSError as e:
                    self.leave(NotScanned(os.fsencode(path), f"cannot be read: {e.strerror or e}"))

        self._read(scan, opened(), entry, sum(files.size(os.fsencode(path)) for path in paths))

    def _is_manifest(self, path: str) -> bool:
        """Whether a file is the manifest of an S3 inventory; what it says of the others is kept. What is none is read
        as they are, and one that cannot be opened is told with them."""
        try:
            with open(path, "rb") as file:
                text = file.read(LARGEST_MANIFEST)
        except OSError:
            return False
        self.inventory = s3_inventory(text) or self.inventory
        return b'"fileSchema"' in text

    def _read(self, scan: TargetScan, streams: Iterable[Opened], entry: ListingEntry, amount: int) -> None:
        """Read listings."""
        kinds: dict[str, None] = {}
        place = len(self.targets) - 1

        def units() -> Iterator[ListingUnit]:
            for stream in streams:
                part = stream.name if stream.name != os.fsencode(entry.listing) else b""
                for read in self._parts(stream, kinds):
                    if isinstance(read, NotScanned):
                        self.leave(of_part(part, read) if read.what != stream.name else read)
                    else:
                        yield ListingUnit(read, entry, place, part=part, floor=self.plan.floor)
                for problem in stream.problems:
                    self.leave(problem)

        self._search(scan, units(), amount)
        self._tell(place, kind=", ".join(kinds))

    def _parts(self, stream: Opened, kinds: dict[str, None]) -> Iterator[Chunk | Read]:
        """The chunks of a listing, by its kind; of one in Parquet or ORC what it says."""
        if columnar.is_columnar(stream.head) and not self.options.kind:
            kinds[columnar.TITLE] = None
            if stream.path:
                return columnar.read_columnar(stream.path)
            return iter([NotScanned(stream.name, columnar.NO_STREAM)])
        kind = KINDS[self.options.kind] if self.options.kind else recognise(stream.head)
        if self.inventory and (kind is None or kind.name == self.inventory.name):
            kind = self.inventory
        if kind is None:
            return iter([NotScanned(stream.name, NO_LISTING)])
        kinds[kind.title] = None
        return kind.split(stream, b"")

    def _search(self, scan: TargetScan, units: Iterable[ListingUnit], amount: int) -> None:
        searcher, progress = self.searcher, self.options.scan.progress
        searcher.prepare(amount)
        _ = searcher.rules  # read once, for all processes that are forked
        jobs = self.options.scan.jobs if amount > SMALL and sys.platform == "linux" else 1
        with scan.stage("listing"):
            try:
                for harvest in Pool(searcher, amount=amount, jobs=jobs).run(units):
                    for one in harvest.not_scanned:
                        self.leave(one)
                    harvest.not_scanned.clear()
                    if isinstance(harvest, Surveyed):
                        self.survey.merge(harvest.survey)
                        self.plan.add(harvest.names)
                        self.folders += harvest.folders
                    scan.take(harvest)
                    progress("entries", self.tally.counts[ENTRIES], 0)
            except KeyboardInterrupt:
                self.tally.interrupted = True


def _signed(url: str, options: ScanOptions) -> RankedFinding | None:
    """What a target is that is a signed URL."""
    explained = explain(os.fsencode(url), now=options.now, detectors=options.detectors, cache=options.cache)
    signed = (ranked for ranked, _ in explained.secrets if ranked.finding.detector.kind in SIGNED_KINDS)
    return next(signed, None)


def _masking(searcher: Surveyor, found: Sequence[Finding]) -> Callable[[bytes], bytes]:
    """What makes a key or a prefix fit to be shown: known values and what any detector takes are masked."""
    redactor = Redactor(found)

    @functools.lru_cache(maxsize=1 << 16)
    def shown(text: bytes) -> bytes:
        text = redactor.name(text)
        for match in sorted(searcher.engine.search([Piece(text)]).matches, key=lambda m: -m.span.start):
            text = text[: match.span.start] + match.secret.mask().encode() + text[match.span.end :]
        return text

    return shown
