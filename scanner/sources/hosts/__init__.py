"""Which repositories an organization has, by the API of its host; a folder of clones; a file of URLs.

One module for each host (`github.py` …) says what is asked for, and how an entry becomes a repository; `paging.py`
asks. Answers are bounded, asked for in pages, and asked for again with what the host said of them (ETag), so that what
did not change costs nothing of the rate limit. A host that lies about its pages (an endless list, pages that lead to
another host, the same page again) is found out, and said to be `Unlisted`; so is each entry that cannot be taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...swept import Remote, Target, Unlisted
from . import azure_devops, bitbucket, gitea, github, gitlab, local
from .access import Access, Pages, UnlistedError
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


MOST_REPOSITORIES = 100_000
"""Repositories of a target."""
MOST_ENTRIES = 300_000
"""All that is read for a target: some of it may be told twice, or cannot be taken."""
MOST_REASONS = 1_000
"""Entries of a target that are named when they cannot be taken."""


def listed(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """The repositories of a target, each once, as its host lists them; what could not be listed, and why."""
    known: set[str] = set()
    refused = 0
    try:
        for number, one in enumerate(_HOSTS[target.kind](target, access), 1):
            if isinstance(one, Unlisted):
                refused += 1
                if refused <= MOST_REASONS:
                    yield one
            elif one.id not in known:
                if len(known) == MOST_REPOSITORIES:
                    raise UnlistedError(f"it has more than {MOST_REPOSITORIES:,} repositories: the others are left out")
                known.add(one.id)
                yield one
            if number == MOST_ENTRIES:
                raise UnlistedError(f"it lists more than {MOST_ENTRIES:,} entries: it is not believed")
    except UnlistedError as error:
        yield Unlisted(target.text, str(error))
    if refused > MOST_REASONS:
        yield Unlisted(target.text, f"{refused - MOST_REASONS:,} more entries cannot be taken, for reasons like these")
