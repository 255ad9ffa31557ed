"""OpenStack Swift: objects of a public container, 10,000 a page, until a page is empty; the last name leads on.

https://docs.openstack.org/api-ref/object-store/ (show container details and list objects).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from ...model import NotScanned
from ...net.urls import Parameters, Url
from . import Access, Openness, Page
from .answers import UnreadableError, json_text
from .asked import OpenStore
from .http import Client, Request
from .paging import Listing, openness, pages

COUNT = "x-container-object-count"
"""The header that says that an answer is a container's."""
_PAGING = ("format", "limit", "marker", "end_marker", "delimiter", "path", "reverse")


@dataclass(frozen=True, slots=True)
class SwiftStore(OpenStore):
    """A container, by its URL."""

    access: Access
    base: Url

    def listed(self, client: Client) -> Iterator[Page | NotScanned]:
        """Its objects."""
        first = True
        for page in pages(client, self._listing()):
            if first or isinstance(page, NotScanned) or page.data.strip() != b"[]":
                yield page
            first = False

    def anybody(self) -> Openness:
        """Ask once."""
        with Client(self.access) as client:
            return openness(client, self._listing())

    def _listing(self) -> Listing:
        size = self.access.limits.page_size
        fixed = [("format", "json"), *([("limit", str(size))] if size else [])]
        container = unquote(self.base.path.rstrip("/").rpartition("/")[2]).encode("utf-8", "surrogateescape")

        def ask(mark: Parameters) -> Request:
            return Request(self.base.asking((*fixed, *mark)))

        return Listing(self.origin.encode(), container, "json", ask, following)


def following(page: bytes) -> Parameters | None:
    """What leads from a page to the next one."""
    if page.lstrip()[:1] != b"[":
        raise UnreadableError("what it answers is no listing of Swift in JSON")
    name = json_text(page, "name", 2)
    return (("marker", name.encode("utf-8", "surrogatepass")),) if name else None


def at(url: Url, access: Access) -> SwiftStore:
    """A container, by the URL that gave its listing."""
    return SwiftStore(access, url.without(_PAGING))
