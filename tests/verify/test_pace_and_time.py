"""How fast hosts are asked, how long anything is waited for, and that a slow host holds up only itself."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from typing import Literal

import pytest
from oakum.scanner.catalog import look_alike
from oakum.scanner.model import RankedFinding, Verdict
from oakum.scanner.verification import Verification
from oakum.scanner.verify import Named, Plan, Question, VerifyOptions, plan
from oakum.scanner.verify.asking import ask_all
from oakum.scanner.verify.credential import Credential, Destination, UnaskedError
from oakum.scanner.verify.line import Line
from providing import (
    DEAD,
    LIVE,
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
    says,
    silent,
)
from scanning import Fresh

pytestmark = pytest.mark.long


def for_hosts(found: list[RankedFinding], hosts: list[str], port: int, chosen: VerifyOptions) -> Plan:
    """A plan that spreads the findings over hosts."""
    planned = plan(found, chosen)
    spread = tuple(
        replace(question, destinations=(Destination("http", hosts[n % len(hosts)], port),))
        for n, question in enumerate(planned.questions)
    )
    return replace(planned, questions=spread)


class Spread:
    """A scheme that asks over HTTP as declared, at the host that its finding names."""

    PROBE: Literal["each", "host", "never"] = "each"

    def destinations(self, credential: Credential, _check: Verification) -> tuple[Destination, ...]:
        return (Destination("http", credential.facts["host"], int(credential.facts["port"])),)

    def ask(self, credential: Credential, check: Verification, line: Line) -> Verdict:
        from oakum.scanner.net.http import Request
        from oakum.scanner.net.urls import Url

        to = self.destinations(credential, check)[0]
        url = Url(to.scheme, str(to), "/user")
        answer = line.send(Request(url, {"Authorization": f"Bearer {credential.text}"}, signed=True))
        if answer.status not in (200, 401):
            raise UnaskedError(f"it answers {answer.status}")
        return Verdict("live" if answer.status == 200 else "dead", "said")

    def made_up(self, credential: Credential, value: bytes) -> Credential:
        return credential.with_value(value)

    def user(self, credential: Credential) -> str:
        return credential.facts.get("user", "")


class Logins(Spread):
    """The same for a login: a host is probed once, and a user tried once."""

    PROBE: Literal["each", "host", "never"] = "host"


def questions(
    scheme: Spread, secrets: list[bytes], hosts: list[str], port: int, users: list[str] | None = None
) -> Plan:
    """Questions about secrets, spread over hosts."""
    detector = github()
    made: list[Question] = []
    for n, secret in enumerate(secrets):
        facts = {"host": hosts[n % len(hosts)], "port": str(port)} | ({"user": users[n]} if users else {})
        credential = Credential(detector, secret, facts)
        made.append(Question(n, credential, scheme, scheme.destinations(credential, Verification()), f"name-{n}"))
    return Plan(tuple(made), {})


def named(hosts: list[str], port: int) -> Named:
    """The hosts are the user's."""
    return Named(frozenset((host, port) for host in hosts))


def asked(planned: Plan, chosen: VerifyOptions) -> list[Verdict]:
    """The verdict of each question."""
    verdicts = dict(ask_all(planned, chosen, look_alike))
    return [verdicts[question.place] for question in planned.questions]


# --- many hosts ------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_many_hosts_take_as_long_as_the_slowest(fresh: Fresh) -> None:
    """2,000 secrets on 50 hosts, of which one answers much later than the others."""
    hosts = addresses(50, net=20)
    secrets = [fresh() for _ in range(2000)]

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4 if seen.host == hosts[0] else 0.05)
        writer.write(DEAD)

    with provider(answer, hosts) as server:
        chosen = options(named(hosts, server.port), seconds=120)
        begun = time.monotonic()
        alone = asked(questions(Spread(), secrets[::50], hosts[:1], server.port), chosen)
        slowest = time.monotonic() - begun
        begun = time.monotonic()
        verdicts = asked(questions(Spread(), secrets, hosts, server.port), chosen)
        all_of_them = time.monotonic() - begun
    assert Counter(v.state for v in alone + verdicts) == {"dead": 2040}
    assert all_of_them < 3 * slowest + 3


def test_hosts_that_hang_hold_up_nobody(fresh: Fresh) -> None:
    """More of them than there are threads."""
    hosts = addresses(200, net=30)
    secrets = [fresh() for _ in range(220)]
    quick = hosts[-20:]

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.host in quick:
            writer.write(DEAD)
        else:
            await asyncio.sleep(3600)

    with provider(answer, hosts) as server:
        begun = time.monotonic()
        planned = questions(Spread(), secrets[:200], hosts, server.port)
        verdicts = asked(planned, options(named(hosts, server.port), answer=0.3, seconds=60))
        took = time.monotonic() - begun
    assert [v.state for v in verdicts] == ["unknown"] * 180 + ["dead"] * 20
    assert took < 15


