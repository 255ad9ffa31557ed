"""Servers that flood, drip, lie and ask for what they must not get: bounded time and memory, and nothing is sent."""

from __future__ import annotations

import base64
import string
import struct
import threading
import time
import tracemalloc
from contextlib import ExitStack
from pathlib import Path
from random import Random

import paramiko
import pytest
from logging_in import only, password, verdicts
from oakum.scanner.verify.logins import wire
from raw_server import Doing, Raw, Talk, raw

pytestmark = pytest.mark.long

WORD = password("hostile")
SCHEMES = ["postgres", "mysql", "redis", "mongodb", "smtp", "ldap", "ssh"]


def known(folder: Path, *servers: Raw) -> dict[str, str]:
    """An environment in which the keys of hosts are known."""
    (folder / ".ssh").mkdir(exist_ok=True)
    key = paramiko.ECDSAKey.generate()
    lines = [f"[{server.host}]:{server.port} {key.get_name()} {key.get_base64()}\n" for server in servers]
    (folder / ".ssh" / "known_hosts").write_text("".join(lines))
    return {"HOME": str(folder)}


def url(scheme: str, server: Raw, word: str = WORD) -> str:
    name = "cn=app%2Cdc=acme" if scheme == "ldap" else "app"
    return f"url={scheme}://{name}:{word}@{server.place}/shop"


def ask(scheme: str, server: Raw, folder: Path, *, answer: float = 0.6) -> tuple[str, str]:
    """The verdict of a login."""
    return only(url(scheme, server), server.place, answer=answer, environment=known(folder, server))


def sent(server: Raw, word: str = WORD) -> bool:
    """Whether the password came, as it is or coded."""
    plain = word.encode()
    coded = [base64.b64encode(before + plain).rstrip(b"=")[4:-1] for before in (b"", b"\0app\0", b"a")]
    return any(each in server.all for each in (plain, *coded))


def flood(part: bytes, first: bytes = b"") -> Doing:
    def doing(talk: Talk) -> None:
        talk.send(first)
        while talk.goes_on:
            talk.send(part)

    return doing


def drip(talk: Talk) -> None:
    while talk.goes_on:
        talk.send(b"2")
        talk.pause(0.05)


def silence(talk: Talk) -> None:
    talk.pause(30)


def end(talk: Talk) -> None:
    talk.connection.close()


def garbage(talk: Talk) -> None:
    talk.send(Random(len(talk.connection.getpeername())).randbytes(5000))
    talk.pause(0.1)


DOINGS: dict[str, Doing] = {
    "zeros": flood(bytes(1 << 16)),
    "no end of a line": flood(b"A" * (1 << 16)),
    "lines": flood(b"220-x\r\n" * 5000),
    "giant": flood(b"\xff" * (1 << 16)),
    "drip": drip,
    "silence": silence,
    "end": end,
    "garbage": garbage,
}


def test_servers_that_keep_to_no_protocol(tmp_path: Path) -> None:
    """Each costs a few tries of so many seconds and a few megabytes, and gets nothing; all of them at once."""
    pairs = [(scheme, doing) for scheme in SCHEMES for doing in DOINGS.values()]
    with ExitStack() as stack:
        servers = [stack.enter_context(raw(doing, f"127.0.1.{n}")) for n, (_, doing) in enumerate(pairs, start=1)]
        words = [password(str(n)) for n in range(len(pairs))]
        text = "\n".join(url(scheme, *each) for (scheme, _), *each in zip(pairs, servers, words, strict=True))
        places = [server.place for server in servers]
        verdicts("nothing")
        tracemalloc.start()
        began = time.monotonic()
        found = verdicts(text, *places, answer=0.5, environment=known(tmp_path, *servers))
        took, (_, most) = time.monotonic() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for pair, verdict in zip(pairs, found, strict=True):
            assert (verdict.state, "please report it" in verdict.reason) == ("unknown", False), (pair, verdict)
        assert not any(sent(server, word) for server, word in zip(servers, words, strict=True))
    assert took < 20
    assert most < 200 << 20


