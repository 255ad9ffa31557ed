"""The allowlists: what looks like a credential and is none, and which paths make one less likely.

`review` says why a match is suppressed, by its content alone; every suppression is counted under that word, none is
silent. The words, patterns, fingerprints and paths are data in `allowlists/` (docs/allowlists.md says what each does).
It runs on every match, so each list is compiled once, and a value is looked at up to `MOST` bytes.
"""

from __future__ import annotations

import functools
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import eq, sub
from typing import Any

from .. import allowlists
from .errors import AllowlistError
from .model import Detector, Match, Secret, guessable
from .patterns import later

MOST = 512
"""How many bytes of a value the lists look at."""
BEFORE = 96
"""How many bytes of the line before a value may say what it is."""

_AUDIENCES = ("all", "guessable", "generic", "named")
"""Whose values an entry is for, each one narrower: all detectors'; those that people choose and generic ones'; generic
ones'; generic ones' but passwords."""
_CHOSEN = frozenset({"password", "admin-credential", "connection-string"})
"""Kinds that people choose."""

_FILES: dict[str, tuple[str, dict[str, type], set[str]]] = {
    "placeholders": ("entry", {"name": str, "reason": str}, {"words", "beside", "value", "holds"}),
    "lookalikes": ("entry", {"name": str, "reason": str}, {"words", "value", "before"}),
    "published": ("published", {"name": str, "fingerprint": str, "crc32": int, "source": str}, set()),
    "paths": ("class", {"name": str, "reason": str}, {"folders", "files", "except"}),
}
"""Of each file: the name of its tables, the texts that a table must have, and the lists of texts that it may have."""
_SETTINGS = {"of": str, "unquoted": bool}
_CLASSES = ("lock-file", "test", "example", "vendored", "minified", "docs")

_MARKER = later(
    rb"(?<![\w-])(?:(?:oakum|gitleaks|betterleaks):allow|trufflehog:ignore|pragma: ?(?:allow|white)list[ -]secret)"
    rb"(?![\w-])"
)
_NEXT_LINE = later(rb"(?<![\w-])pragma: ?(?:allow|white)list[ -]nextline[ -]secret(?![\w-])")
_PASSWORD = later(rb"[a-z][\w+.-]{0,30}://[^\s/:@]{0,99}:([^\s/@]+)@|(?i:password|pwd)=([^;\s]+)")
_WORD = rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"
_BETWEEN = b" \t_-./\\:,;'\"!?$>()[]{}&#+*=|`@%<~"
"""What may stand between words."""
_ASSIGNMENT = b" \t\"'`)]=:>@,("
"""What may stand between a name and its value."""


