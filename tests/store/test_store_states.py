"""What becomes of findings, sweep by sweep: states, what is told, and of which band."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from oakum.scanner.store import Wanted
from oakum.scanner.store.sql import SqlStore
from oakum.scanner.swept import Kept, Suppressed, Unlisted
from sweeping import (
    ACME,
    DEAD,
    EXPIRED,
    LIVE,
    UNKNOWN,
    day,
    failed,
    found,
    opened,
    remote,
    renamed,
    searched,
    secret,
    sweep,
    told,
    unchanged,
)

WEB, API, APP = remote("acme/web"), remote("acme/api"), remote("acme/app")


@pytest.fixture
def store(where: str) -> Iterator[SqlStore]:
    made = opened(where)
    yield made
    made.close()


def the(store: SqlStore) -> Kept:
    """The only finding."""
    (only,) = store.findings(Wanted())
    return only


def test_a_finding_is_new_once(store: SqlStore) -> None:
    """And open as long as a branch has it."""
    assert told(sweep(store, 1, searched(WEB, found("one")))) == [("new", "", "open")]
    assert told(sweep(store, 2, unchanged(WEB))) == []
    assert told(sweep(store, 3, searched(WEB, found("one", "branch"), refs="r2"))) == []
    assert (the(store).state, the(store).first_seen, the(store).last_seen) == ("open", day(1), day(3))


def test_what_is_in_history_only_is_fixed_in_head_from_the_beginning(store: SqlStore) -> None:
    """It is new all the same: every clone has it."""
    assert told(sweep(store, 1, searched(WEB, found("one", "unreachable", "history")))) == [
        ("new", "", "fixed in head")
    ]
    assert told(sweep(store, 2, searched(WEB, found("one", "history", "branch")))) == [
        ("reopened", "fixed in head", "reopened")
    ]


def test_fixed_removed_and_back_again(store: SqlStore) -> None:
    """What counts again is reopened, and stays so."""
    sweep(store, 1, searched(WEB, found("one")))
    assert told(sweep(store, 2, searched(WEB, found("one", "history")))) == [("fixed", "open", "fixed in head")]
    assert told(sweep(store, 3, searched(WEB))) == [("fixed", "fixed in head", "removed")]
    assert (the(store).state, the(store).repositories, the(store).last_seen) == ("removed", ("acme/web",), day(2))
    assert told(sweep(store, 4, searched(WEB, found("one", "history")))) == [("reopened", "removed", "fixed in head")]
    assert told(sweep(store, 5, searched(WEB, found("one")))) == [("reopened", "fixed in head", "reopened")]
    assert told(sweep(store, 6, unchanged(WEB))) == []
    assert (the(store).state, the(store).first_seen) == ("reopened", day(1))


def test_one_place_in_head_is_enough_to_be_open(store: SqlStore) -> None:
    """Whatever other repositories have."""
    sweep(store, 1, searched(WEB, found("one")), searched(API, found("one")))
    assert told(sweep(store, 2, searched(WEB, found("one", "history")), unchanged(API))) == []
    assert told(sweep(store, 3, unchanged(WEB), searched(API))) == [("fixed", "open", "fixed in head")]


def test_revoked_is_what_a_provider_says(store: SqlStore) -> None:
    """Not a date; and not knowing takes nothing back."""
    sweep(store, 1, searched(WEB, found("one", verdict=LIVE, band="critical")))
    assert told(sweep(store, 2, searched(WEB, found("one", verdict=EXPIRED, band="critical")))) == []
    assert told(sweep(store, 3, searched(WEB, found("one", verdict=UNKNOWN, band="critical")))) == []
    assert told(sweep(store, 4, searched(WEB, found("one", verdict=DEAD, band="low")))) == [
        ("revoked", "open", "revoked")
    ]
    for night, verdict in enumerate((UNKNOWN, EXPIRED), 5):
        assert told(sweep(store, night, searched(WEB, found("one", verdict=verdict, band="low")))) == []
        assert (the(store).state, the(store).verdict) == ("revoked", DEAD)
    assert told(sweep(store, 7, searched(WEB))) == []
    assert the(store).state == "revoked"
    assert told(sweep(store, 8, searched(WEB, found("one", verdict=LIVE, band="critical")))) == [
        ("reopened", "revoked", "reopened")
    ]


def test_live_somewhere_outweighs_dead_elsewhere(store: SqlStore) -> None:
    """Of one sweep; a later one that says dead is believed."""
    sweep(store, 1, searched(WEB, found("one", verdict=DEAD)), searched(API, found("one", verdict=LIVE)))
    assert (the(store).state, the(store).verdict) == ("open", LIVE)
    sweep(store, 2, searched(WEB, found("one", verdict=UNKNOWN)), searched(API, found("one", verdict=UNKNOWN)))
    assert (the(store).state, the(store).verdict) == ("open", LIVE)
    sweep(store, 3, searched(WEB, found("one", verdict=LIVE)), searched(API, found("one", verdict=LIVE)))
    sweep(store, 4, unchanged(WEB), searched(API, found("one", verdict=DEAD)))
    assert (the(store).state, the(store).verdict) == ("revoked", DEAD)


def test_the_news_of_a_revoked_one_are_as_urgent_as_it_was(store: SqlStore) -> None:
    """Its band is low now, which would hide that something critical is done with."""
    sweep(store, 1, searched(WEB, found("one", verdict=LIVE, band="critical")))
    news = sweep(store, 2, searched(WEB, found("one", verdict=DEAD, band="low")), min_band="critical")
    assert [(event.change, kept.band) for event, kept in news.changes] == [("revoked", "low")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"band": "medium"}, {"band": "high"}, [("worse", "medium", "high")]),
        ({}, {"verdict": LIVE}, [("worse", "unknown", "live")]),
        ({"band": "high"}, {"band": "medium"}, []),
    ],
)
def test_worse_is_told_and_better_is_not(
    store: SqlStore, before: dict[str, Any], after: dict[str, Any], expected: list[Any]
) -> None:
    """The history has both."""
    sweep(store, 1, searched(WEB, found("one", **before)))
    assert told(sweep(store, 2, searched(WEB, found("one", **after)))) == expected
    changes = [event.change for event, _ in store.history(Wanted(), 2)]
    assert changes == ([expected[0][0]] if expected else ["better"])


def test_a_repository_that_becomes_public_makes_its_findings_worse(store: SqlStore) -> None:
    """Even if nothing in it changed; and only once."""
    private = renamed(WEB, readers="private")
    public = renamed(WEB, readers="public")
    sweep(store, 1, searched(private, found("one")), searched(API, found("two")))
    assert told(sweep(store, 2, unchanged(public), unchanged(API))) == [("worse", "private", "public")]
    assert told(sweep(store, 3, unchanged(public), unchanged(API))) == []


def test_a_secret_that_comes_to_other_repositories_spreads(store: SqlStore) -> None:
    """Each of them is told, up to a bound; of a new one none is."""
    others = [remote(f"acme/fork{n:02}") for n in range(12)]
    sweep(store, 1, searched(WEB, found("one")), searched(API, found("one")))
    assert (
        len(told(sweep(store, 2, unchanged(WEB), unchanged(API), *(searched(o, found("one")) for o in others)))) == 11
    )
    changes = [(event.change, event.after) for event, _ in store.history(Wanted(), 2)][::-1]
    assert changes == [*(("spread", f"acme/fork{n:02}") for n in range(10)), ("spread", "2 more repositories")]


def test_a_secret_in_several_repositories_is_one_finding_as_bad_as_its_worst(store: SqlStore) -> None:
    """With all of its owners, and a place of each repository."""
    worse = found("one", "history", band="critical", summary="an admin's token", owners=["@acme/ops"])
    sweep(store, 1, searched(renamed(WEB, team="Shop"), found("one")), searched(API, worse))
    kept = the(store)
    assert (kept.band, kept.score, kept.summary) == ("critical", 90, "an admin's token")
    assert (kept.repositories, kept.teams) == (("acme/api", "acme/web"), ("Shop",))
    assert kept.owners == ("@acme/ops", "@acme/web")
    assert [place["repository"] for place in kept.places] == ["acme/api", "acme/web"]
    sweep(store, 2, unchanged(renamed(WEB, team="Shop")), searched(API))
    assert (the(store).band, the(store).summary) == ("high", "GitHub personal access token")


def test_a_repository_that_fails_keeps_what_it_had(store: SqlStore) -> None:
    """It is told with the reason, and since when it fails; a sweep that tries again counts once."""
    sweep(store, 1, searched(WEB, found("one")))
    news = sweep(store, 2, failed(WEB), failed(WEB))
    assert (told(news), news.failed, news.complete) == ([], (("acme/web", "the server is gone: try again"),), False)
    sweep(store, 3, failed(WEB))
    assert store.status()["failing"] == [
        {
            "repository": "acme/web",
            "why": "the server is gone: try again",
            "since": day(2).isoformat(),
            "sweeps": 2,
        }
    ]
    assert (the(store).state, the(store).last_seen) == ("open", day(1))
    assert sweep(store, 4, unchanged(WEB)).failed == ()
    assert (store.status()["failing"], the(store).last_seen) == ([], day(4))


def test_a_search_that_was_not_whole_takes_nothing_away(store: SqlStore) -> None:
    """What it did not see may be there; it is searched again, whatever its refs."""
    from oakum.scanner.model import NotScanned

    missing = (NotScanned(b"object 1234", "is missing"), NotScanned(b"big.iso", "is too large", policy=True))
    sweep(store, 1, searched(WEB, found("one")))
    assert store.known()[WEB.id].refs == "r1"
    news = sweep(store, 2, searched(WEB, found("two"), not_scanned=missing, refs="r2"))
    assert (told(news), news.failed) == (
        [("new", "", "open")],
        (("acme/web", "not searched: object 1234: is missing"),),
    )
    assert (store.known()[WEB.id].refs, store.known()[WEB.id].open) == ("", 2)
    assert told(sweep(store, 3, searched(WEB, found("two"), not_scanned=missing[1:]))) == [("fixed", "open", "removed")]


def test_what_is_not_listed_any_more_is_gone(store: SqlStore) -> None:
    """Not after one night, as hosts let one slip between two pages; it is searched anew if it comes back."""
    sweep(store, 1, searched(WEB, found("one")), searched(API, found("two")))
    assert told(sweep(store, 2, unchanged(API))) == []
    assert told(sweep(store, 3, unchanged(WEB), unchanged(API))) == []
    assert told(sweep(store, 4, unchanged(API))) == []
    assert told(sweep(store, 5, unchanged(API))) == [("fixed", "open", "removed")]
    assert set(store.known()) == {API.id}
    sweep(store, 6, unchanged(API), searched(WEB, found("one")))
    assert {k.state for k in store.findings(Wanted(repository="acme/web"))} == {"reopened"}


def test_many_that_are_missing_at_a_time_are_not_gone_for_long(store: SqlStore) -> None:
    """A token that sees less lists as well as one that sees all: that is told each night, and believed in a week."""
    many = [remote(f"acme/r{number:02}") for number in range(30)]
    sweep(store, 1, *(searched(one, found(one.name)) for one in many))
    left = many[:12]
    for number in range(2, 8):
        news = sweep(store, number, *map(unchanged, left))
        assert (told(news), news.complete) == ([], False)
        (part,) = news.unlisted
        assert part.why.startswith("18 of the 30 repositories that it had are missing")
        assert part.why.endswith(f"gone after {8 - number} more sweeps")
    assert len(told(sweep(store, 8, *map(unchanged, left)))) == 18
    assert sweep(store, 9, *map(unchanged, left)).complete


def test_a_sweep_that_is_begun_again_counts_what_is_missing_once(store: SqlStore) -> None:
    """However often it was killed."""
    sweep(store, 1, searched(WEB, found("one")), searched(API, found("two")))
    for _ in range(3):
        running = store.begin([ACME], day(2))
        store.list(running, [API], (), day(2))
    store.commit(running, [unchanged(API)], day(2))
    assert told(store.finish(running, (), [], "low", day(2))) == []


def test_a_target_that_was_not_listed_whole_loses_nothing(store: SqlStore) -> None:
    """Nor does one that this sweep does not look at, nor what another target lists still."""
    other = renamed(API, target="github:other")
    sweep(store, 1, searched(WEB, found("one")), searched(API, found("two")))
    part = (Unlisted(ACME, "page 3 could not be read"),)
    news = sweep(store, 2, unchanged(API), unlisted=part)
    assert (told(news), tuple(news.unlisted), news.complete) == ([], part, False)
    assert told(sweep(store, 3, unchanged(other), targets=("github:other",))) == []
    assert told(sweep(store, 4, listed=[], targets=(ACME,))) == []
    assert told(sweep(store, 5, listed=[], targets=(ACME,))) == [("fixed", "open", "removed")]
    assert set(store.known()) == {API.id}
    assert told(sweep(store, 6, listed=[], targets=("github:other",))) == []
    assert told(sweep(store, 7, listed=[], targets=("github:other",))) == [("fixed", "open", "removed")]


def test_a_renamed_repository_is_the_same(store: SqlStore) -> None:
    """Its findings go with it, and nothing has spread."""
    sweep(store, 1, searched(WEB, found("one")))
    assert told(sweep(store, 2, unchanged(renamed(WEB, name="acme/shop")))) == []
    assert the(store).repositories == ("acme/shop",)


def test_one_that_came_and_went_between_two_ends_is_told(store: SqlStore) -> None:
    """It was there, and whoever saw it has it."""
    running = store.begin([ACME], day(1))
    store.list(running, [WEB], (), day(1))
    store.commit(running, [searched(WEB, found("one"))], day(1))
    assert told(sweep(store, 2, searched(WEB, refs="r2"))) == [("new", "", "removed"), ("fixed", "", "removed")]


def test_an_accepted_finding_counts_no_more_until_it_expires(store: SqlStore) -> None:
    """It is told when it counts again, and not that it was accepted."""
    sweep(store, 1, searched(WEB, found("one")))
    kept = store.decide(the(store).id[:6], "accepted", "only a test", "ann", day(1), day(3))
    assert (kept.state, dict(kept.decision)) == (
        "accepted",
        {"state": "accepted", "reason": "only a test", "by": "ann", "expires": day(3).isoformat()},
    )
    assert store.known()[WEB.id].open == 0
    assert told(sweep(store, 2, unchanged(WEB))) == []
    assert told(sweep(store, 3, unchanged(WEB))) == [("reopened", "accepted", "reopened")]
    assert the(store).state == "reopened"


def test_a_finding_that_is_marked_open_is_reopened(store: SqlStore) -> None:
    """At once, by the fingerprint too; the history says when."""
    sweep(store, 1, searched(WEB, found("one")))
    mark = secret("one").fingerprint()
    assert store.decide(mark, "false positive", "made up", "ann", day(1), None).state == "false positive"
    assert store.decide(mark, "open", "", "ben", day(2), None).state == "reopened"
    assert [(e.sweep, e.change, e.before, e.after) for e, _ in store.history(Wanted())] == [
        (0, "reopened", "false positive", "reopened"),
        (0, "false positive", "open", "false positive"),
        (1, "new", "", "open"),
    ]
    assert told(sweep(store, 3, unchanged(WEB))) == []


def test_what_the_configuration_accepts_is_not_new(store: SqlStore) -> None:
    """As long as it does."""
    mark = secret("one").fingerprint()
    entry = Suppressed(mark, "the vendor's sample", "ann", date(2027, 3, 3))
    assert told(sweep(store, 1, searched(WEB, found("one")), accepted=[entry])) == []
    assert (the(store).state, dict(the(store).decision)) == (
        "accepted",
        {"state": "accepted", "reason": "the vendor's sample", "by": "ann", "expires": "2027-03-03"},
    )
    assert told(sweep(store, 2, unchanged(WEB), accepted=[entry])) == []
    assert told(sweep(store, 3, unchanged(WEB), accepted=[entry])) == [("reopened", "accepted", "reopened")]
    again = Suppressed(mark, "again")
    assert told(sweep(store, 4, unchanged(WEB), accepted=[again])) == []
    assert the(store).state == "accepted"
    assert told(sweep(store, 5, unchanged(WEB))) == [("reopened", "accepted", "reopened")]


def test_a_removed_one_that_was_accepted_stays_accepted(store: SqlStore) -> None:
    """Until that expires: then it is where it is, nowhere."""
    sweep(store, 1, searched(WEB, found("one")))
    store.decide(the(store).id, "accepted", "known", "ann", day(1), day(4) - timedelta(hours=2))
    assert told(sweep(store, 2, searched(WEB))) == []
    assert the(store).state == "accepted"
    assert told(sweep(store, 4, unchanged(WEB))) == [("fixed", "accepted", "removed")]


def test_what_other_settings_do_not_find_is_not_fixed(store: SqlStore) -> None:
    """A path was accepted, a detector left out, oakum brought up to date: nobody knows whether it is there still."""
    sweep(store, 1, searched(WEB, found("one")), searched(API, found("two")))
    news = sweep(store, 2, searched(WEB, program="p2"), unchanged(API))
    assert (told(news), news.counts["not_reported"]) == ([], 1)
    assert [(k.state, k.repositories) for k in store.findings(Wanted(repository="acme/web"))] == [
        ("not reported", ("acme/web",))
    ]
    assert told(sweep(store, 3, searched(WEB, refs="r3", program="p2"), unchanged(API))) == []
    assert told(sweep(store, 4, searched(WEB, found("one"), refs="r4", program="p1"), unchanged(API))) == []
    assert {k.state for k in store.findings(Wanted())} == {"open"}
    assert told(sweep(store, 5, searched(WEB, refs="r5", program="p1"), unchanged(API))) == [
        ("fixed", "open", "removed")
    ]


def test_what_was_not_reported_is_removed_with_its_repository(store: SqlStore) -> None:
    """Or when those who saw it look again, and do not."""
    sweep(store, 1, searched(WEB, found("one")), searched(API, found("two")))
    sweep(store, 2, searched(WEB, program="p2"), searched(API, program="p2"))
    assert {k.state for k in store.findings(Wanted())} == {"not reported"}
    assert told(sweep(store, 3, searched(API, refs="r3"), listed=[API])) == [("fixed", "not reported", "removed")]
    assert told(sweep(store, 4, unchanged(API), listed=[API])) == [("fixed", "not reported", "removed")]
