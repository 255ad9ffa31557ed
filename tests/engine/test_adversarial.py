"""Text that was made to slow a scan down: work grows with its length, no faster, and nothing is kept without bound.

`re` has no time-out, so each pattern is tried on text that its repeats could divide in many ways. The bounds of time
are tens of times what is needed: a pattern that grows with the square of its text takes minutes.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from types import ModuleType
from typing import Any

import blobs as made
import pytest
from oakum.detectors import checks, samples
from oakum.detectors.checks import CHECKS, CONTEXTUAL
from oakum.scanner import allow, canonical
from oakum.scanner.allow import Allowlist
from oakum.scanner.engine import Engine, escapes, views
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.engine.reading import by_index
from oakum.scanner.model import Detector, Excerpt, Match, Piece, Secret, Span
from oakum.scanner.patterns import Later

SIZE = 200_000
UNITS = (
    b'"', b"'", b" ", b"\t", b"\n", b"\r\n", b"\\n", b"\\r", b"+", b".", b"-", b"_", b"/", b":", b"=", b"&", b"?",
    b"(", b"[", b"{", b"<", b"@", b"#", b"*", b"$", b"%", b"!", b"a", b"A", b"0", b"a.", b"a-", b"a_", b"aB", b"a:",
    b"a!", b"a=b&", b"%41", b"[a", b"(a", b"passw", b"pass ", b"user_name", b"://a:b", b"a://b", b"pwd=", b"eyJ.",
    b'" +\n', b'"b', b"stringData:\n", b"  stringData:\n", b"  data:\n", b"\n  a: b", b",a:AAAA", b"kind: Secret\n",
    b"kind: Secret\n---\n", b'auth": "', b"basic aaaaaaa ", b"Private-Lines: 1\n", b"Private-Lines: 1 a",
    b"sig=", b"&amp;sig=aaaaaaaaaaaa", b"sig%3Daaaaaaaaaaaa", b"\\u0026", b'"\n  "', b"se=2030\n",
    b"-----BEGIN ", b"-----BEGIN PRIVATE KEY-----", b"\x80", b"\x02\x80", b"\xd0\xbf\xd0",
)  # fmt: skip
HEADS = (
    b"", b"$a", b"-----BEGIN RSA PRIVATE KEY-----\n", b'-----BEGIN PRIVATE KEY-----\n"', b"PuTTY-User-Key-File-2: x\n",
    b"Private-Lines: 1", b"kind: Secret\n", b'auth": "', b"ghs_1_", b"$6$rounds=1", b"#", b"a@b", b"a(", b"<", b"__a",
)  # fmt: skip


def hostile(size: int) -> Iterator[bytes]:
    """Each unit over and over, behind each head, and with an end that none of the repeats takes."""
    for head in HEADS:
        for unit in UNITS:
            yield head + unit * (size // len(unit)) + b"\x00"


def within(seconds: float, work: Callable[[], object], what: object) -> None:
    """Work that ends in time."""
    begin = time.process_time()
    work()
    spent = time.process_time() - begin
    assert spent < seconds, (what, spent)


Use = Callable[[re.Pattern[bytes], bytes], object]


def patterns(module: ModuleType) -> list[tuple[str, re.Pattern[bytes], Use]]:
    """The patterns that a module keeps, in tuples too, each with what the module does with it at most."""
    found: list[tuple[str, re.Pattern[bytes], Use]] = []
    source = inspect.getsource(module)

    def walk(name: str, value: object) -> None:
        if isinstance(value, re.Pattern | Later) and isinstance(value.pattern, bytes):
            asked = set(re.findall(rf"\b{name}\.(\w+)\(", source))
            found.append(
                (f"{module.__name__}.{name}", value, begun if asked <= {"fullmatch", "match"} and asked else everywhere)
            )
        elif isinstance(value, tuple):
            for part in value:
                walk(name, part)

    for name, value in vars(module).items():
        walk(name, value)
    return found


def begun(pattern: re.Pattern[bytes], text: bytes) -> object:
    """Whether a pattern takes a text, or the begin of it."""
    return pattern.fullmatch(text), pattern.match(text)


def everywhere(pattern: re.Pattern[bytes], text: bytes) -> object:
    """The same, and all that it finds in it."""
    return pattern.fullmatch(text), sum(1 for _ in pattern.finditer(text))


excerpt = importlib.import_module("oakum.scanner.engine.excerpt")
settle = importlib.import_module("oakum.scanner.engine.settle")
FAMILIES = [importlib.import_module(m.name) for m in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}.")]
PATTERNS = [p for m in (*FAMILIES, views, escapes, excerpt, allow, canonical) for p in patterns(m)]


def test_the_modules_have_patterns() -> None:
    """So that the next test cannot become empty unseen."""
    names = {name.rpartition(".")[2] for name, _, _ in PATTERNS}
    assert {"_JOIN", "_CODE", "_FIELD", "_ENTRY", "_COMMENT", "_MARKER"} <= names


@pytest.mark.parametrize(("name", "pattern", "use"), PATTERNS, ids=[name for name, _, _ in PATTERNS])
def test_a_pattern_takes_linear_time(name: str, pattern: re.Pattern[bytes], use: Use) -> None:
    """First on a little, so that one which is much worse than linear fails soon, then on 200 KB."""
    for size, step in ((1_000, 4), (20_000, 20), (SIZE, 40)):
        for text in islice(hostile(size), 0, None, step):
            within(2, lambda text=text: use(pattern, text), (name, text[:60]))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_takes_linear_time(name: str) -> None:
    """On values of 64 KiB, which is as wide as any match."""
    arguments: tuple[Any, ...] = ({},) if name in CONTEXTUAL else ()
    arguments += {"base64_length": ("64",), "macaroon": ("pypi.org",)}.get(name, ())
    for size, step in ((1_000, 4), (64_000, 40)):
        for text in islice(hostile(size), 0, None, step):
            for value in (text, text[:-1], b"a-" + base64.b64encode(text)):
                within(2, lambda value=value: CHECKS[name](value, *arguments), value[:60])


def a_match(value: bytes, detector: Detector) -> Match:
    """A match of a value that stands alone on its line."""
    return Match(detector.id, Secret(value), Span(0, len(value)), (), Excerpt(b"", 0, 0), b"x = " + value, 4, value)


@pytest.mark.parametrize("provider", ["generic", "acme"])
@pytest.mark.parametrize("kind", ["token", "password"])
def test_a_review_takes_linear_time(provider: str, kind: str) -> None:
    """Of values of any length, of which no more than a bounded part is looked at closely."""
    allowed = Allowlist.load()
    detector = Detector("an-id", "a name", provider, kind, "low", re.compile(b"(?P<secret>x)"), (b"key",), 1)
    for size, step in ((40, 1), (500, 3), (20_000, 50)):
        for text in islice(hostile(size), 0, None, step):
            for value in (text, text[:-1], text[:-1] + b"\n"):
                within(0.5, lambda value=value: allowed.review(a_match(value, detector), detector), value[:60])


# --- views ----------------------------------------------------------------------------------------------------------

BOMBS = (
    b"kind: Secret\n" + b"  stringData:\n" * 6000 + b"  a: b\n" * 6000,
    b"kind: Secret\nstringData:\n" + b"  a: b\n  stringData:\n" * 6000,
    b"kind: Secret\n---\n" * 6000,
    (b"kind: Secret\n" + b"x: y\n" * 3) * 6000,
    b"kind: Secret\ndata:\n" + b"  a: AAAA\n" * 60_000,
    b'auth": "' + b"A" * 60_000,
    b"basic YTphYWE= " * 6000,
)


def triggered(content: bytes) -> Mapping[int, Sequence[int]]:
    """Where the triggers of views stand."""
    return by_index(AhoCorasick([]).hints(content))


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_a_view_is_not_longer_than_its_source_and_a_fixed_overhead(bomb: bytes) -> None:
    """Whatever the sections and entries of a manifest repeat."""
    for content in (bomb, bomb.decode().encode("utf-16")):
        for _, view in views.derive(content, triggered(content)):
            assert len(view.buffer) <= len(content) + views.OVERHEAD
            assert all(segment[1] <= len(view.buffer) for segment in view.segments)


def test_each_value_of_a_manifest_is_derived_once() -> None:
    """Sections within a section are a part of it."""
    text = (
        b"kind: Secret\nstringData:\n  one: first\n  stringData:\n    two: second\n  three: third\nother:\n  four: x\n"
    )
    ((_, view),) = views.derive(text, triggered(text))
    assert view.buffer.splitlines() == [
        b"kubernetes.secret/one: first", b"kubernetes.secret/two: second", b"kubernetes.secret/three: third",
    ]  # fmt: skip


# --- many matches ---------------------------------------------------------------------------------------------------


def many(number: int, separator: bytes) -> bytes:
    """Valid tokens, each another one."""
    return separator.join(samples.build("github:ghp", Random(f"many {n}")) for n in range(number))


def test_overlaps_are_looked_for_among_what_is_still_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons are counted: one for each token in a long value, none between tokens."""
    compared = 0
    same = settle._same

    def counted(match: Match, winner: Match) -> bool:
        nonlocal compared
        compared += 1
        return same(match, winner)

    monkeypatch.setattr(settle, "_same", counted)
    for number in (500, 2000):
        compared = 0
        assert len(made.whole(many(number, b"\n"))) == number
        assert compared <= number


