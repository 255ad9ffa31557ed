"""The survey of a listing: how much lies where, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner import survey
from oakum.scanner.listed import Container, Extent, Rows
from oakum.scanner.survey import Survey, above_and_itself

Object = tuple[bytes, bytes, int, bytes]


def surveyed(objects: Sequence[Object]) -> Survey:
    made = Survey()
    for container, key, size, day in objects:
        made.add_rows(Rows(container, [key], [size], [day]))
    return made


def test_each_folder_has_what_lies_below_it() -> None:
    """And each container."""
    made = surveyed(
        [
            (b"c", b"a/b/x", 10, b"2020-01-02"),
            (b"c", b"a/y", 5, b"2019-01-01"),
            (b"c", b"z", -1, b""),
            (b"d", b"a/x", 1, b"2021-01-01"),
        ]
    )
    made.add_named(b"c", b"a/b/x", "high")
    assert made.tree() == {
        (b"c", b""): Extent(3, 15, 1, b"2019-01-01", b"2020-01-02", (0, 1, 0, 0)),
        (b"c", b"a/"): Extent(2, 15, 0, b"2019-01-01", b"2020-01-02", (0, 1, 0, 0)),
        (b"c", b"a/b/"): Extent(1, 10, 0, b"2020-01-02", b"2020-01-02", (0, 1, 0, 0)),
        (b"d", b""): Extent(1, 1, 0, b"2021-01-01", b"2021-01-01"),
        (b"d", b"a/"): Extent(1, 1, 0, b"2021-01-01", b"2021-01-01"),
    }
    assert made.whole() == Extent(4, 16, 1, b"2019-01-01", b"2021-01-01", (0, 1, 0, 0))


def test_a_container_in_which_nothing_lies_is_one() -> None:
    """It was named, and may be open."""
    made = Survey()
    made.add_container(Container(b"empty", "list"))
    assert made.tree() == {(b"empty", b""): Extent()}


def test_no_folder_ends_inside_a_credential() -> None:
    """What stands in a key behind the beginning of one names no folder."""
    made = Survey()
    made.add_rows(Rows(b"c", [b"dl/sig=ab/cd=/x", b"dl/y"], [1, 2], [b"", b""]), {0: 3})
    assert {prefix: extent.objects for (_, prefix), extent in made.tree().items()} == {b"": 2, b"dl/": 2}


def test_long_folders_are_told_apart_by_their_beginning() -> None:
    """As long as a key may be; the rest is counted there."""
    made = surveyed([(b"c", b"a/" + b"b" * 900 + b"/" + b"c" * 900 + b"/x", 1, b"")])
    assert sorted(len(prefix) for _, prefix in made.tree()) == [0, 2, 903]


def test_odd_keys() -> None:
    """A slash in front, two in a row, one at the end, none at all, nothing."""
    made = surveyed([(b"", key, 1, b"") for key in (b"/a", b"a//b", b"a/", b"", b"/")])
    assert {prefix: extent.objects for (_, prefix), extent in made.tree().items()} == {
        b"": 5,
        b"/": 2,
        b"a/": 2,
        b"a//": 1,
    }


def test_too_many_containers_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of them gets lost."""
    monkeypatch.setattr(survey, "MOST_FOLDERS", 3)
    made = surveyed([(b"%d" % n, b"a/x", 1, b"") for n in (1, 2, 3, 4, 5, 4, 1)])
    assert {container: extent.objects for (container, _), extent in made.tree().items()} == {
        b"1": 2,
        b"2": 1,
        b"3": 1,
        b"": 3,
    }


PART = st.sampled_from([b"a", b"b", b"", b"c\xff"])
OBJECTS = st.lists(
    st.tuples(
        st.sampled_from([b"c", b"d"]),
        st.lists(PART, min_size=1, max_size=12).map(b"/".join),
        st.integers(-1, 9),
        st.sampled_from([b"", b"2020-01-01", b"2021-05-05"]),
    ),
    max_size=40,
)


@given(OBJECTS, st.randoms(), st.integers(2, 6))
def test_neither_order_nor_parts_change_it(objects: list[Object], random: object, limit: int) -> None:
    """Chunks come as workers are done with them; where there are too many folders, the same ones are put together."""
    shuffled = list(objects)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "MOST_FOLDERS", limit)
        whole = surveyed(objects)
        parts = Survey()
        for at in range(0, len(shuffled), 7):
            parts.merge(surveyed(shuffled[at : at + 7]))
        assert parts.places == whole.places
        assert len(whole.places) <= limit
    plain = surveyed(objects)
    assert plain.whole() == whole.whole()
    assert whole.tree().items() <= plain.tree().items()


@given(OBJECTS)
def test_a_folder_has_no_less_than_those_in_it(objects: list[Object]) -> None:
    """Nothing is counted twice, nothing gets lost."""
    tree = surveyed(objects).tree()
    for (container, prefix), extent in tree.items():
        inside = [
            other
            for (c, p), other in tree.items()
            if c == container and p != prefix and list(above_and_itself(p))[-2:-1] == [prefix]
        ]
        assert extent.objects >= sum(other.objects for other in inside)
        assert extent.size >= sum(other.size for other in inside)
