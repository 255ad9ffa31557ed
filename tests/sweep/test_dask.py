"""Sweeps on a Dask cluster: a real scheduler and real workers, each a process, on loopback."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from random import Random

import pytest
import workings
from dask_cluster import cluster
from oakum.scanner.cli import worker
from oakum.scanner.errors import OakumError
from oakum.scanner.sweep import Settings, Task
from oakum.scanner.sweep.dask import Dask
from oakum.scanner.sweep.work import Worker
from oakum.scanner.swept import Known, Outcome, Remote
from organizations import NOW, compared, organization, settings
from servers import free_port

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name != "posix", reason="needs processes that can be killed")]


def test_a_cluster_gives_what_one_process_gives(tmp_path: Path) -> None:
    """Outcome by outcome; and both workers have done some."""
    made = settings(tmp_path)
    of = organization(tmp_path / "served", 12)
    alone = Worker(made, dict(os.environ))
    expected = [alone.work(task) for task in of]
    with cluster(tmp_path, "one", "two") as workers:
        outcomes = list(Dask(workers.address, worker.work, made).run(of))
    assert compared(outcomes) == compared(expected)
    assert {outcome.worker for outcome in outcomes} <= {"one", "two"}


def test_workers_that_are_killed_cost_nothing(tmp_path: Path) -> None:
    """Ten of them at random moments, each replaced; what was under way is done by another."""
    random = Random(9)
    made = settings(tmp_path)
    of = organization(tmp_path / "served", 40)
    alone = Worker(made, dict(os.environ))
    expected = [alone.work(task) for task in of]
    with cluster(tmp_path, "w0", "w1") as workers:
        outcomes = []
        killed = 0
        for outcome in Dask(workers.address, worker.work, made).run(of):
            outcomes.append(outcome)
            if killed < 10 and random.random() < 0.4:
                workers.start(f"w{killed + 2}")
                workers.kill(f"w{killed}")
                killed += 1
    assert killed == 10
    assert compared(outcomes) == compared(expected)


def test_what_kills_workers_again_and_again_is_given_up(tmp_path: Path) -> None:
    """The others are done."""
    of = [Task(Remote(name, name, f"file:///{name}", "t"), name) for name in ("a", "deadly", "b")]
    with cluster(tmp_path, *map(str, range(9))) as workers:
        outcomes = list(Dask(workers.address, workings.deadly, Settings(NOW, "p", clones=str(tmp_path))).run(of))
    assert {outcome.remote.name: outcome.ending for outcome in outcomes} == {
        "a": "searched",
        "b": "searched",
        "deadly": "failed",
    }


def test_a_repository_goes_to_the_worker_that_has_its_clone(tmp_path: Path) -> None:
    """While that is there; else to any."""
    with cluster(tmp_path, "one", "two") as workers:
        executor = Dask(workers.address, workings.done, Settings(NOW, "p"))
        list(executor.run([Task(Remote(str(n), str(n), "file:///x", "t"), "x") for n in range(8)]))
        for wanted in ("one", "two", "two", "one"):
            task = Task(Remote("a", "a", "file:///a", "t"), "a", Known(worker=wanted))
            assert [outcome.worker for outcome in executor.run([task])] == [wanted]
        (elsewhere,) = executor.run([Task(Remote("a", "a", "file:///a", "t"), "a", Known(worker="three"))])
        assert elsewhere.worker in ("one", "two")


def test_a_scheduler_that_is_not_there(tmp_path: Path) -> None:
    """Said at once, with what to do."""
    with pytest.raises(OakumError, match=r"does not answer.*--scheduler"):
        list(Dask(f"tcp://127.0.0.1:{free_port()}", workings.done, Settings(NOW, "p")).run([]))


def test_a_scheduler_that_is_lost_in_the_middle(tmp_path: Path) -> None:
    """What was given until then was committed; the next sweep goes on from there."""
    of = [Task(Remote(str(n), str(n), f"file:///{n}", "t"), "x") for n in range(400)]
    with cluster(tmp_path, "one") as workers:
        outcomes = Dask(workers.address, workings.done, Settings(NOW, "p")).run(of)
        first = [next(outcomes) for _ in range(5)]
        os.kill(int((tmp_path / "scheduler.pid").read_text()), signal.SIGKILL)
        with pytest.raises(OakumError, match="what was committed stays"):
            first += outcomes
    assert 5 <= len(first) < 400


def test_a_worker_without_our_code(tmp_path: Path) -> None:
    """What is to be installed where."""
    with cluster(tmp_path, "one") as workers, pytest.raises(OakumError, match="install it there, too"):
        list(Dask(workers.address, _not_there, Settings(NOW, "p")).run(organization(tmp_path / "served", 1)))


def _not_there(settings: Settings, task: Task) -> Outcome:
    """A function of a module that scheduler and workers do not find."""
    raise AssertionError


_not_there.__module__ = "no_such_module"
sys.modules["no_such_module"] = sys.modules[__name__]


def test_tokens_do_not_go_through_the_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is settings and tasks, which have none; a worker reads its own environment."""
    import pickle

    monkeypatch.setenv("GITHUB_TOKEN", "a-token-of-ours")
    sent = pickle.dumps((worker.work, settings(tmp_path), organization(tmp_path / "served", 1)))
    assert b"a-token-of-ours" not in sent
