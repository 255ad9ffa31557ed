"""Answers in XML: the texts of their elements, by path.

Read by expat without a document type, so there is nothing to expand and nothing else to fetch; an answer is 1 MiB at
most (`line.py`). Names are without their namespace's prefix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from xml.parsers import expat

DEPTH = 16
"""How deep elements may lie within each other."""
MOST = 20_000
"""Elements of one answer."""


class _RefusedError(ValueError):
    """It is none that a provider would give."""


def elements(body: bytes) -> Mapping[str, Sequence[str]]:
    """The texts of an answer's elements, in their order, by their paths (`ErrorResponse/Error/Code`); nothing where it
    is no XML, or not whole."""
    found: dict[str, list[str]] = {}
    path: list[str] = []
    text: list[str] = []
    count = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(path) >= DEPTH or count > MOST:
            raise _RefusedError
        path.append(name.rpartition(":")[2])
        text.clear()

    def end(_name: str) -> None:
        found.setdefault("/".join(path), []).append("".join(text).strip())
        path.pop()
        text.clear()

    def declares(*_: object) -> None:
        raise _RefusedError

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text.append, declares
    with suppress(expat.ExpatError, _RefusedError, ValueError, LookupError):
        parser.Parse(body, True)
        return found
    return {}
