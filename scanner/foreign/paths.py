"""Regular expressions over paths, as other scanners write them, turned into the patterns of paths that oakum has.

That goes for simple ones: names, `.*`, alternatives, optional parts, ends. All else is refused. An expression is
searched anywhere in a path, and a glob (`suppressions.py`) fits a whole one, so that it takes two or more of them.

They accept the same paths, but for two liberties, both of which accept less: a lone `.` stands for any character but
`/`, as whoever writes `package-lock.json` means no more; and what is without regard to case is taken in small letters
and in capitals.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import pairwise, product
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

from .entries import Entry, Excluded, Unmapped

LONGEST = 1000
"""Characters of an expression that is looked at."""
MOST = 64
"""Alternatives that an expression is taken apart into."""
MOST_GLOBS = 16
MOST_OF_A_CLASS = 8
"""Characters of a class, each of which is an alternative."""


def excluded(says: str, expression: str, reason: str, *, rule: str = "") -> Iterator[Entry]:
    """Entries for the paths that an expression fits."""
    found, why = globs(expression)
    for glob in found:
        yield Excluded(says, reason, path=glob, rule=rule)
    if not found:
        yield Unmapped(says, f"{why}; write a pattern of your own instead")


def globs(expression: str) -> tuple[list[str], str]:
    """The globs that accept what an expression does, or none and the reason why there are none."""
    try:
        found = _merged(glob for row in _rows(_tree(expression)) for glob in _globs(_parts(row)))
    except (_OddError, RecursionError) as e:
        return [], f"is not a simple pattern ({e if isinstance(e, _OddError) else 'nested too deeply'})"
    if any(not glob.strip("*/?") for glob in found):
        return [], "fits nearly every path"
    if not found:
        return [], "fits no path inside of a repository"
    if len(found) > MOST_GLOBS:
        return [], f"is not a simple pattern (it takes more than {MOST_GLOBS} of oakum's)"
    return found, ""


class _OddError(Exception):
    """An expression is not of a simple form; says what it has."""


class _Mark(Enum):
    """What stands in an expression beside single characters."""

    BEGIN = "^"
    END = "$"
    ANYTHING = ".*"
    NAME = "[^/]*"


_Row = tuple[str | _Mark, ...]
"""Single characters, `?` for any but a slash, and marks."""


# --- alternatives ---------------------------------------------------------------------------------------------------


def _tree(expression: str) -> Any:
    if len(expression) > LONGEST:
        raise _OddError(f"longer than {LONGEST} characters")
    if "[[:" in expression:
        raise _OddError("a named class of characters")
    expression = re.sub(r"(?<!\\)((?:\\\\)*)\\z\Z", r"\1$", expression)  # Go's name for the end
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = sre_parser.parse(expression)
    except (re.error, OverflowError) as e:
        raise _OddError(str(e)) from e
    ignore_case = tree.state.flags & re.IGNORECASE
    return [(sre.SUBPATTERN, (None, ignore_case, 0, tree))]


def _rows(nodes: Iterable[Any]) -> list[_Row]:
    """Every row that a sequence of nodes stands for."""
    rows: list[_Row] = [()]
    for op, argument in nodes:
        added = _alternatives(op, argument)
        if len(rows) * len(added) > MOST:
            raise _OddError(f"more than {MOST} alternatives")
        rows = [row + more for row, more in product(rows, added)]
    return rows


def _alternatives(op: Any, argument: Any) -> list[_Row]:
    if op is sre.SUBPATTERN:
        _, added, removed, inner = argument
        if removed:
            raise _OddError("a change of flags")
        rows = _rows(inner)
        return [cased for row in rows for cased in _cased(row)] if added & re.IGNORECASE else rows
    if op is sre.BRANCH:
        return [row for inner in argument[1] for row in _rows(inner)]
    if op is sre.AT and argument in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
        return [(_Mark.BEGIN,)]
    if op is sre.AT and argument in (sre.AT_END, sre.AT_END_STRING):
        return [(_Mark.END,)]
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _repeated(*argument)
    return [(character,) for character in _characters(op, argument)]


def _cased(row: _Row) -> Iterable[_Row]:
    """A row in small letters and in capitals."""
    texts = [piece for piece in row if isinstance(piece, str)]
    if not all(text.isascii() for text in texts):
        raise _OddError("letters other than A to Z without regard to case")
    small = tuple(piece.lower() if isinstance(piece, str) else piece for piece in row)
    return dict.fromkeys((small, tuple(piece.upper() if isinstance(piece, str) else piece for piece in row)))


def _repeated(least: int, most: int, inner: Any) -> list[_Row]:
    once = _rows(inner)
    if (least, most) == (0, 1):
        return [*once, ()]
    if least == most and len(once) == 1 and least * len(once[0]) <= MOST:
        return [once[0] * least]
    if once != [("?",)] or most is not sre.MAXREPEAT or least > 1:
        raise _OddError("a repetition")
    return [once[0] * least + (_Mark.ANYTHING if inner[0][0] is sre.ANY else _Mark.NAME,)]


_SLASHES = {(sre.LITERAL, ord("/")), (sre.LITERAL, ord("\\"))}


def _characters(op: Any, argument: Any) -> Iterable[str]:
    """A single character, or those of a class. Both slashes together are one: no path here has a backslash for it."""
    if op is sre.ANY or (op is sre.NOT_LITERAL and argument == ord("/")):
        return "?"
    items = argument if op is sre.IN else [(op, argument)]
    if set(items) == _SLASHES:
        return "/"
    if set(items) == _SLASHES | {(sre.NEGATE, None)}:
        return "?"
    found = ""
    for kind, value in items:
        if kind is sre.LITERAL:
            found += chr(value)
        elif kind is sre.RANGE and value[1] - value[0] < MOST_OF_A_CLASS:
            found += "".join(map(chr, range(value[0], value[1] + 1)))
        else:
            raise _OddError("a class of characters" if op is sre.IN else "more than names and alternatives")
    if len(found) > MOST_OF_A_CLASS:
        raise _OddError("a class of characters")
    if any(not one.isprintable() or one in "\\*?" for one in found):
        raise _OddError("a character that stands for itself in no pattern")
    return found


# --- globs ----------------------------------------------------------------------------------------------------------


def _parts(row: _Row) -> list[str]:
    """The texts between which there may be anything, of a row that fits a path as a whole."""
    first, last = row[:1] == (_Mark.BEGIN,), row[-1:] == (_Mark.END,)
    parts = [""] if first else ["", ""]
    for piece in row[first : len(row) - last]:
        if piece in (_Mark.BEGIN, _Mark.END):
            raise _OddError("an end of the path in the midst of it")
        if piece is _Mark.ANYTHING:
            parts.append("")
        else:
            parts[-1] = (parts[-1].rstrip("*") + "*") if piece is _Mark.NAME else parts[-1] + str(piece)
    if not last:
        parts.append("")
    begin, *rest = (
        part.lstrip("*" if place else "").rstrip("*" if place < len(parts) - 1 else "")
        for place, part in enumerate(parts)
    )
    parts = [begin, *filter(None, rest[:-1]), *rest[-1:]]
    if not parts[-1]:  # no name is empty, so that one character less says the same
        parts[-2:-1] = [part.removesuffix("?") if part.endswith("/?") else part for part in parts[-2:-1]]
    return parts


def _globs(parts: Sequence[str]) -> Iterator[str]:
    """The globs for texts with anything between them: within a name, or over folders."""
    joints = [_joints(before, after, first=place == 0) for place, (before, after) in enumerate(pairwise(parts))]
    for chosen in product(*joints):
        text = "".join(part for pair in zip(parts, (*chosen, ""), strict=True) for part in pair)
        if not {"", ".", ".."} & set(text.split("/")):  # no path has such a name
            yield text


def _joints(before: str, after: str, *, first: bool) -> Sequence[str]:
    """What a glob may have where there may be anything between two texts. No name is empty."""
    if first and not before:
        return ["**/*"] if after else ["**"]
    if not after:
        return ["**"] if before.endswith("/") else ["*", "*/**"]
    if before.endswith("/"):
        return ["*/**"] if after.startswith("/") else ["**/*"]
    return ["*/**"] if after.startswith("/") else ["*", "*/**/*"]


def _merged(found: Iterable[str]) -> list[str]:
    """Each glob once; those for the root and for what lies below a folder as one for any depth."""
    every = list(dict.fromkeys(found))
    deep = {glob for glob in every if f"**/*/{glob}" in every}
    kept = [glob for glob in every if glob.removeprefix("**/*/") not in deep or glob in deep]
    return [_anchored(f"**/{glob}" if glob in deep else glob) for glob in kept]


def _anchored(glob: str) -> str:
    """A glob for names at any depth without a slash, and one for names at the root with a slash before it."""
    name = glob.removeprefix("**/")
    if "/" in name:
        return glob
    return name if name != glob else f"/{glob}"
