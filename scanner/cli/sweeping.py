"""What `oakum sweep run` makes of its flags, its environment and the user's own configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ..config import Config
from ..errors import UsageError
from ..model import Readers, clean
from ..sources.hosts import Selection
from ..sweep import Settings
from ..swept import Suppressed
from .folders import cache_folder
from .machine import cores

if TYPE_CHECKING:
    from ..verify import VerifyOptions


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


def settings_of(flags: Mapping[str, Any], own: Config, now: datetime) -> Settings:
    """What workers are told, but for the program. The band of news is none of it: the store has what is below, too."""
    cache = cache_folder()
    clones = flags["clones"] or (os.path.join(cache, "clones") if cache else "")
    if not clones:
        raise UsageError("--clones: there is no folder for clones (HOME is not set): name one")
    return Settings(
        now=now,
        program="",
        clones=os.path.abspath(clones),
        clones_limit=flags["clones_limit"],
        seconds=flags["clone_seconds"],
        cache=cache,
        detectors=own.detectors + tuple(map(os.path.abspath, flags["detector_files"])),
        engine=flags["engine"],
        max_size=own.max_size if flags["max_size"] is None else flags["max_size"],
        markers=flags["markers"],
        suppressions=tuple(entry for entry in own.allow if not entry.fingerprint),
        jobs=flags["jobs"] or cores(),
        certificates=os.path.abspath(flags["ca_file"]) if flags["ca_file"] else "",
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
    from .. import catalog
    from ..cache import Cache
    from ..pipeline.verified import require_known

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
