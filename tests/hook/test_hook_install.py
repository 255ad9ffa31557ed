"""`oakum hook install` and `uninstall` in a repository's own folder of hooks, by real pushes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from oakum.scanner.hook import script
from oakum.scanner.hook.place import HOOKS
from standin import Log, Program
from working import Oakum, Work, tree


class TestAPush:
    def test_oakum_is_called_with_what_git_tells(self, work: Work, oakum: Oakum, log: Log) -> None:
        """Arguments and standard input as they are."""
        assert oakum("hook", "install", "--repository", work.path)[0] == 0
        assert work.push()[0]
        url = work.git("remote", "get-url", "origin")
        assert log.calls() == [("oakum", ["push", "origin", url], work.update("HEAD", "refs/heads/main"))]

    def test_it_can_block(self, work: Work, oakum: Oakum, standin: Program) -> None:
        oakum("hook", "install", "--repository", work.path)
        standin.answer(1)
        assert not work.push()[0]
        standin.answer(0)
        assert work.push()[0]

    def test_a_former_hook_comes_after_it_with_the_same_input(
        self, work: Work, oakum: Oakum, log: Log, standin: Program
    ) -> None:
        """As git-lfs's, which reads it. Where oakum blocks, it is not called; where it blocks, the push ends."""
        former = log.program(work.hooks / "pre-push", "former")
        former.make()
        oakum("hook", "install", "--repository", work.path)
        refs = ["refs/heads/main:refs/heads/a", "refs/heads/main:refs/heads/b"]
        assert work.push("origin", *refs)[0]
        first, second = log.calls()
        assert (first[0], second[0]) == ("oakum", "former")
        assert first[1] == ["push", *second[1]]
        assert first[2] == second[2]
        assert first[2].count(b"\n") == 2
        standin.answer(1)
        assert not work.push()[0]
        assert log.who() == ["oakum"]
        standin.answer(0)
        former.answer(1)
        assert not work.push()[0]
        assert log.who() == ["oakum", "former"]

    def test_a_former_hook_that_reads_nothing(self, work: Work, oakum: Oakum, log: Log) -> None:
        log.program(work.hooks / "pre-push", "former").make(reads=False)
        oakum("hook", "install", "--repository", work.path)
        assert work.push()[0]
        assert log.who() == ["oakum", "former"]

    def test_a_former_hook_that_is_not_executable_is_still_not_called(self, work: Work, oakum: Oakum, log: Log) -> None:
        log.program(work.hooks / "pre-push", "former").make(mode=0o644)
        _, said = oakum("hook", "install", "--repository", work.path)
        assert "pre-push.before-oakum, if it were executable" in said
        assert work.push()[0]
        assert log.who() == ["oakum"]

    def test_a_former_hook_that_is_a_link(self, work: Work, oakum: Oakum, log: Log) -> None:
        """It stays one, and leads where it led."""
        log.program(work.path / "scripts" / "check", "former").make()
        work.hooks.mkdir()
        (work.hooks / "pre-push").symlink_to("../../scripts/check")
        before = tree(work.hooks)
        oakum("hook", "install", "--repository", work.path)
        assert work.push()[0]
        assert log.who() == ["oakum", "former"]
        oakum("hook", "uninstall", "--repository", work.path)
        assert tree(work.hooks) == before

    def test_many_refs_with_odd_names(self, work: Work, oakum: Oakum, log: Log) -> None:
        """More than a pipe holds, each byte as it was."""
        log.program(work.hooks / "pre-push", "former").make()
        oakum("hook", "install", "--repository", work.path)
        names = [f"refs/tags/{'x' * 60}-$(id)'\"`&;é-{n}" for n in range(600)]
        head = work.git("rev-parse", "HEAD")
        work.git("update-ref", "--stdin", stdin="".join(f"create {name} {head}\n" for name in names).encode())
        assert work.push("origin", "--tags")[0]
        first, second = log.calls()
        assert len(first[2]) > 1 << 16
        assert sorted(line.split(b" ")[0].decode() for line in first[2].splitlines()) == sorted(names)
        assert first[2] == second[2]

    def test_nothing_to_push(self, work: Work, oakum: Oakum, log: Log) -> None:
        """Git calls the hook all the same, with nothing on its standard input."""
        work.push()
        log.program(work.hooks / "pre-push", "former").make()
        oakum("hook", "install", "--repository", work.path)
        work.push()
        assert [given for _, _, given in log.calls()] == [b"", b""]


