"""The page for people: findings worst first, each with what, where, since when, why, and what to do; then a summary.

Nothing of the target is printed raw: control and bidirectional characters are escaped. The shown line is cut to 200
bytes around the masked secret before Pygments sees it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ..model import (
    BANDS,
    EARLIER,
    EXPOSURE_WORDS,
    REACH_WORDS,
    Coverage,
    Excerpt,
    File,
    GitBlob,
    GitMessage,
    ListingEntry,
    NotScanned,
    Occurrence,
    Origin,
    RankedFinding,
    ScanResult,
    StoredObject,
    Suppression,
    clean,
)
from .advice import first_step
from .amounts import size_of
from .options import ReportOptions, answer, reasons, shown, wrapped

_STYLE = {
    "critical": "\x1b[1;37;41m",
    "high": "\x1b[1;31m",
    "medium": "\x1b[1;33m",
    "low": "\x1b[1;36m",
    "bold": "\x1b[1m",
    "dim": "\x1b[2m",
    "mask": "\x1b[7m",
}
_VERDICTS = {"live": "high", "dead": "bold", "unknown": "dim"}
_ALSO_SHOWN = 2
_NOT_SCANNED_SHOWN = 5
_ACCEPTED_SHOWN = 5


def render(result: ScanResult, options: ReportOptions) -> Iterator[str]:
    """The whole page."""
    for line in options.heading:
        yield paint(line, "dim", options) + "\n"
    if options.heading:
        yield "\n"
    for ranked in result.findings:
        yield from (line + "\n" for line in finding_lines(ranked, options))
        yield "\n"
    yield from (line + "\n" for line in summary_lines(result, options))


def paint(text: str, style: str, options: ReportOptions) -> str:
    """The text in a style, on a terminal."""
    return f"{_STYLE[style]}{text}\x1b[0m" if options.color and text else text


def finding_lines(ranked: RankedFinding, options: ReportOptions, asked: str = "") -> Iterator[str]:
    """A finding: what, where, since when, why, and what to do; `asked` stands for what is said of its verdict."""
    finding = ranked.finding
    yield from title(ranked, options)
    first = finding.occurrences[0]
    yield f"  where  {paint(_place(first), 'bold', options)}"
    since = _since(first)
    if since:
        yield from _wrapped("state" if isinstance(first.origin, StoredObject) else "since", since, options)
    earliest = _earliest(finding.occurrences)
    if earliest is not first:
        yield f"  first  {_since(earliest, brief=True)}, as {_place(earliest)}"
    yield f"         {_line(first, options)}"
    others = [o for o in finding.occurrences[1:] if o is not earliest]
    for other in others[:_ALSO_SHOWN]:
        note = _since(other, brief=True)
        yield f"  also   {_place(other)}" + (f"  ({note})" if note else "")
    more = len(others[_ALSO_SHOWN:]) + finding.folded
    if more > 0:
        yield f"  also   {more:,} more place{'s' if more > 1 else ''}"
    if said := asked or answer(ranked):
        style = _VERDICTS[finding.verdict.state]
        yield from (paint(line, style, options) for line in _wrapped("asked", said, options))
    yield from _wrapped("why", "; ".join(reasons(ranked)), options)
    yield from _wrapped("next", _next_step(ranked), options)
    yield paint(f"  id     {ranked.fingerprint}  {finding.detector.id}", "dim", options)


def title(ranked: RankedFinding, options: ReportOptions) -> Iterator[str]:
    """Band and score, what it is and what it opens, the masked value."""
    label = f" {ranked.band.upper()} {ranked.score} "
    lines = wrapped(clean(ranked.summary), options, "." * (len(label) + 1), " " * 9)
    lines[0] = lines[0][len(label) + 1 :]
    first, *more = (paint(line, "bold", options) for line in lines)
    *rest, last = [f"{paint(label, ranked.band, options)} {first}", *more]
    yield from rest
    yield f"{last}  {clean(shown(ranked.finding.secret, options))}"


def _wrapped(label: str, text: str, options: ReportOptions) -> list[str]:
    return wrapped(text, options, f"  {label:<5}  ", " " * 9)


def _place(occurrence: Occurrence) -> str:
    span = occurrence.span
    target = f"{occurrence.target}: " if occurrence.target else ""
    return f"{target}{name_of(occurrence.origin)}:{span.line}:{span.column}"


def name_of(origin: Origin) -> str:
    """An origin in a few words, safe to print."""
    match origin:
        case File(path=path):
            return clean(path)
        case GitBlob(path=b"", blob=blob):
            return f"git blob {blob[:12]}"
        case GitBlob(path=path):
            return clean(path)
        case GitMessage(message=kind, target=target):
            return f"{'note on' if kind == 'note' else 'message of ' + kind} {target[:12]}"
        case StoredObject(store=store, container=container, key=key):
            named = container and store.encode().endswith(b"/" + container)  # a store may be one container
            return clean(b"/".join(filter(None, (store.encode(), b"" if named else container, key))))
        case ListingEntry(container=container, key=key):
            return f"listed: {clean(b'/'.join(filter(None, (container, key)))) or 'the listing itself'}"
        case _:
            return "standard input"


def _since(occurrence: Occurrence, *, brief: bool = False) -> str:
    origin = occurrence.origin
    if isinstance(origin, StoredObject) and not brief:
        said = [
            f"{name} {clean(value)}" for name, value in (("version", origin.version), ("etag", origin.etag)) if value
        ]
        return ", ".join([*said, EXPOSURE_WORDS[origin.exposure]])
    if not isinstance(origin, GitBlob | GitMessage):
        return ""
    parts: list[str] = []
    if origin.date:
        parts.append(origin.date[:10])
    if isinstance(origin, GitBlob) and origin.commit:
        parts.append(f"commit {origin.commit[:12]}")
    if not brief:
        if origin.author:
            parts.append(f"by {clean(origin.author)}")
        if occurrence.blobs > 1:
            parts.append(f"in {occurrence.blobs} versions of the file")
    reach = origin.reach if brief else REACH_WORDS[origin.reach]
    if isinstance(origin, GitMessage) and origin.reach == "history":
        reach = "in every clone"
    if origin.via and (brief or origin.reach in ("unreachable", "branch")):
        reach += f" ({clean(origin.via)})"
    return ", ".join([*parts, reach])


def _earliest(occurrences: Sequence[Occurrence]) -> Occurrence:
    """The occurrence with the oldest date; the first one where no other is older by a day."""

    def day(occurrence: Occurrence) -> str:
        origin = occurrence.origin
        return (origin.date[:10] if isinstance(origin, GitBlob | GitMessage) else "") or "9999"

    return min(occurrences, key=day)


def _line(occurrence: Occurrence, options: ReportOptions) -> str:
    """The line with the secret masked, highlighted for a terminal."""
    excerpt = occurrence.excerpt
    before, mask, after = _parts(excerpt)
    label = f"({excerpt.view}, decoded) " if excerpt.view else ""
    if not options.color:
        return f"| {label}{before}{mask}{after}"
    return f"| {label}{_highlight(before, mask, after, _suffix(occurrence.origin))}"


def _parts(excerpt: Excerpt) -> tuple[str, str, str]:
    text = excerpt.text
    return clean(text[: excerpt.start]), clean(text[excerpt.start : excerpt.end]), clean(text[excerpt.end :])


def _suffix(origin: Origin) -> str:
    if isinstance(origin, File | GitBlob):
        name = os.path.basename(origin.path).decode("ascii", "replace")
        return name if len(name) < 100 else ""
    return ""


def _highlight(before: str, mask: str, after: str, filename: str) -> str:
    """Pygments' colors for the line, the mask in reverse video; `filename` chooses the language."""
    from pygments.console import ansiformat
    from pygments.formatters.terminal import TERMINAL_COLORS  # type: ignore[attr-defined]

    out: list[str] = []
    at, start, end = 0, len(before), len(before) + len(mask)
    for kind, text in _lexer(filename).get_tokens(before + mask + after):
        color = next((TERMINAL_COLORS[k][1] for k in _ancestry(kind) if TERMINAL_COLORS.get(k, ("", ""))[1]), "")
        for low, high, masked in ((at, start, False), (max(at, start), end, True), (max(at, end), 1 << 30, False)):
            part = text[max(0, low - at) : max(0, min(high, at + len(text)) - at)].strip("\n")
            if part:
                out.append(f"{_STYLE['mask']}{part}\x1b[0m" if masked else ansiformat(color, part) if color else part)
        at += len(text)
    return "".join(out)


