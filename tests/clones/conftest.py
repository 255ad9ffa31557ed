"""A git server with a repository on it, and a folder for clones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_hosts import QUICK, Host
from git_repository import GitRepository
from git_server import git_server
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import Clones, Reach


@pytest.fixture(scope="session")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit, and where it was pushed to."""
    top = tmp_path_factory.mktemp("beginning")
    work = GitRepository.create(top / "work", "--template=")
    work.commit({"a.txt": b"first\n"}, "first")
    GitRepository.create(top / "served" / "web.git", "--bare", "--template=")
    work.git("push", "--quiet", "--mirror", str(top / "served" / "web.git"))
    return top


@pytest.fixture
def host(tmp_path: Path, beginning: Path) -> Iterator[Host]:
    """A server with `web.git`, which has one commit."""
    shutil.copytree(beginning, tmp_path, dirs_exist_ok=True)
    reach = Reach(dict(os.environ), Outbound(limits=QUICK, private=True), lambda _url: None, seconds=20, silence=2)
    with git_server(tmp_path / "served") as server:
        yield Host(server, tmp_path / "served", GitRepository(tmp_path / "work", days=1), reach)


@pytest.fixture
def clones(tmp_path: Path) -> Clones:
    """An empty folder of clones with room."""
    return Clones(str(tmp_path / "clones"), 1 << 30)
