"""The line to the hosts of a credential: the one way by which a check can send anything.

It goes to the hosts that were announced and to no other, at the pace that each host bears, and until the time is over.
What a host says of later (`Retry-After`) reaches the lane of that host as a `LaterError`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from ..model import is_here
from ..net import Limits, Outbound
from ..net.dial import Connection, Trust, connected
from ..net.http import Answer, Client, Request, UnansweredError, trust, wished_pause
from ..net.urls import Url
from .answers import is_of_another
from .credential import PLAIN, PORTS, Credential, Destination, Named, UnaskedError

UNANNOUNCED = "that host was not announced"
BUSY = frozenset({429, 503})
BROKEN = frozenset({408, 500, 502, 504, 520, 521, 522, 523, 524})
REFUSING = frozenset({400, 401, 403, 422})
"""With other statuses of 400 and above it is not the secret that is refused, but the way, the place or the caller."""
ANSWER_BYTES = 1 << 20


class LaterError(Exception):
    """It may be asked again after so many seconds (0: soon); the text says why it cannot be answered now. `silent` says
    that no answer came at all."""

    def __init__(self, why: str, seconds: float, *, silent: bool = False) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.silent = silent


class UnreachedError(UnaskedError):
    """A host that cannot be asked at all, with whatever secret."""


class Pace:
    """How fast the hosts are asked: so many requests a second each, from whichever thread, until it is `stopped`."""

    def __init__(self, stopped: threading.Event | None = None) -> None:
        self._stopped = stopped or threading.Event()
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}

    def wait(self, host: str, rate: float, until: float) -> None:
        """Wait for the host's next turn. UnaskedError where it comes too late, or not any more."""
        with self._lock:
            at = max(self._free.get(host, 0.0), time.monotonic())
            if at >= until:
                raise UnaskedError(OVER)
            self._free[host] = at + 1 / rate
        if self._stopped.wait(max(0.0, at - time.monotonic())):
            raise UnaskedError(OVER)


OVER = "the time for verification is over (--verify-seconds)"


class Clock:
    """The time, for what is signed with it: it was `now` at `since`, of `time.monotonic`."""

    def __init__(self, now: datetime, since: float) -> None:
        self._now, self._since = now, since

    def __call__(self) -> datetime:
        """The time that it is, with its zone."""
        return self._now + timedelta(seconds=time.monotonic() - self._since)


class Lines:
    """The connections of one thread, while it asks one host. Use it as a context."""

    def __init__(
        self, outbound: Outbound, named: Named, pace: Pace, *, until: float, answer: float, clock: Clock
    ) -> None:
        limits = Limits(
            connect=min(10, answer), silence=answer, answer=answer, pages=1 << 40, page_bytes=ANSWER_BYTES, retries=0
        )
        self.outbound = replace(outbound, limits=limits)
        self.named, self.pace, self.until, self.clock = named, pace, until, clock
        self.began = 0.0
        """When the last request or login began."""
        self._clients: dict[tuple[Destination, bool], Client] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            with suppress(OSError):  # what the other side does to a connection ends with it
                client.__exit__(kind, error, trace)

    def client(self, to: Destination, *, instead: Destination | None = None) -> Client:
        """That of a host. Addresses that are none of the internet are asked only where the user named it, or put it in
        place of the provider's own (`instead`)."""
        private = to == instead or self.named.has(to)
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
        self.is_instead = self._instead is not None
        """Whether the user says that it is this one."""
        self.sent = False
        """Whether a request may have gone out."""
        self.answered = False
        self.refused = False
        """Whether what came last was the provider's refusal: one of `REFUSING`, and no page; or whatever followed on a
        login. A scheme that knows better says so."""

    def at(self, url: Url) -> Url:
        """Where a request goes: to the host that the user names in place of its own. What is signed must name that."""
        if self._instead is None:
            return url
        return Url(self._instead.scheme, str(self._instead), url.path, url.query)

    @property
    def now(self) -> datetime:
        """The time, for what is signed with it."""
        return self._lines.clock()

    def send(self, request: Request, *, public: bool = False) -> Answer:
        """The answer to a request, whatever its status; LaterError where it may answer later, UnaskedError where it
        never will. What is `public` holds no secret, and may go to any host that the user named."""
        request = replace(request, url=self.at(request.url))
        to = self._require(request.url, public=public and not request.signed)
        self._lines.pace.wait(to.host, self._rate, self._lines.until)
        self.sent, self.refused, self._lines.began = True, False, time.monotonic()
        try:
            answer = self._lines.client(to, instead=self._instead).ask(request)
        except UnansweredError as error:
            raise self._later(error) from None
        self.answered = True
        self.refused = answer.status in REFUSING and not is_of_another(answer)
        if answer.status in BUSY or (answer.status == 403 and _is_limited(answer)):
            raise LaterError(f"it asks to come back later ({answer.status})", wished_pause(answer))
        if answer.status in BROKEN:
            raise LaterError(f"it answers {answer.status}", 0)
        return answer

    @contextmanager
    def connected(self, host: str, port: int, *, tls: bool = False) -> Iterator[Connection]:
        """A connection for a login, which ends when its time is over, whatever stands behind it. With `tls` it begins
        with that; `trust` is for what starts it later."""
        if self._instead is not None:
            host, port = self._instead.host, self._instead.port
        to = next((one for one in self._allowed if (one.host, one.port) == (host, port)), None)
        if to is None:
            raise UnaskedError(UNANNOUNCED)
        self._lines.pace.wait(host, self._rate, self._lines.until)
        outbound = self._lines.outbound
        self._lines.began = time.monotonic()
        left = min(outbound.limits.answer, self._lines.until - self._lines.began)
        if left <= 0:
            raise UnaskedError(OVER)
        private = to == self._instead or self._lines.named.has(to)
        try:
            with connected(host, port, replace(outbound, private=private), seconds=left, tls=tls) as connection:
                self.answered = self.refused = True
                yield connection
        except UnansweredError as error:
            raise self._later(error) from None

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
        return LaterError(str(error), 0, silent=True) if error.passing else UnreachedError(str(error))

    def _require(self, url: Url, *, public: bool) -> Destination:
        scheme = url.scheme
        asked = (scheme, url.host.lower(), url.port or PORTS.get(scheme, 0))
        for one in self._allowed:
            if (one.scheme, one.host, one.port) == asked:
                if scheme != "https" and not is_here(str(one)):
                    raise UnaskedError(PLAIN)
                return one
        to = Destination(*asked)
        if public and scheme == "https" and self._lines.named.has(to):
            return to
        raise UnaskedError(f"{UNANNOUNCED}: {to} (--verify-host {to} names it)")


def _is_limited(answer: Answer) -> bool:
    """Whether a 403 means too many requests, as GitHub's may:
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    headers: Mapping[str, str] = answer.headers
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
