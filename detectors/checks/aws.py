"""Checks on Amazon's access keys: what kind a key id names, and whose account it is.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids for the
prefixes; the account number is not documented: it was found by https://awsteele.com/blog/2020/09/26/ and
https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489, and tried on 3000 ids by
https://labs.withsecure.com/publications/a-bitwise-analysis-of-aws-access-key-identifiers.html
"""

from __future__ import annotations

import base64
import binascii

_TYPES = {b"AKIA": "long-term access key", b"ASIA": "temporary access key"}
_NEW = frozenset(b"QRSTUVWXYZ234567")
"""What stands first behind the prefix of ids issued since 2019, of which the first bit is 1."""

_THINKST = "Thinkst Canarytokens"
_UNNAMED = "a canary service"
CANARIES = {
    **dict.fromkeys(
        (
            "052310077262",
            "171436882533",
            "266735846894",
            "534261010715",
            "595918472158",
            "717712589309",
            "729780141977",
            "730335385048",
            "819147034852",
            "893192397702",
            "992382622183",
        ),
        _THINKST,
    ),
    **dict.fromkeys(
        (
            "044858866125",
            "251535659677",
            "344043088457",
            "351906852752",
            "390477818340",
            "426127672474",
            "427150556519",
            "439872796651",
            "445142720921",
            "465867158099",
            "637958123769",
            "693412236332",
            "732624840810",
            "735421457923",
            "959235150393",
            "982842642351",
        ),
        _UNNAMED,
    ),
}
"""Accounts whose keys are bait: to use one tells its owner. From the lists that several open-source tools publish."""


def aws_access_key_id(value: bytes) -> list[tuple[str, str]]:
    """An AWS access key id: what kind of key it names, the account, and whose bait it is; drops nothing.

    The account stands in ids issued since 2019, as bits 1 to 40 of the base32 text behind the prefix.
    """
    facts = [("type", _TYPES[value[:4]])] if value[:4] in _TYPES else []
    account = _account(value)
    if account:
        facts.append(("account", account))
    if account in CANARIES:
        facts.append(("canary", CANARIES[account]))
    return facts


def aws_key_pair(_value: bytes, facts: dict[str, str]) -> list[tuple[str, str]]:
    """An AWS secret access key behind its key id: what the id says of kind and account; drops nothing."""
    return aws_access_key_id(facts.get("access_key_id", "").encode())


def _account(value: bytes) -> str:
    if len(value) != 20 or value[4] not in _NEW:
        return ""
    try:
        number = int.from_bytes(base64.b32decode(value[4:])[:6], "big") >> 7 & (1 << 40) - 1
    except binascii.Error:
        return ""
    return f"{number:012}" if number < 10**12 else ""
