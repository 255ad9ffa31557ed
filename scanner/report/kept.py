"""Findings of a store of sweeps, for people and in formats for programs: what, where, whose, since when, what to do.

Secrets are masked: a store has no others. Names, paths and texts of repositories and hosts are never printed raw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from ..model import BANDS, REACH_WORDS, clean
from ..swept import Event, Kept, State
from .options import ReportOptions, wrapped
from .structured import to_json
from .text import paint

ALSO_SHOWN = 3
NAMES_SHOWN = 6
GROUPS = ("repository", "team", "kind", "owner", "state", "band")
"""What findings can be counted by."""


# --- as JSON ---------------------------------------------------------------------------------------------------------


def kept_object(kept: Kept) -> dict[str, Any]:
    """A finding of a store as JSON."""
    return {
        "id": kept.id,
        "detector": kept.detector,
        "provider": kept.provider,
        "kind": kept.kind,
        "name": kept.name,
        "summary": kept.summary,
        "secret": kept.secret,
        "band": kept.band,
        "score": kept.score,
        "state": kept.state,
        "verdict": dict(kept.verdict),
        "first_seen": kept.first_seen.isoformat(),
        "last_seen": kept.last_seen.isoformat(),
        "repositories": list(kept.repositories),
        "teams": list(kept.teams),
        "owners": list(kept.owners),
        "places": [dict(place) for place in kept.places],
        "rotate": kept.rotate,
        "decision": dict(kept.decision),
    }


def event_object(event: Event) -> dict[str, Any]:
    """A change as JSON."""
    return {
        "sweep": event.sweep,
        "at": event.at.isoformat(),
        "change": event.change,
        "finding": event.finding,
        "before": event.before,
        "after": event.after,
    }


def findings_json(findings: Iterable[Kept]) -> Iterator[str]:
    """All findings, one document."""
    yield from _document("findings", map(kept_object, findings))


def findings_jsonl(findings: Iterable[Kept]) -> Iterator[str]:
    """Each finding on a line."""
    for kept in findings:
        yield to_json(kept_object(kept)) + "\n"


def history_json(changes: Iterable[tuple[Event, Kept]]) -> Iterator[str]:
    """All changes, one document; each with the finding as it is now."""
    yield from _document("history", (event_object(event) | {"is": kept_object(kept)} for event, kept in changes))


def _document(name: str, objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One document, object by object. Nothing of it is written before the first one is there: what was asked for may
    be refused."""
    before = f'{{"schema": 1, "{name}": [\n'
    for each in objects:
        yield before + to_json(each)
        before = ",\n"
    yield "\n]}\n" if before == ",\n" else before + "]}\n"


def history_jsonl(changes: Iterable[tuple[Event, Kept]]) -> Iterator[str]:
    """Each change on a line."""
    for event, kept in changes:
        yield to_json(event_object(event) | {"is": kept_object(kept)}) + "\n"


def groups_json(findings: Iterable[Kept], by: str) -> Iterator[str]:
    """How many findings there are of each, by band."""
    counted = grouped(findings, by)
    document = {"schema": 1, "by": by, "groups": [{"name": n} | bands for n, bands in counted.items()]}
    yield to_json(document, indent=2) + "\n"


def status_json(status: Mapping[str, Any]) -> Iterator[str]:
    """How a store stands, one document."""
    yield to_json({"schema": 1, **status}, indent=2) + "\n"


# --- for people ------------------------------------------------------------------------------------------------------


def findings_text(findings: Iterable[Kept], options: ReportOptions) -> Iterator[str]:
    """Each with what, where, whose and what to do; then how many there are."""
    bands: Counter[str] = Counter()
    for kept in findings:
        bands[kept.band] += 1
        yield from (line + "\n" for line in finding_lines(kept, options))
        yield "\n"
    yield f"{sum(bands.values()):,} finding{'' if sum(bands.values()) == 1 else 's'}{in_bands(bands)}\n"


