"""Pages of a host's API: asked for one after the other, and again with what the host said of them.

A page that is as it was is answered with 304 (RFC 9110, 15.4.5), which hosts count against no limit. The last page is
asked for as a whole all the same: its ETag does not say that another page follows it by now. A limit is waited for, if
that is not too long: `Retry-After` (RFC 9110, 10.2.3), or the time of a reset, reckoned by the host's own `Date`. What
may pass (5xx, a connection that breaks) is tried again. Links are those of RFC 8288.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import OakumError
from ...logins import Login
from ...model import clean
from ...net.http import Answer, Client, Request, UnansweredError
from ...net.urls import Url, parse, quoted
from .access import Access, UnlistedError
from .limits import passes, wished

MOST_PAGES = 2_000
TRIES = 5
"""How often a page is asked for that is not answered."""
LONGEST_LISTING = 3 * 3600.0
"""Seconds that listing a target may take."""
WAITS = 4
"""How often the patience for one wait may be used up in a listing."""
LARGEST_PAGE = 16 << 20
MOST_VALUES = 400_000
"""Objects and lists in a page: some 30 MB, when they are read."""
LONGEST_LINK = 16 << 10
_KEPT = ("link", "x-ms-continuationtoken", "x-github-sso")
"""Headers that belong to what a page says."""
_ETAG = re.compile(r"(?:W/)?\"[\x21\x23-\x7e]{0,200}\"")
_LINK = re.compile(
    r"<(?P<url>[^<>]{1,16384})>(?P<parameters>(?:\s*;\s*[a-z*]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)", re.I
)
_NEXT = re.compile(r"\brel\s*=\s*\"?(?:[^\";]{0,200}\s)?next[\s\";]", re.I)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: where it is, what it holds, and its headers (in small letters)."""

    url: str
    status: int
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def entries(self) -> list[object]:
        """What is listed. UnlistedError where it is no list."""
        if not isinstance(self.content, list):
            raise UnlistedError("the host answers with something else than a list: see whether it is the right host")
        return self.content

    def listed(self, name: str) -> list[object]:
        """What is listed under a name. UnlistedError where there is no list."""
        value = self.content.get(name) if isinstance(self.content, dict) else None
        if not isinstance(value, list):
            raise UnlistedError(f"the host lists nothing under `{name}`: see whether it is the right host")
        return value

    @property
    def next(self) -> str:
        """The URL of the next one, by the header `Link`; empty where it is the last. UnlistedError where that cannot be
        told."""
        header = self.headers.get("link", "")
        if len(header) <= LONGEST_LINK:
            for link in _LINK.finditer(header):
                if _NEXT.search(link["parameters"] + ";"):
                    return link["url"]
        if len(header) > LONGEST_LINK or _NEXT.search(header + ";"):
            raise UnlistedError("the host names a next page in a way that cannot be read (`Link`)")
        return ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a host is asked: `headers` go with every request; `authorization` is made of a login; `variables` are those
    that hold its tokens, for messages; `next` is where the page after a page is, empty for the last."""

    name: str
    authorization: Callable[[Login], str]
    variables: str
    headers: Mapping[str, str] = field(default_factory=dict)
    next: Callable[[Page], str] = lambda page: page.next


def bearer(login: Login) -> str:
    """RFC 6750."""
    return f"Bearer {login.password}"


def basic(login: Login) -> str:
    """RFC 7617."""
    return "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode("utf-8", "surrogateescape")).decode()


class Api:
    """The API of a host. Used as a context."""

    def __init__(self, base: str, dialect: Dialect, access: Access) -> None:
        """UnlistedError where `base` is no URL."""
        try:
            self._base = parse(base, plain_http=False)
        except OakumError as error:
            raise UnlistedError(str(error)) from error
        self._dialect, self._access = dialect, access
        self._login = access.login(base)
        given = access.outbound.limits
        limits = replace(given, all=min(given.all, LONGEST_LISTING), page_bytes=min(given.page_bytes, LARGEST_PAGE))
        self._client = Client(replace(access.outbound, limits=limits))
        self._waited = 0.0

    def __enter__(self) -> Api:
        self._client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__(None, None, None)

    @property
    def has_login(self) -> bool:
        """Whether something is sent that says who asks."""
        return self._login is not None

    def url(self, *names: str, query: str = "") -> str:
        """A URL below the API's own; names are encoded, with the slashes in them."""
        found = self._base.site + self._base.path.rstrip("/") + "".join("/" + quoted(name) for name in names)
        return f"{found}?{query}" if query else found

    def pages(self, page: Page) -> Iterator[Page]:
        """A page, and those that follow. UnlistedError where one is not to be had, or leads astray."""
        seen = {page.url}
        yield page
        while url := self._dialect.next(page):
            asked = self._url(url)
            url = asked.site + asked.target
            if url in seen:
                raise UnlistedError(f"{self._host} leads in a circle: it gives the same page again as the next one")
            seen.add(url)
            if len(seen) > MOST_PAGES:
                raise UnlistedError(f"{self._host} gives more than {MOST_PAGES:,} pages: it is not believed")
            page = self.get(url)
            yield page

    def get(self, url: str, *, bearing: Container[int] = ()) -> Page:
        """A page; one without content and with its status where that is among those to be borne. UnlistedError."""
        asked = self._url(url)
        url = asked.site + asked.target
        name = self._name(url)
        kept = _kept(url, self._access.pages.read(name))
        answer = self._answer(asked, {"If-None-Match": kept[0]} if kept else {})
        if answer.status == 304 and kept:
            told = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
            return replace(kept[1], headers={**kept[1].headers, **told})
        if answer.status in bearing:
            return Page(url, answer.status, None)
        if answer.status != 200:
            raise UnlistedError(self._refused(answer))
        page = Page(url, 200, self._content(answer.body), answer.headers)
        if _may_be_kept(answer) and self._is_followed(page):
            self._access.pages.write(name, _written(page, answer))
        return page

    def _is_followed(self, page: Page) -> bool:
        try:
            return bool(self._dialect.next(page))
        except UnlistedError:  # said when the next one is asked for: this one is whole
            return False

    def without(self, why: str) -> UnlistedError:
        """The error for what is not there."""
        if self._login is None:
            why = f"{why}, or may be read with a token only: set {self._dialect.variables}"
        return UnlistedError(f"{self._host}: {why}")

    @property
    def _host(self) -> str:
        return clean(self._base.authority)

    def _content(self, body: bytes) -> Any:
        if body.count(b"[") + body.count(b"{") > MOST_VALUES:
            raise UnlistedError(
                f"{self._host} answers with a page of more than {MOST_VALUES:,} parts: it is not believed"
            )
        try:
            return json.loads(body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise UnlistedError(f"{self._host} answers with what is no JSON: see whether the host is right") from None

    def _url(self, text: str) -> Url:
        try:
            url = parse(text, plain_http=False)
        except OakumError as error:
            raise UnlistedError(f"{self._host} names a next page that is no URL") from error
        if url.site != self._base.site:
            raise UnlistedError(f"{self._host} leads to another host for the next page: it is not followed")
        return url

    def _name(self, url: str) -> str:
        """The name under which a page is kept: who asks with another login does not see it."""
        key = basic(self._login).encode() if self._login else b""
        return hmac.new(key, f"page {self._dialect.name} {url}".encode(), hashlib.sha256).hexdigest()

    def _answer(self, url: Url, headers: Mapping[str, str]) -> Answer:
        sent = dict(self._dialect.headers) | dict(headers)
        if self._login is not None:
            sent["Authorization"] = self._dialect.authorization(self._login)
        why = ""
        for tried in range(TRIES):
            pause = 2.0**tried
            try:
                answer = self._client.ask(Request(url, sent, signed=True))
            except UnansweredError as error:
                if not error.passing:
                    raise UnlistedError(f"{self._host}: {error}") from error
                why = str(error)
            except OakumError as error:  # credentials that cannot be sent
                raise UnlistedError(f"{self._host}: {error}") from error
            else:
                if not passes(answer):
                    return answer
                why = f"it answers {answer.status}"
                pause = max(pause, wished(answer, tried))
            if tried < TRIES - 1:
                self._wait(pause, why)
        raise UnlistedError(f"{self._host}: {why}; it was asked {TRIES} times")

    def _wait(self, seconds: float, why: str) -> None:
        """Wait, if that is not too long. UnlistedError."""
        whose = "this token" if self._login else f"those without a token: set {self._dialect.variables}"
        if seconds > self._access.patience:
            raise UnlistedError(
                f"{self._host}: {why}, and wants {seconds / 60:.0f} minutes to pass before it is asked again "
                f"(its limit for {whose})"
            )
        self._waited += seconds
        if self._waited > WAITS * self._access.patience:
            raise UnlistedError(f"{self._host}: {why}, and it was waited for often enough (its limit for {whose})")
        self._access.wait(seconds)

    def _refused(self, answer: Answer) -> str:
        if answer.status in (401, 403, 203):
            if self._login is None:
                return f"{self._host} answers {answer.status}: it wants a token: set {self._dialect.variables}"
            source = clean(self._login.source) or "the login"
            return f"{self._host} answers {answer.status}: what {source} holds has expired, or may not list this"
        if answer.status in (301, 302, 307, 308):
            return (
                f"{self._host} answers {answer.status}, and leads elsewhere, which is not followed: either what was "
                "asked for has another name now, or it wants a token"
            )
        if answer.status == 404:
            return str(self.without("there is no such organization, group, user or project"))
        return f"{self._host} answers {answer.status}"


def _may_be_kept(answer: Answer) -> bool:
    etag = _ETAG.fullmatch(answer.headers.get("etag", ""))
    return etag is not None and "no-store" not in answer.headers.get("cache-control", "").lower()


def _written(page: Page, answer: Answer) -> bytes:
    headers = {name: page.headers[name] for name in _KEPT if name in page.headers}
    return json.dumps([answer.headers["etag"], headers, answer.body.decode("utf-8-sig")]).encode()


def _kept(url: str, content: bytes | None) -> tuple[str, Page] | None:
    """What is known of a page from last time, and how it was marked."""
    try:
        etag, headers, body = json.loads(content or b"")
        return str(etag), Page(url, 200, json.loads(body), dict(headers))
    except (ValueError, TypeError, RecursionError):
        return None
