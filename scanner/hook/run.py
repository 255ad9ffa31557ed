"""A hook's run: what is to be searched, and whether the push or commit may go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import GitError
from ..model import clean
from ..pipeline import push
from ..sources import pushed
from ..sources.git import Repository

if TYPE_CHECKING:
    from ..pipeline.budget import Budget
    from ..pipeline.options import ScanOptions
    from .protocol import Told

MOST_TOLD = 3
"""Things that could not be searched which are named one by one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a hook found out. `problems` say what was not searched and why, fit to be shown."""

    found: push.Pushed | None = None
    problems: tuple[str, ...] = ()


def pre_push(
    repository: Repository, told: Told, remote: str, url: str, options: ScanOptions, budget: Budget
) -> Outcome:
    """Search what a push adds to what is known of the remote."""
    return _pushed(repository, told, lambda: pushed.tracking(repository, remote, url, told.updates), options, budget)


def pre_receive(repository: Repository, told: Told, options: ScanOptions, budget: Budget) -> Outcome:
    """Search what was sent to this repository, before its refs are changed: the objects are in quarantine still."""
    outcome = _pushed(repository, told, lambda: pushed.Refs(all=True), options, budget)
    large = sum(entry.count for entry in outcome.found.result.not_scanned if entry.policy) if outcome.found else 0
    if not large:
        return outcome
    why = f"{large:,} objects are larger than max-size, and were not searched"  # whoever pushes makes them so
    return Outcome(outcome.found, (*outcome.problems, why))


def _pushed(
    repository: Repository, told: Told, refs: Callable[[], pushed.Refs], options: ScanOptions, budget: Budget
) -> Outcome:
    problems = list(told.garbage)
    if not told.tips:
        return Outcome(None, tuple(problems))
    try:
        with budget.bounded():
            known = refs()
        found = push.search(repository, told.tips, told.known, known, options, budget)
    except GitError as e:
        return Outcome(None, (*problems, f"nothing was searched: {e}"))
    return Outcome(found, (*problems, *_problems(found, budget)))


def _problems(found: push.Pushed, budget: Budget) -> list[str]:
    """What of a push was not searched, and what to do about it."""
    absent = found.unknown
    out = [f"{name} is pushed and not in the object store: it was not searched" for name in absent[:MOST_TOLD]]
    if len(absent) > MOST_TOLD:
        out.append(f"so are {len(absent) - MOST_TOLD:,} more")
    if found.left:
        many = f"{found.left:,} of {found.count:,} objects were" if found.left > 0 else "what is pushed was"
        out.append(f"{many} NOT searched: the time for it ({budget.seconds:g} s) was up; `oakum scan` searches all")
    lost = [entry for entry in found.result.not_scanned if not entry.policy]
    out += (f"{clean(entry.what)}: {clean(entry.why)}" for entry in lost[:MOST_TOLD])
    if len(lost) > MOST_TOLD:
        out.append(f"and {sum(e.count for e in lost[MOST_TOLD:]):,} more that could not be searched")
    return out


def pre_commit(repository: Repository, options: ScanOptions, budget: Budget) -> Outcome:
    """Search what is staged for the next commit."""
    try:
        found = push.staged(repository, options, budget)
    except GitError as e:
        return Outcome(None, (f"nothing was searched: {e}",))
    return Outcome(found, tuple(_problems(found, budget)))
