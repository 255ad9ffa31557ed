"""Repositories of an organization on Azure DevOps Services, project by project.

Sources: https://learn.microsoft.com/en-us/rest/api/azure/devops/core/projects/list (continuation tokens),
https://learn.microsoft.com/en-us/rest/api/azure/devops/git/repositories/list and
https://learn.microsoft.com/en-us/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate. Who is
not logged in gets 203 and a page to log in at. Older organizations may be told by URLs at `ORG.visualstudio.com`, which
lead to the same: https://learn.microsoft.com/en-us/azure/devops/extend/develop/work-with-urls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...logins import Login
from ...model import Readers, clean
from ...net.urls import quoted
from ...swept import Remote, Target, Unlisted
from .access import Access, UnlistedError
from .entries import Entry, clone_url
from .paging import Api, Dialect, Page, basic
from .targets import api_of


def _authorization(login: Login) -> str:
    """A personal access token is a password without a name."""
    return basic(Login(login.host, "", login.password))


_VERSION = "api-version=7.1"


def _next(page: Page) -> str:
    """Where the page is that a continuation token leads to."""
    token = page.headers.get("x-ms-continuationtoken", "")
    return f"{page.url.partition('&continuationToken=')[0]}&continuationToken={quoted(token)}" if token else ""


DIALECT = Dialect("azure-devops", _authorization, "AZURE_DEVOPS_EXT_PAT", {"Accept": "application/json"}, _next)
_FORMER = re.compile(
    r"https://(?:[^/@]{1,100}@)?(?P<organization>[A-Za-z0-9-]{1,63})\.visualstudio\.com/"
    r"(?:DefaultCollection/)?(?P<rest>.+)"
)
_READERS: dict[str, Readers] = {"public": "public", "private": "private", "organization": "internal"}


def repositories(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """All that the token may see of an organization, or of one project of it."""
    base = api_of(target, "https://dev.azure.com")
    organization, _, project = target.owner.partition("/")
    with Api(base, DIALECT, access) as api:
        for name in [project] if project else _projects(api, organization, target):
            if isinstance(name, Unlisted):
                yield name
                continue
            try:
                page = api.get(api.url(organization, name, "_apis", "git", "repositories", query=_VERSION))
            except UnlistedError as error:
                if project:
                    raise
                yield Unlisted(target.text, f"{clean(name)}: {error}")
                continue
            yield from _read(page, target, base)


def _projects(api: Api, organization: str, target: Target) -> Iterator[str | Unlisted]:
    first = api.get(api.url(organization, "_apis", "projects", query=f"$top=100&{_VERSION}"))
    for page in api.pages(first):
        for told in page.listed("value"):
            try:
                name = Entry(told).name("name")
                if "/" in name:
                    raise UnlistedError("it is called something that cannot be a name")
                yield name
            except UnlistedError as error:
                yield Unlisted(target.text, Entry(told).shown("name", "id") + str(error))


def at_home(url: str) -> str:
    """A URL of an organization's former host, as one of today's."""
    found = _FORMER.fullmatch(url)
    return f"https://dev.azure.com/{found['organization']}/{found['rest']}" if found else url


def _read(page: Page, target: Target, base: str) -> Iterator[Remote | Unlisted]:
    for told in page.listed("value"):
        entry = Entry(told)
        try:
            name = f"{entry.name('project.name')}/{entry.name('name')}"
            if entry.flag("isDisabled"):
                raise UnlistedError("it is disabled, and cannot be fetched")
            yield Remote(
                id=f"{target.at or 'dev.azure.com'}:{entry.key('id') or name}",
                name=name,
                url=clone_url(at_home(entry.text("remoteUrl")), base),
                target=target.text,
                default_branch=entry.branch("defaultBranch"),
                readers=_READERS.get(entry.text("project.visibility").lower(), "unknown"),
                fork=entry.flag("isFork"),
                empty=not entry.has("defaultBranch"),
                size=entry.number("size"),
                team=name.partition("/")[0],
            )
        except UnlistedError as error:
            yield Unlisted(target.text, entry.shown("name", "id") + str(error))
