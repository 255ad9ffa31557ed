"""What a listing comes to, in one sentence: what can be done with how much, until when, and how much of it is worth
worrying about."""

from __future__ import annotations

from ..listed import Extent, ListingResult, Target
from ..model import BANDS, clean
from .amounts import counted, shortened, size_of

LONGEST = 200
"""Characters of a name in the sentence."""
_VERBS = (("read", "read"), ("write", "write"), ("create", "create"), ("delete", "delete"))
"""What a signed URL allows (fact `allows`), in the order in which it is told; `create` only where it may not write."""


def sentence(place: int, result: ListingResult) -> str:
    """The sentence on the target at a place."""
    target = result.targets[place]
    whole = target.whole()
    names = [_shown(name, result) for name in target.named_containers()]
    where = f'container "{names[0]}"' if len(names) == 1 else f"{len(names):,} containers" if names else ""
    if target.url:
        return _of_url(place, result, where)
    if not (whole.objects or names):
        return "Nothing is listed." if target.complete else "Nothing of it could be listed."
    subject = f"Anybody can list {where or 'this'}" if target.exposure == "public" else where
    amount = _amount(target, whole) + (f", changed {_years(whole)}" if whole.newest else "")
    head = f"{subject[:1].upper()}{subject[1:]}: {amount}" if subject else f"{amount[:1].upper()}{amount[1:]}"
    return "; ".join([head, *_names(place, result, whole)]) + "."


def _of_url(place: int, result: ListingResult, where: str) -> str:
    target = result.targets[place]
    assert target.url is not None
    facts, whole = dict(target.url.finding.facts), target.whole()
    lets = "let" if target.url.finding.verdict.state == "dead" else "lets"
    address = facts.get("ip", "")
    who = "anybody" if address in ("", "any") else f"anybody at {clean(address)}"
    end = facts.get("expires", "")[:10]
    until = f", until {clean(end)}" if end else ", without end"
    head = f"This URL {lets} {who} {_allowed(facts.get('allows', ''))}"
    if not whole.objects and not target.complete:
        account = facts.get("account", "")
        what = where or (f'what account "{clean(account)}" has' if account else "what it names")
        return f"{head} {what}{until}; nothing of it could be listed."
    return (
        "; ".join(
            [f"{head} {where or 'what it names'} with {_amount(target, whole)}{until}", *_names(place, result, whole)]
        )
        + "."
    )


def _amount(target: Target, whole: Extent) -> str:
    size = f", {size_of(whole.size)}" if whole.size else ""
    return f"{'' if target.complete else 'at least '}{counted(whole.objects, 'object')}{size}"


def _names(place: int, result: ListingResult, whole: Extent) -> list[str]:
    """How many look like credentials, and the first of them."""
    named = sum(count for band, count in zip(BANDS, whole.named, strict=True) if band in result.reported)
    if not named:
        return ["the name of none tells of credentials"] if whole.objects and not sum(whole.named) else []
    parts = [f"{named:,} of them look like credentials" if named > 1 else "1 of them looks like a credential"]
    first = next((one for one in result.plan if one.target == place), None)
    if first:
        several = len(result.targets[place].named_containers()) > 1
        parts.append(
            "first: " + _shown(b"/".join(filter(None, (first.container if several else b"", first.key))), result)
        )
    return parts


def _shown(name: bytes, result: ListingResult) -> str:
    return shortened(clean(result.shown(name)), LONGEST)


def _allowed(allows: str) -> str:
    """Verbs, as `read, write and delete`."""
    given = allows.split(", ")
    said = [word for name, word in _VERBS if name in given and not (name == "create" and "write" in given)]
    if not said:
        said = ["list"] if "list" in given else ["use"]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _years(extent: Extent) -> str:
    first, last = extent.oldest[:4].decode(), extent.newest[:4].decode()
    return f"in {first}" if first == last else f"from {first} to {last}"
