"""What a scan is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ..model import Readers, Suppression

if TYPE_CHECKING:
    from ..config import Config
    from ..sources.stores import Access
    from ..verify import VerifyOptions
    from .fetch import FetchBudget

Progress = Callable[[str, int, int], None]
"""Told (what, units done, units in all or 0) as the search goes on."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to scan of a target and how. `environment` is the caller's, for git; `now` decides what has expired.

    `baseline` holds the fingerprints of what is known. Of a target that is `configured` by itself, that configuration
    says what its `min_band`, its `max_size` and its `suppressions` are. With `verify`, providers are asked about what
    is found. `memory` is a folder for what is remembered of the repository alone, in place of one in the `cache` that
    holds the last ones; `readers` says who can read the targets, where that is known.
    """

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
    memory: str = ""
    readers: Readers = "unknown"
    min_band: str = "low"
    suppressions: tuple[Suppression, ...] = ()
    baseline: frozenset[str] = frozenset()
    configured: Mapping[bytes, Config] = field(default_factory=dict)
    verify: VerifyOptions | None = None
    progress: Progress = field(default=lambda _what, _done, _total: None)

    @property
    def narrowed(self) -> bool:
        """Whether only a part of history was asked for."""
        return bool(self.range_ or self.branch or self.since or self.staged)

    def of_target(self, name: bytes) -> ScanOptions:
        """Those for one target."""
        own = self.configured.get(name)
        return replace(self, min_band=own.min_band, max_size=own.max_size, suppressions=own.allow) if own else self


@dataclass(frozen=True, slots=True)
class ListingOptions:
    """How to read listings: what `scan` says of any search, the `kind` they are of (empty: by their content), how
    stores are asked, and whether they are asked without credentials, too, to know whether anybody can list them.

    `fetch` is what the reading of objects may take, where it is asked for; `resume` the file in which is kept what was
    read.
    """

    scan: ScanOptions
    access: Access
    kind: str = ""
    ask_anonymous: bool = False
    fetch: FetchBudget | None = None
    resume: str = ""
