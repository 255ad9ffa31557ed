"""One run of a command: processor time, wall time, peak memory, what it printed, how it ended.

The processor time is the command's own and that of all children it waited for, as wait4(2) gives it: what measures
runs in this process, and is not in it. A command has a process group of its own, which is killed when its time is up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .peak_memory import Watch

TAIL = 1 << 20
"""Bytes of a log that are kept, at its end."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took: seconds of processor and wall, peak in KiB (0 where it was not sampled)."""

    exit: int
    cpu: float
    wall: float
    peak: int
    late: bool
    log: str


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path,
    limit: float,
    sample: bool = True,
    output: Path,
    given: Path = Path(os.devnull),
) -> Run:
    """Run a command in a folder; `given` is its standard input, its standard output goes to `output`, its standard
    error is the log."""
    errors = output.with_suffix(".log")
    with output.open("wb") as out, errors.open("wb") as err, given.open("rb") as told:
        begun = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdin=told, stdout=out, stderr=err, start_new_session=True
        )
        late = threading.Event()
        timer = threading.Timer(limit, _kill, (process.pid, late))
        watch = Watch(process.pid)
        timer.start()
        if sample:
            watch.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
            if process.returncode is None:
                _kill(process.pid, late)
    return Run(
        exit=process.returncode,
        cpu=used.ru_utime + used.ru_stime,
        wall=wall,
        peak=watch.end() if sample else 0,
        late=late.is_set(),
        log=tail(errors),
    )


def _kill(group: int, late: threading.Event) -> None:
    late.set()
    os.killpg(group, signal.SIGKILL)


def tail(file: Path) -> str:
    """The end of a log as text."""
    with file.open("rb") as f:
        f.seek(max(0, file.stat().st_size - TAIL))
        return f.read().decode("utf-8", "replace")
