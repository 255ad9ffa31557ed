"""Ordinary text that is on every machine: Python's own library, this repository, and examples of every detector.

The same Python and the same repository give the same text. The examples are filled with fresh secrets: a detector
must find something, or it would cost nothing.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from oakum.detectors import samples
from oakum.scanner.model import Detector

ROOT = Path(__file__).parents[1]
MOST = 20 << 20
"""Bytes of Python's library that are taken: some ship its tests, some do not, and they come last."""
OURS = ("scanner", "detectors", "allowlists", "tests", "docs", "benchmarks")


def corpus(detectors: Iterable[Detector]) -> list[bytes]:
    """The text, file by file."""
    return [*library(), *ours(), *planted(detectors)]


def library() -> Iterator[bytes]:
    """Python's own modules, sorted by path, tests last."""
    top = Path(sysconfig.get_path("stdlib"))
    found = [p for p in top.rglob("*.py") if not {"site-packages", "dist-packages"} & set(p.parts)]
    left = MOST
    for path in sorted(found, key=lambda p: (bool({"test", "tests"} & set(p.parts)), p.relative_to(top).as_posix())):
        content = path.read_bytes()
        left -= len(content)
        if left < 0:
            return
        yield content


def ours() -> Iterator[bytes]:
    """This repository's own files."""
    for part in OURS:
        for path in sorted((ROOT / part).rglob("*")):
            if path.suffix in (".py", ".toml", ".md") and ".work" not in path.parts:
                yield path.read_bytes()


def planted(detectors: Iterable[Detector]) -> Iterator[bytes]:
    """A file for each detector: its examples with fresh secrets, and its counterexamples."""
    for detector in detectors:
        rng = Random(detector.id)
        lines = [samples.fill(example, secret(detector, rng), rng) for example in detector.examples]
        lines += [line.encode() for line in detector.counterexamples]
        yield b"\n".join([*lines, b""])


def secret(detector: Detector, rng: Random) -> bytes:
    """A fresh secret of a detector."""
    if detector.sample:
        return samples.build(detector.sample, rng)
    return samples.from_pattern(detector.pattern.pattern.decode("ascii"), rng)
