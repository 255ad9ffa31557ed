"""Sweeps into a real store: what is new, what a damaged worker gives, two at once, a sweep that was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from oakum.scanner.model import Secret
from oakum.scanner.sources.hosts import Selection
from oakum.scanner.store import Store, StoreError, open_store
from oakum.scanner.sweep import Task, listing, run
from oakum.scanner.swept import News, Outcome, Remote
from scanning import Fresh
from sweep_parts import NOW, SETTINGS, NotedExecutor, NotedWatch, plan, remote, searched

KEY = bytes(32)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty one."""
    with closing(open_store(str(tmp_path / "sweeps.db"), KEY, NOW, create=True)) as opened:
        yield opened


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> list[Remote]:
    """What the host of acme lists."""
    remotes = [remote("a"), remote("b"), remote("c")]
    monkeypatch.setattr(listing, "listed", lambda _target, _access: iter(remotes))
    monkeypatch.setattr(run, "advertised", lambda remote, _reach: f"refs of {remote.id}")
    monkeypatch.setattr(Selection, "why_not", lambda _self, _remote: "")
    return remotes


def found(value: bytes, **more: Any) -> dict[str, Any]:
    """A finding as a worker gives it."""
    secret = Secret(value, prefix=4)
    return {
        "fingerprint": secret.fingerprint(),
        "secret": secret.mask(),
        "band": "high",
        "score": 70,
        "detector": "github-pat",
        "verdict": {"state": "unknown", "reason": "not asked"},
        "occurrences": [{"origin": {"type": "git", "path": "app.cfg", "reachable": "head"}}],
    } | more


def told(news: News) -> list[tuple[str, tuple[str, ...]]]:
    """What changed, and where."""
    return [(event.change, kept.repositories) for event, kept in news.changes]


def test_what_is_new_is_told_once(store: Store, hosted: list[Remote], fresh: Fresh) -> None:
    """The next sweep has no news and no task; a new host name of the same repository is no news either."""
    value = fresh()
    executor = NotedExecutor(
        lambda task: searched(task, findings=(found(value),) if task.remote.name[-1] < "c" else ())
    )
    news = run.sweep(store, executor, plan(), NotedWatch())
    assert (told(news), news.complete) == ([("new", ("acme/a", "acme/b"))], True)
    hosted[0] = Remote("github.com/a", "acme/renamed", "https://github.com/acme/renamed.git", "github:acme")
    again = NotedExecutor()
    news = run.sweep(store, again, plan(), NotedWatch())
    assert (told(news), news.counts["unchanged"], again.tasks) == ([], 3, [])


def test_what_a_damaged_worker_gives(store: Store, hosted: list[Remote], fresh: Fresh) -> None:
    """A finding that is not masked is refused, its repository failed, and the others are stored."""
    value = fresh()
    shown = found(value, secret=value.decode())

    def work(task: Task) -> Outcome:
        return searched(task, findings=(shown,) if task.remote.name == "acme/b" else (found(value),))

    news = run.sweep(store, NotedExecutor(work), plan(), NotedWatch())
    assert told(news) == [("new", ("acme/a", "acme/c"))]
    assert [name for name, _ in news.failed] == ["acme/b"]
    assert "not masked" in news.failed[0][1]
    assert value.decode() not in repr(news)


def test_what_is_deleted_or_cannot_be_searched(store: Store, hosted: list[Remote], fresh: Fresh) -> None:
    """What failed keeps its findings; what is not listed any more loses them."""
    values = [fresh(), fresh()]
    names = {"acme/a": (found(values[0]),), "acme/b": (found(values[1]),)}
    run.sweep(store, NotedExecutor(lambda t: searched(t, findings=names.get(t.remote.name, ()))), plan(), NotedWatch())
    del hosted[0]
    another = plan(settings=replace(SETTINGS, program="another"))
    for _ in range(2):  # one that is missing for once is not gone
        executor = NotedExecutor(lambda t: Outcome(t.remote, "failed", why="it hangs"))
        news = run.sweep(store, executor, another, NotedWatch())
    assert [(event.change, event.after) for event, _ in news.changes] == [("fixed", "removed")]
    assert news.failed == (("acme/b", "it hangs"), ("acme/c", "it hangs"))


def test_two_at_once(store: Store, hosted: list[Remote], tmp_path: Path) -> None:
    """The second hears who is at it, since when; and the first goes on."""
    said: list[str] = []

    def second(task: Task) -> Outcome:
        with closing(open_store(str(tmp_path / "sweeps.db"), KEY, NOW, create=False)) as other:
            try:
                run.sweep(other, NotedExecutor(), plan(), NotedWatch())
            except StoreError as error:
                said.append(str(error))
        return searched(task)

    news = run.sweep(store, NotedExecutor(second), plan(who="the first"), NotedWatch())
    assert news.counts["searched"] == 3
    assert len(said) == 3
    assert all("this very process" in one for one in said)


def test_a_sweep_that_was_stopped_is_taken_up(store: Store, hosted: list[Remote], fresh: Fresh) -> None:
    """It has the same number, only what is left is searched, and its news are those of a sweep that was not stopped."""
    value = fresh()

    def stop(task: Task) -> Outcome:
        if task.remote.name == "acme/b":
            raise KeyboardInterrupt
        return searched(task, findings=(found(value),))

    with pytest.raises(KeyboardInterrupt):
        run.sweep(store, NotedExecutor(stop), plan(), NotedWatch())
    executor = NotedExecutor(lambda task: searched(task, findings=(found(value),)))
    news = run.sweep(store, executor, plan(), NotedWatch())
    assert [task.remote.name for task in executor.tasks] == ["acme/b", "acme/c"]
    assert (news.sweep, told(news)) == (1, [("new", ("acme/a", "acme/b", "acme/c"))])
