"""What an answer means: the conditions of a declared check, and the facts that stand in the answer.

An answer comes from outside and may lie. It is read within bounds; a fact that holds the secret, or a part of it, is
not taken, nor one that is too long to be what it is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..model import Facts, clean
from ..net.http import Answer
from ..verification import Condition, Verification

LONGEST = 300
"""Characters of a fact."""
MOST_LISTED = 60
"""Entries of a list, such as scopes."""
PRIVILEGES = ("admin", "full", "write", "list", "read", "none")
"""The most first."""
_SHARED = 8
"""So many characters of a secret give it away."""


class Told:
    """An answer, its JSON read once."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._json: Any = None
        with suppress(ValueError, RecursionError):
            self._json = json.loads(answer.body)

    def meets(self, conditions: Iterable[Condition]) -> bool:
        """Whether one of the conditions holds."""
        return any(self._meets(condition) for condition in conditions)

    def _meets(self, condition: Condition) -> bool:
        answer = self._answer
        return (
            answer.status in condition.status
            and all(_is(self.at(path), allowed) for path, allowed in condition.json)
            and all(text.lower() in answer.headers.get(name, "\0").lower() for name, text in condition.headers)
            and condition.body.encode() in answer.body
        )

    def at(self, path: str) -> Any:
        """What stands at a path of the JSON: names and numbers with dots between, `*` for each of a list, `#` for the
        number of its entries; None where there is nothing."""
        return _at(self._json, path.split("."))

    def place(self, place: str) -> str:
        """What stands at a place of `tells`, as text; empty where there is nothing."""
        word, _, found = place.rpartition(" if ")
        kind, _, name = found.partition(":")
        name, equals, wanted = name.partition("=") if kind != "text" else (name, "", "")
        match kind:
            case "json":
                text = _text(self.at(name))
            case "header":
                text = self._answer.headers.get(name, "")
            case _:
                text = name
        if equals and text != wanted:
            return ""
        return word if word and text and text != "false" else "" if word else text


def _at(value: Any, path: list[str]) -> Any:
    for place, name in enumerate(path):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name == "*":
            return [_at(one, path[place + 1 :]) for one in value[:MOST_LISTED]]
        elif isinstance(value, list) and name == "#":
            return len(value)
        elif isinstance(value, list) and name.isdigit() and len(name) < 4 and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _is(value: Any, allowed: tuple[object, ...]) -> bool:
    if not allowed:
        return value not in (None, False, "", [], {})
    return any(type(value) is type(one) and value == one for one in allowed)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)[: LONGEST + 1]
    if isinstance(value, list):
        return ", ".join(dict.fromkeys(filter(None, map(_text, value[:MOST_LISTED]))))[: 4 * LONGEST]
    return ""


def facts_of(told: Told, check: Verification, secret: str) -> Facts:
    """What a live answer says of the secret."""
    found: dict[str, str] = {}
    for fact, places in check.tells:
        text = next(filter(None, map(told.place, places)), "")
        if fact == "expires":
            text = time_of(text)
        if text := safe(text, secret, most=4 * LONGEST if fact == "scopes" else LONGEST):
            found[fact] = text
    if "scopes" in found:
        found["scopes"] = ", ".join(scopes_in(found["scopes"]))
        privilege = privilege_of(scopes_in(found["scopes"]), dict(check.privileges))
        if privilege and "privilege" not in found:
            found["privilege"] = privilege
    return tuple(found.items())


def safe(text: str, secret: str, *, most: int = LONGEST) -> str:
    """A text of an answer, fit to be reported; empty where it is too long, or repeats the secret or a part of it."""
    text = clean(text.strip())
    if len(text) > most:
        return ""
    small, told = secret.lower(), text.lower()
    parts = {small[at : at + _SHARED] for at in range(max(1, len(small) - _SHARED + 1))}
    return "" if any(part and part in told for part in parts) else text


def scopes_in(text: str) -> list[str]:
    """Scopes of a text that has commas or blanks between them, each once."""
    return list(dict.fromkeys(filter(None, re.split(r"[,\s]+", text))))[:MOST_LISTED]


def privilege_of(scopes: Iterable[str], privileges: Mapping[str, Iterable[str]]) -> str:
    """The most that one of the scopes allows; a scope that ends in `*` means all that begin so."""
    have = list(scopes)
    for privilege in PRIVILEGES:
        for wanted in privileges.get(privilege, ()):
            if any(one == wanted or (wanted.endswith("*") and one.startswith(wanted[:-1])) for one in have):
                return privilege
    return ""


def time_of(text: str) -> str:
    """A time in ISO 8601, of one in any usual form; empty for none."""
    text = text.strip()
    for read in (_epoch, _iso, parsedate_to_datetime):
        with suppress(ValueError, OverflowError, TypeError, OSError, IndexError):
            at = read(text)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    return ""


def _epoch(text: str) -> datetime:
    seconds = float(text)
    if not seconds > 0:
        raise ValueError
    return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(re.sub(r" ?UTC$", "+00:00", text))


def said(facts: Facts) -> str:
    """What was told, in a few words: `root of account 1234`, `user acme; scopes repo, admin:org`."""
    return "; ".join(_words(dict(facts)))


def _words(facts: Mapping[str, str]) -> Iterator[str]:
    for name, label in _SAID:
        if name in facts:
            yield f"{label} {facts[name]}".strip()
    if facts.get("scopes"):
        listed = facts["scopes"].split(", ")
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        yield f"scopes {', '.join(listed[:_SHOWN])}{more}"


_SAID = (
    ("identity", ""),
    ("user", "user"),
    ("email", ""),
    ("name", ""),
    ("role", "role"),
    ("team", "team"),
    ("account", "account"),
    ("project", "project"),
    ("workspace", "workspace"),
    ("database", "database"),
    ("resource", ""),
)
_SHOWN = 8
