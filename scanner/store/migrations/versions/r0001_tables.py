"""The first revision: all tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, length: int = 0) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [_text(name) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def _time(name: str, *, needed: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not needed)


def _finding(*, primary: bool = False) -> sa.Column[str]:
    to = sa.ForeignKey("findings.finding")
    return sa.Column("finding", sa.String(64), to, primary_key=primary, nullable=False)


def _repository() -> sa.Column[str]:
    return sa.Column("repository", sa.String(32), sa.ForeignKey("repositories.key"), primary_key=True)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Make them."""
    op.create_table("meta", sa.Column("name", sa.String(40), primary_key=True), _text("value"))
    op.create_table(
        "sweeps",
        _count("sweep"),
        _text("targets"),
        _time("started"),
        _time("ended", needed=False),
        *_numbers("attempts"),
        *_texts("counts", "unlisted"),
    )
    op.create_table(
        "repositories",
        sa.Column("key", sa.String(32), primary_key=True),
        *_texts("remote", "name", "url", "default_branch"),
        _text("readers", 10),
        *_flags("archived", "fork"),
        _text("team"),
        _time("first_seen"),
        _time("seen", needed=False),
        _time("gone", needed=False),
        *_texts("refs", "program"),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("blobs", sa.BigInteger(), nullable=False),
        _text("worker"),
        *_numbers("sweep"),
        _text("ending", 10),
        _text("why"),
        _time("failing_since", needed=False),
        *_numbers("failures"),
    )
    op.create_index("repositories_of_a_sweep", "repositories", ["sweep"])
    op.create_table(
        "listings",
        _repository(),
        sa.Column("target", sa.Text(), primary_key=True),
        sa.Column("missed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("missed_in", sa.Integer(), nullable=False, server_default="0"),
    )
    op.create_table(
        "findings",
        sa.Column("finding", sa.String(64), primary_key=True),
        *_texts("detector", "provider", "kind", "name", "summary", "secret", "rotate"),
        _text("band", 10),
        *_numbers("score"),
        _text("state", 20),
        _text("verdict"),
        _time("first_seen"),
        sa.Column("decided", sa.Text()),
        sa.Column("suppressed", sa.Text()),
        *_flags("changed"),
        _text("told_state", 20),
        _text("told_band", 10),
        _text("told_verdict", 10),
        _text("told_readers", 10),
    )
    op.create_index("findings_by_state", "findings", ["state", "finding"])
    op.create_index("findings_that_changed", "findings", ["changed", "finding"])
    op.create_index("findings_by_score", "findings", ["score", "finding"])
    op.create_table(
        "presences",
        _finding(primary=True),
        _repository(),
        *_flags("present"),
        _time("since"),
        _time("first_seen"),
        _time("last_seen"),
        *_numbers("sweep"),
        _text("band", 10),
        *_numbers("score"),
        _text("reach", 12),
        *_texts("verdict", "owners"),
        *_flags("told"),
        *_texts("program"),
        *_flags("hidden"),
        *_texts("object"),
    )
    op.create_index("presences_of_a_repository", "presences", ["repository", "present", "finding"])
    op.create_table(
        "verdicts",
        _finding(primary=True),
        _count("sweep"),
        _time("at"),
        _text("verdict"),
    )
    op.create_table(
        "events",
        _count("event"),
        *_numbers("sweep"),
        _time("at"),
        _text("change", 20),
        _finding(),
        *_texts("before", "after"),
        _text("band", 10),
    )
    op.create_index("events_of_a_sweep", "events", ["sweep"])
    op.create_index("events_of_a_finding", "events", ["finding"])
    op.create_table(
        "decisions",
        _count("decision"),
        _finding(),
        _time("at"),
        _text("state", 20),
        *_texts("reason", "by"),
        _time("expires", needed=False),
    )
    op.create_index("decisions_of_a_finding", "decisions", ["finding"])
    op.create_table(
        "deliveries",
        _count("delivery"),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        _text("hook"),
        sa.Column("sweep", sa.Integer(), sa.ForeignKey("sweeps.sweep"), nullable=False),
        _text("min_band", 10),
        _text("status", 10),
        *_numbers("attempts"),
        _time("at"),
        _text("why"),
    )
