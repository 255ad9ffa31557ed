"""How far a sweep is: bars on a terminal, or a line for each thing that happened, for logs.

A line is `oakum: sweep=7 repository=acme/web ending=searched findings=2 seconds=0.3` (logfmt: what is no plain word
stands in quotes, as a text of JSON), or an object of the same names on a line of its own, with the `time` besides. Each
repository that was searched or that failed has one; those that are as they were are counted.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from ..model import clean
from ..swept import News, Outcome, Target, Unlisted
from . import Task

EVERY = 1_000
"""Repositories that are as they were, after which a line says how many."""
PLAIN = re.compile(r"[A-Za-z0-9._:/@+-]+")
LONGEST = 500
"""Characters of a text in a line."""
HALF = 0.5
"""How much bytes count for the time that is left, and how much repositories."""


class Watch(Protocol):
    """Is told what happens in a sweep. One thread calls it."""

    def begun(self, sweep: int, targets: Sequence[Target]) -> None:
        """It has its number now."""

    def listed(self, target: str, repositories: int, left_out: int) -> None:
        """A target was listed."""

    def unlisted(self, part: Unlisted) -> None:
        """A part of one was not."""

    def checking(self, repositories: int) -> None:
        """So many repositories are asked whether they changed."""

    def checked(self) -> None:
        """One of them answered, or did not."""

    def planned(self, tasks: Sequence[Task]) -> None:
        """These are to be fetched and searched."""

    def done(self, outcome: Outcome) -> None:
        """Something is known of a repository, and in the store."""

    def ended(self, news: News) -> None:
        """All is in the store."""

    def note(self, text: str) -> None:
        """Something else that people should read."""


class Log:
    """Writes lines. `clock` tells the time; `as_json` makes them objects, and `quiet` leaves out all but notes."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], datetime], *, as_json: bool, quiet: bool = False
    ) -> None:
        self._write, self._clock, self._as_json, self._quiet = write, clock, as_json, quiet
        self._sweep = 0
        self._unchanged = 0

    def begun(self, sweep: int, targets: Sequence[Target]) -> None:
        """A line with the number that all others have, too."""
        self._sweep = sweep
        self._say(event="begun", targets=len(targets))

    def listed(self, target: str, repositories: int, left_out: int) -> None:
        """A line for a target."""
        self._say(event="listed", target=target, repositories=repositories, left_out=left_out)

    def unlisted(self, part: Unlisted) -> None:
        """A line for what is missing."""
        self._say(event="unlisted", target=part.target, why=part.why)

    def checking(self, repositories: int) -> None:
        """A line before the first request to a repository."""
        self._say(event="checking", repositories=repositories)

    def checked(self) -> None:
        """No line: what comes of it is said."""

    def planned(self, tasks: Sequence[Task]) -> None:
        """A line before the search."""
        self._count()
        self._say(event="searching", repositories=len(tasks), bytes=sum(map(weight, tasks)))

    def done(self, outcome: Outcome) -> None:
        """A line, but for what is as it was."""
        if outcome.ending == "unchanged":
            self._unchanged += 1
            if self._unchanged >= EVERY:
                self._count()
            return
        told: dict[str, Any] = {"repository": outcome.remote.name, "ending": outcome.ending}
        if outcome.ending == "searched":
            told |= {"findings": len(outcome.findings), "blobs": outcome.blobs, "bytes": outcome.bytes}
        if lost := sum(one.count for one in outcome.not_scanned if not one.policy):
            told["not_scanned"] = lost
        if outcome.why:
            told["why"] = outcome.why
        if outcome.worker:
            told["worker"] = outcome.worker
        self._say(**told, seconds=round(outcome.seconds, 3))

    def ended(self, news: News) -> None:
        """A line with all counts."""
        self._count()
        changes = {"news": len(news.changes), "failed": len(news.failed), "unlisted": len(news.unlisted)}
        seconds = round((news.ended - news.started).total_seconds(), 1)
        self._say(**{"event": "ended", **news.counts, **changes, "seconds": seconds})

    def note(self, text: str) -> None:
        """A line with a text."""
        self._say(event="note", text=text)

    def _count(self) -> None:
        if self._unchanged:
            self._say(event="unchanged", repositories=self._unchanged)
            self._unchanged = 0

    def _say(self, **told: Any) -> None:
        if self._quiet and told.get("event") != "note":
            return
        named = ({"sweep": self._sweep} if self._sweep else {}) | {name: _bounded(one) for name, one in told.items()}
        if self._as_json:
            self._write(json.dumps({"time": self._clock().isoformat(timespec="milliseconds"), **named}))
        else:
            words = (f"{name.replace(' ', '_')}={_word(one)}" for name, one in named.items())
            self._write(f"oakum: {' '.join(words)}")


