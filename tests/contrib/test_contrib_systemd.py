"""contrib/systemd: the units are such for systemd itself, and have the least of the machine that a sweep needs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from sweep_lines import CONTRIB, meant

SERVICE = CONTRIB / "systemd" / "oakum-sweep.service"
TIMER = CONTRIB / "systemd" / "oakum-sweep.timer"
BOUNDED = {
    "DynamicUser": "yes",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "StateDirectory": "oakum",
    "StateDirectoryMode": "0700",
    "CacheDirectory": "oakum",
    "CacheDirectoryMode": "0700",
    "UMask": "0077",
    "SuccessExitStatus": "1",
}
"""What the page promises."""


def settings(path: Path) -> dict[str, list[str]]:
    """The settings of a unit; some may be given several times (systemd.syntax(7))."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_what_is_taken_from_the_service() -> None:
    """All that it promises, and a bound of memory."""
    told = settings(SERVICE)
    assert {name: told[name][-1] for name in BOUNDED} == BOUNDED
    assert {"MemoryMax", "TasksMax", "TimeoutStopSec"} <= set(told)


def test_the_command_is_one_and_has_no_secret() -> None:
    """Tokens and the key come from a file that only root reads; no variable of the unit itself is a secret."""
    told = settings(SERVICE)
    (line,) = told["ExecStart"]
    words = shlex.split(line)
    assert meant(["oakum", *words[1:]])["targets"] == ("github:acme",)
    assert told["EnvironmentFile"] == ["/etc/oakum/sweep.env"]
    names = [word.partition("=")[0] for line in told["Environment"] for word in shlex.split(line)]
    assert sorted(names) == ["HOME", "PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"]


def test_what_is_kept_is_in_the_folders_of_the_service() -> None:
    """oakum's own below the folders of the XDG variables are those that systemd makes."""
    given = dict(word.split("=", 1) for line in settings(SERVICE)["Environment"] for word in shlex.split(line))
    assert (given["XDG_STATE_HOME"], given["XDG_CACHE_HOME"]) == ("/var/lib", "/var/cache")


def test_the_timer() -> None:
    """Every night, not all at once, and made up for when the machine was off."""
    told = settings(TIMER)
    assert (told["Persistent"], told["WantedBy"]) == (["yes"], ["timers.target"])
    assert {"OnCalendar", "RandomizedDelaySec"} <= set(told)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_them(tmp_path: Path) -> None:
    """`systemd-analyze verify` says nothing, but for where oakum is not installed."""
    for path in (SERVICE, TIMER):
        text = path.read_text("utf-8").replace("/opt/oakum/bin/oakum", "/bin/true")
        (tmp_path / path.name).write_text(text)
    units = [str(tmp_path / path.name) for path in (SERVICE, TIMER)]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "oakum" in line]) == (0, [])
    calendar = settings(TIMER)["OnCalendar"][0]
    assert subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, check=False).returncode == 0
