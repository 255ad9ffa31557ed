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
    variables: dict[str, str] = field(default_factory=dict)
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *options: str, **variables: str) -> None:
        """A worker with one thread, and other options besides."""
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny"]
        self.workers[name] = subprocess.Popen(
            [*command, *options, "--no-dashboard", "--name", name, "--local-directory", str(self.folder / "dask")],
            env=os.environ | {"PYTHONPATH": PATH} | self.variables | variables,
            stderr=(self.folder / f"{name}.log").open("wb"),
        )

    def signal_scheduler(self, number: int) -> None:
        """Stop it, let it go on, or kill it."""
        os.kill(int((self.folder / "scheduler.pid").read_text()), number)

    def kill(self, name: str) -> None:
        """As the kernel does for want of memory."""
        self.workers[name].send_signal(signal.SIGKILL)
        self.workers.pop(name).wait()


@contextmanager
def cluster(folder: Path, *names: str, protocol: str = "tcp", **variables: str) -> Iterator[Cluster]:
    """A scheduler on loopback, and workers of these names, all with these variables."""
    port = free_port()
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--protocol", protocol]
    # Its id is written down by the shell, which becomes it.
    shell = ["sh", "-c", f"echo $$ >{folder}/scheduler.pid; exec {shlex.join([*command, '--no-dashboard'])}"]
    with process(shell, folder / "scheduler.log", port, PYTHONPATH=PATH, **variables):
        made = Cluster(f"{protocol}://127.0.0.1:{port}", folder, variables)
        try:
            for name in names:
                made.start(name)
            yield made
        finally:
            for name in list(made.workers):
                made.kill(name)
