"""What a listing comes to, in one sentence: what can be done with how much, until when, and how much of it is worth
worrying about."""

from __future__ import annotations

from ..listed import ListingResult, Target
from ..model import clean
from .amounts import counted, size_of

_VERBS = (("read", "read"), ("write", "write"), ("create", "create"), ("delete", "delete"))
"""What a signed URL allows (fact `allows`), in the order in which it is told; `create` only where it may not write."""


def sentence(place: int, result: ListingResult) -> str:
    """The sentence on the target at a place."""
    target = result.targets[place]
    whole = target.whole()
    if not (whole.objects or target.containers or target.url):
        return "Nothing is listed."
    parts = [f"{_subject(target)}{'' if result.scan.complete else 'at least '}{counted(whole.objects, 'object')}"]
    if whole.size:
        parts[0] += f", {size_of(whole.size)}"
    if target.url:
        parts[0] += _until(target)
    elif whole.newest:
        parts[0] += f", changed {_years(whole.oldest, whole.newest)}"
    named = sum(whole.named)
    if named:
        parts.append(f"{named:,} of them look like credentials" if named > 1 else "1 of them looks like a credential")
        first = next((n for n in result.plan if n.target == place), None)
        if first:
            path = b"/".join(filter(None, (first.container if len(target.named_containers()) > 1 else b"", first.key)))
            parts.append(f"first: {clean(result.shown(path))}")
    elif whole.objects:
        parts.append("the name of none tells of credentials")
    return "; ".join(parts) + "."


def _subject(target: Target) -> str:
    names = target.named_containers()
    where = f'container "{clean(names[0])}"' if len(names) == 1 else f"{len(names):,} containers" if names else ""
    if target.url:
        who = _limited(dict(target.url.finding.facts).get("ip", ""))
        return (
            f"This URL {'let' if _ended(target) else 'lets'} {who} {_allowed(target)} {where or 'what it names'} with "
        )
    if target.exposure == "public":
        return f"Anybody can list {where or 'this'}: "
    return f"{where[:1].upper()}{where[1:]}: " if where else ""


def _allowed(target: Target) -> str:
    assert target.url is not None
    allows = dict(target.url.finding.facts).get("allows", "").split(", ")
    said = [word for name, word in _VERBS if name in allows and not (name == "create" and "write" in allows)]
    if not said:
        said = ["list"] if "list" in allows else ["use"]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _limited(address: str) -> str:
    return "anybody" if address in ("", "any") else f"anybody at {clean(address)}"


def _ended(target: Target) -> bool:
    assert target.url is not None
    return target.url.finding.verdict.state == "dead"


def _until(target: Target) -> str:
    assert target.url is not None
    end = dict(target.url.finding.facts).get("expires", "")[:10]
    return f", until {clean(end)}" if end else ", without end"


def _years(oldest: bytes, newest: bytes) -> str:
    first, last = oldest[:4].decode(), newest[:4].decode()
    return f"in {first}" if first == last else f"from {first} to {last}"
