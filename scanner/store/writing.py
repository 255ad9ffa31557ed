"""What a sweep writes before its work: that it began, and what hosts listed.

Each is done as a whole, and may be done again after a sweep was killed: doing it twice is doing it once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, get_args

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..model import Readers
from ..swept import Remote, Unlisted
from . import StoreError
from .schema import findings, listings, presences, repositories, repository_key, storable, sweeps, target_key

CHUNK = 500
"""Things that one statement names."""
MISSED, MISSED_OF_MANY = 2, 7
"""Sweeps one after another in which a repository must be missing to be gone; and where many are missing at a time."""
MANY = 10
"""More than so many, and more than one in so many, are many."""
FEWER = (
    "{:,} of the {:,} repositories that it had are missing (does the token see less than before?): they count as gone "
    "after {} more sweeps"
)
_RUNNING = select(sweeps.c.targets, sweeps.c.ended).where(sweeps.c.sweep == bindparam("wanted"))
_T = TypeVar("_T")
_CREDENTIALS = re.compile(r"(?i)^((?:https?|file)://)[^/@]*@|^([a-z+]+://[^/:@]*):[^/@]*(?=@)")


def chunks(things: Iterable[_T]) -> Iterator[list[_T]]:
    """So many at a time as one statement takes."""
    left = iter(things)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def insert(connection: Connection, table: Any) -> Any:
    """An INSERT that may say what is done with rows that are there."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


# --- a sweep begins, and lists ---------------------------------------------------------------------------------------


def begin(c: Connection, targets: Sequence[str], now: datetime) -> int:
    """The number of a new sweep, or of the last one if it had the same targets and no end."""
    wanted = sorted({target_key(target) for target in targets})
    last = c.execute(select(sweeps).order_by(sweeps.c.sweep.desc()).limit(1)).first()
    if last is not None and last.ended is None and last.targets == wanted:
        c.execute(update(sweeps).where(sweeps.c.sweep == last.sweep).values(attempts=sweeps.c.attempts + 1))
        return int(last.sweep)
    sweep = int(last.sweep) + 1 if last is not None else 1
    c.execute(sweeps.insert().values(sweep=sweep, targets=wanted, started=now, attempts=1, counts={}, unlisted=[]))
    return sweep


def running(c: Connection, sweep: int) -> Sequence[str]:
    """The targets of a sweep that has not ended; StoreError for another."""
    row = c.execute(_RUNNING, {"wanted": sweep}).first()
    if row is None or row.ended is not None:
        raise StoreError(f"sweep {sweep} {'has ended' if row else 'is none of this store'}: begin another")
    return list(row.targets)


def note_listed(
    c: Connection, sweep: int, remotes: Iterable[Remote], unlisted: Sequence[Unlisted], now: datetime
) -> None:
    """What is listed now, and what is gone."""
    targets = running(c, sweep)
    listed = list(remotes)
    note_remotes(c, listed, now)
    parts = [(target_key(u.target), storable(u.why)) for u in unlisted]
    whole = set(targets) - {target for target, _ in parts}
    there = {(repository_key(r.id), target_key(r.target)) for r in listed}
    parts += _note_missing(c, sweep, whole, there)
    c.execute(update(sweeps).where(sweeps.c.sweep == sweep).values(unlisted=[list(part) for part in parts]))
    _forget_gone(c, now)


