"""Directory indexes that web servers make (Apache, nginx, Python …): folder by folder, downwards only.

A folder's address is made here, of the start's and the names that its pages give: nothing leads to another host, above
the start, or to a query. A folder is asked for once; how deep and how many is bounded, as links may go in circles.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...listed import Folders
from ...model import NotScanned
from ...net.urls import Url, quoted
from ..listings import HEAD, Chunk
from ..listings.html import HTML_INDEX
from . import OPEN, Access, Openness, Page
from .asked import OpenStore
from .http import Client, Request, UnansweredError, refusal_of
from .paging import DEAF

NO_INDEX = "it gives a page, and no list of files: what lies there cannot be told"


@dataclass(frozen=True, slots=True)
class IndexStore(OpenStore):
    """A folder of a web server. `base` ends with `/`."""

    access: Access
    base: Url

    def listed(self, client: Client) -> Iterator[Page | NotScanned]:
        """The page of each folder."""
        waiting, seen = deque([b""]), {b""}
        left_out: Counter[str] = Counter()
        deaf = 0
        while waiting:
            prefix = waiting.popleft()
            url = folder_url(self.base, prefix)
            try:
                answer = client.get(Request(url))
            except UnansweredError as error:
                yield NotScanned(url.shown.encode(), str(error))
                deaf += 1
                if error.final or deaf == DEAF:
                    break
                continue
            deaf = 0
            if answer.status != 200:
                yield NotScanned(url.shown.encode(), refusal_of(answer))
                continue
            head = answer.body[:HEAD]
            if not (HTML_INDEX.recognises(head) or _is_empty(head)):
                yield NotScanned(url.shown.encode(), NO_INDEX)
                continue
            page = Page(b"", answer.body, HTML_INDEX.name, prefix, (url.site + url.path).encode())
            yield page
            for folder in folders(page):
                why = self._refused(folder, prefix)
                if why:
                    left_out[why] += 1
                elif folder not in seen and len(seen) >= self.access.limits.pages:
                    left_out[f"more than {self.access.limits.pages} folders"] += 1
                elif folder not in seen:
                    seen.add(folder)
                    waiting.append(folder)
        for why, count in left_out.items():
            yield NotScanned(self.origin.encode() + b": folders", why, count=count)
        if waiting:
            yield NotScanned(self.origin.encode() + b": folders", "not asked after that", count=len(waiting))

    def anybody(self) -> Openness:
        """Ask once."""
        try:
            with Client(self.access) as client:
                answer = client.get(Request(self.base))
        except UnansweredError as error:
            return Openness("unknown", str(error))
        if answer.status == 200:
            return Openness("open", OPEN)
        return Openness("closed" if answer.status in (401, 403, 404) else "unknown", refusal_of(answer))

    def _refused(self, folder: bytes, above: bytes) -> str:
        """Why a folder that a page names is not asked for."""
        names = folder.split(b"/")
        if names.pop() != b"" or not names or any(name in (b"", b".", b"..") for name in names):
            return "they lead out of their folder, or round in a circle"
        if not folder.startswith(above):
            return "they do not lie below the folder that names them"
        if len(names) > self.access.limits.depth or len(folder) > 4096:
            return f"they lie more than {self.access.limits.depth} deep"
        return ""


def _is_empty(head: bytes) -> bool:
    """Whether a page is the index of a folder in which nothing lies: it says what it is, and has no link."""
    return _TITLED.search(head) is not None and b"<a" not in head.lower()


_TITLED = re.compile(rb"<(?:title|h1)[^<>]{0,200}>\s{0,20}(?:Index of|Directory listing (?:for|of))\s", re.IGNORECASE)


def folder_url(base: Url, prefix: bytes) -> Url:
    """The address of a folder."""
    return replace(base, path=base.path + quoted(prefix, keep="/"), query="")


def folders(page: Page) -> Iterator[bytes]:
    """The folders that a page names, by their whole prefixes."""
    for chunk in page.chunks(HTML_INDEX):
        if isinstance(chunk, Chunk):
            for read in HTML_INDEX.read(chunk):
                if isinstance(read, Folders):
                    yield from read.prefixes


def at(url: Url, access: Access) -> IndexStore:
    """The folder that a URL is in."""
    return IndexStore(access, replace(url, path=url.path[: url.path.rfind("/") + 1], query=""))
