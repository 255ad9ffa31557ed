"""Text in another form is found, and every place leads back to the bytes of the original; how entropy is measured."""

from __future__ import annotations

import base64
import math
import string
from random import Random

import pytest
from oakum.scanner import catalog
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.engine.entropy import alphabet, expected, randomness, shannon
from oakum.scanner.engine.views import derive
from oakum.scanner.model import Match, Piece
from scanning import DETECTOR, Fresh

DETECTORS = catalog.load()
ENGINE = Engine(DETECTORS, AhoCorasick(DETECTORS))


def search(content: bytes) -> list[Match]:
    """The matches of a small blob."""
    return ENGINE.search([Piece(content)]).matches


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [True, False], ids=["with a byte order mark", "without"])
def test_utf16(fresh: Fresh, encoding: str, mark: bool) -> None:
    """With letters outside of ASCII before the secret; the place is in bytes of the file."""
    secret = fresh()
    before, value, after = (
        text.encode(encoding)
        for text in ("# Grüße, это конфигурация of ours\r\ntoken=", secret.decode(), "\r\nend\r\n")
    )
    start = "\ufeff".encode(encoding) if mark else b""
    content = start + before + value + after
    assert [(m.detector, m.secret.reveal()) for m in search(content)] == [(DETECTOR, secret)]
    span = search(content)[0].span
    assert content[span.start : span.end] == value
    assert span.line == 2


def test_utf16_of_odd_length_and_binary_rubbish(fresh: Fresh) -> None:
    """A last half character is no reason to fail, and bytes that only look like it find nothing."""
    secret = fresh()
    content = ("x = 1\n" * 4 + secret.decode() + "\n").encode("utf-16-le") + b"\x41"
    assert [m.secret.reveal() for m in search(content)] == [secret]
    assert search(b"\xff\xfe" + Random(1).randbytes(4001)) == []


def test_kubernetes_secret(fresh: Fresh) -> None:
    """Values of `data` of two documents, of a JSON manifest, and plain ones of `stringData`."""
    one, two, three, four = (fresh() for _ in range(4))
    content = (
        b"apiVersion: v1\nkind: Secret\ndata:\n  user: " + base64.b64encode(b"someone") + b"\n  token: "
        + base64.b64encode(b"prefix " + one + b" suffix") + b"\n---\nkind: Secret\ndata:\n  key: |\n    "
        + base64.b64encode(two) + b'\n---\n{"kind": "Secret", "data": {"token": "' + base64.b64encode(three) + b'"}}\n'
        b"---\nkind: Secret\nstringData:\n  plain: " + four + b"\n"
    )  # fmt: skip
    matches = {m.secret.reveal(): m.span for m in search(content)}
    assert set(matches) == {one, two, three, four}
    for secret, span in matches.items():
        stood = content[span.start : span.end]
        if secret == four:
            assert stood == four
        elif secret == one:  # whole groups of base64 that hold it
            assert secret in base64.b64decode(stood)
            assert len(stood) <= len(secret) / 3 * 4 + 8
        else:
            assert base64.b64decode(stood) == secret


def test_base64_outside_of_a_secret_manifest_is_left_alone(fresh: Fresh) -> None:
    """A ConfigMap is no Secret."""
    assert search(b"kind: ConfigMap\ndata:\n  token: " + base64.b64encode(fresh()) + b"\n") == []


def test_docker_auth(fresh: Fresh) -> None:
    """User and password of a registry: the place is that of the encoded password."""
    secret = fresh()
    encoded = base64.b64encode(b"deploy:" + secret)
    content = b'{"auths": {"ghcr.io": {"auth": "' + encoded + b'"}}}\n'
    found = [m for m in search(content) if m.secret.reveal() == secret]
    assert [m.detector for m in found] == [DETECTOR]
    span = found[0].span
    assert secret in base64.b64decode(encoded[: (span.end - content.index(encoded))])
    assert content.index(encoded) < span.start < span.end == content.index(encoded) + len(encoded)


def test_view_of_a_view(fresh: Fresh) -> None:
    """Docker's configuration inside a Kubernetes Secret: base64 in base64."""
    secret = fresh()
    inner = b'{"auths":{"ghcr.io":{"auth":"' + base64.b64encode(b"deploy:" + secret) + b'"}}}'
    outer = base64.b64encode(inner)
    content = b"kind: Secret\ndata:\n  .dockerconfigjson: " + outer + b"\n"
    found = [m for m in search(content) if m.secret.reveal() == secret]
    assert [m.detector for m in found] == [DETECTOR]
    assert outer.endswith(content[found[0].span.start : found[0].span.end].rstrip(b"\n")[-40:-36]) or (
        content.index(outer) <= found[0].span.start < found[0].span.end <= content.index(outer) + len(outer)
    )


def test_view_at_a_cut(fresh: Fresh) -> None:
    """Where a piece ends inside an encoded value, only the piece that has it whole counts."""
    secret = fresh("base64url:40")
    text = ("api_token = '" + secret.decode() + "'\n").encode("utf-16-le")
    filler = ("# a comment of some length\n" * 40).encode("utf-16-le")
    content = b"\xff\xfe" + filler + text + filler
    whole = [(m.detector, m.secret, m.span) for m in search(content)]
    assert [secret_ for _, secret_, _ in whole if secret_.reveal() == secret], (
        "the test needs a match of variable length"
    )
    middle = content.index(text) + len(text) - 30
    for end in range(middle - 20, middle + 40, 2):
        begin = end - 1000 - end % 2
        pieces = [Piece(content[:end], 0, False), Piece(content[begin:], begin, True)]
        assert [(m.detector, m.secret, m.span) for m in ENGINE.search(pieces).matches] == whole, end


@pytest.mark.parametrize("letters", [10, 16, 36, 62, 65])
@pytest.mark.parametrize("length", [8, 20, 40, 100])
def test_expected_entropy_is_that_of_random_text(letters: int, length: int) -> None:
    """The formula against the mean of 400 random texts."""
    rng = Random(letters * 1000 + length)
    mean = sum(shannon(bytes(rng.randrange(letters) for _ in range(length))) for _ in range(400)) / 400
    assert math.isclose(expected(length, letters), mean, rel_tol=0.015)


def test_randomness_tells_keys_from_words() -> None:
    """About 1 for random text of any alphabet, clearly less for words and repetitions."""
    rng = Random(7)
    for letters in (string.digits, "0123456789abcdef", string.ascii_letters + string.digits):
        for length in (20, 40, 64):
            value = "".join(rng.choice(letters) for _ in range(length)).encode()
            assert 0.85 < randomness(value) < 1.15
    assert randomness(b"aaaaaaaaaaaaaaaaaaaa") == 0.0
    assert randomness(b"abcabcabcabcabcabcabcabc") < 0.5
    assert [shannon(b""), randomness(b""), randomness(b"a")] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("value", "size"),
    [(b"0123", 10), (b"0f", 16), (b"0F", 16), (b"0fF", 62), (b"xyz", 36), (b"a/b+", 65), (b"a-b_", 65), (b"a/b_", 90)],
)
def test_alphabet(value: bytes, size: int) -> None:
    """The smallest usual alphabet that holds a value."""
    assert alphabet(value) == size


def test_most_buffers_have_no_views() -> None:
    """Triggers are cheap and narrow: code and binary rubbish give no derived buffer."""
    assert list(derive(b"def f(x):\n    return x  # author: someone\n" * 50)) == []
    assert list(derive(bytes(range(256)) * 20)) == []
