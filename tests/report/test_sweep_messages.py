"""Messages to webhooks: whole ones, how long they may be, and that nothing in them addresses anybody."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.model import UNSAFE
from oakum.scanner.report.messages import MESSAGES
from oakum.scanner.swept import News, Unlisted
from sweep_news import MASK, TOKEN, event, full, hostile, kept, many, news, place

SLACK_TEXT, SLACK_HEADER, SLACK_BLOCKS, SLACK_ALL, TEAMS = 3000, 150, 50, 12_000, 28 << 10
"""What the receivers take."""


def sent(kind: str, told: News, missing: int = 0) -> dict[str, Any]:
    """A message as its receiver reads it."""
    document: dict[str, Any] = json.loads(MESSAGES[kind](told, "k" * 32, missing))
    return document


def texts(document: object) -> list[str]:
    """All texts that are shown, in order."""
    if isinstance(document, list):
        return [text for each in document for text in texts(each)]
    if not isinstance(document, dict):
        return []
    shown = [document["text"]] if isinstance(document.get("text"), str) else []
    return shown + [text for each in document.values() for text in texts(each)]


SUMMARY = (
    "sweep 2 of github:acme: 1 new; 1,203 repositories, 12 searched, 1,190 unchanged, 1 failed; 4,200 s; "
    "7 findings to do something about (2 critical, 5 medium)"
)


class TestWhole:
    """One new finding."""

    def test_slack(self) -> None:
        """A header, the finding, the counts; lines are code, in which a place is no emoji."""
        finding = (
            "`NEW: critical 95, GitHub token: live mode`\n"
            f"`{MASK} in acme/web: src/settings.ini:100:9`\n"
            "`owner: @acme/web`\n"
            "`oakum sweep findings 0123456789abcdef`"
        )
        title = "oakum: 1 new in github:acme"
        assert sent("slack", news((event(), kept()))) == {
            "text": title,
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
                {"type": "section", "text": {"type": "mrkdwn", "text": finding, "verbatim": True}},
                {"type": "section", "text": {"type": "mrkdwn", "text": f"`{SUMMARY}`", "verbatim": True}},
            ],
        }

    def test_teams(self) -> None:
        """An Adaptive Card of runs of text, which know no Markdown."""
        document = sent("teams", news((event(), kept())))
        (attachment,) = document["attachments"]
        card = attachment.pop("content")
        assert (document["type"], attachment) == (
            "message",
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None},
        )
        body = card.pop("body")
        assert card == {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
        }
        bold = {"weight": "Bolder"}
        assert body == [
            {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text} | weight]}
            for text, weight in [
                ("oakum: 1 new in github:acme", bold),
                ("NEW: critical 95, GitHub token: live mode", bold),
                (f"{MASK} in acme/web: src/settings.ini:100:9", {}),
                ("owner: @acme/web", {}),
                ("oakum sweep findings 0123456789abcdef", {}),
                (SUMMARY, {}),
            ]
        ]

    def test_generic(self) -> None:
        """The news as in `--format json`, with what a receiver knows the message by."""
        document = sent("generic", news((event(), kept())), missing=2)
        (change,) = document.pop("changes")
        found = change.pop("is")
        assert change == {
            "sweep": 2,
            "at": "2027-03-02T03:10:00+00:00",
            "change": "new",
            "finding": "0123456789abcdef",
            "before": "",
            "after": "",
        }
        assert (found["secret"], found["places"], found["state"]) == (MASK, [place()], "open")
        assert document.pop("counts")["new"] == 1
        assert document == {
            "event": "oakum.sweep",
            "id": "k" * 32,
            "missing": 2,
            "schema": 1,
            "sweep": 2,
            "started": "2027-03-02T02:00:00+00:00",
            "ended": "2027-03-02T03:10:00+00:00",
            "targets": ["github:acme"],
            "complete": True,
            "changes_folded": 0,
            "by": {"repository": {"acme/web": {"new": 1}}, "team": {"acme": {"new": 1}}, "kind": {"token": {"new": 1}}},
            "by_folded": {"repository": 0, "team": 0, "kind": 0},
            "failed": [],
            "failed_folded": 0,
            "unlisted": [],
            "unlisted_folded": 0,
        }


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_what_changed_is_said_and_what_is_missing(kind: str) -> None:
    """Each change in its words, what was not looked at, and messages that may be lost."""
    said = "\n".join(texts(sent(kind, full(), missing=2)))
    for words in (
        "NEW: critical 95",
        "REOPENED (it was revoked)",
        "WORSE (from medium to critical)",
        "WORSE (now live)",
        "SPREAD (it came to acme/shop): medium 42, Password in a .netrc file",
        "FIXED: medium",
        "REVOKED: critical",
        "failed: acme/huge",
        "not listed: github:acme: it answers 500",
        "2 messages before this one may be missing: oakum sweep status",
        "INCOMPLETE",
    ):
        assert words in said


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_no_secret_stands_in_a_message(kind: str) -> None:
    """Nor more of it than the mask shows."""
    message = MESSAGES[kind](full(), "k", 0)
    assert TOKEN not in message
    assert TOKEN[len(MASK.partition("…")[0]) :][:6] not in message


def test_slack_addresses_nobody() -> None:
    """Nothing that comes from outside is a mention, a link, a format or an emoji: it is escaped, and in code."""
    document = sent("slack", hostile())
    for text in texts(document):
        assert not re.search("[<>]|&(?!amp;|lt;|gt;)", text)
        assert not re.search(UNSAFE.replace("\\x0a", ""), text.replace("\n", ""))
    for block in document["blocks"][1:]:
        for line in block["text"]["text"].split("\n"):
            assert re.fullmatch("`[^`]+`", line)
    assert "&lt;!channel&gt;" in document["text"]


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_nothing_acts_on_who_reads(kind: str) -> None:
    """Control and bidirectional characters are escapes; lines are ours alone."""
    for text in texts(sent(kind, hostile())):
        assert not re.search(UNSAFE, text.replace("\n", "")), text


def test_generic_is_ascii() -> None:
    """Whatever stands in names, no receiver mistakes its coding; a program reads what there was."""
    message = MESSAGES["generic"](hostile(), "k", 0)
    assert message.isascii()
    assert json.loads(message)["failed"][0]["repository"] == hostile().failed[0][0]


class TestLengths:
    """Receivers refuse what is longer than they say, and all of it."""

    def test_twenty_findings_are_told_one_by_one(self) -> None:
        """The others are counted."""
        for kind in ("slack", "teams"):
            said = texts(sent(kind, many(5000)))
            assert sum("NEW: critical" in text for text in said) == 20
            assert sum("and 4,980 more: oakum sweep history --sweep 2" in text for text in said) == 1

    def test_generic_tells_two_hundred(self) -> None:
        """And groups, repositories that failed and parts that were not listed as many."""
        told = many(5000)
        each = tuple((e, kept(repositories=(f"acme/{n}",))) for n, (e, _) in enumerate(told.changes))
        failed = tuple((f"acme/{n}", "gone") for n in range(1000))
        unlisted = [Unlisted(f"github:{n}", "it answers 500") for n in range(300)]
        document = sent("generic", news(*each, failed=failed, unlisted=unlisted))
        assert (len(document["changes"]), document["changes_folded"]) == (200, 4800)
        assert (len(document["by"]["repository"]), document["by_folded"]["repository"]) == (200, 4800)
        assert (len(document["failed"]), document["failed_folded"]) == (200, 800)
        assert (len(document["unlisted"]), document["unlisted_folded"]) == (200, 100)

    @pytest.mark.parametrize("sign", ["a", "&", "<", "`", "_", "я", "漢", "\U0001f600", "\x1b", "\u202e", "\\", '"'])
    def test_long_names(self, sign: str) -> None:
        """Of whatever characters they are, and all of them as long as a store has them."""
        long = sign * 2000
        worst = kept(
            summary=long,
            secret=sign * 64 + "…[masked]",
            repositories=(long,) * 20,
            teams=(long,) * 20,
            owners=(long,) * 20,
            places=(place(long, long),) * 5,
            rotate=long,
        )
        told = news(
            *((event("spread", "", long), worst),) * 21,
            targets=(long,) * 9,
            failed=((long, long),) * 30,
            unlisted=[Unlisted(long, long)] * 30,
        )
        require_fitting(told)
        assert sum("SPREAD" in text for text in texts(sent("slack", told))) >= 2, "hidden by what an author wrote"

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.text(max_size=900), min_size=6, max_size=6), st.integers(0, 40), st.integers(0, 99))
    def test_any_text(self, given: list[str], number: int, missing: int) -> None:
        """The same for texts of all kinds, lone surrogates too."""
        summary, repository, path, owner, target, why = given
        one = kept(summary=summary, repositories=(repository,), owners=(owner,), places=(place(repository, path),))
        told = news(*((event("new", path, why), one),) * number, targets=(target,), failed=((repository, why),))
        require_fitting(told, missing)


def require_fitting(told: News, missing: int = 99) -> None:
    """Each message fits, and is whole."""
    slack = MESSAGES["slack"](told, "k", missing)
    document = json.loads(slack)
    header, *blocks = document["blocks"]
    assert len(slack) <= SLACK_ALL
    assert len(blocks) < SLACK_BLOCKS
    assert 0 < utf_16(header["text"]["text"]) <= SLACK_HEADER
    for block in blocks:
        assert 0 < utf_16(block["text"]["text"]) <= SLACK_TEXT
        assert not re.search("[<>]|&(?!amp;|lt;|gt;)", block["text"]["text"])
    teams = MESSAGES["teams"](told, "k", missing)
    assert len(teams) < TEAMS
    generic = MESSAGES["generic"](told, "k", missing)
    assert len(generic) <= 1 << 20
    assert json.loads(generic)["counts"] == dict(told.counts)
    for each in (texts(document), texts(json.loads(teams))):
        assert any("sweep 2 of" in text for text in each), "the counts are always there"


def utf_16(text: str) -> int:
    """Units of UTF-16, of which no text has more than receivers count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
