"""Objects read with obstore (https://developmentseed.org/obstore/), which is an extra of oakum.

It connects by itself, and left alone it would obey the environment (keys, endpoints, proxies), ask a cloud's metadata
service for credentials, and follow redirects. So every setting that the environment could give is given here; there is
always a key or the word that there is none; the address is checked before, and a proxy where nothing listens stands
before every host but the store's own: a redirect to another one leads nowhere. What it says of an error repeats what
the server said, and is not shown: only its status and the provider's word for it are read. A whole object is asked for
only of servers that give no ranges, and as a stream.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import certifi

from ...errors import UsageError
from ...model import PIECE_SIZE, clean
from ...net.proxies import proxy_of
from .answers import EXPIRED, UNTRUSTED, error_code
from .credentials import AwsCredentials
from .http import require_allowed
from .reading import ObjectReader, Part, ReadSpec, UnreadError, Wanted, unaddressable

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult
    from obstore.store import HTTPStore, S3Store

AGENT = "oakum (secret scanner; reads only)"
NOWHERE = "http://127.0.0.1:0"
"""A proxy at which nothing can listen."""
STREAM_PART = 1 << 20
RETRIES = 3
VERSIONS_KEPT = 8
ARCHIVED = frozenset({"InvalidObjectState", "BlobArchived", "BlobBeingRehydrated"})
CHANGED = "it has changed since it was listed: list it again"
GONE = "it went away after it was listed"
"""What a listing told, and is no longer so."""


def reader_for(spec: ReadSpec) -> ObjectReader:
    """What reads the objects of a container; UsageError without obstore, UnansweredError where the host may not be
    asked."""
    try:
        import obstore.store as stores
    except ImportError as error:
        raise UsageError("obstore is missing, which reads objects: pip install 'oakum[cloud]'") from error
    require_allowed(spec.base, proxied=bool(proxy_of(spec.base, spec.access.environment)))
    return _Reader(spec, stores)


class _Reader:
    """Reads the objects of one container."""

    def __init__(self, spec: ReadSpec, stores: Any) -> None:
        self._spec = spec
        self._stores = stores
        self._client = _client_options(spec)
        self._made: dict[str, HTTPStore | S3Store] = {}
        self._has_ranges = True

    async def parts(self, wanted: Wanted, most: int) -> AsyncGenerator[Part, None]:
        """An object, range after range, all of the same state of it."""
        if why := unaddressable(wanted.key):
            raise UnreadError(why)
        store, key = self._store(wanted.version), wanted.key.decode("utf-8")
        try:
            async for part in self._ranges(store, key, wanted, most):
                yield part
        except (self._errors, OSError, ValueError) as error:
            raise self._unread(error) from None

    @property
    def _errors(self) -> type[Exception]:
        from obstore.exceptions import BaseError

        return BaseError

    async def _ranges(self, store: HTTPStore | S3Store, key: str, wanted: Wanted, most: int) -> AsyncIterator[Part]:
        from obstore import get_async

        first = min(most, PIECE_SIZE, wanted.size if wanted.size >= 0 else PIECE_SIZE)
        options: GetOptions = {"version": wanted.version} if self._spec.kind == "s3" and wanted.version else {}
        got = None
        if first > 0 and self._has_ranges:
            try:
                got = await get_async(store, key, options={**options, "range": (0, first)})
            except (self._errors, OSError) as error:
                missing = _missing_ranges(error)
                if not missing:
                    raise
                self._has_ranges = missing == "of this object"
        by_ranges = got is not None
        got = got or await get_async(store, key, options=options)
        total, etag = got.meta["size"], got.meta["e_tag"] or ""
        self._require_same(wanted, key, got)
        if not by_ranges:
            async for part in _streamed(got, total, etag, most):
                yield part
            return
        data = await _whole(got)
        at = len(data)
        while True:
            yield Part(data, total, etag, last=at >= total)
            if at >= min(total, most):
                return
            options["range"] = (at, min(at + PIECE_SIZE, total, most))
            if etag and not etag.startswith("W/"):
                options["if_match"] = etag
            got = await get_async(store, key, options=options)
            if got.meta["size"] != total or (got.meta["e_tag"] or "") != etag:
                raise UnreadError("it changes while it is read")
            data = await _whole(got)
            at += len(data)

    def _require_same(self, wanted: Wanted, key: str, got: GetResult) -> None:
        """UnreadError for another object than that which was listed, as far as can be told."""
        if got.meta["path"] != key:
            raise UnreadError("its key cannot be asked for as it is")
        if self._spec.kind == "gcs" and wanted.version:  # its JSON has etags of another kind; the version says it all
            return
        told, tells = _plain(wanted.etag), _plain(got.meta["e_tag"] or "")
        if told and tells:
            if told != tells:
                raise UnreadError(CHANGED)
        elif self._spec.kind != "http" and wanted.size >= 0 and wanted.size != got.meta["size"]:
            raise UnreadError(CHANGED)

    def _store(self, version: str) -> HTTPStore | S3Store:
        """What obstore calls a store, of one version of an object where the URL has to name that."""
        spec = self._spec
        query = spec.query_of(version)
        store = self._made.get(query)
        if store is None:
            if len(self._made) >= VERSIONS_KEPT:
                self._made.clear()
            store = self._s3() if spec.kind == "s3" else self._http(query)
            self._made[query] = store
        return store

    def _http(self, query: str) -> HTTPStore:
        url = replace(self._spec.base, query=query)
        made: HTTPStore = self._stores.HTTPStore(
            url.site + url.target, client_options=self._client, retry_config=_retries()
        )
        return made

    def _s3(self) -> S3Store:
        spec = self._spec
        base = spec.base.site + spec.base.path.rstrip("/")
        provider = {"credential_provider": _Static(spec.credentials)} if spec.credentials else {}
        made: S3Store = self._stores.S3Store(
            "none",  # it stands in the URL
            config={**_S3, "endpoint": base, "aws_endpoint_url_s3": base}
            | {"region": spec.region, "default_region": spec.region, "skip_signature": spec.credentials is None},
            client_options=self._client,
            retry_config=_retries(),
            **provider,
        )
        return made

    def _unread(self, error: Exception) -> UnreadError:
        """What an error means for people."""
        text = str(error).partition("\n\nDebug source:")[0]
        found = _STATUS.search(text)
        if found:
            status, code = int(found[1]), error_code({}, found[2].encode("utf-8", "replace"))
            return _refused(status, "" if self._was_sent(code) else code, signed=self._spec.signed)
        if isinstance(error, FileNotFoundError):
            return UnreadError(GONE)
        debug = str(error)
        if "TimedOut" in debug or "kind: Timeout" in debug or "timed out" in debug:
            return UnreadError("it does not come in time: try again later")
        if "invalid peer certificate" in debug:
            return UnreadError(
                "the certificate of its store is not trusted: name the file of the authority that signed it", final=True
            )
        if "redirect without LOCATION" in text:
            return UnreadError("its store redirects, and does not say where: is the region right?")
        if "error sending request" in text:
            return UnreadError("its store cannot be reached, or redirects to another host, which is not followed")
        if "body error" in text or "error decoding response" in text:
            return UnreadError("the connection breaks before it is there: try again later")
        return UnreadError(f"what its store answers cannot be read ({clean(type(error).__name__)})")

    def _was_sent(self, code: str) -> bool:
        """Whether a server repeats what was sent to it, in place of a word of its own."""
        keys = self._spec.credentials
        sent = (self._spec.query, self._spec.token, *((keys.key_id, keys.secret, keys.token) if keys else ()))
        return not _WORD.fullmatch(code) or any(code in text for text in sent)


class _Static:
    """The credentials that are there, and no others."""

    def __init__(self, held: AwsCredentials) -> None:
        self._held = held

    def __call__(self) -> dict[str, Any]:
        held = self._held
        return {
            "access_key_id": held.key_id,
            "secret_access_key": held.secret,
            "token": held.token or None,
            "expires_at": None,
        }


_S3: dict[str, Any] = {
    "access_key_id": "none",
    "secret_access_key": "none",
    "virtual_hosted_style_request": True,
    "checksum_algorithm": "sha256",
    "conditional_put": "etag",
    "copy_if_not_exists": "multipart",
    "disable_bulk_delete": True,
    "disable_tagging": True,
    "imdsv1_fallback": False,
    "request_payer": False,
    "s3_express": False,
    "server_side_encryption": "AES256",
    "sse_bucket_key_enabled": False,
    "unsigned_payload": False,
}
"""All that `AWS_…` variables could set otherwise (tests/stores/test_reading_safely.py); most is for writing."""


def _client_options(spec: ReadSpec) -> dict[str, Any]:
    limits = spec.access.limits
    proxy = proxy_of(spec.base, spec.access.environment)
    through = {"proxy_url": proxy} if proxy else {"proxy_url": NOWHERE, "proxy_excludes": spec.base.host}
    return {
        **through,
        "allow_http": spec.base.scheme == "http",
        "allow_invalid_certificates": False,
        "connect_timeout": timedelta(seconds=limits.connect),
        "default_content_type": "application/octet-stream",
        "default_headers": spec.headers,
        "http1_only": True,
        "http2_only": False,
        "pool_idle_timeout": timedelta(seconds=5),
        "randomize_addresses": False,
        "read_timeout": timedelta(seconds=limits.silence),
        "root_certificate": _authorities(spec.access.certificates),
        "timeout": timedelta(seconds=limits.answer),
        "user_agent": AGENT,
    }


def _authorities(file: str) -> bytes:
    """Those of Mozilla, and those of a file; those of the machine are trusted anyway."""
    found = b""
    for path in filter(None, (certifi.where(), file)):
        try:
            with open(path, "rb") as certificates:
                found += certificates.read() + b"\n"
        except OSError as error:
            raise UsageError(f"{clean(path)} is no file of certificates (PEM): {error.strerror}") from error
    return found


def _retries() -> Any:
    pauses = {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=15), "base": 2}
    return {"max_retries": RETRIES, "retry_timeout": timedelta(minutes=3), "backoff": pauses}


async def _whole(got: GetResult) -> bytes:
    """All of a range."""
    start, end = got.range
    data = (await got.bytes_async()).to_bytes()
    if len(data) != end - start or not data:
        raise UnreadError("its store gives another length than it says")
    return data


async def _streamed(got: GetResult, total: int, etag: str, most: int) -> AsyncIterator[Part]:
    """All of an object up to `most` bytes."""
    at = 0
    async for data in got.stream(STREAM_PART):
        for start in range(0, len(data), PIECE_SIZE):
            piece = data[start : min(start + PIECE_SIZE, start + most - at)]
            at += len(piece)
            yield Part(piece, total, etag, last=at >= total)
            if at >= most:
                return
    if at < total:
        raise UnreadError("it ends before its end: its store gives another length than it says")
    if not at:
        yield Part(b"", 0, etag, last=True)


def _plain(etag: str) -> str:
    """An etag without what headers put around it; Alibaba's listings and headers differ in nothing but quotes."""
    return etag.strip().removeprefix("W/").strip('"').lower()


