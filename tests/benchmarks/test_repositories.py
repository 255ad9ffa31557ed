"""Copies of repositories are complete: branches, tags and content; a source that lacks a blob is told without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from git_repository import GitRepository

from benchmarks import rebuild, repositories, tree
from benchmarks.git import GitError, git
from benchmarks.rebuild import Dropped, Filter


def refs(repository: Path) -> list[str]:
    """Names of branches and tags."""
    return git(repository, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags").decode().split()


def files(repository: Path, commit: str) -> dict[str, bytes]:
    """Path and content of a commit's files."""
    names = git(repository, "ls-tree", "-r", "-z", "--name-only", commit).decode().split("\0")[:-1]
    return {name: git(repository, "cat-file", "blob", f"{commit}:{name}") for name in names}


@pytest.fixture
def source(repo: GitRepository) -> GitRepository:
    """Two branches, a merge, three kinds of tags, and hooks and configuration that must stay where they are."""
    repo.commit(
        {"gone.txt": b"first", "kept.txt": b"M 100644 kept", "a folder/ü\n.txt": b"odd"}, "no newline at its end"
    )
    repo.git("tag", "light")
    repo.git("tag", "-m", "a tag", "heavy")
    repo.git("tag", "of-a-blob", repo.blob("HEAD:kept.txt"))
    repo.git("switch", "--quiet", "-c", "side")
    repo.commit({"gone.txt": b"second", "side.txt": b"side"}, "D gone.txt\nM 100644 :1 x\n\nfrom nowhere")
    repo.git("switch", "--quiet", "main")
    repo.commit({"other.txt": b"other"})
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    repo.git("update-ref", "refs/pull/1/head", "HEAD")
    repo.git("config", "core.fsmonitor", "false")
    (repo.path / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh\nexit 1\n")
    return repo


def test_a_copy_keeps_branches_and_tags_and_nothing_that_acts(source: GitRepository, tmp_path: Path) -> None:
    target = tmp_path / "copies" / "x.git"
    assert repositories.copy(source.path, target) == Dropped()
    assert refs(target) == refs(source.path)
    assert git(target, "for-each-ref").count(b"\n") == len(refs(target))
    assert not (target / "hooks").exists()
    assert git(target, "config", "--local", "--name-only", "--list").split() == [
        b"core.repositoryformatversion", b"core.filemode", b"core.bare",
    ]  # fmt: skip


def test_a_copy_of_a_source_that_lacks_a_blob_is_complete_without_it(source: GitRepository, tmp_path: Path) -> None:
    lost = source.blob("side:gone.txt")
    source.object_path(lost).unlink()
    target = tmp_path / "x.git"
    assert repositories.copy(source.path, target) == Dropped(blobs=1, changes=2, paths=1)
    assert refs(target) == refs(source.path)
    assert not (target / "objects" / "info" / "alternates").exists()
    assert files(target, "heavy") == files(source.path, "heavy")
    kept = {
        n: c for n in ("start.txt", "kept.txt", "side.txt", "a folder/ü\n.txt") for c in [files(target, "side").get(n)]
    }
    assert files(target, "side") == kept
    assert files(target, "main") == kept | {"other.txt": b"other"}
    assert git(target, "cat-file", "blob", "of-a-blob") == b"M 100644 kept"
    messages = [git(r, "log", "--format=%an %at %cn %ct %B%x00", "main", "side") for r in (source.path, target)]
    assert messages[0] == messages[1]


def test_no_copy_is_made_of_what_is_damaged_otherwise(source: GitRepository, tmp_path: Path) -> None:
    """A missing tree cannot be told around."""
    source.object_path(source.git("rev-parse", "side^{tree}")).unlink()
    with pytest.raises(GitError, match="unable to read tree"):
        repositories.copy(source.path, tmp_path / "x.git")
    assert not (tmp_path / "x.git").exists()


def test_a_message_is_not_taken_for_commands() -> None:
    gone = frozenset({b"a" * 40})
    change = b"M 100644 " + b"a" * 40 + b" p\n"
    message = change + b"no end"
    stream = [b"commit refs/heads/main\n", b"data %d\n" % len(message), change, b"no end" + change, change]
    changed = Filter(gone)
    assert list(changed.lines(stream)) == [*stream[:3], b"no end", b"D p\n", b"D p\n"]
    assert (changed.changes, changed.paths) == (2, {b"p"})


def test_missing_blobs_are_those_that_branches_and_tags_reach(source: GitRepository) -> None:
    assert rebuild.missing(source.path) == frozenset()
    lost = source.blob("side:gone.txt")
    source.object_path(lost).unlink()
    assert rebuild.missing(source.path) == {lost.encode()}


@pytest.mark.parametrize(
    ("path", "name"), [("/s/flask.git", "flask"), ("/s/flask/.git", "flask"), ("/s/pallets+flask/repo", "flask")]
)
def test_a_copy_is_named_like_its_source(path: str, name: str) -> None:
    assert repositories.name_of(Path(path)) == name


def test_what_there_is_to_scan_is_counted(source: GitRepository, tmp_path: Path) -> None:
    target = tmp_path / "x.git"
    repositories.copy(source.path, target)
    counted = repositories.contents(target)
    assert (counted["blobs"], counted["commits"]) == (7, 4)
    contents = (b"nothing to see\n", b"first", b"M 100644 kept", b"odd", b"second", b"side", b"other")
    assert counted["bytes"] == sum(map(len, contents))


@pytest.mark.parametrize("number", [0, 1, 2, 3, 7, 100])
def test_commits_are_spread_over_history_each_once(number: int) -> None:
    order = list(tree.spread_over(number))
    assert sorted(order) == list(range(number))
    assert order[:2] == [n for n in (0, number - 1) if 0 <= n < number][: 2 if number > 1 else 1]


def test_a_tree_grows_until_both_limits_are_reached(source: GitRepository, tmp_path: Path) -> None:
    source.commit({".gitignore": b"*.log\n"} | {f"many/{n}": b"x" * 10 for n in range(50)})
    (source.path / "link").symlink_to("/etc/passwd")
    source.git("add", "--force", "link")
    source.git("commit", "--quiet", "-m", "link")
    copy = tmp_path / "x.git"
    repositories.copy(source.path, copy)
    laid = [tree.lay_out([copy], tmp_path / name, least_bytes=1, least_files=58) for name in ("one", "two")]
    assert laid[0] == laid[1] == json.loads((tmp_path / "one.json").read_text())
    assert laid[0]["commits"] == 2
    names = [sorted(p.relative_to(tmp_path / n).as_posix() for p in (tmp_path / n).rglob("*")) for n in ("one", "two")]
    assert names[0] == names[1]
    assert not any(name.endswith((".gitignore", ".index")) for name in names[0])
    (link,) = (tmp_path / "one").rglob("link")
    assert not link.is_symlink()
