"""HTTP/1.1, and the addresses that may be asked.

Under it is httpcore, the engine of httpx: what is asked for goes out byte for byte (signatures cover it), and there are
no cookies, no redirects, no environment and no log that holds a URL. A name is looked up here, every address it has is
checked, and the connection goes to one that was checked; certificates are always checked, too. One answer is bounded
in bytes, before and after it is unpacked, and in time, to the last byte; all of them together in number and time.
What may pass is tried again (429, 500, 502, 503, 504, a connection that breaks), later each time (RFC 9110 10.2.3).
"""

from __future__ import annotations

import functools
import logging
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from random import SystemRandom
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import certifi
import httpcore

from ..errors import OakumError, UsageError
from ..model import clean, is_here
from . import Outbound
from .addresses import is_forbidden, is_metadata_name, is_own, is_private
from .proxies import proxy_of
from .urls import Url, bracketed

logging.getLogger("httpcore").setLevel(logging.WARNING)  # below that it tells the headers of answers

AGENT = "oakum (secret scanner; reads only)"
ERROR_BYTES = 64 << 10
"""Bytes that are read of an answer that is no page."""
UNSENDABLE = "the credentials hold characters that cannot be sent: give them without"
RETRIES_OF_NOBODY = 1
LOOK_UP = 30.0
"""Seconds that looking up a name may take."""
AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class UnansweredError(OakumError):
    """There is no answer: the text says why. `final` says that nothing else will be answered either, `passing` that
    the same may be answered when it is asked again; `unsent` that certainly nothing of the request arrived."""

    def __init__(self, why: str, *, final: bool = False, passing: bool = False, unsent: bool = False) -> None:
        super().__init__(why)
        self.final = final
        self.passing = passing
        self.unsent = unsent


class _BrokenError(Exception):
    """What may be whole when it is asked for again."""


class _UnconnectedError(_BrokenError):
    """There was no connection."""


