"""Repositories of an organization or a user on GitHub, or on a GitHub Enterprise Server.

Sources: https://docs.github.com/en/rest/repos/repos (list organization repositories, for a user, for the authenticated
user), https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api,
https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api,
https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api (`X-GitHub-SSO`) and
https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency (an API at `api.NAME.ghe.com`).
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
    base, hosts = _api_of(target)
    with Api(base, DIALECT, access) as api:
        query = "type=all&per_page=100"
        first = api.get(api.url("orgs", target.owner, "repos", query=query), bearing=(404,))
        for page in api.pages(first if first.status == 200 else _of_user(api, target)):
            yield from _read(page, target, base, hosts)


def _api_of(target: Target) -> tuple[str, tuple[str, ...]]:
    """Where the API of a target's host is, and the hosts besides that clone URLs may lead to."""
    if not target.at:
        return "https://api.github.com", ("github.com",)
    name = target.at.removeprefix("https://")
    if name.endswith(".ghe.com"):
        return f"https://api.{name}", (name,)
    return api_of(target, "", "/api/v3"), ()


def _of_user(api: Api, target: Target) -> Page:
    """The first page of a user's repositories."""
    own = ""
    if api.has_login:  # the token of an app is no user's: 403
        own = Entry(api.get(api.url("user"), bearing=(403, 404)).content).text("login")
    if own.lower() == target.owner.lower():
        return api.get(api.url("user", "repos", query="affiliation=owner&per_page=100"))
    first = api.get(api.url("users", target.owner, "repos", query="type=owner&per_page=100"), bearing=(404,))
    if first.status == 404:
        raise api.without("there is no organization and no user of that name")
    return first


def _read(page: Page, target: Target, base: str, hosts: tuple[str, ...]) -> Iterator[Remote | Unlisted]:
    if page.headers.get("x-github-sso", "").startswith("partial-results"):
        yield Unlisted(
            target.text, "a part is left out by GitHub: the token is not authorized for the single sign-on of all"
        )
    for told in page.entries:
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
