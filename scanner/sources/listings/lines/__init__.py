r"""Listings in lines of text, as tools print them: what all kinds of them share.

Most kinds are a few forms of lines, each a pattern over bytes that is looked for in a whole chunk at once; what none
of them takes is counted, with one line as an example. A name keeps its blanks and its control characters; one with a
line break in it, which most tools print as it is, is beyond them. `\r\n` ends a line where all lines end so. Lines
longer than `LONGEST` are skipped, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ....model import NotScanned
from .. import CHUNK, HEAD, LONGEST, Chunk, Read
from ..amounts import amount_of
from ..fields import blocks
from .found import Found

TOO_LONG_LINE = f"lines longer than {LONGEST >> 20} MiB: left out"
BOM = b"\xef\xbb\xbf"

State = tuple[bytes, ...]
Meant = Callable[[bytes], bytes]
Role = Literal["object", "folder", "container", "nothing"]
"""What a line tells of; `nothing` is a heading or a sum."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of lines. The groups of its pattern are named: key, size, day, version, container."""

    role: Role
    pattern: re.Pattern[bytes]
    groups: tuple[str, ...]


def form(role: Role, pattern: bytes) -> Form:
    """A form whose pattern takes a whole line, without its end."""
    compiled = re.compile(rb"^(?:" + pattern + rb")$", re.MULTILINE)
    return Form(role, compiled, tuple(sorted(compiled.groupindex, key=compiled.groupindex.__getitem__)))


