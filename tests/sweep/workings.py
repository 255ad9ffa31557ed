"""What workers do in tests of executors: functions of a module, so that other processes find them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from oakum.scanner.errors import OakumError
from oakum.scanner.sources.clones.running import run
from oakum.scanner.sweep import Settings, Task, cores
from oakum.scanner.sweep.work import OTHER_VERSION
from oakum.scanner.swept import Outcome


def done(settings: Settings, task: Task) -> Outcome:
    """Nothing, at once."""
    return Outcome(task.remote, "searched", refs=task.refs, worker=str(os.getpid()))


def deadly(settings: Settings, task: Task) -> Outcome:
    """What ends the process that does it, for repositories that are called so; the others are done."""
    if "deadly" in task.remote.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return done(settings, task)


def once(settings: Settings, task: Task) -> Outcome:
    """What ends the first process that does it."""
    mark = Path(settings.clones, task.remote.name.replace("/", "-"))
    if "deadly" in task.remote.name and not mark.exists():
        mark.write_bytes(b"")
        os.kill(os.getpid(), signal.SIGKILL)
    return done(settings, task)


def choosy(settings: Settings, task: Task) -> Outcome:
    """What some workers cannot do at all, as their environment says."""
    unfit = os.environ.get("UNFIT", "")
    if unfit == "cannot begin":
        raise OakumError("no file of detectors is there")
    return Outcome(task.remote, "failed", why=OTHER_VERSION) if unfit else hasty(settings, task)


def hasty(settings: Settings, task: Task) -> Outcome:
    """What takes a moment."""
    time.sleep(0.05)
    return done(settings, task)


def untold(settings: Settings, task: Task) -> Outcome:
    """What ends the first process that does it when it tells what came of it."""
    return replace(done(settings, task), findings=({"deadly": _Untold(os.path.join(settings.clones, "told"))},))


class _Untold:
    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Is called where it is sent."""
        if not os.path.exists(self._mark):
            Path(self._mark).write_bytes(b"")
            os.kill(os.getpid(), signal.SIGKILL)
        return str, ("told",)


def hanging(settings: Settings, task: Task) -> Outcome:
    """What never ends, for repositories that are called so."""
    if "hanging" in task.remote.name:
        with open(os.path.join(settings.clones, "begun"), "a", encoding="ascii") as file:
            file.write("begun\n")
        if not multiprocessing.current_process().daemon:
            child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
            child.start()
            Path(settings.clones, "child").write_text(str(child.pid))
        time.sleep(600)
    return done(settings, task)


def slow(settings: Settings, task: Task) -> Outcome:
    """What takes a while, in a process of its own; its id is written down."""
    child = subprocess.Popen(["sleep", "60"])
    Path(settings.clones, f"{os.getpid()}").write_text(str(child.pid))
    time.sleep(60)
    return done(settings, task)


def stubborn(settings: Settings, task: Task) -> Outcome:
    """What never ends, and takes no request for one; both are written down."""
    signal.signal(signal.SIGTERM, lambda *_: Path(settings.clones, "asked").write_bytes(b""))
    Path(settings.clones, f"{os.getpid()}").write_text(str(os.getpid()))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(1)
    return done(settings, task)


def fetching(settings: Settings, task: Task) -> Outcome:
    """What has a program as git at work that does not end, with a child; its id is written down. For repositories that
    are called deadly its process is killed then."""
    mark = Path(settings.clones, f"{os.getpid()}")

    def watch() -> None:
        if "deadly" in task.remote.name and mark.exists() and mark.read_text().endswith("\n"):
            os.kill(os.getpid(), signal.SIGKILL)

    run(["sh", "-c", f"sleep 60 & echo $! >{mark}; wait"], {"PATH": os.environ["PATH"]}, (), 60, watch)
    return done(settings, task)


def placed(settings: Settings, task: Task) -> Outcome:
    """Says on which cores it works, what it starts, and what is searched by several processes."""
    asked = [sys.executable, "-c", "import os; print(*sorted(os.sched_getaffinity(0)))"]
    told = [" ".join(map(str, cores.allowed())), subprocess.run(asked, capture_output=True, text=True).stdout.strip()]
    with cores.all_of_them():
        told.append(" ".join(map(str, cores.allowed())))
    told.append(" ".join(map(str, cores.allowed())))
    time.sleep(0.1)
    return Outcome(task.remote, "searched", refs="/".join(told))


def growing(settings: Settings, task: Task) -> Outcome:
    """What keeps memory."""
    kept.append(b"x" * (120 << 20))
    return done(settings, task)


def wide(settings: Settings, task: Task) -> Outcome:
    """Says when wide ones begin and end."""
    if task.wide:
        with open(os.path.join(settings.clones, "wide"), "a", encoding="ascii") as file:
            file.write("begin\n")
            file.flush()
            time.sleep(0.05)
            file.write("end\n")
    return done(settings, task)


def there(pid: int) -> bool:
    """Whether there is such a process, and not as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


kept: list[bytes] = []


def nothing(settings: Settings) -> None:
    """There is nothing to prepare."""
