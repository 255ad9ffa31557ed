"""Verdicts of the last hours, kept in the user's cache folder: no value, and nothing that one could be found by.

A name is a keyed digest (HMAC, RFC 2104) of the fingerprint, of how it was asked about and where; its key lies in the
folder, made there at random. `live` and `dead` are believed for an hour, as the dead may come back; `unknown` never.
What came of a login is believed for a day, whatever it was: a job that scans each hour must lock nobody out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from ..cache import Cache
from ..model import Verdict
from . import Question

BELIEVED = timedelta(hours=1)
BELIEVED_OF_LOGINS = timedelta(days=1)
_STATES: Mapping[str, Literal["live", "dead", "unknown"]] = {"live": "live", "dead": "dead", "unknown": "unknown"}
MOST = 50_000
"""Verdicts that are kept; the oldest go."""
_KEY, _FILE = "verdicts-key", "verdicts"


class Memory:
    """What is remembered in a folder; without one, nothing."""

    def __init__(self, folder: str, now: datetime) -> None:
        self._cache = Cache(folder).below("verdicts", most=4)
        self._now = now
        self._key = self._cache.read(_KEY) or b""
        self._known: dict[str, list[object]] = {}
        self._changed = False
        if len(self._key) != 32:
            self._key = os.urandom(32)
            self._cache.write(_KEY, self._key)
            return
        kept = self._cache.read(_FILE)
        try:
            known = json.loads(kept) if kept else {}
        except (ValueError, RecursionError):
            known = {}
        self._known = known if isinstance(known, dict) else {}

    def recall(self, question: Question) -> Verdict | None:
        """The verdict, if it is still believed."""
        try:
            state, reason, facts, asked, at = self._known[self._name(question)]
            age = self._now - datetime.fromisoformat(str(at))
            if not timedelta(0) <= age <= (BELIEVED_OF_LOGINS if question.is_login else BELIEVED):
                return None
            known = _STATES[str(state)]
            told = tuple((str(name), str(value)) for name, value in facts)  # type: ignore[attr-defined]
        except (LookupError, ValueError, TypeError):
            return None
        minutes = age // timedelta(minutes=1)
        when = f"{minutes // 60} hours" if minutes >= 120 else f"{minutes} minutes"
        said = f"tried {when} ago; --no-cache tries again" if known == "unknown" else f"asked {when} ago"
        return Verdict(known, f"{reason} ({said})", told, str(asked))

    def keep(self, question: Question, verdict: Verdict) -> None:
        """Remember a verdict; of those that are `unknown` only where a login was tried, which then has `asked`."""
        tried = verdict.state != "unknown" or (question.is_login and verdict.asked)
        if tried and question.fingerprint:
            name = self._name(question)
            self._changed = True
            self._known.pop(name, None)
            self._known[name] = [
                verdict.state,
                verdict.reason,
                [list(fact) for fact in verdict.facts],
                verdict.asked,
                self._now.isoformat(),
            ]

    def save(self) -> None:
        """Write it down, where there is news."""
        if not self._changed:
            return
        latest = list(self._known.items())[-MOST:]
        self._cache.write(_FILE, json.dumps(dict(latest)).encode())

    def _name(self, question: Question) -> str:
        credential = question.credential
        known = (sorted(credential.facts.items()), sorted(credential.others.items()), sorted(credential.near))
        asked = repr((question.fingerprint, credential.detector.verify, question.destinations, known))
        return hmac.new(self._key, asked.encode(), hashlib.sha256).hexdigest()[:40]
