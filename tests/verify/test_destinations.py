"""Where secrets go: to the hosts that are the provider's own or that the user named, at addresses that were checked."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner import catalog
from oakum.scanner.errors import UsageError
from oakum.scanner.model import Detector, Verdict
from oakum.scanner.net import Outbound
from oakum.scanner.net.addresses import is_forbidden, is_private
from oakum.scanner.net.http import Request
from oakum.scanner.net.urls import Url
from oakum.scanner.verify import Named
from oakum.scanner.verify.credential import Credential, Destination, UnaskedError, destination
from oakum.scanner.verify.line import Clock, Line, Lines, Pace
from providing import (
    DEAD,
    NOW,
    Seen,
    ask,
    certified,
    finding,
    github,
    instead,
    knows,
    options,
    planned_for,
    provider,
    reply,
    running,
    says,
)
from scanning import Fresh


def self_hosted() -> Detector:
    """A detector whose tokens may be for somebody's own server, as it stands beside them."""
    return github(request="GET https://{host|api.github.com}/user", hosts=("api.github.com", "*.ghe.com"), beside=())


@dataclass
class Doors:
    """What this process looked up, and where it connected to."""

    names: list[str] = field(default_factory=list)
    connected: list[tuple[Any, ...]] = field(default_factory=list)


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
    """Every way out, watched; only loopback is open."""
    watched = Doors()
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def looked_up(host: Any, *rest: Any, **named: Any) -> Any:
        watched.names.append(host)
        return look_up(host, *rest, **named)

    def connected(self: socket.socket, address: Any) -> None:
        watched.connected.append(address)
        if not str(address[0]).startswith("127."):
            raise OSError("a test connects to no other machine")
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket.socket, "connect", connected)
    return watched


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Each look-up of a name gives the next of these addresses, and then the last ones for ever; the names."""
    look_up, left, names = socket.getaddrinfo, list(answers), []

    def looked_up(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        with suppress(ValueError):
            return look_up(host, port, *rest, **named) if _is_number(host) else _none()
        names.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        families = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in found]
        return [(family, socket.SOCK_STREAM, 6, "", (one, port)) for family, one in zip(families, found, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return names


def _is_number(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _none() -> None:
    raise ValueError


# --- only hosts that are known ---------------------------------------------------------------------------------------


def test_a_host_that_came_out_of_the_data_is_not_asked(doors: Doors, fresh: Fresh) -> None:
    """Not even looked up: whatever it is called."""
    with provider(says(DEAD)) as server:
        hosts = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001"]
        hosts += ["git.example.org", "api.github.com.example.org", "evilghe.com", "ghe.com", "xapi.github.com"]
        found = [finding(self_hosted(), fresh(), host=f"{host}:{server.port}") for host in hosts]
        chosen = options(instead(server.port, of="another"))
        planned = planned_for(found, options())
        verdicts = ask(found, options())
        assert planned.questions == ()
        assert planned.unnamed == tuple(sorted(f"{host}:{server.port}" for host in hosts))
        assert [v.reason for v in verdicts] == [
            f"not asked: {host}:{server.port} came out of the data (--verify-host {host}:{server.port} names it)"
            for host in hosts
        ]
        assert [v.reason for v in ask(found[3:], chosen)] == [v.reason for v in verdicts[3:]]
        assert (server.connections, doors.names, doors.connected) == (0, [], [])


@pytest.mark.parametrize(
    "host", ["a b", "a/b", "user@api.github.com", "api.github.com#", "a?", "[::1]", "é.org", "..", ""]
)
def test_what_is_no_host(host: str, doors: Doors, fresh: Fresh) -> None:
    """Is not asked; where none stands there, the provider's own is."""
    planned = planned_for([finding(self_hosted(), fresh(), host=host)], options())
    if host:
        assert [v.reason for v in planned.unasked.values()] == ["the host that stands beside it is none"]
    else:
        assert planned.hosts() == [("api.github.com", 1)]
    assert doors.names == []


def test_only_the_server_that_is_named_is_contacted(doors: Doors, fresh: Fresh) -> None:
    """Neither the provider nor another one, while a check goes to the host that the user names in its place."""
    secrets = [fresh() for _ in range(5)]
    with provider(knows(*secrets)) as server, provider(says(DEAD)) as other:
        found = [finding(github(), secret) for secret in secrets]
        found.append(finding(self_hosted(), fresh(), host=f"127.0.0.1:{other.port}"))
        verdicts = ask(found, options(instead(server.port)))
        assert [v.state for v in verdicts] == ["live"] * 5 + ["dead"]
        assert {v.asked for v in verdicts} == {f"127.0.0.1:{server.port}"}
        assert (other.connections, set(doors.connected)) == (0, {("127.0.0.1", server.port)})