@pytest.mark.parametrize("separator", [b"\n", b" "])
def test_four_thousand_tokens_take_little_time(separator: bytes) -> None:
    """One a line, or all on one."""
    content = many(4000, separator)
    within(10, lambda: made.whole(content), "4,000 tokens")


def test_the_matches_of_one_blob_are_bounded_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is surest is kept."""
    monkeypatch.setattr("oakum.scanner.engine.MOST_MATCHES", 100)
    passwords = b"".join(b'db_password = "%b"\n' % samples.build("password:14", Random(n)) for n in range(80))
    found = made.ENGINE.search([Piece(passwords + many(90, b"\n"))])
    assert len(found.matches) + found.folded == 170
    assert sum(m.detector == "github-pat" for m in found.matches) == 90
    assert made.ENGINE.search([Piece(many(90, b"\n"))]).folded == 0


def test_lines_and_columns_of_many_places() -> None:
    """They are those that counting from the start gives, in each of several pieces."""
    rng = Random(3)
    content = b"".join(
        b"x" * rng.randrange(300) + b"\n" * rng.randrange(3) + samples.build("github:ghp", rng) + b"\n"
        for _ in range(200)
    )
    for pieces in ([Piece(content)], [Piece(content[:20_000], 0, False), Piece(content[9_000:], 9_000)]):
        found = made.ENGINE.search(pieces).matches
        assert found
        for match in found:
            head = content[: match.span.start]
            assert match.span.line == head.count(b"\n") + 1
            assert match.span.column == len(head) - head.rfind(b"\n")


# --- detectors ------------------------------------------------------------------------------------------------------


def test_an_azure_sas_is_not_looked_for_at_every_sign() -> None:
    """Its parameters lead up to a signature, or there is nothing to look for."""
    detectors = [d for d in made.DETECTORS if d.id == "azure-storage-sas"]
    engine = Engine(detectors, AhoCorasick(detectors))
    content = (b"sig" + b"=" * 301) * 600
    within(10, lambda: engine.search([Piece(content)]), "sig===")
