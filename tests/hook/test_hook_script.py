"""The scripts by themselves: in every shell that is here, with paths that a shell would read."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.hook import script
from oakum.scanner.hook.place import HOOKS
from standin import Log

SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox", "ksh", "mksh", "zsh", "yash") if shutil.which(shell)]
NAMES = [
    "plain",
    "a b",
    "'",
    "''\\''",
    '"',
    "$HOME",
    "`id`",
    "$(id)",
    "\\",
    "\\n",
    "new\nline",
    "' oakum; do\n",
    "*?[a]",
    "é\udcff",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_path_is_just_that(tmp_path: Path, log: Log, shell: str, name: str) -> None:
    """In the hook and around it; and it is read back from the script."""
    program = log.program(tmp_path / name / "oakum", "oakum")
    program.make()
    log.program(tmp_path / name / "hooks" / "pre-push.before-oakum", "former").make()
    hook = tmp_path / name / "hooks" / "pre-push"
    text = script.hook("pre-push", str(program.path))
    hook.write_bytes(text)
    command = [shell, "sh", hook] if shell == "busybox" else [shell, hook]
    done = subprocess.run([*command, name, "b"], input=b"a\n\n \\n\xff\n\n", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    if name.isprintable():
        assert log.calls() == [
            ("oakum", ["push", name, "b"], b"a\n\n \\n\xff\n\n"),
            ("former", [name, "b"], b"a\n\n \\n\xff\n\n"),
        ]
    assert script.recognised(text) == script.Ours(script.FORM, True, str(program.path), True)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.sampled_from(HOOKS))
def test_the_program_is_read_back(path: str, name: str) -> None:
    """From every script; any change of it shows."""
    for made in (script.hook(name, path), script.hook_for_all(name, path)):
        ours = script.recognised(made)
        assert ours == script.Ours(script.FORM, True, path, True)
        changed = script.recognised(made + b"\n")
        assert changed is not None
        assert not changed.intact


@pytest.mark.parametrize(
    "text", [b"", b"#!/bin/sh\n", b"#!/bin/sh\necho # oakum hook 1 \n", b"# oakum hook 1 0123456789abcdef\n"]
)
def test_what_is_not_ours(text: bytes) -> None:
    assert script.recognised(text) is None


def test_a_forwarder_searches_nothing() -> None:
    ours = script.recognised(script.forwarder("commit-msg"))
    assert ours == script.Ours(script.FORM, False, "", True)


@pytest.mark.parametrize("name", HOOKS)
def test_no_program_is_started_but_oakum(tmp_path: Path, log: Log, name: str) -> None:
    """Where nothing is chained: with nothing else on PATH, and no time for it."""
    program = log.program(tmp_path / "oakum", "oakum")
    program.make()
    program.path.write_text("#!/bin/sh\necho called\n")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / name).write_bytes(script.hook(name, str(program.path)))
    shell = shutil.which("sh")
    assert shell
    done = subprocess.run(
        [shell, tmp_path / "hooks" / name],
        env={"PATH": os.devnull},
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"called\n", b"")


@pytest.mark.parametrize("code", [1, 2, 130, 137])
def test_oakums_answer_is_the_hooks(tmp_path: Path, log: Log, code: int) -> None:
    """Whatever it is, but for what a shell says of a program that does not run."""
    program = log.program(tmp_path / "oakum", "oakum")
    program.make()
    program.answer(code)
    (tmp_path / "pre-push").write_bytes(script.hook("pre-push", str(program.path)))
    done = subprocess.run(["sh", tmp_path / "pre-push"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")
