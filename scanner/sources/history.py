"""Attribution: which commit first brought a blob to a path, by whom and when, and what still reaches it.

One pass over history, `rev-list` into `diff-tree`, oldest first, in four stages: what branches and tags reach; what
other refs reach (stash, pull requests, notes); what only the reflog knows; and commits that nothing names. A blob is
attributed by the first stage that has it. The same pass sees every blob that history names, and tells which are not
in the object store (partial clone, damage).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..model import GitBlob, GitMessage, NotScanned, Reach
from .commits import Commits, sources
from .diffs import FILES_OF_A_COMMIT, Change, Sieve, diff_trees, tree
from .git import Repository
from .objects import Changes, ObjectUnit, Store, cut
from .refs import Refs, inner_tags, read_refs, short_name
from .worktree import Index

MOST_PLACES = 1_000
"""Places of one blob that are kept."""
MOST_PLACES_IN_ALL = 1_000_000
MOST_MISSING = 1_000
"""Missing blobs that are named one by one."""


@dataclass(slots=True)
class Place:
    """Where a blob stands: the first commit that brought it to a path. `order` grows with the stage and the date."""

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
        self.signatures = _signatures(repository, {place.commit for place in places} - {""}, self.not_scanned)
        if self.folded:
            why = f"of a blob that stands at more than {MOST_PLACES:,} places, the others are counted, not listed"
            self.not_scanned.append(NotScanned(b"places in history", why, policy=True, count=self.folded))

    def origins(self, blob: str) -> list[tuple[GitBlob | GitMessage, int]]:
        """The origins of a blob, each with the order of its commit; one without a commit for a dangling blob."""
        found = self.places.get(blob)
        if not found:
            return [(GitBlob(blob, via="dangling"), _NOWHERE)]
        return [(self.origin(blob, place), place.order) for place in found]

    def origin(self, blob: str, place: Place) -> GitBlob | GitMessage:
        """A place with its author and date; a note, where the path says what it is about."""
        author, date = self.signatures.get(place.commit, ("", ""))
        commit = place.commit if place.commit in self.signatures else ""  # none that is another one, or damaged
        if place.reach == "unreachable" and place.via.startswith("refs/notes/"):
            target = place.path.replace(b"/", b"")
            if _OBJECT_ID.fullmatch(target):
                return GitMessage("note", target.decode("ascii"), author, date, place.reach, place.via)
        return GitBlob(blob, place.path, commit, author, date, place.reach, place.via)

    def message(self, origin: GitMessage) -> GitMessage:
        """A commit's or tag's message with what reaches it."""
        reach, via = self.messages.get(origin.target, ("unreachable", "dangling"))
        return GitMessage(origin.message, origin.target, origin.author, origin.date, reach, via)


_STAGE = 1 << 80
"""Of the order of a place: what comes of one stage is before what comes of the next."""
_BY_ITSELF, _UNKNOWN, _STAGED, _NOWHERE = (stage * _STAGE for stage in range(4, 8))


def _order(stage: int, date: int, commit: str) -> int:
    """Of a commit among all: by stage, then by date, then by its name."""
    return stage * _STAGE + (max(date, 0) << 32) + int(commit[:8], 16)


_OBJECT_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")


def attribute(
    repository: Repository, store: Store, commits: Commits, index: Index, blobs: set[str], messages: set[str]
) -> History:
    """Find where `blobs` stand and what reaches the commits and tags in `messages`."""
    history = History()
    refs = read_refs(repository, history.not_scanned)
    for ref, name in refs.objects:
        if name in messages:
            history.messages.setdefault(name, _reach_of(ref))
    known = _Pass(repository, store, commits, history, blobs, messages)
    published = [*refs.branches.values(), *refs.tags.values(), *([refs.default] if refs.default else [])]
    known.stage(0, commits.listed(published, [], history.not_scanned), "history", {})
    mark_heads(repository, refs, history, blobs, store.changes)
    staged = [(path, name) for path, name in index.entries() if name in blobs and not history.has(name)]
    for path, name in staged:
        history.add(name, Place(path, "", _STAGED, "staged"))
    known.named_by_themselves(refs)
    if refs.others:
        listed = commits.listed(refs.others.values(), published, history.not_scanned)
        known.stage(1, listed, "unreachable", sources(commits, listed, refs.others))
    above = [*published, *refs.others.values()]
    reflog = commits.listed([], above, history.not_scanned, "--reflog")
    known.stage(2, reflog, "unreachable", dict.fromkeys(reflog, "reflog"))
    if known.wanting():
        loose = commits.unlisted()
        if loose:
            listed = commits.listed(loose, [*above, *reflog], history.not_scanned)
            known.stage(3, listed, "unreachable", dict.fromkeys(listed, "dangling"), complete=False)
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
        self,
        repository: Repository,
        store: Store,
        commits: Commits,
        history: History,
        blobs: set[str],
        messages: set[str],
    ) -> None:
        self._repository, self._store, self._commits, self._history = repository, store, commits, history
        self._blobs, self._messages = blobs, messages
        self._missing: set[bytes] = set()

    def wanting(self) -> bool:
        """Whether something that was found has no place yet."""
        history = self._history
        return any(not history.has(b) for b in self._blobs) or any(m not in history.messages for m in self._messages)

    def stage(
        self, number: int, commits: Sequence[str], reach: Reach, via: dict[str, str], *, complete: bool = True
    ) -> None:
        """One stage: the first place of each (path, blob) in these commits, which are oldest first.

        `complete` says that git keeps all that these commits name, so that a blob that is not there is a loss.
        """
        history = self._history
        before = set(history.places)
        seen: set[tuple[bytes, str]] = set()
        for commit in commits if self._messages else ():
            if commit in self._messages:
                history.messages.setdefault(commit, (reach, via.get(commit, "")))
        present, damaged = self._store.blobs, self._store.damaged
        sieve = Sieve.of(self._blobs, present if complete else None)
        for commit, change in self._store.changes(self._repository, commits, history.not_scanned, sieve):
            if change.blob in self._blobs:
                if change.blob not in before and (change.path, change.blob) not in seen:
                    order = _order(number, self._commits.date(commit), commit)
                    place = Place(change.path, commit, order, reach, via.get(commit, ""))
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
                history.add(name, Place(b"", "", _BY_ITSELF, *_reach_of(ref)))
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
                    history.add(blob, Place(path, "", _BY_ITSELF, *_reach_of(ref)))
        if any(m not in history.messages for m in self._messages):
            for ref, name in inner_tags(self._repository, refs.objects):
                if name in self._messages:
                    history.messages.setdefault(name, _reach_of(ref))


def mark_heads(
    repository: Repository,
    refs: Refs,
    history: History,
    blobs: set[str],
    changes: Changes = diff_trees,
    *,
    only_known: bool = False,
) -> None:
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

    def mark(path: bytes, blob: str, reach: Reach, via: str = "") -> None:
        found = known.get((path, blob), [])
        if not found and not only_known and not (history.full(blob) and blob in extra):
            extra.add(blob)  # brought by no commit that could be read, or a place that was not kept
            place = Place(path, "", _UNKNOWN, reach, via)
            known[path, blob] = [place]
            history.places.setdefault(blob, []).append(place)
        for place in found:
            if place.reach not in ("head", "branch"):
                place.reach, place.via = reach, via

    for path, name in tree(repository, default, history.not_scanned):
        if name in blobs:
            mark(path, name, "head")
    names: dict[str, str] = {}
    for name, tip in sorted((short_name(ref), tip) for ref, tip in refs.branches.items()):
        names.setdefault(tip, name)
    pairs = [f"{tip} {default}" for tip in names if tip != default]
    for tip, change in changes(repository, pairs, history.not_scanned, Sieve.of(blobs)):
        if change.blob in blobs:
            mark(change.path, change.blob, "branch", names[tip])


def _signatures(repository: Repository, commits: set[str], not_scanned: list[NotScanned]) -> dict[str, tuple[str, str]]:
    """Author and date of commits; those that cannot be read are named."""
    if not commits:
        return {}
    unit = ObjectUnit(repository, "commit", b"".join(bytes.fromhex(c) for c in sorted(commits)), 0)
    out: dict[str, tuple[str, str]] = {}
    for item in unit.read():
        if isinstance(item, NotScanned):
            not_scanned.append(item)
            continue
        origin = item.true() if item.true else item.origin
        if isinstance(origin, GitMessage):
            out[origin.target] = (origin.author, origin.date)
    return out
