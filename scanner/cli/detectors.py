"""`oakum detectors`: what is looked for."""

from __future__ import annotations

import click

from .. import catalog
from ..errors import UsageError
from ..model import Detector
from ..verification import HTTP, Condition, Verification

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
    detector = found[detector_id]
    for name, value in (*_fields(detector), *(_check(detector.verify) if detector.verify else ())):
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


def _check(check: Verification) -> list[tuple[str, object]]:
    """How its provider is asked."""
    head = [("asked with", check.request)]
    if check.scheme != HTTP:
        head = [("verified by", " ".join(filter(None, (check.scheme, check.request))))]
    return [
        *head,
        *(("then with", other) for other in check.others),
        ("sent as", check.auth if check.auth != "none" else ""),
        *(("header", f"{name}: {text}") for name, text in check.headers),
        ("body", check.body),
        ("hosts", ", ".join(check.hosts) or "only those that --verify-host names"),
        ("only beside", ", ".join(check.beside)),
        ("sent along", ", ".join(check.joins)),
        *(("live", _condition(one)) for one in check.live),
        *(("dead", _condition(one)) for one in check.dead),
        ("tells", ", ".join(name for name, _ in check.tells)),
        ("described at", check.source),
    ]


def _condition(condition: Condition) -> str:
    """What an answer must have, in a line."""
    parts = [f"status {' or '.join(map(str, condition.status))}"]
    for path, values in condition.json:
        parts.append(f"{path} is {' or '.join(map(repr, values))}" if values else f"{path} is there")
    parts += [f"header {name} has {text!r}" for name, text in condition.headers]
    parts += [f"{condition.body!r} in its body"] if condition.body else []
    parts += ["no body"] if condition.empty else []
    return ", ".join(parts)
