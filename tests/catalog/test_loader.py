"""Reading detector files: what a good one gives, and what is said of a bad one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from oakum.detectors.checks import CHECKS
from oakum.scanner import catalog
from oakum.scanner.errors import DetectorError
from oakum.scanner.model import FACT_NAMES, KINDS, SEVERITIES
from oakum.scanner.verification import Condition, Verification

GOOD: dict[str, Any] = {
    "id": "acme-token",
    "name": "Acme token",
    "kind": "token",
    "severity": "high",
    "pattern": r"(?<![a-z0-9])(?P<secret>acme_[a-z0-9]{20})(?![a-z0-9])",
    "keywords": ["acme_"],
    "examples": ["token = {secret}"],
}


def toml(**fields: Any) -> str:
    """A file with one detector; `None` leaves a field out."""

    def value(thing: Any) -> str:
        if isinstance(thing, bool):
            return str(thing).lower()
        if isinstance(thing, str):
            return f"'''{thing}'''"
        if isinstance(thing, list):
            return "[" + ", ".join(map(value, thing)) + "]"
        if isinstance(thing, dict):
            return "{" + ", ".join(f"{k} = {value(v)}" for k, v in thing.items()) + "}"
        return str(thing)

    lines = [f"{name} = {value(thing)}" for name, thing in (GOOD | fields).items() if thing is not None]
    return "\n".join(["[[detector]]", *lines, ""])


def refused(text: str) -> str:
    """What is said of a file."""
    with pytest.raises(DetectorError) as e:
        catalog.parse(text, file="acme.toml", provider="acme")
    return str(e.value)


def test_the_least_that_a_detector_needs() -> None:
    """The provider is the file's name; widths and prefix are measured."""
    (found,) = catalog.parse(toml(), file="acme.toml", provider="acme")
    assert (found.id, found.name, found.provider, found.kind, found.severity) == (
        "acme-token",
        "Acme token",
        "acme",
        "token",
        "high",
    )
    assert (found.width, found.behind, found.ahead, found.prefix) == (25, 1, 1, b"acme_")
    assert (found.keywords, found.examples) == ((b"acme_",), ("token = {secret}",))
    assert (found.checks, found.min_entropy, found.parts, found.part_distance, found.part_only, found.facts) == (
        (),
        0.0,
        (),
        0,
        False,
        (),
    )
    assert (found.generic, found.specificity) == (False, 2)


def test_all_that_a_detector_can_say() -> None:
    """Every optional field arrives."""
    fields: dict[str, Any] = {
        "reach": "wide",
        "check": ["base64_length:64"],
        "proof": "azure_storage",
        "proved_by": ["acme-key"],
        "min_entropy": 0.5,
        "sample": "alnum:20",
        "counterexamples": ["acme_x"],
        "parts": ["acme-id"],
        "part_distance": 99,
        "part_only": True,
        "facts": {"mode": "test"},
        "rotate": "https://acme.test/rotate",
        "source": "https://acme.test/docs",
        "verify": {
            "request": "GET https://api.acme.test/me",
            "auth": "bearer",
            "live": {"status": 200, "json": {"id": "*"}},
            "source": "https://acme.test/api",
        },
    }
    (found,) = catalog.parse(toml(**fields), file="acme.toml", provider="acme")
    assert len(found.checks) == 1
    assert found.specificity == 3
    assert (found.min_entropy, found.sample, found.counterexamples) == (0.5, "alnum:20", ("acme_x",))
    assert (found.parts, found.part_distance, found.part_only) == (("acme-id",), 99, True)
    assert (found.proof is not None, found.proved_by) == (True, ("acme-key",))
    assert (found.facts, found.rotate, found.source) == (
        (("mode", "test"),),
        "https://acme.test/rotate",
        "https://acme.test/docs",
    )
    assert found.verify == Verification(
        request="GET https://api.acme.test/me",
        auth="bearer",
        hosts=("api.acme.test",),
        live=(Condition((200,), (("id", ()),)),),
        source="https://acme.test/api",
    )
    assert set(fields) == set(catalog._OPTIONAL), "this test knows every field"


