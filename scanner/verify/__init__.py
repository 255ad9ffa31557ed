"""Verification: asking providers, read-only, whether they still take what was found.

Nothing is sent before it is announced to which hosts, and nothing to others. A host is tried with a made-up secret
first: one that takes it is not asked with real ones. Each host has a lane of its own, so that a slow one holds up only
itself; what a host does not answer in time, or not as its provider describes, stays `unknown`, with the reason.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..errors import OakumError
from ..model import Detector, Finding, RankedFinding, Verdict, part_fact
from ..net import Outbound
from .credential import Credential, Destination, Named, UnaskedError, is_own_host
from .line import OVER
from .schemes import Leading, Scheme, scheme_of

__all__ = ["Named", "Plan", "Question", "VerifyOptions", "bounded", "plan"]

MOST_HOSTS = 200
"""Hosts that are asked in one run: more than that nobody reads before secrets go to them."""
TOO_MANY = (
    f"not asked: secrets go to {MOST_HOSTS} hosts in one run, those of most secrets (--verify-only asks about others, "
    "--verify-host in parts about hosts of your own)"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A credential, how it is asked about, and the hosts that it goes to. `place` is its finding's in the list."""

    place: int
    credential: Credential
    scheme: Scheme
    destinations: tuple[Destination, ...]
    fingerprint: str

    @property
    def is_login(self) -> bool:
        """Whether too many that fail would lock somebody out."""
        return bool(self.scheme.user(self.credential))


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked, and the verdict of what will not, by the place of the finding in the list. `unnamed` are the
    hosts that would be asked if the user named them."""

    questions: tuple[Question, ...]
    unasked: Mapping[int, Verdict]
    unnamed: tuple[str, ...] = ()

    def hosts(self) -> list[tuple[str, int]]:
        """Each host that secrets will go to, and how many."""
        counts = Counter(str(to) for question in self.questions for to in dict.fromkeys(question.destinations))
        return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _nothing(_plan: Plan) -> None:
    pass


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How to ask. `only` are the providers or detectors that are asked about (none: all); `seconds` is the time for all
    of it, `answer` that for one answer, `pause` the first wait before something is asked again; `announce` is told the
    plan before anything is sent. Verdicts of the last hours are taken from the folder `cache`, and kept there, without
    values; `fresh` asks again all the same. `since` is what `time.monotonic` was at `now`."""

    now: datetime
    outbound: Outbound = field(default_factory=Outbound)
    named: Named = field(default_factory=Named)
    only: frozenset[str] = frozenset()
    seconds: float = 600
    answer: float = 15
    pause: float = 1
    announce: Callable[[Plan], None] = _nothing
    cache: str = ""
    fresh: bool = False
    since: float = field(default_factory=time.monotonic)


def plan(found: Sequence[RankedFinding], options: VerifyOptions) -> Plan:
    """Who will be asked what. Nothing is sent yet; what hosts lead to others is looked up, within the time for all."""
    questions: list[Question] = []
    unasked: dict[int, Verdict] = {}
    unnamed: set[str] = set()
    parts, behind = _Parts(found), _Behind(time.monotonic() + options.seconds)
    for place, one in enumerate(found):
        try:
            questions.append(_question(place, one, options, parts, behind))
        except UnaskedError as error:
            unasked[place] = Verdict("unknown", str(error))
            if isinstance(error, _UnnamedError):
                unnamed.add(error.host)
        except OakumError as error:
            unasked[place] = Verdict("unknown", str(error))
        except Exception as error:  # noqa: BLE001  one that no scheme expects must not lose the others
            unasked[place] = Verdict("unknown", f"an error in oakum ({type(error).__name__}); please report it")
    return Plan(tuple(questions), unasked, tuple(sorted(unnamed)))


def bounded(made: Plan) -> Plan:
    """The same with no more hosts than people read: of those to which most secrets go."""
    counts = Counter(question.destinations for question in made.questions)
    hosts: set[str] = set()
    kept: set[tuple[Destination, ...]] = set()
    for destinations, _ in sorted(counts.items(), key=lambda one: (-one[1], tuple(map(str, one[0])))):
        more = hosts.union(map(str, destinations))
        if len(more) <= MOST_HOSTS:
            hosts = more
            kept.add(destinations)
    left_out = {question.place for question in made.questions if question.destinations not in kept}
    return replace(
        made,
        questions=tuple(question for question in made.questions if question.place not in left_out),
        unasked={**made.unasked, **dict.fromkeys(left_out, Verdict("unknown", TOO_MANY))},
    )


