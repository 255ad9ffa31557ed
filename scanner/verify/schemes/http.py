"""What a detector file declares (`verify/declared.py`)."""

from __future__ import annotations

from typing import Literal

from ..credential import Credential
from ..declared import ask, destinations

__all__ = ["PROBE", "ask", "destinations", "made_up", "user"]

PROBE: Literal["each", "host", "never"] = "each"


def made_up(credential: Credential, value: bytes) -> Credential:
    """The same with a made-up secret."""
    return credential.with_value(value)


def user(_credential: Credential) -> str:
    """Nobody logs in."""
    return ""
