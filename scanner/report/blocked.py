"""The page for whoever is stopped by a hook: on one screen what, where, since when, why, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model import GitBlob, GitMessage, RankedFinding, clean
from .options import ReportOptions, reasons, wrapped
from .text import name_of, paint, title

SCREEN = 24
"""Lines of the page, where its ways to go on leave room for that."""
_WHY = 2
"""Lines of the reasons."""


def render(
    heading: str, findings: Sequence[RankedFinding], ways: Sequence[tuple[str, Sequence[str]]], options: ReportOptions
) -> Iterator[str]:
    """The page, line by line: as many findings as there is room for, the others counted; then each way to go on."""
    last = [line for word, lines in ways for line in _way(word, lines, options)]
    room = SCREEN - len(last) - 4
    yield paint(heading, "bold", options)
    yield ""
    for place, ranked in enumerate(findings):
        block = [*_finding(ranked, options), ""]
        if place and len(block) > room:
            yield f"  and {len(findings) - place} more: `oakum scan` shows them all"
            yield ""
            break
        room -= len(block)
        yield from block
    yield "To go on:"
    yield from last


def _finding(ranked: RankedFinding, options: ReportOptions) -> Iterator[str]:
    occurrences = ranked.finding.occurrences
    yield from title(ranked, options)
    first = occurrences[0]
    more = len(occurrences) + ranked.finding.folded - 1
    also = f", and {more} more place{'s' if more > 1 else ''}" if more else ""
    where = f"{name_of(first.origin)}:{first.span.line}:{first.span.column}{also}{_since(ranked)}"
    yield from wrapped(where, options, "  where  ", " " * 9)
    yield from wrapped("; ".join(reasons(ranked)), options, "  why    ", " " * 9)[:_WHY]
    yield paint(f"  id     {ranked.fingerprint}  {ranked.finding.detector.id}", "dim", options)


def _since(ranked: RankedFinding) -> str:
    origin = ranked.finding.occurrences[0].origin
    if isinstance(origin, GitBlob) and origin.commit:
        return f", since commit {origin.commit[:12]} by {clean(origin.author)}"
    return f", by {clean(origin.author)}" if isinstance(origin, GitMessage) and origin.author else ""


def _way(word: str, lines: Sequence[str], options: ReportOptions) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f"  {paint(f'{word:<6}', 'bold', options) if not place else ' ' * 6}  {line}"
