"""What a store tells: which findings, by what is asked; their history; one by its id or fingerprint; figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from oakum.scanner.errors import UsageError
from oakum.scanner.store import StoreError, Wanted, reading
from oakum.scanner.store.sql import SqlStore
from sweeping import (
    ACME,
    LIVE,
    day,
    failed,
    found,
    opened,
    remote,
    searched,
    secret,
    sweep,
    told,
    unchanged,
)

WEB, API = remote("acme/web", team="Shop"), remote("acme/api", team="Core")


@pytest.fixture
def store(where: str) -> Iterator[SqlStore]:
    made = opened(where)
    sweep(made, 1, searched(WEB, found("a", kind="password", band="low"), found("b", owners=["ben"])), searched(API))
    sweep(made, 2, unchanged(WEB), searched(API, found("c", "history", band="critical"), found("b", verdict=LIVE)))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), "cba"),
        (Wanted(states=frozenset({"open"})), "ba"),
        (Wanted(states=frozenset({"fixed in head", "removed"})), "c"),
        (Wanted(repository="acme/a*"), "cb"),
        (Wanted(repository="acme/a"), ""),
        (Wanted(team="Core"), "cb"),
        (Wanted(kind="password"), "a"),
        (Wanted(owner="ben"), "b"),
        (Wanted(band="high"), "cb"),
        (Wanted(band="critical"), "c"),
        (Wanted(since=day(2)), "c"),
        (Wanted(finding=secret("b").fingerprint()), "b"),
        (Wanted(band="high", team="Shop"), "b"),
    ],
)
def test_findings_are_told_worst_first_as_they_are_asked_for(store: SqlStore, wanted: Wanted, names: str) -> None:
    """All that is asked must hold."""
    masks = {secret(name).mask(): name for name in "abc"}
    assert "".join(masks[kept.secret] for kept in store.findings(wanted)) == names


def test_a_finding_is_found_by_the_beginning_of_its_id(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """In capitals too; not by less than four digits, nor by what is none."""
    worst = next(store.findings(Wanted()))
    assert [k.id for k in store.findings(Wanted(finding=worst.id[:5].upper()))] == [worst.id]
    for wrong, why in [
        ("abc", "is neither a fingerprint nor the beginning of an id"),
        ("%", "is neither a fingerprint nor"),
        ("x\x1b[1m" * 3, "is neither a fingerprint nor"),
        ("0" * 64, "no finding is called 0000"),
        ("a" * 26, "no finding is called aaaa"),
        ("", "is neither"),
    ]:
        with pytest.raises(UsageError, match=why) as caught:
            store.decide(wrong, "accepted", "why not", "ann", day(3), None)
        assert "\x1b" not in str(caught.value)
    sweep(store, 3, unchanged(API), searched(WEB, *(found(f"n{n}") for n in range(17))))
    monkeypatch.setattr(reading, "SHORTEST", 1)
    ((digit, _),) = Counter(kept.id[0] for kept in store.findings(Wanted())).most_common(1)
    with pytest.raises(UsageError, match=f"{digit} is the beginning of several findings: write more of it"):
        list(store.findings(Wanted(finding=digit)))


def test_a_decision_has_a_reason_and_a_time_to_come(store: SqlStore) -> None:
    """And a state that somebody can give."""
    mark = secret("a").fingerprint()
    with pytest.raises(UsageError, match="say why"):
        store.decide(mark, "accepted", " ", "ann", day(3), None)
    with pytest.raises(UsageError, match="is over already"):
        store.decide(mark, "accepted", "x", "ann", day(3), day(2))
    with pytest.raises(UsageError, match="not as revoked"):
        store.decide(mark, "revoked", "x", "ann", day(3), None)


def test_the_history_is_told_newest_first(store: SqlStore) -> None:
    """Of all, of a sweep, of a finding."""
    masks = {secret(name).mask(): name for name in "abc"}
    changes = [(event.sweep, event.change, masks[kept.secret]) for event, kept in store.history(Wanted())]
    assert sorted(changes[:3]) == [(2, "new", "c"), (2, "spread", "b"), (2, "worse", "b")]
    assert sorted(changes[3:]) == [(1, "new", "a"), (1, "new", "b")]
    assert len(list(store.history(Wanted(), 1))) == 2
    assert [e.change for e, _ in store.history(Wanted(finding=secret("b").fingerprint()))][-1] == "new"


def test_reading_goes_on_over_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small portions nothing is lost or doubled, whatever scores are equal."""
    monkeypatch.setattr(reading, "CHUNK", 3)
    monkeypatch.setattr(reading, "_AT_ONCE", 2)
    monkeypatch.setattr(reading, "MOST_NEWS", 4)
    store = opened(tmp_path / "store.db")
    names = [f"n{n}" for n in range(13)]
    bands = ["low", "high", "high", "critical"]
    news = sweep(store, 1, searched(WEB, *(found(n, band=bands[i % 4]) for i, n in enumerate(names))))
    assert [kept.band for _, kept in news.changes] == ["critical"] * 3 + ["high"]
    assert news.counts["new"] == 13
    masks = [kept.secret for kept in store.findings(Wanted())]
    assert sorted(masks) == sorted(secret(n).mask() for n in names)
    assert [k.score for k in store.findings(Wanted())] == sorted(
        (k.score for k in store.findings(Wanted())), reverse=True
    )
    assert sorted(k.secret for _, k in store.history(Wanted())) == sorted(masks)
    store.close()


