"""Names that tell of credentials: what is found among labelled ones, and the laws that matching keeps."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.catalog import names as catalog
from oakum.scanner.engine import names
from oakum.scanner.engine.names import LONGEST, Names
from oakum.scanner.engine.object_name import ObjectName, text_of, words_of
from oakum.scanner.listed import NameRule

RULES, FORMS = catalog.load()
NAMES = Names(RULES, FORMS)
LABELLED = [
    (line[0] == "+", line[2:].encode())
    for line in Path(__file__).with_name("names_labelled.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
KEYS = [key for _, key in LABELLED]


def ids(keys: Sequence[bytes], by: Names = NAMES) -> list[str]:
    """The id of the rule that takes each key, empty where none does."""
    found = dict(by.matches(keys))
    return [found[i].id if i in found else "" for i in range(len(keys))]


def test_labelled_names() -> None:
    """At least 98 % of those that tell of credentials are found, and of what is found at least 95 % are such."""
    found = list(map(bool, ids(KEYS)))
    missed = [key.decode() for (good, key), hit in zip(LABELLED, found, strict=True) if good and not hit]
    wrong = [key.decode() for (good, key), hit in zip(LABELLED, found, strict=True) if hit and not good]
    sensitive = sum(good for good, _ in LABELLED)
    assert min(sensitive, len(LABELLED) - sensitive) >= 1000
    assert 1 - len(missed) / sensitive >= 0.98, missed
    assert 1 - len(wrong) / sum(found) >= 0.95, wrong


def test_labelled_names_stand_there_once() -> None:
    """One that stood there twice would count twice."""
    assert len(set(KEYS)) == len(KEYS)


def test_there_are_patterns_enough() -> None:
    """For every kind some, 450 in all at the least."""
    assert sum(len(list(catalog.examples(rule))) for rule in RULES) >= 450


def own_names(rule: NameRule) -> Iterator[str]:
    """A key for every pattern of a rule, with an ending of a type that the rule wants."""
    endings = {kind: f".{ending}" for ending, kind in reversed(FORMS.types.items())} | {"none": "", "other": ".xyz"}

    def ended(name: str, types: frozenset[str]) -> str:
        return name + (endings[min(types, key="none other".find)] if types else "")

    for field in ("exact", "starts", "extensions", "folders"):
        for pattern in getattr(rule, field):
            name = {"exact": pattern, "starts": pattern, "extensions": f"x{pattern}", "folders": f"{pattern}/x"}[field]
            kind = ObjectName(name, FORMS).type
            yield name if kind in rule.must_be else ended(name, rule.must_be)
    types = rule.types or rule.must_be
    for pattern in (*rule.words, *rule.parts):
        yield ended(pattern, types)
    for pattern in (*rule.folder_words, *rule.folder_parts):
        yield ended(f"{pattern.strip('/')}/x", types)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_every_pattern_of_a_rule_finds_a_name_made_of_it(rule: NameRule) -> None:
    """None is dead: no exception of its own and no innocent word takes it out."""
    keys = list(own_names(rule))
    found = {i for i, _ in Names([rule], FORMS).matches([key.encode() for key in keys])}
    assert [key for i, key in enumerate(keys) if i not in found] == []


def test_the_weightiest_rule_is_told() -> None:
    """Weight is chance times impact, whatever the order of the rules."""
    light = NameRule("light", "backup", "low", 0.9, "", extensions=(".pem",))
    heavy = NameRule("heavy", "private-key", "critical", 0.4, "", words=("server",))
    for rules in ([light, heavy], [heavy, light]):
        assert ids([b"a/server.pem", b"a/client.pem"], Names(rules, FORMS)) == ["heavy", "light"]


FIELDS = {
    "exact": (
        ("id_rsa",),
        ["id_rsa", "a/ID_RSA", "a\\id-rsa", "id_rsa.bak", "id_rsa-2021-03-04.gz", ".id_rsa.swp", "id_rsa.prod"],
        ["id_rsa.pub", "my_id_rsa", "id_rsa/a", "tests/id_rsa"],
    ),
    "starts": (
        (".env",),
        [".env", ".env.prod", ".env1", "a/.env_old"],
        [".envelope", "x.env", ".env.example", ".env.js"],
    ),
    "extensions": (
        (".ppk",),
        ["a.ppk", "a.PPK.zip", "a.ppk.old", "a.ppk (1)", "a.ppk~"],
        ["a.ppkx", "ppk", "a.ppk/b", "sample.ppk"],
    ),
    "folders": ((".ssh",), [".ssh/a", "x/.SSH/y/a"], [".ssh", "x.ssh/a", ".ssh/a.pub", ".ssh/a.png"]),
    "words": (
        ("api key",),
        ["api_key.txt", "myApiKey.txt", "prod-apikey", "API KEY (2).txt"],
        ["apikeyring.txt", "api_key.py", "api_key_policy.pdf", "api-key/x"],
    ),
    "parts": (("passwor",), ["xpasswords.txt", "Passwort"], ["passw0rd.txt", "passwords.png", "passwor/x"]),
    "folder_words": (("creds",), ["creds/a", "x/my-creds/y/z.txt"], ["creds", "credsx/a", "creds/a.png"]),
    "folder_parts": (("basebackup",), ["pg_basebackup1/a"], ["basebackup", "basebackup/a.png"]),
}


@pytest.mark.parametrize("field", FIELDS)
def test_what_a_field_takes_and_what_not(field: str) -> None:
    """Alone in a rule, without types: harmless types and innocent words count all the same."""
    patterns, takes, leaves = FIELDS[field]
    rule = dataclasses.replace(NameRule("a", "backup", "low", 0.5, ""), **{field: patterns})
    found = ids([name.encode() for name in takes + leaves], Names([rule], FORMS))
    assert found == ["a"] * len(takes) + [""] * len(leaves)


def test_types_and_exceptions_limit_a_rule() -> None:
    """`types` limits words, `must_be` everything, `unless` and `unless_folders` everything."""
    rule = NameRule("a", "backup", "low", 0.5, "", extensions=(".abc",), words=("code",), types=frozenset({"text"}))
    only = dataclasses.replace(rule, types=frozenset(), must_be=frozenset({"archive"}))
    never = dataclasses.replace(rule, unless=("zip", "bar code"), unless_folders=("src",))
    keys = [b"a.abc", b"a.abc.zip", b"code.txt", b"code.csv", b"code.zip", b"bar-code.txt", b"src/code.txt"]
    assert ids(keys, Names([rule], FORMS)) == ["a", "a", "a", "", "", "a", "a"]
    assert ids(keys, Names([only], FORMS)) == ["", "a", "", "", "a", "", ""]
    assert ids(keys, Names([never], FORMS)) == ["a", "a", "a", "", "", "", ""]


def test_releases_of_programs_are_not_found_by_words() -> None:
    """An archive with a version or a machine in its name is the program; dates and addresses are no versions."""
    rule = NameRule("a", "backup", "low", 0.5, "", words=("git",), parts=("backup",), types=frozenset({"archive"}))
    takes = [b"git.zip", b"git-21.04.05.zip", b"git-10.0.0.5.zip", b"git-5.2.zip", b"git-2021.04.05.zip"]
    takes += [b"git-backup-2.34.0.zip"]
    leaves = [b"git-2.34.0.zip", b"git_v2.34.1-linux.tar", b"git-linux-amd64.zip", b"git-win64.zip", b"git-x86_64.tar"]
    assert ids(takes + leaves, Names([rule], FORMS)) == ["a"] * len(takes) + [""] * len(leaves)


def test_words_of_a_name() -> None:
    """As written, cut at capitals, with digits; identifiers have none."""
    assert words_of("LastPass_Export2021").text == " lastpass export | last pass export | lastpass export2021 "
    assert words_of("a-3f2fa9c07bdb-x").text == " a x "
    assert words_of("5e97870f-2630-4aa0-9678-2fab5c5ba120.json").text == " json "


@pytest.mark.parametrize(
    "name", ["contraseñas.txt", "Пароли.xlsx", "パスワード一覧.xlsx", "ŞIFRELER.docx", "mots de passe.odt"]
)
def test_words_of_any_language_in_both_forms_of_unicode(name: str) -> None:
    """macOS writes letters and accents apart."""
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, name)
        assert ids([written.encode(), written.upper().encode()]) == ["password-document"] * 2


def test_odd_keys() -> None:
    """Not UTF-8, empty, with NUL, newlines, slashes only, 10 kB and more: looked at like others, and none is lost."""
    odd = [
        b"",
        b"/",
        b"//\n//",
        b"\x00",
        b"\xff\xfe/id_rsa",
        b"a\nb/id_rsa",
        b"a/id_rsa\nb",
        b"x" * 10_000 + b"/id_rsa",
    ]
    odd += [
        b"/".join([b"a"] * 5000) + b"/.env",
        b"y" * (3 << 20) + b"/id_rsa",
        b"id_rsa/" + b"z" * 10_000,
        b"id_rsa\x00",
    ]
    key, env = "ssh-private-key", "dot-env"
    assert ids([*odd, b"id_rsa"]) == ["", "", "", "", key, key, key, key, env, key, "", key, key]


def test_no_rules_and_no_keys() -> None:
    """Nothing is found then."""
    assert list(Names([], FORMS).matches([b"id_rsa"])) == []
    assert list(NAMES.matches([])) == []


def every_test(keys: Sequence[bytes], by: Names = NAMES) -> list[str]:
    """What a matcher finds that puts every pattern to the test, without an automaton."""
    found = []
    for key in keys:
        name = ObjectName(text_of(key[-LONGEST:].replace(b"\n", b" ")), FORMS)
        found.append(next((test.rule.id for test in by._tests if test.passes(name)), ""))
    return found


def test_the_automaton_loses_nothing() -> None:
    """On a part of the labelled names: each pattern's literals stand wherever its test passes."""
    some = [*KEYS[::23], b"gcp-prod-sa.json", b"oauth2_tokens.json", b"api2-key.txt", b"settings-prod-old.py"]
    assert ids(some) == every_test(some)


