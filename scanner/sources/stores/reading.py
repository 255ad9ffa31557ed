"""Objects that are to be read: which, of what store, by what key; and what reads them.

An object is named by its key, byte for byte. A key that a library would change on the way is not asked for: what came
back would be another object. Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html,
https://learn.microsoft.com/rest/api/storageservices/get-blob,
https://cloud.google.com/storage/docs/xml-api/get-object-download.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from ...errors import OakumError, TargetError
from ...model import Exposure
from ...net.urls import Url, quoted
from . import Access, Store
from .azure import VERSION, AzureStore
from .credentials import AwsCredentials
from .gcs import GcsStore
from .index import IndexStore
from .s3 import S3Store, region_of
from .swift import SwiftStore
from .web import WebStore


@dataclass(frozen=True, slots=True)
class ReadSpec:
    """Where and how the objects of one container are read.

    `base` is the URL of the container, whose key follows behind a `/`; `query` what opens it (a SAS), `token` a bearer
    token, `credentials` what signs; with none of them it is read anonymously.
    """

    kind: Literal["s3", "azure", "gcs", "http"]
    base: Url
    access: Access = field(repr=False)
    query: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    credentials: AwsCredentials | None = field(default=None, repr=False)
    region: str = "us-east-1"

    @property
    def signed(self) -> bool:
        """Whether a credential goes with it."""
        return bool(self.query or self.token or self.credentials)

    @property
    def headers(self) -> dict[str, str]:
        """What goes with every request."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.kind == "azure":
            headers["x-ms-version"] = VERSION
        if self.kind == "gcs":  # what lies there in gzip comes as it lies there, or no range could be asked for
            headers["Accept-Encoding"] = "gzip"
        return headers

    def query_of(self, version: str) -> str:
        """The query for a version of an object; empty for that which is there now."""
        name = {"azure": "versionid", "gcs": "generation"}.get(self.kind)
        asked = f"{name}={quoted(version)}" if name and version else ""
        return "&".join(filter(None, (self.query, asked)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object to be read, as its listing tells of it; `size` is -1 where it tells none.

    `store` is how findings name the store, `exposure` who can read it.
    """

    store: str
    container: bytes
    key: bytes
    size: int = -1
    version: str = ""
    etag: str = ""
    exposure: Exposure = "unknown"

    @property
    def name(self) -> bytes:
        """For messages."""
        return b"/".join(filter(None, (self.container, self.key)))


@dataclass(frozen=True, slots=True)
class Part:
    """The next bytes of an object, which has `total` bytes in all (-1: not known)."""

    data: bytes
    total: int
    etag: str = ""
    last: bool = False


class UnreadError(OakumError):
    """An object cannot be read, or not to its end: the text says why. `final` says that no other of the container can
    be read either."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


class ObjectReader(Protocol):
    """Reads the objects of one container."""

    def parts(self, wanted: Wanted, most: int) -> AsyncGenerator[Part, None]:
        """An object up to `most` bytes, in parts of at most `PIECE_SIZE`; UnreadError where it breaks off."""
        ...


def unaddressable(key: bytes) -> str:
    """Why an object of this key cannot be asked for; empty where it can."""
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        return "its key is not UTF-8: oakum cannot ask for it"
    if _CONTROL.search(text):
        return "its key has control characters: oakum cannot ask for it"
    if text.endswith("/") and text.strip("/"):
        return "its key ends with a slash: oakum cannot ask for it"
    if any(name in ("", ".", "..") for name in text.split("/")):
        return "its key has an empty name, `.` or `..` between slashes: oakum cannot ask for it"
    return ""


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


# --- how a store that was listed is read -----------------------------------------------------------------------------


def spec_of(store: Store, container: bytes) -> ReadSpec:
    """How the objects of a container of a store are read; TargetError where they cannot be.

    A bucket of Amazon's own is asked once where it lies; a URL of which nothing is known, once who speaks there.
    """
    name = container.decode("utf-8", "surrogateescape")
    if isinstance(store, WebStore):
        known = store.known()
        return ReadSpec("http", store.url.below(), store.access) if known is None else spec_of(known, container)
    match store:
        case S3Store():
            store = replace(store, bucket=name) if store.base is None and name else store
            base, region = region_of(store)
            return ReadSpec("s3", base, store.access, credentials=store.credentials, region=region)
        case AzureStore():
            return ReadSpec("azure", store.base.below(store.container or name), store.access, query=store.sas)
        case GcsStore(bucket=bucket) if bucket:
            base = replace(store.base, path="/", query="").below(bucket)
            return ReadSpec("gcs", base, store.access, token=store.token)
        case IndexStore() | SwiftStore():
            return ReadSpec(
                "http", replace(store.base, path=store.base.path.rstrip("/") or "/", query=""), store.access
            )
    raise TargetError(f"{store.origin}: oakum lists it, and does not know how its objects are read")
