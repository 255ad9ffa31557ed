"""A small scan result made by hand: two findings, something suppressed, something that could not be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.engine.excerpt import Masks, Values, excerpt
from oakum.scanner.model import (
    Coverage,
    File,
    Finding,
    GitBlob,
    GitMessage,
    NotScanned,
    Occurrence,
    Origin,
    RankedFinding,
    Reason,
    ScanResult,
    Secret,
    Span,
)
from oakum.scanner.report import FORMATS, ReportOptions

DETECTORS = {d.id: d for d in catalog.load()}
TOKEN = samples.build("github:ghp", Random("reports"))
PASSWORD = samples.build("password:20", Random("reports"))
COMMIT, BLOB, OTHER = "c1" * 20, "b1" * 20, "b2" * 20
ADA = "Ada Lovelace <ada@example.test>"


def occurrence(origin: Origin, before: bytes, value: bytes, after: bytes = b"", **more: Any) -> Occurrence:
    """A value on the third line of a file, with what stands around it there."""
    line = before + value + after
    secret = Secret(value).named_by(DETECTORS["github-pat" if value == TOKEN else "netrc-password"])
    start, end = len(before), len(before) + len(value)
    span = Span(10 + start, 10 + end, 3, start + 1, 3, end + 1)
    return Occurrence(origin, span, excerpt(line, start, end, secret, Masks([], Values())), **more)


def token(*occurrences: Occurrence, **more: Any) -> RankedFinding:
    """A GitHub token, ranked critical."""
    detector = DETECTORS["github-pat"]
    finding = Finding(detector, (), Secret(TOKEN).named_by(detector), (("checksum", "valid"),), occurrences, **more)
    reasons = (Reason("severity", 1.0, "it opens much"), Reason("exposure", 1.0, "at the head of the default branch"))
    return RankedFinding(finding, "a" * 26, 95, "critical", 0.95, reasons, "GitHub token: live mode")


def password(*occurrences: Occurrence) -> RankedFinding:
    """A password of a .netrc file, ranked medium."""
    detector = DETECTORS["netrc-password"]
    secret = Secret(PASSWORD).named_by(detector)
    finding = Finding(detector, ("generic-password",), secret, (("user", "ada"),), occurrences)
    reasons = (Reason("place", 0.55, "stands in tests only"), Reason("mode", 1.0, "for one host"))
    return RankedFinding(finding, "b" * 26, 42, "medium", 0.9, reasons, "Password in a .netrc file, for one host")


HEAD = GitBlob(BLOB, b"src/settings.ini", COMMIT, ADA, "2024-03-01T12:00:00+02:00", "head")
STASH = GitBlob(OTHER, b"old.ini", COMMIT, ADA, "2024-03-05T12:00:00+02:00", "unreachable", "refs/stash")
MESSAGE = GitMessage("commit", COMMIT, ADA, "2024-03-06T12:00:00+02:00", "history")


def result(*findings: RankedFinding, **more: Any) -> ScanResult:
    """A result with these findings, or with the two of this module."""
    if not findings:
        findings = (
            token(
                occurrence(HEAD, b"token = ", TOKEN, b"  # ours", blobs=2),
                occurrence(STASH, b"", TOKEN),
                occurrence(MESSAGE, b"use ", TOKEN),
            ),
            password(occurrence(File(b"tests/.netrc"), b"machine h login ada password ", PASSWORD, path_class="test")),
        )
    made = ScanResult(
        findings=findings,
        not_scanned=[
            NotScanned(b"gone.txt", "went away before it was read"),
            NotScanned(b"big", "too large", policy=True),
        ],
        suppressed=(("placeholder", 3),),
        dropped=(("entropy", 2),),
        coverage=Coverage(("repo",), (("files", 4), ("git blobs", 9)), 2_500_000, 0.5, 70, (("files", 0.2),)),
        started=datetime(2027, 1, 1, tzinfo=UTC),
        below_band=1,
    )
    return replace(made, **more)


def rendered(name: str, made: ScanResult | None = None, **options: Any) -> str:
    """A whole report."""
    return "".join(FORMATS[name].render(made or result(), ReportOptions(version="0.1.0", **options)))
