"""Laws of stores, on random series of sweeps: order and kills change nothing, states are those of a simple model, and
the history explains them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.store import Wanted
from oakum.scanner.store.sql import SqlStore
from oakum.scanner.swept import COUNTING, Outcome
from sweeping import (
    ACME,
    DEAD,
    EXPIRED,
    LIVE,
    NOT_ASKED,
    UNKNOWN,
    day,
    dump,
    failed,
    found,
    opened,
    remote,
    searched,
    secret,
)

NAMES = ("one", "two", "three")
REPOSITORIES = [remote(f"acme/{name}") for name in ("web", "api", "app")]

Seen = tuple[str, str, str, int]
"""Of a finding in a repository: its name, reach, band, verdict."""
VERDICTS = (NOT_ASKED, UNKNOWN, LIVE, DEAD, EXPIRED)

seen = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(["head", "branch", "history", "unreachable"]),
    st.sampled_from(["critical", "high", "low"]),
    st.integers(0, 4),
)
work = st.one_of(st.just("failed"), st.just("gone"), st.lists(seen, max_size=3, unique_by=lambda s: s[0]))
night = st.tuples(st.tuples(work, work, work), st.sampled_from(["", "accepted one", "open one", "false positive two"]))
nights = st.lists(night, min_size=1, max_size=5)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which nothing is: to make one takes long."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    opened(path).close()
    return path


@contextmanager
def copies(empty: Path, count: int) -> Iterator[list[Path]]:
    """New stores."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"store{n}.db" for n in range(count)]
        for path in paths:
            shutil.copy(empty, path)
        yield paths


def outcomes(works: Sequence[Any], number: int) -> list[Outcome]:
    """What is done in a night; a repository that is gone is not listed."""
    out = []
    for of, what in zip(REPOSITORIES, works, strict=True):
        if what == "failed":
            out.append(failed(of))
        elif what != "gone":
            objects = [found(n, reach, band=band, verdict=VERDICTS[v]) for n, reach, band, v in what]
            out.append(searched(of, *objects, refs=f"r{number}"))
    return out


def decided(store: SqlStore, decision: str, number: int) -> None:
    """Somebody marks a finding in the morning, if there is such a one."""
    state, _, name = decision.rpartition(" ")
    if decision and any(True for _ in store.findings(Wanted()) if _.secret == secret(name).mask()):
        store.decide(secret(name).fingerprint(), state, "because", "ann", day(number), None)  # type: ignore[arg-type]


def undisturbed(store: SqlStore, number: int, works: Sequence[Any], decision: str) -> None:
    """A sweep from its beginning to its end."""
    done = outcomes(works, number)
    running = store.begin([ACME], day(number))
    store.list(running, [o.remote for o in done], (), day(number))
    store.commit(running, done, day(number))
    store.finish(running, (), ["hook"], "low", day(number))
    decided(store, decision, number)


def disturbed(path: Path, number: int, works: Sequence[Any], decision: str, chance: Random) -> None:
    """The same in another order, killed and begun again after any of its steps."""
    done = outcomes(works, number)
    finished = False
    while not finished:
        with closing(opened(path)) as store:
            running = store.begin([ACME], day(number))
            if chance.random() < 0.2:
                continue
            store.list(running, chance.sample([o.remote for o in done], len(done)), (), day(number))
            known = store.known()
            for outcome in chance.sample(done, len(done)):
                if outcome.ending == "searched" and known[outcome.remote.id].refs == outcome.refs:
                    again = chance.choice([outcome, Outcome(outcome.remote, "unchanged", outcome.refs)])
                    store.commit(running, [again], day(number))
                else:
                    store.commit(running, [outcome], day(number))
                if chance.random() < 0.2:
                    break
            else:
                store.finish(running, (), ["hook"], "low", day(number))
                finished = True
                decided(store, decision, number)


few = settings(max_examples=6, deadline=None)
many = settings(max_examples=150, deadline=None)


@given(nights, st.integers(0, 2**32))
@few
def test_neither_order_nor_kills_change_what_a_store_has_in_the_end(empty: Path, series: Any, seed: int) -> None:
    """Findings, states, events, deliveries and counts."""
    same_whatever_happens(empty, series, seed)


@pytest.mark.long
@given(nights, st.integers(0, 2**32))
@many
def test_nor_do_they_in_many_series(empty: Path, series: Any, seed: int) -> None:
    """The same law, tried longer."""
    same_whatever_happens(empty, series, seed)


def same_whatever_happens(empty: Path, series: Any, seed: int) -> None:
    chance = Random(seed)
    with copies(empty, 2) as (one, other):
        with closing(opened(one)) as store:
            for number, (works, decision) in enumerate(series, 1):
                undisturbed(store, number, works, decision)
            expected = dump(store)
        for number, (works, decision) in enumerate(series, 1):
            disturbed(other, number, works, decision, chance)
        with closing(opened(other)) as store:
            assert dump(store) == expected


