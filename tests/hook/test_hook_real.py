"""Oakum itself, as it is installed here, called by git through the hooks that it installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from oakum.scanner import cli
from scanning import Fresh
from working import Work

PROGRAM = Path(sys.executable).with_name("oakum")


@pytest.fixture(autouse=True)
def _started(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user starts it."""
    if not os.access(PROGRAM, os.X_OK):
        pytest.skip("needs oakum, installed: make dev")
    monkeypatch.setattr(sys, "argv", [str(PROGRAM)])


@pytest.mark.parametrize("where", ["--repository", "--global"])
def test_a_push_with_a_secret_is_stopped(work: Work, fresh: Fresh, where: str) -> None:
    """And one without it goes through."""
    place = [where] if where == "--global" else [where, str(work.path)]
    assert cli.run(["hook", "install", *place]) == 0
    assert work.push()[0]
    work.commit({"app.env": b"TOKEN=" + fresh() + b"\n"})
    went, said = work.push()
    assert not went
    assert "app.env" in said
    assert fresh.drawn[0].decode() not in said
    work.git("reset", "--quiet", "--hard", "HEAD~1")
    work.commit({"app.txt": b"nothing\n"})
    assert work.push()[0]
    assert cli.run(["hook", "uninstall", *place]) == 0


def test_a_push_that_was_skipped_is_shown(work: Work, fresh: Fresh, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason that was given."""
    cli.run(["hook", "install", "--repository", str(work.path)])
    work.commit({"app.env": b"TOKEN=" + fresh() + b"\n"})
    assert work.push(OAKUM_SKIP="a drill")[0]
    capsys.readouterr()
    assert cli.run(["hook", "status", "--repository", str(work.path)]) == 0
    (line,) = capsys.readouterr().out.partition("went through without a search:\n")[2].splitlines()
    assert line.startswith("  20")
    assert line.endswith("  a drill")
    assert "  origin  refs/heads/main " in line
