"""The crontab: it is one, and its job does what it should in the shell that cron gives it to."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from scanning import Fresh
from schedule_files import VARIABLES, clones, crontab, stand_in, text

FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def test_it_is_a_crontab() -> None:
    """Five fields in their ranges, a user who is not root, no `%` (which cron makes a line break)."""
    variables, jobs = crontab()
    assert set(variables) == {"SHELL", "PATH", "MAILTO", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"}
    ((when, user, command),) = jobs
    for field, (least, most) in zip(when, FIELDS, strict=True):
        assert field == "*" or least <= int(field) <= most
    assert user == "oakum"
    assert "%" not in command
    assert all("$" not in value for value in variables.values()), "cron expands nothing"
    assert command.startswith("umask 077;")
    assert text(VARIABLES).endswith("\n")


@pytest.mark.skipif(os.name != "posix", reason="cron is of POSIX")
class TestTheJob:
    """Run as cron runs it: by SHELL -c, with what the crontab sets and little else."""

    def run(self, tmp_path: Path) -> subprocess.CompletedProcess[str]:
        """One night."""
        variables, ((_, _, command),) = crontab()
        stand_in(tmp_path / "bin" / "oakum", tmp_path / "clones")
        for name in ("config", "state", "cache"):
            variables[f"XDG_{name.upper()}_HOME"] = str(tmp_path / name)
        git = Path(shutil.which("git") or "/usr/bin/git").parent
        variables["PATH"] = variables["PATH"].replace("/opt/oakum/bin", f"{tmp_path}/bin:{git}")
        shell = variables.pop("SHELL")
        return subprocess.run(
            [shell, "-c", command.replace("/etc/oakum/", f"{shlex.quote(str(tmp_path))}/")],
            cwd=tmp_path,
            env=variables | {"HOME": str(tmp_path), "LOGNAME": "oakum", "USER": "oakum"},
            capture_output=True,
            text=True,
            check=False,
        )

    @pytest.mark.long
    def test_two_nights(self, tmp_path: Path, fresh: Fresh) -> None:
        """What is new is printed, for cron to mail; then nothing is new. What it keeps is for its user alone."""
        clones(tmp_path / "clones", fresh)
        shutil.copy(VARIABLES, tmp_path / "sweep.env")
        first = self.run(tmp_path)
        assert (first.returncode, first.stderr) == (1, ""), first.stderr
        assert re.search(r"^sweep 1 of .*: 1 new$", first.stdout, re.MULTILINE)
        assert fresh.drawn[0].decode() not in first.stdout
        second = self.run(tmp_path)
        assert (second.returncode, second.stderr) == (0, "")
        assert re.search(r"^sweep 2 of .*: nothing new$", second.stdout, re.MULTILINE)
        kept = [path for name in ("config", "state", "cache") for path in (tmp_path / name).rglob("*")]
        assert {"store.key", "sweeps.db", "clones"} <= {path.name for path in kept}
        assert [path for path in kept if path.stat().st_mode & 0o077] == []

    def test_tokens_are_in_the_environment_alone(self, tmp_path: Path) -> None:
        """Of oakum, and in no argument."""
        (tmp_path / "sweep.env").write_text("GITHUB_TOKEN='a b'\n")
        (tmp_path / "bin").mkdir()
        variables, ((_, _, command),) = crontab()
        (tmp_path / "bin" / "oakum").write_text('#!/bin/sh\necho "$GITHUB_TOKEN|$*"\n')
        (tmp_path / "bin" / "oakum").chmod(0o755)
        done = subprocess.run(
            [variables["SHELL"], "-c", command.replace("/etc/oakum/", f"{tmp_path}/")],
            env={"PATH": f"{tmp_path}/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("a b|sweep run github:acme ")

    def test_without_the_file_of_tokens(self, tmp_path: Path) -> None:
        """It ends with an error that cron mails, and nothing is swept as somebody who may see less."""
        done = self.run(tmp_path)
        assert done.returncode != 0
        assert "sweep.env" in done.stderr
        assert not (tmp_path / "state").exists()
