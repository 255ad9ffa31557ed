"""The configuration in force: what a target's files and the user's own say, over the defaults.

A target is not trusted: its files may only suppress. `settings.py` has all that a file may hold; nothing that takes
time is imported until there is a file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..model import Suppression

NAME = ".oakum.toml"
"""The target's own file."""
PROJECT = "pyproject.toml"
"""Another one, of which a part may be for oakum."""
OWN = "config.toml"
"""The user's, in the folder of his configuration."""


@dataclass(frozen=True, slots=True)
class Push:
    """What `oakum push` goes by: the band that blocks, the seconds it may take, and `warn` or `block`."""

    min_band: str
    budget: float
    on_incomplete: str


@dataclass(frozen=True, slots=True)
class Config:
    """The values in force.

    `detectors` are files of the user's; `allow` holds the target's entries first, then the user's.
    """

    min_band: str
    max_size: int
    detectors: tuple[str, ...]
    markers: bool
    push: Push
    allow: tuple[Suppression, ...]


DEFAULTS = Config("low", 64 << 20, (), True, Push("medium", 10.0, "warn"), ())
"""What holds without a file: what the table of settings says, too."""


def load(user: str, root: bytes = b"", file: str = "") -> Config:
    """The configuration for a target: the folder of the user's own file (empty: none), the root of the target (empty:
    none), and a file that takes the place of the target's.

    ConfigError for a file that cannot be read, or holds a mistake.
    """
    named = [os.path.join(root, os.fsencode(name)) for name in (NAME, PROJECT) if root]
    named += [os.fsencode(os.path.join(user, OWN))] if user else []
    if not file and not any(map(os.path.lexists, named)):
        return DEFAULTS
    from .reading import read

    return read(user, root, file)
