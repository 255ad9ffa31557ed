"""`oakum verify`: check the findings of a former report again."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Any

import click

from .. import __version__
from ..errors import ReportError, UsageError
from ..model import clean
from ..pipeline.options import ScanOptions
from ..pipeline.recheck import recheck
from ..rechecked import FormerReport, RecheckResult
from ..report import ReportOptions
from ..report.former import MOST, read
from ..report.recheck import RECHECK_FORMATS, heading, outcomes
from .folders import cache_folder
from .machine import cores
from .progress import Bars
from .reporting import Size, opened, report_options, write
from .verifying import options_of, verify_options


@click.command()
@click.argument("report", metavar="REPORT")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--format", "format_", type=click.Choice(sorted(RECHECK_FORMATS)), default="text", help="Report format.")
@click.option("--output", "-o", metavar="FILE", help="Write the report to FILE instead of standard output.")
@verify_options
@click.option("--max-size", type=Size(), default="64M", help="Leave out larger files and blobs.", show_default=True)
@click.option("--detectors", "detector_files", multiple=True, metavar="FILE", help="Add detectors from a TOML file.")
@click.option("--show-secrets", is_flag=True, help="Show secrets unmasked. Mind who reads the output.")
@click.option("--no-cache", is_flag=True, help="Keep nothing in the user's cache folder, and read nothing from it.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes to search with.  [default: one a core]")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colors in text.")
@click.option("--no-progress", is_flag=True, help="No progress bars.")
def verify(report: str, targets: tuple[str, ...], **flags: Any) -> int:
    """Check again what REPORT found: is it still live, or has it been revoked?

    REPORT is one that `oakum scan` wrote (json, jsonl or sarif; - for standard input). It holds no values: these are
    read again where it says that they stood, in TARGETs or in the targets that it names (in the folder you stand in,
    where it names none). Then providers are asked anew, as with `oakum scan --verify`; nothing else is searched.

    \b
    Exit codes:
      0    all of them are dead
      1    one is live; or one is not known, and all could be read again
      2    wrong usage, an error, or one could not be read again, and none is live
      130  stopped by Ctrl-C
    """
    former = _former(report)
    with opened(flags["output"], private=flags["show_secrets"]) as output:
        with Bars(shown=bool(sys.stderr and sys.stderr.isatty() and not flags["no_progress"])) as bars:
            names = [os.fsencode(one) for one in targets]
            result = recheck(_called(report), former, names, _scan_options(flags, bars))
        write(RECHECK_FORMATS[flags["format_"]](result, _report_options(flags, output, result)), output)
    if flags["format_"] != "text" or flags["output"]:
        _say(result)
    return _exit_code(result)


def _called(report: str) -> str:
    return "standard input" if report == "-" else report


def _former(report: str) -> FormerReport:
    try:
        if report == "-":
            return read(sys.stdin.buffer.read(MOST + 1))
        with open(report, "rb") as file:
            return read(file.read(MOST + 1))
    except OSError as error:
        raise UsageError(f"{clean(report)}: cannot be read: {error.strerror or error}") from error
    except ReportError as error:
        raise ReportError(f"{clean(_called(report))}: {error}") from error


def _scan_options(flags: dict[str, Any], bars: Bars) -> ScanOptions:
    environment, now = dict(os.environ), datetime.now(UTC)
    cache = "" if flags["no_cache"] else cache_folder()
    return ScanOptions(
        environment=environment,
        now=now,
        jobs=flags["jobs"] or cores(),
        max_size=flags["max_size"],
        detectors=flags["detector_files"],
        cache=cache,
        progress=bars,
        verify=options_of(flags, environment=environment, now=now, cache=cache, fresh=True),
    )


def _report_options(flags: dict[str, Any], output: Any, result: RecheckResult) -> ReportOptions:
    plain = ReportOptions(version=__version__)
    return report_options(flags | {"stats": False}, output, heading(result, plain))


def _say(result: RecheckResult) -> None:
    """One line on standard error, where the report itself goes elsewhere or to a program."""
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes(result).items() if number)
    lost = sum(one.count for one in result.scan.not_scanned)
    unread = f"; {lost:,} could not be checked again" if lost else ""
    stopped = "; stopped before its end" if result.scan.interrupted else ""
    click.echo(f"oakum: {told or 'nothing checked again'}{unread}{stopped}", err=True)


def _exit_code(result: RecheckResult) -> int:
    """130 when interrupted, 1 where something is live, 2 where something was not read again, 1 where something is not
    known, else 0."""
    scan = result.scan
    if scan.interrupted:
        return 130
    states = {one.finding.verdict.state for one in scan.findings}
    if "live" in states:
        return 1
    if not scan.complete:
        return 2
    return 1 if "unknown" in states else 0
