"""What workers do in tests of executors: functions of a module, so that other processes find them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from oakum.scanner.sweep import Settings, Task
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


def slow(settings: Settings, task: Task) -> Outcome:
    """What takes a while, in a process of its own; its id is written down."""
    child = subprocess.Popen(["sleep", "60"])
    Path(settings.clones, f"{os.getpid()}").write_text(str(child.pid))
    time.sleep(60)
    return done(settings, task)


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


kept: list[bytes] = []


def nothing(settings: Settings) -> None:
    """There is nothing to prepare."""
