"""Targets as they are written: each form, and what is none with the forms that there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.errors import UsageError
from oakum.scanner.model import clean
from oakum.scanner.sources.hosts import read_target
from oakum.scanner.sources.hosts.targets import api_of
from oakum.scanner.swept import Target

FORMS = (
    "github:ORG|USER[@HOST], gitlab:GROUP[/SUBGROUP][@HOST], gitea:ORG@HOST, bitbucket:WORKSPACE, "
    "azure-devops:ORG[/PROJECT], a folder of clones, or a file of URLs"
)


@pytest.mark.parametrize(
    ("text", "kind", "owner", "at"),
    [
        ("github:acme", "github", "acme", ""),
        ("github:acme@github.com", "github", "acme", ""),
        ("github:acme@https://GitHub.com", "github", "acme", ""),
        ("github:acme@git.acme.test", "github", "acme", "git.acme.test"),
        ("github:acme@Git.Acme.Test:8443", "github", "acme", "git.acme.test:8443"),
        ("github:acme@https://git.acme.test:443", "github", "acme", "git.acme.test"),
        ("github:acme@http://127.0.0.1:3000", "github", "acme", "http://127.0.0.1:3000"),
        ("github:acme@http://[::1]:3000", "github", "acme", "http://[::1]:3000"),
        ("github:acme@http://localhost", "github", "acme", "http://localhost"),
        ("gitlab:acme", "gitlab", "acme", ""),
        ("gitlab:acme/platform/web.tools", "gitlab", "acme/platform/web.tools", ""),
        ("gitlab:acme/platform@gitlab.acme.test", "gitlab", "acme/platform", "gitlab.acme.test"),
        ("gitea:acme@codeberg.org", "gitea", "acme", "codeberg.org"),
        ("forgejo:acme@codeberg.org", "gitea", "acme", "codeberg.org"),
        ("bitbucket:acme", "bitbucket", "acme", ""),
        ("azure-devops:acme", "azure-devops", "acme", ""),
        ("azure-devops:acme/Web Shop", "azure-devops", "acme/Web Shop", ""),
        ("azure-devops:acme/Ünder@dev.azure.com", "azure-devops", "acme/Ünder", ""),
    ],
)
def test_hosts(text: str, kind: str, owner: str, at: str) -> None:
    """The provider's own host need not be named; hosts are written in small letters."""
    assert read_target(text) == Target(text, kind, owner, at)


def test_what_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder or a file, by its whole path; a name that looks like a host's is one unless it is written as a path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clones").mkdir()
    (tmp_path / "urls.txt").touch()
    (tmp_path / "github:acme").mkdir()
    assert read_target("clones") == Target("clones", "folder", str(tmp_path / "clones"))
    assert read_target("urls.txt") == Target("urls.txt", "file", str(tmp_path / "urls.txt"))
    assert read_target("github:acme").kind == "github"
    assert read_target("./github:acme") == Target("./github:acme", "folder", str(tmp_path / "github:acme"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", f" is no target: write {FORMS}"),
        ("nowhere", f"nowhere is no target: write {FORMS}"),
        ("github:", f"github: is no target: write {FORMS}"),
        ("gitsea:acme", f"gitsea:acme is no target: write {FORMS}"),
        ("github:acme@", f"github:acme@ is no target: write {FORMS}"),
        ("github:acme@-oX", f"github:acme@-oX is no target: write {FORMS}"),
        ("github:acme@git.test/path", f"github:acme@git.test/path is no target: write {FORMS}"),
        ("github:acme@ftp://git.test", f"github:acme@ftp://git.test is no target: write {FORMS}"),
        ("github:acme@ada@git.test", f"github:acme@ada@git.test is no target: write {FORMS}"),
        ("github:ac\x1bme", f"github:ac\\x1bme is no target: write {FORMS}"),
        ("github:acme/web", "github:acme/web: there is no such name on github: write github:ORG|USER[@HOST]"),
        ("github:..", "github:..: there is no such name on github: write github:ORG|USER[@HOST]"),
        ("gitlab:a//b", "gitlab:a//b: there is no such name on gitlab: write gitlab:GROUP[/SUBGROUP][@HOST]"),
        ("gitlab:a/..", "gitlab:a/..: there is no such name on gitlab: write gitlab:GROUP[/SUBGROUP][@HOST]"),
        ("bitbucket:a b", "bitbucket:a b: there is no such name on bitbucket: write bitbucket:WORKSPACE"),
        (
            "azure-devops:a/b/c",
            "azure-devops:a/b/c: there is no such name on azure-devops: write azure-devops:ORG[/PROJECT]",
        ),
        ("gitea:acme", "gitea:acme: name the host, too: gitea:ORG@HOST"),
        (
            "gitea:acme@http://git.acme.test",
            "gitea:acme@http://git.acme.test: over http anybody on the way reads the token: write @https://HOST",
        ),
        (
            "gitea:acme@http://127.0.0.1.evil.test",
            "gitea:acme@http://127.0.0.1.evil.test: over http anybody on the way reads the token: write @https://HOST",
        ),
    ],
)
def test_what_is_no_target(text: str, why: str) -> None:
    """One message says what there is."""
    with pytest.raises(UsageError) as raised:
        read_target(text)
    assert str(raised.value) == why


@given(
    st.text(max_size=60) | st.from_regex(r"(github|gitlab|gitea|bitbucket|azure-devops):[^\n]{0,40}", fullmatch=True)
)
def test_whatever_is_written(text: str) -> None:
    """It is a target whose parts fit into a URL, or none with a message fit to be shown."""
    try:
        target = read_target(text)
    except UsageError as error:
        said = str(error)
    else:
        said = ""
        if target.kind not in ("folder", "file"):
            assert not {"..", "."} & set(target.owner.split("/"))
            assert api_of(target, "https://home").startswith(("https://", "http://"))
    assert clean(said) == said
