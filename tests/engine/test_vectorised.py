"""The vectorised matcher: it points at everything that Aho-Corasick leads to, and its database is made once."""

from __future__ import annotations

import os
import re
from pathlib import Path
from random import Random
from re import _parser as sre_parser  # type: ignore[attr-defined]

import blobs as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner.cache import Cache
from oakum.scanner.catalog.expressions import MOST, expression
from oakum.scanner.engine import Engine, vectorised
from oakum.scanner.engine.reading import by_index
from oakum.scanner.engine.vectorised import Vectorised
from oakum.scanner.model import Detector, Piece

hyperscan = pytest.importorskip("hyperscan", reason="needs the package hyperscan")

MATCHER = vectorised.load(made.DETECTORS, Cache())
ENGINE = Engine(made.DETECTORS, MATCHER)


def search(content: bytes) -> list[tuple[object, ...]]:
    """What the engine finds with this matcher."""
    return made.told(ENGINE.search([Piece(content)]).matches)


# --- both matchers lead to the same matches -------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(made.blobs())
def test_both_matchers_lead_to_the_same_matches(content: bytes) -> None:
    """On generated blobs of all detectors."""
    assert search(content) == made.told(made.whole(content))


@pytest.mark.parametrize("detector", made.DETECTORS, ids=lambda d: d.id)
def test_both_matchers_lead_to_the_same_matches_of_a_detector(detector: Detector) -> None:
    """Fresh samples in its own examples, cut short at random places, in other letter case, and in UTF-16."""
    rng = Random(detector.id)
    for example in (*detector.examples, *detector.counterexamples):
        for _ in range(6):
            content = b"one\n" + samples.fill(example, made.draw(detector, rng), rng) + b"\ntwo\n"
            at = rng.randrange(len(content))
            for text in (
                content,
                content[at:],
                content[:at],
                content.swapcase(),
                content.decode("latin-1").encode("utf-16"),
            ):
                assert search(text) == made.told(made.whole(text)), text


@settings(max_examples=150, deadline=None)
@given(made.blobs())
def test_every_true_match_has_a_hint_inside_it(content: bytes) -> None:
    """The matchers' contract, and a little more: it lies in the window that the matcher tells."""
    hints = by_index(MATCHER.hints(content))
    for index, detector in enumerate(made.DETECTORS):
        for start in range(len(content)):
            found = detector.pattern.match(content, start)
            if found and detector.expression:
                most, least = MATCHER.windows[index]
                near = [offset for offset in hints.get(index, ()) if start <= offset < found.end()]
                assert any(least <= offset - start <= most for offset in near), (detector.id, found)


# --- expressions ----------------------------------------------------------------------------------------------------

