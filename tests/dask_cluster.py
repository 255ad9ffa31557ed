"""A Dask cluster for tests: a real scheduler and real workers, each a process, on loopback."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servers import free_port, process

PATH = os.pathsep.join([str(Path(__file__).parent / "sweep"), *sys.path])
"""Where scheduler and workers find oakum, and the functions of these tests."""


@dataclass
class Cluster:
    """A scheduler with its workers, which can be killed and started."""

    address: str
    folder: Path
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, **variables: str) -> None:
        """A worker with one thread."""
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny"]
        self.workers[name] = subprocess.Popen(
            [*command, "--no-dashboard", "--name", name, "--local-directory", str(self.folder / "dask")],
            env=os.environ | {"PYTHONPATH": PATH} | variables,
            stderr=(self.folder / f"{name}.log").open("wb"),
        )

    def kill(self, name: str) -> None:
        """As the kernel does for want of memory."""
        self.workers[name].send_signal(signal.SIGKILL)
        self.workers.pop(name).wait()


@contextmanager
def cluster(folder: Path, *names: str, **variables: str) -> Iterator[Cluster]:
    """A scheduler on loopback, and workers of these names."""
    port = free_port()
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port)]
    # Its id is written down by the shell, which becomes it.
    shell = ["sh", "-c", f"echo $$ >{folder}/scheduler.pid; exec {shlex.join([*command, '--no-dashboard'])}"]
    with process(shell, folder / "scheduler.log", port, PYTHONPATH=PATH):
        made = Cluster(f"tcp://127.0.0.1:{port}", folder)
        try:
            for name in names:
                made.start(name, **variables)
            yield made
        finally:
            for name in list(made.workers):
                made.kill(name)
