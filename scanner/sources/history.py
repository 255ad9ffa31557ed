"""Attribution: which commit first brought a blob to a path, by whom and when, and what still reaches it.

One pass over history, `rev-list` into `diff-tree`, oldest first, in four stages: what branches and tags reach; what
other refs reach (stash, pull requests, notes); what only the reflog knows; and commits that nothing names. A blob is
attributed by the first stage that has it. The same pass sees every blob that history names, and tells which are not
in the object store (partial clone, damage).

The trees of commits may be damaged or missing too: then `diff-tree` stops at that commit, and is started again behind
it. So it is with a commit that brings in more files than the memory of a machine holds: eleven small trees that name
one another ten times each are enough for that. Everything here has a bound, and says when it is reached.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ..errors import GitError, UsageError
from ..model import GitBlob, GitMessage, NotScanned, Reach, clean
from .git import Conversation, Repository
from .objects import ObjectUnit, Store, cut, headers
from .worktree import Index

RESTARTS = 200
"""How many commits with unreadable trees are stepped over before attribution gives up on the rest of a stage."""
RESTART_SECONDS = 3.0
"""A commit that took longer before it failed counts as several: one for each such time."""
FILES_OF_A_COMMIT = 2_000_000
"""Changes of one commit, or files of one tree, that are looked at."""
MOST_CHANGES = 30_000_000
"""Changes of all commits that one pass looks at."""
MOST_SECONDS = 3600.0
"""Time that one pass may take, and that `rev-list` may sort history."""
MOST_PLACES = 1_000
"""Places of one blob that are kept."""
MOST_PLACES_IN_ALL = 1_000_000
MOST_MISSING = 1_000
"""Missing blobs that are named one by one."""
COMMITS_AT_ONCE = 200_000
"""Commits that one `diff-tree` is given: it forgets none of them."""
NESTED_TAGS = 20
"""How deep tags of tags are followed."""

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
class Refs:
    """The tips of a repository: each ref with its commit, by kind; `default` is the commit of HEAD, if it has one.

    `objects` has the refs that name a tag object or a blob, by themselves or through tags, `trees` those of a tree;
    tags come first.
    """

    default: str
    branches: dict[bytes, str] = field(default_factory=dict)
    tags: dict[bytes, str] = field(default_factory=dict)
    others: dict[bytes, str] = field(default_factory=dict)
    objects: list[tuple[bytes, str]] = field(default_factory=list)
    trees: list[tuple[bytes, str]] = field(default_factory=list)


def read_refs(repository: Repository, not_scanned: list[NotScanned]) -> Refs:
    """All refs, by kind. What they name is asked apart: `for-each-ref` gives up at the first damaged object."""
    refs = Refs(head_of(repository))
    try:
        listed = repository.run("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    except GitError as e:
        not_scanned.append(NotScanned(b"refs", f"cannot be read: {e}"))
        return refs
    named = [(name.decode(), ref) for name, _, ref in (line.partition(b" ") for line in listed)]
    named.sort(key=lambda pair: not pair[1].startswith(b"refs/tags/"))
    answers = list(headers(repository, [question for name, _ in named for question in (name, name + "^{}")]))
    for (name, ref), (_, kind, _), (peeled, final, _) in zip(named, answers[::2], answers[1::2], strict=True):
        if kind == "tag":
            refs.objects.append((ref, name))
        if "missing" in (kind, final):
            not_scanned.append(NotScanned(ref, f"names {name[:12]}, which is damaged or not in the object store"))
        elif final == "blob":
            refs.objects.append((ref, peeled))
        elif final == "tree":
            refs.trees.append((ref, peeled))
        elif final == "commit":
            branch, tag = ref.startswith((b"refs/heads/", b"refs/remotes/")), ref.startswith(b"refs/tags/")
            (refs.branches if branch else refs.tags if tag else refs.others)[ref] = peeled
    return refs


def head_of(repository: Repository) -> str:
    """The commit of HEAD; empty where it has none."""
    try:
        return repository.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip().decode()
    except GitError:
        return ""


@dataclass(slots=True)
class Place:
    """Where a blob stands: the first commit that brought it to a path, in the order of the pass."""

    path: bytes
    commit: str
    order: int
    reach: Reach
    via: str = ""


@dataclass(slots=True)
class History:
    """What the pass over history found: places by blob, messages' reach, and blobs that are not in the store."""

    places: dict[str, list[Place]] = field(default_factory=dict)
    messages: dict[str, tuple[Reach, str]] = field(default_factory=dict)
    signatures: dict[str, tuple[str, str]] = field(default_factory=dict)
    not_scanned: list[NotScanned] = field(default_factory=list)
    kept: int = 0
    folded: int = 0
    """Places that were counted and not kept."""

    def has(self, blob: str) -> bool:
        """Whether a place of the blob is known."""
        return blob in self.places

    def add(self, blob: str, place: Place) -> bool:
        """Keep a place of a blob, unless there are too many; every blob has one."""
        if self.full(blob):
            self.folded += 1
            return False
        self.kept += 1
        self.places.setdefault(blob, []).append(place)
        return True

    def full(self, blob: str) -> bool:
        """Whether no more places of a blob are kept."""
        places = self.places.get(blob)
        return bool(places) and (len(places or ()) >= MOST_PLACES or self.kept >= MOST_PLACES_IN_ALL)

    def finish(self, repository: Repository, places: Iterable[Place]) -> None:
        """Once all places are known: whose commits they are, and how many places are not listed."""
        self.signatures = _signatures(repository, {place.commit for place in places} - {""})
        if self.folded:
            why = f"of a blob that stands at more than {MOST_PLACES:,} places, the others are counted, not listed"
            self.not_scanned.append(NotScanned(b"places in history", why, policy=True, count=self.folded))

    def origins(self, blob: str) -> list[tuple[GitBlob | GitMessage, int]]:
        """The origins of a blob, each with the order of its commit; one without a commit for a dangling blob."""
        found = self.places.get(blob)
        if not found:
            return [(GitBlob(blob, via="dangling"), 1 << 60)]
        return [(self.origin(blob, place), place.order) for place in found]

    def origin(self, blob: str, place: Place) -> GitBlob | GitMessage:
        """A place with its author and date; a note, where the path says what it is about."""
        author, date = self.signatures.get(place.commit, ("", ""))
        if place.via.startswith("refs/notes/"):
            target = place.path.replace(b"/", b"")
            if _OBJECT_ID.fullmatch(target):
                return GitMessage("note", target.decode("ascii"), author, date, place.reach, place.via)
        return GitBlob(blob, place.path, place.commit, author, date, place.reach, place.via)

    def message(self, origin: GitMessage) -> GitMessage:
        """A commit's or tag's message with what reaches it."""
        reach, via = self.messages.get(origin.target, ("unreachable", "dangling"))
        return GitMessage(origin.message, origin.target, origin.author, origin.date, reach, via)


