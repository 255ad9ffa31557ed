"""The command line. Only here is the environment read, the clock asked, something printed, and the process ended."""

from __future__ import annotations

import importlib
import os
import sys
import traceback

import click

from .. import __version__
from ..errors import OakumError

_COMMANDS = ("detectors", "explain", "hook", "scan")
"""Each is the function of its name in the module of its name."""


class _Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f".{cmd_name}", __package__), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="oakum %(version)s")
def cli() -> None:
    """Find credentials that leaked into git history and file trees, ranked, with the reasons.

    \b
    Exit codes:
      0    no finding that counts, and nothing failed
      1    a finding that counts (not suppressed, at or above --min-band)
      2    wrong usage, an error, or something that should have been searched was not
      130  stopped by Ctrl-C; what was found until then is reported
    """


def main() -> None:
    """Run the command line; every way out of the process goes through here."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code. No exception leaves: what failed is said in a message."""
    try:
        outcome = cli.main(arguments, prog_name="oakum", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as e:
        e.show()
        return 2
    except OakumError as e:
        click.echo(f"oakum: {e}", err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("oakum: stopped", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: that is no error
        return 0
    except Exception as e:
        if os.environ.get("OAKUM_DEBUG"):
            raise
        frame = traceback.extract_tb(e.__traceback__)[-1]
        place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        click.echo(
            f"oakum: an error in oakum itself: {type(e).__name__} at {place}. Please report it; OAKUM_DEBUG=1 shows "
            "the traceback, which can hold secrets.",
            err=True,
        )
        return 2
    return outcome if isinstance(outcome, int) else 0
