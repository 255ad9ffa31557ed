"""Generated blobs: fresh secrets of random detectors in their examples, among text of other kinds."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.model import Detector, Match, Piece

DETECTORS = catalog.load()
NARROW = [d for d in DETECTORS if d.width + d.behind + d.ahead <= 4096]
WIDEST = max(d.width + d.behind + d.ahead for d in DETECTORS)
ENGINE = Engine(DETECTORS, AhoCorasick(DETECTORS))
WORDS = (
    b"if (x == NULL)\n",
    b"\n",
    b"\r\n",
    b"    return token;\n",
    b" ",
    b"\x00\xff",
    "ключ = ".encode(),
    b"password: ",
    b"=",
)


def draw(detector: Detector, rng: Random) -> bytes:
    """A fresh secret of a detector."""
    return samples.draw(detector.sample, detector.regex, rng)


@st.composite
def blobs(draw_from: st.DrawFn, *, most: int = 4) -> bytes:
    """A blob of up to `most` samples of narrow detectors, joined by text that delimits them well, badly, or not."""
    rng = Random(draw_from(st.integers(0, 2**32)))
    out = bytearray()
    for _ in range(draw_from(st.integers(0, most))):
        detector = rng.choice(NARROW)
        out += b"".join(rng.choice(WORDS) for _ in range(rng.randrange(4)))
        out += samples.fill(rng.choice(detector.examples), draw(detector, rng), rng)
        if rng.random() < 0.2:
            del out[rng.randrange(len(out)) :]
    return bytes(out + b"".join(rng.choice(WORDS) for _ in range(rng.randrange(4))))


def whole(content: bytes) -> list[Match]:
    """The matches of a blob that is searched in one piece."""
    return ENGINE.search([Piece(content)]).matches


def told(matches: list[Match]) -> list[tuple[object, ...]]:
    """What must not depend on how a blob was cut."""
    return [(m.detector, m.also, m.span, m.secret.reveal(), m.facts, m.near) for m in matches]
