"""Connections to the database of a store: SQLite at a path, PostgreSQL by URL, and transactions on either.

SQLite: WAL, synchronous=FULL (what was committed stays, even if the power fails), a file of mode 0600. A transaction
that will write says so from its beginning (BEGIN IMMEDIATE), so that it waits instead of failing half-way; Python's own
handling of transactions is turned off. https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable
PostgreSQL: transactions that write are one after another, by an advisory lock; those that read see one state.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from ..model import clean
from . import StoreError
from .locks import Held, advisory_lock, file_lock, number
from .trouble import told

BUSY_SECONDS = 30
"""How long a transaction waits for another one."""
CONNECT_SECONDS = 10
_WRITES = "oakum_writes"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is: `name` tells it to people, `hidden` are texts that no message may hold; `path` is of SQLite."""

    engine: Engine
    name: str
    path: str = ""
    hidden: tuple[str, ...] = ()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is there whole, or not at all."""
        with told(self.name, *self.hidden), self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITES: True})
            with connection.begin():
                if not self.path:
                    connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": number(connection, "writing")})
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state, whatever others write meanwhile."""
        with told(self.name, *self.hidden), self.engine.connect() as connection:
            if not self.path:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection


def sweep_lock(place: Place, who: str, now: datetime) -> AbstractContextManager[Held]:
    """The lock that a sweep holds; StoreError where another has it."""
    return file_lock(place.path + ".lock", who, now) if place.path else advisory_lock(place.engine, who)


def is_url(where: str) -> bool:
    """Whether a store is named by a URL, and not by a path."""
    return "://" in where


def place_of(where: str) -> Place:
    """The place that a path or a URL names; nothing is opened yet. StoreError, which shows no password."""
    return _postgresql(where) if is_url(where) else _sqlite(os.path.realpath(where))


# --- SQLite ----------------------------------------------------------------------------------------------------------


def _sqlite(path: str) -> Place:
    engine = create_engine(URL.create("sqlite", database=path), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return Place(engine, path, path)


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma synchronous = full")


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def made(path: str) -> None:
    """See that there is a file for a new store: its folder is made with mode 0700, itself with 0600."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"the store {clean(path)} cannot be made: {error.strerror}") from None


def use_wal(place: Place) -> None:
    """Readers do not wait for a sweep, nor it for them. This stays with the file: https://www.sqlite.org/wal.html"""
    with told(place.name), place.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("pragma journal_mode = wal")


def copy(path: str, revision: str) -> str:
    """A copy of a store, as it is before it is migrated, beside it: NAME.before-REVISION. The name is given back.

    By SQLite's own means, as the file alone is not all of it: https://www.sqlite.org/backup.html
    """
    first = f"{path}.before-{revision}"
    name, count = first, 1
    while True:
        try:
            os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            count += 1
            name = f"{first}.{count}"
        except OSError as error:
            raise StoreError(
                f"the copy {clean(name)} cannot be made, so nothing is migrated: {error.strerror}"
            ) from None
    source, target = sqlite3.connect(path, timeout=BUSY_SECONDS), sqlite3.connect(name)
    try:
        with told(name):
            source.backup(target)
    except BaseException:
        os.unlink(name)  # each night would leave another one
        raise
    finally:
        source.close()
        target.close()
    return name


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def _postgresql(where: str) -> Place:
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise StoreError("the URL of the store cannot be read: postgresql://USER@HOST:PORT/DATABASE") from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreError(
            f"a store is a path (SQLite) or a URL postgresql://USER@HOST:PORT/DATABASE, not {clean(url.drivername)}://"
        )
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise StoreError("a store in PostgreSQL needs psycopg: pip install 'oakum[postgresql]'") from None
    secrets = [str(url.password or ""), *(str(v) for k, v in url.query.items() if k in ("password", "sslpassword"))]
    hidden = {form for each in secrets if each for form in (each, quote(each, safe=""), quote_plus(each))}
    shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "oakum"}
    # The connection of the lock has nothing to say for hours, and what lies between would forget it.
    options |= {"keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4}
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={name: value for name, value in options.items() if name not in url.query},
        pool_size=2,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return Place(engine, shown.render_as_string(), "", tuple(sorted(hidden, key=len, reverse=True)))
