"""How to go on after a push or a commit was stopped: the very commands, for the commits at hand.

A secret is taken out of the commit that brought it: a further commit that deletes it would publish the older one, too.
Of a file that still has it as it came, an autosquashed fix-up does that, and of the last commit an amend; of all else
`git rebase` stops at the commits themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..model import GitBlob, GitMessage, RankedFinding, Reach, clean
from ..report.advice import first_step
from ..report.blocked import Command, Way, shortened
from ..sources.pushed import Update
from ..sources.refs import short_name
from .names import pathspecs, quoted
from .protocol import Told
from .standing import Standing

MOST_NAMED = 2
"""Files, fingerprints, addresses or refs that are named."""
MOST_FIXED = 5
"""Commits that get a fix-up each; of more `git rebase` stops at them."""
MOST_STOPS = 6
"""Commits at which `git rebase` is to stop."""
LONGEST_PATHS = 200
"""Characters of files in a command; where they are more, all that was changed is taken."""
_BRANCH = b"refs/heads/"
_TAG = b"refs/tags/"
_BELOW = "a line `break` below"
"""How `git rebase` stops at a merge, which it does not pick."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a secret came in: the commit, the file (empty: the commit's message), what has it still, and in how many
    versions of the file it stood."""

    commit: str
    path: bytes
    reach: Reach
    via: str
    versions: int


@dataclass(frozen=True, slots=True)
class _Route:
    """A ref that is pushed, the commit that it leads to, and those of the commits to be changed that it publishes."""

    update: Update
    tip: str
    guilty: frozenset[str]

    @property
    def name(self) -> bytes:
        """The ref here, as people write it; one that is pushed by an expression by its commit."""
        for folder in (_BRANCH, _TAG):
            if self.update.name.startswith(folder):
                return self.update.name.removeprefix(folder)
        return self.tip[:12].encode()

    @property
    def is_branch(self) -> bool:
        return self.update.name.startswith(_BRANCH)

    @property
    def is_tag(self) -> bool:
        return self.update.name.startswith(_TAG)


def of_push(findings: Sequence[RankedFinding], told: Told, standing: Standing) -> list[Way]:
    """For a push from a work tree."""
    commits = commits_of(findings)
    remove: list[str | Command]
    if commits and all(commit in standing.fetched for commit in commits):
        where = _listed(list(dict.fromkeys(clean(standing.fetched[commit]) for commit in commits)))
        remove = [f"it came from {where}, which has it already: it is to be taken out there, not here"]
    else:
        remove = list(_Removal(findings, told, standing).lines())
    return [
        ("remove", remove),
        ("rotate", list(_rotation(findings))),
        ("accept", list(_acceptance(findings))),
        ("skip", [Command('OAKUM_SKIP="why" git push', "this push alone; it is recorded")]),
    ]


def of_commit(findings: Sequence[RankedFinding], prefix: str = "") -> list[Way]:
    """For what is staged."""
    places = list(_places(findings))
    paths = pathspecs((p.path for p in places), below=bool(prefix)) or "FILE"
    return [
        ("remove", [f"take {'it' if len(findings) == 1 else 'them'} out of {_named(places) or 'the message'}, then",
                    Command(f"git add -- {paths}", f"or leave it out: git restore --staged -- {paths}")]),
        ("rotate", list(_rotation(findings))),
        ("accept", list(_acceptance(findings))),
        ("skip", [Command('OAKUM_SKIP="why" git commit', "this commit alone; it is recorded")]),
    ]  # fmt: skip


def of_received(findings: Sequence[RankedFinding]) -> list[Way]:
    """For whoever pushed to a server."""
    return [("remove", list(_elsewhere(findings))), ("rotate", list(_rotation(findings)))]


def commits_of(findings: Sequence[RankedFinding]) -> list[str]:
    """The commits that brought what was found."""
    return list(dict.fromkeys(place.commit for place in _places(findings) if place.commit))


def paths_of(findings: Sequence[RankedFinding]) -> list[bytes]:
    """The files that findings stand in."""
    return list(dict.fromkeys(place.path for place in _places(findings) if place.path))


# --- taking it out --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Removal:
    """How the secrets of a push are taken out of its commits and tags."""

    findings: Sequence[RankedFinding]
    told: Told
    standing: Standing
    places: list[_Place] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [p for p in _places(self.findings) if p.commit in self.standing.parents]

    @property
    def _it(self) -> str:
        return "it" if len(self.findings) == 1 else "them"

    def lines(self) -> Iterator[str | Command]:
        """What to do, in order."""
        tags = list(self._tags())
        yield from tags
        routes = self._routes()
        if routes and self.standing.work_tree:
            yield from self._commits(routes[0], routes[1:])
        elif not tags:
            yield from _elsewhere(self.findings)

    def _tags(self) -> Iterator[str | Command]:
        """Secrets in messages of tags, and in files that a tag names by itself."""
        origins = [o.origin for ranked in self.findings for o in ranked.finding.occurrences]
        messages = {o.target for o in origins if isinstance(o, GitMessage) and o.message == "tag"}
        files = {o.blob for o in origins if isinstance(o, GitBlob) and not o.commit}
        tags = [update for update in self.told.updates if update.name.startswith(_TAG)]
        again = [update.name.removeprefix(_TAG) for update in tags if update.new in messages]
        gone = [quoted(update.name.removeprefix(_TAG)) for update in tags if update.new in files]
        for name in again[:MOST_NAMED]:
            old, new = quoted(name), quoted(name + b"^{}")
            yield Command(f"git tag --force --annotate {old} {new}", f"and take {self._it} out of the message")
        if again[MOST_NAMED:]:
            yield f"and so on: {len(again) - MOST_NAMED:,} more tags"
        yield from (Command(f"git tag --delete {name}", "it names the very file") for name in gone[:MOST_NAMED])

    def _routes(self) -> list[_Route]:
        """The refs that publish what is to be changed: first the one to begin with, which is checked out if it may
        be."""
        guilty = {place.commit for place in self.places}
        routes = []
        for update in self.told.updates:
            tip = self.standing.tips.get(update.new, "")
            if found := guilty & self.standing.reached(tip):
                routes.append(_Route(update, tip, frozenset(found)))
        return sorted(routes, key=lambda r: (not self._is_here(r), r.is_tag, not r.is_branch, -len(r.guilty)))

    def _is_here(self, route: _Route) -> bool:
        """Whether what is checked out is what has to be changed."""
        if route.is_branch:
            return route.update.name == self.standing.branch
        return route.tip in self.standing.behind_head

    def _commits(self, route: _Route, others: Sequence[_Route]) -> Iterator[str | Command]:
        if self.standing.rebasing:
            yield "first end the rebase that is under way: git rebase --continue, or --abort"
        here = self._is_here(route)
        if not here:
            yield Command(f"git switch {'' if route.is_branch else '--detach '}{quoted(route.name)}")
        places = [place for place in self.places if place.commit in route.guilty]
        branches = [r for r in others if r.is_branch]
        along = [r for r in branches if r.tip in self.standing.reached(route.tip)]
        tip = self.standing.head if here else route.tip
        if {place.commit for place in places} == {tip} and not along:
            yield from self._amend(places)
        else:
            yield from self._rebase(route, places, here=here, along=bool(along))
        for tag in [r for r in (route, *others) if r.is_tag][:MOST_NAMED]:
            annotated = "--annotate " if tag.update.new != tag.tip else ""
            where = "HEAD" if tag.tip == tip else "COMMIT"
            note = "" if where == "HEAD" else "the new one, as `git log` shows it"
            yield Command(f"git tag --force {annotated}{quoted(tag.name)} {where}", note)
        left = [clean(r.name) for r in branches if r not in along]
        if left:
            yield f"then the same on {_listed(left)}"

    def _amend(self, places: Sequence[_Place]) -> Iterator[str | Command]:
        if any(not place.path for place in places):
            yield Command("git commit --amend", f"and take {self._it} out of the message")
        if paths := self._paths(places):
            yield f"take {self._it} out of {_named(places)}, then"
            yield Command(f"git commit --amend --no-edit {paths}")

    def _rebase(self, route: _Route, places: Sequence[_Place], *, here: bool, along: bool) -> Iterator[str | Command]:
        commits = self.standing.in_order(place.commit for place in places)
        of_file: dict[bytes, set[str]] = {}
        for place in places:
            of_file.setdefault(place.path, set()).add(place.commit)
        fixed = (
            len(commits) <= MOST_FIXED
            and all(len(some) == 1 for some in of_file.values())  # else who takes it out must tell them apart
            and all(place.path and self._stands(place, route, here=here) for place in places)
        )
        stops = commits if fixed else commits[:MOST_STOPS]
        unseen = here and self.standing.head not in self.standing.parents  # what else HEAD has could be merges
        merges = unseen or self.standing.merges_since(stops[0])
        chosen = {"--rebase-merges": merges, "--update-refs": along, "--autostash": True}
        options = " ".join(option for option, wanted in chosen.items() if wanted)
        base = f"{stops[0][:12]}~1" if self.standing.parents[stops[0]] else "--root"
        if fixed:
            yield f"take {self._it} out of {_named(places)}, then"
            for commit in commits:
                paths = self._paths([place for place in places if place.commit == commit], whole=len(commits) == 1)
                yield Command(f"git commit --fixup={commit[:12]} {paths}")
            yield Command(f"git -c sequence.editor=: rebase -i {options} --autosquash {base}")
        else:
            yield from self._by_hand([p for p in places if p.commit in stops], stops, f"{options} --empty=drop {base}")
            if stops != commits:
                yield f"{len(commits) - len(stops):,} more commits have some: push again to see them"
        if merges or any(place.versions > 1 or (place.path and not fixed) for place in places):
            yield f"after a conflict take {self._it} out there, too, then"
            yield Command("git add --update && git rebase --continue")
        if merges and route.is_branch:
            yield "merges are made anew: see that `git diff @{1}` shows nothing but that"

    def _by_hand(self, places: Sequence[_Place], stops: Sequence[str], how: str) -> Iterator[str | Command]:
        """A rebase that stops where it is told to."""
        files = [place for place in places if place.path]
        if lying := [place for place in files if place.path in self.standing.lying]:
            yield f"first move {_named(lying)} to somewhere else: git would overwrite it"
        yield Command(f"git rebase -i {how}")
        edited, told = {place.commit for place in files}, {place.commit for place in places if not place.path}
        merges = {commit for commit in stops if len(self.standing.parents[commit]) > 1}
        asked: dict[str, list[str]] = {}
        for commit in stops:
            word = "edit" if commit in edited else "reword"
            asked.setdefault(_BELOW if commit in merges else f"`{word}` for `pick` before", []).append(commit[:12])
        wanted = [f"{words} {', '.join(names)}" for words, names in asked.items()]
        yield f"in the list that opens write {'; '.join(wanted)}"
        if stopped := edited | merges:
            message = bool(told & stopped)
            where = [*filter(None, [_named(files)]), *(["the message"] if message else [])]
            yield f"where git stops, take {self._it} out of {' and '.join(where)}, then"
            keep = "" if message else "--no-edit "
            yield Command(f"git commit --all --amend {keep}--allow-empty && git rebase --continue")

    def _stands(self, place: _Place, route: _Route, *, here: bool) -> bool:
        """Whether the file surely has it still, in what is to be changed."""
        if place.reach == "head":
            return here or route.tip == self.standing.head
        return not here and place.reach == "branch" and place.via == short_name(route.update.name)

    def _paths(self, places: Iterable[_Place], *, whole: bool = True) -> str:
        """The files for `git commit`; all that were changed, where that may be, and names would fill the screen."""
        names = dict.fromkeys(place.path for place in places if place.path)
        paths = pathspecs(names, below=bool(self.standing.prefix))
        if whole and len(names) > 1 and len(paths) > LONGEST_PATHS:
            return "--all"
        return f"-- {paths}" if paths else ""


def _elsewhere(findings: Sequence[RankedFinding]) -> Iterator[str | Command]:
    """Where nothing is known of the work tree that the commits come from, or of the commits."""
    commits = list(dict.fromkeys(place.commit[:12] for place in _places(findings) if place.commit))
    origins = (o.origin for ranked in findings for o in ranked.finding.occurrences)
    blobs = dict.fromkeys(o.blob for o in origins if isinstance(o, GitBlob) and not o.commit)
    if not commits:
        for blob in list(blobs)[:MOST_NAMED]:
            yield Command(f"git log --all --oneline --find-object={blob[:12]}", "names the commits")
    which = f" ({_listed(commits)})" if commits else ""
    yield (
        f"take what was found out of the commits that brought it{which}, and push again; a further commit that deletes "
        "it is not enough: the older ones would be published, too"
    )


def _places(findings: Sequence[RankedFinding]) -> Iterator[_Place]:
    """Each place once."""
    seen: dict[_Place, None] = {}
    for ranked in findings:
        for occurrence in ranked.finding.occurrences:
            match occurrence.origin:
                case GitBlob(path=path, commit=commit, reach=reach, via=via):
                    seen[_Place(commit, path, reach, via, occurrence.blobs)] = None
                case GitMessage(message="commit", target=commit):
                    seen[_Place(commit, b"", "history", "", 1)] = None
    yield from seen


def _named(places: Iterable[_Place]) -> str:
    return _listed(list(dict.fromkeys(shortened(clean(place.path)) for place in places if place.path)))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


# --- the other ways -------------------------------------------------------------------------------------------------


def _rotation(findings: Sequence[RankedFinding]) -> Iterator[str]:
    steps: dict[tuple[str, str], str] = {}
    for ranked in findings:
        detector = ranked.finding.detector
        steps.setdefault((first_step(ranked.finding), detector.rotate), detector.id)
    for place, ((step, url), name) in enumerate([*steps.items()][:MOST_NAMED]):
        which = f" ({name})" if len(steps) > 1 else ""
        yield f"{'if it ever left this machine, ' if not place else ''}{step}{which}{': ' + url if url else ''}"


def _acceptance(findings: Sequence[RankedFinding]) -> Iterator[Command]:
    """By fingerprint, which says nothing of the secret and survives a rebase."""
    shown = findings[:MOST_NAMED] if len(findings) <= MOST_NAMED else findings[:1]
    more = len(findings) - len(shown)
    for ranked in shown:
        yield Command(
            f'oakum allow {ranked.fingerprint} --reason "why"',
            f"and so the other {more:,}, by id or FILE:LINE" if more else "",
        )
