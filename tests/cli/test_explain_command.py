"""`oakum explain` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random

import pytest
from oakum.detectors import samples

TOKEN = samples.build("github:ghp", Random("explain"))
SAS = samples.build("azure_sas:account", Random("explain"))


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "oakum.scanner", "explain", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False)


def test_a_page_for_people() -> None:
    """What it is, the facts, what to do, where to read on; never the secret."""
    done = run(given=b"token: " + TOKEN)
    page = done.stdout.decode()
    assert done.returncode == 0
    assert done.stderr == b""
    assert TOKEN not in done.stdout
    assert page.startswith("CRITICAL ")
    for part in (
        "GitHub personal access token",
        "detector        github-pat",
        "fingerprint",
        "1. revoke it",
        "https://",
    ):
        assert part in page


def test_json_for_programs() -> None:
    """A finding without places, with what to do and the links."""
    done = run("--format", "json", given=b"https://acme.blob.core.windows.net/a?" + SAS)
    document = json.loads(done.stdout)
    (secret,) = document["secrets"]
    assert set(document) == {"schema", "secrets", "could_be"}
    assert {"next", "links", "suppressed", "facts", "summary", "reasons"} <= set(secret)
    assert "occurrences" not in secret
    assert secret["facts"]["type"] == "Azure account SAS"
    assert SAS[-30:] not in done.stdout


def test_guesses() -> None:
    """Of a value by itself; exit code 0 as something could be said."""
    done = run(given=samples.build("aws_secret_key", Random(3)))
    assert done.returncode == 0
    assert b"By itself it could be:" in done.stdout
    assert b"aws-secret-access-key" in done.stdout


def test_nothing_known() -> None:
    """Exit code 1, and what could help."""
    done = run(given=b"hello there")
    assert (done.returncode, done.stdout) == (
        1,
        b"No detector knows this form. If it has a name, give that, too: NAME=VALUE\n",
    )


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        ((TOKEN.decode(),), b"", "a secret is read from standard input"),
        ((), b"", "nothing on standard input"),
        ((), b"  \n", "nothing on standard input"),
        ((), b"x" * ((1 << 20) + 1), "`oakum scan -` searches what is so large"),
    ],
    ids=["as an argument", "nothing", "blanks", "too much"],
)
def test_wrong_use(arguments: tuple[str, ...], given: bytes, message: str) -> None:
    """Exit code 2, a message that says what to do, and the secret is not said again."""
    done = run(*arguments, given=given)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert TOKEN not in done.stderr


def test_hostile_text_reaches_no_terminal_raw() -> None:
    """Control and bidirectional characters in what stands around it."""
    done = run(given=b"https://user\x1b[2J:\xe2\x80\xae" + TOKEN + b"@acme.test/\x07?" + SAS)
    assert not set(done.stdout.decode()) & set("\x1b\x07\u202e")