class _UnnamedError(UnaskedError):
    """A host that the user would have to name."""

    def __init__(self, host: str, why: str = "") -> None:
        super().__init__(why or f"not asked: {host} came out of the data (--verify-host {host} names it)")
        self.host = host


class _Parts:
    """The findings that share a part with others, such as the id of an access key: two of each at most, as of what has
    several none is taken."""

    def __init__(self, found: Iterable[RankedFinding]) -> None:
        self._known: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in (one.finding for one in found):
            for name, value in _parts(finding):
                known = self._known.setdefault((finding.detector.id, name, value), [])
                if len(known) < 2:
                    known.append(finding)

    def joined(self, finding: Finding) -> dict[str, Finding]:
        """Those that a finding is used with, by their detectors; none of a detector that has several."""
        wanted = finding.detector.verify.joins if finding.detector.verify else ()
        found = {name: [f for part in _parts(finding) for f in self._known.get((name, *part), ())] for name in wanted}
        return {name: findings[0] for name, findings in found.items() if len(findings) == 1}


class _Behind:
    """The hosts that others lead to, each looked up once, also where that fails; none after `until`."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._known: dict[Destination, tuple[Destination, ...] | str] = {}

    def hosts(self, scheme: Leading, to: Destination) -> tuple[Destination, ...]:
        """Those behind a host. UnaskedError where that cannot be told."""
        known = self._known.get(to)
        if known is None:
            if time.monotonic() >= self._until:
                raise UnaskedError(OVER)
            try:
                known = scheme.behind(to)
            except UnaskedError as error:
                known = str(error)
            self._known[to] = known
        if isinstance(known, str):
            raise UnaskedError(known)
        return known


def _parts(finding: Finding) -> list[tuple[str, str]]:
    """The facts that are parts of its credential."""
    facts = dict(finding.facts)
    return [(name, facts[name]) for name in map(part_fact, finding.detector.parts) if name in facts]


def _question(place: int, one: RankedFinding, options: VerifyOptions, parts: _Parts, behind: _Behind) -> Question:
    finding = one.finding
    detector = finding.detector
    if finding.verdict.state != "unknown":
        raise UnaskedError(finding.verdict.reason)
    if detector.verify is None:
        raise UnaskedError("no request is known that would tell without changing anything")
    if options.only and not _is_chosen(detector, options.only):
        raise UnaskedError("not asked: --verify-only names others")
    if canary := dict(finding.facts).get("canary"):
        raise UnaskedError(f"not asked: it is a canary token ({canary}), and who laid it out would see that")
    credential, scheme = Credential.of(finding, parts.joined(finding)), scheme_of(detector.verify)
    instead = options.named.instead.get(detector.provider)
    if instead is not None:
        credential = credential.at(str(instead))
    destinations = scheme.destinations(credential, detector.verify)
    if instead is not None:
        destinations = (instead,)
    elif detector.verify.beside and (host := credential.facts.get("host", "")):
        _require_home(host, detector)
    for to in destinations if instead is None else ():
        if not to.own and not options.named.has(to):
            raise _UnnamedError(str(to))
    if instead is None and isinstance(scheme, Leading):
        destinations += behind.hosts(scheme, destinations[0])
    return Question(place, credential, scheme, destinations, one.fingerprint)


def _require_home(host: str, detector: Detector) -> None:
    """What is for somebody's own server is nothing that the provider could know."""
    assert detector.verify is not None
    if not is_own_host(host.lower().partition(":")[0], detector.verify.beside):
        own = f"{detector.provider}={host}"
        raise _UnnamedError(own, f"not asked: it stands beside {host}, a server of its own (--verify-host {own})")


def _is_chosen(detector: Detector, only: Iterable[str]) -> bool:
    return detector.provider in only or detector.id in only
