"""How to go on after a push or a commit was stopped: the very commands, for the commits at hand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..model import GitBlob, GitMessage, RankedFinding, clean
from ..report.advice import first_step
from .protocol import Told

Way = tuple[str, list[str]]
"""What it does, in a word, and the lines that say how."""
MOST_NAMED = 3
"""Files, fingerprints or addresses that are named."""


@dataclass(frozen=True, slots=True)
class Commits:
    """What is known of the commits of a push: the parents of each, and the one that is checked out."""

    parents: Mapping[str, Sequence[str]]
    head: str

    def name(self, commit: str) -> str:
        """As short as people write it."""
        return commit[:12]

    def before(self, commit: str) -> str:
        """What `git rebase` begins at so that it goes through a commit."""
        return f"{self.name(commit)}~1" if self.parents.get(commit, "?") else "--root"

    def eldest(self, some: set[str]) -> str:
        """The one of some commits that the others come after; `parents` has the newest first."""
        return next((commit for commit in reversed(list(self.parents)) if commit in some), min(some))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a secret came in: the commit, the file (empty: the commit's message), and whether it still stands there."""

    commit: str
    path: bytes
    there: bool


def of_push(findings: Sequence[RankedFinding], told: Told, commits: Commits) -> list[Way]:
    """For a push from a work tree."""
    ways: list[Way] = []
    switch = _checked_out(told, commits)
    places = list(dict.fromkeys(place for ranked in findings for place in _places(ranked)))
    ways.append(("remove", [*switch, *_removal(places, findings, commits)]))
    ways.append(("rotate", list(_rotation(findings))))
    ways.append(("accept", _acceptance(findings)))
    ways.append(("skip", ['OAKUM_SKIP="why" git push …   (this push alone; it is recorded)']))
    return ways


def of_commit(findings: Sequence[RankedFinding]) -> list[Way]:
    """For what is staged."""
    paths = _paths(p for ranked in findings for p in _places(ranked))
    then = f"git add -- {paths}" if paths else "git add -- FILE"
    return [
        ("remove", [f"take it out of the file, then: {then}   (or leave the file out: git restore --staged)"]),
        ("rotate", list(_rotation(findings))),
        ("accept", _acceptance(findings)),
        ("skip", ['OAKUM_SKIP="why" git commit …   (this commit alone; it is recorded)']),
    ]


def of_received(findings: Sequence[RankedFinding]) -> list[Way]:
    """For whoever pushed to a server."""
    commits = ", ".join(dict.fromkeys(p.commit[:12] for ranked in findings for p in _places(ranked) if p.commit))
    return [
        ("remove", [f"take it out of the commits that brought it ({commits or 'see above'}), and push again;",
                    "a further commit that deletes it is not enough: the older one would be published, too"]),
        ("rotate", list(_rotation(findings))),
    ]  # fmt: skip


def _places(ranked: RankedFinding) -> Iterator[_Place]:
    for occurrence in ranked.finding.occurrences:
        match occurrence.origin:
            case GitBlob(path=path, commit=commit, reach=reach):
                yield _Place(commit, path, reach in ("head", "branch", "staged"))
            case GitMessage(message="commit", target=commit):
                yield _Place(commit, b"", True)


def _checked_out(told: Told, commits: Commits) -> list[str]:
    """What is pushed must be checked out for what follows."""
    if commits.head in told.tips or not told.updates:
        return []
    branch = told.updates[0].name
    if not branch.startswith(b"refs/heads/"):
        return []
    return [f"git switch {_quoted(branch.removeprefix(b'refs/heads/'))}"]


def _removal(places: Sequence[_Place], findings: Sequence[RankedFinding], commits: Commits) -> Iterator[str]:
    tags = [o.origin for r in findings for o in r.finding.occurrences if isinstance(o.origin, GitMessage)]
    if any(tag.message == "tag" for tag in tags):
        yield "the message of a tag: git tag --force --annotate NAME NAME^{}"
    known = {place.commit for place in places if place.commit in commits.parents}
    if not known:
        blobs = (o.origin.blob for r in findings for o in r.finding.occurrences if isinstance(o.origin, GitBlob))
        for blob in list(dict.fromkeys(blobs))[:MOST_NAMED]:
            yield f"git log --oneline --find-object={blob[:12]}   (names the commits to take it out of)"
        return
    if known == {commits.head} and all(place.there for place in places):
        if any(not place.path for place in places):
            yield "git commit --amend   (and take it out of the message)"
        if paths := _paths(places):
            yield f"take it out of {_named(places)}, then"
            yield f"  git commit --amend --no-edit -- {paths}"
        return
    eldest = commits.eldest(known)
    merges = " --rebase-merges" if any(len(parents) > 1 for parents in commits.parents.values()) else ""
    rebase = f"git rebase --interactive{merges} --autostash"
    if all(place.path and place.there for place in places):
        yield f"take it out of {_named(places)}, then"
        for commit in dict.fromkeys(place.commit for place in places):
            paths = _paths(place for place in places if place.commit == commit)
            yield f"  git commit --fixup={commits.name(commit)} -- {paths}"
        yield f"  GIT_SEQUENCE_EDITOR=: {rebase} --autosquash {commits.before(eldest)}"
        return
    names = ", ".join(commits.name(commit) for commit in known)
    yield f"{rebase} {commits.before(eldest)}"
    yield f"  there, write `edit` in place of `pick` before {names}; git stops at it: take it out, then"
    yield "  git commit --all --amend && git rebase --continue"


def _rotation(findings: Sequence[RankedFinding]) -> Iterator[str]:
    seen: dict[str, None] = {}
    for ranked in findings:
        url = ranked.finding.detector.rotate
        seen[f"{first_step(ranked.finding)}{': ' + url if url else ''}"] = None
    steps = list(seen)
    yield f"if it ever left this machine: {steps[0]}"
    yield from (f"  {step}" for step in steps[1:MOST_NAMED])


def _acceptance(findings: Sequence[RankedFinding]) -> list[str]:
    """By fingerprint, which says nothing of the secret and survives a rebase."""
    lines = [f'oakum allow {ranked.fingerprint} --reason "why"' for ranked in findings[:MOST_NAMED]]
    return lines + (["…"] if len(findings) > MOST_NAMED else [])


def _paths(places: Iterator[_Place] | Sequence[_Place]) -> str:
    return " ".join(dict.fromkeys(_quoted(place.path) for place in places if place.path))


def _named(places: Sequence[_Place]) -> str:
    paths = list(dict.fromkeys(clean(place.path) for place in places))
    return ", ".join(paths[:MOST_NAMED]) + (" …" if len(paths) > MOST_NAMED else "")


def _quoted(name: bytes) -> str:
    """A name for a POSIX shell; one that is not plain text as its escapes, which a shell takes in `$'…'`."""
    text = name.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in name) + "'"
