"""Logins to a real MariaDB, and to a server that does as MySQL's page on `caching_sha2_password` has it, of which there
is no Debian package; through the whole program.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
"""

from __future__ import annotations

import hashlib
import ssl
import struct
from collections.abc import Iterator
from string import Template

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from databases import Server, mariadb
from logging_in import only, password, verdicts
from made_certificates import Certificates, certificates
from oakum.scanner.verify.logins import wire
from raw_server import Doing, Talk, raw

pytestmark = pytest.mark.long

USERS = "chief owner writer reader nothing remote locked socket curve".split()
REFUSED = "it refuses the login from here, in words that say neither that the password is wrong nor that the place is"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, signed: Certificates) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mariadb")
    with mariadb(folder, {user: password(user) for user in USERS}, signed) as started:
        yield started


@pytest.mark.parametrize(
    ("user", "privilege"),
    [("chief", "admin"), ("owner", "full"), ("writer", "write"), ("reader", "read"), ("nothing", "none")],
)
def test_a_user_who_is_let_in_is_live_with_what_is_granted(server: Server, user: str, privilege: str) -> None:
    """By `show grants`, which changes nothing."""
    (verdict,) = verdicts(f"url={server.url('mysql', user, path='/shop')}", server.place)
    assert (verdict.state, verdict.reason) == ("live", f"user {user}")
    assert dict(verdict.facts) == {"user": user, "host": "127.0.0.1", "privilege": privilege}


@pytest.mark.parametrize("user", ["owner", "remote", "nobody", "none"])
def test_a_refusal_says_nothing(server: Server, user: str) -> None:
    """A wrong password, one of a user of another place (here the right one), and a user that there is not; who has
    none is not let in with one."""
    word = server.passwords["remote"]
    assert only(f"url={server.url('mysql', user, word)}", server.place) == ("unknown", f"127.0.0.1: {REFUSED}")


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("locked", "the account is locked (4151)"),
        ("socket", "it refuses, and does not say that the password is wrong (1698)"),
        ("curve", "it asks for the password in a way in which it is not sent (client_ed25519)"),
    ],
)
def test_what_is_not_let_in_for_another_reason_is_unknown(server: Server, user: str, reason: str) -> None:
    """With the reason."""
    assert only(f"url={server.url('mariadb', user)}", server.place) == ("unknown", f"127.0.0.1: {reason}")


@pytest.mark.parametrize(
    "text",
    [
        "db, err := sql.Open('mysql', 'owner:$PASSWORD@tcp(127.0.0.1:$PORT)/shop')",
        "spring.datasource.url=jdbc:mysql://127.0.0.1:$PORT/shop?user=owner&password=$PASSWORD\n",
        "engine = create_engine('mysql+pymysql://owner:$PASSWORD@127.0.0.1:$PORT/shop')",
    ],
)
def test_all_forms_of_its_connection_strings(server: Server, text: str) -> None:
    """Those that name a host."""
    filled = Template(text).substitute(PORT=server.port, PASSWORD=server.passwords["owner"])
    assert only(filled, server.place) == ("live", "user owner")


def test_elsewhere_it_wants_tls(server: Server, signed: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as another one."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)
    text = f"url={server.url('mysql', 'owner')}"
    assert only(text, server.place, certificates=signed.authority) == ("live", "user owner")
    state, reason = only(text, server.place)
    assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


SALT = b"abcdefghijklmnopqrst"
OK, REFUSES = b"\0\0\0\2\0\0\0", b"\xff" + struct.pack("<H", 1045) + b"#28000no"


def caching(word: str, secured: ssl.SSLContext | None = None, *, remembers: bool) -> Doing:
    """What MySQL 8 does; where it does not remember a user, it wants the password itself."""
    key = rsa.generate_private_key(65537, 2048)
    own = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    once = hashlib.sha256(word.encode()).digest()
    expected = bytes(
        a ^ b for a, b in zip(once, hashlib.sha256(hashlib.sha256(once).digest() + SALT).digest(), strict=True)
    )

    def doing(talk: Talk) -> None:
        head = struct.pack("<HBHHB", 0xFFFF, 45, 2, 0x0008, 21)
        talk.send(
            packet(
                0,
                b"\x0a8.4.0\0\1\0\0\0" + SALT[:8] + b"\0" + head + bytes(10) + SALT[8:] + b"\0caching_sha2_password\0",
            )
        )
        number = 1
        if secured:
            assert len(talk.exactly(36)) == 36
            talk.connection = secured.wrap_socket(talk.connection, server_side=True)
            number = 2
        answer = talk.read()
        assert answer.endswith(b"caching_sha2_password\0")
        user, _, rest = answer[36:].partition(b"\0")
        proof = rest[1 : 1 + rest[0]]
        if remembers and user == b"app":
            assert proof == expected
            talk.send(packet(number + 1, b"\1\3") + packet(number + 2, OK))
        else:
            talk.send(packet(number + 1, b"\1\4"))
            told = talk.read()[4:]
            if not secured:
                assert told == b"\2"
                talk.send(packet(number + 3, b"\1" + own))
                hidden = key.decrypt(talk.read()[4:], OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None))
                told = bytes(a ^ b for a, b in zip(hidden, SALT * 9, strict=False))
            well = (user, told) == (b"app", word.encode() + b"\0")
            talk.send(packet(number + 5, OK if well else REFUSES))
        if talk.read()[4:] == b"\3SHOW GRANTS":
            row = b"GRANT SELECT ON `shop`.* TO `app`@`%`"
            rows = [b"\1", b"column", b"\xfe\0\0\2\0", bytes([len(row)]) + row, b"\xfe\0\0\2\0"]
            talk.send(b"".join(packet(n, each) for n, each in enumerate(rows, start=1)))
            talk.read()

    return doing


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("tls", [True, False])
def test_logins_by_caching_sha2_password(
    signed: Certificates, monkeypatch: pytest.MonkeyPatch, *, tls: bool, remembers: bool
) -> None:
    """By a proof where the server remembers the user; else the password goes within TLS, or by the server's own key to
    this machine."""
    word = password("caching")
    if tls:
        monkeypatch.setattr(wire, "is_own", lambda address: False)
    with raw(caching(word, signed.context() if tls else None, remembers=remembers)) as server:
        url = f"url=mysql://app:{word}@{server.place}/shop"
        (verdict,) = verdicts(url, server.place, certificates=signed.authority)
        told = {"user": "app", "host": "127.0.0.1", "privilege": "read"}
        assert (verdict.state, dict(verdict.facts)) == ("live", told)
        if not remembers:
            wrong = url.replace(word, password("another"))
            assert only(wrong, server.place, certificates=signed.authority) == ("unknown", f"127.0.0.1: {REFUSED}")
        assert tls or word.encode() not in server.all


def test_a_user_whose_password_is_not_checked_proves_nothing(signed: Certificates) -> None:
    """The server says that all is well, and leaves out that the proof was right."""

    def doing(talk: Talk) -> None:
        head = struct.pack("<HBHHB", 0xFFFF, 45, 2, 0x0008, 21)
        start = b"\x0a8.4.0\0\1\0\0\0" + SALT[:8] + b"\0" + head + bytes(10) + SALT[8:] + b"\0caching_sha2_password\0"
        talk.send(packet(0, start))
        talk.send(packet(2, OK if b"app\0" in talk.read() else REFUSES))
        talk.read()

    with raw(doing) as server:
        reason = "127.0.0.1: it lets that user in, and checks no password"
        assert only(f"url=mysql://app:{password('caching')}@{server.place}/shop", server.place) == ("unknown", reason)