_OBJECT_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")


def attribute(repository: Repository, store: Store, index: Index, blobs: set[str], messages: set[str]) -> History:
    """Find where `blobs` stand and what reaches the commits and tags in `messages`."""
    history = History()
    refs = read_refs(repository, history.not_scanned)
    for ref, name in refs.objects:
        if name in messages:
            history.messages.setdefault(name, _reach_of(ref))
    known = _Pass(repository, store, history, blobs, messages)
    published = [*refs.branches.values(), *refs.tags.values(), *([refs.default] if refs.default else [])]
    known.stage(_rev_list(repository, published, [], history), "history", {})
    _heads(repository, refs, history, blobs)
    staged = [(path, name) for path, name in index.entries() if name in blobs and not history.has(name)]
    for path, name in staged:
        history.add(name, Place(path, "", 1 << 59, "staged"))
    known.named_by_themselves(refs)
    if refs.others:
        listed = _rev_list(repository, refs.others.values(), published, history, "--parents")
        order, sources = _sources(listed, refs.others)
        known.stage(order, "unreachable", sources)
    above = [*published, *refs.others.values()]
    reflog = _rev_list(repository, [], above, history, "--reflog")
    known.stage(reflog, "unreachable", dict.fromkeys(reflog, "reflog"))
    if known.wanting():
        loose = [c for c in store.commit_names() if c not in known.commits]
        if loose:
            order = _rev_list(repository, loose, [*above, *reflog], history)
            known.stage(order, "unreachable", dict.fromkeys(order, "dangling"), complete=False)
    known.report_missing()
    history.finish(repository, (place for places in history.places.values() for place in places))
    return history


