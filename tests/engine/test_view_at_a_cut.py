"""Where a large blob is cut inside of text in another form, only the piece that has a value whole counts."""

from __future__ import annotations

import base64

import blobs as made
from oakum.scanner.model import Match, Piece, Secret, Span
from scanning import Fresh

OVERLAP = 1000


def told(matches: list[Match]) -> list[tuple[str, Secret, Span]]:
    """Each match with its value and place."""
    return [(m.detector, m.secret, m.span) for m in matches]


def check(content: bytes, secrets: list[bytes], middle: int, *, step: int) -> None:
    """Every cut around a place gives what the whole blob gives."""
    whole = told(made.whole(content))
    assert [value.reveal() for _, value, _ in whole] == secrets
    for end in range(middle - 60, middle + 60, step):
        begin = end - OVERLAP - end % 2
        pieces = [Piece(content[:end], 0, False), Piece(content[begin:], begin, True)]
        assert told(made.ENGINE.search(pieces).matches) == whole, end


def test_utf_16(fresh: Fresh) -> None:
    """A secret of variable length, which would be taken short at the end of a piece."""
    secret = fresh("base64url:40")
    filler = ("# a comment of some length\n" * 40).encode("utf-16-le")
    text = f"api_token = {secret.decode()}\n".encode("utf-16-le")
    check(b"\xff\xfe" + filler + text + filler, [secret], 2 + len(filler) + len(text), step=2)


def test_base64(fresh: Fresh) -> None:
    """The password in `auth` of Docker, whose base64 can be read up to any group of four."""
    secret = fresh("password:60")
    filler = b"# a comment of some length\n" * 60
    text = b'{"auths": {"acme.test": {"auth": "' + base64.b64encode(b"deploy:" + secret) + b'"}}}\n'
    check(filler + text + filler, [secret], len(filler) + len(text) - 10, step=1)


def test_a_longer_word_that_begins_like_a_token(fresh: Fresh) -> None:
    """A token and more letters are no token, and none either where the piece ends behind the token."""
    filler = ("# a comment of some length\n" * 40).encode("utf-16-le")
    text = f"value {fresh().decode()}abcdefgh\n".encode("utf-16-le")
    check(b"\xff\xfe" + filler + text + filler, [], 2 + len(filler) + len(text) - 18, step=2)
