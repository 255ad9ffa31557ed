"""What commits brought in, and what trees hold, as `diff-tree` and `ls-tree` say it.

The trees of commits may be damaged or missing: then `diff-tree` stops at that commit, and is started again behind it.
So it is with a commit that brings in more files than the memory of a machine holds: eleven small trees that name one
another ten times each are enough for that. Everything here has a bound, and says when it is reached.
"""

from __future__ import annotations

import re
import sys
import time
from binascii import unhexlify
from collections.abc import Callable, Container, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import chain

from ..model import NotScanned
from .git import Conversation, Repository

RESTARTS = 200
"""How many commits with unreadable trees are stepped over before attribution gives up on the rest of a stage."""
RESTART_SECONDS = 3.0
"""A commit that took longer before it failed counts as several: one for each such time."""
FILES_OF_A_COMMIT = 2_000_000
"""Changes of one commit, or files of one tree, that are looked at."""
MOST_CHANGES = 30_000_000
"""Changes of all commits that one pass looks at."""
MOST_SECONDS = 3600.0
"""Time that one pass may take."""
COMMITS_AT_ONCE = 200_000
"""Commits that one `diff-tree` is given: it forgets none of them."""

_ALLOCATION = "24m"
"""Most that `diff-tree` may ask for at once: the list of a commit's changes then holds 3 million at most."""
_MEMORY = 1 << 30
"""Most that `diff-tree` may hold in all, where the system lets us say so."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a commit brought in: its path, its blob, and the blobs it had there in the commit's parents."""

    path: bytes
    blob: str
    before: tuple[str, ...]
    link: bool = False


@dataclass(frozen=True, slots=True)
class Sieve:
    """The changes that matter: those that bring a blob of `wanted`, or one that is not among `known`. Ids are binary.

    Of the others there are a thousand times as many; they are counted, and cost little else.
    """

    wanted: Set[bytes]
    known: Container[bytes] | None = None

    @classmethod
    def of(cls, blobs: Iterable[str], known: Container[bytes] | None = None) -> Sieve:
        """One for blobs by their hexadecimal ids."""
        return cls({bytes.fromhex(blob) for blob in blobs}, known)


_DIFF_TREE = ("diff-tree", "--stdin", "--raw", "-r", "--root", "-c", "--no-renames", "--no-abbrev", "-z", "--always")


def diff_trees(
    repository: Repository, commits: Sequence[str], not_scanned: list[NotScanned], sieve: Sieve | None = None
) -> Iterator[tuple[str, Change]]:
    """What each commit brought in, against its parents; for a merge only what it has from none of them.

    With a sieve only the changes that matter. An entry of two ids compares the first with the second. Unreadable trees,
    and commits with more changes than are looked at, are reported and stepped over.
    """
    limits = replace(repository, environment=(*repository.environment, ("GIT_ALLOC_LIMIT", _ALLOCATION)))
    restarts, changes, until = 0, 0, time.monotonic() + MOST_SECONDS
    at, alone, flushed = 0, False, False
    while at < len(commits):
        batch = commits[at : at + (1 if alone else COMMITS_AT_ONCE)]
        with limits.open(*_DIFF_TREE, *_bounded_merges()) as git:
            _bound_memory(git)
            git.feed(batch)
            reading = _Reading(git, repository.id_length, batch, MOST_CHANGES - changes, until)
            yield from reading.changes(sieve)
            status = 0 if reading.stopped else git.end()
            said = git.said()
        at += reading.at
        changes += reading.count
        not_scanned.extend(NotScanned(name.encode(), _UNREADABLE) for name in reading.skipped)
        if reading.stopped == _ENOUGH:
            what = f"{len(commits) - at + 1} commits".encode()
            not_scanned.append(NotScanned(what, f"{_ENOUGH}: what they brought is not attributed"))
            return
        if not reading.stopped and status == 0:
            alone = False
            continue
        if not (reading.stopped or flushed):  # what git had not written yet may be lost with it: once more, from there
            limits = replace(limits, environment=(*limits.environment, ("GIT_FLUSH", "1")))
            at, flushed = at - min(reading.at, 1), True
            continue
        if reading.stopped:
            culprit, why = batch[reading.at - 1], reading.stopped
        elif reading.bare and not alone:  # of a merge, git says the name before it compares: was it that?
            at, alone = at - 1, True
            continue
        else:
            culprit = batch[0 if alone else min(reading.at, len(batch) - 1)]
            why = f"the trees of this commit cannot be compared: {said[-1] if said else 'git stopped'}"
            if said and re.search("over limit|out of memory", said[-1], re.IGNORECASE):
                why = _TOO_MANY
            at += not (alone and reading.at)
        alone = False
        not_scanned.append(NotScanned(culprit.split()[0].encode(), why))
        restarts += 1 + int((time.monotonic() - reading.last) / RESTART_SECONDS)
        if restarts > RESTARTS and at < len(commits):
            why = "their trees are damaged or missing: what they brought is not attributed"
            not_scanned.append(NotScanned(f"{len(commits) - at} commits".encode(), why))
            return


_UNREADABLE = "this commit cannot be read: what it brought is not attributed"
_TOO_MANY = "this commit has more changes than are looked at: the rest is not attributed, nor searched by --branch"
_ENOUGH = "history has more changes than are looked at"


def _bounded_merges() -> tuple[str, ...]:
    """Where the memory of git cannot be bounded: a filter makes git compare a merge with its parents one by one, each
    with a list whose growth `GIT_ALLOC_LIMIT` does bound. This takes twice as long, and drops what we do not use."""
    return () if sys.platform == "linux" else ("--diff-filter=AMT",)