class Model:
    """What must come of it, by hand."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, str]] = defaultdict(dict)
        self.states: dict[str, str] = {}
        self.dead: dict[str, bool] = {}
        self.marked: dict[str, str] = {}
        self.missed: dict[str, int] = defaultdict(int)

    def night(self, works: Sequence[Any]) -> None:
        """A sweep."""
        said: dict[str, list[int]] = defaultdict(list)
        for of, what in zip(REPOSITORIES, works, strict=True):
            self.missed[of.name] = self.missed[of.name] + 1 if what == "gone" else 0
            if what == "failed" or self.missed[of.name] == 1:
                continue  # one that is missing for once is not gone
            for places in self.there.values():
                places.pop(of.name, None)
            for name, reach, _, verdict in [] if what == "gone" else what:
                self.there[name][of.name] = reach
                said[name].append(verdict)
        for name in self.there:
            if VERDICTS.index(LIVE) in said[name]:
                self.dead[name] = False
            elif VERDICTS.index(DEAD) in said[name]:
                self.dead[name] = True
            self._settle(name)

    def _settle(self, name: str) -> None:
        reaches = set(self.there[name].values())
        before = self.states.get(name, "")
        if name in self.marked:
            state = self.marked[name]
        elif self.dead.get(name):
            state = "revoked"
        elif not reaches:
            state = "removed"
        elif reaches <= {"history", "unreachable"}:
            state = "fixed in head"
        else:
            state = "open" if before in ("", "open") else "reopened"
        self.states[name] = state

    def mark(self, decision: str) -> None:
        """A decision."""
        state, _, name = decision.rpartition(" ")
        if decision and name in self.states:
            self.marked[name] = state
            if state == "open":
                del self.marked[name]
            self._settle(name)


@given(nights)
@settings(few, max_examples=15)
def test_states_are_those_of_the_model_and_the_history_explains_them(empty: Path, series: Any) -> None:
    """Each finding is new once; each change begins where the last one ended; what is told counts or did."""
    as_modelled(empty, series)


@pytest.mark.long
@given(nights)
@many
def test_so_they_are_in_many_series(empty: Path, series: Any) -> None:
    """The same law, tried longer."""
    as_modelled(empty, series)


def as_modelled(empty: Path, series: Any) -> None:
    model = Model()
    masks = {secret(name).mask(): name for name in NAMES}
    with copies(empty, 1) as (path,), closing(opened(path)) as store:
        for number, (works, decision) in enumerate(series, 1):
            undisturbed(store, number, works, decision)
            model.night(works)
            model.mark(decision)
            assert {masks[kept.secret]: kept.state for kept in store.findings(Wanted())} == model.states
        last: dict[str, str] = {}
        kinds = ("new", "fixed", "reopened", "revoked", "accepted", "false positive")
        for event, kept in reversed(list(store.history(Wanted()))):
            name = masks[kept.secret]
            if event.change == "new":
                assert name not in last
                last[name] = event.after
            elif event.change in kinds:
                assert event.before in (last.get(name, ""), "")
                assert event.before or last.get(name, event.after) == event.after
                last[name] = event.after
            else:
                assert last[name] in COUNTING
        assert last == model.states


# --- other databases, real kills -------------------------------------------------------------------------------------


def drawn(chance: Random) -> tuple[list[Any], str]:
    """A night."""

    def work() -> Any:
        if chance.random() < 0.25:
            return chance.choice(["failed", "gone"])
        names = chance.sample(NAMES, chance.randrange(4))
        reaches, bands = ["head", "branch", "history", "unreachable"], ["critical", "high", "low"]
        return [(n, chance.choice(reaches), chance.choice(bands), chance.randrange(5)) for n in names]

    marks = ["", "", "accepted one", "open one", "false positive two", "open two"]
    return [work() for _ in REPOSITORIES], chance.choice(marks)


@pytest.mark.long
def test_postgresql_has_the_same_as_sqlite(database: str, empty: Path) -> None:
    """After thirty nights, row by row."""
    chance = Random(9)
    with copies(empty, 1) as (path,), closing(opened(path)) as one, closing(opened(database)) as other:
        for number in range(1, 31):
            works, decision = drawn(chance)
            undisturbed(one, number, works, decision)
            undisturbed(other, number, works, decision)
        assert dump(other) == dump(one)
        expected = list(one.history(Wanted()))
        assert list(other.history(Wanted())) == expected
        assert len(expected) > 30


SWEEP = """
import sys
from sweeping import ACME, day, found, opened, remote, searched
store = opened(sys.argv[1])
of = [remote(f"acme/r{n:02}") for n in range(60)]
with store.locked("test"):
    number = store.begin([ACME], day(1))
    print("begun", flush=True)
    store.list(number, of, (), day(1))
    known = store.known()
    for n, each in enumerate(of):
        if not known[each.id].refs:
            store.commit(number, [searched(each, *(found(f"{n % 7} {i}") for i in range(n % 5)))], day(1))
    store.finish(number, (), ["hook"], "low", day(1))
"""


@pytest.mark.long
def test_killed_at_any_moment_a_sweep_ends_as_if_it_had_not_been(where: str, tmp_path: Path) -> None:
    """By SIGKILL, a dozen times: what was committed is there, what was not is not, and the lock is free."""
    chance = Random(7)
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", SWEEP]
    environment = os.environ | {"PYTHONPATH": path}
    undisturbed_at = str(tmp_path / "undisturbed.db")
    subprocess.run([*command, undisturbed_at], env=environment, check=True, capture_output=True)
    kills = 0
    for _ in range(60):
        with subprocess.Popen([*command, where], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            assert p.stdout is not None
            assert p.stdout.readline() in (b"begun\n", b"")
            try:
                p.wait(chance.uniform(0, 0.1) if kills < 12 else 60)
            except subprocess.TimeoutExpired:
                p.kill()
                kills += 1
            p.wait()
        with closing(opened(where)) as store:
            if store.status()["sweeps"][0]["ended"]:  # which the last kill may have come after
                break
    else:
        pytest.fail("it never came to its end")
    with closing(opened(where)) as store, closing(opened(undisturbed_at)) as other:
        assert dump(store) == dump(other)
    assert kills > 1
