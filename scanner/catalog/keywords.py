"""Whether one of a detector's keywords stands in every match of its pattern: a match without one would have no hint.

A walk through the parse tree, with the keywords' Aho-Corasick automaton beside it (small letters, as the matcher
reads). It begins in the automaton's first state and keeps each state to which a text can lead that holds no whole
keyword, with one such text. What is left behind the pattern's end is a match without a keyword. Negative look-around is
passed over, which can only add texts; of positive look-around counts what stands before the first byte and behind the
last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from typing import Any

from .patterns import LOOKS, REPEATS, Node, bytes_of, children, ignores_case, parsed

_States = dict[bytes, bytes]
"""States of the automaton, each the longest beginning of a keyword that a text ends with; and such a text."""


def without_keyword(pattern: str, keywords: Sequence[str]) -> bytes | None:
    """A text in small letters that the pattern may take, look-around and all, and no keyword stands in; or None."""
    tree = parsed(pattern.encode("ascii"))
    walk = _Walk([keyword.encode("ascii") for keyword in keywords])
    ignore_case = bool(tree.state.flags & re.IGNORECASE)
    left = walk.through(list(tree), {b"": b""}, ignore_case=ignore_case, first=True, last=True)
    return min(left.values(), key=len, default=None)


class _Walk:
    """The automaton of some keywords, taken through parse trees."""

    def __init__(self, keywords: Sequence[bytes]) -> None:
        self._keywords = keywords
        self._beginnings = {keyword[:length] for keyword in keywords for length in range(len(keyword))}
        self._steps: dict[tuple[bytes, int], bytes | None] = {}

    def through(self, items: list[Node], states: _States, *, ignore_case: bool, first: bool, last: bool) -> _States:
        """The states behind a sequence; `first` and `last` say that no byte is taken before it and behind it."""
        for place, node in enumerate(items):
            opens = first and not any(map(_takes, items[:place]))
            closes = last and not any(map(_takes, items[place + 1 :]))
            if _takes(node) or (node[0] is sre.ASSERT and (opens if node[1][0] < 0 else closes)):
                states = self._behind(*node, states, ignore_case=ignore_case, first=opens, last=closes)
        return states

    def _behind(self, op: Any, av: Any, states: _States, *, ignore_case: bool, first: bool, last: bool) -> _States:
        """The states behind a node that takes bytes, or looks at such as no other takes."""
        if op is sre.SUBPATTERN:
            ignore_case = ignores_case(av, outside=ignore_case)
        if op in REPEATS:
            return self._repeated(list(av[2]), states, int(av[0]), int(av[1]), ignore_case=ignore_case)
        if inner := children((op, av)):
            return _shortest(self.through(i, states, ignore_case=ignore_case, first=first, last=last) for i in inner)
        found: _States = {}
        for byte in sorted(set(bytes(bytes_of(op, av, ignore_case=ignore_case)).lower())):
            for state, text in states.items():
                after = self._step(state, byte)
                if after is not None:
                    found.setdefault(after, text + bytes([byte]))
        return found

    def _repeated(self, body: list[Node], states: _States, low: int, high: int, *, ignore_case: bool) -> _States:
        found: list[_States] = []
        known: set[bytes] = set()
        for times in range(high + 1):
            if times >= low:
                if states.keys() <= known:  # where these lead to is known, too
                    break
                known |= states.keys()
                found.append(states)
            states = self.through(body, states, ignore_case=ignore_case, first=False, last=False)
        return _shortest(found)

    def _step(self, state: bytes, byte: int) -> bytes | None:
        """The state behind a byte; None where the byte ends a keyword."""
        key = (state, byte)
        if key not in self._steps:
            text = state + bytes([byte])
            ended = text.endswith(tuple(self._keywords))
            tails = (text[at:] for at in range(len(text) + 1))
            self._steps[key] = None if ended else next(tail for tail in tails if tail in self._beginnings)
        return self._steps[key]


def _takes(node: Node) -> bool:
    """Whether a node takes bytes itself."""
    return node[0] not in LOOKS


def _shortest(found: Iterable[_States]) -> _States:
    """All states of several, the shortest text of each."""
    out: _States = {}
    for states in found:
        for state, text in states.items():
            if state not in out or len(text) < len(out[state]):
                out[state] = text
    return out
