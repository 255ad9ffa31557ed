"""Which of the repositories that are listed are looked at, and why others are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.sources.hosts import Selection
from oakum.scanner.swept import Remote

DAY = datetime(2026, 11, 26, tzinfo=UTC)


def remote(name: str = "acme/web", **more: Any) -> Remote:
    return Remote("id", name, "https://git.test/x", "github:acme", **more)


@pytest.mark.parametrize(
    ("selection", "one", "why"),
    [
        (Selection(), remote(archived=True, fork=True, empty=True), ""),
        (Selection(include=("acme/*",)), remote(), ""),
        (Selection(include=("ACME/W?B",)), remote(), ""),
        (Selection(include=("acme/w[a-e]b",)), remote("Acme/WEB"), ""),
        (Selection(include=("web",)), remote(), "not included by its name"),
        (Selection(include=("other/*", "*/web")), remote(), ""),
        (Selection(include=("acme/*",)), remote("acme/sub/group/web"), ""),
        (Selection(exclude=("*/Web",)), remote(), "excluded by its name"),
        (Selection(include=("acme/*",), exclude=("*/web",)), remote(), "excluded by its name"),
        (Selection(exclude=("acme/[!w]*",)), remote(), ""),
        (Selection(include=("[",)), remote("["), ""),
        (Selection(readers=frozenset({"public", "internal"})), remote(readers="internal"), ""),
        (Selection(readers=frozenset({"public"})), remote(readers="private"), "its readers are private"),
        (Selection(readers=frozenset({"public"})), remote(), "its readers are unknown"),
        (Selection(archived=False), remote(archived=True), "archived"),
        (Selection(forks=False), remote(fork=True), "a fork"),
        (Selection(archived=False, forks=False), remote(), ""),
        (Selection(pushed_since=DAY), remote(pushed=DAY - timedelta(1)), "nothing was pushed since 2026-11-26"),
        (Selection(pushed_since=DAY), remote(pushed=DAY), ""),
        (Selection(pushed_since=DAY), remote(), ""),
    ],
)
def test_why_not(selection: Selection, one: Remote, why: str) -> None:
    """The first reason, in a few words; empty where it is taken."""
    assert selection.why_not(one) == why


@given(st.text(max_size=40), st.text(alphabet="ab*?[]!-/", max_size=30))
def test_globs(name: str, glob: str) -> None:
    """A name is included by a glob exactly if it is excluded by it, in whatever letters it is written."""
    included = not Selection(include=(glob,)).why_not(remote(name))
    assert included is bool(Selection(exclude=(glob,)).why_not(remote(name)))
    assert included is not bool(Selection(include=(glob.upper(),)).why_not(remote(name)))
