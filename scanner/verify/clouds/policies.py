"""What a set of IAM policies allows, in one word: the most that they grant, where that is certain.

Read are documents in the policy language, and names of the policies that AWS itself writes. Conditions, boundaries and
broad denials can take back what a statement grants: where there is one that could, nothing is said. What resources
grant by themselves (bucket policies) is not known here.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html,
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ("none", "read", "write", "full", "admin")
"""The least first. `full` is all but the rights of others, `admin` those too."""

TAKES_RIGHTS = tuple(
    "iam:" + name
    for name in (
        "AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy CreateAccessKey CreateLoginProfile "
        "CreatePolicyVersion PutGroupPolicy PutRolePolicy PutUserPolicy SetDefaultPolicyVersion UpdateLoginProfile"
    ).split()
)
"""Actions by which, on any resource, somebody gives himself all rights."""

_READS = re.compile(
    r"[a-z0-9-]+:(?:BatchGet|Check|Describe|Get|Head|List|Lookup|Query|Read|Scan|Search|Select|View)[a-z0-9*?]*",
    re.IGNORECASE,
)
LONGEST = 20_000
"""Characters of a document; IAM takes 10,240."""
_MANAGED = re.compile(r"arn:aws[a-z-]*:iam::aws:policy/(?:[A-Za-z-]+/)?([A-Za-z0-9_+=,.@-]+)")
_BY_NAME = {
    "AdministratorAccess": "admin",
    "IAMFullAccess": "admin",
    "PowerUserAccess": "full",
    "DatabaseAdministrator": "write",
    "NetworkAdministrator": "write",
    "SystemAdministrator": "write",
    "ReadOnlyAccess": "read",
    "SecurityAudit": "read",
    "ViewOnlyAccess": "read",
}
_TAKES_BACK = ("AWSDenyAll", "AWSCompromisedKeyQuarantine", "AWSCompromisedKeyQuarantineV2")
"""Policies of AWS that deny; the quarantine is put on keys that it finds published."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What one policy grants at most: one of `LEVELS`. `doubt` says that something may take it back, or that it could
    not be read whole."""

    level: str = "none"
    doubt: bool = False


def by_name(arn: str) -> Granted | None:
    """What a policy that AWS wrote grants, by its name; None where that says nothing, or somebody else wrote it."""
    found = _MANAGED.fullmatch(arn)
    if not found:
        return None
    name = found[1]
    if name.startswith(_TAKES_BACK):
        return Granted(doubt=True)
    if name in _BY_NAME:
        return Granted(_BY_NAME[name])
    if name.endswith(("ReadOnlyAccess", "ReadOnly")):
        return Granted("read")
    return Granted("write") if name.endswith("FullAccess") else None


def by_document(text: str) -> Granted:
    """What a policy's document grants."""
    try:
        document = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        return Granted(doubt=True)
    statements = document.get("Statement") if isinstance(document, dict) else None
    found = statements if isinstance(statements, list) else [statements]
    return _together([_stated(one) for one in found])


def privilege(granted: Iterable[Granted], *, complete: bool) -> str:
    """What all policies of somebody grant together; empty where that is not certain. `complete` says that all of them
    could be read: `admin` and `full` are certain without the others, less is not."""
    whole = _together(list(granted))
    if whole.doubt or whole.level == "none":
        return ""
    return whole.level if complete or whole.level in ("full", "admin") else ""


def _together(granted: Sequence[Granted]) -> Granted:
    level = max((one.level for one in granted), key=LEVELS.index, default="none")
    return Granted(level, any(one.doubt for one in granted))


def _stated(statement: Any) -> Granted:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return Granted(doubt=True)
    actions, but = list(_texts(statement.get("Action"))), list(_texts(statement.get("NotAction")))
    if statement["Effect"] == "Deny":
        # "All but what sets up a second factor, where there is none" denies a key everything.
        return Granted(doubt=bool(but) or any(_fits(one, actions) for one in (*TAKES_RIGHTS, "s3:PutObject")))
    everywhere = "*" in _texts(statement.get("Resource"))
    takes_rights = [one for one in TAKES_RIGHTS if (_fits(one, actions) if actions else not _fits(one, but))]
    if not actions and not but:
        return Granted(doubt=True)
    if everywhere and takes_rights:
        level = "admin"
    elif but or "*" in actions:
        level = "full" if everywhere else "write"
    else:
        level = "read" if all(map(_READS.fullmatch, actions)) else "write"
    return Granted(level, doubt=bool(statement.get("Condition")))


def _texts(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one


def _fits(action: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns (`s3:Get*`, `*`) covers an action; letters count alike."""
    return any(_covers(pattern.lower(), action.lower()) for pattern in patterns)


def _covers(pattern: str, action: str) -> bool:
    """`*` for any characters, `?` for one; without a regex, as patterns come from outside."""
    places = {0}
    for letter in pattern[:200]:
        if letter == "*":
            places = set(range(min(places), len(action) + 1)) if places else places
        else:
            places = {at + 1 for at in places if at < len(action) and letter in ("?", action[at])}
    return len(action) in places
