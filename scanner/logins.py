"""Which name and token go to which host, out of the environment: each only to the host that it is for.

| host | variables |
|---|---|
| github.com, api.github.com | `GITHUB_TOKEN`, `GH_TOKEN` |
| another host of `github:OWNER@HOST` | `GH_ENTERPRISE_TOKEN`, `GITHUB_ENTERPRISE_TOKEN` |
| gitlab.com, or the host of `gitlab:GROUP@HOST` | `GITLAB_TOKEN` |
| the host of `gitea:OWNER@HOST` | `GITEA_TOKEN`, `FORGEJO_TOKEN` |
| bitbucket.org, api.bitbucket.org | `BITBUCKET_TOKEN`, or `BITBUCKET_USERNAME` and `BITBUCKET_APP_PASSWORD` |
| dev.azure.com | `AZURE_DEVOPS_EXT_PAT` |

The names are those that the hosts' own tools read (gh, glab, tea, az devops). Where none is set, git's credential
helpers are asked (`sources/clones/network.py`).
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
    "github": (("GITHUB_TOKEN", "x-access-token"), ("GH_TOKEN", "x-access-token")),
    "github at another host": (
        ("GH_ENTERPRISE_TOKEN", "x-access-token"),
        ("GITHUB_ENTERPRISE_TOKEN", "x-access-token"),
    ),
    "gitlab": (("GITLAB_TOKEN", "oauth2"),),
    "gitea": (("GITEA_TOKEN", "oauth2"), ("FORGEJO_TOKEN", "oauth2")),
    "bitbucket": (("BITBUCKET_TOKEN", "x-token-auth"),),
    "azure-devops": (("AZURE_DEVOPS_EXT_PAT", "pat"),),
}
"""The variables of each kind of host, and the name that goes with a token over git. Sources: the hosts' pages on tokens
as passwords (GitHub "Authenticating as a GitHub App installation", GitLab "Personal access tokens", "Clone using a
token", Gitea "Authentication", Bitbucket "Using access tokens", Azure DevOps "Use personal access tokens")."""


def from_environment(url: str, kind: str, environment: Mapping[str, str]) -> Login | None:
    """What an environment holds for the host of a URL; None where that is nothing.

    `kind` is what the user said that this host is (`gitlab:GROUP@HOST`), empty where he did not: then only the
    providers' own hosts get a token.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return None
    home = _HOMES.get(host, "")
    kind = home or kind
    if not host or (home and urlsplit(url).scheme != "https"):
        return None
    named = environment.get("BITBUCKET_USERNAME"), environment.get("BITBUCKET_APP_PASSWORD")
    if kind == "bitbucket" and not environment.get("BITBUCKET_TOKEN") and named[0] and named[1]:
        return Login(host, named[0], named[1], "BITBUCKET_APP_PASSWORD")
    for name, user in _VARIABLES.get("github at another host" if kind == "github" and not home else kind, ()):
        token = environment.get(name, "").strip()
        if token:
            return Login(host, user, token, name)
    return None
