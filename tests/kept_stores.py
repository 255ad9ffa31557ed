"""Stores of sweeps filled without hosts and git: what a repository is, what searching it gave, a night's sweep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from oakum.detectors import samples
from oakum.scanner.model import Secret
from oakum.scanner.store import Store, open_store
from oakum.scanner.swept import News, Outcome, Remote, Unlisted

KEY = bytes(range(32))
SCORES = {"critical": 90, "high": 70, "medium": 40, "low": 10}


def night(number: int) -> datetime:
    """When the sweep of that number begins."""
    return datetime(2027, 3, 1, 2, tzinfo=UTC) + timedelta(days=number)


def secret(name: str) -> Secret:
    """The same for the same name."""
    return Secret(samples.build("github:ghp", Random(f"kept {name}")), prefix=4)


def remote(name: str, **more: Any) -> Remote:
    """A repository of acme."""
    url = f"https://git.example.org/{name}.git"
    return Remote(f"example.org/{name}", name, url, "github:acme", **{"team": name.partition("/")[0]} | more)


def found(name: str, path: str = "src/settings.ini", reach: str = "head", **more: Any) -> dict[str, Any]:
    """A finding as a report in JSON has it, with owners."""
    value = secret(name)
    band = more.get("band", "high")
    origin = {"type": "git", "blob": "b1" * 20, "path": path, "commit": "c1" * 20, "reachable": reach}
    origin |= {"author": "Ada Lovelace <ada@example.test>", "date": "2027-02-01T12:00:00+01:00"}
    made = {
        "fingerprint": value.fingerprint(),
        "detector": "github-pat",
        "provider": "github",
        "kind": "token",
        "name": "GitHub personal access token",
        "summary": f"GitHub token of {name}",
        "band": band,
        "score": SCORES[band],
        "verdict": {"state": "unknown", "reason": "not asked"},
        "secret": value.mask(),
        "occurrences": [{"origin": origin, "blobs": 1, "line": 3, "column": 9, "end_line": 3, "end_column": 49}],
        "rotate": "https://docs.github.com/rotate",
        "owners": ["@acme/web"],
    }
    return made | more


def opened(where: Path, *, now: datetime | None = None) -> Store:
    """A store, made where there is none."""
    return open_store(str(where), KEY, now or night(0), create=True)


def searched(of: Remote, *findings: dict[str, Any]) -> Outcome:
    """What searching a repository gave."""
    return Outcome(of, "searched", "refs", "program", findings, worker="here", blobs=10, bytes=100)


def failed(of: Remote, why: str) -> Outcome:
    """A repository that could not be searched."""
    return Outcome(of, "failed", why=why)


def sweep(
    store: Store,
    number: int,
    *outcomes: Outcome,
    hooks: Sequence[str] = (),
    unlisted: Sequence[Unlisted] = (),
    min_band: str = "low",
) -> News:
    """A whole sweep of acme, in the night of that number."""
    now = night(number)
    running = store.begin(["github:acme"], now)
    store.list(running, [outcome.remote for outcome in outcomes], unlisted, now)
    store.commit(running, outcomes, now)
    return store.finish(running, (), hooks, min_band, now + timedelta(hours=1))
