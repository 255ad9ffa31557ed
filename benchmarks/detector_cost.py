"""The detector linter: refuses a detector that costs too much on ordinary text, or too much more on twice as hostile.

    python -m benchmarks.detector_cost [--worst 10] [--detectors FILE] [ID…]

Cost: the processor time of a detector's confirm, at the hints of the matcher that scans use here (the vectorised one
where there is a wheel of it), must be at most 1 % of the time in which the same files are scanned. Growth: on text that
was made to hurt it, four times the text must not take more than eight times as long, and no byte more than a fixed
number of steps of `re`. Both are ratios of times taken next to each other, the least of several; a detector is refused
when it fails three times in a row.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from oakum.scanner import catalog
from oakum.scanner.cache import Cache
from oakum.scanner.engine import vectorised
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.engine.confirm import Window, anywhere, confirm
from oakum.scanner.engine.reading import by_index
from oakum.scanner.model import Detector

from . import hostile_text, ordinary_text

SHARE = 0.01
GROWTH = 8.0
STEPS = 5000
"""Steps of `re` for each byte of hostile text; a step is one round of a repeat of a class, about 2 ns."""
SIZES = (2 << 10, 8 << 10, 32 << 10)
WORST = 2
"""Of the texts made for a detector, those that are tried at more than the first size."""
NOTICED = 0.005
"""Seconds below which a time says nothing about growth."""
TRIES = 3

Hits = list[tuple[bytes, Sequence[int]]]


def least(work: Callable[[], object], repeats: int = 3) -> float:
    """The least processor time of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def confirm_all(detector: Detector, hits: Hits, window: Window) -> None:
    """What the engine does with a detector's hints."""
    for buffer, offsets in hits:
        for _ in confirm(detector, buffer, offsets, window, first=True, last=True):
            pass


# --- cost -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cost:
    """A detector's share of the time that a corpus takes, and what it has to look at."""

    detector: Detector
    share: float
    hints: int


class Corpus:
    """Ordinary text with the hints of all detectors in it, and how long a scan of it takes."""

    def __init__(self, detectors: Sequence[Detector], buffers: Sequence[bytes]) -> None:
        self.detectors = detectors
        self.bytes = sum(map(len, buffers))
        self.hits: list[Hits] = [[] for _ in detectors]
        vector = vectorised.available()
        self.matcher = vectorised.load(detectors, Cache()) if vector else AhoCorasick(detectors)
        for buffer in buffers:
            for index, places in by_index(self.matcher.hints(buffer)).items():
                if index < len(detectors):  # behind them stand the triggers of views
                    self.hits[index].append((buffer, places))
        self.times = [self.time(index) for index in range(len(detectors))]
        self.total = scan_time(buffers)

    def time(self, index: int) -> float:
        """Seconds that a detector's confirm takes."""
        return least(lambda: confirm_all(self.detectors[index], self.hits[index], self.matcher.windows[index]))

    def costs(self) -> list[Cost]:
        """Of each detector, greatest share first; those that seem to cost too much are measured again."""
        for _ in range(TRIES - 1):
            for index, taken in enumerate(self.times):
                if taken > SHARE * self.total:
                    self.times[index] = min(taken, self.time(index))
        found = [
            Cost(detector, taken / self.total, sum(len(offsets) for _, offsets in hits))
            for detector, taken, hits in zip(self.detectors, self.times, self.hits, strict=True)
        ]
        return sorted(found, key=lambda cost: -cost.share)


