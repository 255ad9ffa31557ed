"""Objects whose names say that they hold credentials: one automaton over all patterns of the catalog of names.

The keys of a listing are joined into one text with `/key` on each line, in small letters and with all signs alike, so
that what a rule asks of the borders of a component stands in the automaton's own literals: `/id_rsa`; `/sam` before a
line's end, a dot or a sign; an ending before the same; `/.ssh/`. Few keys have one. Those are taken apart
(`object_name.py`), and the patterns whose literals stand there are put to the test, the weightiest first. A test may
ask for more than its literal says, never for less. Names with frequent words (`www` as an archive, `settings-prod.py`)
have no literal of their own: the ending of an archive, or an environment before an ending, is one for all of them, and
such names are looked up.

pyahocorasick takes at most 1 MiB at a time here, as in `aho_corasick.py`. Of a key longer than 4,096 bytes the end is
looked at: no store takes longer ones (S3 and GCS 1,024 bytes, Azure 1,024 characters).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import ahocorasick

from ..listed import NameForms, NameRule, alike
from .aho_corasick import CHUNK
from .object_name import COPIES, ObjectName, Words, folded, spellings, text_of

LONGEST = 4096
"""How many bytes of a key's end are looked at."""
_TOGETHER = 4096
"""How many keys are joined at first."""
_BORDERS = "\n._"
"""What may follow a name or an ending, where something stands around it."""
_BETWEEN = ("", "_", ".")
"""What may stand between the words of a pattern."""
_FREQUENT = b"0123456789/e-_.atsinorcdlmpughbfyvwkxqzj"
"""What stands in keys, most frequent first."""
_RARE = 6
"""From how many letters on a whole name or an ending may stand before anything: it is rare enough."""
_AFTER_WORDS = (*"/._\n", *map(str, range(10)))
_PACKED = frozenset({"archive", "encrypted"})
"""Rules that are for such types alone speak of frequent words: they are asked where a name has such a type."""
_ASK = -1
_NUMBER = re.compile(rb"(?<![A-Za-z0-9.])\d{5,14}(?![A-Za-z0-9])")
"""A number that no name and no ending of a rule has: too long, and with signs around it."""
_LONGEST_REMEMBERED = 256
_MOST_REMEMBERED = 10_000
_PLAINLY = bytes(
    ord("/") if chr(byte) == "\\" else byte if byte > 127 or chr(byte).isalnum() or chr(byte) in "./\n" else ord("_")
    for byte in bytes(range(256)).lower()
)
"""How keys and literals are written: in small letters, and all signs but dots and slashes alike."""
_FIELDS = ("exact", "starts", "extensions", "folders", "words", "parts", "folder_words", "folder_parts")
_GUESSES = frozenset({"words", "parts", "folder_words", "folder_parts"})


@dataclass(frozen=True, slots=True)
class _Test:
    """One pattern of a rule: the field that it stands in, what it looks for, and what takes a hit out."""

    rule: NameRule
    field: str
    pattern: str
    looks_for: tuple[str, ...]
    types: frozenset[str]
    unless: _Exceptions
    unless_folders: _Exceptions

    def passes(self, name: ObjectName) -> bool:
        exact = self.field == "exact"
        if (not exact and name.harmless) or (self.types and name.type not in self.types):
            return False
        if not _FOUND[self.field](self, name) or name.folder.innocent or (not exact and name.made_up):
            return False
        if (self.field in _GUESSES or self.field == "starts") and name.about(self.looks_for):
            return False
        if self.field == "words" and name.released:
            return False
        return not self.unless.stand_in(name.words) and not self.unless_folders.stand_in(name.folder.words)


@dataclass(frozen=True, slots=True)
class _Exceptions:
    """Words that take a hit out: single ones, and several as they stand in a text of words."""

    single: frozenset[str]
    several: tuple[str, ...]

    @classmethod
    def of(cls, words: Iterable[str]) -> _Exceptions:
        written = [spelling for word in words for spelling in spellings(word)]
        return cls(
            frozenset(w.strip() for w in written if w.count(" ") == 2), tuple(w for w in written if w.count(" ") > 2)
        )

    def stand_in(self, words: Words) -> bool:
        return not self.single.isdisjoint(words.each) or any(text in words.text for text in self.several)


def _is_exact(test: _Test, name: ObjectName) -> bool:
    before, _, last = test.pattern.rpartition("/")
    return last in name.stages and (not before or name.folder.path.endswith(f"/{before}/"))


def _is_start(test: _Test, name: ObjectName) -> bool:
    follows = name.signs[len(test.pattern) :]
    return name.signs.startswith(test.pattern) and not follows[:1].isalpha()