WRITTEN = {
    r"(?P<secret>ab[0-9])": r"\x61\x62[\x30-\x39]",
    r"(?<![a-z])(?P<secret>ab)(?![a-z])\b": r"\x61\x62",
    r"(?i)(?P<secret>ab1)": r"[\x41\x61][\x42\x62]\x31",
    r"(?P<secret>ab(?i:c)d)": r"\x61\x62[\x43\x63]\x64",
    r"[a-z]{0,20}x?(?P<secret>ab)": r"\x61\x62",
    r"[a-z]{20,40}(?P<secret>ab)": r"\x61\x62",
    r"(?P<secret>ab[a-z]{8,100})": r"\x61\x62[\x61-\x7a]{8}",
    r"(?P<secret>ab[a-z]{8,100})(?=c)": r"\x61\x62[\x61-\x7a]{8}",
    r"(?P<secret>ab[a-z]{8,10}c)": r"\x61\x62[\x61-\x7a]{8,10}\x63",
    r"(?P<secret>ab(?:[a-z]{2,3}){2,3})": r"\x61\x62(?:[\x61-\x7a]{2,3}){2}",
    r"(?P<secret>ab[a-z]{200})c": r"\x61\x62[\x61-\x7a]{62}",
    r"(?P<secret>ab(?:c|de|))x": "\\x61\\x62\\x63\\x78\n\\x61\\x62\\x64\\x65\\x78\n\\x61\\x62\\x78",
    r"(?P<secret>ab[cd](?i:e))": "\\x61\\x62\\x63[\\x45\\x65]\n\\x61\\x62\\x64[\\x45\\x65]",
    r"(?P<secret>abc[cd])": r"\x61\x62\x63[\x63-\x64]",
    r"(?P<secret>ab[a-z]{1,8}:cd)": r"\x61\x62[\x61-\x7a]{1,8}\x3a\x63\x64",
    r"(?P<secret>ab[a-z]{1,8}:1234567)": r"\x3a\x31\x32\x33\x34\x35\x36\x37",
    r"(?P<secret>ab[^\n\x00])": r"\x61\x62[\x01-\x09\x0b-\xff]",
    r"(?P<secret>ab.)": r"\x61\x62[\x00-\xff]",
    r"(?P<secret>a\x00b)": r"\x61\x00\x62",
    r"(?P<secret>ab[a-z]{1,3}+c)": r"\x61\x62[\x61-\x7a]{1,3}\x63",
    r"(?P<secret>[a-z]:[0-9]{4})": "",
    r"(?:[a-z]{20}cd|[0-9]{9,10}ef)(?P<secret>a)": "\\x63\\x64\\x61\n\\x65\\x66\\x61",
    r"(?P<secret>abcd[a-z]{8,300}e)": r"\x61\x62\x63\x64[\x61-\x7a]{8}",
    r"(?P<secret>abcd(?:[a-z]{2,200}e){3})": r"\x61\x62\x63\x64(?:[\x61-\x7a]{2,200}\x65){1}",
    r"(?P<secret>abcd(?:[0-9]{2}|[a-z]{3,300}[0-9])e)": (
        "\\x61\\x62\\x63\\x64[\\x30-\\x39]{2}\\x65\n\\x61\\x62\\x63\\x64[\\x61-\\x7a]{3}"
    ),
    r"(?P<secret>abcd[a-z]{0,20}(?:x[a-z]{300})?e)": r"\x61\x62\x63\x64",
    r"(?P<secret>ab[a-z]{0,300}:key=[0-9])": r"\x3a\x6b\x65\x79\x3d[\x30-\x39]",
    r"(?:ab[a-z]{0,300}:key|_key)(?P<secret>[0-9])": (
        "\\x3a\\x6b\\x65\\x79[\\x30-\\x39]\n\\x5f\\x6b\\x65\\x79[\\x30-\\x39]"
    ),
}


@pytest.mark.parametrize("pattern", WRITTEN)
def test_an_expression_is_the_rare_part_of_a_pattern(pattern: str) -> None:
    """Explicit bytes; no look-around; without a common beginning; its first alternatives apart; its last repeat at its
    least; nothing without a literal; never wider than `MOST`, and from a later part on where the first would say too
    little within that."""
    assert expression(pattern).text == WRITTEN[pattern]


@pytest.mark.parametrize("detector", made.DETECTORS, ids=lambda d: d.id)
def test_an_expression_takes_few_bytes(detector: Detector) -> None:
    """As many as it says, never more than `MOST`; the matcher's hints depend on no more."""
    width = max(sre_parser.parse(line.encode()).getwidth()[1] for line in detector.expression.split("\n"))
    assert width == detector.expression_width <= MOST
    assert MATCHER.reach >= width


