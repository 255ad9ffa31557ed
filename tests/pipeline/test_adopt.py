"""What other scanners were told to pass over, taken over: the places they name are read, what stands there is accepted.

The files are written here as those scanners write them: gitleaks 8.30.1, betterleaks 2.0.0-rc.4, detect-secrets 1.5.0,
trufflehog 3, kingfisher 2.14.0. Of detect-secrets, `test_adopt_detect_secrets.py` asks the scanner itself.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from git_repository import GitRepository, utc
from oakum.scanner.errors import ForeignError
from oakum.scanner.model import Secret, Suppression
from oakum.scanner.pipeline.adopt import Adopted, adopt
from oakum.scanner.pipeline.options import ScanOptions
from oakum.scanner.pipeline.workers import Searcher
from oakum.scanner.suppressions import Suppressions
from scanning import Fresh, scan


def adopted(root: Path, name: str, content: str | bytes | Any, *, kind: str = "", **options: Any) -> Adopted:
    """What is taken over of a file of that name, for the repository at `root`; what is no text is written as JSON."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    chosen = ScanOptions(environment=dict(os.environ), now=utc(2027), **options)
    return adopt(name, text if isinstance(text, bytes) else text.encode(), os.fsencode(root), chosen, kind=kind)


def entry(value: bytes, reason: str, seen: str) -> Suppression:
    """The entry for a secret."""
    return Suppression(reason, fingerprint=Secret(value).fingerprint(), seen=seen)


# --- by place: gitleaks -----------------------------------------------------------------------------------------------


def test_a_place_in_a_commit_is_read_there(repo: GitRepository, fresh: Fresh) -> None:
    """Whatever became of the file; its path may hold colons."""
    old, new = fresh(), fresh()
    first = repo.commit({"src/a:b.py": b"\n\ntoken = '%b'\n" % old})
    repo.commit({"src/a:b.py": b"\n\ntoken = '%b'\n" % new})
    repo.remove("src/a:b.py")
    assert adopted(repo.path, ".gitleaksignore", f"{first.id}:src/a:b.py:github-pat:3\n") == Adopted(
        (entry(old, "imported from .gitleaksignore: rule github-pat", "src/a:b.py (github-pat)"),), ()
    )