def _ancestry(kind: object) -> Iterator[object]:
    while kind is not None:
        yield kind
        kind = getattr(kind, "parent", None)


@lru_cache(maxsize=256)
def _lexer(filename: str):  # type: ignore[no-untyped-def]
    from pygments.lexers import find_lexer_class_for_filename
    from pygments.lexers.special import TextLexer

    found = find_lexer_class_for_filename(filename) if filename else None
    return (found or TextLexer)(stripnl=False, stripall=False, ensurenl=False)


def _next_step(ranked: RankedFinding) -> str:
    finding = ranked.finding
    origins = [o.origin for o in finding.occurrences]
    places = {o.reach for o in origins if isinstance(o, GitBlob | GitMessage)}
    if all(isinstance(o, GitMessage) for o in origins):
        step = f"{first_step(finding)}; a message goes away only by rewriting the commit, tag or note that carries it"
    elif places == {"staged"}:
        step = "take it out before you commit"
    elif any(isinstance(o, StoredObject | ListingEntry) and o.exposure == "public" for o in origins):
        step = f"{first_step(finding)}, then take it out, and let nobody list or read the store who has not logged in"
    elif not places:
        step = f"{first_step(finding)}, then take it out"
    else:
        step = f"{first_step(finding)}, then take it out; deleting the line alone leaves it in history"
    return f"{step}: {finding.detector.rotate}" if finding.detector.rotate else step


# --- summary --------------------------------------------------------------------------------------------------------


