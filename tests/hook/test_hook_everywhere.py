"""`oakum hook install --global`: all repositories of a user, whose own hooks go on working."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from oakum.scanner.hook.everywhere import OTHERS
from oakum.scanner.hook.place import HOOKS
from standin import Call, Log, Program
from working import Oakum, Work, tree


@pytest.fixture
def folder(home: Path) -> Path:
    """Where oakum puts its hooks."""
    return home / ".config" / "oakum" / "hooks"


def setting(work: Work) -> str:
    """`core.hooksPath` as the user's git sees it."""
    return work.git("config", "--global", "--default", "", "core.hooksPath")


class TestAFolderOfOurOwn:
    def test_oakum_is_called_in_every_repository(
        self, work: Work, oakum: Oakum, log: Log, folder: Path, standin: Program
    ) -> None:
        """Also in one that is made later; and none is changed."""
        before = work.files()
        code, said = oakum("hook", "install", "--global")
        assert (code, said.splitlines()[:2]) == (0, ["pre-push: in force", f"  at {folder}/pre-push"])
        assert work.files() == before
        assert setting(work) == str(folder)
        assert work.push()[0]
        url = work.git("remote", "get-url", "origin")
        assert log.calls() == [("oakum", ["push", "origin", url], work.update("HEAD", "refs/heads/main"))]
        standin.answer(1)
        assert not work.push("origin", "HEAD:refs/heads/b")[0]
        code, said = oakum("hook", "status", "--repository", work.path)
        assert code == 0
        assert "for all your repositories: core.hooksPath (file:" in said

    def test_a_repositorys_own_hook_comes_after_it_with_the_same_input(
        self, work: Work, oakum: Oakum, log: Log, standin: Program
    ) -> None:
        """From linked work trees and subfolders, too."""
        own = log.program(work.hooks / "pre-push", "own")
        own.make()
        oakum("hook", "install", "--global")
        assert work.push()[0]
        first, second = log.calls()
        assert (first[0], first[1], first[2]) == ("oakum", ["push", *second[1]], second[2])
        assert second[0] == "own"
        work.git("worktree", "add", "--quiet", "../linked")
        (work.path / "sub").mkdir()
        for number, place in enumerate((work.path.parent / "linked", work.path / "sub")):
            assert Work(place, home=work.home).push("origin", f"HEAD:refs/heads/{number}")[0]
            assert log.who() == ["oakum", "own"]
        own.answer(1)
        assert not work.push("origin", "HEAD:refs/heads/b")[0]
        standin.answer(1)
        log.calls()
        assert not work.push("origin", "HEAD:refs/heads/b")[0]
        assert log.who() == ["oakum"]

    def test_every_other_hook_goes_on_working(self, work: Work, oakum: Oakum, log: Log, odd: Path) -> None:
        """In a day of work, and where a push is received: the same calls, with the same arguments and input."""
        remote = odd / "remote.git"
        for name in (*HOOKS, *OTHERS):
            log.program(work.hooks / name, name).make()
            log.program(remote / "hooks" / name, f"remote-{name}").make()
        for place in (work.path, remote):
            shutil.copytree(place, f"{place}.before", symlinks=True)

        def a_day() -> list[Call]:
            work.days = 1
            work.git("checkout", "--quiet", "-b", "new")
            work.commit({"a.txt": b"new\n"})
            work.git("commit", "--quiet", "--amend", "-m", "again")
            work.git("checkout", "--quiet", "main")
            work.git("merge", "--quiet", "--no-ff", "-m", "merge", "new")
            work.git("rebase", "--quiet", "--force-rebase", "HEAD~1")
            assert work.push()[0]
            calls = log.calls()
            assert "post-index-change" in {who for who, _, _ in calls}
            return [call for call in calls if call[0] not in ("post-index-change", "oakum")]  # that goes by the clock

        before = a_day()
        for place in (work.path, remote):
            shutil.rmtree(place)
            os.rename(f"{place}.before", place)
        oakum("hook", "install", "--global")
        assert a_day() == before
        called = {who for who, _, _ in before}
        assert {"pre-push", "pre-commit", "commit-msg", "post-rewrite", "reference-transaction", "pre-rebase"} <= called
        assert {"remote-pre-receive", "remote-update", "remote-post-receive", "remote-post-update"} <= called

    def test_a_server(self, work: Work, oakum: Oakum, log: Log, standin: Program, odd: Path) -> None:
        """All that its account serves, before a repository's own hook."""
        log.program(odd / "remote.git" / "hooks" / "pre-receive", "own").make()
        assert oakum("hook", "install", "pre-receive", "--global")[0] == 0
        assert work.push()[0]
        assert [call[:2] for call in log.calls()] == [("oakum", ["hook", "run", "pre-receive"]), ("own", [])]
        standin.answer(1)
        assert not work.push("origin", "HEAD:refs/heads/b")[0]

    def test_a_repository_with_a_setting_of_its_own_keeps_it(self, work: Work, oakum: Oakum, log: Log) -> None:
        """As with husky. Status says that oakum is not called there, and it can be installed."""
        log.program(work.path / "hooks" / "pre-push", "own").make()
        work.git("config", "core.hooksPath", "hooks")
        oakum("hook", "install", "--global")
        assert work.push()[0]
        assert log.who() == ["own"]
        assert oakum("hook", "status", "--repository", work.path)[0] == 1
        assert oakum("hook", "install", "--repository", work.path)[0] == 0
        work.push()
        assert log.who() == ["oakum", "own"]

    def test_hooks_that_are_the_folder_itself(self, work: Work, oakum: Oakum, log: Log, folder: Path) -> None:
        """A link in a repository, made from a template: no hook calls itself."""
        oakum("hook", "install", "--global")
        work.hooks.symlink_to(folder)
        work.commit({"a": b"a\n"})
        assert work.push()[0]
        assert log.who() == ["oakum"]

    def test_a_repository_where_it_was_installed_before(self, work: Work, oakum: Oakum, log: Log) -> None:
        """Calls it twice, and has it after `uninstall --global`, too."""
        oakum("hook", "install", "--repository", work.path)
        oakum("hook", "install", "--global")
        assert work.push()[0]
        assert log.who() == ["oakum", "oakum"]
        code, said = oakum("hook", "install", "--repository", work.path)
        assert code == 0
        assert "for all your repositories" in said

    def test_several_hooks_come_and_go(self, work: Work, oakum: Oakum, log: Log) -> None:
        """With the last one the setting and the folder go."""
        assert oakum("hook", "install", "pre-push", "pre-commit", "--global")[0] == 0
        work.commit({"a": b"a\n"})
        assert log.who() == ["oakum"]
        assert oakum("hook", "uninstall", "pre-push", "--global")[0] == 0
        assert work.push()[0]
        work.commit({"b": b"b\n"})
        assert [call[1] for call in log.calls()] == [["hook", "run", "pre-commit"]]
        assert oakum("hook", "install", "--global")[0] == 0
        assert oakum("hook", "status", "pre-push", "pre-commit", "--global")[0] == 0
        assert oakum("hook", "uninstall", "--global")[0] == 0
        assert oakum("hook", "status", "--global")[0] == 1

    def test_it_goes_without_a_trace(self, work: Work, oakum: Oakum, home: Path, folder: Path) -> None:
        """Twice is as once; what is not ours stays."""
        work.git("config", "--global", "user.name", "Ada")
        before = tree(home)
        for _ in range(2):
            assert oakum("hook", "install", "--global")[0] == 0
        once = tree(home)
        assert oakum("hook", "install", "--global")[0] == 0
        assert tree(home) == once
        code, said = oakum("hook", "uninstall", "--global")
        assert code == 0
        assert [line for line in said.splitlines() if line[0] != " "] == [
            f"pre-push: taken out: {folder}/pre-push",
            "pre-commit: not installed",
            "pre-receive: not installed",
        ]
        left = tree(home)
        assert re.sub(rb"\[core\]\n", b"", bytes(left.pop(".gitconfig")[1])) == before.pop(".gitconfig")[1]
        assert left == before
        assert not folder.exists()

    def test_another_setting_took_its_place(self, work: Work, oakum: Oakum, odd: Path, folder: Path) -> None:
        """It stays; our folder goes."""
        oakum("hook", "install", "--global")
        work.git("config", "--global", "core.hooksPath", str(odd / "others"))
        assert oakum("hook", "status", "--global")[0] == 1
        assert oakum("hook", "uninstall", "--global")[0] == 0
        assert setting(work) == str(odd / "others")
        assert not folder.exists()

    def test_a_changed_script_stays(self, work: Work, oakum: Oakum, folder: Path) -> None:
        """And is named; nothing calls it any more."""
        oakum("hook", "install", "--global")
        with open(folder / "commit-msg", "a") as file:
            file.write("echo mine\n")
        code, said = oakum("hook", "uninstall", "--global")
        assert code == 1
        assert "commit-msg: not taken out: " in said
        assert setting(work) == ""
        assert os.listdir(folder) == ["commit-msg"]

    def test_a_configuration_that_cannot_be_written(
        self, oakum: Oakum, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / "plain").write_text("")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "plain" / "config"))
        code, said = oakum("hook", "install", "--global")
        assert code == 2
        assert "your git configuration cannot be changed" in said

    def test_it_is_one_or_the_other(self, oakum: Oakum) -> None:
        code, said = oakum("hook", "install", "--global", "--repository", ".")
        assert code == 2
        assert "exclude each other" in said


