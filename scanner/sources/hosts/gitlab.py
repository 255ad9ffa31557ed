"""Projects of a group on GitLab with those of its subgroups, or of a user.

Sources: https://docs.gitlab.com/api/groups/ ("List projects"), https://docs.gitlab.com/api/projects/ ("List a user's
projects"), https://docs.gitlab.com/api/rest/ ("Namespaced paths": a group's path is encoded; "Pagination": projects of
a group come in pages by offset, of which a server gives 50,000 entries, and answers 405 beyond) and
https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/ (headers of rate limits).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model import Readers
from ...swept import Remote, Target, Unlisted
from .access import Access, UnlistedError
from .entries import Entry, clone_url
from .paging import Api, Dialect, Page, bearer
from .targets import api_of

DIALECT = Dialect("gitlab", bearer, "GITLAB_TOKEN")
_READERS: dict[str, Readers] = {"public": "public", "private": "private", "internal": "internal"}
_ORDER = "per_page=100&order_by=id&sort=asc"


def repositories(target: Target, access: Access) -> Iterator[Remote | Unlisted]:
    """All projects below a group that the token may see; those of a user, where there is no such group."""
    base = api_of(target, "https://gitlab.com")
    with Api(base, DIALECT, access) as api:
        query = f"include_subgroups=true&with_shared=false&{_ORDER}"
        first = api.get(api.url("api", "v4", "groups", target.owner, "projects", query=query), bearing=(404,))
        if first.status == 404 and "/" not in target.owner:
            first = api.get(api.url("api", "v4", "users", target.owner, "projects", query=_ORDER), bearing=(404,))
        if first.status == 404:
            raise api.without("there is no group and no user of that name")
        for page in api.pages(first):
            yield from _read(page, target, base)


def _read(page: Page, target: Target, base: str) -> Iterator[Remote | Unlisted]:
    for told in page.entries:
        entry = Entry(told)
        try:
            name = entry.name("path_with_namespace")
            if entry.text("repository_access_level") == "disabled":
                raise UnlistedError("its repository is switched off")
            yield Remote(
                id=f"{target.at or 'gitlab.com'}:{entry.key('id') or name}",
                name=name,
                url=clone_url(entry.text("http_url_to_repo"), base),
                target=target.text,
                default_branch=entry.branch("default_branch"),
                readers=_READERS.get(entry.text("visibility"), "unknown"),
                archived=entry.flag("archived"),
                fork=entry.has("forked_from_project"),
                empty=entry.flag("empty_repo"),
                pushed=entry.time("last_activity_at"),
                size=entry.number("statistics.repository_size"),
                team=name.rpartition("/")[0],
            )
        except UnlistedError as error:
            yield Unlisted(target.text, entry.shown("path_with_namespace", "id") + str(error))
