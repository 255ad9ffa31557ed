"""Logins to a real Redis, through the whole program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import Server, redis
from logging_in import only, password, verdicts
from made_certificates import Certificates, certificates
from oakum.scanner.verify.logins import wire

USERS = ["default", "operator", "writer", "reader", "off"]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, signed: Certificates) -> Iterator[Server]:
    with redis(tmp_path_factory.mktemp("redis"), {user: password(user) for user in USERS}, signed) as started:
        yield started


@pytest.mark.parametrize("user", ["", "default"])
def test_the_password_of_the_server_is_live_and_may_do_everything(server: Server, user: str) -> None:
    """Whether the address names the user that everybody is, or none."""
    url = server.url("redis", user, server.passwords["default"], "/0")
    (verdict,) = verdicts(f"cache: {url}", server.place)
    told = {"user": "default", "host": "127.0.0.1", "privilege": "admin"}
    assert (verdict.state, verdict.reason, dict(verdict.facts)) == ("live", "user default", told)


@pytest.mark.parametrize(("user", "privilege"), [("operator", "admin"), ("writer", ""), ("reader", "")])
def test_a_user_is_live(server: Server, user: str, privilege: str) -> None:
    """What he may do is told to who may ask."""
    (verdict,) = verdicts(f"cache: {server.url('redis', user)}", server.place)
    told = {"user": user, "host": "127.0.0.1"} | ({"privilege": privilege} if privilege else {})
    assert (verdict.state, dict(verdict.facts)) == ("live", told)


@pytest.mark.parametrize("user", ["", "default", "writer", "nobody", "off"])
def test_a_wrong_password_is_dead(server: Server, user: str) -> None:
    """And so is any of a user who was switched off."""
    url = server.url("redis", user, server.passwords["off"])
    assert only(f"cache: {url}", server.place) == ("dead", f"{server.place} refuses the login (WRONGPASS)")


def test_a_user_whom_clients_do_not_send_keeps_no_password_from_being_found(server: Server) -> None:
    """As in the addresses that hosters give out: `redis://h:…`."""
    (verdict,) = verdicts(f"cache: {server.url('redis', 'h', server.passwords['default'])}", server.place)
    assert (verdict.state, dict(verdict.facts)["user"]) == ("live", "default")


def test_a_server_without_a_password_proves_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Anybody gets in; the password of a user of his own is proved all the same."""
    folder = tmp_path_factory.mktemp("redis")
    with redis(folder, {"writer": password("writer")}, Certificates("", "", "")) as open_to_all:
        url = open_to_all.url("redis", "", password("default"))
        reason = "127.0.0.1: it needs no password: anybody gets in"
        assert only(f"cache: {url}", open_to_all.place) == ("unknown", reason)
        assert only(f"cache: {open_to_all.url('redis', 'writer')}", open_to_all.place) == ("live", "user writer")


def test_tls_is_checked(
    tmp_path_factory: pytest.TempPathFactory, signed: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rediss` begins with it."""
    folder = tmp_path_factory.mktemp("redis")
    with redis(folder, {"default": password("default")}, signed, tls=True) as server:
        url = server.url("rediss", "", password("default"))
        assert only(f"cache: {url}", server.place, certificates=signed.authority) == ("live", "user default")
        state, reason = only(f"cache: {url}", server.place)
        assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")
        monkeypatch.setattr(wire, "is_own", lambda address: False)
        assert only(f"cache: {url}", server.place, certificates=signed.authority) == ("live", "user default")


def test_elsewhere_nothing_goes_in_the_open(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as another one."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)
    reason = "127.0.0.1: it offers no TLS: the password was not sent"
    assert only(f"cache: {server.url('redis', 'reader')}", server.place) == ("unknown", reason)


def test_a_user_who_has_no_password_proves_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`nopass` takes any: a user who was let in is tried once more with a made-up one."""
    folder = tmp_path_factory.mktemp("redis")
    with redis(folder, {"default": password("default"), "anybody": ""}, Certificates("", "", "")) as server:
        reason = "127.0.0.1: it takes any password of that user, a made-up one, too (`nopass`)"
        for word in ("one", "other"):
            url = server.url("redis", "anybody", password(word))
            assert only(f"cache: {url}", server.place) == ("unknown", reason)
        url = server.url("redis", "default")
        assert only(f"cache: {url}", server.place) == ("live", "user default")
