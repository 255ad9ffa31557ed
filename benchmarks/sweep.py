"""Sweeps of a made-up organization on a git server on loopback, night after night, and in one process or several.

    python -m benchmarks.sweep --dir BENCH_DIR [--repositories 1000] [--runs 3] [--report FILE.json]

- `first`: nothing is known. One is at the beginning, the others after those with changes: a machine is not always as
  fast.
- `nothing new`: nothing changed.
- `1 % changed`: somebody pushed to one repository in a hundred; some pushed secrets, one took one from the head.
- `detector, rare keyword` and `detector, common keyword`: a detector of the user changed, whose keyword stands in few
  files, or in most.
- `half the disk`: a first sweep whose clones may take half as much as those of the first one took.
- `one process` and `a process a core`: first sweeps of the same repositories as a folder of clones, in turn, by an
  oakum that has run before: its patterns are compiled. Memory and disk are not sampled: that would take a part of the
  core that one process leaves idle.

After each of them that may find something, the store must hold every planted secret, in its state and its repositories,
and no other. Wall time, processor time of oakum and its git, peak memory of all of its processes (PSS without
file-backed pages, of 100 ms), the most that clones took on disk (of half a second). The server's processor time is none
of it, but it shares the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from . import histories, organization
from .bench import say
from .figures import ratios
from .git_server import served
from .machine import about
from .organization import Changed, Organization
from .plants import Plant
from .sweep_runs import Night, Sweeps, VoidSweepError, wrong

SHARE = 0.01
"""The part of the repositories that is pushed to between two sweeps."""
DISK = 2 << 30
"""The limit of clones, where nothing else is said."""
UNNOTED, FOLDER, LEDGER = 4 << 20, 1 << 12, 1 << 20
"""What clones may take besides: what a process fetches over loopback between two looks, the folder of each, and the
folder of all with its ledger."""
PUSHED = 2
"""The seed of what is pushed."""
HEADS = ("sweep", "wall s", "of the first", "CPU s", "peak MiB", "clones MiB", "searched", "new")
ALONE, TOGETHER = "one process", "a process a core"


@dataclass(slots=True)
class Results:
    """All nights by name, each as often as it was; what was pushed; in what a store differs from what was planted."""

    nights: dict[str, list[Night]] = field(default_factory=dict)
    pushed: list[Changed] = field(default_factory=list)
    half: int = 0
    """The limit of clones of `half the disk`."""
    wrong: list[str] = field(default_factory=list)


def over_http(made: Organization, home: Path, runs: int, results: Results) -> None:
    """All sweeps of what a server has, one after the other. Pushes go to a copy."""
    made = replace(made, folder=shutil.copytree(made.folder, home / "served"))
    with served(made.folder) as url:
        urls, own = home / "urls.txt", home / "own.toml"
        urls.write_text("".join(f"{url}/{name}.git\n" for name in made.names), "utf-8")
        prefix = f"{url.partition('://')[2]}/"

        def sweep(name: str, by: Sweeps, limit: int = DISK) -> Night:
            night = by.run(str(urls), "--detectors", str(own), "--clones-limit", str(limit))
            results.nights.setdefault(name, []).append(night)
            results.wrong += (f"{name}: {what}" for what in wrong(made.plants, by.findings(), prefix))
            return night

        detectors(own, rare=20, common=20)
        sweeps = Sweeps(home)
        first = sweep("first", sweeps)
        for _ in range(runs):
            sweep("nothing new", sweeps)
        for number in range(runs):
            pushed = organization.change(made, SHARE, PUSHED + number)
            made = replace(made, plants=planted_now(made.plants, pushed))
            results.pushed += pushed
            sweep("1 % changed", sweeps)
        for _ in range(runs - 1):
            sweep("first", Sweeps(Path(mkdtemp(dir=home))))
        detectors(own, rare=24, common=20)
        sweep("detector, rare keyword", sweeps)
        detectors(own, rare=24, common=24)
        sweep("detector, common keyword", sweeps)
        other = home / "half"
        other.mkdir()
        results.half = first.disk // 2
        most = sweep("half the disk", Sweeps(other), results.half).disk
    if most > results.half + UNNOTED * cores() + FOLDER * made.repositories + LEDGER:
        results.wrong.append(f"half the disk: {most:,} bytes of {results.half:,}")


def planted_now(plants: tuple[Plant, ...], pushed: Sequence[Changed]) -> tuple[Plant, ...]:
    """What is planted after some pushes."""
    known = {(plant.repository, plant.fingerprint): plant for plant in plants}
    known |= {(one.plant.repository, one.plant.fingerprint): one.plant for one in pushed if one.plant}
    return tuple(known.values())


def detectors(file: Path, *, rare: int, common: int) -> None:
    """Two of the user's, whose keywords stand in few files and in most, and the lengths of what they find."""
    with file.open("w", encoding="utf-8") as out:
        for word, length in ((histories.RARE, rare), ("config", common)):
            out.write(
                f"""
[[detector]]
id = "made-up-{word}"
name = "A made-up token"
kind = "token"
severity = "medium"
keywords = ["{word}"]
pattern = '''\\b{word}_secret_(?P<secret>[a-z0-9]{{{length}}})\\b'''
sample = "mixed_lower:{length}"
examples = ["{word}_secret_{{secret}}"]
"""
            )


