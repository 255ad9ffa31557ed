"""How far a scan is from the least that any scan of whole histories must do: its processor time over that of the limit.

    python -m benchmarks.limit --dir BENCH_DIR [--runs 5] [NAME …]

The limit is the processor time, in one process, of two things. First, inflating and applying every blob entry of a
repository's packs once, with oakum's own compiled reader and nothing looked at. Second, running the vectorised matcher
over the lines that the packs brought: each distinct line of any blob once, joined by newlines in buffers of 1 MiB.
Opening packs, gathering the lines and loading the matcher are not counted. Against that stands a complete first scan
as a user runs it, with two workers, attribution and report, and only the matcher's database in its cache. All three
are taken in turn, round by round, after a round that is not counted; the figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile

from oakum.scanner import catalog
from oakum.scanner.cache import Cache
from oakum.scanner.engine import vectorised
from oakum.scanner.sources.git import open_repository
from oakum.scanner.sources.objects import ObjectUnit, Store
from oakum.scanner.sources.packs import PackUnit, open_packs

from .bench import Target, say, targets
from .figures import ratios
from .git import ENVIRONMENT, GitError, command, lines
from .measure import Run, run
from .tools import TOOLS, binary, environment
from .void import VoidError, ended

BUFFER = 1 << 20
"""Bytes that the matcher is given at once, about."""
LARGEST = 64 << 20
"""Bytes of a blob that are read: oakum's own --max-size, unless told otherwise."""
OAKUM = TOOLS[0]


@dataclass(slots=True)
class Blind:
    """A matcher that sees nothing: what a walk through packs needs to know of one."""

    reach: int = 1
    before: array[int] = field(default_factory=lambda: array("I", [0]))
    behind: array[int] = field(default_factory=lambda: array("I", [0]))
    known: dict[bytes, int] = field(default_factory=dict)

    def hints(self, _buffer: bytes) -> Iterable[tuple[int, int]]:
        """None."""
        return ()


def inflate(units: Iterable[PackUnit]) -> None:
    """Inflate and apply every blob entry of some units; raise VoidError for what oakum's reader leaves to git."""
    for unit in units:
        for read in unit.walk(Blind()):
            if isinstance(read, ObjectUnit):
                raise VoidError("a part of its packs cannot be read by oakum's reader")


@dataclass(slots=True)
class Lines:
    """Distinct lines of all blobs, in buffers. A line is known again by its 64-bit hash."""

    buffers: list[bytes] = field(default_factory=list)
    count: int = 0
    size: int = 0

    def gather(self, repository: Path) -> None:
        """The lines of a repository's blobs."""
        seen: set[int] = set()
        waiting: list[bytes] = []
        length = 0
        before: set[bytes] = set()
        for content in blobs(repository):
            here = set(content.split(b"\n"))
            for line in here - before:  # neighbours in a pack are mostly versions of one file
                name = hash(line)
                if name not in seen:
                    seen.add(name)
                    waiting.append(line)
                    length += len(line) + 1
            before = here
            if length >= BUFFER:
                self._take(waiting)
                waiting, length = [], 0
        self._take(waiting)

    def _take(self, new: list[bytes]) -> None:
        self.count += len(new)
        buffer = b"\n".join(new)
        self.size += len(buffer)
        self.buffers += (buffer[at : at + BUFFER] for at in range(0, len(buffer), BUFFER))


