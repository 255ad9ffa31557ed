"""Oakum beside husky: lines in the files that everybody shares, by real pushes through husky's own scripts."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from managers import program, run
from oakum.scanner.hook.script import has_block, with_block, without_block
from standin import Log, Program
from working import Oakum, Work

LINES = st.lists(
    st.sampled_from(
        [
            b"#!/bin/sh",
            b"# note",
            b"",
            b'. "$(dirname -- "$0")/_/husky.sh"',
            b"npm test",
            b"  echo \xff",
            b"\r",
            b"exit",
        ]
    )
)


@given(LINES, st.booleans(), st.sampled_from(["pre-push", "pre-commit"]))
def test_what_was_there_comes_back(lines: list[bytes], ended: bool, name: str) -> None:
    """Every byte; twice is as once; what reads husky's functions stays in front, the rest of it behind."""
    content = b"\n".join(lines) + (b"\n" if ended else b"")
    text = with_block(content, name)
    assert has_block(text)
    assert with_block(text, name) == text
    assert without_block(text) == content
    assert text.startswith(b"#!") or not content.startswith(b"#!/bin/sh\n")


@pytest.fixture(params=[9, 8])
def husky(request: pytest.FixtureRequest, work: Work) -> int:
    """Husky in the work tree, of a version."""
    if request.param == 9:
        run(work, "node", program("husky", "bin.js"))
    else:
        run(work, "node", program("husky8", "lib", "bin.js"), "install")
    return request.param


@pytest.fixture
def path(standin: Program) -> str:
    """Where the user has put oakum."""
    return f"{standin.path.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def on_path(oakum: Oakum, path: str, monkeypatch: pytest.MonkeyPatch) -> Oakum:
    """The command line of such a user."""
    monkeypatch.setenv("PATH", path)
    return oakum


def shared(work: Work, husky: int, log: Log) -> Path:
    """A hook that everybody shares, as husky's users write it: it notes what it reads."""
    head = '#!/usr/bin/env sh\n. "$(dirname -- "$0")/_/husky.sh"\n\n' if husky == 8 else ""
    other = log.program(work.path / "check", "check")
    other.make()
    made = work.path / ".husky" / "pre-push"
    made.write_text(f'{head}# the tests\nset -u\n{shlex.quote(str(other.path))} "$@" || exit 1\n')
    made.chmod(0o755 if husky == 8 else 0o640)
    return made


def test_the_rest_of_the_hook_runs_after_it_with_the_same_input(
    husky: int, work: Work, on_path: Oakum, path: str, standin: Program, log: Log
) -> None:
    """As it was before; and comes back byte for byte."""
    hook = shared(work, husky, log)
    before = work.files()
    code, said = on_path("hook", "install", "--repository", work.path)
    assert (code, said.splitlines()[0]) == (0, "pre-push: in force")
    assert "husky calls it" in said
    assert str(standin.path).encode() not in hook.read_bytes()
    assert work.push(PATH=path)[0]
    url = work.git("remote", "get-url", "origin")
    line = work.update("HEAD", "refs/heads/main")
    assert log.calls() == [("oakum", ["push", "origin", url], line), ("check", ["origin", url], line)]
    work.push(PATH=path)
    assert [given for _, _, given in log.calls()] == [b"", b""]
    standin.answer(1)
    assert not work.push("origin", "HEAD:refs/heads/b", PATH=path)[0]
    assert log.who() == ["oakum"]
    once = work.files()
    on_path("hook", "install", "--repository", work.path)
    assert work.files() == once
    assert on_path("hook", "uninstall", "--repository", work.path)[0] == 0
    assert work.files() == before


def test_many_refs(husky: int, work: Work, on_path: Oakum, path: str, log: Log) -> None:
    """More than a pipe holds."""
    shared(work, husky, log)
    on_path("hook", "install", "--repository", work.path)
    head = work.git("rev-parse", "HEAD")
    names = "".join(f"create refs/tags/{'x' * 60}{n} {head}\n" for n in range(700))
    work.git("update-ref", "--stdin", stdin=names.encode())
    assert work.push("origin", "--tags", PATH=path)[0]
    first, second = log.calls()
    assert len(first[2]) > 1 << 16
    assert first[2] == second[2]


