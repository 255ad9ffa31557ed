"""The line to the hosts of a credential: the one way by which a check can send anything.

It goes to the hosts that were announced and to no other, at the pace that each host bears, and until the time is over.
What a host says of later (`Retry-After`) reaches the lane of that host as a `LaterError`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self

from ..net import Limits, Outbound
from ..net.dial import Connection, Trust, connected
from ..net.http import Answer, Client, Request, UnansweredError, trust, wished_pause
from ..net.urls import Url
from .credential import PORTS, Credential, Destination, Named, UnaskedError

BUSY = frozenset({429, 503})
BROKEN = frozenset({408, 500, 502, 504, 520, 521, 522, 523, 524})
ANSWER_BYTES = 1 << 20


class LaterError(Exception):
    """It may be asked again after so many seconds; the text says why it cannot be answered now. `silent` says that no
    answer came at all."""

    def __init__(self, why: str, seconds: float, *, silent: bool = False) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.silent = silent


class Pace:
    """How fast the hosts are asked: so many requests a second each, from whichever thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}

    def wait(self, host: str, rate: float, until: float) -> None:
        """Wait for the host's next turn. UnaskedError where it comes too late."""
        with self._lock:
            at = max(self._free.get(host, 0.0), time.monotonic())
            if at >= until:
                raise UnaskedError(OVER)
            self._free[host] = at + 1 / rate
        time.sleep(max(0.0, at - time.monotonic()))


OVER = "the time for verification is over (--verify-seconds)"


class Lines:
    """The connections of one thread. Use it as a context."""

    def __init__(
        self, outbound: Outbound, named: Named, pace: Pace, *, now: datetime, until: float, answer: float
    ) -> None:
        limits = Limits(
            connect=min(10, answer), silence=answer, answer=answer, pages=1 << 40, page_bytes=ANSWER_BYTES, retries=0
        )
        self.outbound = replace(outbound, limits=limits)
        self.named, self.pace, self.now, self.until = named, pace, now, until
        self._clients: dict[tuple[Destination, bool], Client] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.__exit__(kind, error, trace)

    def client(self, to: Destination) -> Client:
        """That of a host. Addresses that are none of the internet are asked only where the user named it."""
        private = self.named.has(to)
        if (to, private) not in self._clients:
            left = max(0.0, self.until - time.monotonic())
            limits = replace(self.outbound.limits, all=left)
            self._clients[to, private] = Client(replace(self.outbound, limits=limits, private=private))
        return self._clients[to, private]


class Line:
    """The line for one credential, to its `destinations`; `instead` is the host that the user names in their place."""

    def __init__(self, lines: Lines, credential: Credential, destinations: tuple[Destination, ...]) -> None:
        self._lines = lines
        self._allowed = frozenset(destinations)
        self._instead = lines.named.instead.get(credential.detector.provider)
        self._rate = credential.detector.verify.rate if credential.detector.verify else 10.0
        self.host = str(destinations[0])
        """The host that is asked, for people."""

    def send(self, request: Request, *, public: bool = False) -> Answer:
        """The answer to a request, whatever its status; LaterError where it may answer later, UnaskedError where it
        never will. What is `public` holds no secret, and may go to any host that the
        user named."""
        if self._instead is not None:
            url = Url(self._instead.scheme, self._instead.authority, request.url.path, request.url.query)
            request = replace(request, url=url)
        to = self._require(request.url, public=public and not request.signed)
        self._lines.pace.wait(to.host, self._rate, self._lines.until)
        try:
            answer = self._lines.client(to).ask(request)
        except UnansweredError as error:
            raise self._later(error) from None
        if answer.status in BUSY or (answer.status == 403 and _is_limited(answer)):
            raise LaterError(f"it asks to come back later ({answer.status})", max(1.0, wished_pause(answer)))
        if answer.status in BROKEN:
            raise LaterError(f"it answers {answer.status}", 1)
        return answer

    @contextmanager
    def connected(self, host: str, port: int, *, tls: bool = False) -> Iterator[Connection]:
        """A connection for a login, which ends when its time is over, whatever stands behind it. With `tls` it begins
        with that; `trust` is for what starts it later."""
        if self._instead is not None:
            host, port = self._instead.host, self._instead.port
        to = next((one for one in self._allowed if (one.host, one.port) == (host, port)), None)
        if to is None:
            raise UnaskedError("that host was not announced")
        self._lines.pace.wait(host, self._rate, self._lines.until)
        outbound = self._lines.outbound
        left = min(outbound.limits.answer, self._lines.until - time.monotonic())
        if left <= 0:
            raise UnaskedError(OVER)
        private = self._lines.named.has(to)
        try:
            with connected(host, port, replace(outbound, private=private), seconds=left, tls=tls) as connection:
                yield connection
        except UnansweredError as error:
            raise self._later(error) from None

    @property
    def now(self) -> datetime:
        """The time of the run."""
        return self._lines.now

    @property
    def environment(self) -> Mapping[str, str]:
        """The user's own: where his known hosts lie (SSH)."""
        return self._lines.outbound.environment

    @property
    def trust(self) -> Trust:
        """What checks certificates."""
        return trust(self._lines.outbound.certificates)

    def _later(self, error: UnansweredError) -> Exception:
        if time.monotonic() >= self._lines.until:
            return UnaskedError(OVER)
        return UnaskedError(str(error)) if error.final else LaterError(str(error), 1, silent=True)

    def _require(self, url: Url, *, public: bool) -> Destination:
        asked = (url.scheme, url.host, url.port or PORTS[url.scheme])
        for one in self._allowed:
            if (one.scheme, one.host, one.port) == asked:
                return one
        to = Destination(*asked)
        if public and url.scheme == "https" and self._lines.named.has(to):
            return to
        raise UnaskedError(f"{to} was not announced (--verify-host {to} names it)")


def _is_limited(answer: Answer) -> bool:
    """Whether a 403 means too many requests, as GitHub's may:
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    headers: Mapping[str, str] = answer.headers
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
