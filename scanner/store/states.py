"""The states of a finding over all repositories, and what became of it since the last sweep that ended.

The state, by the first that holds:

| state | when |
|---|---|
| `accepted`, `false positive` | somebody decided so, or the user's configuration accepts it, and it has not expired |
| `revoked` | the last certain verdict is `dead`, and a host that was asked said so |
| `not reported` | nothing has it any more, but settings, detectors or oakum changed: it may be there still |
| `removed` | no repository has it any more |
| `fixed in head` | the best place of all is in history, or reached by no branch |
| `reopened` | a branch has it, and it was told in another state than `open` or `not reported` before; it stays so |
| `open` | a branch has it |

A verdict is certain when it is `live` or `dead`; `unknown` (not asked, a time-out) changes nothing. Of those that a
sweep brought, `live` in one repository outweighs `dead` in another. That it has expired, without anybody being asked,
takes away neither a `revoked` nor makes one: its rank says it.

What changed is the difference between what was told when the last sweep ended and what is now:

| change | when |
|---|---|
| `new` | it was never told; one that is decided upon already is only `accepted` or `false positive` |
| `reopened` | it did not count and does now, or was fixed in head and a branch has it again |
| `fixed` | no branch has it any more, or nothing has |
| `revoked`, `accepted`, `false positive` | it has become so |
| `not reported` | it has become so; when it is reported again, only the history says so (`better`) |
| `worse` | it counted and does: its band is higher; or it is live now; or everybody can read it now |
| `better` | it counted and does: its band is lower |
| `spread` | it counts, was told before, and is in a repository where it was not at the end of the last sweep |

One that came and went between two ends of sweeps is `new` and then `fixed` (or `revoked`): it was there, and whoever
saw it has it. One that is reopened is told as that alone, neither as worse nor as spread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..model import BANDS
from ..swept import COUNTING, Change, State

MOST_SPREAD = 10
"""Repositories that are told each by its own; the others are counted."""
NOT_TOLD = ""
DECIDED: tuple[State, ...] = ("accepted", "false positive")
"""States that somebody gives."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding at the end of the last sweep; `state` is empty if it was not there then."""

    state: State | str = NOT_TOLD
    band: str = ""
    verdict: str = ""
    readers: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding as it is: the best reach of all its places (empty: it has none), its band, its last certain verdict,
    who can read one of its repositories at best, what is decided, and repositories that it came to; `hidden` says that
    it was seen with another program than the one that does not see it."""

    reach: str
    band: str
    verdict: Mapping[str, Any]
    readers: str = "unknown"
    decided: State | str = ""
    came_to: Sequence[str] = ()
    hidden: bool = False


def state_of(now: Standing, told: State | str) -> State:
    """The state of a finding, by the table above."""
    for decided in DECIDED:
        if now.decided == decided:
            return decided
    if now.verdict.get("state") == "dead" and now.verdict.get("asked"):
        return "revoked"
    if not now.reach:
        return "not reported" if now.hidden else "removed"
    if now.reach in ("history", "unreachable"):
        return "fixed in head"
    return "open" if told in (NOT_TOLD, "open", "not reported") else "reopened"


def in_force(decision: Mapping[str, str] | None, now: datetime) -> bool:
    """Whether a decision holds still."""
    ends = (decision or {}).get("expires", "")
    return decision is not None and (not ends or datetime.fromisoformat(ends) > now)


def verdict_of(last: Mapping[str, Any], brought: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The verdict on a finding, of the last one and those that a sweep brought, in an order that is always the same."""
    best = min(brought, key=_weight, default=last)
    if best.get("state") == "unknown":
        certain = last.get("state") in ("live", "dead")
        return last if certain or not brought else best
    expired = best.get("state") == "dead" and not best.get("asked")
    return last if expired and last.get("state") == "dead" and last.get("asked") else best


def _weight(verdict: Mapping[str, Any]) -> tuple[int, bool]:
    return ("live", "dead", "unknown").index(verdict["state"]), not verdict.get("asked")


def changes(told: Told, now: Standing, state: State) -> Iterator[tuple[Change, str, str]]:
    """What became of a finding: (change, before, after)."""
    is_new, decided = told.state == NOT_TOLD, state in DECIDED
    counted, counts = told.state in COUNTING, state in COUNTING
    if is_new and not decided:
        yield "new", "", state
    if counts and told.state == "not reported":
        yield "better", told.state, state
        return
    if counts and not is_new and (not counted or (told.state == "fixed in head" and state != "fixed in head")):
        yield "reopened", told.state, state
        return
    if state != told.state and (become := became(told.state, state)):
        yield become, told.state, state
    if counted and counts:
        yield from _ranked(told, now)
        yield from _spread(now.came_to)


def became(before: str, after: State) -> Change | None:
    """The change that a new state is, but for those that count again."""
    if after in ("open", "reopened"):
        return None
    if after in ("revoked", "accepted", "false positive", "not reported"):
        return after
    return None if after == "fixed in head" and before == NOT_TOLD else "fixed"


def _ranked(told: Told, now: Standing) -> Iterator[tuple[Change, str, str]]:
    before, after = BANDS.index(told.band), BANDS.index(now.band)
    verdict = str(now.verdict.get("state", ""))
    if after < before:
        yield "worse", told.band, now.band
    elif verdict == "live" and told.verdict != "live":
        yield "worse", told.verdict, "live"
    elif now.readers == "public" and told.readers != "public":
        yield "worse", told.readers, "public"
    elif after > before:
        yield "better", told.band, now.band


def _spread(came_to: Sequence[str]) -> Iterator[tuple[Change, str, str]]:
    names = sorted(came_to)
    yield from (("spread", "", name) for name in names[:MOST_SPREAD])
    if len(names) > MOST_SPREAD:
        yield "spread", "", f"{len(names) - MOST_SPREAD} more repositories"
