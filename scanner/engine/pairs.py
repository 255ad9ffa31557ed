"""Multi-part credentials: the parts of a blob that belong together, paired by their distance in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..model import Detector, Match, part_fact


def pair(matches: list[Match], detectors: Mapping[str, Detector]) -> list[Match]:
    """Give each secret that has parts the nearest match of each, as a fact, and take paired parts out of the list.

    The fact's name is what the part's id ends with (`aws-access-key-id` gives `access_key_id`). Parts that never
    stand alone (`part_only`) go in any case.
    """
    used: set[int] = set()
    out: dict[int, Match] = {}
    for place, match in enumerate(matches):
        detector = detectors[match.detector]
        facts = list(match.facts)
        for wanted in detector.parts:
            near = [
                (distance, other)
                for other, m in enumerate(matches)
                if m.detector == wanted and (distance := _distance(match, m)) <= detector.part_distance
            ]
            if near:
                nearest = min(near)[1]
                used.add(nearest)
                facts.append((part_fact(wanted), matches[nearest].secret.reveal().decode("utf-8", "replace")))
        out[place] = replace(match, facts=tuple(dict.fromkeys(facts)))
    return [m for place, m in out.items() if place not in used and not detectors[m.detector].part_only]


def _distance(one: Match, other: Match) -> int:
    return max(one.span.start - other.span.end, other.span.start - one.span.end, 0)
