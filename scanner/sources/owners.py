"""Who owns which file of a repository, by its CODEOWNERS, as GitHub, GitLab, Gitea and Forgejo read it.

A line is a pattern, as in a .gitignore, and the owners of what it fits; the last line that fits counts. What differs:

| | GitHub | GitLab | Gitea, Forgejo |
|---|---|---|---|
| a pattern | from the root, where a slash is in it | at any depth, where it begins with none | a regular expression |
| lines that fit | the last one counts | the last one of each section | all count |
| `!` | is no pattern | what it fits has no owners in its section | fits all other files |
| `[Name] @owners` | is no pattern | begins a section, with owners for what names none | a regular expression |

No pattern is made into a regular expression, as those of a hostile file could take for ever: of Gitea's are read those
that are made of text, `.` and `.*`; lines with others own nothing here. Sources:
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
https://docs.gitlab.com/user/project/codeowners/reference/ and advanced/
https://docs.gitea.com/usage/repository/code-owners
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import GitError
from .git import Repository

_EVERYWHERE = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_PLACES = {
    "github": _EVERYWHERE,
    "gitlab": (*_EVERYWHERE[1:], ".gitlab/CODEOWNERS"),
    "gitea": (*_EVERYWHERE[1:], ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"),
    "": (*_EVERYWHERE, ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"),
}
"""Where each kind of host looks for it, and where it may be if that is not known; the first that is there counts."""
_FOLDERS = {".github": "github", ".gitlab": "gitlab", ".gitea": "gitea", ".forgejo": "gitea"}
LARGEST = 3 << 20
"""Bytes of one that is read: GitHub's limit."""
MOST_LINES = 20_000
LONGEST = 250
"""Characters of a pattern."""
LONGEST_PATH = 4096
PATIENCE = 20.0
"""Seconds that looking for the owners of all findings of a repository may take; the others have none."""
MOST_OWNERS = 20
"""Owners that are told of a file."""
_SECTION = re.compile(r"\^?\[(?P<name>[^\[\]]{1,200})\](?:\[\d{1,3}\])?(?P<owners>(?:[ \t]+[^\s]+)*)[ \t]*")


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: Pattern | Expression
    owners: tuple[str, ...]


class Owners:
    """The rules of one file, section by section; of each the first that fits counts."""

    def __init__(self, sections: Iterable[list[_Rule]] = ()) -> None:
        self._sections = list(sections)
        self._known: dict[str, tuple[str, ...]] = {}
        self._left = PATIENCE

    def owners_of(self, path: str) -> tuple[str, ...]:
        """The owners of a path of the repository; empty where it has none."""
        if path not in self._known:
            if self._left < 0 or len(path) > LONGEST_PATH:
                return ()
            begun = time.monotonic()
            self._known[path] = self._found(path, begun + self._left)
            self._left -= time.monotonic() - begun
        return self._known[path]

    def _found(self, path: str, until: float) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for rules in self._sections:
            for rule in rules:
                if time.monotonic() > until:
                    return ()
                if rule.pattern.fits(path):
                    found |= dict.fromkeys(rule.owners)
                    break
        return tuple(found)[:MOST_OWNERS]


def owners(repository: Repository, kind: str = "") -> Owners:
    """Those that the head of the default branch names, as its kind of host reads it (`github`, `gitlab`, `gitea`; for
    any other, by where the file is and what is in it). GitError where git fails."""
    places = _PLACES.get(kind, _PLACES[""])
    listed = repository.run("ls-tree", "-z", "-l", "HEAD", "--", *places) if _has_head(repository) else b""
    there: dict[str, tuple[str, int]] = {}
    for entry in listed.split(b"\0"):
        about, tab, path = entry.partition(b"\t")
        fields = about.split()
        if tab and len(fields) == 4 and fields[1] == b"blob" and fields[0] != b"120000" and fields[3].isdigit():
            there[path.decode("utf-8", "replace")] = fields[2].decode("ascii"), int(fields[3])
    for place in places:
        if place in there:
            name, size = there[place]
            if kind not in _FOLDERS.values():
                kind = _FOLDERS.get(place.partition("/")[0], "")
            return read(repository.run("cat-file", "blob", name), kind) if size <= LARGEST else Owners()
    return Owners()


def _has_head(repository: Repository) -> bool:
    try:
        return bool(repository.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}"))
    except GitError:
        return False