def blobs(repository: Path) -> Iterator[bytes]:
    """The blobs of a repository that are not too large, in the order of its packs."""
    form = "--batch-check=%(objecttype) %(objectsize) %(objectname)"
    names = (row.split() for row in lines(repository, "cat-file", "--batch-all-objects", "--unordered", form))
    wanted = b"".join(name + b"\n" for kind, size, name in names if kind == b"blob" and int(size) <= LARGEST)
    with TemporaryFile() as questions:
        questions.write(wanted)
        questions.seek(0)
        words = command(repository, "cat-file", "--batch", "--buffer")
        with subprocess.Popen(words, env=ENVIRONMENT, stdin=questions, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for head in process.stdout:
                yield process.stdout.read(int(head.split()[2]))
                process.stdout.read(1)
    if process.returncode:
        raise GitError(f"git cat-file in {repository} ended with {process.returncode}")


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor time, the system's included."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


@dataclass(slots=True)
class Rounds:
    """Seconds of processor time in each round."""

    inflating: list[float] = field(default_factory=list)
    matching: list[float] = field(default_factory=list)
    scan: list[float] = field(default_factory=list)

    def row(self, name: str, gathered: Lines) -> str:
        """As a line of a table in Markdown."""
        limits = [a + b for a, b in zip(self.inflating, self.matching, strict=True)]
        ratio = ratios(self.scan, limits)
        times = " | ".join(f"{median(t):.2f}" for t in (self.inflating, self.matching, limits, self.scan))
        text = f"{gathered.count / 1e6:.2f} | {gathered.size / 1e6:.0f}"
        return f"| {name} | {text} | {times} | {ratio.text() if ratio else ''} |"


HEAD = """\
| repository | lines, millions | MB | inflate, s | match, s | limit, s | scan, s | scan / limit |
|---|--:|--:|--:|--:|--:|--:|--|"""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bench folder, a cache folder that has the matcher's database, a place for copies of it, and the matcher."""

    bench: Path
    warm: Path
    matcher: vectorised.Vectorised
    extra: tuple[str, ...] = ()

    @classmethod
    def prepared(cls, bench: Path, warm: Path, small: Path, extra: tuple[str, ...]) -> Limits:
        """With the cache that a scan of one small file leaves."""
        made = cls(bench, warm, vectorised.load(catalog.load(), Cache()), extra)
        made._run(("scan", "--engine", "vector", "--", str(small)), warm, warm.with_name("warm.out"))
        return made

    def rounds(self, target: Target, runs: int) -> tuple[Rounds, Lines]:
        """Measure one repository; raise VoidError where a part of it could not be read."""
        repository = open_repository(os.fsencode(target.path), environment(OAKUM, self.bench))
        assert repository is not None
        store, why = open_packs(repository, max_size=LARGEST)
        if store is None:
            raise VoidError(why)
        listed = store.list_units(Store(repository.id_length))
        units = [unit for unit in listed if isinstance(unit, PackUnit) and unit.kind == "blob"]
        gathered, rounds = Lines(), Rounds()
        say(f"{target.name}: gathering lines")
        gathered.gather(target.path)
        for turn in range(runs + 1):
            inflating = spent(lambda: inflate(units))
            matching = spent(lambda: self.match(gathered.buffers))
            scan = self.scan(target).cpu
            told = f"inflate {inflating:.2f} s, match {matching:.2f} s, scan {scan:.2f} s"
            say(f"{target.name}: {turn or 'warm-up'}: {told}: {scan / (inflating + matching):.2f}")
            if turn:
                rounds.inflating.append(inflating)
                rounds.matching.append(matching)
                rounds.scan.append(scan)
        store.close()
        return rounds, gathered

    def match(self, buffers: Iterable[bytes]) -> None:
        """Run the matcher over buffers."""
        for buffer in buffers:
            self.matcher.hints(buffer)

    def scan(self, target: Target) -> Run:
        """A complete scan that finds nothing in its cache but what every scan leaves there."""
        cache = self.warm.with_name("cache")
        shutil.copytree(self.warm, cache)
        output = self.warm.with_name("scan.out")
        report = output.with_suffix(".json")
        words = (report.name if w == "REPORT" else str(target.path) if w == "TARGET" else w for w in OAKUM.history)
        first, *others = words
        try:
            taken = self._run((first, "--jobs", "2", *self.extra, *others), cache, output)
            OAKUM.judge(report, taken.log, target.scope)
        finally:
            shutil.rmtree(cache)
        return taken

    def _run(self, words: Iterable[str], cache: Path, output: Path) -> Run:
        program = binary(OAKUM, self.bench)
        env = environment(OAKUM, self.bench) | {"XDG_CACHE_HOME": str(cache)}
        folder, limit = output.parent, OAKUM.limit
        taken = run([str(program), *words], env=env, folder=folder, limit=limit, sample=False, output=output)
        ended(taken, limit=limit, good=OAKUM.good)
        return taken


def main() -> int:
    """Measure, print the table; 2 where a run was void."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="NAME", help="only these repositories of the bench folder")
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    options.add_argument("--runs", type=int, default=5, help="rounds that are counted")
    options.add_argument(
        "--oakum-args", type=str.split, default=[], metavar="'…'", help="further options of oakum scan"
    )
    given = options.parse_args()
    bench = given.dir.resolve()
    code, rows = 0, []
    chosen = list(targets(bench, ["history"], given.names))
    if not chosen:
        options.error(f"no such repositories in {bench}: make bench-repos FROM='/path/to/repository …'")
    with TemporaryDirectory() as folder:
        warm = Path(folder, "warm")
        limits = Limits.prepared(bench, warm, bench / "small" / "settings.py", tuple(given.oakum_args))
        for target in chosen:
            try:
                rounds, gathered = limits.rounds(target, given.runs)
            except VoidError as e:
                code = 2
                rows.append(f"| {target.name} | void: {e} |" + " |" * 6)
                continue
            rows.append(rounds.row(target.name, gathered))
    print("\n".join([HEAD, *rows]))
    return code


if __name__ == "__main__":
    sys.exit(main())
