"""What was found in the lines of a chunk, gathered by container until it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ....listed import Container, Folders, Rows
from ....model import NotScanned
from .. import Read
from ..amounts import NO_YEAR, amount_of, spoken_day, tells_no_year
from ..fields import LONGEST_KEY, NO_DATE, NO_SIZE
from ..table import HELD

UNFIT = "lines that are not of this kind of listing: left out; --kind names another, if it was taken for the wrong one"
TOO_LONG = f"names longer than {LONGEST_KEY >> 10} KiB: left out"
EXAMPLE = 40
"""Bytes of a line of which is shown what those that do not fit look like."""

_LOOKS = bytes(
    sign
    if chr(sign) in " \t-:/.,;=_|()[]{}<>"
    else ord("9")
    if chr(sign).isascii() and chr(sign).isdigit()
    else ord("x")
    for sign in range(256)
)


def looks_of(line: bytes) -> bytes:
    """What the beginning of a line looks like: letters as `x`, digits as `9`.

    None of its words is shown: it was not searched for credentials, and a password may be a word like any other.
    """
    return b"a line like " + line[:EXAMPLE].translate(_LOOKS) + b"..." * (len(line) > EXAMPLE)


class _Columns:
    """The objects of one container."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.sizes: list[int] = []
        self.days: list[bytes] = []
        self.versions: list[bytes] = []
        self.texts: dict[int, bytes] = {}


class Found:
    """What a chunk says, as it comes together."""

    def __init__(self, container: bytes) -> None:
        self.container = container
        self._objects: dict[bytes, _Columns] = {}
        self._folders: dict[bytes, list[bytes]] = {}
        self._containers: list[Container] = []
        self._counts: Counter[str] = Counter()
        self._looks = b""
        self._held = 0
        self._told = 0

    @property
    def entries(self) -> int:
        """How many there are."""
        objects = sum(len(columns.keys) for columns in self._objects.values())
        return self._told + objects + sum(map(len, self._folders.values())) + len(self._containers)

    @property
    def unfits(self) -> int:
        """How many lines fitted nowhere."""
        return self._counts[UNFIT]

    def add(
        self,
        keys: Sequence[bytes],
        sizes: Sequence[bytes] = (),
        days: Sequence[bytes] = (),
        versions: Sequence[bytes] = (),
        *,
        container: bytes | None = None,
        texts: Mapping[int, bytes] | None = None,
        measure: Callable[[bytes], int] = amount_of,
    ) -> None:
        """Objects, as columns: sizes and days as they stand there, empty where none is told."""
        count = len(keys)
        if b"" in keys or max(map(len, keys), default=0) > LONGEST_KEY:
            kept = [n for n, key in enumerate(keys) if 0 < len(key) <= LONGEST_KEY]
            self._count(UNFIT, keys.count(b""))
            self._count(TOO_LONG, count - len(kept) - keys.count(b""))
            sizes, days, versions = ([column[n] for n in kept] if column else () for column in (sizes, days, versions))
            texts = {new: texts[old] for new, old in enumerate(kept) if old in texts} if texts else None
            keys, count = [keys[n] for n in kept], len(kept)
        if not count:
            return
        columns = self._objects.setdefault(self.container if container is None else container, _Columns())
        if versions or columns.versions:
            columns.versions += [b""] * (len(columns.keys) - len(columns.versions))
            columns.versions += versions or [b""] * count
        if texts:
            columns.texts.update((len(columns.keys) + place, text) for place, text in texts.items())
        columns.keys += keys
        self._held += sum(map(len, keys))
        columns.sizes += self._sizes(sizes, measure) if sizes else [-1] * count
        columns.days += self._days(days) if days else [b""] * count

    def add_folders(self, prefixes: Sequence[bytes], *, container: bytes | None = None) -> None:
        """Folders that are named and not entered."""
        fit = [p if p.endswith(b"/") else p + b"/" for p in prefixes if 0 < len(p) < LONGEST_KEY and p != b"/"]
        self._count(TOO_LONG, sum(len(p) >= LONGEST_KEY for p in prefixes))
        if fit:
            self._folders.setdefault(self.container if container is None else container, []).extend(fit)

    def add_containers(self, names: Sequence[bytes], days: Sequence[bytes] = ()) -> None:
        """Containers, with the days they were made."""
        told = self._days(days) if days else [b""] * len(names)
        self._containers += [Container(name, day=day) for name, day in zip(names, told, strict=True)]

    def unfit(self, line: bytes, count: int = 1) -> None:
        """Lines that fit nowhere; of those of a chunk the first is the example."""
        self._count(UNFIT, count)
        self._looks = self._looks or looks_of(line)

    def too_long(self, count: int = 1) -> None:
        """Names that are too long to be put together."""
        self._count(TOO_LONG, count)

    def told_in_time(self) -> Iterator[Read]:
        """The objects, once their keys are so many bytes that they should not wait for the rest."""
        if self._held > HELD:
            yield from self._rows()

    def told(self) -> Iterator[Read]:
        """All of it."""
        yield from self._containers
        yield from self._rows()
        for container, prefixes in self._folders.items():
            yield Folders(container, prefixes)
        for why, count in self._counts.items():
            what = self._looks if why == UNFIT else self.container
            yield NotScanned(what or b"the listing", why, policy=why in (NO_DATE, NO_SIZE, NO_YEAR), count=count)

    def _rows(self) -> Iterator[Read]:
        for container, c in self._objects.items():
            self._told += len(c.keys)
            yield Rows(container, c.keys, c.sizes, c.days, (), c.versions or (), c.texts)
        self._objects.clear()
        self._held = 0

    def _count(self, why: str, count: int) -> None:
        if count:
            self._counts[why] += count

    def _sizes(self, texts: Sequence[bytes], measure: Callable[[bytes], int]) -> list[int]:
        sizes = list(map(measure, texts))
        self._count(NO_SIZE, sizes.count(-1) - texts.count(b"") - texts.count(b"-"))
        return sizes

    def _days(self, texts: Sequence[bytes]) -> list[bytes]:
        days = list(map(spoken_day, texts))
        if b"" in days:
            untold = [text for text, day in zip(texts, days, strict=True) if text and not day]
            yearless = sum(map(tells_no_year, untold))
            self._count(NO_YEAR, yearless)
            self._count(NO_DATE, len(untold) - yearless)
        return days
