"""One object's name, taken apart: what stands around it is taken off, its words are told, its type is found.

A name is the last component of a key, components being parted by `/` or `\\\\` (listings of Windows shares have those).
Around it stand endings of copies and archives (`id_rsa.bak`, `shadow-`, `dump-2021-03-04.sql.gz.enc`,
`passwords (1).xlsx`), and words that say where it is used (`application-prod.yml`). Its words are told twice, as it is
written and cut at capitals, so that both `LastPass` and `myPasswords` are understood. Accents are folded, so that a
name is found in both of Unicode's forms (macOS takes them apart). Keys are bytes of any kind: what is not UTF-8 stays
unread and does no harm.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ..listed import NameForms, alike

COPIES = frozenset(
    "bak bkp bkup backup old orig original save saved copy kopie copia copie final new latest last prev previous "
    "current full daily weekly monthly nightly hourly tmp temp".split()
)
"""Words that say of a name that it is a copy."""
_STAGES = 12
"""How many things are taken off a name."""
_DATE = r"\d{4}[-_.]?\d\d[-_.]?\d\d(?:[-_.t ]{0,3}\d\d[-_.:h]?\d\d(?:[-_.:m]?\d\d)?(?:[-_.,]?\d{1,6})?z?)?"
_ENDING = re.compile(
    rf"(?:[-_. ]{{1,3}}(?:{_DATE}|\d\d[-_.]\d\d[-_.]\d{{2,4}}|(?<!\d\.)v?\d{{1,14}})"
    r"|[-_. ]{0,3}\(\d{1,3}\)|\.~\d{1,3}~|[-_~#$. ]{1,3})$"
)
_LONGEST_ENDING = 40
_HEXADECIMAL = re.compile(
    r"(?<![^\W_])(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=[a-fA-F]*\d)[0-9a-fA-F]{8,})(?![^\W_])"
)
_EXAMPLE_DOMAIN = re.compile(r"example([-_.](?:com|org|net|edu)(?![^\W_]))", re.IGNORECASE)
"""RFC 2606: a domain that is no word."""
_RELEASE = re.compile(
    r"(?<![^-_ ])v?(?!\d\d\.\d\d\.\d\d)(?:\d{1,3}\.){2}\d{1,3}(?!\d|\.\d)"
    r"|(?:linux|win|winx|darwin|macos|x|x86_)(?:32|64)(?![a-z0-9])|(?<![a-z0-9])(?:amd64|arm64|aarch64|armhf|i[36]86)(?![a-z0-9])"
)
"""A version in three parts that is no date and no IPv4 address, or the machines that a program is for."""
_PACKED = frozenset({"archive", "compressed"})
_PLAIN = re.compile(r"[^\W\d_]+")
_MIXED = re.compile(r"[^\W_]+")
_DIGIT = re.compile(r"\d")
_CAMEL = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|[A-Z]")
_CUT = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def folded(text: str) -> str:
    """Without accents; letters stay as large as they are."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text: all in a row, with a space around each; and each by itself."""

    text: str
    each: frozenset[str]


def words_of(text: str) -> Words:
    """The words of a folded text: as it is written, cut at capitals, with its digits.

    Identifiers in hexadecimal digits have no words.

    >>> words_of("dbPasswords2021.xlsx").text
    ' dbpasswords xlsx | db passwords xlsx | dbpasswords2021 xlsx '
    """
    text = _EXAMPLE_DOMAIN.sub(r"\1", _HEXADECIMAL.sub("-", text))
    found = [" ".join(_PLAIN.findall(text)).casefold()]
    if _CUT.search(text):
        found.append(" ".join(_CAMEL.findall(text)).casefold())
    if _DIGIT.search(text):
        found.append(" ".join(_MIXED.findall(text)).casefold())
    row = f" {' | '.join(found)} "
    return Words(row, frozenset(row.split()))


def spellings(word: str) -> tuple[str, ...]:
    """How a word of a rule may stand in what `words_of` gives: its words apart, or all in one."""
    tokens = _MIXED.findall(folded(word).casefold())
    return tuple(dict.fromkeys((f" {' '.join(tokens)} ", f" {''.join(tokens)} ")))


@dataclass(frozen=True, slots=True)
class Folder:
    """The folders before a name: in small letters with a slash around each and signs `alike`; their words; whether one
    of them is innocent."""

    path: str
    words: Words
    innocent: bool


def text_of(key: bytes) -> str:
    """A key as folded text, its components parted by `/`."""
    return folded(key.decode("utf-8", "surrogateescape").replace("\\", "/"))


