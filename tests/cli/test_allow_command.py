"""`oakum allow`: what it takes, what it writes and where, what it says."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner import cli
from oakum.scanner.config import NAME
from oakum.scanner.model import Secret
from scanning import Fresh

NAMED = "a" * 26
TODAY = datetime.now(UTC).date()


@pytest.fixture
def here(repo: GitRepository, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A repository to stand in, whose file app.cfg has secrets in lines 1, 3 (two of them) and 5 (the first again)."""
    one, two, three = fresh(), fresh(), fresh()
    repo.write({"app.cfg": b"a = %b\n\nb = %b; c = %b\n\napi_secret = '%b'\n" % (one, two, three, one)})
    monkeypatch.chdir(repo.path)
    return repo


def allow(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What it says, on standard output if it ends well, else on standard error."""
    assert cli.run(["allow", *arguments]) == code
    said = capfd.readouterr()
    assert (said.err if code == 0 else said.out) == ""
    return (said.out if code == 0 else said.err).removeprefix("oakum: ")


def fingerprints(fresh: Fresh) -> list[str]:
    return [Secret(value).fingerprint() for value in fresh.drawn]


def entry(*lines: str) -> str:
    return "".join(f"{line}\n" for line in ("[[allow]]", *lines))


# --- by fingerprint -------------------------------------------------------------------------------------------------


def test_a_fingerprint(here: GitRepository, capfd: pytest.CaptureFixture[str]) -> None:
    """With all that was said of it, and nothing else, such as a name. A second time replaces the first."""
    day = f"{TODAY + timedelta(90)}"
    said = allow(capfd, NAMED, "--reason", "a test key", "--expires", day, "--by", "Ada")
    assert said == f"{NAME}: {NAMED} is accepted until {day}\n"
    written = entry(f'fingerprint = "{NAMED}"', 'reason = "a test key"', f"expires = {day}", 'by = "Ada"')
    assert (here.path / NAME).read_text("utf-8") == written
    said = allow(capfd, NAMED, "--reason", "it opens nothing")
    assert said == f"{NAME}: {NAMED} is accepted; its entry was there, and is replaced\n"
    written = entry(f'fingerprint = "{NAMED}"', 'reason = "it opens nothing"')
    assert (here.path / NAME).read_text("utf-8") == written


def test_what_is_accepted_is_reported_no_longer(
    here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]
) -> None:
    """The fingerprint is the one that a report shows."""
    assert cli.run(["scan", "--no-history"]) == 1
    shown = re.findall(r"^  id     (\w+)", capfd.readouterr().out, re.MULTILINE)
    assert set(shown) == set(fingerprints(fresh))
    for name in shown:
        allow(capfd, name, "--reason", "made up")
    assert cli.run(["scan", "--no-history"]) == 0
    assert "  suppressed   3 values: 3 accepted\n" in capfd.readouterr().out


# --- by a place -----------------------------------------------------------------------------------------------------


def test_a_line(here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]) -> None:
    """All that stands in it, told one by one; where it stood is written for readers, and the detector that names it."""
    one, two, three = fingerprints(fresh)
    seen = "app.cfg (github-pat)"
    assert allow(capfd, "app.cfg:5", "--reason", "x") == f"{NAME}: {one}, {seen} is accepted\n"
    said = allow(capfd, "app.cfg:3", "--reason", "y").splitlines()
    assert said == [f"{NAME}: {name}, {seen} is accepted" for name in (two, three)]
    blocks = {
        name: entry(f'fingerprint = "{name}"', f'reason = "{r}"', f'seen = "{seen}"')
        for name, r in ((one, "x"), (two, "y"), (three, "y"))
    }
    assert (here.path / NAME).read_text("utf-8") == "\n".join(blocks[name] for name in sorted(blocks))


def test_a_line_and_a_column(here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]) -> None:
    """As a report names a place: only what begins there."""
    _, _, three = fingerprints(fresh)
    column = (here.path / "app.cfg").read_bytes().splitlines()[2].index(fresh.drawn[2]) + 1
    assert (
        allow(capfd, f"app.cfg:3:{column}", "--reason", "x") == f"{NAME}: {three}, app.cfg (github-pat) is accepted\n"
    )
    said = allow(capfd, "app.cfg:3:2", "--reason", "x", code=2)
    assert said == "app.cfg: no secret that a scan reports stands at 3:2; some stand at 1, 3, 5\n"


def test_a_line_of_a_secret_of_several(here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]) -> None:
    """Each of them will do."""
    here.write({"key": b"\n" + fresh("openssh_key") + b"\n"})
    name = fingerprints(fresh)[-1]
    for line in ("2", "4"):
        assert allow(capfd, f"key:{line}", "--reason", "x").startswith(f"{NAME}: {name}, key (privatekey-openssh) is")


def test_a_line_without_a_secret(here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]) -> None:
    """The lines that have some are named, a few of them; what a scan leaves out does not count."""
    assert allow(capfd, "app.cfg:2", "--reason", "x", code=2) == (
        "app.cfg: no secret that a scan reports stands at 2; some stand at 1, 3, 5\n"
    )
    here.write({"many": b"".join(fresh() + b"\n" for _ in range(12)), "none": fresh() + b"  # oakum:allow\n"})
    assert allow(capfd, "many:13", "--reason", "x", code=2).endswith(
        "; some stand at 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …\n"
    )
    assert allow(capfd, "none:1", "--reason", "x", code=2) == (
        "none: no secret that a scan reports stands at 1; nor elsewhere in it\n"
    )
    assert not (here.path / NAME).exists()


def test_from_a_folder_inside(
    here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named from there, and written at the root; paths in it are from the root."""
    (here.path / "sub").mkdir()
    (here.path / "app.cfg").rename(here.path / "sub" / "app.cfg")
    monkeypatch.chdir(here.path / "sub")
    one, _, _ = fingerprints(fresh)
    said = allow(capfd, "app.cfg:1", "--reason", "x")
    assert said == f"{os.path.join('..', NAME)}: {one}, sub/app.cfg (github-pat) is accepted\n"
    assert os.listdir() == ["app.cfg"]


def test_outside_of_a_repository(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder itself."""
    monkeypatch.chdir(tmp_path)
    allow(capfd, NAMED, "--reason", "x")
    assert os.listdir() == [NAME]


# --- by path and detector -------------------------------------------------------------------------------------------


def test_paths_and_detectors(here: GitRepository, capfd: pytest.CaptureFixture[str]) -> None:
    """One of them, or both."""
    assert allow(capfd, "--path", "tests/**", "--reason", "x") == f"{NAME}: tests/** is accepted\n"
    assert allow(capfd, "--detector", "github-pat", "--reason", "x") == f"{NAME}: github-pat is accepted\n"
    said = allow(capfd, "--path", "*.md", "--detector", "github-pat", "--reason", "x", "--expires", "0d")
    assert said == f"{NAME}: *.md github-pat is accepted until {TODAY}\n"
    assert (here.path / NAME).read_text("utf-8") == "\n".join(
        [
            entry('detector = "github-pat"', 'reason = "x"'),
            entry('path = "*.md"', 'detector = "github-pat"', 'reason = "x"', f"expires = {TODAY}"),
            entry('path = "tests/**"', 'reason = "x"'),
        ]
    )


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reason", "x"], "name a FINGERPRINT, or a FILE:LINE, or --path or --detector or both of these"),
        ([NAMED, "--path", "x", "--reason", "x"], "name a FINGERPRINT, or a FILE:LINE, or --path or --detector"),
        ([NAMED], "--reason is needed: why is it accepted?"),
        ([NAMED, "--reason", " "], "' ' is not allowed: expected a text that is not empty"),
        ([NAMED[1:], "--reason", "x"], "is neither a fingerprint (26 characters of a to z and 2 to 7) nor FILE:LINE"),
        (["app.cfg", "--reason", "x"], "'app.cfg' is neither a fingerprint"),
        (["nosuch:1", "--reason", "x"], "nosuch: there is no such file or folder"),
        ([".git:1", "--reason", "x"], ".git: not a regular file"),
        (["--path", "../x", "--reason", "x"], "'../x' is not allowed: expected a path inside of the target"),
        (["--detector", "github-pad", "--reason", "x"], "no detector is called github-pad; did you mean github-pat?"),
        (["--detector", "zzz", "--reason", "x"], "no detector is called zzz; `oakum detectors list` names them all"),
        ([NAMED, "--reason", "x", "--expires", "2020-01-01"], "2020-01-01 is over already"),
        ([NAMED, "--reason", "x", "--expires", "99999999999d"], "is no date such as 2030-12-31, and no number of days"),
        ([NAMED, "--reason", "x", "--expires", "soon"], "'soon' is no date such as 2030-12-31"),
    ],
    ids=lambda given: " ".join(given)[:60] if isinstance(given, list) else "",
)  # fmt: skip
def test_wrong_usage(here: GitRepository, capfd: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    """2, with a message, and nothing is written."""
    assert said in allow(capfd, *arguments, code=2)
    assert not (here.path / NAME).exists()


def test_a_file_with_a_mistake_or_behind_a_link(
    here: GitRepository, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Is left as it is."""
    path = here.path / NAME
    path.write_text("min-band = 1\n")
    assert "min-band: 1 is not allowed" in allow(capfd, NAMED, "--reason", "x", code=2)
    assert path.read_text() == "min-band = 1\n"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "is a symbolic link, which is not followed" in allow(capfd, NAMED, "--reason", "x", code=2)


def test_what_is_written_is_no_secret_to_a_scan(
    here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]
) -> None:
    """However many fingerprints there are."""
    (here.path / "app.cfg").unlink()
    for _ in range(60):
        fresh()
    for number, name in enumerate(fingerprints(fresh)):
        allow(capfd, name, "--reason", f"token {number} of the test server", "--by", "Ada Lovelace")
    assert cli.run(["scan"]) == 0


# --- from another scanner -------------------------------------------------------------------------------------------


def test_an_import_says_what_it_took_over_and_what_not(
    here: GitRepository, fresh: Fresh, capfd: pytest.CaptureFixture[str]
) -> None:
    """All of it is on the page; the reason is the file's, unless one is given."""
    commit = here.commit().id
    (here.path / ".gitleaksignore").write_text(f"{commit}:app.cfg:github-pat:1\n# told\ngone.py:rule:3\n")
    assert cli.run(["allow", "--import", ".gitleaksignore"]) == 0
    said = capfd.readouterr()
    named = fingerprints(fresh)[0]
    assert said.out == (
        f"{NAME}: {named}, app.cfg (github-pat) is accepted\n"
        "not taken over: gone.py:rule:3: there is no such file here\n"
    )
    assert said.err == "1 taken over from .gitleaksignore, 1 not\n"
    assert (here.path / NAME).read_text("utf-8") == entry(
        f'fingerprint = "{named}"',
        'reason = "imported from .gitleaksignore: rule github-pat"',
        'seen = "app.cfg (github-pat)"',
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--import", "nowhere"], "--import nowhere: cannot be read: No such file or directory"),
        (["--import", "app.cfg"], "app.cfg"),
        (["--import", "app.cfg", "x", "--reason", "y"], "name a FINGERPRINT, or a FILE:LINE, or"),
    ],
)
def test_what_cannot_be_imported(
    here: GitRepository, capfd: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    """It is said, and nothing is written."""
    assert why in allow(capfd, *arguments, code=2)
    assert not (here.path / NAME).exists()
