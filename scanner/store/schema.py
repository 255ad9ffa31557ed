"""The tables of a store, as they are at the present revision; `migrations/` is how a store comes to have them.

Names of things are texts that can be computed from the things themselves (a finding is its HMAC, a repository the
digest of its id), so that a store does not depend on the order in which workers were done. Times are UTC. JSON is text,
with sorted keys and in ASCII: what PostgreSQL does not take in texts (NUL, lone surrogates) is an escape in there.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0001"
"""The revision that these tables are of: a test holds it to the newest one in `migrations/versions`."""
VERSIONS = "oakum_schema"
"""The table in which Alembic keeps the revision; a store is known by it."""
LONGEST = 2000
"""Characters of a text that is kept."""


class Moment(TypeDecorator[datetime]):
    """A time with its zone, given back in UTC; SQLite knows none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite compares them as texts, so they are all in UTC."""
        return value and value.astimezone(UTC).replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC."""
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


class Document(TypeDecorator[Any]):
    """Anything that JSON can say."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Sorted, so that equal things are equal texts."""
        return None if value is None else as_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """As it was given."""
        return None if value is None else json.loads(value)


def as_text(value: Any) -> str:
    """JSON in ASCII, with sorted keys and no more spaces than it needs."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def storable(text: str, most: int = LONGEST) -> str:
    """A text that both databases take: no NUL, nothing that UTF-8 does not have, and not without end."""
    return text[:most].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def target_key(target: str) -> str:
    """A target as it is named in the tables: whole, unless an index would not take it."""
    if len(target) <= 400:
        return storable(target)
    return storable(target, 400) + hashlib.sha256(target.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def repository_key(remote: str) -> str:
    """By which a repository is known in the tables: of any length is only its id."""
    return hashlib.sha256(remote.encode("utf-8", "surrogatepass")).hexdigest()[:32]


tables = MetaData()

meta = Table("meta", tables, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False))
"""`check`: an HMAC by which the key is known; `created`; `oakum`: the version that made or migrated it."""

sweeps = Table(
    "sweeps",
    tables,
    Column("sweep", Integer, primary_key=True, autoincrement=False),
    Column("targets", Document, nullable=False),
    Column("started", Moment, nullable=False),
    Column("ended", Moment),
    Column("attempts", Integer, nullable=False),
    Column("counts", Document, nullable=False),
    Column("unlisted", Document, nullable=False),
)

repositories = Table(
    "repositories",
    tables,
    Column("key", String(32), primary_key=True),
    Column("remote", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("default_branch", Text, nullable=False),
    Column("readers", String(10), nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("fork", Boolean, nullable=False),
    Column("team", Text, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("seen", Moment),
    Column("gone", Moment),
    Column("refs", Text, nullable=False),
    Column("program", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("blobs", BigInteger, nullable=False),
    Column("worker", Text, nullable=False),
    Column("sweep", Integer, nullable=False),
    Column("ending", String(10), nullable=False),
    Column("why", Text, nullable=False),
    Column("failing_since", Moment),
    Column("failures", Integer, nullable=False),
    Index("repositories_of_a_sweep", "sweep"),
)
"""`seen`: when it was last searched, or unchanged; `sweep` and `ending`: of the last that was tried, with `why` where
it failed or was not searched whole; `failures`: sweeps in a row in which it did."""

listings = Table(
    "listings",
    tables,
    Column("repository", ForeignKey("repositories.key"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("missed_in", Integer, nullable=False, server_default="0"),
)
"""Which target lists which repository; in how many sweeps one after another it was missing though all was listed, and
the last of them."""
"""Which targets list a repository: without any it is gone."""

findings = Table(
    "findings",
    tables,
    Column("finding", String(64), primary_key=True),
    Column("detector", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("rotate", Text, nullable=False),
    Column("band", String(10), nullable=False),
    Column("score", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("verdict", Document, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("decided", Document),
    Column("suppressed", Document),
    Column("changed", Boolean, nullable=False),
    Column("told_state", String(20), nullable=False),
    Column("told_band", String(10), nullable=False),
    Column("told_verdict", String(10), nullable=False),
    Column("told_readers", String(10), nullable=False),
    Index("findings_by_state", "state", "finding"),
    Index("findings_that_changed", "changed", "finding"),
    Index("findings_by_score", "score", "finding"),
)
"""`finding` is the HMAC. `decided` is what somebody said of it here, `suppressed` what the configuration of the last
sweep says; `changed`: the next end of a sweep looks at it; `told_…`: as it was at the last one (empty: it was not)."""

presences = Table(
    "presences",
    tables,
    Column("finding", ForeignKey("findings.finding"), primary_key=True),
    Column("repository", ForeignKey("repositories.key"), primary_key=True),
    Column("present", Boolean, nullable=False),
    Column("since", Moment, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("sweep", Integer, nullable=False),
    Column("band", String(10), nullable=False),
    Column("score", Integer, nullable=False),
    Column("reach", String(12), nullable=False),
    Column("verdict", Document, nullable=False),
    Column("owners", Document, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("program", Text, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("object", Document, nullable=False),  # last: SQLite reads rows from their beginning
    Index("presences_of_a_repository", "repository", "present", "finding"),
)
"""A finding in a repository: the object of its last report, masked, and whether it is there still, since when; `sweep`
is the one that saw it last, `told`: it was there at the end of the last sweep."""

verdicts = Table(
    "verdicts",
    tables,
    Column("finding", ForeignKey("findings.finding"), primary_key=True),
    Column("sweep", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("verdict", Document, nullable=False),
)
"""What providers said over time, when it was another thing than before."""

events = Table(
    "events",
    tables,
    Column("event", Integer, primary_key=True, autoincrement=False),
    Column("sweep", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("change", String(20), nullable=False),
    Column("finding", ForeignKey("findings.finding"), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("band", String(10), nullable=False),
    Index("events_of_a_sweep", "sweep"),
    Index("events_of_a_finding", "finding"),
)
"""`sweep` is 0 for what somebody decided between two of them; `band` is the worse one of before and after."""

decisions = Table(
    "decisions",
    tables,
    Column("decision", Integer, primary_key=True, autoincrement=False),
    Column("finding", ForeignKey("findings.finding"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("expires", Moment),
    Index("decisions_of_a_finding", "finding"),
)

deliveries = Table(
    "deliveries",
    tables,
    Column("delivery", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("hook", Text, nullable=False),
    Column("sweep", ForeignKey("sweeps.sweep"), nullable=False),
    Column("min_band", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("why", Text, nullable=False),
)
"""`status` is one of waiting, sending, sent, failed."""
