"""The way out of this machine: the only package that opens connections, for stores that are listed and providers that
are asked.

An address is checked before anything is sent, and the connection goes to the one that was checked; those of metadata
services are never asked. Certificates are always checked, redirects never followed. All is bounded in bytes and time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What asking may take: times in seconds.

    `answer` is the time for one answer, `all` that for all of them; `pages` counts all that is asked for. `pause` is
    the first wait before something is asked again, at most `longest_pause`.
    """

    connect: float = 15
    silence: float = 60
    answer: float = 300
    all: float = 24 * 3600
    pages: int = 100_000
    page_bytes: int = 64 << 20
    retries: int = 6
    pause: float = 0.5
    longest_pause: float = 60


@dataclass(frozen=True, slots=True)
class Outbound:
    """How this machine reaches others: `environment` names proxies, `certificates` is a file of certificates to trust
    besides the usual ones. `private` says that loopback and private addresses may be asked, too."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificates: str = ""
    limits: Limits = Limits()
    private: bool = False
