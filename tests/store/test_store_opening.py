"""Opening a store: what is none, damaged, newer, older, of another key, full, or in use is told, and left as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from oakum.scanner.store import StoreError, Wanted, engines, open_store, opening, schema
from sqlalchemy import make_url, text
from sweeping import ACME, KEY, day, dump, found, opened, remote, searched, sweep, told, unchanged

WORD = "".join(("ge", "heim"))
"""A password, which is not one as it stands here."""
WEB = remote("acme/web")


def refused(where: str | Path, *, key: bytes = KEY, create: bool = True) -> str:
    """Why a store is not opened."""
    with pytest.raises(StoreError) as caught:
        opened(where, key=key, create=create).close()
    return str(caught.value)


def made(where: str | Path) -> None:
    """A store with a finding."""
    store = opened(where)
    sweep(store, 1, searched(WEB, found("one")))
    store.close()


def test_a_store_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """File, write-ahead log and folder."""
    path = tmp_path / "state" / "sweeps.db"
    store = opened(path)
    sweep(store, 1, searched(WEB, found("one")))
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(("sweeps.db", "sweeps.db-wal", "sweeps.db-shm"), 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with store._place.reading() as c:
        pragmas = {name: c.scalar(text(f"pragma {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    store.close()


def test_a_store_is_not_made_unasked(where: str, tmp_path: Path) -> None:
    """Nor is its folder."""
    assert "there is no store at " in refused(where, create=False)
    assert list(tmp_path.glob("sweeps")) == []


def test_the_tables_are_those_of_the_newest_revision(where: str) -> None:
    """What migrations make equals what the code works with."""
    made(where)
    with engines.place_of(where).engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSIONS})
        assert compare_metadata(context, schema.tables) == []
        assert context.get_current_revision() == schema.REVISION
    config = Config()
    config.set_main_option("script_location", opening.MIGRATIONS)
    assert ScriptDirectory.from_config(config).get_heads() == [schema.REVISION]


def test_another_key_is_refused(where: str) -> None:
    """For a store of another key nothing would be known again."""
    made(where)
    assert "was made with another key: name that (--store-key, OAKUM_STORE_KEY)" in refused(where, key=bytes(32))
    opened(where, create=False).close()


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """Whatever it is."""
    (tmp_path / "text").write_text("not a database\n" * 100)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    assert "is no database of SQLite: name another path" in refused(tmp_path / "text")
    assert (tmp_path / "text").read_text() == "not a database\n" * 100
    assert "is no file: name another path" in refused(tmp_path / "folder")
    assert "is no file: name another path" in refused(tmp_path / "fifo")
    assert "cannot be opened: Not a directory" in refused(tmp_path / "text" / "store.db")


def test_a_database_of_something_else_is_left_alone(where: str) -> None:
    """Not a byte of it changes."""
    place = engines.place_of(where)
    if place.path:
        engines.made(place.path)
    with place.engine.begin() as connection:
        connection.execute(text("create table meta (name text)"))
    place.engine.dispose()
    before = Path(where).read_bytes() if place.path else b""
    assert "is a database, but no store of oakum's: it is left alone" in refused(where)
    assert "is a database, but no store of oakum's: it is left alone" in refused(where, create=False)
    assert (Path(where).read_bytes() if place.path else b"") == before


def test_an_empty_file_becomes_a_store_only_where_one_may_be_made(tmp_path: Path) -> None:
    """It is what is left of a process that was killed when it began."""
    path = tmp_path / "store.db"
    path.touch()
    assert "there is no store at " in refused(path, create=False)
    opened(path).close()


def test_a_damaged_store_is_told_as_one(tmp_path: Path) -> None:
    """When that shows."""
    path = tmp_path / "store.db"
    made(path)
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(60_000))

    def use() -> None:
        store = opened(path)
        list(store.findings(Wanted()))
        sweep(store, 2, searched(WEB, found("two")))

    with pytest.raises(StoreError, match="is damaged: put back a copy of it, or name another path and begin anew"):
        use()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """And which rights are missing."""
    made(tmp_path / "store.db")
    (tmp_path / "store.db").chmod(0o400)
    store = opened(tmp_path / "store.db")
    with pytest.raises(StoreError, match="see to the rights of the file"):
        store.begin([ACME], day(2))


def test_a_full_disk_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    """What did not fit is not there, in part or otherwise; with more room the sweep goes on."""
    store = opened(tmp_path / "store.db")
    number = store.begin([ACME], day(1))
    store.commit(number, [searched(WEB, found("one"))], day(1))
    before = dump(store)
    pages = set_pages(store, 1)
    big = [found(f"big {n}", *["head"] * 50) for n in range(40)]
    with pytest.raises(StoreError, match="the disk is full: make room, and run the sweep again"):
        store.commit(number, [searched(remote("acme/api"), *big)], day(1))
    assert dump(store) == before
    set_pages(store, pages + 10_000)
    store.commit(number, [searched(remote("acme/api"), *big)], day(1))
    assert len(dump(store)["findings"]) == 41
    store.close()


def set_pages(store: object, most: int) -> int:
    """Let a database of SQLite have no more pages than it has, or so many."""
    connection = store._place.engine.raw_connection()  # type: ignore[attr-defined]
    (count,) = connection.cursor().execute(f"pragma max_page_count = {most}").fetchone()
    connection.close()
    return int(count)


def test_a_store_in_use_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading does not wait."""
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.2)
    path = tmp_path / "store.db"
    made(path)
    store = opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        assert len(list(store.findings(Wanted()))) == 1
        with pytest.raises(StoreError, match="is in use by another process: wait until that is done"):
            store.begin([ACME], day(2))
        other.execute("rollback")
        assert store.begin([ACME], day(2)) == 2
    store.close()


