"""What a repository says of itself, for the head of the report: branch, refs, remotes. Nothing here decides coverage.

GitPython reads these from files; the calls used here start no git. It cannot read everything (commits of SHA-256
repositories, damaged configuration): then there is simply less to show.
"""

from __future__ import annotations

import configparser
import os
import re

from ..errors import GitError
from .locate import locate

_READ = (b"config", b"HEAD", b"packed-refs")
MOST = 8 << 20
"""Bytes of a file of git's own that are worth reading for a heading."""


def describe(path: str) -> list[str]:
    """Lines about the repository at `path`: no secrets, but its own words; they must be made safe to print."""
    if not all(os.path.isabs(folder) for folder in os.get_exec_path()):
        return []  # GitPython runs the git that PATH finds first, if only to ask its version
    try:
        import git
    except ImportError:  # GitPython refuses to be imported where there is no git
        return []

    class Repository(git.Repo):
        """Reads the repository's own configuration and nothing that it includes."""

        def _config_reader(self, config_level: object = None, git_dir: object = None) -> git.GitConfigParser:
            file = self._get_config_path("repository", git_dir)  # type: ignore[arg-type]
            return git.GitConfigParser([file], read_only=True, merge_includes=False)

    try:
        found = locate(os.fsencode(path))  # refuses what would never end
        if found is None or not all(_is_small(os.path.join(d, n)) for d in found[:2] for n in _READ):
            return []
        with Repository(os.path.abspath(path), search_parent_directories=False, expand_vars=False) as repository:
            head = "detached HEAD" if repository.head.is_detached else f"on {repository.active_branch.name}"
            branches, tags = len(repository.branches), len(repository.tags)
            urls = [(remote.name, str(remote.config_reader.get("url"))) for remote in repository.remotes]
    except (GitError, git.exc.GitError, configparser.Error, ValueError, OSError, TypeError):
        return []
    lines = [f"{head}, {_count(branches, 'branch', 'branches')}, {_count(tags, 'tag', 'tags')}"]
    return lines + [f"remote {name}  {without_credentials(url)}" for name, url in urls]


def _is_small(path: bytes) -> bool:
    return not os.path.exists(path) or os.path.getsize(path) <= MOST


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


_PLAIN = re.compile(
    r"(?P<scheme>https?|ssh|git|ftps?|file|git\+ssh|ssh\+git)://(?P<user>[^/?#\\\s]*@)?"
    r"(?P<rest>(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::[0-9]{1,5})?(?:/[^@?#\\\s]*)?)(?:[?#][^@]*)?"
)
_SECURE_SHELL = re.compile(r"git@[A-Za-z0-9._-]+:[^@:?#\\\s]*")
_ON_DISK = re.compile(r"\.{0,2}/[^@:?#\\]*")
NOT_SHOWN = "[not shown]"


def without_credentials(url: str) -> str:
    """Scheme, host and path of a URL; `git@host:path` and paths as they are; of what is none of that, nothing.

    An `@` where none should be says that a part of a password would be taken for something else.
    """
    if _SECURE_SHELL.fullmatch(url) or _ON_DISK.fullmatch(url):
        return url
    plain = _PLAIN.fullmatch(url)
    if plain is None:
        return NOT_SHOWN
    return f"{plain['scheme']}://{'[masked]@' if plain['user'] else ''}{plain['rest']}"
