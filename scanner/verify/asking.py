"""Asking all questions of a plan: threads that take turns on the hosts' lanes, one list of verdicts."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

from ..errors import OakumError
from ..model import Detector, Verdict
from ..net.http import trust
from . import Plan, VerifyOptions
from .credential import UnaskedError
from .lanes import LONGEST_PAUSE, Lane, Turns
from .line import OVER, Clock, LaterError, Line, Lines, Pace, UnreachedError
from .places import Said, Waiting, together, trial_of, waiting_for

THREADS = 128
TRIES = 3
"""How often something is asked that gets no answer, or is to come back later."""
LOOKS = 0.5
"""Seconds between two looks whether somebody pressed Ctrl-C, which no wait for a lock hears on Windows."""
TAKES_ANYTHING = "accepts anything: a made-up secret, too"
NO_REFUSAL = "it does not refuse a made-up secret as the provider would"
UNTRIED = "; it took the secret, but whether it takes anything could not be tried"
NO_THREADS = "this machine starts no more threads: raise its limit of processes (ulimit -u)"
ONE_TRY = "that user was tried there already, and one try is all, to lock nobody out"

LookAlike = Callable[[Detector], bytes]
"""A made-up value of the form of a detector's secrets."""


def ask_all(plan: Plan, options: VerifyOptions, look_alike: LookAlike) -> Generator[tuple[int, Verdict], None, None]:
    """The verdict of each question, as it comes: (place, verdict). All of them come, and within the time that `options`
    give; ended before that, nothing more is sent. UsageError for a file of certificates that is none."""
    run = _Run(plan, options, look_alike)
    try:
        yield from run.verdicts()
    finally:
        run.stop()


class _NotYetError(Exception):
    """The host pauses since somebody else asked it."""


class _RefusedError(UnaskedError):
    """The place refused the secret, in a way that is no verdict."""


