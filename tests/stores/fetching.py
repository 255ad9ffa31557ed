"""Fetches of plans, and their outcome in a form that a test can compare as a whole."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from git_repository import utc
from oakum.scanner.model import ScanResult, StoredObject
from oakum.scanner.net.urls import parse
from oakum.scanner.pipeline.fetch import FetchBudget, Fetched, fetch
from oakum.scanner.pipeline.journal import Journal
from oakum.scanner.pipeline.options import ScanOptions
from oakum.scanner.pipeline.scan import Tally, TargetScan, conclude
from oakum.scanner.pipeline.targets import as_given
from oakum.scanner.pipeline.workers import Searcher, searcher_for
from oakum.scanner.prove import prove
from oakum.scanner.sources.stores import Access
from oakum.scanner.sources.stores.reading import ReadSpec, Wanted

STORE = "the store"


def spec(url: str, access: Access, kind: str = "http", **more: Any) -> ReadSpec:
    """How a container at a URL is read."""
    return ReadSpec(kind, parse(url, plain_http=True), access, **more)  # type: ignore[arg-type]


def wanted(key: str | bytes, size: int = -1, **more: Any) -> Wanted:
    """An object of a container without a name."""
    return Wanted(STORE, b"", key.encode() if isinstance(key, str) else key, size, **more)


@dataclass(frozen=True)
class Outcome:
    """What a fetch gave."""

    fetched: Fetched
    result: ScanResult

    @property
    def found(self) -> dict[bytes, list[tuple[StoredObject, int]]]:
        """Of each secret the objects that hold it, with the offset."""
        return {
            r.finding.secret.reveal(): [
                (o.origin, o.span.start) for o in r.finding.occurrences if isinstance(o.origin, StoredObject)
            ]
            for r in self.result.findings
        }

    @property
    def keys(self) -> dict[bytes, list[bytes]]:
        """Of each secret the keys of the objects that hold it."""
        return {secret: sorted(origin.key for origin, _ in places) for secret, places in self.found.items()}

    @property
    def lost(self) -> list[tuple[bytes, str]]:
        """What should have been read and was not."""
        return [(n.what, n.why) for n in self.result.not_scanned if not n.policy]

    @property
    def left_out(self) -> list[tuple[bytes, str, int]]:
        """What the budget and the limits left out."""
        return [(n.what, n.why, n.count) for n in self.result.not_scanned if n.policy]


def searcher() -> Searcher:
    """What a fetch searches with."""
    return searcher_for(_options())


def _options(**more: Any) -> ScanOptions:
    return ScanOptions(**({"environment": {}, "now": utc(2027), "markers": False, "engine": "aho-corasick"} | more))


def fetched(
    plan: Iterable[tuple[Wanted, ReadSpec]],
    budget: FetchBudget | None = None,
    *,
    resume: Path | None = None,
    options: dict[str, Any] | None = None,
    **more: Any,
) -> Outcome:
    """A fetch of its own."""
    chosen = _options(**(options or {}))
    tally = Tally(chosen, searcher_for(chosen))
    scan = TargetScan(tally, STORE.encode(), label="")
    started = time.monotonic()
    bounds = budget or FetchBudget()
    if resume is None:
        done = fetch(scan, plan, bounds, **more)
    else:
        with Journal(str(resume), tally.searcher, chosen.max_size) as journal:
            done = fetch(scan, plan, bounds, journal, **more)
    return Outcome(done, conclude(tally, prove(scan.findings(as_given)), [STORE.encode()], started))


def whole_plan(spec: ReadSpec, objects: Sequence[tuple[str, int]]) -> list[tuple[Wanted, ReadSpec]]:
    """Objects by key and size."""
    return [(wanted(key, size), spec) for key, size in objects]
