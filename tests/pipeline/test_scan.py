"""From units to findings: bounds on what is kept, workers that die, git that is not there, the order of the list."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from git_repository import GitRepository
from oakum.scanner import ledger
from oakum.scanner.errors import TargetError, UsageError
from oakum.scanner.model import File, NotScanned, Piece
from oakum.scanner.pipeline import workers
from oakum.scanner.pipeline.workers import Pool, Searcher, SearchOptions
from oakum.scanner.sources import Item, files, history
from scanning import DETECTOR, Fresh, in_file, left_out, lost, places, scan


def test_occurrences_are_folded(tmp_path: Path, fresh: Fresh) -> None:
    """The first hundred places of a secret are kept, the others are counted."""
    secret = fresh()
    for number in range(120):
        (tmp_path / f"{number:03}.txt").write_bytes(secret + b"\n")
    (ranked,) = scan(tmp_path).findings
    kept = [o.origin for o in ranked.finding.occurrences]
    assert kept == [File(os.fsencode(tmp_path / f"{number:03}.txt")) for number in range(100)]
    assert ranked.finding.folded == 20


def test_sightings_are_folded(tmp_path: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound on all places, a secret is still found, and its places are counted."""
    monkeypatch.setattr(ledger, "MOST_SIGHTINGS", 5)
    secret = fresh()
    for number in range(8):
        (tmp_path / f"{number}.txt").write_bytes(secret + b"\n")
    (ranked,) = scan(tmp_path).findings
    assert (len(ranked.finding.occurrences), ranked.finding.folded) == (5, 3)