def summary_lines(result: ScanResult, options: ReportOptions) -> Iterator[str]:
    """What was searched and found, what was not, and why."""
    bands = Counter(f.band for f in result.findings)
    total = len(result.findings)
    counted = ", ".join(f"{bands[b]:,} {b}" for b in BANDS if bands[b])
    head = f"{total:,} finding{'' if total == 1 else 's'}" + (f": {counted}" if counted else "")
    if result.below_band:
        head += f"; {result.below_band:,} below --min-band not shown"
    yield paint(head, "bold", options)
    coverage = result.coverage
    yield f"  searched     {searched_in(coverage)}"
    if coverage.asked:
        yield f"  verified     {asked_of(coverage.asked)}"
    if result.suppressed:
        kinds = ", ".join(f"{n:,} {reason}" for reason, n in result.suppressed)
        yield f"  suppressed   {_counted(sum(n for _, n in result.suppressed), 'values')}: {kinds}"
    yield from _accepted("expired", result.expired, "no longer accepted", options)
    yield from _accepted("stale", result.stale, "matched nothing", options)
    if result.dropped and options.stats:
        yield f"  dropped      {', '.join(f'{n:,} by {reason}' for reason, n in result.dropped)}"
    if options.stats:
        yield f"  stages       {', '.join(f'{name} {seconds:.2f} s' for name, seconds in coverage.stages)}"
        matcher = f", matcher {coverage.matcher} ({coverage.matcher_why})" if coverage.matcher else ""
        yield f"  detectors    {coverage.detectors}{matcher}"
        if coverage.packs:
            copied = f"; {size_of(coverage.copied)} were copies of what had been searched" if coverage.copied else ""
            yield f"  packs        read by {coverage.packs}{copied}"
    if result.interrupted:
        yield paint("  interrupted  the scan was stopped: this is what was found until then", "high", options)
    yield from not_scanned_lines(result, options, "the scan is incomplete")


def searched_in(coverage: Coverage) -> str:
    """What was searched, and how long it took."""
    searched = ", ".join(_counted(n, name) for name, n in coverage.counts) or "nothing"
    speed = f" ({coverage.bytes / 1e6 / coverage.seconds:.0f} MB/s)" if coverage.seconds > 1 else ""
    if coverage.asked:
        speed = ""  # providers were waited for
    if coverage.packs == EARLIER:
        speed = "; git objects known from an earlier scan were not searched again"
    return f"{searched}: {size_of(coverage.bytes)} in {coverage.seconds:.1f} s{speed}"


def not_scanned_lines(result: ScanResult, options: ReportOptions, means: str) -> Iterator[str]:
    """What was not searched, and why; what that means for the whole."""
    lost = [n for n in result.not_scanned if not n.policy]
    left = [n for n in result.not_scanned if n.policy]
    if lost:
        yield paint(f"  NOT SCANNED  {sum(n.count for n in lost):,} ({means})", "high", options)
        yield from _entries(lost)
    if left:
        yield f"  left out     {sum(n.count for n in left):,} by policy"
        yield from _entries(left)


def asked_of(counts: Sequence[tuple[str, int]]) -> str:
    """Of how many secrets was asked, and what came of it."""
    total = sum(number for _, number in counts)
    if not total:
        return "nothing: nobody could be asked about what was found"
    return f"{_counted(total, 'secrets')}: {', '.join(f'{n:,} {state}' for state, n in counts if n)}"


def _accepted(label: str, entries: Sequence[Suppression], what: str, options: ReportOptions) -> Iterator[str]:
    """A few of the entries of a configuration of which there is something to tell, a line each."""
    if not entries:
        return
    yield f"  {label:<11}  {len(entries):,} entr{'y' if len(entries) == 1 else 'ies'} of the configuration: {what}"
    for entry in entries[:_ACCEPTED_SHOWN]:
        what = entry.fingerprint or " ".join(filter(None, (entry.path, entry.detector)))
        until = f" (until {entry.expires})" if entry.expires else ""
        yield f"    {clean(f'{what}{until}: {entry.reason}')[: options.width - 4]}"
    if len(entries) > _ACCEPTED_SHOWN:
        yield f"    … and {len(entries) - _ACCEPTED_SHOWN:,} more (--format json lists them)"


def _counted(number: int, name: str) -> str:
    """A count with its noun, which is given in the plural."""
    if name == "standard input":
        return name
    one = f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")
    return f"{number:,} {one if number == 1 else name}"


def _entries(entries: list[NotScanned]) -> Iterator[str]:
    """A few of each reason, then how many more."""
    by_reason: dict[str, list[NotScanned]] = {}
    for entry in entries:
        by_reason.setdefault(entry.why.partition(":")[0].partition("(")[0][:40], []).append(entry)
    for group in by_reason.values():
        for entry in group[:_NOT_SCANNED_SHOWN]:
            yield f"    {clean(entry.what)}: {clean(entry.why)}" if entry.what else f"    {entry.count:,} {entry.why}"
        more = sum(e.count for e in group[_NOT_SCANNED_SHOWN:])
        if more:
            yield f"    … and {more:,} more like these (--format json lists them)"
