"""Runs oakum and its peers in turn on the same targets, and says what each run took.

    python -m benchmarks.bench --dir DIR [--runs 5] [--only history|again|tree|small|cold]
        [--repos NAME,…] [--tools NAME,…]

Every tool has one run on each target that is not measured, so that its caches and the system's are warm; then rounds of
one run each. `cold` empties a tool's own caches before each run. In `history` each of oakum's scans is a first one:
what it keeps of a repository is deleted before it; in `again`, which is oakum's alone, nothing has changed since. A
void run ends that tool's turn on that target.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import machine, tables
from .measure import Run, run
from .tools import TOOLS, Tool, binary, environment, forget, forget_matches
from .void import Scope, VoidError, ended

GROUPS = ("history", "again", "tree", "small", "cold")
SMALL = 'import os\n\nDEBUG = False\nNAME = os.environ.get("NAME", "example")\n' * 20


@dataclass(frozen=True, slots=True)
class Target:
    """What is scanned: a repository's history, or a folder or file."""

    group: str
    name: str
    path: Path
    scope: Scope

    @property
    def kind(self) -> str:
        """How a tool is called for it."""
        return "history" if self.path.suffix == ".git" else "tree"


@dataclass(slots=True)
class Result:
    """The measured runs of one tool on one target, or why there are none."""

    group: str
    target: str
    tool: str
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    findings: int = 0
    void: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """The bench folder, the tools that are there, and how often each is run."""

    folder: Path
    tools: dict[Tool, Path]
    runs: int
    extra: tuple[str, ...] = ()

    def results(self, target: Target) -> list[Result]:
        """A warm-up of each tool, then rounds of one run each."""
        tools = [t for t in self.tools if t.arguments(target.kind) and (target.group != "again" or not t.package)]
        results = {t: Result(target.group, target.name, t.name) for t in tools}
        for turn in range(self.runs + 1):
            for tool, result in results.items():
                if result.void:
                    continue
                if target.group == "cold":
                    forget(tool, self.folder)
                elif target.group == "history":
                    forget_matches(self.folder)
                try:
                    taken, result.findings = self.once(tool, target)
                except VoidError as e:
                    result.void, result.cpu, result.wall, result.peak = str(e), [], [], []
                    say(f"{target.name}: {tool.name}: void: {e}")
                    continue
                say(f"{target.name}: {tool.name} {turn or 'warm-up'}: {told(taken)}, {result.findings} findings")
                if turn:
                    result.cpu.append(taken.cpu)
                    result.wall.append(taken.wall)
                    result.peak.append(taken.peak)
        return list(results.values())

    def once(self, tool: Tool, target: Target) -> tuple[Run, int]:
        """One run and the number of its findings; raise VoidError for one that did not do its work."""
        folder = self.folder / "runs"
        folder.mkdir(exist_ok=True)
        output = folder / f"{tool.name}-{target.group}-{target.name}.out"
        report = output.with_suffix(".json")
        report.unlink(missing_ok=True)
        words = tool.arguments(target.kind)
        if tool.name == "oakum":
            words = (words[0], *self.extra, *words[1:])
        place = target.path if target.path.is_dir() else target.path.parent
        stands_for = {"TARGET": str(target.path), "REPORT": str(report)}
        if tool.inside:
            stands_for["TARGET"] = str(target.path.relative_to(place))
        taken = run(
            [str(self.tools[tool]), *(stands_for.get(word, word) for word in words)],
            env=environment(tool, self.folder),
            folder=place if tool.inside else folder,
            limit=tool.limit,
            sample=target.group in ("history", "again", "tree"),
            output=output,
        )
        ended(taken, limit=tool.limit, good=tool.good)
        return taken, tool.judge(report if "REPORT" in words else output, taken.log, target.scope)


def told(taken: Run) -> str:
    """A run in words."""
    return f"CPU {taken.cpu:.2f} s, wall {taken.wall:.2f} s, peak {taken.peak / 1024:.0f} MiB"


def say(text: str) -> None:
    """Tell how far it is: the output is the tables."""
    print(f"  {text}", file=sys.stderr, flush=True)


def targets(bench: Path, groups: list[str], repos: list[str]) -> Iterator[Target]:
    """What is in the bench folder, smallest repository first."""
    copies = []
    for facts in sorted((bench / "repos").glob("*.json")):
        found = json.loads(facts.read_text())
        scope = Scope(blobs=found["blobs"], commits=found["commits"], bytes=found["bytes"])
        if not repos or facts.stem in repos:
            copies.append(Target("history", facts.stem, facts.with_suffix(".git"), scope))
    copies.sort(key=lambda target: target.scope.bytes)
    small = bench / "small" / "settings.py"
    small.parent.mkdir(parents=True, exist_ok=True)
    small.write_text(SMALL)
    if "history" in groups:
        yield from copies
    if "again" in groups:
        yield from (Target("again", t.name, t.path, t.scope) for t in copies)
    if "tree" in groups and (bench / "tree.json").exists():
        found = json.loads((bench / "tree.json").read_text())
        yield Target("tree", "tree", bench / "tree", Scope(files=found["files"], bytes=found["bytes"]))
    for group in ("small", "cold"):
        if group in groups:
            yield Target(group, "one small file", small, Scope(files=1, bytes=len(SMALL)))
    if "cold" in groups:
        yield from (Target("cold", t.name, t.path, t.scope) for t in copies[:1])


def main() -> int:
    """Measure, print the tables, write them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = {"type": str.split, "default": [], "metavar": "'NAME …'"}
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    options.add_argument("--peers", type=Path, help="where the peers are installed, if not in the bench folder")
    options.add_argument("--runs", type=int, default=5, help="measured runs of each tool on each target")
    options.add_argument("--only", choices=GROUPS, action="append", help="only this kind of target; may be repeated")
    options.add_argument("--repos", help="only these repositories", **words)
    options.add_argument("--tools", help="only these tools, and oakum", **words)
    options.add_argument("--oakum-args", help="further options of oakum scan", **words)
    options.add_argument("--docs", type=Path, help="a page to write the tables into, after a run of everything")
    given = options.parse_args()
    folder = given.dir.resolve()
    wanted = [t for t in TOOLS if not given.tools or t.name in ("oakum", *given.tools)]
    installed = {t: path for t in wanted if (path := binary(t, folder, given.peers and given.peers.resolve()))}
    for tool in wanted:
        if tool not in installed:
            print(f"{tool.name} is not installed: it is left out (make bench-peers)", file=sys.stderr)
    bench = Bench(folder, installed, given.runs, tuple(given.oakum_args))
    chosen = list(targets(folder, given.only or list(GROUPS), given.repos))
    if not any(t.group in ("history", "tree") for t in chosen) and not given.only:
        options.error(f"nothing to scan in {folder}: make bench-repos FROM='/path/to/repository …'")
    begun = time.strftime("%Y-%m-%d")
    results = [asdict(result) for target in chosen for result in bench.results(target)]
    about = machine.about() | {"date": begun, "runs": given.runs, "tools": machine.versions(installed, folder)}
    about["targets"] = {t.name: {k: v for k, v in asdict(t.scope).items() if v} for t in chosen}
    (folder / "results.json").write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")
    page = tables.page(about, results)
    (folder / "results.md").write_text(page)
    print(page)
    if given.docs and not (given.only or given.repos or given.tools):
        tables.insert(given.docs, page)
    return 2 if any(r["void"] and r["tool"] == "oakum" for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
