"""Whether a run did its work. One that reports an incomplete scan is void, not fast: it has no figures and no ratio.

Each tool says in its own way what it scanned. Each judge below gives the reason why a run is void, or the number of
findings that it reported. What a tool leaves out by policy (pictures, lock files) does not void its run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .measure import Run

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TROUBLE = re.compile(
    r"\b(ERR|ERROR|FTL|FATAL)\b|level=(error|fatal)|(?i:\bfatal:|\bpanic\b|incomplete scan|partial scan|"
    r"failed to scan|could not scan|out of memory)|^Traceback"
)
WARNING = re.compile(r"\b(WRN|WARN|WARNING)\b|level=warn")
LEFT_OUT = re.compile(r"(?i)\bskipp(ed|ing)\b|\bfailed\b|\btimed? ?out\b")
MOST = 0.95
"""The share of a target's blobs, commits or files that a tool which counts them must have scanned."""
HALF = 0.5
"""The share of its bytes: tools leave pictures and lock files out, and count what they read, not what is there."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What there is to scan; 0 where it is not known. Commits are those that are no merges."""

    blobs: int = 0
    commits: int = 0
    files: int = 0
    bytes: int = 0


class VoidError(Exception):
    """A run that counts for nothing; the message says why."""


def trouble(log: str) -> None:
    """Refuse a log that tells of errors, or warns that something was left out."""
    for line in COLOUR.sub("", log).splitlines():
        if TROUBLE.search(line) or (WARNING.search(line) and LEFT_OUT.search(line)):
            raise VoidError(line.strip()[:160])


def ended(run: Run, *, limit: float, good: frozenset[int]) -> None:
    """Refuse a run that was stopped, or whose exit code means an error."""
    if run.late:
        raise VoidError(f"over {limit:.0f} s")
    if run.exit not in good:
        last = [line for line in COLOUR.sub("", run.log).splitlines() if line.strip()][-1:]
        raise VoidError(f"exit code {run.exit}: {''.join(last).strip()[:120]}".rstrip(": "))


def document(report: Path) -> Any:
    """A report as JSON."""
    try:
        text = report.read_text("utf-8")
    except OSError as e:
        raise VoidError("no report") from e
    try:
        return json.loads(text)
    except ValueError as e:
        raise VoidError(f"the report is not JSON ({len(text)} characters)") from e


def enough(what: str, scanned: float, there: float, share: float) -> None:
    """Refuse a run that scanned nothing, or less than a share of what is there."""
    if scanned <= 0 or scanned < share * there:
        raise VoidError(f"{scanned:,.0f} of {there:,.0f} {what} scanned")


# --- the judges: (report, log, scope) -> number of findings -----------------------------------------------------------

Judge = Callable[[Path, str, Scope], int]


def oakum(report: Path, log: str, scope: Scope) -> int:
    """Says itself whether it searched everything."""
    found = document(report)
    if not found["complete"]:
        raise VoidError(f"not complete: {found['not_scanned'][:1]}")
    searched = found["summary"]["searched"]
    if scope.blobs:
        enough("blobs", searched.get("git blobs", 0), scope.blobs, 1)
    if scope.files:
        enough("files", searched.get("files", 0), scope.files, 1)
    return len(found["findings"])


def kingfisher(report: Path, log: str, scope: Scope) -> int:
    """Counts blobs and bytes; it says nothing where a blob is missing, so they are compared with what is there."""
    trouble(log)
    found = document(report)
    audit, summary = found["audit"]["summary"], found["metadata"]["summary"]
    if audit["scan_partial"] or audit["scan_failed"] or audit["pending"] or not audit["scan_succeeded"]:
        raise VoidError(f"its audit says {audit}")
    enough("blobs", summary["blobs_scanned"], scope.blobs or scope.files, MOST)
    enough("bytes", summary["bytes_scanned"], scope.bytes, HALF)
    return len(found["findings"])


def gitleaks(report: Path, log: str, scope: Scope) -> int:
    """Counts commits, where it scans history, and bytes."""
    trouble(log)
    plain = COLOUR.sub("", log)
    if scope.commits:
        enough("commits", _number(r"(\d+) commits scanned", plain), scope.commits, MOST)
    enough("bytes", _number(r"scanned ~(\d+) bytes", plain), scope.bytes if scope.files else 0, HALF)
    return len(document(report) or ())


def betterleaks(report: Path, log: str, scope: Scope) -> int:
    """Says whether it is complete, and counts bytes, of history those of its diffs."""
    trouble(log)
    found = document(report)
    if found["scan"]["state"] != "complete":
        raise VoidError(f"its report says {found['scan']['state']}")
    enough("bytes", found["scan"]["bytes_scanned"], scope.bytes if scope.files else 0, HALF)
    return len(found["findings"] or ())


def detect_secrets(report: Path, log: str, scope: Scope) -> int:
    """Counts nothing but what it found: nothing in a whole tree means that it looked at none of it."""
    trouble(log)
    found = sum(map(len, document(report)["results"].values()))
    if scope.files > 1 and not found:
        raise VoidError("no findings at all")
    return found


def credsweeper(report: Path, log: str, scope: Scope) -> int:
    """Counts nothing but what it found, as detect-secrets."""
    trouble(log)
    found = len(document(report))
    if scope.files > 1 and not found:
        raise VoidError("no findings at all")
    return found


def _number(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0
