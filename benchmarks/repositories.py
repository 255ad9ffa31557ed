"""Complete bare copies of repositories that are given by path, so that every tool can read all of what it scans.

    python -m benchmarks.repositories --dir DIR SOURCE…

Branches and tags are kept; hooks, configuration and other refs are not copied. A source that lacks blobs (a snapshot of
a partial clone) is told anew without the paths that lack them. Beside each copy stands what it holds and what it lacks.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from . import tree
from .git import GitError, git, lines
from .rebuild import Dropped, missing, rebuild


def copy(source: Path, target: Path) -> Dropped:
    """Make a complete bare copy, and prove that it is one."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    dropped = Dropped()
    try:
        git(target.parent, "clone", "--quiet", "--bare", "--no-local", "--template=", str(source), str(target))
        git(target, "remote", "remove", "origin")
    except GitError:
        gone = missing(source)
        if not gone:
            raise
        shutil.rmtree(target, ignore_errors=True)
        try:
            dropped = rebuild(source, target, gone)
        except GitError:
            shutil.rmtree(target)
            raise
    git(target, "rev-list", "--objects", "--all", "--quiet")
    return dropped


def contents(repository: Path) -> dict[str, int]:
    """What there is to scan: blobs and their bytes, commits that are no merges, bytes of packs."""
    blobs = size = 0
    check = ("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectsize)")
    for line in lines(repository, *check):
        kind, _, length = line.partition(b" ")
        if kind == b"blob":
            blobs += 1
            size += int(length)
    commits = int(git(repository, "rev-list", "--all", "--no-merges", "--count"))
    packs = sum(f.stat().st_size for f in (repository / "objects").rglob("*.pack"))
    return {"blobs": blobs, "bytes": size, "commits": commits, "packs": packs}


def name_of(source: Path) -> str:
    """A short name: `flask` for /src/flask.git, /src/flask, /src/flask/.git and /src/pallets+flask/repo."""
    parts = [part for part in source.resolve().parts if part not in (".git", "repo")]
    return parts[-1].removesuffix(".git").rpartition("+")[2]


def main() -> int:
    """Copy each source, then lay out the tree."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=Path, required=True, help="the bench folder")
    options.add_argument("--no-tree", action="store_true", help="only the repositories")
    options.add_argument("sources", type=Path, nargs="+", metavar="SOURCE", help="a repository")
    given = options.parse_args()
    folder = given.dir.resolve() / "repos"
    made = []
    for source in given.sources:
        target = folder / f"{name_of(source)}.git"
        if target in made:
            options.error(f"two sources are named {target.stem}: {source}")
        try:
            dropped = copy(source.resolve(), target)
        except GitError as e:
            print(f"{source}: no complete copy: {e}", file=sys.stderr)
            return 2
        made.append(target)
        facts = contents(target) | {"dropped": asdict(dropped)}
        target.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")
        print(f"{target}: {facts}", flush=True)
    if not given.no_tree:
        print(f"{given.dir / 'tree'}: {tree.lay_out(made, given.dir.resolve() / 'tree')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
