"""The secrets of one file, each with its detector and its place: for somebody who points at a line."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import TargetError
from ..model import Detector, Secret, Span, clean
from ..sources import files
from .options import ScanOptions
from .workers import searcher_for


@dataclass(frozen=True, slots=True)
class Standing:
    """A secret at a place, and the detector that names it."""

    secret: Secret
    detector: Detector
    span: Span


def standing(path: bytes, options: ScanOptions) -> list[Standing]:
    """What a scan would tell of a file, in the order in which it stands there; TargetError for one that cannot be
    searched."""
    files.require_readable(path)
    searcher = searcher_for(options)
    searcher.prepare(0)
    harvest = searcher.search(files.one_file(path, max_size=options.max_size))
    for entry in harvest.not_scanned:
        raise TargetError(f"{clean(path)}: {entry.why}")
    seen = [sighting for _, sightings in harvest.found for sighting in sightings]
    names: dict[Secret, set[str]] = {}
    for one in seen:
        names.setdefault(one.secret, set()).update((one.detector, *one.also))
    best = {
        secret: min((searcher.by_id[name] for name in some), key=lambda d: (-d.specificity, d.id))
        for secret, some in names.items()
    }
    found = (Standing(one.secret, best[one.secret], one.span) for one in seen)
    return sorted(found, key=lambda one: (one.span.start, one.span.end))