# --- migrations ------------------------------------------------------------------------------------------------------

NEWER = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("findings", sa.Column("colour", sa.Text(), nullable=False, server_default="none"))
    op.execute("update meta set value = 'later' where name = 'created'")
    {more}
"""


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present is a later one, with one more revision."""
    folder = tmp_path / "100% later"
    shutil.copytree(opening.MIGRATIONS, folder)
    (folder / "versions" / "r0002_colour.py").write_text(NEWER.format(more=""))
    monkeypatch.setattr(opening, "MIGRATIONS", str(folder))
    monkeypatch.setattr(schema, "REVISION", "0002")
    return folder


def test_an_older_store_is_migrated_beside_a_copy(where: str, newer: Path) -> None:
    """Of SQLite's; the key must fit before anything is done."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr(schema, "REVISION", "0001")
        made(where)
    assert "was made with another key" in refused(where, key=bytes(32))
    store = opened(where)
    with store._place.reading() as c:
        assert c.scalar(text("select colour from findings")) == "none"
        assert store.status()["created"] == "later"
    assert told(sweep(store, 2, unchanged(WEB))) == []
    store.close()
    if "://" not in where:
        assert sorted(p.name for p in Path(where).parent.glob("*before*")) == ["store.db.before-0001"]
        copy = Path(f"{where}.before-0001")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with pytest.MonkeyPatch.context() as then:
            then.setattr(schema, "REVISION", "0001")
            with closing(opened(copy)) as old:
                assert len(list(old.findings(Wanted()))) == 1


def test_a_migration_that_fails_leaves_the_store_as_it_was(where: str, newer: Path) -> None:
    """Changes of tables are part of its transaction."""
    (newer / "versions" / "r0002_colour.py").write_text(NEWER.format(more='op.execute("select * from nowhere")'))
    with pytest.MonkeyPatch.context() as then:
        then.setattr(schema, "REVISION", "0001")
        made(where)
        before = dump(store := opened(where))
        store.close()
    assert "nowhere" in refused(where)
    with pytest.MonkeyPatch.context() as then:
        then.setattr(schema, "REVISION", "0001")
        with closing(opened(where)) as store:
            assert dump(store) == before
            with store._place.reading() as c, pytest.raises(Exception, match="colour"):
                c.execute(text("select colour from findings"))


def test_a_store_is_not_migrated_under_a_sweep(where: str, newer: Path) -> None:
    """The older oakum that goes on there knows nothing of what the newer one makes."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr(schema, "REVISION", "0001")
        made(where)
        sweeping = opened(where)
    with sweeping.locked("the older oakum"):
        assert "the store is being swept into by " in refused(where)
        assert "the older oakum" in refused(where) or "://" not in where
        with sweeping._place.reading() as c:
            assert c.scalar(text(f"select version_num from {schema.VERSIONS}")) == "0001"
    sweeping.close()
    opened(where, create=False).close()


