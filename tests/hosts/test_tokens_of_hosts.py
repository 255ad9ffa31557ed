"""Which token goes to which host: each only to the one that it is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.logins import Login, from_environment

ALL = {
    "GH_TOKEN": "one",
    "GITHUB_TOKEN": "two",
    "GH_ENTERPRISE_TOKEN": "three",
    "GITHUB_ENTERPRISE_TOKEN": "four",
    "GITLAB_TOKEN": "five",
    "GITEA_TOKEN": "six",
    "FORGEJO_TOKEN": "seven",
    "BITBUCKET_TOKEN": "eight",
    "BITBUCKET_EMAIL": "ada@example.test",
    "BITBUCKET_API_TOKEN": "nine",
    "AZURE_DEVOPS_EXT_PAT": "ten",
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in ALL.items() if name not in names}


@pytest.mark.parametrize(
    ("url", "kind", "environment", "login"),
    [
        ("https://api.github.com", "", ALL, ("api.github.com", "x-access-token", "one", "GH_TOKEN")),
        ("https://github.com/acme/web.git", "", ALL, ("github.com", "x-access-token", "one", "GH_TOKEN")),
        ("https://github.com", "github", without("GH_TOKEN"), ("github.com", "x-access-token", "two", "GITHUB_TOKEN")),
        ("https://GitHub.com./x", "", ALL, ("github.com", "x-access-token", "one", "GH_TOKEN")),
        ("https://acme.ghe.com/x", "github", ALL, ("acme.ghe.com", "x-access-token", "one", "GH_TOKEN")),
        ("https://api.acme.ghe.com", "", ALL, ("api.acme.ghe.com", "x-access-token", "one", "GH_TOKEN")),
        ("https://git.test", "github", ALL, ("git.test", "x-access-token", "three", "GH_ENTERPRISE_TOKEN")),
        (
            "https://git.test",
            "github",
            without("GH_ENTERPRISE_TOKEN"),
            ("git.test", "x-access-token", "four", "GITHUB_ENTERPRISE_TOKEN"),
        ),
        ("https://gitlab.com/a/b.git", "", ALL, ("gitlab.com", "oauth2", "five", "GITLAB_TOKEN")),
        ("https://git.test:8443", "gitlab", ALL, ("git.test", "oauth2", "five", "GITLAB_TOKEN")),
        ("http://127.0.0.1:3000", "gitlab", ALL, ("127.0.0.1", "oauth2", "five", "GITLAB_TOKEN")),
        ("https://codeberg.org", "gitea", ALL, ("codeberg.org", "oauth2", "six", "GITEA_TOKEN")),
        (
            "https://codeberg.org",
            "forgejo",
            without("GITEA_TOKEN"),
            ("codeberg.org", "oauth2", "seven", "FORGEJO_TOKEN"),
        ),
        ("https://api.bitbucket.org", "", ALL, ("api.bitbucket.org", "x-token-auth", "eight", "BITBUCKET_TOKEN")),
        (
            "https://api.bitbucket.org/2.0",
            "",
            without("BITBUCKET_TOKEN"),
            ("api.bitbucket.org", "ada@example.test", "nine", "BITBUCKET_API_TOKEN"),
        ),
        (
            "https://bitbucket.org/acme/web.git",
            "",
            without("BITBUCKET_TOKEN"),
            ("bitbucket.org", "x-bitbucket-api-token-auth", "nine", "BITBUCKET_API_TOKEN"),
        ),
        ("https://dev.azure.com/acme", "", ALL, ("dev.azure.com", "pat", "ten", "AZURE_DEVOPS_EXT_PAT")),
        (
            "https://github.com",
            "",
            {"GH_TOKEN": " \n", "GITHUB_TOKEN": " two\n"},
            ("github.com", "x-access-token", "two", "GITHUB_TOKEN"),
        ),
    ],
)
def test_which_token(url: str, kind: str, environment: dict[str, str], login: tuple[str, str, str, str]) -> None:
    """The first variable that is set; a provider's own host is known whatever the target says."""
    assert from_environment(url, kind, environment) == Login(*login)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://git.test", ""),
        ("https://evil.example", "nothing that is known"),
        ("https://github.com.evil.example", ""),
        ("https://evil-github.com", ""),
        ("https://ghe.com", ""),
        ("https://evilghe.com", ""),
        ("https://acme.ghe.com.evil.example", ""),
        ("https://github.com@evil.example/", ""),
        ("http://github.com/acme/web.git", ""),
        ("http://github.com/acme/web.git", "github"),
        ("ssh://git@github.com/acme/web.git", ""),
        ("file:///srv/acme", ""),
        ("file:///srv/acme", "gitlab"),
        ("https://[github.com", "github"),
        ("", "gitlab"),
    ],
)
def test_what_gets_no_token(url: str, kind: str) -> None:
    """A host that nobody named, one that looks like a provider's, plain http."""
    assert from_environment(url, kind, ALL) is None


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea", "forgejo", "bitbucket", "azure-devops", ""])
def test_nothing_is_set(kind: str) -> None:
    """There is nothing to send."""
    for url in ("https://git.test", "https://github.com", "https://bitbucket.org"):
        assert from_environment(url, kind, {}) is None
    assert from_environment("https://bitbucket.org", "", {"BITBUCKET_EMAIL": "ada@example.test"}) is None


def test_what_is_shown() -> None:
    """A login is shown without its token."""
    assert repr(from_environment("https://gitlab.com", "", ALL)) == (
        "Login(host='gitlab.com', user='oauth2', source='GITLAB_TOKEN')"
    )


@given(st.text(max_size=80))
def test_any_url(url: str) -> None:
    """Whatever it is, no provider's token goes to a host that is not his."""
    found = from_environment(url, "", ALL)
    assert found is None or found.host in url.lower()
