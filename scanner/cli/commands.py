"""The commands by their names, each in a module of its own."""

from __future__ import annotations

import importlib

import click

from .. import __version__

_COMMANDS = ("allow", "config", "detectors", "explain", "hook", "listing", "push", "scan", "sweep", "verify")
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