def _reach_of(ref: bytes) -> tuple[Reach, str]:
    """How an object is reached that a ref names by itself."""
    if ref.startswith(b"refs/tags/"):
        return "history", ""
    return "unreachable", cut(ref.decode("utf-8", "replace"))


class _Pass:
    """Goes through the stages, and remembers what has been seen."""

    def __init__(
        self, repository: Repository, store: Store, history: History, blobs: set[str], messages: set[str]
    ) -> None:
        self.commits: set[str] = set()
        self._repository, self._store, self._history = repository, store, history
        self._blobs, self._messages = blobs, messages
        self._missing: set[bytes] = set()
        self._order = 0

    def wanting(self) -> bool:
        """Whether something that was found has no place yet."""
        history = self._history
        return any(not history.has(b) for b in self._blobs) or any(m not in history.messages for m in self._messages)

    def stage(self, commits: list[str], reach: Reach, via: dict[str, str], *, complete: bool = True) -> None:
        """One stage: the first place of each (path, blob) in these commits, oldest first.

        `complete` says that git keeps all that these commits name, so that a blob that is not there is a loss.
        """
        history = self._history
        before = set(history.places)
        seen: set[tuple[bytes, str]] = set()
        for commit in commits:
            self.commits.add(commit)
            if commit in self._messages:
                history.messages.setdefault(commit, (reach, via.get(commit, "")))
        present, damaged, last = self._store.blobs, self._store.damaged, ""
        for commit, change in diff_trees(self._repository, commits, history.not_scanned):
            self._order += commit != last
            last = commit
            if change.blob in self._blobs:
                if change.blob not in before and (change.path, change.blob) not in seen:
                    place = Place(change.path, commit, self._order, reach, via.get(commit, ""))
                    if history.add(change.blob, place):
                        seen.add((change.path, change.blob))
            elif complete and change.blob not in damaged:
                name = bytes.fromhex(change.blob)
                if name not in present and name not in self._missing:
                    self._lack(name, change, commit)

    def _lack(self, name: bytes, change: Change, commit: str) -> None:
        self._missing.add(name)
        if len(self._missing) <= MOST_MISSING:
            what = change.blob.encode() + b" " + change.path
            why = f"git blob is not in the object store (first named by commit {commit[:12]})"
            self._history.not_scanned.append(NotScanned(what, why))

    def report_missing(self) -> None:
        """The number of the missing blobs that were not named."""
        more = len(self._missing) - MOST_MISSING
        if more > 0:
            self._history.not_scanned.append(NotScanned(b"", "git blob is not in the object store", count=more))

    def named_by_themselves(self, refs: Refs) -> None:
        """What refs name without a commit: blobs, the files of trees, tags in tags."""
        history = self._history
        for ref, name in refs.objects:
            if name in self._blobs and not history.has(name):
                history.add(name, Place(b"", "", 1 << 57, *_reach_of(ref)))
        trees: dict[str, bytes] = {}
        for ref, name in refs.trees:
            trees.setdefault(name, ref)
        left = FILES_OF_A_COMMIT
        before = set(history.places)
        for name, ref in trees.items() if not self._blobs <= before else ():
            if left <= 0:
                history.not_scanned.append(NotScanned(ref, "names a tree, and trees enough were looked at"))
                continue
            for path, blob in tree(self._repository, name, history.not_scanned, most=left):
                left -= 1
                if blob in self._blobs and blob not in before:
                    history.add(blob, Place(path, "", 1 << 57, *_reach_of(ref)))
        if any(m not in history.messages for m in self._messages):
            for ref, name in _inner_tags(self._repository, refs.objects):
                if name in self._messages:
                    history.messages.setdefault(name, _reach_of(ref))


_TAG_OF_A_TAG = re.compile(rb"object ([0-9a-f]{40}|[0-9a-f]{64})\ntype tag\n")


