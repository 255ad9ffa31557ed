"""`oakum config`: what is in force and where it comes from, and the schema of the file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import click

from ..config import Config, load
from ..config.edit import block_of, written
from ..config.reading import InForce, in_force
from ..config.schema import schema as schema_of
from ..errors import UsageError
from ..model import clean
from ..sources.locate import top_of
from .folders import config_folder


@click.group()
def config() -> None:
    """Show the configuration that is in force, or the schema of its files."""


@config.command()
@click.argument("target", required=False)
@click.option("--config", "file", metavar="FILE", default="", help="Use FILE, not the target's configuration.")
def show(target: str | None, file: str) -> None:
    """Print what is in force in a scan of TARGET, each line with the file that it comes from.

    Without TARGET, that is the repository you stand in. What is printed could stand in your own configuration file.
    """
    if target and not os.path.isdir(target):
        raise UsageError(f"{clean(target)}: is no folder: only a repository or a folder has a configuration of its own")
    root = os.fsencode(target) if target else top_of(os.fsencode(os.getcwd()))
    for line in _lines(in_force(config_folder(), root, file), load(config_folder(), root, file)):
        click.echo(line)


@config.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of a configuration file, which editors can check it against."""
    click.echo(json.dumps(schema_of(), indent=2))


def _lines(settings: tuple[InForce, ...], shown: Config) -> Iterator[str]:
    for one in settings:
        table, _, key = one.name.rpartition(".")
        if table and one.name == f"{table}.min-band":
            yield f"\n[{table}]"
        yield f"{key} = {written(one.value)}  # {one.source}"
    for entry in shown.allow:
        first, *rest = block_of(entry).splitlines()
        yield from ("", f"{first}  # {clean(entry.source)}", *rest)