def test_a_pause_of_one_host_leaves_its_thread_to_others(fresh: Fresh) -> None:
    """A host asks for a pause of a second while 300 others wait for their turn."""
    hosts = addresses(300, net=40)
    secrets = [fresh() for _ in range(300)]
    pausing = set(hosts[:150])

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.host in pausing:
            writer.write(reply("", 429, Retry_After="1"))
        else:
            writer.write(DEAD)

    with provider(answer, hosts) as server:
        begun = time.monotonic()
        when: dict[int, float] = {}
        planned = questions(Spread(), secrets, hosts, server.port)
        for place, _ in ask_all(planned, options(named(hosts, server.port), seconds=60), look_alike):
            when[place] = time.monotonic() - begun
    last_quick = max(when[place] for place in range(150, 300))
    first_slow = min(when[place] for place in range(150))
    assert last_quick < first_slow
    assert max(when.values()) < 20


def test_each_host_is_kept_to_its_rate(fresh: Fresh) -> None:
    """However many threads ask it."""
    hosts = addresses(3, net=50)
    secrets = [fresh() for _ in range(30)]
    times: dict[str, list[float]] = {host: [] for host in hosts}

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        times[seen.host].append(time.monotonic())
        writer.write(DEAD)

    with provider(answer, hosts) as server:
        planned = questions(Spread(), secrets, hosts, server.port)
        slow = replace(planned.questions[0].credential.detector, verify=Verification(rate=20))
        slowly = tuple(replace(q, credential=replace(q.credential, detector=slow)) for q in planned.questions)
        asked(Plan(slowly, {}), options(named(hosts, server.port)))
    for host in hosts:
        assert len(times[host]) == 11
        assert times[host][-1] - times[host][0] >= 0.9 * 10 / 20


# --- later ------------------------------------------------------------------------------------------------------------


def test_a_pause_that_is_asked_for_is_kept(fresh: Fresh) -> None:
    """Nobody asks that host meanwhile."""
    secrets = [fresh() for _ in range(6)]
    times: list[float] = []
    known = knows(*secrets)

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            writer.write(reply("", 429, Retry_After="1"))
        else:
            await known(seen, writer)

    with provider(answer) as server:
        verdicts = ask([finding(github(), secret) for secret in secrets], options(instead(server.port)))
    assert [v.state for v in verdicts] == ["live"] * 6
    assert times[1] - times[0] >= 0.99


@pytest.mark.parametrize(
    "after", ["1000000000", "121", "99999999999999999999", "Fri, 31 Dec 2027 23:59:59 GMT", "-1", "x"]
)
def test_a_pause_that_is_too_long_is_not_waited_for(after: str, fresh: Fresh) -> None:
    """It ends as unknown, at once; after three in a row the host is left alone."""
    found = [finding(github(), fresh()) for _ in range(50)]
    with provider(says(reply("", 429, Retry_After=after))) as server:
        begun = time.monotonic()
        verdicts = ask(found, options(instead(server.port), seconds=600))
        assert time.monotonic() - begun < 5
        assert len(server.seen) <= 6
    assert {v.state for v in verdicts} == {"unknown"}
    assert all("it asks to come back later (429)" in v.reason for v in verdicts)


@pytest.mark.parametrize("said", [reply("", 503), reply("", 500), reply("", 429)])
def test_a_host_that_always_says_later_is_left_alone(said: bytes, fresh: Fresh) -> None:
    """It is not asked thrice about each of a thousand secrets."""
    found = [finding(github(), fresh()) for _ in range(1000)]
    with provider(says(DEAD, DEAD, said)) as server:
        verdicts = ask(found, options(instead(server.port)))
        assert len(server.seen) < 40
    assert Counter(v.state for v in verdicts) == {"dead": 1, "unknown": 999}
    assert all("6 times in a row, and was left alone" in v.reason for v in verdicts if v.state == "unknown")


def test_a_hiccup_is_no_silence(fresh: Fresh) -> None:
    """What breaks while several ask at once is one failure, and all of them are asked again."""
    secrets = [fresh() for _ in range(60)]
    known = knows(*secrets)
    asked_for = Counter[str]()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        asked_for["all"] += 1
        if asked_for["all"] in (20, 21, 22, 23):
            await asyncio.sleep(0.2)
            await resets(seen, writer)
        else:
            await known(seen, writer)

    with provider(answer) as server:
        verdicts = ask([finding(github(), secret) for secret in secrets], options(instead(server.port)))
    assert [v.state for v in verdicts] == ["live"] * 60


def test_a_silent_host_is_left_alone(fresh: Fresh) -> None:
    """After three times; what waits for it is told so."""
    found = [finding(github(), fresh()) for _ in range(500)]
    with provider(silent) as server:
        verdicts = ask(found, options(instead(server.port), answer=0.1))
        assert len(server.seen) == 3
    assert {v.reason for v in verdicts} == {
        "127.0.0.1 did not answer 3 times in a row, and was left alone (it does not answer in time)"
    }


# --- once -------------------------------------------------------------------------------------------------------------


