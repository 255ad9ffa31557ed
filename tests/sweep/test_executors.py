"""The pool of processes: every task has one outcome, whatever becomes of the processes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import workings
from git_repository import AUTHOR, GitRepository
from oakum.detectors import samples
from oakum.scanner.cli import worker
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import Reach, advertised
from oakum.scanner.sources.clones import folder as folder_module
from oakum.scanner.sources.clones.locks import Lock
from oakum.scanner.sweep import Settings, Task, cores
from oakum.scanner.sweep import executors as executors_module
from oakum.scanner.sweep import work as work_module
from oakum.scanner.sweep.executors import ProcessPool, Work
from oakum.scanner.sweep.work import Worker
from oakum.scanner.swept import Outcome, Remote
from organizations import NOW, compared, organization, settings, task_remote
from workings import there


def tasks(*names: str, wide: tuple[str, ...] = ()) -> list[Task]:
    """Tasks for repositories of these names."""
    return [Task(Remote(name, name, f"file:///{name}", "t"), name, wide=name in wide) for name in names]


def pool(work: Work, folder: Path, jobs: int = 2) -> ProcessPool:
    """A pool of two."""
    return ProcessPool(work, Settings(NOW, "program", clones=str(folder)), jobs, workings.nothing)


def test_every_task_is_done_once_by_so_many_processes(tmp_path: Path) -> None:
    """No more than were asked for."""
    outcomes = list(pool(workings.done, tmp_path).run(tasks(*map(str, range(50)))))
    assert sorted(int(outcome.refs) for outcome in outcomes) == list(range(50))
    assert len({outcome.worker for outcome in outcomes} - {str(os.getpid())}) in (1, 2)


def test_no_task_at_all(tmp_path: Path) -> None:
    """Nothing is started."""
    assert list(pool(workings.done, tmp_path).run([])) == []


def test_a_process_that_dies_costs_its_own_task_nothing_else(tmp_path: Path) -> None:
    """It is tried three times, then given up with a word on memory; all others are done."""
    outcomes = list(pool(workings.deadly, tmp_path).run(tasks("a", "deadly", "b", "c")))
    assert {outcome.remote.name: outcome.ending for outcome in outcomes} == {
        "a": "searched",
        "b": "searched",
        "c": "searched",
        "deadly": "failed",
    }
    (why,) = (outcome.why for outcome in outcomes if outcome.ending == "failed")
    assert why.startswith("the process that searched it died 3 times (out of memory?)")


def test_what_died_once_is_done_by_another_process(tmp_path: Path) -> None:
    """As where the system had to make room for a moment."""
    outcomes = list(pool(workings.once, tmp_path).run(tasks("deadly-1", "deadly-2", "a")))
    assert {outcome.ending for outcome in outcomes} == {"searched"}


def test_one_wide_task_at_a_time(tmp_path: Path) -> None:
    """Each of them has processes of its own; the narrow ones go on beside it."""
    of = tasks("w1", "a", "w2", "b", "w3", "c", wide=("w1", "w2", "w3"))
    outcomes = list(pool(workings.wide, tmp_path, jobs=3).run(of))
    assert len(outcomes) == 6
    assert (tmp_path / "wide").read_text().split() == ["begin", "end"] * 3


@pytest.mark.skipif(len(cores.allowed()) < 2, reason="needs two cores, and Linux")
def test_as_many_processes_as_cores_have_one_each(tmp_path: Path) -> None:
    """With what they start; not where several processes search one repository. Others have all cores."""
    every = cores.allowed()
    number, told = len(every), " ".join(map(str, every))
    outcomes = pool(workings.placed, tmp_path, jobs=number).run(tasks(*map(str, range(4 * number))))
    assert {outcome.refs for outcome in outcomes} == {f"{core}/{core}/{told}/{core}" for core in every}
    outcomes = pool(workings.placed, tmp_path, jobs=number + 1).run(tasks("a", "b"))
    assert {outcome.refs for outcome in outcomes} == {f"{told}/{told}/{told}/{told}"}
    assert cores.allowed() == every


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_a_process_that_grew_makes_way_for_a_fresh_one(tmp_path: Path) -> None:
    """So that memory stays flat over thousands of repositories."""
    outcomes = list(pool(workings.growing, tmp_path, jobs=1).run(tasks(*"abcdef")))
    assert len({outcome.worker for outcome in outcomes}) == 3


def test_a_task_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a time in which any repository is done."""
    monkeypatch.setattr(executors_module, "SEARCHING", 0.3)
    made = ProcessPool(workings.slow, Settings(NOW, "p", clones=str(tmp_path), seconds=0), 1, workings.nothing)
    (outcome,) = made.run(tasks("a"))
    assert outcome.why.startswith("it was not done after")
    assert not any(there(pid) for pid in written(tmp_path))


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_process_that_hangs_is_asked_to_end_before_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends its git then; where it does not hear that, either, it is killed in a moment."""
    monkeypatch.setattr(executors_module, "SEARCHING", 2.0)
    made = ProcessPool(workings.stubborn, Settings(NOW, "p", clones=str(tmp_path), seconds=0), 1, workings.nothing)
    (outcome,) = made.run(tasks("a"))
    assert outcome.why.startswith("it was not done after")
    assert (tmp_path / "asked").exists()
    assert not any(there(pid) for pid in written(tmp_path))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_git_ends_with_the_process_that_has_started_it(tmp_path: Path) -> None:
    """Which is killed for want of memory; and so does what git has started."""
    (outcome,) = pool(workings.fetching, tmp_path).run(tasks("deadly"))
    assert outcome.ending == "failed"
    assert len(written(tmp_path)) == 6
    until = time.monotonic() + 10
    while any(map(there, written(tmp_path))) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(there, written(tmp_path)))


def written(folder: Path) -> list[int]:
    """Processes that were started."""
    found = [(int(path.name), int(path.read_text())) for path in folder.iterdir() if path.name.isdigit()]
    return [pid for pair in found for pid in pair]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_when_it_is_stopped_nothing_of_it_goes_on(tmp_path: Path) -> None:
    """Ctrl-C in the sweep closes it: processes end, with all that they have started."""
    running = pool(workings.slow, tmp_path).run(tasks("a", "b"))
    reading = _Reading(running)
    until = time.monotonic() + 10
    while len(written(tmp_path)) < 4 and time.monotonic() < until:
        time.sleep(0.02)
    assert len(written(tmp_path)) == 4
    reading.stop()
    until = time.monotonic() + 5
    while any(map(there, written(tmp_path))) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(there, written(tmp_path)))


class _Reading:
    """A process that reads outcomes until it is told to stop."""

    def __init__(self, running: object) -> None:
        self._pid = os.fork()
        if not self._pid:
            signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            try:
                for _ in running:  # type: ignore[attr-defined]
                    continue
            except KeyboardInterrupt:
                running.close()  # type: ignore[attr-defined]
            finally:
                os._exit(0)

    def stop(self) -> None:
        """Stop it, and wait for its end."""
        os.kill(self._pid, signal.SIGTERM)
        os.waitpid(self._pid, 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_sweep_that_is_killed_leaves_no_processes(tmp_path: Path) -> None:
    """They see that whoever started them is gone."""
    pid = os.fork()
    if not pid:
        try:
            list(pool(workings.slow, tmp_path).run(tasks("a", "b")))
        finally:
            os._exit(0)
    until = time.monotonic() + 10
    while len(written(tmp_path)) < 4 and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    until = time.monotonic() + 5
    while any(map(there, written(tmp_path))) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(there, written(tmp_path)))


# --- with real repositories ------------------------------------------------------------------------------------------


def test_the_pool_gives_what_one_process_gives(tmp_path: Path) -> None:
    """Outcome by outcome."""
    made = settings(tmp_path)
    of = organization(tmp_path / "served", 7)
    alone = Worker(made, dict(os.environ))
    expected = [alone.work(task) for task in of]
    assert [len(outcome.findings) for outcome in expected] == [1, 0, 0, 1, 0, 0, 1]
    assert compared(list(ProcessPool(worker.work, made, 2, worker.prepare).run(of))) == compared(expected)


@pytest.mark.long
def test_processes_that_are_killed_cost_nothing(tmp_path: Path) -> None:
    """Ten of them at random moments, in the middle of a repository or between two."""
    random = Random(9)
    made = settings(tmp_path)
    of = organization(tmp_path / "served", 40)
    alone = Worker(made, dict(os.environ))
    expected = [alone.work(task) for task in of]
    outcomes = []
    killed = 0
    for outcome in ProcessPool(worker.work, made, 2, worker.prepare).run(of):
        outcomes.append(outcome)
        time.sleep(random.random() / 50)
        alive = multiprocessing.active_children()
        if alive and killed < 10 and random.random() < 0.6:
            random.choice(alive).kill()
            killed += 1
    assert killed == 10
    assert compared(outcomes) == compared(expected)
    assert multiprocessing.active_children() == []


def test_a_worker_with_other_detectors_refuses(tmp_path: Path) -> None:
    """It would find something else than what the store takes it for."""
    other = replace(settings(tmp_path), program="of another version")
    (task,) = organization(tmp_path / "served", 1)
    outcome = Worker(other, dict(os.environ)).work(task)
    assert (outcome.ending, outcome.findings) == ("failed", ())
    assert "install the same" in outcome.why


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/a.git", "nonsense", "file:///nowhere/at/all"])
def test_what_cannot_be_fetched_is_an_outcome(tmp_path: Path, url: str) -> None:
    """With a reason."""
    task = Task(Remote("x", "acme/x", url, "github:acme"), "refs")
    outcome = Worker(settings(tmp_path, private=True), dict(os.environ)).work(task)
    assert outcome.ending == "failed"
    assert outcome.why


def test_what_another_process_works_on_is_to_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same sweep: it says so, other than what is not there."""
    monkeypatch.setattr(folder_module, "_PATIENCE", 0.0)
    (task,) = organization(tmp_path / "served", 1)
    worker = Worker(settings(tmp_path), dict(os.environ))
    assert worker.work(task).ending == "searched"
    lock = Lock(os.fsencode(tmp_path / "clones" / f"{folder_module.name_of(task.remote.id)}.lock"))
    assert lock.take()
    outcome = worker.work(task)
    lock.give_back()
    assert (outcome.ending, outcome.again, outcome.passing) == ("failed", True, False)
    gone = worker.work(replace(task, remote=replace(task.remote, id="x", url="file:///nowhere/at/all")))
    assert (gone.ending, gone.again, gone.passing) == ("failed", False, False)