def finding_lines(kept: Kept, options: ReportOptions, note: str = "") -> Iterator[str]:
    """A finding in lines; `note` says what is said of it besides."""
    label = f" {kept.band.upper()} {kept.score} "
    lines = wrapped(what_of(kept), options, "." * (len(label) + 1), " " * 9)
    lines[0] = lines[0][len(label) + 1 :]
    *rest, last = (paint(line, "bold", options) for line in lines)
    first = [f"{paint(label, kept.band, options)} {line}" if not n else line for n, line in enumerate([*rest, last])]
    first[-1] += f"  {clean(kept.secret)}"
    yield from first
    if note:
        yield f"  change {clean(note)}"
    for number, place in enumerate(kept.places[: 1 + ALSO_SHOWN]):
        if not number:
            yield f"  where  {paint(place_of(place), 'bold', options)}"
            since = since_of(place)
            if since:
                yield f"  since  {since}"
        else:
            yield f"  also   {place_of(place)}"
    others = [name for name in kept.repositories if name not in {p.get("repository") for p in kept.places[:4]}]
    if others:
        yield f"  also   in {names(others)}"
    yield f"  state  {state_of(kept)}"
    if kept.owners:
        yield f"  owner  {names(kept.owners)}"
    if kept.rotate and kept.state in ("open", "reopened", "fixed in head"):
        yield f"  next   revoke it: {clean(kept.rotate)}"
    yield paint(f"  id     {kept.id}  {clean(kept.detector)}", "dim", options)


def line_of(kept: Kept) -> str:
    """A finding in a line."""
    where = place_of(kept.places[0]) if kept.places else names(kept.repositories)
    return clean(f"{kept.band} {kept.score}  {what_of(kept)}  {kept.secret}  {where}  {kept.id}")


def what_of(kept: Kept) -> str:
    """What it is, safe to print."""
    told = (clean(text).strip() for text in (kept.summary, kept.name, kept.detector))
    return next(filter(None, told), "a secret")


def place_of(place: Mapping[str, Any]) -> str:
    """A place in a few words, safe to print."""
    origin = _origin_of(place)
    path = origin.get("path") or (f"message of {str(origin.get('target', ''))[:12]}" if "message" in origin else "")
    return clean(f"{place.get('repository', '')}: {path}:{place.get('line', 1)}:{place.get('column', 1)}")


def since_of(place: Mapping[str, Any]) -> str:
    """Since when it stands there, by whom, and who can still see it."""
    origin = _origin_of(place)
    if not origin.get("date"):
        return ""
    reach = next((words for name, words in REACH_WORDS.items() if name == origin.get("reachable")), "")
    commit = f", {str(origin.get('commit', ''))[:12]}" if origin.get("commit") else ""
    return clean(f"{str(origin['date'])[:10]}{commit} by {origin.get('author', '')}{f', {reach}' if reach else ''}")


def _origin_of(place: Mapping[str, Any]) -> Mapping[str, Any]:
    """The origin of a place: a store has it as a worker gave it."""
    origin = place.get("origin")
    return origin if isinstance(origin, Mapping) else {}


def state_of(kept: Kept) -> str:
    """What state it is in, since when it is known, who decided about it."""
    said = f"{kept.state}, first seen {kept.first_seen:%Y-%m-%d}, last seen {kept.last_seen:%Y-%m-%d}"
    verdict = kept.verdict.get("state", "unknown")
    if verdict != "unknown":
        said += f"; {verdict}: {kept.verdict.get('reason', '')}"
    if kept.state in ("accepted", "false positive") and kept.decision:
        by, until = kept.decision.get("by"), kept.decision.get("expires")
        said += (
            f"; {kept.decision.get('reason', '')}{f' ({by})' if by else ''}{f', until {until[:10]}' if until else ''}"
        )
    return clean(said)


def names(of: Iterable[str], most: int = NAMES_SHOWN) -> str:
    """Names, as many as fit into a line."""
    listed = list(of)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(map(clean, listed[:most])) + more


