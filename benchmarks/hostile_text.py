"""Text made to slow one detector down, from its pattern's parse tree, its keywords and its samples.

A keyword brings the detector to a place; behind it or before it stands what its repeats take, again and again, and
never what it is waiting for; or a sample that is wrong at its last byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from re import _parser as sre_parser

from oakum.detectors import samples
from oakum.scanner.catalog.patterns import REPEATS, children
from oakum.scanner.model import Detector

FEW = 6
COMMON = (b"a", b"A1", b" ", b"=", b'"', b"a.", b"a=b&", b"\n", b": ")
LENGTHS = (1, 60, 400)
"""Bytes of a stretch that stands beside a keyword."""
NEVER = b"\x00"


def texts(detector: Detector, size: int) -> Iterator[bytes]:
    """Texts of that many bytes."""
    for unit in dict.fromkeys(units(detector)):
        yield (unit * (size // len(unit) + 1))[:size]
    for word in detector.keywords[:FEW]:
        for run in runs(detector):
            yield (word + stretch(run, size))[: size - 1] + NEVER


def secret(detector: Detector, rng: Random) -> bytes:
    """A fresh secret of a detector."""
    return samples.draw(detector.sample, detector.regex, rng)


def units(detector: Detector) -> Iterator[bytes]:
    """What is repeated to make a text."""
    rng = Random(detector.id)
    heads = [text for example in detector.examples[:3] if (text := example.split("{")[0].encode())]
    filled = [samples.fill(example, secret(detector, rng), rng) for example in detector.examples[:3]]
    for head in heads:
        brought = any(word in head.lower() for word in detector.keywords)
        end = b"" if brought else detector.keywords[0]
        yield head + end
        yield from (head + stretch(run, length) + end for run in runs(detector) for length in LENGTHS)
    for word in detector.keywords[:FEW]:
        yield word
        for run in runs(detector):
            yield from (word + stretch(run, length) for length in LENGTHS)
            yield stretch(run, LENGTHS[-1]) + word
    for text in filled:
        wrong = text[:-1] + bytes([text[-1] ^ 1])
        for begin in (text, wrong, text[: len(text) // 2], text[:-2]):
            yield from (begin, begin + b"\n", begin + NEVER)


def stretch(run: bytes, length: int) -> bytes:
    """A run over and over, in whole."""
    return run * -(-length // len(run))


def runs(detector: Detector) -> list[bytes]:
    """What each repeat of the pattern takes once, and what is common."""
    rng = Random(detector.id)
    tree = sre_parser.parse(detector.pattern.pattern, detector.pattern.flags)
    found = [bytes(samples._draw(body, rng)) for body in _bodies(list(tree))]
    return list(dict.fromkeys([run for run in found if run] + list(COMMON)))


def _bodies(items: list[tuple[object, object]]) -> Iterator[object]:
    for op, av in items:
        if op in REPEATS and av[1] > FEW:
            yield av[2]
        for child in children((op, av)):
            yield from _bodies(child)
