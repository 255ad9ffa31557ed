"""What a repository says of itself, for the head of the report: branch, refs, remotes. Nothing here decides coverage.

GitPython reads these from files; the calls used here start no git. It cannot read everything (commits of SHA-256
repositories, damaged configuration): then there is simply less to show.
"""

from __future__ import annotations

import configparser
import os
import re
from urllib.parse import urlsplit


def describe(path: str) -> list[str]:
    """Lines about the repository at `path`: no secrets, but its own words; they must be made safe to print."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    try:
        repository = git.Repo(path, search_parent_directories=False)
    except (git.exc.GitError, ValueError, OSError):
        return []
    with repository:
        try:
            head = "detached HEAD" if repository.head.is_detached else f"on {repository.active_branch.name}"
            branches = len(repository.branches)
            tags = len(repository.tags)
        except (git.exc.GitError, ValueError, OSError, TypeError):
            return []
        lines = [f"{head}, {_count(branches, 'branch', 'branches')}, {_count(tags, 'tag', 'tags')}"]
        try:
            for remote in repository.remotes:
                lines.append(f"remote {remote.name}  {without_credentials(str(remote.config_reader.get('url')))}")
        except (configparser.Error, ValueError, OSError):
            return lines
        return lines


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def without_credentials(url: str) -> str:
    """A URL (or scp-like address) with whatever stands before its `@` masked, and without its query."""
    if "://" not in url:
        return re.sub(r"^[^/@]*:[^/@]*@", "[masked]@", url)
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")
    except ValueError:
        return "[unreadable URL]"
    return parts._replace(netloc=("[masked]@" if netloc[0] else "") + netloc[2], query="", fragment="").geturl()
