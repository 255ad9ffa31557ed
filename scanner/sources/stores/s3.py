"""Amazon S3 and all who speak its language (MinIO, Ceph, R2, Alibaba OSS …): buckets, objects, versions of objects.

Asked for with `list-type=2&encoding-type=url`; who does not know the second version answers with the first, whose last
key leads to the next page. Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/ (API_ListObjectsV2,
API_ListObjects, API_ListObjectVersions, API_ListBuckets, ErrorResponses);
https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import unquote_to_bytes

from ...errors import TargetError
from ...model import NotScanned
from ...net.shown import printable, shown, shown_path
from ...net.urls import Parameters, Url, parse, quoted
from . import Access, Openness, Page
from .answers import Path, UnreadableError, error_region, raw, root_of, xml_texts
from .asked import AskedStore
from .credentials import AwsCredentials, aws_credentials, aws_signature
from .http import Answer, Client, Request, UnansweredError
from .paging import End, Listing, named_in, one_by_one, openness, pages

BUCKETS = ("ListAllMyBucketsResult", "Buckets", "Bucket", "Name")
_PAGING = (
    "list-type continuation-token start-after marker max-keys key-marker version-id-marker encoding-type versions "
    "fetch-owner delimiter prefix"
).split()
_REGION = re.compile(r"[a-z0-9-]{2,40}")
_BUCKET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{1,254}")
_IN_HOST = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""Buckets that stand in the host: without dots, as no certificate covers these."""
_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9._-]{1,62})\.)?s3(?:[.-](?:dualstack\.|fips\.|fips-)?(?P<region>[a-z]{2}(?:-[a-z]+){1,3}-\d))?"
    r"\.amazonaws\.com(?:\.cn)?"
)


@dataclass(frozen=True, slots=True)
class S3Store(AskedStore):
    """A bucket, or (without one) all buckets of an account. `base` is where it lies; empty: at Amazon's own."""

    access: Access
    bucket: str = ""
    prefix: str = ""
    base: Url | None = None
    name: str = ""
    credentials: AwsCredentials | None = field(default=None, repr=False)
    region: str = "us-east-1"

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.origin}/{shown_path(self.prefix)}" if self.prefix else self.origin

    @property
    def origin(self) -> str:
        """`s3://bucket`, or the URL of one that is not called so."""
        return self.name or f"s3://{self.bucket}"

    @property
    def exposure(self) -> Literal["anonymous", "signed"]:
        """Whether credentials go with it."""
        return "signed" if self.credentials else "anonymous"

    def listed(self, client: Client) -> Iterator[Page | NotScanned]:
        """Its objects; of an account the buckets, and after each page of them their objects."""
        if self.bucket or self.base is not None:
            yield from _Objects(self).pages(client)
            return
        what = b"buckets"
        for page in pages(client, _buckets(self)):
            yield page
            if isinstance(page, NotScanned):
                continue
            names, left_out = named_in(page.data, BUCKETS, what, _is_bucket)
            yield from left_out
            each = [_Objects(replace(self, bucket=name, prefix="")).pages(client) for name in names]
            if not (yield from one_by_one(what, each)):
                return

    def anybody(self) -> Openness:
        """Ask once without credentials."""
        if not self.bucket and self.base is None:
            return Openness("closed", "nobody lists the buckets of an account without credentials")
        with Client(self.access) as client:
            return openness(client, _Objects(replace(self, credentials=None)).listing(page_size=1))


def _is_bucket(name: str) -> bool:
    return _BUCKET.fullmatch(name) is not None


class _Objects:
    """The listing of one bucket; it learns the region."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._region = store.region
        self._moved = False

    def pages(self, client: Client) -> Generator[Page | NotScanned, None, End]:
        """Page after page."""
        return (yield from pages(client, self.listing(self._store.access.limits.page_size)))

    def listing(self, page_size: int) -> Listing:
        """How it is asked for."""
        store = self._store
        fixed: list[tuple[str, str | bytes]] = [("versions", "")] if store.access.versions else [("list-type", "2")]
        fixed += [("encoding-type", "url")]
        fixed += [("prefix", store.prefix)] if store.prefix else []
        fixed += [("max-keys", str(page_size))] if page_size else []

        def ask(mark: Parameters) -> Request:
            return _request(store, self._base().asking((*fixed, *mark)), self._region)

        container = store.bucket.encode()
        return Listing(store.origin.encode(), container, "s3-xml", ask, following, self._learns_region)

    def _base(self) -> Url:
        store = self._store
        if store.base is not None:
            return store.base
        return bucket_url(store.access, store.bucket, self._region)

    def _learns_region(self, answer: Answer) -> bool:
        region = answer.headers.get("x-amz-bucket-region", "") or error_region(answer.body)
        if self._moved or answer.status not in (301, 307, 400, 403) or region == self._region:
            return False
        if not _REGION.fullmatch(region):
            return False
        self._region, self._moved = region, True
        return True


def region_of(store: S3Store) -> tuple[Url, str]:
    """Where a bucket lies, and its region: one at Amazon's own is asked for its listing, and says where it is."""
    objects = _Objects(store)
    if store.base is None and objects._base().host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        listing = objects.listing(page_size=1)
        with contextlib.suppress(UnansweredError), Client(store.access) as client:
            listing.retry(client.get(listing.ask(())))
    return objects._base(), objects._region


