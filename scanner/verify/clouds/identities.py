"""What AWS and Alibaba Cloud call whom they know, in words; and secrets made up in place of others."""

from __future__ import annotations

import secrets
import string

_KINDS = {"user": "user", "assumed-role": "role", "federated-user": "federated user"}


def identity_of(resource: str, account: str) -> str:
    """Of the last part of an ARN: `root of account 123456789012`, `user ci of account …`, `role deploy of account …`.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
    """
    kind, _, rest = resource.partition("/")
    if kind == "root":
        return f"root of account {account}"
    name = rest.partition("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]
    return f"{_KINDS[kind]} {name} of account {account}" if kind in _KINDS and name else f"account {account}"


def stand_in(value: bytes) -> bytes:
    """Random letters and digits, as many."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in value).encode()
