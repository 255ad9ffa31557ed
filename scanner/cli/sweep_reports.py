"""`oakum sweep status|findings|history|mark|forget`: what a store of sweeps holds, and what people decide about it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, TypeVar, get_args

import click

from ..errors import UsageError
from ..model import BANDS
from ..report import kept
from ..report.options import ReportOptions
from ..swept import COUNTING, State
from .folders import clones_folder
from .machine import page_width
from .reporting import opened, write
from .storing import opened_store, store_options

if TYPE_CHECKING:
    from ..store import Forgotten, Store, Wanted

Command = TypeVar("Command", bound=Callable[..., Any])
DAY = click.DateTime(["%Y-%m-%d"])
DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])
STATES = {state.replace(" ", "-"): state for state in get_args(State)}
DECISIONS: dict[str, State] = {"accepted": "accepted", "false-positive": "false positive", "open": "open"}

_CHOICE = (
    click.option("--state", "states", multiple=True, type=click.Choice(sorted(STATES)), help="Only in these states."),
    click.option("--repository", default="", metavar="GLOB", help="Only in such repositories (acme/*)."),
    click.option("--team", default="", metavar="NAME", help="Only of this team, group or project."),
    click.option("--kind", default="", metavar="KIND", help="Only of this kind (access-key)."),
    click.option("--owner", default="", metavar="NAME", help="Only of this owner (@acme/web)."),
    click.option("--band", type=click.Choice(BANDS[::-1]), default="low", help="From this band upwards."),
    click.option("--since", type=DATE, metavar="DATE", help="Only first seen since DATE."),
)
_OUTPUT = click.option("--output", "-o", metavar="FILE", help="Write to FILE instead of standard output.")


def _formats(*names: str) -> Callable[[Command], Command]:
    return click.option("--format", "format_", type=click.Choice(sorted(names)), default="text", help="Format.")


def _chosen(command: Command) -> Command:
    for option in reversed(_CHOICE):
        command = option(command)
    return command


@click.command("status")
@store_options
@_formats("text", "json")
@_OUTPUT
def sweep_status(**flags: Any) -> int:
    """How the last sweeps went, what there is, which repositories fail, which messages did not arrive.

    The exit code is 2 where the last sweep has not ended, or repositories fail.
    """
    with opened(flags["output"], private=False) as output, _store(flags) as store:
        told = store.status()
        write(kept.status_json(told) if flags["format_"] == "json" else kept.status_text(told), output)
    last = told["sweeps"][0] if told["sweeps"] else None
    return 2 if last is None or not last["ended"] or told["failing"] else 0


@click.command("findings")
@click.argument("finding", default="")
@_chosen
@click.option("--by", type=click.Choice(kept.GROUPS), help="Only how many there are of each.")
@store_options
@_formats("text", "json", "jsonl")
@_OUTPUT
def sweep_findings(finding: str, **flags: Any) -> int:
    """Findings of the store, worst first: those to do something about, unless --state says which.

    FINDING is the beginning of an id, or a fingerprint as a scan tells it.
    """
    with opened(flags["output"], private=False) as output, _store(flags) as store:
        found = store.findings(_wanted(finding, flags, counting=True))
        if flags["by"]:
            as_json = flags["format_"] != "text"
            write((kept.groups_json if as_json else kept.groups_text)(found, flags["by"]), output)
        elif flags["format_"] == "text":
            write(kept.findings_text(found, _options(output)), output)
        else:
            write((kept.findings_json if flags["format_"] == "json" else kept.findings_jsonl)(found), output)
    return 0


@click.command("history")
@click.argument("finding", default="")
@_chosen
@click.option("--sweep", type=click.IntRange(1), default=None, metavar="N", help="Only of this sweep.")
@store_options
@_formats("text", "json", "jsonl")
@_OUTPUT
def sweep_history(finding: str, **flags: Any) -> int:
    """What became of findings, newest first: new, worse, spread, fixed, revoked, accepted ...

    FINDING is the beginning of an id, or a fingerprint as a scan tells it.
    """
    formats = {"text": kept.history_text, "json": kept.history_json, "jsonl": kept.history_jsonl}
    with opened(flags["output"], private=False) as output, _store(flags) as store:
        changes = store.history(_wanted(finding, flags), flags["sweep"] or 0)
        write(formats[flags["format_"]](changes), output)
    return 0


@click.command("mark")
@click.argument("finding")
@click.option("--as", "as_", type=click.Choice(list(DECISIONS)), required=True, help="What it is from now on.")
@click.option("--reason", default="", metavar="TEXT", help="Why; wanted for all but open.")
@click.option("--expires", type=DAY, metavar="DATE", help="The last day on which that holds.")
@store_options
def sweep_mark(finding: str, **flags: Any) -> int:
    """Accept a finding, call it a false positive, or open it again. The next sweep counts with it.

    FINDING is the beginning of an id, or a fingerprint as a scan tells it.
    """
    state = DECISIONS[flags["as_"]]
    if state != "open" and not flags["reason"].strip():
        raise UsageError("--reason: say why, for who reads this in a year")
    expires = flags["expires"] and flags["expires"].replace(hour=23, minute=59, second=59, tzinfo=UTC)
    now = datetime.now(UTC)
    if expires and expires <= now:
        raise UsageError("--expires: that is over already")
    with opened_store(flags, dict(os.environ), now, create=False) as store:
        found = store.decide(finding, state, flags["reason"].strip(), _user(), now, expires)
    click.echo(kept.line_of(found))
    click.echo(f"it is {kept.state_of(found)}")
    return 0


@click.command("forget")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--yes", is_flag=True, help="Do it: without, it is only said what would go.")
@store_options
@click.option("--clones", default="", metavar="FOLDER", help="Where clones are kept.  [default: your cache folder]")
def sweep_forget(targets: tuple[str, ...], **flags: Any) -> int:
    """Forget what the store has of TARGETs, which are swept no more: their repositories, the findings that are nowhere
    else with all that became of them, and the clones on this machine.

    Until then their findings stay as they were, and count. A TARGET is written as for `oakum sweep run`.
    """
    from ..sources.clones import Clones

    with _store(flags) as store:
        wanted = [target if ":" in target else os.path.abspath(target) for target in dict.fromkeys(targets)]
        if not flags["yes"]:
            going = store.forget(wanted, really=False)
            click.echo(f"would be forgotten: {_amount(going)}; with --yes they are")
            return 0
        with store.locked("oakum sweep forget"):
            gone = store.forget(wanted, really=True)
            click.echo(f"forgotten: {_amount(gone)}")
            if os.path.isdir(clones := clones_folder(flags["clones"])):
                Clones(clones, 0).forget(gone.remotes)
    return 0


def _amount(forgotten: Forgotten) -> str:
    return f"{len(forgotten.remotes):,} repositories, {forgotten.findings:,} findings that are nowhere else"


def _user() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # no variable says it, and the system has no such user, or no list of them
        return ""


def _store(flags: dict[str, Any]) -> AbstractContextManager[Store]:
    return opened_store(flags, dict(os.environ), datetime.now(UTC), create=False)


def _wanted(finding: str, flags: dict[str, Any], *, counting: bool = False) -> Wanted:
    from ..store import Wanted

    states = frozenset(STATES[name] for name in flags["states"])
    return Wanted(
        finding=finding,
        states=states or (COUNTING if counting and not finding else frozenset()),
        repository=flags["repository"],
        team=flags["team"],
        kind=flags["kind"],
        owner=flags["owner"],
        band=flags["band"] if flags["band"] != "low" else "",
        since=flags["since"] and flags["since"].replace(tzinfo=UTC),
    )


def _options(output: IO[str]) -> ReportOptions:
    return ReportOptions(color=output.isatty() and not os.environ.get("NO_COLOR"), width=page_width())
