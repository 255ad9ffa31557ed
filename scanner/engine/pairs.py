"""Multi-part credentials: the parts of a blob that belong together, paired by their order and distance in bytes.

A secret has the nearest part. Where that gives one part to several secrets, the order counts: as many ids as secrets
behind them, one after the other (`PROD_ID DEV_ID PROD_SECRET DEV_SECRET`), are paired in that order, and so are as many
secrets as ids behind them. Whether two really belong together only their provider knows: what stands in one match with
its part, and between no others, is taken for sure; for all else `near` has the parts that it may belong to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from ..model import MOST_RIVALS, Detector, Match, part_fact

_LOOKS = 16
"""Parts around a secret that are looked at for its rivals: one id can stand in each line of a file."""


def pair(matches: list[Match], detectors: Mapping[str, Detector]) -> list[Match]:
    """Give each secret that has parts one match of each, as a fact, and take paired parts out of the list.

    `matches` are in order of their start. The fact's name is what the part's id ends with (`aws-access-key-id` gives
    `access_key_id`). What is known of the part (the account in a key's id) is known of the secret, too. Parts that
    never stand alone (`part_only`) go in any case.
    """
    rows: dict[str, _Row] = {}
    secrets: dict[tuple[str, str], list[int]] = {}
    for place, match in enumerate(matches):
        rows.setdefault(match.detector, _Row(matches)).add(place)
        for wanted in detectors[match.detector].parts:
            secrets.setdefault((wanted, detectors[match.detector].kind), []).append(place)
    orders = {
        (wanted, kind): _Order(matches, rows[wanted], its, [detectors[matches[one].detector] for one in its])
        for (wanted, kind), its in secrets.items()
        if wanted in rows
    }
    used: set[int] = set()
    out: list[Match] = []
    for place, match in enumerate(matches):
        detector = detectors[match.detector]
        facts, near = list(match.facts), list[tuple[str, str]]()
        for wanted in detector.parts:
            if wanted not in rows:
                continue
            name, order = part_fact(wanted), orders[wanted, detector.kind]
            whole, own = name in detector.pattern.groupindex, dict(match.facts).get(name, "")
            chosen = -1 if own else order.part_of(place, detector.part_distance, looks_back=whole)
            value = own or (_value(matches[chosen]) if chosen >= 0 else "")
            others = list(rows[wanted].rivals(match, value, detector.part_distance)) if value else []
            if chosen >= 0:
                used.add(chosen)
                facts.append((name, value))
                known = {fact for fact, _ in facts}
                facts += [fact for fact in matches[chosen].facts if fact[0] not in known]
            if value and not (whole and (place in order.sure or (own and not others))):
                near += [(name, one) for one in (value, *others)]
        out.append(replace(match, facts=tuple(dict.fromkeys(facts)), near=tuple(near)))
    return [m for place, m in enumerate(out) if place not in used and not detectors[m.detector].part_only]


class _Row:
    """The matches of one detector by their start, with the one that reaches furthest up to each."""

    def __init__(self, matches: Sequence[Match]) -> None:
        self._matches = matches
        self._starts: list[int] = []
        self.places: list[int] = []
        self._furthest: list[tuple[int, int]] = []

    def add(self, place: int) -> None:
        span = self._matches[place].span
        self._starts.append(span.start)
        self.places.append(place)
        best = self._furthest[-1] if self._furthest else (-1, -1)
        self._furthest.append((span.end, place) if span.end > best[0] else best)

    def nearest(self, match: Match, *, looks_back: bool = False) -> tuple[int, int]:
        """(distance, place) of the nearest one to a match: the first behind it, or the one before that reaches it,
        which it is in any case where there is one and the match `looks_back`."""
        at = bisect_left(self._starts, match.span.start)
        places = [self._furthest[at - 1][1]] if at else []
        if not (places and looks_back):
            places += self.places[at : at + 1]
        return min((_distance(match, self._matches[place]), place) for place in places)

    def rivals(self, match: Match, value: str, most: int) -> Iterator[str]:
        """Other values than this one within a distance of a match, the nearest first."""
        right = bisect_left(self._starts, match.span.start)
        around = self.places[max(0, right - _LOOKS) : right + _LOOKS]
        by_distance = sorted((_distance(match, self._matches[place]), place) for place in around)
        values = dict.fromkeys(_value(self._matches[place]) for distance, place in by_distance if distance <= most)
        yield from [one for one in values if one != value][:MOST_RIVALS]


class _Order:
    """The secrets of one kind in a blob among the parts that they have: runs of both, each within reach of the last.

    `sure` are the secrets of runs in which one part and one secret take turns, a part first.
    """

    def __init__(
        self, matches: Sequence[Match], row: _Row, secrets: Sequence[int], detectors: Sequence[Detector]
    ) -> None:
        self._matches, self._row = matches, row
        self._placed: dict[int, int] = {}
        self.sure: set[int] = set()
        reach = max(detector.part_distance for detector in detectors)
        parts = set(row.places)
        for run in _runs(matches, sorted({*row.places, *secrets}), reach):
            groups = [(is_part, list(its)) for is_part, its in groupby(run, parts.__contains__)]
            for is_part, its in groups:
                if is_part:  # an id that is said twice is one
                    its[:] = [one for one, then in zip(its, [*its[1:], -1], strict=True) if not self._same(one, then)]
            if groups[0][0] and all(len(its) == 1 for _, its in groups):
                self.sure.update(its[0] for is_part, its in groups if not is_part)
            self._place(groups)

    def part_of(self, secret: int, most: int, *, looks_back: bool) -> int:
        """The place of a secret's part; -1 where none is near enough. With `looks_back` the part stands before it."""
        match, chosen = self._matches[secret], self._placed.get(secret, -1)
        if chosen >= 0 and _distance(match, self._matches[chosen]) <= most:
            return chosen
        distance, nearest = self._row.nearest(match, looks_back=looks_back)
        if distance > most:
            distance, nearest = self._row.nearest(match)
        return nearest if distance <= most else -1

    def _place(self, groups: list[tuple[bool, list[int]]]) -> None:
        """Pair in order what follows each other in equal number, unless each secret has a nearest part of its own."""
        secrets = [one for is_part, its in groups if not is_part for one in its]
        nearest = {one: self._row.nearest(self._matches[one])[1] for one in secrets}
        if len(set(nearest.values())) == len(secrets):
            if sum(map(len, (its for _, its in groups))) == 2 * len(secrets):
                self._placed.update(nearest)
            return
        if not groups[0][0] and not groups[-1][0]:  # the first secrets have no parts before them, the last none behind
            groups = groups[1:]
        for (first, some), (_, others) in zip(groups[::2], groups[1::2], strict=False):
            if len(some) == len(others):
                parts, its = (some, others) if first else (others, some)
                self._placed.update(zip(its, parts, strict=True))

    def _same(self, one: int, then: int) -> bool:
        return then >= 0 and self._matches[one].secret == self._matches[then].secret


def _runs(matches: Sequence[Match], places: Sequence[int], reach: int) -> Iterator[list[int]]:
    run: list[int] = []
    end = 0
    for place in places:
        span = matches[place].span
        if run and span.start - end > reach:
            yield run
            run = []
        run.append(place)
        end = max(end, span.end)
    if run:
        yield run


def _value(match: Match) -> str:
    return match.secret.reveal().decode("utf-8", "replace")


def _distance(one: Match, other: Match) -> int:
    return max(one.span.start - other.span.end, other.span.start - one.span.end, 0)
