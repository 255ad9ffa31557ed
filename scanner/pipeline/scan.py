"""A scan from its targets to its result: units are searched, what they gave becomes findings, and those are ranked."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from ..errors import GitError, OakumError, UsageError
from ..ledger import Ledger, Resolve
from ..model import (
    BANDS,
    Coverage,
    Detector,
    File,
    Finding,
    GitBlob,
    NotScanned,
    Origin,
    RankedFinding,
    ScanResult,
    Secret,
    clean,
    is_reserved,
)
from ..prove import prove
from ..rank import order
from ..sources import Heard, files, git
from . import targets
from .judge import judged
from .memory import Memory
from .options import ScanOptions
from .redact import Redactor
from .workers import AnyUnit, Harvest, Pool, Searcher, searcher_for, where_raised

SMALL = 4 << 20
"""Less than this many bytes are searched in one process: starting others would take longer."""
MOST_HEARD = 256 << 20
"""Bytes that are kept of what commits say of themselves; the rest is read again."""
NOT_SCANNED_KEPT = 200
"""Entries of the not-scanned list that are kept one by one for each reason; the rest is counted."""

KnownFingerprints = dict[Secret, str]


def scan(names: Sequence[bytes], options: ScanOptions, stdin: BinaryIO) -> ScanResult:
    """Scan targets (repositories, folders, files, `-` for standard input) and rank what is found in them.

    Ctrl-C ends the search; what was found until then is still ranked and returned, marked as interrupted.
    """
    started = time.monotonic()
    tally = Tally(options, searcher_for(options))
    for name in names:
        if name != b"-":
            files.require_readable(name)
    found: list[Finding] = []
    for name in names:
        if not tally.interrupted:
            target = TargetScan(tally, name, label=clean(name) if len(names) > 1 else "")
            try:
                resolve = _attempt(target, name, options, stdin)
            except UsageError as e:
                if not found:
                    raise
                tally.leave_out([NotScanned(name, str(e))])
                continue
            found += target.findings(resolve)
    return conclude(tally, prove(_merge(found)), names, started)


def conclude(tally: Tally, found: list[Finding], names: Sequence[bytes], started: float) -> ScanResult:
    """The result of a scan of the targets of these names: what was found, ranked, and all that was counted."""
    ranked, kept = _rank(found, tally)
    if not tally.interrupted:
        fingerprints = {one.finding.secret: one.fingerprint for one in kept}
        for memory in tally.memories:
            memory.keep(tally.fingerprints | fingerprints)
    redactor = Redactor(found)
    return ScanResult(
        findings=[redactor.finding(r) for r in kept],
        not_scanned=[redactor.not_scanned(n) for n in tally.all_not_scanned()],
        suppressed=tuple(sorted(Counter(reason for reason, _ in tally.suppressed).items())),
        dropped=tuple(sorted(Counter(reason for reason, _ in tally.dropped).items())),
        coverage=Coverage(
            targets=tuple(clean(n) for n in names),
            counts=tuple(sorted(tally.counts.items())),
            bytes=tally.bytes,
            copied=tally.copied,
            packs=tally.packs,
            seconds=time.monotonic() - started,
            detectors=len(tally.searcher.catalog),
            matcher=tally.searcher.matcher,
            matcher_why=tally.searcher.why,
            notes=tuple(tally.searcher.notes()),
            stages=tuple(tally.stages.items()),
        ),
        started=tally.options.now,
        below_band=len(ranked) - len(kept),
        interrupted=tally.interrupted,
    )


def _attempt(scan: TargetScan, name: bytes, options: ScanOptions, stdin: BinaryIO) -> Resolve:
    """Search one target. Whatever goes wrong, what was found until then is kept, and told without attribution."""
    try:
        return _scan_target(scan, name, options, stdin)
    except KeyboardInterrupt:
        scan.tally.interrupted = True
    except GitError as e:
        scan.leave_out([NotScanned(name, f"git failed on it, so that some of it may be missing here: {e}")])
    except OakumError:
        raise
    except Exception as e:  # noqa: BLE001  out of memory in attribution, say
        scan.leave_out([NotScanned(name, f"an error in oakum ({where_raised(e)}) ended its scan; please report it")])
    return targets.as_given


def _scan_target(scan: TargetScan, name: bytes, options: ScanOptions, stdin: BinaryIO) -> Resolve:
    if name == b"-":
        scan.search("standard input", [files.StdinUnit(stdin)])
        return targets.as_given
    if not os.path.isdir(name):
        unit = files.one_file(name, max_size=options.max_size)
        scan.search("files", [unit], total=1, amount=unit.weight)
        return targets.as_given
    try:
        repository = git.open_repository(name, options.environment)
    except GitError as e:
        if options.narrowed:
            raise UsageError(str(e)) from e
        scan.leave_out([NotScanned(name, f"git could not be used on it, only its files were searched: {e}")])
        return targets.folder(scan, name, options)
    if repository is None:
        if options.narrowed:
            raise UsageError(f"{clean(name)} is no git repository: --range, --branch, --since and --staged need one")
        return targets.folder(scan, name, options)
    kind = targets.selection if options.narrowed else targets.repository if options.history else targets.current
    return kind(scan, repository, options)


@dataclass(slots=True)
class Tally:
    """What is counted over all targets of a scan."""

    options: ScanOptions
    searcher: Searcher
    not_scanned: dict[tuple[bytes, str], NotScanned] = field(default_factory=dict)
    folded: Counter[tuple[str, bool]] = field(default_factory=Counter)
    kept: Counter[tuple[str, bool]] = field(default_factory=Counter)
    suppressed: set[tuple[str, bytes]] = field(default_factory=set)
    dropped: set[tuple[str, bytes]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    stages: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    copied: int = 0
    packs: str = ""
    interrupted: bool = False
    memories: list[Memory] = field(default_factory=list)
    fingerprints: KnownFingerprints = field(default_factory=dict)
    """Those known from former scans."""

    def leave_out(self, entries: Iterable[NotScanned]) -> None:
        """Note what was not searched: each thing once, and not without end."""
        for entry in entries:
            if (entry.what, entry.why) in self.not_scanned:
                continue
            reason = (entry.why[:24], entry.policy)
            self.kept[reason] += 1
            if self.kept[reason] <= NOT_SCANNED_KEPT:
                self.not_scanned[entry.what, entry.why] = entry
            else:
                self.folded[reason] += entry.count

    def all_not_scanned(self) -> list[NotScanned]:
        """The entries kept, and one for each reason with more of them."""
        more = [NotScanned(b"", f"more of the same: {why}…", policy, n) for (why, policy), n in self.folded.items()]
        return [*self.not_scanned.values(), *more]


class TargetScan:
    """The scan of one target: what its workers find goes into a ledger, what they could not read into the tally."""

    def __init__(self, tally: Tally, name: bytes, *, label: str) -> None:
        self.tally = tally
        self.ledger = Ledger(tally.searcher.by_id)
        self._label = label
        self._folder = os.path.join(name, b"") if os.path.isdir(name) else os.path.dirname(name)
        self.heard: list[Heard] = []

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C has ended the search."""
        return self.tally.interrupted

    def leave_out(self, entries: Iterable[NotScanned]) -> None:
        """Note what was not searched."""
        self.tally.leave_out(entries)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a stage, for --stats."""
        begun = time.monotonic()
        self.tally.options.progress(name, 0, 0)
        try:
            yield
        finally:
            self.tally.stages[name] = self.tally.stages.get(name, 0.0) + time.monotonic() - begun

    def search(
        self,
        what: str,
        units: Iterable[AnyUnit],
        *,
        total: int = 0,
        amount: int = 0,
        into: Harvest | None = None,
        counted: bool = True,
    ) -> None:
        """Search units that hold about `amount` bytes, in several processes where that pays; what they give is added to
        `into`, too. What is not to be `counted` was counted before."""
        if self.interrupted:
            return
        options, searcher = self.tally.options, self.tally.searcher
        with self.stage("matcher"):
            searcher.prepare(amount)
        pool = Pool(searcher, amount=amount, jobs=options.jobs if amount > SMALL and total != 1 else 1)
        with self.stage(what):
            try:
                for done, harvest in enumerate(pool.run(units), 1):
                    if not counted:
                        harvest.counts.clear()
                        harvest.bytes = 0
                    self.take(harvest, into=into)
                    options.progress(what, done, total)
            except KeyboardInterrupt:
                self.tally.interrupted = True

    def take(self, harvest: Harvest, *, into: Harvest | None = None) -> None:
        """Take what a unit gave."""
        tally = self.tally
        if into is not None:
            into.add(harvest)
        tally.leave_out(harvest.not_scanned)
        tally.suppressed |= harvest.suppressed
        tally.dropped |= harvest.dropped
        tally.counts.update(harvest.counts)
        tally.bytes += harvest.bytes
        tally.copied += harvest.copied
        if harvest.heard and sum(len(one.said) for one in self.heard) < MOST_HEARD:
            self.heard += harvest.heard
        for origin, sightings in harvest.found:
            for sighting in sightings:
                self.ledger.add(origin, sighting)

    def _inside(self, origin: Origin) -> bytes:
        """The path of an origin inside the target: how the way to the target is called says nothing of a secret."""
        path = origin.path if isinstance(origin, File | GitBlob) else b""
        inside = isinstance(origin, File) and path.startswith(self._folder)
        return path[len(self._folder) :].lstrip(b"/") if inside else path

    def findings(self, resolve: Resolve) -> list[Finding]:
        """The findings of this target, its places attributed and classed."""
        allowlist = self.tally.searcher.allowlist
        suppressed = self.tally.suppressed

        def kept(detector: Detector, origin: Origin, blobs: set[str]) -> list[tuple[Origin, int]]:
            fit: list[tuple[Origin, int]] = []
            for full, place in resolve(detector, origin, blobs):
                reason = allowlist.review_path(detector, self._inside(full))
                if reason:
                    suppressed.add((reason, detector.id.encode() + b" " + self._inside(full)))
                else:
                    fit.append((full, place))
            return fit

        out: list[Finding] = []
        for finding in self.ledger.findings(kept):
            occurrences = tuple(
                replace(o, path_class=allowlist.path_class(self._inside(o.origin)), target=self._label)
                for o in finding.occurrences
            )
            out.append(replace(finding, occurrences=occurrences))
        if self.ledger.lost:
            why = "more distinct secrets than are kept; scan a part of it (--range, a subfolder)"
            self.leave_out([NotScanned(b"findings", why, count=self.ledger.lost)])
        return out


def _merge(found: Iterable[Finding]) -> list[Finding]:
    """Findings of several targets: the same secret is one finding."""
    merged: dict[bytes, Finding] = {}
    for finding in found:
        key = finding.secret.canonical()
        other = merged.get(key)
        if other:
            best, more = sorted((other, finding), key=_merit)
            also = {*best.also, *more.also, more.detector.id} - {best.detector.id}
            finding = replace(
                best,
                also=tuple(sorted(also)),
                occurrences=other.occurrences + finding.occurrences,
                folded=other.folded + finding.folded,
            )
        merged[key] = finding
    return list(merged.values())


def _merit(finding: Finding) -> tuple[int, bool]:
    """The more specific detector first, then a host that others can reach."""
    return -finding.detector.specificity, is_reserved(dict(finding.facts).get("host", ""))


def _rank(found: list[Finding], tally: Tally) -> tuple[list[RankedFinding], list[RankedFinding]]:
    """All findings ranked, and those from --min-band upwards, worst first, with their fingerprints.

    Fingerprints of guessable values take long on purpose; only what is reported gets one. After Ctrl-C they are left
    out, and the report is written at once.
    """
    options = tally.options
    ranked = [judged(finding, options.now) for finding in found]
    kept = [r for r in ranked if BANDS.index(r.band) <= BANDS.index(options.min_band)]
    if tally.interrupted:
        return ranked, order(kept)
    from concurrent.futures import ThreadPoolExecutor

    named: list[RankedFinding] = []

    def fingerprint(one: RankedFinding) -> str:
        return tally.fingerprints.get(one.finding.secret, "") or one.finding.secret.fingerprint()

    with ThreadPoolExecutor(options.jobs) as threads:
        try:
            for one, name in zip(kept, threads.map(fingerprint, kept), strict=True):
                named.append(replace(one, fingerprint=name))
                options.progress("fingerprints", len(named), len(kept))
        except KeyboardInterrupt:
            tally.interrupted = True
            threads.shutdown(wait=False, cancel_futures=True)
    return ranked, order([*named, *kept[len(named) :]])
