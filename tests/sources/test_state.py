"""What a repository is at a moment: every change that a search or its attribution could see is seen, without git."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner.sources.git import open_repository
from oakum.scanner.sources.state import State, state_of, still

Change = Callable[[GitRepository], object]


def looked(repo: GitRepository) -> State:
    """Its state, which holds."""
    repository = open_repository(os.fsencode(repo.path), os.environ)
    assert repository is not None
    state = state_of(repository)
    assert state is not None
    assert still(repository, state)
    return state


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    """Two commits on a branch, a second branch and a tag."""
    repo = GitRepository.create(tmp_path / "repo")
    repo.commit({"a": b"a\n"}, "first")
    repo.git("branch", "other")
    repo.git("tag", "v1")
    repo.commit({"a": b"b\n"}, "second")
    return repo


CHANGES: dict[str, Change] = {
    "a branch is made": lambda repo: repo.git("branch", "new"),
    "a branch moves": lambda repo: repo.git("branch", "-f", "other", "HEAD"),
    "a branch goes": lambda repo: repo.git("branch", "-D", "other"),
    "a tag goes": lambda repo: repo.git("tag", "-d", "v1"),
    "a pull request comes": lambda repo: repo.git("update-ref", "refs/pull/1/head", "HEAD~1"),
    "HEAD names another branch": lambda repo: repo.git("symbolic-ref", "HEAD", "refs/heads/other"),
    "HEAD is a commit": lambda repo: repo.git("update-ref", "--no-deref", "HEAD", "HEAD~1"),
    "something is staged": lambda repo: (repo.path / "new").write_bytes(b"x") and repo.git("add", "new"),
    "refs are packed and one moves": lambda repo: (
        repo.git("pack-refs", "--all"),
        repo.git("update-ref", "refs/tags/v1", "HEAD"),
    ),
    "history is cut off": lambda repo: (repo.path / ".git" / "shallow").write_text(
        f"{repo.git('rev-parse', 'HEAD~1')}\n"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen(repo: GitRepository, change: Change) -> None:
    """And what nobody changed is as it was."""
    before = looked(repo)
    assert looked(repo) == before
    change(repo)
    assert looked(repo).refs != before.refs


def test_refs_that_are_elsewhere_have_no_state(repo: GitRepository, tmp_path: Path) -> None:
    """Behind a link they may change unseen."""
    (repo.path / ".git" / "refs").rename(tmp_path / "refs")
    (repo.path / ".git" / "refs").symlink_to(tmp_path / "refs")
    repository = open_repository(os.fsencode(repo.path), os.environ)
    assert repository is not None
    assert state_of(repository) is None


def test_reftables_are_looked_at(repo: GitRepository) -> None:
    """Git writes another list of them for each change; made by hand, as git before 2.45 knows none."""
    (repo.path / ".git" / "reftable").mkdir()
    (repo.path / ".git" / "reftable" / "tables.list").write_text("0x000000000001-0x000000000002-1d3f5a7c.ref\n")
    before = looked(repo)
    (repo.path / ".git" / "reftable" / "tables.list").write_text("0x000000000001-0x000000000003-2b4d6f81.ref\n")
    assert looked(repo).refs != before.refs


def test_refs_without_bottom(repo: GitRepository) -> None:
    """As deep as a path may be; the folders go again, as Python cannot delete them all at once."""
    made = [os.fsencode(repo.path / ".git" / "refs" / "heads")]
    while len(made[-1]) < 4000:
        made.append(made[-1] + b"/d")
        os.mkdir(made[-1])
    try:
        assert looked(repo)
    finally:
        for path in reversed(made[1:]):
            os.rmdir(path)
