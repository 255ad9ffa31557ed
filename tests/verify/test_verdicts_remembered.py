"""Verdicts of the last hours: believed for so long, kept without a value, and worth nothing where they are damaged."""

from __future__ import annotations

import base64
import os
import socket
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from oakum.scanner import catalog
from oakum.scanner.model import RankedFinding
from oakum.scanner.pipeline.verified import Verified, verified
from oakum.scanner.verify import Named
from oakum.scanner.verify.asking import ONE_TRY
from providing import NOW, Provider, finding, github, instead, knows, options, provider
from raw_server import Talk, raw
from scanning import Fresh


def run(
    found: list[RankedFinding], server: Provider, cache: Path, *, hours: float = 0, fresh: bool = False
) -> Verified:
    """Findings with verdicts, so many hours later."""
    chosen = options(instead(server.port), cache=str(cache), now=NOW + timedelta(hours=hours), fresh=fresh)
    return verified(found, chosen, lambda *_: None)


def told(result: Verified) -> list[tuple[str, str]]:
    """State and reason of each."""
    return [(one.finding.verdict.state, one.finding.verdict.reason) for one in result.findings]


def test_what_was_asked_is_not_asked_again_soon(tmp_path: Path, fresh: Fresh) -> None:
    """For an hour; or when the user says so."""
    live, dead = fresh(), fresh()
    found = [finding(github(), live), finding(github(), dead)]
    with provider(knows(live)) as server:
        refuses = f"127.0.0.1:{server.port} refuses it (401)"

        def sent() -> tuple[int, int]:
            return server.had(live), server.had(dead)

        assert told(run(found, server, tmp_path)) == [("live", "user octocat"), ("dead", refuses)]
        again = run(found, server, tmp_path, hours=1)
        assert told(again) == [
            ("live", "user octocat (asked 60 minutes ago)"),
            ("dead", f"{refuses} (asked 60 minutes ago)"),
        ]
        assert again.findings[0].finding.verdict.facts == (("user", "octocat"),)
        assert again.findings[0].finding.verdict.asked == f"127.0.0.1:{server.port}"
        assert again.asked == (("live", 1), ("dead", 1), ("unknown", 0))
        assert sent() == (1, 1)
        assert told(run(found, server, tmp_path, hours=1.1)) == [("live", "user octocat"), ("dead", refuses)]
        assert sent() == (2, 2), "what is dead may come back"
        run(found, server, tmp_path, hours=1.1, fresh=True)
        assert sent() == (3, 3)
        run(found, server, tmp_path, hours=-1)
        assert sent() == (4, 4), "what was asked in the future is not believed"


def test_a_login_is_not_tried_again_for_a_day(tmp_path: Path, fresh: Fresh) -> None:
    """Live, dead or unknown: a job that scans each hour must lock nobody out. Another password waits as long."""
    login = next(one for one in catalog.load() if one.id == "uri-server-password")
    words = {user: fresh("password:20").decode() for user in ("good", "bad", "odd")}
    tried: list[str] = []

    def doing(talk: Talk) -> None:
        talk.send(b"220 x\r\n")
        talk.read()
        talk.send(b"250-x\r\n250 AUTH PLAIN\r\n")
        _, user, _ = base64.b64decode(talk.read().split()[2]).decode().split("\0")
        tried.append(user)
        says = {"good": b"235 well\r\n", "odd": b"432 a transition is needed\r\n"}
        talk.send(says.get(user, b"535 5.7.8 Authentication credentials invalid\r\n"))
        talk.read()

    def real() -> list[str]:
        return sorted(user for user in tried if not user.startswith("oakum-"))

    with raw(doing) as server:
        facts = {"scheme": "smtp", "host": "127.0.0.1", "port": str(server.port)}
        found = [finding(login, word.encode(), user=user, **facts) for user, word in words.items()]
        found.append(finding(login, fresh("password:20"), user="bad", **facts))
        named = Named.read([server.place])

        def at(hours: float, *, fresh: bool = False) -> list[tuple[str, str]]:
            chosen = options(named, cache=str(tmp_path), now=NOW + timedelta(hours=hours), fresh=fresh)
            return told(verified(found, chosen, lambda *_: None))

        first = at(0)
        assert [state for state, _ in first] == ["live", "dead", "unknown", "unknown"]
        assert ONE_TRY in first[3][1]
        assert real() == ["bad", "good", "odd"]
        assert at(23) == [
            *((state, f"{reason} (asked 23 hours ago)") for state, reason in first[:2]),
            *((state, f"{reason} (tried 23 hours ago; --no-cache tries again)") for state, reason in first[2:]),
        ]
        assert len(tried) == 4, "neither are made-up users"
        assert at(23, fresh=True) == first
        assert real() == ["bad", "bad", "good", "good", "odd", "odd"]
        assert at(47.5) == first
        assert len(real()) == 9


