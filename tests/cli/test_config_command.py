"""`oakum config`, and what configuration files do to `oakum scan`."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner import cli
from oakum.scanner.config import NAME, load
from oakum.scanner.config.schema import schema
from oakum.scanner.model import Secret
from scanning import Fresh

Said = pytest.CaptureFixture[str]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own configuration file, which is not there yet."""
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "config"))
    (tmp_path / "config" / "oakum").mkdir(parents=True)
    return tmp_path / "config" / "oakum" / "config.toml"


@pytest.fixture
def leaky(repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository to stand in, with a secret in a test."""
    repo.commit({"tests/app.cfg": b"token = " + fresh() + b"\n"})
    monkeypatch.chdir(repo.path)
    return repo.path


def scan(capfd: Said, *arguments: str, code: int) -> dict[str, int]:
    """What was suppressed."""
    assert cli.run(["scan", *arguments, "--format", "json"]) == code
    suppressed: dict[str, int] = json.loads(capfd.readouterr().out)["summary"]["suppressed"]
    return suppressed


def refusal(capfd: Said, *arguments: str) -> str:
    """What is said to wrong usage."""
    assert cli.run(list(arguments)) == 2
    said = capfd.readouterr()
    assert said.out == ""
    return said.err.removeprefix("oakum: ")


# --- show and schema ------------------------------------------------------------------------------------------------


def test_show(leaky: Path, user: Path, capfd: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in force where one stands, each line with the file that it comes from."""
    user.write_text('detectors = ["mine.toml"]\n[push]\nbudget = "2m"\n')
    entry = f'[[allow]]\nfingerprint = "{"a" * 26}"\nreason = "made up"\nexpires = 2030-12-31\n'
    (leaky / NAME).write_text(f'min-band = "high"\n\n{entry}')
    monkeypatch.chdir("tests")
    assert cli.run(["config", "show"]) == 0
    assert capfd.readouterr().out == (
        f'min-band = "high"  # {leaky / NAME}\n'
        'max-size = "64M"  # default\n'
        f'detectors = ["{user.with_name("mine.toml")}"]  # {user}\n'
        "markers = true  # default\n"
        "\n[push]\n"
        'min-band = "medium"  # default\n'
        f'budget = "2m"  # {user}\n'
        'on-incomplete = "warn"  # default\n'
        f"\n{entry.replace(']]', f']]  # {leaky / NAME}')}"
    )


def test_what_is_shown_says_what_is_in_force(leaky: Path, user: Path, capfd: Said) -> None:
    """Read as the user's own file it gives the same again, whatever names and texts hold."""
    reason = 'a "test"\\n\u202e\x7f key'
    text = '[[allow]]\npath = "é/**"\ndetector = "a-key"\nreason = ' + json.dumps(reason).replace("\x7f", "\\u007f")
    user.write_text(f"markers = false\n{text}", "utf-8")
    for target in ((), ("tests",), (".", "--config", str(user.with_name("ci.toml")))):
        user.with_name("ci.toml").write_text('max-size = "1k"')
        assert cli.run(["config", "show", *target]) == 0
        shown = capfd.readouterr().out
        assert {c for c in shown if not c.isprintable()} == {"\n"}
        before = load(str(user.parent), b"", target[-1] if len(target) > 1 else "")
        other = user.parent.parent / "other"
        other.mkdir(exist_ok=True)
        (other / "config.toml").write_text(shown, "utf-8")
        after = load(str(other))
        assert replace(after, allow=()) == replace(before, allow=())
        assert [entry.reason for entry in after.allow] == [entry.reason for entry in before.allow] == [reason]
        assert tomllib.loads(shown)["markers"] is False


def test_show_of_what_has_none(leaky: Path, capfd: Said) -> None:
    """A file, or nothing at all."""
    why = "is no folder: only a repository or a folder has a configuration of its own\n"
    assert refusal(capfd, "config", "show", "tests/app.cfg") == f"tests/app.cfg: {why}"
    assert refusal(capfd, "config", "show", "--config", "nosuch").startswith("nosuch: there is no such file")


def test_schema(capfd: Said) -> None:
    """The one that the reader goes by."""
    assert cli.run(["config", "schema"]) == 0
    assert json.loads(capfd.readouterr().out) == schema()


# --- what a scan makes of it ----------------------------------------------------------------------------------------


def test_a_targets_own_file(leaky: Path, capfd: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its root, wherever one stands; --no-config does not obey it."""
    (leaky / NAME).write_text('[[allow]]\npath = "tests/**"\nreason = "x"\n')
    assert scan(capfd, code=0) == {"accepted path": 1}
    assert scan(capfd, "--no-config", code=1) == {}
    monkeypatch.chdir("..")
    assert scan(capfd, "repo", code=0) == {"accepted path": 1}
    assert scan(capfd, "repo", "--range", "HEAD~1..HEAD", code=0) == {"accepted path": 1}
    assert scan(capfd, "repo/tests/app.cfg", code=1) == {}


def test_the_users_own_file(leaky: Path, user: Path, fresh: Fresh, capfd: Said) -> None:
    """For every target, whatever it is."""
    user.write_text(f'[[allow]]\nfingerprint = "{Secret(fresh.drawn[0]).fingerprint()}"\nreason = "x"\n')
    for target in (".", "tests", "tests/app.cfg"):
        assert scan(capfd, target, code=0) == {"accepted": 1}
        assert scan(capfd, target, "--no-config", code=1) == {}


def test_a_file_that_is_named(leaky: Path, tmp_path: Path, capfd: Said) -> None:
    """In place of the target's, for every target."""
    (leaky / NAME).write_text('min-band = "critical"\n[[allow]]\npath = "other"\nreason = "x"\n')
    (tmp_path / "ci.toml").write_text('[[allow]]\npath = "app.cfg"\nreason = "x"\n')
    assert scan(capfd, "--config", str(tmp_path / "ci.toml"), code=0) == {"accepted path": 1}
    assert scan(capfd, "tests/app.cfg", "--config", str(tmp_path / "ci.toml"), code=0) == {"accepted path": 1}


def test_each_target_goes_by_its_own_file(leaky: Path, tmp_path: Path, fresh: Fresh, capfd: Said) -> None:
    """A secret that one of two accepts is told of the other."""
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "app.cfg").write_bytes(fresh.drawn[0] + b"\n")
    (tmp_path / "two" / NAME).write_text('[[allow]]\npath = "app.cfg"\nreason = "x"\n')
    assert cli.run(["scan", ".", "../two", "--format", "jsonl"]) == 1
    places = json.loads(capfd.readouterr().out)["occurrences"]
    assert [place["origin"]["target"] for place in places] == ["."]


def test_flags_go_before_files(leaky: Path, user: Path, capfd: Said) -> None:
    """And what is not there has its default."""
    user.write_text('min-band = "critical"\nmax-size = "4"\nmarkers = false\n')
    (leaky / "marked").write_bytes(b"token = " + Fresh("marked")() + b"  # oakum:allow\n")
    assert scan(capfd, code=0) == {}
    assert scan(capfd, "--max-size", "1M", code=1) == {}
    assert scan(capfd, "--min-band", "low", "--no-history", code=0) == {}
    user.write_text("")
    assert scan(capfd, "marked", code=0) == {"marker": 1}
    user.write_text("markers = false\n")
    assert scan(capfd, "marked", code=1) == {}


def test_detectors_of_the_user(leaky: Path, user: Path, capfd: Said) -> None:
    """Beside his configuration; those of --detectors come to them."""
    text = """
        [[detector]]
        id = "acme-{}"
        name = "Acme {}"
        kind = "token"
        severity = "high"
        pattern = '(?P<secret>acme_{}_[a-z0-9]{{20}})(?![a-z0-9])'
        keywords = ["acme_{}_"]
        examples = ["{{secret}}"]
    """
    for name, file in (("one", user.with_name("one.toml")), ("two", leaky / "two.toml")):
        file.write_text(text.replace("{}", name).replace("{{", "{").replace("}}", "}"))
    (leaky / "acme").write_text("acme_one_k3j5h2g4f6d7s8a9q1w2\nacme_two_z9x8c7v6b5n4m3l2k1j0\n")
    user.write_text('detectors = ["one.toml"]\n')
    for arguments, found in (((), ["acme-one"]), (("--detectors", "two.toml"), ["acme-one", "acme-two"])):
        assert cli.run(["scan", "acme", "--format", "jsonl", *arguments]) == 1
        lines = capfd.readouterr().out.splitlines()
        assert sorted(json.loads(line)["detector"] for line in lines) == found


def test_a_file_with_a_mistake_ends_the_scan(leaky: Path, user: Path, capfd: Said) -> None:
    """Before anything is searched: what it would have suppressed would be reported."""
    (leaky / NAME).write_text("markers = false\n")
    why = "only the user's own configuration may set this: a target may only suppress"
    assert refusal(capfd, "scan") == f"{NAME}: markers: {why} (--no-config scans without it)\n"
    assert scan(capfd, "--no-config", code=1) == {}
    (leaky / NAME).unlink()
    user.write_text("x")
    assert refusal(capfd, "scan").startswith(f"{user}: is not valid TOML: ")
    assert refusal(capfd, "scan", "--config", "x", "--no-config") == "--config and --no-config exclude each other\n"


# --- a baseline -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["json", "jsonl", "sarif"])
def test_a_baseline(leaky: Path, capfd: Said, format_: str, tmp_path: Path) -> None:
    """What stands in the report is known, and counted; what came since is not."""
    report = str(tmp_path / "report")
    assert cli.run(["scan", "--format", format_, "--output", report]) == 1
    capfd.readouterr()
    assert scan(capfd, "--baseline", report, code=0) == {"baseline": 1}
    (leaky / "new").write_bytes(Fresh("new")() + b"\n")
    assert scan(capfd, "--baseline", report, code=1) == {"baseline": 1}


def test_what_is_no_baseline(leaky: Path, capfd: Said) -> None:
    """Said before the scan, with how to make one."""
    how = "; `oakum scan --format json --output FILE` writes one\n"
    assert refusal(capfd, "scan", "--baseline", "nosuch") == f"--baseline nosuch: No such file or directory{how}"
    (leaky / "text").write_text("0 findings\n")
    said = refusal(capfd, "scan", "--baseline", "text")
    assert said.startswith("--baseline text: not a report of oakum (")
    assert said.endswith(how)
