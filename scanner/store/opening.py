"""Opening a store: what is there, whether it is ours, of which revision, and made with which key.

Nothing is written into a database that is not a store, nor into one of a newer oakum or of another key. An older one is
migrated in one transaction, by the revisions in `migrations/`, and never under a sweep that is going on: SQLite is
copied beside itself before; PostgreSQL makes changes of tables in transactions, as SQLite does.
"""

from __future__ import annotations

import hmac
import os
import stat
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from .. import __version__
from ..model import clean
from . import StoreError, schema
from .engines import Place, copy, is_url, made, place_of, sweep_lock, use_wal
from .keys import check_of
from .trouble import told

MIGRATIONS = os.path.join(os.path.dirname(__file__), "migrations")
_TABLES = {
    "sqlite": text("select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'"),
    "postgresql": text("select tablename from pg_tables where schemaname = current_schema()"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a database holds: nothing at all, or a store of a revision."""

    revision: str = ""
    check: str = ""
    version: str = ""


def opened(where: str, key: bytes, now: datetime, *, create: bool) -> Place:
    """The place of a store that is of the present revision and of this key; StoreError where it is none."""
    place = place_of(where)
    try:
        _ready(place, key, now, create=create)
    except BaseException:
        place.engine.dispose()
        raise
    return place


def has_store(where: str) -> bool:
    """Whether there is a store; StoreError where there is something else, or nobody can tell."""
    place = place_of(where)
    try:
        if place.path and not os.path.lexists(place.path):
            return False
        _is_file(place)
        with place.reading() as connection:
            return bool(_look(place, connection).revision)
    finally:
        place.engine.dispose()


def _ready(place: Place, key: bytes, now: datetime, *, create: bool) -> None:
    if place.path:
        if create:
            made(place.path)
        _is_file(place)
    with place.reading() as connection:
        found = _look(place, connection)
    if not found.revision:
        if not create:
            raise StoreError(_none(place))
        if place.path:
            use_wal(place)
    if found.revision != schema.REVISION:
        if found.revision:
            _same_key(place, found, key)
        # A sweep of the older oakum that goes on would write into tables that it does not know.
        lock = sweep_lock(place, "oakum, which brings it to a newer form", now) if found.revision else nullcontext()
        with told(place.name, *place.hidden), lock, place.writing() as connection:
            found = _look(place, connection)  # another process may have been faster
            if found.revision != schema.REVISION:
                _upgrade(place, connection, found, key, now)
                found = _look(place, connection)
    _same_key(place, found, key)


def _is_file(place: Place) -> None:
    if not place.path:
        return
    try:
        mode = os.stat(place.path).st_mode
    except FileNotFoundError:
        raise StoreError(_none(place)) from None
    except OSError as error:
        raise StoreError(f"the store {clean(place.name)} cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise StoreError(f"the store {clean(place.name)} is no file: name another path")


def _none(place: Place) -> str:
    return f"there is no store at {clean(place.name)}: `oakum sweep run` makes one"


def _look(place: Place, connection: Connection) -> Found:
    """What is there. A store is known by the table of its revision."""
    names = set(connection.scalars(_TABLES[connection.dialect.name]))
    if not names:
        return Found()
    if not {schema.VERSIONS, "meta"} <= names:
        what = "a database" if is_url(place.name) else "a path"
        raise StoreError(
            f"{clean(place.name)} is a database, but no store of oakum's: it is left alone; name {what} of its own"
        )
    revision = connection.scalar(text(f"select version_num from {schema.VERSIONS}"))  # noqa: S608  a constant
    told = {row.name: row.value for row in connection.execute(select(schema.meta))}
    return Found(str(revision or "none"), told.get("check", ""), told.get("oakum", ""))


def _same_key(place: Place, found: Found, key: bytes) -> None:
    if not hmac.compare_digest(found.check, check_of(key)):
        raise StoreError(
            f"the store {clean(place.name)} was made with another key: name that (--store-key, OAKUM_STORE_KEY), or "
            "name another path and begin a new store"
        )


# --- migrations ------------------------------------------------------------------------------------------------------


def _upgrade(place: Place, connection: Connection, found: Found, key: bytes, now: datetime) -> None:
    """Bring a database to the present revision, in the transaction of the connection."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    before = ""
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=schema.VERSIONS)
    if found.revision:
        script = ScriptDirectory.from_config(config)
        try:
            known = script.get_revision(found.revision)
        except CommandError:
            known = None
        if known is None:
            version = clean(found.version[:40]) or "a newer oakum"
            raise StoreError(
                f"the store {clean(place.name)} is of a newer form ({clean(found.revision[:40])}): use oakum {version} "
                f"or later; this is {__version__}"
            )
        if place.path:
            before = copy(place.path, known.revision)
    elif connection.dialect.name == "postgresql":
        _fit(place, connection)
    try:
        command.upgrade(config, schema.REVISION)
    except BaseException:
        if before:  # nothing was migrated: each try would leave another copy
            os.unlink(before)
        raise
    _note(connection, "oakum", __version__)
    if not found.revision:
        _note(connection, "check", check_of(key))
        _note(connection, "created", now.isoformat(timespec="seconds"))


def _fit(place: Place, connection: Connection) -> None:
    encoding: Any = connection.scalar(text("show server_encoding"))
    if encoding != "UTF8":
        raise StoreError(f"the database {clean(place.name)} is in {encoding}: make one with `createdb -E UTF8`")


def _note(connection: Connection, name: str, value: str) -> None:
    connection.execute(schema.meta.delete().where(schema.meta.c.name == name))
    connection.execute(schema.meta.insert().values(name=name, value=value))
