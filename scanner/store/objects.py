"""Objects of reports on their way into a store: what they must have, what is left of them, and what is not.

A worker may be damaged, of another version, or told to show secrets: an object is taken only if it has the form of
docs/reports.md and its secret is masked. Fingerprints stay outside, wherever they stand, so that who reads the database
cannot look for a secret of his own in it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model import BANDS, clean
from ..swept import Outcome
from . import RefusedError
from .schema import storable

MOST_PLACES = 50
"""Places that are kept of a finding in a repository; reports tell of twice as many."""
MOST_ENTRIES = 200
"""Entries of any other list or table in an object."""
DEEPEST = 8
"""Levels of an object."""
LONGEST_HEAD = 64
"""Characters before `…[masked]`: the line of a PEM block has most."""
MASK = "…[masked]"
INSTEAD = "[fingerprint]"
"""What stands in a text in the place of a fingerprint."""
REACHES = ("head", "branch", "history", "unreachable")
"""Best first: the others of a report (`staged`, and what is in no git) count as `head`."""
_FINGERPRINT = re.compile("[a-z2-7]{26}")
_IN_TEXT = re.compile("(?=([a-zA-Z2-7]{26}))")


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding in a repository, as it is stored. `finding` is its HMAC, `object` the report's, without fingerprint and
    verdict."""

    finding: str
    band: str
    score: int
    reach: str
    verdict: dict[str, Any]
    owners: list[str]
    object: dict[str, Any]


def name_of(key: bytes, fingerprint: str) -> str:
    """By which a finding is known: HMAC-SHA-256(key, fingerprint) in hexadecimal digits (RFC 2104)."""
    return hmac.new(key, fingerprint.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def seen(key: bytes, outcome: Outcome) -> dict[str, Seen]:
    """What was seen of findings in a repository, by their HMACs; RefusedError where an object is not as it must be."""
    fingerprints = {_fingerprint(outcome, each) for each in outcome.findings}
    out: dict[str, Seen] = {}
    for each in outcome.findings:
        one = _seen(key, outcome, each, fingerprints)
        if one.finding not in out or out[one.finding].score < one.score:
            out[one.finding] = one
    return out


def _fingerprint(outcome: Outcome, told: Mapping[str, Any]) -> str:
    found = told.get("fingerprint") if isinstance(told, Mapping) else None
    if not isinstance(found, str) or not _FINGERPRINT.fullmatch(found):
        raise _refused(outcome, "has no fingerprint")
    return found


def _seen(key: bytes, outcome: Outcome, told: dict[str, Any], fingerprints: Iterable[str]) -> Seen:
    secret, band, score, verdict = (told.get(name) for name in ("secret", "band", "score", "verdict"))
    if not isinstance(secret, str) or not secret.endswith(MASK) or len(secret) > LONGEST_HEAD + len(MASK):
        raise _refused(outcome, "is not masked (workers must not show secrets)")
    if band not in BANDS or not isinstance(score, int) or not 0 <= score <= 100:
        raise _refused(outcome, "has no rank")
    if not isinstance(verdict, dict) or verdict.get("state") not in ("live", "dead", "unknown"):
        raise _refused(outcome, "has no verdict")
    places, owners = told.get("occurrences", []), told.get("owners", [])
    if not isinstance(places, list) or not all(isinstance(p, dict) for p in places) or not isinstance(owners, list):
        raise _refused(outcome, "has no places")
    if not all(isinstance(told.get(name, ""), str) for name in ("detector", "provider", "kind", "name", "summary")):
        raise _refused(outcome, "does not say what it is")
    left = told | {"occurrences": places[:MOST_PLACES]}
    folded = told.get("occurrences_folded", 0)
    left["occurrences_folded"] = (folded if isinstance(folded, int) else 0) + len(places[MOST_PLACES:])
    try:
        bare = _without(left, frozenset(fingerprints), DEEPEST)
    except RecursionError:
        raise _refused(outcome, "is nested too deeply") from None
    return Seen(
        name_of(key, told["fingerprint"]),
        str(band),
        score,
        _reach(places),
        bare.pop("verdict"),
        sorted({str(owner) for owner in bare.pop("owners", [])}),
        bare,
    )


def _refused(outcome: Outcome, why: str) -> RefusedError:
    return RefusedError(
        f"a finding in {clean(outcome.remote.name)} {why}: nothing of it was stored; see that all workers run the same "
        "oakum as the sweep does"
    )


def _reach(places: list[dict[str, Any]]) -> str:
    """The best of all places; of none, or where it is not told, the one that counts most."""
    found = [REACHES.index(r) if (r := _of_origin(place)) in REACHES else 0 for place in places]
    return REACHES[min(found, default=0)]


def _of_origin(place: Mapping[str, Any]) -> object:
    origin = place.get("origin")
    return origin.get("reachable") if isinstance(origin, dict) else None


def _without(value: Any, fingerprints: frozenset[str], levels: int) -> Any:
    """A value without fingerprints, bounded, and of nothing but what JSON can say."""
    if levels < 0:
        raise RecursionError
    match value:
        case str():
            return _text(value, fingerprints)
        case list() | tuple():
            return [_without(each, fingerprints, levels - 1) for each in value[:MOST_ENTRIES]]
        case dict():
            return {
                _text(str(name), fingerprints): _without(each, fingerprints, levels - 1)
                for name, each in list(value.items())[:MOST_ENTRIES]
                if name != "fingerprint" and not _hides(name, each, fingerprints)
            }
        case None | bool() | int():
            return value
        case float() if value == value and abs(value) != float("inf"):
            return value
        case _:
            return _text(str(value), fingerprints)


def _text(text: str, fingerprints: frozenset[str]) -> str:
    text = storable(text)
    if len(text) < 26:
        return text
    for token in {m[1] for m in _IN_TEXT.finditer(text) if m[1].lower() in fingerprints}:
        text = text.replace(token, INSTEAD)
    return text


def _hides(name: object, value: object, fingerprints: frozenset[str]) -> bool:
    """Whether it is the bytes of a text, in base64, in which a fingerprint stands."""
    if not isinstance(value, str) or not str(name).endswith("_bytes"):
        return False
    try:
        plain = base64.b64decode(value).decode("latin-1")
    except binascii.Error:
        return True
    return _text(plain, fingerprints) != storable(plain)
