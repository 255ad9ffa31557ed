"""Sweeps are measured with real parts: sixty made-up repositories behind a git server, night after night. A store that
lacks what was planted, or has more, or in another state, is told.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import organization, sweep, sweep_runs
from benchmarks.measure import Run
from benchmarks.organization import Changed
from benchmarks.plants import Plant
from benchmarks.sweep import Results
from benchmarks.sweep_runs import Night, Sweeps, VoidSweepError, id_of, on_disk, wrong

REPOSITORIES = 60
AT_HEAD = Plant("team01/a", "head", "src/settings.py", "head", "github-pat", "f" * 26)
IN_HISTORY = Plant("team02/b", "history", "settings.go", "history", "npm-access-token", "g" * 26)
TWICE = tuple(Plant(name, "twice", "x.md", "head", "generic-secret", "h" * 26) for name in ("team03/c", "team04/d"))
ALL = (AT_HEAD, IN_HISTORY, *TWICE)


def kept(plant: Plant, state: str = "open", *names: str) -> dict[str, Any]:
    """A finding as a store tells it."""
    return {
        "id": id_of(plant.fingerprint),
        "detector": plant.detector,
        "state": state,
        "repositories": list(names) or [f"h/{plant.repository}"],
    }


STORE = [kept(AT_HEAD), kept(IN_HISTORY, "fixed in head"), kept(TWICE[0], "open", "h/team03/c", "h/team04/d")]

# --- what is wrong with a store --------------------------------------------------------------------------------------


def test_a_store_that_holds_what_was_planted_is_right() -> None:
    """Whatever the order."""
    assert wrong(ALL, STORE, "h/") == wrong(ALL[::-1], STORE[::-1], "h/") == []


@pytest.mark.parametrize(
    ("store", "told"),
    [
        (STORE[1:], "missed: github-pat in team01/a (head)"),
        (STORE[:2], "missed: generic-secret in team03/c (twice), generic-secret in team04/d (twice)"),
        ([*STORE[:2], kept(TWICE[0])],
         "generic-secret in team03/c (twice), generic-secret in team04/d (twice): found in ['h/team03/c']"),
        ([STORE[0], kept(IN_HISTORY), STORE[2]], "npm-access-token in team02/b (history): open, and not fixed in head"),
        ([kept(AT_HEAD, "open", "h/team09/z"), *STORE[1:]], "github-pat in team01/a (head): found in ['h/team09/z']"),
        ([kept(AT_HEAD) | {"detector": "other"}, *STORE[1:]], "github-pat in team01/a (head): found as other"),
        ([*STORE, kept(replace(AT_HEAD, fingerprint="z" * 26))], "nobody planted: github-pat in ['h/team01/a']"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_store_is_told(store: list[dict[str, Any]], told: str) -> None:
    """One that is not found, found elsewhere, in another state, by another detector; one that nobody planted."""
    assert wrong(ALL, store, "h/") == [told]


def test_what_was_pushed_is_planted_now() -> None:
    """A new secret comes, one that was taken from the head stands in history; other pushes change nothing."""
    new = Plant("team05/e", "head", "settings.md", "head", "github-pat", "e" * 26)
    gone = replace(AT_HEAD, reach="history")
    pushed = (
        Changed("team05/e", "secret", new),
        Changed("team06/f", "commit"),
        Changed(AT_HEAD.repository, "removal", gone),
    )
    assert sweep.planted_now(ALL, pushed) == (gone, IN_HISTORY, *TWICE, new)


def test_what_a_folder_takes_on_disk_is_what_its_files_take(tmp_path: Path) -> None:
    """Blocks, not bytes; nothing for a folder that is not there."""
    assert on_disk(tmp_path / "nothing") == 0
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "small").write_bytes(b"x")
    (tmp_path / "large").write_bytes(os.urandom(100_000))
    (tmp_path / "link").symlink_to("/usr/bin/env")
    assert 100_000 < on_disk(tmp_path) < 150_000


# --- what is told ----------------------------------------------------------------------------------------------------


def night(wall: float, searched: int, disk: int = 7, peak: int = 100) -> Night:
    """One that took so long."""
    run = Run(exit=0, cpu=wall * 2, wall=wall, peak=peak << 10, late=False, log="")
    return Night(run, {"searched": searched, "new": 3}, disk << 20)


def test_the_table_says_what_each_sweep_took() -> None:
    """Shares are of the first one's wall time; of what ran several times it has medians, and the summary the ratio.
    What was not sampled is not there."""
    results = Results(half=9 << 20, pushed=[Changed("team01/a", "branch")])
    results.nights = {"first": [night(10, 60)], "nothing new": [night(n / 10, 0) for n in (4, 5, 9)]}
    results.nights |= {"half the disk": [night(11, 60)]}
    alone, together = ([night(wall, 60, disk=0, peak=0) for wall in walls] for walls in ((8, 9), (4, 6)))
    results.nights |= {sweep.ALONE: alone, sweep.TOGETHER: together}
    assert sweep.table(results).splitlines()[2:] == [
        "| first | 10.0 | 100.0 % | 20.0 | 100 | 7 | 60 | 3 |",
        "| nothing new | 0.5 | 5.0 % | 1.0 | 100 | 7 | 0 | 3 |",
        "| half the disk | 11.0 | 110.0 % | 22.0 | 100 | 7 | 60 | 3 |",
        "| one process | 8.5 |  | 17.0 |  |  | 60 | 3 |",
        "| a process a core | 5.0 |  | 10.0 |  |  | 60 | 3 |",
    ]
    assert list(sweep.summary(results)) == [
        f"{sweep.cores()} processes: 1.75 (1.50–2.00) times the throughput of one",
        "half the disk: clones took at most 7 of 9 MiB",
        "pushed to: team01/a (branch)",
        "all planted secrets were found, in their states and repositories, and no others",
    ]


# --- sweeps ----------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_sweep_that_failed_is_void(tmp_path: Path) -> None:
    """A repository that is not there, and a target that is none."""
    urls = tmp_path / "urls.txt"
    urls.write_text("http://127.0.0.1:9/acme/web.git\n")
    with pytest.raises(VoidSweepError):
        Sweeps(tmp_path).run(str(urls))
    with pytest.raises(VoidSweepError, match="exit code 2"):
        Sweeps(tmp_path).run("nothing:at-all")


@pytest.mark.long
def test_sixty_repositories_night_after_night(tmp_path: Path) -> None:
    """All secrets are found in each sweep; only what was pushed to is searched again, unless a detector changed."""
    made = organization.make(tmp_path / "organization", REPOSITORIES, planted=0.35)
    results = sweep.measured(made, tmp_path, runs=1)
    assert results.wrong == []
    nights = {name: night for name, (night,) in results.nights.items()}
    assert {name: each.counts["searched"] for name, each in nights.items()} == {
        "first": REPOSITORIES,
        "nothing new": 0,
        "1 % changed": 1,
        "detector, rare keyword": REPOSITORIES,
        "detector, common keyword": REPOSITORIES,
        "half the disk": REPOSITORIES,
        sweep.ALONE: REPOSITORIES,
        sweep.TOGETHER: REPOSITORIES,
    }
    secrets = {plant.fingerprint for plant in made.plants}
    assert nights["1 % changed"].counts["new"] == 1
    assert {nights[name].counts["new"] for name in ("first", sweep.ALONE, sweep.TOGETHER)} == {len(secrets)}
    assert max(each.run.peak for each in nights.values()) < 500 << 10
    assert 0 < nights["half the disk"].disk < nights["first"].disk
    written = sweep.document(made, results)
    assert written["organization"] == {"repositories": REPOSITORIES, "seed": 1, "secrets": len(made.plants)}
    assert sweep_runs.on_disk(tmp_path / "served") == 0
