"""What clones take on disk, and when they were used: one small SQLite file for all processes that use the folder.

It only saves walking through everything: a ledger that is lost or damaged is made anew from what lies there.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from .reach import CloneError

T = TypeVar("T")

_SCHEMA = """
create table clones (
  name text primary key,
  bytes integer not null,
  memory integer not null,
  run integer not null,
  turn integer not null
) without rowid
"""
"""`run` is the sweep that used it last, as seconds since 1970; `turn` counts uses, so that they have an order."""
_NOTE = """
insert into clones values (?, ?, ?, ?, (select coalesce(max(turn), 0) + 1 from clones)) on conflict (name) do update
set bytes = excluded.bytes, memory = excluded.memory, run = excluded.run, turn = excluded.turn
"""
_CANDIDATES = """
select name, bytes, memory from clones order by run >= :run, case when run >= :run then -turn else turn end
"""
_TOTAL = "select coalesce(sum(bytes + memory), 0) from clones"
_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR")
"""The last is what a table of other columns says."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A clone: its folder, and the bytes that it and the memory of its search take."""

    name: str
    bytes: int
    memory: int


class Ledger:
    """The entries of a folder, in a file. Every method is one transaction. `found` looks at all that lies there, for a
    ledger that is made anew. CloneError where the file cannot be written."""

    def __init__(self, path: bytes, found: Callable[[], Iterable[Entry]]) -> None:
        self._path, self._found = path, found

    def note(self, entry: Entry, run: int) -> None:
        """What a clone takes now; this run has used it."""
        self._done(lambda database: database.execute(_NOTE, (entry.name, entry.bytes, entry.memory, run)))

    def grew(self, name: str, taken: int) -> int:
        """Note what a clone takes while it is fetched; what all take together, in bytes."""

        def grow(database: sqlite3.Connection) -> int:
            database.execute("update clones set bytes = ? where name = ?", (taken, name))
            return _sum(database, _TOTAL)

        return self._done(grow)

    def total(self) -> int:
        """What all take together, in bytes."""
        return self._done(lambda database: _sum(database, _TOTAL))

    def remembered(self) -> int:
        """What the memories of searches take together, in bytes."""
        return self._done(lambda database: _sum(database, "select coalesce(sum(memory), 0) from clones"))

    def candidates(self, run: int) -> list[Entry]:
        """What may go, in this order: what this run has not used, longest unused first; then what it has used, latest
        first, so that a folder that is too small for all keeps some, and does not change all of them each night."""
        return self._done(lambda database: [Entry(*row) for row in database.execute(_CANDIDATES, {"run": run})])

    def correct(self, entry: Entry) -> None:
        """What a clone takes, without its being used."""
        update = "update clones set bytes = ?, memory = ? where name = ?"
        self._done(lambda database: database.execute(update, (entry.bytes, entry.memory, entry.name)))

    def drop(self, name: str) -> None:
        """Forget a clone."""
        self._done(lambda database: database.execute("delete from clones where name = ?", (name,)))

    def _done(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Work, in a transaction of a connection of its own: none is carried over a fork."""
        try:
            try:
                return self._tried(work)
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorname", "") not in _DAMAGED:
                    raise
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            return self._tried(work)
        except sqlite3.DatabaseError as error:
            raise CloneError(
                f"what clones take cannot be noted ({error}): free disk space", passing=True, here=True
            ) from error

    def _tried(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with contextlib.closing(sqlite3.connect(os.fsdecode(self._path), timeout=30, isolation_level=None)) as database:
            database.execute("pragma synchronous=off")
            database.execute("pragma journal_mode=memory")
            database.execute("begin immediate")
            if not database.execute("select 1 from sqlite_master where name = 'clones'").fetchone():
                database.execute(_SCHEMA)
                for each in self._found():
                    database.execute(_NOTE, (each.name, each.bytes, each.memory, 0))
            result = work(database)
            database.execute("commit")
            return result


def _sum(database: sqlite3.Connection, question: str) -> int:
    return int(database.execute(question).fetchone()[0])
