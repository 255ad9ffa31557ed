"""The flow of a sweep: which repositories become tasks, what is committed when, and what ends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from oakum.scanner.errors import OakumError
from oakum.scanner.model import Suppression
from oakum.scanner.sources.clones import CloneError, Reach
from oakum.scanner.sources.hosts import Access, Selection
from oakum.scanner.store import StoreError
from oakum.scanner.sweep import Task, listing, run
from oakum.scanner.sweep.program import program_of, stamp
from oakum.scanner.swept import Known, News, Outcome, Remote, Target, Unlisted
from sweep_parts import SETTINGS, NotedExecutor, NotedStore, NotedWatch, nobody, plan, remote, searched

Listed = dict[str, list[Remote | Unlisted | Exception]]


class Hosts:
    """What hosts list by target, and the refs that they give by URL."""

    def __init__(self) -> None:
        self.lists: Listed = {}
        self.refs: dict[str, str | Exception] = {}
        self.asked: list[str] = []

    def listed(self, target: Target, access: Access) -> Iterator[Remote | Unlisted]:
        """Until there is an error."""
        access.login("https://api.github.com/")
        for one in self.lists[target.text]:
            if isinstance(one, Exception):
                raise one
            yield one

    def advertised(self, remote: Remote, _reach: Reach) -> str:
        """A digest."""
        self.asked.append(remote.name)
        refs = self.refs.get(remote.name, f"refs of {remote.name}")
        if isinstance(refs, Exception):
            raise refs
        return refs


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """No host: what is looked at is what a sweep makes of their answers."""
    made = Hosts()
    monkeypatch.setattr(listing, "listed", made.listed)
    monkeypatch.setattr(run, "advertised", made.advertised)
    monkeypatch.setattr(Selection, "why_not", lambda self, remote: "excluded" if remote.name in self.exclude else "")
    return made


def swept(store: NotedStore, executor: NotedExecutor, **more: Any) -> NotedWatch:
    """Sweep once."""
    watch = NotedWatch()
    run.sweep(store, executor, plan(*more.pop("targets", ()), **more), watch)
    return watch


class TestTasks:
    """What is fetched and searched."""

    def test_everything_at_first_biggest_first(self, hosts: Hosts) -> None:
        """By what hosts say of sizes, and by what clones took; the biggest are wide."""
        hosts.lists["github:acme"] = [remote("a", size=5), remote("b", size=9 << 20), remote("c", size=65 << 20)]
        store = NotedStore(had={"github.com/a": Known("old", "program", bytes=100 << 20)})
        executor = NotedExecutor()
        watch = swept(store, executor)
        assert [(task.remote.name, task.wide) for task in executor.tasks] == [
            ("acme/a", True),
            ("acme/c", True),
            ("acme/b", False),
        ]
        assert store.committed() == {"acme/a": "searched", "acme/b": "searched", "acme/c": "searched"}
        assert watch.told == [
            ("begun", 7),
            ("listed", "github:acme", 3, 0),
            ("checking", 3),
            ("planned", ["acme/a", "acme/c", "acme/b"]),
            ("done", "acme/a", "searched"),
            ("done", "acme/c", "searched"),
            ("done", "acme/b", "searched"),
            ("ended",),
        ]

    def test_then_only_what_changed(self, hosts: Hosts) -> None:
        """The others are committed as they were, all at once, and no executor is asked."""
        hosts.lists["github:acme"] = [remote(f"r{n}") for n in range(20)]
        store = NotedStore()
        swept(store, NotedExecutor())
        hosts.refs["acme/r3"] = "a push"
        store.calls.clear()
        executor = NotedExecutor()
        swept(store, executor)
        assert [task.remote.name for task in executor.tasks] == ["acme/r3"]
        commits = [sorted(name for name, *_ in rest) for what, *rest in store.calls if what == "commit"]
        assert commits == [sorted(f"acme/r{n}" for n in range(20) if n != 3), ["acme/r3"]]
        assert store.committed() == {f"acme/r{n}": "searched" if n == 3 else "unchanged" for n in range(20)}

    def test_many_that_are_as_they_were_are_committed_in_parts(self, hosts: Hosts) -> None:
        """A transaction has an end, and so has what a kill loses."""
        hosts.lists["github:acme"] = [remote(f"r{n}") for n in range(run.AT_ONCE * 2 + 1)]
        store = NotedStore()
        swept(store, NotedExecutor())
        store.calls.clear()
        swept(store, NotedExecutor())
        assert [len(rest) for what, *rest in store.calls if what == "commit"] == [run.AT_ONCE, run.AT_ONCE, 1]

    @pytest.mark.parametrize(
        "change",
        [
            lambda one: {"remotes": replace(one, readers="public")},
            lambda one: {"settings": replace(SETTINGS, program="another")},
        ],
        ids=["who can read it", "the program"],
    )
    def test_what_else_makes_one(self, hosts: Hosts, change: Callable[[Remote], dict[str, Any]]) -> None:
        """The rank of findings goes by who can read a repository; what is found by the program."""
        one = remote("a", readers="private")
        hosts.lists["github:acme"] = [one]
        store = NotedStore()
        swept(store, NotedExecutor())
        changed = change(one)
        hosts.lists["github:acme"] = [changed.pop("remotes", one)]
        executor = NotedExecutor()
        swept(store, executor, **changed)
        assert [task.remote.name for task in executor.tasks] == ["acme/a"]

    def test_what_is_open_is_verified_again(self, hosts: Hosts) -> None:
        """To see what was revoked; a repository without an open finding is not fetched for that."""
        hosts.lists["github:acme"] = [remote("clean"), remote("leaky")]
        settings = replace(SETTINGS, verify=True)
        store = NotedStore()
        swept(store, NotedExecutor(lambda task: searched(task, findings=({},) if "leaky" in task.remote.name else ())))
        executor = NotedExecutor()
        swept(store, executor, settings=settings)
        assert [task.remote.name for task in executor.tasks] == ["acme/leaky"]

    def test_refs_that_nobody_knows_are_no_reason_to_skip(self, hosts: Hosts) -> None:
        """A repository with a work tree has no digest; one that was not searched whole is tried again."""
        hosts.lists["github:acme"] = [remote("tree"), remote("damaged")]
        hosts.refs["acme/tree"] = ""
        store = NotedStore()
        for _ in range(2):
            executor = NotedExecutor(
                lambda task: replace(searched(task), refs="" if "dam" in task.remote.name else "x")
            )
            swept(store, executor)
            assert sorted(task.remote.name for task in executor.tasks) == ["acme/damaged", "acme/tree"]

    def test_a_repository_of_two_targets_is_looked_at_once(self, hosts: Hosts) -> None:
        """By its id; and by its URL, where a file of URLs names it. The store hears of both targets."""
        other = remote("a", target="github:friends")
        by_url = replace(remote("b", target="urls"), id="https://GitHub.com/acme/b", url="https://GitHub.com/acme/b/")
        hosts.lists = {"github:acme": [remote("a"), remote("b")], "github:friends": [other], "urls": [by_url]}
        store, executor = NotedStore(), NotedExecutor()
        swept(store, executor, targets=("github:acme", "github:friends", "urls"))
        assert [task.remote for task in executor.tasks] == [remote("a"), remote("b")]
        assert ("list", ["acme/a", "acme/b", "acme/a"], []) in store.calls

    def test_a_name_of_it_that_a_filter_takes_counts(self, hosts: Hosts) -> None:
        """The file of URLs does not say who can read it, and its host does: whichever comes first."""
        known = remote("b", readers="private")
        by_url = replace(remote("b", target="urls"), id="https://github.com/acme/b", url="https://github.com/acme/b")
        hosts.lists = {"github:acme": [known], "urls": [by_url]}
        executor = NotedExecutor()
        swept(
            NotedStore(), executor, targets=("urls", "github:acme"), selection=Selection(readers=frozenset({"private"}))
        )
        assert [task.remote for task in executor.tasks] == [known]

    def test_a_target_that_is_named_twice_is_listed_once(self, hosts: Hosts) -> None:
        """Nothing comes twice."""
        hosts.lists = {"github:acme": [remote("a")]}
        watch = swept(NotedStore(), NotedExecutor(), targets=("github:acme", "github:acme"))
        assert watch.told.count(("listed", "github:acme", 1, 0)) == 1

    def test_what_nobody_wants_looked_at_is_listed_all_the_same(self, hosts: Hosts) -> None:
        """Or the store would take it for gone, and its findings for removed."""
        hosts.lists["github:acme"] = [remote("a"), remote("b")]
        store, executor = NotedStore(), NotedExecutor()
        watch = swept(store, executor, selection=Selection(exclude=("acme/b",)))
        assert [task.remote.name for task in executor.tasks] == ["acme/a"]
        assert hosts.asked == ["acme/a"]
        assert ("list", ["acme/a", "acme/b"], []) in store.calls
        assert ("listed", "github:acme", 2, 1) in watch.told


class TestWhatGoesWrong:
    """With one thing the others go on; with the store nothing does."""

    def test_a_repository_that_cannot_be_reached(self, hosts: Hosts) -> None:
        """It failed, whatever it was, and the others are looked at."""
        hosts.lists["github:acme"] = [remote("gone"), remote("odd"), remote("well")]
        hosts.refs |= {"acme/gone": CloneError("there is no such repository", gone=True), "acme/odd": ValueError("x")}
        store = NotedStore()
        swept(store, NotedExecutor())
        assert store.committed() == {"acme/gone": "failed", "acme/odd": "failed", "acme/well": "searched"}
        why = store.why()
        assert why["acme/gone"] == "there is no such repository"
        assert why["acme/odd"].startswith("an error in oakum (ValueError at test_run_flow.py:")

    def test_a_host_that_is_down(self, hosts: Hosts) -> None:
        """After some that cannot be reached it is asked no more; another host is, and so is one that comes back."""
        down = [remote(f"r{n:03}") for n in range(200)]
        up = replace(remote("up"), url="https://git.example.test/up.git")
        hosts.lists["github:acme"] = [*down, up]
        hosts.refs |= {one.name: CloneError("it does not answer", passing=True) for one in down}
        store = NotedStore()
        swept(store, NotedExecutor())
        assert store.committed() == {one.name: "failed" for one in down} | {"acme/up": "searched"}
        assert run.STRIKES <= len(hosts.asked) - 1 < run.STRIKES + run.THREADS
        assert "in a row could not be reached, the last one as it does not answer" in store.why()["acme/r199"]
        hosts.refs = {
            one.name: error for one, error in zip(down, hosts.refs.values(), strict=True) if one.name[-1] < "5"
        }
        hosts.asked.clear()
        swept(store, NotedExecutor())
        assert len(hosts.asked) == 201

    def test_a_host_that_goes_down_while_its_repositories_are_fetched(self, hosts: Hosts) -> None:
        """Those of it that are left are not begun: each would wait for its time-out."""
        away = [remote(f"r{n:03}") for n in range(200)]
        up = replace(remote("zz"), url="https://git.example.test/zz.git")
        hosts.lists["github:acme"] = [*away, up]

        def fetch(task: Task) -> Outcome:
            if task.remote == up:
                return searched(task)
            return Outcome(task.remote, "failed", why="it does not answer", passing=True)

        store, executor = NotedStore(), NotedExecutor(fetch)
        swept(store, executor)
        assert len(executor.tasks) == run.STRIKES + 1
        assert store.committed() == {one.name: "failed" for one in away} | {"acme/zz": "searched"}
        assert "in a row could not be reached, the last one as it does not answer" in store.why()["acme/r199"]

    def test_what_others_were_in_the_way_of_is_tried_once_more(self, hosts: Hosts) -> None:
        """When all others are done, one at a time; nobody hears of the first time."""
        hosts.lists["github:acme"] = [remote(name) for name in ("blocked", "for-good", "gone", "well")]
        tries: Counter[str] = Counter()

        def blocked(task: Task) -> Outcome:
            name = task.remote.name
            tries[name] += 1
            if name == "acme/for-good" or (name in ("acme/blocked", "acme/gone") and tries[name] == 1):
                return Outcome(task.remote, "failed", why=f"no room, {tries[name]}", again=True)
            return Outcome(task.remote, "failed", why="gone") if name == "acme/gone" else searched(task)

        store, executor = NotedStore(), NotedExecutor(blocked)
        watch = swept(store, executor)
        assert [(task.remote.name, task.wide) for task in executor.tasks] == [
            ("acme/blocked", False),
            ("acme/for-good", False),
            ("acme/gone", False),
            ("acme/well", False),
            ("acme/blocked", True),
            ("acme/for-good", True),
            ("acme/gone", True),
        ]
        assert [rest for what, *rest in store.calls if what == "commit"] == [
            [("acme/well", "searched", "")],
            [("acme/blocked", "searched", "")],
            [("acme/for-good", "failed", "no room, 2")],
            [("acme/gone", "failed", "gone")],
        ]
        assert sum(what == "done" for what, *_ in watch.told) == 4

    def test_a_login_that_ends_in_the_middle(self, hosts: Hosts) -> None:
        """It was taken, and is not any more: the host does not hear it for each of a thousand repositories."""
        hosts.lists["github:acme"] = [remote(f"r{n:03}") for n in range(200)]
        hosts.refs |= {
            f"acme/r{n:03}": CloneError("it answers 401", gone=True, login=True) for n in range(run.THREADS, 200)
        }
        store = NotedStore()
        swept(store, NotedExecutor())
        assert len(hosts.asked) < 2 * run.THREADS + run.STRIKES + 1
        assert "it answers 401" in store.why()["acme/r199"]

    def test_a_target_that_cannot_be_listed(self, hosts: Hosts) -> None:
        """What was listed before counts, and so do the other targets; the store hears that something is missing."""
        hosts.lists = {
            "github:acme": [remote("a"), OakumError("it answers 500")],
            "github:odd": [KeyError("x")],
            "github:well": [remote("b", target="github:well"), Unlisted("github:well", "page 7 is damaged")],
        }
        store = NotedStore()
        watch = swept(store, NotedExecutor(), targets=tuple(hosts.lists))
        assert ("list", ["acme/a", "acme/b"], ["github:acme", "github:odd", "github:well"]) in store.calls
        assert store.committed() == {"acme/a": "searched", "acme/b": "searched"}
        told = {name: why for what, name, why in (one for one in watch.told if one[0] == "unlisted")}
        assert told["github:acme"] == "it answers 500"
        assert told["github:odd"].startswith("an error in oakum (KeyError at test_run_flow.py:")
        assert told["github:well"] == "page 7 is damaged"

    def test_a_host_that_is_asked_without_a_token(self, hosts: Hosts) -> None:
        """It does not say that there is more than it lists."""
        hosts.lists = {"github:acme": [remote("a")], "folder:here": [remote("b")]}
        watch = swept(NotedStore(), NotedExecutor(), targets=("github:acme", "folder:here"), login=nobody)
        assert [told for told in watch.told if told[0] == "note"] == [
            ("note", "github:acme: it was asked without a token, and lists what everybody can see")
        ]

    def test_a_target_without_repositories(self, hosts: Hosts) -> None:
        """It is said: with a token that is too weak hosts list nothing, and nothing must be taken for gone."""
        hosts.lists["github:acme"] = []
        store = NotedStore()
        watch = swept(store, NotedExecutor())
        assert ("unlisted", "github:acme", listing.NOTHING) in watch.told
        assert ("list", [], ["github:acme"]) in store.calls
        assert store.calls[-1][0] == "finish"

    def test_a_host_that_lists_without_end(self, hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody has so many."""
        monkeypatch.setattr(listing, "MOST", 3)
        hosts.lists["github:acme"] = [remote(f"r{n}") for n in range(9)]
        store = NotedStore()
        swept(store, NotedExecutor())
        assert ("list", ["acme/r0", "acme/r1", "acme/r2"], ["github:acme"]) in store.calls

    def test_a_task_of_which_no_worker_tells_anything(self, hosts: Hosts) -> None:
        """It failed; one that is told twice, or was no task, counts not again."""
        hosts.lists["github:acme"] = [remote("lost"), remote("well")]
        stray = Outcome(remote("stray"), "searched")

        class Odd(NotedExecutor):
            def run(self, tasks: Any) -> Iterator[Outcome]:
                for task in tasks:
                    if "well" in task.remote.name:
                        yield from (searched(task), stray, searched(task))

        store = NotedStore()
        swept(store, Odd())
        assert [rest for what, *rest in store.calls if what == "commit"] == [
            [("acme/well", "searched", "")],
            [("acme/lost", "failed", run.UNANSWERED)],
        ]

    def test_a_store_that_is_full(self, hosts: Hosts) -> None:
        """The sweep ends with its message, workers end, the lock is free, and what was committed stays."""
        hosts.lists["github:acme"] = [remote("a"), remote("b"), remote("c")]
        store, executor = NotedStore(full_after=1), NotedExecutor()
        with pytest.raises(StoreError, match="the disk is full"):
            swept(store, executor)
        assert (store.committed(), executor.ended, store.held) == ({"acme/a": "searched"}, True, False)

    @pytest.mark.parametrize("what", [KeyboardInterrupt(), StoreError("the disk is full")])
    def test_news_are_told_before_messages_go_out(self, hosts: Hosts, what: BaseException) -> None:
        """Those take time, and may be stopped, or go wrong: the news are there all the same."""
        hosts.lists["github:acme"] = [remote("a")]
        told: list[News] = []

        def deliver(_store: object) -> None:
            assert len(told) == 1
            raise what

        store = NotedStore()
        watch = swept(store, NotedExecutor(), tell=told.append, deliver=deliver)
        assert [note for kind, note in (one for one in watch.told if one[0] == "note")]
        assert store.calls[-1][0] == "finish"

    def test_a_sweep_that_is_stopped(self, hosts: Hosts) -> None:
        """Nothing is finished: the next one takes up what is left."""
        hosts.lists["github:acme"] = [remote("a"), remote("b"), remote("c")]

        def stop(task: Task) -> Outcome:
            if "b" in task.remote.name:
                raise KeyboardInterrupt
            return searched(task)

        store, executor = NotedStore(), NotedExecutor(stop)
        with pytest.raises(KeyboardInterrupt):
            swept(store, executor)
        assert (store.committed(), executor.ended, store.held) == ({"acme/a": "searched"}, True, False)
        assert "finish" not in [what for what, *_ in store.calls]
        executor = NotedExecutor()
        swept(store, executor)
        assert [task.remote.name for task in executor.tasks] == ["acme/b", "acme/c"]

    def test_two_at_once(self, hosts: Hosts) -> None:
        """The second hears who has the store, and changes nothing in it."""
        store = NotedStore(held=True)
        with pytest.raises(StoreError, match="another sweep has it"):
            swept(store, NotedExecutor())
        assert store.calls == []