def _is_extension(test: _Test, name: ObjectName) -> bool:
    return any(stage.endswith(test.pattern) for stage in name.stages)


def _is_folder(test: _Test, name: ObjectName) -> bool:
    return f"/{test.pattern}/" in name.folder.path


def _is_word(test: _Test, name: ObjectName) -> bool:
    return any(word in name.words.text for word in test.looks_for) and _stands_in(test.pattern, f"{name.signs}\n")


def _is_part(test: _Test, name: ObjectName) -> bool:
    return any(part in name.signs and not name.innocent_around(part) for part in test.looks_for)


def _is_folder_word(test: _Test, name: ObjectName) -> bool:
    return any(word in name.folder.words.text for word in test.looks_for) and _stands_in(test.pattern, name.folder.path)


def _is_short(word: str) -> bool:
    """Whether a word must have a border behind it; others may stand anywhere (`myPasswords`, `secretsFile`)."""
    return len(word) <= 4 and word.isascii()


def _stands_in(word: str, text: str) -> bool:
    """Whether a text has a pattern's literals, too: its words stand side by side, a short one before a border."""
    borders = _AFTER_WORDS if _is_short(word) else ("",)
    return any(f"{alike(form)}{border}" in text for form in _joined(folded(word).casefold()) for border in borders)


def _is_folder_part(test: _Test, name: ObjectName) -> bool:
    return any(part in name.folder.path for part in test.looks_for)


_FOUND = {
    "exact": _is_exact,
    "starts": _is_start,
    "extensions": _is_extension,
    "folders": _is_folder,
    "words": _is_word,
    "parts": _is_part,
    "folder_words": _is_folder_word,
    "folder_parts": _is_folder_part,
}


class Names:
    """The rules for names, compiled; made once, used for any number of listings."""

    def __init__(self, rules: Iterable[NameRule], forms: NameForms) -> None:
        self._forms = forms
        self._harmless = {e.encode() for e, kind in forms.types.items() if kind in forms.harmless}
        self._tests = sorted(_tests(rules), key=lambda test: -test.rule.weight)
        self._called: dict[str, list[int]] = {}
        self._packed: dict[str, list[int]] = {}
        users: dict[bytes, set[int]] = {}
        endings: list[str] = []
        for number, test in enumerate(self._tests):
            last = test.pattern.rpartition("/")[2]
            if test.field == "exact":
                self._called.setdefault(last, []).append(number)
                endings.append(last[last.rfind(".") :] if "." in last[1:] else "\n")
            packed = bool(test.types) and test.types <= _PACKED
            if packed and test.field == "words" and len(test.looks_for) == 1:
                self._packed.setdefault(test.looks_for[0].strip(), []).append(number)
            elif not (packed and test.field == "exact"):
                for literal in _literals(test):
                    users.setdefault(literal, set()).add(number)
        for literal in _asking(forms, {e for e in endings if endings.count(e) > 2}) if self._tests else ():
            users.setdefault(literal, set()).add(_ASK)
        self._known: dict[tuple[bytes, frozenset[int]], NameRule | None] = {}
        self._automaton = ahocorasick.Automaton()
        # A node's edges are looked through in the order in which they came: frequent letters first is a fifth faster,
        # and so it is to have an edge for digits, which keys are full of and literals are not.
        for digit in range(10):
            users.setdefault(b"%d\0" % digit, set())
        for literal, numbers in sorted(users.items(), key=lambda user: [_FREQUENT.find(c) % 256 for c in user[0]]):
            self._automaton.add_word(literal.decode("latin-1"), tuple(sorted(numbers)))
        self._automaton.make_automaton()

    def matches(self, keys: Sequence[bytes]) -> Iterator[tuple[int, NameRule]]:
        """For each key that a rule takes, its index and the rule of the greatest weight, in the order of the keys."""
        if not self._tests:
            return
        for begin in range(0, len(keys), _TOGETHER):
            yield from self._among(keys[begin : begin + _TOGETHER], begin)

    def _among(self, keys: Sequence[bytes], begin: int) -> Iterator[tuple[int, NameRule]]:
        text = b"/" + b"\n/".join(keys) + b"\n"
        if len(text) > CHUNK and len(keys) > 1:
            half = len(keys) // 2
            yield from self._among(keys[:half], begin)
            yield from self._among(keys[half:], begin + half)
            return
        if text.count(b"\n") != len(keys) or max(map(len, keys)) > LONGEST:
            keys = [key[-LONGEST:].replace(b"\n", b" ") for key in keys]
            text = b"/" + b"\n/".join(keys) + b"\n"
        index, counted, end, hits = 0, 0, -1, set[int]()
        for place, numbers in self._automaton.iter(text.translate(_PLAINLY).decode("latin-1")):
            if place <= end:
                hits.update(numbers)
                continue
            if hits and (rule := self._rule(keys[index], hits)):
                yield begin + index, rule
            index += text.count(b"\n", counted, place)
            counted, end, hits = place, text.index(b"\n", place), set(numbers)
        if hits and (rule := self._rule(keys[index], hits)):
            yield begin + index, rule

    def _rule(self, key: bytes, hits: set[int]) -> NameRule | None:
        """The rule that takes a key, of those whose literals stand in it.

        Many keys differ in a number only: what was found for one holds for the others in which the same literals stand.
        """
        stem, _, ending = key.rpartition(b".")
        if ending.lower() in self._harmless and stem and stem[-1:] not in b"/\\":  # pictures in a folder of backups
            hits = {n for n in hits if n == _ASK or self._tests[n].field == "exact"}
            if not hits:
                return None
        if len(key) > _LONGEST_REMEMBERED:
            return self._tested(key, hits)
        shape = (_NUMBER.sub(b"00000", key), frozenset(hits))
        if shape not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[shape] = self._tested(key, hits)
        return self._known[shape]

    def _tested(self, key: bytes, hits: set[int]) -> NameRule | None:
        name = ObjectName(text_of(key[-LONGEST:].replace(b"\n", b" ")), self._forms)
        if _ASK in hits:
            hits.remove(_ASK)
            for stage in name.stages:
                hits.update(self._called.get(stage, ()))
            if name.type in _PACKED:
                for word in name.words.each:
                    hits.update(self._packed.get(word, ()))
        return next((self._tests[n].rule for n in sorted(hits) if self._tests[n].passes(name)), None)


