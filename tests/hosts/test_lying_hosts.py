"""Hosts that lie, and people who name repositories so that tools stumble: nothing is followed, sent or lost by it."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import pytest
from asking_hosts import Asking, login, names
from oakum.scanner.net import Limits
from oakum.scanner.sources import hosts as package
from oakum.scanner.sources.hosts import paging
from oakum.scanner.sources.hosts.access import UnlistedError
from oakum.scanner.sources.hosts.azure_devops import at_home
from oakum.scanner.sources.hosts.entries import Entry, clone_url
from oakum.scanner.swept import Remote, Unlisted
from provider_servers import KINDS, Hosted, Provider, provider
from servers import answer, told

FIVE = [Hosted(number, f"r{number}") for number in range(5)]
ALL = [f"acme/r{number}" for number in range(5)]


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    """A server of GitHub."""
    with provider("github", FIVE) as host:
        yield host


@pytest.fixture
def github(running: Provider) -> Provider:
    """It, as it was in the beginning."""
    running.repositories, running.most = FIVE, 100
    running.change = lambda entry: entry
    running.mishap = lambda _to, _number: False
    running.targets.clear()
    running.headers.clear()
    return running


def at(host: Provider) -> str:
    return urlsplit(host.url).netloc


def saying(body: bytes | str, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler, int], bool]:
    def mishap(to: BaseHTTPRequestHandler, _number: int) -> bool:
        answer(to, body, status, **headers)
        return True

    return mishap


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("<http://127.0.0.1:{other}/api/v3/orgs/acme/repos?page=2>; rel=next", "leads to another host"),
        ("<https://127.0.0.1:{port}/api/v3/orgs/acme/repos?page=2>; rel=next", "leads to another host"),
        ("<https://evil.example/steal>; rel=next", "leads to another host"),
        ("<http://evil.example/steal>; rel=next", "names a next page that is no URL"),
        ("<http://127.0.0.1:{port}@evil.example/steal>; rel=next", "names a next page that is no URL"),
        ("<file:///etc/passwd>; rel=next", "names a next page that is no URL"),
        ("</api/v3/orgs/acme/repos?page=2>; rel=next", "names a next page that is no URL"),
        ("<http://127.0.0.1:{port}/api/v3/orgs/acme/repos?type=all&per_page=100>; rel=next", "leads in a circle"),
        ("<http://127.0.0.1:{port}/a" + "b" * 20_000 + ">; rel=next", "in a way that cannot be read"),
        ("http://127.0.0.1:{port}/a; rel=next", "in a way that cannot be read"),
        ("<http://127.0.0.1:{port}/a" + "<" * 3_000 + '>; title="x"; rel="last next"', "in a way that cannot be read"),
    ],
    ids=[
        "another port", "another scheme", "another host", "plain http", "a name before the host", "a file", "a path",
        "itself", "too long", "no brackets", "many brackets",
    ],
)  # fmt: skip
def test_where_the_next_page_is(github: Provider, link: str, why: str) -> None:
    """It is not asked for; the page itself is used, and what is behind it is said to be unlisted."""
    with told(lambda to, _number: answer(to, "[]")) as (other, asked):
        link = link.format(port=urlsplit(github.url).port, other=urlsplit(other).port)
        github.mishap = saying(json.dumps([entry_of(github, one) for one in FIVE]), Link=link, ETag='"x"')
        found = names(Asking(login("github")).all(github))
        assert found[:-1] == ALL
        assert why in found[-1]
        assert (len(github.targets), asked.targets) == (1, [])


def entry_of(host: Provider, one: Hosted) -> dict[str, Any]:
    status, _, content = host.answered("/api/v3/orgs/acme/repos", {}, {})
    assert status == 200
    return next(entry for entry in content if entry["id"] == one.number)


def test_pages_without_end(github: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """End where no host has so many; what is listed again counts once."""
    monkeypatch.setattr(paging, "MOST_PAGES", 7)

    def mishap(to: BaseHTTPRequestHandler, number: int) -> bool:
        page = f"{github.url}/api/v3/orgs/acme/repos?page={number}"
        answer(to, json.dumps([entry_of(github, FIVE[0])]), Link=f'<{page}>; rel="next"')
        return True

    github.mishap = mishap
    assert names(Asking().all(github)) == ["acme/r0", f"{at(github)} gives more than 7 pages: it is not believed"]
    assert len(github.targets) == 7


def test_a_circle_of_pages(github: Provider) -> None:
    """Is left where it closes."""

    def mishap(to: BaseHTTPRequestHandler, number: int) -> bool:
        answer(to, "[]", Link=f'<{github.url}/api/v3/p?page={number % 2}>; rel="next"')
        return True

    github.mishap = mishap
    assert names(Asking().all(github)) == [
        f"{at(github)} leads in a circle: it gives the same page again as the next one"
    ]
    assert len(github.targets) == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", 200),
        (b"<!DOCTYPE html><title>Sign in</title>", 203),
        (b"", 200),
        (b"[" * 200_000, 200),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 200),
        (b"\xff\xfe[\x00]\x00", 200),
        (b"[" + b"1" * 50_000 + b"]", 200),
        (b"null", 200),
        (b'"text"', 200),
        (b"{}", 200),
        (b'{"values": {}, "value": 7, "next": []}', 200),
        (b"NaN", 200),
        (b"[]", 500),
        (b"", 301),
        (b"", 302),
        (b"", 418),
    ],
    ids=[
        "a page for people", "203", "nothing", "deep lists", "deep objects", "UTF-16", "a long number", "null", "text",
        "an object", "wrong types", "no number", "500", "moved", "elsewhere", "teapot",
    ],
)  # fmt: skip
def test_what_is_no_listing(kind: str, body: bytes, status: int) -> None:
    """Is said to be none, whatever it is."""
    with provider(kind, FIVE, mishap=saying(body, status, Location="https://evil.example/")) as host:
        found = Asking().all(host)
    assert [type(one) for one in found] == [Unlisted]


def test_a_page_of_many_parts(github: Provider) -> None:
    """Small as it is, it would fill memory."""
    github.mishap = saying(b"[" + b"[]," * 4_000_000 + b"[]]")
    tracemalloc.start()
    assert names(Asking().all(github)) == [
        f"{at(github)} answers with a page of more than 400,000 parts: it is not believed"
    ]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20


def test_a_page_without_end(github: Provider) -> None:
    """Is read until it is too long."""
    github.mishap = saying(b"[" + b" " * 300_000 + b"]")
    asking = Asking(limits=Limits(connect=2, silence=2, answer=5, page_bytes=200_000))
    assert names(asking.all(github)) == [
        f"{at(github)}: an answer of it has more than 0 MiB: it is not what was asked for"
    ]


@pytest.mark.parametrize("word", ["line\nbreak", "ümlaut", "nul\0", "half\udcff"])
@pytest.mark.parametrize("kind", KINDS)
def test_tokens_that_cannot_be_sent(kind: str, word: str) -> None:
    """Are not shown; nothing is asked for where they cannot stand in a header."""
    with provider(kind, FIVE) as host:
        (said,) = names(Asking(login(kind, word)).all(host))
    assert "cannot be sent" in said or "has expired" in said
    assert word not in said


# --- entries ---------------------------------------------------------------------------------------------------------

ODD: list[Any] = [None, 7, "text", [], [{}], {}, True, {"name": [], "full_name": {}}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_entries_that_are_none(kind: str, odd: Any) -> None:
    """Are said to be left out, and the others are listed."""
    with provider(kind, FIVE, change=lambda entry: odd if "r2" in json.dumps(entry) else entry) as host:
        found = Asking().all(host)
    assert [type(one) for one in found] == [Remote, Remote, Unlisted, Remote, Remote]
    assert names(found)[2].startswith("a repository without a name: ")


NAMED = {"github": "full_name", "gitlab": "path_with_namespace", "gitea": "full_name", "bitbucket": "full_name"}
HOSTILE_NAMES = [
    "",
    "../../etc",
    "acme/..",
    "acme/./web",
    "acme//web",
    "/acme",
    "acme/ ",
    "acme/a\nb",
    "acme/\x1b[31mred",
    "acme/\x00",
    "acme/\u202egnp.exe",
    "acme\\web",
    "acme/\ud800",
    "acme/" + "x" * 10_000_000,
]


@pytest.mark.parametrize("kind", [*NAMED, "azure-devops"])
@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: repr(name[:12]))
def test_names_that_cannot_be(kind: str, name: str) -> None:
    """Such a repository is left out with a reason that is fit to be shown; the others are listed."""

    def change(entry: dict[str, Any]) -> dict[str, Any]:
        return entry | {NAMED.get(kind, "name"): name} if "r2" in json.dumps(entry) else entry

    with provider(kind, FIVE, change=change) as host:
        found = Asking().all(host)
    assert [type(one) for one in found] == [Remote, Remote, Unlisted, Remote, Remote]
    why = names(found)[2]
    assert why.endswith("it is called something that cannot be a name")
    assert why.isprintable()
    assert len(why) < 700
    assert why.encode()


@pytest.mark.parametrize("name", ["acme/-x", "acme/--upload-pack=x", "acme/$(x)", "acme/ü", "acme/a b", "-/~"])
def test_names_that_can_be(github: Provider, name: str) -> None:
    """They are odd, and only shown."""
    github.change = lambda entry: entry | {"full_name": name}
    github.repositories = FIVE[:1]
    assert names(Asking().all(github)) == [name]


URLS = [
    ("https://evil.example/acme/web.git", "leads to another host"),
    ("https://github.com.evil.example/acme/web.git", "leads to another host"),
    ("https://github.com:8443/acme/web.git", "leads to another host"),
    ("https://github.com@evil.example/acme/web.git", "leads to another host"),
    ("http://github.com/acme/web.git", "leads to another host"),
    ("http://127.0.0.1/acme/web.git", "leads to another host"),
    ("https://169.254.169.254/latest", "leads to another host"),
    ("https://github.com\\@evil.example/acme", "is none that is fetched from"),
    ("ext::sh -c whoami", "is none that is fetched from"),
    ("ext://github.com/sh%20-c", "is none that is fetched from"),
    ("file:///etc/passwd", "is none that is fetched from"),
    ("file://github.com/etc/passwd", "is none that is fetched from"),
    ("ssh://-oProxyCommand=whoami/x", "is none that is fetched from"),
    ("git@github.com:acme/web.git", "is none that is fetched from"),
    ("-u evil", "is none that is fetched from"),
    ("https:///acme/web.git", "is none that is fetched from"),
    ("https://github.com/acme\n/web.git", "is none that is fetched from"),
    ("https://github.com/" + "a" * 5000, "is none that is fetched from"),
    ("", "is none that is fetched from"),
    ("https://{}@github.com/acme/web.git".format("ada:word"), "holds more than a host and a path"),
    ("https://github.com/acme/web.git?x=1", "holds more than a host and a path"),
    ("https://github.com/acme/web.git#x", "holds more than a host and a path"),
    ("https://github.com", "has no path that a repository may have"),
    ("https://github.com///", "has no path that a repository may have"),
    ("https://github.com/acme/../other", "has no path that a repository may have"),
    ("https://github.com/acme/%2e%2e/other", "has no path that a repository may have"),
    ("https://github.com/acme/web%0a.git", "has no path that a repository may have"),
    ("https://github.com:99999/acme/web.git", "is no URL"),
    ("https://[github.com/acme/web.git", "is no URL"),
]


@pytest.mark.parametrize(("url", "why"), URLS, ids=[url[:40] for url, _ in URLS])
def test_clone_urls_that_are_not_taken(url: str, why: str) -> None:
    """They lead elsewhere, do what git must not do, or hold what must not be kept."""
    with pytest.raises(UnlistedError, match=f"^its clone URL {why}$"):
        clone_url(url, "https://api.github.com", "github.com")


@pytest.mark.parametrize(
    ("url", "api", "made"),
    [
        ("https://github.com/acme/web.git", "https://api.github.com", "https://github.com/acme/web.git"),
        ("https://ada@GitHub.com:443/acme/web.git", "https://api.github.com", "https://github.com/acme/web.git"),
        ("https://git.acme.test:8443/a b", "https://git.acme.test:8443", "https://git.acme.test:8443/a%20b"),
        ("https://git.acme.test/a%20b", "https://git.acme.test:443", "https://git.acme.test/a%20b"),
        ("http://127.0.0.1:8080/acme", "http://127.0.0.1:3000", "http://127.0.0.1:8080/acme"),
        ("http://[::1]:8080/acme", "http://[::1]:3000", "http://[::1]:8080/acme"),
    ],
)
def test_clone_urls_that_are_taken(url: str, api: str, made: str) -> None:
    """Without the name of a user, and with the port only where it is not the usual one."""
    assert clone_url(url, api, "github.com") == made


@pytest.mark.parametrize("url", ["ext://127.0.0.1/x", "ssh://127.0.0.1/x", "git://127.0.0.1/x", "file://127.0.0.1/x"])
def test_schemes_on_this_machine(url: str) -> None:
    """A host on loopback gives away no more than others."""
    with pytest.raises(UnlistedError, match="is none that is fetched from"):
        clone_url(url, "http://127.0.0.1:3000")


def test_a_clone_url_that_leads_elsewhere(github: Provider) -> None:
    """Its repository is left out with its name, and the others are listed."""
    github.change = lambda entry: entry | {"clone_url": "https://evil.example/x"} if entry["id"] == 3 else entry
    assert names(Asking().all(github)) == [*ALL[:3], "acme/r3: its clone URL leads to another host", ALL[4]]


def test_what_is_switched_off() -> None:
    """Cannot be fetched, and is said to be left out."""
    why = {"github": "it is disabled", "gitlab": "its repository is switched off"}
    why["azure-devops"] = "it is disabled, and cannot be fetched"
    for kind, reason in why.items():
        with provider(kind, [Hosted(1, "a"), Hosted(2, "b", off=True)]) as host:
            found = names(Asking().all(host))
        assert found[1].endswith(f"b: {reason}"), kind


@pytest.mark.parametrize(
    ("odd", "size"), [(-1, 0), (1 << 200, 1 << 60), (True, 0), ("7", 0), (None, 0), (1.5, 0), ([], 0), ({}, 0)]
)
def test_branches_sizes_and_times_that_are_none(github: Provider, odd: Any, size: int) -> None:
    """Count as not told."""
    github.repositories = FIVE[:1]
    github.change = lambda entry: entry | dict.fromkeys(("size", "pushed_at", "visibility", "fork", "archived"), odd)
    (found,) = Asking().all(github)
    assert isinstance(found, Remote)
    assert (found.size, found.pushed, found.readers) == (size, None, "unknown")
    assert (found.fork, found.archived) == (odd is True, odd is True)
    github.change = lambda entry: entry | {"default_branch": odd, "id": odd}
    (found,) = Asking().all(github)
    assert isinstance(found, Remote)
    assert found.default_branch == ("7" if odd == "7" else "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-99-99T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2" * 9_000_000,
    ],
    ids=lambda text: text[:30],
)
def test_times(text: str) -> None:
    """Those that are none, and those that no store can hold."""
    assert Entry({"at": text}).time("at") is None


# --- how much --------------------------------------------------------------------------------------------------------


def test_as_many_as_no_target_has(github: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first are listed, and that there are more is said."""
    monkeypatch.setattr(package, "MOST_REPOSITORIES", 5)
    assert names(Asking().all(github)) == ALL
    monkeypatch.setattr(package, "MOST_REPOSITORIES", 3)
    assert names(Asking().all(github)) == [*ALL[:3], "it has more than 3 repositories: the others are left out"]


