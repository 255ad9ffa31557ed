"""What git calls: `oakum push` and the other hooks. They end with 0 (git goes on) or 1 (it does not), whatever happens.

This module does without click, which takes as long to import as half of all else.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..config import Config, load
from ..errors import ConfigError, GitError, OakumError, OutOfTime, UntoldError
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
    from ..report.blocked import Way

MOST_GIVEN = 64 << 20
"""Bytes that are read of standard input: half a million refs."""
TO_EXPLAIN = 0.35
"""How much of the budget may be used beyond it to say how to go on."""
_NO_REASONS = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "y", "n"})
_SAID = {"pre-push": "push", "pre-commit": "commit", "pre-receive": "push"}


@dataclass(slots=True)
class _Call:
    """One call of git's: what is known of it, as far as it is known yet."""

    stage: str
    remote: str = ""
    url: str = ""
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: bytes = field(default_factory=lambda: _folder())
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    config: Config = field(default_factory=lambda: load(""))
    configured: bool = False
    started: float = field(default_factory=time.monotonic)
    told: Told = field(default_factory=Told)
    problems: list[str] = field(default_factory=list)
    secrets: int = 0
    """How many were found that stop git."""

    @property
    def server(self) -> bool:
        """Whether others push to us: then nothing that they send is obeyed."""
        return self.stage == "pre-receive"

    @property
    def budget(self) -> Budget:
        """The time that all of it may take."""
        return Budget(self.config.push.budget, since=self.started)


def answer(stage: str, remote: str = "", url: str = "") -> int:
    """Run a hook: 0 lets git go on, 1 does not. No exception comes out of it."""
    call = _Call(stage, remote, url)
    try:
        return _answered(call)
    finally:
        git.end_all()


def _answered(call: _Call) -> int:
    try:
        return _answer(call)
    except OutOfTime:
        return _failed(call, f"the time for it ({call.budget.seconds:g} s) was up: nothing was searched")
    except KeyboardInterrupt:
        _say(["stopped by Ctrl-C"])
        return 1
    except Exception as e:
        if call.environment.get("OAKUM_DEBUG"):
            raise
        if isinstance(e, UntoldError):
            call.secrets = e.count
        return _failed(call, _told_of(e))


def _failed(call: _Call, problem: str) -> int:
    """Whatever goes wrong: what was found stops git, and of what was not searched the policy says whether it does."""
    if not call.configured:
        _configure(call, b"" if call.server else call.folder)
    if call.secrets:
        problem = f"{_counted(call.secrets, 'secret')} found, which cannot be shown here ({problem}); see `oakum scan`"
    return _incomplete(call, [problem])


def _answer(call: _Call) -> int:
    if _skipped(call):
        return 0
    call.told = _given(call)
    alone = "" if call.told.updates else _alone(call)
    if call.stage != "pre-commit" and not (call.told.updates or call.told.garbage or call.problems or alone):
        return 0  # nothing is pushed
    if not call.folder:
        return _failed(call, "the current folder is not there any more: nothing was searched")
    with call.budget.bounded():
        repository = git.open_in_hook(
            call.folder, call.environment, id_length=call.told.id_length, grafts=call.stage == "pre-push"
        )
        if repository is None:
            return _failed(call, f"{clean(call.folder)} lies in no git repository: nothing was searched")
        if alone:
            call.told = protocol.alone(head_of(repository, alone), alone)
        call.told = call.told.fit(repository.id_length)
    _configure(call, b"" if call.server else repository.work_tree)
    outcome = _search(call, repository)
    if outcome.found and outcome.found.result.findings:
        call.secrets = len(outcome.found.result.findings)
        _show(call, repository, outcome)
    else:
        _say(_summary(call, outcome))
    return _incomplete(call, outcome.problems)


def _in_the_framework(call: _Call) -> bool:
    """Whether it is the pre-commit framework that calls, before a push."""
    return call.stage == "pre-push" and "PRE_COMMIT_REMOTE_NAME" in call.environment


def _alone(call: _Call) -> str:
    """The name of what is pushed, where ids are told by nobody: on a terminal, by hand, what is checked out."""
    if _in_the_framework(call):
        return call.environment.get("PRE_COMMIT_LOCAL_BRANCH", "HEAD")
    return "HEAD" if call.stage == "pre-push" and sys.stdin and sys.stdin.isatty() else ""


def _given(call: _Call) -> Told:
    """What git tells on standard input, or what the pre-commit framework tells in its environment."""
    if call.stage == "pre-commit":
        return Told()
    if sys.stdin is None:
        call.problems.append("standard input is closed, on which git tells what it does: nothing was searched")
        return Told()
    given = b"" if sys.stdin.isatty() else sys.stdin.buffer.read(MOST_GIVEN + 1)
    told = protocol.pre_receive(given) if call.server else protocol.pre_push(given)
    if len(given) > MOST_GIVEN:
        why = f"more than {MOST_GIVEN >> 20} MiB on standard input: the rest of the refs was not looked at"
        return Told(told.updates, (*told.garbage, why))
    if not (told.updates or told.garbage) and _in_the_framework(call):
        call.remote = call.remote or call.environment["PRE_COMMIT_REMOTE_NAME"]
        call.url = call.url or call.environment.get("PRE_COMMIT_REMOTE_URL", "")
        return protocol.of_the_framework(call.environment)
    return told


