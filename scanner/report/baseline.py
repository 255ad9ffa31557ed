"""Reads back a report: the fingerprints of what was found then, from JSON, JSON Lines or SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any


def fingerprints(report: bytes) -> frozenset[str]:
    """Those of all findings; ValueError for what is no report of oakum's."""
    text = report.decode("utf-8-sig")
    try:
        documents = [json.loads(text)] if text.strip() else []
    except ValueError:
        documents = [json.loads(line) for line in text.split("\n") if line.strip()]
    try:
        found = [name for document in documents for name in _names(document)]
        if all(re.fullmatch("(?:[a-z2-7]{26})?", name) for name in found):
            return frozenset(found) - {""}  # a finding has none after Ctrl-C
    except (AttributeError, KeyError, TypeError) as e:
        raise ValueError(f"{e} is not as in a report") from e
    raise ValueError("a fingerprint has 26 characters of a to z and 2 to 7")


def _names(document: Any) -> Iterator[str]:
    if "runs" in document:
        for run in document["runs"]:
            yield from (result["partialFingerprints"]["oakum/v1"] for result in run["results"])
    else:
        yield from (one["fingerprint"] for one in document.get("findings", [document]))
