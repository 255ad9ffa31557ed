"""The page of `oakum listing`: what it comes to, credentials found, what deserves a look first, what lies where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..listed import Fetched, ListingResult, Named, Target
from ..model import BANDS, clean
from . import tree
from .amounts import counted, shortened, size_of
from .opening import sentence
from .options import ReportOptions, wrapped
from .text import finding_lines, paint, summary_lines

LONGEST_KEY = 300
"""Characters of a key that are shown."""


def render(result: ListingResult, options: ReportOptions, *, top: int = 20) -> Iterator[str]:
    """The whole page; `top` says how many objects of the plan are shown."""
    return (line + "\n" for line in _lines(result, options, top))


def _lines(result: ListingResult, options: ReportOptions, top: int) -> Iterator[str]:
    for place, target in enumerate(result.targets):
        kind = f"  ({target.kind})" if target.kind else ""
        yield paint(f"oakum {options.version}  {clean(target.name)}{kind}", "dim", options)
        yield ""
        yield from (paint(line, "bold", options) for line in wrapped(sentence(place, result), options, "", ""))
        if target.url:
            label = f" {target.url.band.upper()} {target.url.score} "
            first, *more = wrapped(clean(target.url.summary), options, " " * len(label) + " ", " " * 9)
            yield f"{paint(label, target.url.band, options)} {first.strip()}"
            yield from more
        if target.openness:
            yield from wrapped(clean(target.openness), options, "  without credentials: ", " " * 11)
        yield ""
    for ranked in result.scan.findings:
        yield from finding_lines(ranked, options)
        yield ""
    yield from _plan(result, options, top)
    for target in result.targets:
        yield from _tree(target, result, options)
    if result.fetched:
        yield _fetched(result.fetched)
        yield ""
    yield from summary_lines(result.scan, options)


def _tree(target: Target, result: ListingResult, options: ReportOptions) -> Iterator[str]:
    if not target.tree:
        return
    if len(result.targets) > 1:
        yield paint(clean(target.name), "bold", options)
    yield paint(tree.heading(options.width), "bold", options)
    yield from tree.lines(target, result.shown, options.width)
    if target.folders:
        yield f"  {counted(target.folders, 'folder')} named and not entered"
    yield ""


def _fetched(fetched: Fetched) -> str:
    known = f"; {fetched.known:,} were read before, and nothing was found in them" if fetched.known else ""
    return f"{counted(fetched.objects, 'object')} read, {size_of(fetched.bytes)}{known}"


def bands_of(named: Mapping[str, int]) -> str:
    """Counts by band in words, the worst first."""
    return ", ".join(f"{named[band]:,} {band}" for band in BANDS if named.get(band))


# --- the plan --------------------------------------------------------------------------------------------------------


def _plan(result: ListingResult, options: ReportOptions, top: int) -> Iterator[str]:
    total = sum(result.named.values())
    below = f"; {result.below_band:,} below --min-band not shown" if result.below_band else ""
    if not total:
        if below:
            yield f"no object's name tells of credentials{below}"
            yield ""
        return
    head = f"{counted(total, 'name')} that tell{'s' if total == 1 else ''} of credentials"
    yield paint(f"{head}: {bands_of(result.named)}{below}", "bold", options)
    yield paint("       worth  band             size  changed     object", "dim", options)
    told: set[str] = set()
    for number, one in enumerate(result.plan[:top], 1):
        yield _row(number, one, result, options)
        if one.rule.id not in told:
            told.add(one.rule.id)
            reason = f"{one.rule.kind}: {one.rule.reason}"
            yield from (paint(line, "dim", options) for line in wrapped(reason, options, " " * 7, " " * 7))
    more = total - min(top, len(result.plan))
    if more > 0:
        kept = "" if total == len(result.plan) else f", --format json has {len(result.plan):,}"
        yield f"  … and {more:,} more (--top shows more{kept})"
    shown = result.plan[:top]
    known = [one.size for one in shown if one.size >= 0]
    if len(shown) > 1 and known:
        yield f"  {len(shown):,} objects with {size_of(sum(known))}{'' if len(known) == len(shown) else ' or more'}"
    yield ""


def _row(number: int, one: Named, result: ListingResult, options: ReportOptions) -> str:
    size = "?" if one.size < 0 else size_of(one.size)
    day = one.day.decode("ascii", "replace") or "?"
    several = len(result.targets[one.target].named_containers()) > 1
    path = b"/".join(filter(None, (one.container if several else b"", one.key)))
    target = f"{clean(result.targets[one.target].name)}: " if len(result.targets) > 1 else ""
    band = paint(f"{one.band.upper():<8} {one.score:>3}", one.band, options)
    key = shortened(clean(result.shown(path)), LONGEST_KEY)
    return f"  {number:>3}  {one.worth:>5.1f}  {band}  {size:>9}  {day:<10}  {target}{key}"
