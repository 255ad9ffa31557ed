"""A git server with a repository on it, and a folder for clones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloned_host import QUICK, Host
from git_repository import GitRepository
from git_server import git_server
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import Clones, Reach


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A server with `web.git`, which has one commit."""
    root = tmp_path / "served"
    root.mkdir()
    work = GitRepository.create(tmp_path / "work")
    work.commit({"a.txt": b"first\n"}, "first")
    GitRepository.create(root / "web.git", "--bare")
    reach = Reach(dict(os.environ), Outbound(limits=QUICK, private=True), lambda _url: None, seconds=20, silence=2)
    with git_server(root) as server:
        made = Host(server, root, work, reach)
        made.push()
        yield made


@pytest.fixture
def clones(tmp_path: Path) -> Clones:
    """An empty folder of clones with room."""
    return Clones(str(tmp_path / "clones"), 1 << 30)