PIECES = [
    *"id_rsa .env passwords secret .pem .zip .gz .tar .sql - _ . / /.ssh/ dump 2021-03-04 backup example".split(),
    *"wp-config .php .bak ~ prod API Key é www home .txt .md 7f3a2b9c (1)".split(),
    *(" ", "\n", "\0"),
]
MADE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(lambda pieces: "".join(pieces).encode())


SOME = Names(
    [
        rule
        for rule in RULES
        if rule.id
        in ("ssh-private-key", "ssh-folder", "dot-env", "web-application-configuration", "pem-file", "sql-dump")
        or rule.id in ("password-document", "backup-archive", "site-archive", "system-archive")
    ],
    FORMS,
)


@given(st.lists(MADE, max_size=3))
def test_it_loses_nothing_of_names_made_at_random(keys: list[bytes]) -> None:
    """Pieces of sensitive and innocent names in any order, and the rules that speak of them."""
    assert ids(keys, SOME) == every_test(keys, SOME)


@given(st.lists(st.sampled_from(KEYS) | MADE | st.binary(max_size=40), max_size=30), st.integers(1, 7))
def test_keys_in_any_batches_give_the_same(keys: list[bytes], size: int) -> None:
    """The other keys of a batch do not matter."""
    apart = [one for at in range(0, len(keys), size) for one in ids(keys[at : at + size])]
    assert ids(keys) == apart