def pg(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def mysql(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


GREETING = mysql(
    0,
    b"\x0a8.0.1\0\1\0\0\0abcdefgh\0" + struct.pack("<HBHHB", 0xF7FF, 45, 2, 0x0008, 21) + bytes(10) + b"ijklmnopqrst\0"
    b"mysql_native_password\0",
)


def asks_in_mysql(plugin: bytes) -> Doing:
    def doing(talk: Talk) -> None:
        talk.send(GREETING)
        talk.read()
        talk.send(mysql(2, b"\xfe" + plugin + b"\0" + b"x" * 20 + b"\0"))
        talk.read()

    return doing


@pytest.mark.parametrize("plugin", [b"mysql_clear_password", b"dialog", b"sha256_password", b"\x1b[2J" * 9, b""])
def test_mysql_gets_no_password_in_plain_text(plugin: bytes, tmp_path: Path) -> None:
    """Whatever plugin it asks for."""
    with raw(asks_in_mysql(plugin)) as server:
        state, reason = ask("mysql", server, tmp_path)
        assert (state, sent(server)) == ("unknown", False)
        assert reason.startswith("127.0.0.1: it asks for the password in a way in which it is not sent (")
        assert reason.isprintable()


def test_mysql_gets_no_file(tmp_path: Path) -> None:
    """Where it answers a query with a request for one (LOAD DATA LOCAL)."""
    after: list[bytes] = []
    heard = threading.Event()

    def doing(talk: Talk) -> None:
        talk.send(GREETING)
        user = talk.read()
        if b"oakum-" in user:
            talk.send(mysql(2, b"\xff" + struct.pack("<H", 1045) + b"#28000no"))
            return
        talk.send(mysql(2, b"\0\0\0\2\0\0\0"))
        assert talk.read()[4:] == b"\x03SHOW GRANTS"
        talk.send(mysql(1, b"\xfb/etc/passwd"))
        while data := talk.read():
            after.append(data)
        heard.set()

    with raw(doing) as server:
        assert ask("mysql", server, tmp_path) == ("live", "user app")
        assert heard.wait(5)
        assert after == [mysql(0, b"\x01")]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (flood(mysql(3, b"\x05GRANT")), "its answer is none of mysql's"),
        (flood(mysql(3, b"\xfa" + b"G" * 60000)), "it sends more than 1 MiB, as no login does"),
        (flood(mysql(3, b"\xfb"), b"\xff\xff\xff\x03"), "its answer is none of mysql's"),
    ],
    ids=["small", "large", "giant"],
)
def test_rows_without_end(rows: Doing, reason: str, tmp_path: Path) -> None:
    """Of what is granted."""

    def doing(talk: Talk) -> None:
        talk.send(GREETING)
        if b"oakum-" in talk.read():
            return
        talk.send(mysql(2, b"\0\0\0\2\0\0\0"))
        talk.read()
        talk.send(mysql(1, b"\1") + mysql(2, b"column") + mysql(3, b"\xfe\0\0\2\0"))
        rows(talk)

    with raw(doing) as server:
        found = ask("mysql", server, tmp_path, answer=5)
        assert found == ("unknown", f"127.0.0.1: {reason}")


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("r={nonce}xyz,s=AAAA,i=2147483647", "it does not keep to SCRAM, or asks for too much work"),
        ("r={nonce}xyz,s=AAAA,i=0", "it does not keep to SCRAM, or asks for too much work"),
        ("r={nonce},s=AAAA,i=4096", "it does not keep to SCRAM, or asks for too much work"),
        ("r=other,s=AAAA,i=4096", "it does not keep to SCRAM, or asks for too much work"),
        ("", "its answer is none of postgresql's"),
        ("r={nonce}xyz,s=AAAA,i=4096", "it cannot prove that it knows the password itself"),
    ],
)
def test_a_server_that_cheats_at_scram(first: str, reason: str, tmp_path: Path) -> None:
    """Rounds without end, no nonce of its own, or no proof of what it claims to know."""

    def doing(talk: Talk) -> None:
        talk.read()
        talk.send(pg(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))
        nonce = talk.read().split(b"r=")[1].decode()
        talk.send(pg(b"R", struct.pack("!i", 11) + first.format(nonce=nonce).encode()))
        if talk.read():
            proof = b"v=" + base64.b64encode(bytes(32))
            talk.send(pg(b"R", struct.pack("!i", 12) + proof) + pg(b"R", bytes(4)) + pg(b"Z", b"I"))

    with raw(doing) as server:
        began = time.monotonic()
        assert ask("postgres", server, tmp_path) == ("unknown", f"127.0.0.1: {reason}")
        assert time.monotonic() - began < 3
        assert not sent(server)


