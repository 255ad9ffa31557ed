"""`oakum scan`: search repositories, folders, files or standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from .. import __version__
from ..config import Config, load
from ..errors import ConfigError, UsageError
from ..model import BANDS, clean
from ..pipeline.options import ScanOptions
from ..pipeline.scan import scan as run_scan
from ..pipeline.workers import ENGINES
from ..report import FORMATS
from ..report.baseline import fingerprints
from .folders import cache_folder, config_folder
from .machine import cores
from .progress import Bars
from .reporting import Size, exit_code, opened, report_options, say, write
from .verifying import options_of, verify_options


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--format", "format_", type=click.Choice(sorted(FORMATS)), default="text", help="Report format.")
@click.option("--output", "-o", metavar="FILE", help="Write the report to FILE instead of standard output.")
@click.option("--min-band", type=click.Choice(BANDS[::-1]), help="Report from this band upwards.  [default: low]")
@click.option("--baseline", metavar="FILE", help="Leave out what stands in this report (json, jsonl or sarif).")
@click.option("--config", "config_file", metavar="FILE", default="", help="Use FILE, not the target's configuration.")
@click.option("--no-config", is_flag=True, help="Use neither the target's configuration nor your own.")
@click.option("--no-history", is_flag=True, help="Only the work tree and what is staged.")
@click.option("--staged", is_flag=True, help="Only what is staged for the next commit.")
@click.option("--range", "range_", metavar="A..B", default="", help="Only what these commits brought in.")
@click.option("--branch", metavar="NAME", default="", help="Only the history of this branch, tag or commit.")
@click.option("--since", metavar="DATE", default="", help="Only commits since DATE (as git takes it).")
@click.option("--no-ignore", is_flag=True, help="Search files that .gitignore names, too.")
@click.option("--no-markers", is_flag=True, help="Do not obey inline markers such as oakum:allow.")
@click.option("--max-size", type=Size(), help="Leave out larger files and blobs.  [default: 64M]")
@click.option("--verify", is_flag=True, help="Ask providers, read-only, whether they still take what is found.")
@verify_options
@click.option("--detectors", "detector_files", multiple=True, metavar="FILE", help="Add detectors from a TOML file.")
@click.option("--show-secrets", is_flag=True, help="Show secrets unmasked. Mind who reads the output.")
@click.option("--engine", type=click.Choice(ENGINES), default="auto", help="Matcher.", show_default=True)
@click.option("--no-cache", is_flag=True, help="Keep nothing in the user's cache folder, and read nothing from it.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes to search with.  [default: one a core]")
@click.option("--stats", is_flag=True, help="Add times and counts of each stage to the summary.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colors in text.")
@click.option("--no-progress", is_flag=True, help="No progress bars.")
def scan(targets: tuple[str, ...], **flags: Any) -> int:
    """Scan TARGETs: git repositories (with all of their history), folders, files, or - for standard input.

    Without TARGET, the folder you stand in. Findings come worst first, each secret once and masked. Nothing of a
    target is executed, and nothing leaves this machine, unless --verify asks for it.
    """
    names = [os.fsencode(t) for t in targets or (".",)]
    _require_sense(names, flags)
    with opened(flags["output"], private=flags["show_secrets"]) as output:
        with Bars(shown=bool(sys.stderr and sys.stderr.isatty() and not flags["no_progress"])) as bars:
            result = run_scan(names, _scan_options(names, flags, bars), sys.stdin.buffer)
        heading = _heading(names) if flags["format_"] == "text" else ()
        write(FORMATS[flags["format_"]].render(result, report_options(flags, output, heading)), output)
    for note in result.coverage.notes:
        click.echo(f"oakum: {note}", err=True)
    if flags["format_"] != "text" or flags["output"]:
        say(result)
    return exit_code(result)


def _require_sense(names: list[bytes], flags: dict[str, Any]) -> None:
    narrowing = [f"--{name.strip('_')}" for name in ("staged", "range_", "branch", "since") if flags[name]]
    if flags["no_history"] and narrowing:
        raise UsageError(f"--no-history and {narrowing[0]} exclude each other")
    if (flags["staged"] or flags["range_"]) and len(narrowing) > 1:
        raise UsageError(f"{' and '.join(narrowing)} exclude each other")
    if flags["config_file"] and flags["no_config"]:
        raise UsageError("--config and --no-config exclude each other")
    asking = [name for name in ("verify_only", "verify_hosts", "ca_file") if flags[name]]
    if asking and not flags["verify"]:
        raise UsageError("--verify-only, --verify-host and --ca-file say how to verify: add --verify")
    if names.count(b"-") > 1:
        raise UsageError("standard input can be scanned once only")


def _scan_options(names: list[bytes], flags: dict[str, Any], bars: Bars) -> ScanOptions:
    user, file = "" if flags["no_config"] else config_folder(), flags["config_file"]
    try:
        own = _flagged(load(user), flags)
        targets = {
            name: _flagged(load(user, name if os.path.isdir(name) else b"", file), flags)
            for name in (() if flags["no_config"] else names)
        }
    except ConfigError as e:
        raise ConfigError(f"{e} (--no-config scans without it)") from e
    environment, now = dict(os.environ), datetime.now(UTC)
    cache = "" if flags["no_cache"] else cache_folder()
    return ScanOptions(
        environment=environment,
        now=now,
        jobs=flags["jobs"] or cores(),
        history=not flags["no_history"],
        staged=flags["staged"],
        range_=flags["range_"],
        branch=flags["branch"],
        since=flags["since"],
        ignore=not flags["no_ignore"],
        markers=own.markers and not flags["no_markers"],
        detectors=own.detectors + flags["detector_files"],
        engine=flags["engine"],
        cache=cache,
        min_band=own.min_band,
        max_size=own.max_size,
        suppressions=own.allow,
        configured=targets,
        baseline=_baseline(flags["baseline"]) if flags["baseline"] else frozenset(),
        progress=bars,
        verify=options_of(flags, environment=environment, now=now, cache=cache) if flags["verify"] else None,
    )


def _flagged(config: Config, flags: dict[str, Any]) -> Config:
    """A configuration with what flags say."""
    max_size = config.max_size if flags["max_size"] is None else flags["max_size"]
    return replace(config, min_band=flags["min_band"] or config.min_band, max_size=max_size)


def _baseline(path: str) -> frozenset[str]:
    try:
        with open(path, "rb") as file:
            return fingerprints(file.read())
    except OSError as e:
        why = e.strerror or str(e)
    except (ValueError, RecursionError) as e:
        why = f"not a report of oakum ({clean(str(e))[:100]})"
    raise UsageError(f"--baseline {path}: {why}; `oakum scan --format json --output FILE` writes one")


def _heading(names: list[bytes]) -> Iterator[str]:
    for name in names:
        yield f"oakum {__version__}  {clean(os.path.abspath(name)) if name != b'-' else 'standard input'}"
        if os.path.isdir(name):
            from ..sources.describe import describe  # GitPython takes 100 ms

            yield from (f"  {clean(line)}" for line in describe(os.fsdecode(name)))
