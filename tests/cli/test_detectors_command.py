"""`oakum detectors show`: all about a detector, and how its provider is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from oakum.scanner import cli

DETECTOR = """
[[detector]]
id = "acme-token"
name = "Acme token"
kind = "token"
severity = "high"
pattern = '''(?<![a-z0-9])(?P<secret>acme_[a-z0-9]{20})(?![a-z0-9])'''
keywords = ["acme_"]
examples = ["token = {secret}"]

[detector.verify]
request = ["POST https://{host|api.acme.test}/me", "GET https://eu.acme.test/me"]
auth = "header X-Token"
headers = {Accept = "application/json"}
body = "user={user}"
hosts = ["*.acme.test"]
beside = ["acme.test"]
live = {status = [200, 204], json = {id = "*", kind = ["a", "b"]}}
dead = [{status = 401}, {status = 403, headers = {X-Why = "revoked"}, body = "no"}, {status = 404, empty = true}]
tells = {user = "json:login", scopes = "header:x-scopes"}
source = "https://acme.test/docs"
"""


def test_how_a_provider_is_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is sent, where to, what an answer means, and what it tells."""
    (tmp_path / "acme.toml").write_text(DETECTOR)
    assert cli.run(["detectors", "show", "acme-token", "--detectors", str(tmp_path / "acme.toml")]) == 0
    assert capfd.readouterr().out.partition("asked with")[2].splitlines() == [
        "      POST https://{host|api.acme.test}/me",
        "then with       GET https://eu.acme.test/me",
        "sent as         header X-Token",
        "header          Accept: application/json",
        "body            user={user}",
        "hosts           *.acme.test",
        "only beside     acme.test",
        "live            status 200 or 204, id is there, kind is 'a' or 'b'",
        "dead            status 401",
        "dead            status 403, header x-why has 'revoked', 'no' in its body",
        "dead            status 404, no body",
        "tells           user, scopes",
        "described at    https://acme.test/docs",
    ]


def test_what_code_asks_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With its scheme; without hosts of its own it goes only where the user says."""
    head = DETECTOR.partition("[detector.verify]")[0]
    (tmp_path / "acme.toml").write_text(
        f'{head}verify = {{scheme = "login", request = "uri", joins = ["acme-id"], source = "https://acme.test/docs"}}\n'
    )
    assert cli.run(["detectors", "show", "acme-token", "--detectors", str(tmp_path / "acme.toml")]) == 0
    assert capfd.readouterr().out.partition("verified by")[2].splitlines() == [
        "     login uri",
        "hosts           only those that --verify-host names",
        "sent along      acme-id",
        "described at    https://acme.test/docs",
    ]
