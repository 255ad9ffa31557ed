"""Messages to be sent: laid down with the end of a sweep, begun once, tried again only when they certainly failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from oakum.scanner.store import StoreError
from sweeping import day, found, opened, remote, searched, sweep, unchanged

WEB = remote("acme/web")


def test_each_hook_has_a_delivery_of_a_sweep_with_news(where: str) -> None:
    """With the news from the band upwards; the key is the same wherever it is computed."""
    store = opened(where)
    news = sweep(store, 1, searched(WEB, found("one"), found("two", band="low")), hooks=["slack", "a"], min_band="high")
    assert len(news.changes) == 1
    first, second = store.deliveries()
    assert (first.hook, second.hook, first.news, second.news) == ("a", "slack", news, news)
    assert first.key != second.key
    assert sweep(store, 2, unchanged(WEB), hooks=["slack"]).changes == ()
    assert sweep(store, 3, searched(WEB, found("one")), hooks=["slack"], min_band="high").changes == ()
    assert [d.id for d in store.deliveries()] == [first.id, second.id]
    store.close()


def test_one_that_is_being_sent_is_not_sent_again(where: str) -> None:
    """Whether it arrived is not known after a crash; the next one says so, until one has arrived."""
    store = opened(where)
    sweep(store, 1, searched(WEB, found("one")), hooks=["slack"])
    (first,) = store.deliveries()
    store.sending(first.id)
    store.close()  # killed
    store = opened(where)
    assert store.deliveries() == ()
    with pytest.raises(StoreError, match="is being sent, or was, by another process"):
        store.sending(first.id)
    for night, missing in ((2, 1), (3, 0)):
        sweep(store, night, searched(WEB, found(f"of night {night}")), hooks=["slack", "other"])
        slack = next(d for d in store.deliveries() if d.hook == "slack")
        assert slack.missing == missing
        assert all(d.missing == 0 for d in store.deliveries() if d.hook == "other")
        store.sending(slack.id)
        store.sent(slack.id, day(night))
    told = store.status()["deliveries"]
    assert told["counts"] == {"waiting": 2, "may have arrived": 1, "given up": 0, "sent": 2}
    assert [(d["hook"], d["sweep"], d["status"]) for d in told["open"]] == [
        ("other", 3, "waiting"),
        ("other", 2, "waiting"),
        ("slack", 1, "may have arrived"),
    ]
    store.close()


def test_one_that_certainly_failed_is_tried_again_a_few_times(tmp_path: Path) -> None:
    """Then it is given up, and told."""
    store = opened(tmp_path / "store.db")
    sweep(store, 1, searched(WEB, found("one")), hooks=["slack"])
    for _ in range(5):
        (delivery,) = store.deliveries()
        store.sending(delivery.id)
        store.sent(delivery.id, day(1), "refused\0")
    assert store.deliveries() == ()
    (given_up,) = store.status()["deliveries"]["open"]
    assert (given_up["status"], given_up["attempts"], given_up["why"]) == ("given up", 5, "refused\ufffd")
    with pytest.raises(StoreError, match="was not being sent"):
        store.sent(delivery.id, day(1))
    store.close()


def test_messages_of_hooks_that_are_not_named_any_more_hold_up_none(where: str) -> None:
    """However many of them wait."""
    store = opened(where)
    for number in range(30):
        sweep(store, number, searched(remote("web"), found(f"secret {number}"), refs=f"r{number}"), hooks=["slack:OLD"])
    sweep(store, 30, searched(remote("web"), found("one more"), refs="r30"), hooks=["slack:NEW"])
    assert [each.hook for each in store.deliveries(["slack:NEW"])] == ["slack:NEW"]
    assert {each.hook for each in store.deliveries()} == {"slack:OLD"}


def test_what_waits_for_a_hook_that_nobody_names_is_given_up_after_a_month(where: str) -> None:
    """It would be told as late for ever; one that is named waits on."""
    store = opened(where)
    sweep(store, 1, searched(WEB, found("one")), hooks=["slack:OLD", "slack:DOWN"])
    sweep(store, 30, unchanged(WEB), hooks=["slack:DOWN"])
    assert len(store.deliveries()) == 2
    sweep(store, 32, unchanged(WEB), hooks=["slack:DOWN"])
    assert [each.hook for each in store.deliveries()] == ["slack:DOWN"]
    given_up = next(d for d in store.status()["deliveries"]["open"] if d["hook"] == "slack:OLD")
    assert (given_up["status"], given_up["why"]) == ("given up", "no sweep has named this webhook for 30 days")
    store.close()
