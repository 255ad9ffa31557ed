"""What a pattern costs, and which patterns may not be used."""

from __future__ import annotations

import re

import pytest
from oakum.scanner import catalog
from oakum.scanner.catalog.patterns import BACKTRACK_LIMIT, shape


def measured(pattern: str) -> tuple[int, int, int, int]:
    """(narrowest match, widest match, behind, ahead)."""
    found = shape(pattern.encode("ascii"))
    return found.least, found.width, found.behind, found.ahead


@pytest.mark.parametrize(
    ("pattern", "widths"),
    [
        ("(?P<secret>[a-z]{20})", (20, 20, 0, 0)),
        ("key=(?P<secret>[a-z]{20})", (24, 24, 0, 0)),
        ("key={0,3}(?P<secret>[a-z]{20,30})(?![a-z])", (23, 36, 0, 1)),
        ("(?<![a-z])(?P<secret>[a-z]{20})", (20, 20, 1, 0)),
        ("(?<!abc)(?P<secret>[a-z]{20})(?=;[0-9]{1,9}!)", (20, 20, 3, 11)),
        (r"\b(?P<secret>[a-z]{20})", (20, 20, 1, 1)),
        (r"(?P<secret>[a-z]{20})(?=x(?![a-z]{5}))", (20, 20, 0, 6)),
        (r"(?P<secret>(?!zz)[a-z]{20})", (20, 20, 0, 2)),
        ("(?:ab|abcdef)(?P<secret>x{4})", (6, 10, 0, 0)),
        ("(?>a{1,3})(?P<secret>x{4})", (5, 7, 0, 0)),
    ],
)
def test_widths_count_look_around_which_getwidth_of_re_leaves_out(pattern: str, widths: tuple[int, ...]) -> None:
    """An anchor or a word boundary looks one byte either way."""
    assert measured(pattern) == widths


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("(?P<secret>ghp_[a-z]{20})", b"ghp_"),
        ("(?P<secret>(?:sk)-(?:ab)[a-z]{20})", b"sk-ab"),
        ("(?P<secret>(?!sk-x)sk-[a-z]{20})", b"sk-"),
        ("(?P<secret>sk(?:-[a-z])[a-z]{20})", b"sk-"),
        ("(?P<secret>(?:AKIA|ASIA)[a-z]{20})", b"A"),
        ("(?i)(?P<secret>ghp_[a-z]{20})", b""),
        ("(?i)(?P<secret>12_[a-z]{20})", b"12_"),
        ("token=(?P<secret>[a-z]{20})", b""),
    ],
)
def test_the_fixed_prefix_is_what_every_secret_begins_with(pattern: str, prefix: bytes) -> None:
    """A mask shows it; a text that may be written in either case is not fixed."""
    assert shape(pattern.encode()).prefix == prefix


END = "needs an end: a delimiter or a look-ahead behind the group"
BEGINNING = "needs a beginning: a delimiter or a look-behind before the group"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("x(?P<secret>[a-z]{20,})y", "every repeat must be bounded: write {0,n} for * and {1,n} for +"),
        ("x*(?P<secret>[a-z]{20})", "every repeat must be bounded: write {0,n} for * and {1,n} for +"),
        ("(?P<secret>[a-z]{20})(?=a*b)", "every repeat must be bounded, in a look-around too"),
        (
            "(?P<secret>[a-z]{,20})x",
            "write {0,n} for {,n}: the second is a quantifier to Python and literal text to Hyperscan",
        ),
        ("(?P<secret>[a-z]{0,20})", "the pattern matches the empty string"),
        ("[a-z]{20}", "the pattern needs a group (?P<secret>…)"),
        ("(?x)(?P<secret>[a-z]{20})", "the flag (?x) is not allowed"),
        ("x(?P<secret>[a-z]{20,30})", f"a secret of variable length {END}"),
        ("(?P<secret>[a-z]{20,30})x", f"a secret of variable length {BEGINNING}"),
        (
            "(?=(?P<secret>[a-z]{20}))x",
            "the group (?P<secret>…) must not stand inside a look-around or a repeat",
        ),
        ("(?:(?P<secret>[a-z]{20})){1,2}", "the group (?P<secret>…) must not stand inside a look-around or a repeat"),
    ],
)
def test_what_is_refused(pattern: str, message: str) -> None:
    """Each with a message that says what to write in its place."""
    with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
        measured(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:a{1,20}){1,20}(?P<secret>x{4})",
        r"a=\s{0,50}\s{0,50}\s{0,50}\s{0,50}\s{0,50}(?P<secret>x{4})",
        "(?:ab{0,9}){1,40}b{0,9}(?P<secret>x{4})",
    ],
)
def test_a_pattern_that_grows_worse_than_linearly_is_refused(pattern: str) -> None:
    """`re` has no time-out."""
    with pytest.raises(ValueError, match=r"can divide a text in [\d,]+ ways \(at most 200,000\)"):
        measured(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"a\s{0,5}[:=]\s{0,5}(?P<secret>[a-z]{20,40})(?![a-z])",
        "(?:[a-z]{1,9};){1,9}(?P<secret>[0-9]{20})",
        r"(?P<secret>x{20})[^\n]{0,200}?end",
    ],
)
def test_a_repeat_that_ends_where_the_next_thing_begins_costs_little(pattern: str) -> None:
    """It can end in one place only."""
    assert shape(pattern.encode()).backtracking <= BACKTRACK_LIMIT


@pytest.mark.parametrize("detector", catalog.load(), ids=lambda d: d.id)
def test_the_widths_of_a_detector_are_those_of_its_pattern(detector: catalog.Detector) -> None:
    """And its keywords are no wider than what it matches."""
    found = shape(detector.regex.encode())
    assert (detector.width, detector.behind, detector.ahead) == (found.width, found.behind, found.ahead)
    assert max(map(len, detector.keywords)) <= found.width + found.behind + found.ahead