class LineKind:
    """A kind whose lines each tell something by themselves; those that need what stands before them derive from it.

    `unescape` is what undoes the escapes of a name, `measure` what reads its size.
    """

    end = b"\n"
    """What ends a line."""
    looks_ahead = False
    """Whether the state that comes with a chunk begins with the line that follows it (empty at the end)."""
    share = 0.8
    """How many of the first lines must fit, for the kind to be recognised."""

    def __init__(
        self,
        name: str,
        title: str,
        forms: Sequence[Form] = (),
        *,
        unescape: Meant | None = None,
        measure: Callable[[bytes], int] = amount_of,
    ) -> None:
        self._name, self._title = name, title
        self._forms, self._unescape, self._measure = tuple(forms), unescape, measure

    @property
    def name(self) -> str:
        """As `--kind` takes it."""
        return self._name

    @property
    def title(self) -> str:
        """For people."""
        return self._title

    def recognises(self, head: bytes) -> bool:
        """Whether something is found in the first lines, and few of them fit nowhere."""
        head = head.removeprefix(BOM)
        if len(head) >= HEAD - len(BOM):
            head = head[: head.rfind(self.end) + 1]
        found = Found(b"")
        if head:
            for _ in self.told(self._lines(head), self._with(b"", self.begin(head)), found):
                pass
        return found.entries > 0 and found.unfits <= (1 - self.share) * (found.entries + found.unfits)

    def split(self, stream: Iterable[bytes], container: bytes) -> Iterator[Chunk | NotScanned]:
        """Chunks of whole lines, each with what stands before it as far as it matters."""
        rest, skipped, skipping = b"", 0, False
        state: State | None = None
        for block in blocks(stream, CHUNK):
            if skipping:
                _, ended, block = block.partition(self.end)
                skipping = not ended
            data = rest + block
            last = data.rfind(self.end) + 1
            if len(data) - last > LONGEST:
                skipped, skipping = skipped + 1, True
                data = data[:last]
            if state is None and data:
                data = data.removeprefix(BOM)
                last = data.rfind(self.end) + 1
                state = self.begin(data)
            if len(data) < CHUNK:  # the last block: what is left is one chunk
                rest = data
                continue
            cut = self.border(data, last)
            if not cut and len(data) > 2 * LONGEST:
                cut = last
            if cut and state is not None:
                yield Chunk(self.name, container, data[:cut], self._with(data[cut:], state))
                state = self.after(data[:cut], state)
            rest = data[cut:]
        if rest and state is not None:
            yield Chunk(self.name, container, rest, self._with(b"", state))
        if skipped:
            yield NotScanned(container or b"the listing", TOO_LONG_LINE, count=skipped)

    def read(self, chunk: Chunk) -> Iterator[Read]:
        """What a chunk says."""
        found = Found(chunk.container)
        yield from self.told(self._lines(chunk.data), chunk.state, found)
        yield from found.told()

    # what kinds do in their own way

    def begin(self, data: bytes) -> State:
        """The state of a listing that begins so."""
        return ()

    def border(self, data: bytes, last: int) -> int:
        """Where a chunk may end in data whose last whole line ends at `last`; 0 for nowhere."""
        return data.rfind(self.end, 0, last - 1) + 1 if last and self.looks_ahead else last

    def after(self, data: bytes, state: State) -> State:
        """The state after a chunk."""
        return state

    def told(self, data: bytes, state: State, found: Found) -> Iterator[Read]:
        """Find what stands in the lines. Kinds that put names together tell on the way what is too much to be held."""
        self.take(data, state, found)
        yield from found.told_in_time()

    def take(self, data: bytes, state: State, found: Found) -> None:
        """Find what stands in the lines."""
        self.by_forms(data, self._forms, found)

    # what they share

    def by_forms(
        self, data: bytes, forms: Sequence[Form], found: Found, folder: bytes = b"", meant: Meant | None = None
    ) -> None:
        """Every form over all lines that no form before it took; `meant` undoes what was done to a name (otherwise
        `unescape`), `folder` stands before each key."""
        meant = meant or self._unescape
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        for form in forms:
            rows = form.pattern.findall(data)
            if not rows:
                continue
            if form.role != "nothing":
                columns = dict(
                    zip(form.groups, zip(*rows, strict=True) if len(form.groups) > 1 else (rows,), strict=True)
                )
                self._columns(form.role, columns, found, folder, meant)
            if len(rows) == lines:
                return
            data = form.pattern.sub(b"", data)
        if rest := [line for line in data.split(b"\n") if line and not line.isspace()]:
            found.unfit(rest[0], len(rest))

    def _columns(
        self, role: Role, columns: dict[str, Sequence[bytes]], found: Found, folder: bytes, meant: Meant | None
    ) -> None:
        keys = columns["key"]
        if meant:
            keys = [meant(key) for key in keys]
        if folder:
            keys = [folder + key for key in keys]
        if role == "container":
            found.add_containers(keys, columns.get("day", ()))
            return
        columns["key"] = keys
        told = columns.pop("container", None)
        for container, part in _by_container(columns, told) if told else ((None, columns),):
            if role == "folder":
                found.add_folders(part["key"], container=container)
            else:
                size, day, version = (part.get(name, ()) for name in ("size", "day", "version"))
                found.add(part["key"], size, day, version, container=container, measure=self._measure)

    def _with(self, following: bytes, state: State) -> State:
        return (following.partition(self.end)[0].rstrip(b"\r"), *state) if self.looks_ahead else state

    def _lines(self, data: bytes) -> bytes:
        if b"\r\n" in data and data.count(b"\r\n") == data.count(b"\n"):
            data = data.replace(b"\r\n", b"\n").removesuffix(b"\r")
        return data


def _by_container(
    columns: dict[str, Sequence[bytes]], containers: Sequence[bytes]
) -> Iterator[tuple[bytes, dict[str, Sequence[bytes]]]]:
    """Columns apart by container, in the order of their first entries."""
    names = dict.fromkeys(containers)
    if len(names) == 1:
        yield containers[0], columns
        return
    places: dict[bytes, list[int]] = {name: [] for name in names}
    for place, name in enumerate(containers):
        places[name].append(place)
    for name, wanted in places.items():
        yield name, {field: [column[n] for n in wanted] for field, column in columns.items()}
