"""What was found in the lines of a chunk, gathered by container until it is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ....listed import Container, Folders, Rows
from ....model import NotScanned
from .. import Read
from ..amounts import NO_YEAR, amount_of, spoken_day, tells_no_year
from ..fields import LONGEST_KEY, NO_DATE, NO_SIZE

UNFIT = "lines that are not of this kind of listing: left out; --kind names another, if it was taken for the wrong one"
TOO_LONG = f"names longer than {LONGEST_KEY >> 10} KiB: left out"
EXAMPLE = 80
"""Bytes of a line that is shown as an example of those that do not fit."""

_SHOWN = re.compile(rb"[A-Za-z]{1,12}|[-:/.\d]{1,10}")


def example(line: bytes) -> bytes:
    """The beginning of a line, with nothing in it that could be a credential: it was not searched for any.

    Short words and short numbers are kept, as they stand between blanks.
    """
    shown = [word.rstrip(b".,:;").lstrip(b"([") for word in line[: EXAMPLE * 2].split()]
    kept = b" ".join(word if _SHOWN.fullmatch(word) else b"..." for word in shown)
    return kept[:EXAMPLE] or b"..."


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
        self._example = b""

    @property
    def entries(self) -> int:
        """How many there are."""
        objects = sum(len(columns.keys) for columns in self._objects.values())
        return objects + sum(map(len, self._folders.values())) + len(self._containers)

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
        self._example = self._example or example(line)

    def told(self) -> Iterator[Read]:
        """All of it."""
        yield from self._containers
        for container, c in self._objects.items():
            yield Rows(container, c.keys, c.sizes, c.days, (), c.versions or (), c.texts)
        for container, prefixes in self._folders.items():
            yield Folders(container, prefixes)
        for why, count in self._counts.items():
            what = self._example if why == UNFIT else self.container
            yield NotScanned(what or b"the listing", why, policy=why in (NO_DATE, NO_SIZE, NO_YEAR), count=count)

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
