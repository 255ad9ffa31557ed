"""`oakum allow`: accept a secret, or what stands at some paths, and say why."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import click

from .. import catalog
from ..cache import READING, Cache
from ..config import NAME, Config, load
from ..config.edit import accept
from ..config.settings import DAY, FINGERPRINT, GLOB, TEXT, Kind
from ..errors import UsageError
from ..foreign import KINDS, MOST
from ..model import Suppression, clean
from ..pipeline.adopt import Adopted, adopt
from ..pipeline.options import ScanOptions
from ..pipeline.standing import standing
from ..sources.locate import top_of
from .folders import cache_folder, config_folder
from .machine import cores

MOST_NAMED = 10
"""Lines that are named where there is nothing at the one that was asked for."""


class Checked(click.ParamType[str]):
    """What a configuration file may hold under a key."""

    def __init__(self, kind: Kind, name: str) -> None:
        self._kind, self.name = kind, name

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text itself."""
        if self._kind.read(value) is None:
            self.fail(f"{value!r} is not allowed: expected {self._kind.allowed}", param, ctx)
        return str(value)


class Day(click.ParamType[date]):
    """A date, or a number of days from today."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, which must not be over."""
        today = datetime.now(UTC).date()
        days = re.fullmatch("([0-9]{1,5})d", str(value))
        day: date | None = today + timedelta(int(days[1])) if days else DAY.read(value)
        if day is None:
            self.fail(f"{value!r} is no date such as 2030-12-31, and no number of days such as 90d", param, ctx)
        if day < today:
            self.fail(f"{value} is over already", param, ctx)
        return day


@click.command()
@click.argument("what", required=False, metavar="[FINGERPRINT|FILE:LINE]")
@click.option("--path", type=Checked(GLOB, "glob"), help="Accept what stands in files that fit GLOB.")
@click.option("--detector", metavar="ID", help="Accept what this detector finds; with --path, only there.")
@click.option("--import", "foreign", metavar="FILE", help="Take over another scanner's ignore file or baseline.")
@click.option("--kind", type=click.Choice(KINDS), help="Whose file that is, where it does not tell.")
@click.option("--reason", type=Checked(TEXT, "text"), help="Why it is accepted; an imported file says it itself.")
@click.option("--expires", type=Day(), help="The last day on which that holds, or so many days (90d).")
@click.option("--by", type=Checked(TEXT, "name"), help="Who accepts it.")
def allow(
    what: str | None,
    path: str,
    detector: str,
    foreign: str,
    kind: str,
    reason: str,
    expires: date | None,
    by: str,
) -> int:
    """Accept a secret by its FINGERPRINT, or the secrets that stand in a LINE of a FILE, wherever they stand.

    Writes that into .oakum.toml at the root of the repository you stand in: a scan of it reports them no longer, and
    counts them. A new secret in the same place is reported.
    """
    if sum(map(bool, (what, path or detector, foreign))) != 1:
        raise UsageError("name a FINGERPRINT, or a FILE:LINE, or --path or --detector or both of these, or --import")
    if not reason and not foreign:
        raise UsageError("--reason is needed: why is it accepted?")
    root = top_of(os.fsencode(os.getcwd()))
    common = Suppression(reason, expires=expires, by=by or "")
    config = load(config_folder(), root)
    file = os.path.join(root, os.fsencode(NAME))
    if foreign:
        adopted = _adopted(foreign, kind, root, config)
        _accept(file, [replace(e, reason=reason or e.reason, expires=expires, by=by or "") for e in adopted.entries])
        for says, why in adopted.unmapped:
            click.echo(f"not taken over: {says}: {why}")
        taken, left = len(adopted.entries), len(adopted.unmapped)
        click.echo(f"{taken:,} taken over from {clean(foreign)}, {left:,} not", err=True)
        return 0
    if detector:
        _require_detector(detector, config)
    if what:
        entries = [replace(common, fingerprint=name, seen=seen) for name, seen in _secrets(what, root, config).items()]
    else:
        entries = [replace(common, path=path or "", detector=detector or "")]
    _accept(file, entries)
    return 0


def _accept(file: bytes, entries: list[Suppression]) -> None:
    """Write entries, and tell what was written."""
    for entry, again in zip(entries, accept(file, entries) if entries else (), strict=True):
        named = " ".join(filter(None, (entry.fingerprint or entry.path, entry.detector)))
        seen = f", {entry.seen}" if entry.seen else ""
        until = f" until {entry.expires}" if entry.expires else ""
        before = "; its entry was there, and is replaced" if again else ""
        click.echo(f"{clean(os.path.relpath(file))}: {named}{clean(seen)} is accepted{until}{before}")


def _adopted(foreign: str, kind: str, root: bytes, config: Config) -> Adopted:
    """What another scanner's file says, of the repository that we stand in."""
    try:
        with open(os.open(foreign, READING & ~getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            content = file.read(MOST + 1)
    except OSError as e:
        raise UsageError(f"--import {clean(foreign)}: cannot be read: {e.strerror or e}") from e
    return adopt(foreign, content, root, _options(config), kind=kind or "")


def _require_detector(name: str, config: Config) -> None:
    known = [d.id for d in catalog.load(config.detectors, Cache(cache_folder()), verify=False)]
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else "`oakum detectors list` names them all"
        raise UsageError(f"no detector is called {name}; {hint}")


def _secrets(what: str, root: bytes, config: Config) -> dict[str, str]:
    """The fingerprints of what is named, and where they were seen."""
    if FINGERPRINT.read(what):
        return {what: ""}
    found = re.fullmatch(r"(.+?):([0-9]{1,9})(?::([0-9]{1,9}))?", what, re.DOTALL)
    if not found:
        raise UsageError(f"{clean(what)!r} is neither a fingerprint ({FINGERPRINT.allowed}) nor FILE:LINE")
    name, line, column = os.fsencode(found[1]), int(found[2]), int(found[3] or 0)
    there = standing(name, _options(config))
    chosen = [one for one in there if one.span.line <= line <= one.span.end_line and column in (0, one.span.column)]
    if not chosen:
        lines = list(dict.fromkeys(str(one.span.line) for one in there))
        more = ", …" if len(lines) > MOST_NAMED else ""
        others = f"some stand at {', '.join(lines[:MOST_NAMED])}{more}" if lines else "nor elsewhere in it"
        place = what.removeprefix(found[1] + ":")
        raise UsageError(f"{clean(name)}: no secret that a scan reports stands at {place}; {others}")
    path, inside = os.path.realpath(name), os.path.join(root, b"")
    shown = clean(path.removeprefix(inside) if path.startswith(inside) else name)
    return {one.secret.fingerprint(): f"{shown} ({one.detector.id})" for one in chosen}


def _options(config: Config) -> ScanOptions:
    return ScanOptions(
        environment=dict(os.environ),
        jobs=cores(),
        now=datetime.now(UTC),
        max_size=config.max_size,
        detectors=config.detectors,
        markers=config.markers,
        cache=cache_folder(),
    )
