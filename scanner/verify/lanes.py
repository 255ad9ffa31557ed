"""Lanes: the questions for each host in a row, and the turns that threads take on them.

A host that pauses or hangs holds up nobody but itself: a thread that would have to wait for it takes another lane. What
fails while several ask at once counts as one failure; after some in a row the host is left alone.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable

from .line import LaterError
from .places import Waiting
from .users import Users

WIDTH = 4
"""Threads that ask one host at a time."""
SILENCES = 3
"""Answers in a row that do not come, after which a host is not asked any more."""
REFUSALS = 6
"""Answers in a row that say no more than `later`."""
LONGEST_PAUSE = 120.0
"""Seconds that are waited for a host at most; one that asks for more is not asked again about the same secret."""
LONGEST_GROWN = 30.0
"""To which the pauses between failures grow, where the host names none."""


class Lane:
    """The questions for one host; `pause` is the first wait after a failure, in seconds, and `users` are those who were
    tried, at whichever host."""

    def __init__(self, host: str, pause: float, users: Users) -> None:
        self.host = host
        self.given_up = ""
        """Why it is not asked any more."""
        self.turns = 0
        """Those that threads have, or wait for. `Turns` counts them."""
        self._pause = pause
        self._expected = 0
        self._rate = 0.0
        self._lock = threading.Lock()
        self._waiting: deque[Waiting] = deque()
        self._not_before = 0.0
        self._failures = 0
        self._counted_at = 0.0
        self._users = users

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, rate: float) -> None:
        """One more question may come, of those that it bears so many of a second."""
        self._expected, self._rate = self._expected + 1, max(self._rate, rate)

    @property
    def width(self) -> int:
        """The threads that it is worth: a host that bears one request a second keeps no four busy."""
        return min(WIDTH, self._expected, max(1, int(self._rate)))

    def add(self, waiting: Waiting) -> None:
        """Put a question behind the others."""
        with self._lock:
            self._waiting.append(waiting)

    def next(self) -> Waiting | None:
        """The next question; None when there is none left."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    @property
    def pausing(self) -> float:
        """The seconds that it still pauses."""
        return 0.0 if self.given_up else max(0.0, self._not_before - time.monotonic())

    def heard(self) -> None:
        """An answer came that says something."""
        with self._lock:
            self._failures = 0

    def failed(self, error: LaterError, began: float) -> None:
        """There was no answer to what `began` then, or none yet: wait, or give the host up."""
        with self._lock:
            now = time.monotonic()
            if began >= self._counted_at:
                self._failures, self._counted_at = self._failures + 1, now
            grown = min(self._pause * 2 ** (self._failures - 1), LONGEST_GROWN) if self._failures else self._pause
            if error.seconds <= LONGEST_PAUSE:
                self._not_before = max(self._not_before, now + max(error.seconds, grown))
            gone = error.silent or error.seconds > LONGEST_PAUSE
            if self._failures >= (SILENCES if gone else REFUSALS) and not self.given_up:
                said = "did not answer" if error.silent else "gave no answer"
                self.given_up = f"{self.host} {said} {self._failures} times in a row, and was left alone ({error})"

    def take_user(self, user: str, place: int) -> bool:
        """Whether it is the first password for a user, or that one again."""
        return self._users.take(self.host, user, place)


class Turns:
    """Whose turn it is: each lane is worth as many turns as threads may ask it at a time."""

    def __init__(self, questions: Iterable[Waiting], *, pause: float, until: float, stopped: threading.Event) -> None:
        self._until, self._stopped = until, stopped
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._left = 0
        self._lanes: dict[str, Lane] = {}
        users = Users()
        self._ready: list[tuple[float, int, Lane]] = []
        for waiting in questions:
            for place in waiting.places:
                self._lanes.setdefault(place.host, Lane(place.host, pause, users)).expect(place.check.rate)
            self._lanes[waiting.place.host].add(waiting)
            self._left += 1
        for turn in range(WIDTH):
            for lane in self._lanes.values():
                if turn < min(lane.width, len(lane)):
                    self._turn(lane, 0.0)

    def __len__(self) -> int:
        """How many threads it is worth: each question is asked at one place at a time."""
        return min(self._left, sum(lane.width for lane in self._lanes.values()))

    def take(self) -> Lane | None:
        """A lane that is not pausing, waited for; None when all is done, or over."""
        with self._changed:
            while self._left and not self._stopped.is_set() and (now := time.monotonic()) < self._until:
                at = self._ready[0][0] if self._ready else self._until
                if at > now:
                    self._changed.wait(min(at, self._until) - now)
                    continue
                lane = heapq.heappop(self._ready)[2]
                if pausing := lane.pausing:
                    self._put(lane, now + pausing)
                elif len(lane):
                    return lane
                else:  # who still answers one of its questions has a turn of his own
                    lane.turns -= 1
            return None

    def give_back(self, lane: Lane) -> None:
        """The lane is for others, as soon as it does not pause."""
        with self._changed:
            self._put(lane, time.monotonic() + lane.pausing)
            self._changed.notify()

    def put(self, waiting: Waiting) -> None:
        """A question waits for its next place."""
        with self._changed:
            lane = self._lanes[waiting.place.host]
            lane.add(waiting)
            if lane.turns < lane.width:
                self._turn(lane, time.monotonic() + lane.pausing)
                self._changed.notify()

    def done(self) -> None:
        """A question has its verdict."""
        with self._changed:
            self._left -= 1
            if not self._left:
                self._changed.notify_all()

    def stop(self) -> None:
        """Nobody asks any more."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()

    def _turn(self, lane: Lane, at: float) -> None:
        lane.turns += 1
        self._put(lane, at)

    def _put(self, lane: Lane, at: float) -> None:
        heapq.heappush(self._ready, (at, next(self._numbers), lane))
