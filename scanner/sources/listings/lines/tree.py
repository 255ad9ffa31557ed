r"""What `tree` draws: with the lines of Unicode or of ASCII, with full paths (`-f`), with sizes and times (`-s -h -D`).

Source: https://oldmanprogrammer.net/source.php?dir=projects/tree (tree(1)). What is drawn before a name tells its
depth, four columns a level; the name above it of one level less is its folder. A path longer than `LONGEST_KEY` is not
put together: what stands there is counted. An empty folder is not to be told from a
file unless `-F` or `-p` was given. Names that the locale cannot show are escaped as in C (`\n`, `\303`, `\ `) in the C
locale, in octal (`\012`) in others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import Read
from ..fields import LONGEST_KEY
from ..table import HELD
from . import LineKind, State
from .found import Found
from .names import unescaped, without_octal

_LINE = re.compile(
    rb"((?:(?:\xe2\x94\x82|\|)(?:\xc2\xa0| ){2} |    ){0,1024})"
    rb"(?:\xe2\x94[\x9c\x94]\xe2\x94\x80\xe2\x94\x80|[|`]--) (.+)"
)
_DRAWN = re.compile(rb"^(?:\xe2\x94[\x9c\x94]\xe2\x94\x80\xe2\x94\x80|[|`]--) ", re.MULTILINE)
_LEVEL = re.compile(rb"(?:\xe2\x94\x82|\|)(?:\xc2\xa0| ){2} |    ")
_FILE_MODE = re.compile(rb"\s*-[rwxsStT-]{9}(?:\s|$)")
_SAID = re.compile(rb"\[([^\[\]\n]{1,200})\]  (?=.)")
_SIZE = re.compile(rb"(?:^|\s)(\d[\d.]{0,18}[KMGTPE]?)(?=\s|$)")
_DAY = re.compile(
    rb"[A-Z][a-z]{2} [ \d]\d {1,2}(?:\d\d:\d\d|\d{4})|\d{4}-\d\d-\d\d(?: \d\d:\d\d)?|\d\d-[A-Z][a-z]{2}-\d{4}"
)
_SUM = re.compile(rb"(?: *[\d.]+[KMGTPE]? (?:bytes )?used in )?\d+ director(?:y|ies)(?:, \d+ files?)?")
_NOT_OPENED = re.compile(rb"(?:error opening dir|exceeds filelimit|[^\[\]]{0,40}(?:denied|not followed)).{0,80}\]")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line: what is said in brackets, the path (`_BEYOND` if it is too long), and how deep it stands (0: a root)."""

    said: bytes
    path: bytes
    depth: int
    link: bool = False

    @property
    def is_object(self) -> bool:
        """Whether the line itself does not say that it is a folder, or something without content."""
        mode = self.said.lstrip()[:10]
        special = len(mode) == 10 and mode[:1] in b"dpsbc" and mode[1:2] in b"r-"
        return self.depth > 0 and not special and not self.path.endswith(b"/")


class _Tree(LineKind):
    """The state is the line that follows, `c` for escapes of C, and the paths on the way to the last entry, the root
    first."""

    looks_ahead = True

    def recognises(self, head: bytes) -> bool:
        """By what is drawn."""
        return _DRAWN.search(head) is not None and super().recognises(head)

    def begin(self, data: bytes) -> State:
        """No root is known; the C locale shows no letter beyond ASCII."""
        return (b"c" if data.isascii() and re.search(rb"\\[ \\ntr]", data) else b"",)

    def after(self, data: bytes, state: State) -> State:
        """The way to the last entry."""
        way = list(state)
        for _ in self._walk(self._lines(data), way, None):
            pass
        return tuple(way)

    def told(self, data: bytes, state: State, found: Found) -> Iterator[Read]:
        """The entries that none stands below."""
        objects: list[_Entry] = []
        held = 0
        last = _END
        following, *way = state
        for entry in self._walk(data, way, found):
            if last.is_object and entry.depth <= last.depth:
                objects.append(last)
                held += len(last.path)
                if held > HELD:
                    self._add(objects, found)
                    yield from found.told_in_time()
                    objects, held = [], 0
            last = entry
        line = _LINE.fullmatch(following)
        if last.is_object and not (line and _depth(line) > last.depth):
            objects.append(last)
        self._add(objects, found)

    def _add(self, objects: Sequence[_Entry], found: Found) -> None:
        count = len(objects)
        objects = [entry for entry in objects if entry.path != _BEYOND]
        found.too_long(count - len(objects))
        sizes = [_SIZE.search(_DAY.sub(b" ", entry.said)) for entry in objects]
        days = [_DAY.search(entry.said) for entry in objects]
        found.add(
            [entry.path for entry in objects],
            [size[1] if size and not entry.link else b"" for size, entry in zip(sizes, objects, strict=True)],
            [day[0] if day else b"" for day in days],
        )

    def _walk(self, data: bytes, way: list[bytes], found: Found | None) -> Iterator[_Entry]:
        """The entries; `way` is kept as the state is."""
        meant = unescaped if way[0] else without_octal
        for text in data.split(b"\n"):
            line = _LINE.fullmatch(text)
            if line is None:
                if not text or _SUM.fullmatch(text):
                    continue
                if len(way) > 1 and found and not text.startswith((b"/", b".")):
                    found.unfit(text)
                    continue
                root = meant(_SAID.sub(b"", text, count=1)).rstrip(b"/")
                way[1:] = [b"" if root == b"." else _BEYOND if len(root) > LONGEST_KEY else root + b"/"]
                yield _END
                continue
            depth = _depth(line)
            bracket = _SAID.match(line[2])
            name = line[2][bracket.end() :] if bracket else line[2]
            opens, _, why = name.rpartition(b" [")
            closed = _NOT_OPENED.fullmatch(why) is not None and opens.strip() != b""
            if closed:
                name = opens.rstrip(b" ")
            arrow = b""
            if not (bracket and _FILE_MODE.match(bracket[1])):
                name, arrow, _ = name.partition(b" -> ")
            name = meant(name)
            if b"/" not in name.rstrip(b"/") and len(way) > 1:
                above = way[min(depth, len(way) - 1)]
                name = _BEYOND if above == _BEYOND or len(above) + len(name) > LONGEST_KEY else above + name
            path = name.removeprefix(b"./") if len(name) <= LONGEST_KEY else _BEYOND
            del way[depth + 1 :]
            way += [path if path == _BEYOND else path.rstrip(b"/") + b"/"] * (depth + 2 - len(way))
            if closed and path != _BEYOND:
                if found:
                    found.add_folders([path])
                path += b"/"
            yield _Entry(bracket[1] if bracket else b"", path, depth, bool(arrow))


def _depth(line: re.Match[bytes]) -> int:
    return len(_LEVEL.findall(line[1])) + 1


_END = _Entry(b"", b"", 0)
_BEYOND = b"\0"
"""In the place of a path that is too long, and of those below it."""

TREE = _Tree("tree", "drawing of tree")
