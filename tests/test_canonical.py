"""The canonical form of a secret: the same however it was written."""

from __future__ import annotations

from random import Random
from urllib.parse import quote, unquote

from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.scanner.canonical import canonical

queries = st.tuples(st.sampled_from(["azure_sas"]), st.randoms(use_true_random=False)).map(
    lambda drawn: samples.build(drawn[0], drawn[1])
)


def test_a_signed_query_is_its_parameters_decoded_and_sorted() -> None:
    """What signing does not know is left out, names are in small letters, the first of two counts."""
    value = b"SV=2022-11-02&comp=list&sr=c&sp=rl&se=2030-01-01T00%3A00%3A00Z&sr=b&sig=a%2Bb%2Fc%3D&timeout=30"
    assert canonical(value) == b"se=2030-01-01T00:00:00Z&sig=a+b/c=&sp=rl&sr=c&sv=2022-11-02"


def test_other_values_are_themselves() -> None:
    """Without a signature, or without a second parameter, it is no signed query."""
    for value in (b"sig=abc", b"a=1&b=2", b"sign=1&b=2", b"Password&sig=", b"https://acme.test/?a=1&sig=abc", b""):
        assert canonical(value) == value


@given(queries, st.randoms(use_true_random=False))
def test_order_encoding_and_other_parameters_change_nothing(query: bytes, rng: Random) -> None:
    """A token and the URL made with it are one secret."""
    pairs = [pair.partition("=") for pair in query.decode().split("&")]
    rng.shuffle(pairs)
    other = "&".join(["restype=container", *(name + "=" + quote(unquote(text), safe="") for name, _, text in pairs)])
    assert canonical(other.encode()) == canonical(query)


@given(queries, st.data())
def test_another_value_of_a_parameter_is_another_secret(query: bytes, data: st.DataObject) -> None:
    """Whichever of the signed ones it is."""
    pairs = query.decode().split("&")
    place = data.draw(st.integers(0, len(pairs) - 1))
    changed = "&".join([*pairs[:place], pairs[place] + "x", *pairs[place + 1 :]])
    assert canonical(changed.encode()) != canonical(query)


@given(st.binary(max_size=200))
def test_it_is_stable(value: bytes) -> None:
    """Of a canonical form it is the form itself."""
    once = canonical(value)
    if not value.startswith(b"-----BEGIN"):
        assert canonical(once) in (once, canonical(canonical(once)))
