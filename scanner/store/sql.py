"""The store in a database: each method of the interface as one transaction, and the lock that a sweep holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from ..swept import Event, Kept, Known, News, Outcome, Remote, State, Suppressed, Unlisted
from . import (
    Delivery,
    Forgotten,
    Store,
    StoreError,
    Wanted,
    deliveries,
    forgetting,
    outcome,
    reading,
    settling,
    status,
    writing,
)
from .engines import Place, sweep_lock
from .locks import Held
from .objects import seen
from .schema import sweeps
from .trouble import told


class SqlStore(Store):
    """A store in SQLite or PostgreSQL."""

    def __init__(self, place: Place, key: bytes, now: datetime) -> None:
        """`now` is what the lock says, and by which decisions are told to hold or not."""
        self._place, self._key, self._now = place, key, now
        self._held: Held | None = None

    @contextmanager
    def locked(self, who: str) -> Iterator[None]:
        """See Store."""
        with ExitStack() as stack:
            with told(self._place.name, *self._place.hidden):
                self._held = stack.enter_context(sweep_lock(self._place, who, self._now))
            try:
                yield
            finally:
                self._held = None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction of the sweep, which is in vain if its lock is lost."""
        with self._place.writing() as connection:
            yield connection
            if self._held is not None and not self._held(connection):
                raise StoreError(
                    "the lock of the store was lost, and another sweep may have begun: nothing more is written; run "
                    "the sweep again"
                )

    def begin(self, targets: Sequence[str], now: datetime) -> int:
        """See Store."""
        with self._writing() as c:
            return writing.begin(c, targets, now)

    def known(self) -> Mapping[str, Known]:
        """See Store."""
        with self._place.reading() as c:
            return reading.known(c)

    def list(self, sweep: int, remotes: Iterable[Remote], unlisted: Sequence[Unlisted], now: datetime) -> None:
        """See Store."""
        with self._writing() as c:
            writing.note_listed(c, sweep, remotes, unlisted, now)

    def commit(self, sweep: int, outcomes: Sequence[Outcome], now: datetime) -> None:
        """See Store."""
        checked = [(each, seen(self._key, each) if each.ending == "searched" else {}) for each in outcomes]
        if checked:
            with self._writing() as c:
                outcome.note_outcomes(c, sweep, checked, now)

    def finish(
        self, sweep: int, accepted: Iterable[Suppressed], hooks: Sequence[str], min_band: str, now: datetime
    ) -> News:
        """See Store."""
        with self._writing() as c:
            writing.running(c, sweep)
            settling.settle(c, self._key, sweep, accepted, now)
            values = {"ended": now, "counts": reading.counts(c, sweep, min_band)}
            c.execute(update(sweeps).where(sweeps.c.sweep == sweep).values(**values))
            deliveries.lay_down(c, self._key, sweep, hooks, min_band, now)
            return reading.news(c, sweep, min_band, now)

    def deliveries(self, hooks: Sequence[str] = ()) -> Sequence[Delivery]:
        """See Store."""
        with self._place.reading() as c:
            return tuple(deliveries.waiting(c, self._now, hooks))

    def sending(self, delivery: int) -> None:
        """See Store."""
        with self._place.writing() as c:
            deliveries.sending(c, delivery)

    def sent(self, delivery: int, now: datetime, failed: str = "") -> None:
        """See Store."""
        with self._place.writing() as c:
            deliveries.sent(c, delivery, now, failed)

    def status(self) -> Mapping[str, Any]:
        """See Store."""
        with self._place.reading() as c:
            return status.status(c)

    def findings(self, wanted: Wanted) -> Iterator[Kept]:
        """See Store."""
        with self._place.reading() as c:
            yield from reading.listed(c, self._key, wanted, self._now)

    def history(self, wanted: Wanted, sweep: int = 0) -> Iterator[tuple[Event, Kept]]:
        """See Store."""
        with self._place.reading() as c:
            yield from reading.history(c, self._key, wanted, sweep, self._now)

    def decide(self, finding: str, state: State, reason: str, by: str, now: datetime, expires: datetime | None) -> Kept:
        """See Store."""
        with self._place.writing() as c:
            name = reading.one(c, self._key, finding)
            settling.decide(c, name, state, reason, by, now, expires)
            return reading.kept(c, [name], now)[name]

    def forget(self, targets: Sequence[str], *, really: bool) -> Forgotten:
        """See Store."""
        with self._writing() if really else self._place.reading() as c:
            return forgetting.forget(c, targets, really=really)

    def close(self) -> None:
        """See Store."""
        self._place.engine.dispose()
