"""Which repositories there are to look at: what hosts list, once each, without those that nobody wants looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ..errors import OakumError
from ..logins import Login
from ..pipeline.workers import where_raised
from ..sources.hosts import Access, Selection, listed
from ..swept import Remote, Target, Unlisted
from .progress import Watch
from .threads import each

THREADS = 4
"""Targets that are listed at a time; pages of one come one after another."""
MOST = 500_000
"""Repositories of a target: a host that lists more than any has is not believed."""
AT_HAND = ("folder", "file")
"""Kinds of targets that no host lists."""
PUBLIC = "{}: it was asked without a token, and lists what everybody can see"
NOTHING_HERE = "there is no repository in it: see whether it is the right one"
NOTHING = "it lists no repository: if there are some, whoever asks may not see them (is a token missing, or too weak?)"


@dataclass(frozen=True, slots=True)
class Listing:
    """`remotes` is all that was listed, also one repository by several targets; `chosen` those that are looked at, each
    once."""

    remotes: tuple[Remote, ...]
    chosen: tuple[Remote, ...]
    unlisted: tuple[Unlisted, ...]


def list_all(targets: Sequence[Target], access: Callable[[str], Access], selection: Selection, watch: Watch) -> Listing:
    """Ask the hosts of all targets, each as its text says. What goes wrong with one is `unlisted`, and the others are
    listed all the same."""
    found: dict[Target, list[Remote]] = {}
    unlisted: dict[Target, list[Unlisted]] = {}
    known: set[Target] = set()

    def let_in(target: Target) -> Access:
        given = access(target.text)

        def login(url: str) -> Login | None:
            found = given.login(url)
            if found is not None:
                known.add(target)
            return found

        return replace(given, login=login)

    def ask(target: Target) -> None:
        remotes, rest = found.setdefault(target, []), unlisted.setdefault(target, [])
        try:
            for one in listed(target, let_in(target)):
                if isinstance(one, Unlisted):
                    rest.append(one)
                elif len(remotes) < MOST:
                    remotes.append(one)
                else:
                    rest.append(Unlisted(target.text, f"it lists more than {MOST:,} repositories: the rest is left"))
                    return
        except OakumError as error:
            rest.append(Unlisted(target.text, str(error)))
        if not remotes and not rest:
            rest.append(Unlisted(target.text, NOTHING_HERE if target.kind in AT_HAND else NOTHING))

    for target, error in each(ask, dict.fromkeys(targets), threads=THREADS):
        if error is not None:
            why = f"an error in oakum ({where_raised(error)}) ended the listing; please report it"
            unlisted[target].append(Unlisted(target.text, why))
        left_out = sum(bool(selection.why_not(remote)) for remote in found[target])
        watch.listed(target.text, len(found[target]), left_out)
        for part in unlisted[target]:
            watch.unlisted(part)
        if found[target] and target not in known and target.kind not in AT_HAND:
            watch.note(PUBLIC.format(target.text))
    every = [remote for target in dict.fromkeys(targets) for remote in found[target]]
    remotes = _without_aliases(every, {_place(r.url) for r in every if "://" not in r.id and not selection.why_not(r)})
    chosen = {remote.id: remote for remote in reversed(remotes) if not selection.why_not(remote)}
    rest = [part for target in dict.fromkeys(targets) for part in unlisted[target]]
    return Listing(tuple(remotes), tuple(reversed(chosen.values())), tuple(rest))


def _without_aliases(remotes: Iterable[Remote], taken: Set[str]) -> list[Remote]:
    """All but those that are known by their URL only, of which a host has told its own id, too: a file of URLs may name
    what an organization has. Of one repository's other names a host decides nothing."""
    return [remote for remote in remotes if "://" not in remote.id or _place(remote.url) not in taken]


def _place(url: str) -> str:
    """A URL without what is written one way or another."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path if parts.scheme == 'file' else path.removesuffix('.git')}"
