"""Logins to a real MariaDB, through the whole program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import Server, mariadb
from logging_in import only, password, verdicts
from made_certificates import Certificates, certificates
from oakum.scanner.verify.logins import wire

USERS = "chief owner writer reader nothing remote locked curve".split()
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


@pytest.mark.parametrize("user", ["owner", "remote", "nobody"])
def test_a_refusal_says_nothing(server: Server, user: str) -> None:
    """A wrong password, one of a user of another place (here the right one), and a user that there is not."""
    word = server.passwords["remote"]
    assert only(f"url={server.url('mysql', user, word)}", server.place) == ("unknown", f"127.0.0.1: {REFUSED}")


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("locked", "the account is locked (4151)"),
        ("curve", "it asks for the password in a way in which it is not sent (client_ed25519)"),
    ],
)
def test_what_is_not_let_in_for_another_reason_is_unknown(server: Server, user: str, reason: str) -> None:
    """With the reason."""
    assert only(f"url={server.url('mariadb', user)}", server.place) == ("unknown", f"127.0.0.1: {reason}")


@pytest.mark.parametrize(
    "text",
    [
        "db, err := sql.Open('mysql', 'owner:{password}@tcp(127.0.0.1:{port})/shop')",
        "spring.datasource.url=jdbc:mysql://127.0.0.1:{port}/shop?user=owner&password={password}\n",
        "engine = create_engine('mysql+pymysql://owner:{password}@127.0.0.1:{port}/shop')",
    ],
)
def test_all_forms_of_its_connection_strings(server: Server, text: str) -> None:
    """Those that name a host."""
    filled = text.format(port=server.port, password=server.passwords["owner"])
    assert only(filled, server.place) == ("live", "user owner")


def test_elsewhere_it_wants_tls(server: Server, signed: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as another one."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)
    text = f"url={server.url('mysql', 'owner')}"
    assert only(text, server.place, certificates=signed.authority) == ("live", "user owner")
    state, reason = only(text, server.place)
    assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")
