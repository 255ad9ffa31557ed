"""What is shown of a line: never a secret, never much."""

from __future__ import annotations

import base64
from random import Random

import blobs as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner.model import PIECE_OVERLAP, Match, Piece


def check(content: bytes, matches: list[Match], *, cut: int = 0) -> None:
    """No excerpt of a blob holds a secret of it, nor what stands for one in the blob where a view has decoded it.

    Of a blob that was `cut`, none holds a part of 16 bytes either.
    """
    hidden = {other.secret.reveal() for other in matches}
    hidden |= {content[other.span.start : other.span.end] for other in matches if other.view}
    hidden = {value for value in hidden if len(value) >= 8}
    if cut:
        masks = b" ".join(match.secret.mask().encode() for match in matches)
        parts = {v[at : at + 16] for v in hidden for at in range(12, max(len(v) - 15, 0))}
        parts = {part for part in parts if part not in masks}
        hidden |= {part for part in parts if content.count(part) == 1}
    for match in matches:
        shown = match.excerpt.text
        assert len(shown) <= 200 + 3 * 60
        assert shown[match.excerpt.start : match.excerpt.end].decode().endswith("…[masked]")
        assert [value for value in hidden if value in shown] == [], (match.detector, match.view)


@settings(max_examples=200, deadline=None)
@given(made.blobs(), st.booleans(), st.booleans())
def test_no_excerpt_holds_a_secret_of_its_blob(content: bytes, coded: bool, wide: bool) -> None:
    """Its own, or one beside it, in this form or in another."""
    if coded:
        content += (
            b' "auth": "' + base64.b64encode(b"deploy:" + samples.build("password:20", Random(len(content)))) + b'"'
        )
    if wide:
        content = b"\xff\xfe" + content.decode("latin-1").encode("utf-16-le")
    check(content, made.whole(content))


@settings(max_examples=100, deadline=None)
@given(made.blobs(), st.integers(1, 3000), st.integers(0, 40))
def test_a_cut_shows_no_part_of_a_secret(content: bytes, place: int, more: int) -> None:
    """What a piece has not whole, no piece shows."""
    place = min(place, len(content))
    begin = max(0, place - max(d.width + d.behind + d.ahead for d in made.NARROW) - more)
    pieces = [Piece(content[:place], 0, False), Piece(content[begin:], begin)]
    check(content, made.ENGINE.search(pieces).matches, cut=place)


def test_a_second_token_that_a_piece_cuts() -> None:
    """With pieces that overlap as the scanner's do, the piece that has both in its middle tells the line."""
    one, two = (samples.build("github:ghp", Random(n)) for n in (21, 22))
    head, tail = b"x = 1\n" * 50_000, b"y = 2\n" * 50_000
    content = head + one + b" " + two + b"\n" + tail
    for end in range(len(head) + 40, len(head) + 84):
        begin = end - PIECE_OVERLAP
        found = made.ENGINE.search([Piece(content[:end], 0, False), Piece(content[begin:], begin)]).matches
        masks = [m.secret.mask().encode() for m in found]
        assert [m.excerpt.text for m in found] == [masks[0] + b" " + masks[1]] * 2, end


def test_a_docker_configuration_on_one_line() -> None:
    """The base64 of user and password beside a token."""
    token, password = samples.build("github:ghp", Random(31)), samples.build("password:16", Random(32))
    coded = base64.b64encode(b"deploy:" + password)
    content = b'{"auths":{"ghcr.io":{"auth":"' + coded + b'","identitytoken":"' + token + b'"}}}'
    matches = made.whole(content)
    assert {m.secret.reveal() for m in matches} == {token, password}
    check(content, matches)
    (match,) = (m for m in matches if not m.view)
    assert coded[12:] not in match.excerpt.text


def test_a_value_that_stands_elsewhere_on_another_line() -> None:
    """It is masked there too, though no detector takes it."""
    password, token = samples.build("password:16", Random(41)), samples.build("github:ghp", Random(42))
    content = b'password = "' + password + b'"\ntoken = "' + token + b'"  # see ' + password + b" above\n"
    check(content, made.whole(content))


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


@pytest.mark.parametrize(
    ("above", "told"),
    [
        ("EXAMPLES = '''\n", True),
        ('EXAMPLES = r"""\n', True),
        ("import os\n\nDOCUMENTATION='''\n", True),
        ("EXAMPLES = '''\n" + "- name: a\n" * 1000, True),
        ("EXAMPLES = '''\n" + "- name: a\n" * 10_000, False),
        ("EXAMPLES = '''\n- name: a\n'''\n", False),
        ("EXAMPLES = '''\n- name: a\n'''\nRUN = \"\"\"\n", False),
        ("OTHER_EXAMPLES = '''\n", False),
        ("    EXAMPLES = '''\n", False),
        ("EXAMPLES = 1\n", False),
    ],
)
def test_a_documentation_string_is_told(above: str, told: bool) -> None:
    """By the nearest quotes above: those of a module-level string of a known name that is not closed yet."""
    secret = samples.build("github:ghp", Random(6))
    (match,) = made.whole(above.encode() + b"  password: " + secret + b"\n'''\n")
    assert match.excerpt.comment is told
