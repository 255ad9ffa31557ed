"""The types of sweeps, and nothing else: repositories as hosts list them, what searching one gave, what became news.

A sweep looks at every repository of its targets, again and again. What it finds goes into a store (`store/`), which
never holds a value: a secret is known there by an HMAC of its fingerprint, and shown masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from .model import NotScanned, Readers

# --- what hosts list -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """What a sweep was told to look at: `github:acme`, `gitea:acme@git.example.org`, a folder, a file of URLs.

    `kind` names the host's API (a module of `hosts/`); `owner` is the organization, user, group or workspace there, or
    the path of the folder or file; `at` is where the host's API is (empty: the provider's own host).
    """

    text: str
    kind: str
    owner: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository, as its host lists it.

    `id` stays when it is renamed: the host and its own number for it, or the URL where it has none. `name` is what
    people call it (`acme/web`); `url` is where it is cloned from, without credentials: https, http, ssh, or `file` for
    what lies on this machine; `size` is in bytes, as its host says (0: it does not); `team` is the group or project
    that it belongs to, where the host has such; `target` is the text of the target that listed it; `off` says why it
    cannot be fetched, where its host says that: it is disabled.
    """

    id: str
    name: str
    url: str
    target: str
    default_branch: str = ""
    readers: Readers = "unknown"
    archived: bool = False
    fork: bool = False
    empty: bool = False
    pushed: datetime | None = None
    size: int = 0
    team: str = ""
    off: str = ""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A part of a target that its host did not list, and why: what is not listed then may be there all the same."""

    target: str
    why: str


# --- what searching one gave -----------------------------------------------------------------------------------------

Ending = Literal["searched", "unchanged", "failed"]
"""How the work on a repository ended. An empty one was searched, and nothing is in it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the work on one repository gave; small enough to go from one machine to another, and without any value.

    `refs` is a digest of all refs that the host gave, and of HEAD; `program` one of all that decides what is found in
    them (oakum, detectors, limits). `findings` are objects as in a report in JSON (docs/reports.md), each with `owners`
    besides; there are none of a repository that was not `searched`. `why` says in a sentence why it failed, and what to
    do; `not_scanned` what was not searched of one that did not fail as a whole. `worker` is where its clone is now.
    """

    remote: Remote
    ending: Ending
    refs: str = ""
    program: str = ""
    findings: tuple[dict[str, Any], ...] = ()
    not_scanned: tuple[NotScanned, ...] = ()
    why: str = ""
    worker: str = ""
    passing: bool = False
    """Whether one failed because its host did not answer."""
    again: bool = False
    """Whether one failed for what stood in its way on its worker's machine, and may be gone when others are done."""
    blobs: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Known:
    """What a store knows of a repository: the digests of its last search that was complete, what its clone took on
    disk, where that is, whether a finding of it is to be asked about again."""

    refs: str = ""
    program: str = ""
    bytes: int = 0
    worker: str = ""
    open: int = 0
    """Findings of it that are open."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What the user's own configuration accepts: a fingerprint, with the reason, by whom, and until when."""

    fingerprint: str
    reason: str
    by: str = ""
    expires: date | None = None


# --- what became of it -----------------------------------------------------------------------------------------------

State = Literal["open", "reopened", "fixed in head", "removed", "not reported", "revoked", "accepted", "false positive"]
"""Of a finding, over all repositories.

- `open`: a branch has it; `reopened`: it was fixed, removed, revoked or accepted before, and counts again.
- `fixed in head`: no head of a branch has it any more, but history does: it must be revoked all the same.
- `removed`: it is found nowhere any more (history was rewritten, or the repositories are gone).
- `revoked`: its provider says that it does not take it.
- `not reported`: it was found with other settings, detectors or another oakum, and is not with those of now: whether it
  is there still nobody knows.
- `accepted`, `false positive`: somebody decided so, and gave a reason.
"""

COUNTING: frozenset[State] = frozenset({"open", "reopened", "fixed in head"})
"""States of what somebody has to do something about."""

Change = Literal[
    "new", "worse", "reopened", "spread", "fixed", "revoked", "accepted", "false positive", "better", "not reported"
]
"""What became of a finding from one sweep to the next. `spread`: it came to another repository."""

NEWS: tuple[Change, ...] = ("new", "reopened", "worse", "spread", "fixed", "revoked")
"""Changes that are told, most urgent first; the others stand in the history only."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a finding, in a sweep. `finding` is its id in the store, `before` and `after` are states, bands or
    verdicts, as the change is about one of them, or the repository that it came to."""

    sweep: int
    at: datetime
    change: Change
    finding: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as a store has it: `id` is the beginning of its HMAC; `secret` is masked. `repositories` are the names
    of those where it is; `places` at most a few of them, worst first, each as in a report with `repository` besides."""

    id: str
    detector: str
    provider: str
    kind: str
    name: str
    summary: str
    secret: str
    band: str
    score: int
    state: State
    verdict: Mapping[str, Any]
    first_seen: datetime
    last_seen: datetime
    repositories: tuple[str, ...]
    teams: tuple[str, ...]
    owners: tuple[str, ...]
    places: tuple[Mapping[str, Any], ...]
    rotate: str = ""
    decision: Mapping[str, str] = field(default_factory=dict)
    """Who accepted it, why, until when."""


@dataclass(frozen=True, slots=True)
class News:
    """What a sweep brought: each change with the finding as it is now, most urgent first; what could not be looked at.

    `failed` are repositories (name, why); `counts` are those of the sweep, by what is counted.
    """

    sweep: int
    started: datetime
    ended: datetime
    targets: tuple[str, ...]
    changes: tuple[tuple[Event, Kept], ...]
    failed: tuple[tuple[str, str], ...]
    counts: Mapping[str, int]
    unlisted: Sequence[Unlisted] = ()

    @property
    def complete(self) -> bool:
        """Whether all repositories could be listed and searched."""
        return not self.failed and not self.unlisted
