"""A line chart as SVG, written by hand: few lines of markup, readable in light and dark mode, no plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 150, 52, 62
"""Pixels around the area of the lines: numbers and the vertical axis' name, names of lines, the title, the other."""
APART = 17
"""Pixels between names of lines at the least."""
STYLE = """
  .paper { fill: #ffffff } .grid { stroke: #d8dee4 } .axis { stroke: #57606a } text { fill: #1f2328 }
  .s0 { --c: #0969da } .s1 { --c: #bc4c00 } .s2 { --c: #8250df }
  .line { stroke: var(--c); fill: none; stroke-width: 2.5 } .dot, .name { fill: var(--c) } .name { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .grid { stroke: #30363d } .axis { stroke: #8d96a0 } text { fill: #e6edf3 }
    .s0 { --c: #58a6ff } .s1 { --c: #f0883e } .s2 { --c: #bc8cff }
  }
"""


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name, and its points from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


def line_chart(title: str, across: str, upwards: str, series: Sequence[Series]) -> str:
    """The chart; both axes begin at 0 and are named, with their units, by `across` and `upwards`."""
    points = [point for one in series for point in one.points]
    x_step, y_step = (_step(max((p[axis] for p in points), default=1) or 1) for axis in (0, 1))
    x_most = max(p[0] for p in points)
    y_most = y_step * math.ceil(max(p[1] for p in points) / y_step)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(value: float) -> float:
        return round(LEFT + value / x_most * (right - LEFT), 1)

    def y(value: float) -> float:
        return round(bottom - value / y_most * (bottom - TOP), 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text x="{LEFT}" y="28" font-size="15" font-weight="600">{escape(title)}</text>',
    ]
    for value in _ticks(y_step, y_most):
        out.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y(value)}" y2="{y(value)}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4.5}" text-anchor="end">{value:,g}</text>')
    for value in _ticks(x_step, x_most):
        out.append(f'<line class="axis" x1="{x(value)}" x2="{x(value)}" y1="{bottom}" y2="{bottom + 5}"/>')
        out.append(f'<text x="{x(value)}" y="{bottom + 21}" text-anchor="middle">{value:,.10g}</text>')
    out.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    middle = (TOP + bottom) / 2
    out.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 16}" text-anchor="middle">{escape(across)}</text>')
    out.append(f'<text transform="translate(20 {middle}) rotate(-90)" text-anchor="middle">{escape(upwards)}</text>')
    names = _spread([y(one.points[-1][1]) for one in series])
    for number, (one, place) in enumerate(zip(series, names, strict=True)):
        out.append(f'<g class="s{number % 3}">')
        out.append(f'<polyline class="line" points="{" ".join(f"{x(a)},{y(b)}" for a, b in one.points)}"/>')
        out += (f'<circle class="dot" cx="{x(a)}" cy="{y(b)}" r="3.5"/>' for a, b in one.points)
        label = f"{one.name} {one.points[-1][1]:,.{0 if one.points[-1][1] >= 10 else 1}f}"
        out.append(f'<text class="name" x="{x(one.points[-1][0]) + 10}" y="{place + 4.5}">{escape(label)}</text>')
        out.append("</g>")
    return "\n".join([*out, "</svg>", ""])


def _step(most: float) -> float:
    """A round number that goes into `most` at most six times."""
    size = 10 ** math.floor(math.log10(most / 6))
    return float(next(size * n for n in (1, 2, 5, 10) if most <= 6 * size * n))


def _ticks(step: float, most: float) -> list[float]:
    return [step * n for n in range(math.floor(most / step + 1e-9) + 1)]


def _spread(places: Sequence[float]) -> list[float]:
    """Heights of names that are far enough from each other, in the order given."""
    out = list(places)
    order = sorted(range(len(out)), key=lambda n: -out[n])
    for below, above in pairwise(order):
        out[above] = min(out[above], out[below] - APART)
    return out
