"""Declared checks that ask several places, a secret that is a URL, and what a refusal means where."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from git_repository import utc
from oakum.scanner import catalog
from oakum.scanner.catalog import verifications
from oakum.scanner.errors import DetectorError
from oakum.scanner.model import Detector, Verdict
from oakum.scanner.net import Outbound
from oakum.scanner.verification import Condition, Verification
from oakum.scanner.verify.credential import Credential, Named, UnaskedError
from oakum.scanner.verify.line import Clock, Line, Lines, Pace
from oakum.scanner.verify.schemes import http
from providing import (
    DEAD,
    LIVE,
    Answering,
    Provider,
    Seen,
    addresses,
    ask,
    finding,
    github,
    instead,
    knows,
    options,
    provider,
    reply,
    resets,
    silent,
)
from providing import says as says_in_turn
from scanning import Fresh
from servers import Asked, answer, told

Says = Callable[[BaseHTTPRequestHandler, int], None]


def takes(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, '{"user": "octocat"}')


def refuses(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, "{}", 401)


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


@dataclass
class Regions:
    """A provider with several hosts, each of which says something of a secret, and something of any other."""

    hosts: list[str]
    secret: bytes
    says: Sequence[tuple[bytes | Answering, bytes | Answering]]
    server: Provider = field(default_factory=Provider)

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        said = self.says[self.hosts.index(seen.host)][self.secret.decode() not in seen.text]
        if isinstance(said, bytes):
            writer.write(said)
        else:
            await said(seen, writer)

    def detector(self, *, gone: int = -1, **changes: Any) -> Detector:
        """One whose secrets are asked about at all of them, in turn; in the place of one may be a host that is gone."""
        urls = [f"http://{host}:{self.server.port}" for host in self.hosts]
        urls = [f"https://{GONE}" if n == gone else url for n, url in enumerate(urls)]
        request, *others = (f"GET {url}/user" for url in urls)
        return github(request=request, others=tuple(others), hosts=(GONE,), **changes)

    def had(self) -> list[tuple[int, int]]:
        """How often each had the secret, and something made up."""
        seen = [(one.host, self.secret.decode() in one.text) for one in self.server.seen]
        return [(seen.count((host, True)), seen.count((host, False))) for host in self.hosts]


@contextmanager
def regions(secret: bytes, *says: bytes | Answering | tuple[bytes | Answering, bytes | Answering]) -> Iterator[Regions]:
    """They run; where nothing else is given, what is made up is refused."""
    each = [one if isinstance(one, tuple) else (one, one if one in UNRELIABLE else DEAD) for one in says]
    made = Regions(addresses(len(says)), secret, each)
    with provider(made, made.hosts) as server:
        made.server = server
        yield made


GONE = "gone.invalid"


def verdict(made: Regions, **changes: Any) -> tuple[str, str]:
    """State and reason."""
    named = frozenset((host, made.server.port) for host in made.hosts)
    (found,) = ask([finding(made.detector(**changes), made.secret)], options(Named(named), answer=0.2))
    return found.state, found.reason.replace(f":{made.server.port}", "")


BUSY = reply("", 503)
UNCLEAR = reply("<html>", 403)
UNRELIABLE = (BUSY, UNCLEAR, silent)


def test_the_first_that_takes_it_decides(fresh: Fresh) -> None:
    """Those behind it are not asked any more. Each is tried with something made up, which it is again where it took
    the secret."""
    with regions(fresh(), DEAD, LIVE, DEAD) as made:
        assert verdict(made) == ("live", "user octocat")
        assert made.had() == [(1, 1), (1, 2), (0, 0)]


def test_all_must_refuse_what_is_dead(fresh: Fresh) -> None:
    """A place that says nothing certain leaves it open."""
    with regions(fresh(), DEAD, DEAD) as made:
        assert verdict(made) == ("dead", f"{made.hosts[0]} refuses it (401)")
    with regions(fresh(), DEAD, (UNCLEAR, DEAD), DEAD) as made:
        assert verdict(made) == ("unknown", f"{made.hosts[1]}: something before it refuses (403)")
        assert made.had() == [(1, 1)] * 3


@pytest.mark.long
@pytest.mark.parametrize("bad", [BUSY, silent, resets, UNCLEAR, LIVE, reply("{}", 404)])
def test_a_bad_place_does_not_keep_the_others_from_telling(bad: bytes | Answering, fresh: Fresh) -> None:
    """Before them or behind them; it gets nothing real, and is to blame where no other takes the secret."""
    for place in range(3):
        says: list[bytes | Answering | tuple[bytes | Answering, bytes | Answering]] = [DEAD, DEAD]
        with regions(fresh(), *says[:place], (bad, bad), *says[place:]) as made:
            state, reason = verdict(made)
            assert (state, reason.partition(" ")[0].rstrip(":")) == ("unknown", made.hosts[place])
            assert [had[0] for had in made.had()] == [int(n != place) for n in range(3)]
        with regions(fresh(), *says[1:place], (bad, bad), *says[max(place, 1) :], LIVE) as made:
            assert verdict(made) == ("live", "user octocat")


def test_a_place_that_cannot_be_reached(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is to blame itself, and no other."""
    look_up = socket.getaddrinfo

    def none(host: Any, *rest: Any, **more: Any) -> Any:
        if host == GONE:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", none)
    with regions(fresh(), DEAD, DEAD, LIVE) as made:
        assert verdict(made, gone=1) == ("live", "user octocat")
        assert verdict(made, gone=0) == ("live", "user octocat")
        state, reason = verdict(made, gone=2)
        assert (state, reason.partition(":")[0]) == ("unknown", GONE)


