"""What a store tells: findings with where they are, what changed, what a sweep brought, and what is known of
repositories. Findings come worst first, changes newest first; neither is ever in memory as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, get_args

from sqlalchemy import Connection, and_, case, func, or_, select

from ..errors import UsageError
from ..model import BANDS, clean
from ..swept import COUNTING, NEWS, Event, Kept, Known, News, State, Unlisted
from . import Wanted
from .objects import name_of
from .schema import events, findings, presences, repositories, sweeps
from .states import in_force
from .writing import CHUNK

ID = 16
"""Digits of an HMAC that are shown as the id of a finding."""
SHORTEST = 4
"""Digits of an id that are enough, where there is but one."""
MOST_NEWS = 5000
"""Changes that the news of a sweep have, most urgent first; the counts have all, and so has the history."""
MOST_PLACES = 5
"""Places of a finding that are told."""
MOST_NAMES = 200
"""Repositories of a finding that are told, and owners."""
_AT_ONCE = 100
"""Findings whose places are read at once."""
_FINGERPRINT = re.compile("[a-z2-7]{26}")


def known(c: Connection) -> dict[str, Known]:
    """What is known of each repository that is not gone, by the id that its host gave."""
    r, p, f = repositories.c, presences.c, findings.c
    there = figures(c, select(p.repository, func.count()).where(p.present).group_by(p.repository))
    closed = select(p.repository, func.count()).join(findings, f.finding == p.finding)
    others = [state for state in get_args(State) if state not in COUNTING]  # fewer, as a rule
    done = figures(c, closed.where(p.present, f.state.in_(others)).group_by(p.repository))
    rows = c.execute(select(r.key, r.remote, r.refs, r.program, r.bytes, r.worker).where(r.gone.is_(None)))
    return {
        remote: Known(refs, program, size, worker, there.get(key, 0) - done.get(key, 0))
        for key, remote, refs, program, size, worker in rows
    }


def figures(c: Connection, statement: Any) -> dict[str, int]:
    """What a statement counts, by what."""
    return {name: int(number) for name, number in c.execute(statement)}


# --- findings --------------------------------------------------------------------------------------------------------


def kept(c: Connection, names: Sequence[str], now: datetime) -> dict[str, Kept]:
    """Findings by their HMACs."""
    out: dict[str, Kept] = {}
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        p, r = presences.c, repositories.c
        columns = (p.finding, p.repository, p.present, p.last_seen, p.owners, r.name, r.team, r.seen)
        asked = select(*columns).join(repositories, r.key == p.repository).where(p.finding.in_(some))
        there: dict[str, list[Any]] = {name: [] for name in some}
        for row in c.execute(asked.order_by(p.present.desc(), p.score.desc(), p.repository)):
            there[row.finding].append(row)
        objects = worst_objects(c, some, MOST_PLACES)
        for row in c.execute(select(findings).where(findings.c.finding.in_(some))):
            out[row.finding] = _kept(row, there[row.finding], objects, now)
    return out


def worst_objects(c: Connection, names: Sequence[str], most: int) -> dict[tuple[str, str], Any]:
    """The objects of so many presences of each finding, by the HMAC and the repository: those where it is, and of them
    the worst."""
    p = presences.c
    order = (p.present.desc(), p.score.desc(), p.repository)
    number = func.row_number().over(partition_by=p.finding, order_by=order).label("number")
    best = select(p.finding, p.repository, number).where(p.finding.in_(names)).subquery()
    there = and_(best.c.finding == p.finding, best.c.repository == p.repository)
    asked = select(p.finding, p.repository, p.object).join(best, there).where(best.c.number <= most)
    return {(finding, repository): told for finding, repository, told in c.execute(asked)}


def _kept(row: Any, there: Sequence[Any], objects: Mapping[tuple[str, str], Any], now: datetime) -> Kept:
    """A finding. Where it is nowhere any more, the repositories are those where it was."""
    present = [p for p in there if p.present] or list(there)
    decision = row.decided if in_force(row.decided, now) else row.suppressed
    return Kept(
        id=row.finding[:ID],
        detector=row.detector,
        provider=row.provider,
        kind=row.kind,
        name=row.name,
        summary=row.summary,
        secret=row.secret,
        band=row.band,
        score=row.score,
        state=row.state,
        verdict=row.verdict,
        first_seen=row.first_seen,
        last_seen=max((_last_seen(p) for p in there), default=row.first_seen),
        repositories=tuple(sorted({p.name for p in present})[:MOST_NAMES]),
        teams=tuple(sorted({p.team for p in present if p.team})[:MOST_NAMES]),
        owners=tuple(sorted({owner for p in present for owner in p.owners})[:MOST_NAMES]),
        places=tuple(_places(row.finding, present, objects)),
        rotate=row.rotate,
        decision={name: value for name, value in (decision or {}).items() if value},
    )


def _last_seen(p: Any) -> datetime:
    """One that is there was seen whenever its repository was."""
    seen: datetime = p.last_seen
    return max(seen, p.seen) if p.present and p.seen else seen


def _places(finding: str, there: Sequence[Any], objects: Mapping[tuple[str, str], Any]) -> Iterator[dict[str, Any]]:
    """The first place of each repository, worst first, then their others."""
    ranked = [
        (number, order, place, p.name)
        for order, p in enumerate(there[:MOST_PLACES])
        for number, place in enumerate(objects.get((finding, p.repository), {}).get("occurrences", [])[:MOST_PLACES])
    ]
    for _, _, place, name in sorted(ranked, key=lambda each: each[:2])[:MOST_PLACES]:
        yield place | {"repository": name}


def one(c: Connection, key: bytes, finding: str) -> str:
    """The HMAC of the one finding that is meant; UsageError where it is none, or several."""
    found = _meant(c, key, finding.strip())
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{clean(finding)} is the beginning of several findings: write more of it")
    raise UsageError(f"no finding is called {clean(finding)}: `oakum sweep findings` tells the ids of all")


def _meant(c: Connection, key: bytes, finding: str) -> Sequence[str]:
    """At most two that a text may mean: a fingerprint, or the beginning of an id."""
    if _FINGERPRINT.fullmatch(finding):
        found = c.scalars(select(findings.c.finding).where(findings.c.finding == name_of(key, finding))).all()
        if found:
            return found
    beginning = finding.lower()
    if not re.fullmatch(f"[0-9a-f]{{{SHORTEST},64}}", beginning):
        raise UsageError(
            f"{clean(finding[:80])!r} is neither a fingerprint nor the beginning of an id ({SHORTEST} digits or more)"
        )
    asked = select(findings.c.finding).where(findings.c.finding.between(beginning, beginning + "g"))
    return c.scalars(asked.limit(2)).all()


def listed(c: Connection, key: bytes, wanted: Wanted, now: datetime) -> Iterator[Kept]:
    """Findings that are asked for, worst first."""
    conditions = _conditions(c, key, wanted)
    f = findings.c
    last: Any = None
    while True:
        asked = select(f.finding, f.score).where(*conditions)
        if last is not None:
            asked = asked.where(or_(f.score < last.score, and_(f.score == last.score, f.finding < last.finding)))
        rows = c.execute(asked.order_by(f.score.desc(), f.finding.desc()).limit(CHUNK)).all()
        found = kept(c, [row.finding for row in rows], now)
        yield from (each for row in rows if _fits(each := found[row.finding], wanted))
        if len(rows) < CHUNK:
            return
        last = rows[-1]


def _conditions(c: Connection, key: bytes, wanted: Wanted) -> list[Any]:
    """What the database can tell of those that are asked for."""
    f = findings.c
    out: list[Any] = []
    if wanted.finding:
        out.append(f.finding == one(c, key, wanted.finding))
    if wanted.states:
        out.append(f.state.in_(wanted.states))
    if wanted.kind:
        out.append(f.kind == wanted.kind)
    if wanted.band:
        out.append(f.band.in_(from_band(wanted.band)))
    if wanted.since:
        out.append(f.first_seen >= wanted.since)
    return out


def from_band(band: str) -> tuple[str, ...]:
    """The bands from one upwards; all, where it is none."""
    return BANDS[: BANDS.index(band) + 1] if band in BANDS else BANDS


def _fits(found: Kept, wanted: Wanted) -> bool:
    glob = wanted.repository
    return (
        (not glob or any(fnmatchcase(name, glob) for name in found.repositories))
        and (not wanted.team or wanted.team in found.teams)
        and (not wanted.owner or wanted.owner in found.owners)
    )


# --- changes ---------------------------------------------------------------------------------------------------------


def history(c: Connection, key: bytes, wanted: Wanted, sweep: int, now: datetime) -> Iterator[tuple[Event, Kept]]:
    """Changes of findings that are asked for, newest first."""
    e = events.c
    conditions = _conditions(c, key, wanted)
    if sweep:
        conditions.append(e.sweep == sweep)
    last: int | None = None
    while True:
        asked = select(events).join(findings, findings.c.finding == e.finding).where(*conditions)
        if last is not None:
            asked = asked.where(e.event < last)
        rows = c.execute(asked.order_by(e.event.desc()).limit(CHUNK)).all()
        found = kept(c, sorted({row.finding for row in rows}), now)
        yield from ((_event(row), each) for row in rows if _fits(each := found[row.finding], wanted))
        if len(rows) < CHUNK:
            return
        last = rows[-1].event


def _event(row: Any) -> Event:
    return Event(row.sweep, row.at, row.change, row.finding[:ID], row.before, row.after)


def news(c: Connection, sweep: int, min_band: str, now: datetime) -> News:
    """What a sweep that has ended brought, from a band upwards."""
    e, f = events.c, findings.c
    row = c.execute(select(sweeps).where(sweeps.c.sweep == sweep)).one()
    urgency = case({change: i for i, change in enumerate(NEWS)}, value=e.change)
    band = case({name: i for i, name in enumerate(BANDS)}, value=e.band)
    asked = (
        select(events)
        .join(findings, f.finding == e.finding)
        .where(e.sweep == sweep, e.change.in_(NEWS), e.band.in_(from_band(min_band)))
        .order_by(urgency, band, f.score.desc(), f.finding, e.event)
        .limit(MOST_NEWS)
    )
    rows = c.execute(asked).all()
    found = kept(c, sorted({each.finding for each in rows}), now)
    return News(
        sweep=sweep,
        started=row.started,
        ended=row.ended,
        targets=tuple(row.targets),
        changes=tuple((_event(each), found[each.finding]) for each in rows),
        failed=tuple(failing(c, sweep)),
        counts=row.counts,
        unlisted=tuple(Unlisted(target, why) for target, why in row.unlisted),
    )


def failing(c: Connection, sweep: int) -> Iterator[tuple[str, str]]:
    """Repositories that a sweep could not search whole, and why."""
    r = repositories.c
    asked = select(r.name, r.why).where(r.sweep == sweep, r.failures > 0, r.gone.is_(None))
    yield from ((row.name, row.why) for row in c.execute(asked.order_by(r.name, r.key)))


def counts(c: Connection, sweep: int, min_band: str) -> dict[str, int]:
    """What a sweep that is about to end is in figures."""
    r, f, e = repositories.c, findings.c, events.c
    of_sweep = select(r.ending, func.count()).where(r.sweep == sweep, r.gone.is_(None)).group_by(r.ending)
    endings = figures(c, of_sweep)
    sums = (func.coalesce(func.sum(r.blobs), 0), func.coalesce(func.sum(r.bytes), 0))
    blobs, size = c.execute(select(*sums).where(r.sweep == sweep, r.ending == "searched")).one()
    incomplete = select(func.count()).where(r.sweep == sweep, r.failures > 0, r.ending == "searched")
    by_band = figures(c, select(f.band, func.count()).where(f.state.in_(COUNTING)).group_by(f.band))
    changed = c.execute(select(e.change, e.band, func.count()).where(e.sweep == sweep).group_by(e.change, e.band)).all()
    told = from_band(min_band)
    return (
        {"repositories": sum(endings.values())}
        | {ending: endings.get(ending, 0) for ending in ("searched", "unchanged", "failed")}
        | {"incomplete": c.scalar(incomplete) or 0, "blobs": int(blobs), "bytes": int(size)}
        | {"findings": sum(by_band.values())}
        | {band: by_band.get(band, 0) for band in BANDS}
        | {name: sum(n for change, band, n in changed if change == name and band in told) for name in NEWS}
        | {"not_reported": sum(n for change, band, n in changed if change == "not reported" and band in told)}
        | {"below_min_band": sum(n for change, band, n in changed if change in NEWS and band not in told)}
    )
