"""Google Cloud Storage: objects of a bucket by the JSON interface, with a bearer token or anonymously.

Firebase's own interface and other lists in the style of Google (`nextPageToken`, `pageToken`) are followed in the same
way. Sources: https://cloud.google.com/storage/docs/json_api/v1/objects/list,
https://cloud.google.com/storage/docs/request-endpoints, https://cloud.google.com/sdk/docs/properties
(`CLOUDSDK_AUTH_ACCESS_TOKEN`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import unquote

from ...errors import TargetError
from ...model import NotScanned
from ...net.shown import shown, shown_path
from ...net.urls import Parameters, Url, parse, quoted
from . import Access, Openness, Page
from .answers import UnreadableError, json_text
from .asked import AskedStore
from .http import Client, Request
from .paging import Listing, openness, pages

_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9._-]{1,220})\.)?(?:storage|commondatastorage)\.googleapis\.com|storage\.cloud\.google\.com"
)
_BY_API = re.compile(r"/(?:download/)?storage/v1/b/([^/]{1,250})(?:/o(?:/.{0,2000})?)?/?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_PAGING = ("pagetoken", "maxresults", "delimiter", "fields", "versions", "prefix")


@dataclass(frozen=True, slots=True)
class GcsStore(AskedStore):
    """A bucket, by the URL of its list of objects. `name` is its origin."""

    access: Access
    base: Url
    name: str
    bucket: str = ""
    prefix: str = ""
    token: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.name}/{shown_path(self.prefix)}" if self.prefix else self.name

    @property
    def origin(self) -> str:
        """`gs://bucket`, or the URL of what is not called so."""
        return self.name

    @property
    def exposure(self) -> Literal["anonymous", "signed"]:
        """Whether a token goes with it."""
        return "signed" if self.token else "anonymous"

    def listed(self, client: Client) -> Iterator[Page | NotScanned]:
        """Its objects."""
        yield from pages(client, self._listing(self.access.limits.page_size))

    def anybody(self) -> Openness:
        """Ask once without the token."""
        with Client(self.access) as client:
            return openness(client, replace(self, token="")._listing(1))

    def _listing(self, page_size: int) -> Listing:
        fixed: list[tuple[str, str | bytes]] = [("maxResults", str(page_size))] if page_size else []
        fixed += [("prefix", self.prefix)] if self.prefix else []
        fixed += [("versions", "true")] if self.access.versions else []
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}

        def ask(mark: Parameters) -> Request:
            return Request(self.base.asking((*fixed, *mark)), headers, signed=bool(headers))

        return Listing(self.name.encode(), self.bucket.encode(), "json", ask, following)


def following(page: bytes) -> Parameters | None:
    """What leads from a page to the next one."""
    if page.lstrip()[:1] != b"{":
        raise UnreadableError("what it answers is no listing in JSON")
    token = json_text(page, "nextPageToken", 1)
    return (("pageToken", token.encode("utf-8", "surrogatepass")),) if token else None


# --- targets ---------------------------------------------------------------------------------------------------------


def gcs_store(target: str, access: Access) -> GcsStore:
    """`gs://bucket/prefix`."""
    bucket, _, prefix = target.removeprefix("gs://").partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise TargetError(f"{shown(target)}: write gs://bucket/prefix")
    token = "" if access.anonymous else access.environment.get("CLOUDSDK_AUTH_ACCESS_TOKEN", "").strip()
    return _bucket(access, bucket, prefix, token)


def _bucket(access: Access, bucket: str, prefix: str, token: str = "") -> GcsStore:
    site = parse(access.endpoint or "https://storage.googleapis.com", plain_http=access.plain_http)
    base = replace(site, path=f"{site.path.rstrip('/')}/storage/v1/b/{quoted(bucket)}/o", query="")
    return GcsStore(access, base, f"gs://{bucket}", bucket, prefix, token)


def from_google_url(url: Url, access: Access) -> GcsStore | None:
    """The bucket that a URL of Google's own hosts names, read anonymously; None for another host."""
    found = _HOST.fullmatch(url.host)
    if not found:
        return None
    bucket, prefix = found["bucket"] or "", unquote(url.path.lstrip("/"), errors="surrogateescape")
    if by_api := _BY_API.fullmatch(url.path):
        bucket, prefix = unquote(by_api[1]), ""
    elif not bucket:
        bucket, _, prefix = prefix.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise TargetError(f"{url.shown} names no bucket: write https://storage.googleapis.com/bucket/")
    return _bucket(replace(access, endpoint=""), bucket, url.parameter("prefix") or prefix)


def at(url: Url, access: Access) -> GcsStore:
    """A list in the style of Google, by the URL that gave it."""
    return GcsStore(access, url.without(_PAGING), url.shown, prefix=url.parameter("prefix"))
