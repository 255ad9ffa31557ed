"""Peak memory of a scan of a repository with very many small objects, and how many bytes of it each object takes.

    python -m benchmarks.many_objects --dir BENCH_DIR [--objects 2000000] [--files 1] [--made FOLDER]

Each commit changes some small files (`--files`) in one of 64 folders: it brings a commit, two trees and these blobs.
With one file a quarter of the objects are blobs, with sixty nearly all; hardly any blob is a delta. `git fast-import`
makes two such repositories, one with a tenth of the objects; the difference of the peaks over that of the objects is
what an object takes. Peaks are sums of PSS without file-backed pages, of oakum with two workers and of the git
processes that it runs. Making two million objects takes about a minute and 230 MB of disk.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from . import made_up
from .bench import Bench, Target, say, told
from .git import git
from .tools import TOOLS, binary
from .void import Scope

SEED = 1
FOLDERS = 64
FILES = 64
"""In each folder."""
BESIDES = 3
"""Objects that a commit brings besides blobs."""
FEWER = 10


def history(commits: int, files: int) -> Iterator[bytes]:
    """What `git fast-import` is told."""
    random = Random(SEED)
    for number in range(1, commits + 1):
        part = random.randrange(FOLDERS)
        yield made_up.commit("refs/heads/main", number, b"edit %d" % number)
        for file in random.sample(range(FILES), files):
            yield b"M 100644 inline part%02d/file%02d.py\n" % (part, file)
            yield made_up.data(b"# %d %d\n" % (number, file) + made_up.line(random))
        yield b"\n"


def make(folder: Path, objects: int, files: int) -> Path:
    """A repository of about so many objects, where it is not there yet."""
    target = folder / f"{objects}-{files}.git"
    if not target.exists():
        say(f"making {objects:,} objects")
        made_up.build(target, history(objects // (files + BESIDES), files), depth=50)
    return target


def count(repository: Path) -> int:
    """Objects in the packs of a repository."""
    found = dict(row.split(b": ") for row in git(repository, "count-objects", "-v").splitlines())
    return int(found[b"in-pack"])


def peak(bench: Bench, repository: Path, objects: int) -> float:
    """Peak in KiB, the median of the runs."""
    (tool,) = bench.tools
    target = Target("history", f"objects-{objects}", repository, Scope())
    peaks = []
    for _ in range(bench.runs):
        taken, _findings = bench.once(tool, target)
        say(f"{objects:,} objects: {told(taken)}")
        peaks.append(taken.peak)
    return median(peaks)


def main() -> int:
    """Make both repositories, scan them, print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    options.add_argument("--objects", type=int, default=2_000_000)
    options.add_argument("--files", type=int, default=1, help=f"files that a commit changes, at most {FILES}")
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--limit", type=float, default=900, help="seconds of wall time that a run may take")
    options.add_argument("--made", type=Path, help="where the repositories are kept, if not in a temporary folder")
    given = options.parse_args()
    tool = next(replace(t, limit=given.limit) for t in TOOLS if t.name == "oakum")
    path = binary(tool, given.dir)
    assert path is not None
    bench = Bench(given.dir.resolve(), {tool: path}, given.runs, ("--jobs", "2"))
    with TemporaryDirectory() as temporary:
        made = (given.made or Path(temporary)).resolve()
        found = []
        for objects in (given.objects // FEWER, given.objects):
            repository = make(made, objects, given.files)
            found.append((count(repository), peak(bench, repository, objects)))
    (few, low), (many, high) = found
    each = (high - low) * 1024 / (many - few)
    print(f"{few:,} objects: {low / 1024:.0f} MiB; {many:,} objects: {high / 1024:.0f} MiB; {each:.0f} bytes an object")
    return 0


if __name__ == "__main__":
    sys.exit(main())
