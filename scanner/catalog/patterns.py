"""What a pattern costs and whether it may be used: widths, fixed prefix, delimiters, backtracking.

Works on the parse tree of the standard library's `re` (module `re._parser`), whose own `getwidth` leaves look-ahead
out. A pattern is used as `match(buffer, start)` at each start, inside windows of bounded width: so it must be bounded,
must not take longer than linear time, and must fix both ends of a secret of variable length.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

UNBOUNDED = 1 << 20
BACKTRACK_LIMIT = 200_000
"""The most ways in which a pattern may divide one text among its repeats; sound patterns stay far below."""

REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
LOOKS = (sre.AT, sre.ASSERT, sre.ASSERT_NOT)
"""Nodes that take no byte themselves."""
EVERY_BYTE = frozenset(range(256))
_CATEGORIES: dict[Any, frozenset[int]] = {
    category: frozenset(b for b in range(256) if re.match(text, bytes([b])))
    for category, text in (
        (sre.CATEGORY_DIGIT, rb"\d"),
        (sre.CATEGORY_NOT_DIGIT, rb"\D"),
        (sre.CATEGORY_SPACE, rb"\s"),
        (sre.CATEGORY_NOT_SPACE, rb"\S"),
        (sre.CATEGORY_WORD, rb"\w"),
        (sre.CATEGORY_NOT_WORD, rb"\W"),
    )
}

Node = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """Widths in bytes, the literal that every secret begins with, and the bound on backtracking."""

    least: int
    width: int
    behind: int
    ahead: int
    prefix: bytes
    backtracking: int


@functools.lru_cache(maxsize=1)
def parsed(pattern: bytes) -> Any:
    """The parse tree of a pattern: it is measured first, and made into an expression then. re.error for a wrong one."""
    return sre_parser.parse(pattern)


def shape(pattern: bytes) -> Shape:
    """Measure a pattern; raise ValueError, saying what is allowed, for one that may not be used."""
    if b"{," in pattern:
        raise ValueError("write {0,n} for {,n}: the second is a quantifier to Python and literal text to Hyperscan")
    tree = parsed(pattern)
    flags, groups = tree.state.flags, tree.state.groupdict
    if flags & re.VERBOSE:
        raise ValueError("the flag (?x) is not allowed")
    if "secret" not in groups:
        raise ValueError("the pattern needs a group (?P<secret>…)")
    ignore_case = bool(flags & re.IGNORECASE)
    least, width = tree.getwidth()
    if width >= UNBOUNDED:
        raise ValueError("every repeat must be bounded: write {0,n} for * and {1,n} for +")
    if least == 0:
        raise ValueError("the pattern matches the empty string")
    behind, ahead = _looks(tree)
    items = list(tree)
    secret = _group(items, groups["secret"])
    if secret is None:
        raise ValueError("the group (?P<secret>…) must not stand inside a look-around or a repeat")
    low, high = width_of(secret)
    if low != high:
        _require_delimiters(items, groups["secret"])
    ways = _ways(items, EVERY_BYTE, ignore_case=ignore_case)
    if ways > BACKTRACK_LIMIT:
        raise ValueError(
            f"the pattern can divide a text in {ways:,} ways (at most {BACKTRACK_LIMIT:,}): let what follows a repeat "
            "begin with a character that the repeat does not take, or bound it closer"
        )
    return Shape(least, width, behind, ahead, _prefix(secret, ignore_case=ignore_case), ways)


def children(node: Node) -> list[list[Node]]:
    """The sub-patterns of a node, look-around included."""
    op, av = node
    if op is sre.SUBPATTERN:
        return [list(av[3])]
    if op in REPEATS:
        return [list(av[2])]
    if op is sre.BRANCH:
        return [list(b) for b in av[1]]
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return [list(av[1])]
    if op is sre.ATOMIC_GROUP:
        return [list(av)]
    if op is sre.GROUPREF_EXISTS:
        return [list(b) for b in av[1:] if b is not None]
    return []


def ignores_case(group: Any, *, outside: bool) -> bool:
    """Whether letter case counts for nothing inside a group, whose own flags come before those outside of it."""
    _, added, removed, _ = group
    return (outside or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE


def width_of(items: list[Node]) -> tuple[int, int]:
    """The least and the greatest number of bytes that a sequence takes, look-around left out."""
    state = sre_parser.State()
    low, high = sre_parser.SubPattern(state, items).getwidth()
    return int(low), int(high)


def _looks(items: Any) -> tuple[int, int]:
    """The widest look-behind and look-ahead; an anchor or a word boundary looks one byte either way."""
    behind = ahead = 0
    for op, av in items:
        if op in (sre.GROUPREF, sre.GROUPREF_EXISTS):
            raise ValueError("a back-reference is not allowed: what it stands for depends on the match")
        if op is sre.AT:
            behind, ahead = max(behind, 1), max(ahead, 1)
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            inner = list(av[1])
            inner_behind, inner_ahead = _looks(inner)
            wide = width_of(inner)[1]
            if wide >= UNBOUNDED:
                raise ValueError("every repeat must be bounded, in a look-around too")
            if av[0] < 0:
                behind, ahead = max(behind, wide + inner_behind), max(ahead, inner_ahead)
            else:
                behind, ahead = max(behind, inner_behind), max(ahead, wide + inner_ahead)
        else:
            for child in children((op, av)):
                child_behind, child_ahead = _looks(child)
                behind, ahead = max(behind, child_behind), max(ahead, child_ahead)
    return behind, ahead


def _group(items: list[Node], number: int) -> list[Node] | None:
    """The content of a group that stands outside look-around and repeats."""
    for op, av in items:
        if op is sre.SUBPATTERN and av[0] == number:
            return list(av[3])
        if op in (sre.SUBPATTERN, sre.BRANCH, sre.ATOMIC_GROUP):
            for child in children((op, av)):
                found = _group(child, number)
                if found is not None:
                    return found
    return None


def _path(items: list[Node], number: int) -> list[tuple[list[Node], int]] | None:
    """The way down to a group: each level's items and the place taken among them."""
    for i, (op, av) in enumerate(items):
        if op is sre.SUBPATTERN and av[0] == number:
            return [(items, i)]
        if op in (sre.SUBPATTERN, sre.BRANCH, sre.ATOMIC_GROUP):
            for child in children((op, av)):
                below = _path(child, number)
                if below is not None:
                    return [(items, i), *below]
    return None


