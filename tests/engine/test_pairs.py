"""Which id a secret is given where several stand in one blob, and which others it may belong to."""

from __future__ import annotations

import re
import time

import blobs as made
import pytest
from oakum.scanner.engine.pairs import pair
from oakum.scanner.model import Excerpt, Match, Secret, Span
from scanning import Fresh

ID, SECRET = "aws_access_key_id = ", "aws_secret_access_key = "
OPTIONS = "option = 0 # some words\n"
SHAPES = {
    "alone": (f"{ID}I0\n{SECRET}S0\n", {"S0": "I0"}),
    "alone, by names": ("AWS_ACCESS_KEY_ID=I0\nAWS_SECRET_ACCESS_KEY=S0\n", {"S0": "I0 ?"}),
    "profiles": (f"[a]\n{ID}I0\n{SECRET}S0\n[b]\n{ID}I1\n{SECRET}S1\n", {"S0": "I0", "S1": "I1"}),
    "ids, then secrets": (f"A_{ID}I0\nB_{ID}I1\nA_{SECRET}S0\nB_{SECRET}S1\n", {"S0": "I0 ? I1", "S1": "I1 ? I0"}),
    "secrets, then ids": (f"A_{SECRET}S0\nB_{SECRET}S1\nA_{ID}I0\nB_{ID}I1\n", {"S0": "I0 ? I1", "S1": "I1 ? I0"}),
    "three of each": (
        f"{ID}I0\n{ID}I1\n{ID}I2\n{SECRET}S0\n{SECRET}S1\n{SECRET}S2\n",
        {"S0": "I0 ? I2 I1", "S1": "I1 ? I2 I0", "S2": "I2 ? I1 I0"},
    ),
    "secret before its id": (
        '{"SecretAccessKey": "S0", "AccessKeyId": "I0"}\n{"SecretAccessKey": "S1", "AccessKeyId": "I1"}\n',
        {"S0": "I0 ? I1", "S1": "I1 ? I0"},
    ),
    "the next id is nearer": (
        f"{ID}I0\n{OPTIONS * 4}{SECRET}S0\n{ID}I1\n{SECRET}S1\n",
        {"S0": "I0", "S1": "I1"},
    ),
    "a secret too many": (f"{SECRET}S0\n{ID}I0\n{SECRET}S1\n", {"S0": "I0 ?", "S1": "I0 ?"}),
    "an id too many": (f"{ID}I0\n{ID}I1\n{SECRET}S0\n", {"S0": "I1 ? I0"}),
    "an id said twice": (f"# {ID}I0\n{ID}I0\n{SECRET}S0\n", {"S0": "I0"}),
    "far apart": (f"{ID}I0\n{OPTIONS * 20}{SECRET}S0\n", {"S0": ""}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_id_of_a_secret(fresh: Fresh, shape: str) -> None:
    """Behind a `?` stand those that it may belong to instead; without one, it is certain."""
    text, expected = SHAPES[shape]
    samples = {"I": "aws_access_key_id", "S": "aws_secret_key"}
    values = {name: fresh(samples[name[0]]).decode() for name in ("I0", "I1", "I2", "S0", "S1", "S2")}
    names = {value: name for name, value in values.items()}
    text = re.sub(r"\b[IS]\d\b", lambda name: values[name[0]], text)
    given: dict[str, str] = {}
    for match in made.whole(text.encode()):
        if match.detector != "aws-access-key-id":
            told = dict(match.facts).get("access_key_id", "")
            near = [names[value] for _, value in match.near]
            assert near[:1] in ([], [names.get(told)])
            words = [names.get(told, ""), *(["?", *near[1:]] if near else [])]
            given[names[match.secret.reveal().decode()]] = " ".join(words)
    assert given == expected


def test_thousands_of_ids_and_secrets_are_paired_at_once() -> None:
    """Time goes with their number, whichever way they lie."""
    ids = [_match("aws-access-key-id", b"AKIA%016d" % place, 100 * place) for place in range(5000)]
    secrets = [_match("aws-secret-access-key", b"s%039d" % place, 100 * place + 500_000) for place in range(5000)]
    began = time.perf_counter()
    out = pair([*ids, *secrets], {d.id: d for d in made.DETECTORS})
    assert time.perf_counter() - began < 2
    assert len(out) == 9999, "one secret is near enough to the last id"


def _match(detector: str, value: bytes, start: int) -> Match:
    return Match(detector, Secret(value), Span(start, start + len(value)), (), Excerpt(b"", 0, 0), b"")