def test_what_is_named_for_a_provider_is_named_for_no_other(doors: Doors, fresh: Fresh) -> None:
    """Neither for one whose host stands in the data, nor for logins, at whichever port."""
    with provider(says(DEAD)) as server:
        other = replace(self_hosted(), id="acme", provider="acme")
        login = next(one for one in catalog.load() if one.id == "uri-server-password")
        at = {"scheme": "smtp", "user": "app", "host": "127.0.0.1", "port": str(server.port)}
        found = [finding(other, fresh(), host=f"127.0.0.1:{server.port}"), finding(login, fresh(), **at)]
        planned = planned_for(found, options(Named.read([f"github=127.0.0.1:{server.port}"])))
        assert (planned.questions, planned.unnamed) == ((), (f"127.0.0.1:{server.port}",))
        assert ask(found, options(Named.read([f"github=127.0.0.1:{server.port}"])))[0].state == "unknown"
        assert server.connections == 0


def test_a_provider_is_at_home_at_the_port_of_https_alone() -> None:
    """Unless its table says another one: what listens elsewhere may be anybody's."""
    hosts = ["*.example.org", "*.vault.test:8200"]
    own = ["https://a.example.org", "https://a.example.org:443", "https://a.vault.test:8200"]
    other = ["https://a.example.org:22", "https://a.example.org:8443", "https://a.vault.test", "http://127.0.0.1:443"]
    assert [destination(f"{url}/x", hosts).own for url in own] == [True] * 3
    assert [destination(f"{url}/x", [*hosts, "127.0.0.1"]).own for url in other] == [False] * 4


def test_a_scheme_cannot_send_elsewhere(doors: Doors) -> None:
    """Neither to another host nor port, nor over http, whatever its code asks for."""
    own = Destination("https", "api.github.com", 443, own=True)
    odd = Destination("https", "git.example.org", 8443)
    plain = Destination("http", "git.example.org", 80)
    credential = Credential(github(), b"made up")
    with Lines(Outbound(), Named(), Pace(), until=1e18, answer=1, clock=Clock(NOW, 0)) as lines:
        line = Line(lines, credential, (own, odd, plain))
        for url in ("https://api.github.com:444", "http://api.github.com", "https://git.example.org", "https://x.org"):
            scheme, _, authority = url.partition("://")
            with pytest.raises(UnaskedError, match="was not announced"):
                line.send(Request(Url(scheme, authority)))
        with pytest.raises(UnaskedError, match="over http anybody on the way reads the secret"):
            line.send(Request(Url("http", "git.example.org")))
        with pytest.raises(UnaskedError, match="was not announced"), line.connected("api.github.com", 5432):
            pass
    assert (doors.names, doors.connected) == ([], [])


def test_a_url_of_plain_http() -> None:
    """Is asked only on this machine."""
    with pytest.raises(UnaskedError, match="over http anybody on the way reads the secret"):
        destination("http://acme.blob.core.windows.net/x", ["*.blob.core.windows.net"])
    assert destination("http://127.0.0.1:10000/x", []) == Destination("http", "127.0.0.1", 10000)


# --- what the user names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "hosts", "there"),
    [
        ("git.example.org", {("git.example.org", 0)}, {}),
        ("Git.Example.ORG.", {("git.example.org", 0)}, {}),
        ("git.example.org:8443", {("git.example.org", 8443)}, {}),
        ("10.0.0.1", {("10.0.0.1", 0)}, {}),
        ("[::1]:8443", {("::1", 8443)}, {}),
        ("gitlab=git.example.org", set(), {"gitlab": Destination("https", "git.example.org", 443)}),
        ("gitlab=https://g.org:1/", set(), {"gitlab": Destination("https", "g.org", 1)}),
        ("aws=http://127.0.0.1:5000", set(), {"aws": Destination("http", "127.0.0.1", 5000)}),
        ("aws=http://localhost:5000", set(), {"aws": Destination("http", "localhost", 5000)}),
        ("aws=http://[::1]:5000", set(), {"aws": Destination("http", "::1", 5000)}),
    ],
)
def test_hosts_that_are_named(entry: str, hosts: set[tuple[str, int]], there: dict[str, Destination]) -> None:
    """With or without a port, and in place of a provider's."""
    named = Named.read([entry])
    assert (named.hosts, named.instead) == (frozenset(hosts), there)


