"""The files of contrib/, and what their command lines mean: parsed by the command line itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import yaml
from oakum.scanner.cli.commands import cli

CONTRIB = Path(__file__).parents[2] / "contrib"


def documents(name: str) -> list[Any]:
    """The documents of a YAML file. (YAML 1.1 reads `on` as true.)"""
    return list(yaml.safe_load_all((CONTRIB / name).read_text("utf-8")))


def meant(words: Sequence[str]) -> dict[str, Any]:
    """The arguments and options of a line `oakum sweep run …`; click's error where it is none."""
    command: click.Command = cli
    assert words[0] == "oakum"
    rest = list(words[1:])
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, rest[0]
        command = found
        del rest[0]
    return command.make_context("oakum", rest).params
