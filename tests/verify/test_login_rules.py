"""What holds for logins of all protocols: who is tried, where, how often, and what is said where nobody is."""

from __future__ import annotations

import base64
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from logging_in import only, password
from made_certificates import certificates
from oakum.scanner import catalog
from oakum.scanner.net import Outbound
from oakum.scanner.net.dial import connected, secured
from oakum.scanner.net.http import UnansweredError, trust
from oakum.scanner.verify.logins import KNOWN, scram
from oakum.scanner.verify.schemes import login
from raw_server import Doing, Talk, raw

pytestmark = pytest.mark.long

WORD = password("rules")


def post(users: Mapping[str, str], tried: list[str], *, busy: int = 0) -> Doing:
    """A mail server that takes these users, and at first nobody so many times."""
    connections = iter(range(1000))

    def doing(talk: Talk) -> None:
        if next(connections) < busy:
            talk.send(b"421 come back later\r\n")
            return
        talk.send(b"220 x\r\n")
        talk.read()
        talk.send(b"250-x\r\n250 AUTH PLAIN\r\n")
        _, user, word = base64.b64decode(talk.read().split()[2]).decode().split("\0")
        tried.append(user)
        talk.send(b"235 well\r\n" if users.get(user) == word else b"535 5.7.8 no\r\n")
        talk.read()

    return doing


def real(tried: list[str]) -> list[str]:
    return [user for user in tried if not user.startswith("oakum-")]


def test_who_could_not_be_tried_is_tried_again() -> None:
    """As long as nothing was sent."""
    tried: list[str] = []
    with raw(post({"app": WORD}, tried, busy=1)) as server:
        assert only(f"MAIL=smtp://app:{WORD}@{server.place}", server.place) == ("live", "user app")
        assert real(tried) == ["app"]


def test_a_host_may_be_named_in_place_of_all() -> None:
    """As for every provider."""
    tried: list[str] = []
    with raw(post({"app": WORD}, tried)) as server:
        assert only(f"A=smtp://app:{WORD}@mail.acme.test:25", f"uri={server.place}")[0] == "live"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("amqp://app:{}@mq.acme.test/x", "logins of amqp are not tried"),
        ("postgres://:{}@db.acme.test/x", "no user stands beside it"),
        ("mysql://app:{}@db.acme.test:99999/x", "the port that stands beside it is none"),
        ("*:*:*:postgres:{}\n", "what stands beside it as the host is none that can be asked"),
        (
            "dsn: etl:{}@unix(/run/mysqld/mysqld.sock)/dwh",
            "what stands beside it as the host is none that can be asked",
        ),
        ("Server=db1.acme.test;Database=shop;User Id=app;Password={};", "what is spoken there is not known"),
        ("jdbc:mysql://db.acme.test/shop?user=app&password=a+{}\n", "drivers differ in how they read its % or +"),
        ("dsn = 'dbname=app user=svc password={}'", "no host stands beside it"),
        ("postgres://app%00:{}@db.acme.test/x", "it holds characters that cannot be sent"),
    ],
)
def test_what_cannot_be_tried_is_not(text: str, reason: str) -> None:
    """With the reason."""
    assert only(f" {text.format(WORD)}" if "\n" not in text else text.format(WORD)) == ("unknown", reason)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Server=DB1.acme.test,5432;Database=shop;User Id=app;Password={};", "db1.acme.test:5432"),
        ("postgres://app:{}@DB.acme.test./x", "db.acme.test:5432"),
        ("rediss://:{}@cache.acme.test", "cache.acme.test:6379"),
        ("smtp://app:{}@mail.acme.test", "mail.acme.test:587"),
        ("mysql://app:{}@[fd00::7]:3307/x", "[fd00::7]:3307"),
        ("10.0.0.4:*:app:app:{}\n", "10.0.0.4:5432"),
    ],
)
def test_where_it_would_be_asked(text: str, place: str) -> None:
    """At the usual port, where none stands there."""
    state, reason = only(f" {text.format(WORD)}" if "\n" not in text else text.format(WORD))
    assert (state, reason.partition(" came")[0]) == ("unknown", f"not asked: {place}")


@pytest.mark.parametrize(("library", "scheme"), [("paramiko", "ssh"), ("bson", "mongodb")])
def test_a_library_that_is_not_installed(
    library: str, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason says what to install."""
    monkeypatch.setitem(sys.modules, library, None)
    with raw(lambda talk: talk.pause(0.1)) as server:
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 AAAA\n")
        found = only(f"x={scheme}://app:{WORD}@{server.place}", server.place, environment={"HOME": str(tmp_path)})
        reason = f"127.0.0.1: {library} is not installed: pip install 'oakum[verify]'"
        assert found == ("unknown", reason)


def test_tables_name_protocols_that_there_are() -> None:
    """`request` of a table is a protocol, or how the text is read."""
    forms = {d.verify.request for d in catalog.load() if d.verify and d.verify.scheme == "login"}
    assert forms - {"", "uri", "jdbc"} <= KNOWN.keys()
    assert login.PROBE == "host"


@pytest.mark.parametrize("begins", [True, False])
def test_a_connection_ends_in_time_within_tls_too(tmp_path: Path, *, begins: bool) -> None:
    """Whoever started it: a server that drips is not waited for."""
    signed = certificates(tmp_path)

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with signed.context().wrap_socket(connection, server_side=True) as talk:
            try:
                while True:
                    talk.sendall(b"x")
                    time.sleep(0.02)
            except OSError:
                return

    def read_all(port: int) -> None:
        outbound = Outbound({}, signed.authority, private=True)
        with connected("127.0.0.1", port, outbound, seconds=0.5, tls=begins) as connection:
            used = connection if begins else secured(connection, "127.0.0.1", trust(signed.authority))
            while used.recv(1):
                pass
            raise EOFError

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        began = time.monotonic()
        with pytest.raises(UnansweredError):
            read_all(listening.getsockname()[1])
        assert 0.4 < time.monotonic() - began < 3
        thread.join(5)
        assert not thread.is_alive()


def test_the_example_of_scram() -> None:
    """RFC 7677, section 3."""
    made = scram.Scram("sha256", "user", "pencil")
    made._nonce = "rOprNGfwEbeRWgbNEkqO"
    made._bare = "n=user,r=rOprNGfwEbeRWgbNEkqO"
    first = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert made.last(first).endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    assert made.is_proved(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert not made.is_proved(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0007é", "\u0007é"),
        ("a\u00a0b", "a b"),
    ],
)
def test_the_examples_of_saslprep(word: str, expected: str) -> None:
    """RFC 4013, section 3; what it forbids stays as it is."""
    assert scram.prepared(word) == expected
