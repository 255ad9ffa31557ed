"""How the processor time of a scan grows with history: one text file of 5 MB, edited again and again.

    python -m benchmarks.growth --dir BENCH_DIR [--commits '1000 2500 5000 10000'] [--chart docs/growth.svg]

Each commit inserts or changes one line somewhere. The longest history is made once, with the deltas of `git
fast-import` itself (chains of 50, so that one version in 51 stands whole), and cut at each number of commits. A full
repack would leave fewer whole versions, and takes longer than all the rest. oakum and kingfisher then scan each
history, in turn. A tool that takes longer than `--limit` seconds of wall time is stopped, and not run on more commits.
Making 10,000 commits takes about seven minutes and 600 MB of disk; `--made FOLDER` keeps them for the next time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from . import made_up
from .bench import Bench, Target, say, told
from .chart import Series, line_chart
from .git import git
from .tools import TOOLS, binary
from .void import Scope, VoidError

SEED = 1
SIZE = 5_000_000
"""Bytes of the file in the first commit."""
COMPARED = ("oakum", "kingfisher")


def history(commits: Sequence[int], size: int = SIZE) -> Iterator[bytes]:
    """What `git fast-import` is told; a branch `at-N` stands at each of these numbers of commits."""
    random = Random(SEED)
    text = bytearray()
    while len(text) < size:
        text += made_up.line(random)
    for number in range(1, max(commits) + 1):
        if number > 1:
            start = text.rfind(b"\n", 0, random.randrange(len(text))) + 1
            end = start if random.random() < 0.5 else text.find(b"\n", start) + 1
            text[start:end] = made_up.line(random)
        yield made_up.commit("refs/heads/main", number, b"edit %d" % number) + b"M 100644 inline src/model.py\n"
        yield made_up.data(text)
        if number in commits:
            yield b"reset refs/heads/at-%d\nfrom refs/heads/main\n\n" % number


def make(folder: Path, commits: Sequence[int]) -> None:
    """A repository `N.git` for each number of commits, where it is not there yet."""
    left = [n for n in commits if not (folder / f"{n}.git").exists()]
    if not left:
        return
    source = folder / "all.git"
    if not source.exists():
        say(f"making {max(commits):,} commits")
        made_up.build(source, history(commits), depth=50)
    for number in left:
        made_up.cut(source, f"refs/heads/at-{number}", folder / f"{number}.git")


@dataclass(frozen=True, slots=True)
class Figure:
    """What a tool took on a history: seconds of processor time, or why there are none."""

    cpu: float = 0.0
    void: str = ""


def measure(bench: Bench, folder: Path, commits: Sequence[int]) -> dict[str, dict[int, Figure]]:
    """Of each tool on each history; every tool has one run before on the shortest, so that its own caches are warm."""
    figures: dict[str, dict[int, Figure]] = {tool.name: {} for tool in bench.tools}
    for turn, number in enumerate([commits[0], *commits]):
        target = Target("history", f"growth-{number}", folder / f"{number}.git", _scope(folder / f"{number}.git"))
        for tool in bench.tools:
            of_tool = figures[tool.name]
            if any(figure.void for figure in of_tool.values()):
                continue
            times = []
            try:
                for _ in range(bench.runs if turn else 1):
                    taken, _findings = bench.once(tool, target)
                    say(f"{number:,} commits: {tool.name}{'' if turn else ' warm-up'}: {told(taken)}")
                    times.append(taken.cpu)
            except VoidError as e:
                say(f"{number:,} commits: {tool.name}: void: {e}")
                of_tool[number] = Figure(void=str(e))
                continue
            if turn:
                of_tool[number] = Figure(median(times))
    return figures


def _scope(repository: Path) -> Scope:
    """Blobs, commits and bytes of blobs of a repository."""
    sizes: dict[str, list[int]] = {"blob": [], "commit": [], "tree": []}
    form = "--batch-check=%(objecttype) %(objectsize)"
    for row in git(repository, "cat-file", "--batch-all-objects", form).decode().splitlines():
        kind, size = row.split()
        sizes[kind].append(int(size))
    return Scope(blobs=len(sizes["blob"]), commits=len(sizes["commit"]), bytes=sum(sizes["blob"]))


def table(figures: dict[str, dict[int, Figure]], commits: Sequence[int]) -> str:
    """The figures as Markdown."""
    names = list(figures)
    others = [name for name in names if name != "oakum"]
    heads = ["commits", *(f"{name} CPU s" for name in names), *(f"oakum / {name}" for name in others)]
    lines = ["| " + " | ".join(heads) + " |", "|" + "--:|" * len(heads)]
    for number in commits:
        found = {name: figures[name].get(number, Figure(void="not run")) for name in names}
        cells = [f"{number:,}", *(f.void or f"{f.cpu:.1f}" for f in found.values())]
        ours = found.get("oakum", Figure(void="not run"))
        cells += ["" if ours.void or found[n].void else f"{ours.cpu / found[n].cpu:.3f}" for n in others]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Make, measure, print the table, draw the chart."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder, where the peers are")
    options.add_argument("--commits", type=str.split, default=["1000", "2500", "5000", "10000"], metavar="'N …'")
    options.add_argument("--runs", type=int, default=1, help="measured runs of each tool on each history")
    options.add_argument("--limit", type=float, default=600, help="seconds of wall time that a run may take")
    options.add_argument("--made", type=Path, help="where the repositories are kept, if not in a temporary folder")
    options.add_argument("--chart", type=Path, help="an SVG file to draw the figures into")
    options.add_argument("--only-make", action="store_true", help="make the repositories, and measure nothing")
    given = options.parse_args()
    commits = sorted(map(int, given.commits))
    folder = given.dir.resolve()
    tools = {replace(t, limit=given.limit): path for t in TOOLS if t.name in COMPARED and (path := binary(t, folder))}
    with TemporaryDirectory() as temporary:
        made = given.made or Path(temporary)
        make(made.resolve(), commits)
        if given.only_make:
            return 0
        figures = measure(Bench(folder, tools, given.runs), made.resolve(), commits)
    print(table(figures, commits), end="")
    series = [
        Series(name, points)
        for name, of_tool in figures.items()
        if (points := [(n, f.cpu) for n, f in of_tool.items() if not f.void])
    ]
    if given.chart and series:
        title = "Scanning one 5 MB text file that was edited again and again"
        given.chart.write_text(line_chart(title, "commits", "processor time, seconds", series), "utf-8")
    return 2 if any(figure.void for figure in figures.get("oakum", {}).values()) else 0


if __name__ == "__main__":
    sys.exit(main())
