"""`oakum detectors`: what is looked for."""

from __future__ import annotations

import click

from .. import catalog
from ..errors import UsageError
from ..model import Detector

_FILES = click.option("--detectors", "files", multiple=True, metavar="FILE", help="Add detectors from a TOML file.")


@click.group()
def detectors() -> None:
    """List the detectors, or show one."""


@detectors.command("list")
@_FILES
def list_(files: tuple[str, ...]) -> None:
    """One line for each detector: id, severity, kind, name."""
    found = catalog.load(files)
    width = max(len(d.id) for d in found)
    for detector in found:
        click.echo(f"{detector.id:{width}}  {detector.severity:8}  {detector.kind:17}  {detector.name}")


@detectors.command()
@click.argument("detector_id", metavar="ID")
@_FILES
def show(detector_id: str, files: tuple[str, ...]) -> None:
    """Everything about the detector ID."""
    found = {d.id: d for d in catalog.load(files)}
    if detector_id not in found:
        raise UsageError(f"no detector is called {detector_id}; `oakum detectors list` names them all")
    for name, value in _fields(found[detector_id]):
        if value:
            click.echo(f"{name:16}{value}")


def _fields(detector: Detector) -> list[tuple[str, object]]:
    return [
        ("id", detector.id),
        ("name", detector.name),
        ("provider", detector.provider),
        ("kind", detector.kind),
        ("severity", detector.severity),
        ("pattern", detector.regex),
        ("keywords", ", ".join(k.decode("ascii") for k in detector.keywords)),
        ("width", f"{detector.width} bytes, {detector.behind} behind, {detector.ahead} ahead"),
        ("min_entropy", detector.min_entropy or ""),
        ("parts", ", ".join(detector.parts)),
        ("source", detector.source),
        ("rotate", detector.rotate),
    ]
