"""The vectorised matcher: expressions for all detectors in one Hyperscan database. About ten times the throughput.

Hyperscan takes seconds to compile a database and a millisecond to load one, so that it is kept in the user's cache.
A database is made for one version of the library and one kind of processor: both are part of its name, and what the
library still refuses is made anew.

It is used in block mode without start of match: an event is the end of an expression, which lies inside the match.
Reference: https://intel.github.io/hyperscan/dev-reference/
"""

from __future__ import annotations

import hashlib
import importlib.util
from array import array
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from ..cache import Cache
from ..model import Detector
from .confirm import anywhere
from .views import TRIGGERS

_TAIL = 128
"""Bytes that the expressions of views take at most, and more."""
FORM = 1
"""Changed when databases of earlier versions must not be used any more."""


class Vectorised:
    """Hints at the end of each expression. It may be used by one thread at a time."""

    def __init__(self, detectors: Sequence[Detector], database: Any) -> None:
        # A hint is the last byte of an expression, the bytes of `ends` count to behind it.
        self.windows = [(d.ends[1] - 1, d.ends[0] - 1) if d.expression else anywhere(d) for d in detectors]
        self.reach = max(
            _TAIL, *(d.expression_width for d in detectors), *(len(k) for d in detectors for k in d.keywords)
        )
        self._database = database

    def hints(self, buffer: bytes) -> Iterable[tuple[int, int]]:
        """(index, last byte of what its expression took) for every detector and trigger."""
        indexes, offsets = array("H"), array("Q")  # hostile text can have a hint in every few bytes

        def take(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            indexes.append(index)
            offsets.append(end - 1)

        def take_at_the_end(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if end == len(tail):
                indexes.append(index)
                offsets.append(len(buffer) - 1)

        if buffer:
            self._database.scan(buffer, match_event_handler=take)
            # A trigger of a view may look one byte ahead: the end is looked at once more, as the end of a line.
            tail = buffer[-_TAIL:] + b"\n"
            self._database.scan(tail, match_event_handler=take_at_the_end)
        return zip(indexes, offsets, strict=True)


def available() -> bool:
    """Whether the library is there: not every platform has a wheel of it."""
    return importlib.util.find_spec("hyperscan") is not None


def load(detectors: Sequence[Detector], cache: Cache) -> Vectorised:
    """The matcher, with its database from the cache or compiled and put there; ImportError without the library."""
    hyperscan: Any = import_module("hyperscan")  # here: a small scan has no use for it

    indexes, expressions = zip(*_expressions(detectors), strict=True)
    name = _name(map("{} {}".format, indexes, expressions), f"{hyperscan.__version__} {_processor()}")
    kept = cache.read(name)
    if kept is not None:
        try:
            database = hyperscan.loadb(kept, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
            return Vectorised(detectors, database)
        except hyperscan.error:
            pass  # another library or processor than its name says: compiled anew
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[e.encode("ascii") for e in expressions],
        ids=list(indexes),
        elements=len(expressions),
        flags=[0] * len(expressions),
    )
    cache.write(name, hyperscan.dumpb(database))
    return Vectorised(detectors, database)


def _expressions(detectors: Sequence[Detector]) -> list[tuple[int, str]]:
    """Each expression with the index of its detector or trigger, which may have several."""
    wanted = [(d.expression, d.keywords) for d in detectors] + [(t.expression, t.keywords) for t in TRIGGERS]
    return [
        (index, one)
        for index, (expression, keywords) in enumerate(wanted)
        for one in (expression or literals(keywords)).split("\n")
    ]


def literals(texts: Sequence[bytes]) -> str:
    """An expression for any of some small-letter texts, in whatever case."""
    return "|".join("".join(_either_case(byte) for byte in text) for text in texts)


def _either_case(byte: int) -> str:
    upper = bytes([byte]).upper()[0]
    return f"\\x{byte:02x}" if upper == byte else f"[\\x{upper:02x}\\x{byte:02x}]"


def _name(expressions: Iterable[str], made_for: str) -> str:
    digest = hashlib.sha256(f"{FORM} {made_for}".encode())
    for expression in expressions:
        digest.update(b"\0" + expression.encode("ascii"))
    return f"hyperscan-{digest.hexdigest()[:32]}"


def _processor() -> str:
    """What Hyperscan may have compiled for: the architecture, and on Linux the instructions that it has."""
    import platform

    try:
        with open("/proc/cpuinfo", "rb") as file:
            lines = file.read(16384).split(b"\n")
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = (b"flags", b"features", b"model name")
    return platform.machine() + " " + repr([line for line in lines if line.lower().startswith(wanted)][:3])
