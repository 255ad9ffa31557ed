"""JSON and JSON Lines, compared as a whole."""

from __future__ import annotations

import json
from datetime import date

import pytest
from handmade import ADA, BLOB, COMMIT, DETECTORS, HEAD, MESSAGE, OTHER, TOKEN, occurrence, rendered, result, token
from oakum.scanner.model import File, GitBlob, NotScanned, Stdin, Suppression

MASK = TOKEN[:8].decode() + "…[masked]"
WHO = {"author": ADA}

FIRST = {
    "fingerprint": "a" * 26,
    "detector": "github-pat",
    "also": [],
    "provider": "github",
    "kind": DETECTORS["github-pat"].kind,
    "name": DETECTORS["github-pat"].name,
    "summary": "GitHub token: live mode",
    "band": "critical",
    "score": 95,
    "severity": DETECTORS["github-pat"].severity,
    "confidence": 0.95,
    "verdict": {"state": "unknown", "reason": "not asked"},
    "secret": MASK,
    "facts": {"checksum": "valid"},
    "reasons": [
        {"factor": "severity", "value": 1.0, "text": "it opens much"},
        {"factor": "exposure", "value": 1.0, "text": "at the head of the default branch"},
    ],
    "occurrences": [
        {
            "origin": {"type": "git", "blob": BLOB, "path": "src/settings.ini", "commit": COMMIT}
            | WHO
            | {"date": "2024-03-01T12:00:00+02:00", "reachable": "head"},
            "blobs": 2,
            "line": 3,
            "column": 9,
            "end_line": 3,
            "end_column": 9 + len(TOKEN),
        },
        {
            "origin": {"type": "git", "blob": OTHER, "path": "old.ini", "commit": COMMIT}
            | WHO
            | {"date": "2024-03-05T12:00:00+02:00", "reachable": "unreachable", "via": "refs/stash"},
            "blobs": 1,
            "line": 3,
            "column": 1,
            "end_line": 3,
            "end_column": 1 + len(TOKEN),
        },
        {
            "origin": {"type": "git-message", "message": "commit", "target": COMMIT}
            | WHO
            | {"date": "2024-03-06T12:00:00+02:00", "reachable": "history"},
            "blobs": 1,
            "line": 3,
            "column": 5,
            "end_line": 3,
            "end_column": 5 + len(TOKEN),
        },
    ],
    "occurrences_folded": 0,
    "rotate": DETECTORS["github-pat"].rotate,
}


def test_the_target_of_a_scan_never_stands_for_what_carries_a_message() -> None:
    """Both are called so, and only one name is free."""
    made = token(*(occurrence(origin, b"", TOKEN, target="here") for origin in (HEAD, MESSAGE)))
    blob, message = (o["origin"] for o in json.loads(rendered("json", result(made)))["findings"][0]["occurrences"])
    assert blob["target"] == message["scan_target"] == "here"
    assert message["target"] == COMMIT


def test_the_whole_document() -> None:
    """Schema 1."""
    document = json.loads(rendered("json"))
    second = document["findings"].pop()
    assert document == {
        "schema": 1,
        "complete": False,
        "findings": [FIRST],
        "not_scanned": [
            {"what": "gone.txt", "why": "went away before it was read", "policy": False, "count": 1},
            {"what": "big", "why": "too large", "policy": True, "count": 1},
        ],
        "summary": {
            "version": "0.1.0",
            "started": "2027-01-01T00:00:00+00:00",
            "targets": ["repo"],
            "findings": {"critical": 1, "high": 0, "medium": 1, "low": 0},
            "below_min_band": 1,
            "searched": {"files": 4, "git blobs": 9},
            "bytes": 2_500_000,
            "seconds": 0.5,
            "detectors": 70,
            "suppressed": {"placeholder": 3},
            "expired": [],
            "stale": [],
            "dropped": {"entropy": 2},
            "verdicts": {},
            "interrupted": False,
        },
    }
    assert list(second) == list(FIRST)
    assert second["secret"] == "…[masked]"
    assert second["occurrences"][0]["origin"] == {"type": "file", "path": "tests/.netrc", "class": "test"}


def test_what_was_accepted_and_is_no_more_or_was_not_met() -> None:
    """What the configuration says of it, and the file that it stands in."""
    over = Suppression("why", "c" * 26, expires=date(2026, 12, 31), by="Ada", seen="a.py (b)", source=".oakum.toml")
    unmet = Suppression("why", path="old/**", detector="a-key")
    summary = json.loads(rendered("json", result(expired=(over,), stale=(unmet,))))["summary"]
    assert summary["expired"] == [
        {"fingerprint": "c" * 26, "reason": "why", "expires": "2026-12-31"}
        | {"by": "Ada", "seen": "a.py (b)", "source": ".oakum.toml"}
    ]
    assert summary["stale"] == [{"path": "old/**", "detector": "a-key", "reason": "why"}]


def test_stats_add_the_times_of_the_stages() -> None:
    """Only on request."""
    assert json.loads(rendered("json", stats=True))["summary"]["stages"] == {"files": 0.2}


def test_json_lines_are_the_findings_in_the_same_order() -> None:
    """One a line, each line complete in itself."""
    lines = rendered("jsonl").splitlines()
    assert [json.loads(line) for line in lines] == json.loads(rendered("json"))["findings"]


def test_standard_input_and_several_targets() -> None:
    """An origin says which target it is of, where there are several."""
    made = result(token(occurrence(Stdin(), b"", TOKEN), occurrence(File(b"a"), b"", TOKEN, target="one")))
    origins = [o["origin"] for o in json.loads(rendered("jsonl", made))["occurrences"]]
    assert origins == [{"type": "stdin"}, {"type": "file", "path": "a", "target": "one"}]


def test_a_path_that_is_not_utf8_comes_in_base64_too() -> None:
    """So that it can be found."""
    origins = [
        json.loads(rendered("jsonl", result(token(occurrence(o, b"", TOKEN)))))["occurrences"][0]["origin"]
        for o in (File(b"caf\xe9"), GitBlob(BLOB, b"\xff"))
    ]
    assert [(o["path"], o["path_bytes"]) for o in origins] == [("caf\ufffd", "Y2Fm6Q=="), ("\ufffd", "/w==")]


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif"])
def test_nothing_of_a_target_reaches_a_terminal_raw(name: str) -> None:
    """JSON escapes for all control and bidirectional characters, which read back as what they were."""
    path = "a\n\x1b[31m\x9b\u202e\u2066\x7f\u2028"
    made = result(token(occurrence(File(path.encode()), b"", TOKEN)), not_scanned=[NotScanned(path.encode(), path)])
    report = rendered(name, made)
    assert {c for c in report if not c.isprintable()} == {"\n"}
    if name == "json":
        document = json.loads(report)
        assert document["findings"][0]["occurrences"][0]["origin"]["path"] == path
        assert document["not_scanned"][0]["what"] == path
