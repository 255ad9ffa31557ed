"""Files of other scanners, read: what they say, in one form. Nothing is looked for in a repository here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from oakum.scanner.errors import ForeignError
from oakum.scanner.foreign import KINDS, MOST, Entry, Excluded, Known, Unmapped, read
from oakum.scanner.foreign.entries import BY_VALUE, NOT_SO, REAL
from oakum.scanner.model import Secret

COMMIT = "06aca52817de4b1208eecb2b4033eeef9bd3ae48"
SHA1, SHA256 = "0" * 40, "1" * 64


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- ignore files of gitleaks and betterleaks -----------------------------------------------------------------------


def test_fingerprints_of_gitleaks() -> None:
    """With a commit and without, a path that holds colons and spaces, comments, and what is none of them."""
    content = f"""
# our tests
{COMMIT}:src/a b.py:github-pat:3
  conf:x/app.env:generic-api-key:12

{COMMIT[:7]}:a.py:jwt:1
{COMMIT}:src/a b.py:github-pat:3
src/a.py:12
"""
    assert read("/some/where/.gitleaksignore", content.encode()) == [
        Known(
            f"{COMMIT}:src/a b.py:github-pat:3",
            "imported from .gitleaksignore: rule github-pat",
            b"src/a b.py",
            3,
            COMMIT,
            "github-pat",
        ),
        Known(
            "conf:x/app.env:generic-api-key:12",
            "imported from .gitleaksignore: rule generic-api-key",
            b"conf:x/app.env",
            12,
            "",
            "generic-api-key",
        ),
        Known(f"{COMMIT[:7]}:a.py:jwt:1", "imported from .gitleaksignore: rule jwt", b"a.py", 1, COMMIT[:7], "jwt"),
        Unmapped("src/a.py:12", NOT_SO),
    ]


def test_digests_of_betterleaks() -> None:
    """Version 2 writes the SHA-256 of a value, and no place."""
    assert read(".betterleaksignore", f"{SHA256}\n{SHA256[:-1]}\n".encode()) == [
        Known(SHA256, "imported from .betterleaksignore: SHA-256 of the value", digest=SHA256),
        Unmapped(SHA256[:-1], NOT_SO),
    ]


def test_a_path_that_is_not_text_keeps_its_bytes() -> None:
    """Git's paths are bytes. What is shown of them is harmless on a terminal."""
    (entry,) = read(".gitleaksignore", b"caf\xe9\x1b[2J.py:jwt:1")
    assert isinstance(entry, Known)
    assert (entry.path, entry.says) == (b"caf\xe9\x1b[2J.py", "caf�\\x1b[2J.py:jwt:1")


def test_a_report_that_serves_as_a_baseline() -> None:
    """It has the value, unless it was redacted."""
    finding = {"RuleID": "github-pat", "File": "a.py", "StartLine": 3, "Commit": COMMIT, "Secret": "the value"}
    reason = "imported from base.json: rule github-pat"
    says = "github-pat at a.py:3"
    assert read("base.json", as_json([finding, finding | {"Secret": "REDACTED"}, {"RuleID": 1, "File": "a"}])) == [
        Known(f"finding 1: {says}", reason, b"a.py", 3, COMMIT, "github-pat", values=(Secret(b"the value"),)),
        Known(f"finding 2: {says}", reason, b"a.py", 3, COMMIT, "github-pat"),
        Unmapped("finding 3", NOT_SO),
    ]


# --- configurations of gitleaks and betterleaks ---------------------------------------------------------------------


