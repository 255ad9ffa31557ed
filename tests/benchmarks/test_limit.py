"""Histories made up for measuring are the same each time; the limit's lines are those of all blobs; charts say it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import growth, made_up, many_objects
from benchmarks.chart import Series, line_chart
from benchmarks.git import git
from benchmarks.growth import Figure
from benchmarks.limit import Lines

SVG = "{http://www.w3.org/2000/svg}"


def blobs(repository: Path, ref: str = "main") -> list[bytes]:
    """The versions of the one file, oldest first."""
    commits = git(repository, "rev-list", "--reverse", ref).decode().split()
    return [git(repository, "cat-file", "blob", f"{c}:src/model.py") for c in commits]


def lines(content: bytes) -> set[bytes]:
    """Its lines; what stands behind the last newline is one."""
    return set(content.split(b"\n"))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A history of forty edits, packed, and its beginning."""
    source = tmp_path / "all.git"
    made_up.build(source, growth.history([10, 40], size=3000), depth=5)
    made_up.cut(source, "refs/heads/at-10", tmp_path / "10.git")
    return source


def test_each_commit_inserts_or_changes_a_line(made: Path) -> None:
    versions = blobs(made)
    assert len(versions) == 40
    for one, other in pairwise(versions):
        old, new = one.splitlines(), other.splitlines()
        assert len(new) - len(old) in (0, 1)
        assert len(set(new) - set(old)) == 1
        assert len(set(old) - set(new)) <= 1
    assert {len(b.splitlines()) - len(a.splitlines()) for a, b in pairwise(versions)} == {0, 1}


def test_a_cut_is_the_beginning_of_a_history(made: Path, tmp_path: Path) -> None:
    assert blobs(tmp_path / "10.git") == blobs(made)[:10] == blobs(made, "at-10")
    made_up.build(tmp_path / "again.git", growth.history([10, 40], size=3000), depth=5)
    assert git(tmp_path / "again.git", "rev-parse", "main") == git(made, "rev-parse", "main")


@pytest.mark.parametrize("name", ["all.git", "10.git"])
def test_the_lines_are_those_of_all_blobs_each_once(made: Path, name: str) -> None:
    found = Lines()
    found.gather(made.parent / name)
    gathered = b"\n".join(found.buffers).split(b"\n")
    wanted = set().union(*map(lines, blobs(made.parent / name)))
    assert sorted(line for line in gathered if line) == sorted(line for line in wanted if line)
    assert found.count == len(gathered)


def test_a_commit_brings_as_many_objects_as_it_says(tmp_path: Path) -> None:
    for files in (1, 5):
        repository = many_objects.make(tmp_path, 800, files)
        assert many_objects.count(repository) == pytest.approx(800, rel=0.02)


def test_a_tool_that_took_too_long_is_told() -> None:
    figures = {"oakum": {1: Figure(2.0), 2: Figure(3.0)}, "other": {1: Figure(8.0), 2: Figure(void="over 600 s")}}
    assert growth.table(figures, [1, 2]).splitlines()[2:] == [
        "| 1 | 2.0 | 8.0 | 0.250 |",
        "| 2 | 3.0 | over 600 s |  |",
    ]


def test_a_chart_names_its_axes_and_lines() -> None:
    drawn = ElementTree.fromstring(
        line_chart(
            "A & B", "commits", "time, seconds", [Series("a", [(0, 0), (100, 40)]), Series("b", [(0, 0), (50, 41)])]
        )
    )
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert texts == [
        "A & B",
        *("0", "10", "20", "30", "40", "50"),
        *("0", "20", "40", "60", "80", "100"),
        *("commits", "time, seconds", "a 40", "b 41"),
    ]
    ends = [line.attrib["points"].split()[-1] for line in drawn.iter(f"{SVG}polyline")]
    assert ends == ["610.0,109.2", "343.0,103.5"]
    names = [float(text.attrib["y"]) for text in list(drawn.iter(f"{SVG}text"))[-2:]]
    assert abs(names[0] - names[1]) >= 17
