"""Pages of a host's API: asked for one after the other, and again with what the host said of them.

A page that is as it was is answered with 304 (RFC 9110, 15.4.5), which hosts count against no limit. A limit is waited
for where that is not too long: `Retry-After` (RFC 9110, 10.2.3), or the time of a reset, reckoned by the host's own
`Date`. What may pass (5xx, a connection that breaks) is tried again. Links are those of RFC 8288.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from ...errors import OakumError
from ...logins import Login
from ...model import clean
from ...net.http import Answer, Client, Request, UnansweredError, wished_pause
from ...net.urls import Url, parse
from .access import Access, UnlistedError

MOST_PAGES = 2_000
TRIES = 5
"""How often a page is asked for that is not answered."""
SECONDARY = 60.0
"""Seconds to wait where a host says that it is too much, and not until when. Source: GitHub, "Rate limits for the REST
API", "Exceeding the rate limit"."""
_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining")
_RESET = ("x-ratelimit-reset", "ratelimit-reset")
_LINK = re.compile(r"<(?P<url>[^<>]{1,4096})>(?P<parameters>(?:\s*;\s*[a-z*]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)", re.I)
_NEXT = re.compile(r";\s*rel\s*=\s*\"?(?:[^\";]*\s)?next[\s\";]?", re.I)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what it holds, and its headers (in small letters)."""

    status: int
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def list(self) -> list[object]:
        """What is listed. UnlistedError where it is no list."""
        if not isinstance(self.content, list):
            raise UnlistedError("the host answers with something else than a list: see whether it is the right host")
        return self.content

    @property
    def next(self) -> str:
        """The URL of the next one, by the header `Link`; empty where it is the last."""
        for link in _LINK.finditer(self.headers.get("link", "")[:16384]):
            if _NEXT.search(link["parameters"] + ";"):
                return link["url"]
        return ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a host is asked: `headers` go with every request; `authorization` is made of a login; `variables` are those
    that hold its tokens, for messages."""

    name: str
    authorization: Callable[[Login], str]
    variables: str
    headers: Mapping[str, str] = field(default_factory=dict)


def bearer(login: Login) -> str:
    """RFC 6750."""
    return f"Bearer {login.password}"


def basic(login: Login) -> str:
    """RFC 7617."""
    return "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode()).decode()


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
        self._client = Client(access.outbound)
        self._asked = 0

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
        """A URL below the API's own; names are encoded."""
        below = self._base.below(*names)
        found = below.site + below.path
        return f"{found}?{query}" if query else found

    def pages(
        self, first: str, *, given: Page | None = None, follow: Callable[[Page], str] = lambda page: page.next
    ) -> Iterator[Page]:
        """A page (which may be `given`), and those that follow. UnlistedError where one is not to be had, or leads
        astray."""
        seen: set[str] = set()
        url = first
        while url:
            if url in seen:
                raise UnlistedError(f"{self._host} leads in a circle: it gives the same page again as the next one")
            seen.add(url)
            if len(seen) > MOST_PAGES:
                raise UnlistedError(f"{self._host} gives more than {MOST_PAGES:,} pages: it is not believed")
            page = given or self.get(url)
            given = None
            yield page
            url = self._next(follow(page))

    def get(self, url: str, *, missing: bool = False) -> Page:
        """A page; with its status 404 where it is `missing` and that may be. UnlistedError."""
        asked = self._url(url)
        name = self._name(url)
        kept = _kept(self._access.pages.read(name))
        known = {"If-None-Match": kept[0]} if kept and kept[0] else {}
        answer = self._answer(asked, {} if not kept else known)
        if answer.status == 304 and kept:
            return Page(200, kept[2], {"link": kept[1]})
        if answer.status == 404 and missing:
            return Page(404, None)
        if answer.status != 200:
            raise UnlistedError(self._refused(answer))
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise UnlistedError(f"{self._host} answers with what is no JSON: see whether the host is right") from None
        if answer.headers.get("etag") and "no-store" not in answer.headers.get("cache-control", ""):
            link = answer.headers.get("link", "")
            self._access.pages.write(name, _written(answer.headers["etag"], link, answer.body))
        return Page(200, content, answer.headers)

    def without(self, why: str) -> UnlistedError:
        """The error for what is not there."""
        if self._login is None:
            why = f"{why}, or may be read with a token only: set {self._dialect.variables}"
        return UnlistedError(f"{self._host}: {why}")

    @property
    def _host(self) -> str:
        return clean(self._base.authority)

    def _url(self, text: str) -> Url:
        try:
            url = parse(text, plain_http=False)
        except OakumError as error:
            raise UnlistedError(f"{self._host} names a next page that is no URL") from error
        if url.site != self._base.site:
            raise UnlistedError(f"{self._host} leads to another host for the next page: it is not followed")
        return url

    def _next(self, url: str) -> str:
        return self._url(url).site + self._url(url).target if url else ""

    def _name(self, url: str) -> str:
        """The name under which a page is kept: who asks with another login does not see it."""
        key = f"{self._login.user}:{self._login.password}".encode() if self._login else b""
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
            else:
                if not _passes(answer):
                    return answer
                why = f"it answers {answer.status}"
                pause = max(pause, _pause(answer))
                if pause > self._access.patience:
                    raise UnlistedError(
                        f"{self._host} wants {pause / 60:.0f} minutes to pass before it is asked again (its limit for "
                        f"{'this token' if self._login else f'those without a token: set {self._dialect.variables}'})"
                    )
            if tried < TRIES - 1:
                self._access.wait(pause)
        raise UnlistedError(f"{self._host}: {why}; it was asked {TRIES} times")

    def _refused(self, answer: Answer) -> str:
        if answer.status in (401, 403, 203):
            if self._login is None:
                return f"{self._host} answers {answer.status}: it wants a token: set {self._dialect.variables}"
            source = clean(self._login.source) or "the login"
            return f"{self._host} answers {answer.status}: what {source} holds has expired, or may not list this"
        if answer.status in (301, 302, 307, 308):
            return f"{self._host} answers {answer.status}: it was renamed; redirects are not followed"
        if answer.status == 404:
            return str(self.without("there is no such organization, group, user or project"))
        return f"{self._host} answers {answer.status}"


def _passes(answer: Answer) -> bool:
    """Whether the same may be answered later."""
    if answer.status in (429, 500, 502, 503, 504):
        return True
    return answer.status == 403 and ("retry-after" in answer.headers or _is_used_up(answer))


def _is_used_up(answer: Answer) -> bool:
    return any(answer.headers.get(name, "").strip() == "0" for name in _REMAINING)


def _pause(answer: Answer) -> float:
    """The seconds that a host wants to pass."""
    if "retry-after" in answer.headers:
        return wished_pause(answer)
    if answer.status >= 500:
        return 0
    for name in _RESET:
        told = answer.headers.get(name, "").strip()
        if told.isascii() and told.isdigit() and len(told) < 12:
            now = _date(answer)
            seconds = int(told) - now if int(told) > 1_000_000_000 else int(told)
            return max(1.0, float(seconds))
    return SECONDARY


def _date(answer: Answer) -> int:
    """What the host's clock shows, as seconds since 1970."""
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except (TypeError, ValueError):
        return 0
    return int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp())


def _written(etag: str, link: str, body: bytes) -> bytes:
    return json.dumps([etag, link, body.decode("utf-8", "replace")]).encode()


def _kept(content: bytes | None) -> tuple[str, str, Any] | None:
    try:
        etag, link, body = json.loads(content or b"")
        return str(etag), str(link), json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return None
