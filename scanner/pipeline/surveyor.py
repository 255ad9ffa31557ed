"""The part of `oakum listing` that runs in workers: a chunk of a listing in, sightings, a survey and names out."""

from __future__ import annotations

import functools
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from ..catalog import names as name_rules
from ..engine import Engine
from ..engine.names import Names
from ..listed import Container, Folders, Named, Rows
from ..model import ListingEntry
from ..sources import Batch
from ..sources.listings.units import Listed, ListingUnit
from ..survey import Survey
from .plan import named
from .workers import AnyUnit, Harvest, Searcher


@dataclass(slots=True)
class Surveyed(Harvest):
    """What a chunk gave, beside what was found in its texts."""

    survey: Survey = field(default_factory=Survey)
    named: list[Named] = field(default_factory=list)
    folders: int = 0


class Surveyor(Searcher):
    """Searches the texts of entries, counts them, and looks at the names of objects."""

    @functools.cached_property
    def names(self) -> Names:
        """The rules for names, in one automaton."""
        return Names(*name_rules.load())

    def search(self, unit: AnyUnit, into: Harvest | None = None) -> Harvest:
        """What a unit gives. Rows are millions of small tuples without circles: nothing is to be collected of them."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            return super().search(unit, Surveyed() if into is None else into)
        finally:
            if collecting:
                gc.enable()

    def _search(self, engine: Engine, read: object, harvest: Harvest) -> None:
        if isinstance(read, Listed):
            assert isinstance(harvest, Surveyed)
            super()._search(engine, self._surveyed(read.unit, read.read, harvest), harvest)
        else:
            super()._search(engine, read, harvest)  # type: ignore[arg-type]

    def _surveyed(self, unit: ListingUnit, read: Rows | Folders | Container, harvest: Surveyed) -> Batch:
        """Count what a chunk says, and give its texts."""
        match read:
            case Rows():
                taken = [
                    named(unit.target, read, place, rule, unit.entry.exposure)
                    for place, rule in self.names.matches(read.keys)
                ]
                harvest.named += taken
                harvest.survey.add_rows(read)
                harvest.survey.add_named(taken)
                return _batch(replace(unit.entry, container=read.container), read.keys, read.texts)
            case Folders():
                harvest.folders += 0 if unit.entered else len(read.prefixes)
                return _batch(replace(unit.entry, container=read.container), read.prefixes, {})
            case Container():
                harvest.survey.add_container(read)
                return _batch(replace(unit.entry, container=read.name), [b""], {0: read.name + b"\n" + read.text})


def _batch(entry: ListingEntry, keys: Sequence[bytes], texts: Mapping[int, bytes]) -> Batch:
    """The texts of entries: the key on the first line, what else is said of it on the others."""
    said = keys
    if texts:
        said = list(keys)
        for place, text in texts.items():
            said[place] += b"\n" + text
    ends = list(accumulate(len(one) + 1 for one in said))
    starts = [0, *ends[:-1]]
    return Batch(
        kind=ListingEntry,
        buffer=b"\n".join(said) + b"\n",
        starts=starts,
        ends=[end - 1 for end in ends],
        origin=lambda place: replace(entry, key=keys[place]),
    )
