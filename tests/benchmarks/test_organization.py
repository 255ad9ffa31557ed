"""A made-up organization is the same each time, as unequal as in life, and every planted secret is where its manifest
says: the whole pipeline finds it there.
"""

from __future__ import annotations

import functools
import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from git_repository import utc
from oakum.scanner.model import ScanResult
from oakum.scanner.pipeline.options import ScanOptions
from oakum.scanner.pipeline.scan import scan as run_scan
from oakum.scanner.pipeline.workers import Searcher, searcher_for
from oakum.scanner.report import ReportOptions
from oakum.scanner.report.structured import finding_object
from scanning import lost

from benchmarks import histories, organization, plants
from benchmarks.git import git
from benchmarks.organization import Organization, What
from benchmarks.plants import WHERE, Plant

REPOSITORIES = 60
SEED, SHARE = 35, 0.35
OPTIONS = ScanOptions(environment=dict(os.environ), now=utc(2027))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Organization:
    """Sixty repositories, of which twenty-one have a secret: every kind of place, and most kinds of secrets."""
    folder = tmp_path_factory.mktemp("organization") / "acme"
    return organization.make(folder, REPOSITORIES, seed=SEED, planted=SHARE)


@pytest.fixture
def copy(made: Organization, tmp_path: Path) -> Organization:
    """The same, to push to."""
    shutil.copytree(made.folder, tmp_path / "copy")
    return replace(made, folder=tmp_path / "copy")


def refs(made: Organization) -> dict[str, bytes]:
    """Of each repository its default branch, and all refs with what they name."""
    return {
        name: git(made.repository(name), "symbolic-ref", "HEAD") + git(made.repository(name), "for-each-ref")
        for name in made.names
    }


@functools.cache
def searcher() -> Searcher:
    """Made once for all repositories, as in a sweep."""
    return searcher_for(OPTIONS)


def scan(target: Path) -> ScanResult:
    """A scan of the whole pipeline."""
    result = run_scan([os.fsencode(target)], OPTIONS, io.BytesIO(), searcher())
    assert lost(result) == []
    return result


def found(repository: Path) -> dict[str, tuple[str, set[tuple[str, str]]]]:
    """What a scan finds: fingerprint to detector and places, each a path and how it is reached."""
    result = scan(repository)
    objects: list[dict[str, Any]] = [finding_object(each, ReportOptions()) for each in result.findings]
    return {
        each["fingerprint"]: (
            each["detector"],
            {(o["origin"].get("path", ""), o["origin"]["reachable"]) for o in each["occurrences"]},
        )
        for each in objects
    }


# --- what there is ---------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_organization(made: Organization, tmp_path: Path) -> None:
    """Objects, refs and manifest; another seed makes another one."""
    few = [organization.make(tmp_path / f"{n}", 6, seed, planted=0.5) for n, seed in enumerate((3, 3, 4))]
    assert refs(few[0]) == refs(few[1])
    assert few[0].plants == few[1].plants
    assert refs(few[0]) != refs(few[2])
    assert {plant.fingerprint for plant in few[0].plants}.isdisjoint({p.fingerprint for p in few[2].plants})


def test_most_are_small_and_a_few_have_thousands_of_commits() -> None:
    """Of the thousand that are measured with."""
    numbers = sorted(organization.commits_of(organization.SEED, n) for n in range(organization.REPOSITORIES))
    assert numbers[0] == 1
    assert sum(n <= 100 for n in numbers) > 550
    assert 30 <= sum(n >= 1_000 for n in numbers) <= 90
    assert numbers[-1] <= organization.MOST


@pytest.mark.parametrize("repositories", [1, 10, 30, 60, 999, 1000])
def test_exactly_one_in_twenty_has_a_secret(repositories: int) -> None:
    """However many there are; none of them is an empty one, and all kinds of places are used as often as each other."""
    chosen = organization.chosen(repositories, 1, organization.PLANTED)
    assert len(chosen) == round(0.05 * repositories)
    assert not any(map(organization.is_empty, chosen))
    often = [sum(where == each for where, _ in chosen.values()) for each in WHERE if each != "twice"]
    assert max(often) - min(often) <= 1
    twice = [drawn.fingerprint for where, drawn in chosen.values() if where == "twice"]
    assert len(twice) == 2 * len(set(twice))


def test_there_is_all_that_organizations_have(made: Organization) -> None:
    """Empty repositories, other default branches, branches, tags, pull requests, submodules, LFS pointers, owners."""
    everything = refs(made)
    assert sum(told.count(b"\n") == 1 for told in everything.values()) == sum(map(organization.is_empty, range(60)))
    heads = {told.split()[0] for told in everything.values()}
    assert b"refs/heads/main" in heads
    assert len(heads) > 1
    named = b"".join(everything.values())
    for part in (b"refs/heads/feature/", b"refs/pull/", b"refs/tags/v1.", b" tag\trefs/tags/v2.0"):
        assert part in named
    files = set()
    for number, name in enumerate(made.names):
        if not organization.is_empty(number):
            files |= set(git(made.repository(name), "ls-tree", "-r", "--name-only", "HEAD").decode().splitlines())
    assert {"README.md", ".gitmodules", "private", ".lfsconfig", "model.bin", ".github/CODEOWNERS"} <= files
    assert len({Path(name).suffix for name in files} & set(histories.FORMS)) == len(histories.FORMS)