def test_a_hook_is_made_where_there_is_none(
    husky: int, work: Work, on_path: Oakum, path: str, standin: Program, log: Log
) -> None:
    """What others add to it is kept when oakum goes; else it goes, too."""
    before = work.files()
    for name in ("pre-push", "pre-commit"):
        assert on_path("hook", "install", name, "--repository", work.path)[0] == 0
    assert work.push(PATH=path)[0]
    work.git(
        "-c", "core.hooksPath=.husky/_" if husky == 9 else "core.hooksPath=.husky", "commit", "--allow-empty", "-mx"
    )
    standin.answer(1)
    assert not work.push("origin", "HEAD:refs/heads/b", PATH=path)[0]
    with open(work.path / ".husky" / "pre-push", "a") as file:
        file.write("echo more\n")
    assert on_path("hook", "uninstall", "--repository", work.path)[0] == 0
    left = work.files()
    assert left.pop(".husky/pre-push")[1] == b"#!/bin/sh\necho more\n"
    assert left == before


def test_husky_is_installed_again(husky: int, work: Work, on_path: Oakum, path: str, log: Log) -> None:
    """With each installation of packages; oakum stays."""
    on_path("hook", "install", "--repository", work.path)
    if husky == 9:
        run(work, "node", program("husky", "bin.js"))
    else:
        run(work, "node", program("husky8", "lib", "bin.js"), "install")
    assert work.push(PATH=path)[0]
    assert log.who() == ["oakum"]


def test_no_oakum_on_path(husky: int, work: Work, oakum: Oakum, path_without_oakum: str, log: Log) -> None:
    """As with everybody else: a push goes on, and says so. Installation and status say what is missing."""
    shared(work, husky, log)
    code, said = oakum("hook", "install", "--repository", work.path)
    assert code == 1
    assert "there is no oakum on PATH, and nothing is searched" in said
    for name in ("basename", "dirname", "env"):
        Path(path_without_oakum, name).symlink_to(f"/usr/bin/{name}")
    went, said = work.push(PATH=path_without_oakum)
    assert went, said
    assert "oakum: NOT SEARCHED FOR SECRETS: there is no oakum that runs on PATH." in said
    assert log.who() == ["check"]


def test_oakum_was_there_before_husky(work: Work, on_path: Oakum, log: Log) -> None:
    """Git passes over the old hook, and status says so; installed again, it is in husky's, too."""
    on_path("hook", "install", "--repository", work.path)
    run(work, "node", program("husky", "bin.js"))
    code, said = on_path("hook", "status", "--repository", work.path)
    assert code == 1
    assert said.startswith("pre-push: NOT in force\n")
    assert "git passes over it, as core.hooksPath is .husky/_ (file:.git/config): oakum hook install" in said
    assert on_path("hook", "install", "--repository", work.path)[0] == 0
    code, said = on_path("hook", "uninstall", "pre-push", "--repository", work.path)
    assert code == 0
    assert said.count("taken out: ") == 2
    assert not (work.hooks / "pre-push").exists()


def test_a_hook_that_is_too_large(work: Work, on_path: Oakum) -> None:
    """Is not cut."""
    run(work, "node", program("husky", "bin.js"))
    (work.path / ".husky" / "pre-push").write_bytes(b"#" * (1 << 20) + b"\n")
    code, said = on_path("hook", "install", "--repository", work.path)
    assert code == 2
    assert "too large to be changed" in said
    assert (work.path / ".husky" / "pre-push").stat().st_size == (1 << 20) + 1


def test_a_hook_that_is_no_shell_script(work: Work, on_path: Oakum) -> None:
    """Up to version 8 git runs it itself, and it may be anything."""
    run(work, "node", program("husky8", "lib", "bin.js"), "install")
    (work.path / ".husky" / "pre-push").write_text("#!/usr/bin/env node\nprocess.exit(0)\n")
    before = work.files()
    code, said = on_path("hook", "install", "--repository", work.path)
    assert code == 2
    assert "is no script of a shell" in said
    assert work.files() == before
