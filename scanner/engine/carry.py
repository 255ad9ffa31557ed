"""What of a search holds for a text that was made from the one searched: where, and how far it has moved.

All that a match tells, but its place, follows from the lines around it, from the hints whose detectors took something,
and from what is masked on these lines. The stretches in which all of that stands are the clusters of a search: where
each was copied in one piece, and nothing else was taken, the matches are the same.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..model import LIVE, QUIET, Excerpt, KnownHint, Match, Span
from .excerpt import around, in_comment

Stretch = tuple[int, int]


def clusters(
    content: bytes,
    matches: Sequence[Match],
    hints: Sequence[KnownHint],
    reach: tuple[array[int], array[int]],
    *,
    together: bool,
) -> list[Stretch]:
    """The clusters of a search, in order and apart from each other; one for all where matches are told `together`.
    One from -1, or to one more than there is, must be where the text begins or ends.

    `reach` says for each index how many bytes before a hint, and from it on, decide what is taken there.
    """
    shown = [around(content, match.span.start, match.span.end) for match in matches]
    before, behind = reach

    def decide(state: int) -> Iterator[Stretch]:
        for index, offset, known in hints:
            if known == state:
                yield max(-1, offset - before[index]), min(len(content) + 1, offset + behind[index])

    starts = _merged(shown)
    masked = (s for s in decide(QUIET) if any(low < s[1] and s[0] < high for low, high in starts))
    merged = _merged([*shown, *decide(LIVE), *masked])
    return [(merged[0][0], merged[-1][1])] if together and merged else merged


def cluster_of(span: Span, stretches: Sequence[Stretch]) -> int:
    """The place of the cluster in which a match stands."""
    return bisect_right(stretches, span.start, key=lambda stretch: stretch[0]) - 1


def moved(content: bytes, span: Span, excerpt: Excerpt, by: int) -> tuple[Span, Excerpt]:
    """A match's place and its line in a text into which they were copied, so many bytes further on."""
    start = span.start + by
    line = content.count(b"\n", 0, start) + 1
    if by or line != span.line:
        end_line = line + span.end_line - span.line
        span = Span(start, span.end + by, line, span.column, end_line, span.end_column, span.wide)
    comment = in_comment(content, start, span.end)
    return span, excerpt if comment == excerpt.comment else replace(excerpt, comment=comment)


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    out: list[Stretch] = []
    for low, high in sorted(stretches):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out