@pytest.mark.parametrize("kind", [7, 8, 9, 2, 6, 99])
def test_postgresql_gets_a_password_and_no_ticket(kind: int, tmp_path: Path) -> None:
    """Where it asks for Kerberos, GSSAPI, SSPI or what there is not."""
    with raw(lambda talk: (talk.read(), talk.send(pg(b"R", struct.pack("!i", kind))), talk.pause(0.2))[2]) as server:
        reason = f"127.0.0.1: it asks for something other than a password (authentication {kind})"
        assert ask("postgres", server, tmp_path) == ("unknown", reason)


def test_a_code_that_comes_before_the_password_proves_nothing(tmp_path: Path) -> None:
    """28P01 from a server that was not told one."""

    def doing(talk: Talk) -> None:
        talk.read()
        talk.send(pg(b"E", b"SFATAL\0C28P01\0Mno\0\0"))

    with raw(doing) as server:
        reason = "127.0.0.1: it refuses, and does not say that the password is wrong (28P01)"
        assert ask("postgres", server, tmp_path) == ("unknown", reason)


NO_TLS = ("unknown", "127.0.0.1: it offers no TLS: the password was not sent")


@pytest.mark.parametrize(
    ("scheme", "doing"),
    [
        ("postgres", lambda talk: (talk.read(), talk.send(b"N"), talk.read())[2]),
        ("mysql", lambda talk: (talk.send(GREETING.replace(b"\xff\xf7", b"\xff\xf0")), talk.read())[1]),
        ("smtp", lambda talk: (talk.send(b"220 x\r\n"), talk.read(), talk.send(b"250 AUTH PLAIN\r\n"), talk.read())[3]),
        (
            "ldap",
            lambda talk: (talk.read(), talk.send(b"0\x0c\x02\x01\x01x\x07\n\x01\x34\x04\0\x04\0"), talk.read())[2],
        ),
        ("mongodb", lambda talk: (talk.read(), talk.send(b"no TLS here"), talk.read())[2]),
        ("redis", lambda talk: talk.read()),
    ],
)
def test_elsewhere_nothing_goes_to_a_server_without_tls(
    scheme: str, doing: Doing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a password nor a proof of one."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)
    with raw(doing) as server:
        assert ask(scheme, server, tmp_path) == NO_TLS
        assert not sent(server)
        assert b"app" not in server.all.replace(b"application", b"")


@pytest.mark.parametrize("scheme", ["smtp"])
def test_what_is_said_before_tls_does_not_count_as_said_within_it(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server, or who stands between, that sends more behind its consent."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)

    def doing(talk: Talk) -> None:
        talk.send(b"220 x\r\n")
        talk.read()
        talk.send(b"250-x\r\n250 STARTTLS\r\n")
        talk.read()
        talk.send(b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n235 welcome\r\n")
        talk.read()

    with raw(doing) as server:
        reason = "127.0.0.1: it sends something before TLS that would count as said within it"
        assert ask(scheme, server, tmp_path) == ("unknown", reason)


def test_a_login_is_tried_once_where_the_connection_breaks_after_it(tmp_path: Path) -> None:
    """Too many tries lock a user out."""
    tried: list[str] = []

    def doing(talk: Talk) -> None:
        talk.send(b"220 x\r\n")
        talk.read()
        talk.send(b"250-x\r\n250 AUTH PLAIN\r\n")
        line = talk.read()
        user = base64.b64decode(line.split()[2]).split(b"\0")[1].decode()
        tried.append(user)
        if user.startswith("oakum-"):
            talk.send(b"535 5.7.8 no\r\n")

    with raw(doing) as server:
        state, reason = ask("smtp", server, tmp_path)
        assert (state, reason.endswith("after the login was tried, which is done once")) == ("unknown", True)
        assert [user for user in tried if not user.startswith("oakum-")] == ["app"]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("535 Incorrect authentication data", "dead"),
        ("535 5.7.8 Authentication credentials invalid", "dead"),
        ("535 Authentication credentials invalid", "unknown"),
        ("535 Authentication failed: Bad username / password", "unknown"),
        ("535 Authentication failed: The provided authorization grant is invalid, expired, or revoked", "unknown"),
        ("535 Authentication failed: account disabled", "unknown"),
        (
            "535-5.7.8 Username and Password not accepted. For more information, go to\r\n"
            "535 5.7.8  https://support.google.com/mail/?p=BadCredentials x1 - gsmtp",
            "unknown",
        ),
        ("535 5.7.8 Error: authentication failed: Invalid user or password", "unknown"),
        ("535 5.7.8 Error: authentication failed: This user does not have access rights to this service", "unknown"),
        ("535 5.7.8 Error: authentication failed: Connection lost to authentication server", "unknown"),
        ("535 5.7.8 Error: authentication failed: authentication failure", "unknown"),
        ("535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", "unknown"),
        ("535 5.7.8 Error: too many authentication attempts", "unknown"),
        ("535 Incorrect authentication data: your IP address is blocked", "unknown"),
        ("535 Incorrect authentication data (too many failed logins)", "unknown"),
        ("535 5.7.8 Authentication credentials invalid: account suspended", "unknown"),
        ("535 5.7.0 Incorrect authentication data", "unknown"),
        ("535 5.7.8 no", "unknown"),
        ("535", "unknown"),
        ("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", "unknown"),
        ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", "unknown"),
        ("535 5.7.3 Authentication unsuccessful", "unknown"),
        ("534-5.7.9 Application-specific password required\r\n534 5.7.9 x", "unknown"),
        ("530 5.7.0 Must issue a STARTTLS command first", "unknown"),
        ("550 5.7.1 no", "unknown"),
        ("454 4.7.0 Temporary authentication failure", "unknown"),
        ("235 5.7.8 well", "unknown"),
    ],
)
def test_what_mail_servers_say(code: str, state: str, tmp_path: Path) -> None:
    """Only that the password is wrong is `dead`; who takes anybody is believed nothing."""

    def doing(talk: Talk) -> None:
        talk.send(b"220 x\r\n")
        talk.read()
        talk.send(b"250-x\r\n250 AUTH PLAIN\r\n")
        talk.read()
        talk.send(code.encode() + b"\r\n")
        talk.read()

    with raw(doing) as server:
        assert ask("smtp", server, tmp_path)[0] == state


@pytest.mark.parametrize(
    ("said", "word", "state"),
    [
        ("535 5.7.8 Username and Password not accepted. Learn more at https://support.google.com/x", "app", "dead"),
        ("535 5.7.8 Username and Password not accepted", "spaced", "dead"),
        ("535 5.7.8 Error: authentication failed: Invalid user or password", "app", "dead"),
        ("535 5.7.8 Username and Password not accepted: web login required", "app", "unknown"),
        (
            "535 5.7.8 Username and Password not accepted https://support.google.com/mail/?p=WebLoginRequired",
            "app",
            "unknown",
        ),
        ("535 5.7.8 Username and Password not accepted", "own", "unknown"),
        ("535 Authentication failed: Bad username / password", "key", "dead"),
    ],
)
def test_where_only_passwords_for_programs_log_in_one_of_an_account_is_unknown(
    said: str, word: str, state: str, tmp_path: Path
) -> None:
    """An app password of Gmail or Yandex has sixteen small letters; a key of SendGrid is of the user `apikey`."""
    letters = "".join(Random(said).choices(string.ascii_lowercase, k=16))
    spaced = "%20".join(letters[n : n + 4] for n in range(0, 16, 4))

    def doing(talk: Talk) -> None:
        talk.send(b"220 x\r\n")
        talk.read()
        talk.send(b"250-x\r\n250 AUTH PLAIN\r\n")
        talk.read()
        talk.send(said.encode() + b"\r\n")
        talk.read()

    with raw(doing) as server:
        text = url("smtp", server, {"app": letters, "spaced": spaced, "own": WORD, "key": WORD}[word])
        text = text.replace("//app:", "//apikey:") if word == "key" else text
        assert only(text, server.place)[0] == state


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e, v3839", "dead"),
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 533, v3839", "unknown"),
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 525, v3839", "dead"),
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 532, v3839", "unknown"),
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 701, v3839", "unknown"),
        (b"the data 52e is locked", "unknown"),
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 775, v3839", "unknown"),
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 773, v3839", "unknown"),
        (b"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 530, v3839", "unknown"),
        (b"", "unknown"),
    ],
)
def test_what_active_directory_adds(said: bytes, verdict: str, tmp_path: Path) -> None:
    """Locked, barred at this hour, or to be changed first: the password may be right."""

    def doing(talk: Talk) -> None:
        talk.read()
        result = b"\n\x01\x31\x04\0\x04" + bytes([len(said)]) + said
        answer = b"\x02\x01\x02\x61" + bytes([len(result)]) + result
        talk.send(b"0\x81" + bytes([len(answer)]) + answer)
        talk.read()

    with raw(doing) as server:
        assert ask("ldap", server, tmp_path)[0] == verdict