def test_allowlists_of_gitleaks() -> None:
    """Global ones, old and new, those for some rules, and those of a rule. What may hold a secret is not repeated."""
    content = rb"""
title = "ours"
[extend]
useDefault = true
disabledRules = ["generic-api-key"]

[allowlist]
description = "fixtures"
paths = ['''^tests/fixtures/''', '''[a-z]+\.txt$''']
commits = ["abc"]
regexes = ['''AKIA.*''', '''ghp_.*''']
stopwords = ["test"]

[[allowlists]]
targetRules = ["jwt", "github-pat"]
paths = ['''\.md$''']

[[allowlists]]
condition = "AND"
paths = ['''\.md$''']
regexTarget = "line"
regexes = ['''x''']

[[rules]]
id = "our-rule"
regex = '''our'''

[[rules]]
id = "private-key"
[[rules.allowlists]]
condition = "AND"
paths = ['''(^|/)key\.pem$''']
"""
    reason = "imported from .gitleaks.toml"
    assert read(".gitleaks.toml", content) == [
        Excluded("fixtures: paths: ^tests/fixtures/", f"{reason}: fixtures", "tests/fixtures/**"),
        Unmapped(
            r"fixtures: paths: [a-z]+\.txt$",
            "is not a simple pattern (a class of characters); write a pattern of your own instead",
        ),
        Unmapped("fixtures: commits: abc", BY_VALUE),
        Unmapped("fixtures: regexes (2)", BY_VALUE),
        Unmapped("fixtures: stopwords (1)", BY_VALUE),
        Excluded(r"allowlists 1: paths: \.md$", f"{reason}: allowlists 1", "*.md", "jwt"),
        Excluded(r"allowlists 1: paths: \.md$", f"{reason}: allowlists 1", "*.md", "github-pat"),
        Unmapped("allowlists 2: paths and regexes together", f"no such condition: {BY_VALUE}"),
        Excluded(
            r"rule private-key: allowlists 1: paths: (^|/)key\.pem$",
            f"{reason}: rule private-key: allowlists 1",
            "key.pem",
            "private-key",
        ),
        Excluded(
            "disabledRules: generic-api-key", f"{reason}: rule generic-api-key is disabled", rule="generic-api-key"
        ),
        Unmapped(
            "rules: 1 with a pattern of their own",
            "what to look for is not imported: oakum has detectors of its own, and takes more by --detectors FILE",
        ),
    ]


def test_expressions_of_betterleaks_that_only_name_paths() -> None:
    """Any of its spellings. An expression that asks for anything else is not understood, and that is said."""
    content = rb"""
prefilter = '''
filter.matchesAny(get(attributes, "path", ""), [
  `^vendor/`,
  "\\.md$",
]) || matchesAny(attributes[?"path"].orValue(""), [`(^|/)go\.sum$`])
'''
filter = 'matchesAny(attributes["path"], [`a`]) && entropy(finding.secret) < 3'
[[rules]]
id = "jwt"
filter = 'matchesAny(attributes["path"], [`^docs/`])'
[[rules]]
id = "other"
filter = 'entropy(finding["secret"]) <= 3.0'
"""
    reason = "imported from .betterleaks.toml"
    assert read(".betterleaks.toml", content) == [
        Excluded("prefilter: ^vendor/", f"{reason}: prefilter", "vendor/**"),
        Excluded(r"prefilter: \.md$", f"{reason}: prefilter", "*.md"),
        Excluded(r"prefilter: (^|/)go\.sum$", f"{reason}: prefilter", "go.sum"),
        Unmapped("filter", f"an expression of more than paths: {BY_VALUE}"),
        Excluded("rule jwt: filter: ^docs/", f"{reason}: rule jwt: filter", "docs/**", "jwt"),
        Unmapped("rules: 1 with a filter", f"an expression of more than paths: {BY_VALUE}"),
    ]


# --- detect-secrets -------------------------------------------------------------------------------------------------


