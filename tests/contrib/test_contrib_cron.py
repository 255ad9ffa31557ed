"""contrib/cron: the line of the crontab, and the script that it starts, run by sh on real repositories."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from git_repository import GitRepository
from scanning import Fresh
from sweep_lines import CONTRIB, meant

SCRIPT = CONTRIB / "cron" / "oakum-sweep"
CRONTAB = (CONTRIB / "cron" / "crontab").read_text("utf-8")


def lines() -> list[str]:
    """What cron starts, without settings and comments."""
    told = [line for line in CRONTAB.splitlines() if line and not line.startswith("#")]
    return [line for line in told if not re.match(r"[A-Z]+=", line)]


def settings() -> dict[str, str]:
    """Variables of the crontab."""
    return dict(re.findall(r"^([A-Z]+)=(.*)$", CRONTAB, re.MULTILINE))


def test_the_line_of_the_crontab() -> None:
    """Five fields, each in its range, and a command; `%` would end that (crontab(5))."""
    (line,) = lines()
    minute, hour, *every, command = line.split(None, 5)
    assert (0 < int(minute) < 60, 0 <= int(hour) < 24, every) == (True, True, ["*", "*", "*"])
    assert "%" not in command
    script, *targets = shlex.split(command)
    assert script == "$HOME/bin/oakum-sweep"
    assert meant(["oakum", "sweep", "run", *targets])["targets"] == tuple(targets)
    assert set(settings()) == {"SHELL", "PATH", "MAILTO"}


def test_no_secret_stands_in_a_line() -> None:
    """The example of the environment has names only, and every name is one that oakum reads."""
    example = (CONTRIB / "cron" / "sweep.env").read_text("utf-8")
    values = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert {name for name, value in values.items() if value} == {"OAKUM_STORE", "OAKUM_NOTIFY"}
    assert "TOKEN" not in CRONTAB
    assert subprocess.run(["sh", "-n", SCRIPT], capture_output=True, check=False).returncode == 0


class Home:
    """The home of a user who sweeps a folder of clones, and what his cron would mail."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clones = folder / "home", folder / "clones"
        (self.folder / "bin").mkdir(parents=True)
        oakum = self.folder / "bin" / "oakum"
        oakum.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m oakum.scanner "$@"\n')
        oakum.chmod(0o755)
        self.web = GitRepository.create(self.clones / "web.git")

    def environment(self, text: str, mode: int = 0o600) -> None:
        """Write the file of tokens."""
        path = self.folder / ".config" / "oakum" / "sweep.env"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def night(self) -> tuple[int, str, str]:
        """What cron sees: it gives its jobs HOME, LOGNAME, SHELL and what the crontab says."""
        given = {"HOME": str(self.folder), "LOGNAME": "ada", "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8"}
        given["PATH"] = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        given |= {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
        done = subprocess.run(
            ["/bin/sh", "-c", f'"{SCRIPT}" "{self.clones}"'], env=given, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """No token, no store."""
    return Home(tmp_path)


@pytest.mark.long
def test_a_mail_comes_only_with_news(home: Home, fresh: Fresh) -> None:
    """On the first night what is there, on the second nothing; what is made is for the user alone."""
    home.web.commit({"a.env": b"TOKEN=" + fresh() + b"\n"}, "leak")
    home.environment("GITHUB_TOKEN=made-up\n")
    code, mail, errors = home.night()
    assert (code, mail.partition("\n")[0], errors) == (0, "New (1)", "")
    assert fresh.drawn[0].decode() not in mail
    assert home.night() == (0, "", "")
    made = [home.folder / ".local/state/oakum/sweeps.db", home.folder / ".config/oakum/store.key"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o600, 0o600]


@pytest.mark.long
def test_a_failure_is_mailed(home: Home) -> None:
    """A folder without a repository: the code is 2, and the page says why."""
    home.clones.rename(home.clones.with_name("other"))
    home.clones.mkdir()
    code, mail, _ = home.night()
    assert (code, "no repository" in mail) == (2, True)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_of_tokens_that_others_may_read_is_refused(home: Home, mode: int) -> None:
    """Before anything is asked or made."""
    home.environment("GITHUB_TOKEN=made-up\n", mode)
    code, mail, errors = home.night()
    assert (code, mail) == (2, "")
    assert "chmod 600" in errors
    assert not (home.folder / ".local").exists()
