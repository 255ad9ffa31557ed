"""Scans through the whole pipeline, and their outcome in a form that a test can compare as a whole."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from git_repository import AUTHOR, Commit, utc
from oakum.detectors import samples
from oakum.scanner.model import File, GitBlob, GitMessage, Origin, ScanResult
from oakum.scanner.pipeline.options import ScanOptions
from oakum.scanner.pipeline.scan import scan as run_scan

DETECTOR = "github-pat"
"""The detector of the secrets that `Fresh` draws: its checksum leaves no doubt."""

Place = tuple[str, Origin, int, int]
"""(detector, origin, line, number of blobs) of an occurrence."""


class Fresh:
    """Fresh secrets, each another one, and the same again when the same test runs again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.drawn: list[bytes] = []

    def __call__(self, spec: str = "github:ghp") -> bytes:
        """The next secret."""
        self.drawn.append(samples.build(spec, Random(f"{self._name} {len(self.drawn)}")))
        return self.drawn[-1]


def scan(
    *targets: Path | str | bytes, stdin: bytes = b"", environment: dict[str, str] | None = None, **options: Any
) -> ScanResult:
    """Scan targets in this process, in 2027."""
    chosen = ScanOptions(environment=dict(os.environ) if environment is None else environment, now=utc(2027), **options)
    return run_scan([os.fsencode(t) for t in targets], chosen, io.BytesIO(stdin))


def places(result: ScanResult) -> dict[bytes, list[Place]]:
    """Of each secret found, all its occurrences."""
    out: dict[bytes, list[Place]] = {}
    for ranked in result.findings:
        finding = ranked.finding
        assert finding.secret.reveal() not in out, "a secret is one finding"
        assert finding.folded == 0
        out[finding.secret.reveal()] = [
            (finding.detector.id, o.origin, o.span.line, o.blobs) for o in finding.occurrences
        ]
    return out


def lost(result: ScanResult) -> list[tuple[bytes, str]]:
    """What should have been searched and was not."""
    return [(n.what, n.why) for n in result.not_scanned if not n.policy]


def left_out(result: ScanResult) -> list[tuple[bytes, str]]:
    """What policy left out."""
    return [(n.what, n.why) for n in result.not_scanned if n.policy]


def in_git(
    blob: str, path: str | bytes, commit: Commit | None, reach: str, via: str = "", *, line: int = 1, blobs: int = 1
) -> Place:
    """An occurrence in a git blob; without a commit, one that only the index has."""
    who = (commit.id, AUTHOR, commit.date) if commit else ("", "", "")
    origin = GitBlob(blob, os.fsencode(path), *who, reach, via)  # type: ignore[arg-type]
    return DETECTOR, origin, line, blobs


def in_message(kind: str, target: str, who: str, date: str, reach: str, via: str = "", *, line: int = 1) -> Place:
    """An occurrence in the message of a commit or tag, or in a note."""
    return DETECTOR, GitMessage(kind, target, who, date, reach, via), line, 1  # type: ignore[arg-type]


def in_file(path: str | bytes | Path, *, line: int = 1, detector: str = DETECTOR) -> Place:
    """An occurrence in a file."""
    return detector, File(os.fsencode(path)), line, 1


def lines(*parts: bytes) -> Iterator[bytes]:
    """Each part as a line."""
    return (part + b"\n" for part in parts)
