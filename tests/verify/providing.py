"""A provider on loopback for tests of verification: one server, on as many addresses as a test wants, that does what it
is told and keeps all that it was asked. And questions about fresh secrets, the way a scan asks them.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from git_repository import utc
from oakum.scanner import catalog
from oakum.scanner.catalog import look_alike
from oakum.scanner.model import Detector, Excerpt, File, Finding, Occurrence, RankedFinding, Secret, Span, Verdict
from oakum.scanner.verify import Named, Plan, VerifyOptions, plan
from oakum.scanner.verify.asking import ask_all
from oakum.scanner.verify.credential import Destination

NOW = utc(2027)


# --- the server ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """A request as it came; `host` is the address that it came to."""

    host: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def text(self) -> str:
        """All of it, with what is encoded in it in clear."""
        parts = [self.target, *self.headers.values(), self.body.decode("latin-1")]
        parts += [_basic(value) for value in self.headers.values()]
        return "\n".join(parts) + unquote_plus(self.target + "\n" + self.body.decode("latin-1"))


def _basic(value: str) -> str:
    kind, _, packed = value.partition(" ")
    if kind.lower() != "basic":
        return ""
    with suppress(ValueError):
        return base64.b64decode(packed).decode("latin-1")
    return ""


Answering = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]
"""Answers a request; the connection is kept if it is not closed."""


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> bytes:
    """A whole answer; `_` in the names of headers stands for `-`."""
    data = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in ({"Content-Length": str(len(data))} | named).items()]
    return "\r\n".join([f"HTTP/1.1 {status} Said", *lines, "", ""]).encode("latin-1") + data


def says(*replies: bytes) -> Answering:
    """Answers with these, one after the other, and then the last one for ever."""
    left = list(replies)

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return answer


async def silent(_seen: Seen, _writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.sleep(3600)


async def resets(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Ends the connection."""
    writer.transport.abort()


@dataclass
class Provider:
    """A running server: its port, what it was asked, how often somebody connected, and which connections are open."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    open: set[int] = field(default_factory=set)

    def had(self, secret: bytes) -> int:
        """How many requests held a secret."""
        return sum(secret.decode("latin-1") in seen.text for seen in list(self.seen))


@contextmanager
def provider(
    answering: Answering, hosts: Sequence[str] = ("127.0.0.1",), tls: ssl.SSLContext | None = None
) -> Iterator[Provider]:
    """A server while the block runs."""
    made = Provider()
    loop = asyncio.new_event_loop()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        made.open.add(id(writer))
        host = writer.get_extra_info("sockname")[0]
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ", 2)
                pairs = (line.partition(":") for line in head[1:] if line)
                headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                seen = Seen(host, method, target, headers, body)
                made.seen.append(seen)
                await answering(seen, writer)
                if not writer.is_closing():
                    await writer.drain()
        writer.close()
        made.open.discard(id(writer))

    async def serve() -> asyncio.Server:
        first = await asyncio.start_server(connected, hosts[0], 0, ssl=tls, backlog=4096)
        made.port = first.sockets[0].getsockname()[1]
        for host in hosts[1:]:
            servers.append(await asyncio.start_server(connected, host, made.port, ssl=tls, backlog=4096))
        return first

    servers: list[asyncio.Server] = []
    loop.set_exception_handler(lambda _loop, _context: None)
    servers.append(loop.run_until_complete(serve()))
    with running(loop, servers):
        yield made


@contextmanager
def running(loop: asyncio.AbstractEventLoop, servers: Sequence[asyncio.Server]) -> Iterator[None]:
    """Servers that answer in a thread of their own while the block runs."""
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def addresses(count: int, *, net: int = 1) -> list[str]:
    """So many addresses of this machine."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux answers at all of 127.0.0.0/8")
    return [f"127.0.{net + n // 250}.{1 + n % 250}" for n in range(count)]


def certified(folder: Path, *hosts: str) -> tuple[ssl.SSLContext, str]:
    """What a server for these hosts needs, and the file of its certificate, which nobody else signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
    named = x509.SubjectAlternativeName([_general(host) for host in hosts])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    signed = made.add_extension(named, critical=False).sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + pem)
    (folder / "authority.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, str(folder / "authority.pem")


def _general(host: str) -> Any:
    from ipaddress import ip_address

    from cryptography import x509

    with suppress(ValueError):
        return x509.IPAddress(ip_address(host))
    return x509.DNSName(host)


# --- questions -------------------------------------------------------------------------------------------------------


def github(*, rate: float = 1000.0, **changes: Any) -> Detector:
    """The detector of most tests here, which may be asked faster."""
    detector = _known()["github-pat"]
    assert detector.verify is not None
    return replace(detector, verify=replace(detector.verify, rate=rate, **changes))


@cache
def _known() -> dict[str, Detector]:
    return {detector.id: detector for detector in catalog.load()}


def finding(detector: Detector, secret: bytes, **facts: str) -> RankedFinding:
    """A secret that was found, before anybody was asked."""
    place = Occurrence(File(b"settings.py"), Span(0, len(secret), 1, 1, 1, 1 + len(secret)), Excerpt(b"", 0, 0))
    found = Finding(detector, (), Secret(secret), tuple(facts.items()), (place,))
    name = hashlib.sha256(secret).hexdigest()[:26]  # that of `Secret` takes milliseconds
    return RankedFinding(found, name, 50, "medium", 0.9, ())


def instead(port: int, host: str = "127.0.0.1", *, scheme: str = "http", of: str = "github") -> Named:
    """A provider's checks go to a server of this machine."""
    return Named(frozenset(), {of: Destination(scheme, host, port)})


def options(named: Named = Named(), **changes: Any) -> VerifyOptions:  # noqa: B008  it is frozen
    """How tests ask: quickly."""
    quick: dict[str, Any] = {"now": NOW, "named": named, "seconds": 20.0, "answer": 2.0, "pause": 0.01}
    return VerifyOptions(**quick | changes)


def ask(found: Sequence[RankedFinding], chosen: VerifyOptions) -> list[Verdict]:
    """The verdict of each."""
    planned = plan(found, chosen)
    verdicts = dict(planned.unasked) | dict(ask_all(planned, chosen, look_alike))
    return [verdicts[place] for place in range(len(found))]


def planned_for(found: Sequence[RankedFinding], chosen: VerifyOptions) -> Plan:
    """What would be asked."""
    return plan(found, chosen)


def states(verdicts: Iterable[Verdict]) -> list[str]:
    """Their states."""
    return [verdict.state for verdict in verdicts]


LIVE = reply('{"login": "octocat", "id": 1, "site_admin": false}', Content_Type="application/json")
DEAD = reply('{"message": "Bad credentials"}', 401, Content_Type="application/json")


def knows(*secrets: bytes, live: bytes = LIVE, delay: float = 0) -> Answering:
    """GitHub, which knows these secrets and no other."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if delay:
            await asyncio.sleep(delay)
        known = any(secret.decode() in seen.headers.get("authorization", "") for secret in secrets)
        writer.write(live if known else DEAD)

    return answer
