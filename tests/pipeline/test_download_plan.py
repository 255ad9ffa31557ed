"""The download plan: which objects deserve a look first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.listed import Named, NameRule, Rows
from oakum.scanner.model import BANDS, SEVERITIES
from oakum.scanner.pipeline import plan
from oakum.scanner.pipeline.plan import Names, Plan, named

KEY = NameRule("ssh-private-key", "private-key", "critical", 0.95, "logs in")
DUMP = NameRule("database-dump", "database-dump", "high", 0.6, "a copy of a database")


def an(rule: NameRule, size: int, key: bytes = b"a") -> Named:
    return named(0, Rows(b"c", [key], [size], [b"2020-01-01"], [b'"e"'], [b"v"]), 0, rule, "public")


def test_what_is_known_of_an_object() -> None:
    """Everything that the report and a download need."""
    assert an(KEY, 1 << 20) == Named(0, b"c", b"a", 1 << 20, b"2020-01-01", '"e"', "v", KEY, 95, "critical", 47.5)


def gave(found: Sequence[Named]) -> Names:
    """What a chunk gives."""
    return Names(list(found), Counter((one.band, one.rule.kind) for one in found))


def test_a_key_comes_before_a_dump_and_a_small_dump_before_a_large_one() -> None:
    """Chance of secrets against size."""
    made = Plan("low")
    made.add(gave([an(DUMP, 1 << 40, b"huge"), an(KEY, 1700, b"key"), an(DUMP, 1 << 20, b"small"), an(DUMP, -1, b"?")]))
    assert [one.key for one in made.best()] == [b"key", b"?", b"small", b"huge"]
    assert (dict(made.bands), dict(made.kinds)) == (
        {"critical": 1, "medium": 3},
        {"private-key": 1, "database-dump": 3},
    )


def test_what_a_plan_holds_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys may have 16 KiB; all are counted."""
    monkeypatch.setattr(plan, "MOST_BYTES", 100)
    made = Plan("low")
    made.add(gave([an(DUMP, n, b"%060d" % n) for n in (1 << 20, 1 << 30)]))
    assert ([one.size for one in made.best()], made.bands["medium"]) == ([1 << 20], 2)


def test_bands_below_are_counted_and_left_out() -> None:
    """As findings are."""
    made = Plan("critical")
    made.add(gave([an(KEY, 1), an(DUMP, 1)]))
    assert ([one.rule for one in made.best()], made.below) == ([KEY], 1)


RULES = st.builds(
    NameRule, st.just("x"), st.just("k"), st.sampled_from(SEVERITIES), st.floats(0, 1), st.just("r")
)  # fmt: skip
FOUND = st.lists(st.builds(an, RULES, st.integers(-1, 1 << 50), st.binary(max_size=3)), max_size=30)


@given(FOUND, st.randoms())
def test_what_is_kept_is_the_best_in_any_order(found: list[Named], random: object) -> None:
    """However the chunks came."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MOST_NAMED", 5)
        kept = Plan("low")
        kept.add(gave(found))
    whole = Plan("low")
    random.shuffle(found)  # type: ignore[attr-defined]
    whole.add(gave(found))
    assert [one.worth for one in kept.best()] == [one.worth for one in whole.best()[:5]]
    assert kept.bands == whole.bands


@given(RULES, st.sampled_from(SEVERITIES), st.integers(-1, 1 << 50), st.integers(1, 1 << 50))
def test_order_is_monotone(rule: NameRule, other: str, size: int, more: int) -> None:
    """Worse impact is never below, more bytes never above."""
    graver = min(rule.impact, other, key=SEVERITIES.index)
    milder = max(rule.impact, other, key=SEVERITIES.index)
    made = {i: an(NameRule("x", "k", i, rule.chance, "r"), size) for i in (graver, milder)}
    assert made[graver].worth >= made[milder].worth
    assert BANDS.index(made[graver].band) <= BANDS.index(made[milder].band)
    if size > 0:
        assert an(rule, size).worth >= an(rule, size + more).worth
