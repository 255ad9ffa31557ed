"""What each kind of host lists becomes repositories: all that it tells of them, each once, whatever its pages are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asking_hosts import Asking, login, names
from git_repository import GitRepository
from git_server import git_server
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.net import Outbound
from oakum.scanner.sources.clones import Reach, asked
from oakum.scanner.swept import Remote
from provider_servers import KINDS, Hosted, Provider, provider

PUSHED = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
USERS = ("github", "gitlab", "gitea")
"""Hosts that know users, too."""
THREE = (
    Hosted(11, "web", "inner", kilobytes=2000),
    Hosted(12, "old.tools", "core", private=True, archived=True, fork=True, branch="trunk/v1"),
    Hosted(13, "blank", "core", empty=True),
)


@pytest.fixture(scope="module")
def hosts() -> Iterator[dict[str, Provider]]:
    """A server of each kind."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(provider(kind)) for kind in KINDS}


@pytest.fixture
def host(hosts: dict[str, Provider], request: pytest.FixtureRequest) -> Provider:
    """The server of the kind that a test names, as it was in the beginning."""
    found = hosts[request.param]
    found.repositories, found.most, found.owner, found.user = THREE, 100, "acme", ""
    found.targets.clear()
    found.headers.clear()
    return found


def of(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("host", [kind], indirect=True)


def told(host: Provider, number: int | str, name: str, path: str, **more: object) -> Remote:
    more = {"default_branch": "main", "pushed": PUSHED, **more}
    return Remote(f"{host.url}:{number}", name, f"{host.url}/{path}", host.target.text, **more)  # type: ignore[arg-type]


@of("github")
def test_github(host: Provider) -> None:
    """Size in KiB; who can read it by its visibility; that nothing is in it is not told."""
    assert Asking(login("github")).all(host) == [
        told(host, 11, "acme/web", "acme/web.git", readers="public", size=2000 << 10, team="acme"),
        told(
            host,
            12,
            "acme/old.tools",
            "acme/old.tools.git",
            readers="private",
            archived=True,
            fork=True,
            size=7 << 10,
            team="acme",
            default_branch="trunk/v1",
        ),
        told(host, 13, "acme/blank", "acme/blank.git", readers="public", team="acme"),
    ]
    assert host.targets == ["/api/v3/orgs/acme/repos?type=all&per_page=100"]
    assert host.headers[0]["x-github-api-version"] == "2022-11-28"


@of("gitlab")
def test_gitlab(host: Provider) -> None:
    """The team is the group or subgroup; sizes are not told in listings."""
    assert Asking(login("gitlab")).all(host) == [
        told(host, 11, "acme/inner/web", "acme/inner/web.git", readers="internal", team="acme/inner"),
        told(
            host,
            12,
            "acme/core/old.tools",
            "acme/core/old.tools.git",
            readers="private",
            archived=True,
            fork=True,
            team="acme/core",
            default_branch="trunk/v1",
        ),
        told(
            host, 13, "acme/core/blank", "acme/core/blank.git", readers="public", empty=True, team="acme/core",
            default_branch="",
        ),
    ]  # fmt: skip


@of("gitea")
def test_gitea(host: Provider) -> None:
    """Size in KiB, as on GitHub."""
    assert Asking(login("gitea")).all(host) == [
        told(host, 11, "acme/web", "acme/web.git", readers="internal", size=2000 << 10, team="acme"),
        told(
            host,
            12,
            "acme/old.tools",
            "acme/old.tools.git",
            readers="private",
            archived=True,
            fork=True,
            size=7 << 10,
            team="acme",
            default_branch="trunk/v1",
        ),
        told(host, 13, "acme/blank", "acme/blank.git", readers="public", empty=True, size=7 << 10, team="acme"),
    ]


@of("bitbucket")
def test_bitbucket(host: Provider) -> None:
    """Size in bytes; the team is the project; the name in a clone URL is left out."""
    pushed = PUSHED.replace(microsecond=123456)
    ids = [f"{{{number:032x}}}" for number in (11, 12, 13)]
    assert Asking(login("bitbucket")).all(host) == [
        told(host, ids[0], "acme/web", "acme/web.git", readers="public", size=2000 << 10, team="inner", pushed=pushed),
        told(
            host,
            ids[1],
            "acme/old.tools",
            "acme/old.tools.git",
            readers="private",
            fork=True,
            size=7 << 10,
            team="core",
            default_branch="trunk/v1",
            pushed=pushed,
        ),
        told(
            host, ids[2], "acme/blank", "acme/blank.git", readers="public", size=7 << 10, team="core",
            default_branch="", pushed=pushed,
        ),
    ]  # fmt: skip


@of("azure-devops")
def test_azure_devops(host: Provider) -> None:
    """Project by project, in the order of projects; when it was pushed to is not told."""
    ids = [f"{number:032x}" for number in (11, 12, 13)]
    assert Asking(login("azure-devops")).all(host) == [
        told(
            host,
            ids[1],
            "core/old.tools",
            "acme/core/_git/old.tools",
            readers="private",
            fork=True,
            size=7 << 10,
            team="core",
            default_branch="trunk/v1",
            pushed=None,
        ),
        told(
            host, ids[2], "core/blank", "acme/core/_git/blank", readers="public", empty=True, size=7 << 10,
            team="core", default_branch="", pushed=None,
        ),
        told(
            host, ids[0], "inner/web", "acme/inner/_git/web", readers="public", size=2000 << 10, team="inner",
            pushed=None,
        ),
    ]  # fmt: skip


# --- which listing ---------------------------------------------------------------------------------------------------


@of("github")
def test_a_user_of_github(host: Provider) -> None:
    """What is no organization is a user; of whom only public ones are listed, but for who asks himself."""
    host.owner, host.user = "Grace", "grace"
    assert names(Asking().all(host)) == ["Grace/web", "Grace/blank"]
    assert names(Asking(login("github")).all(host)) == ["Grace/web", "Grace/old.tools", "Grace/blank"]
    assert [urlsplit(asked).path for asked in host.targets] == [
        "/api/v3/orgs/Grace/repos",
        "/api/v3/users/Grace/repos",
        "/api/v3/orgs/Grace/repos",
        "/api/v3/user",
        "/api/v3/user/repos",
    ]


@of("gitlab")
def test_a_subgroup_of_gitlab(host: Provider) -> None:
    """Its path is one part of the path that is asked for, and no user is looked for by it."""
    host.owner = "acme/platform"
    assert names(Asking().all(host)) == ["acme/platform/inner/web", "acme/platform/core/blank"]
    host.user, host.targets[:] = "somebody", []
    assert names(Asking().all(host)) == [
        f"{urlsplit(host.url).netloc}: there is no group and no user of that name, or may be read with a token only: "
        "set GITLAB_TOKEN"
    ]
    assert [urlsplit(asked).path for asked in host.targets] == ["/api/v4/groups/acme%2Fplatform/projects"]


@pytest.mark.parametrize("host", ["gitlab", "gitea"], indirect=True)
def test_a_user_elsewhere(host: Provider) -> None:
    """What is no group and no organization is a user."""
    host.user = "acme"
    assert names(Asking().all(host)) == ["acme/web", "acme/blank"]


@of("azure-devops")
def test_one_project(host: Provider) -> None:
    """Only its repositories are asked for, its name encoded."""
    host.repositories = (Hosted(1, "a", "My Project"), Hosted(2, "b", "other"))
    found = Asking().all(host, "acme/My Project")
    assert names(found) == ["My Project/a"]
    assert [one.url for one in found if isinstance(one, Remote)] == [f"{host.url}/acme/My%20Project/_git/a"]
    assert host.targets == ["/acme/My%20Project/_apis/git/repositories?api-version=7.1"]


@pytest.mark.parametrize("host", KINDS, indirect=True)
def test_logins(host: Provider) -> None:
    """Without a login only what is public is listed; a wrong one is said to be wrong."""
    assert sorted(names(Asking().all(host))) == sorted(
        name for name in names(Asking(login(host.kind)).all(host)) if "old.tools" not in name
    )
    assert names(Asking(login(host.kind, "another word")).all(host)) == [
        f"{urlsplit(host.url).netloc} answers 401: what THE_VARIABLE holds has expired, or may not list this"
    ]


@pytest.mark.parametrize("host", KINDS, indirect=True)
def test_nothing_of_that_name(host: Provider) -> None:
    """It is said, with the variable that a token may be missing in."""
    (said,) = names(Asking().all(host, "nobody"))
    assert "404" in said or "there is no" in said
    assert "set " in said


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_all_are_listed_once(hosts: dict[str, Provider], kind: str, data: st.DataObject) -> None:
    """Whatever repositories there are, and however many a page holds."""
    host = hosts[kind]
    host.owner, host.user = "acme", "acme" if kind in USERS and data.draw(st.booleans(), "is a user") else ""
    host.most = data.draw(st.integers(1, 7), "most")
    groups = st.sampled_from(["core", "a b", "Ünder"] if kind == "azure-devops" else ["core", "x/y"])
    host.repositories = [
        Hosted(number, f"r{number}", data.draw(groups), private=data.draw(st.booleans()))
        for number in range(data.draw(st.integers(0, 18), "count"))
    ]
    found = Asking(login(kind)).all(host)
    assert sorted(one.id.rpartition(":")[2] for one in found if isinstance(one, Remote)) == sorted(
        {"bitbucket": f"{{{one.number:032x}}}", "azure-devops": f"{one.number:032x}"}.get(kind, str(one.number))
        for one in host.repositories
    )
    assert len({one.url for one in found if isinstance(one, Remote)}) == len(found) == len(host.repositories)


# --- clones ----------------------------------------------------------------------------------------------------------


def test_what_is_listed_can_be_cloned(tmp_path: Path) -> None:
    """The URL of a listing leads to the refs of the repository."""
    made = GitRepository.create(tmp_path / "acme" / "web.git")
    made.commit({"a.txt": b"nothing\n"})
    with git_server(tmp_path) as git, provider("gitea", [Hosted(1, "web")], clones=git.url) as host:
        (found,) = Asking().all(host)
        assert isinstance(found, Remote)
        there = asked(found, Reach({}, Outbound(private=True), lambda _url: None))
    assert (there.head, there.refs) == ("main", 2), "HEAD is one of them"
