"""A former report checked again: values are read where they stood, in the targets and nowhere else, and asked anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from git_repository import GitRepository, utc
from loopback_github import GitHub, github
from oakum.scanner.model import Secret, Verdict
from oakum.scanner.pipeline.options import ScanOptions
from oakum.scanner.pipeline.places import Places
from oakum.scanner.pipeline.recheck import recheck
from oakum.scanner.rechecked import RecheckResult
from oakum.scanner.report import FORMATS, ReportOptions
from oakum.scanner.report.former import read
from oakum.scanner.verify import Named, VerifyOptions
from scanning import Fresh, lost, scan


@pytest.fixture
def provider() -> Iterator[GitHub]:
    with github() as server:
        yield server


def asking(provider: GitHub, **options: Any) -> VerifyOptions:
    """How to ask it."""
    return VerifyOptions(now=utc(2027), named=Named.read([provider.host]), fresh=True, **options)


def report(*targets: Path, provider: GitHub | None = None, form: str = "json") -> Any:
    """A report of these targets, as its text; of JSON the document."""
    result = scan(*targets, verify=asking(provider) if provider else None)
    text = "".join(FORMATS[form].render(result, ReportOptions(version="0")))
    return json.loads(text) if form == "json" else text


def checked(made: Any, provider: GitHub, *targets: Path, only: str = "", **options: Any) -> RecheckResult:
    """A report checked again, in these targets or its own."""
    text = made if isinstance(made, str) else json.dumps(made)
    asked = asking(provider, only=frozenset(filter(None, [only])))
    chosen = ScanOptions(environment=dict(os.environ), now=utc(2027), verify=asked, **options)
    return recheck("report", read(text.encode()), [os.fsencode(one) for one in targets], chosen)


def outcomes(result: RecheckResult) -> dict[bytes, str]:
    """What came of each secret."""
    return {one.finding.secret.reveal(): result.outcome(one) for one in result.scan.findings}


def unread(result: RecheckResult) -> dict[str, str]:
    """Why a finding could not be checked again, by its fingerprint."""
    return {what.partition(b" ")[0].decode(): why for what, why in lost(result.scan)}


def name_of(secret: bytes) -> str:
    return Secret(secret).fingerprint()


# --- outcomes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "jsonl", "sarif"])
@pytest.mark.long
def test_what_became_of_each(tmp_path: Path, fresh: Fresh, provider: GitHub, form: str) -> None:
    """Revoked since, live as before, live now, dead as before; what counts most comes first. All formats suffice."""
    one, two, three, four = fresh(), fresh(), fresh(), fresh()
    (tmp_path / "a.py").write_bytes(b"a='%b'\nb='%b'\nc='%b'\nd='%b'\n" % (one, two, three, four))
    provider.live = {one, two}
    made = report(tmp_path, provider=provider, form=form)
    provider.live = {two, three}
    provider.asked.clear()
    result = checked(made, provider, tmp_path)
    assert list(outcomes(result).items())[:3] == [
        (three, "newly live"),
        (two, "still live"),
        (one, "revoked since"),
    ]
    assert outcomes(result)[four] == "dead"
    assert result.scan.complete
    assert result.scan.coverage.asked == (("live", 2), ("dead", 2), ("unknown", 0))
    assert set(provider.asked) >= {one, two, three, four}


def test_what_is_not_known_has_its_reason(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """Of what nobody can be asked about, too."""
    (tmp_path / "a.py").write_bytes(b"password = '%b'\n" % fresh("password:20"))
    result = checked(report(tmp_path), provider)
    assert list(outcomes(result).values()) == ["unknown"]
    assert "no request is known" in result.scan.findings[0].finding.verdict.reason


def test_a_report_of_it_can_be_checked_again(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """The verdicts of then are those of the last time."""
    from oakum.scanner.report.recheck import render_json

    (tmp_path / "a.py").write_bytes(b"a='%b'\n" % fresh())
    first = checked(report(tmp_path), provider)
    provider.live = set(fresh.drawn)
    again = "".join(render_json(first, ReportOptions(version="0")))
    assert outcomes(checked(again, provider)) == {fresh.drawn[0]: "newly live"}
    assert first.was(first.scan.findings[0]) == Verdict("unknown", "not asked")


def test_only_those_that_are_chosen_are_read(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """By detector or provider; others do not count as not read."""
    (tmp_path / "a.py").write_bytes(b"a='%b'\n" % fresh())
    (tmp_path / "b.py").write_bytes(b"b='%b'\n" % fresh("npm"))
    made = report(tmp_path)
    (tmp_path / "b.py").unlink()
    assert outcomes(checked(made, provider, only="github")) == {fresh.drawn[0]: "dead"}
    assert checked(made, provider, only="github").scan.complete
    assert unread(checked(made, provider, only="npm")).keys() == {name_of(fresh.drawn[1])}


# --- where it is read -------------------------------------------------------------------------------------------------


def test_all_places_of_a_repository(repo: GitRepository, fresh: Fresh, provider: GitHub) -> None:
    """Blobs that no branch has, messages of commits and tags, notes, files that git does not know."""
    repo.commit({"old.py": b"a='%b'\n" % fresh()})
    repo.remove("old.py")
    repo.commit(message="use " + fresh().decode())
    repo.git("tag", "-a", "v1", "-m", "with " + fresh().decode())
    repo.git("notes", "add", "-m", "note " + fresh().decode())
    repo.write({"new.py": b"b='%b'\n" % fresh()})
    made = report(repo.path)
    assert {o["origin"]["type"] for f in made["findings"] for o in f["occurrences"]} == {"git", "git-message", "file"}
    result = checked(made, provider)
    assert outcomes(result) == dict.fromkeys(fresh.drawn, "dead")
    assert result.scan.complete
    before = {f["fingerprint"]: [o["origin"] for o in f["occurrences"]] for f in made["findings"]}
    again = json.loads("".join(FORMATS["json"].render(result.scan, ReportOptions(version="0"))))
    assert {f["fingerprint"]: [o["origin"] for o in f["occurrences"]] for f in again["findings"]} == before


def test_nothing_but_its_places_is_read(
    repo: GitRepository, fresh: Fresh, provider: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No new scan."""
    repo.commit({"a.py": b"a='%b'\n" % fresh()})
    made = report(repo.path)
    repo.commit({"other.py": b"b='%b'\n" % fresh()})
    result = checked(made, provider)
    assert result.scan.coverage.counts == (("git blobs", 1),)
    assert outcomes(result) == {fresh.drawn[0]: "dead"}
    assert fresh.drawn[1] not in provider.asked