def in_turn(made: Organization, home: Path, runs: int, results: Results) -> None:
    """First sweeps of a folder of clones, in one process and in several, by an oakum that has run before."""
    cache, team = home / "cache", (made.folder / made.names[0]).parent
    folders = (Path(mkdtemp(dir=home)) for _ in count())
    Sweeps(next(folders), cache).run(str(team))
    for _ in range(runs):
        for name, jobs in ((ALONE, 1), (TOGETHER, cores())):
            sweeps = Sweeps(next(folders), cache)
            night = sweeps.run(str(made.folder), "--jobs", str(jobs), sample=False)
            results.nights.setdefault(name, []).append(night)
            results.wrong += (f"{name}: {what}" for what in wrong(made.plants, sweeps.findings()))


def measured(made: Organization, folder: Path, runs: int) -> Results:
    """All of it. What it keeps is gone afterwards, and the organization is as it was.

    Nothing is deleted between two sweeps: in the minutes after that, ext4 takes long to find a place for a new file,
    and whatever comes next would be measured too slow.
    """
    results = Results()
    with TemporaryDirectory(dir=folder) as home:
        over_http(made, Path(home), runs, results)
        in_turn(made, Path(home), 2 * runs - 1, results)
    return results


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- what is told ----------------------------------------------------------------------------------------------------


def table(results: Results) -> str:
    """The figures as Markdown: medians of times, the most of memory and disk."""
    lines = ["| " + " | ".join(HEADS) + " |", "|---|" + "--:|" * (len(HEADS) - 1)]
    first = median(night.run.wall for night in results.nights["first"])
    for name, nights in results.nights.items():
        wall = median(night.run.wall for night in nights)
        share = "" if name in (ALONE, TOGETHER) else f"{100 * wall / first:.1f} %"
        cells = [name, f"{wall:.1f}", share, f"{median(night.run.cpu for night in nights):.1f}"]
        cells.append(_mebibytes(max(night.run.peak for night in nights) << 10))
        cells.append(_mebibytes(max(night.disk for night in nights)))
        cells += (f"{nights[-1].counts[what]:,}" for what in ("searched", "new"))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _mebibytes(count: int) -> str:
    """Nothing where nobody looked."""
    return f"{count / (1 << 20):.0f}" if count else ""


def summary(results: Results) -> Iterator[str]:
    """What the table does not say."""
    alone, together = ([night.run.wall for night in results.nights.get(name, ())] for name in (ALONE, TOGETHER))
    if found := ratios(alone, together):
        yield f"{cores()} processes: {found.text()} times the throughput of one"
    half = max(night.disk for night in results.nights["half the disk"])
    yield f"half the disk: clones took at most {half / (1 << 20):.0f} of {results.half / (1 << 20):.0f} MiB"
    yield f"pushed to: {', '.join(f'{one.repository} ({one.what})' for one in results.pushed)}"
    yield from results.wrong or ["all planted secrets were found, in their states and repositories, and no others"]


def document(made: Organization, results: Results) -> dict[str, Any]:
    """All figures."""
    return {
        "about": about() | {"jobs": cores()},
        "organization": {"repositories": made.repositories, "seed": made.seed, "secrets": len(made.plants)},
        "results": asdict(results),
    }


def main() -> int:
    """Make, measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    options.add_argument("--repositories", type=int, default=organization.REPOSITORIES)
    options.add_argument("--seed", type=int, default=organization.SEED)
    options.add_argument("--runs", type=int, default=3, help="of all but changed detectors and half the disk")
    options.add_argument("--report", type=Path, help="write all figures as JSON")
    given = options.parse_args()
    folder = given.dir.resolve() / "sweep"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"organization-{given.repositories}-{given.seed}"
    made = organization.make(folder / name, given.repositories, given.seed)
    try:
        results = measured(made, folder, given.runs)
    except VoidSweepError as e:
        print(f"void: {e}", file=sys.stderr)
        return 2
    print(table(results))
    for text in summary(results):
        say(text)
    if given.report:
        given.report.write_text(json.dumps(document(made, results), indent=1) + "\n", "utf-8")
    return 2 if results.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
