"""Oakum and the pre-commit framework, which is here as from PyPI: what it tells its hooks, and the two side by side."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from scanning import Fresh
from standin import Log, Program
from working import Oakum, Work

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"


def pre_commit(work: Work, *arguments: str | Path) -> str:
    """Run the framework, as its user does."""
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=work.path,
        env={"PATH": os.environ["PATH"], "HOME": str(work.home), "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.decode()


def test_the_manifest(work: Work) -> None:
    """Is valid, and names commands of oakum that need no file names."""
    assert pre_commit(work, "validate-manifest", MANIFEST) == ""
    hooks = yaml.safe_load(MANIFEST.read_text())
    assert [(h["id"], h["entry"], h["stages"]) for h in hooks] == [
        ("oakum", "oakum hook run pre-commit", ["pre-commit"]),
        ("oakum-push", "oakum hook run pre-push", ["pre-push"]),
    ]


@pytest.fixture
def configured(work: Work, odd: Path) -> Path:
    """A configuration with a hook of the manifest for each stage, which runs a program that notes what it is told."""
    noting = odd.parent / "noting"
    noting.write_text('#!/bin/sh\n{ env | grep ^PRE_COMMIT | sort; echo "stdin=[$(cat)] arguments=[$*]"; } > "$0.$1"\n')
    noting.chmod(0o755)
    hooks = [
        {**hook, "entry": f"{noting} {hook['stages'][0]}", "language": "system"}
        for hook in yaml.safe_load(MANIFEST.read_text())
    ]
    settings = yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}).encode()
    work.write({".pre-commit-config.yaml": settings, ".git/info/exclude": b".pre-commit-config.yaml\n"})
    return noting


def told(noting: Path, stage: str) -> dict[str, str]:
    """What a hook was told last; nothing where it was not called."""
    path = noting.with_name(f"{noting.name}.{stage}")
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return {name.removeprefix("PRE_COMMIT_"): value for name, _, value in (line.partition("=") for line in lines)}


NOTHING = {"PRE_COMMIT": "1"}


class TestWhatTheFrameworkTells:
    """Its hooks: variables only, of one ref of a push. `oakum hook run` is built upon this."""

    def test_at_a_commit(self, work: Work, configured: Path) -> None:
        """Nothing on standard input, no arguments."""
        pre_commit(work, "install")
        work.commit({"a.txt": b"a\n"})
        assert told(configured, "pre-commit") == NOTHING | {"stdin": "[] arguments=[pre-commit]"}

    @pytest.fixture
    def pushes(self, work: Work, configured: Path) -> Any:
        """Pushes, and gives what the hook was told, but for what is the same each time."""
        pre_commit(work, "install", "--hook-type", "pre-push")
        url = work.git("remote", "get-url", "origin")
        same = {"REMOTE_NAME": "origin", "REMOTE_URL": url, "stdin": "[] arguments=[pre-push]", "PRE_COMMIT": "1"}

        def push(*refs: str) -> dict[str, str]:
            went, said = work.push("origin", *refs)
            assert went, said
            found = told(configured, "pre-push")
            assert not found or same.items() <= found.items()
            for old, new in (("ORIGIN", "FROM_REF"), ("SOURCE", "TO_REF")):  # former names
                assert found.pop(old, None) == found.get(new)
            return {name: value for name, value in found.items() if name not in same}

        return push

    def test_the_first_push(self, work: Work, pushes: Any) -> None:
        """All of the history: no range is told."""
        assert pushes("main") == {"LOCAL_BRANCH": "refs/heads/main", "REMOTE_BRANCH": "refs/heads/main"}

    def test_more_of_a_branch(self, work: Work, pushes: Any) -> None:
        """From what the remote has."""
        old = work.commit({"a": b"a\n"}).id
        pushes("main")
        new = work.commit({"b": b"b\n"}).id
        names = {"LOCAL_BRANCH": "refs/heads/main", "REMOTE_BRANCH": "refs/heads/main"}
        assert pushes("main") == names | {"FROM_REF": old, "TO_REF": new}

    def test_a_new_branch(self, work: Work, pushes: Any) -> None:
        """From the parent of the first commit that no branch of the remote has."""
        old = work.commit({"a": b"a\n"}).id
        pushes("main")
        work.git("checkout", "--quiet", "-b", "new")
        work.commit({"b": b"b\n"})
        new = work.commit({"c": b"c\n"}).id
        names = {"LOCAL_BRANCH": "refs/heads/new", "REMOTE_BRANCH": "refs/heads/new"}
        assert pushes("new") == names | {"FROM_REF": old, "TO_REF": new}

    def test_several_branches(self, work: Work, pushes: Any) -> None:
        """Only the first one is told: what is new in others is not known to the hook."""
        pushes("main")
        for name in ("one", "two"):
            work.git("checkout", "--quiet", "-b", name, "main")
            work.commit({name: b"new\n"})
        assert pushes("one", "two")["LOCAL_BRANCH"] in ("refs/heads/one", "refs/heads/two")

    def test_a_tag_of_a_commit_that_the_remote_has(self, work: Work, pushes: Any) -> None:
        """The hook is not called, though the tag's message is new. Nor is it for a branch that is deleted."""
        pushes("main")
        work.git("tag", "-a", "v1", "-m", "a message")
        assert pushes("v1") == {}
        assert pushes(":refs/tags/v1") == {}

    def test_history_that_was_written_anew(self, work: Work, pushes: Any) -> None:
        """From what the remote had, as long as it is known here."""
        pushes("main")
        old = work.commit({"a": b"a\n"}).id
        pushes("main")
        work.git("commit", "--quiet", "--amend", "-m", "other")
        new = work.git("rev-parse", "HEAD")
        found = pushes("+main")
        assert (found["FROM_REF"], found["TO_REF"]) == (old, new)


