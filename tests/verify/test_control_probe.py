"""A host is believed only while it refuses made-up secrets, and gets a real one only after it did."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from oakum.scanner.model import Verdict
from oakum.scanner.verification import Condition
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
        (reply("{}", 404), "it answers 404"),
        (reply("{}", 405), "it answers 405"),
        (reply("{}", 407), "it answers 407"),
        (reply("{}", 418), "it answers 418"),
        (reply("{}", 421), "it answers 421"),
        (reply("{}", 451), "it answers 451"),
        (reply("<html>blocked</html>", 403), "something before it refuses (403)"),
        (reply(" \n<!DOCTYPE html>", 401), "something before it refuses (401)"),
        (reply("Sign in", 401, Content_Type="text/html"), "something before it refuses (401)"),
        (reply("<html>no</html>", 400), "it answers 400"),
        (reply("{}", 401, WWW_Authenticate="Negotiate"), "something before it refuses (401)"),
        (reply("{}", 401, WWW_Authenticate='Basic realm="x", NTLM'), "something before it refuses (401)"),
        (
            reply("{}", 401, WWW_Authenticate="Negotiate\r\nWWW-Authenticate: Basic realm=x"),
            "something before it refuses (401)",
        ),
    ],
)
def test_a_probe_that_is_not_refused(said: bytes, why: str, fresh: Fresh) -> None:
    """What answers something else to a made-up secret than a provider gets no real one, and is asked once."""
    secrets = [fresh() for _ in range(5)]
    with provider(says(said)) as server:
        verdicts = asked(server, secrets)
    assert {v.reason for v in verdicts} == {
        f"127.0.0.1: it does not refuse a made-up secret as the provider would: {why}"
    }
    assert len(server.seen) == 1
    assert [server.had(secret) for secret in secrets] == [0] * 5


@pytest.mark.parametrize(
    "said",
    [
        reply("{}", 400),
        reply("", 401),
        reply("no", 403, Content_Type="text/plain"),
        reply("{}", 422),
        reply("<Error/>", 403, Content_Type="application/xml"),
        reply("{}", 401, WWW_Authenticate='Bearer realm="negotiate"'),
    ],
)
def test_a_refusal_without_a_word_is_one_for_a_made_up_secret(said: bytes, fresh: Fresh) -> None:
    """It may mean that the made-up one is of the wrong form."""
    secret = fresh()
    known = knows(secret)

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if secret.decode() in seen.text:
            await known(seen, writer)
        else:
            writer.write(said)

    with provider(answer) as server:
        assert [v.state for v in asked(server, [secret])] == ["live"]


@pytest.mark.parametrize(
    "said",
    [
        reply("<html>Sign in with SSO</html>", 401),
        reply("{}", 401, Content_Type="text/html; charset=utf-8"),
        reply("{}", 401, WWW_Authenticate="Negotiate"),
        reply("{}", 401, WWW_Authenticate='NTLM\r\nWWW-Authenticate: Basic realm="x"'),
    ],
)
def test_a_status_alone_says_dead_only_where_the_provider_answers(said: bytes, fresh: Fresh) -> None:
    """A gateway or a login page before it refuses all alike; what the provider says in words counts in any dress."""
    secret = fresh()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(said if secret.decode() in seen.text else DEAD)

    alone, words = (Condition((401,)),), (Condition((401,), body="i"), Condition((401,), body="{}"))
    with provider(answer) as server:
        chosen = options(instead(server.port))
        verdicts = [ask([finding(github(dead=dead), secret)], chosen)[0] for dead in (alone, words)]
    assert [(v.state, v.reason) for v in verdicts] == [
        ("unknown", "127.0.0.1: something before it refuses (401)"),
        ("dead", f"127.0.0.1:{server.port} refuses it (401)"),
    ]


def test_a_refusal_that_need_not_lie_in_the_secret(fresh: Fresh) -> None:
    """It is one of a made-up secret, with any status, and kills no real one; where `dead` holds, too, that counts."""
    secret = fresh()
    refused, dead = Condition((200,), (("error", ("not_here",)),)), Condition((200,), (("revoked", (True,)),))
    with provider(says(reply('{"error": "not_here", "revoked": true}'))) as server:
        chosen = options(instead(server.port))
        verdicts = [
            ask([finding(github(refused=(refused,), dead=certain), secret)], chosen)[0] for certain in ((), (dead,))
        ]
        assert server.had(secret) == 2
    assert [(v.state, v.reason) for v in verdicts] == [
        ("unknown", "127.0.0.1: it refuses it, for a reason that need not lie in the secret (200)"),
        ("dead", f"127.0.0.1:{server.port} refuses it (200)"),
    ]


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