def test_as_many_that_cannot_be_taken(github: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only some are named, all are counted; and what is told over and over ends."""
    github.mishap = saying(json.dumps([{}] * 2_500))
    found = names(Asking().all(github))
    assert len(found) == 1_001
    assert found[-1] == "1,500 more entries cannot be taken, for reasons like these"
    monkeypatch.setattr(package, "MOST_ENTRIES", 2_000)
    assert names(Asking().all(github))[-2:] == [
        "it lists more than 2,000 entries: it is not believed",
        "1,000 more entries cannot be taken, for reasons like these",
    ]


# --- what only one of them does --------------------------------------------------------------------------------------


def test_a_token_of_an_app(github: Provider) -> None:
    """It is no user's: the public repositories of a user are listed all the same."""

    def mishap(to: BaseHTTPRequestHandler, _number: int) -> bool:
        if to.path == "/api/v3/user":
            answer(to, '{"message": "Resource not accessible by integration"}', 403)
        return to.path == "/api/v3/user"

    github.mishap, github.user = mishap, "acme"
    assert names(Asking(login("github")).all(github)) == ALL
    github.user = ""


def test_single_sign_on(github: Provider) -> None:
    """A listing that GitHub says to be partial is said to be."""
    github.mishap = saying("[]", X_GitHub_SSO="partial-results; organizations=21955855,20582480")
    assert names(Asking(login("github")).all(github)) == [
        "a part is left out by GitHub: the token is not authorized for the single sign-on of all"
    ]


def test_a_project_that_fails() -> None:
    """The others of the organization are listed."""
    repositories = [Hosted(1, "a", "one"), Hosted(2, "b", "two"), Hosted(3, "c", "x/y"), Hosted(4, "d", "zoo")]

    def mishap(to: BaseHTTPRequestHandler, _number: int) -> bool:
        if "/two/" in to.path:
            answer(to, "{}", 404)
        return "/two/" in to.path

    with provider("azure-devops", repositories, mishap=mishap) as host:
        assert names(Asking().all(host)) == [
            "one/a",
            f"two: {at(host)}: there is no such organization, group, user or project, or may be read with a token "
            "only: set AZURE_DEVOPS_EXT_PAT",
            "x/y: it is called something that cannot be a name",
            "zoo/d",
        ]


def test_urls_of_older_organizations() -> None:
    """Are made such of today's, whose host the token is for; not those of what only looks like it."""
    made = {
        "https://acme.visualstudio.com/DefaultCollection/Web%20Shop/_git/api": "/acme/Web%20Shop/_git/api",
        "https://acme.visualstudio.com/_git/api": "/acme/_git/api",
        "https://acme@acme.visualstudio.com/core/_git/api": "/acme/core/_git/api",
    }
    assert {url: at_home(url) for url in made} == {url: f"https://dev.azure.com{path}" for url, path in made.items()}
    for url in ("https://evil.example/acme.visualstudio.com/x", "https://a.visualstudio.com.evil.example/x"):
        assert at_home(url) == url
