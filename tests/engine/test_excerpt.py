"""What is shown of a line: never a secret, never much."""

from __future__ import annotations

from random import Random

import blobs as made
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.detectors import samples


@settings(max_examples=200, deadline=None)
@given(made.blobs())
def test_no_excerpt_holds_a_secret_of_its_blob(content: bytes) -> None:
    """Its own, or one beside it."""
    matches = made.whole(content)
    for match in matches:
        shown = match.excerpt.text
        assert len(shown) <= 200 + 3 * 60
        assert shown[match.excerpt.start : match.excerpt.end].decode().endswith("…[masked]")
        for other in matches:
            if len(other.secret.reveal()) >= 8:
                assert other.secret.reveal() not in shown, (match.detector, other.detector)


def test_two_secrets_on_a_line() -> None:
    """Each is masked in the other's excerpt."""
    one, two = (samples.build("github:ghp", Random(n)) for n in (1, 2))
    first, second = made.whole(b"one=" + one + b" two=" + two + b"\n")
    masks = [m.secret.mask().encode() for m in (first, second)]
    assert first.excerpt.text == second.excerpt.text == b"one=" + masks[0] + b" two=" + masks[1]


def test_a_repetition_that_no_detector_takes() -> None:
    """The value in another place of the line is masked too."""
    value = samples.build("password:14", Random(3))
    (match,) = made.whole(b'password = "' + value + b'"  # was ' + value + b"\n")
    assert value not in match.excerpt.text


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_long_line_is_cut_around_the_secret(before: int, after: int) -> None:
    """At most 200 bytes, the mask among them."""
    secret = samples.build("github:ghp", Random(4))
    (match,) = made.whole(b"x" * before + b" " + secret + b" " + b"y" * after)
    assert len(match.excerpt.text) <= 200
    assert match.span.column == before + 2


def test_a_comment_is_told() -> None:
    """By how its line begins."""
    secret = samples.build("github:ghp", Random(5))
    lines = {
        b"# t = ": True,
        b"  // t = ": True,
        b" * t = ": True,
        b"t = ": False,
        b"#include ": False,
        b"a # t ": False,
    }
    for head, comment in lines.items():
        (match,) = made.whole(b"first\n" + head + secret + b"\n")
        assert match.excerpt.comment is comment, head