@pytest.mark.parametrize(
    "entry",
    "* *.example.org a/b user@host host?x host#x ftp://host host:99999 host:x =host A=host a=b=c a= : é.org "
    "http://git.example.org gitlab=http://10.0.0.1 aws=http://127.0.0.1.example.org 169.254.169.254 2852039166 "
    "0xa9fea9fe [fe80::1] [::ffff:169.254.169.254] metadata.google.internal aws=http://169.254.169.254 "
    "aws=https://metadata.google.internal.".split(),
)
def test_hosts_that_cannot_be_named(entry: str) -> None:
    """Before anything is scanned."""
    with pytest.raises(UsageError, match="--verify-host "):
        Named.read([entry])


@given(st.text(max_size=40))
def test_any_text_is_a_host_or_refused(text: str) -> None:
    """What is named has no signs that lead elsewhere."""
    try:
        named = Named.read([text])
    except UsageError:
        return
    for host, port in named.hosts:
        assert host.isascii()
        assert not set(host) & set("/?#@[]*% \\\n")
        assert 0 <= port < 65536


def test_a_named_server_with_a_certificate(doors: Doors, tmp_path: Path, fresh: Fresh) -> None:
    """It is asked over TLS, at its own address though that is none of the internet; and only there."""
    secret = fresh()
    tls, authority = certified(tmp_path, "127.0.0.1")
    with provider(knows(secret), tls=tls) as server:
        found = [finding(self_hosted(), secret, host=f"127.0.0.1:{server.port}")]
        outbound = Outbound(certificates=authority)
        named = options(Named.read([f"127.0.0.1:{server.port}"]), outbound=outbound)
        assert [(v.state, v.asked) for v in ask(found, named)] == [("live", f"127.0.0.1:{server.port}")]
        other_port = options(Named.read([f"127.0.0.1:{server.port + 1}"]), outbound=outbound)
        assert [v.state for v in ask(found, other_port)] == ["unknown"]
        assert set(doors.connected) == {("127.0.0.1", server.port)}


# --- addresses -------------------------------------------------------------------------------------------------------

PRIVATE = (
    "10.0.0.1 127.0.0.1 192.168.1.1 172.16.0.1 100.64.0.1 0.0.0.0 ::1 :: fd00::1 fec0::1 ::ffff:10.0.0.1 ::10.0.0.1 "
    "64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 ::ffff:0:10.0.0.1 2002:a00:1:: 240.0.0.1 198.18.0.1"
).split()
FORBIDDEN = (
    "169.254.169.254 169.254.0.1 fe80::1 fd00:ec2::254 100.100.100.200 168.63.129.16 ::ffff:169.254.169.254 "
    "64:ff9b::169.254.169.254 64:ff9b:1::169.254.169.254 ::ffff:0:169.254.169.254 2002:a9fe:a9fe:: 224.0.0.1"
).split()


def test_kinds_of_addresses() -> None:
    """Each is known for what it is, however it is wrapped."""
    assert [one for one in PRIVATE + FORBIDDEN if not is_private(one) and not is_forbidden(one)] == []
    assert [one for one in FORBIDDEN if not is_forbidden(one)] == []
    assert [one for one in PRIVATE if is_forbidden(one)] == []
    assert [one for one in ("8.8.8.8", "2001:4860::1", "64:ff9b::8.8.8.8", "2002:808:808::") if is_private(one)] == []


@pytest.mark.parametrize("address", PRIVATE + FORBIDDEN)
def test_a_provider_whose_name_leads_to_a_place_at_home(
    address: str, doors: Doors, monkeypatch: pytest.MonkeyPatch, fresh: Fresh
) -> None:
    """Is not connected to, though one of its addresses is none at home."""
    leads_to(monkeypatch, ["8.8.8.8", address])
    (verdict,) = ask([finding(github(), fresh())], options())
    why = "for this machine's own metadata: never asked" if address in FORBIDDEN else "no address of the internet"
    assert verdict.state == "unknown"
    assert f"api.github.com leads to {address}, which is {why}" in verdict.reason
    assert doors.connected == []


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_named_host_that_leads_to_metadata(
    address: str, doors: Doors, monkeypatch: pytest.MonkeyPatch, fresh: Fresh
) -> None:
    """Naming it does not help."""
    leads_to(monkeypatch, [address])
    named = options(Named.read(["github=git.example.org"]))
    (verdict,) = ask([finding(github(), fresh())], named)
    assert "for this machine's own metadata: never asked" in verdict.reason
    assert doors.connected == []


