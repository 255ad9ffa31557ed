"""Remotes in the heading of a report: enough to know the repository by, nothing that could be a credential."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from git_repository import GitRepository
from oakum.scanner.sources.describe import describe, without_credentials
from scanning import Fresh

SHOWN = (
    ("https://github.com/acme/app.git", "https://github.com/acme/app.git"),
    ("https://acme:{}@github.com/acme/app.git", "https://[masked]@github.com/acme/app.git"),
    ("https://{}@github.com/acme/app.git", "https://[masked]@github.com/acme/app.git"),
    ("https://a@b:{}@github.com/acme/app.git", "https://[masked]@github.com/acme/app.git"),
    ("https://github.com/acme/app.git?token={}", "https://github.com/acme/app.git"),
    ("https://github.com/acme/app.git#{}", "https://github.com/acme/app.git"),
    ("ssh://git@example.test:2222/acme/app.git", "ssh://[masked]@example.test:2222/acme/app.git"),
    ("https://[2001:db8::1]:8443/app.git", "https://[2001:db8::1]:8443/app.git"),
    ("file:///srv/git/app.git", "file:///srv/git/app.git"),
    ("git@github.com:acme/app.git", "git@github.com:acme/app.git"),
    ("/srv/git/app.git", "/srv/git/app.git"),
    ("../app.git", "../app.git"),
)
HIDDEN = (
    "gcrypt::https://user:{}@host/x",
    "https://user:pa/ss{}@host/x",
    "https://user:12/{}@host/x",
    "https://user:pa?ss{}@host/x",
    "https://user:12?{}@host/x",
    "https://user:pa#ss{}@host/x",
    "https://user:pa\\{}@host/x",
    "https://user:pa ss{}@host/x",
    "{}@github.com:foo/bar",
    "x:{}@github.com:foo/bar",
    "git@{}@github.com:foo/bar",
    "ext::curl -H Authorization:{}",
    "transport::{}",
    "https://user:{}",
    "https://user:{}/x",
    "{}://host/x",
    "{}",
    "host:{}",
    "/srv/x:{}@host",
    "",
)


class TestWithoutCredentials:
    """What is shown of a URL."""

    @pytest.mark.parametrize(("url", "shown"), SHOWN)
    def test_shown(self, url: str, shown: str, fresh: Fresh) -> None:
        assert without_credentials(url.format(fresh().decode())) == shown

    @pytest.mark.parametrize("url", HIDDEN)
    def test_hidden(self, url: str, fresh: Fresh) -> None:
        assert without_credentials(url.format(fresh().decode())) == "[not shown]"


class TestDescribe:
    """The heading as a whole."""

    def test_odd_urls(self, repo: GitRepository, fresh: Fresh) -> None:
        secret = fresh().decode()
        with open(repo.path / ".git" / "config", "a") as file:
            for number, url in enumerate(HIDDEN):
                file.write(f'[remote "r{number}"]\n\turl = {url.format(secret)}\n'.replace("\\", "\\\\"))
        told = describe(str(repo.path))
        assert told[0] == "on main, 1 branch, 0 tags"
        assert len(told) > 1
        assert secret not in str(told)

    def test_path_that_looks_like_a_variable(
        self, tmp_path: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """GitPython would describe another repository, or print the value of the variable."""
        other = GitRepository.create(tmp_path / "other")
        other.commit()
        other.git("branch", "side")
        named = GitRepository.create(tmp_path / "$OTHER")
        named.commit()
        monkeypatch.setenv("OTHER", "other")
        assert describe(str(named.path)) == ["on main, 1 branch, 0 tags"]
        monkeypatch.setenv("HOME", str(other.path))
        GitRepository.create(tmp_path / "~").commit()
        monkeypatch.chdir(tmp_path)
        assert describe("~") == ["on main, 1 branch, 0 tags"]

    @pytest.mark.parametrize("entry", [".", "", "bin"])
    def test_relative_folder_on_the_path(
        self, repo: GitRepository, monkeypatch: pytest.MonkeyPatch, entry: str
    ) -> None:
        """GitPython asks the first git on PATH for its version: it is not loaded where that may be anybody's."""
        monkeypatch.chdir(repo.path)
        monkeypatch.setenv("PATH", entry + os.pathsep + os.environ["PATH"])
        assert describe(str(repo.path)) == []
