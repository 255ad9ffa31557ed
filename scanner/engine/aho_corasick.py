"""The Aho-Corasick matcher: one automaton over the keywords of all detectors. Works everywhere, starts at once.

pyahocorasick takes `str` only and works on a copy of four bytes a character: it is fed at most 1 MiB at a time,
lowered as bytes (`str.lower` would change 30 letters above ASCII) and decoded as Latin-1, so that offsets stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import ahocorasick

from ..model import Detector
from .confirm import anywhere
from .views import TRIGGERS

CHUNK = 1 << 20
_FREQUENT = b" etaoinsrlcdpum_fh.g,\"=0b-(1vy2/k:'w3x4#$5q6789j@z{+"
"""What stands in source code, most frequent first."""


class AhoCorasick:
    """Hints at the place of each keyword."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.windows = [anywhere(d) for d in detectors]
        users: dict[bytes, list[int]] = {}
        for index, keywords in enumerate([d.keywords for d in detectors] + [t.keywords for t in TRIGGERS]):
            for keyword in keywords:
                users.setdefault(keyword, []).append(index)
        self._automaton = ahocorasick.Automaton()
        # A node's edges are looked through in the order in which they came: frequent letters first is a fifth faster.
        for keyword, indexes in sorted(users.items(), key=lambda user: [_FREQUENT.find(c) % 256 for c in user[0]]):
            self._automaton.add_word(keyword.decode("latin-1"), (len(keyword), tuple(indexes)))
        self._longest = max(map(len, users), default=0)
        self.reach = max(self._longest, 1)
        if users:
            self._automaton.make_automaton()

    def hints(self, buffer: bytes) -> Iterator[tuple[int, int]]:
        """(index, offset of the keyword) for every keyword of every detector and trigger."""
        if not self._longest:
            return
        step = CHUNK - self._longest
        for begin in range(0, max(len(buffer), 1), step):
            chunk = buffer[begin : begin + CHUNK] if begin or len(buffer) > CHUNK else buffer
            for end, (length, indexes) in self._automaton.iter(chunk.lower().decode("latin-1")):
                offset = begin + end - length + 1
                for index in indexes:
                    yield index, offset
