"""Messages to webhooks: within the receivers' bounds, and without anything in them that addresses anybody."""

from __future__ import annotations

import json

import pytest
from oakum.scanner.report.messages import MESSAGES, TEAMS_BYTES
from oakum.scanner.report.metrics import render
from oakum.scanner.report.news import news_object
from swept_by_hand import ALL, HOSTILE_NEWS, NOW, kept, news


def test_generic() -> None:
    """The news as `sweep run --format json` has them, with an id by which a receiver knows a message again."""
    assert json.loads(MESSAGES["generic"](ALL, "key", 2)) == {
        "event": "oakum.sweep",
        "id": "key",
        "missing": 2,
        **news_object(ALL),
    }


def test_slack() -> None:
    """A header, a section for each finding, what failed, counts."""
    message = json.loads(MESSAGES["slack"](news(ALL.changes[0]), "key", 0))
    section = {"type": "mrkdwn", "verbatim": True}
    assert message == {
        "text": "oakum: 1 new in github:acme",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "oakum: 1 new in github:acme", "emoji": False}},
            {
                "type": "section",
                "text": section
                | {
                    "text": "`NEW: high 81, Acme token: may write`\n"
                    "`acme_…[masked] in acme/web: config/app.py:3:9`\n"
                    "`owner: @acme/platform`\n"
                    "`oakum sweep findings 0123456789abcdef`"
                },
            },
            {"type": "section", "text": section | {"text": "`failed: acme/old`"}},
            {
                "type": "section",
                "text": section
                | {
                    "text": "`sweep 7 of github:acme: 1 new; 12 repositories, 2 searched, 9 unchanged, 1 failed; "
                    "2,460 s; 4 findings to do something about (4 high); "
                    "INCOMPLETE: what failed is tried again in the next sweep`"
                },
            },
        ],
    }


def test_teams() -> None:
    """An Adaptive Card of runs of text, in which there is no Markdown."""
    message = json.loads(MESSAGES["teams"](news(ALL.changes[0]), "key", 1))
    (attachment,) = message["attachments"]
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [run["text"] for block in card["body"] for run in block["inlines"]] == [
        "oakum: 1 new in github:acme",
        "NEW: high 81, Acme token: may write",
        "acme_…[masked] in acme/web: config/app.py:3:9",
        "owner: @acme/platform",
        "oakum sweep findings 0123456789abcdef",
        "failed: acme/old",
        "1 message before this one may be missing: oakum sweep status",
        "sweep 7 of github:acme: 1 new; 12 repositories, 2 searched, 9 unchanged, 1 failed; 2,460 s; "
        "4 findings to do something about (4 high); INCOMPLETE: what failed is tried again in the next sweep",
    ]


def test_slack_takes_it_whatever_repositories_are_called() -> None:
    """50 blocks, 3,000 characters of a text, 150 of a header; nothing that is a mention, a link or a format."""
    message = json.loads(MESSAGES["slack"](HOSTILE_NEWS, "key", 0))
    assert len(message["blocks"]) <= 50
    assert all(
        len(block["text"]["text"]) <= (150 if block["type"] == "header" else 3000) for block in message["blocks"]
    )
    sections = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]
    assert not [text for text in sections if {"<", ">", "\x1b", "\u202e"} & set(text)]
    lines = [line for text in sections for line in text.split("\n")]
    assert all(line[0] == line[-1] == "`" and "`" not in line[1:-1] for line in lines), "nothing is a format in code"
    assert any(" more: oakum sweep history --sweep 7" in text for text in sections)


def test_teams_takes_it_whatever_repositories_are_called() -> None:
    """28 KB in all."""
    message = MESSAGES["teams"](HOSTILE_NEWS, "key", 0)
    assert len(message) <= TEAMS_BYTES
    texts = [
        run["text"] for block in json.loads(message)["attachments"][0]["content"]["body"] for run in block["inlines"]
    ]
    assert not [text for text in texts if {"\x1b", "\u202e"} & set(text)]
    assert any(" more: oakum sweep history --sweep 7" in text for text in texts)


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_a_message_is_bounded_whatever_is_new(kind: str) -> None:
    """Of thousands of findings, too."""
    many = news(*[(event, kept()) for event, _ in HOSTILE_NEWS.changes * 20])
    assert len(MESSAGES[kind](many, "key", 0)) < 1 << 20


def test_metrics() -> None:
    """The text format of Prometheus: each name with its help and type, each value with its labels."""
    status = {
        "findings": {"states": {"open": 3, "fixed in head": 1}, "bands": {"high": 4}},
        "repositories": {"failing": 1},
        "deliveries": {"counts": {"waiting": 1, "may have arrived": 0}},
    }
    lines = "".join(render(ALL, status)).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    told = {line.split(" ")[2] for line in lines if line.startswith("# TYPE ")}
    assert {name.partition("{")[0] for name in values} == told
    assert told == {line.split(" ")[2] for line in lines if line.startswith("# HELP ")}
    assert float(values["oakum_sweep_end_timestamp_seconds"]) == NOW.timestamp()
    assert values["oakum_sweep_duration_seconds"] == "2460"
    assert values["oakum_sweep_complete"] == "0"
    assert values['oakum_sweep_repositories{ending="unchanged"}'] == "9"
    assert values['oakum_sweep_news{change="reopened"}'] == "1"
    assert values['oakum_findings{state="fixed in head"}'] == "1"
    assert values['oakum_findings_counting{band="high"}'] == "4"
    assert values['oakum_deliveries{status="waiting"}'] == "1"
