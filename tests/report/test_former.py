"""A former report read back: what it says of findings and places, and what is said of one that is damaged or none."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from handmade import HEAD, MESSAGE, STASH, TOKEN, occurrence, rendered, result, token
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oakum.scanner.errors import ReportError
from oakum.scanner.model import (
    File,
    GitBlob,
    ListingEntry,
    Origin,
    Stdin,
    StoredObject,
    Verdict,
)
from oakum.scanner.rechecked import Former, FormerPlace, FormerReport
from oakum.scanner.report.former import MOST, MOST_PLACES, read

NAME = "a" * 26
FINDING: dict[str, Any] = {
    "fingerprint": NAME,
    "detector": "github-pat",
    "verdict": {"state": "unknown", "reason": "not asked"},
    "occurrences": [{"origin": {"type": "file", "path": "a.py"}, "line": 3}],
}
FORMER = Former(NAME, "github-pat", Verdict("unknown", "not asked"), (FormerPlace(File(b"a.py"), 3),))


def text(*findings: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"schema": 1, "findings": findings} | more).encode()


def test_what_a_scan_wrote_is_read_back() -> None:
    """Of all formats for programs; JSON Lines says neither when nor of what."""
    places = (FormerPlace(HEAD, 3), FormerPlace(STASH, 3), FormerPlace(MESSAGE, 3))
    first = Former(NAME, "github-pat", Verdict("unknown", "not asked"), places)
    expected = FormerReport((first,), ("repo",), "2027-01-01T00:00:00+00:00")
    made = result(token(*(occurrence(origin, b"", TOKEN) for origin in (HEAD, STASH, MESSAGE))))
    assert read(rendered("json", made).encode()) == expected
    assert read(rendered("sarif", made).encode()) == expected
    assert read(rendered("jsonl", made).encode()) == FormerReport((first,))
    assert read(rendered("json", made).encode("utf-8-sig")) == expected


@pytest.mark.parametrize(
    "origin",
    [
        File(b"caf\xe9"),
        GitBlob("b" * 64, b""),
        Stdin(),
        StoredObject("s3://acme", b"acme", b"k\xff", exposure="public"),
        ListingEntry("listing", b"c", b"k", "private"),
        MESSAGE,
    ],
)
def test_every_origin_is_read_back(origin: Origin) -> None:
    """Paths as bytes."""
    made = result(token(occurrence(origin, b"", TOKEN, target="here")))
    for form in ("json", "jsonl", "sarif"):
        assert read(rendered(form, made).encode()).findings[0].places == (FormerPlace(origin, 3, "here"),), form


def test_the_same_finding_twice_is_one() -> None:
    """As in lines of several reports, one behind the other."""
    other = FINDING | {"occurrences": [{"origin": {"type": "stdin"}}, *FINDING["occurrences"]]}
    found = read("\n".join(json.dumps(one) for one in (FINDING, other)).encode()).findings
    assert [set(one.places) for one in found] == [{*FORMER.places, FormerPlace(Stdin())}]


def test_findings_without_a_fingerprint_are_counted() -> None:
    """They cannot be known again."""
    assert read(text(FINDING | {"fingerprint": ""}, FINDING)) == FormerReport((FORMER,), unnamed=1)


def test_nothing_found_is_a_report() -> None:
    """In JSON Lines, that is an empty file."""
    assert read(b"") == read(text()) == FormerReport(())


def test_what_is_not_known_is_left_out() -> None:
    """Fields and kinds of places may be added within a schema."""
    place = {"origin": {"type": "hologram"}, "new": 1}
    assert read(text(FINDING | {"occurrences": [place], "new": []}, new=1)).findings[0].places == (FormerPlace(None),)


def test_a_finding_has_so_many_places() -> None:
    """Whoever made the report."""
    many = [{"origin": {"type": "file", "path": f"f{n}"}} for n in range(MOST_PLACES + 50)]
    assert len(read(text(FINDING | {"occurrences": many})).findings[0].places) == MOST_PLACES


NONE = "is no report of oakum's: `oakum scan --format json --output FILE` writes one"
BAD = {
    "another document": (b'{"a": 1}', NONE),
    "a number": (b"1", NONE),
    "a list": (b"[]", NONE),
    "text": (b"Dear Ada,\n\nhello\n", "is no JSON, or damaged: Expecting value: line 1 column 1"),
    "a page": (rendered("text").encode(), "is no JSON, or damaged"),
    "bytes": (b"\xff\xfe\x00", NONE + " (json, jsonl and sarif can be checked again); it is no text in UTF-8"),
    "cut off": (rendered("json").encode()[:-9], "is no JSON, or damaged: Expecting value: line"),
    "a line cut off": (
        rendered("jsonl").encode()[:-9],
        "is no JSON, or damaged: Unterminated string starting at: line 1 column",
    ),
    "nested": (b"[" * 100_000, "nested too deeply"),
    "a newer schema": (text(FINDING, schema=2), "has schema 2, and this oakum reads 1: is it of a newer one?"),
    "another SARIF": (b'{"version": "3.0", "runs": []}', "is SARIF of another version than 2.1.0"),
    "SARIF of another": (
        b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": []}]}',
        "is SARIF of another tool",
    ),
    "a fingerprint": (text(FINDING | {"fingerprint": "A"}), "findings[0] is not as in a report"),
    "a detector": (text(FINDING, FINDING | {"detector": "\ud800"}), "findings[1] is not as in a report"),
    "a verdict": (text(FINDING | {"verdict": {"state": "maybe", "reason": ""}}), "findings[0] is not as in a report"),
    "a place": (text(FINDING | {"occurrences": [1]}), "findings[0]: an occurrence is not as in a report"),
    "too large": (b" " * (MOST + 1), "is larger than 64 MiB"),
}


@pytest.mark.parametrize(("content", "said"), BAD.values(), ids=list(BAD))
def test_what_is_said_of_a_bad_one(content: bytes, said: str) -> None:
    """What is wrong, and what to do."""
    with pytest.raises(ReportError, match=re.escape(said)):
        read(content)


texts = st.text() | st.sampled_from(
    ["\ud800", "\0", "\x1b[31m", "../../etc/passwd", "ab" * 20, "file", "git", "commit"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
NAMES = ["path", "path_bytes", "blob", "commit", "author", "reachable", "via", "target", "message", "exposure"]
origins = st.fixed_dictionaries({"type": texts}, optional=dict.fromkeys(NAMES, texts | anything))


slow = settings(suppress_health_check=[HealthCheck.too_slow])


@slow
@given(st.lists(st.fixed_dictionaries({"origin": origins}, optional={"line": anything}), max_size=3), anything)
def test_no_report_is_read_into_anything_else(places: list[dict[str, Any]], summary: Any) -> None:
    """Whatever stands in it: texts that can be printed as UTF-8, ids that are ids, numbers that are numbers."""
    made = read(text(FINDING | {"occurrences": places}, summary=summary))
    json.dumps(repr(made)).encode()
    for place in made.findings[0].places:
        assert isinstance(place.line, int)
        assert place.target.encode() is not None
        if isinstance(place.origin, GitBlob):
            assert re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", place.origin.blob)


@slow
@given(st.dictionaries(st.sampled_from([*FINDING, "runs", "schema", "findings", "version"]), anything))
def test_a_document_that_is_none_is_refused(document: dict[str, Any]) -> None:
    """With the one error that says so."""
    with suppress(ReportError):
        read(json.dumps(document).encode())