def test_a_login_that_could_not_be_tried_is_not_remembered(tmp_path: Path, fresh: Fresh) -> None:
    """The server was down, or the time over."""
    login = next(one for one in catalog.load() if one.id == "uri-server-password")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    at = {"scheme": "smtp", "host": "127.0.0.1", "port": str(port), "user": "app"}
    found = [finding(login, fresh("password:20"), **at)]
    for seconds in (20, 0):
        chosen = options(Named.read([f"127.0.0.1:{port}"]), cache=str(tmp_path), seconds=seconds)
        assert told(verified(found, chosen, lambda *_: None))[0][0] == "unknown"
    assert not list(tmp_path.rglob("verdicts/verdicts"))


def test_neither_key_nor_file_holds_a_value(tmp_path: Path, fresh: Fresh) -> None:
    """Nor a fingerprint that one could look for; and nobody else may read them."""
    secrets = [fresh(), fresh()]
    found = [finding(github(), secret) for secret in secrets]
    with provider(knows(*secrets)) as server:
        run(found, server, tmp_path / "cache")
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == ["verdicts", "verdicts-key"]
    kept = b"".join(path.read_bytes() for path in files)
    for one in found:
        secret = one.finding.secret.reveal()
        assert one.fingerprint.encode() not in kept
        assert not any(secret[at : at + 8] in kept for at in range(len(secret) - 7))
    for path in (tmp_path / "cache").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_unknown_is_not_remembered(tmp_path: Path, fresh: Fresh) -> None:
    """It is asked again the next time."""
    secret = fresh()
    with provider(knows(secret)) as server:
        found = [finding(github(), secret)]
        chosen = options(cache=str(tmp_path), only=frozenset({"aws"}))
        assert verified(found, chosen, lambda *_: None).findings[0].finding.verdict.state == "unknown"
        assert told(run(found, server, tmp_path)) == [("live", "user octocat")]


def test_another_host_is_another_question(tmp_path: Path, fresh: Fresh) -> None:
    """So is another fact."""
    secret = fresh()
    with provider(knows(secret)) as one, provider(knows()) as other:
        assert told(run([finding(github(), secret)], one, tmp_path))[0][0] == "live"
        assert told(run([finding(github(), secret)], other, tmp_path))[0][0] == "dead"
        run([finding(github(), secret, account="acme")], one, tmp_path)
        assert one.had(secret) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: b"",
        lambda kept: kept[:-3],
        lambda kept: kept[:40] + b"x" + kept[41:],
        lambda kept: _whole(b"[" * 100_000),
        lambda kept: _whole(b"[1, 2]"),
        lambda kept: _whole(kept[32:].replace(b'"live"', b'"root"').replace(b'"dead"', b"[]")),
        lambda kept: _whole(kept[32:].replace(b'"2027-', b'"2027')),
        lambda kept: _whole(kept[32:].replace(b"[[", b"[").replace(b"]]", b"]")),
    ],
)
def test_a_damaged_file(damage: Callable[[bytes], bytes], tmp_path: Path, fresh: Fresh) -> None:
    """Is none."""
    secret = fresh()
    found = [finding(github(), secret)]
    with provider(knows(secret)) as server:
        run(found, server, tmp_path)
        file = next(tmp_path.rglob("verdicts"), tmp_path)
        file = next(path for path in tmp_path.rglob("verdicts") if path.is_file())
        file.write_bytes(damage(file.read_bytes()))
        assert told(run(found, server, tmp_path)) == [("live", "user octocat")]
        assert server.had(secret) == 2
        assert told(run(found, server, tmp_path)) == [("live", "user octocat (asked 0 minutes ago)")]


def _whole(body: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(body).digest() + body


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_that_others_can_write_to(mode: int, tmp_path: Path, fresh: Fresh) -> None:
    """Is neither believed nor written to."""
    secret = fresh()
    cache = tmp_path / "cache"
    with provider(knows(secret)) as server:
        run([finding(github(), secret)], server, cache)
        os.chmod(cache / "verdicts", mode)
        assert told(run([finding(github(), secret)], server, cache)) == [("live", "user octocat")]
        os.chmod(cache, mode)
        assert told(run([finding(github(), secret)], server, cache)) == [("live", "user octocat")]
        assert server.had(secret) == 3


def test_nothing_is_written_where_there_is_nothing_to_keep(tmp_path: Path, fresh: Fresh) -> None:
    """Or no folder."""
    chosen = options(cache=str(tmp_path / "cache"), only=frozenset({"aws"}))
    verified([finding(github(), fresh())], chosen, lambda *_: None)
    assert not list(tmp_path.rglob("verdicts/verdicts"))
