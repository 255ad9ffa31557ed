"""Medians of paired ratios, and the tables that show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import tables
from benchmarks.figures import Spread, ratios, spread


def test_ratios_are_taken_within_each_round() -> None:
    """The machine was slow in the second round, for both: the ratio of the medians would say 5."""
    assert ratios([1, 10, 2], [2, 20, 1]) == Spread(0.5, 0.5, 2)


def test_rounds_must_match() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratios([1], [0]) is None
    assert ratios([], []) is None


def test_a_spread_is_a_median_with_its_ends() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    assert Spread(0.5, 0.25, 2).text() == "0.50 (0.25–2.00)"
    assert Spread(12.34, 10, 20).text() == "12.3 (10.0–20.0)"


def row(tool: str, void: str = "", **figures: list[float]) -> tables.Row:
    """A result as `bench.py` writes it."""
    made = {"cpu": [1.0, 2.0], "wall": [1.0, 1.0], "peak": [1024, 2048]} | figures
    return {"group": "history", "target": "x", "tool": tool, "findings": 3, "void": void} | made


def test_a_void_run_has_no_figures_and_no_ratio() -> None:
    rows = [row("oakum"), row("a", cpu=[2.0, 4.0]), row("b", void="exit | code 2", cpu=[], wall=[], peak=[])]
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in tables.table(rows).splitlines()[2:]]
    assert lines[0][2:] == ["1.50", "1.00", "2", "3", "", "", ""]
    assert lines[1][6:] == ["0.50 (0.50–0.50)", "1.00 (1.00–1.00)", "1.00 (1.00–1.00)"]
    assert "void: exit \\| code 2" in tables.table(rows)
    assert tables.table([row("oakum", void="gone"), row("a")]).count("(") == 0


def test_tables_go_between_the_markers(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("a\n<!-- bench -->\nold\n<!-- end bench -->\nb\n")
    for text in ("new\n", "newer \\1\n"):
        tables.insert(file, text)
        assert file.read_text() == f"a\n<!-- bench -->\n{text}<!-- end bench -->\nb\n"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="needs one"):
        tables.insert(file, "new")


def test_the_page_of_the_documentation_has_its_markers(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "benchmarks.md"
    (tmp_path / "copy.md").write_text(page.read_text("utf-8"), "utf-8")
    tables.insert(tmp_path / "copy.md", "here\n")
    assert "-->\nhere\n<!--" in (tmp_path / "copy.md").read_text("utf-8")
