"""`oakum sweep run --scheduler`: on a cluster there is in the store what the pool of one machine puts there."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from dask_cluster import cluster
from git_server import git_server
from organizations import organization
from servers import free_port
from swept_stores import dump

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name != "posix", reason="needs processes that can be killed")]

KEY = base64.b64encode(bytes(32)).decode()


def sweep(urls: Path, home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A sweep into a store of that home."""
    command = [sys.executable, "-m", "oakum.scanner", "sweep", "run", str(urls), "--no-progress"]
    return subprocess.Popen(
        [*command, "--engine", "aho-corasick", "--clones", str(home / "clones"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"XDG_STATE_HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "OAKUM_STORE_KEY": KEY},
    )


def ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code."""
    _, said = process.communicate(timeout=240)
    assert process.returncode in (0, 1), said.decode()
    return process.returncode


def test_two_workers_put_into_the_store_what_the_pool_does(tmp_path: Path) -> None:
    """Undisturbed; and with ten workers killed while they were at it, and the sweep run again."""
    organization(tmp_path / "served", 40)
    random = Random(3)
    with git_server(tmp_path / "served") as server, cluster(tmp_path, "w0", "w1", OAKUM_STORE_KEY="") as workers:
        urls = tmp_path / "urls"
        urls.write_text("".join(f"{server.url}/r{number}.git\n" for number in range(40)))
        assert ended(sweep(urls, tmp_path / "pool", "--jobs", "2")) == 1
        expected = dump(tmp_path / "pool" / "oakum" / "sweeps.db")
        given = ("--scheduler", workers.address)
        assert ended(sweep(urls, tmp_path / "cluster", *given)) == 1
        assert dump(tmp_path / "cluster" / "oakum" / "sweeps.db") == expected
        disturbed = sweep(urls, tmp_path / "disturbed", *given)
        for number in range(10):
            with suppress(subprocess.TimeoutExpired):
                disturbed.wait(0.2 + random.random() / 2)
            workers.start(f"w{number + 2}", OAKUM_STORE_KEY="")
            workers.kill(f"w{number}")
        ended(disturbed)
        ended(sweep(urls, tmp_path / "disturbed", *given))
        assert dump(tmp_path / "disturbed" / "oakum" / "sweeps.db") == expected


def test_a_scheduler_that_is_not_there(tmp_path: Path) -> None:
    """The sweep ends with 2, and says what to do."""
    organization(tmp_path / "served", 1)
    process = sweep(tmp_path / "served", tmp_path / "home", "--scheduler", f"tcp://127.0.0.1:{free_port()}")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"see whether it runs (dask scheduler)" in said
    assert b"Traceback" not in said
