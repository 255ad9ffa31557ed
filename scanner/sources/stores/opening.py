"""Which store a target means, and how it is asked: by its scheme, its query, its host, in this order."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...errors import TargetError
from ...net.shown import shown
from ...net.urls import Url, parse
from . import Access, Store, azure, gcs, s3
from .web import WebStore

SCHEMES: dict[str, Callable[[str, Access], Store]] = {
    "s3": s3.s3_store,
    "gs": gcs.gcs_store,
    "az": azure.azure_store,
    "https": lambda target, access: _by_url(target, access),
    "http": lambda target, access: _by_url(target, access),
}
"""What a target of a store begins with."""

_BY_QUERY = {
    "s3": "https://BUCKET.s3.amazonaws.com/?prefix=PREFIX",
    "gs": "https://storage.googleapis.com/BUCKET?prefix=PREFIX",
    "az": "https://ACCOUNT.blob.core.windows.net/CONTAINER?SAS",
}
"""What is written where something stands behind a `?`."""

_SIGNED = ("x-amz-signature", "x-goog-signature", "x-oss-signature", "signature", "sig")
"""Parameters that make a URL one of a single request."""


def open_store(target: str, access: Access) -> Store:
    """The store that a target means. Nothing is asked yet; what cannot be asked so is an error that says what to do."""
    scheme, _, rest = target.strip().partition("://")
    if scheme.lower() not in SCHEMES:
        raise TargetError(f"{shown(target)}: write s3://, gs://, az:// or https://")
    if (instead := _BY_QUERY.get(scheme.lower())) and ("?" in rest or _SIGNATURE.search(rest)):
        raise TargetError(
            f"{shown(target)}: {scheme.lower()}:// is followed by names alone, and no signature in it is sent: "
            f"write {instead}"
        )
    return SCHEMES[scheme.lower()](f"{scheme.lower()}://{rest}", access)


_SIGNATURE = re.compile(r"sig(?:nature)?(?:=|%(?:25)*3d)", re.IGNORECASE)


def _by_url(target: str, access: Access) -> Store:
    url = parse(target, plain_http=access.plain_http)
    if azure.is_sas(url):
        return azure.with_sas(url, access)
    if any(map(url.parameter, _SIGNED)):
        raise TargetError(
            f"{url.shown}: a signed URL opens one object and cannot list; `oakum explain` says what it is worth"
        )
    return _by_host(url, access) or WebStore(access, url)


def _by_host(url: Url, access: Access) -> Store | None:
    return s3.from_amazon_url(url, access) or gcs.from_google_url(url, access) or azure.from_azure_url(url, access)
