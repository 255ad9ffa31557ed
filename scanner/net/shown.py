"""Targets as messages show them: without anything that could be a credential.

What somebody gave may be a URL in any state: without its scheme, in quotes, encoded once more, cut short. So it is not
taken apart as a URL (RFC 3986), but cut at the first sign of what a signature, a token or a password stands behind.
"""

from __future__ import annotations

import re

from ..model import clean

CUT = "…"
_NAMED = r"(?:sig|signature|token|secret|password|passwd|pwd|api[_-]?key|access[_-]?key)(?:=|%(?:25)*3d)"
_ENDS = re.compile(rf"[?#;&]|%(?:25)*(?:3f|23|3b|26)|{_NAMED}", re.IGNORECASE)
"""What ends the part of a target that is shown."""
_HOLDS = re.compile(_NAMED, re.IGNORECASE)
_URLISH = re.compile(rf"[a-z][a-z0-9+.-]+:[/\\]|[?#;&].*=|{_NAMED}|\A[^/\\]+:[^/\\]*@", re.IGNORECASE | re.DOTALL)
_BEGINS = re.compile(r"(?P<scheme>[^/\\]*:[/\\]+)?(?P<authority>[^/\\]*)(?P<path>.*)", re.DOTALL)
_USER = re.compile(r".*(?:@|%(?:25)*40)", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^:\[\]%\s]*)(?P<port>:\d{0,5})?", re.IGNORECASE)


def may_be_url(target: str) -> bool:
    """Whether a text that is no file could be a URL, or a part of one."""
    return _URLISH.search(target) is not None


def holds_credential(text: str) -> bool:
    """Whether a text names what a credential follows (`sig=`, `token=` …)."""
    return _HOLDS.search(text) is not None


def printable(text: str) -> str:
    """`clean` for a text that may hold bytes which are no UTF-8 (`surrogateescape`)."""
    return clean(re.sub("[\ud800-\udfff]", "\ufffd", text))


def shown(target: str) -> str:
    """A target for people: up to the first sign of a query, a fragment or a credential, and without a user's name."""
    end = _ENDS.search(target)
    found = _BEGINS.fullmatch(target[: end.start()] if end else target)
    assert found is not None
    scheme, authority, path = found["scheme"] or "", found["authority"], found["path"]
    if scheme or _USER.match(target[: len(authority)]):
        authority = _USER.sub("", authority, count=1)
        sound = _AUTHORITY.match(authority)
        assert sound is not None
        doubtful = sound["port"] and "@" in target[found.end("authority") :]
        if doubtful or len(sound[0]) < len(authority):  # a password may begin there, and go on behind a slash
            return printable(scheme + sound["name"]) + CUT
    return printable(scheme + authority + path) + (CUT if end else "")


def shown_path(path: str) -> str:
    """The path of a sound URL, decoded, for people: whole, unless a credential stands in it."""
    end = _ENDS.search(path) if holds_credential(path) else None
    return printable(path[: end.start()] + CUT if end else path)
