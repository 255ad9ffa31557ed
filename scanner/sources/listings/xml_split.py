"""Cuts a stream of XML pages at the ends of entries, in memory that does not grow with it.

A page is a root element with all that is in it; several may follow each other. What is no whole entry is kept: an
entry that has begun, up to its limit, or else as much as a tag may be long.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

from ...model import NotScanned
from . import CHUNK, HEAD, LONGEST, Chunk
from .fields import CUT_OFF, GOES_ON, LONGEST_KEY, TOO_LONG
from .xml_dialect import ATTRIBUTES, LONGEST_PREFIX, PREFIX, Dialect, content, declares, ends_within, shadow

WHOLE = 8 << 20
"""Bytes of a page that are kept until its end comes, where its beginning does not tell its name."""
DECLARES = "it declares a document type (DTD): nothing of that is used, and entries that need it are refused"
LATE = (
    f"pages longer than {WHOLE >> 20} MiB that tell only behind their entries what they list and how keys are encoded: "
    "their objects stand without that; list in pages of 1,000 objects"
)
_ENCODED = re.compile(rb"EncodingType" + ATTRIBUTES + rb">\s*url\s*</")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a page of one root is cut by: where entries begin and end, where it ends or another one begins.
    `events` are the tags of an entry's name."""

    tags: tuple[bytes, ...]
    roots: tuple[bytes, ...]
    opens: re.Pattern[bytes]
    closes: re.Pattern[bytes]
    ends: re.Pattern[bytes]
    first: re.Pattern[bytes]
    events: Mapping[bytes, re.Pattern[bytes]]

    def end(self, seen: bytes, at: int) -> re.Match[bytes] | None:
        """Where a page ends: to look for the names is faster than to look at all tags."""
        found: re.Match[bytes] | None = None
        until = len(seen)
        for name in self.roots:
            place = at
            while (place := seen.find(name, place, until)) >= 0:
                tag = seen.rfind(b"<", max(at, place - LONGEST_PREFIX), place)
                if tag >= 0 and (here := self.ends.match(seen, tag)):
                    found, until = here, here.start()
                    break
                place += len(name)
        return found


def grammar(dialect: Dialect, root: bytes) -> Grammar:
    """That of a page."""
    tags = tuple(dialect.roots[root])
    names = b"|".join(map(re.escape, tags))
    roots = (root, *(name for name in dialect.roots if name != root and name not in tags))
    others = b"|".join(map(re.escape, roots))
    opens = rb"<%s(?P<entry>%s)(?=[\s/>])" % (PREFIX, names)
    ends = rb"(?P<close></%s%s\s*+>)|<%s(?:%s)(?=[\s/>])" % (PREFIX, re.escape(root), PREFIX, others)
    return Grammar(
        tags,
        roots,
        re.compile(opens),
        re.compile(rb"</%s(?:%s)\s*+>" % (PREFIX, names)),
        re.compile(ends),
        re.compile(opens + b"|" + ends),
        {tag: re.compile(rb"<(/?+)%s%s(?=[\s/>])[^<>]*+>" % (PREFIX, re.escape(tag))) for tag in tags},
    )


@dataclass(slots=True)
class _Page:
    """A page that has begun."""

    root: bytes
    grammar: Grammar
    prefix: bytes
    container: bytes
    encoded: bool
    told: bool
    goes_on: bool
    open: bool = False
    """An entry of it has begun and not ended."""
    late: bool = False


