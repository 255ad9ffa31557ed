"""Ordinary text that is on every machine: Python's own library and our own code.

The same Python and the same repository give the same text. Our detectors and tests are left out: they are full of what
only looks like secrets.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST = 20 << 20
"""Bytes of Python's library that are taken: some ship its tests, some do not, and they come last."""
OURS = ("scanner", "docs", "benchmarks")


def corpus() -> list[bytes]:
    """The text, file by file."""
    return [*library(), *ours()]


def library() -> Iterator[bytes]:
    """Python's own modules, sorted by path, tests last."""
    top = Path(sysconfig.get_path("stdlib"))
    found = [p for p in top.rglob("*.py") if not {"site-packages", "dist-packages"} & set(p.parts)]
    left = MOST
    for path in sorted(found, key=lambda p: (bool({"test", "tests"} & set(p.parts)), p.relative_to(top).as_posix())):
        content = path.read_bytes()
        left -= len(content)
        if left < 0:
            return
        yield content


def ours() -> Iterator[bytes]:
    """This repository's own files."""
    for part in OURS:
        for path in sorted((ROOT / part).rglob("*")):
            if path.suffix in (".py", ".toml", ".md") and ".work" not in path.parts:
                yield path.read_bytes()