def test_a_silent_place_is_left_alone_and_no_other(fresh: Fresh) -> None:
    """However many secrets there are: it gets none, and the others tell of all."""
    secrets = [fresh() for _ in range(12)]
    with regions(secrets[0], DEAD, (silent, silent), DEAD) as made:
        named = Named(frozenset((host, made.server.port) for host in made.hosts))
        detector = made.detector()
        verdicts = ask([finding(detector, secret) for secret in secrets], options(named, answer=0.1))
        assert {v.state for v in verdicts} == {"unknown"}
        assert all(v.reason.startswith(f"{made.hosts[1]} did not answer 3 times in a row") for v in verdicts)
        assert [sum(s.host == host for s in made.server.seen) for host in made.hosts] == [13, 3, 13]


def test_a_place_that_takes_anything_is_not_believed_while_another_is(fresh: Fresh) -> None:
    """It gets nothing real."""
    with regions(fresh(), (LIVE, LIVE), LIVE) as made:
        assert verdict(made) == ("live", "user octocat")
        assert made.had() == [(0, 1), (1, 2)]


def test_a_place_that_is_busy_is_asked_again_after_the_others(fresh: Fresh) -> None:
    """Nothing is dead before it answered."""
    with regions(fresh(), says_in_turn(BUSY, DEAD), DEAD) as made:
        assert verdict(made) == ("dead", f"{made.hosts[1]} refuses it (401)")
        assert made.had() == [(2, 1), (1, 1)]


def test_a_refusal_means_nothing_where_no_dead_is_declared(fresh: Fresh) -> None:
    """What is taken is live all the same; what failed is said before what refused."""
    with regions(fresh(), LIVE) as made:
        assert verdict(made, dead=()) == ("live", "user octocat")
    with regions(fresh(), DEAD, DEAD) as made:
        unsaid = f"{made.hosts[0]}: it refuses, and does not say that the secret is wrong (401)"
        assert verdict(made, dead=()) == ("unknown", unsaid)
    with regions(fresh(), DEAD, (reply("{}", 404), DEAD)) as made:
        assert verdict(made, dead=()) == ("unknown", f"{made.hosts[1]}: it answers 404")


def test_what_two_places_ask_alike_is_asked_once(fresh: Fresh) -> None:
    """Where the user names one host in place of all; what they ask for otherwise is not the same."""
    secret = fresh()
    for second, asked in (("/user", 1), ("/other", 2)):
        with provider(knows()) as server:
            others = (f"GET https://eu.github.test{second}",)
            detector = github(request="GET https://api.github.com/user", others=others)
            (found,) = ask([finding(detector, secret)], options(instead(server.port)))
            assert (found.state, server.had(secret)) == ("dead", asked)


def test_what_is_seen_of_one_client_says_nothing_of_another(fresh: Fresh) -> None:
    """A client that takes any secret is not believed; others of the same host are."""
    secrets = [fresh() for _ in range(4)]

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        known = "client=open" in seen.target or any(secret.decode() in seen.text for secret in secrets)
        writer.write(LIVE if known else DEAD)

    detector = github(request="GET https://api.github.com/user?client={client_id}")
    with provider(answer) as server:
        clients = zip(secrets, ("open", "one", "open", "one"), strict=True)
        found = [finding(detector, secret, client_id=client) for secret, client in clients]
        verdicts = ask(found, options(instead(server.port)))
        assert [v.state for v in verdicts] == ["unknown", "live", "unknown", "live"]
        assert [server.had(secret) for secret in secrets] == [0, 1, 0, 1]
        assert sum("client=open" in seen.target for seen in server.seen) == 1


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
