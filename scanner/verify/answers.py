"""What an answer means: the conditions of a declared check, and the facts that stand in the answer.

An answer comes from outside and may lie. It is read within bounds; a fact that holds the secret, or a part of it, is
not taken, nor one that is too long to be what it is called. What stands before a provider, such as a login page, may
answer in its place: that says nothing of the secret.
"""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from ..model import Facts
from ..net.http import Answer
from ..net.shown import printable
from ..verification import PRIVILEGES, Condition, Verification

LONGEST = 300
"""Characters of a fact."""
LONGEST_LIST = 4 * LONGEST
MOST_LISTED = 60
"""Entries of a list, such as scopes."""
_SHARED = 8
"""So many characters of a secret give it away."""
_TELLING = 5
"""Fewer stand by chance in what is decoded."""
_LOGIN_OF_A_NETWORK = re.compile(r"(?:^|,)\s*(?:negotiate|ntlm)\b", re.IGNORECASE)
"""Schemes of `WWW-Authenticate` that no provider's API has (RFC 4559), but gateways have for all behind them."""


_XML = re.compile(rb"<(?:\?xml|Error)")
"""As clouds answer."""


def is_of_another(answer: Answer) -> bool:
    """Whether it comes from something before the provider: a page for people, or a gateway's demand for a login."""
    if _LOGIN_OF_A_NETWORK.search(answer.headers.get("www-authenticate", "")):
        return True
    kind, body = answer.headers.get("content-type", "").lower(), answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if "html" in kind or not body.startswith(b"<"):
        return "html" in kind
    return b"<html" in body.lower() or not ("xml" in kind or _XML.match(body))


class Told:
    """An answer, its JSON read once."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._of_another = is_of_another(answer)
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
            and (condition.speaks or not self._of_another)
            and all(_is(self.at(path), allowed) for path, allowed in condition.json)
            and all(text.lower() in answer.headers.get(name, "\0").lower() for name, text in condition.headers)
            and condition.body.encode() in answer.body
            and not (condition.empty and answer.body)
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
        return _listed(_text(one) for one in value[:MOST_LISTED] if not isinstance(one, list))
    return ""


def _listed(texts: Iterable[str]) -> str:
    """Texts with commas between, each once, as many as fit whole."""
    listed = ""
    for text in dict.fromkeys(filter(None, texts)):
        if len(listed) + len(text) + 2 > LONGEST_LIST:
            break
        listed += f", {text}" if listed else text
    return listed


def facts_of(told: Told, check: Verification, secret: str) -> Facts:
    """What a live answer says of the secret."""
    found: dict[str, str] = {}
    for fact, places in check.tells:
        text = next(filter(None, map(told.place, places)), "")
        if fact == "expires":
            text = time_of(text)
        if text := safe(text, secret, most=LONGEST_LIST if fact == "scopes" else LONGEST):
            found[fact] = text
    if not safe(" ".join(found.values()), secret, most=1 << 20):
        return ()  # it was dealt out among them
    if "scopes" in found:
        found["scopes"] = _listed(scopes_in(found["scopes"]))
        privilege = privilege_of(scopes_in(found["scopes"]), dict(check.privileges))
        if privilege and "privilege" not in found:
            found["privilege"] = privilege
    return tuple(found.items())


def safe(text: str, secret: str, *, most: int = LONGEST) -> str:
    """A text of an answer, fit to be reported; empty where it is too long, or repeats the secret or a part of it, in
    letters of either size or of another width, backwards, with signs or one letter between, or in hex, base64,
    percent-encoding or HTML's. A secret that was changed in any other way (base32, numbers of letters, rot13, base64
    twice) is not found in it, nor a part of less than eight characters."""
    shown = printable(text.strip())
    return "" if len(shown) > most or _repeats(shown, secret) or _repeats(text, secret) else shown


def _repeats(text: str, secret: str) -> bool:
    small = _bare(secret)
    if len(small) < _TELLING:
        return bool(small and small in _bare(text)) or (bool(secret) and secret.lower() in text.lower())
    length = min(_SHARED, len(small))
    parts = {small[at : at + length] for at in range(len(small) - length + 1)}
    forms = (form for told in _readings(text) for form in _forms(_bare(told)))
    return any(form[at : at + length] in parts for form in forms for at in range(len(form) - length + 1))


def _forms(bare: str) -> Iterator[str]:
    """As it stands, and every second letter; from both ends."""
    for form in (bare, bare[::2], bare[1::2]):
        yield form
        yield form[::-1]


def _readings(text: str) -> Iterator[str]:
    """A text, and what it may be the encoded form of."""
    yield text
    yield unquote(unquote(text))
    plain = unicodedata.normalize("NFKC", html.unescape(html.unescape(unquote(unquote(text)))))
    yield plain
    packed = re.sub(r"[^A-Za-z0-9+/_-]", "", plain)
    for start in range(4):
        cut = packed[start : start + (len(packed) - start) // 4 * 4]
        yield base64.urlsafe_b64decode(cut.replace("+", "-").replace("/", "_")).decode("latin-1")
    for run in _HEX.findall(packed):
        for start in range(2):
            yield bytes.fromhex(run[start : start + (len(run) - start) // 2 * 2]).decode("latin-1")


def _bare(text: str) -> str:
    """Its letters and digits, small."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


_HEX = re.compile(r"[0-9A-Fa-f]{16,}")


def scopes_in(text: str) -> list[str]:
    """Scopes of a text that has commas or blanks between them, each once."""
    return list(dict.fromkeys(filter(None, re.split(r"[,\s]+", text))))[:MOST_LISTED]


def privilege_of(scopes: Iterable[str], privileges: Mapping[str, Iterable[str]]) -> str:
    """The most that one of the scopes allows; `*` in a wanted one stands for anything."""
    have = list(scopes)
    for privilege in PRIVILEGES:
        for wanted in privileges.get(privilege, ()):
            start, star, end = wanted.partition("*")
            if any(one == wanted or (star and one.startswith(start) and one.endswith(end)) for one in have):
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
    """Seconds since 1970, or thousandths of these; a number that is small for them is a date, or how long something
    lasts."""
    number = float(text)
    if 1e8 <= number < 1e11:
        return datetime.fromtimestamp(number, UTC)
    if 1e12 <= number < 1e14:
        return datetime.fromtimestamp(number / 1000, UTC)
    raise ValueError


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
