"""What a detector file declares (`verify/declared.py`)."""

from __future__ import annotations

from typing import Literal

from ..credential import Credential
from ..declared import ask, destinations, made_up

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""
