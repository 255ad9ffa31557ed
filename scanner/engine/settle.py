"""One value, several detectors: overlapping matches of a blob become one, named by the most specific detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..model import Detector, Match, is_reserved


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

    parts = [m for m in matches if detectors[m.detector].part_only]
    ranked = sorted((m for m in matches if not detectors[m.detector].part_only), key=order)
    also: dict[int, set[str]] = {}
    for place, rivals in enumerate(_better(ranked)):
        winner = next((r for r in sorted(rivals) if r in also and _same(ranked[place], ranked[r])), place)
        also.setdefault(winner, set()).add(ranked[place].detector)
        if winner != place:
            ranked[winner] = _with_host(ranked[winner], ranked[place])
    out = [replace(ranked[place], also=tuple(sorted(ids - {ranked[place].detector}))) for place, ids in also.items()]
    return sorted([*out, *parts], key=lambda m: (m.span.start, m.span.end, m.detector))


def _with_host(winner: Match, other: Match) -> Match:
    """The winner, which is for the host that the other knows of the same value: a token in the URL of a server."""
    host = dict(other.facts).get("host", "")
    if not host or is_reserved(host) or winner.secret != other.secret or "host" in dict(winner.facts):
        return winner
    return replace(winner, facts=(*winner.facts, ("host", host)))


def _better(ranked: list[Match]) -> list[list[int]]:
    """Of each match, the places of those before it in the list that overlap it: a sweep over the blob."""
    out: list[list[int]] = [[] for _ in ranked]
    still_open: list[int] = []
    for place in sorted(range(len(ranked)), key=lambda p: ranked[p].span.start):
        start = ranked[place].span.start
        still_open = [p for p in still_open if ranked[p].span.end > start]
        for other in still_open:
            out[max(place, other)].append(min(place, other))
        still_open.append(place)
    return out


def _same(match: Match, winner: Match) -> bool:
    """Whether two matches that overlap are of one value.

    What a view decodes maps back to whole base64 groups, so that neighbours in a view can seem to overlap: there, one
    value must hold the other.
    """
    if match.view and winner.view:
        one, other = match.secret.reveal(), winner.secret.reveal()
        return one in other or other in one
    return True


def withhold(matches: list[Match]) -> list[Match]:
    """The matches without facts that would tell another's secret: the user name of a URL can be a token."""
    values = {m.secret.reveal() for m in matches if len(m.secret.reveal()) >= SHORTEST}
    lengths: dict[bytes, set[int]] = {}
    for value in values:
        lengths.setdefault(value[:SHORTEST], set()).add(len(value))

    def tells(fact: str, own: bytes) -> bool:
        text = fact.encode("utf-8", "replace")
        return text != own and any(
            text[at : at + length] in values
            for at in range(len(text) - SHORTEST + 1)
            for length in lengths.get(text[at : at + SHORTEST], ())
        )

    if len(values) < 2:
        return matches
    return [
        replace(m, facts=tuple((name, fact) for name, fact in m.facts if not tells(fact, m.secret.reveal())))
        if m.facts
        else m
        for m in matches
    ]


SHORTEST = 8
"""Bytes of a secret that is looked for in facts; shorter ones are words such as a user's name."""