def read(content: bytes, kind: str = "") -> Owners:
    """The rules of a CODEOWNERS file, as a kind of host reads it; of none, as GitLab does where it has sections, else
    as GitHub does. Lines that are none are left out."""
    lines = list(_lines(content))
    if not kind:
        kind = "gitlab" if any(map(_SECTION.fullmatch, lines)) else "github"
    if kind == "gitea":
        return Owners(_expressions(lines))
    return Owners(_sections(lines) if kind == "gitlab" else [_patterns(lines)])


def _patterns(lines: Iterable[str]) -> list[_Rule]:
    """Of a file as GitHub reads it."""
    rules = []
    for line in lines:
        pattern, named = _words(line)
        made = None if pattern.startswith(("!", "[", "^[")) else Pattern.read(pattern)
        if made:
            rules.append(_Rule(made, named))
    return rules[::-1]


def _sections(lines: Iterable[str]) -> Iterator[list[_Rule]]:
    """Of a file as GitLab reads it: of each section first what it leaves out, which is final."""
    sections: dict[str, tuple[list[_Rule], list[_Rule]]] = {"": ([], [])}
    current, default = "", tuple[str, ...]()
    for line in lines:
        section = _SECTION.fullmatch(line)
        if section:
            current, default = section["name"].strip().lower(), _named(section["owners"].split())
            sections.setdefault(current, ([], []))
            continue
        pattern, named = _words(line)
        left_out, rules = sections[current]
        made = Pattern.read(pattern.removeprefix("!"), anywhere=True)
        if made and pattern.startswith("!"):
            left_out.append(_Rule(made, ()))
        elif made:
            rules.append(_Rule(made, named or default))
    for left_out, rules in sections.values():
        yield left_out + rules[::-1]


def _expressions(lines: Iterable[str]) -> Iterator[list[_Rule]]:
    """Of a file as Gitea reads it: every line that fits counts."""
    for line in lines:
        text, named = _words(line)
        made = Expression.read(text)
        if made:
            yield [_Rule(made, named)]


def _lines(content: bytes) -> Iterator[str]:
    for line in content.split(b"\n")[:MOST_LINES]:
        text = line[:8192].decode("utf-8", "replace").strip().replace("\0", "")
        if text and not text.startswith("#"):
            yield text


def _words(line: str) -> tuple[str, tuple[str, ...]]:
    """A pattern, in which a space stands behind a backslash, and owners, up to a comment."""
    pattern = _PATTERN.match(line)
    assert pattern is not None
    rest = line[pattern.end() :].split()
    comment = next((at for at, word in enumerate(rest) if word.startswith("#")), len(rest))
    return pattern[0], _named(rest[:comment])


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
    def read(cls, text: str, *, anywhere: bool = False) -> Pattern | None:
        """A pattern as it is written; None where it is none. One without a slash fits at any depth (`anywhere`: one
        that does not begin with one), one whose last part is a mere `*` behind a slash only what lies right there."""
        if len(text) > LONGEST:
            return None
        anchored = text.startswith("/") if anywhere else "/" in text.rstrip("/")
        parts = [part for part in text.split("/") if part]
        parts = [part for at, part in enumerate(parts) if not (part == "**" == parts[at - 1] and at)]
        if not parts:
            return None
        deep = not ("/" in text.rstrip("/") and parts[-1] == "*")
        below = text.endswith("/")
        if len(parts) > 1 and parts[-1] == "**":  # what lies in a folder, and not the folder
            del parts[-1]
            below = True
        return cls(tuple(parts if anchored or parts[0] == "**" else ["**", *parts]), deep, below)

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


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression of Gitea's for a whole path, of those that are no more than text with gaps; `other` says
    that it fits what the text does not."""

    glob: str
    other: bool

    @classmethod
    def read(cls, text: str) -> Expression | None:
        """One as it is written, where a backslash stands before each of its own; None where it is more than that."""
        plain = _ESCAPED.sub(r"\1", text.removeprefix("!")).removeprefix("^").removesuffix("$")
        glob = []
        for gap, one, escaped, letter in _TOKENS.findall(plain):
            if not (gap or one or escaped or letter):
                return None
            glob.append("*" if gap else "?" if one else "\\" + (escaped or letter))
        return cls("".join(glob), text.startswith("!")) if glob and len(text) <= LONGEST else None

    def fits(self, path: str) -> bool:
        """Whether it fits a path."""
        return _fits(self.glob, path) is not self.other


_ESCAPED = re.compile(r"\\(.)")
_TOKENS = re.compile(r"(?:(\.\*)\??|(\.)|\\([^0-9A-Za-z])|([^\\.*+?()|\[\]{}^$]))(?![*+?{])|.")


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
