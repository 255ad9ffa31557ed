"""What hosts say of their limits: whether to ask again, and when.

Sources: RFC 9110, 10.2.3 (`Retry-After`); https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
("Exceeding the rate limit": 403 or 429, and a header that is 0, or nothing but words in the answer);
https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/ (429, and the time of a reset).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ...net.http import AGAIN, Answer, wished_pause

SECONDARY = 60.0
"""Seconds to wait where a host says that it is too much, and not until when. GitHub wants it to be longer each
time."""
_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining")
_RESET = ("x-ratelimit-reset", "ratelimit-reset")
_SECONDARY = re.compile(rb"secondary rate limit|abuse detection", re.I)
"""What GitHub says of a limit that it names in no header."""


def passes(answer: Answer) -> bool:
    """Whether the same may be answered later."""
    if answer.status in AGAIN:
        return True
    if answer.status != 403:
        return False
    return "retry-after" in answer.headers or _is_used_up(answer) or _SECONDARY.search(answer.body) is not None


def _is_used_up(answer: Answer) -> bool:
    return any(answer.headers.get(name, "").strip() == "0" for name in _REMAINING)


def wished(answer: Answer, tried: int) -> float:
    """The seconds that a host wants to pass."""
    if "retry-after" in answer.headers:
        return wished_pause(answer)
    if answer.status not in (403, 429):
        return 0
    if _is_used_up(answer) or not any(name in answer.headers for name in _REMAINING):
        for name in _RESET:
            told = answer.headers.get(name, "").strip()
            if told.isascii() and told.isdigit() and len(told) < 12:
                if int(told) < 1_000_000_000:
                    return float(told)
                if (now := _date(answer)) is not None:
                    return max(0.0, int(told) - now.timestamp()) + 1
    return SECONDARY * 2.0**tried


def _date(answer: Answer) -> datetime | None:
    """What the host's clock shows."""
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
