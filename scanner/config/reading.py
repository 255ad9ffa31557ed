"""The configuration in force, where there are files: read, put in order, and each value with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from . import Config, Push, files
from .files import Source
from .settings import SETTINGS, Setting

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting: its value as a file writes it, and the file that it comes from (or `DEFAULT`)."""

    name: str
    value: Any
    source: str


def read(user: str, root: bytes, file: str) -> Config:
    """What `load` gives, by the table of settings."""
    target, own = _sources(user, root, file)
    meant = {one.name: meaning for one, meaning in _all(target, own)}
    return Config(
        min_band=meant["min-band"],
        max_size=meant["max-size"],
        detectors=meant["detectors"],
        markers=meant["markers"],
        push=Push(meant["push.min-band"], meant["push.budget"], meant["push.on-incomplete"]),
        allow=tuple(entry for source in (*target, *own) for entry in source.allow),
    )


def in_force(user: str, root: bytes = b"", file: str = "") -> tuple[InForce, ...]:
    """Every setting, with the value that `load` goes by."""
    return tuple(one for one, _ in _all(*_sources(user, root, file)))


def _sources(user: str, root: bytes, file: str) -> tuple[list[Source], list[Source]]:
    """What the target's files say, and the user's."""
    target = files.named(file) if file else files.of_target(root) if root else ()
    return list(target), list(files.of_user(user) if user else ())


def _all(target: list[Source], own: list[Source]) -> Iterator[tuple[InForce, Any]]:
    return (_chosen(setting, target, own) for setting in SETTINGS)


def _chosen(setting: Setting, target: list[Source], own: list[Source]) -> tuple[InForce, Any]:
    """A setting in force, and what its value means."""
    name = setting.name
    mine, theirs = ([source for source in some if name in source.settings] for some in (own, target))
    if len(theirs) > 1:
        raise ConfigError(f"{name}: stands both in {theirs[0].name} and in {theirs[1].name}: keep one of them")
    value, meaning, source = setting.default, setting.kind.read(setting.default), DEFAULT
    for one in (*mine, *theirs):
        if one in mine or setting.bound(one.settings[name][1], meaning, source != DEFAULT):
            (value, meaning), source = one.settings[name], one.name
    return InForce(name, value, source), meaning