def _tests(rules: Iterable[NameRule]) -> Iterator[_Test]:
    for rule in rules:
        unless, unless_folders = _Exceptions.of(rule.unless), _Exceptions.of(rule.unless_folders)
        for field in _FIELDS:
            for pattern in getattr(rule, field) if field in _GUESSES else sorted(set(map(alike, getattr(rule, field)))):
                looks_for: tuple[str, ...] = ()
                types = (field in _GUESSES and rule.types) or rule.must_be
                if field in ("words", "folder_words"):
                    looks_for = spellings(pattern)
                elif field in ("parts", "folder_parts"):
                    looks_for = tuple(_joined(folded(pattern).casefold()))
                yield _Test(rule, field, pattern, looks_for, types, unless, unless_folders)


def _joined(words: str) -> Iterator[str]:
    """The words of a pattern with what may stand between them."""
    first, *others = words.split(" ")
    for between in itertools.product(_BETWEEN, repeat=len(others)):
        yield first + "".join(map("".join, zip(between, others, strict=True)))


def _literals(test: _Test) -> set[bytes]:
    """What stands in the text of every key that a test passes, but for those that `_asking` finds."""
    pattern, found = test.pattern, set[str]()
    if test.field == "folders":
        found = {f"/{pattern}/"}
    elif test.field == "starts":
        found = {f"/{pattern}"}
    elif test.field in ("extensions", "exact"):
        whole = f"/{pattern}" if test.field == "exact" else pattern
        found = {whole + border for border in (_BORDERS if len(whole) < _RARE else ("",))}
        if test.field == "exact":
            folder, slash, last = pattern.rpartition("/")
            found.add(f"/{folder}{slash}.{last}.sw")
    else:
        for form in {spelling for word in _forms(pattern) for spelling in _joined(word)}:
            found |= {form + border for border in _AFTER_WORDS} if _is_short(pattern) else {form}
    return {literal.encode().translate(_PLAINLY) for literal in found}


def _asking(forms: NameForms, endings: Iterable[str]) -> Iterator[bytes]:
    """What makes it worth asking for a name as a whole and word by word: an environment or a copy's word before an
    ending that whole names have, and the ending of an archive."""
    for ending in endings:
        for word in forms.environments | COPIES:
            yield from (f"{border}{word}{ending}".encode() for border in "_.")
    for ending, kind in forms.types.items():
        if kind in _PACKED:
            yield from (f".{ending}{border}".encode() for border in _BORDERS)


def _forms(word: str) -> set[str]:
    """A word as it may be written: in either of Unicode's forms, without accents, in letters of any size.

    Only ASCII letters are made small in the text, which is bytes.
    """
    written = {word, word.upper(), word.title()} if not word.isascii() else {word}
    return {folded(word).lower(), *(unicodedata.normalize(form, w) for form in ("NFC", "NFD") for w in written)}
