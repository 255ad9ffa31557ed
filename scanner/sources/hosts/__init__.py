"""Which repositories an organization has, by the API of its host; a folder of clones; a file of URLs.

One module for each host (`github.py` …) says what is asked for, and how an entry becomes a repository; `paging.py`
asks. Answers are bounded, asked for in pages, and asked for again with what the host said of them (ETag), so that what
did not change costs nothing of the rate limit. A host that lies about its pages (an endless list, pages that lead to
another host, the same page again) is found out, and said to be `Unlisted`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...swept import Remote, Target, Unlisted
from . import azure_devops, bitbucket, gitea, github, gitlab, local
from .access import Access, Pages, UnlistedError
from .entries import MOST_REPOSITORIES
from .selection import Selection
from .targets import read_target

__all__ = ["Access", "Pages", "Selection", "listed", "read_target"]

_HOSTS = {
    "github": github.repositories,
    "gitlab": gitlab.repositories,
    "gitea": gitea.repositories,
    "bitbucket": bitbucket.repositories,
    "azure-devops": azure_devops.repositories,
    "folder": local.folder,
    "file": local.urls,
}


def listed(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """The repositories of a target, each once, as its host lists them; what could not be listed, and why."""
    known: set[str] = set()
    try:
        for one in _HOSTS[target.kind](target, access):
            if isinstance(one, Unlisted):
                yield one
            elif one.id not in known:
                known.add(one.id)
                yield one
            if len(known) >= MOST_REPOSITORIES:
                yield Unlisted(
                    target.text, f"it has more than {MOST_REPOSITORIES:,} repositories, the most of a target"
                )
                return
    except UnlistedError as error:
        yield Unlisted(target.text, str(error))
