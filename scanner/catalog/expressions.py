"""What the vectorised matcher is given of a pattern: an expression that matches inside every match of the pattern.

Hyperscan reads patterns differently from `re` in places (classes, `$`, `{,n}`, NUL), reports every end of a greedy
match, and is slow where an expression begins with a long run of some class. So it is given a text made from the parse
tree instead: bytes and explicit sets of bytes only, look-around left out, without what stands before the first rare
part, and cut where it is long enough to be rare. Such an expression may match where the pattern does not, never the
other way round, and it ends inside the pattern's match: `tests/engine/test_vectorised.py` proves both.

Syntax: https://intel.github.io/hyperscan/dev-reference/compilation.html#pattern-support
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]

from .patterns import REPEATS, Node, bytes_of, width_of

LONG_ENOUGH = 64
"""Bytes of a match that are looked at; what lies behind them seldom tells more."""
FEW = 8
"""A set of so many bytes is still near to a literal: letters in two cases, the first letters of a few words."""
RARE = 2
"""Bytes of a literal that an expression needs to be quick."""

Item = tuple[Node, bool]
"""A node of the parse tree, and whether case is ignored there."""


def expression(pattern: str) -> str:
    """The expression for a pattern, in Hyperscan's syntax; empty where it holds no literal that it could begin at."""
    tree = sre_parser.parse(pattern.encode("ascii"))
    items = _plain(list(tree), ignore_case=bool(tree.state.flags & re.IGNORECASE))
    while items and _is_common(items[0]):
        items = items[1:]
    return _write(items, LONG_ENOUGH, last=True).text if _literal(items)[0] >= RARE else ""


def _plain(nodes: list[Node], *, ignore_case: bool) -> list[Item]:
    """A sequence without look-around and with its groups opened."""
    out: list[Item] = []
    for op, av in nodes:
        if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            continue
        if op is sre.SUBPATTERN:
            inner = (ignore_case or bool(av[1] & re.IGNORECASE)) and not av[2] & re.IGNORECASE
            out += _plain(list(av[3]), ignore_case=inner)
        elif op is sre.ATOMIC_GROUP:
            out += _plain(list(av), ignore_case=ignore_case)
        else:
            out.append(((op, av), ignore_case))
    return out


def _least(items: Iterable[Item]) -> int:
    return width_of([node for node, _ in items])[0]


def _is_common(item: Item) -> bool:
    """Whether an expression that begins with this would be slow: it may be empty, or is a run of many bytes."""
    (op, av), ignore_case = item
    if _least([item]) == 0:
        return True
    if op in REPEATS:
        inner = _plain(list(av[2]), ignore_case=ignore_case)
        return len(inner) == 1 and _taken(inner[0]) is not None and len(_taken(inner[0]) or ()) > FEW
    return False


def _taken(item: Item) -> frozenset[int] | None:
    """The bytes that an item of one byte takes; None for any other."""
    (op, av), ignore_case = item
    if op in (sre.ANY, sre.LITERAL, sre.NOT_LITERAL, sre.IN):
        return bytes_of(op, av, ignore_case=ignore_case)
    return None


def _literal(items: Iterable[Item]) -> tuple[int, int, int, bool]:
    """Of the literal that every match has at least: its length, how much of one stands at the beginning and at the end
    of the sequence, and whether the sequence is nothing else."""
    longest = head = tail = 0
    only = True
    for item in items:
        inner, before, after, whole = _literal_of(item)
        longest = max(longest, inner, tail + before)
        head += before if only else 0
        tail = tail + after if whole else after
        only = only and whole
    return longest, head, tail, only


def _literal_of(item: Item) -> tuple[int, int, int, bool]:
    (op, av), ignore_case = item
    taken = _taken(item)
    if taken is not None:
        few = len(taken) <= FEW
        return few, few, few, few
    if op is sre.BRANCH:
        branches = [_literal(_plain(list(b), ignore_case=ignore_case)) for b in av[1]]
        longest, head, tail = (min(b[part] for b in branches) for part in range(3))
        return longest, head, tail, all(b[3] for b in branches)
    if op in REPEATS and av[0]:
        longest, head, tail, _ = _literal(_plain(list(av[2]), ignore_case=ignore_case))
        return longest, head, tail, False
    return 0, 0, 0, False


@dataclass(frozen=True, slots=True)
class _Written:
    """An expression for the beginning of a sequence; `room` bytes of it might have been longer."""

    text: str
    room: int


def _write(items: list[Item], room: int, *, last: bool) -> _Written:
    """The text of a sequence, up to where its least match has used up the room; `last` says that nothing follows."""
    while last and items and _least(items[-1:]) == 0:
        items = items[:-1]
    out = []
    for place, item in enumerate(items):
        if room <= 0:
            break
        one = _write_one(item, room, last=last and place == len(items) - 1)
        out.append(one.text)
        room = one.room
    return _Written("".join(out), room)


def _write_one(item: Item, room: int, *, last: bool) -> _Written:
    (op, av), ignore_case = item
    taken = _taken(item)
    if taken is not None:
        return _Written(_set(taken), room - 1)
    if op is sre.BRANCH:
        branches = [_write(_plain(list(b), ignore_case=ignore_case), room, last=last) for b in av[1]]
        left = min(b.room for b in branches)
        text = "|".join(b.text for b in branches)
        return _Written(f"(?:{text})", left if left <= 0 else max(b.room for b in branches))
    assert op in REPEATS, op  # the loader refuses what is left
    inner = _plain(list(av[2]), ignore_case=ignore_case)
    whole = _write(inner, 1 << 30, last=False).text
    low, high, each = int(av[0]), int(av[1]), max(_least(inner), 1)
    if low * each >= room:  # so many are enough, and nothing follows them
        return _Written(f"(?:{whole}){{{-(-room // each)}}}", 0)
    text = f"(?:{whole}){{{low}}}" if last or low == high else f"(?:{whole}){{{low},{high}}}"
    return _Written(text if whole and high else "", room - low * each)


def _set(taken: Iterable[int]) -> str:
    """A set of bytes: one byte as `\\xHH`, more as ranges in brackets."""
    ranges: list[list[int]] = []
    for byte in sorted(taken):
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1][1] = byte
        else:
            ranges.append([byte, byte])
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return f"\\x{ranges[0][0]:02x}"
    return "[" + "".join(f"\\x{a:02x}" + (f"-\\x{b:02x}" if b > a else "") for a, b in ranges) + "]"
