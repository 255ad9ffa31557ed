"""The detector linter refuses what costs too much, names it, and leaves the rest alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from oakum.scanner import catalog
from oakum.scanner.model import Detector

from benchmarks import detector_cost, hostile_text, ordinary_text
from benchmarks.detector_cost import Corpus, Growth, step

LINES = b"".join(b"    self.value_%d = compute(self, %d)  # and so on\n" % (n, n) for n in range(20_000))


def detector(name: str, pattern: bytes, keyword: bytes, width: int) -> Detector:
    """A detector as the catalog would make it, without its refusals."""
    return Detector(name, name, "acme", "token", "low", pattern.decode(), (keyword,), width, examples=("= {secret}",))


RARE = detector("rare", rb"compute_never_(?P<secret>[a-z]{20})", b"compute_never_", 34)
COMMON = detector("common", rb"(?P<secret>[a-z_]{1,16}) = compute\(self, 1\d{9}", b"self", 60)
QUADRATIC = detector("quadratic", rb"key[a-z]{0,60000}(?P<secret>!)", b"key", 60_004)


@pytest.mark.long
def test_a_detector_that_looks_at_every_line_costs_more_than_its_share() -> None:
    costs = Corpus([COMMON, RARE], [LINES]).costs()
    assert [cost.detector.id for cost in costs] == ["common", "rare"]
    assert costs[0].share > 5 * detector_cost.SHARE
    assert costs[0].hints == 2 * LINES.count(b"\n")
    assert (costs[1].share, costs[1].hints) == (pytest.approx(0, abs=detector_cost.SHARE), 0)


def test_a_pattern_that_searches_its_text_from_every_place_is_refused() -> None:
    """Its width bounds it, but far away."""
    found = Growth(step()).of(QUADRATIC)
    assert "times as long for four times the text" in found.why or "steps a byte" in found.why
    assert found.steps > 300


def test_a_sound_pattern_is_not_refused() -> None:
    found = Growth(step()).of(RARE)
    assert found.why == ""
    assert 0 < found.steps < detector_cost.STEPS / 5


@pytest.mark.long
def test_complaints_name_detector_and_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ordinary_text, "corpus", lambda: [LINES])
    told = list(detector_cost.complaints([COMMON, RARE, QUADRATIC], [COMMON, RARE], 10))
    assert [complaint.partition(":")[0] for complaint in told] == ["common"]
    assert re.match(r"common: \d+\.\d% of the time .* at 40,000 hints: choose rarer keywords", told[0])
    shown = capsys.readouterr().out
    assert re.search(r"^ +\d+\.\d\d%    40,000 hints  common$", shown, re.MULTILINE)
    assert "quadratic" not in shown


@pytest.mark.long
def test_ordinary_text_is_the_same_each_time() -> None:
    one, two = (ordinary_text.corpus() for _ in range(2))
    assert one == two
    assert 8e6 < sum(map(len, one)) < 40e6


def matched(found: Detector, size: int) -> Iterator[bool]:
    """Of each hostile text, whether it brings the detector to look."""
    return (any(word in text.lower() for word in found.keywords) for text in hostile_text.texts(found, size))


@pytest.mark.parametrize("found", catalog.load(), ids=lambda d: d.id)
def test_hostile_text_has_the_size_asked_for_and_mostly_brings_the_detector_to_look(found: Detector) -> None:
    assert {len(text) for text in hostile_text.texts(found, 1000)} == {1000}
    looks = list(matched(found, 1000))
    assert sum(looks) > len(looks) / 2


def test_what_the_repeats_of_a_pattern_take_is_repeated() -> None:
    runs = hostile_text.runs(detector("x", rb"key(?:[.][0-9]){0,9}[=]{1,7}(?P<secret>[Q]{20})", b"key", 60))
    assert re.fullmatch(rb"[.][0-9]", runs[0])
    assert runs[1:3] == [b"=", b"Q"]
