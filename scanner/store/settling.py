"""The end of a sweep: states are worked out, what changed becomes events; and decisions, which change a state at once.

Only findings that a sweep touched are looked at, and those that somebody decided upon, whose time may be up; in the
order of their HMACs, so that events do not depend on the order of the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, text, update

from ..errors import UsageError
from ..model import BANDS
from ..swept import COUNTING, State, Suppressed
from .objects import REACHES, name_of
from .outcome import described
from .reading import worst_objects
from .schema import decisions, events, findings, presences, repositories, storable, sweeps, verdicts
from .states import DECIDED, Standing, Told, became, changes, in_force, state_of, verdict_of
from .writing import CHUNK, chunks, insert

_READERS = ("private", "unknown", "public")


@dataclass(slots=True)
class _Settled:
    """What is to be written of some findings."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    described: dict[str, int] = field(default_factory=dict)


def settle(c: Connection, key: bytes, sweep: int, accepted: Iterable[Suppressed], now: datetime) -> None:
    """Work out the state of each finding that may have another one, and lay down what changed."""
    if c.dialect.name == "postgresql":  # which plans by what was there before the sweep, or by nothing at all
        c.execute(text("analyze findings, presences, repositories"))
    suppressed = {name_of(key, s.fingerprint): _suppression(s) for s in accepted if _holds(s, now)}
    for some in chunks(sorted(suppressed)):
        c.execute(
            update(findings).where(findings.c.finding.in_(some), findings.c.suppressed.is_(None)).values(changed=True)
        )
    ended = c.scalar(select(func.max(sweeps.c.sweep)).where(sweeps.c.ended.is_not(None))) or 0
    last = ""
    while names := _next(c, last):
        last = names[-1]
        out = _Settled()
        for row, there in _standing(c, names):
            _settled(row, there, suppressed.get(row.finding), ended, sweep, now, out)
        _write(c, out, names)


def _holds(entry: Suppressed, now: datetime) -> bool:
    return entry.expires is None or entry.expires >= now.astimezone(UTC).date()


def _suppression(entry: Suppressed) -> dict[str, str]:
    return {
        "state": "accepted",
        "reason": storable(entry.reason),
        "by": storable(entry.by) or "configuration",
        "expires": entry.expires.isoformat() if entry.expires else "",
    }


def _next(c: Connection, last: str) -> Sequence[str]:
    wanted = or_(findings.c.changed, findings.c.decided.is_not(None), findings.c.suppressed.is_not(None))
    asked = select(findings.c.finding).where(findings.c.finding > last, wanted)
    return c.scalars(asked.order_by(findings.c.finding).limit(CHUNK)).all()


def _standing(c: Connection, names: Sequence[str]) -> Iterator[tuple[Any, list[Any]]]:
    """Each finding with its presences, worst first."""
    p, r = presences.c, repositories.c
    columns = (
        p.finding,
        p.repository,
        p.present,
        p.sweep,
        p.band,
        p.score,
        p.reach,
        p.verdict,
        p.told,
        p.hidden,
        r.name,
        r.readers,
    )
    asked = select(*columns).join(repositories, r.key == p.repository).where(p.finding.in_(names))
    there: dict[str, list[Any]] = {name: [] for name in names}
    for row in c.execute(asked.order_by(p.score.desc(), p.repository)):
        there[row.finding].append(row)
    for row in c.execute(select(findings).where(findings.c.finding.in_(names)).order_by(findings.c.finding)):
        yield row, there[row.finding]


def _settled(
    row: Any,
    there: Sequence[Any],
    suppressed: dict[str, str] | None,
    ended: int,
    sweep: int,
    now: datetime,
    out: _Settled,
) -> None:
    present = [p for p in there if p.present]
    is_new = not row.told_state
    worst = next(iter(present or (there if is_new else ())), None)
    before = {} if is_new else row.verdict
    verdict = dict(verdict_of(before, [p.verdict for p in there if p.sweep > ended]))
    decided = row.decided if in_force(row.decided, now) else None
    standing = Standing(
        min((p.reach for p in present), key=REACHES.index, default=""),
        worst.band if worst else row.band,
        verdict,
        max((p.readers for p in present), key=_READERS.index, default="unknown"),
        (decided or suppressed or {}).get("state", ""),
        [p.name for p in present if not p.told],
        any(p.hidden for p in there),
    )
    state = state_of(standing, row.told_state)
    told = Told(row.told_state, row.told_band, row.told_verdict, row.told_readers)
    for change, was, became_it in changes(told, standing, state):
        band = min(filter(None, (row.told_band, standing.band)), key=BANDS.index)
        out.events.append(_event(sweep, now, change, row.finding, was, became_it, band))
    if verdict.get("state") in ("live", "dead") and _said(verdict) != _said(before):
        out.verdicts.append({"finding": row.finding, "sweep": sweep, "at": now, "verdict": verdict})
    if worst:
        out.described[row.finding] = worst.score
    out.rows.append(
        {
            "id": row.finding,
            "new_state": state,
            "new_band": standing.band,
            "new_verdict": verdict,
            "new_decided": decided,
            "new_suppressed": suppressed,
            "verdict_state": str(verdict.get("state", "")),
            "readers": standing.readers,
        }
    )