class TestAFolderOfTheUsers:
    def test_oakum_comes_before_what_is_there(
        self, work: Work, oakum: Oakum, log: Log, odd: Path, folder: Path
    ) -> None:
        """A repository's own hooks were not called before, and are not now."""
        log.program(odd / "mine" / "pre-push", "mine").make()
        log.program(work.hooks / "pre-push", "own").make()
        work.git("config", "--global", "core.hooksPath", str(odd / "mine"))
        before = tree(odd)
        assert oakum("hook", "install", "--global")[0] == 0
        assert oakum("hook", "status", "--repository", work.path)[0] == 0
        assert work.push()[0]
        assert log.who() == ["oakum", "mine"]
        code, said = oakum("hook", "uninstall", "--repository", work.path)
        assert code == 1
        assert "oakum hook uninstall --global" in said
        assert oakum("hook", "uninstall", "--global")[0] == 0
        assert setting(work) == str(odd / "mine")
        after = tree(odd)
        assert {name: after[name] for name in before if ".git/" not in name} == {
            name: file for name, file in before.items() if ".git/" not in name
        }
        assert not folder.exists()

    def test_it_is_made_where_it_is_not_there(self, work: Work, oakum: Oakum, log: Log, home: Path) -> None:
        """`~` is the user's home; the setting may stand in a file that is included."""
        (home / "more").write_text("[core]\n\thooksPath = ~/mine\n")
        work.git("config", "--global", "include.path", "~/more")
        assert oakum("hook", "install", "--global")[0] == 0
        assert (home / "mine" / "pre-push").exists()
        assert work.push()[0]
        assert log.who() == ["oakum"]

    def test_one_in_each_repository(self, work: Work, oakum: Oakum) -> None:
        work.git("config", "--global", "core.hooksPath", ".githooks")
        code, said = oakum("hook", "install", "--global")
        assert code == 2
        assert "a folder in each repository: oakum hook install there" in said

    def test_hooks_are_off(self, work: Work, oakum: Oakum) -> None:
        work.git("config", "--global", "core.hooksPath", "/dev/null")
        code, said = oakum("hook", "install", "--global")
        assert code == 2
        assert "cannot be written" in said


def test_the_other_hooks_are_sorted() -> None:
    """None is one of ours, none is there twice."""
    assert sorted(set(OTHERS) - set(HOOKS)) == list(OTHERS)