def test_a_moved_folder(tmp_path: Path, fresh: Fresh, provider: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths begin with what the target was called then, whole or relative."""
    (tmp_path / "old/src").mkdir(parents=True)
    (tmp_path / "old/src/a.py").write_bytes(b"a='%b'\n" % fresh())
    monkeypatch.chdir(tmp_path)
    reports = [report(tmp_path / "old"), report(Path("old"))]
    monkeypatch.chdir(tmp_path / "old")
    reports.append(report(Path(".")))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").rename(tmp_path / "new")
    for made in reports:
        assert outcomes(checked(made, provider, tmp_path / "new")) == {fresh.drawn[0]: "dead"}
        gone = checked(made, provider, *([tmp_path] if made["summary"]["targets"] == ["."] else []))
        assert not gone.scan.complete
        assert gone.scan.findings == []


def test_several_targets(tmp_path: Path, repo: GitRepository, fresh: Fresh, provider: GitHub) -> None:
    """Each place in its own; a secret of both is one finding. A single file is a target, too."""
    repo.commit({"a.py": b"a='%b'\n" % fresh()})
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.py").write_bytes(b"a='%b'\nb='%b'\n" % (fresh.drawn[0], fresh()))
    (tmp_path / "one.txt").write_bytes(b"c='%b'\n" % fresh())
    repo.commit(message="use " + fresh().decode())
    made = report(repo.path, tmp_path / "more", tmp_path / "one.txt")
    result = checked(made, provider)
    assert outcomes(result) == dict.fromkeys(fresh.drawn, "dead")
    assert result.scan.complete
    shared = next(one for one in result.scan.findings if one.finding.secret.reveal() == fresh.drawn[0])
    assert {o.target for o in shared.finding.occurrences} == {str(repo.path), str(tmp_path / "more")}
    part = checked(made, provider, tmp_path / "one.txt")
    assert outcomes(part) == {fresh.drawn[2]: "dead"}
    assert unread(part).keys() == {name_of(fresh.drawn[place]) for place in (0, 1, 3)}


def test_a_value_that_changed_is_not_asked_about(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """Another one stands there now; a line that moved does not matter."""
    (tmp_path / "a.py").write_bytes(b"a='%b'\n" % fresh())
    (tmp_path / "b.py").write_bytes(b"b='%b'\n" % fresh())
    made = report(tmp_path)
    (tmp_path / "a.py").write_bytes(b"a='%b'\n" % fresh())
    (tmp_path / "b.py").write_bytes(b"\n" * 50 + b"key = '%b'  # oakum:allow\n" % fresh.drawn[1])
    result = checked(made, provider)
    assert outcomes(result) == {fresh.drawn[1]: "dead"}
    assert unread(result) == {name_of(fresh.drawn[0]): f"{tmp_path}/a.py: it does not stand there any more"}
    assert fresh.drawn[2] not in provider.asked


# --- what cannot be read again ----------------------------------------------------------------------------------------


def test_what_cannot_be_read_again_says_why(
    tmp_path: Path, repo: GitRepository, fresh: Fresh, provider: GitHub
) -> None:
    """Standard input, stores, listings, objects that are gone, files, targets."""
    repo.commit({"a.py": b"a='%b'\n" % fresh()})
    made = report(repo.path)
    finding = made["findings"][0]
    origins = {
        "standard input": {"type": "stdin"},
        "listing": {"type": "listing", "listing": "l", "container": "", "key": "k", "exposure": "public"},
        "store": {"type": "object", "store": "s3://a", "container": "a", "key": "k", "exposure": "public"},
        "does not know": {"type": "hologram"},
        "no such file": {"type": "file", "path": "gone.py"},
        "not in the repository": {"type": "git", "blob": "ab" * 20, "path": "a.py"},
        "message of commit abababababab": {"type": "git-message", "message": "commit", "target": "ab" * 20},
        "note on abababababab": {"type": "git-message", "message": "note", "target": "ab" * 20},
    }
    for said, origin in origins.items():
        result = checked(made | {"findings": [finding | {"occurrences": [{"origin": origin}]}]}, provider)
        assert said in unread(result)[finding["fingerprint"]], said
        assert not result.scan.complete
        assert result.scan.findings == []
    folder = checked(made, provider, tmp_path / "repo" / ".git" / "refs")
    assert "this is no git repository" in unread(folder)[finding["fingerprint"]]
    nowhere = checked(made | {"summary": {"targets": ["/no/such", "-", "https://acme.test/x"]}}, provider)
    whys = dict(lost(nowhere.scan))
    assert whys[b"/no/such"].startswith("the target cannot be read again: /no/such: there is no such file")
    assert "standard input" in whys[b"-"]
    assert "oakum does not fetch" in whys[b"https://acme.test/x"]
    assert provider.asked == []


def test_a_kind_that_is_another_is_not_taken(repo: GitRepository, fresh: Fresh, provider: GitHub) -> None:
    """A report may call a commit a blob."""
    made_commit = repo.commit(message="use " + fresh().decode())
    made = report(repo.path)
    origin = {"type": "git", "blob": made_commit.id, "path": "a.py"}
    made["findings"][0]["occurrences"] = [{"origin": origin}]
    assert "not in the repository" in unread(checked(made, provider))[name_of(fresh.drawn[0])]


def test_a_finding_without_a_fingerprint_is_counted(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """Its scan was stopped."""
    (tmp_path / "a.py").write_bytes(b"a='%b'\n" % fresh())
    made = report(tmp_path)
    made["findings"][0]["fingerprint"] = ""
    result = checked(made, provider)
    assert [(n.what, n.why, n.count) for n in result.scan.not_scanned] == [
        (b"a finding", "the report has no fingerprint of it, as that scan was stopped", 1)
    ]


def test_a_detector_of_the_users_own_is_named(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """Without it nothing is found."""
    (tmp_path / "a.py").write_bytes(b"nothing\n")
    finding = {"fingerprint": "a" * 26, "detector": "acme-token", "verdict": {"state": "live", "reason": ""}}
    finding["occurrences"] = [{"origin": {"type": "file", "path": "a.py"}}]
    result = checked({"schema": 1, "findings": [finding]}, provider, tmp_path)
    assert lost(result.scan) == [
        (
            b"a" * 26 + b" acme-token (was live)",
            "a.py: it does not stand there any more; and no detector acme-token is known here (--detectors FILE adds "
            "it)",
        )
    ]


# --- a report that lies -----------------------------------------------------------------------------------------------


def test_nothing_outside_of_the_target_is_read(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """By no path, and through no link."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.py").write_bytes(b"a='%b'\n" % fresh())
    made = report(tmp_path / "out")
    os.symlink("../out", tmp_path / "in/link")
    os.symlink("../out/a.py", tmp_path / "in/a.py")
    paths = ["../out/a.py", str(tmp_path / "out/a.py"), "link/a.py", "a.py", "x/../../out/a.py", "link/../../out/a.py"]
    for path in paths:
        finding = made["findings"][0] | {"occurrences": [{"origin": {"type": "file", "path": path}}]}
        lie = made | {"findings": [finding], "summary": {"targets": [str(tmp_path / "in")]}}
        for targets in ((), (tmp_path / "in",)):
            result = checked(lie, provider, *targets)
            assert result.scan.findings == [], path
            assert unread(result).keys() == {name_of(fresh.drawn[0])}
            assert result.scan.coverage.bytes == 0
    assert provider.asked == []