def test_the_expressions_of_views_take_few_bytes() -> None:
    """Their triggers, and the keywords of detectors without an expression."""
    for _, text in vectorised._expressions(made.DETECTORS):
        assert sre_parser.parse(text.encode()).getwidth()[1] <= MATCHER.reach


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([d for d in made.DETECTORS if d.expression]), st.integers(0, 2**32))
def test_an_expression_matches_inside_every_match_of_its_pattern(detector: Detector, seed: int) -> None:
    """Told by `re` itself, which reads expressions in the same way: they hold nothing that it reads otherwise."""
    rng = Random(seed)
    content = samples.fill(rng.choice(detector.examples), made.draw(detector, rng), rng)
    for start in range(len(content)):
        found = detector.pattern.match(content, start)
        if found:
            assert any(re.search(one.encode(), found[0]) for one in detector.expression.split("\n")), found


# --- the database ---------------------------------------------------------------------------------------------------

FEW = made.DETECTORS[:3]


def kept(folder: Path) -> Path:
    """The one file in the cache."""
    (name,) = os.listdir(folder)
    return folder / name


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each database that is compiled."""
    calls: list[int] = []
    real = hyperscan.Database.compile

    class Counting(hyperscan.Database):  # type: ignore[misc]
        def compile(self, *arguments: object, **more: object) -> None:
            calls.append(1)
            real(self, *arguments, **more)

    monkeypatch.setattr(hyperscan, "Database", Counting)
    return calls


def works(matcher: Vectorised) -> bool:
    """Whether it finds a sample of the first detector."""
    rng = Random(1)
    text = samples.fill(FEW[0].examples[0], made.draw(FEW[0], rng), rng)
    return 0 in {index for index, _ in matcher.hints(text)}


class TestTheDatabaseIsKept:
    def test_it_is_compiled_once(self, tmp_path: Path, compiled: list[int]) -> None:
        cache = Cache(str(tmp_path / "c"))
        assert works(vectorised.load(FEW, cache))
        assert works(vectorised.load(FEW, cache))
        assert len(compiled) == 1

    def test_other_detectors_have_another(self, tmp_path: Path, compiled: list[int]) -> None:
        cache = Cache(str(tmp_path / "c"))
        vectorised.load(FEW, cache)
        vectorised.load(made.DETECTORS[:2], cache)
        assert len(compiled) == 2

    def test_another_version_of_the_library_has_another(
        self, tmp_path: Path, compiled: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache = Cache(str(tmp_path / "c"))
        vectorised.load(FEW, cache)
        monkeypatch.setattr(hyperscan, "__version__", "99")
        vectorised.load(FEW, cache)
        assert len(compiled) == 2

    def test_another_processor_has_another(
        self, tmp_path: Path, compiled: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A home folder may be shared by machines."""
        cache = Cache(str(tmp_path / "c"))
        vectorised.load(FEW, cache)
        monkeypatch.setattr(vectorised, "_processor", lambda: "z80")
        vectorised.load(FEW, cache)
        assert len(compiled) == 2

    @pytest.mark.parametrize("content", [b"", b"no database", b"\xdb\xdb\xdb\xdb" + b"\x00" * 2000], ids=range(3))
    def test_what_the_library_refuses_is_made_anew(self, tmp_path: Path, compiled: list[int], content: bytes) -> None:
        """Whole, and written by us, but not for this library or processor."""
        cache = Cache(str(tmp_path / "c"))
        vectorised.load(FEW, cache)
        Cache(str(tmp_path / "c")).write(kept(tmp_path / "c").name, content)
        assert works(vectorised.load(FEW, cache))
        assert works(vectorised.load(FEW, cache))
        assert len(compiled) == 2

    def test_a_damaged_file_is_made_anew(self, tmp_path: Path, compiled: list[int]) -> None:
        """It never reaches the library."""
        cache = Cache(str(tmp_path / "c"))
        vectorised.load(FEW, cache)
        path = kept(tmp_path / "c")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        assert works(vectorised.load(FEW, cache))
        assert len(compiled) == 2

    def test_without_a_cache(self, compiled: list[int]) -> None:
        assert works(vectorised.load(FEW, Cache()))
        assert len(compiled) == 1
