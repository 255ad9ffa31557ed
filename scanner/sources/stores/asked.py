"""What stores share that are asked page by page, and those among them that are known by their URL alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from ...model import NotScanned
from . import Access, Page
from .http import Client

if TYPE_CHECKING:
    from ...net.urls import Url


class AskedStore(ABC):
    """A store whose pages are asked for with one client."""

    __slots__ = ()
    access: Access

    def pages(self) -> Iterator[Page | NotScanned]:
        """Its listing, page by page, and what of it could not be had."""
        with Client(self.access) as client:
            yield from self.listed(client)

    @abstractmethod
    def listed(self, client: Client) -> Iterator[Page | NotScanned]:
        """The same with connections that are open."""


class OpenStore(AskedStore):
    """A store of which nothing is known but its URL: no credential goes with it."""

    __slots__ = ()
    base: Url

    @property
    def title(self) -> str:
        """For people."""
        return self.base.shown

    @property
    def origin(self) -> str:
        """The URL, without a slash at its end."""
        return self.base.shown.rstrip("/")

    @property
    def exposure(self) -> Literal["anonymous", "signed"]:
        """Nothing goes with it."""
        return "anonymous"
