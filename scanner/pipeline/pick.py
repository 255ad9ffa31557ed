"""Which of the secrets that oakum finds in a file is the one that another scanner means.

It is told by its value where the other scanner has that, or a digest of it; otherwise by its line, and then a rule that
is named for one provider never means a secret of another.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..foreign import Known
from ..foreign.rules import provider_of
from ..model import Detector, Origin, Secret, Sighting

BEFORE, BEHIND = 24, 2
"""Bytes around a value that detect-secrets may take for a part of it: it keeps `AccountKey=` and quotes."""
BEGINNING = 1024
"""Bytes of the beginning of a value that it may take for the whole: `ghp`, a JSON Web Token without its signature."""
NEAR = 3
"""Lines below one with nothing on it: another scanner may mean the line of a name, and oakum that of its value."""
SHORTEST = 6
"""Bytes by which a value is known as a part of another one."""


@dataclass(frozen=True, slots=True)
class Picked:
    """The secrets that are meant, and what is to be said of that, or of why there are none."""

    sightings: Sequence[Sighting] = ()
    note: str = ""


class Pick:
    """Picks among the secrets of files."""

    def __init__(self, detectors: Mapping[str, Detector]) -> None:
        self._detectors = detectors
        self._providers = {detector.provider for detector in detectors.values()}
        self._digests: dict[Origin, dict[str, list[Sighting]]] = {}

    def pick(self, entry: Known, place: Origin, there: Sequence[Sighting]) -> Picked:
        """Those of the secrets there that an entry means."""
        if entry.values:
            return Picked([one for one in there if any(_is_meant(one, value, entry) for value in entry.values)])
        if entry.digest and (same := self._by_digest(place, there).get(entry.digest)):
            return Picked(same)
        on_line = list({one.secret: one for one in there if one.span.line <= entry.line <= one.span.end_line}.values())
        if not on_line:
            below = [one.span.line for one in there if 0 < one.span.line - entry.line <= NEAR]
            return Picked(note=f"oakum reports nothing there, but a secret at line {below[0]}" if below else "")
        if not entry.digest:
            return self._by_rule(entry.rule, on_line)
        begun = [one for one in on_line if entry.digest in map(_sha1, _beginnings(one.secret.reveal()))]
        if begun:
            return Picked(begun, " (by its line)")
        return Picked(note="what stands there now is not what the baseline holds, or is cut in another way")

    def _by_digest(self, place: Origin, there: Sequence[Sighting]) -> Mapping[str, list[Sighting]]:
        """The secrets of a file by the digests of whatever may be taken for their values."""
        if place not in self._digests:
            by_digest = self._digests[place] = defaultdict(list)
            for one in {one.secret: one for one in reversed(there)}.values():
                for form in set(_forms(one)):
                    by_digest[_sha1(form)].append(one)
        return self._digests[place]

    def _by_rule(self, rule: str, on_line: Sequence[Sighting]) -> Picked:
        wanted = provider_of(rule, self._providers)
        same = [one for one in on_line if wanted in self._providers_of(one)]
        if same:
            return Picked(same)
        if len(on_line) > 1:
            return Picked(note=f"{len(on_line)} secrets stand there, and the rule does not say which is meant")
        detector = self._detectors[on_line[0].detector]
        if wanted in ("", "generic") or detector.generic:
            return Picked(on_line)
        return Picked(note=f"what stands there is another secret ({detector.id})")

    def _providers_of(self, one: Sighting) -> set[str]:
        return {self._detectors[detector].provider for detector in (one.detector, *one.also)}


def sha256(secret: Secret) -> str:
    """The digest of a value as betterleaks writes it."""
    return hashlib.sha256(secret.reveal()).hexdigest()


def _sha1(value: bytes) -> str:
    return hashlib.sha1(value, usedforsecurity=False).hexdigest()


def _is_meant(one: Sighting, told: Secret, entry: Known) -> bool:
    """Whether a secret is the value that is told of, or a part of it; in the line that is told of, it may be more than
    that, too: elsewhere a host that is told of stands in other secrets as well."""
    ours, theirs = one.secret.reveal(), told.reveal()
    if ours == theirs or (len(ours) >= SHORTEST and ours in theirs):
        return True
    return one.span.line <= entry.line <= one.span.end_line and len(theirs) >= SHORTEST and theirs in ours


def _forms(one: Sighting) -> Iterator[bytes]:
    """What may be taken for a value: itself, with or without what stands around it."""
    value, excerpt = one.secret.reveal(), one.excerpt
    before = excerpt.text[max(0, excerpt.start - BEFORE) : excerpt.start]
    behind = excerpt.text[excerpt.end : excerpt.end + BEHIND]
    for begin in range(len(before) + 1):
        for end in range(len(behind) + 1):
            yield before[begin:] + value + behind[:end]


def _beginnings(value: bytes) -> Iterator[bytes]:
    """What may stand for a value: its beginning, or what its first line calls it."""
    yield from (value[:length] for length in range(1, min(len(value), BEGINNING)))
    if value.startswith(b"-----"):
        yield value.split(b"-----", 2)[1]
