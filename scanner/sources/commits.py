"""Which commits there are from some tips, in order, and when each was made: who was first on two branches counts.

A commit's date is that of its committer, but at least a second behind those of its parents, however their clocks went
(git calls that the corrected commit date). So the order does not hang on who lists the commits, nor on which others are
listed with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, overload

from ..errors import GitError
from ..model import NotScanned
from .git import Repository
from .objects import cut
from .refs import SORTED, commits_of

if TYPE_CHECKING:
    from . import _packs

LATEST = (1 << 40) - 1
"""What says that it is later is hostile."""


class Ids(Sequence[str]):
    """Hexadecimal ids, held as their binary ones, joined."""

    def __init__(self, names: bytes, id_length: int) -> None:
        self._names, self._step = names, id_length // 2

    def __len__(self) -> int:
        return len(self._names) // self._step

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        at = at % len(self) * self._step
        return self._names[at : at + self._step].hex()


class Commits:
    """The commits as git lists them.

    `all_names` gives the binary names of all that the store has, joined. `late` is what `corrected` gave, where only
    commits are listed that came since.
    """

    def __init__(
        self, repository: Repository, all_names: Callable[[], bytes] = bytes, late: bytes | None = None
    ) -> None:
        self.repository, self._all_names, self._late = repository, all_names, late
        self._dates: dict[str, int] = {}
        self._parents: dict[str, Sequence[str]] = {}
        self._corrected: dict[bytes, bytes] = {}

    def listed(
        self, tips: Iterable[str], without: Iterable[str], not_scanned: list[NotScanned], *options: str
    ) -> Sequence[str]:
        """Those that the tips reach and others do not, by date, then by name. Where history itself is damaged, just the
        tips. `options` are for `rev-list`."""
        tips = list(dict.fromkeys(tips))
        if not tips and not options:
            return []
        lines = tips + ["^" + w for w in dict.fromkeys(without)]
        ask = ("--timestamp", "--parents", "--ignore-missing", *options, "--stdin")
        try:
            return self._sorted(commits_of(self.repository, *SORTED, *ask, lines=lines))
        except GitError as e:
            not_scanned.append(NotScanned(b"history", f"cannot be followed to its beginning: {e}"))
        try:
            return self._sorted(commits_of(self.repository, "--no-walk", *ask, lines=tips))
        except GitError:
            return []

    def _sorted(self, rows: list[str]) -> list[str]:
        names = []
        if self._late is not None:
            self._look_up(rows, self._late)
        for row in rows:
            made, name, *parents = row.split()
            own = min(int(made), LATEST)
            self._dates[name] = max(own, *(self.date(p) + 1 for p in parents), 0)
            if self._dates[name] > own:
                self._corrected[bytes.fromhex(name)[:8]] = self._dates[name].to_bytes(8, "big")
            self._parents[name] = parents
            names.append(name)
        return sorted(names, key=lambda name: (self._dates[name], name))

    def _look_up(self, rows: list[str], late: bytes) -> None:
        """The dates of parents that are not listed, which git tells, or were corrected before."""
        named = dict.fromkeys(name for row in rows for name in row.split()[1:])
        listed = {row.split()[1] for row in rows}
        asked = [name for name in named if name not in listed and name not in self._dates]
        if not asked:
            return
        known = _records(late)
        for row in commits_of(self.repository, "--no-walk", "--timestamp", "--ignore-missing", "--stdin", lines=asked):
            made, name = row.split()
            corrected = known.get(bytes.fromhex(name)[:8])
            self._dates[name] = int.from_bytes(corrected, "big") if corrected else min(int(made), LATEST)

    def corrected(self) -> bytes | None:
        """The beginnings of the names of all commits whose date was corrected, and these dates: 8 bytes each, joined.
        None where that is not known, or will not stay so."""
        if self.repository.shallow:
            return None
        return b"".join(chain.from_iterable((_records(self._late or b"") | self._corrected).items()))

    def date(self, commit: str) -> int:
        """When a commit was made, in seconds since 1970; -1 where that is not known."""
        return self._dates.get(commit, -1)

    def parents(self, commit: str) -> Sequence[str]:
        """The parents of a commit that was listed."""
        return self._parents.get(commit, ())

    def unlisted(self) -> list[str]:
        """Those that the store has, and were not listed so far."""
        return [name for name in Ids(self._all_names(), self.repository.id_length) if name not in self._dates]


def _records(corrected: bytes) -> dict[bytes, bytes]:
    return {corrected[at : at + 8]: corrected[at + 8 : at + 16] for at in range(0, len(corrected), 16)}


class PackedCommits(Commits):
    """The same out of packs, in a fraction of time and memory; where these do not have all of it, as git says it."""

    def __init__(self, repository: Repository, graph: _packs.Commits) -> None:
        super().__init__(repository, graph.unlisted)
        self._graph, self._whole = graph, True

    def listed(
        self, tips: Iterable[str], without: Iterable[str], not_scanned: list[NotScanned], *options: str
    ) -> Sequence[str]:
        """See `Commits`."""
        from ._packs import ElsewhereError

        tips, without = list(tips), list(without)
        if not options:  # the reflog is git's
            try:
                names = self._graph.listed(list(map(bytes.fromhex, tips)), list(map(bytes.fromhex, without)))
                return Ids(names, self.repository.id_length)
            except ElsewhereError:
                self._whole = False
        return super().listed(tips, without, not_scanned, *options)

    def _sorted(self, rows: list[str]) -> list[str]:
        names = super()._sorted(rows)
        for name in names:
            self._graph.note(bytes.fromhex(name))
        return names

    def corrected(self) -> bytes | None:
        """See `Commits`."""
        return self._graph.corrected() if self._whole else None

    def date(self, commit: str) -> int:
        """See `Commits`."""
        return self._dates[commit] if commit in self._dates else self._graph.date(bytes.fromhex(commit))

    def parents(self, commit: str) -> Sequence[str]:
        """See `Commits`."""
        if commit in self._parents:
            return self._parents[commit]
        return [name.hex() for name in self._graph.parents(bytes.fromhex(commit))]


def sources(commits: Commits, listed: Sequence[str], tips: dict[bytes, str]) -> dict[str, str]:
    """For each of the commits that tips reach a ref that does."""
    via: dict[str, str] = {}
    for ref, commit in tips.items():
        via.setdefault(commit, cut(ref.decode("utf-8", "replace")))
    for commit in reversed(listed):
        if commit in via:
            for parent in commits.parents(commit):
                via.setdefault(parent, via[commit])
    return via
