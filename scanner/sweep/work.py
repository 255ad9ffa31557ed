"""What a worker does with a task: bring its repository here, search it, say what was found.

A worker is a process, on this machine or another. It makes its searcher once, and has the logins of its own
environment. What it gives holds no value of a secret: findings are objects as in a report, masked.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .. import catalog
from ..errors import GitError, OakumError
from ..logins import Login, from_environment
from ..model import NotScanned, ScanResult
from ..net import Outbound
from ..pipeline.options import ScanOptions
from ..pipeline.scan import scan
from ..pipeline.workers import WORTHWHILE, searcher_for, where_raised
from ..report import ReportOptions
from ..report.structured import finding_object
from ..sources.clones import Clone, Clones, Reach
from ..sources.clones.network import Helpers
from ..sources.git import open_repository
from ..sources.owners import Owners, owners
from ..swept import Outcome, Remote
from . import Settings, Task

WIDE = 64 << 20
"""Bytes of a clone from which on several processes search it, by shards of its packs."""
MOST_PLACES = 200
"""Places of a finding that go into a store."""


def installed(detectors: Iterable[str]) -> str:
    """A digest of what is installed here and decides what is found: oakum's own files and the user's detectors, by what
    they hold, so that two machines with the same version agree."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {catalog.name_of(detectors)}".encode())
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for part in ("scanner", "detectors", "allowlists"):
        for path in sorted(_sources(os.path.join(top, part))):
            with open(path, "rb") as file:
                digest.update(f"{os.path.relpath(path, top)}\0".encode("utf-8", "surrogateescape"))
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _sources(folder: str) -> Iterator[str]:
    for below, _, names in os.walk(folder):
        yield from (os.path.join(below, name) for name in names if name.endswith((".py", ".toml", ".txt")))


class Worker:
    """Works on tasks, one after the other. `environment` is the worker's own: tokens, proxies, where git is."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        outbound = Outbound(environment, settings.certificates, private=settings.private)
        self._reach = Reach(environment, outbound, _logins(environment), seconds=settings.seconds)
        self._clones = Clones(settings.clones, settings.clones_limit, settings.now)
        self._options = _scan_options(settings, environment, outbound)
        self._searcher = searcher_for(self._options)
        self._searcher.prepare(WORTHWHILE)
        _ = self._searcher.allowlist
        self._installed = installed(settings.detectors)
        self._name = f"{socket.gethostname()}:{settings.clones}"

    def work(self, task: Task) -> Outcome:
        """What became of a repository. Whatever goes wrong with it is an outcome, too; only Ctrl-C leaves."""
        begun = time.monotonic()
        outcome = Outcome(task.remote, "failed", program=self._settings.program, worker=self._name)
        if self._settings.installed not in ("", self._installed):
            return replace(
                outcome, why="this worker has another version of oakum than who sent the task: install the same"
            )
        try:
            outcome = self._searched(task, outcome)
        except OakumError as error:
            outcome = replace(outcome, why=str(error))
        except MemoryError:
            outcome = replace(outcome, why="there was not enough memory: give the worker more, or use fewer --jobs")
        except Exception as error:  # noqa: BLE001  whatever one repository does to us, the others are searched
            outcome = replace(outcome, why=f"an error in oakum ({where_raised(error)}) ended it; please report it")
        return replace(outcome, seconds=round(time.monotonic() - begun, 3))

    def _searched(self, task: Task, outcome: Outcome) -> Outcome:
        remote = task.remote
        with self._clones.held(remote, self._reach) as clone:
            result = self._scan(clone, remote, wide=task.wide)
            damaged = any(not each.policy for each in result.not_scanned)
            if damaged and clone.bytes and not clone.fresh:  # it may be ours that is damaged, and not the host's
                again = True
            else:
                again = False
                found = tuple(_objects(result, self._owners(clone)))
        if again:
            self._clones.forget([remote.id])
            with self._clones.held(remote, self._reach) as clone:
                result = self._scan(clone, remote, wide=task.wide)
                found = tuple(_objects(result, self._owners(clone)))
        if result.interrupted:
            raise KeyboardInterrupt
        left_out = [NotScanned(b"refs", why) for why in clone.problems]
        whole = not left_out and all(each.policy for each in result.not_scanned)
        return replace(
            outcome,
            ending="searched",
            refs=task.refs if whole else "",
            findings=found,
            not_scanned=(*left_out, *result.not_scanned),
            blobs=sum(count for what, count in result.coverage.counts if what == "git blobs"),
            bytes=result.coverage.bytes,
            clone=clone.bytes,
        )

    def _scan(self, clone: Clone, remote: Remote, *, wide: bool) -> ScanResult:
        jobs = self._settings.jobs if wide or clone.bytes > WIDE else 1
        options = replace(self._options, memory=clone.memory, readers=remote.readers, jobs=jobs)
        return scan([clone.path], options, io.BytesIO(), self._searcher)

    def _owners(self, clone: Clone) -> Owners:
        """Who owns what, by the head of the default branch."""
        try:
            repository = open_repository(clone.path, self._reach.environment)
            return owners(repository) if repository else Owners()
        except GitError:
            return Owners()


def _scan_options(settings: Settings, environment: Mapping[str, str], outbound: Outbound) -> ScanOptions:
    verify = None
    if settings.verify:
        from ..verify import Named, VerifyOptions

        verify = VerifyOptions(
            now=settings.now,
            outbound=outbound,
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


def _logins(environment: Mapping[str, str]) -> Callable[[str], Login | None]:
    """What goes to a URL's host: out of the environment, else from git's credential helpers."""
    helpers = Helpers(environment)

    def login(url: str) -> Login | None:
        return from_environment(url, environment) or helpers(url)

    return login


# --- what was found --------------------------------------------------------------------------------------------------


def _objects(result: ScanResult, codeowners: Owners) -> Iterator[dict[str, Any]]:
    """Findings as objects of a report in JSON, with `owners` and a bounded number of places."""
    for ranked in result.findings:
        found = finding_object(ranked, ReportOptions())
        places = found["occurrences"]
        found["owners"] = list(_owners_of(places, codeowners))
        found["occurrences"] = places[:MOST_PLACES]
        found["occurrences_folded"] += max(0, len(places) - MOST_PLACES)
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


def ended() -> None:
    """End what this process has started, for its end."""
    from ..sources.git import end_all

    with contextlib.suppress(OSError):
        end_all()