def _buckets(store: S3Store) -> Listing:
    """How the buckets of an account are asked for."""
    root = BUCKETS[0]

    def ask(mark: Parameters) -> Request:
        return _request(store, bucket_url(store.access, "", store.region).asking(mark), store.region)

    def next_buckets(page: bytes) -> Parameters | None:
        if root_of(page) != root:
            raise UnreadableError("what it answers is no list of buckets")
        path = (root, "ContinuationToken")
        token = raw("".join(xml_texts(page, {path: 1})[path]))
        return (("continuation-token", token),) if token else None

    return Listing(b"buckets", b"", "s3-xml", ask, next_buckets)


def _request(store: S3Store, url: Url, region: str) -> Request:
    if store.credentials is None:
        return Request(url)
    return Request(url, aws_signature(store.credentials, url, region), signed=True)


def following(page: bytes) -> Parameters | None:
    """What leads from a page to the next one."""
    root = root_of(page)
    if root not in ("ListBucketResult", "ListVersionsResult"):
        raise UnreadableError("what it answers is no listing of a bucket")
    names = "IsTruncated EncodingType NextContinuationToken NextMarker NextKeyMarker NextVersionIdMarker".split()
    paths: dict[str, Path] = {name: (root, name) for name in names}
    last: dict[Path, int] = {(root, "Contents", "Key"): 1, (root, "CommonPrefixes", "Prefix"): 1}
    found = xml_texts(page, dict.fromkeys(paths.values(), 1) | last)
    told = {name: raw("".join(found[path]).strip()) for name, path in paths.items()}
    if told["IsTruncated"].lower() != b"true":
        return None

    def key(text: bytes) -> bytes:
        return unquote_to_bytes(text.replace(b"+", b" ")) if told["EncodingType"].lower() == b"url" else text

    if told["NextContinuationToken"]:
        return (("continuation-token", told["NextContinuationToken"]),)
    if told["NextKeyMarker"]:
        version = told["NextVersionIdMarker"]
        return (("key-marker", key(told["NextKeyMarker"])), *((("version-id-marker", version),) if version else ()))
    marker = told["NextMarker"] or max(raw("".join(found[path])) for path in last)
    if not marker or root == "ListVersionsResult":
        raise UnreadableError("it says that it goes on, and not where")
    return (("marker", key(marker)),)


# --- targets ---------------------------------------------------------------------------------------------------------


def bucket_url(access: Access, bucket: str, region: str) -> Url:
    """Where a bucket lies: in the host where its name allows that, else, and at another endpoint, in the path."""
    environment = access.environment
    named = access.endpoint or environment.get("AWS_ENDPOINT_URL_S3", "") or environment.get("AWS_ENDPOINT_URL", "")
    if named:
        base = parse(named, plain_http=access.plain_http)
        return base.below(bucket) if bucket else base
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    if _IN_HOST.fullmatch(bucket):
        return Url("https", f"{bucket}.s3.{region}.{domain}")
    return Url("https", f"s3.{region}.{domain}", f"/{quoted(bucket)}")


def s3_store(target: str, access: Access) -> S3Store:
    """`s3://bucket/prefix`, or `s3://` for all buckets."""
    bucket, _, prefix = target.removeprefix("s3://").partition("/")
    if bucket and not _is_bucket(bucket):
        raise TargetError(f"{shown(target)}: that is no name of a bucket: write s3://bucket/prefix")
    environment = access.environment
    region = access.region or environment.get("AWS_REGION", "") or environment.get("AWS_DEFAULT_REGION", "")
    region = region or "us-east-1"
    if not _REGION.fullmatch(region):
        raise TargetError(f"{printable(region)} is no region: write one such as eu-central-1")
    credentials = aws_credentials(access)
    if not bucket and credentials is None:
        raise TargetError("s3:// stands for all buckets of an account, and there are no credentials: name a bucket")
    bucket_url(access, bucket, region)  # says what is wrong with an endpoint
    return S3Store(access, bucket, prefix, credentials=credentials, region=region)


def from_amazon_url(url: Url, access: Access) -> S3Store | None:
    """The bucket that a URL of Amazon's own hosts names; None for another host, or none. It is read anonymously."""
    found = _HOST.fullmatch(url.host)
    if not found:
        return None
    path = url.path.lstrip("/")
    bucket = found["bucket"] or ""
    if not bucket:
        bucket, _, path = path.partition("/")
    if not _is_bucket(bucket):
        raise TargetError(f"{url.shown} names no bucket: write https://bucket.s3.amazonaws.com/")
    prefix = url.parameter("prefix") or unquote_to_bytes(path).decode("utf-8", "surrogateescape")
    environment = {name: value for name, value in access.environment.items() if not name.startswith("AWS_ENDPOINT_")}
    access = replace(access, endpoint="", environment=environment)
    return S3Store(access, bucket, prefix, region=found["region"] or "us-east-1")


def at(url: Url, access: Access) -> S3Store:
    """A bucket of whoever speaks S3's language, by the URL that gave a listing."""
    named = url.shown.rstrip("/")
    return S3Store(access, "", url.parameter("prefix"), url.without(_PAGING), named)
