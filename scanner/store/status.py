"""How a store stands, fit for JSON: its last sweeps, counts, what fails, and what could not be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, and_, func, select

from ..model import BANDS
from ..swept import COUNTING, State
from . import deliveries
from .reading import figures
from .schema import findings, meta, repositories, sweeps

LAST_SWEEPS = 10
MOST_FAILING = 1000
LOOKED_BACK = 1000
"""Sweeps among which the last one of the same targets is looked for."""


def status(c: Connection) -> dict[str, Any]:
    """All of it."""
    f, r = findings.c, repositories.c
    by_state = figures(c, select(f.state, func.count()).group_by(f.state))
    counting = select(f.band, func.count()).where(f.state.in_(COUNTING)).group_by(f.band)
    by_band = figures(c, counting)
    there = r.gone.is_(None)
    fails = _fails(c)
    failing = select(func.count()).where(fails)
    return {
        "created": c.scalar(select(meta.c.value).where(meta.c.name == "created")) or "",
        "sweeps": _sweeps(c),
        "findings": {
            "counting": sum(by_band.values()),
            "states": {state: by_state.get(state, 0) for state in get_args(State)},
            "bands": {band: by_band.get(band, 0) for band in BANDS},
        },
        "repositories": {
            "known": c.scalar(select(func.count()).where(there)) or 0,
            "gone": c.scalar(select(func.count()).where(~there)) or 0,
            "failing": c.scalar(failing) or 0,
        },
        "failing": _failing(c, fails),
        "deliveries": deliveries.told(c),
    }


def _sweeps(c: Connection) -> list[dict[str, Any]]:
    return [
        {
            "sweep": row.sweep,
            "targets": row.targets,
            "started": row.started.isoformat(),
            "ended": _iso(row.ended),
            "attempts": row.attempts,
            "counts": row.counts,
            "unlisted": [{"target": target, "why": why} for target, why in row.unlisted],
        }
        for row in c.execute(select(sweeps).order_by(sweeps.c.sweep.desc()).limit(LAST_SWEEPS))
    ]


def _fails(c: Connection) -> Any:
    """That a repository fails: in the last sweep of the same targets. One that is left out since fails no more."""
    last: dict[tuple[tuple[str, ...], bool], int] = {}
    asked = select(sweeps.c.sweep, sweeps.c.targets, sweeps.c.ended).order_by(sweeps.c.sweep.desc())
    for row in c.execute(asked.limit(LOOKED_BACK)):
        last.setdefault((tuple(row.targets), row.ended is None), row.sweep)
    r = repositories.c
    return and_(r.gone.is_(None), r.failures > 0, r.sweep.in_(sorted(set(last.values()))))


def _failing(c: Connection, fails: Any) -> list[dict[str, Any]]:
    """Longest first."""
    r = repositories.c
    asked = select(repositories).where(fails)
    return [
        {"repository": row.name, "why": row.why, "since": _iso(row.failing_since), "sweeps": row.failures}
        for row in c.execute(asked.order_by(r.failing_since, r.name).limit(MOST_FAILING))
    ]


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
