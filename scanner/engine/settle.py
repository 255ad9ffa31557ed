"""One value, several detectors: overlapping matches of a blob become one, named by the most specific detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..model import Detector, Match


def settle(matches: list[Match], detectors: Mapping[str, Detector]) -> list[Match]:
    """The matches of a blob without overlaps, in order of their place; the others' ids stand in `also`.

    More specific wins (an offline check, then a provider's pattern, then generic); then what was found in a view,
    which is the decoded form; then the longer value; then the id.
    """

    def order(match: Match) -> tuple[int, bool, int, int, str]:
        span = match.span
        return (
            -detectors[match.detector].specificity,
            not match.view,
            span.start - span.end,
            span.start,
            match.detector,
        )

    kept: list[Match] = []
    also: dict[int, list[str]] = {}
    parts = [m for m in matches if detectors[m.detector].part_only]
    for match in sorted((m for m in matches if not detectors[m.detector].part_only), key=order):
        for place, winner in enumerate(kept):
            if _same(match, winner):
                also.setdefault(place, []).append(match.detector)
                break
        else:
            kept.append(match)
    out = [
        replace(match, also=tuple(sorted(set(also.get(place, ())) - {match.detector})))
        for place, match in enumerate(kept)
    ]
    return sorted([*out, *parts], key=lambda m: (m.span.start, m.span.end, m.detector))


def _same(match: Match, winner: Match) -> bool:
    """Whether two matches are of one value. What a view decodes maps back to whole base64 groups, so that neighbours
    in a view can seem to overlap: there, one value must hold the other."""
    if match.span.start >= winner.span.end or winner.span.start >= match.span.end:
        return False
    if match.view and winner.view:
        one, other = match.secret.reveal(), winner.secret.reveal()
        return one in other or other in one
    return True


def withhold(matches: list[Match]) -> list[Match]:
    """The matches without facts that would tell another's secret: the user name of a URL can be a token."""
    values = {m.secret.reveal() for m in matches if len(m.secret.reveal()) >= SHORTEST}
    if len(values) < 2:
        return matches
    looked_for = values if len(values) <= MOST_COMPARED else ()

    def tells(fact: str, own: bytes) -> bool:
        text = fact.encode("utf-8", "replace")
        return text != own and (text in values or any(v in text for v in looked_for))

    return [
        replace(m, facts=tuple((name, fact) for name, fact in m.facts if not tells(fact, m.secret.reveal())))
        if m.facts
        else m
        for m in matches
    ]


SHORTEST = 8
"""Bytes of a secret that is looked for in facts; shorter ones are words such as a user's name."""
MOST_COMPARED = 500
"""Secrets of one blob up to which each is looked for within each fact; above, facts that equal one are withheld."""
