"""What other scanners were told to pass over, taken over: their files in, entries for oakum's configuration out.

oakum accepts a secret by its value, never by where it stands. So the place that another scanner names is read and
searched, and what is found there is accepted by its fingerprint. Whatever is not taken over is listed with the reason:
an entry that is missing shows in the next scan, one too many would hide a leak.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..foreign import Excluded, Known, Unmapped, read
from ..foreign.rules import detectors_of
from ..model import File, GitBlob, Origin, Secret, Suppression, clean
from .options import ScanOptions
from .pick import Pick, sha256
from .places import Places
from .scan import scan
from .workers import searcher_for

NOTHING = "nothing to suppress: oakum reports nothing"


@dataclass(frozen=True, slots=True)
class Adopted:
    """Entries for the configuration, each once, and what is not taken over, as (what the file says, why not)."""

    entries: tuple[Suppression, ...]
    unmapped: tuple[tuple[str, str], ...]


def adopt(name: str, content: bytes, root: bytes, options: ScanOptions, *, kind: str = "") -> Adopted:
    """Take over a file of another scanner, of that name and content, for the repository or folder at `root`.

    `kind` is one of `foreign.KINDS`, or empty: then the file is recognised. Options are those of a scan of `root`: what
    that would not report needs no entry. ForeignError for a file that is damaged, too large or of no known form.
    """
    found = read(name, content, kind)
    adoption = _Adoption(root, options, [entry for entry in found if isinstance(entry, Known)])
    for entry in found:
        match entry:
            case Unmapped(says, why):
                adoption.refuse(says, why)
            case Excluded():
                adoption.exclude(entry)
            case Known():
                adoption.accept(entry)
    return Adopted(tuple(adoption.entries.values()), tuple(adoption.unmapped))


class _Adoption:
    """The adoption of one file. `entries` and `unmapped` are dictionaries, so that each is once, and in order."""

    def __init__(self, root: bytes, options: ScanOptions, known: Sequence[Known]) -> None:
        self._searcher = searcher_for(options)
        self._places = Places(root, options, self._searcher)
        repositories = {one.repository for one in known}
        here = clean(self._places.root.rpartition(b"/")[2])
        self._elsewhere = {one for one in repositories if len(repositories) > 1 and one.rpartition("/")[2] != here}
        self._located = self._places.locate(one for one in known if one.path and one.repository not in self._elsewhere)
        self._places.search(place for place in self._located.values() if not isinstance(place, str))
        self._pick = Pick(self._searcher.by_id)
        self._everywhere = _by_digest(root, options) if any(not (one.path or one.values) for one in known) else {}
        self._fingerprints: dict[Secret, str] = {}
        self.entries: dict[tuple[str, str, str], Suppression] = {}
        self.unmapped: dict[tuple[str, str], None] = {}

    def refuse(self, says: str, why: str) -> None:
        """Note what is not taken over."""
        self.unmapped[says, why] = None

    def exclude(self, entry: Excluded) -> None:
        """Take over a path, a rule, or both."""
        by_id = self._searcher.by_id
        detectors = detectors_of(entry.rule, by_id) if entry.rule else [""]
        if not entry.path:  # a generic rule is disabled for its noise: that is no word on all that has a telling name
            detectors = [detector for detector in detectors if not by_id[detector].generic]
        for detector in detectors:
            self._add(Suppression(entry.reason, path=entry.path, detector=detector))
        if not detectors:
            why = f"no detector is surely the same as the rule {clean(entry.rule)}"
            self.refuse(entry.says, f"{why}: see `oakum detectors list`, and write an entry of your own")

    def accept(self, entry: Known) -> None:
        """Take over a secret."""
        if entry.repository in self._elsewhere:
            self.refuse(entry.says, f"is in another repository: {clean(entry.repository)}")
        elif not entry.path and not entry.values:
            self._accept_digest(entry)
        else:
            place = self._located.get(entry, "no file is named")
            if not isinstance(place, str):
                self._accept_at(entry, place)
            elif entry.values:  # wherever it stood, it is told by itself
                self._add_secret(entry.reason, entry.values[0], clean(entry.path), "")
            else:
                self.refuse(entry.says, place)

    def _accept_digest(self, entry: Known) -> None:
        """By the digest of a value that may stand anywhere."""
        if found := self._everywhere.get(entry.digest):
            secret, path, detector = found
            self._add_secret(entry.reason, secret, path, detector)
        else:
            self.refuse(entry.says, f"{NOTHING} with this value")

    def _accept_at(self, entry: Known, place: Origin) -> None:
        path = place.path if isinstance(place, File) else entry.path
        there, lost = self._places.at(place, path)
        picked = self._pick.pick(entry, place, there)
        for one in picked.sightings:
            self._add_secret(entry.reason + picked.note, one.secret, clean(path), one.detector)
        if not picked.sightings:
            at = f" at {clean(path)}:{entry.line}" if entry.line else f" in {clean(path)}"
            why = f"{picked.note}: run `oakum scan`, and `oakum allow` what is meant" if picked.note else NOTHING + at
            self.refuse(entry.says, lost or why)

    def _add_secret(self, reason: str, secret: Secret, path: str, detector: str) -> None:
        if secret not in self._fingerprints:
            self._fingerprints[secret] = secret.fingerprint()
        seen = f"{path} ({detector})" if detector else path
        self._add(Suppression(reason, fingerprint=self._fingerprints[secret], seen=seen))

    def _add(self, entry: Suppression) -> None:
        self.entries.setdefault((entry.fingerprint, entry.path, entry.detector), entry)


def _by_digest(root: bytes, options: ScanOptions) -> dict[str, tuple[Secret, str, str]]:
    """Of everything that a scan reports the SHA-256, the secret, and a path and the detector that found it."""
    found: dict[str, tuple[Secret, str, str]] = {}
    everything = replace(options, min_band="low", suppressions=(), baseline=frozenset())
    result = scan([root], everything, io.BytesIO())
    if result.interrupted:
        raise KeyboardInterrupt
    for ranked in result.findings:
        finding = ranked.finding
        origin = finding.occurrences[0].origin
        path = clean(origin.path) if isinstance(origin, File | GitBlob) else "a message"
        found[sha256(finding.secret)] = (finding.secret, path, finding.detector.id)
    return found
