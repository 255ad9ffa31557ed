"""A sweep from its targets to its news.

Whatever goes wrong with one repository is an outcome like others, and the sweep goes on. What ends it is a store that
cannot be written, a scheduler that is gone, or somebody who stops it: what was committed until then stays, and the next
sweep of the same targets takes up what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from urllib.parse import urlsplit

from ..errors import OakumError
from ..pipeline.workers import where_raised
from ..sources.clones import CloneError, Reach, advertised
from ..sources.hosts import Access, Selection
from ..store import RefusedError, Store, StoreError
from ..swept import Known, News, Outcome, Remote, Suppressed, Target
from . import Executor, Settings, Task
from .listing import list_all
from .program import stamp
from .progress import Watch, weight
from .threads import each

THREADS = 12
"""Repositories that are asked at a time whether they changed: what takes time there is the way to the host."""
READERS = 2
"""Those that lie on this machine: what takes time there is Python, in which threads are in each other's way."""
AT_ONCE = 256
"""Repositories of which nothing is to be told but that they are as they were, for one transaction."""
WIDE = 64 << 20
"""Bytes from which on several processes search a repository."""
STRIKES = 2 * THREADS
"""Repositories of a host, one after another, that cannot be reached for a reason that may pass (time-outs, 5xx, 429):
then the others of it are not tried, as a host that is down would hold up the night with the time-outs of each."""
DOWN = "not tried: {} other repositories of its host in a row could not be reached, the last one as {}"
UNANSWERED = "no worker told what became of it; please report it"


