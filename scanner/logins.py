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

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """What is sent to a host: over git as a user's name and password, to an API as the host wants it. `host` is the
    one host that it goes to; `source` says where it is from, for messages."""

    host: str
    user: str
    password: str = field(repr=False)
    source: str = ""
