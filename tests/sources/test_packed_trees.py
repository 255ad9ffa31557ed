"""What commits brought in, as it is read from packs: what `git diff-tree` says, commit by commit."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from git_repository import GitRepository
from laws import opened
from oakum.scanner.model import NotScanned
from oakum.scanner.sources import packs
from oakum.scanner.sources.diffs import Sieve, diff_trees
from oakum.scanner.sources.objects import Store

pytestmark = pytest.mark.skipif(not packs.available(), reason="needs a C compiler when oakum is installed")

NAMES = ("a", "a.txt", "a-b", "ab", "b", "dir", "z", "\u00e4", "a\tb")
MODES = ("100644", "100644", "100644", "100755", "120000", "160000")


def history(path: Path, rng: Random, *, commits: int) -> GitRepository:
    """Random commits on a few branches: files changed, removed, made executable, made links, folders and submodules;
    merges that take a side for each file, or neither."""
    made = GitRepository.create(path)
    lines = ["reset refs/heads/b0\n"]

    def place() -> str:
        return "/".join(rng.choice(NAMES) for _ in range(rng.choice((1, 1, 2, 3, 4))))

    for mark in range(1, commits + 1):
        branch = rng.randrange(3)
        lines.append(
            f"commit refs/heads/b{branch}\nmark :{mark}\ncommitter A <a@example.test> {1_700_000_000 + mark} +0000\n"
        )
        lines.append("data 1\nx\n")
        if mark > 1 and rng.random() < 0.7:
            lines.append(f"from :{rng.randrange(1, mark)}\n")
            for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
                lines.append(f"merge :{rng.randrange(1, mark)}\n")
        for _ in range(rng.randrange(4)):
            if rng.random() < 0.25:
                lines.append(f'D "{_quoted(place())}"\n')
                continue
            mode = rng.choice(MODES)
            if mode == "160000":
                lines.append(f'M 160000 {rng.randbytes(20).hex()} "{_quoted(place())}"\n')
            else:
                text = f"text {rng.randrange(12)}\n"
                lines.append(f'M {mode} inline "{_quoted(place())}"\ndata {len(text)}\n{text}\n')
    made.git("fast-import", "--quiet", "--force", stdin="".join(lines).encode())
    made.git("gc", "--quiet")
    return made


def _quoted(path: str) -> str:
    return path.replace("\t", "\\t")


def brought(changes: object) -> list[tuple[str, bytes, str, bool]]:
    """Commit, path, blob, and whether it is a link; sorted, as the order within a commit tells nothing."""
    return sorted((commit, change.path, change.blob, change.link) for commit, change in changes)  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(12))
def test_packs_and_git_say_the_same(tmp_path: Path, seed: int) -> None:
    """Of every commit: root, plain, merge; and of pairs of commits, as heads of branches are compared."""
    rng = Random(seed)
    made = history(tmp_path / "repo", rng, commits=60)
    repository = opened(made.path)
    found, why = packs.open_packs(repository, max_size=1 << 20)
    assert found, why
    list(found.list_units(Store(40)))
    commits = made.git("rev-list", "--all", "--topo-order", "--reverse").split()
    asked = [*commits, *(f"{a} {b}" for a, b in zip(commits, reversed(commits), strict=True) if a != b)]
    blobs = made.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)").splitlines()
    wanted = {line.split()[1] for line in blobs if line.startswith("blob") and rng.random() < 0.8}
    left_out: list[NotScanned] = []
    sieve = Sieve.of(wanted)
    ours = brought(found.changes(repository, asked, left_out, sieve))
    assert ours == brought(diff_trees(repository, asked, left_out, sieve))
    assert len(ours) > 5
    assert left_out == []


def test_a_blob_that_is_nowhere_is_told(repo: GitRepository) -> None:
    """As `git diff-tree` with a sieve tells it: the scan names it as missing."""
    repo.commit({"there.txt": b"there\n"}, "one")
    lost = repo.git("hash-object", "-w", "--stdin", stdin=b"lost\n")
    repo.commit({"lost.txt": b"lost\n"}, "two")
    repo.git("gc", "--quiet", "--prune=now")
    kept = repo.git("rev-list", "--objects", "--all").splitlines()
    names = "\n".join(line.split()[0] for line in kept if not line.startswith(lost)) + "\n"
    folder = repo.path / ".git" / "objects" / "pack"
    old = list(folder.iterdir())
    repo.git("pack-objects", "--quiet", os.fspath(folder / "pack"), stdin=names.encode())
    for file in old:
        file.unlink()
    repository = opened(repo.path)
    found, why = packs.open_packs(repository, max_size=1 << 20)
    assert found, why
    store = Store(40)
    list(found.list_units(store))
    head = repo.git("rev-parse", "HEAD")
    told = list(found.changes(repository, [head], [], Sieve(frozenset(), store.blobs)))
    assert [(commit, change.path, change.blob) for commit, change in told] == [(head, b"lost.txt", lost)]
