"""What a worker does with a task: bring its repository here, search it, say what was found.

A worker is a process, on this machine or another. It makes its searcher once, and has the logins of its own
environment. What it gives holds no value of a secret: findings are objects as in a report, masked.
"""

from __future__ import annotations

import io
import multiprocessing
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ..errors import GitError, OakumError
from ..logins import Login, from_environment
from ..model import NotScanned, ScanResult
from ..net import Outbound
from ..pipeline.options import ScanOptions
from ..pipeline.scan import scan
from ..pipeline.workers import WORTHWHILE, searcher_for, where_raised
from ..report import ReportOptions
from ..report.structured import finding_object
from ..sources.clones import Clone, CloneError, Clones, Reach, advertised
from ..sources.clones.network import Helpers
from ..sources.git import open_repository
from ..sources.owners import Owners, owners
from ..swept import Outcome, Remote
from . import Settings, Task
from .cores import all_of_them
from .program import installed, program_of

WIDE = 64 << 20
"""Bytes of a clone from which on several processes search it, by shards of its packs."""
_KINDS = {"github": "github", "gitlab": "gitlab", "gitea": "gitea", "forgejo": "gitea"}
_KINDS |= {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "gitea"}
"""Targets and hosts whose CODEOWNERS are read in a way of their own."""
MOST_PLACES = 50
"""Places of a finding that go into a store."""
MOST_FINDINGS, MOST_IN_ALL = 10_000, 50_000
"""Findings of a repository that do, the worst ones, and places of all of them: an outcome is one object, which two
processes hold."""
MORE = "more findings than go into a store ({:,} do, worst first): scan the repository by itself"
OTHER_VERSION = "this worker has another version of oakum or other detectors than who sent the task: install the same"


