"""What a push adds to what a remote has: the objects that `git rev-list --objects NEW --not KNOWN` lists.

Known to be at the remote is what the hook is told of it (the ids that its refs had before the push) and what the last
fetch or push left in the tracking refs. Nobody is asked: a hook is offline.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ..errors import GitError
from ..model import NotScanned
from . import Batch, Item
from .git import Conversation, Repository
from .objects import Kind, ObjectUnit, headers, sized_units

AHEAD = 4 << 20
"""Bytes that are read before anybody asks for them."""
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
    """Refs that say what is known already: those of some names (`*` stands for anything in one) without those of
    `others`, or all of them. `promised` says that what a partial clone lacks is known, too."""

    names: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    all: bool = False
    promised: bool = False

    def heads(self) -> list[str]:
        """Them, for `rev-list`."""
        if self.all:
            return ["--all"]
        without = [f"--exclude={name}" for name in self.others]
        # in brackets, as git takes a pattern without wildcards for a folder
        patterns = [f"--glob=refs/[r]emotes/{name.removeprefix(_TRACKING)}" for name in self.names]
        return [argument for pattern in patterns for argument in (*without, pattern)]

    def arguments(self) -> list[str]:
        """What they do not reach, for `rev-list`."""
        heads = self.heads()
        return ["--not", *heads] if heads else []


_TRACKING = "refs/remotes/"
_FETCHED = re.compile(r"\+?refs/[^:]*:(?P<name>refs/remotes/[^?\[\]\\:]+)")
_SETTING = re.compile(rb"remote\.(?P<name>[^\n]*)\.(?P<key>url|pushurl|fetch|promisor)(?:\n(?P<value>.*))?", re.DOTALL)
_ASKED = r"^(remote\..*\.(url|pushurl|fetch|promisor)|extensions\.partialclone)$"


def tracking(repository: Repository, name: str, url: str, updates: Sequence[Update]) -> Refs:
    """The tracking refs of a remote, by its name or, where git gives no name, by its URL.

    A fetch into other folders than `refs/remotes` (a mirror) says nothing: a push may be what changes those. Nor do the
    refs of a remote whose name begins with that of this one, those that several remotes share, those of a remote from
    which another repository is fetched than is pushed to, and that of a ref which the remote lacks as the push begins.
    Where it lacks what its HEAD was, it is another repository than it was, and none of them says anything.
    """
    try:
        listed = repository.run("config", "-z", "--get-regexp", _ASKED)
    except GitError:  # no remote is configured
        listed = b""
    settings: dict[str, dict[str, list[str]]] = {}
    promisors = set[str]()
    for entry in listed.split(b"\0"):
        found = _SETTING.fullmatch(entry)
        if found:
            remote, value = (text.decode("utf-8", "replace") for text in (found["name"], found["value"] or b"true"))
            settings.setdefault(remote, {}).setdefault(found["key"].decode(), []).append(value)
        elif entry:
            promisors.add(entry.partition(b"\n")[2].decode("utf-8", "replace"))
    promisors.update(remote for remote, s in settings.items() if s.get("promisor", ["false"])[-1] == "true")
    if name in settings:
        chosen = [name]
    elif name == url:
        chosen = [remote for remote, s in settings.items() if url in (*s.get("url", ()), *s.get("pushurl", ()))]
    else:  # configured for the user, not in the repository
        chosen = [name]
        settings[name] = {"fetch": [f"+refs/heads/*:{_TRACKING}{name}/*"]}
    chosen = [remote for remote in chosen if _is_fetched_from(settings[remote], url)]
    names = _fetched(settings[remote] for remote in chosen)
    of_others = _fetched(s for remote, s in settings.items() if remote not in chosen)
    names = [one for one in names if one not in of_others]
    gone = _here(repository, list(_gone([settings[remote] for remote in chosen], updates)))
    if any(_was_head(repository, ref) for ref in gone):
        return Refs()
    within = (other for other in of_others if other.startswith(_folders(names)))
    return Refs(tuple(names), (*within, *gone), promised=not promisors.isdisjoint(chosen))


def _is_fetched_from(settings: dict[str, list[str]], url: str) -> bool:
    """Whether a push to a URL goes to the repository that a remote is fetched from, as far as the paths in there tell.

    A remote may be fetched by one protocol, and pushed to by another.
    """
    if not settings.get("pushurl") or not url:
        return True
    return any(_path_of(url) == _path_of(one) for one in settings.get("url", ()))


def _path_of(url: str) -> str:
    """The path in a URL, or in what ssh takes (`HOST:PATH`); of a path, itself."""
    scheme, separator, rest = url.partition("://")
    if separator:
        path = rest.partition("/")[2] if scheme != "file" else rest
    else:
        host, colon, after = url.partition(":")
        path = after if colon and "/" not in host else url
    return path.strip("/").removesuffix(".git")


def _gone(settings: list[dict[str, list[str]]], updates: Sequence[Update]) -> Iterator[str]:
    """The tracking refs of refs which the remote lacks, if they are here."""
    for update in updates:
        if not update.creates or update.deletes:
            continue
        for pattern in (one.lstrip("+") for s in settings for one in s.get("fetch", ())):
            theirs, _, ours = pattern.partition(":")
            before, star, behind = theirs.partition("*")
            ref = update.ref.decode("utf-8", "replace")
            if star and ref.startswith(before) and ref.endswith(behind) and len(ref) >= len(before + behind):
                ours = ours.replace("*", ref[len(before) : len(ref) - len(behind)])
            elif ref != theirs:
                continue
            if ours.startswith(_TRACKING):
                yield ours


def _here(repository: Repository, names: list[str]) -> list[str]:
    """Those of some tracking refs that are here."""
    if not names:
        return []
    there = set(repository.run("for-each-ref", "--format=%(refname)", _TRACKING).decode("utf-8", "replace").split("\n"))
    return [name for name in names if name in there]


def _was_head(repository: Repository, ref: str) -> bool:
    """Whether a tracking ref is that of the branch which a remote's HEAD names, or is called as such branches are."""
    folder, _, name = ref.rpartition("/")
    if name in ("main", "master", "trunk"):
        return True
    try:
        return repository.run("symbolic-ref", "--quiet", f"{folder}/HEAD").strip().decode() == ref
    except GitError:
        return False


