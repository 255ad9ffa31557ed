"""Reading the files of sensitive names: what a good one gives, and what is said of a bad one."""

from __future__ import annotations

from typing import Any

import pytest
from oakum.scanner.catalog import names
from oakum.scanner.errors import CatalogError
from oakum.scanner.listed import NAME_KINDS, NameRule

FORMS = """
environments = ["prod"]

[[type]]
id = "archive"
wrapping = true
endings = ["zip", "tar"]

[[type]]
id = "image"
harmless = true
endings = ["png"]

[[type]]
id = "text"
speaking = true
endings = ["txt"]

[[innocent]]
id = "about"
reason = "speaks of it"
words = ["policy"]
made_up = ["sample"]
folders = ["test-data"]
"""
GOOD: dict[str, Any] = {
    "id": "ssh-key",
    "kind": "private-key",
    "impact": "critical",
    "chance": 0.5,
    "reason": "logs in",
    "exact": ["id_rsa"],
}


def toml(**fields: Any) -> str:
    """A file with one rule; `None` leaves a field out."""
    lines = [f"{name} = {value!r}" for name, value in (GOOD | fields).items() if value is not None]
    return "\n".join(["[[name]]", *lines, ""])


def refused(*texts: str, forms: str = FORMS) -> str:
    """What is said of files `a.toml`, `b.toml` …"""
    files = dict(zip(["a.toml", "b.toml"], texts, strict=False))
    with pytest.raises(CatalogError) as e:
        names.parse(files | ({names.FORMS: forms} if forms else {}))
    return str(e.value)


def test_those_that_come_with_oakum() -> None:
    """They are sound, and there is a rule of each kind."""
    rules, forms = names.load()
    assert {rule.kind for rule in rules} == set(NAME_KINDS)
    assert forms.harmless | forms.wrapping | forms.speaking <= set(forms.types.values()) | {"none", "other"}


