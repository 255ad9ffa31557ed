"""What a sweep brought, as a page and as JSON: whole, and safe whatever stands in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from oakum.scanner.model import UNSAFE
from oakum.scanner.report.news import by_group, render_json, render_text
from oakum.scanner.report.options import ReportOptions
from oakum.scanner.swept import News, Unlisted
from sweep_news import HOSTILE, MASK, TOKEN, event, full, hostile, kept, many, news


def page(told: News, *, color: bool = False) -> str:
    """The page for people."""
    return "".join(render_text(told, ReportOptions(color=color)))


SINCE = "  since  2027-01-31, c1c1c1c1c1c1 by Ada Lovelace <ada@example.test>, at the head of the default branch\n"
SEEN = "first seen 2027-02-01, last seen 2027-03-02"
NETRC = "Password in a .netrc file  …[masked]"
COUNTS = """         1,203 repositories, 12 searched, 1,190 unchanged, 1 failed; 4,200 s
         7 findings to do something about (2 critical, 5 medium)
"""


def token(state: str = "open", change: str = "", verdict: str = "") -> str:
    """The GitHub token as the page tells it."""
    return (
        f" CRITICAL 95  GitHub token: live mode  {MASK}\n"
        + (f"  change {change}\n" if change else "")
        + f"  where  acme/web: src/settings.ini:100:9\n{SINCE}  state  {state}, {SEEN}{verdict}\n  owner  @acme/web\n"
        "  next   revoke it: https://docs.github.com/rotate\n  id     0123456789abcdef  github-pat\n\n"
    )


def test_a_page_of_everything() -> None:
    """Most urgent first; what nobody has to do anything about has a line; then whose it is, what failed, and counts."""
    assert page(full()) == (
        f"New (1)\n\n{token()}"
        "Reopened: fixed, revoked or accepted before, and there again (1)\n\n"
        f"{token('reopened', 'it was revoked')}"
        "Worse than before (2)\n\n"
        f"{token(change='from medium to critical')}{token(change='now live', verdict='; live: user ada')}"
        "In another repository, too (1)\n\n"
        f" MEDIUM 42  {NETRC}\n"
        "  change it came to acme/shop\n"
        f"  where  acme/shop: tests/.netrc:100:9\n{SINCE}"
        "  also   acme/web: .netrc:1:9\n"
        f"  state  fixed in head, {SEEN}\n"
        "  next   revoke it: https://docs.github.com/rotate\n"
        "  id     fedcba9876543210  github-pat\n\n"
        "Fixed: no branch has it any more (revoke it all the same, if that is not done) (1)\n\n"
        f"  medium 42  {NETRC}  acme/shop: tests/.netrc:100:9  fedcba9876543210\n\n"
        "Revoked: its provider does not take it any more (1)\n\n"
        f"  critical 95  GitHub token: live mode  {MASK}  acme/web: src/settings.ini:100:9  0123456789abcdef\n\n"
        "team       acme: 1 new, 1 reopened, 2 worse, 1 spread, 1 fixed, 1 revoked\n"
        "           shop: 1 spread, 1 fixed\n\n"
        "repository acme/web: 1 new, 1 reopened, 2 worse, 1 spread, 1 fixed, 1 revoked\n"
        "           acme/shop: 1 spread, 1 fixed\n\n"
        "kind       token: 1 new, 1 reopened, 2 worse, 1 revoked\n"
        "           password: 1 spread, 1 fixed\n\n"
        "failed   acme/huge: it takes more than 3600 s: see --clone-seconds\n"
        "unlisted github:acme: it answers 500\n"
        "sweep 2 of github:acme: 1 new, 1 reopened, 2 worse, 1 spread, 1 fixed, 1 revoked\n"
        f"{COUNTS}         INCOMPLETE: what failed is tried again in the next sweep\n"
    )


def test_a_page_of_nothing() -> None:
    """Three lines."""
    assert page(news()) == f"sweep 2 of github:acme: nothing new\n{COUNTS}"


def test_what_is_below_the_band_is_counted() -> None:
    """So that nobody takes silence for safety."""
    told = news()
    told = replace(told, counts=dict(told.counts) | {"below_min_band": 3})
    assert page(told).endswith("         3 changes below --min-band were not told\n")


def test_a_page_ends_somewhere() -> None:
    """Fifty in full, two hundred lines, twenty that failed: the others are counted, and where they are is said."""
    fixed = many(300).changes
    told = news(
        *many(60).changes,
        *((replace(e, change="fixed"), one) for e, one in fixed),
        failed=tuple((f"acme/{n}", "gone") for n in range(30)),
        unlisted=[Unlisted(f"github:{n}", "it answers 500") for n in range(30)],
    )
    said = page(told)
    assert said.count("\n  where ") == 50
    assert "\nand 10 more: oakum sweep history --sweep 2\n" in said
    assert said.count("\n  critical 95  ") == 200
    assert "\n  and 100 more: oakum sweep history --sweep 2\n" in said
    assert (said.count("\nfailed   acme/"), said.count("\nunlisted github:")) == (20, 20)
    assert "\nfailed   10 more: oakum sweep status\n" in said
    assert "\nunlisted 10 more parts: oakum sweep status --format json\n" in said


@pytest.mark.parametrize("color", [False, True])
def test_what_comes_from_outside_does_not_act(color: bool) -> None:
    """Each line is ours, and control and bidirectional characters are escapes."""
    said = re.sub("\x1b\\[[0-9;]*m", "", page(hostile(), color=color))
    assert not re.search(UNSAFE, said.replace("\n", ""))
    assert {line.partition(" ")[0] for line in said.splitlines() if line and line[0] != " "} == {
        "In",
        "Fixed:",
        "repository",
        "failed",
        "unlisted",
        "sweep",
    }


def test_json_has_everything() -> None:
    """The same in one document, in which nothing is left out; what acts on a terminal is an escape."""
    text = "".join(render_json(full()))
    document = json.loads(text)
    assert [change["change"] for change in document["changes"]] == [e.change for e, _ in full().changes]
    assert document["changes"][0]["is"]["secret"] == MASK
    assert document["by"]["team"]["shop"] == {"spread": 1, "fixed": 1}
    assert document["failed"] == [{"repository": "acme/huge", "why": "it takes more than 3600 s: see --clone-seconds"}]
    assert document["unlisted"] == [{"target": "github:acme", "why": "it answers 500"}]
    assert (document["complete"], document["changes_folded"], document["sweep"]) == (False, 0, 2)
    assert TOKEN.decode() not in text + page(full())
    big = json.loads("".join(render_json(many(1000))))
    assert (len(big["changes"]), big["changes_folded"]) == (1000, 0)
    hostile_text = "".join(render_json(hostile()))
    assert not re.search(UNSAFE, hostile_text.replace("\n", ""))
    assert json.loads(hostile_text)["targets"] == [HOSTILE]


def test_groups_are_ordered_by_urgency() -> None:
    """One new finding outweighs many that are fixed; then names decide."""
    told = news(
        (event("fixed"), kept(repositories=("a",))),
        (event("fixed"), kept(repositories=("a",))),
        (event("new"), kept(repositories=("c", "b"))),
        (event("new"), kept(repositories=())),
    )
    assert list(by_group(told, "repository").items()) == [
        ("(none)", {"new": 1}),
        ("b", {"new": 1}),
        ("c", {"new": 1}),
        ("a", {"fixed": 2}),
    ]