def _require_delimiters(items: list[Node], number: int) -> None:
    way = _path(items, number)
    assert way is not None
    if not any(level[i + 1 :] for level, i in way):
        raise ValueError("a secret of variable length needs an end: a delimiter or a look-ahead behind the group")
    secret = list(way[-1][0][way[-1][1]][1][3])
    starts_fixed = bool(secret) and secret[0][0] in (sre.LITERAL, sre.BRANCH, sre.ASSERT, sre.ASSERT_NOT, sre.AT)
    if not starts_fixed and not any(level[:i] for level, i in way):
        raise ValueError("a secret of variable length needs a beginning: a delimiter or a look-behind before the group")


def _prefix(items: list[Node], *, ignore_case: bool) -> bytes:
    out = bytearray()
    for op, av in items:
        if op is sre.LITERAL and not (ignore_case and bytes([av]).isalpha()):
            out.append(av)
        elif op is sre.SUBPATTERN:
            inner = _prefix(list(av[3]), ignore_case=ignore_case)
            out += inner
            if len(inner) != width_of(list(av[3]))[1]:
                break
        elif op in (sre.ASSERT, sre.ASSERT_NOT, sre.AT):
            continue
        else:
            break
    return bytes(out)


def bytes_of(op: Any, av: Any, *, ignore_case: bool) -> frozenset[int]:
    """The bytes that a one-byte node takes."""
    if op is sre.ANY:
        return EVERY_BYTE
    if op is sre.LITERAL:
        return _fold(frozenset({av})) if ignore_case else frozenset({av})
    if op is sre.NOT_LITERAL:
        return EVERY_BYTE - {av}
    taken: set[int] = set()
    negated = False
    for kind, value in av:
        if kind is sre.NEGATE:
            negated = True
        elif kind is sre.LITERAL:
            taken.add(value)
        elif kind is sre.RANGE:
            taken.update(range(value[0], value[1] + 1))
        elif kind is sre.CATEGORY:
            taken |= _CATEGORIES[value]
    found = _fold(frozenset(taken)) if ignore_case else frozenset(taken)
    return EVERY_BYTE - found if negated else found


