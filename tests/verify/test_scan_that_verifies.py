"""`oakum scan --verify` as a whole: what is sent and what not, what is said before, and what is left at its end."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from oakum.detectors import samples
from oakum.scanner import cli
from providing import (
    DEAD,
    Provider,
    Seen,
    addresses,
    ask,
    certified,
    finding,
    github,
    knows,
    options,
    provider,
    reply,
    says,
)
from scanning import Fresh


@dataclass(frozen=True)
class Done:
    """What a scan left: its exit code, the findings of its report by their secret's place, and what it said."""

    code: int
    report: dict[str, Any]
    said: str
    text: str

    def states(self) -> list[str]:
        """The verdicts, by line of the file."""
        findings = sorted(self.report["findings"], key=lambda f: f["occurrences"][0]["line"])
        return [one["verdict"]["state"] for one in findings]


@pytest.fixture
def oakum(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The command, in this process, with a report in JSON."""

    def run(*arguments: str | Path) -> Done:
        code = cli.run(["scan", "--format", "json", "--no-config", "--jobs", "1", *map(str, arguments)])
        out, said = capfd.readouterr()
        return Done(code, json.loads(out) if out else {}, said, out)

    return run


def written(folder: Path, secrets: list[bytes], name: str = "settings.py") -> Path:
    """A file with a secret in each line."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join(b"token = '%s'\n" % secret for secret in secrets))
    return folder


def here(server: Provider) -> tuple[str, str, str]:
    """The options that send GitHub's checks to a server of this machine."""
    return "--verify", "--verify-host", f"github=http://127.0.0.1:{server.port}"


Oakum = Callable[..., Done]


def test_live_and_dead(tmp_path: Path, fresh: Fresh, oakum: Oakum) -> None:
    """What is live comes first and says what it opens; before, the hosts are told that secrets go to."""
    secrets = [fresh() for _ in range(3)]
    with provider(knows(secrets[1])) as server:
        done = oakum(written(tmp_path / "app", secrets), *here(server))
        assert (done.code, done.states()) == (1, ["dead", "live", "dead"])
        first = done.report["findings"][0]
        assert first["verdict"]["state"] == "live"
        assert "octocat" in json.dumps(first)
        assert f"oakum: verifying 3 secrets with the hosts 127.0.0.1:{server.port} (3)\n" in done.said
        again = oakum(tmp_path / "app", *here(server))
        assert again.states() == done.states()
        assert [server.had(secret) for secret in secrets] == [1, 1, 1]


def test_without_the_option_nothing_is_asked(tmp_path: Path, fresh: Fresh, oakum: Oakum, doors: list[Any]) -> None:
    """Nor looked up."""
    done = oakum(written(tmp_path / "app", [fresh()]))
    assert (done.states(), doors) == (["unknown"], [])


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where this process connected to, and what it looked up; only loopback is open."""
    seen: list[Any] = []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def looked_up(host: Any, *rest: Any, **named: Any) -> Any:
        if not str(host).startswith("127."):
            seen.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "a test looks up no other machine")
        return look_up(host, *rest, **named)

    def connected(self: socket.socket, address: Any) -> None:
        seen.append(address)
        if not str(address[0]).startswith("127."):
            raise OSError("a test connects to no other machine")
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket.socket, "connect", connected)
    return seen


def test_what_was_accepted_is_not_sent(tmp_path: Path, fresh: Fresh, oakum: Oakum) -> None:
    """Suppressed by fingerprint, by path, by a marker beside it, or in a baseline."""
    names = ("kept", "by_print", "by_marker", "by_baseline", "by_path")
    secrets = {name: fresh() for name in names}
    app = written(tmp_path / "app", [secrets["by_print"]], "a.py")
    prints = oakum(app).report["findings"][0]["fingerprint"]
    written(app, [secrets["by_baseline"]], "a.py")
    (tmp_path / "baseline.json").write_text(oakum(app).text)
    written(app, [secrets["by_print"], secrets["by_baseline"], secrets["kept"]], "a.py")
    written(app, [secrets["by_path"]], "vendored.py")
    (app / "b.py").write_bytes(b"token = '%s'  # oakum:allow made up\n" % secrets["by_marker"])
    (app / ".oakum.toml").write_text(
        f'[[allow]]\nfingerprint = "{prints}"\nreason = "made up"\n[[allow]]\npath = "vendored.py"\nreason = "old"\n'
    )
    with provider(knows(*secrets.values())) as server:
        arguments = ["scan", str(app), "--format", "json", "--baseline", str(tmp_path / "baseline.json"), *here(server)]
        assert cli.run(arguments) == 1
        assert {name: server.had(secret) for name, secret in secrets.items()} == dict.fromkeys(names, 0) | {"kept": 1}


def test_a_canary_token_is_not_sent(fresh: Fresh) -> None:
    """It is named instead."""
    secret = fresh()
    with provider(knows(secret)) as server:
        from providing import instead

        (verdict,) = ask([finding(github(), secret, canary="canarytokens.org")], options(instead(server.port)))
        assert server.connections == 0
    assert verdict.reason == "not asked: it is a canary token (canarytokens.org), and who laid it out would see that"


def test_what_lies_below_the_band_is_asked(tmp_path: Path, fresh: Fresh, oakum: Oakum) -> None:
    """And rises into the report if it is live."""
    secrets = [fresh(), fresh()]
    app = written(tmp_path / "app", secrets, "tests/settings.py")
    assert oakum(app, "--min-band", "high").report["findings"] == []
    writes = reply('{"login": "octocat", "id": 1}', X_OAuth_Scopes="gist, repo")
    with provider(knows(secrets[0], live=writes)) as server:
        done = oakum(app, "--min-band", "high", *here(server))
        assert [server.had(secret) for secret in secrets] == [1, 1]
    assert done.states() == ["live"]


def test_only_some_are_asked(tmp_path: Path, fresh: Fresh, oakum: Oakum) -> None:
    """By their provider, or their detector."""
    app = written(tmp_path / "app", [fresh()])
    with provider(knows()) as server:
        for only, state in (("aws", "unknown"), ("github", "dead"), ("gitlab, github-pat", "dead")):
            done = oakum(app, *here(server), "--verify-only", only)
            assert done.states() == [state], only
        assert "--verify-only names others" in oakum(app, *here(server), "--verify-only", "aws").text


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--verify", "--verify-only", "gihub"), "--verify-only gihub: no provider and no detector is called so"),
        (("--verify", "--verify-host", "gihub=http://127.0.0.1:1"), "--verify-host gihub=HOST: no provider is called"),
        (("--verify", "--verify-host", "http://git.example.org"), "over http anybody on the way reads the secret"),
        (("--verify", "--ca-file", "/no/such/file"), "/no/such/file is no file of certificates (PEM)"),
        (("--verify-host", "git.example.org"), "say how to verify: add --verify"),
    ],
)
def test_what_cannot_be_meant(
    arguments: tuple[str, ...], why: str, tmp_path: Path, fresh: Fresh, oakum: Oakum, doors: list[Any]
) -> None:
    """Is refused before anything is sent: a secret would go elsewhere than was meant."""
    done = oakum(written(tmp_path / "app", [fresh()]), *arguments)
    assert (done.code, done.report, doors) == (2, {}, [])
    assert why in done.said


def test_ctrl_c(tmp_path: Path, fresh: Fresh) -> None:
    """What was found stays, with the verdicts that were there; nothing more is sent; and the exit code says so."""
    secrets = [fresh() for _ in range(60)]
    app = written(tmp_path / "app", secrets)
    with provider(knows(*secrets, delay=0.1)) as server:
        command = [sys.executable, "-m", "oakum.scanner", "scan", str(app), "--format", "json", *here(server)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            until = time.monotonic() + 30
            while len(server.seen) < 12 and time.monotonic() < until:
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            begun = time.monotonic()
            out, said = running.communicate(timeout=30)
        assert time.monotonic() - begun < 5
        sent = len(server.seen)
        time.sleep(0.3)
        assert len(server.seen) == sent < 60
    assert running.returncode == 130
    findings = json.loads(out)["findings"]
    states = Counter(one["verdict"]["state"] for one in findings)
    assert len(findings) == 60
    assert states["live"] >= 1
    reasons = {one["verdict"]["reason"] for one in findings if one["verdict"]["state"] == "unknown"}
    assert reasons == {"stopped before it was asked"}
    assert b"Traceback" not in said


# --- a hostile world -------------------------------------------------------------------------------------------------

ACME = r"""
[[detector]]
id = "acme-token"
name = "Acme token"
kind = "token"
severity = "high"
pattern = '''(?<![A-Za-z0-9])https://(?P<host>127\.0\.[0-9]{1,3}\.[0-9]{1,3}:[0-9]{4,5})/(?P<secret>acme_[A-Za-z0-9]{40})(?![A-Za-z0-9])'''
keywords = ["acme_"]
examples = ["url = https://127.0.0.1:8443/{secret}"]
counterexamples = ["url = https://127.0.0.1:8443/acme_token"]
source = "https://example.org/tokens"
rotate = "https://example.org/rotate"

[detector.verify]
request = "GET https://{host}/user"
auth = "bearer"
hosts = ["api.example.org"]
live = {status = 200, json = {login = "*"}}
dead = {status = 401, json = {message = "Bad credentials"}}
tells = {user = "json:login", scopes = "header:x-scopes", expires = "json:until", email = "json:email"}
rate = 1000
source = "https://example.org/api"

[detector.verify.answers]
live = '''
200

{"login": "octocat"}'''
dead = '''
401

{"message": "Bad credentials"}'''
"""


async def _drips(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.2)


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(2000):
        writer.write(b"10000\r\n" + b'{"login":[' * 6553 + b"123456" + b"\r\n")
        await writer.drain()


def _echo(word: str) -> bytes:
    body = {"login": word, "until": word, "email": word[::-1], "more": [word] * 50}
    return reply(json.dumps(body), X_Scopes=f"{word[:20]}, {word[20:]}, {' '.join(word)}", Server=word, Location=word)


def _repeats(word: str) -> dict[str, bytes]:
    """Answers that hold a token, by what they do."""
    return {
        "echoes": _echo(word),
        "elsewhere": reply("", 307, Location=f"https://example.org/{word}"),
        "said twice": reply(f'{{"login": "x", "login": "{word}"}}'),
    }


ANSWERS = {
    "honest": reply('{"login": "octocat"}'),
    "nests": reply(b'{"login":' * 110_000),
    "too short": b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nConnection: close\r\n\r\n{"login": "x"}',
    "too long": b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"login": "x"}',
    "bomb": reply(gzip.compress(b'{"login": "' + b"x" * (50 << 20) + b'"}', 1), Content_Encoding="gzip"),
    "two lengths": b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 14\r\n\r\n{"login": "x"}',
    "headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
    "later": reply("", 429, Retry_After="1000000000"),
    "is no HTTP": b"\x16\x03\x01" + b"\x00" * 5000,
}
BEHAVIOURS = (*ANSWERS, *_repeats(""), "stalls", "resets", "drips", "endless", "stalls at once", "lies")


@pytest.mark.long
def test_ten_thousand_findings_in_a_hostile_world(
    tmp_path: Path, oakum: Oakum, doors: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends in its time, no finding is lost, no secret goes to a host that was not named, none is told."""
    from random import Random

    hosts = addresses(54, net=90)
    stranger = "127.0.99.9"
    tls, authority = certified(tmp_path, *hosts, stranger)
    does = {host: BEHAVIOURS[n % len(BEHAVIOURS)] for n, host in enumerate(hosts)}
    rng = Random(8)
    tokens = [b"acme_" + samples.build("alnum:40", rng) for _ in range(10_000)]
    real = {token.decode() for token in tokens}

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        word = seen.headers.get("authorization", "")[7:]
        did = does[seen.host]
        if did == "lies":
            writer.write(_echo(word))
        elif did == "stalls at once":
            await asyncio.sleep(3600)
        elif word not in real:
            writer.write(DEAD)
        elif did == "stalls":
            await asyncio.sleep(3600)
        elif did == "resets":
            writer.transport.abort()
        elif did == "drips":
            await _drips(writer)
        elif did == "endless":
            await _endless(writer)
        else:
            writer.write(ANSWERS.get(did) or _repeats(word)[did])

    (tmp_path / "acme.toml").write_text(ACME)
    folder = tmp_path / "app"
    folder.mkdir()
    with provider(answer, hosts, tls) as server, provider(says(DEAD), [stranger], tls) as other:
        lines = [
            b"url = https://%s:%d/%s\n" % (hosts[n % len(hosts)].encode(), server.port, token)
            if n % 50
            else b"url = https://%s:%d/%s\n" % (stranger.encode(), other.port, token)
            for n, token in enumerate(tokens)
        ]
        for part in range(20):
            (folder / f"{part:02}.cfg").write_bytes(b"".join(lines[part * 500 : part * 500 + 500]))
        named = [text for host in hosts for text in ("--verify-host", f"{host}:{server.port}")]
        begun = time.monotonic()
        alone = oakum(folder, "--detectors", tmp_path / "acme.toml", "--no-cache")
        searching = time.monotonic() - begun
        assert len(alone.report["findings"]) == 10_000, alone.said
        doors.clear()
        begun = time.monotonic()
        done = oakum(
            *(folder, "--detectors", tmp_path / "acme.toml", "--no-cache", "--verify", "--verify-seconds", "20"),
            *("--ca-file", authority, *named),
        )
        assert time.monotonic() - begun < 20 + 2 * searching + 10
        assert (other.connections, other.seen) == (0, [])
        assert {address[:2] for address in doors} <= {(host, server.port) for host in hosts}
    findings = done.report["findings"]
    assert (done.code, len(findings)) == (1, 10_000)
    states: dict[str, Counter[str]] = {did: Counter() for did in BEHAVIOURS}
    for one in findings:
        did = does.get(one["facts"]["host"].partition(":")[0])
        if did:
            states[did][one["verdict"]["state"]] += 1
        else:
            assert "came out of the data" in one["verdict"]["reason"]
    assert {did for did, counts in states.items() if counts["dead"]} == set()
    assert {did for did, counts in states.items() if counts["live"]} <= {"honest", "echoes", "said twice"}
    assert states["honest"]["live"] > 0
    everything = done.text + done.said
    parts = {token[9:].decode()[at : at + 8].lower() for token in tokens for at in range(28)}
    small = re.sub(r"[^a-z0-9]", "", everything.lower())
    assert not any(small[at : at + 8] in parts for at in range(len(small) - 7))
    assert "Traceback" not in done.said
    assert "an error in oakum" not in everything
