"""What the vectorised matcher is given of a pattern: an expression that matches inside every match of the pattern.

Hyperscan reads patterns differently from `re` in places (classes, `$`, `{,n}`, NUL), reports every end of a greedy
match, and is slow where an expression begins with a long run of some class. So it is given a text made from the parse
tree instead: bytes and explicit sets of bytes only, look-around left out, without what stands before the first rare
part, and cut where it is long enough to be rare. Such an expression may match where the pattern does not, never the
other way round, and it ends inside the pattern's match: `tests/engine/test_vectorised.py` proves both.

Hyperscan looks for one set of literals of each expression, and prefers what all alternatives share: of names that end
in `key` it looks for `key`, which stands everywhere. So each alternative is an expression of its own, on its own line.

Syntax: https://intel.github.io/hyperscan/dev-reference/compilation.html#pattern-support
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from re import _constants as sre  # type: ignore[attr-defined]

from .patterns import LOOKS, REPEATS, Node, bytes_of, ignores_case, parsed

LONG_ENOUGH = 64
"""Bytes of a match that are looked at; what lies behind them seldom tells more."""
MOST = 256
"""Bytes that an expression takes at most: in a new version of a file, so much around each change is looked at again."""
FEW = 8
"""A set of so many bytes is still near to a literal: letters in two cases, the first letters of a few words."""
RARE = 2
"""Bytes of a literal that an expression needs to be quick."""
LONG = 8
"""Bytes of a literal that is worth passing over one of two: Hyperscan looks at so many."""
APART = 16
"""Alternatives at the beginning of a pattern that become expressions of their own at most."""
TELLING = 4
"""Bytes of a literal that an expression should have where the pattern has them, so that it is not everywhere."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Lines in Hyperscan's syntax, and how many bytes lie between the beginning of the pattern's match and their ends;
    `width` is how many bytes a line takes itself.

    One of the lines matches inside every match of the pattern. The text is empty where it holds no literal to begin at.
    """

    text: str = ""
    least: int = 0
    most: int = 0
    width: int = 0


def expression(pattern: str) -> Expression:
    """The expression for a pattern."""
    tree = parsed(pattern.encode("ascii"))
    items, before = _from_first_rare(_plain(list(tree), ignore_case=bool(tree.state.flags & re.IGNORECASE)))
    kept = [
        _cut(_narrow(_cut(part, LONG_ENOUGH, last=True)[0], MOST), LONG_ENOUGH, last=True)[0] for part in _apart(items)
    ]
    if min(_literal(part)[0] for part in kept) < RARE:
        return Expression()
    widths = [_width(part) for part in kept]
    low, high = min(width[0] for width in widths), max(width[1] for width in widths)
    return Expression("\n".join(dict.fromkeys(map(_text, kept))), before[0] + low, before[1] + high, high)


# --- a pattern in its simplest form -----------------------------------------------------------------------------------


_Literal = tuple[int, int, int, bool]
"""What `_literal` tells of a sequence."""


@dataclass(frozen=True, slots=True)
class _One:
    """One byte out of a set."""

    taken: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Either:
    """One of some sequences."""

    branches: tuple[_Items, ...]
    size: tuple[int, int] = field(init=False, compare=False, repr=False)
    literal: _Literal = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        widths = [_width(b) for b in self.branches]
        object.__setattr__(self, "size", (min(w[0] for w in widths), max(w[1] for w in widths)))
        found = [_literal(b) for b in self.branches]
        longest, head, tail = (min(f[part] for f in found) for part in range(3))
        object.__setattr__(self, "literal", (longest, head, tail, all(f[3] for f in found)))


@dataclass(frozen=True, slots=True)
class _Repeat:
    """A sequence, `low` to `high` times."""

    low: int
    high: int
    body: _Items
    size: tuple[int, int] = field(init=False, compare=False, repr=False)
    literal: _Literal = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        low, high = _width(self.body)
        object.__setattr__(self, "size", (self.low * low, self.high * high))
        longest, head, tail, _ = _literal(self.body) if self.low else (0, 0, 0, False)
        object.__setattr__(self, "literal", (longest, head, tail, False))


_Items = Sequence[_One | _Either | _Repeat]


def _plain(nodes: list[Node], *, ignore_case: bool) -> list[_One | _Either | _Repeat]:
    """A sequence of the parse tree without look-around, with its groups opened."""
    out: list[_One | _Either | _Repeat] = []
    for op, av in nodes:
        if op in LOOKS:
            continue
        if op is sre.SUBPATTERN:
            out += _plain(list(av[3]), ignore_case=ignores_case(av, outside=ignore_case))
        elif op is sre.ATOMIC_GROUP:
            out += _plain(list(av), ignore_case=ignore_case)
        elif op is sre.BRANCH:
            out.append(_Either(tuple(_plain(list(b), ignore_case=ignore_case) for b in av[1])))
        elif op in REPEATS:
            body = _plain(list(av[2]), ignore_case=ignore_case)
            if body and av[1]:
                out.append(_Repeat(int(av[0]), int(av[1]), body))
        else:  # one byte: the loader refuses what else there is
            out.append(_One(bytes_of(op, av, ignore_case=ignore_case)))
    return out


def _width(items: _Items) -> tuple[int, int]:
    """The least and the greatest number of bytes of a sequence."""
    low = high = 0
    for item in items:
        least, most = item.size if not isinstance(item, _One) else (1, 1)
        low, high = low + least, high + most
    return low, high


# --- its beginning ----------------------------------------------------------------------------------------------------


def _from_first_rare(items: _Items) -> tuple[_Items, tuple[int, int]]:
    """A sequence without what a quick expression should not begin with, in alternatives each; and that part's width."""
    at = next((n for n, item in enumerate(items) if not _is_common(item)), len(items))
    if _literal(items[at:])[1] < RARE:
        at = next((n for n in range(at, len(items)) if _literal(items[n:])[1] >= RARE), at)
    elif _is_short(items[at:]):
        at = next((n for n in range(at, len(items)) if _literal(items[n:])[1] >= LONG), at)
    if _literal(_narrow(items[at:], MOST))[0] < TELLING <= _literal(items[at:])[0]:
        at = next((n for n in range(at + 1, len(items)) if _tells(items[n:])), at)
    low, high = _width(items[:at])
    items = items[at:]
    if items and isinstance(items[0], _Either):
        shorter = [_from_first_rare(branch) for branch in items[0].branches]
        if all(branch for branch, _ in shorter):
            low += min(width[0] for _, width in shorter)
            high += max(width[1] for _, width in shorter)
            items = [_Either(tuple(branch for branch, _ in shorter)), *items[1:]]
    return items, (low, high)