def test_oakum_itself(work: Work, fresh: Fresh) -> None:
    """As the manifest names it: what is staged, the first push of all there is, and what a later one adds."""
    hooks = [
        {
            **hook,
            "entry": f"{sys.executable} -m oakum.scanner {hook['entry'].removeprefix('oakum ')}",
            "language": "system",
        }
        for hook in yaml.safe_load(MANIFEST.read_text())
    ]
    settings = yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}).encode()
    work.write({".pre-commit-config.yaml": settings, ".git/info/exclude": b".pre-commit-config.yaml\n"})
    pre_commit(work, "install", "--hook-type", "pre-commit", "--hook-type", "pre-push")

    def tried(*arguments: str) -> str:
        """What is said where the framework stops git; nothing where it does not."""
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.test")
        command = ["git", *who, *arguments]
        done = subprocess.run(command, cwd=work.path, env=work.environment, capture_output=True, check=False)
        return (done.stdout + done.stderr).decode() if done.returncode else ""

    def leak(name: str) -> None:
        work.write({name: b"TOKEN=" + fresh() + b"\n"})
        work.git("add", name)

    leak("app.env")
    assert "the commit is stopped: 1 secret in what is staged" in tried("commit", "-m", "x")
    work.git("commit", "--quiet", "--no-verify", "-m", "leak")
    stopped = "the push to origin is stopped: it would publish 1 secret"
    assert stopped in tried("push", "origin", "main")
    work.git("reset", "--quiet", "--hard", "HEAD~1")
    assert tried("push", "origin", "main") == ""
    leak("more.env")
    work.git("commit", "--quiet", "--no-verify", "-m", "leak")
    assert stopped in tried("push", "origin", "main")


class TestSideBySide:
    """In whatever order, oakum sees a push first, with all that git tells, and goes without a trace."""

    @pytest.mark.parametrize("order", ["oakum first", "oakum second"])
    def test_both_are_called(
        self, work: Work, configured: Path, oakum: Oakum, standin: Program, log: Log, order: str
    ) -> None:
        log.program(work.hooks / "pre-push", "former").make()
        if order == "oakum first":
            oakum("hook", "install", "--repository", work.path)
            pre_commit(work, "install", "--hook-type", "pre-push")
        else:
            pre_commit(work, "install", "--hook-type", "pre-push")
            oakum("hook", "install", "--repository", work.path)
        code, said = oakum("hook", "status", "pre-push", "--repository", work.path)
        assert code == 0
        assert "the pre-commit framework calls it, before its own hooks" in said
        for _ in range(2):  # it is installed again, as after an update
            assert work.push()[0]
            assert log.who() == ["oakum", "former"]
            assert told(configured, "pre-push")
            pre_commit(work, "install", "--hook-type", "pre-push")
            work.commit({"more": os.urandom(8)})
        standin.answer(1)
        assert not work.push()[0]
        assert log.who() == ["oakum"]
        standin.answer(0)
        assert oakum("hook", "uninstall", "--repository", work.path)[0] == 0
        work.push()
        assert log.who() == ["former"]
        assert told(configured, "pre-push")

    def test_the_framework_goes_first(self, work: Work, configured: Path, oakum: Oakum, log: Log) -> None:
        """Then oakum is the hook itself."""
        oakum("hook", "install", "--repository", work.path)
        before = work.files()
        pre_commit(work, "install", "--hook-type", "pre-push")
        pre_commit(work, "uninstall", "--hook-type", "pre-push")
        assert work.files() == before
        assert work.push()[0]
        assert log.who() == ["oakum"]