class Worker:
    """Works on tasks, one after the other. `environment` is the worker's own: tokens, proxies, where git is."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        outbound = Outbound(environment, settings.certificates, private=settings.private)
        self._helpers = Helpers(environment)
        self._reach = Reach(environment, outbound, self._helpers, seconds=settings.seconds)
        self._clones = Clones(settings.clones, settings.clones_limit, settings.now)
        self._options = _scan_options(settings, environment, outbound)
        self._searcher = searcher_for(self._options)
        self._searcher.prepare(WORTHWHILE)
        _ = self._searcher.allowlist
        self._program = program_of(settings, installed(settings.detectors))
        self._name = f"{platform.node()}:{settings.clones}"

    def work(self, task: Task) -> Outcome:
        """What became of a repository. Whatever goes wrong with it is an outcome, too; only Ctrl-C leaves."""
        begun = time.monotonic()
        outcome = Outcome(task.remote, "failed", program=self._settings.program, worker=self._name)
        if self._program != self._settings.program:
            return replace(outcome, why=OTHER_VERSION)
        try:
            outcome = self._searched(task, outcome)
        except CloneError as error:
            passing, here = error.passing, error.here
            outcome = replace(outcome, why=str(error), passing=passing and not here, again=passing and here)
        except OakumError as error:
            outcome = replace(outcome, why=str(error))
        except MemoryError:
            outcome = replace(outcome, why="there was not enough memory: give the worker more, or use fewer --jobs")
        except Exception as error:  # noqa: BLE001  whatever one repository does to us, the others are searched
            outcome = replace(outcome, why=f"an error in oakum ({where_raised(error)}) ended it; please report it")
        return replace(outcome, seconds=round(time.monotonic() - begun, 3))

    def _searched(self, task: Task, outcome: Outcome) -> Outcome:
        remote, refs = task.remote, task.refs
        if not refs and remote.url.startswith("file:"):
            refs = advertised(remote, self._reach)  # before it is searched: what comes meanwhile is for the next time
        login = login_for(remote.target, self._reach.environment, self._helpers)
        for again in (False, True):
            with self._clones.held(remote, replace(self._reach, login=login), refs) as clone:
                result = self._scan(clone, remote, wide=task.wide)
                found = tuple(_objects(result, self._owners(clone, remote) if result.findings else Owners()))
            if again or clone.fresh or clone.damaged or not clone.refs or not _is_damaged(result):
                break
            self._clones.forget([remote.id])  # what is damaged may be ours
        if clone.fresh and clone.refs and _is_damaged(result):
            self._clones.note_damage(remote.id, clone.refs)
        if result.interrupted:
            raise KeyboardInterrupt
        left_out = [NotScanned(b"refs", why) for why in clone.problems]
        if len(found) < len(result.findings):
            left_out.append(NotScanned(b"findings", MORE.format(len(found)), count=len(result.findings) - len(found)))
        whole = not left_out and not _is_damaged(result)
        return replace(
            outcome,
            ending="searched",
            refs=(clone.refs or refs) if whole else "",
            findings=found,
            not_scanned=(*left_out, *result.not_scanned),
            blobs=sum(count for what, count in result.coverage.counts if what == "git blobs"),
            bytes=clone.bytes,
        )

    def _scan(self, clone: Clone, remote: Remote, *, wide: bool) -> ScanResult:
        jobs = self._settings.jobs if wide or clone.bytes > WIDE else 1
        if multiprocessing.current_process().daemon:  # a Dask worker with a nanny: it may have no processes of its own
            jobs = 1
        options = replace(self._options, memory=clone.memory, readers=remote.readers, jobs=jobs)
        with all_of_them() if jobs > 1 else nullcontext():
            return scan([clone.path], options, io.BytesIO(), self._searcher)

    def _owners(self, clone: Clone, remote: Remote) -> Owners:
        """Who owns what, by the head of the default branch."""
        try:
            repository = open_repository(clone.path, self._reach.environment)
            return owners(repository, _kind(remote)) if repository else Owners()
        except GitError:
            return Owners()


def _kind(remote: Remote) -> str:
    """What kind of host a repository is on, as far as its target or its URL says so."""
    host = urlsplit(remote.url).hostname or ""
    return _KINDS.get(remote.target.partition(":")[0]) or _KINDS.get(host, "")


def _is_damaged(result: ScanResult) -> bool:
    """Whether something could not be searched that should have been."""
    return not all(each.policy for each in result.not_scanned)


def _scan_options(settings: Settings, environment: Mapping[str, str], outbound: Outbound) -> ScanOptions:
    verify = None
    if settings.verify:
        from ..verify import Named, VerifyOptions

        verify = VerifyOptions(
            now=settings.now,
            outbound=replace(outbound, private=False),  # that is for hosts of repositories; these are named
            named=Named.read(settings.verify_hosts),
            only=frozenset(settings.verify_only),
            seconds=settings.verify_seconds,
            cache=settings.cache,
        )
    return ScanOptions(
        environment=environment,
        now=settings.now,
        markers=settings.markers,
        detectors=settings.detectors,
        engine=settings.engine,
        cache=settings.cache,
        min_band=settings.min_band,
        max_size=settings.max_size,
        suppressions=settings.suppressions,
        verify=verify,
    )


def login_for(target: str, environment: Mapping[str, str], helpers: Helpers) -> Callable[[str], Login | None]:
    """What goes to the host of a URL of a target (its text): out of the environment, else from git's credential
    helpers. The token of a kind of host goes to no other host than the one that the target names."""
    kind, _, rest = target.partition(":")
    at = rest.rpartition("@")[2].lower() if "@" in rest else ""
    named = at.removeprefix("https://").removeprefix("http://")

    def login(url: str) -> Login | None:
        host = urlsplit(url).netloc.lower()
        return from_environment(url, kind if host == named else "", environment) or helpers(url)

    return login


# --- what was found --------------------------------------------------------------------------------------------------


def _objects(result: ScanResult, codeowners: Owners) -> Iterator[dict[str, Any]]:
    """Findings as objects of a report in JSON, with `owners`, worst first, as many as may be."""
    told = result.findings[:MOST_FINDINGS]
    places = min(MOST_PLACES, MOST_IN_ALL // max(1, len(told)))  # of many findings fewer places each
    for ranked in told:
        kept = ranked.finding.occurrences[:places]
        folded = ranked.finding.folded + len(ranked.finding.occurrences) - len(kept)
        shown = replace(ranked, finding=replace(ranked.finding, occurrences=kept, folded=folded))
        found = finding_object(shown, ReportOptions())
        found["owners"] = list(_owners_of(found["occurrences"], codeowners))
        yield found


def _owners_of(places: list[dict[str, Any]], codeowners: Owners) -> tuple[str, ...]:
    """Who owns a finding: whoever CODEOWNERS names for a place of it, else the author of the newest one."""
    origins = [place["origin"] for place in places]
    for reach in ("head", ""):
        for origin in origins:
            if "path" in origin and reach in ("", origin.get("reachable")):
                named = codeowners.owners_of(origin["path"])
                if named:
                    return named
    dated = [origin for origin in origins if origin.get("author")]
    newest = max(dated, key=lambda origin: str(origin.get("date", "")), default=None)
    return (str(newest["author"]),) if newest else ()