def in_bands(bands: Mapping[str, int]) -> str:
    """How many there are in each band, in brackets."""
    told = ", ".join(f"{bands[band]:,} {band}" for band in BANDS if bands.get(band))
    return f" ({told})" if told else ""


def grouped(findings: Iterable[Kept], by: str) -> dict[str, dict[str, int]]:
    """How many findings there are of each repository, team …: `total`, and by band; most first."""
    counts: dict[str, Counter[str]] = {}
    for kept in findings:
        for name in groups_of(kept, by):
            counts.setdefault(name, Counter()).update([kept.band, "total"])
    ordered = sorted(counts.items(), key=lambda each: ([-each[1][band] for band in BANDS], each[0]))
    return {name: {"total": bands["total"]} | {band: bands[band] for band in BANDS} for name, bands in ordered}


def groups_of(kept: Kept, by: str) -> tuple[str, ...]:
    """The groups that a finding is in; one without a name where there is none."""
    several = {"repository": kept.repositories, "team": kept.teams, "owner": kept.owners}
    if by in several:
        return several[by] or ("(none)",)
    return ({"kind": kept.kind, "state": kept.state, "band": kept.band}[by],)


def groups_text(findings: Iterable[Kept], by: str) -> Iterator[str]:
    """A table: how many there are of each, by band."""
    counted = grouped(findings, by)
    width = min(60, max([len(by), *(len(clean(name)) for name in counted)]))
    yield f"{by:<{width}}  {'total':>7}" + "".join(f"  {band:>8}" for band in BANDS) + "\n"
    for name, bands in counted.items():
        figures = f"{bands['total']:>7,}" + "".join(f"  {bands[band] or '':>8}" for band in BANDS)
        yield f"{clean(name)[:60]:<{width}}  {figures}\n"


def history_text(changes: Iterable[tuple[Event, Kept]]) -> Iterator[str]:
    """A line for each change, newest first."""
    for event, kept in changes:
        change = f"{event.change} ({event.before} -> {event.after})" if event.before and event.after else event.change
        if event.change == "spread":
            change = f"spread to {event.after}"
        yield f"{event.at:%Y-%m-%d %H:%M}  sweep {event.sweep}  {clean(change)}  {line_of(kept)}\n"


def status_text(status: Mapping[str, Any]) -> Iterator[str]:
    """How a store stands, on a page."""
    for sweep in status["sweeps"][:3]:
        ended = f"ended {sweep['ended'][:16].replace('T', ' ')}" if sweep["ended"] else "NOT ENDED: run it again"
        counts = sweep["counts"] or {}
        told = ", ".join(
            f"{counts[name]:,} {name}" for name in ("repositories", "searched", "failed") if name in counts
        )
        yield f"sweep {sweep['sweep']}  began {sweep['started'][:16].replace('T', ' ')}, {ended}  {told}\n"
        yield f"         {names(sweep['targets'])}\n"
        yield from (f"         not listed: {clean(u['target'])}: {clean(u['why'])}\n" for u in sweep["unlisted"][:5])
    findings = status["findings"]
    yield f"findings {findings['counting']:,} to do something about{in_bands(findings['bands'])}\n"
    states = ", ".join(
        f"{findings['states'][state]:,} {state}" for state in get_args(State) if findings["states"][state]
    )
    yield f"         {states or 'none'}\n"
    there = status["repositories"]
    yield f"known    {there['known']:,} repositories, {there['failing']:,} failing, {there['gone']:,} gone\n"
    for one in status["failing"][:20]:
        since = (one["since"] or "")[:10]
        yield f"failing  {clean(one['repository'])} since {since} ({one['sweeps']} sweeps): {clean(one['why'])}\n"
    if len(status["failing"]) > 20:
        yield f"failing  {len(status['failing']) - 20:,} more: --format json\n"
    for one in status["deliveries"]["open"]:
        why = f": {clean(one['why'])}" if one["why"] else ""
        yield f"message  of sweep {one['sweep']} to {clean(one['hook'])}: {one['status']}{why}\n"
