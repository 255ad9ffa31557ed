"""A keyword stands in every match of its pattern, proved from the pattern."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner import catalog
from oakum.scanner.catalog.keywords import without_keyword
from oakum.scanner.model import Detector


@pytest.mark.parametrize("detector", catalog.load(), ids=lambda d: d.id)
def test_one_of_its_keywords_stands_in_every_match_of_a_detector(detector: Detector) -> None:
    """Otherwise the Aho-Corasick matcher, which looks at nothing else, would miss it."""
    assert without_keyword(detector.regex, [k.decode() for k in detector.keywords]) is None


def test_no_keyword_is_one_letter_over_and_over() -> None:
    """It would stand at every byte of a long run of that letter, and each place costs memory."""
    assert [d.id for d in catalog.load() if not all(len(set(keyword)) > 1 for keyword in d.keywords)] == []


@pytest.mark.parametrize(
    ("pattern", "keywords", "text"),
    [
        ("key=(?P<secret>[a-z]{2})", ["key="], None),
        ("(?i)KEY=(?P<secret>[a-z]{2})", ["key="], None),
        ("key[:=](?P<secret>[0-9]{2})", ["key="], b"key:00"),
        ("key[:=](?P<secret>[0-9]{2})", ["key:", "key="], None),
        ("(?:key|pin)=(?P<secret>[0-9]{2})", ["key"], b"pin=00"),
        ("(?:a?key|pin)=(?P<secret>[0-9]{2})", ["key", "in="], None),
        (r"key {0,2}=(?P<secret>[0-9]{2})", ["key=", "key ="], b"key  =00"),
        (r"key {0,2}=(?P<secret>[0-9]{2})", ["key=", "key ", "  ="], None),
        ("(?:ab){2,9}(?P<secret>[0-9])", ["abab"], None),
        ("(?:ab){1,9}(?P<secret>[0-9])", ["abab"], b"ab0"),
        ("(?P<secret>[ab]{3})", ["aaa", "aab", "aba", "abb", "baa", "bab", "bba"], b"bbb"),
        ("(?P<secret>[ab]{3})", ["aaa", "aab", "aba", "abb", "baa", "bab", "bba", "bbb"], None),
        ("(?>a|ab)c(?P<secret>[0-9])", ["ac", "bc"], None),
        # what look-around wants counts at the ends; what it forbids is not heeded, and may be told as a text
        ("(?<=key=)(?P<secret>[0-9]{2})", ["key="], None),
        ("(?:(?<=key=)|pin=)(?P<secret>[0-9]{2})", ["key=", "pin="], None),
        ("(?P<secret>[0-9]{2})(?=;key)", ["key"], None),
        ("x(?=key)(?P<secret>[a-z]{3})", ["key"], b"xaaa"),
        ("(?P<secret>(?!zz)[z]{2}y)", ["yyy"], b"zzy"),
    ],
)
def test_the_text_that_holds_no_keyword_is_told(pattern: str, keywords: list[str], text: bytes | None) -> None:
    """A shortest one, in small letters; or that there is none."""
    assert without_keyword(pattern, keywords) == text


LETTERS = "abc"
ATOMS = st.sampled_from(["a", "b", "c", "[ab]", "[bc]", "(?i:A)"])


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "{1,2}", "{2}", "{0,2}"])).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(ATOMS, _compound, max_leaves=6),
    st.lists(st.text(LETTERS, min_size=1, max_size=3), min_size=1, max_size=4),
)
def test_it_is_what_trying_every_text_finds(pattern: str, keywords: list[str]) -> None:
    """All texts of up to seven letters that a small pattern takes whole."""
    compiled = re.compile(pattern.encode())
    texts = ("".join(letters) for length in range(8) for letters in product(LETTERS, repeat=length))
    without = [text for text in texts if not any(k in text for k in keywords) and compiled.fullmatch(text.encode())]
    found = without_keyword(pattern, keywords)
    if found is not None:
        assert compiled.fullmatch(found), found
        assert not any(k.encode() in found for k in keywords)
    if without:
        assert found is not None
        assert len(found) <= len(without[0])
