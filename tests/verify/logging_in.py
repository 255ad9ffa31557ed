"""Verdicts of logins, through the whole program: a text is scanned, and what is found is verified."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from oakum.scanner.model import Verdict
from oakum.scanner.net import Outbound
from oakum.scanner.verify import Named, VerifyOptions
from scanning import scan

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def password(name: str) -> str:
    """One that nobody would take for an example, always the same for a name."""
    drawn = Random(f"password of {name}")
    return "".join(drawn.choices(string.ascii_letters, k=12)) + "".join(drawn.choices(string.digits, k=6))


def verdicts(
    text: str,
    *named: str,
    seconds: float = 30,
    answer: float = 10,
    certificates: str = "",
    environment: Mapping[str, str] | None = None,
) -> list[Verdict]:
    """The verdicts of what stands in a text, in the order of their places in it."""
    options = VerifyOptions(
        now=NOW,
        outbound=Outbound(environment or {}, certificates),
        named=Named.read(named),
        seconds=seconds,
        answer=answer,
    )
    found = scan("-", stdin=text.encode(), verify=options).findings
    found = sorted(found, key=lambda one: one.finding.occurrences[0].span.start)
    return [one.finding.verdict for one in found]


def only(text: str, *named: str, **options: object) -> tuple[str, str]:
    """State and reason of the one finding in a text."""
    (verdict,) = verdicts(text, *named, **options)  # type: ignore[arg-type]
    return verdict.state, verdict.reason
