"""`oakum hook`: have git call oakum, and see whether it does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from ..errors import UsageError
from ..hook import everywhere, skips
from ..hook import install as one
from ..hook.files import runs
from ..hook.place import HOOKS, find
from ..hook.plain import Report
from ..model import clean
from ..sources.git import find_program
from .folders import config_folder, state_folder
from .hooked import answer

_Command = Callable[..., Any]


@click.group()
def hook() -> None:
    """Have git call oakum before something is pushed, committed or received."""


def _where(function: _Command) -> _Command:
    """The arguments that all commands here have."""
    for decorate in (
        click.option("--global", "for_all", is_flag=True, help="For all of your repositories."),
        click.option("--repository", metavar="PATH", help="A folder in the repository.  [default: where you stand]"),
        click.argument("names", nargs=-1, type=click.Choice(HOOKS), metavar="[HOOK]..."),
    ):
        function = decorate(function)
    return function


@hook.command()
@_where
def install(names: tuple[str, ...], repository: str | None, for_all: bool) -> int:
    """Have git call oakum by each HOOK: pre-push, pre-commit or pre-receive.

    Without one, by pre-push; in a bare repository by pre-receive. A hook that is there is kept, and called after oakum.
    """
    if for_all:
        user = _user(repository)
        return _say(everywhere.install(user, names or ("pre-push",), _program()))
    place = find(repository or ".", os.environ)
    return _say(one.install(place, names or one.default_hooks(place), _program(), os.environ))


@hook.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", type=click.Choice(HOOKS), metavar="HOOK")
@click.argument("given", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENT]...")
def run(name: str, given: tuple[str, ...]) -> int:
    """Do what git's HOOK (pre-push, pre-commit or pre-receive) is called for; its ARGUMENTs are git's.

    Exit code 0 lets git go on, 1 stops it.
    """
    return answer(name, *given[:2])


@hook.command()
@_where
def uninstall(names: tuple[str, ...], repository: str | None, for_all: bool) -> int:
    """Take oakum out of each HOOK (all of them without one), and put back what was there before."""
    if for_all:
        return _say(everywhere.uninstall(_user(repository), names or HOOKS))
    return _say(one.uninstall(find(repository or ".", os.environ), names or HOOKS, os.environ))


@hook.command()
@_where
def status(names: tuple[str, ...], repository: str | None, for_all: bool) -> int:
    """Say of each HOOK whether git calls oakum, and what may keep it from that; and which pushes went unsearched.

    Exit code 0 where each HOOK that is named is in force (without one: pre-push, or pre-receive in a bare repository).
    """
    if for_all:
        reports = everywhere.state(_user(repository), names or HOOKS)
        asked: Sequence[str] = names or ("pre-push",)
    else:
        place = find(repository or ".", os.environ)
        reports = one.state(place, names or HOOKS, os.environ)
        asked = names or one.default_hooks(place)
    _say(reports)
    unsearched = [] if for_all else skips.last(state_folder(), place)
    if unsearched:
        click.echo("went through without a search:")
        for line in unsearched:
            click.echo(f"  {line}")
    return 0 if all(report.ok for report in reports if report.name in asked) else 1


def _say(reports: Sequence[Report]) -> int:
    for report in reports:
        click.echo(f"{report.name}: {report.lines[0]}")
        for line in report.lines[1:]:
            click.echo(line if line.endswith("\n") else f"  {line}")
    return 0 if all(report.ok for report in reports) else 1


def _user(repository: str | None) -> everywhere.User:
    if repository is not None:
        raise UsageError("--global and --repository exclude each other")
    folder = config_folder()
    if not folder:
        raise UsageError("there is no folder for your own configuration: set HOME or XDG_CONFIG_HOME")
    return everywhere.User(os.path.expanduser("~"), os.path.join(folder, "hooks"), os.environ)


def _program() -> str:
    """The full path of this oakum, as a hook is to call it: as it was started, which may be a link to it."""
    name = "oakum.exe" if sys.platform == "win32" else "oakum"
    called = os.path.abspath(sys.argv[0]).removesuffix(".exe")
    started = os.path.join(os.path.dirname(called), name) if os.path.basename(called) == "oakum" else ""
    beside = os.path.join(os.path.dirname(sys.executable), name)
    found = next((path for path in (started, beside) if runs(path)), find_program("oakum", os.environ))
    if found is None:
        raise UsageError(f"there is no oakum that a hook could call, neither on PATH nor at {clean(beside)}")
    return found.replace(os.sep, "/")
