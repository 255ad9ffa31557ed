"""News of a sweep made by hand: findings as a store has them, what became of them, what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any

from oakum.detectors import samples
from oakum.scanner.model import Secret
from oakum.scanner.swept import NEWS, Change, Event, Kept, News, Unlisted

TOKEN = samples.build("github:ghp", Random("news"))
MASK = Secret(TOKEN, prefix=4).mask()
BEGAN, ENDED = datetime(2027, 3, 2, 2, tzinfo=UTC), datetime(2027, 3, 2, 3, 10, tzinfo=UTC)
FIRST_SEEN = datetime(2027, 2, 1, 2, tzinfo=UTC)
ADA = "Ada Lovelace <ada@example.test>"


def place(repository: str = "acme/web", path: str = "src/settings.ini", **more: Any) -> dict[str, Any]:
    """Where a finding is, as a store tells it."""
    origin = {"type": "git", "blob": "b1" * 20, "path": path, "commit": "c1" * 20, "author": ADA}
    origin |= {"date": "2027-01-31T12:00:00+02:00", "reachable": "head"}
    return {"repository": repository, "origin": origin, "line": 100, "column": 9} | more


def kept(**more: Any) -> Kept:
    """A GitHub token in acme/web."""
    made: dict[str, Any] = {
        "id": "0123456789abcdef",
        "detector": "github-pat",
        "provider": "github",
        "kind": "token",
        "name": "GitHub personal access token",
        "summary": "GitHub token: live mode",
        "secret": MASK,
        "band": "critical",
        "score": 95,
        "state": "open",
        "verdict": {"state": "unknown", "reason": "not asked"},
        "first_seen": FIRST_SEEN,
        "last_seen": ENDED,
        "repositories": ("acme/web",),
        "teams": ("acme",),
        "owners": ("@acme/web",),
        "places": (place(),),
        "rotate": "https://docs.github.com/rotate",
    }
    return Kept(**made | more)


def event(change: Change = "new", before: str = "", after: str = "", finding: str = "0123456789abcdef") -> Event:
    """A change in the second sweep."""
    return Event(2, ENDED, change, finding, before, after)


def news(*changes: tuple[Event, Kept], **more: Any) -> News:
    """What the second sweep of acme brought."""
    counts = {"repositories": 1203, "searched": 12, "unchanged": 1190, "failed": 1, "incomplete": 0}
    counts |= {"blobs": 345, "bytes": 6789, "findings": 7, "critical": 2, "high": 0, "medium": 5, "low": 0}
    counts |= {change: sum(e.change == change for e, _ in changes) for change in NEWS} | {"below_min_band": 0}
    made: dict[str, Any] = {"targets": ("github:acme",), "failed": (), "counts": counts, "unlisted": ()}
    return News(2, BEGAN, ENDED, changes=changes, **made | more)


def full() -> News:
    """News of each kind, with a repository that failed and a part that was not listed."""
    other = kept(
        id="fedcba9876543210",
        kind="password",
        summary="Password in a .netrc file",
        secret="…[masked]",
        band="medium",
        score=42,
        state="fixed in head",
        repositories=("acme/shop", "acme/web"),
        teams=("acme", "shop"),
        owners=(),
        places=(place("acme/shop", "tests/.netrc"), place("acme/web", ".netrc", line=1)),
    )
    return news(
        (event(), kept()),
        (event("reopened", "revoked", "reopened"), kept(state="reopened")),
        (event("worse", "medium", "critical"), kept()),
        (event("worse", "", "live"), kept(verdict={"state": "live", "reason": "user ada", "asked": "api.github.com"})),
        (event("spread", "", "acme/shop", other.id), other),
        (event("fixed", "open", "fixed in head", other.id), other),
        (event("revoked", "open", "revoked"), kept(state="revoked")),
        failed=(("acme/huge", "it takes more than 3600 s: see --clone-seconds"),),
        unlisted=(Unlisted("github:acme", "it answers 500"),),
    )


HOSTILE = "\x1b[2J\r\n<!channel> <@U123> &amp; *b* _i_ `c` :tada: https://evil.test/ \u202e[a](b) \x00\u2028"
"""What an author may put into names and texts."""


def hostile() -> News:
    """News in which all that comes from outside is hostile."""
    worst = kept(
        summary=HOSTILE,
        repositories=(HOSTILE, "b" + HOSTILE),
        teams=(HOSTILE,),
        owners=(HOSTILE,),
        places=(place(HOSTILE, HOSTILE), {"origin": HOSTILE, "repository": HOSTILE}),
        rotate=HOSTILE,
        verdict={"state": "dead", "reason": HOSTILE},
    )
    return news(
        (event("spread", "", HOSTILE), worst),
        (event("fixed", "open", "removed"), worst),
        failed=((HOSTILE, HOSTILE),),
        unlisted=(Unlisted(HOSTILE, HOSTILE),),
        targets=(HOSTILE,),
    )


def many(number: int, **more: Any) -> News:
    """So many new findings."""
    each: Iterable[Kept] = (kept(id=f"{n:016x}", **more) for n in range(number))
    return news(*((event(finding=one.id), one) for one in each))
