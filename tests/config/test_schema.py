"""The schema of a configuration file, which editors use, takes what the reader takes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from oakum.scanner.config.files import source
from oakum.scanner.config.schema import schema
from oakum.scanner.config.settings import ENTRY, SETTINGS, Setting
from oakum.scanner.errors import ConfigError

VALIDATOR = Draft202012Validator(schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


def reader_takes(document: dict[str, Any]) -> bool:
    try:
        source("config.toml", document, own=True)
    except ConfigError:
        return False
    return True


def test_the_schema_is_one() -> None:
    """Of draft 2020-12; the same text in the documentation."""
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


FULL = {
    "min-band": "high",
    "max-size": "64MiB",
    "detectors": ["a.toml"],
    "markers": False,
    "push": {"min-band": "low", "budget": 0.5, "on-incomplete": "block"},
    "allow": [
        {"fingerprint": "a" * 26, "reason": "x", "expires": "2030-12-31", "by": "Ada", "seen": "a (b)"},
        {"path": "/a/**/*.md", "reason": "x"},
        {"detector": "a-b", "reason": "x"},
        {"path": "a/", "detector": "a", "reason": "x"},
    ],
}
GOOD = [{}, FULL, {"allow": []}, {"push": {}}, *({"push": {"budget": b}} for b in (1, 3600, "1s", "3600s", "60m"))]
BAD = [
    {"min_band": "high"},
    {"min-band": "High"},
    {"min-band": ["high"]},
    {"max-size": 64},
    {"max-size": "-1"},
    {"max-size": "64T"},
    {"detectors": "a.toml"},
    {"detectors": [""]},
    {"markers": "no"},
    {"markers": 1},
    {"push": []},
    {"push.min-band": "low"},
    {"push": {"min-bond": "low"}},
    *({"push": {"budget": b}} for b in (0, -1, 3601, True, "0s", "3601s", "61m", "1h", "1", " 1s", None)),
    {"allow": {}},
    {"allow": [1]},
    *({"allow": [one]} for one in ({}, {"reason": "x"}, {"path": "x"}, {"path": "x", "reason": ""})),
    {"allow": [{"path": "x", "reason": "x", "by": " "}]},
    {"allow": [{"fingerprint": "a" * 26, "path": "x", "reason": "x"}]},
    {"allow": [{"fingerprint": "a" * 26, "detector": "x", "reason": "x"}]},
    *({"allow": [{"fingerprint": f, "reason": "x"}]} for f in ("a" * 25, "A" * 26, "1" * 26)),
    *(
        {"allow": [{"path": p, "reason": "x"}]}
        for p in ("", "/", "//a", "a//b", ".", "./a", "a/..", "a\\b", "a" * 4097)
    ),
    *({"allow": [{"detector": d, "reason": "x"}]} for d in ("", "A", "a--b", "a_b", "-a")),
    *({"allow": [{"path": "x", "reason": "x", "expires": e}]} for e in ("soon", "2030-02-30", "2030-1-1", 2030)),
]


@pytest.mark.parametrize("document", GOOD, ids=str)
def test_both_take_these(document: dict[str, Any]) -> None:
    """Every key at least once."""
    assert (VALIDATOR.is_valid(document), reader_takes(document)) == (True, True)


@pytest.mark.parametrize("document", BAD, ids=str)
def test_both_refuse_these(document: dict[str, Any]) -> None:
    """One mistake each."""
    assert (VALIDATOR.is_valid(document), reader_takes(document)) == (False, False)


def test_the_good_ones_hold_every_key() -> None:
    """A new setting is written into FULL."""
    push, (*entries,) = FULL["push"], FULL["allow"]
    assert isinstance(push, dict)
    top = {key for key in FULL if key not in ("push", "allow")} | {f"push.{key}" for key in push}
    assert top == {setting.name for setting in SETTINGS}
    assert {key for entry in entries for key in entry} == {key.name for key in ENTRY}


NUMBERS = st.one_of(st.integers(-2, 4000), st.floats(-1, 4000))
TEXTS = st.one_of(
    st.text("a2/*.\\?- é", max_size=8),
    st.builds(lambda number, unit: f"{number}{unit}", st.integers(0, 4000), st.sampled_from(["", *"smkMGhB", "MiB"])),
    st.builds(lambda month, day: f"2030-{month:02}-{day:02}", st.integers(0, 13), st.integers(0, 32)),
    st.integers(24, 28).map("a".__mul__),
    st.sampled_from(["low", "critical", "warn", "block"]),
)
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none(), st.lists(TEXTS, max_size=2))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
@given(value=VALUES)
def test_both_agree_on_any_value_of_a_setting(setting: Setting, value: object) -> None:
    """Whatever it is."""
    table, _, key = setting.name.rpartition(".")
    document = {table: {key: value}} if table else {key: value}
    assert VALIDATOR.is_valid(document) == reader_takes(document)


@pytest.mark.parametrize("key", ENTRY, ids=lambda key: key.name)
@given(value=VALUES)
def test_both_agree_on_any_value_in_an_entry(key: Setting, value: object) -> None:
    """In one that is good without it, or with it."""
    for entry in ({"reason": "x"}, {"reason": "x", "detector": "a"}, {"reason": "x", "fingerprint": "a" * 26}):
        document = {"allow": [entry | {key.name: value}]}
        assert VALIDATOR.is_valid(document) == reader_takes(document)
