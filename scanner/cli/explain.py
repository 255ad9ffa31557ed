"""`oakum explain`: what one secret is, what it opens, and what to do about it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from .. import __version__
from ..errors import UsageError
from ..pipeline.explain import MOST
from ..pipeline.explain import explain as run_explain
from ..report import ReportOptions
from ..report.explanation import render_json, render_text
from .folders import cache_folder
from .machine import page_width


@click.command()
@click.argument("given", nargs=-1, metavar="")
@click.option("--format", "format_", type=click.Choice(["json", "text"]), default="text", help="Form of the answer.")
@click.option("--detectors", "files", multiple=True, metavar="FILE", help="Add detectors from a TOML file.")
@click.option("--no-cache", is_flag=True, help="Keep nothing in the user's cache folder, and read nothing from it.")
def explain(given: tuple[str, ...], format_: str, files: tuple[str, ...], no_cache: bool) -> int:
    """Explain one secret, read from standard input: what it is, what it opens, until when, and what to do about it.

    It is asked of nobody: all is read from the secret itself. With what stands around it (its name, its URL) more can
    be told. It is never taken as an argument: other users of a machine can read those.
    """
    if given:
        raise UsageError(
            "a secret is read from standard input: arguments can be read by others, and stay in the shell's history"
        )
    if sys.stdin.isatty():
        click.echo("Paste the secret, then end the input (Ctrl-D; on Windows Ctrl-Z and Enter).", err=True)
    text = sys.stdin.buffer.read(MOST + 1)
    if len(text) > MOST:
        raise UsageError(f"more than {MOST >> 20} MiB on standard input: `oakum scan -` searches what is so large")
    if not text.strip():
        raise UsageError("nothing on standard input: oakum explain < FILE, or paste the secret there")
    found = run_explain(text, now=datetime.now(UTC), detectors=files, cache="" if no_cache else cache_folder())
    options = ReportOptions(version=__version__, width=page_width())
    for part in (render_json if format_ == "json" else render_text)(found, options):
        click.echo(part, nl=False)
    return 0 if found.secrets or found.guesses else 1
