"""Repositories of a workspace on Bitbucket Cloud.

Sources: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/ ("List repositories in a
workspace"), https://developer.atlassian.com/cloud/bitbucket/rest/intro/ (pages by `next`, authentication) and
https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/ (which came in place of app passwords).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...logins import Login
from ...model import clean
from ...swept import Remote, Target, Unlisted
from .access import Access, UnlistedError
from .entries import Entry, clone_url
from .paging import Api, Dialect, Page, basic, bearer
from .targets import api_of


def _authorization(login: Login) -> str:
    """An access token, or the address of a user and an API token of his."""
    return bearer(login) if login.user == "x-token-auth" else basic(login)


DIALECT = Dialect(
    "bitbucket",
    _authorization,
    "BITBUCKET_TOKEN, or BITBUCKET_EMAIL and BITBUCKET_API_TOKEN",
    next=lambda page: Entry(page.content).text("next"),
)


def repositories(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """All that the token may see of a workspace."""
    base = api_of(target, "https://api.bitbucket.org")
    with Api(base, DIALECT, access) as api:
        for page in api.pages(api.get(api.url("2.0", "repositories", target.owner, query="pagelen=100"))):
            yield from _read(page, target, base)


def _read(page: Page, target: Target, base: str) -> Iterator[Remote | Unlisted]:
    hosts = () if target.at else ("bitbucket.org",)
    for told in page.listed("values"):
        entry = Entry(told)
        try:
            name = entry.name("full_name")
            links = map(Entry, entry.list("links.clone"))
            url = next((link.text("href") for link in links if link.text("name") == "https"), "")
            yield Remote(
                id=f"{target.at or 'bitbucket.org'}:{entry.key('uuid') or name}",
                name=name,
                url=clone_url(url, base, *hosts),
                target=target.text,
                default_branch=entry.branch("mainbranch.name"),
                readers="private" if entry.flag("is_private") else "public" if entry.has("is_private") else "unknown",
                fork=entry.has("parent"),
                pushed=entry.time("updated_on"),
                size=entry.number("size"),
                team=clean(entry.text("project.name", "project.key")[:200]),
            )
        except UnlistedError as error:
            yield Unlisted(target.text, entry.shown("full_name", "uuid") + str(error))
