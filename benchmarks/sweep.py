"""Sweeps of a made-up organization on a git server on loopback: first, again, after pushes, with a changed detector.

    python -m benchmarks.sweep --dir BENCH_DIR [--repositories 1000] [--runs 3] [--report FILE.json]

- `first`: nothing is known; every planted secret must be found.
- `same`: nothing changed.
- `changed`: one in a hundred repositories was pushed to.
- `detector, rare` and `detector, common`: a detector of the user changed, whose keyword stands in few files, or many.
- `one process` and `pool`: the same repositories as a folder of clones, in one process and in one a core, in turn.

Wall time, processor time of oakum and its git, peak memory of all of its processes (PSS without file-backed pages), and
what clones take on disk. The server's processor time is none of it, but it shares the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from . import measure, organization
from .bench import say
from .git_server import served
from .machine import about

LIMIT = 3600.0
DISK = 2 << 30
"""The limit of the clones."""


class Sweeps:
    """Sweeps into one store, of one list of URLs, with caches of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }

    def run(self, *arguments: str, good: Sequence[int] = (0, 1)) -> measure.Run:
        """A sweep; SystemExit where it fails."""
        command = [sys.executable, "-m", "oakum.scanner", "sweep", "run", "--no-progress", *arguments]
        output = self._folder / "news.txt"
        run = measure.run(command, env=self.environment, folder=self._folder, limit=LIMIT, output=output)
        if run.exit not in good:
            raise SystemExit(f"sweep ended with {run.exit}: {run.log}{output.read_text()[-2000:]}")
        return run

    def findings(self) -> list[dict[str, object]]:
        """All findings of the store."""
        output = self._folder / "findings.json"
        command = [sys.executable, "-m", "oakum.scanner", "sweep", "findings", "--format", "json"]
        measure.run(command, env=self.environment, folder=self._folder, limit=LIMIT, output=output, sample=False)
        found: list[dict[str, object]] = json.loads(output.read_text())["findings"]
        return found

    def disk(self) -> int:
        """Bytes of the clones and of what is remembered of them."""
        return sum(file.stat().st_size for file in (self._folder / "cache").rglob("*") if file.is_file())


def missed(planted: Sequence[organization.Planted], findings: Sequence[dict[str, object]]) -> list[str]:
    """What was planted, and is no finding."""
    found = set()
    for finding in findings:
        for place in finding["places"]:  # type: ignore[attr-defined]
            found.add((place["repository"].partition("/")[2], place["origin"].get("path", "")))
    return [f"{one.repository} ({one.where})" for one in planted if (one.repository, one.path) not in found]


def detector(file: Path, word: str, length: int) -> None:
    """A detector of the user, whose keyword stands in few or in many files."""
    file.write_text(
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


def nights(folder: Path, repositories: int) -> dict[str, measure.Run | int | list[str]]:
    """All sweeps over http, one after the other."""
    source = folder / f"organization-{repositories}"
    source.mkdir(parents=True, exist_ok=True)
    planted = organization.make(source, repositories)
    copy = folder / "served"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy)
    out: dict[str, measure.Run | int | list[str]] = {}
    with TemporaryDirectory(dir=folder) as home, served(copy) as url:
        sweeps = Sweeps(Path(home))
        urls, own = Path(home, "urls"), Path(home, "own.toml")
        urls.write_text("".join(f"{url}/{organization.name_of(n)}\n" for n in range(repositories)))
        detector(own, "zzqx", 20)
        arguments = (str(urls), "--clones-limit", str(DISK), "--detectors", str(own))
        out["first"] = sweeps.run(*arguments)
        out["missed"] = missed(planted, sweeps.findings())
        out["same"] = sweeps.run(*arguments)
        changed = organization.change(copy, repositories, 0.01, 2)
        out["changed"] = sweeps.run(*arguments)
        out["repositories changed"] = len(changed)
        detector(own, "zzqx", 24)
        out["detector, rare"] = sweeps.run(*arguments)
        detector(own, "config", 24)
        out["detector, common"] = sweeps.run(*arguments)
        out["disk"] = sweeps.disk()
    shutil.rmtree(copy)
    return out


def pool(folder: Path, repositories: int, jobs: int) -> measure.Run:
    """A first sweep of a folder of clones."""
    with TemporaryDirectory(dir=folder) as home:
        return Sweeps(Path(home)).run(str(folder / f"organization-{repositories}"), "--jobs", str(jobs))


def shown(name: str, run: measure.Run, first: measure.Run) -> None:
    """A line of the table."""
    share = 100 * run.wall / first.wall
    say(f"{name:18} {run.wall:8.1f} s {share:6.1f} %  CPU {run.cpu:7.1f} s  peak {run.peak / 1024:5.0f} MiB")


def main() -> int:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    options.add_argument("--repositories", type=int, default=organization.REPOSITORIES)
    options.add_argument("--runs", type=int, default=3, help="of the pool and of one process, in turn")
    options.add_argument("--report", type=Path, help="write all figures as JSON")
    given = options.parse_args()
    folder = given.dir / "sweep"
    out = nights(folder, given.repositories)
    first = out["first"]
    assert isinstance(first, measure.Run)
    for name, run in out.items():
        if isinstance(run, measure.Run):
            shown(name, run, first)
    say(f"planted and missed: {out['missed'] or 'none'}; disk {int(out['disk']) / (1 << 20):.0f} MiB")  # type: ignore[call-overload]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    single: list[measure.Run] = []
    several: list[measure.Run] = []
    for _ in range(given.runs):
        single.append(pool(folder, given.repositories, 1))
        several.append(pool(folder, given.repositories, cores))
    if single:
        one, all_ = median(run.wall for run in single), median(run.wall for run in several)
        say(f"one process {one:.1f} s, {cores} processes {all_:.1f} s: {one / all_:.2f} times the throughput")
    if given.report:
        document = {"machine": about(), "repositories": given.repositories, "one process": list(map(asdict, single))}
        document["pool"] = list(map(asdict, several))
        document |= {name: asdict(each) if isinstance(each, measure.Run) else each for name, each in out.items()}
        given.report.write_text(json.dumps(document, indent=1))
    return 1 if out["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