def test_figures_of_a_sweep_and_of_the_store(store: SqlStore) -> None:
    """Fit for JSON."""
    import json

    news = sweep(store, 3, failed(WEB), unchanged(API), min_band="high")
    assert {name: number for name, number in news.counts.items() if number} == {
        "repositories": 2,
        "unchanged": 1,
        "failed": 1,
        "findings": 3,
        "critical": 1,
        "high": 1,
        "low": 1,
    }
    status = json.loads(json.dumps(store.status()))
    assert [(s["sweep"], s["targets"], s["attempts"]) for s in status["sweeps"]] == [(n, [ACME], 1) for n in (3, 2, 1)]
    assert status["findings"]["states"] == {
        "open": 2,
        "reopened": 0,
        "fixed in head": 1,
        "removed": 0,
        "not reported": 0,
        "revoked": 0,
        "accepted": 0,
        "false positive": 0,
    }
    assert status["repositories"] == {"known": 2, "gone": 0, "failing": 1}


def test_a_sweep_goes_on_only_with_its_own_targets(store: SqlStore) -> None:
    """In whatever order they are named; one that ended, or never was, takes nothing."""
    third = store.begin(["b", "a"], day(3))
    assert (third, store.begin(["a", "b", "a"], day(3))) == (3, 3)
    assert store.begin(["a"], day(3)) == 4
    assert store.begin(["a", "b"], day(3)) == 5
    assert [s["attempts"] for s in store.status()["sweeps"]][:3] == [1, 1, 2]
    for number, why in ((1, "sweep 1 has ended"), (9, "sweep 9 is none of this store")):
        with pytest.raises(StoreError, match=why):
            store.commit(number, [searched(WEB)], day(3))
        with pytest.raises(StoreError, match=why):
            store.finish(number, (), (), "low", day(3))


def test_what_an_abandoned_sweep_committed_is_told_by_the_next_that_ends(store: SqlStore) -> None:
    """Whatever its targets: nothing is lost."""
    number = store.begin(["one"], day(3))
    store.commit(number, [searched(remote("acme/x", target="one"), found("x"))], day(3))
    news = sweep(store, 4, unchanged(WEB), unchanged(API))
    assert (told(news), news.changes[0][1].secret) == ([("new", "", "open")], secret("x").mask())


def test_what_is_left_out_fails_no_more(where: str) -> None:
    """A repository failed, and is excluded since: nobody has to look after it. Another target's failure stays."""
    store = opened(where)
    web, api = remote("acme/web"), remote("acme/api")
    other = remote("core/db", target="gitlab:core")
    sweep(store, 1, searched(web), failed(api))
    sweep(store, 2, failed(other), targets=["gitlab:core"])
    assert {one["repository"] for one in store.status()["failing"]} == {"acme/api", "core/db"}
    sweep(store, 3, unchanged(web), listed=[web, api])
    assert {one["repository"] for one in store.status()["failing"]} == {"core/db"}
    assert store.status()["repositories"]["failing"] == 1
