"""Results as Markdown: a table for each kind of target, what the figures depend on, and where they go in a page."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median
from typing import Any

from .figures import ratios

TITLES = {
    "history": "Whole history",
    "again": "The same once more, nothing new",
    "tree": "A tree of files",
    "small": "One small file, caches warm",
    "cold": "Own caches empty",
}
HEADS = "target|tool|CPU s|wall s|peak MiB|findings|CPU: oakum / it|wall: oakum / it|peak: oakum / it".split("|")

Row = dict[str, Any]


def page(about: Row, results: list[Row]) -> str:
    """All tables, and what they depend on."""
    parts = []
    for group, title in TITLES.items():
        rows = [r for r in results if r["group"] == group]
        if rows:
            parts.append(f"### {title}\n\n{table(rows)}")
    return "\n".join([*parts, notes(about)])


def table(rows: list[Row]) -> str:
    """A row for each tool on each target; a ratio below 1 says that oakum took less."""
    ours = {r["target"]: r for r in rows if r["tool"] == "oakum"}
    lines = ["| " + " | ".join(HEADS) + " |", "|---|---|" + "--:|" * 4 + "--|" * 3]
    for row in rows:
        cells = [row["target"], row["tool"]]
        if row["void"]:
            cells += [f"void: {row['void']}".replace("|", "\\|"), *[""] * 6]
        else:
            peak = f"{median(row['peak']) / 1024:.0f}" if any(row["peak"]) else ""
            cells += [f"{median(row['cpu']):.2f}", f"{median(row['wall']):.2f}", peak, str(row["findings"])]
            cells += [against(ours.get(row["target"]), row, what) for what in ("cpu", "wall", "peak")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def against(ours: Row | None, theirs: Row, what: str) -> str:
    """The ratio of two tools' runs, or nothing where one of them has none."""
    if ours is None or ours["void"] or theirs["tool"] == "oakum":
        return ""
    found = ratios(ours[what], theirs[what])
    return found.text() if found else ""


def notes(about: Row) -> str:
    """Machine, versions, sizes."""
    tools = ", ".join(f"{name} {version}".strip() for name, version in about["tools"].items())
    sizes = "; ".join(
        f"{name}: " + ", ".join(f"{value:,} {what}" for what, value in scope.items())
        for name, scope in about["targets"].items()
    )
    return (
        f"{about['date']}, {about['runs']} runs each; {about['processor']}, {about['cores']} cores, {about['memory']}, "
        f"{about['system']}, Python {about['python']}. {tools}. Targets: {sizes}.\n"
    )


def insert(file: Path, text: str, name: str = "bench") -> None:
    """Put the tables between a page's markers."""
    before = file.read_text("utf-8")
    block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end {name} -->)", re.DOTALL)
    after, number = block.subn(lambda _: text, before)
    if number != 1:
        raise ValueError(f"{file} needs one <!-- {name} --> with its <!-- end {name} -->, each on a line of its own")
    file.write_text(after, "utf-8")