def test_a_baseline_of_detect_secrets() -> None:
    """What was audited as real, or verified, is not accepted. Filters that may hold a secret are not shown."""
    result = {"type": "Secret Keyword", "filename": "a.py", "hashed_secret": SHA1, "line_number": 3}
    document = {
        "version": "1.5.0",
        "plugins_used": [{"name": "KeywordDetector"}],
        "filters_used": [
            {"path": "detect_secrets.filters.heuristic.is_lock_file"},
            {"path": "detect_secrets.filters.regex.should_exclude_file", "pattern": ["^tests/", r"\.md$"]},
            {"path": "detect_secrets.filters.regex.should_exclude_secret", "pattern": ["hunter2"]},
            {"path": "file://ours.py::skip"},
        ],
        "results": {
            "a.py": [
                result,
                result | {"is_secret": False},
                result | {"is_secret": True, "line_number": 4},
                result | {"is_verified": True, "line_number": 5},
                result | {"hashed_secret": "x"},
                7,
            ]
        },
    }
    reason, skipped = (
        "imported from .secrets.baseline: Secret Keyword",
        "imported from .secrets.baseline: files left out",
    )
    assert read(".secrets.baseline", as_json(document)) == [
        Known("a.py:3 (Secret Keyword)", f"{reason}, not audited", b"a.py", 3, rule="Secret Keyword", digest=SHA1),
        Known(
            "a.py:3 (Secret Keyword)",
            f"{reason}, audited as no secret",
            b"a.py",
            3,
            rule="Secret Keyword",
            digest=SHA1,
        ),
        Unmapped("a.py:4 (Secret Keyword)", f"audited as a real secret: {REAL}"),
        Unmapped("a.py:5 (Secret Keyword)", f"verified as a real secret: {REAL}"),
        Unmapped("a.py: result 5", NOT_SO),
        Unmapped("a.py: result 6", NOT_SO),
        Excluded("files left out: ^tests/", skipped, "tests/**"),
        Excluded(r"files left out: \.md$", skipped, "*.md"),
        Unmapped("filter regex.should_exclude_secret", BY_VALUE),
        Unmapped("filter file://ours.py::skip", f"is code: {BY_VALUE}"),
        Unmapped("filters_used: 1 built in", "oakum has allowlists of its own"),
    ]


def test_a_baseline_of_detect_secrets_from_before_1() -> None:
    """What it excludes stands elsewhere."""
    document = {"exclude": {"files": "^vendor/", "lines": "x"}, "results": {}}
    assert read("x.secrets.baseline", as_json(document)) == [
        Excluded("files left out: ^vendor/", "imported from x.secrets.baseline: files left out", "vendor/**"),
        Unmapped("exclude: lines", BY_VALUE),
    ]


# --- trufflehog -----------------------------------------------------------------------------------------------------


def test_a_report_of_trufflehog() -> None:
    """A line each, or a list of them; values are never shown. What was live is nothing to be accepted."""
    git = {"Git": {"commit": COMMIT, "file": "a.py", "line": 3, "repository": "https://git.test/ours"}}
    one = {"SourceMetadata": {"Data": git}, "DetectorName": "AWS", "Raw": "the id", "RawV2": "the id:the value"}
    disk = {"SourceMetadata": {"Data": {"Filesystem": {"file": "/ours/b", "line": 4}}}, "DetectorName": "URI"}
    records = [one, one | {"Verified": True}, disk | {"Raw": "a value", "SecretParts": {"key": "a value"}}, disk]
    reason = "imported from found.json: detector"
    expected: list[Entry] = [
        Known(
            "AWS at a.py:3",
            f"{reason} AWS",
            b"a.py",
            3,
            COMMIT,
            "AWS",
            values=(Secret(b"the id"), Secret(b"the id:the value")),
        ),
        Unmapped("AWS at a.py:3", f"verified as live: {REAL}"),
        Known("URI at /ours/b:4", f"{reason} URI", b"/ours/b", 4, rule="URI", values=(Secret(b"a value"),)),
        Unmapped("line 4", NOT_SO),
    ]
    assert read("found.json", b"\n".join(map(as_json, records))) == expected
    assert read("found.json", as_json(records)) == expected
    assert "the value" not in repr(expected)


