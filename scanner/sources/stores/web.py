"""An `https://` URL of which nothing is known: it is asked for once, and what it gives says who speaks.

XML by its root element, JSON by its first character and names, HTML, and OpenStack Swift by a header of its own
(https://docs.openstack.org/api-ref/object-store/). From there on the listing is asked for in that language, from the
beginning. Nothing but what stands in the URL goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ...model import NotScanned
from ...net.urls import SELECTS, Url
from ..listings import HEAD
from ..listings.kinds import recognise
from . import OPEN, Access, Openness, Page, azure, gcs, index, s3, swift
from .answers import root_of
from .azure import AzureStore
from .gcs import GcsStore
from .http import Answer, Client, Request, UnansweredError, refusal_of
from .index import IndexStore
from .s3 import S3Store
from .swift import SwiftStore

NO_LISTING = "what it gives is no listing that oakum knows"
NO_MORE = "whether there is more than this page cannot be told"

_Known = AzureStore | GcsStore | IndexStore | S3Store | SwiftStore


@dataclass(frozen=True, slots=True)
class WebStore:
    """Whoever answers at a URL."""

    access: Access
    url: Url

    @property
    def title(self) -> str:
        """For people."""
        return self.url.shown

    @property
    def origin(self) -> str:
        """The URL."""
        return self.url.shown.rstrip("/")

    @property
    def exposure(self) -> Literal["anonymous", "signed"]:
        """A parameter of the URL may be a credential."""
        names = {part.partition("=")[0].lower() for part in self.url.query.split("&")} - _LEADS_ON
        return "signed" if any(map(_CREDENTIAL.search, names)) else "anonymous"

    def pages(self) -> Iterator[Page | NotScanned]:
        """Its listing, in whatever language it speaks."""
        with Client(self.access) as client:
            answer = self._asked(client)
            if isinstance(answer, NotScanned):
                yield answer
                return
            store = self._speaks(answer)
            if store is not None:
                yield from store.listed(client)
            elif kind := recognise(answer.body[:HEAD]):
                yield Page(b"", answer.body, kind.name)
                yield NotScanned(self.origin.encode(), NO_MORE, policy=True)
            else:
                yield NotScanned(self.origin.encode(), NO_LISTING)

    def anybody(self) -> Openness:
        """Ask once; where the URL holds a credential, with those parameters alone that are surely none."""
        bare = replace(self, url=self.url.only(SELECTS)) if self.exposure == "signed" else self
        try:
            with Client(self.access) as client:
                answer = client.get(Request(bare.url))
        except UnansweredError as error:
            return Openness("unknown", str(error))
        if answer.status not in (200, 204):
            return Openness("closed" if answer.status in (401, 403, 404) else "unknown", refusal_of(answer))
        known = bare._speaks(answer)
        if recognise(answer.body[:HEAD]) or not isinstance(known, IndexStore | None):
            return Openness("open", OPEN)
        return Openness("unknown", NO_LISTING)

    def known(self) -> _Known | None:
        """Who it is, asked once more; None where that cannot be told."""
        with Client(self.access) as client:
            answer = self._asked(client)
        return None if isinstance(answer, NotScanned) else self._speaks(answer)

    def _asked(self, client: Client) -> Answer | NotScanned:
        try:
            answer = client.get(Request(self.url))
        except UnansweredError as error:
            return NotScanned(self.origin.encode(), str(error))
        if answer.status not in (200, 204):
            return NotScanned(self.origin.encode(), refusal_of(answer))
        return answer

    def _speaks(self, answer: Answer) -> _Known | None:
        """Who it is; None where nothing is known of how it goes on."""
        head = answer.body[:HEAD]
        if swift.COUNT in answer.headers:
            return swift.at(self.url, self.access)
        if _HTML.search(head):
            return index.at(self.url, self.access)
        root = root_of(head)
        if root in ("ListBucketResult", "ListVersionsResult"):
            return s3.at(self.url, self.access)
        if root == "EnumerationResults" and self.url.path.strip("/"):
            return azure.at(self.url, self.access)
        if head.lstrip()[:1] == b"{" and _GOOGLE.search(head):
            return gcs.at(self.url, self.access)
        return None


_HTML = re.compile(
    rb"\A\s*(?:<!--.{0,2000}?-->\s*)?<(?:!DOCTYPE\s+html|html|head|body|pre|h1|table)[\s>]", re.DOTALL | re.IGNORECASE
)
_CREDENTIAL = re.compile(r"(?:^|[_.-]|api)(?:key|auth|sig|signature|secret|password|pwd|code|token)$|token$")
_LEADS_ON = frozenset({"continuation-token", "pagetoken", "nextpagetoken"})
_GOOGLE = re.compile(rb'"(?:kind"\s*:\s*"storage#objects"|nextPageToken"\s*:|prefixes"\s*:)')
