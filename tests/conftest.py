"""What every test may ask for: a repository, fresh secrets, and an environment without the developer's own settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from azurite import Azurite, missing, running
from git_repository import GitRepository
from plugin_ci import pytest_runtest_makereport  # noqa: F401  a hook: skips for want of a tool fail in CI
from scanning import Fresh


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command line keeps its cache while tests run."""
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, caches: Path) -> None:
    """No GIT_* and OAKUM_* variables of whoever runs the tests (a hook sets GIT_DIR and GIT_INDEX_FILE), and neither
    his cache nor his configuration."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches))
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(caches / "no configuration"))
    for name in list(os.environ):
        if name.startswith(("GIT_", "OAKUM_")):
            monkeypatch.delenv(name)


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    """A repository with one commit that holds nothing of interest."""
    made = GitRepository.create(tmp_path / "repo")
    made.commit({"start.txt": b"nothing to see\n"}, "start")
    return made


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Fresh:
    """Draws fresh secrets."""
    return Fresh(request.node.nodeid)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite, the emulator of Azure Storage, once for all tests of a process; without it a test is skipped."""
    if reason := missing():
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("azurite")) as server:
        yield server
