"""Tokens of Slack and Discord: what kind one is, and whose."""

from __future__ import annotations

import base64
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks import chat_tokens

RANDOM = st.randoms(use_true_random=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("xoxb-1111111111-2222222222-" + "a" * 24, [("type", "bot token"), ("team", "1" * 10), ("user", "2" * 10)]),
        ("xoxb-2222222222-" + "a" * 24, [("type", "bot token"), ("user", "2" * 10)]),
        (
            "xoxp-1111111111-2222222222-3333333333-" + "a" * 32,
            [("type", "user token"), ("team", "1" * 10), ("user", "2" * 10)],
        ),
        (
            "xoxa-2-1111111111-2222222222-3333333333-" + "a" * 32,
            [("type", "workspace access token"), ("team", "1" * 10), ("user", "2" * 10)],
        ),
        ("xoxr-1111111111-" + "a" * 32, [("type", "workspace refresh token"), ("team", "1" * 10)]),
        ("xoxe-1-" + "a" * 140, [("type", "refresh token")]),
        ("xoxe.xoxb-1-" + "a" * 140, [("type", "bot token with rotation")]),
        ("xoxe.xoxp-1-" + "a" * 140, [("type", "user token with rotation, or app configuration token")]),
        (
            "xapp-1-A0123456789-1111111111-" + "a" * 64,
            [("type", "app-level token"), ("client_id", "A0123456789")],
        ),
        ("xoxq-1111111111-x", [("team", "1" * 10)]),
    ],
)
def test_a_slack_token_tells_its_kind_and_its_numbers(value: str, expected: list[tuple[str, str]]) -> None:
    """By the prefix; the numbers of workspace and user come first."""
    assert chat_tokens.slack_token(value.encode()) == expected


@pytest.mark.parametrize(
    ("path", "kind", "team"),
    [
        ("services/T0123456789/B0123456789/", "incoming webhook", "T0123456789"),
        ("workflows/T0123456789/A0123456789/123456789012345678/", "workflow webhook", "T0123456789"),
        ("triggers/E0123456789/1234567890123/", "workflow trigger", "E0123456789"),
    ],
)
def test_a_slack_webhook_tells_its_workspace(path: str, kind: str, team: str) -> None:
    """As plain text and as JSON escapes it; it can be written to, and no more."""
    url = "https://hooks.slack.com/" + path + "x" * 24
    expected = [("type", kind), ("team", team), ("privilege", "write")]
    assert chat_tokens.slack_webhook(url.encode()) == expected
    assert chat_tokens.slack_webhook(url.replace("/", "\\/").encode()) == expected


def discord(number: bytes) -> bytes:
    """A bot token with that text in its first part."""
    return base64.b64encode(number).rstrip(b"=") + b"." + b"x" * 6 + b"." + b"y" * 38


def test_a_discord_token_tells_the_bot_and_when_it_was_made() -> None:
    """The example of https://discord.com/developers/docs/reference#snowflakes."""
    expected = [("user", "175928847299117063"), ("created", "2016-04-30T11:18:25Z")]
    assert chat_tokens.discord_bot_token(discord(b"175928847299117063")) == expected


@pytest.mark.parametrize("text", [b"17592884729911706a", b"1" * 16, b"1" * 21, b"9" * 20, b"0" * 18, b"", b"\xff" * 13])
def test_what_holds_no_bots_number_is_dropped(text: bytes) -> None:
    """A number of 17 to 20 digits that fits in 64 bits."""
    assert chat_tokens.discord_bot_token(discord(text)) is None


@given(rng=RANDOM)
def test_fresh_discord_tokens_pass(rng: Random) -> None:
    """Those of the builder."""
    assert [name for name, _ in chat_tokens.discord_bot_token(samples.discord(rng)) or []] == ["user", "created"]


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(value: bytes) -> None:
    """Nothing is raised."""
    for prefix in (b"", b"xoxb-", b"xapp-", b"https://hooks.slack.com/services/T"):
        assert isinstance(chat_tokens.slack_token(prefix + value), list)
        assert isinstance(chat_tokens.slack_webhook(prefix + value), list)
    assert chat_tokens.discord_bot_token(value) is None
