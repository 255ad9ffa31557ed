"""A part of history that the user chose: a range, a branch, what is newer than a date, or what is staged."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from ..errors import GitError, UsageError
from ..model import GitBlob, NotScanned, clean
from .diffs import Change, Sieve, diff_trees, tree
from .git import Repository
from .history import MOST_MISSING, History, Place, mark_heads
from .objects import Changes
from .refs import SORTED, commits_of, head_of, read_refs
from .worktree import Index


@dataclass(slots=True)
class Brought(History):
    """Where blobs stand in a part of history, and whether a secret came with them or was there before.

    `introductions` has, for each blob and path, the first commit that brought it there for each set of blobs that
    stood there before it, of those that hold secrets.
    """

    introductions: dict[str, dict[bytes, dict[tuple[str, ...], Place]]] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _news: dict[bytes, Place] = field(default_factory=dict)

    def places_of(self, blob: str, blobs: set[str]) -> list[tuple[GitBlob, int]]:
        """The origins of a blob that holds a secret, as all of `blobs` do, at the paths to which it was brought.

        The commit is the first one that brought the secret, in whatever blob, to where it was not.
        """
        if blobs is not self._asked:
            self._asked, self._news = blobs, self._brought(blobs)
        out = []
        for place in self.places.get(blob, ()):
            first = self._news.get(place.path)
            if first:
                author, date = self.signatures.get(first.commit, ("", ""))
                out.append((GitBlob(blob, place.path, first.commit, author, date, place.reach, place.via), first.order))
        return out

    def _brought(self, blobs: set[str]) -> dict[bytes, Place]:
        news: dict[bytes, Place] = {}
        for blob in blobs:
            for path, introduced in self.introductions.get(blob, {}).items():
                for before, place in introduced.items():
                    if not blobs.intersection(before) and (path not in news or place.order < news[path].order):
                        news[path] = place
        return news


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of history that the user chose.

    Its commits, parents first; the blobs that they brought in or took away; or what is staged, as changes.
    """

    commits: tuple[str, ...]
    blobs: frozenset[str]
    changes: tuple[tuple[str, Change], ...] = ()

    def history(self, repository: Repository, blobs: set[str], changes: Changes = diff_trees) -> Brought:
        """Where `blobs` stand in the selection, without the attribution that only the whole history could give.

        `changes` says what commits brought in.
        """
        found = Brought()
        again = changes(repository, self.commits, found.not_scanned, Sieve.of(blobs)) if blobs else iter(())
        order, last = 0, ""
        for commit, change in self.changes or again:
            order += commit != last
            last = commit
            if change.blob not in blobs:
                continue
            place = Place(change.path, commit, order, "history" if commit else "staged")
            introduced = found.introductions.setdefault(change.blob, {}).get(change.path)
            if introduced is None:
                if not found.add(change.blob, place):
                    continue
                introduced = found.introductions[change.blob][change.path] = {}
            introduced.setdefault(tuple(sorted(b for b in change.before if b in blobs)), place)
        if self.commits:
            mark_heads(repository, read_refs(repository, found.not_scanned), found, set(found.places))
        found.messages = dict.fromkeys(self.commits, ("history", ""))
        ways = (way for paths in found.introductions.values() for way in paths.values())
        found.finish(repository, (place for way in ways for place in way.values()))
        return found


_RANGE = re.compile(r"(?P<low>[^-].*?)?(?P<dots>\.\.\.?)(?P<high>[^-].*)?")


def select(
    repository: Repository, not_scanned: list[NotScanned], *, range_: str = "", branch: str = "", since: str = ""
) -> Selection:
    """The commits of `A..B`, of a branch, or since a date (what git takes for --since). UsageError for unknown ones."""
    arguments: list[str] = []
    if since:
        _require_date(repository, since)
        arguments.append(f"--since={since}")
    if range_:
        found = _RANGE.fullmatch(range_)
        if not found:
            raise UsageError(f"--range {clean(range_)}: a range is written A..B or A...B")
        low, high = (_resolve(repository, found[name] or "HEAD") for name in ("low", "high"))
        arguments.append(f"{low}{found['dots']}{high}")
    elif branch:
        arguments.append(_resolve(repository, branch))
    else:
        arguments += ["--branches", "--tags", "--remotes", *(["HEAD"] if head_of(repository) else [])]
    commits = commits_of(repository, *SORTED, *arguments)
    cut_off = _shallow(repository).intersection(commits)
    if cut_off:
        why = "history before a shallow boundary is not there: `git fetch --unshallow` gets it"
        not_scanned.extend(NotScanned(name.encode(), why) for name in sorted(cut_off)[:MOST_MISSING])
    blobs: set[str] = set()
    for _, change in diff_trees(repository, commits, not_scanned):
        blobs.add(change.blob)
        blobs.update(change.before)
    return Selection(tuple(commits), frozenset(blobs))


def _resolve(repository: Repository, name: str) -> str:
    try:
        found = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except GitError as e:
        raise UsageError(f"{clean(name)}: no commit, branch or tag has this name in the repository") from e
    return found.strip().decode()


_EXACT = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{9,}")


def _require_date(repository: Repository, since: str) -> None:
    """Git takes any text for a time, and what it does not understand for now: then nothing would be searched."""

    def taken(text: str) -> bytes:
        return repository.run("rev-parse", f"--since={text}").strip().rpartition(b"=")[2]

    begun, answer, ended = taken("now"), taken(since), taken("now")
    is_now = answer.isdigit() and int(begun) - 1 <= int(answer) <= int(ended) + 1
    if not answer.isdigit() or (is_now and since.strip().lower() != "now" and not _EXACT.search(since)):
        raise UsageError(f'--since {clean(since)}: not a date; write it as 2024-01-31, "2 weeks ago" or yesterday')


def _shallow(repository: Repository) -> set[str]:
    """The commits whose parents are said not to be there. Source: gitformat-shallow(5): an id a line."""
    try:
        with open(os.path.join(repository.common_dir, b"shallow"), "rb") as file:
            return {line.strip().decode("ascii", "replace") for line in file}
    except OSError:
        return set()


def staged(repository: Repository, index: Index, not_scanned: list[NotScanned]) -> Selection:
    """What the index has that HEAD has not: read from both, because `git diff` may run filters."""
    commit = head_of(repository)
    paths = {path for path, _ in index.entries()}
    listed = tree(repository, commit, not_scanned, wanted=paths.__contains__) if commit else ()
    head = dict(listed)
    changes = [
        ("", Change(path, name, (head[path],) if path in head else ()))
        for path, name in index.entries()
        if head.get(path) != name
    ]
    return Selection((), frozenset(b for _, c in changes for b in (c.blob, *c.before)), tuple(changes))
