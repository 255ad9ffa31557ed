r"""`ls -lR`, with any way of writing times: GNU, BSD, BusyBox, `--full-time`, ISO.

Source: https://www.gnu.org/software/coreutils/manual/html_node/What-information-is-listed.html. A folder's entries
stand below its path and a colon, after a blank line. Without such a heading the folders among the entries were not
entered. Names that were quoted for a terminal are read as they are. A link's size is not that of an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import Read
from ..table import HELD
from . import LineKind, State, form
from .found import Found
from .names import unquoted

_MODE = rb"[rwxsStTlL-]{9}[.+@]?"
_WHEN = (
    rb"(?P<day>\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d{1,9})? [+-]\d{4})?"
    rb"|[A-Z][a-z]{2} [ \d]\d (?: \d{4}|\d\d:\d\d(?::\d\d \d{4})?)"
    rb"|[ \d]?\d [A-Za-z\x80-\xff]{3,9}\.? (?: \d{4}|\d\d:\d\d)"
    rb"|\d\d-\d\d \d\d:\d\d|\d{4}-\d\d-\d\d )"
)
_BEFORE = rb" *(?:\d{1,20} +)?(?:[\d.,]{1,20}[KMGTP]? +)?"
_SIZE = rb"(?P<size>\d[\d.,]{0,20}[KMGTPE]?)"


def _long(kind: bytes, name: bytes) -> bytes:
    return _BEFORE + kind + _MODE + rb" {1,20}[1-9]\d{0,8} (?:[^\n]{0,160}? )??" + name


_FILE = form("object", _long(b"-", rb" {0,40}" + _SIZE + rb" {1,4}" + _WHEN + rb" (?P<key>.+)"))
_LINK = form("object", _long(b"l", rb" {0,40}\d[\d.,]{0,20}[KMGTPE]? {1,4}" + _WHEN + rb" (?P<key>.+?) -> .*"))
_FOLDER = form("folder", _long(b"d", rb" {0,40}\d[\d.,]{0,20}[KMGTPE]? {1,4}" + _WHEN + rb" (?P<key>.+)"))
_NOTHING = form("nothing", _BEFORE + rb"[dpcbsDCnP]" + _MODE + rb" .*|[a-z]\w{2,12} \d[\d.,]{0,20}[KMGTPE]?")
_HEADING = re.compile(
    rb"(?:\A\n?|\n\n)(?! *(?:\d+ +){0,2}[-dlbcpsDC?][-rwxsStTlL]{9})([^\n]{1,5000}):(?=\n|\Z)",
)
_DOTS = re.compile(rb"^" + _BEFORE + rb"d" + _MODE + rb" .* '?\.\.?/?'?\n?", re.MULTILINE)


class _LsLong(LineKind):
    """The state is the folder whose entries come, empty until one is named."""

    def begin(self, data: bytes) -> State:
        """No folder is named yet."""
        return ()

    def after(self, data: bytes, state: State) -> State:
        """The folder that was named last."""
        for heading in _HEADING.finditer(self._lines(data)):
            state = (heading[1],)
        return state

    def told(self, data: bytes, state: State, found: Found) -> Iterator[Read]:
        """Folder by folder."""
        at, folder, entered = 0, state[0] if state else b"", bool(state)
        for heading in _HEADING.finditer(data):
            yield from self._entries(data[at : heading.start()], folder, found, entered=entered)
            at, folder, entered = heading.end(), heading[1], True
        yield from self._entries(data[at:], folder, found, entered=entered)

    def _entries(self, data: bytes, folder: bytes, found: Found, *, entered: bool) -> Iterator[Read]:
        data = data.strip(b"\n")
        if not data:
            return
        quoted = _is_quoted(data)
        if folder[:1] in (b"'", b'"') and folder[-1:] == folder[:1]:
            folder = unquoted(folder)
        folder = folder.rstrip(b"/").removeprefix(b"./") + b"/" if folder not in (b".", b"./", b"") else b""
        forms = [_FILE, _LINK, _NOTHING] if entered else [_FILE, _LINK, _FOLDER, _NOTHING]
        if quoted or not entered:
            data = _DOTS.sub(b"", data)
        meant = _as_it_is if quoted else None
        at_once = HELD // (len(folder) + 1)
        if data.count(b"\n") < at_once:
            self.by_forms(data, forms, found, folder, meant)
            yield from found.told_in_time()
            return
        lines = data.split(b"\n")
        for n in range(0, len(lines), at_once):
            self.by_forms(b"\n".join(lines[n : n + at_once]), forms, found, folder, meant)
            yield from found.told_in_time()


def _as_it_is(name: bytes) -> bytes:
    return unquoted(name.removeprefix(b" "))


_NAMES = re.compile(_BEFORE + rb"[-dpcbs]" + _MODE + rb" .{0,200}?" + _WHEN + rb" (?P<name>.+)")


def _is_quoted(data: bytes) -> bool:
    """Whether the names of a folder are quoted: some are, and those that are not stand one column further right."""
    if b"'" not in data and b'"' not in data:
        return False
    names = [found["name"] for line in data.split(b"\n") if (found := _NAMES.fullmatch(line))]
    marked = [len(name) > 1 and name[:1] in (b"'", b'"') and name[-1:] in (b"'", b'"') for name in names]
    return any(marked) and all(mark or name[:1] in (b" ", b"$") for mark, name in zip(marked, names, strict=True))


LS_LR = _LsLong("ls-lR", "output of ls -lR or ls -l")
