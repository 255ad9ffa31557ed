"""A baseline as detect-secrets itself writes it (1.5, from the development tools), taken over."""

from __future__ import annotations

import os
import subprocess
import sys

from git_repository import GitRepository, utc
from oakum.scanner.model import Secret
from oakum.scanner.pipeline.adopt import adopt
from oakum.scanner.pipeline.options import ScanOptions
from scanning import Fresh


def test_what_detect_secrets_found_is_taken_over(repo: GitRepository, fresh: Fresh) -> None:
    """By digest, or by line where it keeps only a beginning. What oakum does not take for a secret is listed."""
    token, key, secret, password = fresh(), fresh("openssh_key"), fresh("alnum:40"), fresh("human_password")
    digest, id_, aws = fresh("hex:40"), fresh("aws_access_key_id"), fresh("aws_secret_key")
    repo.commit(
        {
            "src/a.py": b"#\ntoken = '%b'\napi_key = '%b'\n" % (token, secret),
            "deploy/key": key + b"\n",
            "app.env": b"aws_access_key_id = %b\naws_secret_access_key = %b\n" % (id_, aws),
            "settings.py": b"DB_USER = 'ada'\nDB_PASSWORD = '%b'\n" % password,
            "docs/a.py": b"token = '%b'\n" % fresh(),
            "digest.py": b"secret = '%b'\n" % digest,
            "nothing.txt": b"password: password\n",
        }
    )
    made = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--exclude-files", "^docs/"],
        cwd=repo.path,
        capture_output=True,
        check=True,
    )
    options = ScanOptions(environment=dict(os.environ), now=utc(2027))
    taken = adopt(".secrets.baseline", made.stdout, os.fsencode(repo.path), options)
    assert {(one.fingerprint or one.path, one.reason.partition(": ")[2], one.seen) for one in taken.entries} == {
        (Secret(key).fingerprint(), "Private Key, not audited (by its line)", "deploy/key (privatekey-openssh)"),
        (Secret(digest).fingerprint(), "Hex High Entropy String, not audited", "digest.py (generic-secret)"),
        (Secret(password).fingerprint(), "Secret Keyword, not audited", "settings.py (generic-password)"),
        (Secret(token).fingerprint(), "Base64 High Entropy String, not audited", "src/a.py (github-pat)"),
        (Secret(secret).fingerprint(), "Base64 High Entropy String, not audited", "src/a.py (generic-secret)"),
        ("docs/**", "files left out", ""),
    }
    look = "run `oakum scan`, and `oakum allow` what is meant"
    assert taken.unmapped == (
        ("app.env:1 (AWS Access Key)", f"oakum reports nothing there, but a secret at line 2: {look}"),
        ("nothing.txt:1 (Secret Keyword)", "nothing to suppress: oakum reports nothing at nothing.txt:1"),
        ("filters_used: 11 built in", "oakum has allowlists of its own"),
    )