def scan_time(buffers: Sequence[bytes]) -> float:
    """Processor seconds that `oakum scan` of the text takes in one process, each buffer a file, with a warm cache."""
    command = [sys.executable, "-m", "oakum.scanner", "scan", "--jobs", "1", "--format", "jsonl"]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        for number, buffer in enumerate(buffers):
            Path(folder, f"{number}.txt").write_bytes(buffer)

        def run() -> float:
            before = os.times()
            subprocess.run(
                [*command, folder],
                env={**os.environ, "XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            after = os.times()
            return after.children_user + after.children_system - before.children_user - before.children_system

        return min(run() for _ in range(4))


# --- growth -----------------------------------------------------------------------------------------------------------


def step() -> float:
    """Seconds that one step of `re` takes on this machine."""
    rounds = 1_000_000
    pattern, text = re.compile(b"(?:[abc]){%d}" % rounds), b"c" * rounds
    return least(lambda: pattern.match(text)) / rounds


@dataclass(frozen=True, slots=True)
class Hostility:
    """What a detector does on text made for it: the most steps that a byte took, and why it is refused, if it is."""

    detector: Detector
    steps: float
    why: str = ""


class Growth:
    """Measures detectors on hostile text of growing size."""

    def __init__(self, one_step: float) -> None:
        self.one_step = one_step

    def of(self, detector: Detector) -> Hostility:
        """Every text at the first size, and those that took longest at the others."""
        matcher = AhoCorasick([detector])
        texts = enumerate(hostile_text.texts(detector, SIZES[0]))
        first = sorted(((self._seconds(detector, matcher, text), n) for n, text in texts), reverse=True)
        steps = first[0][0] / SIZES[0] / self.one_step
        for _, n in first[:WORST]:
            before = b""
            for size in SIZES:
                text = next(islice(hostile_text.texts(detector, size), n, None))
                taken, why = self._try(detector, matcher, before, text)
                steps = max(steps, taken)
                if why:
                    return Hostility(detector, steps, f"{why}, {size:,} bytes of {text[:60]!r}…")
                before = text
        return Hostility(detector, steps)

    def _try(self, detector: Detector, matcher: AhoCorasick, before: bytes, text: bytes) -> tuple[float, str]:
        """Steps a byte, and what is wrong three times in a row about a text, next to one a quarter as long."""
        least_steps, why = math.inf, ""
        for _ in range(TRIES):
            short = self._seconds(detector, matcher, before) if before else math.inf
            taken = self._seconds(detector, matcher, text)
            steps = taken / len(text) / self.one_step
            least_steps = min(least_steps, steps)
            if steps > STEPS:
                why = f"{steps:,.0f} steps a byte (at most {STEPS:,})"
            elif taken > NOTICED and taken > GROWTH * short:
                why = f"{taken / short:.1f} times as long for four times the text (at most {GROWTH:.0f})"
            else:
                return least_steps, ""
        return least_steps, why

    @staticmethod
    def _seconds(detector: Detector, matcher: AhoCorasick, text: bytes) -> float:
        hits = [(text, [offset for index, offset in matcher.hints(text) if index == 0])]
        return least(lambda: confirm_all(detector, hits, anywhere(detector)), 1)


# --- the command ------------------------------------------------------------------------------------------------------


def complaints(detectors: Sequence[Detector], chosen: Sequence[Detector], worst: int) -> Iterator[str]:
    """What is refused; prints the tables of the worst."""
    corpus = Corpus(detectors, ordinary_text.corpus())
    costs = [cost for cost in corpus.costs() if cost.detector in chosen]
    print(
        f"{corpus.bytes / 1e6:.1f} MB of ordinary text: a scan {corpus.total:.2f} s, of which all {len(detectors)} "
        f"detectors {sum(corpus.times):.2f} s"
    )
    for cost in costs[:worst]:
        print(f"  {cost.share:7.2%}  {cost.hints:8,} hints  {cost.detector.id}")
    for cost in costs:
        if cost.share > SHARE:
            yield (
                f"{cost.detector.id}: {cost.share:.1%} of the time of a scan of ordinary text (at most {SHARE:.0%}), "
                f"at {cost.hints:,} hints: choose rarer keywords, or let the pattern begin with what is rare"
            )
    measure = Growth(step())
    hostilities = sorted(map(measure.of, chosen), key=lambda found: -found.steps)
    print(f"hostile text, steps a byte (one takes {measure.one_step * 1e9:.1f} ns here):")
    for found in hostilities[:worst]:
        print(f"  {found.steps:7,.0f}  {found.detector.id}")
    for found in hostilities:
        if found.why:
            yield f"{found.detector.id}: {found.why}: bound its repeats closer"


def main() -> int:
    """Measure; 1 when a detector is refused."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worst", type=int, default=10, help="how many detectors to show")
    options.add_argument("--detectors", action="append", default=[], metavar="FILE", help="detectors of your own")
    options.add_argument("ids", nargs="*", metavar="ID", help="only these detectors")
    given = options.parse_args()
    detectors = catalog.load(given.detectors)
    unknown = set(given.ids) - {d.id for d in detectors}
    if unknown:
        options.error(f"no detector has this id: {', '.join(sorted(unknown))}")
    chosen = [d for d in detectors if not given.ids or d.id in given.ids]
    refused = list(complaints(detectors, chosen, given.worst))
    for complaint in refused:
        print(f"refused: {complaint}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
