"""Asking all questions of a plan: a lane for each host, threads that work on the lanes, one list of verdicts."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ..errors import OakumError
from ..model import Detector, Verdict
from . import Plan, Question, VerifyOptions
from .credential import Credential, UnaskedError
from .line import OVER, LaterError, Line, Lines, Pace

WIDTH = 4
"""Threads that ask one host at a time."""
THREADS = 128
TRIES = 3
"""How often something is asked that gets no answer, or is to come back later."""
SILENCES = 3
"""Answers in a row that do not come, after which a host is not asked any more."""
LONGEST_PAUSE = 120.0
"""Seconds that are waited for a host at most."""
TAKES_ANYTHING = "{} accepts anything: a made-up secret, too"

LookAlike = Callable[[Detector], bytes]
"""A made-up value of the form of a detector's secrets."""


def ask_all(plan: Plan, options: VerifyOptions, look_alike: LookAlike) -> Iterator[tuple[int, Verdict]]:
    """The verdict of each question, as it comes: (place, verdict). All of them come, and within the time that `options`
    give; ended before that, nothing more is sent."""
    run = _Run(plan, options, look_alike)
    try:
        yield from run.verdicts()
    finally:
        run.stopped.set()


@dataclass(slots=True)
class _Trial:
    """Whether a host was tried with something made up: `lock` is held while it is."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False
    why: str = ""
    """Why it is not believed."""


class _Lane:
    """The questions for one host."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Question, int]] = deque()
        self._not_before = 0.0
        self._silences = 0
        self.given_up = ""
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, question: Question, tries: int = 0) -> None:
        """Put a question behind the others."""
        with self._lock:
            self._waiting.append((question, tries))

    def next(self) -> tuple[Question, int] | None:
        """The next question; None when there is none left."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def pause(self, seconds: float) -> None:
        """Ask nothing for so long."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + min(seconds, LONGEST_PAUSE))

    def pausing(self) -> float:
        """The seconds that it still pauses."""
        return max(0.0, self._not_before - time.monotonic())

    def heard(self, *, silent: bool, why: str = "") -> None:
        """An answer came, or none did."""
        with self._lock:
            self._silences = self._silences + 1 if silent else 0
            if self._silences >= SILENCES and not self.given_up:
                self.given_up = f"{self.host} did not answer {SILENCES} times in a row, and was left alone ({why})"

    def take_user(self, user: str, place: int) -> bool:
        """Whether it is the first password for a user; one that could not be tried yet is."""
        with self._lock:
            return self._users.setdefault(user, place) == place


class _Run:
    def __init__(self, plan: Plan, options: VerifyOptions, look_alike: LookAlike) -> None:
        self._options, self._look_alike = options, look_alike
        self.stopped = threading.Event()
        self._until = time.monotonic() + options.seconds
        self._pace = Pace()
        self._lanes: dict[str, _Lane] = {}
        self._trials: dict[tuple[str, str], _Trial] = {}
        self._lock = threading.Lock()
        self._left = {question.place for question in plan.questions}
        self._given: queue.SimpleQueue[tuple[int, Verdict]] = queue.SimpleQueue()
        for question in plan.questions:
            self._lanes.setdefault(question.lane, _Lane(question.lane)).add(question)
        turns = range(WIDTH)
        slots = [lane for turn in turns for lane in self._lanes.values() if turn < len(lane)]
        self._slots: deque[_Lane] = deque(slots)

    def verdicts(self) -> Iterator[tuple[int, Verdict]]:
        """All of them."""
        for _ in range(min(THREADS, len(self._slots))):
            # As daemons: a host that keeps one waiting does not keep the program from ending.
            threading.Thread(target=self._work, daemon=True, name="oakum verify").start()
        while self._left:
            try:
                place, verdict = self._given.get(timeout=max(0.0, self._until - time.monotonic()))
            except queue.Empty:
                break
            if place in self._left:
                self._left.remove(place)
                yield place, verdict
        self.stopped.set()
        for place in sorted(self._left):
            yield place, Verdict("unknown", OVER)

    def _work(self) -> None:
        """A thread: a lane to its end, then the next."""
        options = self._options
        limits = {"until": self._until, "answer": options.answer}
        lines = Lines(options.outbound, options.named, self._pace, now=options.now, **limits)
        with lines:
            while not self.stopped.is_set():
                with self._lock:
                    if not self._slots:
                        return
                    lane = self._slots.popleft()
                while not self.stopped.is_set() and (waiting := lane.next()):
                    self._answer(lane, *waiting, lines)

    def _answer(self, lane: _Lane, question: Question, tries: int, lines: Lines) -> None:
        try:
            verdict = self._verdict(lane, question, lines)
        except UnaskedError as error:
            verdict = Verdict("unknown", f"{lane.host}: {error}" if str(error) != OVER else OVER)
        except LaterError as error:
            lane.heard(silent=error.silent, why=str(error))
            lane.pause(error.seconds)
            if tries + 1 < TRIES and not lane.given_up:
                lane.add(question, tries + 1)
                return
            verdict = Verdict("unknown", lane.given_up or f"{lane.host}: {error}, {tries + 1} times")
        except OakumError as error:
            verdict = Verdict("unknown", str(error))
        except Exception as error:  # noqa: BLE001  an answer that no check expects must not end the others
            verdict = Verdict("unknown", f"an error in oakum ({type(error).__name__}); please report it")
        self._given.put((question.place, verdict))

    def _verdict(self, lane: _Lane, question: Question, lines: Lines) -> Verdict:
        if lane.given_up:
            return Verdict("unknown", lane.given_up)
        if self.stopped.wait(min(lane.pausing(), max(0.0, self._until - time.monotonic()))):
            raise UnaskedError(OVER)
        check = question.credential.detector.verify
        assert check is not None
        line = Line(lines, question.credential, question.destinations)
        self._require_refusal(lane, question, line)
        user = question.scheme.user(question.credential)
        if user and not lane.take_user(user, question.place):
            raise UnaskedError("another password of that user was tried there, and one try is all, to lock nobody out")
        verdict = question.scheme.ask(question.credential, check, line)
        lane.heard(silent=False)
        if verdict.state == "live" and question.scheme.PROBE == "each":
            if self._takes_made_up(question, line):
                self._trial(question).why = TAKES_ANYTHING.format(lane.host)
            if self._trial(question).why:
                raise UnaskedError(self._trial(question).why)
        return replace(verdict, asked=str(question.destinations[0]))

    def _trial(self, question: Question) -> _Trial:
        port = question.destinations[0].port
        name = str(port) if question.scheme.PROBE == "host" else question.credential.detector.id
        with self._lock:
            return self._trials.setdefault((name, question.lane), _Trial())

    def _require_refusal(self, lane: _Lane, question: Question, line: Line) -> None:
        """Nothing real goes to a host before it refused something made up."""
        if question.scheme.PROBE == "never":
            return
        trial = self._trial(question)
        with trial.lock:
            if not trial.done:
                if self._takes_made_up(question, line):
                    trial.why = TAKES_ANYTHING.format(lane.host)
                trial.done = True
        if trial.why:
            raise UnaskedError(trial.why)

    def _takes_made_up(self, question: Question, line: Line) -> bool:
        credential = question.credential
        made_up: Credential = question.scheme.made_up(credential, self._look_alike(credential.detector))
        check = credential.detector.verify
        assert check is not None
        try:
            return question.scheme.ask(made_up, check, line).state == "live"
        except UnaskedError:
            return False  # it is not taken, at least
