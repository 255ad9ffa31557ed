"""Small blobs share one call of the matcher, and each is still a blob of its own."""

from __future__ import annotations

import base64
from itertools import accumulate
from random import Random

import blobs as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.cache import Cache
from oakum.scanner.engine import Engine, vectorised

ENGINES = {"aho-corasick": made.ENGINE}
if vectorised.available():
    ENGINES["vector"] = Engine(made.DETECTORS, vectorised.load(made.DETECTORS, Cache()))


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=60, deadline=None)
@given(contents=st.lists(made.blobs(most=2), max_size=6), wide=st.sets(st.integers(0, 5)), gap=st.binary(max_size=3))
def test_a_batch_gives_what_its_blobs_give_one_by_one(
    name: str, contents: list[bytes], wide: set[int], gap: bytes
) -> None:
    """Whatever stands between them behind a newline, in UTF-16 too, empty ones among them."""
    gap = b"\n" + gap
    contents = [c.decode("latin-1").encode("utf-16") if i in wide else c for i, c in enumerate(contents)]
    ends = [end - len(gap) for end in accumulate(len(c) + len(gap) for c in contents)]
    starts = [end - len(c) for end, c in zip(ends, contents, strict=True)]
    found = {
        place: made.told(searched.matches)
        for place, searched in ENGINES[name].search_batch(gap.join(contents), starts, ends)
        if searched.matches
    }
    alone = {place: made.told(made.whole(content)) for place, content in enumerate(contents)}
    assert found == {place: matches for place, matches in alone.items() if matches}


@pytest.mark.parametrize("name", ENGINES)
def test_a_secret_over_two_blobs_is_none(name: str) -> None:
    """Its halves stand in files that happen to be read one after another."""
    detector = next(d for d in made.DETECTORS if d.id == "github-pat")
    secret = made.draw(detector, Random(1))
    content = b"token " + secret + b"\n"
    (whole,) = ENGINES[name].search_batch(content, [0], [len(content)])
    assert [m.secret.reveal() for m in whole[1].matches] == [secret]
    cut = content[:20] + b"\n" + content[20:]
    assert list(ENGINES[name].search_batch(cut, [0, 21], [20, len(cut)])) == []


@pytest.mark.parametrize("name", ENGINES)
def test_a_view_at_the_end_of_a_blob(name: str) -> None:
    """Encoded credentials are read where nothing follows them, wherever in the batch that is."""
    value = base64.b64encode(
        b"deploy:" + made.draw(next(d for d in made.DETECTORS if d.id == "docker-auth"), Random(1))
    )
    content = b"//npm.acme.test/:_auth=" + value.rstrip(b"=")[: len(value) // 4 * 4 - 4]
    starts = [0, len(content) + 1]
    found = ENGINES[name].search_batch(content + b"\n" + content, starts, [start + len(content) for start in starts])
    assert [made.told(searched.matches) for _, searched in found] == 2 * [made.told(made.whole(content))]
    assert made.whole(content)
