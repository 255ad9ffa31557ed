"""Logins to a real SSH server (paramiko's), through the whole program."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

import paramiko
import pytest
from logging_in import only, password, verdicts
from ssh_server import Shell, ssh

pytestmark = pytest.mark.long

USERS = {"deploy": password("deploy"), "root": password("root")}
UNKNOWN = "127.0.0.1: its key is not in known_hosts: the password was not sent"
REFUSED = (
    "127.0.0.1: it refuses the login, in words that say neither that the password is wrong nor that the user may not "
    "log in by one"
)


def home(folder: Path, *lines: str) -> dict[str, str]:
    """An environment whose known_hosts has these lines."""
    (folder / ".ssh").mkdir(exist_ok=True)
    (folder / ".ssh" / "known_hosts").write_text("\n".join(lines) + "\n")
    return {"HOME": str(folder)}


def url(server: Shell, user: str, word: str) -> str:
    return f"remote = sftp://{user}:{word}@{server.place}/srv"


def hashed(line: str) -> str:
    """A line as `HashKnownHosts` writes it."""
    name, _, rest = line.partition(" ")
    salt = os.urandom(20)
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()} {rest}"


@pytest.mark.parametrize("written", [str, hashed])
def test_who_is_let_in_is_live(tmp_path: Path, written: type) -> None:
    """At a host whose key is known, by its name or by a hash of that."""
    with ssh(USERS) as server:
        environment = home(tmp_path, "# mine", "other.test ssh-ed25519 AAAA", written(server.key))
        (verdict,) = verdicts(url(server, "deploy", USERS["deploy"]), server.place, environment=environment)
        assert (verdict.state, dict(verdict.facts)) == ("live", {"user": "deploy", "host": "127.0.0.1"})
        (verdict,) = verdicts(url(server, "root", USERS["root"]), server.place, environment=environment)
        assert dict(verdict.facts)["privilege"] == "admin"
        assert [user for user in server.tried if not user.startswith("oakum-")] == ["deploy", "root"]


def test_a_refusal_says_nothing(tmp_path: Path) -> None:
    """Servers say the same of a wrong password and of who may not use one."""
    with ssh(USERS) as server:
        environment = home(tmp_path, server.key)
        found = only(url(server, "deploy", password("another")), server.place, environment=environment)
        assert found == ("unknown", REFUSED)


@pytest.mark.parametrize("case", ["no file", "no line", "another key", "another port", "revoked"])
def test_a_host_whose_key_is_not_known_is_sent_nothing(tmp_path: Path, case: str) -> None:
    """Neither a password nor a user."""
    with ssh(USERS) as server:
        name, kind, _ = server.key.split()
        lines = {
            "no file": [],
            "no line": ["other.test " + server.key.partition(" ")[2]],
            "another key": [f"{name} {kind} {paramiko.ECDSAKey.generate().get_base64()}"],
            "another port": ["127.0.0.1 " + server.key.partition(" ")[2]],
            "revoked": [server.key, "@revoked * " + server.key.partition(" ")[2]],
        }[case]
        environment = home(tmp_path, *lines) if lines else {"HOME": str(tmp_path)}
        state, reason = only(url(server, "deploy", USERS["deploy"]), server.place, environment=environment)
        expected = UNKNOWN.replace("not in", "not the one in") if case == "another key" else UNKNOWN
        assert (state, reason, server.tried) == ("unknown", expected, [])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"ways": "publickey,keyboard-interactive"}, "it takes no passwords of that user"),
        ({"then": "publickey"}, "it takes the password, and asks for something else besides"),
    ],
)
def test_where_a_password_is_not_enough_it_is_unknown(tmp_path: Path, how: dict[str, str], reason: str) -> None:
    """It is not given in answer to questions either."""
    with ssh(USERS if "then" in how else {}, **how) as server:
        environment = home(tmp_path, server.key)
        found = only(url(server, "deploy", USERS["deploy"]), server.place, environment=environment)
        assert found == ("unknown", f"127.0.0.1: {reason}")


def test_a_user_who_is_let_in_without_a_password_proves_nothing(tmp_path: Path) -> None:
    """Which is asked first; the password is not sent then."""
    with ssh(USERS, open_to="deploy") as server:
        found = only(url(server, "deploy", USERS["deploy"]), server.place, environment=home(tmp_path, server.key))
        assert found == ("unknown", "127.0.0.1: it lets that user in without a password")
        assert "deploy" not in server.tried
