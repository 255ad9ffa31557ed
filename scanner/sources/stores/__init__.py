"""Live stores: pages of their listings, asked for over HTTPS, for `sources/listings` to read; and their objects.

A store is asked for nothing but listings, and for objects where that is wanted (`reading.py`); nothing is written. What
it refuses, and where a listing breaks off, comes as `NotScanned` in its place, and the pages before it stay. No text
that comes from here holds the query of a URL: there a signature stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from ... import net
from ...model import NotScanned
from ..listings import Chunk, Kind
from ..listings.html import HtmlIndex


@dataclass(frozen=True, slots=True)
class Limits(net.Limits):
    """What a listing may take. `page_size` is how many entries a page may have (0: as many as the store gives);
    `depth` is how deep the folders of a directory index may lie."""

    page_size: int = 0
    depth: int = 32


@dataclass(frozen=True, slots=True)
class Access:
    """With what and how a store is asked.

    Of `environment` these are read: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`,
    `AWS_SHARED_CREDENTIALS_FILE`, `HOME`, `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3`,
    `AWS_ENDPOINT_URL`; `AZURE_STORAGE_ACCOUNT`, `AZURE_STORAGE_KEY`, `AZURE_STORAGE_SAS_TOKEN`,
    `AZURE_STORAGE_CONNECTION_STRING`; `CLOUDSDK_AUTH_ACCESS_TOKEN`; `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
    `NO_PROXY`. They are for `s3://`, `az://` and `gs://`: with an `https://` target goes what stands in it, and
    nothing else. `anonymous` never sends any; `profile` takes the credentials from that section of AWS's file.
    `endpoint` is the URL of a store other than the provider's own; `certificates` a file of certificates to trust
    besides the usual ones; `plain_http` allows http to other machines. `versions` asks for older versions, too;
    `objects` says that objects are to be read, which a signature made here then allows.
    """

    environment: Mapping[str, str]
    now: datetime
    anonymous: bool = False
    profile: str = ""
    endpoint: str = ""
    region: str = ""
    certificates: str = ""
    plain_http: bool = False
    versions: bool = False
    objects: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing as the store gave it. `container` is what it lists, where that is known (empty for a page of
    containers); `kind` is the name of the kind of listing (empty: by content). Of a folder of a directory index,
    `prefix` is its place below the start, and `url` where it came from."""

    container: bytes
    data: bytes
    kind: str = ""
    prefix: bytes = b""
    url: bytes = b""

    def chunks(self, kind: Kind) -> Iterator[Chunk | NotScanned]:
        """What is read of it."""
        if self.url and isinstance(kind, HtmlIndex):
            return kind.split_page(self.data, self.container, self.prefix, self.url)
        return kind.split([self.data], self.container)


OPEN = "asked without credentials, it gives its listing"


@dataclass(frozen=True, slots=True)
class Openness:
    """Whether anybody can list a store: `open`, `closed`, or `unknown`, and why."""

    state: Literal["open", "closed", "unknown"]
    why: str


class Store(Protocol):
    """A store that can be asked for its listing."""

    @property
    def title(self) -> str:
        """For people: never a signature."""
        ...

    @property
    def origin(self) -> str:
        """The stable name of the store, for findings: `s3://bucket`, `https://acme.blob.core.windows.net`."""
        ...

    @property
    def exposure(self) -> Literal["anonymous", "signed"]:
        """Whether it is read without any credential, or with some."""
        ...

    def pages(self) -> Iterator[Page | NotScanned]:
        """Its listing, page by page, and what of it could not be had."""
        ...

    def anybody(self) -> Openness:
        """Ask once, without credentials, whether anybody can list it."""
        ...
