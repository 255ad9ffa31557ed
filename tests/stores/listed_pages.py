"""What tests of stores look at: the pages of a store, and what could not be had."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from oakum.scanner.model import NotScanned
from oakum.scanner.sources.stores import Access, Limits, Page
from oakum.scanner.sources.stores.opening import open_store

QUICK = Limits(
    connect=5, silence=5, answer=10, all=60, retries=2, pause=0.01, longest_pause=0.2, page_bytes=4 << 20, pages=500
)


def access(environment: Mapping[str, str] | None = None, **more: Any) -> Access:
    """With short times, and the time that it is now: signatures are made for it."""
    limits = replace(QUICK, **more.pop("limits", {}))
    return Access(environment or {}, datetime.now(UTC), limits=limits, **more)


@dataclass(frozen=True)
class Listed:
    """All that a store gave."""

    pages: list[Page]
    left_out: list[NotScanned]

    @property
    def keys(self) -> dict[bytes, list[bytes]]:
        """By container the names of objects in pages of XML, in order; decoded where a page says so."""
        found: dict[bytes, list[bytes]] = {}
        for page in self.pages:
            if page.container:
                names = re.findall(rb"<(?:Blob|Contents|Version)>.*?<(?:Name|Key)>([^<]*)</", page.data, re.DOTALL)
                if b"EncodingType>url<" in page.data:
                    names = [unquote_to_bytes(name.replace(b"+", b" ")) for name in names]
                found.setdefault(page.container, []).extend(names)
        return found

    @property
    def why(self) -> list[str]:
        """What could not be had, in words."""
        return [f"{n.what.decode()}: {n.why}" for n in self.left_out]


def listed(target: str, with_: Access) -> Listed:
    """All pages of a target."""
    return collected(open_store(target, with_).pages())


def collected(read: Iterable[Page | NotScanned]) -> Listed:
    """Pages, and what is none."""
    pages: list[Page] = []
    left_out: list[NotScanned] = []
    for one in read:
        if isinstance(one, Page):
            pages.append(one)
        else:
            left_out.append(one)
    return Listed(pages, left_out)
