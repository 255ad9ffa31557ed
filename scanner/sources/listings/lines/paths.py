r"""Paths, one a line: `find`, `find -print0`, `find -ls`, `du -a`, and keys or URLs as they come (`plain`).

Source: https://www.gnu.org/software/findutils/manual/html_node/find_html/Print-File-Information.html, du(1). A
path that others of its part of the listing lie below is a folder, and none of the objects; an empty folder is not to be
told from a file. Of `plain` ones only those without an ending are: a store may have `a.sql` and `a.sql/b`. `find` takes
several folders to begin at. `find -ls` escapes as C does. Sizes of `du` are KiB, unless one of the
first is not a multiple of four: bytes then (`-b`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

from .. import HEAD
from ..amounts import amount_of
from . import LineKind, State, form
from .found import Found
from .names import unescaped

_LS = rb" *\d+ +[\d.,]+[KMGTP]? +%c[rwxsStT-]{9}[.+@]? +\d+ [^\n]{1,120}? {1,20}"
_WHEN = rb"(?P<day>[A-Z][a-z]{2} [ \d]\d {1,2}(?:\d\d:\d\d|\d{4})|\d{4}-\d\d-\d\d(?: \d\d:\d\d)?) (?:\./)?"

FIND_LS = LineKind(
    "find-ls",
    "output of find -ls",
    (
        form("object", _LS % b"-" + rb"(?P<size>\d{1,20}) " + _WHEN + rb"(?P<key>.+)"),
        form("object", _LS % b"l" + rb"\d{1,20} " + _WHEN + rb"(?P<key>.+?) -> .*"),
        form("nothing", rb" *\d+ +\d+ +[dpcbsD][rwxsStT-]{9}[.+@]? .*"),
    ),
    unescape=unescaped,
)


def _ended(data: bytes, end: bytes) -> list[bytes]:
    lines = data.split(end)
    return lines[:-1] if lines[-1] == b"" else lines


def _folders(paths: Iterable[bytes]) -> set[bytes]:
    """The paths that others lie below: sorted by their steps, those are next to them."""
    steps = sorted({path.rstrip(b"/").replace(b"/", b"\0") for path in paths})
    return {one.replace(b"\0", b"/") for one, other in itertools.pairwise(steps) if other.startswith(one + b"\0")}


def _files(paths: Sequence[bytes], before: bytes, following: bytes) -> list[bytes]:
    """The paths that are no folders, of these or of the one before or behind them."""
    folders = _folders((before, *paths, following))
    return [path for path in paths if path not in folders and not path.endswith(b"/")]


class _Find(LineKind):
    """The state is the path that follows, how all paths begin, and the last one of the chunk before."""

    looks_ahead = True

    def __init__(self, name: str, title: str, end: bytes) -> None:
        super().__init__(name, title)
        self.end = end

    def recognises(self, head: bytes) -> bool:
        """Where the paths all begin alike, `./` or with the first; or where most follow the folder that they are in."""
        first = head.partition(self.end)[0]
        if not first or len(first) == len(head) or (b"\0" in head) != (self.end == b"\0"):
            return False
        lines = _ended(head[: head.rfind(self.end)], self.end)
        start = b"./" if first[:2] in (b".", b"./") else first + b"/"
        if first.startswith(b"/") and not all(line.startswith(start) for line in lines[1:]):
            start = b"/"
        fit = sum(line.startswith(start) for line in lines[1:])
        return len(lines) > 1 and (fit >= self.share * (len(lines) - 1) or _in_folders(lines))

    def begin(self, data: bytes) -> State:
        """By the first paths: `./` before all of them, or `/`, or anything."""
        head = data if len(data) < HEAD else data[: data.find(self.end, HEAD) + 1] or data
        lines = _ended(self._lines(head), self.end)
        for start in (b"./", b"/"):
            fit = sum(line.startswith(start) or line == b"." for line in lines)
            if lines and lines[0][: len(start)] in (start, b".") and fit >= self.share * len(lines):
                return (start, b"")
        return (b"", b"")

    def after(self, data: bytes, state: State) -> State:
        """The last path is kept."""
        return (state[0], _ended(self._lines(data), self.end)[-1])

    def take(self, data: bytes, state: State, found: Found) -> None:
        """All paths that are none of a folder."""
        following, start, before = state
        lines = _ended(data, self.end)
        if start or b"" in lines:
            fit = [line for line in lines if line.startswith(start) and line]
            if len(fit) < len(lines):
                wrong = [line for line in lines if line and not line.startswith(start) and line != b"."]
                if wrong:
                    found.unfit(wrong[0], len(wrong))
                lines = fit
        files = _files(lines, before, following)
        found.add([file.removeprefix(b"./") for file in files if file != b"."])


def _in_folders(lines: Sequence[bytes]) -> bool:
    """Whether most paths stand behind the folder that they are in, as where several folders were looked through."""
    seen: set[bytes] = set()
    fit = 0
    for line in lines:
        path = line.rstrip(b"\r").rstrip(b"/")
        above = path.rpartition(b"/")[0]
        if b"://" in line or (above in seen and line.endswith(b"/")):
            return False
        fit += above in seen
        seen.add(path)
    return 2 * fit >= len(lines)


FIND = _Find("find", "output of find", b"\n")
FIND_PRINT0 = _Find("find-print0", "output of find -print0", b"\0")

_DU = re.compile(
    rb"^(\d[\d.,]{0,20}[KMGTPE]?)\t(?:(\d{4}-\d\d-\d\d) \d\d:\d\d(?::\d\d\.\d+ [+-]\d{4})?\t)?(.+)$", re.MULTILINE
)


class _Du(LineKind):
    """The state is the line that follows, what a size without a unit counts, and the last path of the chunk before."""

    looks_ahead = True

    def recognises(self, head: bytes) -> bool:
        """Sizes, tabs and paths of which one holds another: the last of a `du -a` holds them all."""
        paths = [path for _, _, path in _DU.findall(head)]
        return super().recognises(head) and any(a.startswith(b + b"/") for a, b in itertools.pairwise(paths))

    def begin(self, data: bytes) -> State:
        """By the sizes of the first lines."""
        sizes = [size for size, _, _ in _DU.findall(data[: 1 << 20])]
        return (b"1" if any(size.isdigit() and int(size) % 4 for size in sizes) else b"1024", b"")

    def after(self, data: bytes, state: State) -> State:
        """The last path is kept."""
        found = _DU.findall(self._lines(data))
        return (state[0], found[-1][2] if found else state[1])

    def take(self, data: bytes, state: State, found: Found) -> None:
        """All paths that are none of a folder."""
        following, unit, before = state
        rows = _DU.findall(data)
        files = set(_files([path for _, _, path in rows], before, following.rpartition(b"\t")[2]))
        rows = [row for row in rows if row[2] in files and row[2] != b"."]
        self.by_forms(_DU.sub(b"", data), (), found)
        times = int(unit)
        found.add(
            [path.removeprefix(b"./") for _, _, path in rows],
            [size for size, _, _ in rows],
            [day for _, day, _ in rows],
            measure=lambda size: amount_of(size) * times if size.isdigit() and times > 1 else amount_of(size),
        )


DU_A = _Du("du-a", "output of du -a")

_URL = re.compile(
    rb"([A-Za-z][A-Za-z0-9+.-]{1,20})://(?:([^/?#\s]{0,255})@)?([^/?#\s]{0,255})/?([^?#]*)(\?.*)?(#.*)?", re.S
)
_ENDING = re.compile(rb"[^/]\.[^./]*$")
_HTTP = frozenset({b"http", b"https", b"ftp", b"ftps", b"sftp"})


class _Plain(LineKind):
    """A key of a URL of a store stands in the container that it names; one of the web is decoded, and stands in its
    host. What is said with it (a signature, a password) is kept to be searched."""

    looks_ahead = True
    share = 0.9

    def begin(self, data: bytes) -> State:
        """The state is the line that follows, and the last one of the chunk before."""
        return (b"",)

    def after(self, data: bytes, state: State) -> State:
        """The last line is kept."""
        return (_ended(self._lines(data), self.end)[-1],)

    def recognises(self, head: bytes) -> bool:
        """Where nearly all lines look like paths or URLs and nothing else."""
        if len(head) >= 1 << 14:
            head = head[: head.rfind(b"\n") + 1]
        lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").splitlines() if line]
        return bool(lines) and sum(map(_looks_like_a_path, lines)) >= self.share * len(lines)

    def take(self, data: bytes, state: State, found: Found) -> None:
        """A key a line; a folder where it ends with `/`."""
        lines = _ended(data, b"\n")
        if b"" in lines:
            lines = [line for line in lines if line]
        if b"/\n" in data or data.endswith(b"/") or b"://" in data:
            found.add_folders([line for line in lines if line.endswith(b"/") and b"://" not in line])
            for line in lines:
                if b"://" in line:
                    _add_url(line, found)
            lines = [line for line in lines if not line.endswith(b"/") and b"://" not in line]
        following, before = state
        if folders := {path for path in _folders((before, *lines, following)) if not _ENDING.search(path)}:
            lines = [line for line in lines if line not in folders]
        found.add(lines)


def _add_url(line: bytes, found: Found) -> None:
    url = _URL.fullmatch(line)
    if url is None:
        found.add([line])
        return
    scheme, user, host, path, query, _ = url.groups()
    web = scheme.lower() in _HTTP
    key = unquote_to_bytes(path) if web else path + (query or b"")
    container = scheme + b"://" + host if web else host
    texts = {0: b"url=" + line} if user or (web and query) else None
    if key and (not key.endswith(b"/") or texts):
        found.add([key], container=container, texts=texts)
    elif key:
        found.add_folders([key], container=container)
    elif texts:
        found.add([b"/"], container=container, texts=texts)
    else:
        found.add_containers([container])


def _looks_like_a_path(line: bytes) -> bool:
    line = line.rstrip(b"\r")
    if url := _URL.fullmatch(line):
        return url[1].lower() not in _HTTP or b" " not in line
    return (
        b"/" in line
        and line[:1] not in b"<{[\"'#;*|(-` \t"
        and line.count(b" ") <= 2 * line.count(b"/")
        and not line.count(b",") > 2
        and not re.search(rb"[\0-\x08\x0b-\x1f{}<>;|=\"]|: |, |\. ", line)
    )


PLAIN = _Plain("plain", "keys, paths or URLs, one a line")
