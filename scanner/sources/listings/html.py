"""Indexes of folders as web servers show them: Apache, nginx (also fancyindex), IIS, lighttpd, Caddy, Python, and what
looks like them (tables and lists of links with dates and sizes).

Sources: https://httpd.apache.org/docs/2.4/mod/mod_autoindex.html, https://nginx.org/en/docs/http/ngx_http_autoindex_module.html,
https://learn.microsoft.com/iis/configuration/system.webserver/directorybrowse,
https://caddyserver.com/docs/caddyfile/directives/file_server, https://docs.python.org/3/library/http.server.html.

An entry is a link below the page's own folder, and what stands around it up to the next row; its key is where it leads,
not what it shows, which may be cut. The page's folder is told by its URL or else by its title. The standard library's
parser is not used: its time grows with the square of a page made to hurt it (160 kB took it two minutes).
"""

from __future__ import annotations

import collections
import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from ...listed import Folders, Rows
from ...model import NotScanned
from . import CHUNK, HEAD, LONGEST, Chunk, Read
from .amounts import amount_of, spoken_day
from .fields import CUT_OFF, LONGEST_KEY, NO_DATE, NO_SIZE, TOO_LONG, blocks
from .table import HELD

ROW = 16
"""Links that a row may have."""
ELSEWHERE = "links to other hosts: not followed"
OUTSIDE = "links that lead out of the folder by `..` within them: left out"

