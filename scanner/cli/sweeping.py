"""What `oakum sweep run` makes of its flags, its environment and the user's own configuration."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

from .. import __version__, catalog
from ..cache import Cache
from ..config import Config, load
from ..errors import UsageError
from ..model import Readers, clean
from ..net import Outbound
from ..net.http import trust
from ..pipeline.verified import require_known
from ..report import ReportOptions, news
from ..sources.clones import Reach
from ..sources.clones.network import Helpers
from ..sources.hosts import Access, Selection, read_target
from ..sweep import Executor, Settings
from ..sweep.notify import Messenger, read_hook
from ..sweep.program import installed, program_of
from ..sweep.progress import Watch
from ..sweep.run import Plan
from ..sweep.work import login_for
from ..swept import News, Suppressed, Target
from .folders import cache_folder, clones_folder, config_folder
from .machine import cores, page_width
from .reporting import replaced
from .verifying import options_of
from .worker import executor_of

if TYPE_CHECKING:
    from ..verify import VerifyOptions

MOST_PAGES = 2_000
"""Answers of hosts that are kept until next time."""
LONGEST_SILENCE = 60.0
"""Seconds without a byte after which a host is given up."""


def selection_of(flags: Mapping[str, Any]) -> Selection:
    """Which repositories are looked at."""
    since: datetime | None = flags["pushed_since"]
    readers: frozenset[Readers] = frozenset(flags["visibility"])
    return Selection(
        include=flags["include"],
        exclude=flags["exclude"],
        readers=readers,
        archived=not flags["no_archived"],
        forks=not flags["no_forks"],
        pushed_since=since and since.replace(tzinfo=UTC),
    )


def prepared(
    texts: Sequence[str], flags: Mapping[str, Any], environment: Mapping[str, str], now: datetime, watch: Watch
) -> tuple[Plan, Executor]:
    """All that a sweep is told, and where its tasks are worked on; whatever is wrong with it is said at once."""
    own = load(config_folder())
    hooks = {hook.name: hook for hook in (read_hook(text, environment) for text in flags["hooks"])}
    if flags["metrics"]:
        require_folder(flags["metrics"])
    targets = tuple(dict.fromkeys(map(target_of, texts)))
    settings = settings_of(flags, own, now, private=any(map(is_at_home, targets)))
    catalog.load(settings.detectors, Cache(settings.cache), verify=False)
    settings = replace(settings, program=program_of(settings, installed(settings.detectors)))
    outbound = Outbound(environment, settings.certificates, private=settings.private)
    if flags["verify"]:
        announce(settings, options_of(flags, environment=environment, now=now, cache=settings.cache))
    elif settings.certificates:
        trust(settings.certificates)
    helpers = Helpers(environment)
    pages = Cache(settings.cache).below("listings", most=MOST_PAGES)

    @functools.cache
    def access(target: str) -> Access:
        return Access(outbound, login_for(target, environment, helpers), pages)

    silence = min(LONGEST_SILENCE, settings.seconds)

    @functools.cache
    def reach(target: str) -> Reach:
        return Reach(environment, outbound, login_for(target, environment, helpers), settings.seconds, silence)

    def clock() -> datetime:
        return datetime.now(UTC)

    plan = Plan(
        targets=targets,
        settings=settings,
        access=access,
        reach=reach,
        clock=clock,
        selection=selection_of(flags),
        accepted=accepted_of(own),
        hooks=tuple(hooks),
        deliver=Messenger(hooks, outbound, clock, watch.note).send,
        min_band=flags["min_band"] or own.min_band,
        who="oakum sweep run",
    )
    return plan, executor_of(settings, flags["scheduler"], watch.note)


def target_of(text: str) -> Target:
    """A target; a path by its whole name, as who starts the next sweep may stand elsewhere."""
    target = read_target(text)
    return replace(target, text=target.owner) if target.kind in ("folder", "file") else target


def is_at_home(target: Target) -> bool:
    """Whether a target is of a host that the user himself names: that may be in his own network."""
    return bool(target.at) or target.kind == "file"


def settings_of(flags: Mapping[str, Any], own: Config, now: datetime, *, private: bool = False) -> Settings:
    """What workers are told, but for the program. The band of news is none of it: the store has what is below, too."""
    clones = clones_folder(flags["clones"])
    if not clones:
        raise UsageError("--clones: there is no folder for clones (HOME is not set): name one")
    return Settings(
        now=now,
        program="",
        clones=clones,
        clones_limit=flags["clones_limit"],
        seconds=flags["clone_seconds"],
        cache=cache_folder(),
        detectors=own.detectors + tuple(map(os.path.abspath, flags["detector_files"])),
        engine=flags["engine"],
        max_size=own.max_size if flags["max_size"] is None else flags["max_size"],
        markers=flags["markers"],
        suppressions=tuple(entry for entry in own.allow if not entry.fingerprint),
        jobs=flags["jobs"] or cores(),
        certificates=os.path.abspath(flags["ca_file"]) if flags["ca_file"] else "",
        private=private,
        verify=flags["verify"],
        verify_only=tuple(filter(None, (name.strip() for name in flags["verify_only"].split(",")))),
        verify_hosts=flags["verify_hosts"],
        verify_seconds=flags["verify_seconds"],
    )


def accepted_of(own: Config) -> tuple[Suppressed, ...]:
    """The secrets that the user's configuration accepts, wherever they stand: the store is told of them."""
    return tuple(
        Suppressed(entry.fingerprint, entry.reason, entry.by, entry.expires) for entry in own.allow if entry.fingerprint
    )


def announce(settings: Settings, options: VerifyOptions) -> None:
    """Say before the first request which hosts secrets may go to: which of them do is known when they are found.

    UsageError for names of providers and detectors that are none."""
    detectors = catalog.load(settings.detectors, Cache(settings.cache))
    require_known(options, detectors)
    instead = options.named.instead
    asked = {
        host
        for one in detectors
        if one.verify and (not options.only or {one.id, one.provider} & options.only)
        for host in ((str(instead[one.provider]),) if one.provider in instead else one.verify.hosts)
    }
    asked.update(f"{host}:{port}" if port else host for host, port in options.named.hosts)
    named = ", ".join(map(clean, sorted(asked)))
    click.echo(f"oakum: what is found may be sent to these hosts, to ask whether they take it: {named}", err=True)


def rendered(told: News, flags: Mapping[str, Any], output: IO[str]) -> Iterator[str]:
    """What is new, for people or for programs."""
    if flags["format_"] == "json":
        return news.render_json(told)
    color = output.isatty() and not os.environ.get("NO_COLOR")
    return news.render_text(told, ReportOptions(color=color, version=__version__, width=page_width()))


def require_folder(path: str) -> None:
    """UsageError where no file can be made, before anything takes time."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise UsageError(f"--metrics {clean(path)}: no file can be written there")


def write_metrics(path: str, parts: Iterable[str]) -> None:
    """Put a file in its place as a whole: the collector may read it at any time, as another user."""
    with replaced(path, "--metrics") as file:
        file.writelines(parts)
