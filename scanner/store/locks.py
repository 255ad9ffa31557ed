"""Keeping two sweeps of one store apart.

SQLite: a file beside the store, which says who has it, locked as POSIX has it (fcntl, which no child inherits: a worker
that outlives a killed sweep does not hold it) or as Windows has it. PostgreSQL: an advisory lock on a connection of its
own. The kernel, or the server, releases either when the process dies.
https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from ..cache import READING
from ..model import clean
from . import StoreError

Held = Callable[[Connection], bool]
"""Whether a lock is held still, asked in a transaction that is to be committed."""

_OPENING = READING | os.O_RDWR | os.O_CREAT
_FAR = 1 << 30
"""Where Windows locks: other than there, what is locked cannot be read."""
_here: set[str] = set()
"""Files that this process has locked: fcntl would let it lock them twice."""


@contextmanager
def file_lock(name: str, who: str, now: datetime) -> Iterator[Held]:
    """The lock of a store in a file, named by a path without links; StoreError where another has it."""
    if name in _here:
        raise StoreError(_in_use({"who": "this very process"}))
    descriptor = _locked(name)
    _here.add(name)
    try:
        mine = {"who": who, "pid": os.getpid(), "host": platform.node(), "since": now.isoformat(timespec="seconds")}
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(mine).encode())
        yield lambda _: _is_in_place(descriptor, name)
    finally:
        _here.discard(name)
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def _locked(path: str) -> int:
    """The file, open and locked. It stays when it is released: another may wait for it."""
    while True:
        try:
            descriptor = os.open(path, _OPENING, 0o600)
        except OSError as error:
            raise StoreError(f"the lock {clean(path)} cannot be made: {error.strerror}") from None
        try:
            _lock(descriptor)
        except OSError:
            told = _content(descriptor)
            os.close(descriptor)
            raise StoreError(_in_use(told)) from None
        if _is_in_place(descriptor, path):
            return descriptor
        os.close(descriptor)  # somebody took it away in between


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_in_place(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _content(descriptor: int) -> dict[str, Any]:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        told = json.loads(os.read(descriptor, 4096))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _in_use(told: dict[str, Any]) -> str:
    """Who has the lock, for people."""
    parts = [str(told.get("who") or "another process")]
    parts += [f"process {told['pid']}"] if told.get("pid") else []
    parts += [f"on {told['host']}"] if told.get("host") else []
    parts += [f"since {told['since']}"] if told.get("since") else []
    return f"the store is being swept into by {clean(', '.join(parts)[:300])}: wait until that is done, or end it"


# --- PostgreSQL ------------------------------------------------------------------------------------------------------

_TRY = text("select pg_try_advisory_lock(:lock), pg_backend_pid()")
_HELD = text(
    "select 1 from pg_locks where locktype = 'advisory' and pid = :pid and granted and objsubid = 1"
    " and classid::bigint = (cast(:lock as bigint) >> 32) & 4294967295"
    " and objid::bigint = cast(:lock as bigint) & 4294967295"
)
_WHO = text(
    "select a.application_name, a.pid, a.client_addr, a.backend_start from pg_locks l join pg_stat_activity a"
    " on a.pid = l.pid where l.locktype = 'advisory' and l.granted and l.objsubid = 1"
    " and l.database = (select oid from pg_database where datname = current_database())"
    " and l.classid::bigint = (cast(:lock as bigint) >> 32) & 4294967295"
    " and l.objid::bigint = cast(:lock as bigint) & 4294967295"
)


def number(connection: Connection, name: str) -> int:
    """The number of a lock of the store: there may be several stores in the schemas of a database."""
    schema = connection.scalar(text("select current_schema()")) or ""
    digest = hashlib.sha256(f"oakum {name} {schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def advisory_lock(engine: Engine, who: str) -> Iterator[Held]:
    """The lock of a store in PostgreSQL; StoreError where another has it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # closed afterwards, so that the lock cannot stay with a connection of the pool
        lock = number(connection, "sweep")
        connection.execute(text("select set_config('application_name', :who, false)"), {"who": f"oakum {who}"[:60]})
        taken, pid = connection.execute(_TRY, {"lock": lock}).one()
        if not taken:
            raise StoreError(_in_use(_holder(connection, lock)))
        yield lambda other: other.scalar(_HELD, {"lock": lock, "pid": pid}) == 1


def _holder(connection: Connection, lock: int) -> dict[str, Any]:
    row = connection.execute(_WHO, {"lock": lock}).first()
    if row is None:
        return {}
    since = row.backend_start and row.backend_start.isoformat(timespec="seconds")
    return {"who": row.application_name, "pid": row.pid, "host": row.client_addr, "since": since}