def test_too_many_secrets(tmp_path: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not kept makes the scan incomplete."""
    monkeypatch.setattr(ledger, "MOST_SECRETS", 3)
    (tmp_path / "a.txt").write_bytes(b"".join(fresh() + b"\n" for _ in range(5)))
    result = scan(tmp_path)
    assert set(places(result)) == set(fresh.drawn[:3])
    assert [(n.what, n.count, n.policy) for n in result.not_scanned] == [(b"findings", 2, False)]
    assert not result.complete


def test_what_was_not_scanned_is_folded(repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of a reason are listed, the rest is counted."""
    monkeypatch.setattr("oakum.scanner.pipeline.scan.NOT_SCANNED_KEPT", 10)
    repo.commit({".gitignore": b"*.tmp\n"})
    repo.write({f"{number:02}.tmp": b"x\n" for number in range(25)})
    result = scan(repo.path)
    assert [what for what, _ in left_out(result)] == [*(b"%02d.tmp" % n for n in range(10)), b""]
    assert result.not_scanned[-1].count == 15
    assert result.complete


def test_several_detectors_of_one_value(tmp_path: Path, fresh: Fresh) -> None:
    """One finding: the most specific names it, the others stand beside it."""
    secret = fresh()
    (tmp_path / "a.txt").write_bytes(
        b'api_secret = "' + secret + b'"\nurl = https://deploy:' + secret + b"@acme.test/\n"
    )
    (ranked,) = scan(tmp_path).findings
    assert ranked.finding.detector.id == DETECTOR
    assert {"generic-secret", "uri-http-credentials"} & set(ranked.finding.also)
    assert len(ranked.finding.occurrences) == 1


def test_the_order_is_the_same_every_time(repo: GitRepository, fresh: Fresh) -> None:
    """Worst first, whatever the number of processes, and however often."""
    files = {f"{number}.txt": fresh() + b"\n" for number in range(5)}
    files |= {f"tests/test_{number}.py": fresh() + b"\n" for number in range(5)}
    repo.commit(files)
    results = [scan(repo.path, jobs=jobs).findings for jobs in (1, 3, 1)]
    listed = [[(r.score, r.fingerprint) for r in findings] for findings in results]
    assert listed[0] == listed[1] == listed[2]
    scores = [score for score, _ in listed[0]]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 2


def test_without_git(repo: GitRepository, tmp_path: Path) -> None:
    """Where git is not installed, a repository is refused with the remedy, a folder is searched."""
    (tmp_path / "empty").mkdir()
    environment = {"PATH": str(tmp_path / "empty")}
    with pytest.raises(UsageError, match="git was not found: install it"):
        scan(repo.path, environment=environment)
    assert scan(tmp_path / "empty", environment=environment).complete


@dataclass(frozen=True)
class Sound:
    """A unit with one blob."""

    content: bytes
    name: bytes = b"sound"
    weight: int = 1

    def describe(self) -> bytes:
        """Its name."""
        return self.name

    def size(self) -> int:
        """One blob."""
        return 1

    def blobs(self) -> Iterator[Item | NotScanned]:
        """The blob."""
        yield Item(File(self.name), (Piece(self.content),))


def searcher() -> Searcher:
    """One that is ready for a little work."""
    made = Searcher(SearchOptions())
    made.prepare(0)
    return made


@dataclass(frozen=True)
class Deadly(Sound):
    """A unit that the kernel ends its process for, as it does when there is no memory left."""

    parent: int = 0

    def blobs(self) -> Iterator[Item | NotScanned]:
        """Nobody comes back from this."""
        assert os.getpid() != self.parent
        os.kill(os.getpid(), signal.SIGKILL)
        yield from super().blobs()


def test_a_worker_that_dies(fresh: Fresh) -> None:
    """What it had in hand is listed with the remedy; what came before and after is searched."""
    before, after = [fresh() for _ in range(4)], [fresh() for _ in range(20)]
    units = [Sound(s, b"before") for s in before]
    units.append(Deadly(b"", b"deadly", parent=os.getpid()))
    units += [Sound(s, b"after") for s in after]
    harvests = list(Pool(searcher(), amount=0, jobs=2).run(units))
    found = {s.secret.reveal() for h in harvests for _, sightings in h.found for s in sightings}
    not_searched = [n for h in harvests for n in h.not_scanned]
    assert b"deadly" in {n.what for n in not_searched}
    assert all("scan it again with --jobs 1" in n.why and not n.policy for n in not_searched)
    assert len(found) + len(not_searched) == len(units)
    assert len(not_searched) <= 3 * 2


def test_workers_that_never_start(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is searched, and every blob is listed: none vanishes with the process that was to take it."""
    monkeypatch.setattr(workers, "_start_worker", lambda *_: os._exit(3))
    units = [Sound(fresh(), f"{n}".encode()) for n in range(20)]
    harvests = list(Pool(searcher(), amount=0, jobs=2).run(units))
    assert [h.found for h in harvests if h.found] == []
    assert sum(n.count for h in harvests for n in h.not_scanned) == len(units)


def test_a_target_that_is_not_there_is_told_before_the_others_are_scanned(tmp_path: Path, fresh: Fresh) -> None:
    """No long scan whose outcome is thrown away."""
    (tmp_path / "a").write_bytes(fresh())
    seen: list[str] = []
    with pytest.raises(TargetError, match="there is no such file or folder"):
        scan(tmp_path, tmp_path / "nope", progress=lambda what, _done, _total: seen.append(what))
    assert seen == []


def test_an_error_in_attribution_keeps_what_was_found(
    repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told without commit and path, and the scan is incomplete."""
    secret = fresh()
    repo.commit({"a.txt": secret + b"\n"})

    def fail(*_: object) -> None:
        raise MemoryError(secret)

    monkeypatch.setattr(history, "attribute", fail)
    result = scan(repo.path)
    assert secret in {r.finding.secret.reveal() for r in result.findings}
    assert not result.complete
    assert [why for _, why in lost(result)][-1].startswith("an error in oakum (MemoryError at test_scan.py:")


def test_ctrl_c_in_the_second_target_keeps_the_first_ones_findings(
    tmp_path: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And while fingerprints are made, all findings."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_bytes(fresh())
    walk = files.walk

    def interrupted(root: bytes, *more: Any, **options: Any) -> Iterator[bytes]:
        if root.endswith(b"two"):
            raise KeyboardInterrupt
        return walk(root, *more, **options)

    monkeypatch.setattr(files, "walk", interrupted)
    result = scan(tmp_path / "one", tmp_path / "two")
    assert (len(result.findings), result.interrupted) == (1, True)


def test_ctrl_c_while_fingerprints_are_made(tmp_path: Path, fresh: Fresh) -> None:
    """All findings are there, those that came too late without a fingerprint."""
    (tmp_path / "a").write_bytes(b"\n".join(fresh() for _ in range(10)))

    def stop(what: str, done: int, _total: int) -> None:
        if what == "fingerprints" and done == 4:
            raise KeyboardInterrupt

    result = scan(tmp_path, progress=stop)
    assert (len(result.findings), result.interrupted) == (10, True)
    assert sum(bool(r.fingerprint) for r in result.findings) == 4


def test_a_scan_of_a_plain_folder_loses_nothing(tmp_path: Path, fresh: Fresh) -> None:
    """Hundreds of files over several units and processes: each secret once, in its file."""
    expected = {}
    for number in range(400):
        folder = tmp_path / f"{number % 7}" / "sub"
        folder.mkdir(parents=True, exist_ok=True)
        content = os.urandom(3000).hex().encode() + b"\n"
        if number % 40 == 0:
            content += fresh() + b"\n"
            expected[fresh.drawn[-1]] = [in_file(folder / f"{number}.txt", line=2)]
        (folder / f"{number}.txt").write_bytes(content)
    result = scan(tmp_path, jobs=2)
    assert places(result) == expected
    assert (lost(result), dict(result.coverage.counts)) == ([], {"files": 400})
    assert result.coverage.bytes == 400 * 6001 + 10 * 41
