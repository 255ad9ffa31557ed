"""Declared checks that ask several places, a secret that is a URL, and what a refusal means where."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
from git_repository import utc
from oakum.scanner import catalog
from oakum.scanner.catalog import verifications
from oakum.scanner.errors import DetectorError
from oakum.scanner.model import Detector, Verdict
from oakum.scanner.net import Outbound
from oakum.scanner.verification import Condition, Verification
from oakum.scanner.verify.credential import Credential, Named, UnaskedError
from oakum.scanner.verify.line import Clock, LaterError, Line, Lines, Pace
from oakum.scanner.verify.schemes import http
from servers import Asked, answer, told

Says = Callable[[BaseHTTPRequestHandler, int], None]


def takes(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, '{"user": "octocat"}')


def refuses(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, "{}", 401)


def is_busy(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, "", 503)


def is_unclear(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, "<html>", 403)


CHECK = Verification(
    auth="bearer",
    live=(Condition(status=(200,), json=(("user", ()),)),),
    dead=(Condition(status=(401,)),),
    tells=(("user", ("json:user",)),),
    hosts=("127.0.0.1",),
)
DETECTOR = next(d for d in catalog.load() if d.id == "gitlab-pat")


@contextmanager
def places(*says: Says) -> Iterator[tuple[list[str], list[Asked]]]:
    """Servers that say so, by their URLs."""
    with ExitStack() as stack:
        started = [stack.enter_context(told(one)) for one in says]
        yield [url for url, _ in started], [asked for _, asked in started]


def checked(check: Verification, urls: Sequence[str]) -> Detector:
    """A detector whose secrets are asked about at these URLs, in turn."""
    request, *others = (f"GET {url}/me" for url in urls)
    return replace(DETECTOR, verify=replace(check, request=request, others=tuple(others)))


def asked_about(credential: Credential, named: Sequence[str]) -> Verdict:
    """The verdict; the hosts are those that the user names."""
    check = credential.detector.verify
    assert check is not None
    names = Named.read(named)
    to = names.instead.get(credential.detector.provider)
    destinations = (to,) if to else http.destinations(credential, check)
    clock = Clock(utc(2027), time.monotonic())
    with Lines(Outbound(), names, Pace(), until=time.monotonic() + 10, answer=5, clock=clock) as lines:
        return http.ask(credential, check, Line(lines, credential, destinations))


def verdict(*says: Says, check: Verification = CHECK) -> tuple[str, str, list[int]]:
    """(state, reason or host, how often each place was asked) where places say so."""
    with places(*says) as (urls, asked):
        hosts = [url.removeprefix("http://") for url in urls]
        credential = Credential(checked(check, urls), b"s3cret-s3cret")
        state, told_of = "unknown", ""
        try:
            found = asked_about(credential, hosts)
            state, told_of = str(found.state), str(hosts.index(found.asked))
        except UnaskedError as error:
            told_of = str(error)
        except LaterError as error:
            state, told_of = "later", str(error)
        return state, told_of, [len(one.targets) for one in asked]


def test_the_first_that_takes_it_decides() -> None:
    """Those behind it are not asked any more."""
    assert verdict(refuses, takes, refuses) == ("live", "1", [1, 1, 0])


def test_all_must_refuse_what_is_dead() -> None:
    """A place that says nothing certain leaves it open."""
    assert verdict(refuses, refuses) == ("dead", "0", [1, 1])
    unclear = "something before it refuses (403)"
    assert verdict(refuses, is_unclear, refuses) == ("unknown", unclear, [1, 1, 1])


def test_a_busy_place_does_not_keep_the_others_from_telling() -> None:
    """But nothing is dead before it answered."""
    assert verdict(is_busy, takes) == ("live", "1", [1, 1])
    assert verdict(is_unclear, is_busy, refuses) == ("later", "it asks to come back later (503)", [1, 1, 1])


def test_a_refusal_means_nothing_where_no_dead_is_declared() -> None:
    """What is taken is live all the same."""
    open_check = replace(CHECK, dead=())
    assert verdict(takes, check=open_check) == ("live", "0", [1])
    unsaid = "it refuses, and does not say that the secret is wrong (401)"
    assert verdict(refuses, check=open_check) == ("unknown", unsaid, [1])


def test_a_host_that_only_stands_in_makes_nothing_dead() -> None:
    """It may belong to a server that was not found; where it was found, or the user names it, the refusal counts."""
    with places(refuses) as ((url,), _):
        place = url.removeprefix("http://")
        check = replace(CHECK, request=f"GET http://{{host|{place}}}/me")
        alone = Credential(replace(DETECTOR, verify=check), b"s3cret-s3cret")
        why = "it is not known there, and where it belongs was not found (--verify-host gitlab=HOST names that)"
        with pytest.raises(UnaskedError) as error:
            asked_about(alone, [place])
        assert str(error.value) == why
        assert asked_about(replace(alone, facts={"host": place}), [place]).state == "dead"
        assert asked_about(alone, [f"gitlab=http://{place}"]).state == "dead"


def test_a_host_that_only_stands_in_can_take_it() -> None:
    """That is certain."""
    with places(takes) as ((url,), _):
        place = url.removeprefix("http://")
        check = replace(CHECK, request=f"GET http://{{host|{place}}}/me")
        found = asked_about(Credential(replace(DETECTOR, verify=check), b"s3cret-s3cret"), [place])
        assert (found.state, found.reason, found.asked) == ("live", "user octocat", place)


def test_a_secret_that_is_a_url_is_asked_itself() -> None:
    """A made-up one is for the same host."""
    with places(takes) as ((url,), (asked,)):
        check = replace(CHECK, request="GET {secret}", auth="none", tells=())
        credential = Credential(replace(DETECTOR, verify=check), f"{url}/hooks/1/abc".encode())
        made_up = http.made_up(credential, b"https://other.test/hooks/2/def")
        for one in (credential, made_up):
            assert asked_about(one, [url.removeprefix("http://")]).state == "live"
        assert asked.targets == ["/hooks/1/abc", "/hooks/2/def"]


TABLE = {
    "request": ["GET https://api.acme.test/me", "GET https://api.eu.acme.test/me"],
    "auth": "bearer",
    "live": {"status": 200, "json": {"id": "*"}},
    "source": "https://acme.test/docs",
}


def test_all_hosts_of_a_list_are_the_providers() -> None:
    """They need not be named again."""
    verifications.require(TABLE, "acme.toml: acme")
    made = verifications.made(TABLE)
    assert (made.request, made.others) == ("GET https://api.acme.test/me", ("GET https://api.eu.acme.test/me",))
    assert (made.hosts, made.dead) == (("api.acme.test", "api.eu.acme.test"), ())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"request": []}, "request"),
        ({"request": ["GET https://api.acme.test/me", "GET http://api.eu.acme.test/me"]}, "request"),
        ({"request": ["GET https://api.acme.test/me", 1]}, "request"),
        ({"request": "GET {secret}", "auth": "none"}, "hosts"),
        ({"request": "GET {secret}", "hosts": ["acme.test"]}, "the secret must be sent once"),
        ({"request": "GET https://{secret}/", "auth": "none", "hosts": ["acme.test"]}, "request"),
        ({"dead": []}, "dead"),
    ],
)
def test_a_table_that_could_ask_wrongly_is_refused(change: dict[str, object], field: str) -> None:
    """With the field that is wrong."""
    with pytest.raises(DetectorError, match=rf"^acme\.toml: acme: verify: {field}"):
        verifications.require(TABLE | change, "acme.toml: acme")
