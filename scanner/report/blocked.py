"""The page for whoever is stopped by a hook: on one screen what, where, since when, why, and how to go on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..model import GitBlob, GitMessage, RankedFinding, clean
from .options import ReportOptions, reasons, shown, wrapped
from .text import name_of, paint, title

SCREEN = 24
"""Lines of the page, where its ways to go on leave room for that."""
LONGEST_NAME = 60
"""Characters of a file's name, outside of commands."""
_INDENT = 10
_MOST = 2
"""Lines that say where a finding stands, and why it counts."""
_STYLED = re.compile("\x1b\\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Command:
    """A command for a shell, which stands in one line however long it is; and a note on it."""

    line: str
    note: str = ""


Way = tuple[str, Sequence[str | Command]]
"""A way to go on: in a word, and what to do."""


def render(
    heading: str, findings: Sequence[RankedFinding], ways: Sequence[Way], options: ReportOptions
) -> Iterator[str]:
    """The page, line by line: the findings, worst first, then each way to go on.

    Where there is no room for all findings, the first is told as ever, of others a line each as far as there is room,
    and the rest is counted. Where there is no room for that either, it is told in short.
    """
    head = [heading, ""]
    last = ["To go on:", *(line for word, steps in ways for line in _way(word, steps, options))]
    yield from (paint(line, "bold", options) for line in head)
    yield from _findings(findings, SCREEN - _height([*head, *last], options), options)
    yield from last


def _findings(findings: Sequence[RankedFinding], room: int, options: ReportOptions) -> list[str]:
    whole = [line for ranked in findings[:SCREEN] for line in (*_finding(ranked, options), "")]
    if len(findings) <= SCREEN and _height(whole, options) <= room:
        return whole
    first = [*_finding(findings[0], options), ""]
    if _height(first, options) + (_MOST if len(findings) > 1 else 0) > room:
        first = [*_finding(findings[0], options, brief=True), ""]
    return [*first, *_others(findings[1:], room - _height(first, options), options)]


def shortened(name: str) -> str:
    """A file's name with its end, which says most."""
    if len(name) <= LONGEST_NAME:
        return name
    return name[: LONGEST_NAME // 3] + "…" + name[1 - LONGEST_NAME * 2 // 3 :]


def _height(lines: Iterable[str], options: ReportOptions) -> int:
    """Lines of a terminal that some lines take."""
    plain = (_STYLED.sub("", line) for line in lines)
    return sum(max(1, -(-len(line) // options.width)) for line in plain)


def _finding(ranked: RankedFinding, options: ReportOptions, *, brief: bool = False) -> Iterator[str]:
    more = len(ranked.finding.occurrences) + ranked.finding.folded - 1
    also = f", and {more:,} more place{'s' if more > 1 else ''}" if more else ""
    yield from title(ranked, options)
    yield from wrapped(f"{_where(ranked)}{also}{_since(ranked)}", options, "  where  ", " " * 9)[:_MOST]
    if not brief:
        yield from wrapped("; ".join(reasons(ranked)), options, "  why    ", " " * 9)[:_MOST]
    yield paint(f"  id     {ranked.fingerprint}  {ranked.finding.detector.id}", "dim", options)


def _others(findings: Sequence[RankedFinding], room: int, options: ReportOptions) -> Iterator[str]:
    """A line for each as far as there is room, and one that counts the rest."""
    told = findings if len(findings) < room else findings[: max(0, room - 2)]
    for ranked in told:
        label, finding = f" {ranked.band.upper()} {ranked.score} ", ranked.finding
        text, mask = f" {_where(ranked)}  {finding.detector.name}", f"  {clean(shown(finding.secret, options))}"
        space = options.width - len(label)
        if len(text) + len(mask) <= space:
            text += mask
        yield paint(label, ranked.band, options) + (text if len(text) <= space else text[: space - 1] + "…")
    if rest := len(findings) - len(told):
        yield f"  and {rest:,} more: `oakum scan` shows them all"
    if findings:
        yield ""


def _where(ranked: RankedFinding) -> str:
    first = ranked.finding.occurrences[0]
    return f"{shortened(name_of(first.origin))}:{first.span.line}:{first.span.column}"


def _since(ranked: RankedFinding) -> str:
    origin = ranked.finding.occurrences[0].origin
    if isinstance(origin, GitBlob) and origin.commit:
        return f", since commit {origin.commit[:12]} by {clean(origin.author)}"
    return f", by {clean(origin.author)}" if isinstance(origin, GitMessage) and origin.author else ""


def _way(word: str, steps: Sequence[str | Command], options: ReportOptions) -> Iterator[str]:
    first = f"  {word:<{_INDENT - 4}}  "
    other, lines, indent = " " * _INDENT, list[str](), ""
    for step in steps:
        if isinstance(step, str):
            lines += wrapped(step, options, other, other)
            indent = "  "  # of the commands that it speaks of
            continue
        line = f"{other}{indent}{step.line}"
        note = f"({step.note})" if step.note else ""
        if note and len(line) + 3 + len(note) <= options.width:
            line, note = f"{line}   {note}", ""
        lines += [line, *(wrapped(note, options, f"{other}{indent}  ", f"{other}{indent}  ") if note else ())]
    for place, line in enumerate(lines):
        yield line if place else paint(first, "bold", options) + line[_INDENT:]
