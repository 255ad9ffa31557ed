"""What the last scan of a repository found, kept in the user's cache for the next one: never values, never text of it.

Kept are the places of secrets, by object, and which of them are alike. Of each such class one object is searched again:
that gives the secret, what is told of it, and what the allowlists say to it now. Where a repository is as it was,
nothing else is searched; where objects came to it, these are, and where detectors changed, what these could find
something in. All of it counts only for the very program and limits that it was made with. Attribution is kept beside
it: what branches and tags reached then stays true as long as they only go forward.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from .. import catalog
from ..cache import Cache
from ..model import Detector, GitBlob, GitMessage, NotScanned, Origin, Secret, Sighting, Span
from ..sources.git import Repository
from ..sources.history import Heads, History, Place
from ..sources.objects import Kind, ObjectUnit
from ..sources.state import State, state_of, still
from .workers import WORTHWHILE, Harvest, Searcher

FORM = 3
FEW = 20
"""Classes of places from which on the vectorised matcher pays."""
MOST_REPOSITORIES = 32
MOST_FRESH = 2_000
"""Objects that git is asked for one by one, even where they are more than an eighth of all."""
MOST_SOUGHT = 20_000
"""Objects that are looked for one by one among those that were there."""
_TOKEN = 16
"""Bytes before the names of objects that say which they are."""
MOST_NAMES = 60 << 20
"""Bytes of the names of all objects."""
MOST_PLACES = 200_000
"""Places of secrets that are kept of a repository; of one with more nothing is kept."""


def program(searcher: Searcher, max_size: int) -> str:
    """A digest of all that decides what is found in a given object, but for detectors: oakum itself, and the limits."""
    digest = hashlib.sha256(f"{FORM} {sys.version} {max_size} {searcher.options.markers}".encode())
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for part in ("scanner", "detectors", "allowlists"):
        for path, status in sorted(_files(os.path.join(top, part))):
            if part != "detectors" or not path.endswith(".toml"):
                digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _made_with(searcher: Searcher, max_size: int) -> tuple[str, str]:
    """The digest of a program, and the name of its catalog: files are looked at once for a searcher."""
    if max_size not in searcher.made_with:
        searcher.made_with[max_size] = program(searcher, max_size), catalog.name_of(searcher.options.detectors)
    return searcher.made_with[max_size]


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            else:
                yield entry.path, entry.stat()


@dataclass(slots=True)
class Memory:
    """What is known of one repository from the last scan, if anything, and what this one gives.

    `now` is its state; `former` what was kept of it.
    """

    cache: Cache
    repository: Repository
    program: str
    catalog: str
    now: State
    former: dict[str, Any] | None = None
    harvest: Harvest = field(default_factory=Harvest)
    """All that the search of the object store gave."""
    names: Mapping[bytes, bytes] = field(default_factory=dict)
    """The binary names of all objects, as `Packs.names` has them."""
    gone: bool = False
    """Whether objects that were there are not there any more."""
    history: History | None = None
    asked: tuple[set[str], set[str]] = (set(), set())
    """The blobs and messages of which the attribution was asked for."""
    _recalled_history: History | None = None

    @classmethod
    def of(cls, searcher: Searcher, repository: Repository, max_size: int, folder: str = "") -> Memory | None:
        """What is kept in a folder of its own, or with the last ones in the cache; None where nothing can be kept."""
        cache = Cache(folder) if folder else searcher.cache.below("repositories", most=3 * MOST_REPOSITORIES)
        now = state_of(repository) if cache.usable else None
        if now is None:
            return None
        memory = cls(cache, repository, *_made_with(searcher, max_size), now)
        kept = cache.read(memory._name)
        former = None if kept is None else json.loads(kept)
        if former is not None and former.get("program") == memory.program:
            memory.former = former
        return memory

    @property
    def _name(self) -> str:
        return hashlib.sha256(self.repository.common_dir + b"\0" + self.repository.git_dir).hexdigest()[:40]

    @property
    def same_objects(self) -> bool:
        """Whether the object store is as it was, and the detectors are."""
        return self.same_store and self.former is not None and self.former["catalog"] == self.catalog

    @property
    def same_store(self) -> bool:
        """Whether the object store is as it was."""
        if self.former is None:
            return False
        state = self.former["state"]
        return bool(state) and (state["packs"], state["loose"]) == (sorted(self.now.packs), self.now.loose)

    def changed_detectors(self, searcher: Searcher) -> tuple[Detector, ...] | None:
        """The detectors that are not as they were: as they were, and as they are. None where that is not known."""
        if self.former is None:
            return None
        changed = self.former["catalog"], self.catalog
        if changed not in searcher.changes:
            searcher.changes[changed] = catalog.changes(*changed, searcher.cache)
        return searcher.changes[changed]

    def new_packs(self, paths: Iterable[bytes]) -> list[bytes]:
        """Those packs that were not there; what has appeared since `now` was told counts as new."""
        known = self.former["state"]["packs"] if self.former else []
        there = {path for digest, path in self.now.packs.items() if digest in known}
        return [path for path in paths if path not in there]

    def fresh_names(self, names: Mapping[bytes, bytes], there: Container[bytes]) -> dict[bytes, None] | None:
        """The binary names of the objects that were not there, of `names` as `Packs.names` has them; None where that is
        not known, or where they are many. Notes whether some are `gone` of those that were."""
        if self.former is None:
            return None
        kept = self.cache.read(self._name + "-objects")
        if kept is None or kept[:_TOKEN].hex() != self.former["objects"]:
            return None
        step, at, sections = self.repository.id_length // 2, _TOKEN, list[_Sorted]()
        for digest, size in zip(self.former["parts"], self.former["sizes"], strict=True):
            sections.append(_Sorted(kept, at, size, step))
            if digest not in self.now.packs:
                self.gone = self.gone or any(name not in there for name in sections[-1])
            at += size
        new = (names[path] for path in (*self.new_packs(path for path in names if path), b""))
        fresh = {some[at : at + step]: None for some in new for at in range(0, len(some), step)}
        if len(fresh) > MOST_SOUGHT:
            known = fresh.keys() & set(chain(*sections))
        else:
            known = {name for name in fresh if any(name in section for section in sections)}
        for name in known:
            del fresh[name]
        return fresh if len(fresh) <= max(MOST_FRESH, sum(map(len, sections)) // 8) else None

    def recall(
        self, searcher: Searcher, known: dict[Secret, str], exists: Callable[[bytes], bool] = lambda _name: True
    ) -> tuple[Harvest, list[str]] | None:
        """What was found, of the objects that still exist; and the objects that must be searched for that.

        Fingerprints go into `known`. None where it cannot be had again.
        """
        former = self.former
        assert former is not None
        there, gone = list[Any](), list[Any]()
        for one in former["classes"]:
            (there if exists(bytes.fromhex(one["of"])) else gone).append(one)
        again = list(dict.fromkeys(n for one in gone for n, *_ in one["at"] if exists(bytes.fromhex(n))))
        harvest = Harvest()
        searcher.prepare(WORTHWHILE if len(there) > FEW else 0)
        for kind in ("blob", "commit", "tag"):
            names = sorted({one["of"] for one in there if one["kind"] == kind})
            if names:
                harvest.add(searcher.search(ObjectUnit(self.repository, kind, b"".join(map(bytes.fromhex, names)), 0)))
        if harvest.not_scanned:
            return None
        found = {
            (_name_of(origin), s.detector, s.span.start, s.span.end): s
            for origin, sightings in harvest.found
            for s in sightings
        }
        places: dict[str, list[Sighting]] = {}
        for one in there:
            like = found.get((one["of"], one["detector"], one["start"], one["end"]))
            if like is None:  # an allowlist speaks against it now
                continue
            if one["fingerprint"]:
                known[like.secret] = one["fingerprint"]
            for name, *numbers in one["at"]:
                start, end, line, column, end_line, end_column, *wide = numbers
                span = Span(start, end, line, column, end_line, end_column, (wide[0], wide[1]))
                places.setdefault(name, []).append(
                    Sighting(like.detector, like.also, like.secret, span, like.facts, like.excerpt, like.near)
                )
        searched = set(again)
        harvest.found += [
            (GitBlob(name), s) for name, s in places.items() if name not in searched and exists(bytes.fromhex(name))
        ]
        harvest.counts = Counter(former["counts"])
        harvest.bytes, harvest.copied = former["bytes"], former["copied"]
        _fill(harvest.suppressed, former["suppressed"])
        _fill(harvest.dropped, former["dropped"])
        harvest.not_scanned = list(map(_left_out, former["not_scanned"]))
        return harvest, again

    def former_history(self, blobs: set[str], messages: set[str]) -> History | None:
        """The attribution that was kept, if it holds for these and for the state of now."""
        self.asked = (blobs, messages)
        if not (self.same_store and self.former and self.former["state"]["refs"] == self.now.refs):
            return None
        kept = self.former["history"]
        if not (blobs <= set(kept["asked"][0]) and messages <= set(kept["asked"][1])):
            return None
        self._recalled_history = _history(kept)
        return self._recalled_history

    def earlier_history(self, fresh: Container[bytes]) -> History | None:
        """The attribution that was kept, to go on from: if nothing is gone since, and what is asked for now and was not
        asked for then is among the objects that came."""
        kept = self.former["history"] if self.former else None
        if kept is None or kept["folded"] or not kept["dates"] or self.gone:
            return None
        for asked, before in zip(self.asked, kept["asked"], strict=True):
            if any(bytes.fromhex(name) not in fresh for name in asked.difference(before)):
                return None
        corrected = self.cache.read(self._name + "-dates")
        if corrected is None or hashlib.sha256(corrected).hexdigest() != kept["dates"]:
            return None
        history = _history(kept)
        history.corrected = corrected
        return history

    def keep(self, fingerprints: Mapping[Secret, str]) -> None:
        """Write down what this scan gave, unless some of it failed, or all is as it was. `fingerprints` are those that
        are known."""
        history, harvest = self.history, self.harvest
        if history is None or (self.same_objects and not self.names and history is self._recalled_history):
            return
        left_out = [*harvest.not_scanned, *history.not_scanned]
        count = sum(len(sightings) for _, sightings in harvest.found)
        if (
            not all(n.policy for n in left_out)
            or max(count, history.kept) > MOST_PLACES
            or sum(map(len, self.names.values())) > MOST_NAMES
        ):
            return
        former = self.former or {}
        objects, sizes, parts = (former.get(key) for key in ("objects", "sizes", "parts"))
        if self.names:
            token, digests = os.urandom(_TOKEN), {path: digest for digest, path in self.now.packs.items()}
            objects, sizes = token.hex(), list(map(len, self.names.values()))
            parts = [digests.get(path, "") for path in self.names]
            self.cache.write(self._name + "-objects", token, *self.names.values())
        dates = former["history"]["dates"] if history is self._recalled_history else ""
        if history.corrected is not None and still(self.repository, self.now):
            dates = hashlib.sha256(history.corrected).hexdigest()
            self.cache.write(self._name + "-dates", history.corrected)
        pairs = dict.fromkeys(chain(history.heads.pairs, *history.heads.others.values()))
        number = {pair: at for at, pair in enumerate(pairs)}
        document = {
            "program": self.program,
            "catalog": self.catalog,
            "state": {"packs": sorted(self.now.packs), "loose": self.now.loose, "refs": self.now.refs},
            "objects": objects,
            "sizes": sizes,
            "parts": parts,
            "classes": _classes(harvest.found, fingerprints),
            "counts": dict(harvest.counts),
            "bytes": harvest.bytes,
            "copied": harvest.copied,
            "suppressed": dict(Counter(reason for reason, _ in harvest.suppressed)),
            "dropped": dict(Counter(reason for reason, _ in harvest.dropped)),
            "not_scanned": list(map(_written, harvest.not_scanned)),
            "history": {
                "asked": [sorted(self.asked[0]), sorted(self.asked[1])],
                "places": {
                    blob: [[p.path.decode("latin-1"), p.commit, p.order, p.reach, p.via] for p in places]
                    for blob, places in history.places.items()
                },
                "messages": history.messages,
                "signatures": history.signatures,
                "not_scanned": list(map(_written, history.not_scanned)),
                "published": history.published,
                "by_commit": sorted(history.by_commit),
                "dates": dates,
                "folded": history.folded,
                "default": history.heads.default,
                "pairs": [[path.decode("latin-1"), blob] for path, blob in pairs],
                "heads": [number[pair] for pair in history.heads.pairs],
                "tips": {tip: [number[pair] for pair in its] for tip, its in history.heads.others.items()},
            },
        }
        self.cache.write(self._name, json.dumps(document, separators=(",", ":")).encode())


def _history(kept: Mapping[str, Any]) -> History:
    pairs = [(path.encode("latin-1"), blob) for path, blob in kept["pairs"]]
    others = {tip: [pairs[at] for at in numbers] for tip, numbers in kept["tips"].items()}
    return History(
        places={
            blob: [Place(path.encode("latin-1"), *rest) for path, *rest in places]
            for blob, places in kept["places"].items()
        },
        messages={name: (reach, via) for name, (reach, via) in kept["messages"].items()},
        published=kept["published"],
        by_commit=set(kept["by_commit"]),
        heads=Heads(kept["default"], [pairs[at] for at in kept["heads"]], others),
        signatures={commit: (author, date) for commit, (author, date) in kept["signatures"].items()},
        not_scanned=list(map(_left_out, kept["not_scanned"])),
    )


class _Sorted:
    """Names of `step` bytes each, sorted and joined, in a part of something: to look one up."""

    def __init__(self, names: bytes, start: int, size: int, step: int) -> None:
        self._names, self._start, self._count, self._step = names, start, size // step, step

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> bytes:
        at = self._start + place * self._step
        return self._names[at : at + self._step]

    def __iter__(self) -> Iterator[bytes]:
        return map(self.__getitem__, range(self._count))

    def __contains__(self, name: bytes) -> bool:
        place = bisect_left(self, name)
        return place < self._count and self[place] == name


def _name_of(origin: Origin) -> str:
    return origin.blob if isinstance(origin, GitBlob) else origin.target if isinstance(origin, GitMessage) else ""


def _classes(
    found: Iterable[tuple[Origin, list[Sighting]]], fingerprints: Mapping[Secret, str]
) -> list[dict[str, Any]]:
    """Places of secrets, by all that is told of them but where they stand; of each class the first stands for it."""
    classes: dict[tuple[object, ...], dict[str, Any]] = {}
    first: set[str] = set()
    all_of_them = [(origin, _name_of(origin), sightings) for origin, sightings in found]
    for origin, name, sightings in all_of_them:
        kind: Kind = "blob" if isinstance(origin, GitBlob) else "tag" if _is_tag(origin) else "commit"
        for s in sightings:
            key = (s.detector, s.also, s.secret, s.facts, s.near, s.excerpt, "" if kind == "blob" else name)
            if key not in classes:
                classes[key] = {
                    "kind": kind,
                    "of": name,
                    "detector": s.detector,
                    "start": s.span.start,
                    "end": s.span.end,
                    "fingerprint": fingerprints.get(s.secret, ""),
                    "at": [],
                }
                first.add(name)
    for origin, name, sightings in all_of_them:
        if name not in first and isinstance(origin, GitBlob):
            for s in sightings:
                span = s.span
                place = (span.start, span.end, span.line, span.column, span.end_line, span.end_column, *span.wide)
                classes[s.detector, s.also, s.secret, s.facts, s.near, s.excerpt, ""]["at"].append([name, *place])
    return list(classes.values())


def _is_tag(origin: Origin) -> bool:
    return isinstance(origin, GitMessage) and origin.message == "tag"


def _fill(counted: set[tuple[str, bytes]], wanted: Mapping[str, int]) -> None:
    """Bring distinct values, of which only the number is known, up to what it was."""
    have = Counter(reason for reason, _ in counted)
    for reason, count in wanted.items():
        counted.update((reason, os.urandom(8)) for _ in range(count - have[reason]))


def _written(entry: NotScanned) -> list[object]:
    return [entry.what.decode("latin-1"), entry.why, entry.policy, entry.count]


def _left_out(entry: Sequence[Any]) -> NotScanned:
    return NotScanned(entry[0].encode("latin-1"), entry[1], entry[2], entry[3])
