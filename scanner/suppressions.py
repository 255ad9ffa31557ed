"""What somebody accepted: which places and secrets the entries of a configuration take out, and which do nothing.

A path pattern fits the path inside of the target, byte by byte: `*` and `?` stay inside of a name, `**` in the place of
a name is any number of folders. A pattern without a `/` fits a name in any folder, one with a `/` at its end all that
is below such a folder, as in .gitignore.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from datetime import date

from .model import Suppression

BY_FINGERPRINT, BY_PATH, BY_DETECTOR, BASELINE = "accepted", "accepted path", "accepted detector", "baseline"
"""The words under which a report counts what was taken out."""


class Suppressions:
    """The entries that hold for one target on a day, and which of them were `used`."""

    def __init__(self, entries: Iterable[Suppression], today: date) -> None:
        entries = tuple(entries)
        self.expired = tuple(e for e in entries if e.expires and e.expires < today)
        self.used: set[Suppression] = set()
        held = [e for e in entries if not (e.expires and e.expires < today)]
        self._places = [e for e in held if not e.fingerprint]
        self._secrets: dict[str, list[Suppression]] = {}
        for entry in held:
            if entry.fingerprint:
                self._secrets.setdefault(entry.fingerprint, []).append(entry)
        self._known: dict[tuple[str, bytes], str] = {}

    def of_place(self, detector: str, path: bytes) -> str:
        """The word under which what a detector found in a file is taken out; empty where it is not."""
        key = detector, path
        if key not in self._known:
            fit = [e for e in self._places if _fits(e, detector, path)]
            self.used.update(fit)
            self._known[key] = BY_PATH if any(e.path for e in fit) else BY_DETECTOR if fit else ""
        return self._known[key]

    def of_secret(self, fingerprint: str) -> bool:
        """Whether a secret is accepted wherever it stands."""
        entries = self._secrets.get(fingerprint, ())
        self.used.update(entries)
        return bool(entries)


def _fits(entry: Suppression, detector: str, path: bytes) -> bool:
    if entry.detector and entry.detector != detector:
        return False
    return not entry.path or (path != b"" and pattern(entry.path).fullmatch(path) is not None)


@functools.cache
def pattern(glob: str) -> re.Pattern[bytes]:
    """A path pattern as an expression over paths, which takes time that grows with the length of a path, not worse.

    Between two `**`, or two `*` in a name, the first place that fits is as good as any other: nothing is tried twice.
    """
    names = glob.strip("/").split("/")
    if "/" not in glob[:-1]:
        names.insert(0, "**")
    if glob.endswith("/"):
        names.append("**")
    parts: list[list[bytes]] = [[]]
    for name in names:
        if name == "**":
            parts.append([])
        else:
            parts[-1].append(_name(name))
    first, *middle, last = parts if len(parts) > 1 else ([], *parts)
    text = b"".join(name + b"/" for name in first)
    for part in middle:
        text += rb"(?>(?:[^/]*+/)*?%b)" % b"".join(name + b"/" for name in part)
    if len(parts) > 1:
        text += rb"(?:[^/]*+/)*" if last else rb".+"
    return re.compile(text + b"/".join(last), re.DOTALL)


def _name(glob: str) -> bytes:
    """One name of a pattern."""
    first, *rest = (re.escape(text.encode()).replace(rb"\?", b"[^/]") for text in re.split(r"\*+", glob))
    if not rest:
        return first
    *middle, last = rest
    return first + b"".join(rb"(?>[^/]*?%b)" % text for text in middle) + rb"[^/]*%b" % last
