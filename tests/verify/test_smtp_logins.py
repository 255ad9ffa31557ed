"""Logins to a real mail server (aiosmtpd), through the whole program."""

from __future__ import annotations

import pytest
from databases import Post, mail
from logging_in import only, password, verdicts
from made_certificates import Certificates, certificates
from oakum.scanner.verify.logins import wire

pytestmark = pytest.mark.long

USERS = {"noreply@acme.test": password("noreply")}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


def url(server: Post, word: str, scheme: str = "smtp") -> str:
    return f"MAIL_URL={scheme}://noreply%40acme.test:{word}@{server.place}"


@pytest.mark.parametrize("without", [[], ["PLAIN"]])
def test_who_may_log_in_is_live_and_sends_nothing(without: list[str]) -> None:
    """By AUTH PLAIN or LOGIN; made-up user and real one, each once, and no MAIL."""
    with mail(USERS, auth_exclude_mechanism=without) as server:
        (verdict,) = verdicts(url(server, USERS["noreply@acme.test"]), server.place)
        told = {"user": "noreply@acme.test", "host": "127.0.0.1"}
        assert (verdict.state, dict(verdict.facts)) == ("live", told)
        way = "AUTH LOGIN" if without else "AUTH PLAIN"
        assert server.heard == [way, way, "QUIT"]


@pytest.mark.parametrize("without", [[], ["PLAIN"]])
def test_a_wrong_password_is_dead(without: list[str]) -> None:
    """535."""
    with mail(USERS, auth_exclude_mechanism=without) as server:
        found = only(url(server, password("another")), server.place)
        assert found == ("dead", f"{server.place} refuses the login (535 5.7.8)")


def test_tls_from_the_start(signed: Certificates) -> None:
    """`smtps`, with a certificate that is checked."""
    with mail(USERS, begins=signed.context()) as server:
        text = url(server, USERS["noreply@acme.test"], "smtps")
        assert only(text, server.place, certificates=signed.authority)[0] == "live"
        state, reason = only(text, server.place)
        assert (state, reason.partition(" (")[0]) == ("unknown", "127.0.0.1: its certificate is not trusted")


def test_elsewhere_it_wants_tls(signed: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """By STARTTLS, and nothing is sent where there is none."""
    monkeypatch.setattr(wire, "is_own", lambda address: False)
    with mail(USERS, starts=signed.context()) as server:
        text = url(server, USERS["noreply@acme.test"])
        assert only(text, server.place, certificates=signed.authority)[0] == "live"
        assert server.heard == ["STARTTLS", "AUTH PLAIN", "STARTTLS", "AUTH PLAIN", "QUIT"]
    with mail(USERS) as server:
        reason = "127.0.0.1: it offers no TLS: the password was not sent"
        assert only(url(server, USERS["noreply@acme.test"]), server.place) == ("unknown", reason)
        assert server.heard == []


def test_a_server_that_takes_anybody_proves_nothing() -> None:
    """A made-up user is tried first."""

    class Everybody(dict[str, str]):
        def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
            return Anything()

    class Anything:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    with mail(Everybody()) as server:
        state, reason = only(url(server, password("noreply")), server.place)
        assert (state, reason.endswith("accepts anything: a made-up secret, too")) == ("unknown", True)
        assert server.heard == ["AUTH PLAIN", "QUIT"]
