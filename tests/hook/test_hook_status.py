"""`oakum hook status`: the whole page, and the record of pushes that went unsearched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from standin import Log, Program
from working import Oakum, Work


def test_the_page(work: Work, oakum: Oakum, standin: Program, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each hook: whether, where, what is called, what comes after it."""
    log.program(work.hooks / "pre-push", "former").make()
    oakum("hook", "install", "pre-push", "pre-commit", "--repository", work.path)
    (work.hooks / "pre-commit").chmod(0o644)
    code, said = oakum("hook", "status", "--repository", work.path)
    hooks = str(work.hooks).replace("\n", "\\x0a")
    assert said.splitlines() == [
        "pre-push: in force",
        f"  at {hooks}/pre-push",
        f"  it calls {standin.path}",
        f"  after it comes {hooks}/pre-push.before-oakum",
        "pre-commit: NOT in force",
        f"  at {hooks}/pre-commit",
        "  git passes over it, as it is not executable: oakum hook install",
        f"  it calls {standin.path}",
        "pre-receive: not installed",
    ]
    assert code == 0
    assert oakum("hook", "status", "pre-commit", "--repository", work.path)[0] == 1
    assert oakum("hook", "status", "pre-push", "--repository", work.path)[0] == 0


def test_which_oakum(work: Work, oakum: Oakum, standin: Program, odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that installed it, one on PATH, or none."""
    oakum("hook", "install", "--repository", work.path)
    (odd / "other").mkdir()
    os.rename(standin.path, odd / "other" / "oakum")
    monkeypatch.setenv("PATH", f"{odd / 'other'}{os.pathsep}{os.environ['PATH']}")
    code, said = oakum("hook", "status", "pre-push", "--repository", work.path)
    assert code == 0
    assert f"{standin.path} is gone: it calls {odd / 'other' / 'oakum'}, which is on PATH" in said
    (odd / "other" / "oakum").unlink()
    code, said = oakum("hook", "status", "pre-push", "--repository", work.path)
    if f"{standin.path} is gone: it calls" not in said:  # no oakum of the developer's own is on PATH
        assert code == 1
        assert "there is no oakum on PATH, and nothing is searched" in said


def test_git_looks_elsewhere(work: Work, oakum: Oakum) -> None:
    oakum("hook", "install", "--repository", work.path)
    work.git("config", "core.hooksPath", ".githooks")
    code, said = oakum("hook", "status", "--repository", work.path)
    assert code == 1
    assert "git passes over it, as core.hooksPath is .githooks (file:.git/config): oakum hook install" in said


class TestUnsearched:
    """The last five of this repository."""

    def record(self, folder: Path, *entries: object) -> None:
        """As oakum push writes it."""
        folder.mkdir(parents=True)
        lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
        (folder / "skips.jsonl").write_text("\n".join(lines) + "\n")

    def entry(self, repository: Path, number: int) -> dict[str, object]:
        return {
            "at": f"2027-01-0{number}T12:00:00+00:00",
            "repository": str(repository),
            "remote": "origin",
            "refs": ["refs/heads/main", "refs/tags/v\x1b[2J"],
            "reason": "OAKUM_SKIP=1",
        }

    def test_they_are_shown(self, work: Work, oakum: Oakum, odd: Path, home: Path) -> None:
        """Of this repository, by whichever of its folders. What is no entry is passed over, control characters show."""
        mine = [self.entry((work.path, work.path / ".git")[n % 2], n) for n in range(1, 8)]
        broken = ["", "{", "[]", '{"at": 1}', json.dumps(self.entry(odd, 9))]
        self.record(home / ".local" / "state" / "oakum", *mine, *broken)
        said = oakum("hook", "status", "--repository", work.path)[1]
        page = said.partition("went through without a search:\n")[2]
        refs = "refs/heads/main  refs/tags/v\\x1b[2J"
        assert page.splitlines() == [
            f"  2027-01-0{n}T12:00:00+00:00  origin  {refs}  OAKUM_SKIP=1" for n in range(3, 8)
        ]

    def test_a_folder_of_the_users(self, work: Work, oakum: Oakum, odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(odd / "state"))
        self.record(odd / "state" / "oakum", "x" * (1 << 19), self.entry(work.path, 1))
        assert "2027-01-01" in oakum("hook", "status", "--repository", work.path)[1]

    def test_none(self, work: Work, oakum: Oakum) -> None:
        assert "without a search" not in oakum("hook", "status", "--repository", work.path)[1]
