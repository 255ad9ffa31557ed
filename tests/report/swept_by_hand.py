"""News and findings of stores, made by hand, with what hostile repositories are called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from oakum.scanner.swept import Change, Event, Kept, News, Unlisted

NOW = datetime(2027, 3, 2, 3, 0, tzinfo=UTC)
HOSTILE = "a<!channel>\x1b[31m|*x*`&\u202e"


def place(repository: str = "acme/web", path: str = "config/app.py", **more: Any) -> dict[str, Any]:
    """A place as a store has it."""
    origin = {"type": "git", "blob": "b" * 40, "path": path, "commit": "c" * 40, "author": "Ada <ada@example.test>"}
    origin |= {"date": "2027-02-01T10:00:00+00:00", "reachable": "head"} | more
    return {"origin": origin, "blobs": 1, "line": 3, "column": 9, "repository": repository}


def kept(**more: Any) -> Kept:
    """A finding."""
    made = Kept(
        id="0123456789abcdef",
        detector="acme-token",
        provider="acme",
        kind="token",
        name="Acme token",
        summary="Acme token: may write",
        secret="acme_…[masked]",
        band="high",
        score=81,
        state="open",
        verdict={"state": "unknown", "reason": "not asked"},
        first_seen=NOW - timedelta(days=3),
        last_seen=NOW,
        repositories=("acme/web",),
        teams=("acme",),
        owners=("@acme/platform",),
        places=(place(),),
        rotate="https://acme.test/rotate",
    )
    return replace(made, **more)


def event(change: Change, before: str = "", after: str = "", finding: str = "0123456789abcdef") -> Event:
    """A change in sweep 7."""
    return Event(7, NOW, change, finding, before, after)


def news(*changes: tuple[Event, Kept], **more: Any) -> News:
    """What sweep 7 brought."""
    counts: dict[str, int] = {"repositories": 12, "searched": 2, "unchanged": 9, "failed": 1, "findings": 4, "high": 4}
    for one, _ in changes:
        counts[one.change] = counts.get(one.change, 0) + 1
    made = News(
        sweep=7,
        started=NOW - timedelta(minutes=41),
        ended=NOW,
        targets=("github:acme",),
        changes=changes,
        failed=(("acme/old", "git.test answers 404"),),
        counts=counts,
    )
    return replace(made, **more)


ALL = news(
    (event("new", after="open"), kept()),
    (event("reopened", "fixed in head", "reopened"), kept(id="1" * 16, state="reopened")),
    (event("worse", "medium", "high"), kept(id="2" * 16)),
    (event("spread", after="acme/api"), kept(id="3" * 16, repositories=("acme/api", "acme/web"))),
    (event("fixed", "open", "fixed in head"), kept(id="4" * 16, state="fixed in head")),
    (event("revoked", "open", "revoked"), kept(id="5" * 16, state="revoked")),
    unlisted=(Unlisted("gitlab:acme", "gitlab.com answers 500"),),
)
HOSTILE_NEWS = news(
    *(
        (
            event("new"),
            kept(
                id=f"{number:016x}",
                summary=HOSTILE * 40,
                owners=(HOSTILE,) * 9,
                places=(place(HOSTILE, HOSTILE * 50, author=HOSTILE),),
                repositories=(HOSTILE,),
                teams=(HOSTILE,),
            ),
        )
        for number in range(300)
    ),
    failed=tuple((HOSTILE, HOSTILE * 30) for _ in range(500)),
    targets=(HOSTILE,),
)
