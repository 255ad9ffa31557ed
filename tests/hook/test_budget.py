"""The time that a push may take is kept; what was left out is told loudly, what was found until then stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from oakum.scanner.errors import OutOfTime
from oakum.scanner.pipeline.budget import Budget
from pushing import Pushing, running
from scanning import Fresh

Done = subprocess.CompletedProcess[str]
GOES_ON = "oakum: the push goes on (on-incomplete = warn)\n"
IS_STOPPED = "oakum: the push is stopped (on-incomplete = block)\n"
LEFT = re.compile(
    r"oakum: WARNING: (?:(?P<left>[0-9]+) of (?P<count>[0-9]+) objects were|what is pushed was) NOT searched: "
    r"the time for it \([0-9.]+ s\) was up; `oakum scan` searches all\n"
)
COMMITS, FILES = 32, 4
BYTES = 256 << 10
"""Of a file: all are more than one process searches alone."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pushing, bytes]:
    """A push of 32 MB of text, and a secret in the file that git lists first."""
    folder, secret, random = tmp_path_factory.mktemp("large"), Fresh("large")(), Random(1)
    os.environ.setdefault("XDG_CACHE_HOME", str(folder))
    pushing = Pushing.create(folder)
    pushing.work.git("config", "core.compression", "0")
    words = [random.randbytes(random.randint(1, 5)).hex() for _ in range(5000)]
    text = " ".join(random.choice(words) for _ in range(100_000)).encode()
    for n in range(COMMITS):
        files = {f"{n}/{m}.txt": _part(random, text) for m in range(FILES)}
        pushing.work.commit(files | ({"+app.cfg": b"token = " + secret + b"\n"} if n == COMMITS - 1 else {}), f"{n}")
    return pushing, secret


def _part(random: Random, text: bytes) -> bytes:
    begin = random.randrange(len(text) - BYTES)
    return text[begin : begin + BYTES]


@pytest.fixture(params=[1, 2], ids=["one processor", "two processors"])
def processors(request: pytest.FixtureRequest) -> str:
    """The beginning of a command line that runs on so many."""
    if request.param > len(os.sched_getaffinity(0)):
        pytest.skip("there is but one")
    chosen = sorted(os.sched_getaffinity(0))[: request.param]
    return f'taskset --cpu-list {",".join(map(str, chosen))} "$@"'


@pytest.fixture
def cold(tmp_path: Path) -> str:
    """A cache folder without a compiled matcher."""
    return str(tmp_path / "cache")


def within(budget: float, run: Callable[[], Done]) -> Done:
    """What does not take longer than a budget, a quarter of it and a second; other work of this machine may delay it
    now and then, and is given three tries."""
    taken: list[float] = []
    for _ in range(3):
        begun = time.monotonic()
        done = run()
        taken.append(time.monotonic() - begun)
        if taken[-1] < 1.25 * budget + 1:
            return done
    raise AssertionError(f"{budget} s became {taken}")


