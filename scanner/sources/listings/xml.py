"""Listings in XML: the kinds, made of what splits a stream of them and what reads a part.

The entries of a listing are found by their tags, in bytes; `xml_split` cuts between them, `xml_read` reads them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ...model import NotScanned
from . import Chunk, Read
from .fields import NO_DATE, NO_SIZE, blocks
from .xml_dialect import ATTRIBUTES, PREFIX, Dialect, shadow
from .xml_read import Reader
from .xml_split import Splitter, grammar


class XmlKind:
    """The listings of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        names = b"|".join(map(re.escape, dialect.roots))
        self._grammars = {root: grammar(dialect, root) for root in dialect.roots}
        self._roots = re.compile(rb"<(%s)(%s)(?=[\s/>])%s/?+>" % (PREFIX, names, ATTRIBUTES))

    @property
    def name(self) -> str:
        """As `--kind` takes it."""
        return self.dialect.name

    @property
    def title(self) -> str:
        """For people."""
        return self.dialect.title

    def recognises(self, head: bytes) -> bool:
        """By the root element, before which a declaration, comments and a document type may stand."""
        seen = shadow(head)
        root = self._roots.search(seen)
        return root is not None and not seen[: root.start()].strip(_SPACE)

    def split(self, stream: Iterable[bytes], container: bytes) -> Iterator[Chunk | NotScanned]:
        """Chunks that each lie in one page (root element); several pages may follow each other."""
        splitter = Splitter(self.dialect, self._roots, self._grammars, container)
        for block in blocks(stream):
            yield from splitter.take(block)
        yield from splitter.end()

    def read(self, chunk: Chunk) -> Iterator[Read]:
        """Its entries, in the order of their kinds."""
        root, encoded = chunk.state
        counts: Counter[str] = Counter()
        yield from Reader(self.dialect, self._grammars[root], counts, url=encoded == b"url").read(
            chunk.data, chunk.container
        )
        for why, count in sorted((+counts).items()):
            yield NotScanned(chunk.container or b"the listing", why, policy=why in (NO_DATE, NO_SIZE), count=count)


_SPACE = b"\xef\xbb\xbf \t\r\n"
