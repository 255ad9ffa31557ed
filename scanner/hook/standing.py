"""Where whoever pushes stands: what the commands that take a secret out depend on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import GitError
from ..sources.git import Repository
from ..sources.pushed import descends, parents_of, peeled
from ..sources.refs import branch_of, head_of
from .protocol import Told

MOST_COMMITS = 5
"""Commits that are looked for in what was fetched from others."""
MOST_PATHS = 200
"""Files that are looked for in the work tree."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the commits of a push, and of where whoever pushes stands.

    `parents` has those of each new commit, the newest first; `tips` the commit that each pushed id leads to; `head` and
    `branch` are what is checked out (no branch: a commit), `work_tree` where (empty: nowhere), `prefix` the folder in
    it that git was called in, and `lying` what lies there beside what git has. `behind_head` are the tips that HEAD
    builds on, `rebasing` says that a rebase is under way. `fetched` has, of commits that came from another
    remote, the tracking ref that has them.
    """

    parents: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tips: Mapping[str, str] = field(default_factory=dict)
    head: str = ""
    branch: bytes = b""
    work_tree: bytes = b""
    prefix: str = ""
    lying: frozenset[bytes] = frozenset()
    behind_head: frozenset[str] = frozenset()
    rebasing: bool = False
    fetched: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        repository: Repository,
        told: Told,
        commits: Sequence[str],
        paths: Iterable[bytes],
        prefix: str,
        guilty: Iterable[str] = (),
    ) -> Standing:
        """Ask git; GitError where it does not answer. Of some paths it is told whether they lie about, of some commits
        whether another remote has them."""
        head, tips = head_of(repository), peeled(repository, told.tips)
        states = (os.path.join(repository.git_dir, name) for name in (b"rebase-merge", b"rebase-apply"))
        return cls(
            parents_of(repository, commits),
            tips,
            head,
            branch_of(repository),
            repository.work_tree,
            prefix,
            _lying(repository, paths),
            frozenset(tip for tip in tips.values() if tip == head or (head and descends(repository, head, tip))),
            any(map(os.path.isdir, states)),
            _fetched(repository, guilty),
        )

    def reached(self, tip: str) -> set[str]:
        """The new commits that a commit leads to, itself among them."""
        reached, waiting = set[str](), [tip]
        while waiting:
            commit = waiting.pop()
            if commit in self.parents and commit not in reached:
                reached.add(commit)
                waiting += self.parents[commit]
        return reached

    def merges_since(self, eldest: str) -> bool:
        """Whether new commits from one on are merges."""
        names = list(self.parents)
        return any(len(self.parents[name]) > 1 for name in names[: names.index(eldest) + 1])

    def in_order(self, some: Iterable[str]) -> list[str]:
        """Some of the new commits, oldest first."""
        chosen = set(some)
        return [commit for commit in reversed(list(self.parents)) if commit in chosen]


def _fetched(repository: Repository, commits: Iterable[str]) -> dict[str, str]:
    """Of some commits a tracking ref that has them: they are new to the remote, so that it is another one's."""
    found: dict[str, str] = {}
    for commit in list(commits)[:MOST_COMMITS]:
        asked = ("for-each-ref", "--count=1", "--format=%(refname:lstrip=2)", f"--contains={commit}", "refs/remotes")
        if ref := repository.run(*asked).decode("utf-8", "replace").strip():
            found[commit] = ref
    return found


def _lying(repository: Repository, paths: Iterable[bytes]) -> frozenset[bytes]:
    """Those of some files that are in the work tree, and not in the index."""
    there = [path for path in paths if os.path.lexists(os.path.join(repository.work_tree, path))]
    if not (repository.work_tree and there):
        return frozenset()
    try:
        listed = repository.run("ls-files", "-z", "--", *map(os.fsdecode, there[:MOST_PATHS])).split(b"\0")
    except GitError:  # a damaged index
        return frozenset()
    return frozenset(there[:MOST_PATHS]).difference(listed)
