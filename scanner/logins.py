"""Which name and token go to which host, out of the environment: each only to the host that it is for.

| host | variables |
|---|---|
| github.com, NAME.ghe.com, and their APIs | `GH_TOKEN`, `GITHUB_TOKEN` |
| another host of `github:OWNER@HOST` | `GH_ENTERPRISE_TOKEN`, `GITHUB_ENTERPRISE_TOKEN` |
| gitlab.com, or the host of `gitlab:GROUP@HOST` | `GITLAB_TOKEN` |
| the host of `gitea:OWNER@HOST` | `GITEA_TOKEN`, `FORGEJO_TOKEN` |
| bitbucket.org, api.bitbucket.org | `BITBUCKET_TOKEN`, or `BITBUCKET_EMAIL` and `BITBUCKET_API_TOKEN` |
| dev.azure.com | `AZURE_DEVOPS_EXT_PAT` |

The first that is set is taken. Most names are those that the hosts' own tools read (gh, glab, tea, az devops). Where
none is set, git's credential helpers are asked (`sources/clones/network.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Login:
    """What is sent to a host: over git as a user's name and password, to an API as the host wants it. `host` is the
    one host that it goes to; `source` says where it is from, for messages."""

    host: str
    user: str
    password: str = field(repr=False)
    source: str = ""


_HOMES = {
    "github.com": "github",
    "api.github.com": "github",
    "gitlab.com": "gitlab",
    "bitbucket.org": "bitbucket",
    "api.bitbucket.org": "bitbucket",
    "dev.azure.com": "azure-devops",
}
"""The providers' own hosts: theirs are the tokens that name no host."""
_VARIABLES = {
    "github": (("GH_TOKEN", "x-access-token"), ("GITHUB_TOKEN", "x-access-token")),
    "github at another host": (
        ("GH_ENTERPRISE_TOKEN", "x-access-token"),
        ("GITHUB_ENTERPRISE_TOKEN", "x-access-token"),
    ),
    "gitlab": (("GITLAB_TOKEN", "oauth2"),),
    "gitea": (("GITEA_TOKEN", "oauth2"), ("FORGEJO_TOKEN", "oauth2")),
    "bitbucket": (("BITBUCKET_TOKEN", "x-token-auth"),),
    "azure-devops": (("AZURE_DEVOPS_EXT_PAT", "pat"),),
}
"""The variables of each kind of host, and the name that goes with a token over git. Sources: `gh help environment`
(https://cli.github.com/manual/gh_help_environment) and the hosts' pages on tokens as passwords (GitHub "Authenticating
as a GitHub App installation", GitLab "Personal access tokens", "Clone using a token", Gitea "Authentication", Bitbucket
"Using access tokens" and "Using API tokens", Azure DevOps "Use personal access tokens")."""


def from_environment(url: str, kind: str, environment: Mapping[str, str]) -> Login | None:
    """What an environment holds for the host of a URL; None where that is nothing.

    `kind` is what the user said that this host is (`gitlab:GROUP@HOST`), empty where he did not: then only the
    providers' own hosts get a token.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return None
    home = _HOMES.get(host) or ("github" if host.endswith(".ghe.com") else "")
    kind = home or {"forgejo": "gitea"}.get(kind, kind)
    if not host or (home and urlsplit(url).scheme != "https"):
        return None
    for name, user in _VARIABLES.get("github at another host" if kind == "github" and not home else kind, ()):
        token = environment.get(name, "").strip()
        if token:
            return Login(host, user, token, name)
    email, token = (environment.get(name, "").strip() for name in ("BITBUCKET_EMAIL", "BITBUCKET_API_TOKEN"))
    if kind == "bitbucket" and email and token:
        # The API wants the address, git a name that is the same for all: "Using API tokens".
        return Login(
            host, "x-bitbucket-api-token-auth" if host == "bitbucket.org" else email, token, "BITBUCKET_API_TOKEN"
        )
    return None
