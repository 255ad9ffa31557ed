"""The tree of a listing: which containers and folders hold how much, and where names tell of credentials.

A few lines of many folders: the one with the most risk (then the largest) is opened first, as long as there is room.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..listed import Extent, Target
from ..model import BANDS, clean
from .amounts import counted, size_of

LINES = 30
"""Lines of a tree."""
INSIDE = 8
"""Folders of one that are shown; the others are counted in a line."""
_WEIGHTS = (1000, 300, 30, 1)
"""What an object in each of `BANDS` counts, where it is chosen what to show."""


@dataclass(slots=True)
class Node:
    """A container or a folder: its name, all that lies below it, and the folders in it, the weightiest first."""

    name: bytes
    extent: Extent
    inside: list[Node] = field(default_factory=list)
    open: bool = False

    @property
    def weight(self) -> tuple[int, int, int]:
        """Risk, then size, then objects."""
        risk = sum(count * weight for count, weight in zip(self.extent.named, _WEIGHTS, strict=True))
        return risk, self.extent.size, self.extent.objects


def roots(target: Target) -> list[Node]:
    """The containers of a target, the weightiest first, each with its folders."""
    nodes: dict[tuple[bytes, bytes], Node] = {}
    top: list[Node] = []
    for container, prefix in sorted(target.tree):
        above, _, name = prefix.removesuffix(b"/").rpartition(b"/")
        node = nodes[container, prefix] = Node(name + b"/" if prefix else container, target.tree[container, prefix])
        parent = nodes[container, above + b"/" if above else b""] if prefix else None
        (parent.inside if parent else top).append(node)
    for node in nodes.values():
        node.inside.sort(key=lambda n: n.weight, reverse=True)
    for node in nodes.values():
        while (
            len(node.inside) == 1 and node.inside[0].extent.objects == node.extent.objects and node.name.endswith(b"/")
        ):
            node.name, node.inside = node.name + node.inside[0].name, node.inside[0].inside
    return sorted(top, key=lambda n: n.weight, reverse=True)


def lines(target: Target, shown: Callable[[bytes], bytes], width: int) -> Iterator[str]:
    """The tree, a line each."""
    top = roots(target)
    left = LINES - min(len(top), INSIDE)
    waiting = [
        ((-risk, -size, -objects), n, node)
        for n, node in enumerate(top[:INSIDE])
        for risk, size, objects in (node.weight,)
    ]
    heapq.heapify(waiting)
    number = len(waiting)
    while waiting and left > 0:
        _, _, node = heapq.heappop(waiting)
        if not node.inside:
            continue
        node.open = True
        left -= min(len(node.inside), INSIDE) + (len(node.inside) > INSIDE)
        for child in node.inside[:INSIDE]:
            risk, size, objects = child.weight
            number += 1
            heapq.heappush(waiting, ((-risk, -size, -objects), number, child))
    access = {name: container.access for name, container in target.containers.items()}
    names = max(20, width - 68)
    yield from _drawn(top, 1, names, shown, access)


def _drawn(
    nodes: list[Node], depth: int, names: int, shown: Callable[[bytes], bytes], access: dict[bytes, str]
) -> Iterator[str]:
    for node in nodes[:INSIDE]:
        name = "  " * depth + (clean(shown(node.name)) or "(the container itself)" if node.name else "(all of it)")
        open_to_all = _ACCESS.get(access.get(node.name, ""), "") if depth == 1 else ""
        yield _line(name, node.extent, names) + open_to_all
        if node.open:
            yield from _drawn(node.inside, depth + 1, names, shown, access)
    rest = nodes[INSIDE:]
    if rest:
        total = Extent()
        for node in rest:
            total.add(node.extent)
        what = "container" if depth == 1 else "folder"
        yield _line("  " * depth + f"… {counted(len(rest), f'more {what}')}", total, names)


_ACCESS = {"list": "  anybody can list it", "read": "  anybody can read what he knows the name of"}


def _line(name: str, extent: Extent, names: int) -> str:
    if len(name) > names:
        name = name[: names - 1] + "…"
    size = "?" if extent.unsized == extent.objects else size_of(extent.size) + ("+" if extent.unsized else "")
    days = _span(extent)
    bands = ", ".join(f"{count:,} {band}" for band, count in zip(BANDS, extent.named, strict=True) if count)
    return f"{name:<{names}} {counted(extent.objects, 'object'):>18} {size:>10}  {days:<9}  {bands}".rstrip()


def _span(extent: Extent) -> str:
    first, last = extent.oldest[:4].decode("ascii", "replace"), extent.newest[:4].decode("ascii", "replace")
    return first if first == last else f"{first}-{last}"