def test_what_a_report_says_of_a_secret_is_not_believed(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """Its detector, its facts, its hosts, its verdict: all is found out anew."""
    (tmp_path / "a.py").write_bytes(b"a='%b'\n" % fresh())
    made = report(tmp_path)
    honest = checked(made, provider)
    made["findings"][0] |= {
        "detector": "postgres-connection-string",
        "provider": "postgres",
        "kind": "connection-string",
        "facts": {"host": "evil.test", "user": "root"},
        "rotate": "https://evil.test",
        "verdict": {"state": "live", "reason": "\x1b[31mred", "asked": "evil.test", "facts": {"host": "evil.test"}},
    }
    result = checked(made, provider)
    of_both = ["".join(FORMATS["jsonl"].render(one.scan, ReportOptions())) for one in (result, honest)]
    assert of_both[0] == of_both[1]
    assert "evil" not in repr(result.scan)


def test_a_known_value_in_the_report_is_masked(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """In the verdict of then, in a path, in an author."""
    secret = fresh()
    (tmp_path / "a.py").write_bytes(b"a='%b'\n" % secret)
    made = report(tmp_path)
    made["findings"][0]["verdict"] = {"state": "live", "reason": f"user {secret.decode()}"}
    result = checked(made, provider)
    assert secret.decode() not in result.was(result.scan.findings[0]).reason


# --- stopped ----------------------------------------------------------------------------------------------------------


def test_stopped_while_it_reads(
    tmp_path: Path, fresh: Fresh, provider: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked; all of them are told."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/a.py").write_bytes(b"a='%b'\n" % fresh())
    (tmp_path / "b").mkdir()
    (tmp_path / "b/b.py").write_bytes(b"b='%b'\n" % fresh())
    made = report(tmp_path / "a", tmp_path / "b")
    search, count = Places.search, iter(range(9))

    def stopping(self: Places, *arguments: Any) -> None:
        if next(count):
            raise KeyboardInterrupt
        search(self, *arguments)

    monkeypatch.setattr(Places, "search", stopping)
    result = checked(made, provider)
    assert result.scan.interrupted
    assert [one.finding.verdict for one in result.scan.findings] == [Verdict("unknown", "stopped before it was asked")]
    assert unread(result) == {name_of(fresh.drawn[1]): "stopped before it was read"}
    assert provider.asked == []


def test_what_is_in_git_is_told_where_git_fails(
    repo: GitRepository, tmp_path: Path, fresh: Fresh, provider: GitHub
) -> None:
    """A damaged repository: its findings are not lost without a word."""
    repo.commit({"a.py": b"a='%b'\n" % fresh()})
    made = report(repo.path)
    blob = repo.object_path(repo.blob("HEAD:a.py"))
    blob.chmod(0o600)
    blob.write_bytes(b"damaged")
    assert name_of(fresh.drawn[0]) in unread(checked(made, provider))
    (repo.path / ".git/config").write_text("[core]\nrepositoryformatversion = 99\n")
    assert "git could not be used here" in unread(checked(made, provider))[name_of(fresh.drawn[0])]


def test_expired_secrets_are_dead_without_asking(tmp_path: Path, fresh: Fresh, provider: GitHub) -> None:
    """As in a scan; by the clock of today."""
    (tmp_path / "a.py").write_bytes(b"url = 'https://acme.blob.core.windows.net/c?%b'\n" % fresh("azure_sas:account"))
    made = report(tmp_path)
    text = json.dumps(made)
    late = ScanOptions(environment={}, now=utc(2090), verify=replace(asking(provider), now=utc(2090)))
    result = recheck("report", read(text.encode()), [], late)
    assert [one.finding.verdict.state for one in result.scan.findings] == ["dead"]
    assert result.scan.coverage.asked == (("live", 0), ("dead", 0), ("unknown", 0))
