"""Places for stores: a file, and a database of a real PostgreSQL."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from databases import Server, postgresql
from logging_in import password
from made_certificates import certificates

ROLES = "postgres owner writer reader plain digest anybody barred nologin gone".split()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real PostgreSQL; without it a test is skipped.

    It runs as another user where we are root, and pytest shuts its folders to others whenever a run begins.
    """
    signed = certificates(tmp_path_factory.mktemp("certificates"))
    with (
        tempfile.TemporaryDirectory(prefix="oakum-postgresql-") as folder,
        postgresql(Path(folder), {r: password(r) for r in ROLES}, signed) as server,
    ):
        yield server


@pytest.fixture
def database(postgres: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database."""
    name = "t" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20]
    with psycopg.connect(postgres.url("postgresql", "postgres", path="/postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        yield postgres.url("postgresql", "postgres", path=f"/{name}")
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "sweeps" / "store.db")
    url: str = request.getfixturevalue("database")
    return url