class TestWithoutOakum:
    def test_another_on_path_is_called(self, work: Work, oakum: Oakum, standin: Program, log: Log, odd: Path) -> None:
        oakum("hook", "install", "--repository", work.path)
        standin.path.unlink()
        log.program(odd / "elsewhere" / "oakum", "other").make()
        assert work.push(PATH=f"{odd / 'elsewhere'}:{os.environ['PATH']}")[0]
        assert log.who() == ["other"]

    @pytest.mark.parametrize("broken", [None, "#!/no/such/interpreter\n"], ids=["gone", "its interpreter gone"])
    def test_a_push_goes_on_and_says_so(
        self, work: Work, oakum: Oakum, standin: Program, log: Log, broken: str | None, path_without_oakum: str
    ) -> None:
        """Loudly, and how to mend it. A former hook is called."""
        log.program(work.hooks / "pre-push", "former").make()
        oakum("hook", "install", "--repository", work.path)
        if broken:
            standin.path.write_text(broken)
        else:
            standin.path.unlink()
        went, said = work.push(PATH=path_without_oakum)
        assert went
        assert "oakum: NOT SEARCHED FOR SECRETS: " in said
        assert str(standin.path) in said
        assert "oakum hook install" in said
        assert log.who() == ["former"]

    def test_a_server_refuses(
        self, work: Work, oakum: Oakum, standin: Program, odd: Path, path_without_oakum: str
    ) -> None:
        oakum("hook", "install", "--repository", odd / "remote.git")
        standin.path.unlink()
        went, said = work.push(PATH=path_without_oakum)
        assert not went
        assert "NOT SEARCHED FOR SECRETS, AND REFUSED" in said


