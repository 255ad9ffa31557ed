"""Checks on password hashes in the forms of crypt(3), Apache htpasswd and their successors."""

from __future__ import annotations

import re

_SCHEMES = (
    ("argon2", re.compile(rb"\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=(\d+),t=(\d+),p=(\d+)\$")),
    ("bcrypt", re.compile(rb"\$2[abxy]\$(\d\d)\$")),
    ("yescrypt", re.compile(rb"\$y\$")),
    ("scrypt", re.compile(rb"\$7\$|\$scrypt\$")),
    ("sha512-crypt", re.compile(rb"\$6\$(?:rounds=(\d+)\$)?")),
    ("sha256-crypt", re.compile(rb"\$5\$(?:rounds=(\d+)\$)?")),
    ("md5-apr1", re.compile(rb"\$apr1\$")),
    ("md5-crypt", re.compile(rb"\$1\$")),
    ("sha1-base64", re.compile(rb"\{SHA\}")),
    ("ssha", re.compile(rb"\{SSHA\d{0,3}\}")),
)


def password_hash(value: bytes) -> list[tuple[str, str]] | None:
    """The scheme and, where the form says it, the cost (rounds, log2 rounds of bcrypt, memory,time,lanes of argon2).

    Sources: crypt(5); https://httpd.apache.org/docs/2.4/misc/password_encryptions.html; RFC 9106 for argon2.
    """
    for scheme, pattern in _SCHEMES:
        found = pattern.match(value)
        if found:
            facts = [("scheme", scheme)]
            cost = ",".join(g.decode() for g in found.groups() if g)
            return [*facts, ("cost", cost)] if cost else facts
    return [("scheme", "des-crypt")] if re.fullmatch(rb"[./0-9A-Za-z]{13}", value) else None
