"""What is accepted, and what is not: patterns of paths, detectors, fingerprints, days."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.config.settings import GLOB
from oakum.scanner.model import Suppression
from oakum.scanner.suppressions import BY_DETECTOR, BY_PATH, Suppressions, pattern

# --- patterns of paths ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("glob", "fits", "others"),
    [
        ("a.py", ["a.py", "x/a.py", "x/y/a.py"], ["a.pyc", "ba.py", "a.py/b"]),
        ("*.py", [".py", "a.py", "x/a.py"], ["a.pyc", "a.py/b"]),
        ("a?c", ["abc", "x/a.c"], ["ac", "a/c", "abbc"]),
        ("/a.py", ["a.py"], ["x/a.py"]),
        ("x/a.py", ["x/a.py"], ["y/x/a.py", "x/y/a.py"]),
        ("x/*", ["x/a", "x/.a"], ["x", "x/y/a"]),
        ("x/**", ["x/a", "x/y/a"], ["x", "y/x/a", "xx/a"]),
        ("x/", ["x/a", "x/y/a", "y/x/a"], ["x", "y/x", "xx/a"]),
        ("/x/", ["x/a", "x/y/a"], ["x", "y/x/a"]),
        ("x/y/", ["x/y/a", "x/y/z/a"], ["x/a", "z/x/y/a"]),
        ("**/x/*.py", ["x/a.py", "z/x/a.py", "y/z/x/a.py"], ["a.py", "x/y/a.py"]),
        ("x/**/a.py", ["x/a.py", "x/y/a.py", "x/y/z/a.py"], ["a.py", "y/x/a.py", "x/a.py/b"]),
        ("**/x/**/y/**", ["x/y/a", "z/x/z/y/z/a", "x/x/y/y/a"], ["x/y", "y/x/a"]),
        ("**", ["a", "x/a"], []),
        ("a**c", ["ac", "abbc", "x/abc"], ["a/c"]),
        ("a[b].py", ["a[b].py"], ["ab.py"]),
        ("é?.txt", ["é1.txt"], ["é11.txt", "e1.txt"]),
        ("A.py", ["A.py"], ["a.py"]),
    ],
)
def test_patterns(glob: str, fits: list[str], others: list[str]) -> None:
    """As in .gitignore, but that a name is a file's unless a `/` follows it."""
    fitting = [path for path in fits + others if pattern(glob).fullmatch(path.encode())]
    assert fitting == fits


def simple(glob: str, path: bytes) -> bool:
    """The same, written for its plainness: every way is tried."""
    names = glob.strip("/").split("/")
    anchored = "/" in glob[:-1]
    return walk(([] if anchored else ["**"]) + names + (["**"] if glob.endswith("/") else []), path.split(b"/"))


def walk(names: list[str], path: list[bytes]) -> bool:
    if not names:
        return not path
    if names[0] == "**":
        if len(names) == 1:
            return bool(path)
        return walk(names[1:], path) or (bool(path) and walk(names, path[1:]))
    return bool(path) and within(names[0].encode(), path[0]) and walk(names[1:], path[1:])


def within(glob: bytes, name: bytes) -> bool:
    if not glob:
        return not name
    if glob[:1] == b"*":
        return within(glob[1:], name) or (bool(name) and within(glob, name[1:]))
    return bool(name) and glob[:1] in (b"?", name[:1]) and within(glob[1:], name[1:])


NAMES = st.one_of(st.just("**"), st.text("ab*?.é", min_size=1, max_size=5))
GLOBS = st.tuples(st.sampled_from(["", "/"]), st.lists(NAMES, min_size=1, max_size=5), st.sampled_from(["", "/"])).map(
    lambda parts: parts[0] + "/".join(parts[1]) + parts[2]
)
PATHS = st.lists(st.text("ab.é\n", min_size=1, max_size=5).map(str.encode), min_size=1, max_size=6).map(b"/".join)


@given(GLOBS.filter(GLOB.read), PATHS)
def test_a_pattern_fits_as_if_every_way_were_tried(glob: str, path: bytes) -> None:
    """The one expression leaves most of them out."""
    assert (pattern(glob).fullmatch(path) is not None) == simple(glob, path)


@pytest.mark.parametrize(
    "glob", ["*a" * 60 + "b", "**/a/" * 30 + "b", "**/*a*a*a/" * 20 + "b", "?*" * 60 + "b", "**/*/" * 40 + "b"]
)
@pytest.mark.parametrize("path", [b"a" * 4000, b"a/" * 2000 + b"a", b"aaaa/" * 800, b"/" * 4000])
def test_no_path_makes_a_pattern_slow(glob: str, path: bytes) -> None:
    """A target chooses both."""
    begun = time.process_time()
    assert not pattern(glob).fullmatch(path)
    assert time.process_time() - begun < 0.5


# --- entries --------------------------------------------------------------------------------------------------------

TODAY = date(2027, 1, 1)


def asked(*entries: Suppression, places: list[tuple[str, bytes]]) -> tuple[list[str], set[Suppression]]:
    """The word for each place, and which entries were used."""
    made = Suppressions(entries, TODAY)
    return [made.of_place(*place) for place in places], made.used


def test_places_by_path_and_by_detector() -> None:
    """Both of them in one entry must fit; one that has a path counts as that."""
    path, detector, both = (
        Suppression("why", path="tests/**"),
        Suppression("why", detector="a-token"),
        Suppression("why", path="*.md", detector="a-key"),
    )
    places = [("a-key", b"tests/x"), ("a-token", b"x"), ("a-token", b"tests/x"), ("a-key", b"x.md"), ("a-key", b"x")]
    assert asked(path, detector, both, places=places) == (
        [BY_PATH, BY_DETECTOR, BY_PATH, BY_PATH, ""],
        {path, detector, both},
    )
    assert asked(both, places=[("a-token", b"x.md"), ("a-key", b"x")]) == (["", ""], set())


def test_what_has_no_path_fits_no_pattern() -> None:
    """A commit message, standard input, a blob that no commit names."""
    assert asked(Suppression("why", path="**"), places=[("a-key", b"")]) == ([""], set())
    assert asked(Suppression("why", detector="a-key"), places=[("a-key", b"")])[0] == [BY_DETECTOR]


def test_a_secret_by_its_fingerprint() -> None:
    """And no secret without one, as after Ctrl-C."""
    entry = Suppression("why", fingerprint="a" * 26)
    made = Suppressions([entry, Suppression("why", path="**")], TODAY)
    assert [made.of_secret("b" * 26), made.of_secret(""), made.used] == [False, False, set()]
    assert [made.of_secret("a" * 26), made.used] == [True, {entry}]


@pytest.mark.parametrize(
    ("expires", "holds"), [(None, True), (date(2027, 1, 2), True), (TODAY, True), (date(2026, 12, 31), False)]
)
def test_an_entry_holds_to_the_end_of_its_last_day(expires: date | None, *, holds: bool) -> None:
    """Then it is told as expired, and takes out nothing."""
    entries = [Suppression("why", fingerprint="a" * 26, expires=expires), Suppression("why", path="*", expires=expires)]
    made = Suppressions(entries, TODAY)
    assert made.of_secret("a" * 26) is holds
    assert made.of_place("a-key", b"x") == (BY_PATH if holds else "")
    assert made.expired == (() if holds else tuple(entries))