def _inner_tags(repository: Repository, outer: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    """The tag objects that tag objects name, each with a ref that leads to it."""
    refs: dict[str, bytes] = {}
    for ref, name in outer:
        refs.setdefault(name, ref)
    waiting = [name for name, kind, _ in headers(repository, list(refs)) if kind == "tag"]
    for _ in range(NESTED_TAGS):
        unit = ObjectUnit(repository, "tag", b"".join(bytes.fromhex(name) for name in waiting), 0)
        waiting = []
        for item in unit.read():
            if isinstance(item, NotScanned) or not isinstance(item.origin, GitMessage):
                continue
            found = _TAG_OF_A_TAG.match(next(iter(item.pieces)).content)
            inner = found[1].decode() if found else ""
            if inner and inner not in refs:
                refs[inner] = refs[item.origin.target]
                waiting.append(inner)
                yield refs[inner], inner
        if not waiting:
            return


def _rev_list(
    repository: Repository, tips: Iterable[str], without: Iterable[str], history: History, *options: str
) -> list[str]:
    """Commits from the tips, parents first, else by date. Where history itself is damaged, just the tips."""
    tips = list(dict.fromkeys(tips))
    if not tips and not options:
        return []
    lines = tips + ["^" + w for w in dict.fromkeys(without)]
    try:
        return _commits(repository, *_SORTED, "--ignore-missing", *options, "--stdin", lines=lines)
    except GitError as e:
        history.not_scanned.append(NotScanned(b"history", f"cannot be followed to its beginning: {e}"))
    try:
        return _commits(repository, "--no-walk", "--reverse", "--stdin", "--ignore-missing", lines=tips)
    except GitError:
        return []


_SORTED = ("--date-order", "--reverse")
"""Parents before their children, and apart from that the oldest first: who was first on one of two branches counts."""


def _commits(repository: Repository, *options: str, lines: Sequence[str] = ()) -> list[str]:
    """What `rev-list` prints; GitError when it fails."""
    with repository.open("rev-list", *options, patience=MOST_SECONDS) as git, _fed(git, lines):
        out = [line.rstrip(b"\n").decode("ascii") for line in git.stdout]
        status, said = git.end(), git.said()
    if status:
        worst = [line for line in said if line.startswith(("fatal:", "error:"))]
        raise GitError(f"git rev-list: {next(iter(worst or said), f'exit status {status}')}")
    return out


def _sources(listed: list[str], tips: dict[bytes, str]) -> tuple[list[str], dict[str, str]]:
    """The commits of a list with parents (parents first), and for each a ref that reaches it."""
    via: dict[str, str] = {}
    for ref, commit in tips.items():
        via.setdefault(commit, cut(ref.decode("utf-8", "replace")))
    order: list[str] = []
    for line in reversed(listed):
        commit, *parents = line.split()
        order.append(commit)
        for parent in parents:
            if commit in via:
                via.setdefault(parent, via[commit])
    return order[::-1], via


def _heads(repository: Repository, refs: Refs, history: History, blobs: set[str], *, only_known: bool = False) -> None:
    """Mark the places that the heads of branches still have: the default branch, then the others."""
    if not blobs:
        return
    default = refs.default or next(iter(refs.branches.values()), "")
    if not default:
        return
    known: dict[tuple[bytes, str], list[Place]] = {}
    for blob, places in history.places.items():
        for place in places:
            known.setdefault((place.path, blob), []).append(place)
    extra: set[str] = set()

    def mark(path: bytes, blob: str, reach: Reach) -> None:
        found = known.get((path, blob), [])
        if not found and not only_known and not (history.full(blob) and blob in extra):
            extra.add(blob)  # brought by no commit that could be read, or a place that was not kept
            place = Place(path, "", 1 << 58, reach)
            known[path, blob] = [place]
            history.places.setdefault(blob, []).append(place)
        for place in found:
            if reach == "head" or place.reach != "head":
                place.reach = reach

    for path, name in tree(repository, default, history.not_scanned):
        if name in blobs:
            mark(path, name, "head")
    pairs = [f"{tip} {default}" for tip in dict.fromkeys(refs.branches.values()) if tip != default]
    for _, change in diff_trees(repository, pairs, history.not_scanned):
        if change.blob in blobs:
            mark(change.path, change.blob, "branch")


_DIFF_TREE = ("diff-tree", "--stdin", "--raw", "-r", "--root", "-c", "--no-renames", "--no-abbrev", "-z", "--always")


def diff_trees(
    repository: Repository, commits: Sequence[str], not_scanned: list[NotScanned]
) -> Iterator[tuple[str, Change]]:
    """What each commit brought in, against its parents; for a merge only what it has from none of them.

    An entry of two ids compares the first with the second. Unreadable trees, and commits with more changes than are
    looked at, are reported and stepped over.
    """
    limits = replace(repository, environment=(*repository.environment, ("GIT_ALLOC_LIMIT", _ALLOCATION)))
    restarts, changes, until = 0, 0, time.monotonic() + MOST_SECONDS
    at, alone = 0, False
    while at < len(commits):
        batch = commits[at : at + (1 if alone else COMMITS_AT_ONCE)]
        with limits.open(*_DIFF_TREE, *_bounded_merges()) as git, _fed(git, batch):
            _bound_memory(git)
            reading = _Reading(git, repository.id_length, batch, MOST_CHANGES - changes, until)
            yield from reading.changes()
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

    def changes(self) -> Iterator[tuple[str, Change]]:
        """Source: git-diff-tree(1), "Raw output format" and "diff format for merges"; `-z` ends each part with NUL.

        Git prints a commit at once when it has compared it; so the last one is whole, unless it is `bare`.
        """
        commit, left = "", 0
        tokens = self._tokens()
        for token in tokens:
            if not token.startswith(b":"):
                commit, left = self._begin(token.decode("ascii", "replace")), FILES_OF_A_COMMIT
                continue
            self.bare = False
            left -= 1
            self.count += 1
            if left < 0 or self.count > self.most or self.stopped:
                self.stopped = _TOO_MANY if left < 0 else _ENOUGH
                return
            parents = len(token) - len(token.lstrip(b":"))
            fields = token[parents:].split(b" ")
            path = next(tokens, b"")
            mode, name = fields[parents], fields[2 * parents + 1].decode()
            if mode in (b"100644", b"100755", b"100664", b"120000"):
                before = tuple(f.decode() for f in fields[parents + 1 : 2 * parents + 1] if f.strip(b"0"))
                yield commit, Change(path, name, before, mode == b"120000")
        if not self.stopped and self.git.end() == 0:
            self.skipped += (entry.split()[0] for entry in self.batch[self.at :])
            self.at = len(self.batch)

    def _begin(self, name: str) -> str:
        while self.at < len(self.batch) and self.batch[self.at].split()[0] != name:
            self.skipped.append(self.batch[self.at].split()[0])
            self.at += 1
        self.at += 1
        self.last = time.monotonic()
        self.bare = True
        return name

    def _tokens(self) -> Iterator[bytes]:
        kept: list[bytes] = []
        while data := self.git.stdout.read1(1 << 18):  # type: ignore[attr-defined]
            if time.monotonic() > self.until:
                self.stopped = _ENOUGH
            head, *rest = data.split(b"\0")
            kept.append(head)
            if rest:
                yield b"".join(kept)
                yield from rest[:-1]
                kept = [rest[-1]]


@contextmanager
def _fed(git: Conversation, lines: Sequence[str]) -> Iterator[None]:
    """Lines written to git's standard input by a thread, and then its end."""

    def feed() -> None:
        try:
            for begin in range(0, len(lines), 1000):
                git.stdin.write("".join(f"{line}\n" for line in lines[begin : begin + 1000]).encode())
            git.stdin.close()
        except (OSError, ValueError):  # git has ended, or was stopped
            return

    threading.Thread(target=feed, daemon=True).start()
    yield


def _signatures(repository: Repository, commits: set[str]) -> dict[str, tuple[str, str]]:
    """Author and date of commits."""
    if not commits:
        return {}
    unit = ObjectUnit(repository, "commit", b"".join(bytes.fromhex(c) for c in sorted(commits)), 0)
    out: dict[str, tuple[str, str]] = {}
    for item in unit.read():
        if not isinstance(item, NotScanned) and isinstance(item.origin, GitMessage):
            out[item.origin.target] = (item.origin.author, item.origin.date)
    return out


# --- a part of history ----------------------------------------------------------------------------------------------


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
                out.append((GitBlob(blob, place.path, first.commit, author, date, place.reach), first.order))
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

    def history(self, repository: Repository, blobs: set[str]) -> Brought:
        """Where `blobs` stand in the selection, without the attribution that only the whole history could give."""
        found = Brought()
        again = diff_trees(repository, self.commits, found.not_scanned) if blobs else iter(())
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
            _heads(repository, read_refs(repository, found.not_scanned), found, set(found.places), only_known=True)
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
    commits = _commits(repository, *_SORTED, *arguments)
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
