"""What somebody accepted, through whole scans: what is left out, what is not, and what is told about it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from git_repository import GitRepository
from oakum.scanner.config import load
from oakum.scanner.model import ScanResult, Secret, Suppression
from oakum.scanner.report import FORMATS, ReportOptions
from scanning import DETECTOR, Fresh, in_file, in_git, places, scan

OTHER = "generic-secret"
NOTHING = load("")
"""A configuration that says nothing."""


def by_value(value: bytes, **more: Any) -> Suppression:
    """The entry that accepts a secret."""
    return Suppression("why", fingerprint=Secret(value).fingerprint(), **more)


def by_place(path: str = "", detector: str = "", **more: Any) -> Suppression:
    """The entry that accepts what stands at some paths, or what a detector finds."""
    return Suppression("why", path=path, detector=detector, **more)


def own(target: Path, *entries: Suppression, **more: Any) -> ScanResult:
    """A scan of a target whose own configuration holds entries."""
    return scan(target, configured={os.fsencode(target): replace(NOTHING, allow=entries)}, **more)


def outcome(result: ScanResult) -> tuple[set[bytes], dict[str, int]]:
    """The secrets that are told, and what was left out."""
    return set(places(result)), dict(result.suppressed)


# --- secrets --------------------------------------------------------------------------------------------------------


def test_an_accepted_secret_is_left_out_wherever_it_stands(repo: GitRepository, fresh: Fresh) -> None:
    """In files, in history, in messages; and counted once. Others are not."""
    accepted, other = fresh(), fresh()
    repo.commit({"a.txt": accepted + b"\n" + other + b"\n", "b/c.txt": accepted + b"\n"})
    repo.commit({"a.txt": other + b"\n"}, f"no more {accepted.decode()}")
    assert outcome(scan(repo.path, suppressions=(by_value(accepted),))) == ({other}, {"accepted": 1})


def test_moved_and_rebased_it_is_the_same(repo: GitRepository, fresh: Fresh) -> None:
    """It goes by the value, not by path, line or commit. A new secret in its place is reported."""
    accepted, new = fresh(), fresh()
    repo.commit({"old.py": b"\n\nkey = '" + accepted + b"'\n"})
    entry = by_value(accepted)
    assert outcome(scan(repo.path, suppressions=(entry,))) == (set(), {"accepted": 1})
    repo.git("mv", "old.py", "new.py")
    repo.commit({"new.py": b"# moved\nother_name = '" + accepted + b"'\n"})
    repo.git("commit", "--quiet", "--amend", "-m", "another commit")
    assert outcome(scan(repo.path, suppressions=(entry,))) == (set(), {"accepted": 1})
    repo.commit({"new.py": b"# moved\nother_name = '" + new + b"'\n"})
    assert outcome(scan(repo.path, suppressions=(entry,))) == ({new}, {"accepted": 1})


def test_a_baseline_leaves_out_what_was_known(tmp_path: Path, fresh: Fresh) -> None:
    """By fingerprints; what came since is news."""
    known, new = fresh(), fresh()
    (tmp_path / "a.txt").write_bytes(known + b"\n" + new + b"\n")
    baseline = frozenset({Secret(known).fingerprint()})
    assert outcome(scan(tmp_path, baseline=baseline)) == ({new}, {"baseline": 1})


# --- places ---------------------------------------------------------------------------------------------------------


def test_a_path_takes_out_places_and_not_the_secret(repo: GitRepository, fresh: Fresh) -> None:
    """It is still told for its other places; a value that stands only there is left out, and counted once."""
    both, there = fresh(), fresh()
    here = repo.commit(
        {"tests/data/a.txt": both + b"\n" + there + b"\n", "b.txt": both + b"\n", "tests/c": there + b"\n"}
    )
    result = scan(repo.path, suppressions=(by_place("tests/**"),))
    assert places(result) == {both: [in_git(repo.blob("HEAD:b.txt"), "b.txt", here, "head")]}
    assert dict(result.suppressed) == {"accepted path": 2}


def test_a_detector_is_the_one_that_names_the_finding(tmp_path: Path, fresh: Fresh) -> None:
    """What another one names is told, though this one took it, too."""
    token, other = fresh(), fresh("hex:40")
    (tmp_path / "a.txt").write_bytes(b"".join(b'api_secret = "' + value + b'"\n' for value in (token, other)))
    assert [r.finding.also for r in scan(tmp_path).findings if r.finding.detector.id == DETECTOR] == [(OTHER,)]
    assert outcome(scan(tmp_path, suppressions=(by_place(detector=DETECTOR),))) == ({other}, {"accepted detector": 1})
    assert outcome(scan(tmp_path, suppressions=(by_place(detector=OTHER),))) == ({token}, {"accepted detector": 1})
    assert outcome(scan(tmp_path, suppressions=(by_place("*.txt", OTHER),))) == ({token}, {"accepted path": 1})


def test_paths_are_those_inside_of_the_target(tmp_path: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the way to it is called, be it a repository or a folder; also where it has the name of a folder in it."""
    secret = fresh()
    for name in ("plain/sub", "work/work"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.txt").write_bytes(secret + b"\n")
    GitRepository.create(tmp_path / "work")
    monkeypatch.chdir(tmp_path)
    for target, path in (("plain", "/sub/a.txt"), (tmp_path / "plain", "/sub/a.txt"), ("plain/sub", "/a.txt")):
        assert outcome(scan(target, suppressions=(by_place(path),))) == (set(), {"accepted path": 1}), target
    for target in ("work", "./work/", tmp_path / "work"):
        for history in (True, False):
            found = scan(target, suppressions=(by_place("/work/a.txt"),), history=history)
            assert outcome(found) == (set(), {"accepted path": 1}), target
            found = scan(target, suppressions=(by_place("/a.txt"),), history=history)
            assert outcome(found) == ({secret}, {}), target


def test_a_message_has_no_path(repo: GitRepository, fresh: Fresh) -> None:
    """No pattern takes it out; a detector does."""
    secret = fresh()
    repo.commit({}, f"use {secret.decode()}")
    assert outcome(scan(repo.path, suppressions=(by_place("**"),)))[0] == {secret}
    assert outcome(scan(repo.path, suppressions=(by_place(detector=DETECTOR),)))[0] == set()


# --- several targets ------------------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path, fresh: Fresh) -> tuple[Path, Path]:
    """Two folders with the same secret."""
    secret = fresh()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_bytes(secret + b"\n")
    return tmp_path / "one", tmp_path / "two"


@pytest.mark.parametrize("how", ["value", "path", "detector"])
def test_what_one_target_accepts_is_told_of_another(two: tuple[Path, Path], fresh: Fresh, how: str) -> None:
    """With its places there, and only these."""
    secret = fresh.drawn[0]
    entry = {"value": by_value(secret), "path": by_place("a.txt"), "detector": by_place(detector=DETECTOR)}[how]
    accepting = replace(NOTHING, allow=(entry,))
    first, second = map(os.fsencode, two)
    result = scan(*two, configured={first: accepting, second: NOTHING})
    assert places(result) == {secret: [in_file(two[1] / "a.txt")]}
    result = scan(*two, configured={first: accepting, second: accepting})
    assert len(result.suppressed) == 1
    assert places(result) == {}
    assert places(scan(*two, suppressions=(entry,))) == {}


def test_each_target_has_its_own_band_and_largest_size(two: tuple[Path, Path], fresh: Fresh) -> None:
    """A secret that stands in two is told if one of them wants it."""
    secret = fresh.drawn[0]
    first, second = map(os.fsencode, two)
    few, small = replace(NOTHING, min_band="critical"), replace(NOTHING, max_size=3)
    (two[0] / "tests").mkdir()
    (two[0] / "a.txt").rename(two[0] / "tests" / "a.txt")
    assert {r.band for r in scan(two[0]).findings} <= {"high", "medium", "low"}
    alone = scan(two[0], configured={first: few})
    assert (outcome(alone), alone.below_band) == ((set(), {}), 1)
    assert places(scan(*two, configured={first: few, second: NOTHING})).keys() == {secret}
    assert places(scan(*two, configured={second: small})) == {secret: [in_file(two[0] / "tests" / "a.txt")]}


# --- days, and entries that do nothing ------------------------------------------------------------------------------


def test_an_expired_entry_takes_out_nothing_and_is_told(tmp_path: Path, fresh: Fresh) -> None:
    """Whoever's it is. The day is that of the scan."""
    secret = fresh()
    (tmp_path / "a.txt").write_bytes(secret + b"\n")
    over, last = by_value(secret, expires=date(2026, 12, 31)), by_value(secret, expires=date(2027, 1, 1))
    result = scan(tmp_path, suppressions=(over, by_place("a.txt", expires=date(2020, 1, 1))))
    assert (outcome(result)[0], len(result.expired)) == ({secret}, 2)
    result = own(tmp_path, over, last)
    assert (outcome(result), result.expired, result.stale) == ((set(), {"accepted": 1}), (over,), ())


def test_an_entry_that_matched_nothing_is_told(repo: GitRepository, fresh: Fresh) -> None:
    """Of those of the target itself: the user's own are for others, too. One that another covers is not one."""
    secret = fresh()
    repo.commit({"tests/a.txt": secret + b"\n"})
    used = (by_place("tests/**"), by_place("*.txt", DETECTOR))
    stale = (by_value(b"gone"), by_place("old/**"), by_place("*.txt", OTHER), by_place(detector="acme-key"))
    result = own(repo.path, *used, *stale)
    assert (outcome(result), result.stale) == ((set(), {"accepted path": 1}), stale)
    assert own(repo.path, *used, *stale, suppressions=stale[1:]).stale == stale[:1]
    assert scan(repo.path, suppressions=stale).stale == ()
    folder = own(repo.path / "tests", by_place("a.txt"), *stale)
    assert folder.stale == stale


@pytest.mark.parametrize(
    "part",
    [{"history": False}, {"range_": "HEAD~1..HEAD"}, {"branch": "main"}, {"since": "2020-01-01"}, {"staged": True}],
    ids=str,
)
def test_a_scan_of_a_part_does_not_know_what_is_stale(repo: GitRepository, part: dict[str, Any]) -> None:
    """It may stand in the rest."""
    repo.commit({"a.txt": b"\n"})
    assert own(repo.path, by_place("old/**")).stale != ()
    assert own(repo.path, by_place("old/**"), **part).stale == ()


def test_nor_does_a_scan_that_could_not_search_all(repo: GitRepository, tmp_path: Path, fresh: Fresh) -> None:
    """A missing object, a shallow clone, Ctrl-C; and findings below the band have no fingerprint."""
    secret = fresh()
    repo.commit({"tests/a.txt": secret + b"\n"})
    repo.commit({"b.txt": b"b\n"})
    entries = (by_value(secret), by_place("old/**"))
    shallow = GitRepository.create(tmp_path / "shallow")
    shallow.git("fetch", "--quiet", "--depth=1", repo.path.as_uri(), "main:fetched")
    assert own(shallow.path, *entries).stale == ()
    result = own(repo.path, *entries)
    assert (outcome(result), result.stale) == ((set(), {"accepted": 1}), entries[1:])

    def stop(what: str, done: int, _total: int) -> None:
        if what == "fingerprints" and done:
            raise KeyboardInterrupt

    result = own(repo.path, *entries, progress=stop)
    assert (result.interrupted, result.stale) == (True, ())
    os.unlink(repo.object_path(repo.blob("HEAD:b.txt")))
    assert own(repo.path, *entries).stale == ()


def test_entries_for_secrets_below_the_band_are_not_stale(tmp_path: Path, fresh: Fresh) -> None:
    """Only what is reported has a fingerprint."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.txt").write_bytes(fresh() + b"\n")
    entries = (by_value(fresh.drawn[0]), by_place("old/**"))
    few = replace(NOTHING, min_band="critical", allow=entries)
    result = scan(tmp_path, configured={os.fsencode(tmp_path): few})
    assert (result.below_band, result.stale) == (1, entries[1:])


@pytest.mark.parametrize("name", ["text", "json"])
def test_what_is_told_of_an_entry_shows_no_secret(tmp_path: Path, fresh: Fresh, name: str) -> None:
    """Somebody may write it into the reason."""
    secret = fresh()
    (tmp_path / "a.txt").write_bytes(secret + b"\n")
    text = secret.decode()
    entry = Suppression(f"it is {text}", path=f"{text}/**", by=text, seen=text)
    result = own(tmp_path, entry, replace(entry, expires=date(2020, 1, 1)))
    assert (len(result.stale), len(result.expired)) == (1, 1)
    assert text not in "".join(FORMATS[name].render(result, ReportOptions()))


# --- again ----------------------------------------------------------------------------------------------------------


def test_a_second_scan_asks_anew(repo: GitRepository, tmp_path: Path, fresh: Fresh) -> None:
    """What is kept of a scan is what was found, not what was told: an entry that comes or goes counts at once."""
    secret, other = fresh(), fresh()
    repo.commit({"a.txt": secret + b"\n", "tests/b.txt": other + b"\n"})
    cache = str(tmp_path / "cache")
    entries = (by_value(secret), by_place("tests/**"))
    for chosen in ((), entries, entries[:1], entries[1:], ()):
        warm = own(repo.path, *chosen, cache=cache)
        cold = own(repo.path, *chosen)
        assert told(warm) == told(cold)
        assert outcome(warm)[0] == {secret, other} - ({secret} if entries[0] in chosen else set()) - (
            {other} if entries[1] in chosen else set()
        )


def told(result: ScanResult) -> dict[str, Any]:
    """A whole report, but for the time that it took."""
    document: dict[str, Any] = json.loads("".join(FORMATS["json"].render(result, ReportOptions())))
    del document["summary"]["seconds"]
    return document
