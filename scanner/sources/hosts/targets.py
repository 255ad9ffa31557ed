"""Targets of sweeps as they are written on a command line."""

from __future__ import annotations

import os
import re

from ...errors import UsageError
from ...model import clean, is_here
from ...swept import Target

FORMS = (
    "github:ORG|USER[@HOST]",
    "gitlab:GROUP[/SUBGROUP][@HOST]",
    "gitea:ORG@HOST",
    "bitbucket:WORKSPACE",
    "azure-devops:ORG[/PROJECT]",
    "a folder of clones",
    "a file of URLs",
)
"""What a target may be."""

_HOST = re.compile(
    r"(?P<kind>github|gitlab|gitea|forgejo|bitbucket|azure-devops):(?P<owner>[^@\x00-\x1f\x7f?#%\\]{1,400})"
    r"(?:@(?P<at>(?:https?://)?[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?(?::[0-9]{1,5})?|"
    r"(?:https?://)?\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?))?"
)
_OWNER = {
    "gitlab": re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+){0,20}"),
    "azure-devops": re.compile(r"[A-Za-z0-9_.-]+(?:/[^/]{1,64})?"),
}
_HOMES = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org", "azure-devops": "dev.azure.com"}
"""The providers' own hosts, which need not be named."""
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def read_target(text: str) -> Target:
    """A target as it was given; UsageError where it is none, with the forms that there are."""
    found = _HOST.fullmatch(text)
    if found:
        kind = {"forgejo": "gitea"}.get(found["kind"], found["kind"])
        owner, at = found["owner"], (found["at"] or "").lower().removeprefix("https://").removesuffix(":443")
        if not _OWNER.get(kind, _PLAIN).fullmatch(owner) or {".", ".."} & set(owner.split("/")):
            raise UsageError(f"{clean(text)[:200]}: there is no such name on {kind}: write {_form(kind)}")
        if kind == "gitea" and not at:
            raise UsageError(f"{clean(text)[:200]}: name the host, too: gitea:ORG@HOST")
        if at.startswith("http://") and not is_here(at.removeprefix("http://")):
            raise UsageError(f"{clean(text)[:200]}: over http anybody on the way reads the token: write @https://HOST")
        return Target(text, kind, owner, "" if at == _HOMES.get(kind) else at)
    if os.path.isdir(text):
        return Target(text, "folder", os.path.abspath(text))
    if os.path.isfile(text):
        return Target(text, "file", os.path.abspath(text))
    raise UsageError(f"{clean(text)[:200]} is no target: write {', '.join(FORMS[:-1])}, or {FORMS[-1]}")


def _form(kind: str) -> str:
    return next(form for form in FORMS if form.startswith(kind))


def api_of(target: Target, home: str, path: str = "") -> str:
    """The URL under which a host's API is: `home` where the target names none, else `path` at what it names."""
    if not target.at:
        return home
    site = target.at if "://" in target.at else f"https://{target.at}"
    return site.rstrip("/") + path
