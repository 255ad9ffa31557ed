"""The record of what somebody let through without a search: JSON lines in the user's state folder."""

from __future__ import annotations

import json
import os
from datetime import datetime

from ..model import clean
from .protocol import Told

NAME = "skips.jsonl"
MOST_REFS = 100


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
