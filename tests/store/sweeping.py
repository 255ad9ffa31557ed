"""Sweeps without hosts and git: repositories, findings as reports have them, and a store's tables as one value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from oakum.detectors import samples
from oakum.scanner.model import Secret
from oakum.scanner.store import Store, open_store
from oakum.scanner.store.schema import tables
from oakum.scanner.store.sql import SqlStore
from oakum.scanner.swept import News, Outcome, Remote, Suppressed, Unlisted
from sqlalchemy import select

KEY = bytes(range(32))
ACME = "github:acme"


def day(number: int) -> datetime:
    """A night on which a sweep begins."""
    return datetime(2027, 3, 1, 2, tzinfo=UTC) + timedelta(days=number)


def secret(name: str) -> Secret:
    """A secret that looks real, the same for the same name."""
    return Secret(samples.build("github:ghp", Random(name)), prefix=4)


def remote(name: str, target: str = ACME, **how: Any) -> Remote:
    """A repository of a target."""
    url = f"https://git.example.org/{name}.git"
    return Remote(**{"id": f"example.org/{name}", "name": name, "url": url, "target": target} | how)


def place(reach: str = "head", path: str = "settings.ini", **how: Any) -> dict[str, Any]:
    """An occurrence."""
    origin = {"type": "git", "blob": "0" * 40, "path": path, "commit": "1" * 40, "reachable": reach} | how
    return {"origin": origin, "blobs": 1, "line": 3, "column": 9, "end_line": 3, "end_column": 49}


LIVE = {"state": "live", "reason": "user acme", "asked": "api.github.com", "facts": {"user": "acme"}}
DEAD = {"state": "dead", "reason": "refuses it (401)", "asked": "api.github.com", "facts": {}}
EXPIRED = {"state": "dead", "reason": "expired in 2020"}
UNKNOWN = {"state": "unknown", "reason": "timed out", "asked": "api.github.com", "facts": {}}
NOT_ASKED = {"state": "unknown", "reason": "not asked"}
BANDS = {"critical": 90, "high": 70, "medium": 40, "low": 10}


def found(
    name: str, *reaches: str, band: str = "high", verdict: dict[str, Any] = NOT_ASKED, **how: Any
) -> dict[str, Any]:
    """A finding as a report in JSON has it, with owners."""
    value = secret(name)
    return {
        "fingerprint": value.fingerprint(),
        "detector": "github-pat",
        "also": [],
        "provider": "github",
        "kind": "token",
        "name": "GitHub personal access token",
        "summary": "GitHub personal access token",
        "band": band,
        "score": BANDS[band],
        "severity": "high",
        "confidence": 1.0,
        "verdict": verdict,
        "secret": value.mask(),
        "facts": {"checksum": "ok"},
        "reasons": [{"factor": "severity", "value": 0.9, "text": "a token"}],
        "occurrences": [place(reach) for reach in reaches or ("head",)],
        "occurrences_folded": 0,
        "rotate": "https://docs.github.com/rotate",
        "owners": ["@acme/web"],
    } | how


def searched(of: Remote, *findings: dict[str, Any], refs: str = "r1", **how: Any) -> Outcome:
    """What searching a repository gave."""
    return Outcome(
        of,
        "searched",
        refs,
        **{"program": "p1", "findings": findings, "worker": "here", "bytes": 100, "blobs": 10} | how,
    )


def failed(of: Remote, why: str = "the server is gone: try again") -> Outcome:
    """A repository that could not be searched."""
    return Outcome(of, "failed", why=why)


def unchanged(of: Remote) -> Outcome:
    """A repository that is as it was."""
    return Outcome(of, "unchanged", "r1", "p1")


def opened(where: str | Path, *, key: bytes = KEY, create: bool = True) -> SqlStore:
    """A store."""
    store = open_store(str(where), key, day(0), create=create)
    assert isinstance(store, SqlStore)
    return store


def sweep(
    store: Store,
    number: int,
    *outcomes: Outcome,
    targets: Sequence[str] = (ACME,),
    listed: Iterable[Remote] | None = None,
    unlisted: Sequence[Unlisted] = (),
    accepted: Iterable[Suppressed] = (),
    hooks: Sequence[str] = (),
    min_band: str = "low",
) -> News:
    """A whole sweep, in the night of that number."""
    now = day(number)
    running = store.begin(targets, now)
    store.list(running, [o.remote for o in outcomes] if listed is None else listed, unlisted, now)
    for outcome in outcomes:
        store.commit(running, [outcome], now)
    return store.finish(running, accepted, hooks, min_band, now + timedelta(hours=1))


def told(news: News) -> list[tuple[str, str, str]]:
    """What changed: (change, before, after)."""
    return [(event.change, event.before, event.after) for event, _ in news.changes]


_TIMES = {"at", "since", "first_seen", "last_seen", "seen", "gone", "started", "ended", "failing_since", "created"}


def dump(store: SqlStore, *, numbers: bool = True) -> dict[str, list[Any]]:
    """All tables as they are, but for times and how often a sweep was begun; rows in an order of their own."""
    out = {}
    hidden = {"attempts"} | (set() if numbers else {"sweep", "event"})
    with store._place.reading() as connection:
        for table in tables.sorted_tables:
            columns = [c for c in table.c if c.name not in _TIMES | hidden]
            rows = connection.execute(select(*columns)).mappings()
            out[table.name] = sorted((dict(row) for row in rows if row.get("name") != "created"), key=repr)
    return out


def renamed(of: Remote, **how: Any) -> Remote:
    """The same repository, told otherwise."""
    return replace(of, **how)
