"""The order of commits: the same from packs and from git, whatever their clocks said, and parents first."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from git_repository import GitRepository
from laws import opened
from oakum.scanner.model import NotScanned
from oakum.scanner.sources import packs
from oakum.scanner.sources.commits import LATEST, Commits, PackedCommits
from oakum.scanner.sources.objects import Store

DATES = (0, 1, 1_600_000_000, 1_600_000_001, 1_700_000_000, 4_102_444_800, 1 << 62)


def grown(made: GitRepository, rng: Random, *, first: int, commits: int) -> None:
    """Commits on a few branches, with parents at random, and clocks that tell anything."""
    lines = []
    for mark in range(first, first + commits):
        who = f"A <a@example.test> {rng.choice(DATES)} +0000"
        lines.append(f"commit refs/heads/b{rng.randrange(4)}\nmark :{mark}\nauthor {who}\ncommitter {who}\n")
        lines.append(f"data <<.\n{mark}\n.\n")
        parents = sorted(
            {rng.randrange(first, mark) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))} if mark > first else ()
        )
        lines += [f"{'merge' if i else 'from'} :{parent}\n" for i, parent in enumerate(parents)]
        if not parents:
            lines.append("deleteall\n")
    made.git("-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--force", stdin="".join(lines).encode())


def both(repo: GitRepository) -> tuple[Commits, PackedCommits]:
    """The commits as git lists them, and as they are read from packs."""
    repository, store = opened(repo.path), Store(40)
    found, why = packs.open_packs(repository, max_size=1 << 20)
    assert found, why
    list(found.list_units(store))
    packed = found.commits(store)
    assert isinstance(packed, PackedCommits)
    return Commits(repository, lambda: bytes(store.commits)), packed


@pytest.mark.skipif(not packs.available(), reason="needs a C compiler when oakum is installed")
class TestPacks:
    """What is read from packs is what git says."""

    @pytest.mark.parametrize("seed", range(12))
    def test_the_same_commits_in_the_same_order(self, tmp_path: Path, seed: int) -> None:
        """In one pack or several, with some of them loose: lists with and without others, dates, parents, the rest."""
        rng = Random(seed)
        made = GitRepository.create(tmp_path / "repo")
        grown(made, rng, first=1, commits=30)
        grown(made, rng, first=100, commits=20)
        if seed % 2:
            made.git("repack", "-a", "-d", "-f", "--quiet")
        tree = made.git("mktree", stdin=b"")
        lone = made.git("commit-tree", tree, "-p", "b1", "-m", "loose")
        names = made.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)").splitlines()
        every = [line.split()[1] for line in names if line.startswith("commit ")]
        left_out: list[NotScanned] = []
        plain, packed = both(made)
        some = rng.sample(every, 2)
        assert list(packed.listed(some, [], left_out)) == list(plain.listed(some, [], left_out))
        assert set(packed.unlisted()) == set(plain.unlisted())
        plain.listed(every, [], left_out)
        for _ in range(8):
            tips, without = rng.sample(every, 3), rng.sample(every, rng.randrange(3))
            expected = list(plain.listed(tips, without, left_out))
            assert list(packed.listed(tips, without, left_out)) == expected
            assert list(map(packed.date, expected)) == list(map(plain.date, expected))
            assert [list(packed.parents(name)) for name in expected] == [list(plain.parents(name)) for name in expected]
        listed = list(packed.listed([*every, lone], [], left_out))
        assert set(listed) == set(every)
        assert left_out == []
        assert packed.unlisted() == []
        place = {name: at for at, name in enumerate(listed)}
        assert all(place[parent] < place[name] for name in listed for parent in packed.parents(name))
        for row in made.git("log", "--no-walk", "--format=%H %ct", *every).splitlines():
            name, date = row.split()
            behind = [packed.date(parent) + 1 for parent in packed.parents(name)]
            assert packed.date(name) == max(min(int(date), LATEST), *behind, 0)

    def test_commits_that_end_too_soon_or_are_odd(self, repo: GitRepository) -> None:
        """Cut at every byte, and with what git would not write: git and we list the same, with the same dates."""
        parent, tree = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD^{tree}")
        whole = b"tree %b\nparent %b\nauthor A <a> 1700000000 +0000\ncommitter A <a> 1800000000 +0000\n\nx\n" % (
            tree.encode(),
            parent.encode(),
        )
        line = b"parent %b\n" % parent.encode()
        odd = [
            *(whole[:end] for end in range(len(whole))),
            whole.replace(b"1800000000", b"99999999999999999999999"),
            whole.replace(b"committer A <a> ", b"committer "),
            whole.replace(b"committer A <a>", b"committer A <a> b> "),
            whole.replace(b"<a> 1800000000", b"<a> -5"),
            whole.replace(b"<a> 1800000000", b"<a>\t1800000000"),
            whole.replace(b"author ", b"author"),
            whole.replace(line, line.upper()),
            whole.replace(line, line.replace(b"\n", b" \n")),
            whole.replace(line, b"parent %b\n" % (b"0" * 40)),
            whole.replace(line, 1500 * line),
            whole.replace(line, line + line),
        ]
        names = [repo.git("hash-object", "-t", "commit", "--literally", "-w", "--stdin", stdin=text) for text in odd]
        folder = repo.path / ".git" / "objects" / "pack"
        repo.git(
            "pack-objects", "--quiet", os.fspath(folder / "pack"), stdin="\n".join([*names, parent, tree, ""]).encode()
        )
        repo.git("prune-packed", "--quiet")
        plain, packed = both(repo)
        plain.listed([parent], [], [])
        assert packed.corrected() is not None
        for name in names:
            told: list[list[NotScanned]] = [[], []]
            expected = list(plain.listed([name], [], told[0]))
            assert list(packed.listed([name], [], told[1])) == expected
            assert told[0] == told[1]
            assert [packed.date(n) for n in expected] == [plain.date(n) for n in expected], odd[names.index(name)][-60:]

    def test_a_parent_that_is_lost(self, repo: GitRepository) -> None:
        """Git is asked, and says that history cannot be followed."""
        repo.commit({"a": b"1"})
        lost = repo.git("rev-parse", "HEAD")
        head = repo.commit({"a": b"2"}).id
        names = [line.split()[0] for line in repo.git("rev-list", "--objects", "--all").splitlines()]
        folder = repo.path / ".git" / "objects" / "pack"
        kept = "\n".join(name for name in names if name != lost).encode() + b"\n"
        repo.git("pack-objects", "--quiet", os.fspath(folder / "pack"), stdin=kept)
        repo.git("prune-packed", "--quiet")
        (repo.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
        plain, packed = both(repo)
        told: list[list[NotScanned]] = [[], []]
        assert list(packed.listed([head], [], told[1])) == list(plain.listed([head], [], told[0])) == [head]
        assert told[1] == told[0]
        assert "cannot be followed to its beginning" in told[1][0].why

    def test_in_a_shallow_clone_git_is_asked(self, repo: GitRepository) -> None:
        """There it hides some of the parents."""
        head = repo.commit({"a": b"1"}).id
        repo.git("gc", "--quiet")
        (repo.path / ".git" / "shallow").write_text(head + "\n")
        repository, store = opened(repo.path), Store(40)
        found, why = packs.open_packs(repository, max_size=1 << 20)
        assert found, why
        list(found.list_units(store))
        assert list(found.commits(store).listed([head], [], [])) == [head]
