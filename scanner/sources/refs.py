"""What the refs of a repository name, and which commits they reach, in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import GitError
from ..model import GitMessage, NotScanned
from .git import Repository
from .objects import ObjectUnit, cut, headers

SORTING = 3600.0
"""Seconds that `rev-list` may be silent: it says nothing until it has sorted all of history."""
SORTED = ("--date-order", "--reverse")
"""Parents before their children, and apart from that the oldest first."""
NESTED_TAGS = 20
"""How deep tags of tags are followed."""


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
    try:
        listed = repository.run("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    except GitError as e:
        not_scanned.append(NotScanned(b"refs", f"cannot be read: {e}"))
        return Refs(head_of(repository))
    named = [(name.decode(), ref) for name, _, ref in (line.partition(b" ") for line in listed)]
    named.sort(key=lambda pair: not pair[1].startswith(b"refs/tags/"))
    asked = ["HEAD^{commit}", *(question for name, _ in named for question in (name, name + "^{}"))]
    (head, kind, _), *answers = headers(repository, asked)
    refs = Refs(head if kind == "commit" else "")
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


def short_name(branch: bytes) -> str:
    """A branch as people name it: `main`, `origin/main`."""
    return cut(branch.removeprefix(b"refs/heads/").removeprefix(b"refs/remotes/").decode("utf-8", "replace"))


def head_of(repository: Repository, name: str = "HEAD") -> str:
    """The commit of HEAD, or of another name; empty where it has none."""
    try:
        return (
            repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            .strip()
            .decode()
        )
    except GitError:
        return ""


def branch_of(repository: Repository) -> bytes:
    """The branch that is checked out, as `refs/heads/main`; empty where a commit is."""
    try:
        return repository.run("symbolic-ref", "--quiet", "HEAD").strip()
    except GitError:
        return b""


_TAG_OF_A_TAG = re.compile(rb"object ([0-9a-f]{40}|[0-9a-f]{64})\ntype tag\n")


def inner_tags(repository: Repository, outer: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
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


def commits_of(repository: Repository, *options: str, lines: Sequence[str] = ()) -> list[str]:
    """What `rev-list` prints; GitError when it fails."""
    with repository.open("rev-list", *options, patience=SORTING) as git:
        git.feed(lines)
        out = b"".join(iter(lambda: git.stdout.read(1 << 20), b"")).decode("ascii").splitlines()
        status, said = git.end(), git.said()
    if status:
        worst = [line for line in said if line.startswith(("fatal:", "error:"))]
        raise GitError(f"git rev-list: {next(iter(worst or said), f'exit status {status}')}")
    return out
