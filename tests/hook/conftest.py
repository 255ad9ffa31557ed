"""A user with a home of his own, a repository of his with a remote, and a program that stands in for oakum.

All paths hold what a shell would read: blanks, quotes, a variable, a command, a backslash.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner import cli
from standin import Log, Program
from working import ODD, Oakum, Work


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder with a name that no script may read."""
    (tmp_path / ODD).mkdir()
    return tmp_path / ODD


@pytest.fixture
def home(odd: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, also for what runs in this process."""
    made = odd / "home"
    made.mkdir()
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """What was called."""
    return Log(tmp_path / "log")


@pytest.fixture
def standin(odd: Path, log: Log) -> Program:
    """Oakum, as hooks see it."""
    made = log.program(odd / "bin" / "oakum", "oakum")
    made.make()
    return made


@pytest.fixture
def work(odd: Path, home: Path) -> Work:
    """A repository with one commit, its hooks empty, and a remote."""
    remote = GitRepository.create(odd / "remote.git", "--bare")
    made = Work(odd / "work", home=home)
    made.path.mkdir()
    made.git("init", "--quiet", "--initial-branch=main", "--template=")
    made.commit({"start.txt": b"nothing to see\n"})
    made.git("remote", "add", "origin", str(remote.path))
    return made


@pytest.fixture
def oakum(
    home: Path, standin: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Oakum:
    """The command line, started as the program that stands in for it, outside of any repository."""
    monkeypatch.setattr(sys, "argv", [str(standin.path)])
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.run([str(a) for a in arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def path_without_oakum(tmp_path: Path) -> str:
    """A PATH with git, sh and what they need."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("git", "sh", "cat", "git-receive-pack", "git-upload-pack"):
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, check=False).stdout.decode()
        if found:
            (folder / name).symlink_to(found.strip())
    return str(folder)