def _missing_ranges(error: Exception) -> Literal["", "of this object", "of any"]:
    """Whether an error says that there is no such range of an object, as it is empty, say, or that none are given."""
    from obstore.exceptions import NotSupportedError

    text = str(error).partition("\n\nDebug source:")[0]
    if found := _STATUS.search(text):
        return "of this object" if found[1] == "416" else ""
    return "of any" if isinstance(error, NotSupportedError) or "non-partial response" in text else ""


_STATUS = re.compile(r"Server returned non-2xx status code: (\d{3})[^:]{0,60}(?:: (.*))?", re.DOTALL)
_WORD = re.compile(r"[A-Z][A-Za-z]{2,50}")


def _refused(status: int, code: str, *, signed: bool) -> UnreadError:
    """What an answer means that is no object."""
    said = f"{status} {code}" if code else str(status)
    if code in ARCHIVED:
        return UnreadError(f"it is archived ({said}): it can be read only after it has been restored")
    if code in EXPIRED:
        return UnreadError(f"the credentials have expired ({said}): run it again with new ones", final=True)
    if code in UNTRUSTED:
        return UnreadError(f"its store does not take the credentials ({said})", final=True)
    if code in ("NoSuchBucket", "ContainerNotFound"):
        return UnreadError(f"its container is not there ({said})", final=True)
    if status in (404, 410):
        return UnreadError(f"{GONE} ({said})")
    if status in (304, 412):
        return UnreadError(CHANGED)
    if status in (401, 403):
        who = "these credentials may not read it" if signed else "not everybody may read it"
        return UnreadError(f"it is refused: {who} ({said})")
    if status == 429 or code in ("SlowDown", "ServerBusy"):
        return UnreadError(f"its store wants to be asked less ({said}): try again later")
    return UnreadError(f"its store answers {said}")
