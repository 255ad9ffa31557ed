"""Repositories of an organization or a user on Gitea or Forgejo, whose APIs are alike in this.

Sources: https://docs.gitea.com/development/api-usage and https://forgejo.org/docs/latest/user/api-usage/ (tokens,
pages by `Link`), and the API that each server describes at /api/swagger (`GET /orgs/{org}/repos`).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...logins import Login
from ...model import Readers
from ...swept import Remote, Target, Unlisted
from .access import Access, UnlistedError
from .entries import Entry, clone_url
from .paging import Api, Dialect, Page, basic
from .targets import api_of


def _token(login: Login) -> str:
    """A token out of the environment, or a name and password of a credential helper."""
    return f"token {login.password}" if login.user == "oauth2" else basic(login)


DIALECT = Dialect("gitea", _token, "GITEA_TOKEN or FORGEJO_TOKEN", {"Accept": "application/json"})
_PAGES = "limit=50&page=1"
"""50 is the most that a server gives as it comes (MAX_RESPONSE_ITEMS)."""


def repositories(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """All that the token may see: of an organization, else of a user."""
    base = api_of(target, "")
    with Api(base, DIALECT, access) as api:
        first = api.get(api.url("api", "v1", "orgs", target.owner, "repos", query=_PAGES), bearing=(404,))
        if first.status == 404:
            first = api.get(api.url("api", "v1", "users", target.owner, "repos", query=_PAGES), bearing=(404,))
        if first.status == 404:
            raise api.without("there is no organization and no user of that name")
        for page in api.pages(first):
            yield from _read(page, target, base)


def _read(page: Page, target: Target, base: str) -> Iterator[Remote | Unlisted]:
    for told in page.entries:
        entry = Entry(told)
        try:
            name = entry.name("full_name")
            yield Remote(
                id=f"{target.at}:{entry.key('id') or name}",
                name=name,
                url=clone_url(entry.text("clone_url"), base),
                target=target.text,
                default_branch=entry.branch("default_branch"),
                readers=_readers(entry),
                archived=entry.flag("archived"),
                fork=entry.flag("fork"),
                empty=entry.flag("empty"),
                pushed=entry.time("updated_at"),
                size=entry.number("size") << 10,
                team=name.partition("/")[0],
            )
        except UnlistedError as error:
            yield Unlisted(target.text, entry.shown("full_name", "id") + str(error))


def _readers(entry: Entry) -> Readers:
    if entry.flag("private"):
        return "private"
    if entry.flag("internal"):
        return "internal"
    return "public" if entry.has("private") else "unknown"
