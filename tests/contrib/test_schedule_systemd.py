"""The units of systemd: it takes them, and they let the sweep do no more than it must."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from schedule_files import SERVICE, TIMER, VARIABLES, text, unit

EXPOSURE = 15
"""The exposure that `systemd-analyze security` reckons, in tenths: 0 is best, 100 worst."""
YES = (
    "LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices PrivateTmp PrivateUsers ProtectClock "
    "ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables "
    "RemoveIPC RestrictNamespaces RestrictRealtime RestrictSUIDSGID"
).split()


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze, where it is installed."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze (systemd)")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_systemd_takes_them(tmp_path: Path) -> None:
    """No name that it does not know, no value that it does not understand."""
    service = text(SERVICE).replace("/opt/oakum/bin/oakum", sys.executable)
    (tmp_path / SERVICE.name).write_text(service)
    shutil.copy(TIMER, tmp_path)
    done = analyze("verify", "--man=no", tmp_path / SERVICE.name, tmp_path / TIMER.name)
    ours = [line for line in done.stderr.splitlines() if "oakum-sweep" in line]
    assert (ours, done.returncode) == ([], 0)


def test_systemd_finds_little_to_say_against_it() -> None:
    """By its own reckoning of what a service could do."""
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", SERVICE)
    assert done.returncode == 0, done.stdout[-400:]


def test_the_time_is_one() -> None:
    """As systemd reads it: once a day."""
    (when,) = unit(TIMER)["Timer"]["OnCalendar"]
    done = analyze("calendar", "--iterations=2", when)
    assert done.returncode == 0, done.stderr
    first, second = re.findall(r"(?:Next elapse|Iteration #2|Iter. #2): \w+ (\S+ \S+)", done.stdout)
    assert first.split()[1] == second.split()[1] == "02:17:00"


def test_the_timer() -> None:
    """A night that was missed is made up for, and not everybody comes at once."""
    timer = unit(TIMER)
    assert timer["Timer"]["Persistent"] == ["true"]
    assert "RandomizedDelaySec" in timer["Timer"]
    assert timer["Install"] == {"WantedBy": ["timers.target"]}


def test_least_privileges() -> None:
    """A user of its own, two folders to write to, no capability, the system calls of services."""
    service = unit(SERVICE)["Service"]
    assert service["User"] == service["Group"] == ["oakum"]
    assert [name for name in YES if service.get(name) != ["yes"]] == []
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == [""]
    assert service["ProtectSystem"] == ["strict"]
    assert service["StateDirectory"] == service["CacheDirectory"] == ["oakum"]
    assert service["StateDirectoryMode"] == service["CacheDirectoryMode"] == ["0700"]
    assert not {"ReadWritePaths", "PermissionsStartOnly", "BindPaths"} & set(service)
    assert service["SystemCallFilter"] == ["@system-service", "~@privileged"]
    assert service["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]


def test_how_it_ends() -> None:
    """News are no failure; it is stopped as a whole, but told so alone; and it cannot take all of the memory."""
    service = unit(SERVICE)["Service"]
    assert service["SuccessExitStatus"] == ["1 143"]
    assert service["KillMode"] == ["mixed"]
    assert {"TimeoutStartSec", "TimeoutStopSec", "MemoryMax", "TasksMax"} <= set(service)


def test_tokens_come_from_a_file() -> None:
    """Of root alone; `Environment=` would be shown to everybody."""
    service = unit(SERVICE)["Service"]
    assert service["EnvironmentFile"] == ["/etc/oakum/sweep.env"], "without a `-`: it must be there"
    names = {name for line in service["Environment"] for name in re.findall(r"(\w+)=", line)}
    assert names == {"PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"}


def test_the_file_of_variables_says_the_same_to_systemd_and_to_a_shell(tmp_path: Path) -> None:
    """Filled in as it says: systemd.exec(5), `EnvironmentFile=`, takes single quotes as a shell does."""
    filled = re.sub(r"^#?([A-Z_]+)=''$", r"\1='\1 & more: $x'", text(VARIABLES), flags=re.MULTILINE)
    (tmp_path / "sweep.env").write_text(filled)
    script = f'set -a; . "{tmp_path}/sweep.env"; exec "$0" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    done = subprocess.run(["sh", "-c", script, sys.executable], capture_output=True, check=True, env={})
    given = json.loads(done.stdout)
    names = re.findall(r"^#?([A-Z_]+)=''$", text(VARIABLES), re.MULTILINE)
    assert len(names) > 5
    assert {name: given[name] for name in names} == {name: f"{name} & more: $x" for name in names}
