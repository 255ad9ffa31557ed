"""The law of `sources/packs.py`: what it leads to is what the plain path leads to, in every repository."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from oakum.scanner.model import Origin, Sighting
from oakum.scanner.pipeline.workers import Harvest, Searcher, SearchOptions
from oakum.scanner.sources import objects, packs
from oakum.scanner.sources.git import Repository, open_repository

MAX_SIZE = 64 << 20


@dataclass
class Told:
    """What a search of all objects of a repository tells, in a form to be compared as a whole."""

    found: dict[tuple[object, ...], int]
    counts: Counter[str]
    bytes: int
    dropped: set[tuple[str, bytes]]
    suppressed: set[tuple[str, bytes]]
    not_scanned: list[tuple[bytes, str, bool, int]]
    commits: list[bytes]


def _told(searched: Harvest, store: objects.Store) -> Told:
    assert not any("error in oakum" in n.why for n in searched.not_scanned), searched.not_scanned
    step = store.id_length // 2
    return Told(
        dict(Counter(_sighting(origin, s) for origin, sightings in searched.found for s in sightings)),
        searched.counts,
        searched.bytes,
        searched.dropped,
        searched.suppressed,
        sorted((n.what, n.why, n.policy, n.count) for n in [*searched.not_scanned, *store.not_scanned]),
        sorted({bytes(store.commits[at : at + step]) for at in range(0, len(store.commits), step)}),
    )


def _sighting(origin: Origin, s: Sighting) -> tuple[object, ...]:
    return origin, s.detector, s.also, s.span, s.secret.reveal(), s.facts, s.excerpt


def searcher(engine: str, cache: str = "") -> Searcher:
    """A searcher with one of the matchers."""
    made = Searcher(SearchOptions(engine=engine, markers=False, cache=cache))
    made.prepare(0)
    return made


def opened(path: Path) -> Repository:
    """A repository as a scan opens it."""
    found = open_repository(os.fsencode(path), dict(os.environ))
    assert found
    return found


def plainly(searcher: Searcher, repository: Repository, *, max_size: int = MAX_SIZE) -> Told:
    """What is found with git reading every object."""
    harvest, store = Harvest(), objects.Store(repository.id_length)
    for unit in objects.list_units(repository, store, max_size=max_size):
        harvest.add(searcher.search(unit))
    return _told(harvest, store)


def by_packs(searcher: Searcher, repository: Repository, *, max_size: int = MAX_SIZE) -> Told:
    """What is found with the packs read by ourselves, as in a process of its own: what an earlier repository taught the
    engine was dropped there is not counted again."""
    searcher.engine.known.clear()
    harvest, store = Harvest(), objects.Store(repository.id_length)
    found, why = packs.open_packs(repository, max_size=max_size)
    assert found, why
    try:
        for unit in found.list_units(store):
            harvest.add(searcher.search(unit))
    finally:
        found.close()
    return _told(harvest, store)


def differences(one: Told, other: Told) -> list[tuple[str, object, object]]:
    """What only one of them tells, and what only the other: a few lines where the whole would be pages."""
    out: list[tuple[str, object, object]] = []
    for name in Told.__dataclass_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if a == b:
            continue
        if isinstance(a, Counter | dict):
            a, b = set(a.items()), set(b.items())
        if isinstance(a, int):
            out.append((name, a, b))
        else:
            out.append((name, [x for x in a if x not in b], [x for x in b if x not in a]))
    return out
