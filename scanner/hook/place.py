"""Where git looks for the hooks of a repository, and where oakum may write: nowhere else than in the repository."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import GitError, HookError
from ..sources.git import ask_as_user
from .files import shown

SETTING = "core.hooksPath"
HOOKS = ("pre-push", "pre-commit", "pre-receive")
"""The hooks that oakum can be."""


@dataclass(frozen=True, slots=True)
class Place:
    """A repository and its hooks. Paths are absolute, with links and `..` in them; a bare one has no `work_tree`.

    `hooks` is the folder that git takes hooks from, whether or not it is there. Where `core.hooksPath` says so,
    `setting` is its value, and `scope` and `origin` tell where that is set, as `git config` shows them.
    """

    work_tree: str
    git_dir: str
    common_dir: str
    hooks: str
    setting: str = ""
    scope: str = ""
    origin: str = ""

    @property
    def top(self) -> str:
        """The folder that git runs hooks in."""
        return self.work_tree or self.git_dir

    @property
    def own_hooks(self) -> str:
        """The folder of hooks that the repository has where no setting names another."""
        return os.path.join(self.common_dir, "hooks")

    @property
    def of_the_user(self) -> bool:
        """Whether the hooks are those of all the user's repositories."""
        return self.scope in ("global", "system") and not self.holds(self.hooks)

    @property
    def usual(self) -> bool:
        """Whether git takes hooks from the repository's own folder."""
        return os.path.realpath(self.hooks) == os.path.realpath(self.own_hooks)

    @property
    def shared(self) -> bool:
        """Whether the folder of hooks belongs to the work tree, where git may track it."""
        return _within(self.hooks, self.work_tree) and not _within(self.hooks, self.git_dir, self.common_dir)

    def holds(self, path: str) -> bool:
        """Whether a path lies in the work tree or the git directory, wherever links lead."""
        return _within(path, self.work_tree, self.git_dir, self.common_dir)

    def require(self, path: str) -> None:
        """HookError when a path leads out of the repository: a cloned or unpacked one must not say where we write."""
        if self.scope and not self.setting:
            raise HookError(f"{SETTING} is empty ({shown(self.origin)}), so that git runs no hook: unset it first")
        if self.holds(path):
            return
        cause = f"{SETTING} is {shown(self.setting)} ({shown(self.origin)})" if self.setting else "a link leads there"
        raise HookError(
            f"{shown(os.path.realpath(path))} lies outside of the repository: {cause}. Nothing was written. If that "
            "folder is yours, call oakum from the hook in it (docs/hooks.md says how); if not, take that away"
        )


def find(folder: str, environment: Mapping[str, str]) -> Place:
    """The repository that a folder lies in, as the user's git sees it. HookError when there is none."""
    if not os.path.isdir(folder):
        raise HookError(f"{shown(folder)} is no folder")

    def ask(there: str, *question: str) -> str:
        answer = ask_as_user(there, environment, "rev-parse", *question) or b""
        return os.path.join(there, os.fsdecode(answer.removesuffix(b"\n")).rstrip("/"))

    try:
        bare = ask_as_user(folder, environment, "rev-parse", "--is-bare-repository") == b"true\n"
        work_tree = "" if bare else ask(folder, "--show-toplevel")
        top = work_tree or ask(folder, "--absolute-git-dir")
        git_dir, common_dir = ask(top, "--absolute-git-dir"), ask(top, "--git-common-dir")
        hooks = ask(top, "--git-path", "hooks")
    except GitError as e:
        raise HookError(f"{shown(folder)}: {e}") from e
    return Place(work_tree, git_dir, common_dir, hooks, *(settings(top, environment) or [("", "", "")])[-1])


def settings(folder: str, environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Each `core.hooksPath` in force in a folder, the last one decides: value (`~` resolved), scope and origin."""
    asked = ("config", "--null", "--show-scope", "--show-origin", "--type=path", "--get-all", SETTING)
    parts = os.fsdecode(ask_as_user(folder, environment, *asked) or b"").split("\0")[:-1]
    return [(value, scope, origin) for scope, origin, value in zip(*[iter(parts)] * 3, strict=True)]


def _within(path: str, *tops: str) -> bool:
    """Whether a path lies in one of these folders, wherever links lead."""
    real = os.path.join(os.path.realpath(path), "")
    return any(real.startswith(os.path.join(os.path.realpath(top), "")) for top in tops if top)
