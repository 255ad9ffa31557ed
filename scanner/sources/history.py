"""Attribution: which commit first brought a blob to a path, by whom and when, and what still reaches it.

One pass over history, `rev-list` into `diff-tree`, oldest first, in four stages: what branches and tags reach; what
other refs reach (stash, pull requests, notes); what only the reflog knows; and commits that nothing names. A blob is
attributed by the first stage that has it. The same pass sees every blob that history names, and tells which are not
in the object store (partial clone, damage).

The trees of commits may be damaged or missing too: then `diff-tree` stops at that commit, and is started again behind
it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import GitError, UsageError
from ..model import GitBlob, GitMessage, NotScanned, Reach, clean
from .git import Conversation, Repository
from .objects import ObjectUnit, Store, headers
from .worktree import Index

RESTARTS = 200
"""How many commits with unreadable trees are stepped over before attribution gives up on the rest of a stage."""


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

    `objects` has the refs that name a tag object or a blob.
    """

    default: str
    branches: dict[bytes, str]
    tags: dict[bytes, str]
    others: dict[bytes, str]
    objects: dict[bytes, str]


def read_refs(repository: Repository, not_scanned: list[NotScanned]) -> Refs:
    """All refs, by kind. What they name is asked apart: `for-each-ref` gives up at the first damaged object."""
    refs = Refs(head_of(repository), {}, {}, {}, {})
    try:
        listed = repository.run("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    except GitError as e:
        not_scanned.append(NotScanned(b"refs", f"cannot be read: {e}"))
        return refs
    named = [(name.decode(), ref) for name, _, ref in (line.partition(b" ") for line in listed)]
    answers = list(headers(repository, [question for name, _ in named for question in (name, name + "^{}")]))
    for (name, ref), (_, kind, _), (peeled, final, _) in zip(named, answers[::2], answers[1::2], strict=True):
        if kind in ("tag", "blob"):
            refs.objects[ref] = name
        if "missing" in (kind, final):
            not_scanned.append(NotScanned(ref, f"names {name[:12]}, which is damaged or not in the object store"))
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

    def origins(self, blob: str) -> list[tuple[GitBlob | GitMessage, int]]:
        """The origins of a blob, each with the order of its commit; one without a commit for a dangling blob."""
        found = self.places.get(blob)
        if not found:
            return [(GitBlob(blob, via="dangling"), 1 << 60)]
        out: list[tuple[GitBlob | GitMessage, int]] = []
        for place in found:
            author, date = self.signatures.get(place.commit, ("", ""))
            if place.via.startswith("refs/notes/"):
                target = place.path.replace(b"/", b"").decode("ascii", "replace")
                out.append((GitMessage("note", target, author, date, place.reach, place.via), place.order))
            else:
                origin = GitBlob(blob, place.path, place.commit, author, date, place.reach, place.via)
                out.append((origin, place.order))
        return out

    def message(self, origin: GitMessage) -> GitMessage:
        """A commit's or tag's message with what reaches it."""
        reach, via = self.messages.get(origin.target, ("unreachable", "dangling"))
        return GitMessage(origin.message, origin.target, origin.author, origin.date, reach, via)


def attribute(repository: Repository, store: Store, index: Index, blobs: set[str], messages: set[str]) -> History:
    """Find where `blobs` stand and what reaches the commits and tags in `messages`."""
    history = History()
    refs = read_refs(repository, history.not_scanned)
    for ref, name in refs.objects.items():
        if name in messages:
            history.messages.setdefault(name, _reach_of(ref))
    known = _Pass(repository, store, history, blobs, messages)
    published = [*refs.branches.values(), *refs.tags.values(), *([refs.default] if refs.default else [])]
    known.stage(_rev_list(repository, published, [], history), "history", {})
    _heads(repository, refs, history, blobs)
    for path, name in index.entries():
        if name in blobs and not known.has(name):
            history.places.setdefault(name, []).append(Place(path, "", 1 << 59, "staged"))
    if refs.others:
        listed = _rev_list(repository, refs.others.values(), published, history, "--parents")
        order, sources = _sources(listed, refs.others)
        known.stage(order, "unreachable", sources)
    for ref, name in refs.objects.items():
        if name in blobs and not known.has(name):
            history.places[name] = [Place(b"", "", 1 << 57, *_reach_of(ref))]
    above = [*published, *refs.others.values()]
    reflog = _rev_list(repository, [], above, history, "--reflog")
    known.stage(reflog, "unreachable", dict.fromkeys(reflog, "reflog"))
    if known.wanting():
        loose = [c for c in store.commit_names() if c not in known.commits]
        if loose:
            order = _rev_list(repository, loose, [*above, *reflog], history)
            known.stage(order, "unreachable", dict.fromkeys(order, "dangling"), complete=False)
    history.signatures = _signatures(repository, {p.commit for ps in history.places.values() for p in ps} - {""})
    return history


def _reach_of(ref: bytes) -> tuple[Reach, str]:
    """How an object is reached that a ref names by itself."""
    if ref.startswith(b"refs/tags/"):
        return "history", ""
    return "unreachable", ref.decode("utf-8", "replace")


class _Pass:
    """Goes through the stages, and remembers what has been seen."""

    def __init__(
        self, repository: Repository, store: Store, history: History, blobs: set[str], messages: set[str]
    ) -> None:
        self.commits: set[str] = set()
        self._repository, self._store, self._history = repository, store, history
        self._blobs, self._messages = blobs, messages
        self._found: set[str] = set()
        self._missing: set[str] = set()
        self._order = 0

    def has(self, blob: str) -> bool:
        return blob in self._history.places

    def wanting(self) -> bool:
        return any(not self.has(b) for b in self._blobs) or any(m not in self._history.messages for m in self._messages)

    def stage(self, commits: list[str], reach: Reach, via: dict[str, str], *, complete: bool = True) -> None:
        """One stage: the first place of each (path, blob) in these commits, oldest first.

        `complete` says that git keeps all that these commits name, so that a blob that is not there is a loss.
        """
        before = set(self._history.places)
        seen: set[tuple[bytes, str]] = set()
        for commit in commits:
            self.commits.add(commit)
            if commit in self._messages:
                self._history.messages.setdefault(commit, (reach, via.get(commit, "")))
        present = self._store.blobs
        for commit, changes in diff_trees(self._repository, commits, self._history.not_scanned):
            self._order += 1
            for change in changes:
                if change.blob in self._blobs:
                    if change.blob not in before and (change.path, change.blob) not in seen:
                        seen.add((change.path, change.blob))
                        place = Place(change.path, commit, self._order, reach, via.get(commit, ""))
                        self._history.places.setdefault(change.blob, []).append(place)
                elif (
                    complete
                    and bytes.fromhex(change.blob) not in present
                    and change.blob not in self._missing | self._store.damaged
                ):
                    self._missing.add(change.blob)
                    what = change.blob.encode() + b" " + change.path
                    why = f"git blob is not in the object store (first named by commit {commit[:12]})"
                    self._history.not_scanned.append(NotScanned(what, why))


def _rev_list(
    repository: Repository, tips: Iterable[str], without: Iterable[str], history: History, *options: str
) -> list[str]:
    """Commits from the tips, parents first. Where history itself is damaged, just the tips, oldest first."""
    tips = list(dict.fromkeys(tips))
    if not tips and not options:
        return []
    lines = [t.encode() for t in tips] + [b"^" + w.encode() for w in dict.fromkeys(without)]
    try:
        out = repository.run(
            "rev-list", "--topo-order", "--reverse", "--ignore-missing", *options, "--stdin", lines=lines, timeout=3600
        )
    except GitError as e:
        history.not_scanned.append(NotScanned(b"history", f"cannot be followed to its beginning: {e}"))
        try:
            out = repository.run(
                "rev-list", "--no-walk", "--reverse", "--stdin", "--ignore-missing", lines=lines[: len(tips)]
            )
        except GitError:
            return []
    return out.decode("ascii").splitlines()


def _sources(listed: list[str], tips: dict[bytes, str]) -> tuple[list[str], dict[str, str]]:
    """The commits of a list with parents (parents first), and for each a ref that reaches it."""
    via: dict[str, str] = {}
    for ref, commit in tips.items():
        via.setdefault(commit, ref.decode("utf-8", "replace"))
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
    at_head: set[tuple[bytes, str]] = set()
    at_head.update((path, name) for path, name in tree(repository, default, history.not_scanned) if name in blobs)
    at_branch: set[tuple[bytes, str]] = set()
    pairs = [f"{tip} {default}" for tip in dict.fromkeys(refs.branches.values()) if tip != default]
    for _, changes in diff_trees(repository, pairs, history.not_scanned):
        at_branch.update((c.path, c.blob) for c in changes if c.blob in blobs)
    known: set[tuple[bytes, str]] = set()
    for blob, places in history.places.items():
        for place in places:
            known.add((place.path, blob))
            if (place.path, blob) in at_head:
                place.reach = "head"
            elif (place.path, blob) in at_branch:
                place.reach = "branch"
    if only_known:
        return
    for reach, pairs_there in (("head", at_head), ("branch", at_branch - at_head)):
        for path, blob in pairs_there - known:  # brought by no commit that could be read
            history.places.setdefault(blob, []).append(Place(path, "", 1 << 58, reach))  # type: ignore[arg-type]


def diff_trees(
    repository: Repository, commits: Sequence[str], not_scanned: list[NotScanned]
) -> Iterator[tuple[str, list[Change]]]:
    """What each commit brought in, against its parents; for a merge only what it has from none of them.

    An entry of two ids compares the first with the second. Unreadable trees are reported and stepped over.
    """
    waiting, restarts = commits, 0
    while waiting:
        done = 0
        with repository.open(
            "diff-tree", "--stdin", "--raw", "-r", "--root", "-c", "--no-renames", "--no-abbrev", "-z", "--always"
        ) as git:
            feeder = threading.Thread(target=_feed, args=(git, waiting), daemon=True)
            feeder.start()
            for commit, changes in _parse(git, repository.id_length):
                done += 1
                yield commit, changes
            feeder.join()
            status, said = git.end(), git.said()
        if status == 0 and done >= len(waiting):
            return
        culprit = waiting[min(done, len(waiting) - 1)].split()[0]
        restarts += 1
        if restarts > RESTARTS:
            why = "their trees are damaged or missing: what they brought is not attributed"
            not_scanned.append(NotScanned(f"{len(waiting) - done} commits".encode(), why))
            return
        reason = said[-1] if said else "git stopped"
        not_scanned.append(NotScanned(culprit.encode(), f"the trees of this commit cannot be compared: {reason}"))
        waiting = waiting[done + 1 :]


def _feed(git: Conversation, commits: Sequence[str]) -> None:
    try:
        for begin in range(0, len(commits), 1000):
            git.stdin.write("".join(f"{c}\n" for c in commits[begin : begin + 1000]).encode())
        git.stdin.close()
    except OSError:
        return


def _parse(git: Conversation, id_length: int) -> Iterator[tuple[str, list[Change]]]:
    """Source: git-diff-tree(1), "Raw output format" and "diff format for merges"; `-z` ends each part with NUL."""
    commit = ""
    changes: list[Change] = []
    tokens = _tokens(git)
    for token in tokens:
        if not token.startswith(b":"):
            if commit:
                yield commit, changes
            commit, changes = token.decode("ascii", "replace"), []
            continue
        parents = len(token) - len(token.lstrip(b":"))
        fields = token[parents:].split(b" ")
        path = next(tokens, b"")
        mode, name = fields[parents], fields[2 * parents + 1].decode()
        if mode in (b"100644", b"100755", b"100664", b"120000"):
            before = tuple(f.decode() for f in fields[parents + 1 : 2 * parents + 1] if f.strip(b"0"))
            changes.append(Change(path, name, before, mode == b"120000"))
    if commit and git.end() == 0:
        yield commit, changes


def _tokens(git: Conversation) -> Iterator[bytes]:
    kept = b""
    while data := git.stdout.read1(1 << 18):  # type: ignore[attr-defined]
        git.alive()
        *whole, kept = (kept + data).split(b"\0")
        yield from whole


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


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of history that the user chose: its commits, parents first, and what each brought in."""

    commits: tuple[str, ...]
    changes: tuple[tuple[str, Change], ...]

    def history(self, repository: Repository, blobs: set[str]) -> History:
        """Where `blobs` stand in the selection, without the attribution that only the whole history could give."""
        found = History()
        for order, (commit, change) in enumerate(self.changes):
            if change.blob in blobs:
                reach: Reach = "history" if commit else "staged"
                found.places.setdefault(change.blob, []).append(Place(change.path, commit, order, reach))
        if self.commits:
            _heads(repository, read_refs(repository, found.not_scanned), found, set(found.places), only_known=True)
        found.messages = dict.fromkeys(self.commits, ("history", ""))
        found.signatures = _signatures(repository, {p.commit for ps in found.places.values() for p in ps} - {""})
        return found

    def before(self) -> dict[tuple[str, bytes], set[str]]:
        """For each (blob, path) the blobs that the selection's commits replaced by it there."""
        out: dict[tuple[str, bytes], set[str]] = {}
        for _, change in self.changes:
            out.setdefault((change.blob, change.path), set()).update(change.before)
        return out


_RANGE = re.compile(r"(?P<low>[^-].*?)?(?P<dots>\.\.\.?)(?P<high>[^-].*)?")


def select(
    repository: Repository, not_scanned: list[NotScanned], *, range_: str = "", branch: str = "", since: str = ""
) -> Selection:
    """The commits of `A..B`, of a branch, or since a date (what git takes for --since). GitError for unknown names."""
    arguments: list[str] = []
    if since:
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
    commits = repository.run("rev-list", "--topo-order", "--reverse", *arguments, timeout=3600).decode().splitlines()
    brought = diff_trees(repository, commits, not_scanned)
    return Selection(tuple(commits), tuple((commit, change) for commit, changes in brought for change in changes))


def _resolve(repository: Repository, name: str) -> str:
    try:
        found = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except GitError as e:
        raise UsageError(f"{clean(name)}: no commit, branch or tag has this name in the repository") from e
    return found.strip().decode()


def staged(repository: Repository, index: Index, not_scanned: list[NotScanned]) -> Selection:
    """What the index has that HEAD has not: read from both, because `git diff` may run filters."""
    head: dict[bytes, str] = {}
    commit = head_of(repository)
    if commit:
        head = dict(tree(repository, commit, not_scanned))
    changes = [
        ("", Change(path, name, (head[path],) if path in head else ()))
        for path, name in index.entries()
        if head.get(path) != name
    ]
    return Selection((), tuple(changes))


def tree(repository: Repository, commit: str, not_scanned: list[NotScanned]) -> Iterator[tuple[bytes, str]]:
    """(path, blob) of all files of a commit; nothing where git cannot read it."""
    try:
        listed = repository.run("ls-tree", "-r", "-z", "--full-tree", commit, timeout=3600)
    except GitError as e:
        not_scanned.append(NotScanned(commit.encode(), f"the tree of this commit cannot be read whole: {e}"))
        return
    for entry in listed.split(b"\0"):
        meta, _, path = entry.partition(b"\t")
        if path and b" blob " in meta:
            yield path, meta[-repository.id_length :].decode()
