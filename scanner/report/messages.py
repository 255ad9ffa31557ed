"""What a sweep brought, as messages to webhooks: JSON for programs, Slack, Microsoft Teams.

Lengths are bounded as the receivers want it, and in bytes, so that no characters make a message longer than it looks:
what does not fit is counted. Names and texts out of repositories are escaped so that they neither address anybody nor
look like links, formats or emoji. Sources:
https://docs.slack.dev/reference/block-kit/blocks/ (50 blocks, 3,000 characters of a text, 150 of a header),
https://github.com/slackapi/bolt-js/issues/2509 and /2867 (about 12,000 characters of all blocks, less what holds them),
https://docs.slack.dev/messaging/formatting-message-text/ (escaping `&`, `<` and `>`; nothing is a format in code),
https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (28 KB) and
https://adaptivecards.io/explorer/RichTextBlock.html (runs of text, in which there is no Markdown).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..model import clean
from ..swept import NEWS, Event, Kept, News
from .kept import kept_object, names, place_of, what_of
from .news import news_object, note_of, summary

GENERIC_ENTRIES = 200
"""Changes, and entries of any other list."""
GENERIC_BYTES = 1 << 20
SLACK_BYTES = 10 << 10
SLACK_HEADER = 150
TEAMS_BYTES = 26 << 10
LONGEST = 400
"""Bytes of a line."""
SHOWN = 20
"""Findings that a message for people tells one by one."""

Render = Callable[[News, str, int], bytes]


def generic(news: News, key: str, missing: int) -> bytes:
    """The news as JSON (docs/sweeps.md), with `id`, by which a receiver knows a message again."""
    left, fit = GENERIC_BYTES, 0
    for _, kept in news.changes[:GENERIC_ENTRIES]:  # of which each may be of many names
        left -= len(json.dumps(kept_object(kept)))
        if left < 0:
            break
        fit += 1

    def rendered(most: int) -> bytes:
        told = news_object(news, most, min(most, fit))
        return json.dumps({"event": "oakum.sweep", "id": key, "missing": missing, **told}).encode()

    return _fitting(rendered, GENERIC_ENTRIES, GENERIC_BYTES)


def _fitting(rendered: Callable[[int], bytes], most: int, longest: int) -> bytes:
    """A message with as many findings as fit, at most so many."""
    while len(message := rendered(most)) > longest and most:
        most = most * 3 // 4
    return message


def slack(news: News, _key: str, missing: int) -> bytes:
    """Blocks of Block Kit."""
    title, findings = _escaped(_title(news), SLACK_HEADER), _findings(news)

    def rendered(most: int) -> bytes:
        shown = findings[:most]
        blocks: list[dict[str, Any]] = [
            {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
            *map(_section, shown),
            *(_section([line]) for line in _closing(news, len(shown), missing)),
        ]
        return _json({"text": title, "blocks": blocks})

    return _fitting(rendered, SHOWN, SLACK_BYTES)


def _section(lines: Iterable[str]) -> dict[str, Any]:
    """Lines as code: `:100:` of a place would be an emoji elsewhere, and `_x_` would lose what it is written with."""
    text = "\n".join(f"`{_escaped(line, LONGEST)}`" for line in lines)
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}


def _escaped(text: str, most: int) -> str:
    """Text in which nothing is a mention, a link or the end of code; of at most so many bytes, and no half entity."""
    signs = [_ENTITIES.get(sign, sign) for sign in text]
    size = sum(map(_bytes, signs))
    if size <= most:
        return "".join(signs)
    while size > most - len("…".encode()):
        size -= _bytes(signs.pop())
    return "".join(signs) + "…"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def teams(news: News, _key: str, missing: int) -> bytes:
    """An Adaptive Card, as workflows of Teams take it."""
    findings = _findings(news)

    def rendered(most: int) -> bytes:
        shown = findings[:most]
        body = [_run(_title(news), bold=True)]
        for first, *others in shown:
            body += [_run(first, bold=True), *map(_run, others)]
        body += [_run(line) for line in _closing(news, len(shown), missing)]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return _json({"type": "message", "attachments": [attachment]})

    return _fitting(rendered, SHOWN, TEAMS_BYTES)


def _run(text: str, *, bold: bool = False) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text} | ({"weight": "Bolder"} if bold else {})
    return {"type": "RichTextBlock", "inlines": [run]}


def _json(document: object) -> bytes:
    """In UTF-8, where few characters take more bytes than what receivers count."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def _title(news: News) -> str:
    changed = ", ".join(f"{news.counts[change]:,} {change}" for change in NEWS if news.counts.get(change))
    return _cut(f"oakum: {changed or 'nothing new'} in {names(news.targets, 2)}")


def _findings(news: News) -> list[list[str]]:
    """The lines of those that are told one by one."""
    return [list(_lines(event, kept)) for event, kept in news.changes[:SHOWN]]


def _lines(event: Event, kept: Kept) -> Iterator[str]:
    """A finding in a few short lines, safe to show."""
    change = event.change.upper() + (f" ({note})" if (note := note_of(event)) else "")
    yield _cut(clean(f"{change}: {kept.band} {kept.score}, {what_of(kept)}"))
    where = place_of(kept.places[0]) if kept.places else names(kept.repositories)
    yield _cut(f"{clean(kept.secret)} in {where}")
    if kept.owners:
        yield _cut(f"owner: {names(kept.owners, 3)}")
    yield f"oakum sweep findings {clean(kept.id)}"


def _closing(news: News, shown: int, missing: int) -> Iterator[str]:
    told = sum(news.counts.get(change, 0) for change in NEWS)
    if told > shown:
        yield f"{'and ' if shown else ''}{told - shown:,} {'more' if shown else 'changes'}: {_history(news)}"
    if news.failed:
        yield _cut(f"failed: {names([name for name, _ in news.failed], 5)}")
    if news.unlisted:
        yield _cut(f"not listed: {names([f'{part.target}: {part.why}' for part in news.unlisted], 3)}")
    if missing:
        yield f"{missing} message{'s' if missing > 1 else ''} before this one may be missing: oakum sweep status"
    yield _cut("; ".join(line.strip() for line in summary(news)))


def _history(news: News) -> str:
    return f"oakum sweep history --sweep {news.sweep}"


def _cut(text: str) -> str:
    """Text of at most so many bytes."""
    data = text.encode("utf-8", "replace")
    if len(data) <= LONGEST:
        return data.decode()
    return data[: LONGEST - len("…".encode())].decode("utf-8", "ignore") + "…"


MESSAGES: dict[str, Render] = {"generic": generic, "slack": slack, "teams": teams}
"""The kinds of webhooks."""