@pytest.mark.long
class TestPush:
    """A push that is too large."""

    @pytest.mark.parametrize("policy", ["warn", "block"])
    def test_no_time_at_all(self, large: tuple[Pushing, bytes], policy: str) -> None:
        """Nothing is searched, and the policy decides."""
        pushing, _ = large
        pushing.configure(f'[push]\nbudget = 0.001\non-incomplete = "{policy}"\n')
        done = within(0.001, pushing.hook)
        told = "oakum: WARNING: the time for it (0.001 s) was up: nothing was searched\n"
        assert done.stderr == told + (IS_STOPPED if policy == "block" else GOES_ON)
        assert done.returncode == (policy == "block")

    @pytest.mark.parametrize("budget", [0.1, 0.3, 0.6, 1.0])
    def test_too_little_time(self, large: tuple[Pushing, bytes], cold: str, processors: str, budget: float) -> None:
        """However far it comes: the end is told, and in time."""
        pushing, _ = large
        pushing.configure(f"[push]\nbudget = {budget}\n")
        done = within(budget, lambda: pushing.hook(shell=processors, XDG_CACHE_HOME=cold))
        assert f"the time for it ({budget:g} s) was up" in done.stderr
        if done.returncode:
            assert done.stderr.startswith("oakum: the push to origin is stopped: it would publish 1 secret\n")
        else:
            assert done.stderr.endswith(GOES_ON)

    def test_what_was_found_until_then(self, large: tuple[Pushing, bytes], cold: str, processors: str) -> None:
        """Files are searched as git lists them, even while the matcher has still to be compiled."""
        pushing, secret = large
        pushing.configure("[push]\nbudget = 1.3\n")
        done = within(1.3, lambda: pushing.hook(shell=processors, XDG_CACHE_HOME=cold))
        assert done.returncode == 1
        assert done.stderr.startswith("oakum: the push to origin is stopped: it would publish 1 secret\n")
        assert secret.decode() not in done.stderr
        left = LEFT.search(done.stderr)
        assert left
        assert done.stderr.endswith(left[0])
        assert int(left["count"]) == COMMITS * (FILES + 1) + 1
        assert 0 < int(left["left"]) < int(left["count"])

    def test_enough_time(self, large: tuple[Pushing, bytes], processors: str) -> None:
        """All of it is searched, on all processors."""
        pushing, _ = large
        pushing.configure("[push]\nbudget = 60\n")
        done = pushing.hook(shell=processors)
        assert done.returncode == 1
        assert "NOT searched" not in done.stderr

    def test_git_hangs_in_the_processes_that_search(self, large: tuple[Pushing, bytes], tmp_path: Path) -> None:
        """They end, and so does what they have started; what others found is told."""
        pushing, _ = large
        pushing.configure("[push]\nbudget = 60\n")
        pushing.hook()  # the matcher is compiled
        (tmp_path / "git").write_text(
            f"""#!/bin/sh
            PATH='{os.environ["PATH"]}'
            case "$*" in *"cat-file --batch --buffer"*) mkdir '{tmp_path}/first' 2>/dev/null || sleep 4444;; esac
            exec git "$@"
            """
        )
        (tmp_path / "git").chmod(0o755)
        pushing.configure("[push]\nbudget = 2\n")
        done = within(2, lambda: pushing.hook(PATH=f"{tmp_path}:{os.environ['PATH']}"))
        assert LEFT.search(done.stderr)
        assert done.returncode in (0, 1)
        assert running("sleep 4444") == []
        assert running(f"-C {pushing.work.path}") == running(str(pushing.work.path / ".git")) == []

    def test_the_record_of_an_earlier_push_is_no_help(self, large: tuple[Pushing, bytes], cold: str) -> None:
        """Each time as much is searched as there is time for: nothing is taken for searched that was not."""
        pushing, _ = large
        pushing.configure("[push]\nbudget = 0.1\n")
        for _ in range(3):
            done = pushing.hook(XDG_CACHE_HOME=cold)
            assert "the time for it (0.1 s) was up" in done.stderr


class TestBudget:
    """The bound itself."""

    def test_it_ends_what_runs(self) -> None:
        """In the middle of anything that Python does."""

        def forever() -> None:
            while True:
                pass

        with pytest.raises(OutOfTime), Budget(0.2).bounded():
            forever()

    def test_it_ends_a_wait_for_a_program(self) -> None:
        """As for any signal."""
        with pytest.raises(OutOfTime), Budget(0.2).bounded():
            subprocess.run(["sleep", "60"], check=True)

    def test_it_begins_when_it_is_made(self) -> None:
        """What was used up before counts."""
        budget = Budget(0.05)
        time.sleep(0.1)
        with pytest.raises(OutOfTime), budget.bounded():
            raise AssertionError

    def test_it_may_have_begun_earlier(self) -> None:
        """Or at a time that is given."""
        with pytest.raises(OutOfTime), Budget(10, since=time.monotonic() - 11).bounded():
            raise AssertionError
        with Budget(10, since=time.monotonic() - 9).bounded():
            pass

    def test_it_can_be_prolonged(self) -> None:
        """For what tells more of what was found."""
        budget = Budget(0.05)
        time.sleep(0.1)
        with budget.bounded(10):
            pass

    def test_none(self) -> None:
        """0 bounds nothing."""
        with Budget(0).bounded():
            time.sleep(0.01)

    def test_nothing_is_left_of_it(self, alarms: list[int]) -> None:
        """Whoever listens to the signal hears it again."""
        with Budget(60).bounded():
            pass
        with pytest.raises(OutOfTime), Budget(0.01).bounded():
            time.sleep(60)
        assert alarms == []
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        signal.raise_signal(signal.SIGALRM)
        assert alarms == [signal.SIGALRM]


@pytest.fixture
def alarms() -> Iterator[list[int]]:
    """The alarms that somebody else hears."""
    heard: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _frame: heard.append(number))
    yield heard
    signal.signal(signal.SIGALRM, before)