_HIDDEN = re.compile(rb"<!--.*?(-->|\Z)|<(script|style|svg)\b.*?(</\2\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_ANCHOR = re.compile(rb"""<a(?=[\s/])((?:[^"'>]|"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))*+)(>?)""", re.IGNORECASE)
"""It takes whatever begins as a link does, to the end of the page if need be: so no byte is looked at twice."""
_ATTRIBUTE = re.compile(rb"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_TAG = re.compile(rb"<[^<>]*>")
_REFERENCE = re.compile(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ROWS = (b"<tr", b"<li", b"<br", b"<dt", b"<p>", b"\n")
_TITLE = re.compile(
    rb"<title[^<>]{0,200}>\s{0,200}(?:(?:Index of|Directory listing (?:for|of)|Listing of)\s{1,20}|[^<>]{0,200}? - )?"
    rb"(/[^<>]{0,4096})</title",
    re.IGNORECASE,
)
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]{0,30}):")
_WEB = frozenset({b"http", b"https", b"ftp"})
_NO_FILES = frozenset({b"javascript", b"mailto", b"data", b"tel", b"about", b"blob", b"sms", b"magnet"})
_URL = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?//([^/?#]*)(.*)", re.DOTALL)
_TIME = rb"(?:(?:T|\s{1,4})\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?(?:\s?[AP]M)?(?:\s?(?:[+-]\d\d:?\d\d|Z|UTC|GMT))?)?"
_DATE = re.compile(
    rb"(?<![\w/-])((?:\d{4}[-/](?:\d\d|[A-Z][a-z]{2})[-/]\d\d|\d{1,2}-[A-Z][a-z]{2}-\d{4}|\d{1,2}[/.]\d{1,2}[/.]\d{4}"
    rb"|(?:[A-Z][a-z]{2,8}, )?[A-Z][a-z]{2,8} \d{1,2},? \d{4}|(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4}))" + _TIME
)
_SAID_DATE = re.compile(rb"""<time\s[^<>]{0,200}?datetime=["']?\s*([^"'<>]{10,40})""", re.IGNORECASE)
_SAID_SIZE = re.compile(rb"""<td\s[^<>]{0,200}?data-(?:order|size|bytes)=["']?(\d{1,20})["'\s>]""", re.IGNORECASE)
_SIZE = re.compile(
    rb"(?<![^\s(])(-|<dir>|\xe2\x80\x94|\d[\d,.]{0,24}\s?(?:[KMGTPE]?i?B|[KMGTPE]|bytes?)?)(?![^\s)])", re.IGNORECASE
)
_UNTOLD = frozenset({b"-", b"<dir>", b"\xe2\x80\x94"})
_MARKS = re.compile(
    rb"<title[^<>]{0,200}>\s{0,200}(?:Index of|Directory listing (?:for|of)|Listing of)\s"
    rb"|<pre>\s{0,20}<a href=\"\.\./\"|\?sort=namedirfirst"
    rb"|>\[To Parent Directory\]<|>Parent Directory<|summary=\"Directory Listing\"|powered by h5ai"
    rb"|<title>/[^<>]{0,4096}</title>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a page is: what stands before its keys, its folder (decoded, with `/` at both ends; empty: not known), its
    host where it is known (its title then counts for nothing)."""

    prefix: bytes = b""
    folder: bytes = b""
    host: bytes = b""

    def titled(self, title: bytes) -> _Page:
        """The same, with the folder that its title tells."""
        folder = _text(title).strip()
        return self if self.host else replace(self, folder=folder if folder.endswith(b"/") else folder + b"/")


@dataclass(slots=True)
class _Entry:
    """An entry, as far as it is known."""

    key: bytes
    size: int = -1
    day: bytes = b""
    text: bytes = b""


class HtmlIndex:
    """Pages of links; several may follow each other."""

    @property
    def name(self) -> str:
        """As `--kind` takes it."""
        return "html-index"

    @property
    def title(self) -> str:
        """For people."""
        return "folder index of a web server (HTML)"

    def recognises(self, head: bytes) -> bool:
        """By what servers put there; otherwise where at least half of the links have dates."""
        if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or b"<a" not in head.lower():
            return False
        if _MARKS.search(head):
            return True
        told = [rows for rows in self.read(self._chunk(b"", _shown(head), _Page())) if isinstance(rows, Rows)]
        return 0 < sum(len(rows.keys) for rows in told) <= 2 * sum(bool(day) for rows in told for day in rows.days)

    def split(self, stream: Iterable[bytes], container: bytes) -> Iterator[Chunk | NotScanned]:
        """Chunks of whole rows."""
        return self._split(stream, container, _Page())

    def split_page(
        self, data: bytes, container: bytes, prefix: bytes, url: bytes = b""
    ) -> Iterator[Chunk | NotScanned]:
        """The chunks of one page of a crawl: `prefix` (decoded, with `/` at its end) is put before each key, and `url`
        is where it came from, after all redirections: links to its host that lead below it are entries."""
        return self._split([data], container, _page(prefix, url))

    def _split(self, stream: Iterable[bytes], container: bytes, page: _Page) -> Iterator[Chunk | NotScanned]:
        rest, skipped = b"", 0
        for block in blocks(stream, CHUNK):
            data = rest + block
            if len(data) < CHUNK:  # the last block
                rest = data
                continue
            begins, opening = _opened(data)
            shown, hidden = _shown(data[:begins]), data[begins:]
            if len(hidden) > LONGEST:
                hidden = opening + hidden[-16:]
            cut = _border(shown)
            if cut:
                yield self._chunk(container, shown[:cut], page)
                page = _after(shown[:cut], page)
            if len(shown) - cut > LONGEST:
                skipped += 1
                cut = len(shown) - HEAD
            rest = shown[cut:] + hidden
        if rest:
            hidden, rest = _opened(rest)[1], _shown(rest)
            yield self._chunk(container, rest, page)
            if hidden or _is_cut_off(rest):
                yield NotScanned(b"the end of the listing", CUT_OFF)
        if skipped:
            yield NotScanned(container or b"the listing", TOO_LONG, count=skipped)

    def _chunk(self, container: bytes, data: bytes, page: _Page) -> Chunk:
        return Chunk(self.name, container, data, (page.prefix, page.folder, page.host))

    def read(self, chunk: Chunk) -> Iterator[Read]:
        """Its entries; of links that lead to the same place one after the other (an icon and a name) one is made."""
        counts: Counter[str] = Counter()
        for entries in _at_once(_entries(chunk.data, _Page(*chunk.state), counts)):
            objects = [entry for entry in entries if entry.text or not entry.key.endswith(b"/")]
            if objects:
                yield Rows(
                    chunk.container,
                    [entry.key for entry in objects],
                    [entry.size for entry in objects],
                    [entry.day for entry in objects],
                    texts={place: entry.text for place, entry in enumerate(objects) if entry.text},
                )
            if folders := [entry.key for entry in entries if entry.key.endswith(b"/")]:
                yield Folders(chunk.container, folders)
        for why, count in counts.items():
            policy = why in (NO_DATE, NO_SIZE, ELSEWHERE, OUTSIDE)
            yield NotScanned(chunk.container or b"the listing", why, policy=policy, count=count)


HTML_INDEX = HtmlIndex()


# --- splitting -------------------------------------------------------------------------------------------------------


def _page(prefix: bytes, url: bytes) -> _Page:
    found = _URL.match(url)
    if found is None:
        return _Page(prefix)
    path = unquote_to_bytes(re.split(rb"[?#]", found[2], maxsplit=1)[0]) or b"/"
    return _Page(prefix, path[: path.rfind(b"/") + 1], found[1].rpartition(b"@")[2].lower())


def _after(data: bytes, page: _Page) -> _Page:
    """The page that what follows belongs to."""
    titles = _TITLE.findall(data)
    return page.titled(titles[-1]) if titles else page


def _shown(data: bytes) -> bytes:
    """Without comments, scripts and styles."""
    return _HIDDEN.sub(b" ", data) if b"<!--" in data or _HIDDEN.search(data) else data


def _opened(data: bytes) -> tuple[int, bytes]:
    """Where a comment or script begins that does not end in the data, and with what; the data's end if none does."""
    hidden = collections.deque(_HIDDEN.finditer(data), maxlen=1)
    last = hidden.pop() if hidden else None
    if last is None or last[1] or last[3]:
        return len(data), b""
    return last.start(), b"<%s " % last[2] if last[2] else b"<!--"


def _border(data: bytes) -> int:
    """Where a row begins that is not the first: the last one, if it is within the last links; 0 for nowhere."""
    end = len(data)
    for _ in range(ROW):
        link = max(data.rfind(b"<a ", 0, end), data.rfind(b"<A ", 0, end))
        ended = max(data.rfind(b"</a", 0, max(link, 0)), data.rfind(b"</A", 0, max(link, 0)))
        if ended < 0:
            return 0
        row = _row(data[ended:link])
        if row >= 0:
            return ended + row
        end = link
    return end


def _row(gap: bytes) -> int:
    """Where, in what stands between two links, the row of the second begins; -1 where they are in one row."""
    lower = gap.lower()
    return next((at for mark in _ROWS if (at := lower.rfind(mark)) >= 0), -1)


def _is_cut_off(data: bytes) -> bool:
    """Whether a page ends within a tag, or a link."""
    tail = data[-HEAD:].lower()
    return tail.rfind(b"<") > tail.rfind(b">") or max(tail.rfind(b"<a "), tail.rfind(b"<a\n")) > tail.rfind(b"</a")


# --- reading ---------------------------------------------------------------------------------------------------------


def _entries(data: bytes, page: _Page, counts: Counter[str]) -> Iterator[_Entry]:
    links = [link for link in _ANCHOR.finditer(data) if link[2]]
    titles = [(title.start(), title[1]) for title in reversed(list(_TITLE.finditer(data)))]
    last = _Entry(b"")
    first = data[: links[0].start()] if links else b""
    before = first[at:] if (at := _row(first)) >= 0 else b""
    for place, link in enumerate(links):
        while titles and titles[-1][0] < link.start():
            page = page.titled(titles.pop()[1])
        is_last = place + 1 == len(links)
        behind = data[link.end() : len(data) if is_last else links[place + 1].start()]
        closing = _CLOSING.search(behind)
        inside, gap = (behind[: closing.start()], behind[closing.end() :]) if closing else (behind, b"")
        row = len(gap) if is_last else _row(gap)
        row = row if row >= 0 else len(gap)
        around, before = before + b" " + gap[:row], gap[row:]
        entry = _entry(link[1], inside, page, counts)
        if entry is None:
            continue
        _measure(entry, around, inside, counts)
        if (entry.key, entry.text) == (last.key, last.text):
            last.size, last.day = max(last.size, entry.size), last.day or entry.day
            continue
        if last.key:
            yield last
        last = entry
    if last.key:
        yield last


def _at_once(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    """As many as are to be told at once: a prefix before each key makes much of a small page."""
    there: list[_Entry] = []
    held = 0
    for entry in entries:
        there.append(entry)
        held += len(entry.key)
        if held > HELD:
            yield there
            there, held = [], 0
    if there:
        yield there


def _entry(attributes: bytes, inside: bytes, page: _Page, counts: Counter[str]) -> _Entry | None:
    """What a link tells by itself; None for what leads nowhere below the page."""
    href = _href(attributes)
    scheme = _SCHEME.match(href)
    if scheme and scheme[1].lower() in _NO_FILES:
        return None
    if href.startswith(b"//") or (scheme and scheme[1].lower() in _WEB):
        url = _URL.match(href)
        if url is None:
            return None
        if not page.host or url[1].lower() != page.host:
            return _elsewhere(href, counts)
        href = url[2] if url[2].startswith(b"/") else b"/" + url[2]
    path, _, query = href.partition(b"#")[0].partition(b"?")
    key = unquote_to_bytes(path)
    if key.startswith(b"/"):
        name = key.rstrip(b"/").rpartition(b"/")[2]
        if page.folder:
            if not key.startswith(page.folder):
                return None
            key = key[len(page.folder) :]
        elif name and _text(inside).strip().rstrip(b"/") == name:
            key = name + b"/" * key.endswith(b"/")
        else:
            return None
    while key.startswith(b"./"):
        key = key[2:]
    steps = key.split(b"/")
    if b".." in steps:
        counts.update([OUTSIDE] if steps[0] != b".." else [])
        return None
    if key.strip(b"/") in (b"", b"."):
        return None
    if len(page.prefix) + len(key) > LONGEST_KEY:
        counts[TOO_LONG] += 1
        return None
    return _Entry(page.prefix + key, text=b"url=" + href if query else b"")


def _elsewhere(href: bytes, counts: Counter[str]) -> _Entry | None:
    """A link to another host; what it carries (a signature, a password) is searched, under its URL."""
    bare, asked, _ = href.partition(b"?")
    if asked or b"@" in bare:
        return _Entry(bare[:LONGEST_KEY].rpartition(b"@")[2].rstrip(b"/"), text=b"url=" + href)
    counts[ELSEWHERE] += 1
    return None


def _measure(entry: _Entry, around: bytes, inside: bytes, counts: Counter[str]) -> None:
    """Find the day and the size in what stands around a link, or else within it beside the name."""
    if not around.strip() and b"<" not in inside:
        return
    for part in (around, inside if b"<" in inside else b""):
        plain = _text(part)
        date = _DATE.search(plain)
        said = _SAID_DATE.search(part)
        if part is inside and not (date or said):
            break
        if date or said:
            entry.day = spoken_day((said or date)[1])  # type: ignore[index]
            if not entry.day:
                counts[NO_DATE] += 1
        size = _SAID_SIZE.search(part) or _SIZE.search(_DATE.sub(b" ", plain))
        if size:
            entry.size = amount_of(size[1])
            if entry.size < 0 and size[1].lower() not in _UNTOLD:
                counts[NO_SIZE] += 1
        if date or said or size:
            break


_CLOSING = re.compile(rb"</a\s{0,20}>", re.IGNORECASE)


def _href(attributes: bytes) -> bytes:
    """Where a link leads: as browsers do, without the line breaks and tabs in it."""
    for name, *values in _ATTRIBUTE.findall(attributes):
        if name.lower() == b"href":
            return _without_references(b"".join(values)).translate(None, b"\t\r\n").strip()
    return b""


def _text(markup: bytes) -> bytes:
    return _without_references(_TAG.sub(b" ", markup)) if b"<" in markup or b"&" in markup else markup


def _without_references(text: bytes) -> bytes:
    """Without character references; one that does not end with `;` is none (`&sect=` stands in URLs)."""
    return _REFERENCE.sub(_character, text) if b"&" in text else text


def _character(reference: re.Match[bytes]) -> bytes:
    return html.unescape(reference[0].decode("ascii")).encode("utf-8", "replace")