WHERE = "acme.toml: acme-token: "
FIELDS = ", ".join({**catalog._REQUIRED, **catalog._OPTIONAL})

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "name: is required, a str that is not empty"),
    ({"examples": []}, "examples: is required, a list that is not empty"),
    (
        {"proof": "magic", "proved_by": ["acme-key"]},
        "proof: 'magic' is not one of aws_presigned_url, azure_service_bus, azure_storage",
    ),
    ({"proof": "azure_storage"}, "proof and proved_by go together: how a key proves it, and who finds the keys"),
    ({"proved_by": ["acme-key"]}, "proof and proved_by go together: how a key proves it, and who finds the keys"),
    ({"colour": "red"}, f"colour: unknown field; allowed are {FIELDS}"),
    ({"min_entropy": "much"}, "min_entropy: 'much' is not of the right type"),
    ({"min_entropy": 4.5}, "min_entropy: a share between 0 and 1 of what random text has"),
    ({"kind": "thing"}, f"kind: 'thing' is not one of {', '.join(KINDS)}"),
    ({"severity": "bad"}, f"severity: 'bad' is not one of {', '.join(SEVERITIES)}"),
    ({"reach": "far"}, "reach: 'far' is not one of narrow, wide, block"),
    ({"keywords": ["ac"]}, "keywords: 'ac': small ASCII letters, 3 bytes or more"),
    ({"keywords": ["Acme"]}, "keywords: 'Acme': small ASCII letters, 3 bytes or more"),
    ({"keywords": ["acmé"]}, "keywords: 'acmé': small ASCII letters, 3 bytes or more"),
    ({"keywords": [7]}, "keywords: 7: small ASCII letters, 3 bytes or more"),
    (
        {"keywords": ["acme-"]},
        "keywords: one of them must stand in every match; 'acme_00000000000000000000' is a match without",
    ),
    ({"pattern": "é(?P<secret>[a-z]{9})"}, "pattern: write bytes outside ASCII as \\xNN"),
    ({"pattern": "(?P<secret>[a-z]{9}"}, "pattern: missing ), unterminated subpattern at position 0"),
    ({"pattern": "x*(?P<secret>a{9})"}, "pattern: every repeat must be bounded: write {0,n} for * and {1,n} for +"),
    ({"pattern": "(?P<secret>a{0,9})"}, "pattern: the pattern matches the empty string"),
    (
        {"pattern": "(?P<secret>a{,9})b"},
        "pattern: write {0,n} for {,n}: the second is a quantifier to Python and literal text to Hyperscan",
    ),
    (
        {"pattern": "x(?P<secret>a{5,9})"},
        "pattern: a secret of variable length needs an end: a delimiter or a look-ahead behind the group",
    ),
    (
        {"pattern": "(?P<secret>a{600})"},
        "pattern: 600 bytes wide, 0 behind, 0 ahead; reach 'narrow' allows 512 together "
        "(narrow, wide and block: [512, 16384, 65536])",
    ),
    (
        {"pattern": "(?P<colour>red)(?P<secret>a{9})"},
        f"pattern: group names ['colour']: allowed are {sorted(FACT_NAMES)}",
    ),
    ({"check": "luck"}, f"check: no check is called 'luck'; there are {', '.join(sorted(CHECKS))}"),
    ({"facts": {"colour": "red"}}, f"facts: colour = 'red': a text under one of {sorted(FACT_NAMES)}"),
    ({"facts": {"mode": 1}}, f"facts: mode = 1: a text under one of {sorted(FACT_NAMES)}"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[f"{m[:40]} {next(iter(f.values()))}" for f, m in REFUSED])
def test_a_mistake_is_named_with_file_detector_and_field(fields: dict[str, Any], message: str) -> None:
    """And with what is allowed."""
    assert refused(toml(**fields)) == WHERE + message


@pytest.mark.parametrize("name", ["Acme-token", "acme_token", "acme--token", "-acme", "acme token"])
def test_an_id_is_small_letters_digits_and_hyphens(name: str) -> None:
    """It never changes once it is released."""
    assert (
        refused(toml(id=name)) == f"acme.toml: {name}: id: small letters, digits and single hyphens, the provider first"
    )


