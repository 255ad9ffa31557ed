"""Checks on how a value is encoded (RFC 4648)."""

from __future__ import annotations

import base64
import binascii


def base64_length(value: bytes, length: str) -> list[tuple[str, str]] | None:
    """Standard base64 with canonical padding of exactly `length` bytes."""
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
    return [] if len(raw) == int(length) and base64.b64encode(raw) == value else None
