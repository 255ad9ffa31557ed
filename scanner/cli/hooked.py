"""What git calls: `oakum push` and the other hooks. They end with 0 (git goes on) or 1 (it does not), whatever happens.

This module does without click, which takes as long to import as half of all else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..config import Config, load
from ..errors import ConfigError, OakumError
from ..hook import protocol, run
from ..hook.protocol import Told
from ..hook.run import Outcome
from ..model import clean
from ..pipeline.budget import Budget
from ..pipeline.options import ScanOptions
from ..sources import git
from ..sources.git import Repository
from ..sources.refs import head_of
from .folders import cache_folder, config_folder, state_folder
from .machine import cores

if TYPE_CHECKING:
    from ..hook.remedy import Way

MOST_GIVEN = 64 << 20
"""Bytes that are read of standard input: half a million refs."""
STAGES = ("pre-push", "pre-commit", "pre-receive")
_NO_REASONS = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "y", "n"})
_SAID = {"pre-push": "push", "pre-commit": "commit", "pre-receive": "push"}


@dataclass(slots=True)
class _Call:
    """One call of git's: what is known of it, as far as it is known yet."""

    stage: str
    remote: str = ""
    url: str = ""
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: bytes = field(default_factory=os.getcwdb)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    config: Config = field(default_factory=lambda: load(""))
    repository: Repository | None = None
    told: Told = field(default_factory=Told)
    problems: list[str] = field(default_factory=list)

    @property
    def server(self) -> bool:
        """Whether others push to us: then nothing that they send is obeyed."""
        return self.stage == "pre-receive"


def answer(stage: str, remote: str = "", url: str = "") -> int:
    """Run a hook: 0 lets git go on, 1 does not. No exception comes out of it."""
    call = None
    try:
        call = _Call(stage, remote, url)
        return _answer(call)
    except KeyboardInterrupt:
        _say(["stopped by Ctrl-C"])
        return 1
    except Exception as e:
        if os.environ.get("OAKUM_DEBUG"):
            raise
        return _incomplete(call, [_told_of(e)])


def _answer(call: _Call) -> int:
    if _skipped(call):
        return 0
    call.told = _given(call)
    by_hand = call.stage == "pre-push" and bool(sys.stdin) and sys.stdin.isatty()
    if call.stage != "pre-commit" and not (call.told.updates or call.told.garbage or by_hand):
        return 0  # nothing is pushed
    call.repository = git.open_in_hook(call.folder, call.environment, id_length=call.told.id_length)
    if call.repository is None:
        return _incomplete(call, [f"{clean(call.folder)} lies in no git repository: nothing was searched"])
    if by_hand and not call.told.updates:
        call.told = protocol.by_hand(head_of(call.repository))
    _configure(call, call.repository)
    outcome = _search(call, call.repository)
    if outcome.found and outcome.found.result.findings:
        _show(call, call.repository, outcome)
        _say(f"WARNING: {problem}" for problem in dict.fromkeys((*call.problems, *outcome.problems)))
        return 1
    _say(_summary(call, outcome))
    return _incomplete(call, outcome.problems)


def _given(call: _Call) -> Told:
    """What git tells on standard input, or what the pre-commit framework tells in its environment."""
    if call.stage == "pre-commit":
        return Told()
    framework = protocol.of_the_framework(call.environment) if call.stage == "pre-push" else None
    if framework:
        call.remote = call.remote or call.environment.get("PRE_COMMIT_REMOTE_NAME", "")
        call.url = call.url or call.environment.get("PRE_COMMIT_REMOTE_URL", "")
        return framework
    given = sys.stdin.buffer.read(MOST_GIVEN + 1) if sys.stdin and not sys.stdin.isatty() else b""
    told = protocol.pre_receive(given) if call.server else protocol.pre_push(given)
    if len(given) > MOST_GIVEN:
        why = f"more than {MOST_GIVEN >> 20} MiB on standard input: the rest of the refs was not looked at"
        return Told(told.updates, (*told.garbage, why))
    return told


def _configure(call: _Call, repository: Repository) -> None:
    """The configuration in force; where one is damaged, that is told, and the user's own, or none, is gone by."""
    root = b"" if call.server else repository.work_tree
    for chosen in (root, b""):
        try:
            call.config = load(config_folder(), chosen)
            return
        except ConfigError as e:
            call.problems.append(f"the configuration is not obeyed: {e}")


def _search(call: _Call, repository: Repository) -> Outcome:
    config = call.config
    options = ScanOptions(
        environment=call.environment,
        now=call.now,
        jobs=cores(),
        max_size=config.max_size,
        staged=call.stage == "pre-commit",
        markers=config.markers and not call.server,
        detectors=config.detectors,
        cache=cache_folder(),
        min_band=config.push.min_band,
        suppressions=config.allow,
    )
    budget = Budget(config.push.budget)
    if call.stage == "pre-commit":
        return run.pre_commit(repository, options, budget)
    if call.server:
        return run.pre_receive(repository, call.told, options, budget)
    return run.pre_push(repository, call.told, call.remote or "origin", call.url, options, budget)