def test_a_place_without_a_commit_is_read_in_the_work_tree(repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
    """By its path as the other scanner was given it: from the root, from where it stood, or whole."""
    repo.write({"src/a.py": b"token = '%b'\n" % fresh()})
    lines = ("src/a.py", "./src//a.py", "repo/src/a.py", str(repo.path / "src/a.py"), r"src\a.py")
    expected = entry(fresh.drawn[0], "imported from .gitleaksignore: rule github-pat", "src/a.py (github-pat)")
    for line in lines:
        assert adopted(repo.path, ".gitleaksignore", f"{line}:github-pat:1") == Adopted((expected,), ()), line


def test_of_a_bare_repository_the_head_is_read(repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
    """It has no work tree."""
    repo.commit({"a.py": b"token = '%b'\n" % fresh()})
    repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    expected = entry(fresh.drawn[0], "imported from .gitleaksignore: rule github-pat", "a.py (github-pat)")
    assert adopted(tmp_path / "bare", ".gitleaksignore", "a.py:github-pat:1") == Adopted((expected,), ())


def test_a_folder_that_is_no_repository_has_files_only(tmp_path: Path, fresh: Fresh) -> None:
    """A commit cannot be looked up in it."""
    (tmp_path / "a.py").write_bytes(b"token = '%b'\n" % fresh())
    commit = "0" * 40
    assert adopted(tmp_path, ".gitleaksignore", f"a.py:github-pat:1\n{commit}:a.py:github-pat:1\n") == Adopted(
        (entry(fresh.drawn[0], "imported from .gitleaksignore: rule github-pat", "a.py (github-pat)"),),
        ((f"{commit}:a.py:github-pat:1", "this is no git repository: the commit cannot be looked up"),),
    )


def test_each_secret_is_accepted_once(repo: GitRepository, fresh: Fresh) -> None:
    """However many lines name it."""
    made = repo.commit({"a.py": b"token = '%b'\n" % fresh(), "b.py": b"token = '%b'\n" % fresh.drawn[0]})
    lines = f"{made.id}:a.py:github-pat:1\na.py:github-pat:1\nb.py:github-pat:1\n"
    expected = entry(fresh.drawn[0], "imported from .gitleaksignore: rule github-pat", "a.py (github-pat)")
    assert adopted(repo.path, ".gitleaksignore", lines) == Adopted((expected,), ())


def test_what_is_taken_over_does_not_show_in_the_next_scan(repo: GitRepository, fresh: Fresh) -> None:
    """And what is not still does."""
    made = repo.commit({"a.py": b"token = '%b'\n" % fresh(), "b.py": b"token = '%b'\n" % fresh()})
    taken = adopted(repo.path, ".gitleaksignore", f"{made.id}:a.py:github-pat:1")
    accepted = Suppressions(taken.entries, utc(2027).date())
    left = [one for one in scan(repo.path).findings if not accepted.of_secret(one.fingerprint)]
    assert [one.finding.secret.reveal() for one in left] == [fresh.drawn[1]]


LOOK = ": run `oakum scan`, and `oakum allow` what is meant"


def test_whatever_is_not_taken_over_is_listed_with_the_reason(repo: GitRepository, fresh: Fresh) -> None:
    """Each line in its own words."""
    made = repo.commit(
        {
            "a.py": b"# nothing\nexample = 'ghp_%b'\n#\n#\ntoken = '%b'\n" % (b"x" * 36, fresh()),
            "split.py": b"token = \\\n\n  '%b'\n" % fresh(),
            "folder/b.py": b"",
        }
    )
    os.symlink("a.py", repo.path / "link.py")
    os.symlink("/etc", repo.path / "etc")
    absent = "ab" * 20
    lines = {
        "a.py:github-pat:1": "nothing to suppress: oakum reports nothing at a.py:1",
        "a.py:github-pat:2": "oakum reports nothing there, but a secret at line 5" + LOOK,
        "a.py:github-pat:900": "nothing to suppress: oakum reports nothing at a.py:900",
        "a.py:slack-bot-token:5": "what stands there is another secret (github-pat)" + LOOK,
        "split.py:github-pat:1": "oakum reports nothing there, but a secret at line 3" + LOOK,
        "gone.py:github-pat:1": "there is no such file here",
        "folder:github-pat:1": "folder: not a regular file",
        "link.py:github-pat:2": "link.py: symbolic link, not followed",
        "etc/passwd:generic-api-key:1": "etc/passwd: stands behind a symbolic link",
        "../../etc/passwd:generic-api-key:1": "the path leads out of this repository: it is not read",
        "a/../../x:generic-api-key:1": "the path leads out of this repository: it is not read",
        "/etc/passwd:generic-api-key:1": "the path leads out of this repository: it is not read",
        f"{absent}:a.py:github-pat:2": "the commit is not in this repository",
        f"{made.id}:gone.py:github-pat:2": "there is no such file in that commit",
        f"{made.id}:folder:github-pat:2": "there is no such file in that commit",
        f"{made.id}:../a.py:github-pat:2": "the path leads out of this repository: it is not read",
        "neither one nor the other": "is not of the form that such a file has",
    }
    assert adopted(repo.path, ".gitleaksignore", "\n".join(lines)) == Adopted((), tuple(lines.items()))


# --- which of the secrets on a line -----------------------------------------------------------------------------------


def test_the_rule_says_which_secrets_of_a_line_are_meant(repo: GitRepository, fresh: Fresh) -> None:
    """All that are of its provider, as the other scanner passes over them all; of others none."""
    one, two, other = fresh(), fresh(), fresh("npm")
    repo.write({"a.json": b'{"a": "%b", "b": "%b", "c": "%b"}\n' % (one, two, other)})
    reason = "imported from .gitleaksignore: rule github-pat"
    assert adopted(repo.path, ".gitleaksignore", "a.json:github-pat:1") == Adopted(
        (entry(one, reason, "a.json (github-pat)"), entry(two, reason, "a.json (github-pat)")), ()
    )


def test_a_rule_that_names_no_provider_means_the_only_secret_of_a_line(repo: GitRepository, fresh: Fresh) -> None:
    """Of several it says nothing."""
    one, two = fresh(), fresh("npm")
    repo.write({"a.json": b'{"a": "%b",\n "b": "%b", "c": "%b"}\n' % (one, one, two)})
    for rule in ("our-own-rule", "generic-api-key"):
        expected = entry(one, f"imported from .gitleaksignore: rule {rule}", "a.json (github-pat)")
        several = f"2 secrets stand there, and the rule does not say which is meant{LOOK}"
        assert adopted(repo.path, ".gitleaksignore", f"a.json:{rule}:1\na.json:{rule}:2") == Adopted(
            (expected,), ((f"a.json:{rule}:2", several),)
        )


def test_a_rule_for_a_provider_may_mean_what_is_generic_here(repo: GitRepository, fresh: Fresh) -> None:
    """oakum does not know every provider's format."""
    value = fresh("alnum:40")
    repo.write({"a.py": b'api_key = "%b"\n' % value})
    expected = entry(value, "imported from .gitleaksignore: rule fastly-api-token", "a.py (generic-secret)")
    assert adopted(repo.path, ".gitleaksignore", "a.py:fastly-api-token:1") == Adopted((expected,), ())


def test_a_secret_of_many_lines_stands_on_each_of_them(repo: GitRepository, fresh: Fresh) -> None:
    """Whichever is named."""
    key = fresh("openssh_key")
    repo.write({"key": b"#\n" + key + b"\n"})
    expected = entry(key, "imported from .gitleaksignore: rule private-key", "key (privatekey-openssh)")
    for line in (2, 4):
        assert adopted(repo.path, ".gitleaksignore", f"key:private-key:{line}") == Adopted((expected,), ())


def test_what_a_scan_would_leave_out_needs_no_entry(repo: GitRepository, fresh: Fresh) -> None:
    """By a marker on the line, or in a lock file; and what the scan is told about markers holds here."""
    repo.write(
        {
            "a.py": b"token = '%b'  # oakum:allow\n" % fresh(),
            "yarn.lock": b'api_key = "%b"\n' % fresh("alnum:40"),
        }
    )
    lines = "a.py:github-pat:1\nyarn.lock:generic-api-key:1\n"
    nothing = "nothing to suppress: oakum reports nothing at"
    lock = ("yarn.lock:generic-api-key:1", f"{nothing} yarn.lock:1")
    assert adopted(repo.path, ".gitleaksignore", lines) == Adopted(
        (), (("a.py:github-pat:1", f"{nothing} a.py:1"), lock)
    )
    expected = entry(fresh.drawn[0], "imported from .gitleaksignore: rule github-pat", "a.py (github-pat)")
    assert adopted(repo.path, ".gitleaksignore", lines, markers=False) == Adopted((expected,), (lock,))


# --- by value ---------------------------------------------------------------------------------------------------------


def test_a_digest_of_betterleaks_is_looked_for_everywhere(repo: GitRepository, fresh: Fresh) -> None:
    """In all of history, as it names no place."""
    repo.commit({"a.py": b"token = '%b'\n" % fresh()})
    repo.remove("a.py")
    digest, absent = hashlib.sha256(fresh.drawn[0]).hexdigest(), "0" * 64
    assert adopted(repo.path, ".betterleaksignore", f"{digest}\n{absent}\n") == Adopted(
        (entry(fresh.drawn[0], "imported from .betterleaksignore: SHA-256 of the value", "a.py (github-pat)"),),
        ((absent, "nothing to suppress: oakum reports nothing with this value"),),
    )


def test_a_report_of_gitleaks_names_the_value(repo: GitRepository, fresh: Fresh) -> None:
    """So that it is found though its match begins on another line; and without its commit it is told by itself."""
    made = repo.commit({"a.py": b"token = \\\n\n '%b', '%b'\n" % (fresh(), fresh())})
    one, two = fresh.drawn
    finding = {"RuleID": "generic-api-key", "File": "a.py", "StartLine": 1, "Commit": made.id, "Secret": two.decode()}
    lost = finding | {"Commit": "0" * 40, "Secret": one.decode()}
    other = finding | {"Secret": "what is not there"}
    reason = "imported from base.json: rule generic-api-key"
    assert adopted(repo.path, "base.json", [finding, lost, other, lost | {"Secret": "REDACTED"}]) == Adopted(
        (entry(two, reason, "a.py (github-pat)"), entry(one, reason, "a.py")),
        (
            ("finding 3: generic-api-key at a.py:1", "nothing to suppress: oakum reports nothing at a.py:1"),
            ("finding 4: generic-api-key at a.py:1", "the commit is not in this repository"),
        ),
    )


def test_a_report_of_trufflehog_names_the_value(repo: GitRepository, fresh: Fresh) -> None:
    """Or the value together with what it belongs to; what was live is not accepted."""
    id_, secret = fresh("aws_access_key_id"), fresh("aws_secret_key")
    made = repo.commit({"a.env": b"aws_access_key_id = %b\naws_secret_access_key = %b\n" % (id_, secret)})
    place = {"Git": {"commit": made.id, "file": "a.env", "line": 1}}
    found = {"SourceMetadata": {"Data": place}, "DetectorName": "AWS", "Raw": id_.decode(), "Verified": False}
    both = found | {"RawV2": (id_ + secret).decode()}
    elsewhere = {"SourceMetadata": {"Data": {"S3": {"bucket": "b", "file": ""}}}, "DetectorName": "Github"}
    elsewhere |= {"Raw": fresh().decode()}
    assert adopted(repo.path, "found.jsonl", [both, both | {"Verified": True}, elsewhere]) == Adopted(
        (
            entry(secret, "imported from found.jsonl: detector AWS", "a.env (aws-access-key-pair)"),
            entry(fresh.drawn[2], "imported from found.jsonl: detector Github", ""),
        ),
        (
            (
                "AWS at a.env:1",
                "verified as live: a real secret is not accepted on another's word: rotate it, or accept it yourself "
                "with `oakum allow`",
            ),
        ),
    )


def sha1(value: bytes) -> str:
    return hashlib.sha1(value).hexdigest()


def baseline(**results: list[tuple[str, int, bytes]]) -> dict[str, Any]:
    """A baseline of detect-secrets: of each file (type, line, value as the plugin cuts it out)."""
    return {
        "version": "1.5.0",
        "results": {
            name.replace("_", "."): [
                {"type": kind, "line_number": line, "hashed_secret": sha1(value), "is_verified": False}
                for kind, line, value in found
            ]
            for name, found in results.items()
        },
    }


def test_a_value_of_detect_secrets_is_known_wherever_it_stands_in_the_file(repo: GitRepository, fresh: Fresh) -> None:
    """By its SHA-1, with what the plugin takes for a part of it; the line counts for nothing."""
    one, two = fresh(), fresh("alnum:40")
    repo.write({"a.py": b"#\n#\ntoken = '%b'\napi_key=\"%b\"\n" % (one, two)})
    reason = "imported from .secrets.baseline: Secret Keyword, not audited"
    found = [("Secret Keyword", 900, one), ("Secret Keyword", 1, b'api_key="' + two + b'"')]
    assert adopted(repo.path, ".secrets.baseline", baseline(a_py=found)) == Adopted(
        (entry(one, reason, "a.py (github-pat)"), entry(two, reason, "a.py (generic-secret)")), ()
    )


def test_where_detect_secrets_keeps_a_beginning_the_line_counts(repo: GitRepository, fresh: Fresh) -> None:
    """Of a GitHub token it hashes the prefix, of a private key the first line."""
    token, key = fresh(), fresh("openssh_key")
    repo.write({"a.py": b"#\ntoken = '%b'\n" % token, "key": key + b"\n"})
    found = baseline(
        a_py=[("GitHub Token", 2, b"ghp"), ("GitHub Token", 1, b"ghp")],
        key=[("Private Key", 1, b"BEGIN OPENSSH PRIVATE KEY")],
    )
    reason = "imported from .secrets.baseline: {}, not audited (by its line)"
    assert adopted(repo.path, ".secrets.baseline", found) == Adopted(
        (
            entry(token, reason.format("GitHub Token"), "a.py (github-pat)"),
            entry(key, reason.format("Private Key"), "key (privatekey-openssh)"),
        ),
        (("a.py:1 (GitHub Token)", f"oakum reports nothing there, but a secret at line 2{LOOK}"),),
    )


def test_a_value_that_came_in_the_place_of_the_one_in_the_baseline_is_not_accepted(
    repo: GitRepository, fresh: Fresh
) -> None:
    """detect-secrets would report it as new."""
    repo.write({"a.py": b"token = '%b'\n" % fresh()})
    why = f"what stands there now is not what the baseline holds, or is cut in another way{LOOK}"
    found = baseline(a_py=[("Secret Keyword", 1, fresh())])
    assert adopted(repo.path, ".secrets.baseline", found) == Adopted((), (("a.py:1 (Secret Keyword)", why),))


# --- kingfisher -------------------------------------------------------------------------------------------------------


def test_of_a_baseline_for_many_repositories_this_one_counts(repo: GitRepository, fresh: Fresh) -> None:
    """It is told by the last name of the others' id."""
    repo.write({"a.py": b"token = '%b'\n" % fresh()})
    finding = "  - {path: a.py, rule_id: kingfisher.github.1, line: 1, fingerprint: '1'}"
    ours = f"- id: git://git.test/team/repo\n  findings:\n{finding}\n"
    expected = entry(fresh.drawn[0], "imported from base.yml: rule kingfisher.github.1", "a.py (github-pat)")
    head = "version: 2\nfingerprint_algorithm: kingfisher-v1\nrepositories:\n"
    says = "a.py:1 (kingfisher.github.1)"
    assert adopted(repo.path, "base.yml", head + ours) == Adopted((expected,), ())
    assert adopted(repo.path, "base.yml", head + ours.replace("repo", "other")) == Adopted((expected,), ())
    assert adopted(repo.path, "base.yml", head + ours.replace("repo", "other") + ours) == Adopted(
        (expected,), ((says, "is in another repository: git://git.test/team/other"),)
    )


# --- paths and rules --------------------------------------------------------------------------------------------------


def test_paths_and_rules_become_entries_for_paths_and_detectors(repo: GitRepository) -> None:
    """Where a rule means several detectors, an entry for each; where it means none, that is said."""
    content = r"""
[extend]
disabledRules = ["jwt", "our-own-rule", "generic-api-key"]
[allowlist]
paths = ['^docs/']
[[rules]]
id = "github-app-token"
[[rules.allowlists]]
paths = ['\.md$']
"""
    reason = "imported from .gitleaks.toml"
    app = f"{reason}: rule github-app-token: allowlists 1"
    assert adopted(repo.path, ".gitleaks.toml", content) == Adopted(
        (
            Suppression(f"{reason}: allowlist 1", path="docs/**"),
            Suppression(app, path="*.md", detector="github-user-to-server-token"),
            Suppression(app, path="*.md", detector="github-server-to-server-token"),
            Suppression(f"{reason}: rule jwt is disabled", detector="jwt"),
        ),
        tuple(
            (
                f"disabledRules: {rule}",
                f"no detector is surely the same as the rule {rule}: see `oakum detectors list`, and write an entry of "
                "your own",
            )
            for rule in ("our-own-rule", "generic-api-key")
        ),
    )


# --- hostile files and large ones -------------------------------------------------------------------------------------


def test_a_damaged_file_is_an_error(repo: GitRepository) -> None:
    """Before anything is searched."""
    with pytest.raises(ForeignError, match="is not valid JSON"):
        adopted(repo.path, ".secrets.baseline", b"{")


def test_nothing_outside_of_the_repository_is_read(repo: GitRepository, fresh: Fresh, tmp_path: Path) -> None:
    """Whatever path is written, in whatever form of file."""
    (tmp_path / "outside.py").write_bytes(b"token = '%b'\n" % fresh())
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.py").write_bytes(b"token = '%b'\n" % fresh.drawn[0])
    os.symlink(tmp_path / "outside", repo.path / "linked")
    os.symlink(tmp_path / "outside.py", repo.path / "link.py")
    paths = [
        "../outside.py",
        r"..\outside.py",
        str(tmp_path / "outside.py"),
        "linked/a.py",
        "link.py",
        "a\nb",
        "a\0b",
        ".",
        "",
        "é",
    ]
    finding = {"RuleID": "github-pat", "StartLine": 1, "Secret": "REDACTED"}
    reports = [finding | {"File": path} for path in paths]
    kingfisher = {"ExactFindings": {"matches": [{"filepath": path, "linenum": 1} for path in paths]}}
    results = {path: [{"type": "x", "hashed_secret": sha1(fresh.drawn[0]), "line_number": 1}] for path in paths}
    reports += [finding | {"File": "a.py", "Commit": commit} for commit in ("\ud800", "HEAD", "a\nb", "-", "main")]
    for name, content in (("a.json", reports), ("a.yml", kingfisher), (".secrets.baseline", {"results": results})):
        taken = adopted(repo.path, name, content, kind="kingfisher" if name == "a.yml" else "")
        assert taken.entries == ()
        assert len(taken.unmapped) == len(reports if content is reports else paths)


def test_a_fifo_does_not_hang_it(repo: GitRepository) -> None:
    """It is no file."""
    os.mkfifo(repo.path / "pipe")
    assert adopted(repo.path, ".gitleaksignore", "pipe:jwt:1").unmapped == (("pipe:jwt:1", "pipe: not a regular file"),)


@pytest.mark.long
def test_each_version_of_a_file_is_searched_once(
    repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many lines of it are named, in however many commits."""
    made = repo.commit({"a.py": b"token = '%b'\n" % fresh()})
    same = repo.commit({"b.py": b"token = '%b'\n" % fresh.drawn[0]})
    searched: list[int] = []
    search = Searcher.search

    def counted(self: Searcher, unit: Any, *more: Any) -> Any:
        searched.append(unit.size())
        return search(self, unit, *more)

    monkeypatch.setattr(Searcher, "search", counted)
    lines = [
        f"{c.id}:{name}:github-pat:{n}" for c in (made, same) for name in ("a.py", "b.py") for n in range(1, 20_001)
    ]
    taken = adopted(repo.path, ".gitleaksignore", "\n".join(lines))
    assert searched == [1]
    assert len(taken.entries) == 1
    assert len(taken.unmapped) == len(lines) - 3
