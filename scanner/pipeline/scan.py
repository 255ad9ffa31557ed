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
    ListingEntry,
    NotScanned,
    Origin,
    RankedFinding,
    ScanResult,
    Secret,
    StoredObject,
    Suppression,
    clean,
    is_reserved,
)
from ..prove import prove
from ..rank import order
from ..sources import Heard, files, git
from ..suppressions import BASELINE, BY_FINGERPRINT, Suppressions
from . import targets
from .judge import judged
from .memory import Memory
from .options import ScanOptions
from .redact import Redactor
from .verified import require_known, verified
from .workers import AnyUnit, Harvest, Pool, Searcher, digest, searcher_for, where_raised

SMALL = 4 << 20
"""Less than this many bytes are searched in one process: starting others would take longer."""
MOST_HEARD = 256 << 20
"""Bytes that are kept of what commits say of themselves; the rest is read again."""
NOT_SCANNED_KEPT = 200
"""Entries of the not-scanned list that are kept one by one for each reason; the rest is counted."""

KnownFingerprints = dict[Secret, str]


def scan(names: Sequence[bytes], options: ScanOptions, stdin: BinaryIO, searcher: Searcher | None = None) -> ScanResult:
    """Scan targets (repositories, folders, files, `-` for standard input) and rank what is found in them.

    Ctrl-C ends the search; what was found until then is still ranked and returned, marked as interrupted. Who scans
    again and again gives the `searcher` that `searcher_for` made of the same options once.
    """
    started = time.monotonic()
    tally = Tally(options, searcher or searcher_for(options))
    if options.verify is not None:
        require_known(options.verify, tally.searcher.catalog)
    for name in names:
        if name != b"-":
            files.require_readable(name)
    found: list[Finding] = []
    for name in names:
        if not tally.interrupted:
            target = TargetScan(tally, name, label=clean(name) if len(names) > 1 else "")
            try:
                resolve = _attempt(target, name, target.options, stdin)
            except UsageError as e:
                if not found:
                    raise
                tally.leave_out([NotScanned(name, str(e))])
                continue
            found += target.findings(resolve)
    return conclude(tally, prove(merge(found)), names, started)


def conclude(tally: Tally, found: list[Finding], names: Sequence[bytes], started: float) -> ScanResult:
    """The result of a scan of the targets of these names: what was found, ranked, and all that was counted."""
    ranked = _rank(found, tally)
    if not tally.interrupted:
        for memory in tally.memories:
            memory.keep(tally.fingerprints)
    left = [one for one in (_unaccepted(one, tally) for one in ranked) if one]
    asked: tuple[tuple[str, int], ...] = ()
    if tally.options.verify is not None and not tally.interrupted:
        told = verified(left, tally.options.verify, tally.options.progress)
        left, asked, tally.interrupted = told.findings, told.asked, told.interrupted
    kept = order(one for one in left if _is_told(one, tally))
    redactor = Redactor(found)
    result = ScanResult(
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
            asked=asked,
        ),
        started=tally.options.now,
        below_band=len(left) - len(kept),
        interrupted=tally.interrupted,
        expired=tuple(dict.fromkeys(redactor.suppression(e) for a in tally.accepted.values() for e in a.expired)),
    )
    stale = tally.stale(secrets=not result.below_band) if result.complete else ()
    return replace(result, stale=tuple(map(redactor.suppression, stale)))


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
        scan.tally.whole.add(name)
        return targets.folder(scan, name, options)
    scan.folder = b""
    if options.history and not options.narrowed and not repository.shallow:
        scan.tally.whole.add(name)
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
    whole: set[bytes] = field(default_factory=set)
    """The targets that were searched as a whole."""
    counts: Counter[str] = field(default_factory=Counter)
    stages: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    copied: int = 0
    packs: str = ""
    interrupted: bool = False
    memories: list[Memory] = field(default_factory=list)
    fingerprints: KnownFingerprints = field(default_factory=dict)
    """Those known from former scans, and from this one."""
    accepted: dict[str, Suppressions] = field(default_factory=dict)
    """What is accepted in each target, by its label; and the band from which on it is reported."""
    bands: dict[str, str] = field(default_factory=dict)

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

    def stale(self, *, secrets: bool) -> Iterator[Suppression]:
        """What targets' own configuration accepts and was not met. Whether `secrets` were is not always known."""
        used = {entry for one in self.accepted.values() for entry in (*one.used, *one.expired)}
        known = used.union(self.options.suppressions)
        for name, own in self.options.configured.items():
            for entry in own.allow if name in self.whole else ():
                if entry not in known and (secrets or not entry.fingerprint):
                    known.add(entry)
                    yield entry

    def all_not_scanned(self) -> list[NotScanned]:
        """The entries kept, and one for each reason with more of them."""
        more = [NotScanned(b"", f"more of the same: {why}…", policy, n) for (why, policy), n in self.folded.items()]
        return [*self.not_scanned.values(), *more]


