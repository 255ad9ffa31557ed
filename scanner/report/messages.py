"""What a sweep brought, as messages to webhooks: JSON for programs, Slack, Microsoft Teams.

Lengths are bounded as the receivers want it: what does not fit is counted. Names and texts out of repositories are
escaped so that they neither address anybody nor look like links. Sources:
https://docs.slack.dev/reference/block-kit/blocks/ (50 blocks, 3,000 characters of a text, 150 of a header),
https://docs.slack.dev/messaging/formatting-message-text/ (escaping `&`, `<` and `>`),
https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (28 KB) and
https://adaptivecards.io/explorer/RichTextBlock.html (runs of text, in which there is no Markdown).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ..model import clean
from ..swept import NEWS, Event, Kept, News
from .kept import names, place_of
from .news import news_object, note_of, summary

GENERIC_CHANGES = 200
SLACK_BLOCKS = 50
SLACK_TEXT = 3000
TEAMS_BYTES = 26 << 10
LONGEST = 700
"""Characters of a finding."""
SHOWN = 20
"""Findings that a message for people tells one by one."""

Render = Callable[[News, str, int], bytes]


def generic(news: News, key: str, missing: int) -> bytes:
    """The news as JSON (docs/sweeps.md), with `id`, by which a receiver knows a message again."""
    document = {"event": "oakum.sweep", "id": key, "missing": missing, **news_object(news, GENERIC_CHANGES)}
    return json.dumps(document, ensure_ascii=True).encode()


def slack(news: News, _key: str, missing: int) -> bytes:
    """Blocks of Block Kit."""
    title = _title(news)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:150], "emoji": False}}
    ]
    shown = news.changes[:SHOWN]
    blocks += [_section("\n".join(map(_escaped, _lines(event, kept)))) for event, kept in shown]
    blocks += [_section(_escaped(line)) for line in _closing(news, len(shown), missing)]
    return json.dumps(
        {"text": _escaped(title)[:SLACK_TEXT], "blocks": blocks[:SLACK_BLOCKS]}, ensure_ascii=True
    ).encode()


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SLACK_TEXT], "verbatim": True}}


def _escaped(text: str) -> str:
    """Text in which nothing is a mention, a link or a format."""
    for sign, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, instead)
    for sign in "*_~`":
        text = text.replace(sign, f"\u200b{sign}\u200b" if sign != "`" else "'")
    return text


def teams(news: News, _key: str, missing: int) -> bytes:
    """An Adaptive Card, as workflows of Teams take it."""
    shown = list(news.changes[:SHOWN])
    while True:
        body = [_run(_title(news), bold=True)]
        for event, kept in shown:
            first, *others = _lines(event, kept)
            body += [_run(first, bold=True), *map(_run, others)]
        body += [_run(line) for line in _closing(news, len(shown), missing)]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        message = json.dumps({"type": "message", "attachments": [attachment]}, ensure_ascii=True).encode()
        if len(message) <= TEAMS_BYTES or not shown:
            return message
        del shown[len(shown) * 3 // 4 :]


def _run(text: str, *, bold: bool = False) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text} | ({"weight": "Bolder"} if bold else {})
    return {"type": "RichTextBlock", "inlines": [run]}


def _title(news: News) -> str:
    changed = ", ".join(f"{news.counts[change]:,} {change}" for change in NEWS if news.counts.get(change))
    return f"oakum: {changed or 'nothing new'} in {names(news.targets, 2)}"


def _lines(event: Event, kept: Kept) -> Iterator[str]:
    """A finding in a few short lines, safe to show."""
    change = event.change.upper() + (f" ({note})" if (note := note_of(event)) else "")
    yield clean(f"{change}: {kept.band} {kept.score}, {kept.summary}")[:LONGEST]
    where = place_of(kept.places[0]) if kept.places else names(kept.repositories)
    yield f"{clean(kept.secret)[:80]} in {where}"[:LONGEST]
    if kept.owners:
        yield f"owner: {names(kept.owners, 3)}"[:LONGEST]
    yield f"oakum sweep findings {kept.id}"


def _closing(news: News, shown: int, missing: int) -> Iterator[str]:
    told = sum(news.counts.get(change, 0) for change in NEWS)
    if told > shown:
        yield f"and {told - shown:,} more: oakum sweep history --sweep {news.sweep}"
    if news.failed:
        yield f"failed: {names([name for name, _ in news.failed], 5)}"[:LONGEST]
    if news.unlisted:
        yield f"not listed: {names([f'{part.target}: {part.why}' for part in news.unlisted], 3)}"[:LONGEST]
    if missing:
        yield f"{missing} message{'s' if missing > 1 else ''} before this one may be missing: oakum sweep status"
    yield " ".join(line.strip() for line in summary(news))[:LONGEST]


MESSAGES: dict[str, Render] = {"generic": generic, "slack": slack, "teams": teams}
"""The kinds of webhooks."""
