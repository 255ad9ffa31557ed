"""What a sweep writes as its work goes on: what searching a repository gave.

It may be done again after a sweep was killed: doing it twice is doing it once. States and events are not worked out
here but at the end (`settling.py`), so that nothing depends on the order of the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select, update

from ..swept import Outcome
from .objects import Seen
from .schema import findings, listings, presences, repositories, repository_key, storable
from .states import Standing, state_of
from .writing import absent, chunks, insert, note_remotes, running

_LARGEST = 1 << 53
# What every repository needs is made once: to make a statement takes SQLAlchemy longer than SQLite needs for it.
_LISTED = select(repositories.c.key).where(
    repositories.c.key.in_(bindparam("keys", expanding=True)),
    exists().where(listings.c.repository == repositories.c.key),
)
_THERE = select(presences.c.finding, presences.c.program).where(
    presences.c.repository == bindparam("key"), or_(presences.c.present, presences.c.hidden)
)
_BY_KEY = update(repositories).where(repositories.c.key == bindparam("of"))


def note_outcomes(
    c: Connection, sweep: int, outcomes: Sequence[tuple[Outcome, Mapping[str, Seen]]], now: datetime
) -> None:
    """What the work on repositories gave: those that are unchanged all at once, the others one by one."""
    running(c, sweep)
    keys = {repository_key(o.remote.id): o.remote for o, _ in outcomes}
    known: set[str] = set()
    for chunk in chunks(keys):
        known.update(c.scalars(_LISTED, {"keys": chunk}))
    note_remotes(c, [remote for key, remote in keys.items() if key not in known], now)
    for chunk in chunks(repository_key(o.remote.id) for o, _ in outcomes if o.ending == "unchanged"):
        _unchanged(c, sweep, chunk, now)
    for outcome, found in outcomes:
        if outcome.ending == "searched":
            _searched(c, sweep, outcome, found, now)
        elif outcome.ending == "failed":
            _failed(c, sweep, repository_key(outcome.remote.id), storable(outcome.why), now)


def _unchanged(c: Connection, sweep: int, keys: Sequence[str], now: datetime) -> None:
    """One that this very sweep searched before it was killed counts as searched."""
    before = and_(repositories.c.sweep == sweep, repositories.c.ending == "searched")
    c.execute(
        update(repositories)
        .where(repositories.c.key.in_(keys))
        .values(
            seen=now,
            sweep=sweep,
            ending=case((before, "searched"), else_="unchanged"),
            why="",
            failing_since=None,
            failures=0,
        )
    )


def _failed(c: Connection, sweep: int, key: str, why: str, now: datetime) -> None:
    c.execute(
        update(repositories).where(repositories.c.key == key).values(ending="failed", **_failing(sweep, why, now))
    )


def _failing(sweep: int, why: str, now: datetime) -> dict[str, Any]:
    """However often one sweep tries, it fails once."""
    again = and_(repositories.c.sweep == sweep, repositories.c.failures > 0)
    return {
        "sweep": sweep,
        "why": why or "no reason was given",
        "failing_since": func.coalesce(repositories.c.failing_since, now),
        "failures": repositories.c.failures + case((again, 0), else_=1),
    }


def _searched(c: Connection, sweep: int, outcome: Outcome, found: Mapping[str, Seen], now: datetime) -> None:
    """What was not searched whole is searched again next time, and what was not seen in it may be there still."""
    key = repository_key(outcome.remote.id)
    missing = [entry for entry in outcome.not_scanned if not entry.policy]
    program = storable(outcome.program)
    if not missing:
        p = presences.c
        there = {row.finding: row.program == program for row in c.execute(_THERE, {"key": key})}
        for same in (True, False):
            for chunk in chunks(
                sorted(name for name, seen_so in there.items() if seen_so is same and name not in found)
            ):
                absent(c, and_(p.repository == key, p.finding.in_(chunk)), now, hidden=not same)
    for part in chunks(found.values()):
        _seen(c, sweep, key, program, part, now)
    values: dict[str, Any] = {
        "refs": "" if missing else storable(outcome.refs),
        "program": "" if missing else program,
        "bytes": min(max(0, outcome.bytes), _LARGEST),
        "blobs": min(max(0, outcome.blobs), _LARGEST),
        "worker": storable(outcome.worker),
        "ending": "searched",
    }
    if missing:
        values |= _failing(sweep, _incomplete(outcome), now)
        c.execute(update(repositories).where(repositories.c.key == key).values(**values))
    else:
        values |= {"sweep": sweep, "seen": now, "why": "", "failing_since": None, "failures": 0}
        c.execute(_BY_KEY, {"of": key, **values})


def _incomplete(outcome: Outcome) -> str:
    missing = [entry for entry in outcome.not_scanned if not entry.policy]
    first = missing[0]
    what = first.what.decode("utf-8", "replace")[:300]
    count = sum(max(1, entry.count) for entry in missing)
    return storable(f"{count} not searched: {what}: {first.why}" if count > 1 else f"not searched: {what}: {first.why}")


def _seen(c: Connection, sweep: int, key: str, program: str, found: Sequence[Seen], now: datetime) -> None:
    new = [
        {
            "finding": one.finding,
            "band": one.band,
            "score": one.score,
            "state": state_of(Standing(one.reach, one.band, one.verdict), ""),
            "verdict": one.verdict,
            "first_seen": now,
            "changed": True,
            **dict.fromkeys(("told_state", "told_band", "told_verdict", "told_readers"), ""),
            **described(one.object),
        }
        for one in found
    ]
    statement = insert(c, findings)
    c.execute(statement.on_conflict_do_update(index_elements=["finding"], set_={"changed": True}), new)
    statement = insert(c, presences)
    given = statement.excluded
    taken = (
        "sweep",
        "band",
        "score",
        "reach",
        "verdict",
        "owners",
        "object",
        "last_seen",
        "present",
        "program",
        "hidden",
    )
    since = case((presences.c.present, presences.c.since), else_=given.since)
    c.execute(
        statement.on_conflict_do_update(
            index_elements=["finding", "repository"], set_={name: given[name] for name in taken} | {"since": since}
        ),
        [
            {
                "finding": one.finding,
                "repository": key,
                "present": True,
                "told": False,
                "program": program,
                "hidden": False,
                "sweep": sweep,
                "band": one.band,
                "score": one.score,
                "reach": one.reach,
                "verdict": one.verdict,
                "owners": one.owners,
                "object": one.object,
                **dict.fromkeys(("since", "first_seen", "last_seen"), now),
            }
            for one in found
        ],
    )


def described(told: Mapping[str, Any]) -> dict[str, str]:
    """What a finding is, of the object of a report."""
    names = ("detector", "provider", "kind", "name", "summary", "secret", "rotate")
    return {name: str(told.get(name) or "") for name in names}