class TestTheEnd:
    """What comes when all is committed."""

    def test_news_are_sent_while_the_lock_is_held(self, hosts: Hosts) -> None:
        """So that no other process sends them, too."""
        hosts.lists["github:acme"] = [remote("a")]
        seen: list[bool] = []
        store = NotedStore()
        swept(store, NotedExecutor(), hooks=("slack:X",), min_band="high", deliver=lambda it: seen.append(it.held))  # type: ignore[attr-defined]
        assert seen == [True]
        assert store.calls[-1] == ("finish", [], ["slack:X"], "high")


class TestDigests:
    """What is compared to know whether a search would give anything new."""

    def test_settings_that_decide_what_is_found(self) -> None:
        """Each gives another digest; what does not decide it, the same."""
        entry = Suppression("ours", path="tests/**")
        ended = Suppression("ours", path="old/**", expires=date(2026, 12, 31))
        digests = [
            program_of(settings, installed)
            for settings, installed in (
                (SETTINGS, "1"),
                (SETTINGS, "2"),
                (replace(SETTINGS, max_size=1), "1"),
                (replace(SETTINGS, markers=True), "1"),
                (replace(SETTINGS, min_band="high"), "1"),
                (replace(SETTINGS, suppressions=(entry,)), "1"),
            )
        ]
        assert len(set(digests)) == len(digests)
        same = [
            replace(SETTINGS, jobs=9, engine="vector", cache="/c"),
            replace(SETTINGS, suppressions=(ended,)),
        ]
        assert {program_of(one, "1") for one in same} == {digests[0]}
        reworded = replace(SETTINGS, suppressions=(replace(entry, reason="of tests", by="Ada"),))
        assert program_of(reworded, "1") == digests[-1]

    def test_refs_that_are_not_known_have_no_digest(self) -> None:
        """Whoever can read them."""
        assert stamp("", remote("a")) == ""
        assert stamp("1", remote("a")) != stamp("1", remote("a", readers="public"))
