"""Entropy is judged against random text of the same alphabet and length."""

from __future__ import annotations

import string
from random import Random

import pytest
from oakum.scanner.engine.entropy import alphabet, expected, randomness, shannon


@pytest.mark.parametrize(
    ("value", "bits"),
    [(b"", 0.0), (b"aaaa", 0.0), (b"ab", 1.0), (b"abcd", 2.0), (b"aabb", 1.0), (bytes(range(256)), 8.0)],
)
def test_shannon_entropy(value: bytes, bits: float) -> None:
    """Bits a byte."""
    assert shannon(value) == pytest.approx(bits)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (b"0123", 10),
        (b"09af", 16),
        (b"09AF", 16),
        (b"09aF", 62),
        (b"abcxyz1", 36),
        (b"a+b/", 65),
        (b"a_b-c", 65),
        (b"p@ss", 90),
    ],
)
def test_the_smallest_alphabet_that_holds_a_value(value: bytes, size: int) -> None:
    """Its number of characters."""
    assert alphabet(value) == size


@pytest.mark.parametrize(("length", "letters"), [(8, 16), (20, 62), (32, 16), (40, 64), (64, 10), (200, 64)])
def test_the_expected_entropy_is_that_of_random_text(length: int, letters: int) -> None:
    """Against 2,000 random texts."""
    rng = Random(length * letters)
    mean = sum(shannon(bytes(rng.randrange(letters) for _ in range(length))) for _ in range(2000)) / 2000
    assert expected(length, letters) == pytest.approx(mean, abs=0.02)


def test_random_keys_are_random_and_words_are_less_so() -> None:
    """The order that thresholds rest on."""
    rng = Random(9)
    key = "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(32)).encode()
    assert randomness(key) > 0.93
    assert randomness(b"aaaaaaaaaaaaaaaabbbb") < 0.3
    assert randomness(b"passwordpasswordpassword") < randomness(key) - 0.05