def _bound_memory(git: Conversation) -> None:
    """Before anything is given to git. An older kernel may refuse; git then is what it is without a bound."""
    if sys.platform == "linux":
        import resource

        try:
            resource.prlimit(git.pid, resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        except (OSError, ValueError):
            return


@dataclass(slots=True)
class _Reading:
    """Reads what `diff-tree` prints about a batch of commits.

    `at` is how many of them are behind it; `skipped` are those that git passed over without a word; `stopped` says why
    it was not read to its end.
    """

    git: Conversation
    id_length: int
    batch: Sequence[str]
    most: int
    until: float
    at: int = 0
    count: int = 0
    last: float = field(default_factory=time.monotonic)
    stopped: str = ""
    skipped: list[str] = field(default_factory=list)
    bare: bool = False
    """Whether nothing was said of the last commit but its name."""

    def changes(self, sieve: Sieve | None) -> Iterator[tuple[str, Change]]:
        """Source: git-diff-tree(1), "Raw output format" and "diff format for merges"; `-z` ends each part with NUL."""
        wanted, known = (sieve.wanted, sieve.known) if sieve else (frozenset[bytes](), None)
        new = len(":100644 100644  ") + self.id_length
        end = new + self.id_length
        tokens = chain.from_iterable(self._tokens())
        commit, left, count, bare = "", 0, 0, False
        for token in tokens:
            if token[:1] != b":":
                commit, left, bare = self._begin(token.decode("ascii", "replace")), FILES_OF_A_COMMIT, True
                continue
            bare = False
            left -= 1
            count += 1
            if left < 0 or count > self.most or self.stopped:
                self.stopped = _TOO_MANY if left < 0 else _ENOUGH
                break
            path = next(tokens, b"")
            if not path:  # git was killed in the middle of a line
                continue
            if sieve:
                name = unhexlify(token[new:end] if token[1:2] != b":" else token.rsplit(b" ", 2)[1])
                if name not in wanted and (known is None or name in known):
                    continue
            change = _change(token, path)
            if change:
                yield commit, change
        self.count, self.bare = count, bare
        if not self.stopped and self.git.end() == 0:
            self.skipped += (entry.split()[0] for entry in self.batch[self.at :])
            self.at = len(self.batch)

    def _begin(self, name: str) -> str:
        while self.at < len(self.batch) and self.batch[self.at][: self.id_length] != name:
            self.skipped.append(self.batch[self.at].split()[0])
            self.at += 1
        self.at += 1
        self.last = time.monotonic()
        return name

    def _tokens(self) -> Iterator[list[bytes]]:
        kept: list[bytes] = []
        while data := self.git.stdout.read1(1 << 18):  # type: ignore[attr-defined]
            if time.monotonic() > self.until:
                self.stopped = _ENOUGH
            head, *rest = data.split(b"\0")
            kept.append(head)
            if rest:
                last = rest.pop()
                yield [b"".join(kept), *rest]
                kept = [last]


def _change(meta: bytes, path: bytes) -> Change | None:
    """A line of `diff-tree --raw` up to its path; None for what is no file any more, or a submodule."""
    parents = len(meta) - len(meta.lstrip(b":"))
    fields = meta[parents:].split(b" ")
    mode, name = fields[parents], fields[2 * parents + 1].decode()
    if mode not in (b"100644", b"100755", b"100664", b"120000"):
        return None
    before = tuple(f.decode() for f in fields[parents + 1 : 2 * parents + 1] if f.strip(b"0"))
    return Change(path, name, before, mode == b"120000")


MOST_REPLACED = 20_000
"""Blobs that commits replaced which are looked at."""


def replaced(repository: Repository, commits: Sequence[str]) -> set[str]:
    """The blobs that some commits changed or took away, as they stood in any of their parents; as far as git can read
    the trees, and not without end."""
    found = dict[str, None]()
    with repository.open("diff-tree", "--stdin", "--raw", "-r", "-m", "--no-renames", "--no-abbrev", "-z") as git:
        git.feed(commits)
        kept = b""
        while (data := git.stdout.read(1 << 16)) and len(found) < MOST_REPLACED:
            *whole, kept = (kept + data).split(b"\0")
            for token in whole:  # a path may begin with a colon, too: it names no blob
                fields = token.split(b" ")
                if token[:1] == b":" and len(fields) == 5 and len(fields[2]) == repository.id_length:
                    found[fields[2].decode("ascii", "replace")] = None
    return {name for name in found if name.strip("0")}


def tree(
    repository: Repository,
    commit: str,
    not_scanned: list[NotScanned],
    *,
    most: int = 0,
    wanted: Callable[[bytes], bool] = lambda _path: True,
) -> Iterator[tuple[bytes, str]]:
    """(path, blob) of the files of a commit, at most so many (`FILES_OF_A_COMMIT`); as far as git can read it."""
    most = most or FILES_OF_A_COMMIT
    count, until = 0, time.monotonic() + MOST_SECONDS
    with repository.open("ls-tree", "-r", "-z", "--full-tree", commit) as git:
        kept = b""
        while data := git.stdout.read1(1 << 18):  # type: ignore[attr-defined]
            *whole, kept = (kept + data).split(b"\0")
            for entry in whole:
                meta, _, path = entry.partition(b"\t")
                if b" blob " in meta and wanted(path):
                    yield path, meta[-repository.id_length :].decode()
            count += len(whole)
            if count > most or time.monotonic() > until:
                why = f"this tree has more than {most:,} files: they were not all looked at"
                not_scanned.append(NotScanned(commit.encode(), why))
                return
        status, said = git.end(), git.said()
    if status:
        why = f"the tree of this commit cannot be read whole: {next(iter(said), f'exit status {status}')}"
        not_scanned.append(NotScanned(commit.encode(), why))