class Allowlist:
    """What is suppressed and why, and what a path says; made by `load`, never changed afterwards."""

    def __init__(self, texts: dict[str, str], *, markers: bool = True, tested: bool = False) -> None:
        """`texts` are the four files by their names without `.toml`; AllowlistError names file, entry and mistake.

        Those that come with oakum are `tested` before it is released: each pattern is compiled when it is first used.
        """
        files = {name: _read(name, texts[name], tested=tested) for name in _FILES}
        placeholders, lookalikes = files["placeholders"]["entry"], files["lookalikes"]["entry"]
        self._markers = markers
        self._published = {e["crc32"]: e["fingerprint"] for e in files["published"]["published"]}
        self._placeholders = _by_audience(placeholders, "value")
        self._held = _by_audience(placeholders, "holds")
        self._lookalikes = _by_audience([e for e in lookalikes if "before" not in e], "value")
        self._files = files

    @functools.cached_property
    def _called(self) -> list[tuple[int, re.Pattern[bytes], re.Pattern[bytes]]]:
        return [
            (_level(e), re.compile(_any(e["value"])), re.compile(rb"(?:%b)\Z" % _any(e["before"])))
            for e in self._files["lookalikes"]["entry"]
            if "before" in e
        ]

    @functools.cached_property
    def _words(self) -> _Words:
        lookalikes = self._files["lookalikes"]
        return _Words(self._files["placeholders"]["entry"], lookalikes["entry"], lookalikes.get("letter_pairs", {}))

    @functools.cached_property
    def _classes(self) -> dict[str, tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]]:
        return {e["name"]: _path_test(e) for e in self._files["paths"]["class"]}

    @classmethod
    def load(cls, *, markers: bool = True) -> Allowlist:
        """The allowlists that come with oakum; without `markers`, what a line says about itself is not heeded."""
        folder = os.path.dirname(allowlists.__file__)
        texts = {}
        for name in _FILES:
            with open(os.path.join(folder, f"{name}.toml"), encoding="utf-8") as file:
                texts[name] = file.read()
        return cls(texts, markers=markers, tested=True)

    def review(self, match: Match, detector: Detector) -> str:
        """Why a match is suppressed: `marker`, `published`, `placeholder` or `lookalike`; empty when it is not."""
        if self._markers and _marked(match):
            return "marker"
        if self._is_published(match.secret):
            return "published"
        value = match.secret.reveal()[:MOST]
        chosen = detector.kind in _CHOSEN
        level = 3 - chosen if detector.generic else int(chosen)
        quoted = match.line_at > 0 and match.line[match.line_at - 1] in b"\"'`"
        if self._is_placeholder(value, level, detector, quoted=quoted):
            return "placeholder"
        return "lookalike" if self._is_lookalike(value, level, match, quoted=quoted) else ""

    def _is_published(self, secret: Secret) -> bool:
        canonical = secret.canonical()
        sample = self._published.get(zlib.crc32(canonical))
        # A guessable value's fingerprint costs a scrypt; such samples are words in placeholders.toml.
        return sample is not None and not guessable(canonical) and secret.fingerprint() == sample

    def _is_placeholder(self, value: bytes, level: int, detector: Detector, *, quoted: bool) -> bool:
        if level == 1 and (url := _PASSWORD.search(value)):
            value = url[1] or url[2]
        if _monotonous(value.removeprefix(detector.prefix)):
            return True
        if self._placeholders(level, quoted).fullmatch(value) or self._held(level, quoted).search(value):
            return True
        return level > 0 and self._words.ask_for_a_value(value)

    def _is_lookalike(self, value: bytes, level: int, match: Match, *, quoted: bool) -> bool:
        if self._lookalikes(level, quoted).fullmatch(value):
            return True
        before = match.line[max(0, match.line_at - BEFORE) : match.line_at].rstrip(_ASSIGNMENT).lower()
        name = before[max(before.rfind(b" "), before.rfind(b"\t")) + 1 :]
        for least, form, names in self._called:
            if level >= least and names.search(name) and form.fullmatch(value):
                return True
        if level < 2 or not self._words.are_a_name(value):
            return False
        # A password may be a row of words: only a reference in code, or the name of a thing, is surely none.
        code = not quoted and b"-" not in value and b" " not in value
        return level == 3 or code or self._words.name_a_secret(value)

    def review_path(self, detector: Detector, path: bytes) -> str:
        """`lock-file` when a generic detector's match stands in a generated file; empty otherwise."""
        return "lock-file" if detector.generic and _is_in(path, *self._classes["lock-file"]) else ""

    def path_class(self, path: bytes) -> str:
        """`test`, `example`, `vendored`, `minified`, `docs` or empty: it lowers confidence and never hides."""
        return next((name for name in _CLASSES[1:] if _is_in(path, *self._classes[name])), "")


def _marked(match: Match) -> bool:
    line = match.line
    if (b":allow" in line or b":ignore" in line or b"pragma:" in line) and _MARKER.search(line):
        return True
    return b"nextline" in match.previous_line and _NEXT_LINE.search(match.previous_line) is not None


