"""URLs of stores: taken apart, changed and put together without changing a byte that was not to be changed.

A signature covers the very bytes of a path and a query, so neither is decoded and encoded again. RFC 3986.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit

from ..errors import TargetError
from ..model import is_here
from .shown import shown, shown_path

Parameters = Sequence[tuple[str, str | bytes]]
"""Names and values, decoded."""

LONGEST = 16 << 10
LONGEST_SHOWN = 200

SELECTS = frozenset("prefix delimiter list-type encoding-type versions restype comp format alt path".split())
"""Parameters that say which folder is listed and how: none of them is a credential."""
PLAIN = SELECTS | frozenset(
    "continuation-token start-after marker max-keys key-marker version-id-marker fetch-owner include maxresults "
    "showonly timeout pagetoken nextpagetoken fields limit end_marker reverse c o f v p sort order".split()
)
"""Those, and others that lead through a listing or order it."""


@dataclass(frozen=True, slots=True)
class Url:
    """`authority` is the host, with its port where that is not the scheme's; `path` begins with `/`; `path` and `query`
    are as they are sent."""

    scheme: str
    authority: str
    path: str = field(default="/", repr=False)
    query: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Without the port, an IPv6 address without its brackets."""
        name, colon, port = self.authority.rpartition(":")
        return (name if colon and port.isdigit() else self.authority).strip("[]")

    @property
    def port(self) -> int | None:
        """None where it is the scheme's own."""
        _, colon, port = self.authority.rpartition(":")
        return int(port) if colon and port.isdigit() else None

    @property
    def site(self) -> str:
        """Scheme and authority."""
        return f"{self.scheme}://{self.authority}"

    @property
    def shown(self) -> str:
        """For people: without its query, in which a signature may stand, or what of one stands in its path."""
        return self.site + shown_path(unquote(self.path, errors="replace"))

    @property
    def target(self) -> str:
        """What a request asks for."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def below(self, *names: str) -> Url:
        """The URL of what is called so below this one, without a query."""
        path = self.path.rstrip("/") + "".join("/" + quoted(name, keep="/") for name in names)
        return replace(self, path=path or "/", query="")

    def asking(self, parameters: Parameters) -> Url:
        """The same with these parameters behind those that it has."""
        added = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in parameters)
        return replace(self, query="&".join(filter(None, (self.query, added))))

    def without(self, names: Iterable[str]) -> Url:
        """The same without the parameters of these names (in small letters)."""
        left = set(names)
        kept = (part for part in self.query.split("&") if part and _name(part) not in left)
        return replace(self, query="&".join(kept))

    def only(self, names: Set[str]) -> Url:
        """The same with the parameters of these names alone."""
        return replace(self, query="&".join(part for part in self.query.split("&") if _name(part) in names))

    @property
    def is_plain(self) -> bool:
        """Whether nothing in its query could be a credential."""
        return all(_name(part) in PLAIN for part in self.query.split("&") if part)

    def parameter(self, name: str) -> str:
        """The first value of a parameter, decoded; empty where there is none. What is no UTF-8 is escaped in it."""
        found = (part.partition("=")[2] for part in self.query.split("&") if _name(part) == name)
        return unquote(next(found, "").replace("+", " "), errors="surrogateescape")


def _name(part: str) -> str:
    return unquote(part.partition("=")[0]).lower()


def quoted(text: str | bytes, keep: str = "") -> str:
    """Text as it stands in a path or a query; but for the unreserved characters and `keep`, all is encoded."""
    plain = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return quote(plain, safe=keep + "-_.~")


def bracketed(host: str) -> str:
    """A host as it stands in a URL: an IPv6 address in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def parse(text: str, *, plain_http: bool) -> Url:
    """A URL that was given. It must be https, or http to this machine itself."""
    if len(text) > LONGEST:
        raise TargetError(f"the URL is longer than {LONGEST} characters: it is none of a store")
    called = shown(text)[:LONGEST_SHOWN]
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as error:
        raise TargetError(f"this is no URL: {called}: write https://host/path") from error
    if "@" in parts.netloc:
        raise TargetError(f"{called}: a name and password in a URL are not sent: take them out")
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise TargetError(f"this is no URL of a store: {called}: write https://host/path")
    named = bracketed(host)
    if parts.scheme == "http" and not (plain_http or is_here(named)):
        raise TargetError(f"{host}: over http anybody on the way reads what is sent: write https://")
    authority = f"{named}:{port}" if port and port != {"http": 80, "https": 443}[parts.scheme] else named
    return Url(parts.scheme, authority, _safe(parts.path) or "/", _safe(parts.query))


_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?|[0-9A-Fa-f:.]{2,45}")


def _safe(text: str) -> str:
    """What a URL cannot hold, encoded; the rest as it is."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="%/:?#[]@!$&'()*+,;=-_.~")
