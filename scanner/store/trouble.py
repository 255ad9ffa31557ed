"""What databases say when something is wrong, as messages that say what to do; a password is in none of them.

SQLite's result codes: https://www.sqlite.org/rescode.html. PostgreSQL's error codes:
https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..model import clean
from . import StoreError

_SQLITE = {
    "SQLITE_BUSY": "is in use by another process: wait until that is done",
    "SQLITE_LOCKED": "is in use by another process: wait until that is done",
    "SQLITE_FULL": "cannot be written, the disk is full: make room, and run the sweep again; what was committed is "
    "there",
    "SQLITE_READONLY": "cannot be written: see to the rights of the file and of its folder",
    "SQLITE_PERM": "cannot be opened: see to the rights of the file and of its folder",
    "SQLITE_CANTOPEN": "cannot be opened: see to the rights of the file and of its folder",
    "SQLITE_AUTH": "cannot be opened: see to the rights of the file and of its folder",
    "SQLITE_NOTADB": "is no database of SQLite: name another path",
    "SQLITE_CORRUPT": "is damaged: put back a copy of it, or name another path and begin anew",
    "SQLITE_IOERR": "cannot be read or written: see to the disk; what was committed is there",
}
_POSTGRESQL = {
    "53100": "cannot be written, its disk is full: make room, and run the sweep again; what was committed is there",
    "53300": "takes no more connections now: try again later",
    "57P01": "was shut down: run the sweep again when it is up; what was committed is there",
    "57P03": "is not ready yet: try again later",
    "25006": "can only be read: name the primary server",
    "42501": "does not let this user do that: the store's user must own its tables",
    "55P03": "is in use by another process: wait until that is done",
}


@contextmanager
def told(name: str, *hidden: str) -> Iterator[None]:
    """What goes wrong with the database in here is a StoreError; of `hidden` nothing stands in it."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"the store {clean(name)} {_why(error, name, hidden)}") from None
    except sqlite3.Error as error:  # of what is done without SQLAlchemy
        raise StoreError(f"the store {clean(name)} {_of_sqlite(error, name)}") from None


def _why(error: SQLAlchemyError, name: str, hidden: tuple[str, ...]) -> str:
    original = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(original, sqlite3.Error):
        return _of_sqlite(original, name)
    known = _POSTGRESQL.get(getattr(original, "sqlstate", None) or "")
    if known:
        return known
    first = next(iter(str(original or error).strip().splitlines()), "no reason")
    for each in hidden:
        first = first.replace(each, "…")
    first = re.sub(r"(://[^/@\s]*):[^/@\s]*@", r"\1:…@", first)
    if original is not None and getattr(original, "sqlstate", None) is None:
        return f"cannot be reached, or was lost: {clean(first[:300])}"
    return f"cannot be used: {clean(first[:300])}"


def _of_sqlite(error: sqlite3.Error, path: str) -> str:
    code = getattr(error, "sqlite_errorname", "") or ""
    known = next((why for name, why in _SQLITE.items() if code == name or code.startswith(name + "_")), "")
    if code.startswith("SQLITE_CORRUPT"):
        return f"{known} ({_damage(path)})"
    return known or f"cannot be used: {clean(str(error)[:300])}"


def _damage(path: str) -> str:
    """What SQLite says of a damaged file. This reads all of it, so it is asked only then."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=1)) as connection:
        row = connection.execute("pragma quick_check(1)").fetchone()
        return clean(str(row[0]).splitlines()[-1][:200]) if row else "no details"
    return "its structure cannot be read"
