"""Sweeps on a Dask cluster: a real scheduler and real workers, each a process, on loopback."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import dask
import pytest
import workings
from dask_cluster import cluster
from made_certificates import certificates
from oakum.scanner.cli import worker
from oakum.scanner.errors import OakumError, UsageError
from oakum.scanner.sweep import Settings, Task
from oakum.scanner.sweep import dask as module
from oakum.scanner.sweep.dask import Dask
from oakum.scanner.sweep.work import Worker
from oakum.scanner.swept import Known, Outcome, Remote
from organizations import NOW, compared, organization, settings
from servers import free_port

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name != "posix", reason="needs processes that can be killed")]

SETTINGS = Settings(NOW, "p")


def tasks(count: int) -> list[Task]:
    """So many repositories."""
    return [Task(Remote(str(number), str(number), f"file:///{number}", "t"), "x") for number in range(count)]


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
        executor = Dask(workers.address, workings.done, SETTINGS)
        list(executor.run(tasks(8)))
        for wanted in ("one", "two", "two", "one"):
            task = Task(Remote("a", "a", "file:///a", "t"), "a", Known(worker=wanted))
            assert [outcome.worker for outcome in executor.run([task])] == [wanted]
        (elsewhere,) = executor.run([Task(Remote("a", "a", "file:///a", "t"), "a", Known(worker="three"))])
        assert elsewhere.worker in ("one", "two")


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in a moment, with what to do."""
    monkeypatch.setattr(module, "CONNECTING", 0.5)
    with pytest.raises(OakumError, match=r"does not answer.*--scheduler names it$"):
        list(Dask(f"tcp://127.0.0.1:{free_port()}", workings.done, SETTINGS).run([]))


@pytest.mark.parametrize(
    "address",
    ["", "host:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1:port", "tcp://", "tls://host", "tcp://[::1:1"],
)
def test_an_address_that_is_none(address: str) -> None:
    """Is told at once, with the form of one."""
    with pytest.raises(UsageError, match=r"write tcp://HOST:PORT or tls://HOST:PORT"):
        Dask(address, workings.done, SETTINGS)


def test_a_scheduler_that_is_lost_in_the_middle(tmp_path: Path) -> None:
    """What was given until then was committed; the next sweep goes on from there."""
    with cluster(tmp_path, "one") as workers:
        outcomes = Dask(workers.address, workings.done, SETTINGS).run(tasks(400))
        first = [next(outcomes) for _ in range(5)]
        workers.signal_scheduler(signal.SIGKILL)
        with pytest.raises(OakumError, match="what was committed stays"):
            first += outcomes
    assert 5 <= len(first) < 400


def test_a_scheduler_that_falls_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as good as lost: the sweep does not wait for ever, with its lock in its hand."""
    monkeypatch.setattr(module, "ANSWERING", 1.0)
    with cluster(tmp_path, "one") as workers:
        outcomes = Dask(workers.address, workings.hasty, SETTINGS).run(tasks(400))
        next(outcomes)
        workers.signal_scheduler(signal.SIGSTOP)
        try:
            with pytest.raises(OakumError, match="what was committed stays"):
                list(outcomes)
        finally:
            workers.signal_scheduler(signal.SIGCONT)


def test_no_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may come later; but not as late as they like."""
    monkeypatch.setattr(module, "WORKERLESS", 8.0)
    with cluster(tmp_path) as workers:
        later = threading.Timer(1.5, workers.start, ["late"])
        later.start()
        outcomes = list(Dask(workers.address, workings.done, SETTINGS).run(tasks(3)))
        assert [outcome.worker for outcome in outcomes] == ["late"] * 3
        workers.kill("late")
        monkeypatch.setattr(module, "WORKERLESS", 1.0)
        with pytest.raises(OakumError, match=r"has no workers: start some \(dask worker tcp"):
            list(Dask(workers.address, workings.done, SETTINGS).run(tasks(3)))


def test_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With certificates out of Dask's settings; without them the scheduler answers nobody."""
    made = certificates(tmp_path)
    tls = {"distributed.comm.tls.ca-file": made.authority}
    for role in ("scheduler", "worker", "client"):
        tls |= {f"distributed.comm.tls.{role}.cert": made.certificate, f"distributed.comm.tls.{role}.key": made.key}
    given = {f"DASK_{name.upper().replace('.', '__').replace('-', '_')}": value for name, value in tls.items()}
    with cluster(tmp_path, "one", protocol="tls", **given) as workers:
        executor = Dask(workers.address, workings.done, SETTINGS)
        with dask.config.set(tls):
            assert [outcome.worker for outcome in executor.run(tasks(3))] == ["one"] * 3
        with pytest.raises(OakumError, match="certificates must stand in Dask's settings"):
            list(executor.run(tasks(3)))
        plain = Dask(workers.address.replace("tls", "tcp"), workings.done, SETTINGS)
        monkeypatch.setattr(module, "CONNECTING", 1.0)
        with pytest.raises(OakumError, match="does not answer"):
            list(plain.run(tasks(3)))


