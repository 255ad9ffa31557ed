"""The tree of a listing: which containers and folders hold how much, and where names tell of credentials.

A few lines of many folders: the one with the most risk (then the largest) is opened first, as long as there is room.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..listed import Extent, Target
from ..model import BANDS, clean
from .amounts import counted, fitted, size_of

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
    waiting: list[tuple[tuple[int, ...], int, Node]] = []
    number = 0
    for node in top[:INSIDE]:
        number += 1
        heapq.heappush(waiting, (tuple(-part for part in node.weight), number, node))
    while waiting and left > 0:
        _, _, node = heapq.heappop(waiting)
        if not node.inside:
            continue
        node.open = True
        left -= min(len(node.inside), INSIDE) + (len(node.inside) > INSIDE)
        for child in node.inside[:INSIDE]:
            number += 1
            heapq.heappush(waiting, (tuple(-part for part in child.weight), number, child))
    access = {name: container.access for name, container in target.containers.items()}
    yield from _drawn(top, 1, _names(width), shown, access)


def _names(width: int) -> int:
    """Columns for the names of folders."""
    return max(20, width - 54)


def _drawn(
    nodes: list[Node], depth: int, names: int, shown: Callable[[bytes], bytes], access: dict[bytes, str]
) -> Iterator[str]:
    for node in nodes[:INSIDE]:
        open_to_all = _ACCESS.get(access.get(node.name, ""), "") if depth == 1 else ""
        yield _line("  " * depth + (clean(shown(node.name)) or "(all of it)"), node.extent, names, open_to_all)
        if node.open:
            yield from _drawn(node.inside, depth + 1, names, shown, access)
    rest = nodes[INSIDE:]
    if rest:
        total = Extent()
        for node in rest:
            total.add(node.extent)
        what = "container" if depth == 1 else "folder"
        yield _line("  " * depth + f"… {counted(len(rest), f'more {what}')}", total, names, "")


_ACCESS = {"list": "anybody can list it", "read": "anybody can read what he knows the name of"}


def _line(name: str, extent: Extent, names: int, note: str) -> str:
    size = "?" if extent.unsized == extent.objects else size_of(extent.size) + ("+" if extent.unsized else "")
    said = ", ".join(filter(None, (_named(extent), note)))
    return _columns(name, f"{extent.objects:,}", size, _span(extent), said, names)


def _columns(name: str, objects: str, size: str, changed: str, said: str, names: int) -> str:
    return f"{fitted(name, names)} {objects:>11} {size:>10}  {changed:<9}  {said}".rstrip()


def _named(extent: Extent) -> str:
    """The worst band with its count, and how many more there are."""
    counts = [(count, band) for count, band in zip(extent.named, BANDS, strict=True) if count]
    more = sum(count for count, _ in counts[1:])
    return "".join(f"{count:,} {band}" for count, band in counts[:1]) + (f" +{more:,}" if more else "")


def _span(extent: Extent) -> str:
    first, last = extent.oldest[:4].decode("ascii", "replace"), extent.newest[:4].decode("ascii", "replace")
    return first if first == last else f"{first}-{last}"


def heading(width: int) -> str:
    """What stands above the columns."""
    return _columns("what lies there", "objects", "size", "changed", "names that tell", _names(width))
