"""Peak memory of a command and all its children: the sum of their PSS, file-backed pages left out (Linux).

    python benchmarks/peak_memory.py oakum scan REPO > report.txt

PSS shares each page among the processes that map it, so that forked workers are not counted twice. It is read from
/proc/PID/smaps_rollup every 100 ms: Pss_Anon and Pss_Shmem.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path


def family(root: int) -> list[int]:
    """A process and its descendants."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def private_kib(pid: int) -> int:
    """PSS of a process without file-backed pages, in KiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))


def main() -> int:
    """Run the command, print its peak, times and exit code on standard error."""
    begun = time.monotonic()
    process = subprocess.Popen(sys.argv[1:])
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(private_kib, family(process.pid))))
        time.sleep(0.1)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"peak {peak / 1024:.0f} MiB, CPU {used.ru_utime + used.ru_stime:.1f} s, "
        f"wall {time.monotonic() - begun:.1f} s, exit {process.returncode}",
        file=sys.stderr,
    )
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