def test_a_fork_has_the_first_commits_of_another_repository(made: Organization) -> None:
    """By their ids, and then others; and no secret of it."""
    held = frozenset(made.names.index(plant.repository) for plant in made.plants)
    forks = [(n, source) for n in range(REPOSITORIES) if (source := organization.source_of(n, held))]
    assert forks
    for number, source in forks:
        ours, theirs = (
            git(made.repository(made.names[n]), "rev-list", "--reverse", "HEAD").split() for n in (number, source)
        )
        assert ours[0] == theirs[0]
        assert set(ours) - set(theirs)
        assert source not in held


# --- what is planted -------------------------------------------------------------------------------------------------


def test_every_secret_is_found_where_the_manifest_says(made: Organization) -> None:
    """By the whole pipeline; and nothing else is found in these repositories."""
    of_repository: dict[str, list[Plant]] = {}
    for plant in made.plants:
        of_repository.setdefault(plant.repository, []).append(plant)
    assert {plant.where for plant in made.plants} == set(WHERE)
    for name, those in of_repository.items():
        there = found(made.repository(name))
        assert set(there) == {plant.fingerprint for plant in those}
        for plant in those:
            detector, places = there[plant.fingerprint]
            assert detector == plant.detector
            assert (plant.path, plant.reach) in places


@pytest.mark.long
def test_nothing_is_found_where_nothing_is_planted(made: Organization) -> None:
    """Made-up text is no secret."""
    held = {plant.repository for plant in made.plants}
    assert [name for name in made.names if name not in held and found(made.repository(name))] == []


@pytest.mark.parametrize("kind", range(len(plants.KINDS)), ids=plants.KINDS)
def test_each_kind_of_secret_is_one_finding(kind: int, tmp_path: Path) -> None:
    """Of its own detector, with the fingerprint that is noted; in the middle of a file of any language."""
    for number in range(3):
        drawn = plants.draw(kind, f"test {number}")
        path, content = histories.settings(Random(number), drawn.text)
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        result = scan(file)
        assert [(f.finding.detector.id, f.finding.secret.fingerprint()) for f in result.findings] == [
            (drawn.detector, drawn.fingerprint)
        ]


def test_no_secret_stands_in_the_manifest(made: Organization) -> None:
    """But its fingerprint does."""
    manifest = made.folder.with_name("acme.json").read_bytes()
    for _, drawn in organization.chosen(REPOSITORIES, SEED, SHARE).values():
        assert drawn.fingerprint.encode() in manifest
        words = [word for word in drawn.text.replace(b'"', b" ").split() if len(word) >= 16]
        assert not any(word in manifest for word in words)


# --- made once, and pushed to ----------------------------------------------------------------------------------------


def test_what_is_there_is_taken_and_what_is_half_made_is_made_anew(tmp_path: Path) -> None:
    """A run that was killed leaves nothing behind that is taken for whole; another organization is not taken either."""
    (tmp_path / "acme.new" / "team00").mkdir(parents=True)
    made = organization.make(tmp_path / "acme", 4, planted=0.5)
    before = refs(made)
    assert not (tmp_path / "acme.new").exists()
    assert organization.make(tmp_path / "acme", 4, planted=0.5) == made
    assert refs(made) == before
    with pytest.raises(SystemExit, match="another organization"):
        organization.make(tmp_path / "acme", 5, planted=0.5)
    (tmp_path / "acme.json").unlink()
    with pytest.raises(SystemExit, match="another organization"):
        organization.make(tmp_path / "acme", 4, planted=0.5)


def test_pushes_change_what_they_say(made: Organization, copy: Organization) -> None:
    """A commit with a secret and one without, one that takes a secret away, a rewritten history, a branch."""
    before = refs(made)
    pushed = organization.change(copy, 0.1, 7)
    after = refs(copy)
    assert {name for name in made.names if before[name] != after[name]} == {one.repository for one in pushed}
    assert [one.what for one in pushed] == ["secret", "commit", "removal", "force-push", "branch", "secret"]
    for one in pushed:
        _assert_pushed(made.repository(one.repository), copy.repository(one.repository), one.what)
        if one.plant:
            places = found(copy.repository(one.repository))[one.plant.fingerprint][1]
            assert {reach for path, reach in places if path == one.plant.path} == {one.plant.reach}
    assert organization.change(replace(made, folder=copy.folder), 0.1, 8) != pushed


def _assert_pushed(before: Path, after: Path, what: What) -> None:
    old, new = (git(repository, "rev-list", "HEAD").split() for repository in (before, after))
    if what == "force-push":
        assert new[0] not in old
        assert new[1:] == old[1:]
    elif what == "branch":
        assert new == old
        assert git(after, "for-each-ref", "refs/heads/later/").count(b"\n") == 1
    else:
        assert new[1:] == old


def test_the_manifest_can_be_read_by_others(made: Organization) -> None:
    """It is JSON with every secret's place."""
    told = json.loads(made.folder.with_name("acme.json").read_text())
    assert [Plant(**each) for each in told["plants"]] == list(made.plants)
    assert (told["repositories"], told["seed"], told["planted"]) == (REPOSITORIES, SEED, SHARE)