def test_a_name_that_leads_elsewhere_the_next_time(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh: Fresh
) -> None:
    """Each connection goes to the address that was checked for it; DNS rebinding gains nothing."""
    secret = fresh()
    tls, authority = certified(tmp_path, "git.example.org")
    names = leads_to(monkeypatch, ["127.0.0.3"], ["127.0.0.3"], ["169.254.169.254"])

    async def once(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await knows(secret)(seen, writer)
        await writer.drain()
        writer.close()

    with provider(once, ["127.0.0.3"], tls) as server:
        named = Named.read([f"github=git.example.org:{server.port}"])
        (verdict,) = ask([finding(github(), secret)], options(named, outbound=Outbound(certificates=authority)))
    assert verdict.state == "unknown"
    assert "git.example.org leads to 169.254.169.254" in verdict.reason
    assert names == ["git.example.org"] * 3
    assert doors.connected == [("127.0.0.3", server.port)] * 2


def test_a_look_up_that_hangs(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    """Is given up in time, as the system's own look-up knows no time-out."""
    released = threading.Event()

    def hangs(*_: Any, **__: Any) -> Any:
        released.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    found = [finding(github(), fresh()) for _ in range(3)]
    verdicts = ask(found, options(answer=0.1, seconds=10))
    released.set()
    assert {v.state for v in verdicts} == {"unknown"}
    assert all("did not answer 3 times in a row" in v.reason for v in verdicts)


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    """Is looked up once."""
    names: list[str] = []

    def unknown(host: str, *_: Any, **__: Any) -> Any:
        names.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    verdicts = ask([finding(github(), fresh()) for _ in range(3)], options())
    assert {v.reason for v in verdicts} == {"api.github.com: there is no host api.github.com"}
    assert names == ["api.github.com"]


# --- proxies ---------------------------------------------------------------------------------------------------------


@dataclass
class Tunnels:
    """A proxy: its port, the hosts that it was told to connect to, and all bytes that went through."""

    port: int
    asked: list[str] = field(default_factory=list)
    through: bytearray = field(default_factory=bytearray)


@contextmanager
def proxy(to: int, *, refuses: bool = False) -> Iterator[Tunnels]:
    """A CONNECT proxy (RFC 9110, 9.3.6) which connects to a port of this machine, whatever it is asked for."""
    loop = asyncio.new_event_loop()
    tunnels = Tunnels(0)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                tunnels.through += data
                writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        tunnels.through += head
        tunnels.asked.append(head.split(b"\r\n")[0].decode())
        if refuses:
            writer.write(reply("", 407))
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    loop.set_exception_handler(lambda _loop, _context: None)
    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", 0))
    tunnels.port = server.sockets[0].getsockname()[1]
    with running(loop, [server]):
        yield tunnels


def through(tunnels: Tunnels, authority: str, secret: bytes, **more: str) -> Verdict:
    """The verdict by way of a proxy."""
    environment = {"HTTPS_PROXY": f"http://127.0.0.1:{tunnels.port}"} | more
    outbound = Outbound(environment, authority)
    (verdict,) = ask([finding(github(), secret)], options(outbound=outbound))
    return verdict


def test_a_proxy_sees_the_name_of_the_host_and_no_secret(tmp_path: Path, fresh: Fresh) -> None:
    """It stands in the user's own network, and the secret passes it within TLS."""
    secret = fresh()
    tls, authority = certified(tmp_path, "api.github.com")
    with provider(knows(secret), tls=tls) as server, proxy(server.port) as tunnels:
        verdict = through(tunnels, authority, secret)
        assert (verdict.state, server.had(secret)) == ("live", 1)
        assert tunnels.asked == ["CONNECT api.github.com:443 HTTP/1.1"]
        assert secret not in bytes(tunnels.through)
        assert b"user-agent" not in bytes(tunnels.through).lower()


def test_a_proxy_that_puts_itself_in_the_middle(tmp_path: Path, fresh: Fresh) -> None:
    """Its certificate is not trusted, and it learns nothing."""
    secret = fresh()
    tls, _ = certified(tmp_path, "api.github.com")
    with provider(knows(secret), tls=tls) as server, proxy(server.port) as tunnels:
        verdict = through(tunnels, "", secret)
        assert "its certificate is not trusted" in verdict.reason
        assert (server.seen, secret in bytes(tunnels.through)) == ([], False)


def test_a_proxy_that_refuses(fresh: Fresh) -> None:
    """Is told from the provider."""
    with proxy(1, refuses=True) as tunnels:
        assert through(tunnels, "", fresh()).reason == "api.github.com: the proxy refuses (407)"


def test_hosts_without_a_proxy(monkeypatch: pytest.MonkeyPatch, fresh: Fresh) -> None:
    """NO_PROXY holds: the name is looked up and checked here."""
    leads_to(monkeypatch, ["10.0.0.1"])
    with proxy(1) as tunnels:
        verdict = through(tunnels, "", fresh(), NO_PROXY="github.com")
        assert "leads to 10.0.0.1" in verdict.reason
        assert tunnels.asked == []
