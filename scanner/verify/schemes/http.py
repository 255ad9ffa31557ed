"""What a detector file declares (`verify/declared.py`)."""

from __future__ import annotations

from typing import Literal

from ..credential import Credential
from ..declared import ask, destinations, made_up

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"


def user(credential: Credential) -> str:
    """Whose password or token it is, where it is sent with his name; else nobody logs in."""
    check = credential.detector.verify
    named = check is not None and "{user}" in check.auth
    return credential.facts.get("user", "").strip() if named else ""
