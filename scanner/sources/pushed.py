"""What a push adds to what a remote has: the objects that `git rev-list --objects NEW --not KNOWN` lists.

Known to be at the remote is what the hook is told of it (the ids that its refs had before the push) and what the last
fetch or push left in the tracking refs. Nobody is asked: a hook is offline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..errors import GitError
from ..model import NotScanned
from .git import Conversation, Repository
from .objects import Kind, ObjectUnit, headers, too_large

UNIT_OBJECTS = 512
UNIT_BYTES = 8 << 20
LONGEST_LISTING = 3600.0
"""Seconds that `rev-list` may be silent; a hook's budget ends it long before."""
_KINDS: tuple[Kind, ...] = ("commit", "tag", "blob")


@dataclass(frozen=True, slots=True)
class Update:
    """A ref that a push changes: its name here and there, the id it is to have, and the one it has there (or zeros)."""

    name: bytes
    new: str
    ref: bytes
    old: str

    @property
    def deletes(self) -> bool:
        """Whether the ref is taken away: nothing is sent."""
        return not self.new.strip("0")

    @property
    def creates(self) -> bool:
        """Whether the remote has no ref of this name yet."""
        return not self.old.strip("0")


@dataclass(frozen=True, slots=True)
class Refs:
    """Refs that say what is known already: folders of refs, or all of them."""

    folders: tuple[str, ...] = ()
    all: bool = False

    def arguments(self) -> list[str]:
        """For `rev-list`."""
        if self.all:
            return ["--not", "--all"]
        return ["--not", *(f"--glob={folder}/*" for folder in self.folders)] if self.folders else []


_PATTERN = re.compile(r"\+?refs/[^:]*:(?P<folder>refs/remotes/[^*?\[\]\\:]+)/\*")
_SETTING = re.compile(rb"remote\.(?P<name>[^\n]*)\.(?P<key>url|pushurl|fetch)(?:\n(?P<value>.*))?", re.DOTALL)


def tracking(repository: Repository, name: str, url: str) -> Refs:
    """The folders of tracking refs of a remote, by its name or, where git gives no name, by its URL.

    A fetch into other folders than `refs/remotes` (a mirror) says nothing: a push may be what changes those.
    """
    try:
        listed = repository.run("config", "-z", "--get-regexp", r"^remote\..*\.(url|pushurl|fetch)$")
    except GitError:  # no remote is configured
        listed = b""
    settings: dict[str, dict[str, list[str]]] = {}
    for entry in listed.split(b"\0"):
        found = _SETTING.fullmatch(entry)
        if found:
            of_remote = settings.setdefault(found["name"].decode("utf-8", "replace"), {})
            of_remote.setdefault(found["key"].decode(), []).append((found["value"] or b"").decode("utf-8", "replace"))
    if name in settings:
        chosen = [settings[name]]
    elif name == url:
        chosen = [s for s in settings.values() if url in (*s.get("url", ()), *s.get("pushurl", ()))]
    else:  # configured for the user, not in the repository
        chosen = [{"fetch": [f"+refs/heads/*:refs/remotes/{name}/*"]}]
    patterns = (_PATTERN.fullmatch(one) for s in chosen for one in s.get("fetch", ()))
    return Refs(tuple(dict.fromkeys(found["folder"] for found in patterns if found)))