def test_no_value_is_in_an_outcome(tmp_path: Path) -> None:
    """It goes from one machine to another."""
    (task,) = organization(tmp_path / "served", 1)
    outcome: Outcome = Worker(settings(tmp_path), dict(os.environ)).work(task)
    assert len(outcome.findings) == 1
    assert samples.build("github:ghp", Random(0)).decode()[4:] not in repr(outcome)
    assert outcome.findings[0]["owners"] == ["Ada Lovelace <ada@example.test>"]


def test_what_a_repository_gives_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many findings the worst, each with few places; the rest is counted, and told as not scanned."""
    from random import Random

    from git_repository import GitRepository
    from oakum.detectors import samples

    monkeypatch.setattr(work_module, "MOST_FINDINGS", 4)
    monkeypatch.setattr(work_module, "MOST_IN_ALL", 8)
    made = GitRepository.create(tmp_path / "served" / "many")
    lines = b"".join(b"token = '%s'\n" % samples.build("github:ghp", Random(number)) for number in range(6))
    made.commit({f"f{number}.py": b"# %d\n" % number + lines for number in range(5)}, "many")
    outcome = Worker(settings(tmp_path), dict(os.environ)).work(Task(task_remote(made.path), "refs"))
    assert [(len(one["occurrences"]), one["occurrences_folded"]) for one in outcome.findings] == [(2, 3)] * 4
    assert [(each.what, each.count) for each in outcome.not_scanned] == [(b"findings", 2)]
    assert outcome.refs == ""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("gitlab:acme", "@lib"),
        ("gitlab:acme@git.example.test", "@lib"),
        ("github:acme", "@all"),
        ("forgejo:acme@git.example.test", AUTHOR),
        ("/folder/of/clones", "@all"),
    ],
)
def test_owners_are_read_as_the_host_does(tmp_path: Path, target: str, expected: str) -> None:
    """Of the kind that the target says; where CODEOWNERS names nobody, the author is the owner."""
    made = GitRepository.create(tmp_path / "x")
    secret = b'token = "%s"\n' % samples.build("github:ghp", Random(0))
    made.commit({"CODEOWNERS": b"* @all\nlib/a.* @lib\n", "deep/lib/a.py": secret}, "one")
    task = Task(replace(task_remote(made.path), target=target), "refs")
    (found,) = Worker(settings(tmp_path), dict(os.environ)).work(task).findings
    assert found["owners"] == [expected]


def test_a_clone_that_is_damaged_is_made_anew_once(tmp_path: Path) -> None:
    """Whether it was searched before or not; what is damaged at its host is not fetched anew each night."""
    from git_repository import GitRepository
    from git_server import git_server

    made = GitRepository.create(tmp_path / "work")
    made.commit({"a.txt": b"first\n" * 100}, "first")
    (tmp_path / "served").mkdir()
    made.git("clone", "--quiet", "--bare", str(made.path), str(tmp_path / "served" / "web.git"))
    told = settings(tmp_path, private=True)
    with git_server(tmp_path / "served") as server:
        remote = Remote("host:web", "acme/web", f"{server.url}/web.git", "urls")
        task = Task(remote, advertised(remote, Reach(dict(os.environ), Outbound(private=True), lambda _url: None)))
        assert Worker(told, dict(os.environ)).work(task).refs == task.refs
        (pack,) = (tmp_path / "clones").glob("*/repo.git/objects/pack/*.pack")
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:-30])
        (memory,) = (tmp_path / "clones").glob("*/memory")
        shutil.rmtree(memory)
        fetched = len(server.asked)
        outcome = Worker(told, dict(os.environ)).work(task)
        assert (outcome.refs, outcome.not_scanned) == (task.refs, ())
        assert len(server.asked) > fetched