def test_each_value_is_asked_once_in_a_run(fresh: Fresh) -> None:
    """However often it is in the list; all of them get its verdict."""
    secrets = [fresh(), fresh()]
    with provider(knows(secrets[0])) as server:
        verdicts = ask([finding(github(), secrets[n % 2]) for n in range(20)], options(instead(server.port)))
        assert [v.state for v in verdicts] == ["live", "dead"] * 10
        assert [server.had(secret) for secret in secrets] == [1, 1]


def test_each_user_of_a_host_is_tried_once(fresh: Fresh) -> None:
    """However he is written, with whatever password; and a host is probed once for all of its users."""
    hosts = addresses(2, net=60)
    users = ["root", "root", "Root", "root", "admin", "admin", "guest", "guest"]
    secrets = [fresh() for _ in users]
    with provider(knows(), hosts) as server:
        planned = questions(Logins(), secrets, hosts, server.port, users)
        verdicts = asked(planned, options(named(hosts, server.port)))
        assert len(server.seen) == 2 + 6
        assert sum(server.had(secret) for secret in secrets) == 6
    tried_before = "that user was tried there already, and one try is all, to lock nobody out"
    assert Counter((v.state, v.reason.partition(": ")[2]) for v in verdicts) == {
        ("dead", ""): 6,
        ("unknown", tried_before): 2,
    }


def test_a_login_that_breaks_off_is_not_tried_again(fresh: Fresh) -> None:
    """The password may have been tried."""
    secret = fresh()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if secret.decode() in seen.text:
            await resets(seen, writer)
        else:
            writer.write(DEAD)

    with provider(answer) as server:
        planned = questions(Logins(), [secret], ["127.0.0.1"], server.port, ["root"])
        (verdict,) = asked(planned, options(named(["127.0.0.1"], server.port)))
        assert server.had(secret) == 1
    assert verdict.state == "unknown"


# --- time -------------------------------------------------------------------------------------------------------------


def test_all_of_it_ends_in_its_time(fresh: Fresh) -> None:
    """What was not asked until then says so, and nothing more is sent."""
    secrets = [fresh() for _ in range(400)]
    with provider(knows(delay=0.1)) as server:
        begun = time.monotonic()
        verdicts = ask([finding(github(), secret) for secret in secrets], options(instead(server.port), seconds=0.7))
        assert time.monotonic() - begun < 3
        sent = len(server.seen)
        time.sleep(0.3)
        assert len(server.seen) <= sent + 4
    counts = Counter((v.state, v.reason) for v in verdicts)
    assert sum(counts.values()) == 400
    assert set(counts) <= {
        ("dead", f"127.0.0.1:{server.port} refuses it (401)"),
        ("unknown", "the time for verification is over (--verify-seconds)"),
    }
    assert len(counts) == 2


def test_nothing_is_sent_after_somebody_stopped_it(fresh: Fresh) -> None:
    """As Ctrl-C does: what waits for its turn, or for its rate, does not wake up to send."""
    secrets = [fresh() for _ in range(100)]
    detector = github(rate=10)
    with provider(knows()) as server:
        chosen = options(instead(server.port))
        planned = plan([finding(detector, secret) for secret in secrets], chosen)
        asking = ask_all(planned, chosen, look_alike)
        next(asking)
        asking.close()
        time.sleep(0.1)
        sent = len(server.seen)
        time.sleep(0.6)
        assert (len(server.seen), sent < 10) == (sent, True)


def test_a_scheme_that_fails_loses_only_its_own(fresh: Fresh) -> None:
    """An error in its code is told, and ends nothing."""

    class Broken(Spread):
        def ask(self, credential: Credential, check: Verification, line: Line) -> Verdict:
            raise ZeroDivisionError(credential.text)

    with provider(knows()) as server:
        broken = questions(Broken(), [fresh()], ["127.0.0.1"], server.port).questions[0]
        sound = questions(Spread(), [fresh(), fresh()], ["127.0.0.1"], server.port).questions[1]
        verdicts = asked(Plan((broken, sound), {}), options(named(["127.0.0.1"], server.port)))
    assert [(v.state, v.reason) for v in verdicts] == [
        ("unknown", "an error in oakum (ZeroDivisionError); please report it"),
        ("dead", "said"),
    ]


def test_connections_are_no_more_than_threads(fresh: Fresh) -> None:
    """And none of them stays open afterwards."""
    import os

    hosts = addresses(400, net=70)
    secrets = [fresh() for _ in range(400)]
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    most = 0

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        most = max(most, len(server.open))
        writer.write(LIVE if most < 0 else DEAD)

    with provider(answer, hosts) as server:
        verdicts = asked(questions(Spread(), secrets, hosts, server.port), options(named(hosts, server.port)))
        assert {v.state for v in verdicts} == {"dead"}
        until = time.monotonic() + 5
        while server.open and time.monotonic() < until:
            time.sleep(0.05)
        assert server.open == set()
    assert most <= 128
    assert not before or len(os.listdir("/proc/self/fd")) <= before + 3
