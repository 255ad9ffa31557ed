"""What is known of a secret that stands in several places, in whatever order they were searched."""

from __future__ import annotations

from itertools import permutations

import pytest
from oakum.scanner import catalog
from oakum.scanner.ledger import Ledger
from oakum.scanner.model import Excerpt, Facts, File, Secret, Sighting, Span
from oakum.scanner.pipeline.targets import as_given

DETECTORS = {d.id: d for d in catalog.load()}


def known(*readings: Facts) -> dict[str, str]:
    """The facts of one secret that stands once with each of these."""
    ledger = Ledger(DETECTORS)
    for number, facts in enumerate(readings):
        sighting = Sighting("azure-storage-sas", (), Secret(b"value"), Span(0, 1), facts, Excerpt(b"", 0, 0))
        ledger.add(File(b"%d" % number), sighting)
    (finding,) = ledger.findings(as_given)
    return dict(finding.facts)


REAL: Facts = (("host", "acme.blob.core.windows.net"), ("account", "acme"))
HERE: Facts = (("host", "localhost"), ("resource", "a/b"), ("account", "x"))
EXAMPLE: Facts = (("host", "acme.example.com"), ("resource", "a/b"))
BARE: Facts = (("permissions", "r"),)


@pytest.mark.parametrize(
    ("readings", "facts"),
    [
        ((REAL, HERE), dict(REAL)),
        ((REAL, EXAMPLE, BARE), dict(REAL + BARE)),
        ((BARE, HERE), dict(BARE)),
        ((REAL, (*REAL, ("resource", "backup"))), {**dict(REAL), "resource": "backup"}),
        ((HERE,), dict(HERE)),
    ],
    ids=["a real host and this machine", "a token beside them", "a token and this machine", "one says more", "alone"],
)
def test_a_place_that_others_reach_tells_what_it_opens(readings: tuple[Facts, ...], facts: dict[str, str]) -> None:
    """One more place never makes less of it; what contradicts is left out whole."""
    for order in permutations(readings):
        assert known(*order) == facts


ID, OTHER = ("access_key_id", "one"), ("access_key_id", "another")


@pytest.mark.parametrize(
    ("readings", "near"),
    [
        ([((ID,), ())], ()),
        ([((ID,), (ID,))], (ID,)),
        ([((ID,), (ID, OTHER)), ((ID,), ())], ()),
        ([((ID,), (ID,)), ((OTHER,), (OTHER,))], (OTHER, ID)),
        ([((ID, ("account", "acme")), (ID,)), ((OTHER,), ())], (ID, OTHER)),
    ],
    ids=["certain", "near", "certain elsewhere", "two near", "near, and another elsewhere"],
)
def test_the_parts_that_it_may_belong_to(readings: list[tuple[Facts, Facts]], near: Facts) -> None:
    """None where a place says for sure that the one among its facts is its own; otherwise that one, and all others."""
    for order in permutations(readings):
        ledger = Ledger(DETECTORS)
        for number, (facts, its) in enumerate(order):
            sighting = Sighting(
                "aws-secret-access-key", (), Secret(b"value"), Span(0, 1), facts, Excerpt(b"", 0, 0), its
            )
            ledger.add(File(b"%d" % number), sighting)
        (finding,) = ledger.findings(as_given)
        assert finding.near == near
