"""Managers of hooks, as their users have them: husky and lefthook from npm, in `.hook-managers/`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from working import Work

FOLDER = Path(__file__).parents[2] / ".hook-managers" / "node_modules"
PACKAGES = ("husky@9", "husky8@npm:husky@8", "lefthook@2")


def program(*parts: str) -> Path:
    """A program of one of the packages; without it the test is skipped.

    They are installed without their scripts: lefthook's puts lefthook into the repository around it.
    """
    path = FOLDER.joinpath(*parts)
    if not shutil.which("node") or not path.exists():
        command = f"npm install --ignore-scripts --prefix .hook-managers {' '.join(PACKAGES)}"
        pytest.skip(f"needs husky and lefthook: {command}")
    return path


def run(work: Work, *command: str | Path) -> str:
    """Run a manager in the work tree, as its user does; what it says."""
    done = subprocess.run(
        command,
        cwd=work.path,
        env={"PATH": os.environ["PATH"], "HOME": str(work.home), "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()
