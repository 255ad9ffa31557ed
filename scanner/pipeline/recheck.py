"""A former report checked again: what it found is read again where it stood, and its providers are asked anew.

Of a report only this is believed: that there is a secret of this fingerprint, and where to look for it. What is found
there is searched as in a scan, by the detectors of today; the value whose fingerprint it is, is the secret, and what is
known of it, whom to ask and where, comes out of what was read. Nothing outside of the targets is read, nor through
symbolic links; nothing that does not stand in one of its places any more is asked about.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ..errors import GitError, TargetError, UsageError
from ..ledger import Ledger
from ..model import (
    Coverage,
    File,
    Finding,
    GitBlob,
    GitMessage,
    ListingEntry,
    NotScanned,
    Origin,
    RankedFinding,
    ScanResult,
    Secret,
    Stdin,
    clean,
)
from ..prove import prove
from ..rechecked import OUTCOMES, Former, FormerPlace, FormerReport, RecheckResult
from ..report.text import name_of
from ..sources import files, objects
from ..sources.git import Repository
from .judge import judged
from .options import ScanOptions
from .places import Places, inside
from .redact import Redactor
from .scan import merge
from .targets import as_given
from .verified import STOPPED, require_known, verified
from .workers import searcher_for

GONE = "it does not stand there any more"
UNREAD = "stopped before it was read"
_NOTES = re.compile(r"refs/notes/[\w-]{1,60}(?:/[\w-]{1,60}){0,8}", re.ASCII)


def recheck(name: str, report: FormerReport, targets: Sequence[bytes], options: ScanOptions) -> RecheckResult:
    """Check a report of this name again, in these targets (folders, repositories, files), or in those that it names.

    `options.verify` says how to ask; what it leaves out (`only`) is not read either: UsageError where that is all of
    it. Ctrl-C ends it; what was told until then is in the result, marked as interrupted.
    """
    assert options.verify is not None
    started = time.monotonic()
    run = _Recheck(report, options)
    run.take(targets or [os.fsencode(one) for one in report.targets] or [b"."], given=bool(targets))
    interrupted, asked = False, Counter[str]()
    try:
        run.search()
    except KeyboardInterrupt:
        run.interrupted = interrupted = True
    found = run.found()
    if interrupted:
        found = [
            replace(one, finding=replace(one.finding, verdict=STOPPED))
            if one.finding.verdict.state == "unknown"
            else one
            for one in found
        ]
    else:
        told = verified(found, options.verify, options.progress)
        found, interrupted = told.findings, told.interrupted
        asked.update(dict(told.asked))
    redactor = Redactor(one.finding for one in found)
    result = ScanResult(
        findings=[redactor.finding(one) for one in found],
        not_scanned=[redactor.not_scanned(one) for one in run.not_read(one.fingerprint for one in found)],
        suppressed=(),
        dropped=(),
        coverage=Coverage(
            targets=tuple(clean(one.name) for one in run.targets),
            counts=tuple(sorted(run.counts.items())),
            bytes=sum(one.places.bytes for one in run.targets),
            seconds=time.monotonic() - started,
            detectors=len(run.searcher.catalog),
            notes=tuple(run.searcher.notes()),
            asked=tuple((state, asked[state]) for state in ("live", "dead", "unknown")),
        ),
        started=options.now,
        interrupted=interrupted,
    )
    former = {one.fingerprint: redactor.verdict(one.verdict) for one in run.chosen}
    checked = RecheckResult(result, former, report, name)
    ordered = sorted(result.findings, key=lambda one: (OUTCOMES.index(checked.outcome(one)), -one.score))
    return replace(checked, scan=replace(result, findings=ordered))


@dataclass(slots=True)
class _Target:
    """A target, what is to be read in it, and for which fingerprints."""

    name: bytes
    places: Places
    ledger: Ledger
    wanted: dict[Origin, dict[str, FormerPlace]] = field(default_factory=lambda: defaultdict(dict))
    alone: bool = False
    """Whether it is a single file."""


class _Recheck:
    def __init__(self, report: FormerReport, options: ScanOptions) -> None:
        self._options = options
        self.searcher = searcher_for(replace(options, markers=False))
        assert options.verify is not None
        require_known(options.verify, self.searcher.catalog)
        self.chosen = [one for one in report.findings if self._is_chosen(one)]
        if report.findings and not self.chosen:  # or it would look as if all were dead
            only = clean(",".join(sorted(options.verify.only)))
            raise UsageError(f"--verify-only {only}: the report has no finding of these, so nobody can be asked")
        self.targets: list[_Target] = []
        self.counts: Counter[str] = Counter()
        self._report = report
        self._why: dict[str, str] = {}
        """Why a place of a finding could not be read, by its fingerprint."""
        self._lost: list[NotScanned] = []
        self.interrupted = False
        self._names: dict[Secret, str] = {}
        """Fingerprints."""
        if report.unnamed:
            why = "the report has no fingerprint of it, as that scan was stopped"
            self._lost.append(NotScanned(b"a finding", why, count=report.unnamed))

    def _is_chosen(self, former: Former) -> bool:
        assert self._options.verify is not None
        only, detector = self._options.verify.only, self.searcher.by_id.get(former.detector)
        return not only or detector is None or detector.id in only or detector.provider in only

    def take(self, names: Iterable[bytes], *, given: bool) -> None:
        """Open targets. Those that the user has `given` must be there."""
        for name in dict.fromkeys(names):
            try:
                if name == b"-":
                    raise TargetError("standard input cannot be read again: name the file or folder that it came from")
                files.require_readable(name)
            except TargetError as error:
                if given:
                    raise
                self._lost.append(NotScanned(name, f"the target cannot be read again: {error}"))
                continue
            alone = not os.path.isdir(name)
            places = Places(os.path.dirname(os.path.abspath(name)) if alone else name, self._options, self.searcher)
            self.targets.append(_Target(name, places, Ledger(self.searcher.by_id), alone=alone))

    def search(self) -> None:
        """Read all places, search them, and take what is meant of what is found."""
        labels = {clean(target.name) for target in self.targets}
        for former in self.chosen:
            for place in former.places:
                if place.origin is None:
                    self._why[former.fingerprint] = "it stands in a place of a kind that this oakum does not know"
                for target in self.targets if place.origin else ():
                    if place.target not in labels or place.target == clean(target.name):
                        self._want(target, former.fingerprint, place)
        with ThreadPoolExecutor(self._options.jobs) as threads:
            for number, target in enumerate(self.targets):
                self._options.progress("reading again", number, len(self.targets))
                try:
                    self._read(target)
                except GitError as error:
                    self._lost.append(NotScanned(target.name, f"git failed on it: {error}"))
                self.counts.update(target.places.counts)
                try:
                    for origin, wanted in target.wanted.items():
                        self._identify(target, origin, wanted, threads)
                except KeyboardInterrupt:
                    threads.shutdown(wait=False, cancel_futures=True)
                    raise

    def _read(self, target: _Target) -> None:
        if target.alone:
            if target.wanted:
                target.places.search_file(target.name)
            return
        if target.places.repository is not None:
            self._look_up(target, target.places.repository)
        target.places.search(target.wanted)

    def _want(self, target: _Target, fingerprint: str, place: FormerPlace) -> None:
        """Note a place of a finding as one to be read in a target, or why it is not."""
        match place.origin:
            case File(path=path):
                wanted = list(self._files(target, path))
                for one in wanted:
                    target.wanted[File(one)][fingerprint] = place
                if not wanted:
                    self._why.setdefault(fingerprint, f"{clean(path)}: there is no such file in {clean(target.name)}")
            case GitBlob() | GitMessage() if target.places.repository is None:
                self._why.setdefault(fingerprint, f"{clean(target.name)}: {target.places.why_no_git}")
            case GitBlob(blob=name):
                target.wanted[GitBlob(name)][fingerprint] = place
            case GitMessage(message=kind, target=name, via=via):
                target.wanted[GitMessage(kind, name, via=via if kind == "note" else "")][fingerprint] = place
            case Stdin():
                self._why.setdefault(fingerprint, "it came in on standard input, which cannot be read again")
            case ListingEntry():
                self._why.setdefault(fingerprint, "it stands in a listing: run `oakum listing` on that again")
            case _:
                self._why.setdefault(fingerprint, "it stands in an object of a store, which is not read again")

    def _files(self, target: _Target, path: bytes) -> Iterator[bytes]:
        """Which files of a target a path of the report may mean: as it was called in one of the report's targets, or
        from the top of this one."""
        if target.alone:
            if os.path.abspath(path) == os.path.abspath(target.name) or os.fsdecode(path) in self._report.targets:
                yield target.name
            return
        called = [os.fsencode(one) for one in self._report.targets]
        tops = sorted({os.path.join(one, b"") for one in (*called, target.name)}, key=len, reverse=True)
        candidates = [path[len(top) :] for top in tops if path.startswith(top)] + [path]
        found = (inside(one, target.places.root) for one in candidates)
        for one in dict.fromkeys(one for one in found if one):
            if os.path.lexists(os.path.join(target.places.root, one)):
                yield one

    def _look_up(self, target: _Target, repository: Repository) -> None:
        """Leave out the objects that the repository does not have, or has as something else."""
        asked: list[tuple[Origin, str, bytes]] = []
        for origin in target.wanted:
            match origin:
                case GitBlob(blob=name):
                    asked.append((origin, "blob", name.encode()))
                case GitMessage(message="note", target=name, via=via):
                    folders = (name, f"{name[:2]}/{name[2:]}", f"{name[:2]}/{name[2:4]}/{name[4:]}")
                    ref = via if _NOTES.fullmatch(via) else "refs/notes/commits"
                    asked += [(origin, "blob", f"{ref}:{path}".encode()) for path in folders]
                case GitMessage(message=kind, target=name):
                    asked.append((origin, kind, name.encode()))
        there: dict[Origin, Origin] = {}
        answers = objects.look_up(repository, [name for _, _, name in asked]) if asked else []
        for (origin, wished, _), answer in zip(asked, answers, strict=True):
            if answer and answer[1] == wished:
                there[origin] = GitBlob(answer[0]) if wished == "blob" else origin
        for origin in dict.fromkeys(origin for origin, _, _ in asked):
            wanted = target.wanted.pop(origin, {})
            if origin in there:
                target.wanted[there[origin]] |= wanted
                continue
            for fingerprint, place in wanted.items():
                what = name_of(place.origin) if place.origin else ""
                why = f"{what}: it is not in the repository {clean(target.name)} any more, or not in this clone"
                self._why.setdefault(fingerprint, why)

    def found(self) -> list[RankedFinding]:
        """What was found again, each as one finding, ranked, with its fingerprint."""
        found = [finding for target in self.targets for finding in self._findings(target)]
        ranked = (judged(finding, self._options.now) for finding in prove(merge(found)))
        return [replace(one, fingerprint=self._names[one.finding.secret]) for one in ranked]

    def _identify(
        self, target: _Target, origin: Origin, wanted: dict[str, FormerPlace], threads: ThreadPoolExecutor
    ) -> None:
        """Which of the values that stand in a place are those of the report."""
        sightings, lost = target.places.seen(origin)
        left = set(wanted)
        lines = {place.line for place in wanted.values()}
        near = [one for one in sightings if one.span.line in lines]
        for some in (near, [one for one in sightings if one.span.line not in lines]):
            self._name({one.secret for one in some} if left else set(), threads)
            for one in some:
                name = self._names.get(one.secret, "")
                if name in wanted:
                    left.discard(name)
                    target.ledger.add(wanted[name].origin or origin, one)  # for readers, as the report tells it
        for name in left:
            place = wanted[name]
            what = name_of(place.origin) if place.origin else ""
            self._why.setdefault(name, f"{what}: {lost or GONE}")

    def _name(self, secrets: Iterable[Secret], threads: ThreadPoolExecutor) -> None:
        new = [one for one in secrets if one not in self._names]
        self._names.update(zip(new, threads.map(Secret.fingerprint, new), strict=True))

    def _findings(self, target: _Target) -> Iterator[Finding]:
        label = clean(target.name) if len(self.targets) > 1 else ""
        for finding in target.ledger.findings(as_given):
            occurrences = []
            for one in finding.occurrences:
                path = one.origin.path if isinstance(one.origin, File | GitBlob) else b""
                path = path.removeprefix(os.path.join(target.name, b""))
                kind = self.searcher.allowlist.path_class(path)
                occurrences.append(replace(one, path_class=kind, target=label))
            yield replace(finding, occurrences=tuple(occurrences))

    def not_read(self, found: Iterable[str]) -> Iterator[NotScanned]:
        """What could not be read again: the targets, and each finding with the reason."""
        yield from self._lost
        names = set(found)
        for former in self.chosen:
            if former.fingerprint in names:
                continue
            unread = UNREAD if self.interrupted else "no target is there in which it could be read"
            why = self._why.get(former.fingerprint, unread)
            if former.detector not in self.searcher.by_id:
                why += f"; and no detector {clean(former.detector)} is known here (--detectors FILE adds it)"
            was = "" if former.verdict.state == "unknown" else f" (was {former.verdict.state})"
            yield NotScanned(f"{former.fingerprint} {former.detector}{was}".encode(), why)
