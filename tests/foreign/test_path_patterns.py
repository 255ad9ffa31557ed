"""Expressions over paths, and the patterns of oakum that accept the same paths."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oakum.scanner.config.settings import GLOB
from oakum.scanner.foreign.paths import globs
from oakum.scanner.suppressions import pattern


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (r"go\.mod$", ["*go.mod"]),
        (r"(^|/)go\.sum$", ["go.sum"]),
        (r"^README\.md$", ["/README.md"]),
        (r"^tests/fixtures/", ["tests/fixtures/**"]),
        (r"^tests/fixtures/.*", ["tests/fixtures/**"]),
        (r"^tests/fixtures/.+$", ["tests/fixtures/**"]),
        (r"(?:^|/)node_modules(?:/.*)?$", ["**/node_modules/**", "node_modules"]),
        (r"(^|[/\\])vendor[/\\]", ["**/vendor/**"]),
        (r"^(docs|examples)/.*\.(md|rst)$", ["docs/**/*.md", "docs/**/*.rst", "examples/**/*.md", "examples/**/*.rst"]),
        (r"^src/[^/]+\.py$", ["src/?*.py"]),
        (r"^a/.*/b$", ["a/*/**/b"]),
        (r"package-lock.json$", ["*package-lock?json"]),
        (r"(?i)\.jpe?g$", ["*.jpeg", "*.JPEG", "*.jpg", "*.JPG"]),
        (r"lib/python[23]\z", ["**/*lib/python2", "**/*lib/python3"]),
        ("testdata", ["*testdata*", "**/*testdata*/**"]),
    ],
)
def test_a_simple_expression_becomes_a_few_patterns(expression: str, found: list[str]) -> None:
    """Anchored where it is, open where it is."""
    assert globs(expression) == (found, "")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (r"[a-z]+\.txt$", "is not a simple pattern (a class of characters)"),
        ("(" * 50 + "a" + "{8})" * 50, "is not a simple pattern (a repetition)"),
        (r"(ab)+", "is not a simple pattern (a repetition)"),
        (r"\bfoo", "is not a simple pattern (more than names and alternatives)"),
        (r"foo(?!bar)", "is not a simple pattern (more than names and alternatives)"),
        (r"foo\*", "is not a simple pattern (a character that stands for itself in no pattern)"),
        (r"a^b", "is not a simple pattern (an end of the path in the midst of it)"),
        (r"[[:alpha:]]", "is not a simple pattern (a named class of characters)"),
        (r"(?i)a(?-i:b)", "is not a simple pattern (a change of flags)"),
        (r"(foo", "is not a simple pattern (missing ), unterminated subpattern at position 0)"),
        (r"(a|b)" * 7, "is not a simple pattern (more than 64 alternatives)"),
        (r"^(a|b|c|d)/(a|b|c|d|e)$", "is not a simple pattern (it takes more than 16 of oakum's)"),
        ("x" * 1001, "is not a simple pattern (longer than 1000 characters)"),
        ("(" * 500 + ")" * 500, "is not a simple pattern (nested too deeply)"),
        (r".*", "fits nearly every path"),
        ("", "fits nearly every path"),
        (r"^/etc/", "fits no path inside of a repository"),
        (r"^\.\./", "fits no path inside of a repository"),
    ],
)
def test_any_other_is_refused_with_the_reason(expression: str, why: str) -> None:
    """So that somebody writes a pattern by hand."""
    assert globs(expression) == ([], why)


PIECES = {
    **{piece: piece for piece in ("a", "b", "ab", r"\.", "/", "a/", "/b", ".*", ".*?", "[^/]*", "[ab]", "a?", "(a|b)")},
    **{piece: piece for piece in ("(?:a/)?", "(^|/)", "(/|$)", "(?:/.*)?", "^", "$", "(a|/b|)", "a{2}", "[/\\\\]")},
    ".": "[^/]",
    ".+": "[^/].*",
    "[^/]+": "[^/]+",
}
"""Pieces of expressions; and the same with the liberty that is taken."""
EXPRESSIONS = st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=6)
NAMES = st.text("ab.", min_size=1, max_size=4).filter(lambda name: name.strip("."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(EXPRESSIONS, st.lists(PATHS, min_size=1, max_size=20))
def test_the_patterns_accept_the_paths_that_the_expression_does(pieces: list[str], paths: list[str]) -> None:
    """Each path or none, and each pattern may stand in a configuration."""
    found, why = globs("".join(pieces))
    assume(not why)
    taken = re.compile("".join(PIECES[piece] for piece in pieces))
    accepted = [path for path in paths if any(pattern(glob).fullmatch(path.encode()) for glob in found)]
    assert accepted == [path for path in paths if taken.search(path)]
    assert [glob for glob in found if GLOB.read(glob) is None] == []


@given(EXPRESSIONS, PATHS)
def test_without_regard_to_case_small_letters_and_capitals_are_accepted(pieces: list[str], path: str) -> None:
    """What is mixed is not: that is less than the expression accepts, and never more."""
    found, why = globs("(?i)" + "".join(pieces))
    assume(not why)
    taken = re.compile("".join(PIECES[piece] for piece in pieces))
    for cased in (path, path.upper()):
        accepted = any(pattern(glob).fullmatch(cased.encode()) for glob in found)
        assert accepted == (taken.search(path) is not None)


@given(st.text("ab/.*+?^$|()[]\\{}-1i:", max_size=30))
def test_nothing_of_an_expression_is_an_error(expression: str) -> None:
    """Whatever somebody has typed."""
    found, why = globs(expression)
    assert bool(found) != bool(why)
