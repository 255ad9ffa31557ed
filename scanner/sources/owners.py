"""Who owns which file of a repository, by its CODEOWNERS, as GitHub, GitLab, Gitea and Forgejo read it.

A line is a pattern, as in a .gitignore, and the owners of what it fits; the last line that fits counts. In GitLab there
are sections (`[Name] @owners`), each with owners of its own for what names none; all sections count. Patterns are not
made into regular expressions: those of a hostile file could take for ever. Sources:
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
https://docs.gitlab.com/user/project/codeowners/reference/
https://docs.gitea.com/usage/code-owners (patterns are regular expressions there: such lines own nothing here)
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import GitError
from .git import Repository

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS")
"""Where it is looked for; the first that is there counts."""
LARGEST = 3 << 20
"""Bytes of one that is read: GitHub's limit."""
MOST_LINES = 20_000
LONGEST = 250
"""Characters of a pattern."""
PATIENCE = 20.0
"""Seconds that looking for the owners of all findings of a repository may take; the others have none."""
MOST_OWNERS = 20
"""Owners that are told of a file."""
_SECTION = re.compile(r"\^?\[(?P<name>[^\[\]]{1,200})\](?:\[\d{1,3}\])?(?P<owners>(?:[ \t]+[^\s]+)*)[ \t]*")


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: Pattern
    owners: tuple[str, ...]


class Owners:
    """The rules of one file, section by section."""

    def __init__(self, sections: Iterable[list[_Rule]] = ()) -> None:
        self._sections = [section[::-1] for section in sections]
        self._known: dict[str, tuple[str, ...]] = {}
        self._left = PATIENCE

    def owners_of(self, path: str) -> tuple[str, ...]:
        """The owners of a path of the repository; empty where it has none."""
        if path not in self._known and self._left < 0:
            return ()
        if path not in self._known:
            begun = time.monotonic()
            found = (owner for rules in self._sections for owner in _first(rules, path))
            self._known[path] = tuple(dict.fromkeys(found))[:MOST_OWNERS]
            self._left -= time.monotonic() - begun
        return self._known[path]


def _first(rules: list[_Rule], path: str) -> tuple[str, ...]:
    return next((rule.owners for rule in rules if rule.pattern.fits(path)), ())


def owners(repository: Repository) -> Owners:
    """Those that the head of the default branch names. GitError where git fails."""
    listed = repository.run("ls-tree", "-z", "-l", "HEAD", "--", *PLACES) if _has_head(repository) else b""
    there: dict[str, tuple[str, int]] = {}
    for entry in listed.split(b"\0"):
        about, tab, path = entry.partition(b"\t")
        fields = about.split()
        if tab and len(fields) == 4 and fields[1] == b"blob" and fields[0] != b"120000" and fields[3].isdigit():
            there[path.decode("utf-8", "replace")] = fields[2].decode("ascii"), int(fields[3])
    for place in PLACES:
        if place in there:
            name, size = there[place]
            return read(repository.run("cat-file", "blob", name)) if size <= LARGEST else Owners()
    return Owners()


def _has_head(repository: Repository) -> bool:
    try:
        return bool(repository.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}"))
    except GitError:
        return False


def read(content: bytes) -> Owners:
    """The rules of a CODEOWNERS file. Lines that are none are left out."""
    sections: dict[str, list[_Rule]] = {"": []}
    current, default = "", tuple[str, ...]()
    for line in _lines(content):
        section = _SECTION.fullmatch(line)
        if section:
            current, default = section["name"].strip().lower(), _named(section["owners"].split())
            sections.setdefault(current, [])
            continue
        words = _words(line)
        pattern = Pattern.read(words[0])
        if pattern:
            sections[current].append(_Rule(pattern, _named(words[1:]) or default))
    return Owners(sections.values())


def _lines(content: bytes) -> Iterator[str]:
    for line in content.split(b"\n")[:MOST_LINES]:
        text = line[:8192].decode("utf-8", "replace").strip().replace("\0", "")
        if text and not text.startswith(("#", "!")):
            yield text


def _words(line: str) -> list[str]:
    """A pattern, in which a space stands behind a backslash, and owners, up to a comment."""
    pattern = _PATTERN.match(line)
    assert pattern is not None
    rest = line[pattern.end() :].split()
    comment = next((at for at, word in enumerate(rest) if word.startswith("#")), len(rest))
    return [pattern[0], *rest[:comment]]


_PATTERN = re.compile(r"(?:\\.|[^\s\\])+|.")


def _named(words: Iterable[str]) -> tuple[str, ...]:
    """Users, teams, roles and addresses of mail among words."""
    return tuple(word for word in words if "@" in word and len(word) <= 200)[:MOST_OWNERS]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, in parts between slashes. `deep` says that it fits what lies below a folder that it fits; `below` that
    it fits only that."""

    parts: tuple[str, ...]
    deep: bool
    below: bool

    @classmethod
    def read(cls, text: str) -> Pattern | None:
        """A pattern as it is written; None where it is none. One without a slash fits at any depth, one whose last part
        is a mere `*` behind a slash only what lies right there (GitHub's page)."""
        if len(text) > LONGEST:
            return None
        anchored = "/" in text.rstrip("/")
        parts = [part for part in text.split("/") if part]
        parts = [part for at, part in enumerate(parts) if not (part == "**" == parts[at - 1] and at)]
        if not parts:
            return None
        deep = not (anchored and parts[-1] == "*")
        return cls(tuple(parts if anchored else ["**", *parts]), deep, text.endswith("/"))

    def fits(self, path: str) -> bool:
        """Whether it fits a path. Time: parts of the pattern times characters of the path."""
        names = path.split("/")
        at = self._skipped({0})
        for done, name in enumerate(names, 1):
            at = self._skipped({each for state in at for each in self._after(state, name)})
            if not at:
                return False
            if len(self.parts) in at and (not self.below if done == len(names) else self.deep or self.below):
                return True
        return False

    def _skipped(self, states: set[int]) -> set[int]:
        """Those states, and those behind a `**`, which may stand for nothing."""
        for state in sorted(states):
            while state < len(self.parts) and self.parts[state] == "**":
                state += 1
                states.add(state)
        return states

    def _after(self, state: int, name: str) -> Iterator[int]:
        if state < len(self.parts):
            if self.parts[state] == "**":
                yield state
            elif _fits(self.parts[state], name):
                yield state + 1


def _fits(pattern: str, name: str) -> bool:
    """Whether a part fits a name: `*` stands for any characters, `?` for one, a backslash makes the next one plain.
    Only the last `*` is ever gone back to, so that the time is one length times the other."""
    at = place = 0
    star, since = -1, 0
    while place < len(name):
        plain = at + 1 < len(pattern) and pattern[at] == "\\"
        sign = pattern[at + plain] if at + plain < len(pattern) else ""
        if sign == "*" and not plain:
            star, since = at, place
            at += 1
        elif sign and ((sign == "?" and not plain) or sign == name[place]):
            at += 1 + plain
            place += 1
        elif star >= 0:
            since += 1
            at, place = star + 1, since
        else:
            return False
    return not pattern[at:].strip("*")
