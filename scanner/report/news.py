"""What a sweep brought, for people and as JSON: what is new, worse, fixed or revoked since the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..model import clean
from ..swept import NEWS, Change, Event, Kept, News
from .kept import event_object, finding_lines, groups_of, in_bands, kept_object, line_of, names
from .options import ReportOptions
from .structured import to_json
from .text import paint

IN_FULL = ("new", "reopened", "worse", "spread")
"""Changes that are told in full; of the others, which need nobody to do anything, each has a line."""
MOST_IN_FULL = 50
MOST_LINES = 200
MOST_FAILED = 20
MOST_GROUPS = 10
WORDS: dict[Change, str] = {
    "new": "new",
    "reopened": "reopened: fixed, revoked or accepted before, and there again",
    "worse": "worse than before",
    "spread": "in another repository, too",
    "fixed": "fixed: no branch has it any more (revoke it all the same, if that is not done)",
    "revoked": "revoked: its provider does not take it any more",
}


def render_json(news: News) -> Iterator[str]:
    """One document."""
    yield to_json(news_object(news), indent=2) + "\n"


def news_object(news: News, most: int | None = None, most_changes: int | None = None) -> dict[str, Any]:
    """What is new as JSON, all of it or so many changes, and `most` entries of each other list: how many were left out
    is said."""
    changes = news.changes[:most_changes]
    by = {name: by_group(news, name) for name in ("repository", "team", "kind")}
    return {
        "schema": 1,
        "sweep": news.sweep,
        "started": news.started.isoformat(),
        "ended": news.ended.isoformat(),
        "targets": list(news.targets),
        "complete": news.complete,
        "counts": dict(news.counts),
        "changes": [event_object(event) | {"is": kept_object(kept)} for event, kept in changes],
        "changes_folded": len(news.changes) - len(changes),
        "by": {name: dict(list(of.items())[:most]) for name, of in by.items()},
        "by_folded": {name: len(of) - len(list(of)[:most]) for name, of in by.items()},
        "failed": [{"repository": name, "why": why} for name, why in news.failed[:most]],
        "failed_folded": len(news.failed) - len(news.failed[:most]),
        "unlisted": [{"target": part.target, "why": part.why} for part in news.unlisted[:most]],
        "unlisted_folded": len(news.unlisted) - len(news.unlisted[:most]),
    }


def by_group(news: News, by: str) -> dict[str, dict[str, int]]:
    """How many changes there are of each kind in each repository, team …; most first."""
    counts: dict[str, Counter[str]] = {}
    for event, kept in news.changes:
        for name in groups_of(kept, by):
            counts.setdefault(name, Counter())[event.change] += 1
    ordered = sorted(counts.items(), key=lambda each: ([-each[1][change] for change in NEWS], each[0]))
    return {name: {change: n for change in NEWS if (n := of[change])} for name, of in ordered}


def render_text(news: News, options: ReportOptions) -> Iterator[str]:
    """The page for people: most urgent first, then what failed, then counts."""
    for change in NEWS:
        of = [(event, kept) for event, kept in news.changes if event.change == change]
        if of:
            yield f"{paint(WORDS[change].upper()[:1] + WORDS[change][1:], 'bold', options)} ({len(of):,})\n\n"
            yield from _in_full(of, news, options) if change in IN_FULL else _in_lines(of, news)
    yield from _groups(news)
    for name, why in news.failed[:MOST_FAILED]:
        yield f"failed   {clean(name)}: {clean(why)}\n"
    if len(news.failed) > MOST_FAILED:
        yield f"failed   {len(news.failed) - MOST_FAILED:,} more: oakum sweep status\n"
    for part in news.unlisted[:MOST_FAILED]:
        yield f"unlisted {clean(part.target)}: {clean(part.why)}\n"
    if len(news.unlisted) > MOST_FAILED:
        yield f"unlisted {len(news.unlisted) - MOST_FAILED:,} more parts: oakum sweep status --format json\n"
    yield from summary(news)


def _in_full(of: list[tuple[Event, Kept]], news: News, options: ReportOptions) -> Iterator[str]:
    for event, kept in of[:MOST_IN_FULL]:
        yield from (line + "\n" for line in finding_lines(kept, options, note=note_of(event)))
        yield "\n"
    if len(of) > MOST_IN_FULL:
        yield f"and {len(of) - MOST_IN_FULL:,} more: oakum sweep history --sweep {news.sweep}\n\n"


def _in_lines(of: list[tuple[Event, Kept]], news: News) -> Iterator[str]:
    for _, kept in of[:MOST_LINES]:
        yield f"  {line_of(kept)}\n"
    if len(of) > MOST_LINES:
        yield f"  and {len(of) - MOST_LINES:,} more: oakum sweep history --sweep {news.sweep}\n"
    yield "\n"


def note_of(event: Event) -> str:
    """What changed, where that is more than that it is there."""
    if event.change == "worse":
        return f"from {event.before} to {event.after}" if event.before else f"now {event.after}"
    if event.change == "spread":
        return f"it came to {event.after}"
    return f"it was {event.before}" if event.change == "reopened" and event.before else ""


def _groups(news: News) -> Iterator[str]:
    """Who has what to do, where that is more than one."""
    for by in ("team", "repository", "kind"):
        of = by_group(news, by)
        if len(of) < 2:
            continue
        for number, (name, changes) in enumerate(of.items()):
            if number == MOST_GROUPS:
                yield f"         and {len(of) - MOST_GROUPS:,} more\n"
                break
            told = ", ".join(f"{n:,} {change}" for change, n in changes.items())
            yield f"{'' if number else by:<10} {clean(name)}: {told}\n"
        yield "\n"


def summary(news: News) -> Iterator[str]:
    """The counts."""
    counts = news.counts
    changed = ", ".join(f"{counts[change]:,} {change}" for change in NEWS if counts.get(change))
    yield f"sweep {news.sweep} of {names(news.targets)}: {changed or 'nothing new'}\n"
    told = [f"{counts.get('repositories', 0):,} repositories"]
    told += [
        f"{counts[name]:,} {name}" for name in ("searched", "unchanged", "failed", "incomplete") if counts.get(name)
    ]
    yield f"         {', '.join(told)}; {(news.ended - news.started).total_seconds():,.0f} s\n"
    yield f"         {counts.get('findings', 0):,} findings to do something about{in_bands(counts)}\n"
    if counts.get("not_reported"):
        yield f"         {counts['not_reported']:,} are not reported any more, as settings or oakum changed, and may be"
        yield " there still (oakum sweep findings --state not-reported)\n"
    if counts.get("below_min_band"):
        yield f"         {counts['below_min_band']:,} changes below --min-band were not told\n"
    if not news.complete:
        yield "         INCOMPLETE: what failed is tried again in the next sweep\n"