def _configure(call: _Call, root: bytes) -> None:
    """The configuration in force; where one file is damaged, that is told, and the other one alone is gone by."""
    call.configured = True
    for user, chosen in ((config_folder(), root), (config_folder(), b""), ("", root)):
        try:
            call.config = load(user, chosen)
            return
        except (ConfigError, OSError, ValueError, RecursionError) as e:
            why = (isinstance(e, OSError) and e.strerror) or e
            call.problems.append(f"the configuration is not obeyed: {why}")


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
    budget = call.budget
    if call.stage == "pre-commit":
        return run.pre_commit(repository, options, budget)
    if call.server:
        return run.pre_receive(repository, call.told, options, budget)
    return run.pre_push(repository, call.told, call.remote or "origin", call.url, options, budget)


def _incomplete(call: _Call, problems: Iterable[str]) -> int:
    """Tell what was not searched, or not obeyed. What was found stops git, or else the policy says whether it may go
    on."""
    told = list(dict.fromkeys([*call.problems, *problems]))
    _say(f"WARNING: {problem}" for problem in told)
    if call.secrets or not told:
        return int(bool(call.secrets))
    policy, what = _policy(call), _SAID[call.stage]
    _say([f"the {what} {'is stopped' if policy == 'block' else 'goes on'} (on-incomplete = {policy})"])
    return int(policy == "block")


def _policy(call: _Call) -> str:
    """What is done where not all was searched. A server lets nothing pass, unless its own configuration says so: who
    pushes could see to it that there is no time."""
    if not call.server:
        return call.config.push.on_incomplete
    from ..config.reading import DEFAULT, in_force

    try:
        said = {one.name: one for one in in_force(config_folder())}["push.on-incomplete"]
    except (ConfigError, OSError, ValueError, RecursionError):
        return "block"
    return "block" if said.source == DEFAULT else call.config.push.on_incomplete


def _summary(call: _Call, outcome: Outcome) -> list[str]:
    """What a hook says that stops nothing."""
    found = outcome.found
    if found is None or found.left < 0 or found.left == found.count > 0:
        return []
    coverage, result = found.result.coverage, found.result
    some = f"{found.count - found.left:,} of " if found.left else ""
    what = _counted(len(found.commits), "new commit") if call.stage != "pre-commit" else "what is staged"
    lines = [f"nothing found in {what} ({some}{_counted(found.count, 'object')}, {coverage.seconds:.2f} s)"]
    if found.known:
        where = {"pre-push": f"at {_shown(call)}", "pre-commit": "in HEAD", "pre-receive": "here"}[call.stage]
        them = f"{_counted(found.known, 'secret')} of this {_SAID[call.stage]}"
        lines.append(
            f"{them} {'is' if found.known == 1 else 'are'} {where} already, so that it is not stopped for that"
        )
    if result.below_band:
        lines.append(
            f"{_counted(result.below_band, 'finding')} below {call.config.push.min_band}: `oakum scan` shows all"
        )
    accepted = sum(count for reason, count in result.suppressed if reason.startswith(("accepted", "marker")))
    if accepted:
        lines.append(f"{_counted(accepted, 'finding')} accepted by configuration or markers")
    if large := sum(entry.count for entry in result.not_scanned if entry.policy):
        lines.append(f"{_counted(large, 'object')} larger than max-size NOT searched ({call.config.max_size:,} bytes)")
    if found.unsure:
        lines.append("there was no time to tell where all of it comes from")
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
    from ..hook.standing import Standing

    assert outcome.found is not None
    findings, prefix = outcome.found.result.findings, call.environment.get("GIT_PREFIX", "")
    if call.stage == "pre-commit":
        return remedy.of_commit(findings, prefix)
    if call.server:
        return remedy.of_received(findings)
    standing = Standing()
    try:
        with call.budget.bounded(call.budget.seconds * TO_EXPLAIN):
            paths = remedy.paths_of(findings)
            guilty = remedy.commits_of(findings)
            standing = Standing.of(repository, call.told, outcome.found.commits, paths, prefix, guilty)
    except (OutOfTime, GitError):
        pass  # what has to be done is told without the very commands
    return remedy.of_push(findings, call.told, standing)


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
    if separator:
        rest = re.split("[?#]", rest.rpartition("@")[2])[0]
    return clean(f"{scheme}{separator}{rest}") or "the remote"


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _told_of(error: Exception) -> str:
    """An error in a line, without what it could hold of what was searched."""
    if isinstance(error, UntoldError):
        return str(error)
    if isinstance(error, OakumError):
        return f"nothing was searched: {error}"
    if isinstance(error, MemoryError):
        return "there was not enough memory to search it"
    if isinstance(error, OSError):
        name = f" ({clean(os.fsencode(error.filename))})" if isinstance(error.filename, str | bytes) else ""
        return f"it could not be searched: {error.strerror or type(error).__name__}{name}"
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
    return f"it could not be searched because of an error in oakum itself ({place}): please report it"


def _folder() -> bytes:
    """Where git has called us; empty where that is not there any more."""
    try:
        return os.getcwdb()
    except OSError:
        return b""


def _say(lines: Iterable[str]) -> None:
    _write("".join(f"oakum: {line}\n" for line in lines))


def _write(text: str) -> None:
    """On standard error, which git shows; nobody may be there to read it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        return
