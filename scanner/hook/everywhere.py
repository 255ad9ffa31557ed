"""Oakum as a hook of all repositories of a user, by `core.hooksPath` in his own git configuration.

That setting hides the hooks that a repository has itself, such as git-lfs's. So the folder that oakum makes for it has
a script for every hook of githooks(5), which calls the repository's own. Left out are `push-to-checkout`, as git does
something else where there is one, and `fsmonitor-watchman`, which git runs by its path. A repository with a
`core.hooksPath` of its own (husky's, for one) keeps that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import GitError, HookError
from ..sources.git import ask_as_user
from .files import shown
from .place import HOOKS, SETTING, settings
from .plain import Folder, Report
from .script import forwarder, hook_for_all

OTHERS = (
    "applypatch-msg",
    "commit-msg",
    "p4-changelist",
    "p4-post-changelist",
    "p4-pre-submit",
    "p4-prepare-changelist",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-merge-commit",
    "pre-rebase",
    "prepare-commit-msg",
    "proc-receive",
    "reference-transaction",
    "sendemail-validate",
    "update",
)
"""The other hooks that git has. Source: githooks(5) of git 2.55."""


@dataclass(frozen=True, slots=True)
class User:
    """Whose repositories they are: his home, the folder for hooks that is oakum's own, and his environment."""

    home: str
    folder: str
    environment: Mapping[str, str]


def install(user: User, names: Sequence[str], program: str) -> list[Report]:
    """Have hooks of all repositories call the oakum at a path: in the folder that is set, or in one of our own."""
    path, origin = _set(user)
    if path and not os.path.isabs(path):
        raise HookError(
            f"{SETTING} is {shown(path)} ({shown(origin)}), a folder in each repository: oakum hook install there"
        )
    if path and not _same(path, user.folder):
        for name in names:
            Folder(path, user.environment).install(name, program)
        return state(user, names)
    own = Folder(user.folder, user.environment)
    for name in (*HOOKS, *OTHERS):
        if name in names:
            own.put(name, hook_for_all(name, program))
        elif not own.state(name):
            own.put(name, forwarder(name))
    if not path:
        _configure(user, SETTING, user.folder.replace(os.sep, "/"))
    return state(user, names)


def uninstall(user: User, names: Sequence[str]) -> list[Report]:
    """Take oakum out again, and with the last of its hooks our folder and the setting, if that still names it."""
    path, _ = _set(user)
    own = Folder(user.folder, user.environment)
    ours = bool(path) and _same(path, own.path)
    reports = [] if ours or not path else _taken_out(Folder(path, user.environment), names)
    there = [name for name in HOOKS if own.state(name)]
    if set(there) - set(names):
        for name in [name for name in there if name in names]:
            own.put(name, forwarder(name))
            reports.append(Report(name, True, (f"taken out: {shown(own.file(name))}",)))
    elif os.path.isdir(own.path):
        if ours:
            _configure(user, "--unset-all", SETTING)
        gone = _taken_out(own, (*HOOKS, *OTHERS))
        reports += [report for report in gone if report.name in there or not report.ok]
        with contextlib.suppress(OSError):  # something else is in it
            os.rmdir(own.path)
    told = {report.name for report in reports}
    return reports + [Report(name, True, ("not installed",)) for name in names if name not in told]


def _taken_out(folder: Folder, names: Sequence[str]) -> list[Report]:
    return [report for name in names if (report := folder.uninstall(name))]


def state(user: User, names: Sequence[str]) -> list[Report]:
    """Of each hook, whether git calls oakum in repositories that have no `core.hooksPath` of their own."""
    path, origin = _set(user)
    folder = Folder(path or user.folder, user.environment)
    line = f"for all your repositories that set no {SETTING} of their own ({shown(origin)})"
    reports = []
    for name in names:
        found = folder.state(name)
        if found and path:
            reports.append(replace(found, lines=(*found.lines, line)))
        else:
            reports.append(Report(name, False, ("not installed",)))
    return reports


def _set(user: User) -> tuple[str, str]:
    """`core.hooksPath` in the user's own configuration or the system's, and where that is; empty where none is set."""
    found = [s for s in settings(user.home, user.environment) if s[1] in ("global", "system")]
    return (found[-1][0], found[-1][2]) if found else ("", "")


def _same(one: str, other: str) -> bool:
    return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))


def _configure(user: User, *arguments: str) -> None:
    try:
        ask_as_user(user.home, user.environment, "config", "--global", *arguments)
    except GitError as e:
        raise HookError(f"your git configuration cannot be changed: {e}") from e