def test_paths_that_trufflehog_leaves_out() -> None:
    """Such a file looks like nothing, so that its kind must be said."""
    with pytest.raises(ForeignError, match="of no form that is known; say whose it is with --kind"):
        read("skip.txt", b"^vendor/\n")
    assert read("skip.txt", b"# others' code\n^vendor/\n\n\\bx\n", "trufflehog") == [
        Excluded("^vendor/", "imported from skip.txt: paths left out", "vendor/**"),
        Unmapped(
            r"\bx",
            "is not a simple pattern (more than names and alternatives); write a pattern of your own instead",
        ),
    ]


# --- kingfisher -----------------------------------------------------------------------------------------------------


def test_a_baseline_of_kingfisher() -> None:
    """By repository; the git directory is the repository itself."""
    content = b"""
version: 2
fingerprint_algorithm: kingfisher-v1
repositories:
- id: git://git.test/team/ours
  findings:
  - path: a.py
    fingerprint: '389162583612032034'
    rule_id: kingfisher.aws.1
    line: 3
    first_seen_at: 2026-08-11T17:17:42.123456Z
- id: local:///work/ours/.git
  findings:
  - path: a.py
    rule_id: kingfisher.aws.1
    line: 3
  - path: b
"""
    says, reason = "a.py:3 (kingfisher.aws.1)", "imported from base.yml: rule kingfisher.aws.1"
    assert read("base.yml", content) == [
        Known(says, reason, b"a.py", 3, rule="kingfisher.aws.1", repository="git://git.test/team/ours"),
        Known(says, reason, b"a.py", 3, rule="kingfisher.aws.1", repository="local:///work/ours"),
        Unmapped("local:///work/ours/.git: finding 2", NOT_SO),
    ]


def test_an_old_baseline_of_kingfisher() -> None:
    """Without a rule, and with a slash behind the file."""
    content = b"""
ExactFindings:
  matches:
  - filepath: ours/a.rb/
    fingerprint: '389162583612032034'
    linenum: 52
    lastupdated: Mon, 14 Jul 2025 10:17:56 -0700
"""
    assert read("base.yaml", content) == [Known("ours/a.rb:52", "imported from base.yaml", b"ours/a.rb", 52)]