@dataclass(slots=True)
class Listing:
    """The objects that a push adds, while git lists them. Read it once.

    `unknown` are tips that are not in the object store; `commits` come newest first.
    """

    repository: Repository
    tips: Sequence[str]
    known: Sequence[str]
    git: Conversation
    commits: list[str] = field(default_factory=list)
    blobs: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    not_scanned: list[NotScanned] = field(default_factory=list)
    count: int = 0
    """Objects that are to be searched, and in `weight` their bytes."""
    weight: int = 0

    def units(self, *, max_size: int) -> list[ObjectUnit]:
        """What is to be searched: the newest first, commits and tags before blobs. GitError where git lists nothing."""
        listed = [line.split(b" ", 1)[0].rstrip(b"\n").decode("ascii", "replace") for line in self.git.stdout]
        if self.git.end():
            said = self.git.said()
            worst = [line for line in said if line.startswith(("fatal:", "error:"))]
            why = f"git rev-list: {next(iter(worst or said), 'it was stopped')}"
            if not listed:
                raise GitError(why)
            self.not_scanned.append(
                NotScanned(b"history", f"is damaged: some of it may not have been searched ({why})")
            )
            listed += self._brought(listed)
        missing = {line[1:] for line in listed if line.startswith("?")}
        self._leave_out(missing)
        names = [line for line in listed if not line.startswith("?")]
        sizes: dict[str, list[tuple[str, int]]] = {}
        for place, (name, kind, size) in enumerate(_headers(self.repository, [*names, *self.tips])):
            if place < len(names):
                sizes.setdefault(kind, []).append((name, size))
            elif kind == "missing":
                self.unknown.append(name)
        self._leave_out(name for name, _ in sizes.get("missing", ()))
        self.commits = [name for name, _ in sizes.get("commit", ())]
        self.blobs = {name for name, _ in sizes.get("blob", ())}
        units = [unit for kind in _KINDS for unit in self._units(kind, sizes.get(kind, []), max_size)]
        self.count, self.weight = sum(u.size() for u in units), sum(u.weight for u in units)
        return units

    def _brought(self, listed: Sequence[str]) -> list[str]:
        """What commits brought of which the trees can be read, in place of what git would have listed."""
        from .diffs import diff_trees

        commits = [name for name, kind, _ in _headers(self.repository, listed) if kind == "commit"]
        changes, known = diff_trees(self.repository, commits, self.not_scanned), set(listed)
        return list(dict.fromkeys(change.blob for _, change in changes if change.blob not in known))

    def _leave_out(self, names: Iterable[str]) -> None:
        why = "is not in the object store, so that it was not searched (a partial clone? damage? see `git fsck`)"
        self.not_scanned += (NotScanned(name.encode(), why) for name in sorted(names))

    def _units(self, kind: Kind, listed: list[tuple[str, int]], max_size: int) -> Iterator[ObjectUnit]:
        batch, weight = bytearray(), 0
        for name, size in listed:
            if size > max_size:
                self.not_scanned.append(too_large(kind, name.encode(), size))
                continue
            batch += bytes.fromhex(name)
            weight += size
            if weight >= UNIT_BYTES or len(batch) >= UNIT_OBJECTS * len(name) // 2:
                yield ObjectUnit(self.repository, kind, bytes(batch), weight)
                batch, weight = bytearray(), 0
        if batch:
            yield ObjectUnit(self.repository, kind, bytes(batch), weight)


@contextmanager
def listing(repository: Repository, tips: Sequence[str], known: Sequence[str], refs: Refs) -> Iterator[Listing]:
    """Have git list what `tips` reach and `known` and `refs` do not; it works on while the caller does something else.

    Ids that are not in the object store are passed over: a remote may have what was never fetched.
    """
    how = ("--objects", "--date-order", "--missing=print", "--ignore-missing")
    arguments = ("rev-list", *how, *refs.arguments(), "--stdin")
    given = _lines([*tips, *("^" + name for name in known)])
    with repository.open(*arguments, given=given, patience=LONGEST_LISTING) as git:
        yield Listing(repository, tips, known, git)


def _headers(repository: Repository, names: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Id, type and size of objects, all asked at once; one by one from where git gives up."""
    done = 0
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    with repository.open("cat-file", form, "--buffer", given=_lines(names)) as git:
        for line in git.stdout:
            name, kind, size = [*line.decode("ascii", "replace").split(), "", ""][:3]
            if done == len(names) or name != names[done]:
                break
            yield (name, kind, int(size)) if size else (name, "missing", 0)
            done += 1
    yield from headers(repository, names[done:])


def behind(listed: Listing, refs: Refs) -> list[str]:
    """What the remote has where the push begins: what its refs had before, and the parents of what is pushed."""
    arguments = ("rev-list", "--boundary", "--ignore-missing", *refs.arguments(), "--stdin")
    lines = _lines([*listed.tips, *("^" + name for name in listed.known)])
    with listed.repository.open(*arguments, given=lines, patience=LONGEST_LISTING) as git:
        parents = [line[1:].decode("ascii", "replace").strip() for line in git.stdout if line.startswith(b"-")]
    return list(dict.fromkeys([*listed.known, *parents]))


MOST_COMMITS = 20_000
"""Commits whose parents are asked for."""


def parents_of(repository: Repository, commits: Sequence[str]) -> dict[str, list[str]]:
    """The parents of some commits, in their order; of the first of them, where they are many."""
    arguments = ("rev-list", "--no-walk=unsorted", "--parents", "--stdin")
    with repository.open(*arguments, given=_lines(commits[:MOST_COMMITS])) as git:
        listed = [line.decode("ascii", "replace").split() for line in git.stdout]
    return {names[0]: names[1:] for names in listed if names}


def peeled(repository: Repository, names: Sequence[str]) -> dict[str, str]:
    """The commits that objects of these names lead to: a commit itself, or what a tag is of."""
    asked = zip(names, headers(repository, [f"{name}^{{commit}}" for name in names]), strict=True)
    return {name: commit for name, (commit, kind, _) in asked if kind == "commit"}


def descends(repository: Repository, commit: str, ancestor: str) -> bool:
    """Whether a commit builds on another."""
    try:
        repository.run("merge-base", "--is-ancestor", ancestor, commit)
    except GitError:
        return False
    return True


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()
