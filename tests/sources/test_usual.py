"""What git need not be asked of a repository: that it is one like most."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner.errors import GitError
from oakum.scanner.sources import git
from oakum.scanner.sources.git import Repository, open_repository
from oakum.scanner.sources.locate import is_usual


def opened(path: Path) -> Repository:
    found = open_repository(os.fsencode(path), os.environ)
    assert found is not None
    return found


def usual(path: Path) -> bool:
    """What is said of a work tree's repository."""
    return is_usual(os.fsencode(path / ".git"), os.fsencode(path / ".git"))


def test_what_git_makes_is_usual(repo: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By init and clone, with a work tree or without, and on another branch; git is not asked then."""
    repo.commit({"a": b"b\n"})
    subprocess.run(["git", "clone", "-q", repo.path, tmp_path / "clone"], check=True)
    subprocess.run(["git", "clone", "-q", "--mirror", repo.path, tmp_path / "mirror"], check=True)
    subprocess.run(["git", "-C", tmp_path / "clone", "checkout", "-q", "-b", "a/b-c.d"], check=True)
    monkeypatch.setattr(git, "FIRST_ANSWER", -1.0)
    for path in (repo.path, tmp_path / "clone", tmp_path / "mirror"):
        assert opened(path).id_length == 40


def test_sha256_is_asked_for(tmp_path: Path) -> None:
    """It is an extension."""
    subprocess.run(["git", "init", "-q", "--object-format=sha256", tmp_path / "new"], check=True)
    assert not usual(tmp_path / "new")
    assert opened(tmp_path / "new").id_length == 64


@pytest.mark.parametrize(
    "line",
    [
        "[include]\n\tpath = other",
        "[extensions]\n\tobjectformat = sha256",
        "\trepositoryformatversion = 0",
        "\trepositoryformatversion = 1",
        "\tbare = perhaps",
        "\tworktree = /",
        "\tbare = \\\n  true",
        "[remote \"a\"] url = b",
        "[core",
        "[user]\n\tname = a",
        "\turl = a b",
        "\tbare = true\r",
        "\0",
        "#" * (16 << 10),
    ],
)  # fmt: skip
def test_a_setting_that_is_not_usual(line: str, tmp_path: Path) -> None:
    """Git is asked then, whatever it means."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert usual(tmp_path)
    with (tmp_path / ".git" / "config").open("a") as file:
        file.write(f"{line}\n")
    assert not usual(tmp_path)


def test_what_git_refuses_is_refused(tmp_path: Path) -> None:
    """A format of the future, settings that cannot be read, a HEAD that names nothing."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    config, head = tmp_path / ".git" / "config", tmp_path / ".git" / "HEAD"
    was = config.read_text()
    for damaged in (was.replace("version = 0", "version = 9"), f"{was}[core\n", ""):
        config.write_text(damaged)
        assert not usual(tmp_path)
        if damaged:
            with pytest.raises(GitError):
                opened(tmp_path)
    config.write_text(was)
    head.write_text("nothing\n")
    assert not usual(tmp_path)
    with pytest.raises(GitError):
        opened(tmp_path)
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert not usual(tmp_path)
