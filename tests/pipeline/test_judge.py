"""What a finding comes to before anybody is asked: its rank, its line, and whether it has expired."""

from __future__ import annotations

import pytest
from git_repository import utc
from oakum.scanner import catalog
from oakum.scanner.model import NOT_ASKED, Excerpt, File, Finding, Occurrence, Secret, Span, Verdict
from oakum.scanner.pipeline.judge import judged

DETECTOR = next(d for d in catalog.load() if d.id == "azure-storage-sas")
PLACE = (Occurrence(File(b"a"), Span(0, 1), Excerpt(b"", 0, 0)),)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, NOT_ASKED),
        ({"expires": "2027-01-01T00:00:01Z"}, NOT_ASKED),
        ({"expires": "2027-01-01T00:00:00Z"}, Verdict("dead", "expired on 2027-01-01 (less than a day ago)")),
        ({"expires": "2021-10-06"}, Verdict("dead", "expired on 2021-10-06 (5 years ago)")),
        (
            {"expires": "2051-10-06T00:00:00Z", "key_expires": "2026-12-30T00:00:00Z"},
            Verdict("dead", "expired on 2026-12-30 (2 days ago)"),
        ),
        ({"expires": "whenever"}, NOT_ASKED),
    ],
    ids=["never", "in a second", "now", "long ago", "the key that signed it", "no date"],
)
def test_what_has_expired_is_dead_without_asking_anybody(facts: dict[str, str], verdict: Verdict) -> None:
    """By its own end, or by that of the key which signed it."""
    finding = Finding(DETECTOR, (), Secret(b"value"), tuple(facts.items()), PLACE)
    found = judged(finding, utc(2027))
    assert found.finding.verdict == verdict
    assert (found.band == "low") == (verdict.state == "dead")


def test_a_provider_knows_better() -> None:
    """What it said stays."""
    live = Verdict("live", "asked")
    finding = Finding(DETECTOR, (), Secret(b"value"), (("expires", "2021-10-06"),), PLACE, verdict=live)
    assert judged(finding, utc(2027)).finding.verdict == live
