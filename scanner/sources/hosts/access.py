"""How hosts are asked: the types."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ...errors import OakumError
from ...logins import Login
from ...net import Outbound


class UnlistedError(OakumError):
    """A host does not list what it was asked for: the text says why, and what to do."""


class Pages(Protocol):
    """Where answers are kept until next time: in the user's cache."""

    def read(self, name: str) -> bytes | None:
        """What was kept under a name."""

    def write(self, name: str, *content: bytes) -> None:
        """Keep it."""


@dataclass(frozen=True, slots=True)
class Access:
    """How hosts are asked: `login` gives what is sent to a URL's host, None where there is nothing. `wait` passes so
    many seconds, for hosts that want that; at most `patience` seconds at a time."""

    outbound: Outbound
    login: Callable[[str], Login | None]
    pages: Pages
    wait: Callable[[float], None] = time.sleep
    patience: float = 900