def _is_short(items: _Items) -> bool:
    """Whether a sequence begins with a literal of two bytes and no alternatives."""
    return _literal(items)[1] == RARE and not any(isinstance(item, _Either) for item in items[: RARE + 1])


def _tells(items: _Items) -> bool:
    """Whether an expression could begin here, and would say enough without growing too wide."""
    return _literal(items)[1] >= RARE and _literal(_narrow(items, MOST))[0] >= TELLING


def _is_common(item: _One | _Either | _Repeat) -> bool:
    """Whether an expression that begins with this would be slow: it may be empty, or is a run of many bytes."""
    if _width([item])[0] == 0:
        return True
    inner = item.body[0] if isinstance(item, _Repeat) and len(item.body) == 1 else item
    return isinstance(inner, _One) and len(inner.taken) > FEW


def _apart(items: _Items) -> list[_Items]:
    """A sequence as its alternatives, as long as these stand at its beginning and are not too many."""
    parts = [items]
    while True:
        opened = [branch for part in parts for branch in _opened(part)]
        if not len(parts) < len(opened) <= APART:
            return parts
        parts = opened


def _opened(items: _Items) -> list[_Items]:
    """The sequences that its first alternatives make of one, if nothing but single bytes stands before them."""
    at = next((n for n, item in enumerate(items) if not isinstance(item, _One) or _is_choice(item, n)), len(items))
    first = items[at] if at < len(items) else None
    match first:
        case _Either(branches):
            return [[*items[:at], *branch, *items[at + 1 :]] for branch in branches]
        case _One(taken):
            return [[*items[:at], _One(one), *items[at + 1 :]] for one in _letters(taken)]
        case _:
            return [items]


