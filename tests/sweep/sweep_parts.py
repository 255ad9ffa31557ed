"""Parts of a sweep that stand in for hosts, workers and a store where only the flow between them is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from oakum.scanner.logins import Login
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import Reach
from oakum.scanner.sources.hosts import Access
from oakum.scanner.store import Store, StoreError
from oakum.scanner.sweep import Settings, Task
from oakum.scanner.sweep.run import Plan
from oakum.scanner.swept import Known, News, Outcome, Remote, Suppressed, Target, Unlisted

NOW = datetime(2027, 1, 1, tzinfo=UTC)
SETTINGS = Settings(NOW, "program")


def remote(name: str, *, target: str = "github:acme", **more: Any) -> Remote:
    """A repository of acme."""
    return Remote(f"github.com/{name}", f"acme/{name}", f"https://github.com/acme/{name}.git", target, **more)


def target(text: str = "github:acme") -> Target:
    """A target as it is read."""
    kind, _, owner = text.partition(":")
    return Target(text, kind, owner)


class NoPages:
    """Keeps nothing."""

    def read(self, name: str) -> bytes | None:
        """Nothing."""
        return None

    def write(self, name: str, *content: bytes) -> None:
        """Nothing."""


def nobody(_url: str) -> Login | None:
    """No login."""
    return None


def ann(_url: str) -> Login | None:
    """Hers."""
    return Login("api.github.com", "ann", "word", "GITHUB_TOKEN")


def plan(*targets: str, **more: Any) -> Plan:
    """A plan at a time that stands still."""
    login = more.pop("login", ann)
    return Plan(
        tuple(map(target, targets or ("github:acme",))),
        more.pop("settings", SETTINGS),
        lambda _target: Access(Outbound(), login, NoPages()),
        lambda _target: Reach({}, Outbound(), nobody),
        lambda: NOW,
        **more,
    )


@dataclass
class NotedStore(Store):
    """Notes what it is told, and knows what was searched."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    had: dict[str, Known] = field(default_factory=dict)
    full_after: int = 1_000_000
    held: bool = False

    @contextmanager
    def locked(self, who: str) -> Iterator[None]:
        """Once at a time."""
        if self.held:
            raise StoreError("another sweep has it")
        self.held = True
        try:
            yield
        finally:
            self.held = False

    def begin(self, targets: Sequence[str], now: datetime) -> int:
        """Always the seventh."""
        self.calls.append(("begin", *targets))
        return 7

    def known(self) -> Mapping[str, Known]:
        """What was committed."""
        return dict(self.had)

    def list(self, sweep: int, remotes: Iterable[Remote], unlisted: Sequence[Unlisted], now: datetime) -> None:
        """Note names."""
        self.calls.append(("list", [one.name for one in remotes], [one.target for one in unlisted]))

    def commit(self, sweep: int, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Note endings, until the disk is full."""
        if self.full_after <= 0:
            raise StoreError("the disk is full")
        self.full_after -= 1
        self.calls.append(("commit", *((one.remote.name, one.ending, one.why) for one in outcomes)))
        for one in outcomes:
            if one.ending == "searched":
                self.had[one.remote.id] = Known(one.refs, one.program, one.bytes, one.worker, len(one.findings))

    def finish(
        self, sweep: int, accepted: Iterable[Suppressed], hooks: Sequence[str], min_band: str, now: datetime
    ) -> News:
        """No news."""
        self.calls.append(("finish", list(accepted), list(hooks), min_band))
        return News(sweep, NOW, now, (), (), (), {})

    def committed(self) -> dict[str, str]:
        """How the work on each repository ended."""
        return {name: ending for what, *rest in self.calls if what == "commit" for name, ending, _ in rest}

    def why(self) -> dict[str, str]:
        """Why it failed."""
        return {name: why for what, *rest in self.calls if what == "commit" for name, _, why in rest if why}


@dataclass
class NotedExecutor:
    """Works on tasks here and at once; `work` says what comes of each, None where nothing does."""

    work: Callable[[Task], Outcome | None] = lambda task: searched(task)
    tasks: list[Task] = field(default_factory=list)
    ended: bool = False

    def run(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Each in order."""
        try:
            for task in tasks:
                self.tasks.append(task)
                outcome = self.work(task)
                if outcome is not None:
                    yield outcome
        finally:
            self.ended = True


def searched(task: Task, **more: Any) -> Outcome:
    """It was searched, and nothing was found."""
    return Outcome(task.remote, "searched", task.refs, "program", **more)


@dataclass
class NotedWatch:
    """Notes what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def begun(self, sweep: int, targets: Sequence[Target]) -> None:
        """Note it."""
        self.told.append(("begun", sweep))

    def listed(self, target: str, repositories: int, left_out: int) -> None:
        """Note it."""
        self.told.append(("listed", target, repositories, left_out))

    def unlisted(self, part: Unlisted) -> None:
        """Note it."""
        self.told.append(("unlisted", part.target, part.why))

    def checking(self, repositories: int) -> None:
        """Note it."""
        self.told.append(("checking", repositories))

    def checked(self) -> None:
        """Nothing to note."""

    def planned(self, tasks: Sequence[Task]) -> None:
        """Note it."""
        self.told.append(("planned", [one.remote.name for one in tasks]))

    def done(self, outcome: Outcome) -> None:
        """Note it."""
        self.told.append(("done", outcome.remote.name, outcome.ending))

    def ended(self, news: News) -> None:
        """Note it."""
        self.told.append(("ended",))

    def note(self, text: str) -> None:
        """Note it."""
        self.told.append(("note", text))
