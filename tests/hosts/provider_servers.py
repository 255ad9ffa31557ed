"""Servers on loopback that play the hosts of repositories as their documentation says, out of a list of repositories:
paths, pages, headers, what they ask for as a login, and 304. Where a page says what is not documented, a test does it.

Sources: those that the modules of `scanner/sources/hosts/` cite.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from oakum.scanner.swept import Target
from servers import answer, told

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
"""What the clocks of all servers show."""
KINDS = ("github", "gitlab", "gitea", "bitbucket", "azure-devops")
WORD = "word-of-ada"
"""The token that a server takes."""


@dataclass(frozen=True)
class Hosted:
    """A repository on a server; `group` is its project, subgroup or workspace's project, where the host has such."""

    number: int
    name: str
    group: str = "core"
    private: bool = False
    archived: bool = False
    fork: bool = False
    empty: bool = False
    off: bool = False
    kilobytes: int = 7
    pushed: str = "2026-11-25T08:30:00Z"
    branch: str = "main"


Told = tuple[int, dict[str, str], Any]
"""Status, headers and what is written as JSON."""
Mishap = Callable[[BaseHTTPRequestHandler, int], bool]
"""Answers a request (given its number from 0 on) in place of the host; False where it leaves that to it."""


@dataclass
class Provider:
    """A running server. `most` entries are in a page, whatever is asked for; `change` alters what is told of each."""

    kind: str
    owner: str = "acme"
    user: str = ""
    """Whose account it is, where `owner` is no organization."""
    repositories: Sequence[Hosted] = ()
    most: int = 100
    clones: str = ""
    change: Callable[[dict[str, Any]], Any] = lambda entry: entry
    mishap: Mishap = lambda _to, _number: False
    url: str = ""
    targets: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def target(self) -> Target:
        """It as a target of a sweep."""
        return Target(f"{self.kind}:{self.owner}@{self.url}", self.kind, self.owner, self.url)

    def visible(self, headers: dict[str, str]) -> list[Hosted] | None:
        """What whoever asks may see; None where his login is wrong."""
        given = headers.get("authorization", "")
        if not given:
            return [one for one in self.repositories if not one.private]
        return list(self.repositories) if given in _logins(self.kind) else None

    def answered(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Told:
        """What it says to a request."""
        seen = self.visible(headers)
        if seen is None or (f"{path}/".startswith("/api/v3/user/") and "authorization" not in headers):
            return 401, {}, {"message": "Bad credentials"}
        return _SPOKEN[self.kind](self, path, query, seen)

    def clone(self, name: str) -> str:
        """Where a repository is cloned from."""
        return f"{self.clones or self.url}/{quote(name)}"


@contextmanager
def provider(kind: str, repositories: Sequence[Hosted] = (), **settings: Any) -> Iterator[Provider]:
    """A running server of a kind of host."""
    host = Provider(kind, repositories=repositories, **settings)

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        to.date_time_string = lambda _stamp=None: format_datetime(NOW, usegmt=True)  # type: ignore[method-assign]
        if host.mishap(to, number):
            return
        parts = urlsplit(to.path)
        headers = {name.lower(): value for name, value in to.headers.items()}
        status, more, content = host.answered(parts.path, dict(parse_qsl(parts.query)), headers)
        body = json.dumps(content).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if status == 200 and headers.get("if-none-match") == etag:
            answer(to, b"", 304, ETag=etag)
        elif kind == "azure-devops":
            answer(to, body, status, **more)
        else:
            answer(to, body, status, ETag=etag, **more)

    with told(answering) as (url, asked):
        host.url, host.targets, host.headers = url, asked.targets, asked.headers
        yield host


def _logins(kind: str) -> set[str]:
    """The headers that are taken."""
    basic = base64.b64encode(f":{WORD}".encode()).decode()
    personal = base64.b64encode(f"ada@example.test:{WORD}".encode()).decode()
    return {
        "github": {f"Bearer {WORD}"},
        "gitlab": {f"Bearer {WORD}"},
        "gitea": {f"token {WORD}"},
        "bitbucket": {f"Bearer {WORD}", f"Basic {personal}"},
        "azure-devops": {f"Basic {basic}"},
    }[kind]


# --- what each of them says ------------------------------------------------------------------------------------------


def _part(host: Provider, seen: list[Any], query: dict[str, str], size: str, usual: int) -> tuple[int, int, list[Any]]:
    """The number of the page that is asked for, how many there are, and what is in it."""
    count = min(int(query.get(size, usual)), host.most)
    page = int(query.get("page", 1))
    return page, max(1, -(-len(seen) // count)), seen[(page - 1) * count : page * count]


def _links(host: Provider, path: str, query: dict[str, str], page: int, pages: int, order: Sequence[str]) -> str:
    """The header `Link`."""
    there = {"prev": page - 1, "next": page + 1, "first": 1, "last": pages}
    return ", ".join(
        f'<{host.url}{path}?{urlencode({**query, "page": there[rel]})}>; rel="{rel}"'
        for rel in order
        if 1 <= there[rel] <= pages and (rel != "prev" or page > 1)
    )


def _github(host: Provider, path: str, query: dict[str, str], seen: list[Hosted]) -> Told:
    """Of an organization the links lead to a path with its number."""
    if path == "/api/v3/user":
        return 200, {}, {"login": host.user or "ada"}
    paths = {
        "/api/v3/user/repos": True,
        f"/api/v3/users/{host.owner}/repos": host.user.lower() == host.owner.lower(),
        f"/api/v3/orgs/{host.owner}/repos": not host.user,
        "/api/v3/organizations/7/repos": not host.user,
    }
    if not paths.get(path):
        return 404, {}, {"message": "Not Found", "status": "404"}
    if path.startswith("/api/v3/users/"):
        seen = [one for one in seen if not one.private]
    page, pages, some = _part(host, seen, query, "per_page", 30)
    below = "/api/v3/organizations/7/repos" if path.startswith("/api/v3/orgs/") else path
    links = {"Link": _links(host, below, query, page, pages, ("prev", "next", "last", "first"))} if pages > 1 else {}
    return 200, links | {"X-RateLimit-Remaining": "4990"}, [host.change(_github_entry(host, one)) for one in some]


def _github_entry(host: Provider, one: Hosted) -> dict[str, Any]:
    return {
        "id": one.number,
        "name": one.name,
        "full_name": f"{host.owner}/{one.name}",
        "owner": {"login": host.owner, "id": 7},
        "private": one.private,
        "visibility": "private" if one.private else "public",
        "clone_url": host.clone(f"{host.owner}/{one.name}.git"),
        "ssh_url": f"git@127.0.0.1:{host.owner}/{one.name}.git",
        "fork": one.fork,
        "archived": one.archived,
        "disabled": one.off,
        "size": 0 if one.empty else one.kilobytes,
        "default_branch": one.branch,
        "pushed_at": one.pushed,
        "updated_at": "2026-11-26T01:00:00Z",
    }


def _gitlab(host: Provider, path: str, query: dict[str, str], seen: list[Hosted]) -> Told:
    """A group's path is one part of the URL's path. Without `include_subgroups` those of subgroups are left out."""
    kind, _, named = path.removeprefix("/api/v4/").removesuffix("/projects").partition("/")
    if "/" in named or unquote(named) != host.owner or kind != ("users" if host.user else "groups"):
        return 404, {}, {"message": "404 Group Not Found"}
    if kind == "groups" and query.get("include_subgroups") != "true":
        seen = [one for one in seen if not one.group]
    page, pages, some = _part(host, seen, query, "per_page", 20)
    headers = {"X-Total": str(len(seen)), "X-Page": str(page), "X-Next-Page": str(page + 1) if page < pages else ""}
    headers["Link"] = _links(host, path, query, page, pages, ("prev", "next", "first", "last"))
    return 200, headers, [host.change(_gitlab_entry(host, one)) for one in some]


def _gitlab_entry(host: Provider, one: Hosted) -> dict[str, Any]:
    path = "/".join(filter(None, (host.owner, one.group if not host.user else "", one.name)))
    entry = {
        "id": one.number,
        "name": one.name.title(),
        "path": one.name,
        "path_with_namespace": path,
        "http_url_to_repo": host.clone(f"{path}.git"),
        "default_branch": None if one.empty else one.branch,
        "visibility": "private" if one.private else "internal" if one.group == "inner" else "public",
        "archived": one.archived,
        "empty_repo": one.empty,
        "last_activity_at": one.pushed,
        "repository_access_level": "disabled" if one.off else "enabled",
    }
    return entry | ({"forked_from_project": {"id": 1}} if one.fork else {})


def _gitea(host: Provider, path: str, query: dict[str, str], seen: list[Hosted]) -> Told:
    """Links are given where there is more than one page."""
    if path != f"/api/v1/{'users' if host.user else 'orgs'}/{host.owner}/repos":
        return 404, {}, {"message": "GetOrgByName", "url": f"{host.url}/api/swagger"}
    query = {"limit": "30", **query}
    page, pages, some = _part(host, seen, query, "limit", 30)
    headers = {"X-Total-Count": str(len(seen))}
    if pages > 1:
        headers["Link"] = _links(host, path, query, page, pages, ("next", "last", "first", "prev")).replace(", ", ",")
    return 200, headers, [host.change(_gitea_entry(host, one)) for one in some]


def _gitea_entry(host: Provider, one: Hosted) -> dict[str, Any]:
    return {
        "id": one.number,
        "name": one.name,
        "full_name": f"{host.owner}/{one.name}",
        "clone_url": host.clone(f"{host.owner}/{one.name}.git"),
        "private": one.private,
        "internal": one.group == "inner",
        "fork": one.fork,
        "archived": one.archived,
        "empty": one.empty,
        "size": one.kilobytes,
        "default_branch": one.branch,
        "updated_at": one.pushed.replace("Z", "+00:00"),
    }


def _bitbucket(host: Provider, path: str, query: dict[str, str], seen: list[Hosted]) -> Told:
    """The next page is named in the answer. Clone URLs hold the name of who asks."""
    if path != f"/2.0/repositories/{host.owner}":
        return 404, {}, {"type": "error", "error": {"message": f"No workspace with identifier '{host.owner}'."}}
    page, pages, some = _part(host, seen, query, "pagelen", 10)
    content: dict[str, Any] = {"pagelen": host.most, "page": page, "size": len(seen)}
    content["values"] = [host.change(_bitbucket_entry(host, one)) for one in some]
    if page < pages:
        content["next"] = f"{host.url}{path}?{urlencode({**query, 'page': page + 1})}"
    return 200, {}, content


def _bitbucket_entry(host: Provider, one: Hosted) -> dict[str, Any]:
    clone = host.clone(f"{host.owner}/{one.name}.git")
    return {
        "type": "repository",
        "uuid": f"{{{one.number:032x}}}",
        "full_name": f"{host.owner}/{one.name}",
        "is_private": one.private,
        "parent": {"full_name": "other/origin"} if one.fork else None,
        "mainbranch": None if one.empty else {"type": "branch", "name": one.branch},
        "project": {"key": one.group.upper()[:4], "name": one.group},
        "size": one.kilobytes << 10,
        "updated_on": one.pushed.replace("Z", ".123456+00:00"),
        "links": {
            "clone": [
                {"name": "ssh", "href": f"git@bitbucket.org:{host.owner}/{one.name}.git"},
                {"name": "https", "href": clone.replace("://", "://ada@")},
            ]
        },
    }


def _azure_devops(host: Provider, path: str, query: dict[str, str], seen: list[Hosted]) -> Told:
    """Projects in pages, by a token in a header; all repositories of a project at once."""
    groups = sorted({one.group for one in host.repositories})
    if query.get("api-version") != "7.1":
        return 400, {}, {"message": "No api-version was supplied."}
    if path == f"/{host.owner}/_apis/projects":
        begin = int(query.get("continuationToken", 0))
        end = begin + min(int(query.get("$top", 100)), host.most)
        some = [{"id": f"id-of-{name}", "name": name, "state": "wellFormed"} for name in groups[begin:end]]
        headers = {"x-ms-continuationtoken": str(end)} if end < len(groups) else {}
        return 200, headers, {"count": len(some), "value": some}
    for name in groups:
        if path == f"/{host.owner}/{quote(name)}/_apis/git/repositories":
            found = [host.change(_azure_entry(host, one)) for one in seen if one.group == name]
            return 200, {}, {"count": len(found), "value": found}
    return 404, {}, {"message": "TF200016: The following project does not exist"}


def _azure_entry(host: Provider, one: Hosted) -> dict[str, Any]:
    entry = {
        "id": f"{one.number:032x}",
        "name": one.name,
        "project": {"name": one.group, "visibility": "private" if one.private else "public"},
        "remoteUrl": host.clone(f"{host.owner}/{one.group}/_git/{one.name}").replace("://", f"://{host.owner}@"),
        "isDisabled": one.off,
        "size": one.kilobytes << 10,
    }
    entry |= {} if one.empty else {"defaultBranch": f"refs/heads/{one.branch}"}
    return entry | ({"isFork": True} if one.fork else {})


_SPOKEN: dict[str, Callable[[Provider, str, dict[str, str], list[Hosted]], Told]] = {
    "github": _github,
    "gitlab": _gitlab,
    "gitea": _gitea,
    "bitbucket": _bitbucket,
    "azure-devops": _azure_devops,
}
