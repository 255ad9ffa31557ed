"""Checks on the tokens of chat services: what kind one is, and whose."""

from __future__ import annotations

import re

from .decoding import from_base64, moment

_SLACK_TYPES = {
    b"xoxb": "bot token",
    b"xoxp": "user token",
    b"xoxa": "workspace access token",
    b"xoxr": "workspace refresh token",
    b"xoxe": "refresh token",
    b"xoxe.xoxb": "bot token with rotation",
    b"xoxe.xoxp": "user token with rotation, or app configuration token",
    b"xapp": "app-level token",
}


def slack_token(value: bytes) -> list[tuple[str, str]]:
    """A Slack token: its kind, the number of the workspace and of the user or bot where it holds them; drops nothing.

    Source of the kinds: https://docs.slack.dev/authentication/tokens; that the first numbers are those of workspace and
    user (a bot token of the older form has the bot's alone) is from observation. App-level tokens name their app.
    """
    kind, _, rest = value.partition(b"-")
    facts = [("type", _SLACK_TYPES[kind])] if kind in _SLACK_TYPES else []
    app = re.match(rb"\d-(A[A-Z0-9]{8,12})-", rest)
    if kind == b"xapp" and app:
        return [*facts, ("client_id", app[1].decode())]
    numbers = [number.decode() for number in re.findall(rb"(?<![^-])\d{8,14}(?=-)", rest)]
    names = ["user"] if kind == b"xoxb" and len(numbers) == 1 else ["team", "user"]
    return [*facts, *zip(names, numbers, strict=False)]


_SLACK_HOOKS = {b"services": "incoming webhook", b"workflows": "workflow webhook", b"triggers": "workflow trigger"}


def slack_webhook(value: bytes) -> list[tuple[str, str]]:
    """A Slack webhook URL: its kind and its workspace (`T…`) or organization (`E…`); drops nothing.

    It only takes messages. Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    """
    found = re.search(rb"/(services|workflows|triggers)/([TE][A-Z0-9]{8,12})/", value.replace(b"\\", b""))
    if not found:
        return []
    return [("type", _SLACK_HOOKS[found[1]]), ("team", found[2].decode()), ("privilege", "write")]


_DISCORD_EPOCH = 1420070400000
"""Milliseconds from 1970 to 2015: Discord's ids count from then."""


def discord_bot_token(value: bytes) -> list[tuple[str, str]] | None:
    """A Discord bot token: its first part is base64 of the bot's number, which tells when the bot was made.

    Source: https://discord.com/developers/docs/reference#snowflakes. That the first part is that number is what every
    library for bots relies on; the second part, once a time, no longer is one.
    """
    user = from_base64(value.partition(b".")[0]) or b""
    if not re.fullmatch(rb"[1-9][0-9]{16,19}", user) or int(user) >= 1 << 64:
        return None
    created = moment(((int(user) >> 22) + _DISCORD_EPOCH) // 1000)
    return [("user", user.decode()), ("created", created)]
