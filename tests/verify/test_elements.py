"""Answers in XML are read by path, within bounds, and whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.verify.clouds.elements import DEPTH, MOST, elements


def test_texts_are_found_by_path() -> None:
    """Each of a list, without its namespace."""
    body = b'<?xml version="1.0"?><a xmlns="urn:x"><b><c> one </c><c>&lt;two&gt;</c></b><x:b xmlns:x="urn:y"/></a>'
    assert elements(body) == {"a/b/c": ["one", "<two>"], "a/b": ["", ""], "a": [""]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>",
        b"<a><b>1</b>",
        b"<a/><b/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="x-none"?><a/>',
        b"<a>" * (DEPTH + 1) + b"</a>" * (DEPTH + 1),
        b"<a>" + b"<b/>" * MOST + b"</a>",
    ],
)
def test_what_no_provider_would_send_says_nothing(body: bytes) -> None:
    """Nor is half of it taken."""
    assert elements(body) == {}


@given(st.binary(max_size=300) | st.text("<>/ab&;!?\"'= ", max_size=60).map(str.encode))
def test_anything_is_read(body: bytes) -> None:
    """Without an error."""
    assert all(texts for texts in elements(body).values())
