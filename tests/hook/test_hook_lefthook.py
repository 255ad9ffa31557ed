"""Oakum beside lefthook: a script in a user's own settings, by real pushes through lefthook's own hooks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from managers import program, run
from standin import Log, Program
from working import Oakum, Work

SETTINGS = """\
pre-push:
  jobs:
    - name: check
      run: "true"
  scripts:
    other:
      runner: sh
      args: "-"
"""
"""With all that lefthook knows to run. (A script without `args` is given git's, unquoted, and fails at odd ones.)"""


@pytest.fixture
def path() -> str:
    """Where lefthook's scripts find it."""
    return f"{program('.bin', 'lefthook').parent}{os.pathsep}{os.environ['PATH']}"


def install_lefthook(work: Work) -> None:
    """As its user does."""
    run(work, program(".bin", "lefthook"), "install")


@pytest.fixture
def lefthook(work: Work, path: str) -> None:
    """Lefthook in the work tree, with a pre-push hook."""
    work.write({"lefthook.yml": SETTINGS.encode(), ".lefthook/pre-push/other": b"exit 0\n"})
    (work.path / ".lefthook" / "pre-push" / "other").chmod(0o755)
    install_lefthook(work)


@pytest.mark.usefixtures("lefthook")
class TestWithSettings:
    def test_oakum_is_called_with_what_git_tells(
        self, work: Work, oakum: Oakum, path: str, standin: Program, log: Log
    ) -> None:
        """An address that a shell would read, too; it can block; and it goes without a trace."""
        before = work.files()
        code, said = oakum("hook", "install", "--repository", work.path)
        assert (code, said.splitlines()[0]) == (0, "pre-push: in force")
        assert "keep that and .lefthook-local out of git" in said
        went, said = work.push(PATH=path)
        assert went, said
        url = work.git("remote", "get-url", "origin")
        assert log.calls() == [("oakum", ["push", "origin", url], work.update("HEAD", "refs/heads/main"))]
        standin.answer(1)
        assert not work.push("origin", "HEAD:refs/heads/b", PATH=path)[0]
        once = work.files()
        oakum("hook", "install", "--repository", work.path)
        assert work.files() == once
        assert oakum("hook", "uninstall", "--repository", work.path)[0] == 0
        assert work.files() == before

    def test_a_tag_and_another_branch(self, work: Work, oakum: Oakum, path: str, standin: Program, log: Log) -> None:
        """Lefthook leaves out commands there, as it sees no changed files; not scripts."""
        oakum("hook", "install", "--repository", work.path)
        work.push("-u", "origin", "main", PATH=path)
        work.git("tag", "v1")
        work.git("branch", "other")
        log.calls()
        standin.answer(1)
        for name in ("v1", "other"):
            assert not work.push("origin", name, PATH=path)[0]
        assert log.who() == ["oakum", "oakum"]

    def test_it_outlives_lefthooks_installation(self, work: Work, oakum: Oakum, path: str, log: Log) -> None:
        oakum("hook", "install", "pre-push", "pre-commit", "--repository", work.path)
        install_lefthook(work)
        code, said = oakum("hook", "status", "pre-push", "pre-commit", "--repository", work.path)
        assert code == 0, said
        work.commit({"a.txt": b"a\n"})
        work.push(PATH=path)
        assert next(call[:2] for call in log.calls()) == ("oakum", ["hook", "run", "pre-commit"])

    def test_a_hook_that_lefthook_has_yet_to_write(self, work: Work, oakum: Oakum) -> None:
        code, said = oakum("hook", "install", "pre-commit", "--repository", work.path)
        assert code == 1
        assert said.startswith("pre-commit: NOT in force\n")
        assert "lefthook has not written" in said
        install_lefthook(work)
        assert oakum("hook", "status", "pre-commit", "--repository", work.path)[0] == 0

    def test_hooks_come_and_go_one_by_one(self, work: Work, oakum: Oakum) -> None:
        """In one file of settings."""
        before = work.files()
        oakum("hook", "install", "pre-push", "--repository", work.path)
        one = work.files()
        oakum("hook", "install", "pre-commit", "--repository", work.path)
        assert list(yaml.safe_load((work.path / "lefthook-local.yml").read_text())) == ["pre-commit", "pre-push"]
        oakum("hook", "uninstall", "pre-commit", "--repository", work.path)
        assert work.files() == one
        oakum("hook", "uninstall", "--repository", work.path)
        assert work.files() == before

    @pytest.mark.parametrize("name", ["lefthook-local.yml", ".lefthook-local.yaml", ".config/lefthook-local.yml"])
    def test_settings_of_the_users_own(self, work: Work, oakum: Oakum, path: str, log: Log, name: str) -> None:
        """Are not touched: the lines to add are said, and with them it works; to take them out is his, too."""
        work.write({name: b"pre-commit:\n  commands:\n    oakum-like:\n      run: 'true'\n"})
        before = work.files()
        code, said = oakum("hook", "install", "--repository", work.path)
        assert code == 1
        assert work.files() == before
        lines = said.partition("again:\n")[2]
        with open(work.path / name, "a") as file:
            file.write(lines)
        install_lefthook(work)
        assert oakum("hook", "install", "--repository", work.path)[0] == 0
        assert work.push(PATH=path)[0]
        assert log.who() == ["oakum"]
        code, said = oakum("hook", "uninstall", "--repository", work.path)
        assert code == 1
        assert "take these lines out of" in said
        work.write({name: b"pre-commit: {}\n"})
        assert oakum("hook", "uninstall", "--repository", work.path)[0] == 0
        assert not (work.path / ".lefthook-local").exists()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lefthook.yml", b"pre-push: {}\n"),
        ("lefthook.yaml", b"pre-push: {}\n"),
        ("lefthook.toml", b"[pre-push]\n"),
        ("lefthook.json", b'{"pre-push": {}}\n'),
        (".lefthook.yml", b"pre-push: {}\n"),
        (".config/lefthook.yml", b"pre-push: {}\n"),
    ],
)
def test_settings_in_any_form(work: Work, oakum: Oakum, path: str, log: Log, name: str, settings: bytes) -> None:
    """Are lefthook's, and ours are beside them."""
    work.write({name: settings})
    assert oakum("hook", "install", "--repository", work.path)[0] == 1
    install_lefthook(work)
    assert oakum("hook", "status", "--repository", work.path)[0] == 0
    assert work.push(PATH=path)[0]
    assert log.who() == ["oakum"]


