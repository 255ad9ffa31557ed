"""Logins to a real PostgreSQL, through the whole program."""

from __future__ import annotations

from collections.abc import Iterator
from string import Template

import pytest
from databases import Server, postgresql
from logging_in import only, password, verdicts
from made_certificates import Certificates, certificates
from oakum.scanner.verify.logins import wire

ROLES = "postgres owner writer reader plain digest anybody barred nologin gone".split()


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, signed: Certificates) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("postgresql")
    with postgresql(folder, {role: password(role) for role in ROLES}, signed) as started:
        yield started


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as another one: nothing goes to it in the open."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)


@pytest.mark.parametrize(
    ("role", "privilege"),
    [
        ("postgres", "admin"),
        ("owner", "full"),
        ("writer", "write"),
        ("reader", "read"),
        ("plain", ""),
        ("digest", ""),
    ],
)
def test_a_role_that_is_let_in_is_live_with_what_it_may_do(server: Server, role: str, privilege: str) -> None:
    """By SCRAM, as plain text to this machine, and by MD5."""
    (verdict,) = verdicts(f"url={server.url('postgres', role, path='/shop')}", server.place)
    told = {"user": role, "host": "127.0.0.1", "database": "shop"} | ({"privilege": privilege} if privilege else {})
    assert (verdict.state, verdict.reason) == ("live", f"user {role}; database shop")
    assert (dict(verdict.facts), verdict.asked) == (told, server.place)


@pytest.mark.parametrize("role", ["owner", "plain", "digest", "nobody"])
def test_a_wrong_password_is_dead(server: Server, role: str) -> None:
    """And so is a user that there is not."""
    url = server.url("postgresql", role, password("another"), "/shop")
    assert only(f"url={url}", server.place) == ("dead", f"{server.place} refuses the login (28P01)")


def test_a_password_that_has_run_out_is_dead(server: Server) -> None:
    """PostgreSQL says of it what it says of a wrong one."""
    url = server.url("postgres", "gone")
    assert only(f"url={url}", server.place) == ("dead", f"{server.place} refuses the login (28P01)")


@pytest.mark.parametrize(
    ("role", "reason"),
    [
        ("anybody", "it lets anybody in: it asked for no password (`trust` in its pg_hba.conf)"),
        ("barred", "it takes nobody from here (no entry in its pg_hba.conf)"),
        ("nologin", "it takes the password, but does not let the role in (28000)"),
    ],
)
def test_what_says_nothing_of_the_password_is_unknown(server: Server, role: str, reason: str) -> None:
    """Whoever is let in without one, may not come from here, or may not log in."""
    url = server.url("postgres", role, path="/shop")
    assert only(f"url={url}", server.place) == ("unknown", f"127.0.0.1: {reason}")


def test_a_database_that_does_not_exist_takes_nothing_back(server: Server) -> None:
    """That is said to who was let in."""
    (verdict,) = verdicts(f"url={server.url('postgres', 'owner', path='/none')}", server.place)
    assert (verdict.state, dict(verdict.facts)) == ("live", {"user": "owner", "host": "127.0.0.1"})


@pytest.mark.parametrize(
    "text",
    [
        "dsn = 'host=127.0.0.1 port=$PORT user=owner password=$PASSWORD dbname=shop'",
        "spring.datasource.url=jdbc:postgresql://127.0.0.1:$PORT/shop?user=owner&password=$PASSWORD\n",
        "url=postgresql+psycopg2://owner:%$FIRST$REST@127.0.0.1:$PORT/shop",
    ],
)
def test_all_forms_of_its_connection_strings(server: Server, text: str) -> None:
    """Percent-encoded ones, too."""
    word = server.passwords["owner"]
    filled = Template(text).substitute(PORT=server.port, PASSWORD=word, FIRST=f"{ord(word[0]):02x}", REST=word[1:])
    assert only(filled, server.place) == ("live", "user owner; database shop")


def test_it_is_asked_only_where_the_user_names_it(server: Server) -> None:
    """It came out of the data."""
    url = server.url("postgres", "owner")
    reason = f"not asked: {server.place} came out of the data (--verify-host {server.place} names it)"
    assert only(f"url={url}") == ("unknown", reason)


def test_each_user_is_tried_once(server: Server) -> None:
    """With one password of two, whichever comes first."""
    urls = [server.url("postgres", "owner", password(which)) for which in ("another", "third")]
    states = sorted((v.state, v.reason) for v in verdicts("\n".join(urls), server.place))
    once = "that user was tried there already, and one try is all, to lock nobody out"
    assert states == [
        ("dead", f"{server.place} refuses the login (28P01)"),
        ("unknown", f"127.0.0.1: {once}"),
    ]


def test_elsewhere_it_wants_tls(server: Server, signed: Certificates, elsewhere: None) -> None:
    """With a certificate that is checked."""
    text = f"url={server.url('postgres', 'owner', path='/shop')}"
    assert only(text, server.place, certificates=signed.authority) == ("live", "user owner; database shop")
    state, reason = only(text, server.place)
    assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")
