"""Page after page of one listing, until it ends, breaks off, or goes round in a circle.

What leads to the next page is never an address, only parameters of the same request: a server cannot send the reader
elsewhere. It is taken once; a page whose entries came before ends the listing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from ...model import NotScanned
from ...net.urls import Parameters, quoted
from . import OPEN, Openness, Page
from .answers import UNTRUSTED, Path, UnreadableError, xml_texts_known
from .http import Answer, Client, Request, UnansweredError, code_of, refusal_of

End = Literal["whole", "broken", "unanswered", "final"]
"""How a listing ended: told to its end; broken off; broken off for want of an answer; broken off by something that
holds for all that comes after."""

DEAF = 3
"""Listings in a row that are not answered: then the store is not asked for more."""

MOST_NAMES = 100_000
"""Containers of one page."""

LONGEST_MARK = 16 << 10


@dataclass(frozen=True, slots=True)
class Listing:
    """How one listing is asked for.

    `what` is its name for people, `container` that of what it lists. `ask` makes a request of the parameters that lead
    to a page; `following` reads these from a page (None: it was the last). `retry` is given an answer that is no page:
    True asks the same again, as whoever gave it knows by now how to ask better. `hint` is put behind a refusal.
    """

    what: bytes
    container: bytes
    kind: str
    ask: Callable[[Parameters], Request]
    following: Callable[[bytes], Parameters | None]
    retry: Callable[[Answer], bool] = lambda _answer: False
    hint: str = ""


def pages(client: Client, listing: Listing) -> Generator[Page | NotScanned, None, End]:
    """All pages of a listing, and why it breaks off, where it does."""
    marks: set[bytes] = set()
    contents: set[bytes] = set()
    mark: Parameters = ()
    while True:
        try:
            answer = client.get(listing.ask(mark))
            if answer.status != 200:
                if listing.retry(answer):
                    continue
                hint = listing.hint if answer.status in (401, 403) else ""
                yield stopped(listing.what, refusal_of(answer) + hint, len(contents))
                return "final" if code_of(answer) in UNTRUSTED else "broken"
        except UnansweredError as error:
            yield stopped(listing.what, str(error), len(contents))
            return "final" if error.final else "unanswered"
        try:
            following, why = listing.following(answer.body), ""
        except UnreadableError as error:
            following, why = None, f"where it goes on cannot be told: {error}"
        content = _content(answer.body, (*mark, *(following or ())))
        if content in contents:
            yield stopped(listing.what, "it gives the same page again and again", len(contents))
            return "broken"
        contents.add(content)
        yield Page(listing.container, answer.body, listing.kind)
        if following is not None:
            why = _leads_astray(following, marks)
        if why:
            yield stopped(listing.what, why, len(contents))
            return "broken"
        if following is None:
            return "whole"
        mark = following


def named_in(
    page: bytes, path: Path, what: bytes, is_name: Callable[[str], bool]
) -> tuple[list[str], list[NotScanned]]:
    """The containers that a page names and that can be asked for, and how many cannot.

    Of a damaged page those before the damage; that it is damaged, `pages` tells.
    """
    found = xml_texts_known(page, {path: MOST_NAMES + 1})[0][path]
    names = [name for name in found if is_name(name)][:MOST_NAMES]
    left_out = []
    if odd := sum(not is_name(name) for name in found):
        left_out.append(NotScanned(what, "their names are none that can be asked for", count=odd))
    if len(found) > MOST_NAMES:
        left_out.append(NotScanned(what, f"a page names more than {MOST_NAMES} of them: the others are not asked for"))
    return names, left_out


def one_by_one(
    what: bytes, listings: Sequence[Generator[Page | NotScanned, None, End]]
) -> Generator[Page | NotScanned, None, bool]:
    """Listing after listing; False where the rest of them is not asked for, and counted."""
    unanswered = 0
    for place, listing in enumerate(listings, 1):
        end = yield from listing
        unanswered = unanswered + 1 if end == "unanswered" else 0
        if end == "final" or unanswered == DEAF:
            if place < len(listings):
                yield NotScanned(what, "not asked after that", count=len(listings) - place)
            return False
    return True


def stopped(what: bytes, why: str, pages: int) -> NotScanned:
    """Where a listing breaks off. What came before stays."""
    if not pages:
        return NotScanned(what, why)
    before = "1 page was" if pages == 1 else f"{pages} pages were"
    return NotScanned(what, f"the listing breaks off: {why}; {before} read, what comes after is not known")


def openness(client: Client, listing: Listing) -> Openness:
    """Whether a listing that is asked for without credentials is given: one page is asked for."""
    try:
        answer = client.get(listing.ask(()))
        if answer.status != 200 and listing.retry(answer):
            answer = client.get(listing.ask(()))
        if answer.status == 200:
            listing.following(answer.body)
            return Openness("open", OPEN)
    except (UnansweredError, UnreadableError) as error:
        return Openness("unknown", str(error))
    return Openness("closed" if answer.status in (401, 403, 404, 409) else "unknown", refusal_of(answer))


def _leads_astray(following: Parameters, marks: set[bytes]) -> str:
    """Why what leads to the next page is not to be followed; empty where it is. It is remembered."""
    if sum(len(value) for _, value in following) > LONGEST_MARK:
        return f"what leads to its next page is longer than {LONGEST_MARK} bytes"
    mark = hashlib.blake2b(repr(following).encode("ascii", "backslashreplace"), digest_size=16).digest()
    if mark in marks:
        return "it leads back to a page that came before"
    marks.add(mark)
    return ""


def _content(page: bytes, marks: Parameters) -> bytes:
    """A hash of a page without what leads to it and to the next one: a server may make new ones for ever."""
    for _, value in marks:
        plain = value if isinstance(value, bytes) else value.encode()
        for form in (plain, quoted(plain).encode()):
            page = page.replace(form, b"") if len(form) > 3 else page
    return hashlib.blake2b(page, digest_size=16).digest()