def _note_missing(c: Connection, sweep: int, whole: Set[str], there: Set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What targets that were listed whole do not list any more is gone: not at once, as hosts let one slip between two
    pages; and much later where many are missing at a time, which looks like a token that sees less. That is told."""
    t = listings.c
    had: dict[str, list[Any]] = {}
    for row in c.execute(select(listings).where(t.target.in_(whole)).order_by(t.target, t.repository)):
        had.setdefault(row.target, []).append(row)
    gone, missing, back = list[Any](), list[Any](), list[Any]()
    for target, rows in had.items():
        lost = [row for row in rows if (row.repository, target) not in there]
        back += [row for row in rows if row.missed and (row.repository, target) in there]
        many = len(lost) > MANY and len(lost) * MANY > len(rows)
        needed = MISSED_OF_MANY if many else MISSED
        counted = [(row, row.missed + (row.missed_in != sweep)) for row in lost]
        gone += [row for row, count in counted if count >= needed]
        missing += [(row, count) for row, count in counted if count < needed]
        if many and any(count < needed for _, count in counted):
            left = needed - max(count for _, count in counted if count < needed)
            yield target, FEWER.format(len(lost), len(rows), left)
    one = and_(t.repository == bindparam("r"), t.target == bindparam("t"))
    for rows in chunks({"r": row.repository, "t": row.target} for row in gone):
        c.execute(delete(listings).where(one), rows)
    for rows in chunks({"r": row.repository, "t": row.target, "n": n, "s": sweep} for row, n in missing):
        c.execute(update(listings).where(one).values(missed=bindparam("n"), missed_in=bindparam("s")), rows)
    for rows in chunks({"r": row.repository, "t": row.target} for row in back):
        c.execute(update(listings).where(one).values(missed=0, missed_in=0), rows)


def _forget_gone(c: Connection, now: datetime) -> None:
    """Repositories that no target lists any more are gone, and what was in them."""
    alone = ~exists().where(listings.c.repository == repositories.c.key)
    gone = c.scalars(select(repositories.c.key).where(repositories.c.gone.is_(None), alone)).all()
    for chunk in chunks(gone):
        absent(c, presences.c.repository.in_(chunk), now)
        c.execute(
            update(repositories)
            .where(repositories.c.key.in_(chunk))
            .values(gone=now, refs="", program="", ending="", why="", failing_since=None, failures=0)
        )


def absent(c: Connection, which: Any, now: datetime, *, hidden: bool = False) -> None:
    """Presences that are not there any more; they were last seen when their repository was. `hidden` says that who did
    not find them searches otherwise than who did."""
    mine = and_(or_(presences.c.present, presences.c.hidden != hidden), which)
    looked = select(repositories.c.seen).where(repositories.c.key == presences.c.repository).scalar_subquery()
    c.execute(
        update(findings).where(findings.c.finding.in_(select(presences.c.finding).where(mine))).values(changed=True)
    )
    later = case((looked > presences.c.last_seen, looked), else_=presences.c.last_seen)
    p = presences.c
    values = {"since": case((p.present, now), else_=p.since), "last_seen": case((p.present, later), else_=p.last_seen)}
    c.execute(update(presences).where(mine).values(present=False, hidden=hidden, **values))


def note_remotes(c: Connection, remotes: Sequence[Remote], now: datetime) -> None:
    """Repositories as their hosts tell of them now; of one that several targets list, the first in order says it."""
    said: dict[str, Remote] = {}
    for remote in remotes:
        key = repository_key(remote.id)
        if key not in said or remote.target < said[key].target:
            said[key] = remote
    there: dict[str, Any] = {}
    for chunk in chunks(said):
        asked = select(repositories.c.key, *_TOLD).where(repositories.c.key.in_(chunk))
        there.update((row["key"], row) for row in c.execute(asked).mappings())
    told = {key: _told(remote) for key, remote in said.items()}
    fresh = [{"key": k, "remote": storable(said[k].id)} | v | _NEW | {"first_seen": now} for k, v in told.items()]
    for rows in chunks(row for row in fresh if row["key"] not in there):
        c.execute(insert(c, repositories), rows)
    changed = [k for k in there if any(there[k][name] != value for name, value in told[k].items())]
    for rows in chunks({"k": k} | {f"new_{name}": value for name, value in told[k].items()} for k in changed):
        c.execute(_RETOLD, rows)
    _readers_changed(c, [k for k in changed if there[k]["readers"] != told[k]["readers"]])
    entries = sorted({(repository_key(r.id), target_key(r.target)) for r in remotes})
    for pairs in chunks(entries):
        statement = insert(c, listings).on_conflict_do_nothing()
        c.execute(statement, [{"repository": key, "target": target} for key, target in pairs])


_NAMES = ("name", "url", "default_branch", "readers", "archived", "fork", "team", "gone")
_RETOLD = (
    update(repositories)
    .where(repositories.c.key == bindparam("k"))
    .values({name: bindparam(f"new_{name}") for name in _NAMES})
)
_TOLD = [repositories.c[name] for name in _NAMES]
_NEW: dict[str, Any] = {
    "refs": "",
    "program": "",
    "bytes": 0,
    "blobs": 0,
    "worker": "",
    "sweep": 0,
    "ending": "",
    "why": "",
    "failures": 0,
}


def _told(remote: Remote) -> dict[str, Any]:
    url = _CREDENTIALS.sub(lambda m: m[1] or m[2], remote.url)
    return {
        "name": storable(remote.name),
        "url": storable(url),
        "default_branch": storable(remote.default_branch),
        "readers": remote.readers if remote.readers in get_args(Readers) else "unknown",
        "archived": bool(remote.archived),
        "fork": bool(remote.fork),
        "team": storable(remote.team),
        "gone": None,
    }


def _readers_changed(c: Connection, keys: Sequence[str]) -> None:
    for chunk in chunks(keys):
        there = select(presences.c.finding).where(presences.c.repository.in_(chunk), presences.c.present)
        c.execute(update(findings).where(findings.c.finding.in_(there)).values(changed=True))
