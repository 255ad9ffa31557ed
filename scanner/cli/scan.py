"""`oakum scan`: search repositories, folders, files or standard input."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any

import click

from .. import __version__
from ..config import Config, load
from ..config.settings import SIZE
from ..errors import ConfigError, UsageError
from ..model import BANDS, ScanResult, clean
from ..pipeline.options import ScanOptions
from ..pipeline.scan import scan as run_scan
from ..pipeline.workers import ENGINES
from ..report import FORMATS, ReportOptions
from ..report.baseline import fingerprints
from .folders import cache_folder, config_folder
from .machine import cores, page_width
from .progress import Bars


class Size(click.ParamType[int]):
    """A number of bytes, with k, M or G behind it for powers of 1024."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes of a text such as 64M."""
        size: int | None = SIZE.read(value)
        if size is None:
            self.fail(f"{value!r} is no size: a number, with k, M or G behind it", param, ctx)
        return size


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
    target is executed, and nothing leaves this machine.
    """
    names = [os.fsencode(t) for t in targets or (".",)]
    _require_sense(names, flags)
    with _output(flags["output"], private=flags["show_secrets"]) as output:
        with Bars(shown=sys.stderr.isatty() and not flags["no_progress"]) as bars:
            result = run_scan(names, _scan_options(names, flags, bars), sys.stdin.buffer)
        options = _report_options(names, flags, output)
        try:
            for part in FORMATS[flags["format_"]].render(result, options):
                output.write(part)
            output.flush()
        except BrokenPipeError:  # nobody reads on: what was found still counts
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for note in result.coverage.notes:
        click.echo(f"oakum: {note}", err=True)
    if flags["format_"] != "text" or flags["output"]:
        _say(result)
    return exit_code(result)


def exit_code(result: ScanResult) -> int:
    """130 when interrupted, 1 with findings, 2 when something was not searched, 0 otherwise."""
    return 130 if result.interrupted else 1 if result.findings else 0 if result.complete else 2


def _require_sense(names: list[bytes], flags: dict[str, Any]) -> None:
    narrowing = [f"--{name.strip('_')}" for name in ("staged", "range_", "branch", "since") if flags[name]]
    if flags["no_history"] and narrowing:
        raise UsageError(f"--no-history and {narrowing[0]} exclude each other")
    if (flags["staged"] or flags["range_"]) and len(narrowing) > 1:
        raise UsageError(f"{' and '.join(narrowing)} exclude each other")
    if flags["config_file"] and flags["no_config"]:
        raise UsageError("--config and --no-config exclude each other")
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
    return ScanOptions(
        environment=dict(os.environ),
        now=datetime.now(UTC),
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
        cache="" if flags["no_cache"] else cache_folder(),
        min_band=own.min_band,
        max_size=own.max_size,
        suppressions=own.allow,
        configured=targets,
        baseline=_baseline(flags["baseline"]) if flags["baseline"] else frozenset(),
        progress=bars,
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


def _report_options(names: list[bytes], flags: dict[str, Any], output: IO[str]) -> ReportOptions:
    color = flags["color"] == "always" or (
        flags["color"] == "auto" and output.isatty() and not os.environ.get("NO_COLOR")
    )
    return ReportOptions(
        color=color,
        show_secrets=flags["show_secrets"],
        stats=flags["stats"],
        heading=tuple(_heading(names)) if flags["format_"] == "text" else (),
        version=__version__,
        width=page_width(),
    )


def _heading(names: list[bytes]) -> Iterator[str]:
    for name in names:
        yield f"oakum {__version__}  {clean(os.path.abspath(name)) if name != b'-' else 'standard input'}"
        if os.path.isdir(name):
            from ..sources.describe import describe  # GitPython takes 100 ms

            yield from (f"  {clean(line)}" for line in describe(os.fsdecode(name)))


@contextmanager
def _output(path: str | None, *, private: bool) -> Iterator[IO[str]]:
    """Where the report goes: standard output, or a file that is opened before the scan, so that a mistake shows at
    once. With secrets in it, only its owner may read it."""
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="replace")
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
        if private and hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
    except OSError as e:
        raise UsageError(f"--output {path}: cannot be written: {e.strerror}") from e
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            yield file
    except OSError as e:
        raise UsageError(f"--output {path}: cannot be written: {e.strerror}") from e


def _say(result: ScanResult) -> None:
    """One line on standard error, where the report itself goes elsewhere or to a program."""
    lost = sum(n.count for n in result.not_scanned if not n.policy)
    incomplete = f"; {lost:,} not scanned: the scan is incomplete" if lost else ""
    stopped = "; stopped before its end" if result.interrupted else ""
    count = len(result.findings)
    click.echo(f"oakum: {count:,} finding{'' if count == 1 else 's'}{incomplete}{stopped}", err=True)
