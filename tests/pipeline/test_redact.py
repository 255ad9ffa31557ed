"""A value that was found is shown nowhere: not in names, not on other lines, whatever the format."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner.model import Verdict
from oakum.scanner.pipeline.redact import Redactor
from oakum.scanner.report import FORMATS, ReportOptions
from scanning import Fresh, scan


def rendered(result: object, name: str) -> str:
    """A report as a whole."""
    return "".join(FORMATS[name].render(result, ReportOptions(version="0")))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_token_in_the_name_of_a_file_and_of_an_author(repo: GitRepository, fresh: Fresh, form: str) -> None:
    """Its mask stands there instead; the rest of the name stays."""
    secret = fresh()
    name = f"backup-{secret.decode()}.txt"
    repo.write({name: b"token = " + secret + b"\n"})
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "x", GIT_AUTHOR_NAME=f"Ada {secret.decode()}")
    page = rendered(scan(repo.path), form)
    assert secret.decode() not in page
    assert "backup-ghp_" in page


def test_a_password_on_the_line_of_another_secret(tmp_path: Path, fresh: Fresh) -> None:
    """No detector takes it there; it is known from the line above."""
    password, token = fresh("password:14"), fresh()
    (tmp_path / "a.py").write_bytes(
        b'db_password = "' + password + b'"\nt = "' + token + b'"  # see ' + password + b"!\n"
    )
    result = scan(tmp_path)
    assert {r.finding.secret.reveal() for r in result.findings} == {password, token}
    for ranked in result.findings:
        for occurrence in ranked.finding.occurrences:
            assert password not in occurrence.excerpt.text
            mask = occurrence.excerpt.text[occurrence.excerpt.start : occurrence.excerpt.end]
            assert mask.decode() == ranked.finding.secret.mask()


def test_what_a_provider_told_of_another_secret(tmp_path: Path, fresh: Fresh) -> None:
    """An answer may hold one, in its reason and in its facts."""
    (tmp_path / "a.py").write_bytes(b"a = '%b'\nb = '%b'\n" % (fresh(), fresh()))
    one, other = scan(tmp_path).findings
    value = other.finding.secret.reveal().decode()
    verdict = Verdict("live", f"user {value}", (("user", value),), "api.acme.io")
    made = replace(one, finding=replace(one.finding, verdict=verdict))
    mask = other.finding.secret.mask()
    cleaned = Redactor([one.finding, other.finding]).finding(made).finding.verdict
    assert cleaned == Verdict("live", f"user {mask}", (("user", mask),), "api.acme.io")


def test_words_that_are_somebodys_password_stay_readable_in_paths(tmp_path: Path) -> None:
    """`administrator` is a password here, and a folder there."""
    word = "administrator"
    (tmp_path / word).mkdir()
    pair = {"username": "admin", "password": word}
    (tmp_path / "administrator" / "a.json").write_text(json.dumps(pair))
    report = json.loads(rendered(scan(tmp_path), "json"))
    assert [o["origin"]["path"] for f in report["findings"] for o in f["occurrences"]] == [
        str(tmp_path / "administrator" / "a.json")
    ]


def test_the_mask_is_that_of_the_detector_that_names_the_finding(tmp_path: Path, fresh: Fresh) -> None:
    """A value first seen as a secret, then as an administrator's password, shows nothing."""
    value = fresh("password:32")
    (tmp_path / "a.py").write_bytes(b'api_secret = "' + value + b'"\n')
    (tmp_path / "b.py").write_bytes(b'admin_user = "root"\nadmin_password = "' + value + b'"\n')
    (finding,) = scan(tmp_path).findings
    assert finding.finding.detector.kind == "admin-credential"
    assert finding.finding.secret.mask() == "…[masked]"
    assert {o.excerpt.text[o.excerpt.start : o.excerpt.end].decode() for o in finding.finding.occurrences} == {
        "…[masked]"
    }
