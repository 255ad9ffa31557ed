"""A push of new commits: oakum's pre-push hook, and what other scanners take for the same range of commits.

    python -m benchmarks.push --dir DIR [--runs 15] [--repo git] [--oakum PATH]

A clone whose remote is so many commits behind it, as its tracking ref says; nothing is sent. oakum is told by its
standard input, as git does it; betterleaks and gitleaks are given the range in `--log-opts`. Every tool has one run
that is not measured on each, then rounds of one run each. The wrapper that PyPI puts around a binary is measured as a
tool of its own: it is what `pip install` gives. An editable install of oakum starts 10 ms later than one from a wheel,
which `--oakum` names.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .figures import ratios
from .git import git
from .measure import Run, run
from .tables import insert
from .tools import TOOLS, Tool, binary, environment

MANY = 1000
FEW = 10
HEADS = ("commits", "tool", "wall s", "CPU s", "peak MiB", "wall: oakum / it")


@dataclass(frozen=True, slots=True)
class Range:
    """What is pushed: from the commit that the remote has to the one that is pushed."""

    clone: Path
    old: str
    new: str
    commits: int

    @property
    def told(self) -> bytes:
        """What git tells the hook."""
        return f"refs/heads/pushed {self.new} refs/heads/pushed {self.old}\n".encode()


def ranges(repository: Path, folder: Path) -> Iterator[Range]:
    """The last row of ten commits without a merge, and about a thousand commits: each in a clone of its own."""
    listed = [line.split() for line in git(repository, "rev-list", "--parents", "HEAD").decode().splitlines()]
    parents = {names[0]: names[1:] for names in listed}
    for name in parents:
        row = [name]
        while len(row) <= FEW and len(parents.get(row[-1], ())) == 1:
            row += parents[row[-1]]
        if len(row) > FEW:
            yield _range(repository, folder / f"{repository.stem}-{FEW}.git", row[-1], row[0])
            break
    yield _range(repository, folder / f"{repository.stem}-{MANY}.git", listed[MANY][0], listed[0][0])


def _range(repository: Path, clone: Path, old: str, new: str) -> Range:
    if not clone.exists():
        git(repository, "clone", "--quiet", "--bare", "--no-local", f"file://{repository}", str(clone))
        git(clone, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        names = git(clone, "for-each-ref", "--format=delete %(refname)")
        git(clone, "update-ref", "--stdin", stdin=names)
    git(clone, "update-ref", "refs/remotes/origin/pushed", old)
    git(clone, "update-ref", "refs/heads/pushed", new)
    git(clone, "symbolic-ref", "HEAD", "refs/heads/pushed")
    commits = int(git(clone, "rev-list", "--count", new, f"^{old}"))
    return Range(clone, old, new, commits)


def commands(bench: Path, pushed: Range, oakum: Path | None) -> Iterator[tuple[str, Tool, list[str]]]:
    """The name, the tool and the command line of each that is there."""
    options = ("git", f"--log-opts={pushed.old}..{pushed.new}", "--no-banner", "--no-color")
    for tool in TOOLS:
        path = oakum if oakum and tool.name == "oakum" else binary(tool, bench)
        if tool.name == "oakum" and path:
            yield "oakum push", tool, [str(path), "push", "origin", str(pushed.clone)]
        elif tool.name in ("betterleaks", "gitleaks") and path:
            yield f"{tool.name} git", tool, [str(path), *options, str(pushed.clone)]
            wrapper = bench / "peers" / tool.package / "bin" / tool.name
            if wrapper != path:
                yield f"{tool.name} git (PyPI's command)", tool, [str(wrapper), *options, str(pushed.clone)]


def rows(bench: Path, pushed: Range, runs: int, oakum: Path | None) -> Iterator[list[str]]:
    """A row of the table for each tool."""
    (bench / "runs").mkdir(exist_ok=True)
    told = bench / "runs" / "told"
    told.write_bytes(pushed.told)
    chosen = list(commands(bench, pushed, oakum))
    taken: dict[str, list[Run]] = {name: [] for name, _, _ in chosen}
    for turn in range(runs + 1):
        for name, tool, words in chosen:
            output = bench / "runs" / f"push-{tool.name}.out"
            one = run(
                words,
                env=environment(tool, bench),
                folder=pushed.clone,
                limit=600,
                sample=pushed.commits > FEW,
                output=output,
                given=told,
            )
            if one.exit not in (0, 1) or one.late or (name == "oakum push" and "nothing found in" not in one.log):
                raise SystemExit(f"{name}: void: exit {one.exit}: {one.log}")
            if turn:
                taken[name].append(one)
    ours = taken["oakum push"]
    for name, its in taken.items():
        found = ratios([r.wall for r in ours], [r.wall for r in its]) if name != "oakum push" else None
        peak = median(r.peak for r in its) / 1024
        yield [
            f"{pushed.commits:,}",
            name,
            f"{median(r.wall for r in its):.3f}",
            f"{median(r.cpu for r in its):.3f}",
            f"{peak:.0f}" if peak else "",
            found.text() if found else "",
        ]


def main() -> int:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    options.add_argument("--runs", type=int, default=15)
    options.add_argument("--repo", default="git", help="whose commits are pushed")
    options.add_argument("--oakum", type=Path, help="another oakum than that of this environment")
    options.add_argument("--docs", type=Path, help="a page to write the table into")
    given = options.parse_args()
    bench = given.dir.resolve()
    (bench / "push").mkdir(exist_ok=True)
    lines = ["| " + " | ".join(HEADS) + " |", "|--:|---|" + "--:|" * 3 + "--|"]
    for pushed in ranges(bench / "repos" / f"{given.repo}.git", bench / "push"):
        lines += (f"| {' | '.join(row)} |" for row in rows(bench, pushed, given.runs, given.oakum))
    page = "\n".join(lines) + "\n"
    print(page)
    if given.docs:
        insert(given.docs, page, "bench push")
    return 0


if __name__ == "__main__":
    sys.exit(main())
