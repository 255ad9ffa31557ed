"""The record of what somebody let through without a search: JSON lines in the user's state folder."""

from __future__ import annotations

import json
import os
from datetime import datetime

from ..model import clean
from .files import shown
from .place import Place
from .protocol import Told

NAME = "skips.jsonl"
MOST_REFS = 100
_TAIL = 256 << 10
"""Bytes of the record that are read, from its end."""


def record(folder: str, now: datetime, repository: bytes, remote: str, told: Told, reason: str) -> str:
    """Write down a skip; what went wrong with that, or nothing."""
    refs = [f"{clean(update.ref)} {update.new}" for update in told.updates[:MOST_REFS]]
    entry = {
        "at": now.isoformat(timespec="seconds"),
        "repository": clean(repository),
        "remote": remote,
        "refs": refs,
        "reason": clean(reason),
    }
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, NAME)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as e:
        return f"that could not be recorded in {clean(folder)}: {e.strerror or e}"
    return ""


def last(folder: str, place: Place, *, most: int = 5) -> list[str]:
    """The last entries of a repository, the latest at the end, fit to be shown."""
    if not folder:
        return []
    try:
        with open(os.path.join(folder, NAME), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read(_TAIL).splitlines()
    except OSError:
        return []
    tops = {shown(os.path.realpath(top)) for top in (place.work_tree, place.git_dir, place.common_dir) if top}
    return [clean(entry) for line in lines if (entry := _entry(line, tops))][-most:]


def _entry(line: bytes, tops: set[str]) -> str:
    """An entry of one of these folders; empty for others, and for a line that is none, such as one that was cut."""
    try:
        entry = json.loads(line)
        words = [entry["at"], entry["remote"], *entry["refs"], entry["reason"]]
        return "  ".join(map(str, words)) if entry["repository"] in tops else ""
    except (ValueError, KeyError, TypeError):
        return ""