@dataclass(slots=True)
class _Trial:
    """Whether a host was tried with something made up: `lock` is held while it is."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False
    why: str = ""
    """Why it is not believed."""


class _Run:
    def __init__(self, plan: Plan, options: VerifyOptions, look_alike: LookAlike) -> None:
        self._options, self._look_alike = options, look_alike
        self._until = time.monotonic() + options.seconds
        self._stopped = threading.Event()
        self._pace = Pace(self._stopped)
        self._clock = Clock(options.now, options.since)
        self._places = _same(plan)
        instead = options.named.instead
        first = [
            waiting_for(question, instead.get(question.credential.detector.provider))
            for question in plan.questions
            if question.place in self._places
        ]
        self._turns = Turns(first, pause=options.pause, until=self._until, stopped=self._stopped)
        self._trials: dict[object, _Trial] = {}
        self._lock = threading.Lock()
        self._given: queue.SimpleQueue[tuple[int, Verdict]] = queue.SimpleQueue()

    def stop(self) -> None:
        """Send nothing more."""
        self._turns.stop()

    def verdicts(self) -> Iterator[tuple[int, Verdict]]:
        """All of them."""
        if self._places:
            trust(self._options.outbound.certificates)  # read once, not by all threads
        left, started = dict(self._places), self._start()
        while left and started and (given := self._next()):
            place, verdict = given
            for same in left.pop(place, ()):
                yield same, verdict
        self.stop()
        for places in left.values():
            for place in places:
                yield place, Verdict("unknown", OVER if started else NO_THREADS)

    def _start(self) -> int:
        """Start the threads, as many of them as this machine gives; how many these are."""
        wanted = min(THREADS, len(self._turns))  # the first threads take turns as the others are started
        for started in range(wanted):
            try:
                # As daemons: a host that keeps one waiting does not keep the program from ending.
                threading.Thread(target=self._work, daemon=True, name="oakum verify").start()
            except RuntimeError:  # a limit of processes, as containers have
                return started
        return wanted

    def _next(self) -> tuple[int, Verdict] | None:
        """The next verdict; None when the time is over."""
        while True:
            seconds = self._until - time.monotonic()
            try:
                return self._given.get(timeout=max(0.0, min(seconds, LOOKS)))
            except queue.Empty:
                if seconds <= 0:
                    return None

    def _work(self) -> None:
        """A thread: a lane until it pauses, then another."""
        while lane := self._turns.take():
            # Connections are kept as long as the thread stays with the lane, so that they are never more than threads.
            with self._lines() as lines:
                while not self._stopped.is_set() and not lane.pausing and (waiting := lane.next()):
                    self._answer(lane, waiting, lines)
            self._turns.give_back(lane)

    def _lines(self) -> Lines:
        options, until = self._options, self._until
        return Lines(options.outbound, options.named, self._pace, until=until, answer=options.answer, clock=self._clock)

    def _answer(self, lane: Lane, waiting: Waiting, lines: Lines) -> None:
        question, verdict, refused = waiting.question, waiting.verdict, False
        try:
            if verdict is None:
                verdict = self._asked(lane, waiting, lines)
            if verdict.state == "live" and question.scheme.PROBE == "each":
                self._require_refusal(lane, waiting, lines, again=True)
        except UnaskedError as error:
            refused = isinstance(error, _RefusedError)
            verdict = Verdict("unknown", f"{lane.host}: {error}" if str(error) != OVER else OVER)
            if question.is_login and not (isinstance(error, UnreachedError) or str(error) == OVER):
                verdict = replace(verdict, asked=lane.host)  # it is remembered, and not tried again soon
        except _NotYetError:
            lane.add(waiting)
            return
        except LaterError as error:
            lane.failed(error, lines.began)
            tries = waiting.place.tries + 1
            if tries < TRIES and error.seconds <= LONGEST_PAUSE and not lane.given_up:
                self._turns.put(waiting.later(verdict))
                return
            why = lane.given_up or f"{lane.host}: {_tried(error, tries)}"
            verdict = Verdict("unknown", f"{why}{UNTRIED}" if verdict else why)
        except OakumError as error:
            verdict = Verdict("unknown", str(error))
        except Exception as error:  # noqa: BLE001  an answer that no check expects must not end the others
            verdict = Verdict("unknown", f"an error in oakum ({type(error).__name__}); please report it")
        said = Said(verdict, refused)
        if verdict.state != "live" and len(waiting.places) > 1:
            self._turns.put(waiting.after(said))
            return
        self._given.put((question.place, verdict if verdict.state == "live" else together((*waiting.said, said))))
        self._turns.done()

    def _asked(self, lane: Lane, waiting: Waiting, lines: Lines) -> Verdict:
        question, place = waiting.question, waiting.place
        if lane.given_up:
            return Verdict("unknown", lane.given_up)
        self._require_refusal(lane, waiting, lines)
        user = question.scheme.user(question.credential)
        if user and not lane.take_user(user, question.place):
            raise UnaskedError(ONE_TRY)
        line = Line(lines, question.credential, place.destinations)
        try:
            verdict = question.scheme.ask(question.credential, place.check, line)
        except LaterError as error:
            if user and line.sent:  # a login by HTTP; others know themselves whether the password was sent
                raise UnaskedError(str(error)) from None
            raise
        except UnaskedError as error:
            if line.answered:
                lane.heard()
            if line.refused:
                raise _RefusedError(str(error)) from None
            raise
        lane.heard()
        return replace(verdict, asked=verdict.asked or str(place.destinations[0]))

    def _require_refusal(self, lane: Lane, waiting: Waiting, lines: Lines, *, again: bool = False) -> None:
        """Nothing real goes to a host before it refused something made up; `again` says to try it once more."""
        if waiting.question.scheme.PROBE == "never":
            return
        with self._lock:
            trial = self._trials.setdefault(trial_of(waiting), _Trial())
        if again:
            why = self._why_not_refused(waiting, lines)
            trial.why = trial.why or why
        else:
            with trial.lock:
                if not trial.done:
                    if lane.pausing or lane.given_up:
                        raise _NotYetError
                    try:
                        trial.why = self._why_not_refused(waiting, lines)
                    except LaterError as error:
                        lane.failed(error, lines.began)  # before the next one may try
                        raise
                    trial.done = True
        if trial.why:
            raise UnaskedError(trial.why)

    def _why_not_refused(self, waiting: Waiting, lines: Lines) -> str:
        """Why something made up shows that the host is not to be believed; empty where it is refused as it should be.

        UnaskedError where it cannot be sent, for what is known of this credential.
        """
        credential, scheme, place = waiting.question.credential, waiting.question.scheme, waiting.place
        made_up = scheme.made_up(credential, self._look_alike(credential.detector))
        line = Line(lines, made_up, place.destinations)
        try:
            taken = scheme.ask(made_up, place.check, line).state == "live"
        except UnreachedError as error:
            return str(error)
        except UnaskedError as error:
            if line.refused:
                return ""
            if not line.answered:
                raise
            return f"{NO_REFUSAL}: {error}"
        return TAKES_ANYTHING if taken else ""


def _same(plan: Plan) -> dict[int, list[int]]:
    """The places of what is one question, by the first of them."""
    first: dict[object, int] = {}
    places: dict[int, list[int]] = {}
    for question in plan.questions:
        credential = question.credential
        facts = tuple(sorted(credential.facts.items()))
        others = tuple(sorted(credential.others.items()))
        known = (credential.value, others, facts, credential.near)
        name = (known, credential.detector.verify, question.destinations)
        places.setdefault(first.setdefault(name, question.place), []).append(question.place)
    return places


def _tried(error: LaterError, times: int) -> str:
    if error.seconds > LONGEST_PAUSE:
        return f"{error}, in more than {LONGEST_PAUSE:g} seconds"
    return f"{error}, {times} times"
