"""Multi-part credentials: the parts of a blob that belong together, paired by their distance in bytes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace

from ..model import Detector, Match, part_fact


def pair(matches: list[Match], detectors: Mapping[str, Detector]) -> list[Match]:
    """Give each secret that has parts the nearest match of each, as a fact, and take paired parts out of the list.

    `matches` are in order of their start. The fact's name is what the part's id ends with (`aws-access-key-id` gives
    `access_key_id`). What is known of the part (the account in a key's id) is known of the secret, too. Parts that
    never stand alone (`part_only`) go in any case.
    """
    rows: dict[str, _Row] = {}
    for place, match in enumerate(matches):
        rows.setdefault(match.detector, _Row()).add(place, match)
    used: set[int] = set()
    out: list[Match] = []
    for match in matches:
        detector = detectors[match.detector]
        facts = list(match.facts)
        for wanted in detector.parts:
            distance, nearest = rows[wanted].nearest(match, matches) if wanted in rows else (0, -1)
            if nearest >= 0 and distance <= detector.part_distance:
                used.add(nearest)
                facts.append((part_fact(wanted), matches[nearest].secret.reveal().decode("utf-8", "replace")))
                known = {name for name, _ in facts}
                facts += [fact for fact in matches[nearest].facts if fact[0] not in known]
        out.append(replace(match, facts=tuple(dict.fromkeys(facts))))
    return [m for place, m in enumerate(out) if place not in used and not detectors[m.detector].part_only]


class _Row:
    """The matches of one detector by their start, with the one that reaches furthest up to each."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._places: list[int] = []
        self._furthest: list[tuple[int, int]] = []

    def add(self, place: int, match: Match) -> None:
        self._starts.append(match.span.start)
        self._places.append(place)
        best = self._furthest[-1] if self._furthest else (-1, -1)
        self._furthest.append((match.span.end, place) if match.span.end > best[0] else best)

    def nearest(self, match: Match, matches: list[Match]) -> tuple[int, int]:
        """(distance, place) of the nearest one to a match: the first behind it, or the one before that reaches it."""
        at = bisect_left(self._starts, match.span.start)
        places = [self._furthest[at - 1][1]] if at else []
        places += self._places[at : at + 1]
        return min((_distance(match, matches[place]), place) for place in places)


def _distance(one: Match, other: Match) -> int:
    return max(one.span.start - other.span.end, other.span.start - one.span.end, 0)