class ObjectName:
    """A name that something was found in. Its parts are told when they are asked for: few names come so far."""

    def __init__(self, text: str, forms: NameForms) -> None:
        self._head, _, self._last = text.rpartition("/")
        self._forms = forms
        self.lower = self._last.casefold()

    @functools.cached_property
    def folder(self) -> Folder:
        """What stands before the name."""
        return _folder(self._head, self._forms.folders)

    @functools.cached_property
    def words(self) -> Words:
        """As `words_of` tells them, without the endings that have a type, harmless ones aside: those are words, too."""
        stem, dot, ending = self._last.rpartition(".")
        last = self._last
        while dot and stem and self._forms.types.get(ending.casefold(), "") not in self._forms.opaque:
            last = stem
            stem, dot, ending = stem.rpartition(".")
        return words_of(last)

    @functools.cached_property
    def _stripped(self) -> tuple[list[str], list[str]]:
        """The name with one thing after the other taken off, and the types of what was taken off."""
        stages, taken, name = [self.lower], [], self.lower
        for _ in range(_STAGES):
            stem, dot, ending = name.rpartition(".")
            if dot and stem and (kind := self._forms.types.get(ending, "")) in self._forms.wrapping:
                taken.append(kind)
                name = stem
            elif (found := _ENDING.search(name, max(len(name) - _LONGEST_ENDING, 0))) and found.start():
                name = name[: found.start()]
            elif (end := max(map(name.rfind, "-_. "))) > 0 and name[end + 1 :] in COPIES:
                name = name[:end]
            else:
                break
            stages.append(name)
        if name.startswith(".") and "swap" in taken:
            stages.append(name[1:])
        return stages, taken

    @functools.cached_property
    def stages(self) -> list[str]:
        """What the name may be without what stands around it, longest first, with and without environments; signs are
        `alike`."""
        stages = self._stripped[0]
        bare = _without(stages[-1], self._forms.environments)
        return [alike(stage) for stage in (*stages, bare) if stage]

    @functools.cached_property
    def type(self) -> str:
        """The type of the innermost ending; without one that is known, of what goes around it; `none` or `other`."""
        stages, taken = self._stripped
        for stage in stages[::-1]:
            stem, dot, ending = stage.rpartition(".")
            if dot and stem and ending in self._forms.types:
                kind = self._forms.types[ending]
                if kind not in self._forms.wrapping:
                    return kind
        around = [kind for kind in taken if kind != "copy"] or taken
        if around:
            return around[-1]
        stem, dot, ending = stages[-1].rpartition(".")
        return "other" if stem and 0 < len(ending) <= 5 and ending.isalnum() and not ending.isdigit() else "none"

    @functools.cached_property
    def harmless(self) -> bool:
        """Whether its type says that it holds no credentials."""
        return self.type in self._forms.harmless

    @functools.cached_property
    def made_up(self) -> bool:
        """Whether a word of it says that its content is made up."""
        return not self._forms.made_up.isdisjoint(self.words.each)

    @functools.cached_property
    def released(self) -> bool:
        """Whether it is an archive that is called like a program's release: `git-2.34.0.tar.gz`."""
        return self.type in _PACKED and _RELEASE.search(self.lower) is not None

    def about(self, spelled: Iterable[str]) -> bool:
        """Whether a word of it, but for those that are looked for, says that it speaks about something else; what has
        the type of a database or a disk speaks about nothing."""
        if self.type not in self._forms.speaking:
            return False
        telling = self._forms.words & self.words.each
        return bool(telling) and not telling <= {word for text in spelled for word in text.split()}

    @functools.cached_property
    def signs(self) -> str:
        """The name with all signs but dots alike, in small letters."""
        return alike(self.lower)

    def innocent_around(self, part: str) -> bool:
        """Whether a word that has a part in it is otherwise innocent: `passwordpolicy`."""
        grown = [word for word in self.words.each if part in word]
        return any(word.replace(part, "", 1) in self._forms.words | self._forms.made_up for word in grown)


@functools.lru_cache(maxsize=512)
def _folder(head: str, innocent: frozenset[str]) -> Folder:
    path = f"/{alike(head.casefold())}/"
    there = not innocent.isdisjoint(path.split("/")) or any("/" in i and f"/{i}/" in path for i in innocent)
    return Folder(path, words_of(head.replace("/", " / ")), there)


@functools.lru_cache(maxsize=8)
def _environment(words: frozenset[str]) -> re.Pattern[str]:
    either = "|".join(sorted(map(re.escape, words | COPIES)))
    return re.compile(rf"(?<=.)(?:[-_. ]{{1,3}}(?:(?:{either})\d{{0,2}}|\(\d{{1,2}}\)))+(?=\.|$)")


def _without(name: str, words: frozenset[str]) -> str:
    """A name without the words for environments and copies before an ending or its end; empty if there are none."""
    bare = _environment(words).sub("", name)
    return bare if bare != name else ""
