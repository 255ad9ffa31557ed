"""Known secrets taken out of everything else that is shown: other lines, paths, authors, facts, messages.

A token can stand in a file's name, in an author's name, or on a line beside another secret where no detector takes
it. All values found are looked for at once, with one Aho-Corasick automaton (pyahocorasick takes `str` only: bytes go
through Latin-1, which keeps offsets).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import ahocorasick

from ..model import (
    Excerpt,
    Facts,
    File,
    Finding,
    GitBlob,
    GitMessage,
    ListingEntry,
    NotScanned,
    Occurrence,
    Origin,
    RankedFinding,
    StoredObject,
    Suppression,
    Verdict,
    guessable,
)

SHORTEST = 6
"""Bytes of a value that is looked for in excerpts."""
SHORTEST_NAME = 12
"""Bytes of one that is looked for in names; there, words that happen to be somebody's password must stay readable."""


class Redactor:
    """Replaces the values of some findings by their masks."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        values = {f.secret.reveal(): f.secret.mask() for f in findings}
        self._lines = _automaton({v: m for v, m in values.items() if len(v) >= SHORTEST})
        self._names = _automaton({v: m for v, m in values.items() if len(v) >= SHORTEST_NAME and not guessable(v)})

    def finding(self, ranked: RankedFinding) -> RankedFinding:
        """A finding of which every text but its secret is free of known values."""
        finding = ranked.finding
        mask = finding.secret.mask().encode()
        return replace(
            ranked,
            finding=replace(
                finding,
                facts=self._facts(finding.facts),
                occurrences=tuple(self._occurrence(o, mask) for o in finding.occurrences),
                verdict=self.verdict(finding.verdict),
            ),
            reasons=tuple(replace(r, text=self._text(r.text)) for r in ranked.reasons),
            summary=self._text(ranked.summary),
        )

    def verdict(self, verdict: Verdict) -> Verdict:
        """A verdict without known values: an answer may repeat one, of whichever secret it is."""
        return replace(verdict, reason=self._text(verdict.reason), facts=self._facts(verdict.facts))

    def not_scanned(self, entry: NotScanned) -> NotScanned:
        """An entry without known values."""
        return replace(entry, what=_replaced(self._names, entry.what), why=self._text(entry.why))

    def name(self, name: bytes) -> bytes:
        """A name without known values."""
        return _replaced(self._names, name)

    def suppression(self, entry: Suppression) -> Suppression:
        """What somebody accepted, without known values: a reason can hold one."""
        reason, path, by, seen = map(self._text, (entry.reason, entry.path, entry.by, entry.seen))
        return replace(entry, reason=reason, path=path, by=by, seen=seen)

    def _facts(self, facts: Facts) -> Facts:
        return tuple((name, self._text(value)) for name, value in facts)

    def _text(self, text: str) -> str:
        encoded = text.encode("utf-8", "surrogateescape")
        return _replaced(self._names, encoded).decode("utf-8", "surrogateescape")

    def _occurrence(self, occurrence: Occurrence, mask: bytes) -> Occurrence:
        old = occurrence.excerpt
        before = _replaced(self._lines, old.text[: old.start])
        after = _replaced(self._lines, old.text[old.end :])
        excerpt = Excerpt(before + mask + after, len(before), len(before) + len(mask), old.view, old.comment)
        return replace(
            occurrence, origin=self._origin(occurrence.origin), excerpt=excerpt, target=self._text(occurrence.target)
        )

    def _origin(self, origin: Origin) -> Origin:
        match origin:
            case File():
                return replace(origin, path=_replaced(self._names, origin.path))
            case GitBlob():
                path = _replaced(self._names, origin.path)
                return replace(origin, path=path, author=self._text(origin.author), via=self._text(origin.via))
            case GitMessage():
                return replace(origin, author=self._text(origin.author), via=self._text(origin.via))
            case StoredObject() | ListingEntry():
                container, key = _replaced(self._names, origin.container), _replaced(self._names, origin.key)
                return replace(origin, container=container, key=key)
            case _:
                return origin


def _automaton(values: dict[bytes, str]) -> ahocorasick.Automaton | None:
    if not values:
        return None
    automaton = ahocorasick.Automaton()
    for value, mask in values.items():
        automaton.add_word(value.decode("latin-1"), (len(value), mask.encode()))
    automaton.make_automaton()
    return automaton


def _replaced(automaton: ahocorasick.Automaton | None, text: bytes) -> bytes:
    """The text with the longest known value at each place replaced, from left to right."""
    if automaton is None or len(text) < SHORTEST:
        return text
    out, at = bytearray(), 0
    for end, (length, mask) in automaton.iter_long(text.decode("latin-1")):
        out += text[at : end + 1 - length] + mask
        at = end + 1
    return bytes(out + text[at:])