class Splitter:
    """Cuts a stream that comes in blocks."""

    def __init__(
        self, dialect: Dialect, roots: re.Pattern[bytes], grammars: Mapping[bytes, Grammar], container: bytes
    ) -> None:
        self._kind, self._dialect = dialect.name, dialect
        self._roots, self._grammars = roots, grammars
        self._given = self._container = container
        self._page: _Page | None = None
        self._rest = self._within = b""
        self._held: list[bytes] = []
        self._awaited: re.Pattern[bytes] | None = None
        self._skipped = self._late = 0
        self._goes_on = False

    def take(self, block: bytes, *, last: bool = False) -> Iterator[Chunk | NotScanned]:
        """The chunks that are whole when this has come."""
        if self._awaited:
            seam = self._held[-1][-LONGEST_KEY:] + block
            self._held.append(block)
            if not (last or self._awaited.search(seam) or sum(map(len, self._held)) > WHOLE):
                return
            self._rest, block = b"", b"".join(self._held)
            self._held, self._awaited = [], None
        data = self._rest + block if self._rest else block
        seen = shadow(data, self._within)
        at: int | None = 0
        while at is not None:
            at = (
                (yield from self._inside(data, seen, at, self._page))
                if self._page
                else (yield from self._between(data, seen, at, last=last))
            )

    def end(self) -> Iterator[Chunk | NotScanned]:
        """What is left, and how the listing ends."""
        yield from self.take(b"", last=True)
        if page := self._page:
            yield from self._finish(page, closed=False)
        what = self._container or b"the listing"
        if self._skipped:
            yield NotScanned(what, TOO_LONG, count=self._skipped)
        if self._late:
            yield NotScanned(what, LATE, count=self._late)
        if self._goes_on:
            yield NotScanned(what, GOES_ON)

    def _keep(self, data: bytes, seen: bytes, at: int) -> None:
        self._rest = data[at:]
        if seen is not data:
            self._within = ends_within(data, self._within, at)

    def _between(
        self, data: bytes, seen: bytes, at: int, *, last: bool
    ) -> Generator[Chunk | NotScanned, None, int | None]:
        """Look for the next root, and begin its page; None where more has to come."""
        found = self._dialect.sign in data and self._roots.search(seen, at)
        if not found:
            self._keep(data, seen, max(at, len(data) - HEAD))
            return None
        rules = self._grammars[found[2]]
        first = rules.first.search(seen, found.end())
        empty = found[0].endswith(b"/>")
        if not (first or last or empty or len(data) - found.end() > HEAD):
            self._keep(data, seen, max(at, found.start() - HEAD))
            return None
        until = found.end() if empty else first.start() if first else len(data)
        if not empty and first and first["entry"] and self._waits(data, seen, found, first, rules) and not last:
            self._keep(data, seen, max(at, found.start() - HEAD))
            self._held, self._awaited = [self._rest], rules.ends
            return None
        declared = declares(data[max(at, found.start() - HEAD) : found.start()])
        self._page = page = self._begun(data, seen, found, until, rules)
        if declared:
            yield NotScanned(self._container or b"the listing", DECLARES, policy=True)
        if empty:
            yield from self._finish(page, closed=True)
        return found.end()

    def _waits(self, data: bytes, seen: bytes, root: re.Match[bytes], first: re.Match[bytes], rules: Grammar) -> bool:
        """Whether a page's end has to come before it is known what it lists."""
        return (
            self._dialect.named_behind
            and self._dialect.roots[root[2]][first["entry"]] != "container"
            and not self._dialect.named_by.search(seen, root.start(), min(first.start(), root.end() + HEAD))
            and len(data) - root.start() <= WHOLE
            and not rules.end(seen, first.end())
        )

    def _begun(self, data: bytes, seen: bytes, root: re.Match[bytes], until: int, rules: Grammar) -> _Page:
        dialect = self._dialect
        places = [(root.start(), min(until, root.end() + HEAD))]
        named = dialect.named_by.search(seen, *places[0])
        goes_on = dialect.goes_on.search(seen, *places[0])
        if dialect.named_behind and not named and not root[0].endswith(b"/>"):
            end = rules.end(seen, root.end())
            if end:
                behind = self._last_end(seen, root.end(), end.start(), rules, root[1])
                places.append((max(behind, root.end(), end.start() - HEAD), end.start()))
                named = dialect.named_by.search(seen, *places[1])
        encoded = any(_ENCODED.search(seen, *place) for place in places)
        said = next((place for place, text in enumerate(named.groups(), 1) if text), 1) if named else 0
        name = content(data[slice(*named.span(said))]).strip() if named else b""
        self._container = name or self._given
        return _Page(root[2], rules, root[1], self._container, encoded, bool(named) or len(places) > 1, bool(goes_on))

    def _inside(
        self, data: bytes, seen: bytes, at: int, page: _Page
    ) -> Generator[Chunk | NotScanned, None, int | None]:
        """The entries of a page that are there; where it ends, or None where it goes on."""
        end = page.grammar.end(seen, at) if self._dialect.sign in data else None
        until = end.start() if end else len(data)
        cut = self._last_end(seen, at, until, page.grammar, page.prefix)
        begun = page.grammar.opens.search(seen, max(cut, at), until)
        if begun:
            for close in page.grammar.closes.finditer(seen, begun.end(), until):
                cut = close.end()
            if cut > begun.start():
                begun = page.grammar.opens.search(seen, cut, until)
        if cut:
            yield from self._chunks(data, seen, at, cut, page)
        page.open = begun is not None
        self._note(seen, max(cut, at), begun.start() if begun else until, page)
        if end:
            yield from self._finish(page, closed=end["close"] is not None)
            return end.end() if end["close"] is not None else end.start()
        keep = begun.start() if begun else max(cut, at, len(data) - HEAD)
        if len(data) - keep > LONGEST + CHUNK:
            self._skipped += 1
            keep = len(data) - HEAD
        self._keep(data, seen, keep)
        return None

    def _note(self, seen: bytes, at: int, until: int, page: _Page) -> None:
        """What stands behind entries."""
        if until - at > 1:
            page.goes_on = page.goes_on or self._dialect.goes_on.search(seen, at, until) is not None
            if self._dialect.named_behind and not (page.told or page.late):
                named = None if page.container else self._dialect.named_by.search(seen, at, until)
                page.late = (named or _ENCODED.search(seen, at, until)) is not None

    def _finish(self, page: _Page, *, closed: bool) -> Iterator[NotScanned]:
        self._page = None
        self._goes_on = page.goes_on
        self._late += page.late
        if page.open or not closed:
            yield NotScanned(page.container or b"the listing", CUT_OFF)

    @staticmethod
    def _last_end(seen: bytes, at: int, until: int, rules: Grammar, prefix: bytes) -> int:
        """Where the last whole entry ends, written as it mostly is; 0 where there is none. To look backwards takes
        long: most often a part will do."""
        for start in (max(at, until - HEAD), at):
            ends = [(seen.rfind(b"</%s%s>" % (prefix, tag), start, until), tag) for tag in rules.tags]
            if found := [end + len(prefix) + len(tag) + 3 for end, tag in ends if end >= 0]:
                return max(found)
        return 0

    def _chunks(self, data: bytes, seen: bytes, at: int, until: int, page: _Page) -> Iterator[Chunk]:
        """Whole entries, in parts of about one size."""
        state = (page.root, b"url" if page.encoded else b"")
        while until - at > 4 * CHUNK:
            close = page.grammar.closes.search(seen, at + CHUNK, until)
            cut = close.end() if close else until
            yield Chunk(self._kind, page.container, data[at:cut], state)
            at = cut
        if at < until:
            yield Chunk(self._kind, page.container, data[at:until], state)
