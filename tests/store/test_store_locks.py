"""Two sweeps of one store: the second says who has it; a lock goes with its process, and is missed when it is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from oakum.scanner.store import StoreError
from sweeping import ACME, KEY, day, dump, found, opened, remote, searched

HOLDER = """
import os, sys
from datetime import datetime, UTC
from oakum.scanner.store import open_store
store = open_store(sys.argv[1], bytes.fromhex(sys.argv[2]), datetime(2027, 3, 1, tzinfo=UTC), create=True)
with store.locked("sweep of ann\\x1b[1m"):
    if len(sys.argv) > 3 and os.fork() == 0:
        print("held", flush=True)
        sys.stdin.read()
        os._exit(0)
    elif len(sys.argv) <= 3:
        print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(where: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock; with one more argument, one that has a child."""
    command = [sys.executable, "-c", HOLDER, where, KEY.hex(), *more]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.kill()


def test_the_second_sweep_says_who_has_the_store_and_since_when(where: str) -> None:
    """Safe to print; and can begin when the first one has died."""
    with holder(where) as process:
        store = opened(where)
        with pytest.raises(StoreError) as caught, store.locked("ben"):
            pass
        why = str(caught.value)
        assert why.startswith("the store is being swept into by ")
        assert "sweep of ann" in why
        assert "\x1b" not in why
        assert ", since 20" in why
        if "://" not in where:
            assert f"process {process.pid}, on " in why
        process.kill()
        process.wait()
    for _ in range(100):
        try:
            with store.locked("ben"):
                assert store.begin([ACME], day(1)) == 1
            break
        except StoreError:  # a server takes a moment to see that a client is gone
            assert "://" in where
    store.close()


@pytest.mark.skipif(os.name != "posix", reason="there is no fork")
def test_a_child_that_outlives_a_killed_sweep_does_not_hold_its_lock(tmp_path: Path) -> None:
    """A worker may hang on for a while."""
    where = str(tmp_path / "store.db")
    with holder(where, "with a child") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with opened(where).locked("ben"):
            pass


def test_one_process_locks_a_store_once(where: str) -> None:
    """By another name of the file, too."""
    one = opened(where)
    if "://" not in where:
        os.symlink(where, f"{where}.link")
        where += ".link"
    other = opened(where)
    with one.locked("ann"):
        for store in (one, other):
            with pytest.raises(StoreError, match="is being swept into by"), store.locked("ben"):
                pass
    with other.locked("ben"):
        pass
    one.close()
    other.close()


def test_a_lock_file_that_was_taken_away_ends_the_sweep(tmp_path: Path) -> None:
    """Another sweep may have made a new one; nothing is written from then on."""
    store = opened(tmp_path / "store.db")
    with store.locked("ann"):
        number = store.begin([ACME], day(1))
        (tmp_path / "store.db.lock").unlink()
        with holder(str(tmp_path / "store.db")):
            before = dump(store)
            with pytest.raises(StoreError, match="the lock of the store was lost"):
                store.commit(number, [searched(remote("acme/web"), found("one"))], day(1))
            assert dump(store) == before
    store.close()


@pytest.mark.long
def test_a_connection_that_broke_ends_the_sweep(database: str) -> None:
    """PostgreSQL gives the lock away when the connection that has it is lost."""
    store = opened(database)
    with store.locked("ann"):
        number = store.begin([ACME], day(1))
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'oakum ann'"
            )
        before = dump(store)
        with pytest.raises(StoreError, match="the lock of the store was lost"):
            store.commit(number, [searched(remote("acme/web"), found("one"))], day(1))
        assert dump(store) == before
    store.close()


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """It would be cut to nothing."""
    (tmp_path / "precious").write_text("precious")
    store = opened(tmp_path / "store.db")
    (tmp_path / "store.db.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match=r"the lock .* cannot be made: "), store.locked("ann"):
        pass
    assert (tmp_path / "precious").read_text() == "precious"
    store.close()