def _bounded(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = clean(value[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _word(value: object) -> str:
    text = str(value)
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def weight(task: Task) -> int:
    """The bytes that a task will take, as far as that is known before: what its clone took, or what its host says."""
    return max(task.known.bytes, task.remote.size)


class Bar:
    """Draws bars on a terminal: one while repositories are asked whether they changed, one while those that did are
    searched. `stream` is where."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._bar: Any = None  # a tqdm; its stubs know no bar without an iterable
        self._tasks: dict[str, int] = {}
        self._bytes = self._left = self._findings = self._failed = 0
        self._started = 0.0

    def begun(self, sweep: int, targets: Sequence[Target]) -> None:
        """A bar without an end: nobody knows how long lists are."""
        self._open(f"sweep {sweep}: listing", 0, "repositories")

    def listed(self, target: str, repositories: int, left_out: int) -> None:
        """Count what was listed."""
        self._bar.update(repositories)

    def unlisted(self, part: Unlisted) -> None:
        """Say it above the bar."""
        self.note(f"{part.target}: {part.why}")

    def checking(self, repositories: int) -> None:
        """The next bar."""
        self._open("what changed", repositories, "repositories")

    def checked(self) -> None:
        """One more."""
        self._bar.update(1)

    def planned(self, tasks: Sequence[Task]) -> None:
        """The last bar."""
        self._tasks = {task.remote.id: weight(task) for task in tasks}
        self._bytes = self._left = sum(self._tasks.values())
        self._started = time.monotonic()
        self._open("searching", len(tasks), "repositories")

    def done(self, outcome: Outcome) -> None:
        """One more of the tasks; the others were checked."""
        self._findings += len(outcome.findings)
        self._failed += outcome.ending == "failed"
        if outcome.remote.id in self._tasks:
            self._left -= self._tasks.pop(outcome.remote.id)
            self._bar.set_postfix_str(self._state(), refresh=False)
            self._bar.update(1)

    def ended(self, news: News) -> None:
        """No bar is left."""
        self.close()

    def note(self, text: str) -> None:
        """A line above the bar."""
        from tqdm import tqdm

        tqdm.write(f"oakum: {clean(text)}", file=self._stream)

    def close(self) -> None:
        """Take the bar away, whatever happened."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _state(self) -> str:
        parts = [f"{_size(self._bytes - self._left)}/{_size(self._bytes)}", f"{self._findings:,} findings"]
        if self._failed:
            parts.append(f"{self._failed:,} failed")
        if left := self._time_left():
            parts.append(f"{left} left")
        return ", ".join(parts)

    def _time_left(self) -> str:
        """By bytes and by repositories, half and half: small ones take their time, too."""
        total = self._bar.total
        done = 1 - len(self._tasks) / total if total else 0.0
        if self._bytes:
            done = HALF * done + HALF * (1 - self._left / self._bytes)
        if done <= 0:
            return ""
        seconds = int((time.monotonic() - self._started) * (1 - done) / done)
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    def _open(self, what: str, total: int, unit: str) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread of its own: workers are forked
        self.close()
        form = "{desc}: {n_fmt}/{total_fmt} {unit} |{bar}| {postfix}" if total else "{desc}: {n_fmt} {unit}"
        self._bar = tqdm(
            desc=what,
            total=total or None,
            unit=unit,
            leave=False,
            dynamic_ncols=True,
            bar_format=form,
            file=self._stream,
        )


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
