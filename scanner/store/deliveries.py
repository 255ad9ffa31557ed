"""Messages that are to be sent, so that none is lost and none is sent twice.

That one is being sent is committed before it goes out. If nothing more is heard of it (the process was killed, the
answer did not come), it may have arrived: it is never sent again, and is told as such until a later message arrived.
One that certainly did not arrive waits again, `MOST_ATTEMPTS` times; one whose hook nobody names any more waits for
`LONGEST_WAIT`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from ..swept import NEWS, News
from . import Delivery, StoreError
from .reading import figures, from_band, news
from .schema import deliveries, events, storable

MOST_ATTEMPTS = 5
MOST_AT_ONCE = 20
LONGEST_WAIT = timedelta(days=30)
UNNAMED = f"no sweep has named this webhook for {LONGEST_WAIT.days} days"


def lay_down(c: Connection, key: bytes, sweep: int, hooks: Sequence[str], min_band: str, now: datetime) -> None:
    """A delivery for each hook, if the sweep has changes to tell. Its key is that of the sweep and the hook. Those that
    wait for a hook that nobody has named for long are given up."""
    d = deliveries.c
    left = (d.status == "waiting", d.at < now - LONGEST_WAIT, d.hook.not_in([storable(hook) for hook in hooks]))
    c.execute(update(deliveries).where(*left).values(status="failed", at=now, why=UNNAMED))
    wanted = (events.c.sweep == sweep, events.c.change.in_(NEWS), events.c.band.in_(from_band(min_band)))
    if c.execute(select(events.c.event).where(*wanted).limit(1)).first() is None:
        return
    number = c.scalar(select(func.max(deliveries.c.delivery))) or 0
    for hook in sorted({storable(hook) for hook in hooks}):
        number += 1
        name = hmac.new(key, f"delivery {sweep} {hook}".encode(), hashlib.sha256).hexdigest()[:32]
        c.execute(
            deliveries.insert().values(
                delivery=number,
                key=name,
                hook=hook,
                sweep=sweep,
                min_band=min_band,
                status="waiting",
                attempts=0,
                at=now,
                why="",
            )
        )


def waiting(c: Connection, now: datetime, hooks: Sequence[str] = ()) -> Iterator[Delivery]:
    """Those that nobody has begun to send, oldest first; of these hooks, where some are named."""
    d = deliveries.c
    asked = select(deliveries).where(d.status == "waiting").order_by(d.delivery).limit(MOST_AT_ONCE)
    if hooks:
        asked = asked.where(d.hook.in_([storable(hook) for hook in hooks]))
    brought: dict[tuple[int, str], News] = {}
    for row in c.execute(asked).all():
        of = row.sweep, row.min_band
        if of not in brought:
            brought[of] = news(c, *of, now)
        yield Delivery(row.delivery, row.key, row.hook, brought[of], missing=_missing(c, row.hook, row.delivery))


def _missing(c: Connection, hook: str, before: int) -> int:
    """How many messages for a hook, since the last that arrived, may not have."""
    d = deliveries.c
    last = c.scalar(select(func.max(d.delivery)).where(d.hook == hook, d.status == "sent")) or 0
    lost = d.status.in_(("sending", "failed"))
    asked = select(func.count()).where(d.hook == hook, lost, d.delivery > last, d.delivery < before)
    return int(c.scalar(asked) or 0)


def sending(c: Connection, delivery: int) -> None:
    """From now on it may have arrived. StoreError if another began to send it meanwhile."""
    d = deliveries.c
    mine = update(deliveries).where(d.delivery == delivery, d.status == "waiting")
    if c.execute(mine.values(status="sending", attempts=d.attempts + 1)).rowcount != 1:
        raise StoreError(f"delivery {delivery} is being sent, or was, by another process")


def sent(c: Connection, delivery: int, now: datetime, failed: str) -> None:
    """What became of one that was being sent."""
    d = deliveries.c
    row = c.execute(select(d.attempts).where(d.delivery == delivery, d.status == "sending")).first()
    if row is None:
        raise StoreError(f"delivery {delivery} was not being sent")
    status = "sent" if not failed else "waiting" if row.attempts < MOST_ATTEMPTS else "failed"
    c.execute(update(deliveries).where(d.delivery == delivery).values(status=status, at=now, why=storable(failed)))


def told(c: Connection) -> dict[str, Any]:
    """What is late, what may not have arrived, and what did not: fit for JSON."""
    d = deliveries.c
    number = figures(c, select(d.status, func.count()).group_by(d.status))
    open_ones = select(deliveries).where(d.status != "sent").order_by(d.delivery.desc()).limit(MOST_AT_ONCE)
    names = {"waiting": "waiting", "sending": "may have arrived", "failed": "given up", "sent": "sent"}
    return {
        "counts": {name: number.get(status, 0) for status, name in names.items()},
        "open": [
            {
                "delivery": row.delivery,
                "key": row.key,
                "hook": row.hook,
                "sweep": row.sweep,
                "status": names[row.status],
                "attempts": row.attempts,
                "at": row.at.isoformat(),
                "why": row.why,
            }
            for row in c.execute(open_ones)
        ],
    }