def _fetched(settings: Iterable[dict[str, list[str]]]) -> list[str]:
    """Where what is fetched from some remotes lands."""
    found = (_FETCHED.fullmatch(one) for s in settings for one in s.get("fetch", ()))
    return list(dict.fromkeys(match["name"] for match in found if match))


def _folders(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.partition("*")[0] for name in names if "*" in name)


@dataclass(frozen=True, slots=True)
class Read:
    """A unit whose content was read already."""

    unit: ObjectUnit
    content: list[Batch | Item | NotScanned]

    @property
    def weight(self) -> int:
        """About how many bytes there are to search."""
        return self.unit.weight

    def describe(self) -> bytes:
        """What it is, for a message about the unit as a whole."""
        return self.unit.describe()

    def size(self) -> int:
        """How many blobs it has."""
        return self.unit.size()

    def blobs(self) -> Iterator[Batch | Item | NotScanned]:
        """What was read."""
        return iter(self.content)


def _whole(one: Batch | Item | NotScanned) -> Batch | Item | NotScanned:
    return replace(one, pieces=tuple(one.pieces)) if isinstance(one, Item) else one


@dataclass(slots=True)
class Listing:
    """The objects that a push adds, while git lists them. Read it once.

    `unknown` are tips that are not in the object store; `commits` come newest first. `promised` says that what else is
    not in it is known.
    """

    repository: Repository
    tips: Sequence[str]
    known: Sequence[str]
    git: Conversation
    promised: bool
    max_size: int
    commits: list[str] = field(default_factory=list)
    blobs: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    not_scanned: list[NotScanned] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    count: int = 0
    """Objects that are to be searched, and in `weight` their bytes."""
    weight: int = 0
    _listed: list[bytes] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _paths: dict[str, bytes] = field(default_factory=dict)
    _units: list[ObjectUnit | Read] = field(default_factory=list)
    _error: BaseException | None = None
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """List in a thread, and read what is little, while the caller does something else."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            units = self._all()
            small = self.weight <= AHEAD
            self._units = [Read(unit, [_whole(one) for one in unit.blobs()]) if small else unit for unit in units]
        except BaseException as e:  # noqa: BLE001  it is raised where somebody waits
            self._error = e

    def units(self) -> Sequence[ObjectUnit | Read]:
        """What is to be searched: the newest first, commits and tags before blobs. GitError where git lists nothing."""
        assert self._thread is not None
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._units

    def _all(self) -> list[ObjectUnit]:
        self._listed = list(self.git.stdout)
        listed = [line.split(b" ", 1)[0].rstrip(b"\n").decode("ascii", "replace") for line in self._listed]
        if self.git.end():
            said = self.git.said()
            worst = [line for line in said if line.startswith(("fatal:", "error:"))]
            why = f"git rev-list: {next(iter(worst or said), 'it was stopped')}"
            if not listed:
                raise GitError(why)
            self.not_scanned.append(NotScanned(b"history", f"is damaged, so that some of it was not searched ({why})"))
            listed += self._brought(listed)
        if not self.promised:
            self._leave_out({line[1:] for line in listed if line.startswith("?")})
        names = [line for line in listed if not line.startswith("?")]
        sizes: dict[str, list[tuple[str, int]]] = {}
        for place, (name, kind, size) in enumerate(_headers(self.repository, [*names, *self.tips])):
            if place < len(names):
                sizes.setdefault(kind, []).append((name, size))
            elif kind == "missing":
                self.unknown.append(name)
        self._leave_out(name for name, _ in sizes.get("missing", ()))
        self.commits = [name for name, _ in sizes.get("commit", ())]
        self.tags = [name for name, _ in sizes.get("tag", ())]
        self.blobs = {name for name, _ in sizes.get("blob", ())}
        units = [unit for kind in _KINDS for unit in self._units_of(kind, sizes.get(kind, []))]
        self.count, self.weight = sum(u.size() for u in units), sum(u.weight for u in units)
        return units

    def _units_of(self, kind: Kind, sizes: list[tuple[str, int]]) -> Iterator[ObjectUnit]:
        repository, left_out = self.repository, self.not_scanned
        return sized_units(repository, kind, sizes, left_out, max_size=self.max_size, most=UNIT_BYTES)

    def _brought(self, listed: Sequence[str]) -> list[str]:
        """What commits brought of which the trees can be read, in place of what git would have listed."""
        from .diffs import diff_trees

        commits = [name for name, kind, _ in _headers(self.repository, listed) if kind == "commit"]
        changes, known = diff_trees(self.repository, commits, self.not_scanned), set(listed)
        return list(dict.fromkeys(change.blob for _, change in changes if change.blob not in known))

    @property
    def names(self) -> set[str]:
        """Of all that is to be searched."""
        if not self._names:
            self._names = {*self.commits, *self.tags, *self.blobs}
        return self._names

    def path(self, blob: str) -> bytes:
        """A path at which git came by a blob, as far as its first line; empty where it has none."""
        if not self._paths:
            parted = (line.rstrip(b"\n").partition(b" ") for line in self._listed)
            self._paths = {name.decode("ascii", "replace"): path for name, _, path in parted if path}
        return self._paths.get(blob, b"")

    def _leave_out(self, names: Iterable[str]) -> None:
        why = "is not in the object store, so that it was not searched (a partial clone? damage? see `git fsck`)"
        self.not_scanned += (NotScanned(name.encode(), why) for name in sorted(names))


@contextmanager
def listing(
    repository: Repository, tips: Sequence[str], known: Sequence[str], refs: Refs, *, max_size: int
) -> Iterator[Listing]:
    """Have git list what `tips` reach and `known` and `refs` do not, while the caller does something else.

    Ids that are not in the object store are passed over: a remote may have what was never fetched.
    """
    how = ("--objects", "--date-order", "--missing=print", "--ignore-missing")
    arguments = ("rev-list", *how, *refs.arguments(), "--stdin")
    given = _lines([*tips, *("^" + name for name in known)])
    with repository.open(*arguments, given=given, patience=LONGEST_LISTING) as git:
        found = Listing(repository, tips, known, git, refs.promised, max_size)
        found.begin()
        yield found


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
    """What the remote has where the push begins: what its refs had before, and the parents of what is pushed; then
    what other refs of it had, the newest first: a commit may have been picked from one of them."""
    arguments = ("rev-list", "--boundary", "--ignore-missing", *refs.arguments(), "--stdin")
    lines = _lines([*listed.tips, *("^" + name for name in listed.known)])
    with listed.repository.open(*arguments, given=lines, patience=LONGEST_LISTING) as git:
        parents = [line[1:].decode("ascii", "replace").strip() for line in git.stdout if line.startswith(b"-")]
    heads: list[str] = []
    if refs.heads():
        with listed.repository.open("rev-list", "--no-walk", "--ignore-missing", *refs.heads(), given=b"") as git:
            heads = [line.decode("ascii", "replace").strip() for line in git.stdout]
    return list(dict.fromkeys([*listed.known, *parents, *heads]))


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
