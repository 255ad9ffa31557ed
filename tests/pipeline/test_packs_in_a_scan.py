"""Who reads git's packs makes no difference to a report; `--stats` says who did."""

from __future__ import annotations

import json
import subprocess

import pytest
from git_repository import GitRepository
from oakum.scanner import cli
from oakum.scanner.model import ScanResult
from oakum.scanner.sources import packs
from scanning import Fresh, places, scan

needs_compiled = pytest.mark.skipif(not packs.available(), reason="needs a C compiler when oakum is installed")


@pytest.fixture
def packed(repo: GitRepository, fresh: Fresh) -> GitRepository:
    """A repository whose objects are in a pack, most as deltas: a long file in 30 versions, a secret in ten of them."""
    lines = [b"line %d of a long file\n" % n for n in range(400)]
    token = b"token = " + fresh() + b"\n"
    for version in range(30):
        lines[version * 7] = b"changed in version %d\n" % version
        lines[200] = token if 10 <= version < 20 else b"nothing here\n"
        repo.commit({"long.txt": b"".join(lines), "dir/other.txt": b"version %d\n" % version}, f"version {version}")
    repo.git("gc", "--quiet")
    return repo


def summary(capfd: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The summary of the report that was just written."""
    found: dict[str, object] = json.loads(capfd.readouterr().out)["summary"]
    return found


def told(result: ScanResult) -> list[tuple[object, ...]]:
    """All that a report says of the findings."""
    return [(f.fingerprint, f.score, f.band, f.reasons, f.finding.occurrences) for f in result.findings]


@needs_compiled
def test_a_packed_history_gives_the_same_with_and_without_the_compiled_part(
    packed: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret, its first commit, the versions that hold it; blobs, messages and bytes that were searched."""
    ours = scan(packed.path)
    monkeypatch.setattr(packs, "available", lambda: False)
    plain = scan(packed.path)
    assert places(ours) == places(plain)
    assert list(places(ours)) == fresh.drawn
    assert [place[3] for place in places(ours)[fresh.drawn[0]]] == [10]
    assert told(ours) == told(plain)
    assert (ours.coverage.counts, ours.coverage.bytes) == (plain.coverage.counts, plain.coverage.bytes)
    assert (ours.not_scanned, ours.dropped, ours.suppressed) == (plain.not_scanned, plain.dropped, plain.suppressed)
    assert ours.coverage.copied > 0 == plain.coverage.copied


@needs_compiled
def test_stats_say_that_oakum_read_the_packs(packed: GitRepository, capfd: pytest.CaptureFixture[str]) -> None:
    """And how many bytes were copies, which need not be searched twice."""
    cli.run(["scan", str(packed.path), "--format", "json", "--stats"])
    told = summary(capfd)
    assert told["packs"] == "oakum"
    assert isinstance(told["copied"], int)
    assert told["copied"] > 100_000


def test_stats_say_why_git_read_them(
    packed: GitRepository, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "available", lambda: False)
    assert cli.run(["scan", str(packed.path), "--stats"]) == 1
    assert "  packs        read by git (oakum was built without its compiled part)\n" in capfd.readouterr().out


@needs_compiled
def test_a_repository_that_borrows_objects_is_read_by_git(
    packed: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]
) -> None:
    """Everything in it is found, what it borrows too."""
    borrower = packed.path.parent / "borrower"
    subprocess.run(["git", "clone", "--quiet", "--shared", packed.path, borrower], check=True)
    assert cli.run(["scan", str(borrower), "--format", "json", "--stats"]) == 1
    assert summary(capfd)["packs"] == "git (the repository borrows objects from another one)"
    assert list(places(scan(borrower))) == fresh.drawn


@needs_compiled
def test_loose_objects_beside_a_pack_are_searched(packed: GitRepository, fresh: Fresh) -> None:
    """A commit after the packing, and one that nothing names any more."""
    packed.commit({"new.txt": fresh() + b"\n"}, "after the packing")
    packed.commit({"lost.txt": fresh() + b"\n"}, "soon lost")
    packed.git("reset", "--quiet", "--hard", "HEAD^")
    assert set(places(scan(packed.path))) == set(fresh.drawn)