# --- whatever else comes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        ("a.txt", b"", "", "a.txt: is of no form that is known; say whose it is with --kind"),
        ("a.txt", b"\x00\xff" * 100, "", "a.txt: is of no form that is known"),
        ("pyproject.toml", b"[project]\nname = 'x'", "", "pyproject.toml: is of no form that is known"),
        (".secrets.baseline", b"{", "", ".secrets.baseline: is not valid JSON: Expecting property name"),
        (".secrets.baseline", b"[" * 100_000, "", ".secrets.baseline: is not valid JSON: maximum recursion depth"),
        (".secrets.baseline", b"\xff", "", ".secrets.baseline: is not valid JSON"),
        (".secrets.baseline", b"[]", "", "is not a baseline of detect-secrets"),
        (".secrets.baseline", b'{"results": []}', "", "is not a baseline of detect-secrets"),
        ("a.json", b'[{"RuleID"', "", "a.json: is not valid JSON"),
        ("a.json", b'{"RuleID": 1}', "gitleaks", None),
        ("a.json", b'{"SourceMetadata": {}}\n{', "", "a.json: line 2: is not valid JSON"),
        (".gitleaks.toml", b"a =", "", ".gitleaks.toml: is not valid TOML"),
        (".gitleaks.toml", b"\xff", "", ".gitleaks.toml: is not valid TOML"),
        (".gitleaks.toml", b"a = " + b"[" * 100_000, "", ".gitleaks.toml: is not valid TOML"),
        (".gitleaks.toml", b"a" + b".a" * 501 + b" = 1", "", "a line with more than 500 dots is not read"),
        ("a.yml", b"ExactFindings: &a\n  matches: [*a]\n", "", "a.yml: YAML with anchors and aliases is not read"),
        ("a.yml", b"ExactFindings: " + b"[" * 100_000, "", "a.yml: is not valid YAML"),
        ("a.yml", b"repositories: {? [a] : b}", "kingfisher", "a.yml: is not valid YAML"),
        ("a.yml", b"ExactFindings: [\n", "", "a.yml: is not valid YAML"),
        ("a.yml", b"ExactFindings: \x00", "", "a.yml: is not valid YAML"),
        ("a.yml", b"repositories: \xff\xfe", "kingfisher", "a.yml: is not valid YAML"),
        ("a.yml", b"- a", "kingfisher", "a.yml: is not a baseline of kingfisher"),
        (".gitleaksignore", b"\n" * (MOST + 1), "", ".gitleaksignore: is larger than 16 MiB"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_an_error_that_says_what_it_is(name: str, content: bytes, kind: str, message: str) -> None:
    """Not a traceback, and never a part of the file that may hold a secret."""
    if message is None:
        assert [type(entry) for entry in read(name, content, kind)] == [Unmapped]
        return
    with pytest.raises(ForeignError, match=message):
        read(name, content, kind)


ODD: tuple[Any, ...] = (None, True, -1, 1e400, "x", "\ud800", [], {}, [[]], [{}], {"a": []}, 10**30)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_wrong_shape_is_no_traceback(odd: Any) -> None:
    """Whatever stands in the place of anything."""
    result = {"type": odd, "hashed_secret": odd, "line_number": odd, "is_secret": odd}
    documents = [
        {"hashed_secret": 1, "results": {"a": odd}, "filters_used": odd, "exclude": odd},
        {"hashed_secret": 1, "results": {"a": [odd, result, result | {"hashed_secret": SHA1}]}},
        {"hashed_secret": 1, "results": {}, "filters_used": [odd, {"path": odd, "pattern": odd}]},
        [
            {"RuleID": odd},
            {"RuleID": "a", "File": odd},
            odd,
            {"RuleID": "a", "File": "a", "Secret": odd, "Commit": odd},
        ],
        [{"SourceMetadata": odd, "Raw": odd}, {"SourceMetadata": {"Data": odd}, "Raw": "value!", "SecretParts": odd}],
        [{"SourceMetadata": {"Data": {"Git": {"file": odd, "line": odd}}}, "Raw": "value!", "DetectorName": odd}],
    ]
    for document in documents:
        assert read("a.json", as_json(document)) is not None
    for document in ({"ExactFindings": odd}, {"fingerprint_algorithm": 1, "repositories": [odd, {"findings": odd}]}):
        try:
            read("a.yml", as_json(document))
        except ForeignError:
            continue
    toml = ["1", "true", "'x'", "[]", "{}", "[[]]", "[{}]", "1979-05-27"]
    for value in toml:
        for key in ("allowlist", "allowlists", "rules", "extend", "prefilter", "filter"):
            read(".gitleaks.toml", f"{key} = {value}".encode())
            read(".gitleaks.toml", f"[allowlist]\npaths = {value}\ntargetRules = {value}\ncondition = {value}".encode())
            read(".gitleaks.toml", f"[[rules]]\nid = {value}\nallowlists = {value}\nfilter = {value}".encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_be_one_of_powershell(encoding: str) -> None:
    """That writes a byte order mark, and UTF-16."""
    toml, baseline = "[allowlist]\npaths = ['^é/']\n", '{"results": {"é": [0]}}'
    assert read(".gitleaksignore", "é.py:jwt:1\r\n".encode(encoding))[0].says == "é.py:jwt:1"
    assert read("a.toml", toml.encode(encoding))[0].says == "allowlist 1: paths: ^é/"
    assert read("a.secrets.baseline", baseline.encode(encoding)) == [Unmapped("é: result 1", NOT_SO)]


def test_every_kind_can_be_named() -> None:
    """Those are the words for --kind."""
    assert KINDS == ("betterleaks", "gitleaks", "detect-secrets", "trufflehog", "kingfisher")
    assert read("ignore.txt", b"a.py:jwt:1", "betterleaks") == read("ignore.txt", b"a.py:jwt:1", "gitleaks")