def _fold(taken: frozenset[int]) -> frozenset[int]:
    text = bytes(sorted(taken))
    return frozenset(text.lower()) | frozenset(text.upper())


def _first(items: list[Node], after: frozenset[int], *, ignore_case: bool) -> frozenset[int]:
    """The bytes that a sequence can begin with; `after` is what can follow it."""
    found: set[int] = set()
    for op, av in items:
        if op in LOOKS:
            continue
        if op in (sre.ANY, sre.LITERAL, sre.NOT_LITERAL, sre.IN):
            return frozenset(found | bytes_of(op, av, ignore_case=ignore_case))
        low, _ = width_of([(op, av)])
        for child in children((op, av)):
            found |= _first(child, frozenset(), ignore_case=ignore_case)
        if low:
            return frozenset(found)
    return frozenset(found | after)


def _ways(items: list[Node], after: frozenset[int], *, ignore_case: bool, repeated: bool = False) -> int:
    """An upper bound on the ways in which a sequence can divide one text among its repeats.

    A repeat whose bytes cannot begin what follows it has one way only to end; otherwise it has as many as its bounds
    allow, and these multiply along the sequence. A repeat of repeats multiplies with itself, and so does a repeat of
    alternatives that can take the same text; outside of repeats, alternatives count as much as they do on average.
    """
    total = 1
    for i, (op, av) in enumerate(items):
        follow = _first(items[i + 1 :], after, ignore_case=ignore_case)
        if op in (sre.ATOMIC_GROUP, sre.POSSESSIVE_REPEAT):
            continue  # never given back
        if op in REPEATS:
            low, high, body = int(av[0]), int(av[1]), list(av[2])
            starts = _first(body, frozenset(), ignore_case=ignore_case)
            inner = _ways(body, starts | follow, ignore_case=ignore_case, repeated=repeated or high > 1)
            choices = 1 if high == low or not (starts & follow) else high - low + 1
            total *= choices * min(inner ** min(high, 12), 10**12)
        elif op is sre.BRANCH:
            branches = [list(b) for b in av[1]]
            ways = [_ways(b, follow, ignore_case=ignore_case, repeated=repeated) for b in branches]
            total *= _together(ways, branches, ignore_case=ignore_case) if repeated else max(sum(ways) // len(ways), 1)
        elif op is sre.SUBPATTERN:
            total *= _ways(children((op, av))[0], follow, ignore_case=ignore_case, repeated=repeated)
        if total > 10**15:
            return 10**15
    return total


def _together(ways: list[int], branches: list[list[Node]], *, ignore_case: bool) -> int:
    """The most ways of alternatives that can take the same text, added up."""
    leads = [_lead(branch, ignore_case=ignore_case)[0] for branch in branches]
    return max(sum(w for w, other in zip(ways, leads, strict=True) if _meet(lead, other)) for lead in leads)


def _meet(one: list[frozenset[int]], other: list[frozenset[int]]) -> bool:
    return all(a & b for a, b in zip(one, other, strict=False))


def _lead(items: list[Node], *, ignore_case: bool) -> tuple[list[frozenset[int]], bool]:
    """The bytes that a sequence takes at its first places, as far as these are fixed; and whether that is all of it."""
    out: list[frozenset[int]] = []
    for op, av in items:
        if op in LOOKS:
            continue
        if op in (sre.ANY, sre.LITERAL, sre.NOT_LITERAL, sre.IN):
            out.append(bytes_of(op, av, ignore_case=ignore_case))
            continue
        times, whole = 1, False
        if op in REPEATS:
            times, whole = min(int(av[0]), 64), av[0] == av[1] <= 64
        elif op in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
            whole = True
        below = children((op, av)) if times and op is not sre.BRANCH else []
        inner, fixed = _lead(below[0], ignore_case=ignore_case) if below else ([], False)
        out += inner * (times if fixed else 1)
        if not (whole and fixed):
            return out, False
    return out, True