def test_a_detector_without_id_goes_by_its_number() -> None:
    """Counted from one."""
    assert refused(toml() + toml(id=None)) == "acme.toml: detector 2: id: is required, a str that is not empty"


def test_a_pattern_that_backtracks_without_end_is_refused() -> None:
    """Before it meets hostile text."""
    message = refused(toml(pattern="(?:a{1,20}){1,20}(?P<secret>x{9})"))
    assert message.startswith(WHERE + "pattern: the pattern can divide a text in ")


def test_an_id_stands_once_in_a_file() -> None:
    """Twice is a mistake."""
    assert refused(toml() + toml()) == "acme.toml: acme-token: id: stands twice in this file"


def test_a_file_holds_detectors_and_nothing_else() -> None:
    """Not TOML, no table, another table."""
    assert refused("[[detector]").startswith("acme.toml: not valid TOML: ")
    nothing = "acme.toml: the file holds [[detector]] tables and nothing else, not "
    assert refused("") == nothing + "[]"
    assert refused(toml() + "[extend]\n") == nothing + "['extend']"
    assert refused("detector = 1") == nothing + "[]"
    assert refused("detector = [1]") == "acme.toml: detector 1: a table of fields is needed, not 1"


# --- files of the user's own ----------------------------------------------------------------------------------------


def test_a_users_file_adds_to_the_detectors_that_come_with_oakum(tmp_path: Path) -> None:
    """Its name is the provider."""
    (tmp_path / "acme.toml").write_text(toml())
    own = catalog.load([str(tmp_path / "acme.toml")])
    assert {d.id for d in own} - {d.id for d in catalog.load()} == {"acme-token"}
    assert [d.id for d in own] == sorted(d.id for d in own)


def test_a_users_detector_replaces_the_one_with_its_id(tmp_path: Path) -> None:
    """In its own file, and not for the next scan."""
    (tmp_path / "mine.toml").write_text(toml(id="github-pat", name="Mine"))
    own = catalog.load([str(tmp_path / "mine.toml")])
    assert [(d.name, d.provider) for d in own if d.id == "github-pat"] == [("Mine", "mine")]
    assert len(own) == len(catalog.load())
    assert "Mine" not in {d.name for d in catalog.load()}


def test_the_last_file_wins(tmp_path: Path) -> None:
    """As with options."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(toml(name=name))
    found = catalog.load([str(tmp_path / f"{name}.toml") for name in ("two", "one")])
    assert [d.name for d in found if d.id == "acme-token"] == ["one"]


def test_a_part_must_be_a_detector(tmp_path: Path) -> None:
    """Of any file."""
    (tmp_path / "acme.toml").write_text(toml(parts=["acme-id"]))
    with pytest.raises(DetectorError, match=re.escape("acme: acme-token: parts: no detector is called 'acme-id'")):
        catalog.load([str(tmp_path / "acme.toml")])


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    """Not there, not UTF-8."""
    path = tmp_path / "acme.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DetectorError, match=f"^{re.escape(str(path))}: cannot be read as a detector file: "):
        catalog.load([str(path)])


SAMPLES: list[tuple[dict[str, Any], str]] = [
    (
        {"examples": ["token: {secret}x"]},
        "examples: the pattern finds nothing in 'token: {secret}x', its places filled with samples",
    ),
    ({"sample": "luck:9"}, "sample: no sample can be made for 'token = {secret}': 'luck'"),
]


@pytest.mark.parametrize(("fields", "message"), SAMPLES, ids=[m[:12] for _, m in SAMPLES])
def test_a_detector_of_the_user_must_find_samples_of_itself(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    """Otherwise it would be silent for ever."""
    file = tmp_path / "acme.toml"
    file.write_text(toml(**fields), "utf-8")
    with pytest.raises(DetectorError) as refusal:
        catalog.load([str(file)])
    assert str(refusal.value) == f"{file}: acme-token: {message}"