def _nothing(_what: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep is told. `accepted` is what the user's own configuration accepts; `hooks` are the names of those
    that are told the news from `min_band` upwards, and `deliver` sends them; `who` holds the lock; `clock` tells the
    time. How a target's host and its repositories are reached goes by its text: a token is for one of them."""

    targets: tuple[Target, ...]
    settings: Settings
    access: Callable[[str], Access]
    reach: Callable[[str], Reach]
    clock: Callable[[], datetime]
    selection: Selection = field(default_factory=Selection)
    accepted: tuple[Suppressed, ...] = ()
    hooks: tuple[str, ...] = ()
    min_band: str = "low"
    who: str = ""
    deliver: Callable[[Store], None] = _nothing
    tell: Callable[[News], None] = _nothing
    """Tells the news to who started the sweep, before any message goes out: that takes time, and may be stopped."""


def sweep(store: Store, executor: Executor, plan: Plan, watch: Watch) -> News:
    """Look at all repositories of the targets, and say what is new since the last sweep that ended.

    StoreError where the store fails, or somebody else sweeps into it.
    """
    with store.locked(plan.who):
        number = store.begin([target.text for target in plan.targets], plan.clock())
        watch.begun(number, plan.targets)
        listing = list_all(plan.targets, plan.access, plan.selection, watch)
        store.list(number, listing.remotes, listing.unlisted, plan.clock())
        writer = _Writer(store, number, plan.clock, watch)
        hosts = _Hosts(plan.reach)
        tasks = _tasks(listing.chosen, store, plan, writer, watch, hosts)
        watch.planned(tasks)
        if tasks:
            _search(tasks, executor, writer, hosts)
        news = store.finish(number, plan.accepted, plan.hooks, plan.min_band, plan.clock())
        watch.ended(news)
        plan.tell(news)
        try:
            plan.deliver(store)
        except KeyboardInterrupt:
            watch.note("stopped while messages were sent: `oakum sweep status` says which may not have arrived")
        except StoreError as error:
            watch.note(f"messages were not sent: {error}")
    return news


class _Writer:
    """Commits outcomes: each at once, but for those that bring nothing, many at a time."""

    def __init__(self, store: Store, sweep: int, clock: Callable[[], datetime], watch: Watch) -> None:
        self._store, self._sweep, self._clock, self._watch = store, sweep, clock, watch
        self._waiting: list[Outcome] = []

    def take(self, outcome: Outcome) -> None:
        """Commit an outcome, or have it wait for others like it."""
        self._waiting.append(outcome)
        if outcome.ending != "unchanged" or len(self._waiting) >= AT_ONCE:
            self.commit()

    def commit(self) -> None:
        """Commit what waits."""
        taken, self._waiting = self._waiting, []
        if taken:
            try:
                self._store.commit(self._sweep, taken, self._clock())
            except RefusedError as error:
                taken = [_refused(outcome, error) for outcome in taken]
                self._store.commit(self._sweep, taken, self._clock())
        for outcome in taken:
            self._watch.done(outcome)


def _refused(outcome: Outcome, error: RefusedError) -> Outcome:
    """What a worker gave was nothing to be stored; what waited with it was."""
    return Outcome(outcome.remote, "failed", why=str(error)) if outcome.ending == "searched" else outcome


def _tasks(
    chosen: Iterable[Remote], store: Store, plan: Plan, writer: _Writer, watch: Watch, hosts: _Hosts
) -> list[Task]:
    """What is to be fetched and searched, biggest first, so that nothing big begins when all else is done. What is as
    it was, and what cannot be reached, is committed."""
    chosen, known = list(chosen), store.known()
    watch.checking(len(chosen))
    tasks: list[Task] = []
    here = [remote for remote in chosen if remote.url.startswith("file:")]
    away = [remote for remote in chosen if not remote.url.startswith("file:")]

    def looked(remote: Remote) -> str:
        searched = known.get(remote.id, Known()).refs
        return hosts.advertised(remote) if searched else ""  # whoever searches it now sees for himself

    asked = chain(each(hosts.advertised, away, threads=THREADS), each(looked, here, threads=READERS))
    for remote, refs in asked:
        watch.checked()
        if isinstance(refs, Exception):
            writer.take(Outcome(remote, "failed", why=_why(refs)))
            continue
        before = known.get(remote.id, Known())
        if _is_known(stamp(refs, remote), before, plan.settings):
            writer.take(_unchanged(remote, before))
        else:
            task = Task(remote, refs, before)
            tasks.append(replace(task, wide=weight(task) > WIDE))
    writer.commit()
    return sorted(tasks, key=lambda task: (-weight(task), task.remote.id))


class _Hosts:
    """Asks hosts for refs, and has their repositories fetched, as long as they answer."""

    def __init__(self, reach: Callable[[str], Reach]) -> None:
        self._reach = reach
        self._strikes: Counter[str] = Counter()
        self._why: dict[str, str] = {}
        self._let_in: set[str] = set()

    def advertised(self, remote: Remote) -> str:
        """The digest of its refs. CloneError."""
        if why := self.why_not(remote):
            raise CloneError(why, passing=True)
        try:
            refs = advertised(remote, self._reach(remote.target))
        except CloneError as error:
            # A login that was taken before has ended, or was taken away: the host would hear it a thousand times.
            ended = error.login and urlsplit(remote.url).netloc in self._let_in
            self.answered(remote, str(error) if error.passing or ended else "")
            raise
        self._let_in.add(urlsplit(remote.url).netloc)
        self.answered(remote)
        return refs

    def answered(self, remote: Remote, why: str = "") -> None:
        """That the host of a repository answered; or why it did not."""
        host = urlsplit(remote.url).netloc
        self._strikes[host] = self._strikes[host] + 1 if why else 0
        self._why[host] = why

    def why_not(self, remote: Remote) -> str:
        """Why a repository is not tried; empty where it is."""
        host = urlsplit(remote.url).netloc
        down = host and self._strikes[host] >= STRIKES
        return DOWN.format(self._strikes[host], self._why[host]) if down else ""


def _is_known(refs: str, before: Known, settings: Settings) -> bool:
    """Whether a search would give what the last one gave. Where providers are asked, they are asked again about what is
    open, to see what was revoked."""
    if settings.verify and before.open:
        return False
    return refs != "" and (refs, settings.program) == (before.refs, before.program)


def _unchanged(remote: Remote, before: Known) -> Outcome:
    return Outcome(remote, "unchanged", before.refs, before.program, worker=before.worker, bytes=before.bytes)


def _search(tasks: list[Task], executor: Executor, writer: _Writer, hosts: _Hosts) -> None:
    """Have tasks worked on; of each there is one outcome, whatever the executor gives. Those of hosts that are down are
    not begun; those that others were in the way of are begun once more when these are done."""
    left = {task.remote.id: task for task in tasks}
    again: list[Task] = []
    for given in (tasks, again):
        if not given:
            break
        outcomes = executor.run(task for task in given if not hosts.why_not(task.remote))
        try:
            for outcome in outcomes:
                task = left.get(outcome.remote.id)
                if task is None:
                    continue
                hosts.answered(task.remote, outcome.why if outcome.passing else "")
                if outcome.again and given is tasks:
                    again.append(replace(task, wide=True))  # one at a time, or they would be in each other's way
                    continue
                del left[task.remote.id]
                writer.take(replace(outcome, refs=stamp(outcome.refs, task.remote)))
        finally:
            if isinstance(outcomes, Generator):
                outcomes.close()  # ends its workers now, and not when somebody lets go of the exception's traceback
    for task in left.values():
        writer.take(Outcome(task.remote, "failed", why=hosts.why_not(task.remote) or UNANSWERED))
    writer.commit()


def _why(error: Exception) -> str:
    if isinstance(error, OakumError):
        return str(error)
    return f"an error in oakum ({where_raised(error)}); please report it"
