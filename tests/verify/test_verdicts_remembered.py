"""Verdicts of the last hours: believed for so long, kept without a value, and worth nothing where they are damaged."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from oakum.scanner.model import RankedFinding
from oakum.scanner.pipeline.verified import Verified, verified
from providing import NOW, Provider, finding, github, instead, knows, options, provider
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
    """Live for an hour, dead for a day; or when the user says so."""
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
        assert told(run(found, server, tmp_path, hours=1.1))[0] == ("live", "user octocat")
        assert sent() == (2, 1)
        assert told(run(found, server, tmp_path, hours=24))[1] == ("dead", f"{refuses} (asked 24 hours ago)")
        assert sent() == (3, 1)
        run(found, server, tmp_path, hours=24.1)
        assert sent() == (3, 2)
        run(found, server, tmp_path, hours=24.1, fresh=True)
        assert sent() == (4, 3)
        run(found, server, tmp_path, hours=-1)
        assert sent() == (5, 4), "what was asked in the future is not believed"


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
