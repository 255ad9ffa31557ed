"""Attribution: which commit first brought a blob to a path, by whom and when, and what still reaches it.

One pass over history, commit by commit, oldest first, in four stages: what branches and tags reach; what
other refs reach (stash, pull requests, notes); what only the reflog knows; and commits that nothing names. A blob is
attributed by the first stage that has it. The same pass sees every blob that history names, and tells which are not
in the object store (partial clone, damage).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..errors import GitError
from ..model import GitBlob, GitMessage, NotScanned, Reach
from .commits import Commits, sources
from .diffs import FILES_OF_A_COMMIT, Change, Sieve, diff_trees, tree
from .git import Repository
from .objects import Changes, ObjectUnit, Store, cut, headers
from .refs import Refs, commits_of, inner_tags, read_refs, short_name
from .worktree import Index

MOST_PLACES = 1_000
"""Places of one blob that are kept."""
MOST_PLACES_IN_ALL = 1_000_000
MOST_NEW = 2_000
"""Commits that came to what is known; of more all are gone through again, which is no slower."""
MOST_ASKED = 20_000
"""Files of heads that git is asked for one by one."""
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


Pair = tuple[bytes, str]
"""A path and a blob."""


@dataclass(slots=True)
class Heads:
    """What of some blobs the heads of branches have: the default one, and each other tip what that has not, too."""

    default: str = ""
    pairs: list[Pair] = field(default_factory=list)
    others: dict[str, list[Pair]] = field(default_factory=dict)


@dataclass(slots=True)
class History:
    """What the pass over history found: places by blob, messages' reach, and blobs that are not in the store."""

    places: dict[str, list[Place]] = field(default_factory=dict)
    messages: dict[str, tuple[Reach, str]] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    """The commits that branches and tags name: what these reach is the first stage."""
    by_commit: set[str] = field(default_factory=set)
    """Of `messages` those of commits of the first stage."""
    heads: Heads = field(default_factory=Heads)
    corrected: bytes | None = None
    """Of the commits, as `Commits.corrected` has it."""
    signatures: dict[str, tuple[str, str]] = field(default_factory=dict)
    not_scanned: list[NotScanned] = field(default_factory=list)
    kept: int = 0
    folded: int = 0
    """Places that were counted and not kept."""

    def published_part(self) -> History:
        """A copy of what the first stage gave: it stays true whatever comes to it."""
        places = {
            blob: [Place(p.path, p.commit, p.order, "history") for p in found if p.order < _STAGE]
            for blob, found in self.places.items()
        }
        return History(
            places={blob: found for blob, found in places.items() if found},
            messages={name: self.messages[name] for name in self.by_commit},
            by_commit=set(self.by_commit),
            kept=sum(map(len, places.values())),
        )

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


_PLAIN_PATH = re.compile(rb"[!-~]+")
_OBJECT_ID = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")


def attribute(
    repository: Repository, store: Store, commits: Commits, index: Index, blobs: set[str], messages: set[str]
) -> History:
    """Find where `blobs` stand and what reaches the commits and tags in `messages`."""
    history = History()
    refs = read_refs(repository, history.not_scanned)
    known = _Pass(repository, store, commits, history, blobs, messages)
    history.published = _published(refs)
    listed = commits.listed(history.published, [], history.not_scanned)
    known.run(refs, index, listed, Heads())
    return history


def go_on(
    repository: Repository,
    store: Store,
    commits: Commits,
    index: Index,
    blobs: set[str],
    messages: set[str],
    former: History,
) -> History | None:
    """The same, where `former` was found before, and only new objects were searched since: what was published then is
    not gone through again. None where that is not enough: branches or tags went back, or too much came."""
    history = former.published_part()
    refs = read_refs(repository, history.not_scanned)
    history.published = _published(refs)
    above = ["^" + tip for tip in history.published]
    try:
        if commits_of(repository, "-n1", "--stdin", lines=[*former.published, *above]):
            return None
    except GitError:  # some of it is not there any more
        return None
    listed = commits.listed(history.published, former.published, history.not_scanned)
    if len(listed) > MOST_NEW or history.not_scanned:
        return None
    known = _Pass(repository, store, commits, history, blobs, messages)
    return history if known.run(refs, index, listed, former.heads, all_listed=False) else None