# --- workers that cannot work ----------------------------------------------------------------------------------------


def test_a_worker_without_our_code(tmp_path: Path) -> None:
    """What is to be installed where."""
    with cluster(tmp_path, "one") as workers, pytest.raises(OakumError, match="install it there, too"):
        list(Dask(workers.address, _not_there, SETTINGS).run(tasks(1)))


@pytest.mark.parametrize(
    ("unfit", "why"), [("another version", "install the same"), ("cannot begin", "no file of detectors is there")]
)
def test_a_worker_that_can_do_nothing_is_left_alone(tmp_path: Path, unfit: str, why: str) -> None:
    """It is told of, once; it would have been through with all tasks in no time, each failed. The others do them, and
    where they all go, those that come."""
    notes: list[str] = []
    with cluster(tmp_path, "good") as workers:
        workers.start("unfit", UNFIT=unfit)
        outcomes = []
        for outcome in Dask(workers.address, workings.choosy, SETTINGS, notes.append).run(tasks(60)):
            outcomes.append(outcome)
            if len(outcomes) == 30:
                workers.start("new")
                workers.kill("good")
    assert len(outcomes) == len({outcome.remote.id for outcome in outcomes}) == 60
    assert {outcome.ending for outcome in outcomes} == {"searched"}
    assert {outcome.worker for outcome in outcomes} == {"good", "new"}
    assert len(notes) == 1
    assert notes[0].startswith("the worker unfit gets no more tasks: ")
    assert why in notes[0]


def test_where_no_worker_can_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep ends, and says why."""
    monkeypatch.setattr(module, "UNFIT", 1.0)
    told = pytest.raises(OakumError, match=r"no worker of .* can work; [ab]: this worker has another version")
    with cluster(tmp_path, "a", "b", UNFIT="another version") as workers, told:
        list(Dask(workers.address, workings.choosy, SETTINGS).run(tasks(10)))


def test_what_a_worker_took_with_it_is_done_again(tmp_path: Path) -> None:
    """It was through, and died before it could tell."""
    with cluster(tmp_path, "one", "two") as workers:
        (outcome,) = Dask(workers.address, workings.untold, Settings(NOW, "p", clones=str(tmp_path))).run(tasks(1))
        assert outcome.findings == ({"deadly": "told"},)
        assert [name for name, process in workers.workers.items() if process.poll() is None] == [outcome.worker]


@pytest.mark.parametrize("nanny", [False, True])
def test_a_task_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nanny: bool) -> None:
    """After a time in which any repository is done, and by nobody else again. Its worker ends, when that is told: a
    nanny starts it anew, without one others take what is left."""
    monkeypatch.setattr(module, "SEARCHING", 3.0)
    notes: list[str] = []
    hangs, *others = tasks(12)
    hangs = replace(hangs, remote=replace(hangs.remote, name="hanging"))
    with cluster(tmp_path) as workers:
        workers.start("one", "--nanny" if nanny else "--no-nanny")
        settings = Settings(NOW, "p", clones=str(tmp_path), seconds=0)
        running = Dask(workers.address, workings.hanging, settings, notes.append).run([hangs, *others])
        outcomes = [next(running)]
        if not nanny:
            workers.start("two")
        outcomes += running
        if not nanny:
            assert workers.workers["one"].wait(30) == -signal.SIGKILL
            child = int((tmp_path / "child").read_text())
            until = time.monotonic() + 10
            while workings.there(child) and time.monotonic() < until:
                time.sleep(0.02)
            assert not workings.there(child)
    assert sorted(int(outcome.remote.id) for outcome in outcomes) == list(range(12))
    assert (outcomes[0].remote.name, outcomes[0].ending) == ("hanging", "failed")
    assert outcomes[0].why.startswith("it was not done after 3 s")
    assert {outcome.worker for outcome in outcomes[1:]} == {"one" if nanny else "two"}
    assert (tmp_path / "begun").read_text() == "begun\n"
    assert notes == []


def test_a_worker_with_many_threads_works_on_one_task_at_a_time(tmp_path: Path) -> None:
    """What has to wait for that has no less time for its own."""
    of = [replace(task, wide=True) for task in tasks(6)]
    with cluster(tmp_path) as workers:
        workers.start("one", "--nthreads", "3")
        assert len(list(Dask(workers.address, workings.wide, Settings(NOW, "p", clones=str(tmp_path))).run(of))) == 6
    assert (tmp_path / "wide").read_text().split() == ["begin", "end"] * 6


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
