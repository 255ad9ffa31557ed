"""What hosts say of a repository, taken with care: names fit to be shown, and URLs that lead to that host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from ...model import clean, is_here
from ...net.urls import bracketed
from .access import UnlistedError

LARGEST_SIZE = 1 << 50
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_HALF = re.compile(r"[\ud800-\udfff]")
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\\]{1,400}")


class Entry:
    """An object of a listing. What is of another type than it should be counts as not told, and so does text that no
    UTF-8 can hold."""

    def __init__(self, told: object) -> None:
        self._told: Mapping[str, Any] = told if isinstance(told, dict) else {}

    def text(self, *names: str) -> str:
        """The first text under these names (`a.b` is in an object)."""
        return next((v for v in map(self._under, names) if isinstance(v, str) and v and not _HALF.search(v)), "")

    def flag(self, name: str) -> bool:
        """Whether something is told to be so."""
        return self._under(name) is True

    def number(self, name: str) -> int:
        """A number that is not negative; 0 where there is none."""
        value = self._under(name)
        return min(value, LARGEST_SIZE) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0

    def has(self, name: str) -> bool:
        """Whether there is anything under a name."""
        return self._under(name) is not None

    def list(self, name: str) -> list[object]:
        """A list; empty where there is none."""
        value = self._under(name)
        return value if isinstance(value, list) else []

    def time(self, *names: str) -> datetime | None:
        """A time (RFC 3339) in UTC; None where it is none."""
        try:
            found = datetime.fromisoformat(self.text(*names)[:40])
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None

    def key(self, name: str) -> str:
        """A host's own id of something: a number, or a short text."""
        value = self._under(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)[:40]
        return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9{}._-]{1,80}", value) else ""

    def name(self, *names: str) -> str:
        """The name of a repository: parts between slashes, fit to be shown. UnlistedError."""
        name = self.text(*names)
        parts = name.split("/")
        if not _NAME.fullmatch(name) or not all(part.strip() and part not in (".", "..") for part in parts):
            raise UnlistedError("it is called something that cannot be a name")
        return name

    def branch(self, *names: str) -> str:
        """The name of a branch; empty where it is none."""
        name = self.text(*names).removeprefix("refs/heads/")
        return name if _NAME.fullmatch(name) and len(name) <= 250 else ""

    def shown(self, *names: str) -> str:
        """What it is called, for a message about it."""
        called = self.text(*names) or next(filter(None, map(self.key, names)), "")
        return f"{clean(called[:100])}: " if called else "a repository without a name: "

    def _under(self, name: str) -> Any:
        value: Any = self._told
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


def clone_url(url: str, api: str, *hosts: str) -> str:
    """A clone URL without a user's name. UnlistedError where it leads to another host than the API's, or `hosts`."""
    try:
        parts, asked = urlsplit(url), urlsplit(api)
        named, here = _authority(parts), _authority(asked)
    except ValueError:
        raise UnlistedError("its clone URL is no URL") from None
    if len(url) > 4096 or _CONTROL.search(url) or parts.scheme not in ("http", "https") or not named:
        raise UnlistedError("its clone URL is none that is fetched from")
    if parts.password is not None or parts.query or parts.fragment:
        raise UnlistedError("its clone URL holds more than a host and a path")
    beside = asked.scheme == "http" and is_here(named) and is_here(here)
    if not beside and (parts.scheme != "https" or named not in (here, *hosts)):
        raise UnlistedError("its clone URL leads to another host")
    path = quote(parts.path, safe="/%:@!$&'()*+,;=-._~")
    plain = unquote(path)
    if not plain.strip("/") or _CONTROL.search(plain) or {"..", "."} & set(plain.split("/")):
        raise UnlistedError("its clone URL has no path that a repository may have")
    return urlunsplit((parts.scheme, named, path, "", ""))


def _authority(parts: SplitResult) -> str:
    """Host and port, the port only where it is not the scheme's own. ValueError."""
    host, port = (parts.hostname or "").rstrip("."), parts.port
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return bracketed(host) + (f":{port}" if port is not None and port != usual and host else "")
