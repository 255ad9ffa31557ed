"""Findings with the verdicts of their providers, where these are to be asked (`verify/`)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..model import Detector, RankedFinding, Verdict, clean

if TYPE_CHECKING:
    from ..verify import VerifyOptions

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """Findings with verdicts, in their order; how many were asked about, by what came of it; whether Ctrl-C ended it.

    What was not asked any more then is `unknown`, and all of it where nobody could be told where secrets would go."""

    findings: list[RankedFinding]
    asked: tuple[tuple[str, int], ...] = ()
    interrupted: bool = False


STOPPED = Verdict("unknown", "stopped before it was asked")
UNSAID = Verdict("unknown", "it could not be said where secrets would go (standard error is closed): nothing was sent")


def verified(found: Sequence[RankedFinding], options: VerifyOptions, progress: Progress) -> Verified:
    """Ask about findings that nobody accepted, and rank what the answers change."""
    from ..catalog import look_alike
    from ..verify import Plan, bounded, plan  # they bring what opens connections
    from ..verify.asking import ask_all
    from ..verify.memory import Memory

    until = time.monotonic() + options.seconds
    planned, interrupted, silent = Plan((), {}), False, False
    memory = Memory(options.cache, options.now)
    verdicts: dict[int, Verdict] = {}
    try:
        planned = plan(found, options)
        known = {} if options.fresh else {q.place: v for q in planned.questions if (v := memory.recall(q)) is not None}
        left = bounded(replace(planned, questions=tuple(q for q in planned.questions if q.place not in known)))
        verdicts = known | dict(left.unasked)
        by_place = {question.place: question for question in left.questions}
        try:
            options.announce(left)
        except OSError:
            silent, left = True, replace(left, questions=())
        options = replace(options, seconds=until - time.monotonic())
        with closing(ask_all(left, options, look_alike)) as asking:
            for place, verdict in asking:
                verdicts[place] = verdict
                memory.keep(by_place[place], verdict)
                progress("verification", len(verdicts) - len(left.unasked), len(known) + len(by_place))
    except KeyboardInterrupt:
        interrupted = True
    memory.save()
    rest = UNSAID if silent else STOPPED
    counts = Counter(verdicts.get(question.place, rest).state for question in planned.questions)
    judged = [_judged(one, verdicts.get(place, rest), options) for place, one in enumerate(found)]
    return Verified(judged, tuple((state, counts[state]) for state in ("live", "dead", "unknown")), interrupted)


def require_known(options: VerifyOptions, catalog: Iterable[Detector]) -> None:
    """UsageError for the name of a provider or detector that is none: a secret would go elsewhere than was meant."""
    providers, detectors = {one.provider for one in catalog}, {one.id for one in catalog}
    for name in sorted(options.only - providers - detectors):
        raise UsageError(f"--verify-only {clean(name)}: no provider and no detector is called so: oakum detectors list")
    for name in sorted(options.named.instead.keys() - providers):
        raise UsageError(f"--verify-host {clean(name)}=HOST: no provider is called so: oakum detectors list")


def _judged(one: RankedFinding, verdict: Verdict, options: VerifyOptions) -> RankedFinding:
    from .judge import judged

    if one.finding.verdict.state != "unknown":
        return one
    return replace(judged(replace(one.finding, verdict=verdict), options.now), fingerprint=one.fingerprint)
