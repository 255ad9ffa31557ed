"""Hosts that say "later": they are waited for as long as they say, if that is not too long, and never for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest
from asking_hosts import Asking, Shelf, login, names
from provider_servers import NOW, Hosted, Mishap, Provider, provider
from servers import answer

FOUR = [Hosted(number, f"r{number}") for number in range(4)]
ALL = [f"acme/r{number}" for number in range(4)]
RESET = int(NOW.timestamp())


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    """A server of GitHub, two repositories a page."""
    with provider("github", FOUR, most=2) as host:
        yield host


@pytest.fixture
def github(running: Provider) -> Provider:
    """It, with nothing asked yet."""
    running.targets.clear()
    running.headers.clear()
    running.mishap = lambda _to, _number: False
    return running


def once(at: int, status: int, body: str = "{}", **headers: str) -> Mishap:
    """One request is answered so, those after it as ever."""

    def mishap(to: BaseHTTPRequestHandler, number: int) -> bool:
        if number == at:
            answer(to, body, status, **headers)
        return number == at

    return mishap


def always(status: int, body: str = "{}", *, since: int = 0, **headers: str) -> Mishap:
    """All requests from one on are answered so."""

    def mishap(to: BaseHTTPRequestHandler, number: int) -> bool:
        if number >= since:
            answer(to, body, status, **headers)
        return number >= since

    return mishap


@pytest.mark.parametrize("at", [0, 1], ids=["first page", "second page"])
@pytest.mark.parametrize(
    ("mishap", "waited"),
    [
        (lambda at: once(at, 403, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(RESET + 90)), 91),
        (lambda at: once(at, 429, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(RESET + 600)), 601),
        (lambda at: once(at, 403, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(RESET - 5)), 1),
        (lambda at: once(at, 403, Retry_After="30", X_RateLimit_Remaining="4000"), 30),
        (lambda at: once(at, 429, Retry_After="77"), 77),
        (lambda at: once(at, 403, '{"message": "You have exceeded a secondary rate limit. Please wait"}'), 60),
        (lambda at: once(at, 429, X_RateLimit_Remaining="4000", X_RateLimit_Reset=str(RESET + 3000)), 60),
        (lambda at: once(at, 429, RateLimit_Remaining="0", RateLimit_Reset=str(RESET + 20)), 21),
        (lambda at: once(at, 429, RateLimit_Reset="15"), 15),
        (lambda at: once(at, 429), 60),
        (lambda at: once(at, 503, Retry_After="5"), 5),
        (lambda at: once(at, 502), 1),
        (lambda at: once(at, 500, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(RESET + 90)), 1),
        (lambda at: once(at, 408), 1),
    ],
    ids=[
        "primary limit, 403",
        "primary limit, 429",
        "a reset that is over",
        "secondary limit",
        "429 with Retry-After",
        "secondary limit in words",
        "429 of another limit than that of the headers",
        "GitLab's headers",
        "seconds until a reset",
        "429 without anything",
        "503 with Retry-After",
        "502",
        "500 is no limit",
        "408",
    ],
)
def test_waits(github: Provider, mishap: Callable[[int], Mishap], waited: float, at: int) -> None:
    """As long as the host says, by its own clock; then all is listed."""
    github.mishap = mishap(at)
    asking = Asking()
    assert names(asking.all(github)) == ALL
    assert asking.waits == [waited]
    assert len(github.targets) == 3


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(RESET + 3000)}, 50),
        ({"Retry_After": "1000"}, 17),
        ({"Retry_After": "Fri, 27 Nov 2026 00:00:00 GMT"}, 60),
    ],
    ids=["reset", "Retry-After", "a date"],
)
@pytest.mark.parametrize("known", [True, False], ids=["with a token", "without"])
def test_too_long_a_wait(github: Provider, headers: dict[str, str], minutes: int, *, known: bool) -> None:
    """It is said how long it is and whose limit it is; what was listed before is used."""
    github.mishap = always(403, since=1, **headers)
    asking = Asking(login("github") if known else None)
    whose = "this token" if known else "those without a token: set GITHUB_TOKEN (of another host: GH_ENTERPRISE_TOKEN)"
    assert names(asking.all(github)) == [
        *ALL[:2],
        f"{urlsplit(github.url).netloc}: it answers 403, and wants {minutes} minutes to pass before it is asked again "
        f"(its limit for {whose})",
    ]
    assert asking.waits == []


def test_a_limit_that_does_not_end(github: Provider) -> None:
    """The waits grow, and end."""
    github.mishap = always(403, '{"message": "You have triggered an abuse detection mechanism"}')
    asking = Asking()
    assert names(asking.all(github)) == [f"{urlsplit(github.url).netloc}: it answers 403; it was asked 5 times"]
    assert asking.waits == [60, 120, 240, 480]


def test_a_host_that_is_down_for_a_while(github: Provider) -> None:
    """Asked again a few times, later each time; then what was listed is used, and the rest is said to be missing."""
    github.mishap = always(503, since=1)
    asking = Asking()
    assert names(asking.all(github)) == [
        *ALL[:2],
        f"{urlsplit(github.url).netloc}: it answers 503; it was asked 5 times",
    ]
    assert asking.waits == [1, 2, 4, 8]


def test_connections_that_break(github: Provider) -> None:
    """As an answer that may pass."""

    def mishap(to: BaseHTTPRequestHandler, number: int) -> bool:
        if number in (1, 2):
            to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[")
            to.close_connection = True
        return number in (1, 2)

    github.mishap = mishap
    asking = Asking()
    assert names(asking.all(github)) == ALL
    assert asking.waits == [1, 2]


def test_waits_of_a_listing_have_an_end(github: Provider) -> None:
    """A host that wants a wait for each page is given up after a few of them."""
    github.repositories = [Hosted(number, f"r{number}") for number in range(40)]
    github.mishap = lambda to, number: number % 2 == 1 and (answer(to, "{}", 429, Retry_After="890") or True)
    asking = Asking()
    found = names(asking.all(github))
    assert found[:-1] == [f"acme/r{number}" for number in range(len(found) - 1)]
    assert found[-1].endswith(
        "it answers 429, and it was waited for often enough (its limit for those without a token: set GITHUB_TOKEN (of "
        "another host: GH_ENTERPRISE_TOKEN))"
    )
    assert asking.waits == [890] * 4
    github.repositories = FOUR


# --- asking for what did not change ----------------------------------------------------------------------------------


def statuses(host: Provider) -> list[bool]:
    """Of each request, whether it asks for what changed only."""
    return ["if-none-match" in headers for headers in host.headers]


def test_pages_that_are_as_they_were(github: Provider) -> None:
    """Are taken from the last time; the last page is asked for as a whole."""
    asking = Asking()
    first = asking.all(github)
    assert statuses(github) == [False, False]
    again = asking.all(github)
    assert again == first
    assert statuses(github) == [False, False, True, False]


def test_what_changed(github: Provider) -> None:
    """A page that changed is read anew."""
    asking = Asking()
    asking.all(github)
    github.repositories = [Hosted(9, "changed"), *FOUR]
    assert names(asking.all(github)) == ["acme/changed", *ALL]
    github.repositories = FOUR[:3]
    assert names(asking.all(github)) == ALL[:3]
    github.repositories = FOUR


def test_a_page_that_is_full_and_then_followed_by_one(github: Provider) -> None:
    """Though the full page itself is as it was, the new one is found."""
    asking = Asking()
    github.repositories = FOUR[:2]
    assert names(asking.all(github)) == ALL[:2]
    github.repositories = FOUR
    assert names(asking.all(github)) == ALL


def test_who_asks_with_another_login(github: Provider) -> None:
    """Does not see what the first one was told, nor does who has none."""
    shelf = Shelf()
    assert names(Asking(login("github"), shelf).all(github)) == ALL
    github.headers.clear()
    Asking(None, shelf).all(github)
    Asking(login("github", "another word"), shelf).all(github)
    assert statuses(github) == [False, False, False]
    assert not any(b"word-of-ada" in content or b"word-of-ada" in name.encode() for name, content in shelf.held.items())


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1, 2]", b'["\\"e\\"", {}, "no JSON"]', b'["\\"e\\"", 7, "[]"]', b"[" * 100_000, b"\xff\x00"],
    ids=["nothing", "no list", "two", "a page that is none", "no headers", "deep", "bytes"],
)
def test_damaged_pages(github: Provider, content: bytes) -> None:
    """Are asked for as if there was none."""
    shelf = Shelf()
    Asking(pages=shelf).all(github)
    shelf.held = dict.fromkeys(shelf.held, content)
    assert names(Asking(pages=shelf).all(github)) == ALL


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": "ümlaut"},
        {"ETag": '"a"\t"b"'},
        {"ETag": '"' + "x" * 5000 + '"'},
        {"ETag": '"e"', "Cache_Control": "No-Store"},
    ],
    ids=["no ETag", "two", "long", "not to be kept"],
)
def test_what_is_not_kept(github: Provider, headers: dict[str, str]) -> None:
    """A mark that could not be sent back, and what a host does not want to be kept."""
    link = f'<{github.url}/api/v3/organizations/7/repos?page=2>; rel="next"'
    github.mishap = lambda to, number: number == 0 and (answer(to, "[]", Link=link, **headers) or True)
    asking = Asking()
    asking.all(github)
    assert asking.pages.held == {}  # type: ignore[attr-defined]


def test_a_host_that_says_304_to_what_it_was_not_asked(github: Provider) -> None:
    """Nothing is known of before, and nothing was asked for under a condition."""
    github.mishap = always(304)
    assert names(Asking().all(github)) == [f"{urlsplit(github.url).netloc} answers 304"]


def test_projects_that_are_as_they_were() -> None:
    """Where the next page is stands in a header, which is kept with a page."""
    repositories = [Hosted(number, f"r{number}", f"p{number}") for number in range(3)]
    etags: list[bool] = []

    def mishap(to: BaseHTTPRequestHandler, _number: int) -> bool:
        if "/_apis/projects" not in to.path or "continuationToken" in to.path:
            return False
        etags.append("If-None-Match" in to.headers)
        if etags[-1]:
            answer(to, "", 304, ETag='"one"')
        else:
            answer(to, '{"value": [{"name": "p0"}]}', ETag='"one"', x_ms_continuationtoken="1")
        return True

    with provider("azure-devops", repositories, most=1, mishap=mishap) as host:
        asking = Asking()
        assert names(asking.all(host)) == names(asking.all(host)) == ["p0/r0", "p1/r1", "p2/r2"]
    assert etags == [False, True]
