"""Lines and columns of places in a piece, from a table that is made when the first place is asked for."""

from __future__ import annotations

from ..model import Piece, Span

BLOCK = 4096
LONGEST = 1 << 14
"""Bytes of a line before a place that are looked at to tell its column in UTF-16."""


class Lines:
    """The lines of a piece: newlines before each block of it, and where the last of these stands."""

    def __init__(self, piece: Piece, *, before: int, line_start: int) -> None:
        """`before` newlines stand before the piece; the line that it begins in began at `line_start` of the blob."""
        self._content, self._offset = piece.content, piece.offset
        self._before, self._line_start = before, line_start
        self._table: list[tuple[int, int]] = []

    def span(self, start: int, end: int) -> Span:
        """A span of the piece as one of the blob."""
        line, column = self._position(start)
        end_line, end_column = self._position(end)
        wide = (self._surplus(start, column), self._surplus(end, end_column))
        return Span(self._offset + start, self._offset + end, line, column, end_line, end_column, wide)

    def _position(self, at: int) -> tuple[int, int]:
        if not self._table:
            self._table = self._count()
        newlines, last = self._table[at // BLOCK]
        begin = at - at % BLOCK
        newlines += self._content.count(b"\n", begin, at)
        last = max(last, self._content.rfind(b"\n", begin, at))
        column = at - last if last >= 0 else self._offset + at - self._line_start + 1
        return self._before + newlines + 1, column

    def _count(self) -> list[tuple[int, int]]:
        newlines, last = 0, -1
        table = [(0, -1)]
        for begin in range(0, len(self._content), BLOCK):
            newlines += self._content.count(b"\n", begin, begin + BLOCK)
            last = max(last, self._content.rfind(b"\n", begin, begin + BLOCK))
            table.append((newlines, last))
        return table

    def _surplus(self, at: int, column: int) -> int:
        """How many bytes more than UTF-16 code units stand in the line before a place; 0 where it is not UTF-8."""
        head = self._content[max(0, at - min(column - 1, LONGEST)) : at]
        if head.isascii():
            return 0
        try:
            return len(head) - len(head.decode("utf-8").encode("utf-16-le")) // 2
        except UnicodeDecodeError:
            return 0