def _monotonous(value: bytes) -> bool:
    """Whether a value is mostly one character, a sequence such as 1234 or fedc, or a short unit over and over."""
    if len(value) < 4:
        return False
    steps = list(map(sub, value[1:], value))
    if 2 * sum(map(eq, steps, islice(steps, 1, None))) >= len(steps) - 1:
        return True
    if len(set(value)) > 12:
        return False
    return any(
        sum(map(eq, value, value[unit:])) * 5 >= (len(value) - unit) * 4 for unit in range(2, len(value) // 3 + 1)
    )


def _is_scrambled(words: list[bytes]) -> bool:
    """Whether words are shorter than in any text: it rules most random values out at once."""
    return 5 * len(words) > 2 * sum(map(len, words))


class _Words:
    """What the words of a value say of it."""

    def __init__(
        self, placeholders: list[dict[str, Any]], lookalikes: list[dict[str, Any]], pairs: dict[str, str]
    ) -> None:
        strong, beside = _listed(placeholders, "words"), _listed(placeholders, "beside")
        run = rb"(?P<run>[a-z])(?P=run){2,}"
        # Longest first and never given back: a word is read in one way, in time that grows with its length. Short words
        # do not join: "toor" is a password, not "to" and "or".
        joined = _alternatives(w for w in [*strong, *beside] if len(w) > 2)
        self._known = re.compile(rb"(?>%b|%b)++|%b" % (run, joined, _alternatives(beside)))
        self._strong = re.compile(rb"%b|%b" % (run, _alternatives(strong)))
        words = {e["name"]: e["words"] for e in lookalikes if "words" in e}
        digits, self._short = _alternatives(words["digits in a word"]), {w.encode() for w in words["abbreviation"]}
        self._word = re.compile(_WORD)
        self._part = re.compile(rb"(?i:\b%b(?![a-z0-9]))|%b" % (digits, _WORD))
        self._rare = re.compile(b"|".join(b"%c[^%b ]" % (a, pairs.get(chr(a), "").encode()) for a in range(97, 123)))
        self._naming = frozenset(w.encode() for w in words["naming"])

    def ask_for_a_value(self, value: bytes) -> bool:
        """Whether two thirds of a value are words that ask for one, or all of it names one."""
        words = self._word.findall(value)
        if _is_scrambled(words):
            return False
        strong, known, size = False, 0, len(value.translate(None, _BETWEEN))
        for word in map(bytes.lower, words):
            if self._known.fullmatch(word):
                known += len(word)
                strong = strong or self._strong.search(word) is not None
        if strong:
            size = len(value.rstrip(b"0123456789").translate(None, _BETWEEN))
        return known > 0 and 3 * known >= (2 if strong else 3) * size

    def are_a_name(self, value: bytes) -> bool:
        """Whether a value is a row of two words or more, such as an identifier, a class name, a path or a sentence."""
        if _is_scrambled(self._word.findall(value)):
            return False
        parts = self._part.findall(value)
        if len(parts) < 2 or len(value.translate(None, _BETWEEN)) != sum(map(len, parts)):
            return False
        spelled = [word for word in map(bytes.lower, parts) if word.isalpha() and word not in self._short]
        if 7 * len(spelled) > 2 * sum(map(len, spelled)):
            return False
        return not self._rare.search(b" ".join(spelled) + b" ")

    def name_a_secret(self, value: bytes) -> bool:
        """Whether one of a value's words is of those that names of secrets have."""
        return any(word.lower() in self._naming for word in self._part.findall(value))


# --- the files ------------------------------------------------------------------------------------------------------


def _read(name: str, text: str, *, tested: bool) -> dict[str, Any]:
    """One file, checked unless it was `tested`; AllowlistError otherwise."""
    table, texts, lists = _FILES[name]
    import tomllib  # here: most searches find nothing to look at

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise AllowlistError(f"{name}.toml: not valid TOML: {e}") from e
    if tested:
        return document
    extra = set(document) - {table} - ({"letter_pairs"} if name == "lookalikes" else set())
    if extra or not isinstance(document.get(table), list):
        raise AllowlistError(f"{name}.toml: the file holds [[{table}]] tables and nothing else, not {sorted(extra)}")
    for number, entry in enumerate(document[table], 1):
        for mistake in _mistakes(entry, texts, lists):
            raise AllowlistError(f"{name}.toml: {entry.get('name', f'{table} {number}')}: {mistake}")
    if name == "paths" and sorted(e["name"] for e in document[table]) != sorted(_CLASSES):
        raise AllowlistError(f"paths.toml: name: each of {', '.join(_CLASSES)} once, and no other")
    return document


def _mistakes(entry: dict[str, Any], texts: dict[str, type], lists: set[str]) -> Iterator[str]:
    for field, value in entry.items():
        if field in lists:
            if not (isinstance(value, list) and value and all(isinstance(v, str) and v for v in value)):
                yield f"{field}: a list of texts that is not empty"
        elif not isinstance(value, texts.get(field, _SETTINGS.get(field, ()) if lists else ())):
            yield f"{field}: allowed are {', '.join([*texts, *sorted(lists), *_SETTINGS])}, each of its own type"
    for field in texts:
        if not entry.get(field):
            yield f"{field}: is required, a text that is not empty"
    if entry.get("of", "all") not in _AUDIENCES:
        yield f"of: {entry['of']!r} is not one of {', '.join(_AUDIENCES)}"
    if "fingerprint" in texts and not re.fullmatch("[a-z2-7]{26}", entry.get("fingerprint", "")):
        yield "fingerprint: 26 characters of a to z and 2 to 7"
    for pattern in [p for field in ("value", "holds", "before") for p in entry.get(field, [])]:
        try:
            re.compile(_any([pattern]))
        except (re.error, UnicodeEncodeError) as e:
            yield f"{pattern!r}: not a pattern over bytes: {e}"


def _level(entry: dict[str, Any]) -> int:
    return _AUDIENCES.index(entry.get("of", "all"))


def _any(patterns: Iterable[str]) -> bytes:
    return b"|".join(b"(?:%b)" % p.encode("ascii") for p in patterns) or rb"(?!)"


def _by_audience(entries: list[dict[str, Any]], field: str) -> Callable[[int, bool], re.Pattern[bytes]]:
    """Per audience, the patterns of a field in one, for values without a quote before them and with one."""

    @functools.cache
    def one(level: int, quoted: bool) -> re.Pattern[bytes]:
        heeded = (e for e in entries if _level(e) <= level and not (quoted and e.get("unquoted")))
        return re.compile(_any(p for e in heeded for p in e.get(field, [])))

    return one


def _listed(entries: list[dict[str, Any]], field: str) -> list[str]:
    return [word for entry in entries for word in entry.get(field, [])]


def _alternatives(words: Iterable[str]) -> bytes:
    return b"(?:%b)" % b"|".join(re.escape(w.encode()) for w in sorted(words, key=len, reverse=True))


def _path_test(entry: dict[str, Any]) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    import fnmatch

    def globs(field: str) -> re.Pattern[bytes]:
        return re.compile("|".join(map(fnmatch.translate, entry.get(field, []))).encode() or rb"(?!)")

    folders = _alternatives(entry["folders"]) if "folders" in entry else rb"(?!)"
    return re.compile(rb"(?:\A|/)%b/" % folders), globs("files"), globs("except")


def _is_in(path: bytes, folders: re.Pattern[bytes], files: re.Pattern[bytes], but: re.Pattern[bytes]) -> bool:
    path = path.replace(b"\\", b"/").lower()
    name = path[path.rfind(b"/") + 1 :]
    return folders.search(path) is not None or (files.match(name) is not None and not but.match(name))
