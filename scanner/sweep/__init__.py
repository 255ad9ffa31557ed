"""Sweeps: all repositories of an organization, on a schedule, on one machine or many.

targets -> repositories (`sources/hosts`) -> those whose refs changed (`sources/clones`) -> tasks -> an executor, in
whose workers each is fetched and scanned (`work.py`) -> outcomes -> the store (`store/`) -> news -> webhooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ..model import Suppression
from ..swept import Known, Outcome, Remote


@dataclass(frozen=True, slots=True)
class Settings:
    """What workers are told, once for all tasks; it goes from one machine to another, and holds no credential.

    `program` is the digest of what decides what is found: a worker of another version refuses to work. `jobs` is how
    many processes one worker may use for a repository that is `wide`. `suppressions` are what the user's own
    configuration accepts by path or detector: what it accepts by fingerprint the store is told.
    """

    now: datetime
    program: str
    clones: str = ""
    clones_limit: int = 20 << 30
    seconds: float = 3600
    cache: str = ""
    detectors: tuple[str, ...] = ()
    engine: str = "auto"
    max_size: int = 64 << 20
    min_band: str = "low"
    markers: bool = False
    suppressions: tuple[Suppression, ...] = ()
    jobs: int = 1
    certificates: str = ""
    private: bool = False
    verify: bool = False
    verify_only: tuple[str, ...] = ()
    verify_hosts: tuple[str, ...] = ()
    verify_seconds: float = 600


@dataclass(frozen=True, slots=True)
class Task:
    """A repository to fetch and search. `refs` is the digest that its host advertised; `wide` says that it is so big
    that several processes search it, by shards of its packs."""

    remote: Remote
    refs: str
    known: Known = field(default_factory=Known)
    wide: bool = False


class Executor(Protocol):
    """Where tasks are worked on: in this process, in a pool of processes, on a cluster. The sweep does not know."""

    def run(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """The outcome of every task, in the order in which they are done. A task whose worker dies is given to
        another, a few times; then it failed."""