def _incomplete(call: _Call | None, problems: Iterable[str]) -> int:
    """Tell what was not searched; the policy says whether git may go on."""
    told = list(dict.fromkeys([*(call.problems if call else ()), *problems]))
    if not told:
        return 0
    block = call is not None and call.config.push.on_incomplete == "block"
    what = _SAID.get(call.stage, "push") if call else "push"
    end = f"the {what} is stopped (on-incomplete = block)" if block else f"the {what} goes on (on-incomplete = warn)"
    _say([*(f"WARNING: {problem}" for problem in told), end])
    return int(block)


def _summary(call: _Call, outcome: Outcome) -> list[str]:
    """What a hook says that stops nothing."""
    found = outcome.found
    if found is None:
        return []
    coverage, result = found.result.coverage, found.result
    what = _counted(len(found.commits), "new commit") if call.stage != "pre-commit" else "what is staged"
    if found.left < 0:
        return []
    lines = [f"nothing found in {what} ({_counted(found.count, 'object')}, {coverage.seconds:.2f} s)"]
    if found.known:
        where = "already there" if call.server else f"at {_shown(call)} already"
        lines.append(f"{_counted(found.known, 'secret')} of this push {where}, so that it is not stopped for that")
    if result.below_band:
        lines.append(
            f"{_counted(result.below_band, 'finding')} below {call.config.push.min_band}: `oakum scan` shows all"
        )
    accepted = sum(count for reason, count in result.suppressed if reason.startswith(("accepted", "marker")))
    if accepted:
        lines.append(f"{_counted(accepted, 'finding')} accepted by configuration or markers")
    return [*lines, *(clean(note) for note in coverage.notes)]


def _show(call: _Call, repository: Repository, outcome: Outcome) -> None:
    """The page that says why git is stopped and how to go on."""
    from .. import __version__
    from ..report.blocked import render
    from ..report.options import ReportOptions
    from .machine import page_width

    assert outcome.found is not None
    findings = outcome.found.result.findings
    many = _counted(len(findings), "secret")
    heading = {
        "pre-push": f"oakum: the push to {_shown(call)} is stopped: it would publish {many}",
        "pre-commit": f"oakum: the commit is stopped: {many} in what is staged",
        "pre-receive": f"oakum: the push is refused: it brings {many}",
    }[call.stage]
    color = bool(sys.stderr and sys.stderr.isatty() and not call.environment.get("NO_COLOR"))
    options = ReportOptions(color=color, version=__version__, width=page_width())
    ways = _ways(call, repository, outcome)
    _write("".join(line + "\n" for line in render(heading, findings, ways, options)))
    if outcome.found.unsure:
        _say(["there was no time to see whether the remote has it already"])


def _ways(call: _Call, repository: Repository, outcome: Outcome) -> list[Way]:
    from ..hook import remedy
    from ..sources import pushed

    assert outcome.found is not None
    findings = outcome.found.result.findings
    if call.stage == "pre-commit":
        return remedy.of_commit(findings)
    if call.server:
        return remedy.of_received(findings)
    parents = pushed.parents(repository, outcome.found.commits)
    return remedy.of_push(findings, call.told, remedy.Commits(parents, head_of(repository)))


def _skipped(call: _Call) -> bool:
    """Whether the user wants no search this time; the reason is recorded on this machine."""
    reason = call.environment.get("OAKUM_SKIP", "").strip()
    if call.server or "OAKUM_SKIP" not in call.environment:
        return False
    if reason.lower() in _NO_REASONS:
        _say([f'OAKUM_SKIP wants a reason, which is recorded: OAKUM_SKIP="why" git {_SAID[call.stage]} …'])
        return False
    from ..hook.skips import record

    told = _given(call)
    problem = record(state_folder(), call.now, call.folder, _shown(call), told, reason)
    _say([f"skipped, nothing was searched: {clean(reason)}", *([problem] if problem else [])])
    return True


def _shown(call: _Call) -> str:
    """The remote by its name; a URL without the password that it may hold."""
    scheme, separator, rest = call.remote.partition("://")
    host, slash, path = rest.partition("/")
    return clean(f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}") or "the remote"


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _told_of(error: Exception) -> str:
    """An error in a line, without what it could hold of what was searched."""
    if isinstance(error, OakumError):
        return f"nothing was searched: {error}"
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
    return f"nothing was searched, because of an error in oakum itself ({place}): please report it"


def _say(lines: Iterable[str]) -> None:
    _write("".join(f"oakum: {line}\n" for line in lines))


def _write(text: str) -> None:
    """On standard error, which git shows; nobody may be there to read it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        return
