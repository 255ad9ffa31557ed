"""Reports: what a scan found, as text for people or in a format for programs. Secrets are masked in all of them.

A reporter takes the result and the options, and gives the report as strings to be written one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..model import ScanResult
from . import sarif, structured, text
from .options import ReportOptions


@dataclass(frozen=True, slots=True)
class Format:
    """A report format: its name on the command line, and the function that renders it."""

    name: str
    render: Callable[[ScanResult, ReportOptions], Iterator[str]]


FORMATS = {
    f.name: f
    for f in (
        Format("text", text.render),
        Format("json", structured.render_json),
        Format("jsonl", structured.render_jsonl),
        Format("sarif", sarif.render),
    )
}

__all__ = ["FORMATS", "Format", "ReportOptions"]
