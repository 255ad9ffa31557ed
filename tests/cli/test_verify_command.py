"""`oakum verify` as a user meets it: exit codes, options, outputs."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_github import GitHub, github
from oakum.scanner import cli
from scanning import Fresh


@pytest.fixture
def provider() -> Iterator[GitHub]:
    with github() as server:
        yield server


@pytest.fixture
def report(tmp_path: Path, fresh: Fresh, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report on a folder with one token, in the folder where we are."""
    (tmp_path / "leaky").mkdir()
    (tmp_path / "leaky/app.cfg").write_bytes(b"token = " + fresh() + b"\n")
    monkeypatch.chdir(tmp_path)
    assert cli.run(["scan", "leaky", "--format", "json", "--output", "report.json"]) == 1
    capfd.readouterr()
    return tmp_path / "report.json"


def test_dead(report: Path, provider: GitHub, capfd: pytest.CaptureFixture[str]) -> None:
    """0; before anything is sent it is said where to."""
    assert cli.run(["verify", "report.json", "--verify-host", provider.host]) == 0
    said = capfd.readouterr()
    host = provider.host.rpartition("/")[2]
    assert said.err == f"oakum: verifying 1 secret with the hosts {host} (1)\n"
    assert "  asked  was not asked about on 20" in said.out
    assert f"now dead: {host} refuses it (401)" in " ".join(said.out.split())  # as wide as the page is


def test_live(report: Path, provider: GitHub, fresh: Fresh, capfd: pytest.CaptureFixture[str]) -> None:
    """1, also where something else could not be read again."""
    provider.live = set(fresh.drawn)
    arguments = ["--verify-host", provider.host, "--format", "jsonl", "--output", "out.jsonl"]
    assert cli.run(["verify", "report.json", *arguments]) == 1
    assert capfd.readouterr().err.endswith("\noakum: 1 newly live\n")
    assert json.loads(Path("out.jsonl").read_text())["outcome"] == "newly live"
    document = json.loads(report.read_text())
    document["findings"].append(document["findings"][0] | {"fingerprint": "a" * 26})
    report.write_text(json.dumps(document))
    assert cli.run(["verify", "report.json", *arguments]) == 1
    assert capfd.readouterr().err.endswith("\noakum: 1 newly live; 1 could not be checked again\n")


def test_unknown(report: Path, provider: GitHub, capfd: pytest.CaptureFixture[str]) -> None:
    """1: nobody knows that it is dead."""
    assert cli.run(["verify", "report.json", "--verify-host", "github=localhost:1", "--verify-seconds", "1"]) == 1
    assert ", now unknown: " in capfd.readouterr().out


def test_not_read_again(report: Path, provider: GitHub, capfd: pytest.CaptureFixture[str]) -> None:
    """2, and nobody is asked; also where none of them is of those that are to be asked about."""
    Path("leaky/app.cfg").unlink()
    assert cli.run(["verify", "report.json", "--verify-host", provider.host]) == 2
    assert "app.cfg: there is no such file in leaky" in capfd.readouterr().out
    assert cli.run(["verify", "report.json", "--verify-only", "npm"]) == 2
    assert provider.asked == []


def test_stopped(report: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """130, and a report of what was told until then."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oakum.scanner.pipeline.places.Places.search", stop)
    assert cli.run(["verify", "report.json"]) == 130
    assert "  interrupted  it was stopped" in capfd.readouterr().out


def test_from_standard_input_and_in_another_folder(
    report: Path, provider: GitHub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As from a pipeline."""
    Path("leaky").rename("moved")
    with report.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert cli.run(["verify", "-", "moved", "--verify-host", provider.host]) == 0
    assert "oakum 0.1.0  standard input of 20" in capfd.readouterr().out


def test_secrets_are_masked_unless_it_is_wished(
    report: Path, provider: GitHub, fresh: Fresh, capfd: pytest.CaptureFixture[str]
) -> None:
    """A file with them is for its owner alone."""
    secret = fresh.drawn[0].decode()
    for form in ("text", "json", "jsonl", "sarif"):
        arguments = ["verify", "report.json", "--verify-host", provider.host, "--format", form]
        cli.run(arguments)
        assert secret not in capfd.readouterr().out
        cli.run([*arguments, "--show-secrets", "--output", "out"])
        assert secret in Path("out").read_text()
        if os.name == "posix":
            assert stat.S_IMODE(Path("out").stat().st_mode) == 0o600
        Path("out").unlink()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", "report.json: is no JSON, or damaged"),
        (b'{"schema": 7, "findings": []}', "report.json: has schema 7"),
        (b'{"package": "x"}', "report.json: is no report of oakum's"),
        (b"x" * 100_000_000, "report.json: is larger than 64 MiB"),
    ],
    ids=["damaged", "newer", "none", "large"],
)
def test_a_bad_report(report: Path, content: bytes, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    """2, and one line that says what to do."""
    report.write_bytes(content)
    assert cli.run(["verify", "report.json"]) == 2
    error = capfd.readouterr().err
    assert error.startswith(f"oakum: {said}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch.json"], "nosuch.json: cannot be read: No such file or directory"),
        (["report.json", "nosuch"], "nosuch: there is no such file or folder"),
        (["report.json", "--verify-only", "githb"], "--verify-only githb: no provider and no detector is called so"),
        (["report.json", "--verify-only", "npm,aws"], "--verify-only aws,npm: the report has no finding of these"),
        (
            ["report.json", "--verify-host", "githb=https://acme.test"],
            "--verify-host githb=HOST: no provider is called",
        ),
        (["report.json", "-"], "standard input cannot be read again"),
        (["report.json", "--verify-host", "github=http://acme.test"], "over http anybody on the way reads the secret"),
    ],
)
def test_wrong_usage(report: Path, arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    """2, and nothing on standard output."""
    assert cli.run(["verify", *arguments]) == 2
    captured = capfd.readouterr()
    assert said in captured.err
    assert captured.out == ""