def test_all_that_a_file_can_say() -> None:
    """Alternatives in braces are written out."""
    lists: dict[str, Any] = {
        "starts": [".env"],
        "extensions": [".{key,pem}"],
        "folders": [".ssh"],
        "words": ["{ftp,vpn} {key,keys}"],
        "parts": ["passwör"],
        "folder_words": ["keys"],
        "folder_parts": [".git/"],
        "unless": ["pub"],
        "unless_folders": ["src"],
    }
    (rule,), forms = names.parse({"a.toml": toml(**lists, types=["text", "none"]), names.FORMS: FORMS})
    expanded = lists | {"extensions": [".key", ".pem"], "words": ["ftp key", "ftp keys", "vpn key", "vpn keys"]}
    given = {name: value for name, value in GOOD.items() if name != "exact"}
    fields = {name: tuple(value) for name, value in expanded.items()}
    assert rule == NameRule(**given, exact=("id_rsa",), **fields, types=frozenset({"text", "none"}))
    assert rule.weight == 0.5
    assert forms.types == {"zip": "archive", "tar": "archive", "png": "image", "txt": "text"}
    assert (forms.wrapping, forms.harmless, forms.speaking) == ({"archive"}, {"image"}, {"text", "none", "other"})
    assert (forms.environments, forms.words, forms.made_up) == ({"prod"}, {"policy", "policys"}, {"sample", "samples"})
    assert forms.folders == {"test_data"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"pattern": "x"}, "pattern: unknown field; allowed are "),
    "no reason": ({"reason": None}, "reason: is required, a text that is not empty"),
    "odd id": ({"id": "SSH key"}, "id: small letters, digits and single hyphens"),
    "odd kind": ({"kind": "token"}, "kind: 'token' is not one of "),
    "odd impact": ({"impact": "huge"}, "impact: 'huge' is not one of critical, high, medium, low"),
    "no chance": ({"chance": None}, "chance: is required, a number with a point above 0.0 and up to 1.0"),
    "chance too large": ({"chance": 1.5}, "chance: is required, a number with a point above 0.0 and up to 1.0"),
    "no pattern": ({"exact": None}, "one of exact, starts, extensions, "),
    "empty list": ({"exact": []}, "exact: a list of texts is needed that is not empty"),
    "no list": ({"exact": "id_rsa"}, "exact: a list of texts is needed that is not empty"),
    "too short": ({"parts": ["pwd"]}, "parts: 'pwd': too short: 5 bytes or more"),
    "twice in a list": ({"exact": ["id_rsa", "id-rsa"]}, "exact: 'id_rsa': stands twice"),
    "not ASCII": ({"exact": ["clé"]}, "exact: 'clé': ASCII only: words may be of any language, other patterns may not"),
    "capitals": ({"exact": ["Login Data"]}, "exact: 'Login Data': small letters only, without space at its ends"),
    "slash at an end": ({"folders": [".ssh/"]}, "folders: '.ssh/': components are parted by slashes, with none at the"),
    "slash in a word": ({"words": ["a/bc"]}, "words: 'a/bc': only `exact`, `folders` and `folder_parts` may have a"),
    "bare ending": ({"extensions": ["pem"]}, "extensions: 'pem': an ending begins with a dot, a hyphen or an under"),
    "unknown type": ({"types": ["picture"]}, "types: ['picture'] are not among archive, image, none, other, text"),
    "both limits": ({"types": ["text"], "must_be": ["text"]}, "types: stands for words and parts only; must_be, which"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_said_of_a_bad_rule(case: str) -> None:
    """File, entry, field and what is allowed."""
    fields, message = BAD[case]
    assert refused(toml(**fields)).removeprefix(f"a.toml: {fields.get('id', 'ssh-key')}: ").startswith(message)


def test_ids_and_patterns_stand_once_over_all_files() -> None:
    """A pattern may stand in two rules if they are for different types of files."""
    assert refused(toml(), toml(exact=["x_y"])) == "b.toml: ssh-key: id: stands in a.toml already"
    assert refused(toml(), toml(id="b", exact=["id-rsa"])) == "b.toml: b: exact: 'id-rsa': stands in ssh-key already"
    two = [toml(exact=None, words=["key"], types=["text"]), toml(id="b", exact=None, words=["key"], types=["archive"])]
    rules, _ = names.parse({"a.toml": two[0], "b.toml": two[1], names.FORMS: FORMS})
    assert [rule.id for rule in rules] == ["ssh-key", "b"]


def test_what_is_said_of_a_bad_file() -> None:
    """Rules are tables in two brackets, and nothing stands beside them."""
    assert refused("[name").startswith("a.toml: not valid TOML: ")
    assert refused("[name]") == "a.toml: name: [[name]] tables are needed, with two brackets each"
    assert refused("") == "a.toml: name: [[name]] tables are needed, with two brackets each"
    assert refused(toml() + "[other]") == "a.toml: the file holds name and nothing else, not ['other']"


def test_what_is_said_of_bad_forms() -> None:
    """The types that rules speak of, and what makes a name an innocent one."""
    assert refused(toml(), forms="") == "forms.toml: is missing: it tells the types that rules speak of"
    twice = FORMS.replace('["png"]', '["png", "zip"]')
    assert refused(toml(), forms=twice) == "forms.toml: image: endings: 'zip': stands in archive already"
    flag = FORMS.replace("harmless = true", "harmless = false")
    assert refused(toml(), forms=flag) == "forms.toml: image: harmless: is true, or is left out"
    unknown = FORMS.replace("made_up", "madeup")
    assert refused(toml(), forms=unknown).startswith("forms.toml: about: madeup: unknown field; allowed are ")
    nothing = FORMS.replace('environments = ["prod"]', "")
    assert refused(toml(), forms=nothing) == "forms.toml: environments: a list of texts is needed that is not empty"
