"""The part of `oakum listing` that runs in workers: a chunk of a listing in, sightings, a survey and names out."""

from __future__ import annotations

import functools
import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from ..catalog import names as name_rules
from ..engine import Engine
from ..engine.names import Names as NameRules
from ..listed import Container, Folders, NameRule, Rows
from ..model import ListingEntry
from ..rank import band_of
from ..sources.listings.units import Listed, ListingUnit
from ..survey import Survey
from .plan import Names, named, score_of, worth_of
from .workers import AnyUnit, Harvest, Searcher

ENTRIES = "listing entries"


@dataclass(slots=True)
class Surveyed(Harvest):
    """What a chunk gave, beside what was found in its texts."""

    survey: Survey = field(default_factory=Survey)
    names: Names = field(default_factory=Names)
    folders: int = 0


@functools.cache
def _rules() -> NameRules:
    """Made once: it takes a quarter of a second."""
    return NameRules(*name_rules.load())


class Surveyor(Searcher):
    """Searches the texts of entries, counts them, and looks at the names of objects."""

    @property
    def rules(self) -> NameRules:
        """The rules for names, in one automaton."""
        return _rules()

    @functools.cached_property
    def _searched(self) -> set[bytes]:
        """Names of containers that were searched in this process."""
        return set()

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
            self._survey(engine, read.unit, read.read, harvest)
        else:
            super()._search(engine, read, harvest)  # type: ignore[arg-type]

    def _survey(self, engine: Engine, unit: ListingUnit, read: Rows | Folders | Container, harvest: Surveyed) -> None:
        """Search what a chunk says, and count it."""
        if isinstance(read, Container):
            harvest.survey.add_container(read)
            self._search_texts(
                engine, replace(unit.entry, container=read.name), [b""], [read.name + b"\n" + read.text], harvest
            )
            return
        entry = replace(unit.entry, container=read.container)
        if read.container not in self._searched:
            self._searched.add(read.container)
            self._search_texts(engine, entry, [b""], [read.container], harvest)
        if isinstance(read, Folders):
            harvest.folders += 0 if unit.entered else len(read.prefixes)
            harvest.counts[ENTRIES] += len(read.prefixes)
            self._search_texts(engine, entry, read.prefixes, read.prefixes, harvest)
            return
        harvest.counts[ENTRIES] += len(read.keys)
        said = read.keys
        if read.texts:
            said = list(said)
            for place, text in read.texts.items():
                said[place] += b"\n" + text
        cuts = self._search_texts(engine, entry, read.keys, said, harvest)
        harvest.survey.add_rows(read, cuts)
        for place, rule in self.rules.matches(read.keys):
            if read.sizes[place]:  # an empty object holds nothing
                self._name(unit, read, place, rule, cuts, harvest)

    def _name(
        self, unit: ListingUnit, rows: Rows, place: int, rule: NameRule, cuts: Mapping[int, int], harvest: Surveyed
    ) -> None:
        score = score_of(rule, unit.entry.exposure)
        band = band_of(score)
        harvest.names.counts[band, rule.kind] += 1
        harvest.survey.add_named(rows.container, rows.keys[place][: cuts.get(place)], band)
        if worth_of(score, rows.sizes[place]) > unit.floor:
            harvest.names.kept.append(named(unit.target, rows, place, rule, unit.entry.exposure))

    def _search_texts(
        self, engine: Engine, entry: ListingEntry, keys: Sequence[bytes], texts: Sequence[bytes], harvest: Harvest
    ) -> dict[int, int]:
        """Search the texts of entries with these keys; where the first match of each begins that has any."""
        ends = list(accumulate(len(text) + 1 for text in texts))
        starts = [0, *ends[:-1]]
        ends = [end - 1 for end in ends]
        harvest.bytes += sum(ends) - sum(starts)
        cuts: dict[int, int] = {}
        for place, searched in engine.search_batch(b"\n".join(texts) + b"\n", starts, ends):
            self._sift(functools.partial(replace, entry, key=keys[place]), searched, harvest)
            if searched.matches:
                cuts[place] = min(match.span.start for match in searched.matches)
        return cuts
