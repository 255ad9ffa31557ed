"""The configuration in force: what a target's files and the user's own say, over the defaults.

A target is not trusted: its files may only suppress. `settings.py` has all that a file may hold; nothing that takes
time is imported until there is a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from ..model import Suppression
from . import files
from .files import NAME, Source
from .settings import SETTINGS, Setting

__all__ = ["DEFAULT", "NAME", "Config", "InForce", "Push", "load"]

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting: its value as a file writes it, and the file that it comes from (or `DEFAULT`)."""

    name: str
    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Push:
    """What `oakum push` goes by: the band that blocks, the seconds it may take, and `warn` or `block`."""

    min_band: str
    budget: float
    on_incomplete: str


@dataclass(frozen=True, slots=True)
class Config:
    """The values in force; `in_force` says of each where it comes from.

    `detectors` are files of the user's; `allow` holds the target's entries first, then the user's.
    """

    min_band: str
    max_size: int
    detectors: tuple[str, ...]
    markers: bool
    push: Push
    allow: tuple[Suppression, ...]
    in_force: tuple[InForce, ...]


def load(user: str, root: bytes = b"", file: str = "") -> Config:
    """The configuration for a target: the folder of the user's own file (empty: none), the root of the target (empty:
    none), and a file that takes the place of the target's.

    ConfigError for a file that cannot be read, or holds a mistake.
    """
    target = list(files.named(file) if file else files.of_target(root) if root else ())
    own = list(files.of_user(user) if user else ())
    chosen = [_chosen(setting, target, own) for setting in SETTINGS]
    meant = {one.name: meaning for one, meaning in chosen}
    return Config(
        min_band=meant["min-band"],
        max_size=meant["max-size"],
        detectors=meant["detectors"],
        markers=meant["markers"],
        push=Push(meant["push.min-band"], meant["push.budget"], meant["push.on-incomplete"]),
        allow=tuple(entry for source in (*target, *own) for entry in source.allow),
        in_force=tuple(one for one, _ in chosen),
    )


def _chosen(setting: Setting, target: list[Source], own: list[Source]) -> tuple[InForce, Any]:
    """A setting in force, and what its value means."""
    name = setting.name
    mine, theirs = ([source for source in some if name in source.settings] for some in (own, target))
    if len(theirs) > 1:
        raise ConfigError(f"{name}: stands both in {theirs[0].name} and in {theirs[1].name}: keep one of them")
    value, meaning, source = setting.default, setting.kind.read(setting.default), DEFAULT
    for one in (*mine, *theirs):
        if not (setting.lowered and one in theirs and one.settings[name][1] > meaning):
            (value, meaning), source = one.settings[name], one.name
    return InForce(name, value, source), meaning