def test_a_store_of_a_newer_oakum_is_refused(where: str, newer: Path) -> None:
    """With the version that made it."""
    store = opened(where)
    with store._place.writing() as c:
        c.execute(text("update meta set value = '9.9' where name = 'oakum'"))
    store.close()
    with pytest.MonkeyPatch.context() as then:
        then.setattr(schema, "REVISION", "0001")
        (newer / "versions" / "r0002_colour.py").unlink()
        why = refused(where)
    assert "is of a newer form (0002): use oakum 9.9 or later; this is " in why


def test_two_that_make_a_store_at_once_make_one(where: str) -> None:
    """The second finds it made."""
    errors: list[StoreError] = []

    def make() -> None:
        try:
            opened(where).close()
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    opened(where, create=False).close()


# --- URLs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (f"mysql://ann:{WORD}@localhost/x", "a store is a path (SQLite) or a URL postgresql://"),
        (f"postgresql://ann:{WORD}@localhost:port/x", "the URL of the store cannot be read"),
        (
            f"postgresql://ann:{WORD}@127.0.0.1:1/x?sslpassword={WORD}2",
            "postgresql://ann@127.0.0.1:1/x cannot be reached",
        ),
        (f"postgresql://127.0.0.1:1/x?user=ann&password={WORD}", "postgresql://127.0.0.1:1/x cannot be reached"),
        (f"postgresql://ann:{WORD}@127.0.0.1:1/x?nonsense={WORD}", "postgresql://ann@127.0.0.1:1/x cannot be "),
    ],
)
def test_no_message_tells_the_password_of_a_url(where: str, why: str) -> None:
    """Nor does anything that the error holds."""
    message = refused(where)
    assert why in message
    assert WORD not in message


@pytest.mark.long
def test_postgresql_refuses_a_wrong_password_or_database(database: str) -> None:
    """As the server says it, without the password."""
    url = make_url(database)
    wrong = url.set(password=WORD).render_as_string(hide_password=False)
    assert 'password authentication failed for user "postgres"' in refused(wrong)
    assert WORD not in refused(wrong)
    assert "does not exist" in refused(database + "x")


@pytest.mark.parametrize("missing", ["sqlalchemy", "alembic", "psycopg"])
def test_a_missing_extra_is_named(missing: str, tmp_path: Path) -> None:
    """Without it, other commands work."""
    where = "postgresql://127.0.0.1:1/x" if missing == "psycopg" else str(tmp_path / "store.db")
    program = f"""
import sys
sys.modules[{missing!r}] = None
from datetime import datetime, UTC
from oakum.scanner.store import StoreError, open_store
try:
    open_store({where!r}, bytes(32), datetime(2027, 3, 1, tzinfo=UTC), create=True)
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert f"pip install 'oakum[{'postgresql' if missing == 'psycopg' else 'sweep'}]'" in done.stdout


def test_the_interface_needs_no_library() -> None:
    """Commands that do not sweep start no slower."""
    program = (
        "import sys; import oakum.scanner.store; print([m for m in ('sqlalchemy', 'alembic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert open_store.__module__ == "oakum.scanner.store"
