"""Repositories of an organization or a user on GitHub, or on a GitHub Enterprise Server.

Sources: https://docs.github.com/en/rest/repos/repos (list organization repositories, for a user, for the authenticated
user), https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model import Readers
from ...swept import Remote, Target, Unlisted
from .access import Access, UnlistedError
from .entries import Entry, clone_url
from .paging import Api, Dialect, Page, bearer
from .targets import api_of

DIALECT = Dialect(
    "github",
    bearer,
    "GITHUB_TOKEN (of another host: GH_ENTERPRISE_TOKEN)",
    {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
)
_READERS: dict[str, Readers] = {"public": "public", "private": "private", "internal": "internal"}


def repositories(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """All that the token may see: of an organization, else of a user; his private ones too, where the token is his."""
    base = api_of(target, "https://api.github.com", "/api/v3")
    with Api(base, DIALECT, access) as api:
        first = api.url("orgs", target.owner, "repos", query="type=all&per_page=100")
        given = api.get(first, missing=True)
        if given.status == 404:
            first, given = _of_user(api, target)
        for page in api.pages(first, given=given):
            yield from _read(page, target, base)


def _of_user(api: Api, target: Target) -> tuple[str, Page]:
    """The first page of a user's repositories, and its URL."""
    own = Entry(api.get(api.url("user"), missing=True).content).text("login") if api.has_login else ""
    if own.lower() == target.owner.lower():
        first = api.url("user", "repos", query="affiliation=owner&per_page=100")
        return first, api.get(first)
    first = api.url("users", target.owner, "repos", query="type=owner&per_page=100")
    given = api.get(first, missing=True)
    if given.status == 404:
        raise api.without("there is no organization and no user of that name")
    return first, given


def _read(page: Page, target: Target, base: str) -> Iterator[Remote | Unlisted]:
    hosts = () if target.at else ("github.com",)
    for told in page.list:
        entry = Entry(told)
        try:
            if entry.flag("disabled"):
                raise UnlistedError("it is disabled")
            name = entry.name("full_name")
            yield Remote(
                id=f"{target.at or 'github.com'}:{entry.key('id') or name}",
                name=name,
                url=clone_url(entry.text("clone_url"), base, *hosts),
                target=target.text,
                default_branch=entry.branch("default_branch"),
                readers=_READERS.get(entry.text("visibility"), "private" if entry.flag("private") else "unknown"),
                archived=entry.flag("archived"),
                fork=entry.flag("fork"),
                pushed=entry.time("pushed_at"),
                size=entry.number("size") << 10,
                team=name.partition("/")[0],
            )
        except UnlistedError as error:
            yield Unlisted(target.text, entry.shown("full_name", "id") + str(error))
