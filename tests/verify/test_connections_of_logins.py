"""Connections of logins (`net/dial.py`, `Line.connected`): to what was announced, until their time is over."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from oakum.scanner.net import Outbound
from oakum.scanner.net.dial import Connection, Trust, connected
from oakum.scanner.net.http import UnansweredError, trust
from oakum.scanner.verify import Named
from oakum.scanner.verify.credential import Credential, Destination, UnaskedError
from oakum.scanner.verify.line import Clock, LaterError, Line, Lines, Pace, UnreachedError
from providing import NOW, Seen, certified, github, provider, reply, says

ASKS = b"LOGIN / HTTP/1.1\r\n\r\n"


async def drips(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever."""
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


def read_to_the_end(connection: Connection) -> None:
    """What a driver does that waits for a whole answer."""
    connection.sendall(ASKS)
    while connection.recv(1):
        pass
    raise EOFError


def at_once(connection: Connection, _trust: Trust) -> Connection:
    """The connection as it is."""
    return connection


def later(connection: Connection, trusted: Trust) -> Connection:
    """TLS that a driver begins."""
    return trusted.wrap_socket(connection, server_hostname="127.0.0.1")


@pytest.mark.parametrize(("tls", "begins"), [(False, at_once), (True, at_once), (False, later)])
def test_a_login_ends_in_its_time(
    tls: bool,
    begins: Callable[[Connection, Trust], Connection],
    tmp_path: Path,
) -> None:
    """Whatever drips from the other side, and whoever began TLS."""
    secured = tls or begins is later
    context, authority = certified(tmp_path, "127.0.0.1")
    with provider(drips, tls=context if secured else None) as server:
        outbound = Outbound(certificates=authority, private=True)
        begun = time.monotonic()
        with (
            pytest.raises(UnansweredError, match="the connection breaks") as error,
            connected("127.0.0.1", server.port, outbound, seconds=0.5, tls=tls) as connection,
        ):
            read_to_the_end(begins(connection, trust(authority)))
        assert 0.3 < time.monotonic() - begun < 3
        assert error.value.passing
        assert len(server.seen) == 1


def test_what_is_no_end(tmp_path: Path) -> None:
    """Nobody listens; the certificate is somebody else's; the name leads home, or hangs."""
    context, _ = certified(tmp_path, "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        pytest.raises(UnansweredError, match="no connection") as error,
        connected("127.0.0.1", port, Outbound(private=True), seconds=2),
    ):
        pass
    assert (error.value.passing, error.value.final) == (True, False)
    with provider(says(reply()), tls=context) as server:
        with (
            pytest.raises(UnansweredError, match="its certificate is not trusted") as error,
            connected("127.0.0.1", server.port, Outbound(private=True), seconds=2, tls=True),
        ):
            pass
        assert (error.value.passing, error.value.final) == (False, True)
        connections = server.connections
        for host in ("127.0.0.1", "::ffff:127.0.0.1"):
            with (
                pytest.raises(UnansweredError, match="no address of the internet"),
                connected(host, server.port, Outbound(), seconds=2),
            ):
                pass
        assert (server.connections, server.seen) == (connections, [])


def test_a_line_connects_to_what_was_announced() -> None:
    """Or to what the user names in its place; and says whether it may be tried again."""
    with provider(says(reply())) as server, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
        named = Named(frozenset({("127.0.0.1", 0)}), {})
        credential = Credential(github(), b"made up")
        to = (Destination("redis", "127.0.0.1", server.port), Destination("redis", "127.0.0.1", closed))
        with Lines(Outbound(), named, Pace(), until=time.monotonic() + 9, answer=2, clock=Clock(NOW, 0)) as lines:
            line = Line(lines, credential, to)
            with line.connected("127.0.0.1", server.port) as connection:
                connection.sendall(ASKS)
                assert connection.recv(9) == b"HTTP/1.1 "
            assert (line.answered, line.refused) == (True, True)
            with pytest.raises(UnaskedError, match="was not announced"), line.connected("127.0.0.1", 1):
                pass
            with pytest.raises(LaterError, match="no connection"), line.connected("127.0.0.1", closed):
                pass
        there = Named(frozenset({("127.0.0.1", server.port)}), {"github": to[0]})
        with Lines(Outbound(), there, Pace(), until=time.monotonic() + 9, answer=2, clock=Clock(NOW, 0)) as lines:
            line = Line(lines, credential, to[:1])
            with line.connected("db.example.org", 5432) as connection:
                assert connection.getpeername() == ("127.0.0.1", server.port)
        private = Named()
        with Lines(Outbound(), private, Pace(), until=time.monotonic() + 9, answer=2, clock=Clock(NOW, 0)) as lines:
            line = Line(lines, credential, to)
            with pytest.raises(UnreachedError, match="unless named"), line.connected("127.0.0.1", server.port):
                pass