class TestOtherHooks:
    def test_pre_commit(self, work: Work, oakum: Oakum, standin: Program, log: Log) -> None:
        log.program(work.hooks / "pre-commit", "former").make()
        assert oakum("hook", "install", "pre-commit", "--repository", work.path)[0] == 0
        work.commit({"a.txt": b"a\n"})
        assert log.calls() == [("oakum", ["hook", "run", "pre-commit"], b""), ("former", [], b"")]
        standin.answer(1)
        done = subprocess.run(
            [
                "git",
                "-C",
                work.path,
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b.test",
                "commit",
                "--allow-empty",
                "-mx",
            ],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert log.who() == ["oakum"]

    def test_pre_receive_is_a_bare_repositorys(
        self, work: Work, oakum: Oakum, standin: Program, log: Log, odd: Path
    ) -> None:
        """With the lines that git gives there, before and after a former hook."""
        remote = odd / "remote.git"
        log.program(remote / "hooks" / "pre-receive", "former").make()
        code, said = oakum("hook", "install", "--repository", remote)
        assert (code, said.splitlines()[0]) == (0, "pre-receive: in force")
        assert work.push()[0]
        line = f"{'0' * 40} {work.git('rev-parse', 'HEAD')} refs/heads/main\n".encode()
        assert log.calls() == [("oakum", ["hook", "run", "pre-receive"], line), ("former", [], line)]
        standin.answer(1)
        assert not work.push("origin", "HEAD:refs/heads/other")[0]

    def test_several(self, work: Work, oakum: Oakum) -> None:
        code, said = oakum("hook", "install", "pre-push", "pre-commit", "--repository", work.path)
        assert code == 0
        assert [line for line in said.splitlines() if line[0] != " "] == ["pre-push: in force", "pre-commit: in force"]
        assert sorted(os.listdir(work.hooks)) == ["pre-commit", "pre-push"]


FORMER = {
    "nothing": None,
    "a hook": (b"#!/bin/sh\nexit 0\n", 0o755),
    "one without its last line's end": (b"#!/bin/sh\nexit 0", 0o700),
    "one that is not executable": (b"#!/bin/sh\n", 0o640),
    "no text": (bytes(range(256)), 0o755),
    "nothing in it": (b"", 0o755),
}


class TestAgain:
    @pytest.mark.parametrize("former", FORMER.values(), ids=FORMER)
    def test_uninstall_puts_back_just_what_was_there(
        self, work: Work, oakum: Oakum, former: tuple[bytes, int] | None
    ) -> None:
        """Bytes and mode, of all hooks; however often it is installed."""
        work.hooks.mkdir()
        for name in HOOKS if former else ():
            (work.hooks / name).write_bytes(former[0])
            (work.hooks / name).chmod(former[1])
        before = tree(work.path)
        for _ in range(2):
            assert oakum("hook", "install", *HOOKS, "--repository", work.path)[0] == 0
            once = tree(work.path)
            assert oakum("hook", "install", *HOOKS, "--repository", work.path)[0] == 0
            assert tree(work.path) == once
            code, said = oakum("hook", "uninstall", "--repository", work.path)
            assert code == 0
            assert said.count("taken out: ") == 3
            assert tree(work.path) == before

    def test_nothing_is_installed(self, work: Work, oakum: Oakum) -> None:
        code, said = oakum("hook", "uninstall", "--repository", work.path)
        assert (code, said.splitlines()) == (0, [f"{name}: not installed" for name in HOOKS])

    def test_an_older_form_and_another_program_are_replaced(
        self, work: Work, oakum: Oakum, log: Log, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In place: the former hook stays."""
        former = log.program(work.hooks / "pre-push", "former").make()
        with monkeypatch.context() as earlier:
            earlier.setattr(script, "FORM", 0)
            (work.hooks / "pre-push.before-oakum").write_bytes(former)
            (work.hooks / "pre-push").write_bytes(script.hook("pre-push", "/elsewhere/oakum"))
            (work.hooks / "pre-push").chmod(0o755)
        said = oakum("hook", "status", "--repository", work.path)[1]
        assert "it is of form 0, and this oakum writes form 1: oakum hook install" in said
        assert "/elsewhere/oakum is gone" in said
        assert oakum("hook", "install", "--repository", work.path)[0] == 0
        assert (work.hooks / "pre-push").read_bytes().startswith(b"#!/bin/sh\n# oakum hook 1 ")
        assert (work.hooks / "pre-push.before-oakum").read_bytes() == former

    def test_a_script_that_was_taken_out_by_hand(self, work: Work, oakum: Oakum, log: Log) -> None:
        """Uninstall puts back the hook that was before; install chains it again."""
        former = log.program(work.hooks / "pre-push", "former").make()
        for command in ("install", "uninstall"):
            oakum("hook", "install", "--repository", work.path)
            (work.hooks / "pre-push").unlink()
            code, said = oakum("hook", "status", "--repository", work.path)
            assert code == 1
            assert "oakum's hook is gone" in said
            assert oakum("hook", command, "--repository", work.path)[0] == 0
        assert (work.hooks / "pre-push").read_bytes() == former

    def test_a_script_that_something_replaced_is_not_touched(self, work: Work, oakum: Oakum, log: Log) -> None:
        """Nor the hook that was there before; both are named."""
        log.program(work.hooks / "pre-push", "former").make()
        oakum("hook", "install", "--repository", work.path)
        (work.hooks / "pre-push").write_bytes(b"#!/bin/sh\necho new\n")
        before = tree(work.path)
        code, said = oakum("hook", "status", "--repository", work.path)
        assert (code, said.splitlines()[0]) == (1, "pre-push: NOT in force")
        assert "was replaced by something else" in said
        code, said = oakum("hook", "uninstall", "--repository", work.path)
        assert code == 1
        assert "something else has replaced oakum" in said
        assert "pre-push.before-oakum" in said
        code, said = oakum("hook", "install", "--repository", work.path)
        assert code == 2
        assert "oakum can call one of them only" in said
        assert tree(work.path) == before

    def test_a_script_that_somebody_changed_is_not_touched(self, work: Work, oakum: Oakum) -> None:
        """Nor replaced by a newer one; it still works."""
        oakum("hook", "install", "--repository", work.path)
        with open(work.hooks / "pre-push", "ab") as file:
            file.write(b"echo mine\n")
        before = tree(work.path)
        code, said = oakum("hook", "status", "--repository", work.path)
        assert code == 0
        assert "it was changed after oakum wrote it" in said
        code, said = oakum("hook", "uninstall", "--repository", work.path)
        assert code == 1
        assert "was changed after oakum wrote it" in said
        code, said = oakum("hook", "install", "--repository", work.path)
        assert code == 2
        assert "move your lines to" in said
        assert tree(work.path) == before

    def test_a_script_that_lost_its_mode_is_mended(self, work: Work, oakum: Oakum) -> None:
        oakum("hook", "install", "--repository", work.path)
        (work.hooks / "pre-push").chmod(0o644)
        code, said = oakum("hook", "status", "--repository", work.path)
        assert code == 1
        assert "git passes over it, as it is not executable" in said
        assert oakum("hook", "install", "--repository", work.path)[0] == 0
        assert work.push()[0]