def _said(verdict: Mapping[str, Any]) -> tuple[Any, ...]:
    """What counts of a verdict: its reason may name the time."""
    return verdict.get("state"), verdict.get("asked", ""), verdict.get("facts", {})


def _event(sweep: int, now: datetime, change: str, finding: str, before: str, after: str, band: str) -> dict[str, Any]:
    told = {"sweep": sweep, "at": now, "change": change, "finding": finding, "before": before, "after": after}
    return told | {"band": band}


def _new(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


def _write(c: Connection, out: _Settled, names: Sequence[str]) -> None:
    c.execute(_UPDATE, out.rows)
    rows = []
    for (name, _), told in worst_objects(c, sorted(out.described), 1).items():
        rows.append({"id": name, "new_score": out.described[name]} | _new(described(told)))
    if rows:
        c.execute(_DESCRIBE, rows)
    changed = presences.c.told != presences.c.present
    c.execute(update(presences).where(presences.c.finding.in_(names), changed).values(told=presences.c.present))
    add_events(c, out.events)
    if out.verdicts:
        statement = insert(c, verdicts)
        again = {"verdict": statement.excluded.verdict, "at": statement.excluded.at}
        c.execute(statement.on_conflict_do_update(index_elements=["finding", "sweep"], set_=again), out.verdicts)


_UPDATE = (
    update(findings)
    .where(findings.c.finding == bindparam("id"))
    .values(
        state=bindparam("new_state"),
        band=bindparam("new_band"),
        verdict=bindparam("new_verdict"),
        decided=bindparam("new_decided"),
        suppressed=bindparam("new_suppressed"),
        changed=False,
        told_state=bindparam("new_state"),
        told_band=bindparam("new_band"),
        told_verdict=bindparam("verdict_state"),
        told_readers=bindparam("readers"),
    )
)
_DESCRIBE = (
    update(findings)
    .where(findings.c.finding == bindparam("id"))
    .values(score=bindparam("new_score"), **{name: bindparam(f"new_{name}") for name in described({})})
)


def add_events(c: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Events, numbered on."""
    first = (c.scalar(select(func.max(events.c.event))) or 0) + 1
    for chunk in chunks({"event": first + i} | row for i, row in enumerate(rows)):
        c.execute(events.insert(), chunk)


# --- decisions -------------------------------------------------------------------------------------------------------


def decide(
    c: Connection, finding: str, state: State, reason: str, by: str, now: datetime, expires: datetime | None
) -> None:
    """Note a decision. What it changes is told at once, in no sweep, and not again when one ends."""
    if state != "open" and state not in DECIDED:
        raise UsageError(f"a finding is marked as accepted, false positive or open, not as {state}")
    if state != "open" and not reason.strip():
        raise UsageError("say why: --reason")
    if expires is not None and expires <= now:
        raise UsageError("that is over already: --expires is a day to come")
    ((row, there),) = _standing(c, [finding])
    number = (c.scalar(select(func.max(decisions.c.decision))) or 0) + 1
    said = {"state": state, "reason": storable(reason), "by": storable(by)}
    c.execute(decisions.insert().values(decision=number, finding=finding, at=now, expires=expires, **said))
    ends = expires.astimezone(UTC).isoformat(timespec="seconds") if expires else ""
    decided = None if state == "open" else said | {"expires": ends}
    present = [p.reach for p in there if p.present]
    best = min(present, key=REACHES.index, default="")
    in_place = (decided or row.suppressed or {}).get("state", "")
    hidden = any(p.hidden for p in there)
    after = state_of(Standing(best, row.band, row.verdict, decided=in_place, hidden=hidden), row.told_state)
    c.execute(
        update(findings)
        .where(findings.c.finding == finding)
        .values(
            decided=decided,
            state=after,
            told_state=after if decided or row.told_state else "",  # what was never told is new still
            told_band=row.told_band or row.band,
            told_verdict=row.told_verdict or str(row.verdict.get("state", "")),
        )
    )
    again = after in COUNTING and row.state not in COUNTING
    change = "reopened" if again else became(row.state, after)
    if after != row.state and change:
        add_events(c, [_event(0, now, change, finding, row.state, after, row.band)])
