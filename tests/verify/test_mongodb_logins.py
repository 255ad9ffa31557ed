"""Logins to a server that speaks as MongoDB does, through the whole program."""

from __future__ import annotations

from collections.abc import Iterator

import dns.resolver
import pytest
from logging_in import only, password, verdicts
from made_certificates import Certificates, certificates
from mongo_server import Mongo, User, mongo, name_server
from oakum.scanner.verify.logins import srv, wire

pytestmark = pytest.mark.long

USERS: dict[str, User] = {
    "admin.root": ("SCRAM-SHA-256", password("root"), ["root@admin"]),
    "admin.all": ("SCRAM-SHA-256", password("all"), ["readWriteAnyDatabase@admin"]),
    "shop.writer": ("SCRAM-SHA-1", password("writer"), ["readWrite@shop"]),
    "shop.reader": ("SCRAM-SHA-256", password("reader"), ["read@shop", "own@shop"]),
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server() -> Iterator[Mongo]:
    with mongo(USERS) as started:
        yield started


def url(server: Mongo, user: str, word: str, path: str = "") -> str:
    return f"MONGO=mongodb://{user}:{word}@{server.place}{path}"


@pytest.mark.parametrize(
    ("user", "path", "told"),
    [
        ("root", "", {"role": "root@admin", "privilege": "admin"}),
        ("root", "/shop?authSource=admin", {"role": "root@admin", "privilege": "admin", "database": "shop"}),
        ("all", "/admin", {"role": "readWriteAnyDatabase@admin", "privilege": "full", "database": "admin"}),
        ("writer", "/shop", {"role": "readWrite@shop", "privilege": "write", "database": "shop"}),
        ("reader", "/shop", {"role": "read@shop, own@shop", "privilege": "read", "database": "shop"}),
    ],
)
def test_a_user_who_is_let_in_is_live_with_his_roles(server: Mongo, user: str, path: str, told: dict[str, str]) -> None:
    """By SCRAM-SHA-256 or SCRAM-SHA-1, whichever the user has."""
    (verdict,) = verdicts(url(server, user, password(user), path), server.place)
    assert (verdict.state, dict(verdict.facts)) == ("live", {"user": user, "host": "127.0.0.1"} | told)
    assert set(server.heard) == {"isMaster", "saslStart", "saslContinue", "connectionStatus"}


@pytest.mark.parametrize("path", ["", "/?retryWrites=true", "/shop?w=1&authSource=admin"])
def test_a_wrong_password_is_dead(server: Mongo, path: str) -> None:
    """Where it is sure which database knows the user."""
    found = only(url(server, "root", password("another"), path), server.place)
    assert found == ("dead", f"{server.place} refuses the login (18)")


def test_where_another_database_may_know_the_user_a_refusal_says_nothing(server: Mongo) -> None:
    """The right password of `root`, whom `admin` knows and `shop` does not; and a wrong one of whom both may know."""
    reason = "127.0.0.1: it refuses the user, and not the password (18)"
    assert only(url(server, "root", password("root"), "/shop"), server.place) == ("unknown", reason)
    reason = "127.0.0.1: it refuses it, and another database may know the user: no authSource is named (18)"
    assert only(url(server, "reader", password("root"), "/shop"), server.place) == ("unknown", reason)


def test_a_user_whom_there_is_not_is_unknown(server: Mongo) -> None:
    """The server says of all that is wrong with a user what it says of a wrong password."""
    reason = "127.0.0.1: it refuses the user, and not the password (18)"
    assert only(url(server, "nobody", password("root")), server.place) == ("unknown", reason)


@pytest.mark.parametrize("user", ["root", "old"])
def test_a_user_who_may_not_come_from_here_is_unknown(user: str) -> None:
    """He is refused when the password is proved; with a wrong one he is refused before."""
    users = USERS | {"admin.old": ("SCRAM-SHA-1", password("old"), ["root@admin"])}
    reason = "127.0.0.1: it refuses the login, though the password is right (18)"
    with mongo(users, barred=users) as server:
        assert only(url(server, user, password(user)), server.place) == ("unknown", reason)
        found = only(url(server, user, password("another")), server.place)
        assert found == ("dead", f"{server.place} refuses the login (18)")


def test_users_of_another_service_are_not_tried(server: Mongo) -> None:
    """Kerberos, LDAP, certificates."""
    reason = "127.0.0.1: another service knows its users ($external)"
    assert only(url(server, "root", password("root"), "/?authSource=$external"), server.place) == ("unknown", reason)
    assert server.heard == []


def test_elsewhere_it_wants_tls(signed: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which begins at once, whatever the address says."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)
    with mongo(USERS, signed.context()) as server:
        text = url(server, "root", password("root"))
        assert only(text, server.place, certificates=signed.authority)[0] == "live"
        state, reason = only(text, server.place)
        assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A name server that knows `cluster.db.test` and where it leads; the names that were looked up."""
    records = {
        ("SRV", "_mongodb._tcp.cluster.db.test."): "0 0 27117 shard0.db.test.",
        ("SRV", "_mongodb._tcp.stray.db.test."): "0 0 27117 shard0.elsewhere.test.",
        ("TXT", "cluster.db.test."): '"authSource=admin&replicaSet=s0"',
    }
    for cached in (srv.servers, srv.realm_of):
        cached.cache_clear()
    with name_server(records) as (port, asked):
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        yield asked


def test_the_servers_of_a_cluster_are_looked_up_only_where_it_is_named(names: list[str]) -> None:
    """And only those below the same domain are asked."""
    text = f"uri: mongodb+srv://root:{password('root')}@{{}}.db.test/shop?retryWrites=true"
    state, reason = only(text.format("cluster"))
    assert (state, reason.partition(" came")[0]) == ("unknown", "not asked: cluster.db.test:27017")
    assert names == []
    state, reason = only(text.format("cluster"), "cluster.db.test")
    assert (state, "there is no host shard0.db.test" in reason) == ("unknown", True)
    assert names == ["SRV _mongodb._tcp.cluster.db.test."]
    assert only(text.format("stray"), "stray.db.test") == ("unknown", "its SRV record leads out of db.test")


def test_a_user_of_a_cluster_is_let_in(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By the database that its TXT record names."""
    with mongo(USERS) as server:
        monkeypatch.setattr(srv, "servers", lambda host: (("127.0.0.1", server.port),))
        text = f"uri: mongodb+srv://root:{password('root')}@cluster.db.test/shop?retryWrites=true"
        assert only(text, "cluster.db.test", server.place) == ("live", "user root; role root@admin; database shop")
        assert names == ["TXT cluster.db.test."]