def test_settings_of_ours_that_somebody_added_to(work: Work, oakum: Oakum) -> None:
    """Are his: they are not written again, nor deleted."""
    work.write({"lefthook.yml": b"pre-push: {}\n"})
    oakum("hook", "install", "--repository", work.path)
    with open(work.path / "lefthook-local.yml", "a") as file:
        file.write("output: false\n")
    before = work.files()
    for command in ("install", "uninstall"):
        code, said = oakum(
            "hook", command, "pre-push" if command == "uninstall" else "pre-commit", "--repository", work.path
        )
        assert code == 1
        assert "  scripts:\n    oakum:\n" in said
    assert work.files() == before


def test_a_script_beside_ours_stays(work: Work, oakum: Oakum) -> None:
    work.write({"lefthook.yml": b"{}\n", ".lefthook-local/pre-push/mine": b"exit 0\n"})
    before = work.files()
    oakum("hook", "install", "--repository", work.path)
    oakum("hook", "uninstall", "--repository", work.path)
    assert work.files() == before


def test_folders_that_lead_out_of_the_work_tree(work: Work, oakum: Oakum, odd: Path) -> None:
    """A link in a cloned repository: nothing is written there."""
    (odd / "elsewhere").mkdir()
    work.write({"lefthook.yml": b"{}\n"})
    (work.path / ".lefthook-local").symlink_to(odd / "elsewhere")
    before = work.files()
    code, said = oakum("hook", "install", "--repository", work.path)
    assert code == 2
    assert "outside of the repository" in said
    assert work.files() == before
    assert list((odd / "elsewhere").iterdir()) == []
