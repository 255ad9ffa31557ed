"""Bare clones of repositories of others, kept in a folder of a limited size, and brought up to date.

Git runs with settings of its own (`network.py`): no hooks, no submodules, no LFS, no redirects, no protocol but that of
the URL, and nobody is asked for a password at a terminal. Every ref is fetched, those of pull requests included; what
was force-pushed away stays in the clone, unreachable, and is searched as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ...errors import OakumError
from ...logins import Login
from ...net import Outbound
from ...swept import Remote


class CloneError(OakumError):
    """A repository could not be fetched: the text says why, and what to do; never a credential. `passing` says that it
    may go well next time; `gone` that the host says there is no such repository (any more) for us."""

    def __init__(self, why: str, *, passing: bool = False, gone: bool = False) -> None:
        super().__init__(why)
        self.passing = passing
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Reach:
    """How repositories are reached. `seconds` is the time for one of them, `silence` that without a byte; `login` gives
    what is sent to a URL's host."""

    environment: Mapping[str, str]
    outbound: Outbound
    login: Callable[[str], Login | None]
    seconds: float = 3600
    silence: float = 60


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository as it lies here now. `path` is its git directory; `memory` a folder for what is remembered of its
    search, that stays when the clone goes; `bytes` is what it takes on disk."""

    path: bytes
    memory: str
    bytes: int


def advertised(remote: Remote, reach: Reach) -> str:
    """A digest of all refs that a host gives of a repository, and of HEAD: one request over https (gitprotocol-http,
    without a program), `git ls-remote` over ssh; of a repository on this machine its state. CloneError."""
    raise NotImplementedError


class Clones:
    """The clones in `folder`, which together take at most `limit` bytes on disk, also while one is being fetched.

    Several processes may use one folder: each clone is held by one at a time. What lies on this machine (`file` URLs)
    is not cloned: it is searched where it is.
    """

    def __init__(self, folder: str, limit: int) -> None:
        raise NotImplementedError

    @contextmanager
    def held(self, remote: Remote, reach: Reach) -> Iterator[Clone]:
        """The clone, as its host has it now, for as long as the context lasts; then it may be deleted. CloneError."""
        raise NotImplementedError
        yield

    def forget(self, remotes: Iterator[str]) -> None:
        """Delete what is kept of repositories with these ids."""
        raise NotImplementedError
