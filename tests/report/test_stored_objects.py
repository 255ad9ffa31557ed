"""Secrets in objects of stores and in listings, in each report: where, which version, who can read it, what to do."""

from __future__ import annotations

import json

import pytest
from handmade import TOKEN, occurrence, rendered, result, token
from oakum.scanner.model import ListingEntry, Origin, StoredObject

STORED = StoredObject("s3://acme", b"acme", b"backups/a b.env", "v1", "e1", "public")
IN_ACCOUNT = StoredObject("https://acme.blob.core.windows.net", b"logs", b"bad \xff\x1b[2J", exposure="private")
LISTED = ListingEntry("the listing", b"acme", b"a?sig=", "unknown")
NAMELESS = ListingEntry("the listing", b"", b"")


def report(name: str, *origins: Origin) -> str:
    return rendered(name, result(token(*(occurrence(origin, b"token = ", TOKEN) for origin in origins))))


def test_json() -> None:
    """All that is known; a key that is not UTF-8 in base64, too."""
    told = json.loads(report("json", STORED, IN_ACCOUNT, LISTED))
    assert [o["origin"] for o in told["findings"][0]["occurrences"]] == [
        {
            "type": "object",
            "store": "s3://acme",
            "container": "acme",
            "key": "backups/a b.env",
            "version": "v1",
            "etag": "e1",
            "exposure": "public",
        },
        {
            "type": "object",
            "store": "https://acme.blob.core.windows.net",
            "container": "logs",
            "key": "bad \ufffd\x1b[2J",
            "key_bytes": "YmFkIP8bWzJK",
            "version": "",
            "etag": "",
            "exposure": "private",
        },
        {"type": "listing", "listing": "the listing", "container": "acme", "key": "a?sig=", "exposure": "unknown"},
    ]


def test_sarif() -> None:
    """Relative addresses, encoded."""
    told = json.loads(report("sarif", STORED, IN_ACCOUNT, LISTED, NAMELESS))
    (found,) = told["runs"][0]["results"]
    uris = [place["physicalLocation"]["artifactLocation"]["uri"] for place in found["locations"]]
    uris += [place["physicalLocation"]["artifactLocation"]["uri"] for place in found.get("relatedLocations", [])]
    assert set(uris) <= {
        "store/acme/backups/a%20b.env",
        "store/logs/bad%20%FF%1B%5B2J",
        "listing/acme/a%3Fsig%3D",
        "listing/",
    }
    assert uris[0] == "store/acme/backups/a%20b.env"


@pytest.mark.parametrize(
    ("origin", "name", "said"),
    [
        (STORED, "s3://acme/backups/a b.env", "version v1, etag e1, anybody can read it"),
        (IN_ACCOUNT, "https://acme.blob.core.windows.net/logs/bad \ufffd\\x1b[2J", "only its own users can read"),
        (LISTED, "listed: acme/a?sig=", ""),
        (NAMELESS, "listed: the listing itself", ""),
    ],
)
def test_text(origin: Origin, name: str, said: str) -> None:
    """Its name once, without what a terminal would obey."""
    text = report("text", origin)
    assert name in text
    assert said in text
    assert "\x1b" not in text
    assert ("let nobody list or read the store who has not logged in" in text) == (origin is STORED)
