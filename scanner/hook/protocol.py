"""What git tells its hooks: which refs a push changes, and from what to what.

Source: githooks(5), pre-push and pre-receive; https://pre-commit.com/#pre-push for what that framework tells instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..model import clean
from ..sources.pushed import Update

_PRE_PUSH = re.compile(
    rb"(?P<name>.+) (?P<new>[0-9a-f]{40}|[0-9a-f]{64}) (?P<ref>[^ ]+) (?P<old>[0-9a-f]{40}|[0-9a-f]{64})", re.DOTALL
)
"""What is pushed may be given as any expression that git takes, with blanks in it."""
_PRE_RECEIVE = re.compile(
    rb"(?P<old>[0-9a-f]{40}|[0-9a-f]{64}) (?P<new>[0-9a-f]{40}|[0-9a-f]{64}) (?P<ref>[^ ]+)", re.DOTALL
)
_ID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_LINE = re.compile(rb"[^\n]+")
LONGEST = 120
"""Bytes of a line that is no update that are shown."""
LONGEST_LINE = 1 << 20
"""Bytes of a line that can be an update: a system lets nobody give git a longer expression."""
MOST_GARBAGE = 1000
"""Lines that are none, until the rest is not looked at; the first few are told."""
MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What a hook was told: the updates, and of lines that are none why not, fit to be shown."""

    updates: tuple[Update, ...] = ()
    garbage: tuple[str, ...] = ()

    @property
    def tips(self) -> list[str]:
        """The ids that refs are to have, each once."""
        return list(dict.fromkeys(update.new for update in self.updates if not update.deletes))

    @property
    def known(self) -> list[str]:
        """The ids that refs of the remote had before, each once."""
        return list(dict.fromkeys(update.old for update in self.updates if not update.creates))

    @property
    def id_length(self) -> int:
        """Of the object ids, in characters; 0 where none is named, or where they differ."""
        lengths = {len(update.new) for update in self.updates}
        return lengths.pop() if len(lengths) == 1 else 0

    def fit(self, id_length: int) -> Told:
        """The same for a repository with ids of so many characters: others name nothing in it."""
        if self.id_length in (0, id_length) and not (self.updates and self.id_length == 0):
            return self
        kept = tuple(update for update in self.updates if len(update.new) == id_length)
        odd = [update.new for update in self.updates if len(update.new) != id_length]
        told = (f"{new} is no object id of this repository: nothing of it was searched" for new in odd[:MOST_TOLD])
        return Told(kept, (*self.garbage, *told, *_more(len(odd))))


def pre_push(given: bytes) -> Told:
    """Lines `LOCAL-REF NEW-ID REMOTE-REF OLD-ID`."""
    return _told(given, _PRE_PUSH)


def pre_receive(given: bytes) -> Told:
    """Lines `OLD-ID NEW-ID REF`."""
    return _told(given, _PRE_RECEIVE)


def _told(given: bytes, form: re.Pattern[bytes]) -> Told:
    updates: list[Update] = []
    garbage: list[str] = []
    count = 0
    for line in _LINE.finditer(given):
        found = None
        if line.end() - line.start() <= LONGEST_LINE:
            found = form.fullmatch(line[0].removesuffix(b"\r"))  # some shells on Windows add it
        if found and len(found["new"]) == len(found["old"]):
            name = found.groupdict().get("name", found["ref"])
            updates.append(Update(name, found["new"].decode(), found["ref"], found["old"].decode()))
            continue
        count += 1
        if count <= MOST_TOLD:
            text = clean(given[line.start() : min(line.end(), line.start() + LONGEST)])
            garbage.append(f"a line on standard input is not what git tells a hook: {text}")
        if count == MOST_GARBAGE:
            garbage.append(f"so are {count - MOST_TOLD:,} more, and the rest was not looked at")
            return Told(tuple(updates), tuple(garbage))
    return Told(tuple(updates), (*garbage, *_more(count)))


def _more(count: int) -> list[str]:
    return [f"so are {count - MOST_TOLD:,} more"] if count > MOST_TOLD else []


def alone(head: str, name: str) -> Told:
    """As if the commit of a name were pushed to a branch that the remote does not have: where nobody says what is."""
    if not head:
        return Told((), (f"{clean(name)} names no commit, so that nothing was searched",))
    return Told((Update(b"HEAD", head, b"HEAD", "0" * len(head)),))


def of_the_framework(environment: Mapping[str, str]) -> Told:
    """What the pre-commit framework tells in its environment, as it keeps standard input to itself.

    It tells of one ref only, nothing of deletions, and of the first push of a whole history no ids.
    """
    new = environment.get("PRE_COMMIT_TO_REF") or environment.get("PRE_COMMIT_SOURCE") or ""
    if not _ID.fullmatch(new):
        return Told()
    old = environment.get("PRE_COMMIT_FROM_REF") or environment.get("PRE_COMMIT_ORIGIN") or ""
    name = environment.get("PRE_COMMIT_LOCAL_BRANCH", "HEAD").encode()
    ref = environment.get("PRE_COMMIT_REMOTE_BRANCH", "").encode() or name
    return Told((Update(name, new, ref, old if len(old) == len(new) and _ID.fullmatch(old) else "0" * len(new)),))
