"""Which of the repositories that hosts list are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from ...model import Readers
from ...swept import Remote


@dataclass(frozen=True, slots=True)
class Selection:
    """Which repositories are looked at: `include` and `exclude` are globs over names (`acme/*`); `readers` those who
    can read them (empty: all); `pushed_since` leaves out what nobody pushed to since, where the host says when."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    readers: frozenset[Readers] = frozenset()
    archived: bool = True
    forks: bool = True
    pushed_since: datetime | None = None

    def why_not(self, remote: Remote) -> str:
        """Why a repository is left out, in a few words; empty where it is taken."""
        if remote.off:
            return remote.off
        if self.include and not _is_one_of(remote.name, self.include):
            return "not included by its name"
        if _is_one_of(remote.name, self.exclude):
            return "excluded by its name"
        if self.readers and remote.readers not in self.readers:
            return f"its readers are {remote.readers}"
        if remote.archived and not self.archived:
            return "archived"
        if remote.fork and not self.forks:
            return "a fork"
        if self.pushed_since and remote.pushed and remote.pushed < self.pushed_since:
            return f"nothing was pushed since {self.pushed_since:%Y-%m-%d}"
        return ""


def _is_one_of(name: str, globs: tuple[str, ...]) -> bool:
    """Hosts do not tell great from small letters in names."""
    return any(fnmatchcase(name.lower(), glob.lower()) for glob in globs)
