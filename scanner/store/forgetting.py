"""What is forgotten: all that a store has of a target, as if nobody had ever looked at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select, update

from ..errors import UsageError
from ..model import clean
from . import Forgotten
from .schema import decisions, events, findings, listings, presences, repositories, target_key, verdicts
from .writing import chunks

MOST_NAMED = 20
"""Targets that are named to who names another."""


def forget(c: Connection, targets: Sequence[str], *, really: bool) -> Forgotten:
    """Delete the repositories that only these targets list, and findings that are nowhere else; or tell which.

    UsageError where the store knows no such target.
    """
    known = c.scalars(select(listings.c.target).distinct().order_by(listings.c.target)).all()
    keys = {target_key(target) for target in targets}
    for target in targets:
        if target_key(target) not in known:
            named = ", ".join(map(clean, known[:MOST_NAMED])) or "none"
            raise UsageError(f"no repository was listed by {clean(target)}; the store has those of: {named}")
    other = listings.alias()
    elsewhere = exists().where(other.c.repository == repositories.c.key, other.c.target.not_in(keys))
    here = exists().where(listings.c.repository == repositories.c.key, listings.c.target.in_(keys))
    going = dict(_rows(c, here, ~elsewhere))
    # One that is gone was listed by nobody knows whom: it goes when nothing is listed any more.
    if set(known) <= keys:
        going.update(_rows(c, repositories.c.gone.is_not(None)))
    names = sorted(going)
    alone = _alone(c, names)
    if really:
        for some in chunks(alone):
            for table in (events, verdicts, decisions, presences):
                c.execute(delete(table).where(table.c.finding.in_(some)))
            c.execute(delete(findings).where(findings.c.finding.in_(some)))
        for some in chunks(names):
            there = select(presences.c.finding).where(presences.c.repository.in_(some))
            c.execute(update(findings).where(findings.c.finding.in_(there)).values(changed=True))
            c.execute(delete(presences).where(presences.c.repository.in_(some)))
            c.execute(delete(listings).where(listings.c.repository.in_(some)))
            c.execute(delete(repositories).where(repositories.c.key.in_(some)))
        c.execute(delete(listings).where(listings.c.target.in_(keys)))
    return Forgotten(tuple(sorted(going.values())), len(alone))


def _rows(c: Connection, *conditions: Any) -> Iterator[tuple[str, str]]:
    """Repositories: key, and the id that the host gave."""
    for row in c.execute(select(repositories.c.key, repositories.c.remote).where(*conditions)):
        yield row.key, row.remote


def _alone(c: Connection, going: Sequence[str]) -> list[str]:
    """Findings that were never in any other repository."""
    p = presences.c
    of: dict[str, int] = {}
    for some in chunks(going):
        for finding, count in c.execute(
            select(p.finding, func.count()).where(p.repository.in_(some)).group_by(p.finding)
        ):
            of[finding] = of.get(finding, 0) + count
    out = []
    for some in chunks(sorted(of)):
        counted = select(p.finding, func.count()).where(p.finding.in_(some)).group_by(p.finding)
        out += [finding for finding, count in c.execute(counted) if count == of[finding]]
    return out
