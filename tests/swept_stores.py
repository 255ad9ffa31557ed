"""What stands in a store, but for times and for the numbers of sweeps: what two sweeps of the same must agree in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

PASSING = {"sweep", "event", "decision", "delivery", "attempts", "ending", "worker", "bytes", "failures", "key"}
"""Columns that say how it came about: which try it was, and whose. An ending may be `unchanged` in place of `searched`,
where the first try was killed after it."""
TABLES = ("repositories", "listings", "findings", "presences", "events", "decisions")


def dump(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of all tables that hold what is known."""
    with closing(sqlite3.connect(store)) as database:
        return {table: sorted(_rows(database, table), key=repr) for table in TABLES}


def _rows(database: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    columns = [
        name
        for _, name, kind, *_ in database.execute(f"PRAGMA table_info({table})")
        if kind != "DATETIME" and name not in PASSING
    ]
    return database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()


def told(store: Path) -> list[tuple[str, str]]:
    """(what changed, of which finding), each as often as it is an event."""
    with closing(sqlite3.connect(store)) as database:
        return sorted(database.execute("SELECT change, finding FROM events").fetchall())


def deliveries(store: Path) -> list[tuple[str, str]]:
    """(key, status) of messages."""
    with closing(sqlite3.connect(store)) as database:
        return sorted(database.execute("SELECT key, status FROM deliveries").fetchall())
