"""Incident 4: password hashes were readable on shared terminals.

A terminal's capture, with its escape sequences, is piped in or lies in a folder; the hashes in it are findings.
"""

from __future__ import annotations

import string
from pathlib import Path
from random import Random

from oakum.scanner.model import File, Stdin
from scanning import scan

RNG = Random("shared terminal")
CRYPT = "./" + string.digits + string.ascii_letters


def text(length: int, alphabet: str = CRYPT) -> str:
    """Random characters of crypt(3)'s alphabet."""
    return "".join(RNG.choice(alphabet) for _ in range(length))


SHADOW = {
    "root": f"$6${text(16)}${text(86)}",
    "backup": f"$5${text(16)}${text(43)}",
    "operator": f"$y$j9T${text(22)}${text(43)}",
    "legacy": f"$1${text(8)}${text(22)}",
}
HTPASSWD = {"alice": f"$apr1${text(8)}${text(22)}", "bob": f"$2y$10${text(53)}"}

PROMPT = "\x1b[01;32mops@kiosk7\x1b[00m:\x1b[01;34m~\x1b[00m$ "
CAPTURE = (
    "Script started on 2026-03-02 09:14:07+00:00\r\n"
    + f"{PROMPT}sudo cat /etc/shadow\r\n"
    + "".join(f"{user}:{value}:19800:0:99999:7:::\r\n" for user, value in SHADOW.items())
    + "daemon:*:19800:0:99999:7:::\r\nsshd:!:19800::::::\r\n"
    + f"{PROMPT}cat .htpasswd\r\n"
    + "".join(f"{user}:{value}\r\n" for user, value in HTPASSWD.items())
    + f"{PROMPT}\x1b[K\r\nexit\r\n"
).encode()
EXPECTED = {value: user for user, value in (SHADOW | HTPASSWD).items()}


def test_a_capture_on_standard_input() -> None:
    """Each hash is one finding with its user; locked accounts are none."""
    result = scan("-", stdin=CAPTURE)
    found = {r.finding.secret.reveal().decode(): dict(r.finding.facts).get("user") for r in result.findings}
    assert found == EXPECTED
    assert {r.finding.detector.kind for r in result.findings} == {"password-hash"}
    assert {type(o.origin) for r in result.findings for o in r.finding.occurrences} == {Stdin}
    assert {r.band for r in result.findings} <= {"high", "medium"}


def test_the_same_in_a_folder_of_captures(tmp_path: Path) -> None:
    """Where each stands is told by file and line."""
    (tmp_path / "typescript").write_bytes(CAPTURE)
    result = scan(tmp_path)
    lines = {
        r.finding.secret.reveal().decode(): [(o.origin, o.span.line) for o in r.finding.occurrences]
        for r in result.findings
    }
    origin = File(bytes(tmp_path / "typescript"))
    expected = {**SHADOW, **HTPASSWD}
    rows = [3, 4, 5, 6, 10, 11]
    assert lines == {value: [(origin, row)] for value, row in zip(expected.values(), rows, strict=True)}


def test_weak_schemes_come_before_strong_ones() -> None:
    """MD5 falls to a graphics card in hours, yescrypt and bcrypt do not."""
    order = [dict(r.finding.facts)["scheme"] for r in scan("-", stdin=CAPTURE).findings]
    assert set(order[:2]) == {"md5-crypt", "md5-apr1"}


def test_the_masks_show_nothing_of_a_hash() -> None:
    """A hash is as good as a short password to somebody with a word list."""
    for ranked in scan("-", stdin=CAPTURE).findings:
        assert ranked.finding.secret.mask().removesuffix("…[masked]") in ("", "$", "$2", "$y$")
