"""The record of pushes that went through without a search, as `oakum hook status` shows it.

One JSON object a line: `at` (ISO 8601), `repository` (a path), `remote`, `refs` (a list), `reason`.
"""

from __future__ import annotations

import json
import os

from ..model import clean
from .place import Place

FILE = "skips.jsonl"
"""In oakum's state folder."""
_TAIL = 256 << 10
"""Bytes of it that are read, from its end."""


def last_skips(folder: str, place: Place, *, most: int = 5) -> list[str]:
    """The last entries of a repository, the latest at the end, fit to be shown."""
    try:
        with open(os.path.join(folder, FILE), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read(_TAIL).splitlines()
    except OSError:
        return []
    tops = {os.path.realpath(top) for top in (place.work_tree, place.git_dir, place.common_dir) if top}
    return [clean(shown) for line in lines if (shown := _shown(line, tops))][-most:]


def _shown(line: bytes, tops: set[str]) -> str:
    """An entry of one of these folders; empty for others, and for a line that is none, such as one that was cut."""
    try:
        entry = json.loads(line)
        words = [entry["at"], entry["remote"], *entry["refs"], entry["reason"]]
        return "  ".join(map(str, words)) if os.path.realpath(entry["repository"]) in tops else ""
    except (ValueError, KeyError, TypeError):
        return ""
