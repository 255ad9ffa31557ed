"""A big tree of ordinary source code: commits of real repositories, checked out side by side.

The commits of each repository are taken along its default branch: the head, the first, the middle, the quarters and so
on, one repository after the other, until the tree is large enough. The same repositories give the same tree. Files that
tell scanners what to leave out are not laid down, and symbolic links become plain files: every tool sees the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from .git import git

LEAST_BYTES = 500_000_000
LEAST_FILES = 50_000
IGNORE_FILES = (".gitignore", ".ignore", ".gitleaks.toml", ".gitleaksignore", ".betterleaksignore", ".secrets.baseline")


def spread_over(number: int) -> Iterator[int]:
    """All numbers below a number: 0, the last, the middle, the middles of what is left …, each once."""
    seen = set()
    for n in (0, number - 1):
        if 0 <= n < number and n not in seen:
            seen.add(n)
            yield n
    parts = 2
    while len(seen) < number:
        for part in range(1, parts, 2):
            n = part * (number - 1) // parts
            if n not in seen:
                seen.add(n)
                yield n
        parts *= 2
        if parts > 2 * number:
            yield from (n for n in range(number) if n not in seen)
            return


def lay_out(
    repositories: Sequence[Path], target: Path, *, least_bytes: int = LEAST_BYTES, least_files: int = LEAST_FILES
) -> dict[str, int]:
    """Check commits out into `target` until both limits are reached; give what the tree holds."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    total = {"commits": 0, "files": 0, "bytes": 0}
    picks = {repository: commits(repository) for repository in repositories}
    while picks and (total["bytes"] < least_bytes or total["files"] < least_files):
        for repository, chosen in list(picks.items()):
            commit = next(chosen, None)
            if commit is None:
                del picks[repository]
                continue
            files, size = check_out(repository, commit, target / f"{repository.stem}-{commit[:12]}")
            total = {"commits": total["commits"] + 1, "files": total["files"] + files, "bytes": total["bytes"] + size}
    target.with_suffix(".json").write_text(json.dumps(total, indent=1) + "\n")
    return total


def commits(repository: Path) -> Iterator[str]:
    """The commits of the default branch, newest and oldest first, then those between."""
    line = git(repository, "rev-list", "--first-parent", "HEAD").decode().split()
    return (line[n] for n in islice(spread_over(len(line)), len(line)))


def check_out(repository: Path, commit: str, target: Path) -> tuple[int, int]:
    """The files of a commit, in a folder of their own; give their number and their bytes."""
    target.mkdir()
    index = str(target.with_suffix(".index"))
    git(repository, "read-tree", commit, GIT_INDEX_FILE=index)
    out = ("-c", "core.symlinks=false", "--work-tree", str(target), "checkout-index", "--all", "--force")
    git(repository, *out, f"--prefix={target}/", GIT_INDEX_FILE=index)
    Path(index).unlink()
    files = size = 0
    for path in target.rglob("*"):
        if path.name in IGNORE_FILES:
            path.unlink()
        elif path.is_file():
            files += 1
            size += path.stat().st_size
    return files, size
