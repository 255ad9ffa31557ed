"""What checks read out of a value: base64 (RFC 4648), JSON objects in it, what their members say, Unix times."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

LONGEST = 200
"""Characters of a fact at most."""
_ONE_ALPHABET = bytes.maketrans(b"-_", b"+/")


def from_base64(text: bytes) -> bytes | None:
    """The bytes that stand in base64, of either alphabet, padded or not."""
    text = text.rstrip(b"=").translate(_ONE_ALPHABET)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None


def json_object(text: bytes) -> dict[str, Any] | None:
    """The JSON object that stands in base64."""
    raw = from_base64(text)
    try:
        found = None if raw is None else json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def said(value: object) -> str:
    """What a member of a JSON object says: a text, a whole number, or a list of them; empty for anything else."""
    if isinstance(value, list):
        return ", ".join(filter(None, (said(one) for one in value[:50] if not isinstance(one, list))))[:LONGEST]
    if isinstance(value, str):
        return value[:LONGEST].encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 64:
        return str(value)
    return ""


def pairs_of(members: dict[str, Any], names: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """A fact for each (member, fact) of `names` that says something; the first of several for one fact."""
    facts: dict[str, str] = {}
    for member, name in names:
        text = said(members.get(member))
        if text:
            facts.setdefault(name, text)
    return list(facts.items())


def moment(seconds: object) -> str:
    """A Unix time in ISO 8601, UTC; empty for what is none, or lies beyond the year 9999."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < 253402300800:
        return ""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
