"""Peak memory of a command and all its children: the sum of their PSS, file-backed pages left out (Linux).

    python benchmarks/peak_memory.py oakum scan REPO > report.txt

PSS shares each page among the processes that map it, so that forked workers are not counted twice. It is read from
/proc/PID/smaps_rollup every 100 ms: Pss_Anon and Pss_Shmem. Reading it costs the kernel time where much is mapped, so
a sample that took long is followed by a rest of twenty times that.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

INTERVAL = 0.1
REST = 20


def family(root: int) -> list[int]:
    """A process and its descendants."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        try:
            for task in os.scandir(f"/proc/{pid}/task"):
                waiting += map(int, Path(task.path, "children").read_text().split())
        except OSError:
            continue  # it has ended
    return found


def private_kib(pid: int) -> int:
    """PSS of a process without file-backed pages, in KiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))


class Watch(threading.Thread):
    """Samples a process and its descendants until `end` is called; `peak` is the largest sum, in KiB."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._root = root
        self._over = threading.Event()

    def run(self) -> None:
        rest = 0.0
        while not self._over.wait(rest):
            begun = time.thread_time()
            self.peak = max(self.peak, sum(map(private_kib, family(self._root))))
            rest = max(INTERVAL, REST * (time.thread_time() - begun))

    def end(self) -> int:
        """The peak; nothing is sampled any more."""
        self._over.set()
        self.join()
        return self.peak


def main() -> int:
    """Run the command, print its peak, times and exit code on standard error."""
    begun = time.monotonic()
    process = subprocess.Popen(sys.argv[1:])
    watch = Watch(process.pid)
    watch.start()
    process.wait()
    wall = time.monotonic() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"peak {watch.end() / 1024:.0f} MiB, CPU {used.ru_utime + used.ru_stime:.1f} s, "
        f"wall {wall:.1f} s, exit {process.returncode}",
        file=sys.stderr,
    )
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
