"""The store of sweeps: findings over time, in SQLite or PostgreSQL. Never a value of a secret, nor its fingerprint.

A secret is known by HMAC-SHA-256(key of the store, fingerprint). The key lies outside of the database, so that who
gets hold of that can neither test guesses nor look for a secret of his own in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import OakumError
from ..swept import Event, Kept, Known, News, Outcome, Remote, State, Suppressed, Unlisted


class StoreError(OakumError):
    """A store cannot be opened, is in use, was made by another version, is no store, or is full: with what to do."""


class RefusedError(StoreError):
    """What a worker gave of a repository is not as it must be; the store is as it was, and takes what others give."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are asked for; what is empty says nothing. `repository` is a glob over names; `band` the least;
    `finding` the beginning of an id, or a fingerprint as reports tell it."""

    finding: str = ""
    states: frozenset[State] = frozenset()
    repository: str = ""
    team: str = ""
    kind: str = ""
    owner: str = ""
    band: str = ""
    since: datetime | None = None
    """First seen since then."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that is to be sent: `key` tells it from all others, for receivers; `hook` is the name of the webhook,
    never its URL; `news` what it says, `missing` how many messages for that hook since the last that arrived did not,
    or may not have."""

    id: int
    key: str
    hook: str
    news: News
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is forgotten, or would be: the ids of repositories, and how many findings."""

    remotes: tuple[str, ...]
    findings: int


class Store:
    """A store that is open: the interface. Every method is one transaction, which is there whole or not at all."""

    @contextmanager
    def locked(self, who: str) -> Iterator[None]:
        """Nobody else sweeps into this store meanwhile; StoreError with who does, and since when."""
        raise NotImplementedError
        yield

    def begin(self, targets: Sequence[str], now: datetime) -> int:
        """The number of the sweep: a new one, or that of the last, where it had the same targets and no end."""
        raise NotImplementedError

    def known(self) -> Mapping[str, Known]:
        """What is known of each repository, by `Remote.id`."""
        raise NotImplementedError

    def list(self, sweep: int, remotes: Iterable[Remote], unlisted: Sequence[Unlisted], now: datetime) -> None:
        """Note what hosts listed: new repositories, new names of old ones; those that are not listed any more by a
        target that was listed whole are gone, and so are their findings. What is listed and then left out by a filter
        belongs to `remotes` too: it is not gone."""
        raise NotImplementedError

    def commit(self, sweep: int, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Note what the work on repositories gave. What a repository had and has no more is absent from then on; one
        that failed, or was not searched whole, keeps what it had. StoreError, with nothing noted, for a finding whose
        object is not as in a report, or not masked."""
        raise NotImplementedError

    def finish(
        self, sweep: int, accepted: Iterable[Suppressed], hooks: Sequence[str], min_band: str, now: datetime
    ) -> News:
        """End a sweep: states are worked out, what changed since the last sweep that ended becomes events, and for each
        of the hooks a delivery is laid down, if there are changes from a band upwards. The news have those (a few
        thousand at most), the counts say how many there are of each, and how many are below the band."""
        raise NotImplementedError

    def deliveries(self, hooks: Sequence[str] = ()) -> Sequence[Delivery]:
        """Those that nobody has begun to send, oldest first; of these hooks, where some are named: those for a hook
        that nobody names any more wait, and hold up no others."""
        raise NotImplementedError

    def sending(self, delivery: int) -> None:
        """Note that it is being sent from now on: if nothing more is heard of it, it may have arrived, and is not sent
        again."""
        raise NotImplementedError

    def sent(self, delivery: int, now: datetime, failed: str = "") -> None:
        """Note that it arrived; or why it certainly did not: then it is tried again next time, a few times."""
        raise NotImplementedError

    def status(self) -> Mapping[str, Any]:
        """The last sweeps, counts by state and band, repositories that fail and since when, deliveries that are late
        or may not have arrived: fit for JSON."""
        raise NotImplementedError

    def findings(self, wanted: Wanted) -> Iterator[Kept]:
        """Findings, worst first. UsageError where `wanted.finding` is none, or several."""
        raise NotImplementedError

    def history(self, wanted: Wanted, sweep: int = 0) -> Iterator[tuple[Event, Kept]]:
        """What changed, newest first; of one sweep, or of all."""
        raise NotImplementedError

    def decide(self, finding: str, state: State, reason: str, by: str, now: datetime, expires: datetime | None) -> Kept:
        """Accept a finding, call it a false positive, or open it again. UsageError where it is none, or several."""
        raise NotImplementedError

    def forget(self, targets: Sequence[str], *, really: bool) -> Forgotten:
        """Delete what is had of targets alone, with all that became of it; or, where not `really`, say how much that
        is. UsageError for what is no target of the store."""
        raise NotImplementedError

    def close(self) -> None:
        """Close it."""
        raise NotImplementedError


def open_store(where: str, key: bytes, now: datetime, *, create: bool) -> Store:
    """The store at a path or a URL (`postgresql://…`), brought to the present schema; made where there is none and it
    may be. `key` is 32 bytes (`keys.key_for` gives that of a file, `keys.key_of_text` that of a text); StoreError where
    it is not the one that the store was made with."""
    try:
        from .opening import opened
        from .sql import SqlStore

        return SqlStore(opened(where, key, now, create=create), key, now)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("sqlalchemy", "alembic"):
            raise
        raise StoreError("a store of sweeps needs SQLAlchemy and Alembic: pip install 'oakum[sweep]'") from None
