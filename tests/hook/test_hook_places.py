"""Where git takes hooks from, and where oakum refuses to write."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from git_repository import GitRepository
from standin import Log
from working import Oakum, Work, tree


def installed(work: Work, oakum: Oakum, log: Log, place: Path, *, at: Path | None = None) -> str:
    """Install at `place`, push from there and have oakum called, take it out; what the installation said."""
    before = tree(work.path.parent)
    code, said = oakum("hook", "install", "--repository", at or place)
    assert code == 0, said
    there = Work(place, home=work.home)
    assert there.push("origin", f"HEAD:refs/heads/{len(before)}")[0]
    assert log.who() == ["oakum"]
    assert oakum("hook", "status", "--repository", at or place)[0] == 0
    assert oakum("hook", "uninstall", "--repository", at or place)[0] == 0
    assert not {name for name in tree(work.path.parent).keys() - before.keys() if "hook" in name}
    return said


class TestPlaces:
    def test_a_folder_in_the_work_tree(self, work: Work, oakum: Oakum, log: Log) -> None:
        """As git does, oakum looks upwards."""
        (work.path / "a" / "b").mkdir(parents=True)
        installed(work, oakum, log, work.path, at=work.path / "a" / "b")

    @pytest.mark.parametrize("setting", ["my 'own' hooks", "./hooks", "a/../hooks", "hooks/"])
    def test_a_relative_setting(self, work: Work, oakum: Oakum, log: Log, setting: str) -> None:
        """It counts from the top of the work tree, wherever one stands; git may track the folder."""
        (work.path / "a").mkdir()
        work.git("config", "core.hooksPath", setting)
        said = installed(work, oakum, log, work.path, at=work.path / "a")
        assert "keep it out of git" in said

    def test_an_absolute_setting_in_the_repository(self, work: Work, oakum: Oakum, log: Log) -> None:
        work.git("config", "core.hooksPath", str(work.path / ".git" / "others"))
        assert ".git/others/pre-push" in installed(work, oakum, log, work.path)

    def test_a_setting_of_the_user_that_leads_into_each_repository(self, work: Work, oakum: Oakum, log: Log) -> None:
        work.git("config", "--global", "core.hooksPath", ".githooks")
        assert ".githooks/pre-push" in installed(work, oakum, log, work.path)

    def test_home(self, work: Work, oakum: Oakum, log: Log) -> None:
        """A repository in the user's home, with a setting from there."""
        work.git("init", "--quiet", str(work.home / "project"))
        project = Work(work.home / "project", home=work.home)
        project.commit({"a": b"a\n"})
        project.git("remote", "add", "origin", work.git("remote", "get-url", "origin"))
        project.git("config", "core.hooksPath", "~/project/hooks")
        assert "home/project/hooks/pre-push" in installed(work, oakum, log, project.path)

    def test_linked_work_trees_share_their_hooks(self, work: Work, oakum: Oakum, log: Log) -> None:
        work.git("worktree", "add", "--quiet", "../linked")
        linked = work.path.parent / "linked"
        assert "work/.git/hooks/pre-push" in installed(work, oakum, log, linked)
        oakum("hook", "install", "--repository", work.path)
        assert oakum("hook", "status", "--repository", linked)[0] == 0

    def test_a_linked_work_tree_with_a_setting_of_its_own(self, work: Work, oakum: Oakum, log: Log) -> None:
        """extensions.worktreeConfig; the other work trees know nothing of it."""
        work.git("worktree", "add", "--quiet", "../linked")
        work.git("config", "extensions.worktreeConfig", "true")
        linked = Work(work.path.parent / "linked", home=work.home)
        linked.git("config", "--worktree", "core.hooksPath", "own-hooks")
        assert "linked/own-hooks/pre-push" in installed(work, oakum, log, linked.path)
        oakum("hook", "install", "--repository", linked.path)
        assert oakum("hook", "status", "--repository", work.path)[0] == 1

    def test_a_submodule(self, work: Work, oakum: Oakum, log: Log) -> None:
        """Its git directory lies in that of the repository around it."""
        work.push()
        url = work.git("remote", "get-url", "origin")
        work.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "lib")
        assert "work/.git/modules/lib/hooks/pre-push" in installed(work, oakum, log, work.path / "lib")

    def test_a_git_directory_apart(self, work: Work, oakum: Oakum, log: Log) -> None:
        work.git("init", "--quiet", "--separate-git-dir", "../apart")
        assert "apart/hooks/pre-push" in installed(work, oakum, log, work.path)

    def test_a_push_from_a_bare_repository(self, work: Work, oakum: Oakum, log: Log, odd: Path) -> None:
        """Where pre-push is named."""
        work.push()
        remote = Work(odd / "remote.git", home=work.home)
        GitRepository.create(odd / "next.git", "--bare")
        remote.git("remote", "add", "next", str(odd / "next.git"))
        assert oakum("hook", "install", "pre-push", "--repository", remote.path)[0] == 0
        assert remote.push("next", "main")[0]
        assert log.who() == ["oakum"]

    @pytest.mark.parametrize(("folder", "said"), [(".git", "must be run in a work tree"), ("none", "is no folder")])
    def test_no_place(self, work: Work, oakum: Oakum, folder: str, said: str) -> None:
        code, text = oakum("hook", "install", "--repository", work.path / folder)
        assert code == 2
        assert said in text

    def test_no_repository(self, oakum: Oakum, odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(odd))
        (odd / "plain").mkdir()
        code, said = oakum("hook", "install", "--repository", odd / "plain")
        assert code == 2
        assert "not a git repository" in said

    def test_the_variables_of_a_hook_do_not_lead_elsewhere(
        self, work: Work, oakum: Oakum, log: Log, odd: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Git sets GIT_DIR for what it runs; `-c` settings hold for one command only."""
        monkeypatch.setenv("GIT_DIR", str(odd / "remote.git"))
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(odd))
        installed(work, oakum, log, work.path)


class TestRefusals:
    """Nothing is written, and it is said why and what to do."""

    def refused(self, work: Work, oakum: Oakum, *said: str) -> None:
        """Installation fails and changes nothing; so does taking out."""
        before = tree(work.path.parent)
        code, text = oakum("hook", "install", "--repository", work.path)
        assert code == 2, text
        assert [part for part in said if part not in text] == []
        oakum("hook", "status", "--repository", work.path)
        oakum("hook", "uninstall", "--repository", work.path)
        assert tree(work.path.parent) == before

    @pytest.mark.parametrize("setting", ["/etc", "../../other", "{odd}/elsewhere", "~/hooks", "/dev/null"])
    def test_a_setting_of_the_repository_leads_out_of_it(
        self, work: Work, oakum: Oakum, odd: Path, setting: str
    ) -> None:
        """As one that came with an unpacked archive may."""
        (odd / "elsewhere").mkdir()
        work.git("config", "core.hooksPath", setting.replace("{odd}", str(odd)))
        self.refused(work, oakum, "lies outside of the repository", "core.hooksPath is ", "config", "docs/hooks.md")

    def test_a_script_of_oakums_outside_is_not_taken_out(self, work: Work, oakum: Oakum, odd: Path) -> None:
        """Another repository must not say that it goes."""
        other = Work(odd / "other", home=work.home)
        work.git("init", "--quiet", str(other.path))
        oakum("hook", "install", "--repository", other.path)
        work.git("config", "core.hooksPath", str(other.hooks))
        before = tree(odd)
        code, said = oakum("hook", "uninstall", "--repository", work.path)
        assert code == 1
        assert "outside of the repository" in said
        assert tree(odd) == before

    def test_an_empty_setting(self, work: Work, oakum: Oakum) -> None:
        work.git("config", "core.hooksPath", "")
        self.refused(work, oakum, "core.hooksPath is empty")

    def test_a_setting_for_all_repositories(self, work: Work, oakum: Oakum, odd: Path) -> None:
        """Names the way for all of them, and the way for this one."""
        (odd / "mine").mkdir()
        work.git("config", "--global", "core.hooksPath", str(odd / "mine"))
        self.refused(work, oakum, "oakum hook install --global", "config --local core.hooksPath", ".gitconfig")

    def test_a_folder_of_hooks_that_is_a_link_out(self, work: Work, oakum: Oakum, odd: Path) -> None:
        (odd / "elsewhere").mkdir()
        work.hooks.symlink_to(odd / "elsewhere")
        self.refused(work, oakum, "lies outside of the repository: a link leads there")

    def test_a_folder_of_hooks_that_is_a_link_into_the_work_tree(self, work: Work, oakum: Oakum, log: Log) -> None:
        """Is fine: many do so to share hooks."""
        (work.path / "shared").mkdir()
        work.hooks.symlink_to("../shared")
        installed(work, oakum, log, work.path)

    @pytest.mark.parametrize("what", ["fifo", "folder"])
    def test_a_hook_that_is_no_file(self, work: Work, oakum: Oakum, what: str) -> None:
        work.hooks.mkdir()
        path = work.hooks / "pre-push"
        os.mkfifo(path) if what == "fifo" else path.mkdir()
        self.refused(work, oakum, "is no file")

    def test_a_hook_that_is_a_link_out_is_not_written_through(
        self, work: Work, oakum: Oakum, odd: Path, log: Log
    ) -> None:
        """It is kept aside, and works as before."""
        log.program(odd / "elsewhere" / "check", "former").make()
        work.hooks.mkdir()
        (work.hooks / "pre-push").symlink_to(odd / "elsewhere" / "check")
        before = tree(odd / "elsewhere")
        assert oakum("hook", "install", "--repository", work.path)[0] == 0
        assert work.push()[0]
        assert log.who() == ["oakum", "former"]
        assert tree(odd / "elsewhere") == before

    def test_a_file_where_the_folder_should_be(self, work: Work, oakum: Oakum) -> None:
        work.hooks.write_bytes(b"")
        self.refused(work, oakum, "cannot be written")

    def test_a_full_disk(self, work: Work, log: Log, standin: object) -> None:
        """Nothing half written, and the former hook where it was. (A limit of the process stands in for the disk.)"""
        log.program(work.hooks / "pre-push", "former").make()
        before = tree(work.path)
        done = subprocess.run(
            [sys.executable, "-m", "oakum.scanner", "hook", "install", "--repository", work.path],
            capture_output=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
            check=False,
        )
        assert done.returncode == 2
        assert b"cannot be written" in done.stderr
        assert tree(work.path) == before

    def test_a_setting_that_is_no_utf8(self, work: Work, oakum: Oakum, log: Log) -> None:
        """A path is bytes."""
        work.run("config", "core.hooksPath", b"h\xff\xfe")
        said = installed(work, oakum, log, work.path)
        assert "h\ufffd\ufffd/pre-push" in said
