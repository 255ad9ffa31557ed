"""What the machine and the terminal are like."""

from __future__ import annotations

import os


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def page_width() -> int:
    """Columns of a page for people: those of the terminal, neither too few nor too many."""
    import shutil

    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 120))