def _is_choice(item: _One, place: int) -> bool:
    """Whether a set stands so near to the beginning that what is before it is no literal that is rare enough."""
    return place <= RARE and 1 < len(_letters(item.taken)) <= FEW


def _letters(taken: frozenset[int]) -> list[frozenset[int]]:
    """A set of bytes as the sets that differ in nothing but the case of a letter."""
    by_letter: dict[bytes, set[int]] = {}
    for byte in sorted(taken):
        by_letter.setdefault(bytes([byte]).lower(), set()).add(byte)
    return [frozenset(same) for same in by_letter.values()]


_ONE: tuple[_Literal, _Literal] = ((0, 0, 0, False), (1, 1, 1, True))


def _literal(items: _Items) -> _Literal:
    """Of the literal that every match has at least: its length, how much of one stands at the beginning and at the end
    of the sequence, and whether the sequence is nothing else."""
    longest = head = tail = 0
    only = True
    for item in items:
        inner, before, after, whole = _ONE[len(item.taken) <= FEW] if isinstance(item, _One) else item.literal
        longest = max(longest, inner, tail + before)
        head += before if only else 0
        tail = tail + after if whole else after
        only = only and whole
    return longest, head, tail, only


# --- its end ----------------------------------------------------------------------------------------------------------


def _cut(items: _Items, room: int, *, last: bool) -> tuple[_Items, int]:
    """The beginning of a sequence, up to where its least match has used up the room; and the room that is left.

    `last` says that nothing follows: there, a repeat is as short as it can be, so that it ends in one place.
    """
    if last:
        items = items[: max((n + 1 for n in range(len(items)) if _width(items[n : n + 1])[0]), default=0)]
    out: list[_One | _Either | _Repeat] = []
    for place, item in enumerate(items):
        if room <= 0:
            break
        one, room = _cut_one(item, room, last=last and place == len(items) - 1)
        out.append(one)
    return out, room


def _cut_one(item: _One | _Either | _Repeat, room: int, *, last: bool) -> tuple[_One | _Either | _Repeat, int]:
    match item:
        case _One():
            return item, room - 1
        case _Either(branches):
            cut = [_cut(branch, room, last=last) for branch in branches]
            left = min(room for _, room in cut)
            return _Either(tuple(branch for branch, _ in cut)), left if left <= 0 else max(room for _, room in cut)
        case _Repeat(low, high, body):
            each = max(_width(body)[0], 1)
            if low * each >= room:  # so many are enough, and nothing follows them
                enough = -(-room // each)
                return _Repeat(enough, enough, body), 0
            return _Repeat(low, low if last else high, body), room - low * each


def _narrow(items: _Items, room: int) -> list[_One | _Either | _Repeat]:
    """The beginning of a sequence that takes no more bytes than there is room for; within the item that has none, as
    much of it as every match has."""
    out: list[_One | _Either | _Repeat] = []
    for item in items:
        widest = _width([item])[1]
        if widest > room:
            match item:
                case _Either(branches):
                    out.append(_Either(tuple(_narrow(branch, room) for branch in branches)))
                case _Repeat(low, _, body) if low:
                    times = min(low, room // _width(body)[1])
                    out += [_Repeat(times, times, body)] if times else _narrow(body, room)
            break
        out.append(item)
        room -= widest
    return out


# --- as text ----------------------------------------------------------------------------------------------------------


def _text(items: _Items) -> str:
    return "".join(map(_text_of, items))


def _text_of(item: _One | _Either | _Repeat) -> str:
    match item:
        case _One(taken):
            return _set(taken)
        case _Either(branches):
            return "(?:" + "|".join(map(_text, branches)) + ")"
        case _Repeat(low, high, body):
            one = _text(body) if len(body) == 1 and isinstance(body[0], _One) else f"(?:{_text(body)})"
            return one + (f"{{{low}}}" if low == high else f"{{{low},{high}}}")


@functools.lru_cache(maxsize=4096)
def _set(taken: frozenset[int]) -> str:
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