class _NobodyError(_UnconnectedError):
    """Nobody listens there."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. `signed` says that a credential goes with it, in the query, the headers or the body."""

    url: Url = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    signed: bool = False
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)

    @property
    def secret(self) -> bool:
        """Whether anything in it could be a credential."""
        return self.signed or not self.url.is_plain


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came whole. The names in `headers` are in small letters."""

    request: Request
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Client:
    """Asks, and asks again. For one thread at a time; use it as a context."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._limits = outbound.limits
        self._pools: dict[str, httpcore.ConnectionPool] = {}
        self._until = time.monotonic() + self._limits.all
        self._clock = _Clock()
        self._left = self._limits.pages
        self._answered = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools.values():
            pool.close()

    def get(self, request: Request) -> Answer:
        """The answer, whatever its status is, but for those that may pass: they are waited for."""
        self._admit(request)
        for tried in range(self._limits.retries + 1):
            pause = min(self._limits.pause * 2**tried, self._limits.longest_pause) * SystemRandom().uniform(0.5, 1)
            try:
                answer = self._once(request)
            except _BrokenError as error:
                why = str(error)
                if isinstance(error, _NobodyError) and not self._answered and tried >= RETRIES_OF_NOBODY:
                    break  # what never listened is no store that is being restarted
            else:
                self._answered = True
                if answer.status not in AGAIN:
                    return answer
                why = f"it answers {answer.status} {self.word_for(answer)}".rstrip()
                pause = max(pause, min(wished_pause(answer), self._limits.longest_pause))
            if tried < self._limits.retries:
                if time.monotonic() + pause > self._until:
                    break
                time.sleep(pause)
        if time.monotonic() >= self._until:
            raise self._over()
        raise UnansweredError(f"{why}; it was asked {tried + 1} times: try again later")

    def ask(self, request: Request) -> Answer:
        """The answer, whatever its status is; asked for once."""
        self._admit(request)
        try:
            return self._once(request)
        except _BrokenError as error:
            raise UnansweredError(str(error), passing=True, unsent=isinstance(error, _UnconnectedError)) from error

    def word_for(self, answer: Answer) -> str:
        """The provider's word for an error, for messages."""
        return ""

    def _admit(self, request: Request) -> None:
        if is_metadata_name(request.url.host):
            raise UnansweredError(
                f"{clean(request.url.host)} is for this machine's own metadata: never asked", final=True, unsent=True
            )
        if self._left <= 0:
            raise UnansweredError(f"{self._limits.pages} pages were asked for, which is the most", final=True)
        self._left -= 1

    def _over(self) -> UnansweredError:
        return UnansweredError(f"the {self._limits.all:g} seconds that this may take are over", final=True)

    def _once(self, request: Request) -> Answer:
        now = time.monotonic()
        if now >= self._until:
            raise self._over()
        self._clock.until = min(self._until, now + self._limits.answer)
        url = request.url
        sent = {"Host": url.authority, "User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
        sent |= request.headers
        if request.body or request.method != "GET":
            sent["Content-Length"] = str(len(request.body))
        if not all(map(str.isascii, (url.target, *sent.values()))):
            raise UsageError(UNSENDABLE)
        asked = httpcore.URL(
            scheme=url.scheme.encode(), host=url.host.encode(), port=url.port, target=url.target.encode("ascii")
        )
        times = {"connect": self._limits.connect, "read": self._limits.silence, "write": self._limits.silence}
        times["pool"] = self._limits.connect
        try:
            with self._pool(url).stream(
                request.method,
                asked,
                headers=list(sent.items()),
                content=request.body or None,
                extensions={"timeout": times},
            ) as response:
                return self._read(request, response)
        except httpcore.ConnectTimeout as error:
            raise _UnconnectedError("it does not answer in time") from error
        except httpcore.TimeoutException as error:
            raise _BrokenError("it does not answer in time") from error
        except httpcore.ProxyError as error:
            raise UnansweredError(f"the proxy refuses ({clean(str(error))[:3]})", final=True, unsent=True) from error
        except httpcore.ConnectError as error:
            if (refused := _untrusted(error)) is not None:
                why = f"its certificate is not trusted ({clean(refused.verify_message)})"
                why = f"{why}: name the file of the authority that signed it"
                raise UnansweredError(why, final=True, unsent=True) from error
            refuses = any(isinstance(each, ConnectionRefusedError) for each in _behind(error))
            kind = _NobodyError if refuses else _UnconnectedError
            raise kind(f"no connection ({clean(str(error))[:200]})") from error
        except httpcore.UnsupportedProtocol as error:
            raise UsageError("a proxy must be http:// or https://") from error
        except httpcore.LocalProtocolError:  # its text is the header
            raise UsageError(UNSENDABLE) from None
        except httpcore.RemoteProtocolError as error:  # its text may be an echo
            raise _BrokenError("what it answers is no HTTP, or cut off") from error
        except httpcore.NetworkError as error:
            raise _BrokenError(f"the connection breaks ({clean(str(error))[:200]})") from error

    def _read(self, request: Request, response: httpcore.Response) -> Answer:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        for listed in ("www-authenticate", "link"):  # one for each scheme or link, as some servers write them
            values = [value for name, value in response.headers if name.lower() == listed.encode()]
            if values:
                headers[listed] = b", ".join(values).decode("latin-1")
        page = response.status == 200
        most = self._limits.page_bytes if page else ERROR_BYTES
        body = bytearray()
        for part in _unpacked(response.iter_stream(), headers.get("content-encoding", "")):
            if len(body) + len(part) > most:
                if page:
                    raise UnansweredError(
                        f"an answer of it has more than {most >> 20} MiB: it is not what was asked for"
                    )
                break
            body += part
        return Answer(request, response.status, headers, bytes(body))

    def _pool(self, url: Url) -> httpcore.ConnectionPool:
        """The connections for a URL; the certificates are read only where they are needed."""
        proxy = proxy_of(url, self._outbound.environment)
        pool = self._pools.get(proxy)
        if pool is None:
            shared: dict[str, Any] = {
                "ssl_context": trust(self._outbound.certificates),
                "max_connections": 1,
                "keepalive_expiry": 30,
                # A proxy is named by the user, and stands in his own network as a rule.
                "network_backend": _Backend(self._clock, private=self._outbound.private or bool(proxy)),
            }
            pool = httpcore.HTTPProxy(**_proxy(proxy), **shared) if proxy else httpcore.ConnectionPool(**shared)
            self._pools[proxy] = pool
        return pool


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The error about a certificate behind another error; None where it is none."""
    return next((each for each in _behind(error) if isinstance(each, ssl.SSLCertVerificationError)), None)


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@functools.cache
def trust(certificates: str) -> ssl.SSLContext:
    """The authorities that this machine trusts, those of Mozilla, and those of a file."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    # httpcore sets them anew for each connection, which OpenSSL does not bear while another thread connects.
    context.set_alpn_protocols(["http/1.1"])
    context.set_alpn_protocols = _nothing  # type: ignore[assignment,method-assign]
    if certificates:
        try:
            context.load_verify_locations(certificates)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{clean(certificates)} is no file of certificates (PEM): {error}") from error
    return context


def _nothing(_protocols: Iterable[str]) -> None:
    pass


def _proxy(proxy: str) -> dict[str, Any]:
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError("the proxy of the environment is no http:// or https:// URL: set HTTPS_PROXY=http://host:port")
    url = httpcore.URL(scheme=parts.scheme, host=host, port=port or (443 if parts.scheme == "https" else 80), target="")
    named = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return {"proxy_url": url, "proxy_auth": named}


def wished_pause(answer: Answer) -> float:
    """The seconds that `Retry-After` asks for (RFC 9110, 10.2.3); a date counts as an hour."""
    wished = answer.headers.get("retry-after", "").strip()
    if not wished:
        return 0
    return float(wished) if wished.isascii() and wished.isdigit() and len(wished) < 10 else 3600


def _unpacked(parts: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """A body without its gzip, never more than 1 MiB at once."""
    if coding.strip().lower() in ("", "identity"):
        yield from parts
        return
    if coding.strip().lower() not in ("gzip", "x-gzip"):
        raise UnansweredError("its answer is packed in a way that was not asked for")
    unpack = zlib.decompressobj(wbits=31)
    try:
        for part in parts:
            while part:
                yield unpack.decompress(part, 1 << 20)
                part = unpack.unconsumed_tail
    except zlib.error as error:
        raise _BrokenError("its answer is damaged (gzip)") from error
    yield unpack.flush()
    if not unpack.eof:
        raise _BrokenError("its answer is cut off (gzip)")


# --- connections -----------------------------------------------------------------------------------------------------


class _Clock:
    """Until when the answer that is being read must be whole."""

    until = 0.0

    def left(self, most: float | None) -> float:
        """The seconds that a step may take."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return left if most is None else min(left, most)


class _Backend(httpcore.NetworkBackend):
    """Connects to an address that was checked."""

    def __init__(self, clock: _Clock, *, private: bool) -> None:
        self._clock = clock
        self._private = private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of a name that takes it."""
        refused: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses_of(host, port, private=self._private, seconds=self._clock.left(timeout)):
            try:
                stream = self._inner.connect_tcp(
                    address, port, self._clock.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
            else:
                return _Stream(stream, self._clock)
        raise refused or httpcore.ConnectError("it has no address")


def addresses_of(host: str, port: int, *, private: bool, seconds: float = LOOK_UP) -> list[str]:
    """The addresses of a host, each checked. UnansweredError where one may not be asked, or there is none; errors of
    httpcore where it cannot be told now."""
    try:
        found = _looked_up(host, port, seconds)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise httpcore.ConnectError("its name cannot be looked up now") from error
        raise UnansweredError(f"there is no host {clean(host)}", unsent=True) from error
    except UnicodeError as error:
        raise UnansweredError(f"{clean(host)} is no name of a host", unsent=True) from error
    for address in found:
        if is_forbidden(address):
            why = f"{clean(host)} leads to {address}, which is for this machine's own metadata: never asked"
            raise UnansweredError(why, final=True, unsent=True)
        if is_here(bracketed(host)) and not is_own(address):
            why = f"{clean(host)} leads to {address}, which is not this machine"
            raise UnansweredError(why, final=True, unsent=True)
        if not private and is_private(address):
            why = f"{clean(host)} leads to {address}, which is no address of the internet: never asked unless named"
            raise UnansweredError(why, final=True, unsent=True)
    return found


def checked_addresses(host: str, port: int, *, private: bool) -> list[str]:
    """The addresses of a host for a program that connects by itself, each checked. UnansweredError."""
    try:
        return addresses_of(host, port, private=private)
    except (httpcore.NetworkError, httpcore.TimeoutException) as error:
        raise UnansweredError("its name cannot be looked up now", passing=True) from error


def _looked_up(host: str, port: int, seconds: float) -> list[str]:
    """What a name leads to. The system's look-up knows no time-out: one that takes longer is left to itself."""
    found: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(each[4][0]) for each in entries)))
        except (OSError, UnicodeError) as error:
            found.put(error)

    if _is_address(host):
        look_up()
    else:
        try:
            threading.Thread(target=look_up, daemon=True, name="oakum look-up").start()
        except RuntimeError:  # a limit of processes, as containers have
            raise httpcore.ConnectError("its name cannot be looked up now") from None
    try:
        told = found.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("its name is not looked up in time") from None
    if isinstance(told, Exception):
        raise told
    return told


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def require_allowed(url: Url, *, proxied: bool) -> None:
    """UnansweredError where the host of a URL may not be asked, or has no address: for what connects by itself.
    Through a proxy it is that which looks up the address."""
    if is_metadata_name(url.host):
        raise UnansweredError(f"{clean(url.host)} is for this machine's own metadata: never asked", final=True)
    if proxied:
        return
    try:
        addresses_of(url.host, url.port or {"http": 80, "https": 443}[url.scheme], private=True)
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise UnansweredError(f"no connection ({clean(str(error))[:200]})") from error


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing lasts longer than the clock allows."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._clock.left(timeout)), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
