"""A target that is forgotten: what the store has of it alone goes, and all that somebody else lists stays as it is."""

from __future__ import annotations

import pytest
from oakum.scanner.errors import UsageError
from oakum.scanner.store import Wanted
from oakum.scanner.store.schema import tables
from sqlalchemy import func, select
from sweeping import ACME, day, dump, found, opened, remote, searched, sweep, told, unchanged

OTHER = "gitlab:other"
LONG = "/srv/" + "x" * 500
WEB, LIB = remote("acme/web"), remote("other/lib", OTHER)


def test_the_store_is_as_if_the_target_had_never_been(where: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """But for the numbers of events, and what the sweeps counted."""
    store, without = opened(where), opened(tmp_path_factory.mktemp("without") / "store.db")
    sweep(store, 1, searched(WEB, found("web")), searched(LIB, found("lib"), found("gone")), targets=[ACME, OTHER])
    sweep(without, 1, searched(LIB, found("lib"), found("gone")), targets=[ACME, OTHER])
    sweep(store, 2, unchanged(WEB), searched(LIB, found("lib")), targets=[ACME, OTHER])
    sweep(without, 2, searched(LIB, found("lib")), targets=[ACME, OTHER])
    for each in (store, without):
        name = next(each.findings(Wanted(states=frozenset({"open"})))).id
        each.decide(name, "accepted", "why", "ann", day(2), None) if each is without else None
    (web,) = store.findings(Wanted(repository="acme/*"))
    (lib,) = store.findings(Wanted(repository="other/*", states=frozenset({"open"})))
    store.decide(web.id, "false positive", "why", "ann", day(2), None)
    store.decide(lib.id, "accepted", "why", "ann", day(2), None)
    would, did = store.forget([ACME], really=False), store.forget([ACME], really=True)
    assert (would.remotes, would.findings) == (did.remotes, did.findings) == ((WEB.id,), 1)
    ours, theirs = dump(store, numbers=False), dump(without, numbers=False)
    for table in ("repositories", "listings", "findings", "presences", "events"):
        assert ours[table] == theirs[table]
    assert len(ours["decisions"]) == 1
    assert told(sweep(store, 3, unchanged(LIB), targets=[OTHER])) == []
    store.close()
    without.close()


def test_what_is_elsewhere_too_stays_there(where: str) -> None:
    """A repository that another target lists; a finding that another repository has, or had."""
    store = opened(where)
    both = remote("acme/both")
    listed = [WEB, LIB, both, remote("acme/both", OTHER)]
    outcomes = [searched(WEB, found("one")), searched(LIB, found("one")), searched(both, found("two"))]
    sweep(store, 1, *outcomes, targets=[ACME, OTHER], listed=listed)
    gone = store.forget([ACME], really=True)
    assert (gone.remotes, gone.findings) == ((WEB.id,), 0)
    assert sorted(each.repositories for each in store.findings(Wanted())) == [("acme/both",), ("other/lib",)]
    later = sweep(store, 2, unchanged(LIB), unchanged(remote("acme/both", OTHER)), targets=[OTHER])
    assert told(later) == []
    assert sorted(each.state for each in store.findings(Wanted())) == ["open", "open"]
    store.close()


def test_one_whose_last_place_is_forgotten_is_told_as_fixed_where_it_was(where: str) -> None:
    """Where another repository had it once, its history is kept."""
    store = opened(where)
    sweep(store, 1, searched(WEB, found("one")), searched(LIB, found("one")), targets=[ACME, OTHER])
    sweep(store, 2, unchanged(WEB), searched(LIB), targets=[ACME, OTHER])
    assert store.forget([ACME], really=True).findings == 0
    assert told(sweep(store, 3, unchanged(LIB), targets=[OTHER])) == [("fixed", "open", "removed")]
    store.close()


def test_all_that_there_is(where: str) -> None:
    """With the last target goes what no target lists any more; the next sweep begins anew, and has its number."""
    store = opened(where)
    folder = remote("api", LONG)
    sweep(store, 1, searched(folder, found("one")), searched(remote("old", LONG), found("old")), targets=[LONG])
    for night in (2, 3):
        sweep(store, night, unchanged(folder), targets=[LONG])
    assert store.status()["repositories"] == {"known": 1, "gone": 1, "failing": 0}
    assert store.forget([LONG], really=True).findings == 2
    with store._place.reading() as c:
        left = {each.name: c.scalar(select(func.count()).select_from(each)) for each in tables.sorted_tables}
    assert {name for name, count in left.items() if count} == {"meta", "sweeps"}
    assert told(sweep(store, 4, searched(folder, found("one")), targets=[LONG])) == [("new", "", "open")]
    store.close()


def test_a_target_that_is_not_known_is_told(where: str) -> None:
    """With those that are, safe to print; nothing is done."""
    store = opened(where)
    sweep(store, 1, searched(WEB, found("one")))
    with pytest.raises(UsageError, match=r"listed by github:\\x1b; the store has those of: github:acme"):
        store.forget([ACME, "github:\x1b"], really=True)
    assert len(list(store.findings(Wanted()))) == 1
    store.close()
