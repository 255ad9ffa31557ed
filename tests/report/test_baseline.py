"""A report read back: what was known when it was written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from handmade import HEAD, PASSWORD, TOKEN, occurrence, password, rendered, result, token
from oakum.scanner.report.baseline import fingerprints

BOTH = frozenset({"a" * 26, "b" * 26})


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif"])
def test_every_format_for_programs_is_read_back(name: str) -> None:
    """As it was written, as PowerShell writes what is piped into a file in UTF-8, and without a finding."""
    report = rendered(name).encode()
    assert fingerprints(report) == fingerprints(b"\xef\xbb\xbf" + report.replace(b"\n", b"\r\n")) == BOTH
    assert (
        fingerprints(rendered(name, result(token(occurrence(HEAD, b"", TOKEN)), findings=())).encode()) == frozenset()
    )


def test_one_line_is_a_report() -> None:
    """Of JSON Lines, as of any number of lines; line separators of Unicode end none."""
    one = rendered("jsonl", result(token(occurrence(replace(HEAD, author="\u2028\x85"), b"", TOKEN))))
    assert fingerprints(one.encode()) == {"a" * 26}
    assert fingerprints(json.dumps({"fingerprint": "c" * 26, "x": "\u2028"}, ensure_ascii=False).encode()) == {"c" * 26}


def test_a_finding_without_a_fingerprint_is_not_known() -> None:
    """As a scan that was stopped may leave it."""
    unnamed = replace(password(occurrence(HEAD, b"", PASSWORD)), fingerprint="")
    made = result(token(occurrence(HEAD, b"", TOKEN)), unnamed)
    for name in ("json", "jsonl", "sarif"):
        assert fingerprints(rendered(name, made).encode()) == {"a" * 26}


@pytest.mark.parametrize(
    "text",
    [
        b"no report",
        b"\xff",
        rendered("text").encode(),
        b"[]",
        b"{}",
        b"1",
        b"null",
        b'{"findings": [{"fingerprint": "short"}]}',
        b'{"findings": [{"fingerprint": 1}]}',
        b'{"runs": [{"results": [{"partialFingerprints": {"other/v1": "x"}}]}]}',
        b'[{"Fingerprint": "of another scanner"}]',
        b'{"fingerprint": "' + b"a" * 26 + b'"}\nrubbish\n',
    ],
    ids=lambda text: text.decode("latin-1")[:40],
)
def test_anything_else_is_refused(text: bytes) -> None:
    """Half a baseline would be worse than none."""
    with pytest.raises(ValueError, match=r"\S"):
        fingerprints(text)
