"""`oakum sweep`: all repositories of an organization, on a schedule."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from ..model import BANDS
from ..pipeline.workers import ENGINES
from .reporting import Size, replaced, write
from .storing import opened_store, store_options
from .verifying import verify_options

if TYPE_CHECKING:
    from ..sweep.progress import Bar, Log
    from ..swept import News

COUNTS = frozenset({"new", "reopened", "worse", "spread"})
"""Changes for which the exit code is 1."""
_COMMANDS = {
    "run": (".sweep", "sweep_run"),
    "status": (".sweep_reports", "sweep_status"),
    "findings": (".sweep_reports", "sweep_findings"),
    "history": (".sweep_reports", "sweep_history"),
    "mark": (".sweep_reports", "sweep_mark"),
    "forget": (".sweep_reports", "sweep_forget"),
}


class _Sweeps(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module, __package__), name)
        return command


@click.group(cls=_Sweeps)
def sweep() -> None:
    """Sweep all repositories of an organization again and again, and hear what is new."""


@click.command("run")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--include", multiple=True, metavar="GLOB", help="Only repositories of such names (acme/*).")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No repositories of such names.")
@click.option(
    "--visibility",
    multiple=True,
    type=click.Choice(["public", "internal", "private"]),
    help="Only those that these can read. Can be given several times.",
)
@click.option("--no-archived", is_flag=True, help="Leave out archived repositories.")
@click.option("--no-forks", is_flag=True, help="Leave out forks.")
@click.option(
    "--pushed-since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="DATE",
    help="Leave out what nobody pushed to since.",
)
@store_options
@click.option("--clones", default="", metavar="FOLDER", help="Where clones are kept.  [default: your cache folder]")
@click.option("--clones-limit", type=Size(), default="20G", metavar="SIZE", help="Bytes of clones.  [default: 20G]")
@click.option(
    "--clone-seconds",
    type=click.FloatRange(1),
    default=3600,
    metavar="N",
    help="Time to fetch one repository.",
    show_default=True,
)
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes to search with.  [default: one a core]")
@click.option("--scheduler", default="", metavar="tcp://HOST:PORT", help="Search on the workers of this Dask cluster.")
@click.option("--detectors", "detector_files", multiple=True, metavar="FILE", help="Add detectors from a TOML file.")
@click.option("--engine", type=click.Choice(ENGINES), default="auto", help="Matcher.", show_default=True)
@click.option("--max-size", type=Size(), help="Leave out larger files and blobs.  [default: 64M]")
@click.option("--markers", is_flag=True, help="Obey inline markers such as oakum:allow.")
@click.option("--min-band", type=click.Choice(BANDS[::-1]), help="News from this band upwards.  [default: low]")
@click.option("--verify", is_flag=True, help="Ask providers, read-only, whether they still take what is found.")
@verify_options
@click.option(
    "--notify",
    "hooks",
    multiple=True,
    metavar="KIND:VARIABLE",
    help="Send news to the webhook (generic, slack, teams) whose URL this environment variable holds.",
)
@click.option("--metrics", default="", metavar="FILE", help="Write metrics for Prometheus to FILE.")
@click.option("--format", "format_", type=click.Choice(["json", "text"]), default="text", help="Format of the news.")
@click.option("--output", "-o", metavar="FILE", help="Write the news to FILE instead of standard output.")
@click.option(
    "--log-format", type=click.Choice(["json", "text"]), default="text", help="Log lines, where there is no terminal."
)
@click.option("--no-progress", is_flag=True, help="Neither progress bars nor log lines.")
def sweep_run(targets: tuple[str, ...], **flags: Any) -> int:
    """Sweep TARGETs: look at all of their repositories, and tell what is new since last time.

    \b
    TARGET is one of
      github:ORG|USER[@HOST]   gitlab:GROUP[@HOST]      gitea:ORG@HOST (Forgejo, too)
      bitbucket:WORKSPACE      azure-devops:ORG[/PROJECT]
      a folder of clones       a file of URLs, one a line

    Tokens come from the environment (GITHUB_TOKEN, GITLAB_TOKEN ...) or from git's credential helpers. Repositories are
    cloned into a folder of a limited size, and fetched again where something was pushed; neither their configuration
    nor, without --markers, their inline markers are obeyed. A sweep that was stopped is taken up by the next one of the
    same targets.

    \b
    Exit codes:
      0    nothing new that counts, and all repositories were looked at
      1    something is new, reopened, worse or in more repositories (at or above --min-band)
      2    wrong usage, an error, or something could not be listed, fetched or searched, and nothing is new
      130  stopped by Ctrl-C (143: by SIGTERM); what was done is kept
    """
    from ..report import metrics
    from ..sweep import run
    from . import sweeping

    if not flags["verify"] and (flags["verify_only"] or flags["verify_hosts"]):
        raise UsageError("--verify-only and --verify-host say how to verify: add --verify")
    environment, now = dict(os.environ), datetime.now(UTC)
    with replaced(flags["output"], "--output") as output, _watching(flags) as watch, _ended_by_sigterm():
        try:
            plan, executor = sweeping.prepared(targets, flags, environment, now, watch)
            plan = replace(plan, tell=lambda news: write(sweeping.rendered(news, flags, output), output))
            with opened_store(flags, environment, now, create=True) as store:
                news = run.sweep(store, executor, plan, watch)
                figures = list(metrics.render(news, store.status())) if flags["metrics"] else []
        except _TerminatedError:
            return _stopped(watch, 128 + signal.SIGTERM)
        except KeyboardInterrupt:
            return _stopped(watch, 128 + signal.SIGINT)
        if figures:
            sweeping.write_metrics(flags["metrics"], figures)
    return exit_code(news)


def exit_code(news: News) -> int:
    """1 where something came that counts, else 2 where something was not looked at, else 0."""
    if any(event.change in COUNTS for event, _ in news.changes):
        return 1
    return 0 if news.complete else 2


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM: from systemd, from Kubernetes, from a time limit."""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends what runs as Ctrl-C does: workers and git end, too, and the lock of the store is given back."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _watching(flags: dict[str, Any]) -> Iterator[Bar | Log]:
    """Bars on a terminal, else lines."""
    from ..sweep.progress import Bar, Log

    if sys.stderr and sys.stderr.isatty() and not flags["no_progress"] and flags["log_format"] != "json":
        bar = Bar(sys.stderr)
        try:
            yield bar
        finally:
            bar.close()
        return

    def say(line: str) -> None:
        click.echo(line, err=True)

    as_json = flags["log_format"] == "json"
    yield Log(say, lambda: datetime.now(UTC), as_json=as_json, quiet=flags["no_progress"])


def _stopped(watch: Bar | Log, code: int) -> int:
    watch.note("stopped; what is done is kept, and the next sweep of the same targets goes on from there")
    return code
