"""Text in another form is read, and found where it stands in the original."""

from __future__ import annotations

import base64
import json
from random import Random

import blobs as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner.model import Match


def token(seed: object = 1) -> bytes:
    """A token with a valid checksum."""
    return samples.build("github:ghp", Random(f"views {seed}"))


def only(content: bytes) -> Match:
    """The one match of a blob."""
    (match,) = made.whole(content)
    return match


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-16-le", b""), ("utf-16-be", b""), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)
def test_utf_16_with_and_without_a_byte_order_mark(encoding: str, mark: bytes) -> None:
    """The span is that of the original's bytes, the line that of the original's lines."""
    content = mark + f"[settings]\r\nname = x\r\ntoken = {token().decode()}\r\n".encode(encoding)
    match = only(content)
    assert match.detector == "github-pat"
    assert match.secret.reveal() == token()
    assert content[match.span.start : match.span.end].decode(encoding) == token().decode()
    assert match.span.line == 3


def test_utf_16_text_in_another_script_keeps_its_offsets() -> None:
    """Characters above Latin-1 are no text to a pattern, and take their room."""
    content = b"\xff\xfe" + f"# пароль и ключ\ntoken = {token().decode()}\n".encode("utf-16-le")
    match = only(content)
    assert content[match.span.start : match.span.end].decode("utf-16-le") == token().decode()


def manifest(values: dict[str, bytes], kind: str = "Secret") -> bytes:
    """A manifest as `kubectl create secret` prints it."""
    data = "".join(f"  {k}: {base64.b64encode(v).decode()}\n" for k, v in values.items())
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: app\ntype: Opaque\ndata:\n{data}".encode()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 5))
def test_a_value_of_a_kubernetes_secret_is_found_where_its_base64_stands(seed: int, before: int) -> None:
    """Wherever the entry stands among others; the span is the base64 text."""
    password = samples.build("password:16", Random(seed))
    values = {f"setting{n}": b"on" for n in range(before)} | {"db-password": password}
    content = manifest(values)
    match = only(content)
    assert match.detector == "kubernetes-secret-value"
    assert match.secret.reveal() == password
    assert base64.b64decode(content[match.span.start : match.span.end]) == password
    assert match.view == "kubernetes-secret"


def test_a_config_map_is_no_secret() -> None:
    """The same text under another kind is not decoded."""
    content = manifest({"db-password": samples.build("password:16", Random(4))}, kind="ConfigMap")
    assert [m for m in made.whole(content) if m.view] == []


def test_the_second_document_of_a_file_has_its_own_kind() -> None:
    """A ConfigMap beside a Secret."""
    password = samples.build("password:16", Random(5))
    content = manifest({"password": b"plain-one-1"}, kind="ConfigMap") + b"---\n" + manifest({"password": password})
    assert [m.secret.reveal() for m in made.whole(content) if m.view] == [password]


def test_docker_credentials_inside_a_kubernetes_secret() -> None:
    """Two views deep; named by the inner one, found in the outer one's bytes."""
    password = samples.build("password:20", Random(7))
    config = {"auths": {"registry.acme.test": {"auth": base64.b64encode(b"deploy:" + password).decode()}}}
    content = manifest({".dockerconfigjson": json.dumps(config).encode()})
    found = [m for m in made.whole(content) if m.secret.reveal() == password]
    assert [(m.detector, m.view) for m in found] == [("docker-auth", "kubernetes-secret+basic-credentials")]
    assert base64.b64decode(content[found[0].span.start : found[0].span.end])


def test_docker_auth() -> None:
    """The span is the base64 of user and password; the user is a fact."""
    password = samples.build("password:20", Random(8))
    coded = base64.b64encode(b"ci:" + password)
    content = b'{"auths": {"registry.acme.test": {"auth": "' + coded + b'"}}}'
    match = only(content)
    assert (match.detector, dict(match.facts)["user"]) == ("docker-auth", "ci")
    assert match.secret.reveal() == password
    start = content.index(coded)
    assert start <= match.span.start < match.span.end <= start + len(coded)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_docker_configuration_in_utf_16(encoding: str) -> None:
    """Two views deep, though nothing in the first one looks like a credential."""
    password = samples.build("password:20", Random(9))
    coded = base64.b64encode(b"deploy:" + password).decode()
    text = json.dumps({"auths": {"ghcr.io": {"auth": coded}}})
    match = only(text.encode(encoding))
    assert (match.detector, match.view) == ("docker-auth", "utf-16+basic-credentials")
    assert match.secret.reveal() == password


def test_views_that_lead_nowhere() -> None:
    """Base64 of binary, a broken one, a user without a password."""
    for value in (base64.b64encode(bytes(range(200))), b"abc", base64.b64encode(b"user:")):
        assert made.whole(b'{"auth": "' + value + b'"}') == []