@given(st.sampled_from([key for key in KEYS if key == key.lower()]))
def test_case_does_not_matter(key: bytes) -> None:
    """For names in letters of one size; capitals inside a name cut it into words."""
    assert ids([key]) == ids([key.decode().upper().encode()])


@given(st.sampled_from(KEYS), st.sampled_from([b"a", b"Customer-42/2021", b"x1/y\xff", b"data\\eu-west-1"]))
def test_a_folder_before_a_key_changes_nothing(key: bytes, folder: bytes) -> None:
    """A neutral one, in front of all others."""
    assert ids([key]) == ids([folder + b"/" + key])


def test_a_batch_larger_than_the_automaton_may_be_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is fed in halves."""
    whole = ids(KEYS)
    monkeypatch.setattr(names, "CHUNK", 1 << 10)
    assert ids(KEYS) == whole


def test_what_is_remembered_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that differ in a number only are tested once; when too many are remembered, all are forgotten."""
    own = Names(RULES, FORMS)
    assert ids([b"dump-%06d.sql" % i for i in range(500)], own) == ["sql-dump"] * 500
    assert len(own._known) == 1
    monkeypatch.setattr(names, "_MOST_REMEMBERED", 10)
    assert ids([b"%c/id_rsa" % i for i in range(97, 123)], own) == ["ssh-private-key"] * 26
    assert len(own._known) <= 10
