"""What a scan is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..model import Suppression

Progress = Callable[[str, int, int], None]
"""Told (what, units done, units in all or 0) as the search goes on."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to scan of a target and how. `environment` is the caller's, for git; `now` decides what has expired."""

    environment: Mapping[str, str]
    now: datetime
    jobs: int = 1
    max_size: int = 64 << 20
    history: bool = True
    staged: bool = False
    range_: str = ""
    branch: str = ""
    since: str = ""
    ignore: bool = True
    markers: bool = True
    detectors: tuple[str, ...] = ()
    engine: str = "auto"
    cache: str = ""
    min_band: str = "low"
    suppressions: tuple[Suppression, ...] = ()
    baseline: frozenset[str] = frozenset()
    progress: Progress = field(default=lambda _what, _done, _total: None)

    @property
    def narrowed(self) -> bool:
        """Whether only a part of history was asked for."""
        return bool(self.range_ or self.branch or self.since or self.staged)
