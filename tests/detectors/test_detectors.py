"""Every detector finds fresh samples of itself in its own examples, and nothing in its counterexamples."""

from __future__ import annotations

from random import Random

import pytest
from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.model import Detector, Match, Piece

DETECTORS = catalog.load()
ENGINE = Engine(DETECTORS, AhoCorasick(DETECTORS))
BY_ID = {d.id: d for d in DETECTORS}
ROUNDS = 20


def draw(detector: Detector, rng: Random) -> bytes:
    """A fresh secret of a detector."""
    return samples.draw(detector.sample, detector.regex, rng)


def search(content: bytes) -> list[Match]:
    """The matches of a small blob."""
    return ENGINE.search([Piece(content)]).matches


@pytest.mark.parametrize("detector", [d for d in DETECTORS if not d.part_only], ids=lambda d: d.id)
def test_a_detector_finds_fresh_samples_of_itself_in_each_of_its_examples(detector: Detector) -> None:
    """Alone, and in the middle of other text."""
    for number, example in enumerate(detector.examples):
        for seed in range(ROUNDS):
            rng = Random(f"{detector.id} {number} {seed}")
            secret = draw(detector, rng)
            content = samples.fill(example, secret, rng)
            for text in (content, b"line one\n" + content + b"\nlast line\n"):
                found = [m for m in search(text) if m.detector == detector.id and m.secret.reveal() == secret]
                assert len(found) == 1, (example, secret, text, [(m.detector, m.secret.reveal()) for m in search(text)])


@pytest.mark.parametrize("detector", [d for d in DETECTORS if d.counterexamples], ids=lambda d: d.id)
def test_a_detector_is_silent_on_its_counterexamples(detector: Detector) -> None:
    """Near misses that its author thought of."""
    for example in detector.counterexamples:
        content = samples.fill(example, b"", Random(1))
        assert [m.secret.reveal() for m in search(content) if m.detector == detector.id] == []
