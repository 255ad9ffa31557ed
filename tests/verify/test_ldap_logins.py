"""Logins to a real OpenLDAP, through the whole program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import Server, slapd
from logging_in import only, password, verdicts
from made_certificates import Certificates, certificates
from oakum.scanner.net import Outbound
from oakum.scanner.net.dial import connected
from oakum.scanner.net.http import trust
from oakum.scanner.verify.credential import UnaskedError
from oakum.scanner.verify.logins import Login, ldap, wire
from raw_server import raw

pytestmark = pytest.mark.long

USERS = ["admin", "app"]
WORD = password("app")
HERE = Outbound({}, private=True)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, signed: Certificates) -> Iterator[tuple[Server, Server]]:
    with slapd(tmp_path_factory.mktemp("slapd"), {user: password(user) for user in USERS}, signed) as started:
        yield started


def url(server: Server, name: str, word: str, scheme: str = "ldap") -> str:
    return f"LDAP_URL={scheme}://{name}:{word}@{server.place}"


ADMIN, APP = "cn=admin%2Cdc=acme%2Cdc=test", "uid=app%2Cdc=acme%2Cdc=test"


@pytest.mark.parametrize(("name", "user"), [(ADMIN, "admin"), (APP, "app")])
def test_who_is_bound_is_live(servers: tuple[Server, Server], name: str, user: str) -> None:
    """By his DN, as it is percent-encoded in a URL."""
    (verdict,) = verdicts(url(servers[0], name, password(user)), servers[0].place)
    dn = name.replace("%2C", ",")
    assert (verdict.state, dict(verdict.facts)) == ("live", {"user": dn, "host": "127.0.0.1"})


@pytest.mark.parametrize("name", [ADMIN, APP, "uid=nobody%2Cdc=acme%2Cdc=test"])
def test_a_refusal_alone_says_nothing(servers: tuple[Server, Server], name: str) -> None:
    """A wrong password, a name that there is not, and an account that is locked are all the same to it."""
    reason = "127.0.0.1: it refuses, and says the same of an account that is locked (49)"
    assert only(url(servers[0], name, password("another")), servers[0].place) == ("unknown", reason)


def test_a_name_that_is_none_to_bind_by_is_unknown(servers: tuple[Server, Server]) -> None:
    """The client may have looked up its DN first."""
    reason = "127.0.0.1: it refuses, and does not say that the password is wrong (34)"
    assert only(url(servers[0], "app", password("app")), servers[0].place) == ("unknown", reason)


def test_tls_from_the_start(servers: tuple[Server, Server], signed: Certificates) -> None:
    """`ldaps`, with a certificate that is checked."""
    text = url(servers[1], APP, password("app"), "ldaps")
    assert only(text, servers[1].place, certificates=signed.authority)[0] == "live"
    state, reason = only(text, servers[1].place)
    assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")


def test_elsewhere_it_wants_tls(
    servers: tuple[Server, Server], signed: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By StartTLS."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)
    text = url(servers[0], APP, password("app"))
    assert only(text, servers[0].place, certificates=signed.authority)[0] == "live"
    state, reason = only(text, servers[0].place)
    assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")


@pytest.mark.parametrize(("user", "word"), [("", WORD), (" ", WORD), (APP, "")])
def test_what_makes_a_bind_one_of_anybody_is_not_sent(user: str, word: str) -> None:
    """No name, or no password (RFC 4513, 5.1.1 and 5.1.2)."""
    with raw(lambda talk: talk.read()) as server, connected("127.0.0.1", server.port, HERE, seconds=2) as connection:
        wired = wire.Wire(connection, "127.0.0.1", trust(""), {})
        with pytest.raises(UnaskedError, match="without a name or a password it lets anybody in"):
            ldap.log_in(Login("ldap", "127.0.0.1", server.port, user, word), wired)
        assert server.all == b""
