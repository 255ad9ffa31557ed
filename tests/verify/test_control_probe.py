"""A host is believed only while it refuses made-up secrets, and gets a real one only after it did."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from oakum.scanner.model import Verdict
from providing import (
    DEAD,
    LIVE,
    Provider,
    Seen,
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


def asked(server: Provider, secrets: list[bytes], **changes: float) -> list[Verdict]:
    """The verdicts on secrets."""
    return ask([finding(github(), secret) for secret in secrets], options(instead(server.port), **changes))


def test_what_accepts_anything_gets_nothing_real(fresh: Fresh) -> None:
    """Twenty secrets, one made-up one that is taken, and nothing more is sent."""
    secrets = [fresh() for _ in range(20)]
    with provider(says(LIVE)) as server:
        verdicts = asked(server, secrets)
    assert {(v.state, v.reason) for v in verdicts} == {
        ("unknown", "127.0.0.1: accepts anything: a made-up secret, too")
    }
    assert len(server.seen) == 1
    assert [server.had(secret) for secret in secrets] == [0] * 20


def test_what_accepts_anything_later_is_not_believed_from_then_on(fresh: Fresh) -> None:
    """Each time that something is taken, something made up is tried again."""
    secrets = [fresh() for _ in range(40)]
    known = knows(*secrets)
    count = Counter[str]()

    async def begins_to_lie(seen: Seen, writer: asyncio.StreamWriter) -> None:
        count["asked"] += 1
        if count["asked"] < 15:
            await known(seen, writer)
        else:
            writer.write(LIVE)

    with provider(begins_to_lie) as server:
        verdicts = asked(server, secrets)
    reasons = Counter(v.reason for v in verdicts)
    assert {v.reason for v in verdicts if v.state != "live"} == {"127.0.0.1: accepts anything: a made-up secret, too"}
    assert 1 <= reasons["user octocat"] <= 7
    assert sum(server.had(secret) for secret in secrets) <= 15


def test_a_probe_that_gets_no_answer(fresh: Fresh) -> None:
    """Nothing real is sent."""
    secrets = [fresh() for _ in range(5)]
    for answering in (silent, resets):
        with provider(answering) as server:
            verdicts = asked(server, secrets, answer=0.1)
        assert {v.state for v in verdicts} == {"unknown"}
        assert all("did not answer 3 times in a row, and was left alone" in v.reason for v in verdicts)
        assert [server.had(secret) for secret in secrets] == [0] * 5
        assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (reply("<html>hello</html>"), "its answer is not as the provider describes it (200)"),
        (reply("", 302, Location="https://example.org/"), "it redirects (302), which is not followed"),
        (reply("", 204), "its answer is not as the provider describes it (204)"),
    ],
)
def test_a_probe_that_is_not_refused(said: bytes, why: str, fresh: Fresh) -> None:
    """What answers something else to a made-up secret gets no real one, and is asked once."""
    secrets = [fresh() for _ in range(5)]
    with provider(says(said)) as server:
        verdicts = asked(server, secrets)
    assert {v.reason for v in verdicts} == {f"127.0.0.1: it does not refuse a made-up secret: {why}"}
    assert len(server.seen) == 1


def test_a_refusal_without_a_word_is_one_for_a_made_up_secret(fresh: Fresh) -> None:
    """It may mean that the made-up one is of the wrong form."""
    secret = fresh()
    known = knows(secret)

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if secret.decode() in seen.text:
            await known(seen, writer)
        else:
            writer.write(reply("", 404))

    with provider(answer) as server:
        assert [v.state for v in asked(server, [secret])] == ["live"]


def test_a_live_one_whose_second_probe_is_put_off(fresh: Fresh) -> None:
    """Only the probe is sent again, not the secret."""
    secret = fresh()
    with provider(says(DEAD, LIVE, reply("", 429), reply("", 503), DEAD)) as server:
        verdicts = asked(server, [secret])
    assert [(v.state, v.reason) for v in verdicts] == [("live", "user octocat")]
    assert (server.had(secret), len(server.seen)) == (1, 5)
    with provider(says(DEAD, LIVE, reply("", 429))) as server:
        verdicts = asked(server, [secret])
    assert [(v.state, v.reason) for v in verdicts] == [
        (
            "unknown",
            "127.0.0.1: it asks to come back later (429), 3 times; it took the secret, but whether it takes anything "
            "could not be tried",
        )
    ]
    assert (server.had(secret), verdicts[0].facts) == (1, ())


def test_a_second_probe_after_the_time_is_over(fresh: Fresh) -> None:
    """What could not be tried is not believed."""
    secret = fresh()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if secret.decode() in seen.text:
            writer.write(LIVE)
        elif len(server.seen) > 2:
            await asyncio.sleep(3600)
        else:
            writer.write(DEAD)

    with provider(answer) as server:
        verdicts = asked(server, [secret], seconds=0.5)
    assert [(v.state, v.reason) for v in verdicts] == [
        ("unknown", "the time for verification is over (--verify-seconds)")
    ]