def _published(refs: Refs) -> list[str]:
    tips = [*refs.branches.values(), *refs.tags.values(), *([refs.default] if refs.default else [])]
    return list(dict.fromkeys(tips))


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

    def run(self, refs: Refs, index: Index, published: Sequence[str], heads: Heads, *, all_listed: bool = True) -> bool:
        """All stages; the commits of the first one are given, and what was known of heads. False where the last one is
        needed, and cannot be had as not all commits were listed."""
        history, blobs, repository = self._history, self._blobs, self._repository
        for ref, name in refs.objects:
            if name in self._messages:
                history.messages.setdefault(name, _reach_of(ref))
        above = history.published
        self.stage(0, published, "history", {})
        history.heads = _heads(repository, refs, blobs, history.not_scanned, self._store.changes, heads)
        _mark_heads(refs, history)
        staged = [(path, name) for path, name in index.entries() if name in blobs and not history.has(name)]
        for path, name in staged:
            history.add(name, Place(path, "", _STAGED, "staged"))
        self.named_by_themselves(refs)
        commits = self._commits
        if refs.others:
            listed = commits.listed(refs.others.values(), above, history.not_scanned)
            self.stage(1, listed, "unreachable", sources(commits, listed, refs.others))
        above = [*above, *refs.others.values()]
        reflog = commits.listed([], above, history.not_scanned, "--reflog")
        self.stage(2, reflog, "unreachable", dict.fromkeys(reflog, "reflog"))
        if self.wanting():
            if not all_listed:
                return False
            loose = commits.unlisted()
            if loose:
                listed = commits.listed(loose, [*above, *reflog], history.not_scanned)
                self.stage(3, listed, "unreachable", dict.fromkeys(listed, "dangling"), complete=False)
        self.report_missing()
        history.finish(repository, (place for places in history.places.values() for place in places))
        history.corrected = commits.corrected()
        return True

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
        before = set(history.places) if number else frozenset[str]()
        seen = {} if number else {(p.path, blob): p for blob, places in history.places.items() for p in places}
        for commit in commits if self._messages else ():
            if commit in self._messages:
                history.messages.setdefault(commit, (reach, via.get(commit, "")))
                if not number:
                    history.by_commit.add(commit)
        present, damaged = self._store.blobs, self._store.damaged
        sieve = Sieve.of(self._blobs, present if complete else None)
        for commit, change in self._store.changes(self._repository, commits, history.not_scanned, sieve):
            if change.blob in self._blobs:
                if change.blob in before:
                    continue
                order, known = _order(number, self._commits.date(commit), commit), seen.get((change.path, change.blob))
                if known is None:
                    place = Place(change.path, commit, order, reach, via.get(commit, ""))
                    if history.add(change.blob, place):
                        seen[change.path, change.blob] = place
                elif order < known.order:
                    known.commit, known.order = commit, order
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


def mark_heads(repository: Repository, refs: Refs, history: History, blobs: set[str]) -> None:
    """Mark the places that the heads of branches still have: the default branch, then the others."""
    history.heads = _heads(repository, refs, blobs, history.not_scanned, diff_trees, Heads())
    _mark_heads(refs, history, only_known=True)


def _heads(
    repository: Repository,
    refs: Refs,
    blobs: set[str],
    not_scanned: list[NotScanned],
    changes: Changes,
    former: Heads,
) -> Heads:
    """What of the blobs heads have. Tips that were known before are not looked at again."""
    default = refs.default or next(iter(refs.branches.values()), "")
    if not blobs or not default:
        return Heads()
    heads = Heads(default, former.pairs)
    if default != former.default:
        heads.pairs = [(path, name) for path, name in tree(repository, default, not_scanned) if name in blobs]
    tips = [tip for tip in dict.fromkeys(refs.branches.values()) if tip != default]
    gone = set(former.pairs).difference(heads.pairs)
    kept = _still_there(repository, [tip for tip in tips if tip in former.others], sorted(gone))
    for tip, pairs in kept.items():
        heads.others[tip] = list(dict.fromkeys([*former.others[tip], *pairs]))
    fresh = [tip for tip in tips if tip not in heads.others]
    heads.others.update((tip, []) for tip in fresh)
    for tip, change in changes(repository, [f"{tip} {default}" for tip in fresh], not_scanned, Sieve.of(blobs)):
        if change.blob in blobs:
            heads.others[tip].append((change.path, change.blob))
    return heads


def _still_there(repository: Repository, tips: Sequence[str], gone: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Which of the pairs that the default branch had, and has no more, each tip has; nothing where that is too much to
    ask."""
    if not gone:
        return {tip: [] for tip in tips}
    if len(gone) * len(tips) > MOST_ASKED or not all(_PLAIN_PATH.fullmatch(path) for path, _ in gone):
        return {}
    asked = [(tip, path, blob) for tip in tips for path, blob in gone]
    out: dict[str, list[Pair]] = {tip: [] for tip in tips}
    questions = [f"{tip}:{path.decode('ascii')}" for tip, path, _ in asked]
    for (tip, path, blob), (name, _, _) in zip(asked, headers(repository, questions), strict=True):
        if name == blob:
            out[tip].append((path, blob))
    return out


def _mark_heads(refs: Refs, history: History, *, only_known: bool = False) -> None:
    known: dict[Pair, list[Place]] = {}
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

    for path, blob in history.heads.pairs:
        mark(path, blob, "head")
    names: dict[str, str] = {}
    for name, tip in sorted((short_name(ref), tip) for ref, tip in refs.branches.items()):
        names.setdefault(tip, name)
    for tip, name in names.items():
        for path, blob in history.heads.others.get(tip, ()):
            mark(path, blob, "branch", name)


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
