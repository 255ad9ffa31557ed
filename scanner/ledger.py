"""From sightings to findings: one finding per secret, one occurrence per place, in bounded memory.

The same value found by several detectors is one finding, named by the most specific. No further occurrences are: a
file of the work tree at a path where git has the same secret, at the head or staged; git's notes of what commit
messages said; a blob that no commit and no index names, where another place in git is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .model import (
    MOST_RIVALS,
    Detector,
    Excerpt,
    Facts,
    File,
    Finding,
    GitBlob,
    GitMessage,
    ListingEntry,
    Occurrence,
    Origin,
    Secret,
    Sighting,
    Span,
    StoredObject,
    is_reserved,
    part_fact,
)

MOST_SECRETS = 50_000
MOST_SIGHTINGS = 400_000
MOST_OCCURRENCES = 100
"""Of one finding; the rest is counted."""
MOST_READINGS = 40
"""Different facts of one secret that are kept: it can stand with one host here, with another there."""

Resolve = Callable[[Detector, Origin, "set[str]"], "list[tuple[Origin, int]]"]
"""From the origin that a source gave to the full ones: where it stands, and the order of the commit that brought it.

The set holds all git blobs that have the secret. An empty list takes the place out of the finding."""

Keep = Callable[[Detector, Secret, Origin], bool]
"""Whether a place, as it was resolved, is one of a finding, given the detector that names it."""

_ECHOES = re.compile(
    rb"(?:\A|(?:\A|/)\.git/(?:worktrees/[^/]+/)?)(?:(?:COMMIT|TAG)_EDITMSG|MERGE_MSG|SQUASH_MSG|logs/(?:HEAD|refs/.+))\Z",
    re.DOTALL,
)
"""Files of the git directory in which git repeats commit messages."""

_BETTER = ("head", "staged", "branch", "history", "unreachable")


@dataclass(slots=True)
class _Entry:
    secret: Secret
    detectors: dict[str, None] = field(default_factory=dict)
    facts: dict[tuple[Facts, Facts], None] = field(default_factory=dict)
    sightings: list[tuple[Origin, Span, Excerpt]] = field(default_factory=list)
    excerpts: dict[Excerpt, Excerpt] = field(default_factory=dict)
    folded: int = 0


class Ledger:
    """Collects sightings as they come, in any order, and gives the findings at the end."""

    def __init__(self, detectors: Mapping[str, Detector]) -> None:
        self.lost = 0
        """Distinct secrets that were not kept because there were too many."""
        self._detectors = detectors
        self._entries: dict[bytes, _Entry] = {}
        self._kept = 0

    def add(self, origin: Origin, sighting: Sighting) -> None:
        """Note that a secret was seen in a blob."""
        key = sighting.secret.canonical()
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= MOST_SECRETS:
                self.lost += 1
                return
            entry = self._entries[key] = _Entry(sighting.secret)
        entry.detectors.update(dict.fromkeys((sighting.detector, *sighting.also)))
        if len(entry.facts) < MOST_READINGS:
            entry.facts[sighting.facts, sighting.near] = None
        if self._kept >= MOST_SIGHTINGS:
            entry.folded += 1
            return
        self._kept += 1
        excerpt = entry.excerpts.setdefault(sighting.excerpt, sighting.excerpt)
        entry.sightings.append((origin, sighting.span, excerpt))

    def blobs(self) -> set[str]:
        """The git blobs that hold a secret."""
        return {o.blob for o in self._origins() if isinstance(o, GitBlob)}

    def messages(self) -> set[str]:
        """The commits and tags whose messages hold a secret."""
        return {o.target for o in self._origins() if isinstance(o, GitMessage)}

    def _origins(self) -> Iterator[Origin]:
        return (origin for entry in self._entries.values() for origin, _, _ in entry.sightings)

    def findings(self, resolve: Resolve, keep: Keep = lambda _detector, _secret, _origin: True) -> Iterator[Finding]:
        """One finding per secret that has a place."""
        for entry in self._entries.values():
            names = sorted(entry.detectors, key=lambda d: (-self._detectors[d].specificity, d))
            detector = self._detectors[names[0]]
            occurrences = _occurrences(entry, detector, resolve, keep)
            if occurrences:
                facts = _facts(entry)
                yield Finding(
                    detector=detector,
                    also=tuple(names[1:]),
                    secret=entry.secret.named_by(detector),
                    facts=facts,
                    occurrences=tuple(occurrences[:MOST_OCCURRENCES]),
                    folded=max(0, len(occurrences) - MOST_OCCURRENCES) + entry.folded,
                    near=_near(entry, dict(facts), [self._detectors[name] for name in names]),
                )


def _facts(entry: _Entry) -> Facts:
    """What is known of the secret where most is known, at a host that others can reach if there is one; and what other
    places add that do not contradict it."""
    readings = sorted(
        entry.facts, key=lambda one: (is_reserved(dict(one[0]).get("host", "")), -len(one[0]), bool(one[1]), one)
    )
    known = dict(readings[0][0])
    reserved = is_reserved(known.get("host", ""))
    for facts, _ in readings[1:]:
        fit = all(known.get(name, text) == text for name, text in facts)
        if fit and is_reserved(dict(facts).get("host", "")) <= reserved:
            known |= dict(facts)
    return tuple(known.items())


def _near(entry: _Entry, known: Mapping[str, str], detectors: Sequence[Detector]) -> Facts:
    """The parts that it may belong to, where no place says for sure that it has the one among its facts."""
    readings = sorted(entry.facts)
    near = dict.fromkeys(part for _, its in readings for part in its)
    sure = {part for facts, its in readings for part in facts if part not in its}
    out: list[tuple[str, str]] = []
    for name in dict.fromkeys(part_fact(part) for detector in detectors for part in detector.parts):
        told = known.get(name, "")
        if not told or (name, told) in sure:
            continue
        others = [part for part in (*near, *sorted(sure)) if part[0] == name and part[1] != told]
        out += [(name, told), *list(dict.fromkeys(others))[:MOST_RIVALS]]
    return tuple(out)


@dataclass(slots=True)
class _Group:
    """What becomes one occurrence: sightings at one path."""

    first: tuple[int, Origin]
    best: tuple[tuple[int, int, str, int], Origin, Span, Excerpt]
    blobs: set[str] = field(default_factory=set)


def _occurrences(entry: _Entry, detector: Detector, resolve: Resolve, keep: Keep) -> list[Occurrence]:
    groups: dict[_Key, _Group] = {}
    blobs = {origin.blob for origin, _, _ in entry.sightings if isinstance(origin, GitBlob)}
    for origin, span, excerpt in entry.sightings:
        for full, order in resolve(detector, origin, blobs):
            if not keep(detector, entry.secret, full):
                continue
            reach = _BETTER.index(full.reach) if isinstance(full, GitBlob | GitMessage) else 0
            # Of several versions the latest, whatever the order in which they were searched.
            better = (reach, -order, full.blob if isinstance(full, GitBlob) else "", span.start)
            group = groups.get(_key(full))
            if group is None:
                group = groups[_key(full)] = _Group((order, full), (better, full, span, excerpt))
            group.first = min(group.first, (order, full), key=lambda p: p[0])
            group.best = min(group.best, (better, full, span, excerpt), key=lambda p: p[0])
            if isinstance(full, GitBlob):
                group.blobs.add(full.blob)
    for key in _repeated(groups):
        del groups[key]
    out = [(group.best[0][0], group.first[0], _occurrence(group)) for group in groups.values()]
    out.sort(key=lambda o: (o[0], o[1], str(o[2].origin)))
    return [o for _, _, o in out]


_Key = tuple[str, bytes | str | tuple[str, bytes, bytes]]


def _key(origin: Origin) -> _Key:
    match origin:
        case GitBlob(path=b""):
            return ("dangling", origin.blob)
        case GitBlob():
            return ("git", origin.path)
        case GitMessage():
            return ("message", origin.target)
        case File():
            return ("file", origin.path)
        case StoredObject():
            return ("object", (origin.store, origin.container, origin.key))
        case ListingEntry():
            return ("listing", (origin.listing, origin.container, origin.key))
        case _:
            return ("stdin", b"")


def _repeated(groups: Mapping[_Key, _Group]) -> list[_Key]:
    """The groups that only repeat another one."""
    kinds = {kind for kind, _ in groups}
    out: list[_Key] = []
    for kind, place in groups:
        if kind == "dangling" and kinds & {"git", "message"}:
            out.append((kind, place))
        elif kind == "file" and isinstance(place, bytes):
            known = groups.get(("git", place))
            echo = "message" in kinds and _ECHOES.search(place) is not None
            if echo or (known and known.best[0][0] <= _BETTER.index("staged")):
                out.append((kind, place))
    return out


def _occurrence(group: _Group) -> Occurrence:
    """The blob and position of the best place (the head's, if it has it), the commit that brought it there first."""
    first, (_, best, span, excerpt) = group.first[1], group.best
    if isinstance(first, GitBlob) and isinstance(best, GitBlob):
        best = replace(
            best, commit=first.commit or best.commit, author=first.author or best.author, date=first.date or best.date
        )
    return Occurrence(best, span, excerpt, max(1, len(group.blobs)))