class TargetScan:
    """The scan of one target: what its workers find goes into a ledger, what they could not read into the tally."""

    def __init__(self, tally: Tally, name: bytes, *, label: str) -> None:
        self.tally = tally
        self.ledger = Ledger(tally.searcher.by_id)
        self.options = tally.options.of_target(name)
        self.folder = os.path.join(name, b"") if os.path.isdir(name) else os.path.dirname(name)
        """What paths of files begin with that are not relative to the target."""
        self._label = label
        today = tally.options.now.date()
        self._accepted = tally.accepted.setdefault(label, Suppressions(self.options.suppressions, today))
        tally.bands.setdefault(label, self.options.min_band)
        self.heard: list[Heard] = []

    def know_no_places(self) -> None:
        """Not all places of what was found are known: what is accepted by its path is not accepted then."""
        kept = tuple(entry for entry in self.options.suppressions if not entry.path)
        self._accepted = Suppressions(kept, self.tally.options.now.date())
        self.tally.accepted[self._label] = self._accepted

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
        if isinstance(origin, StoredObject | ListingEntry):
            return origin.key
        path = origin.path if isinstance(origin, File | GitBlob) else b""
        inside = isinstance(origin, File) and path.startswith(self.folder)
        return path[len(self.folder) :].lstrip(b"/") if inside else path

    def findings(self, resolve: Resolve) -> list[Finding]:
        """The findings of this target, its places attributed and classed."""
        allowlist = self.tally.searcher.allowlist
        suppressed = self.tally.suppressed

        def keep(detector: Detector, secret: Secret, place: Origin) -> bool:
            path = self._inside(place)
            reason = allowlist.review_path(detector, path)
            if reason:
                suppressed.add((reason, detector.id.encode() + b" " + path))
            elif reason := self._accepted.of_place(detector.id, path):
                suppressed.add((reason, digest(secret)))
            return not reason

        out: list[Finding] = []
        for finding in self.ledger.findings(resolve, keep):
            occurrences = tuple(
                replace(
                    o,
                    path_class=allowlist.path_class(self._inside(o.origin)),
                    target=self._label,
                    readers=self.options.readers,
                )
                for o in finding.occurrences
            )
            out.append(replace(finding, occurrences=occurrences))
        if self.ledger.lost:
            why = "more distinct secrets than are kept; scan a part of it (--range, a subfolder)"
            self.leave_out([NotScanned(b"findings", why, count=self.ledger.lost)])
        return out


def merge(found: Iterable[Finding]) -> list[Finding]:
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


def _rank(found: list[Finding], tally: Tally) -> list[RankedFinding]:
    """All findings ranked, those from --min-band upwards with their fingerprints.

    Fingerprints of guessable values take long on purpose; only what is reported gets one. After Ctrl-C they are left
    out, and the report is written at once.
    """
    options = tally.options
    ranked = [judged(finding, options.now) for finding in found]
    if tally.interrupted:
        return ranked
    from concurrent.futures import ThreadPoolExecutor

    told = {place: one for place, one in enumerate(ranked) if _is_told(one, tally) or _is_asked(one, options)}

    def fingerprint(one: RankedFinding) -> str:
        return tally.fingerprints.get(one.finding.secret, "") or one.finding.secret.fingerprint()

    with ThreadPoolExecutor(options.jobs) as threads:
        try:
            names = threads.map(fingerprint, told.values())
            for done, ((place, one), name) in enumerate(zip(told.items(), names, strict=True), 1):
                ranked[place] = replace(one, fingerprint=name)
                tally.fingerprints[one.finding.secret] = name
                options.progress("fingerprints", done, len(told))
        except KeyboardInterrupt:
            tally.interrupted = True
            threads.shutdown(wait=False, cancel_futures=True)
    return ranked


def _is_asked(one: RankedFinding, options: ScanOptions) -> bool:
    """Whether its provider may be asked about it, whatever its band is until then."""
    return options.verify is not None and one.finding.detector.verify is not None


def _is_told(one: RankedFinding, tally: Tally) -> bool:
    """Whether a finding is in a band that is reported of a target in which it stands."""
    bands = {tally.bands[o.target] for o in one.finding.occurrences}
    return any(BANDS.index(one.band) <= BANDS.index(band) for band in bands)


def _unaccepted(one: RankedFinding, tally: Tally) -> RankedFinding | None:
    """A finding without its places in targets where its secret is accepted; None where no place is left."""
    finding, name = one.finding, one.fingerprint
    if name in tally.options.baseline:
        tally.suppressed.add((BASELINE, name.encode()))
        return None
    targets = {o.target for o in finding.occurrences}
    accepting = {target for target in targets if tally.accepted[target].of_secret(name)}
    if not accepting:
        return one
    if accepting == targets:
        tally.suppressed.add((BY_FINGERPRINT, name.encode()))
        return None
    left = tuple(o for o in finding.occurrences if o.target not in accepting)
    return replace(judged(replace(finding, occurrences=left), tally.options.now), fingerprint=name)
