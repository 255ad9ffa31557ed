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
_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK"))
"""How the record is opened: a link is not followed, a FIFO not waited for."""
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
    line = (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    if not folder:
        return "that could not be recorded: this system names no home for it"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(os.path.join(folder, NAME), _APPENDING, 0o600)
        try:
            if os.write(descriptor, line) < len(line):
                return f"that could not be recorded in {clean(folder)}: no space is left"
        finally:
            os.close(descriptor)
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
