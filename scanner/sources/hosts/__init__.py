"""Which repositories an organization has, by the API of its host; a folder of clones; a file of URLs.

One module for each host (`github.py` …). Answers are bounded, asked for in pages, and asked for again with what the
host said of them (ETag), so that what did not change costs nothing of the rate limit. A host that lies about its pages
(an endless list, pages that lead to another host, the same page again) is found out, and said to be `Unlisted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ...logins import Login
from ...model import Exposure
from ...net import Outbound
from ...swept import Remote, Target, Unlisted


class Pages(Protocol):
    """Where answers are kept until next time: in the user's cache."""

    def read(self, name: str) -> bytes | None:
        """What was kept under a name."""

    def write(self, name: str, *content: bytes) -> None:
        """Keep it."""


@dataclass(frozen=True, slots=True)
class Access:
    """How hosts are asked: `login` gives what is sent to a URL's host, None where there is nothing."""

    outbound: Outbound
    login: Callable[[str], Login | None]
    pages: Pages


@dataclass(frozen=True, slots=True)
class Selection:
    """Which repositories are looked at: `include` and `exclude` are globs over names (`acme/*`); `readers` those who
    can read them (empty: all); `pushed_since` leaves out what nobody pushed to since, where the host says when."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    readers: frozenset[Exposure] = frozenset()
    archived: bool = True
    forks: bool = True
    pushed_since: datetime | None = None

    def why_not(self, remote: Remote) -> str:
        """Why a repository is left out, in a few words; empty where it is taken."""
        raise NotImplementedError


def read_target(text: str) -> Target:
    """A target as it was given; UsageError where it is none, with the forms that there are."""
    raise NotImplementedError


def listed(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """The repositories of a target, each once, as its host lists them; what could not be listed, and why."""
    raise NotImplementedError
