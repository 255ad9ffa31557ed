"""Checks on private keys: PEM (RFC 7468), OpenSSH, PuTTY, and the JSON that wraps them."""

from __future__ import annotations

import base64
import binascii
import re

_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})-----")
_TYPES = {
    b"RSA PRIVATE KEY": "RSA",
    b"DSA PRIVATE KEY": "DSA",
    b"EC PRIVATE KEY": "EC",
    b"PGP PRIVATE KEY BLOCK": "PGP",
}


def private_key(value: bytes) -> list[tuple[str, str]] | None:
    """A PEM private key whose body is base64 of something: its type, and whether a passphrase protects it."""
    label = _LABEL.match(value)
    if not label:
        return None
    body = value[label.end() :].partition(b"-----END")[0]
    text = re.sub(rb"\\[nrt]", b"\n", body)
    encrypted = label[1].startswith(b"ENCRYPTED") or b"4,ENCRYPTED" in text
    lines = [line.strip(b" \t\r\"'+,\\;") for line in text.split(b"\n")]
    data = b"".join(line for line in lines if b":" not in line and not line.startswith(b"="))
    try:
        raw = base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except binascii.Error:
        return None
    if len(raw) < 32 or len(set(raw)) < 8:
        return None
    facts = []
    if label[1] == b"OPENSSH PRIVATE KEY":
        if not raw.startswith(b"openssh-key-v1\0"):
            return None
        cipher = raw[19 : 19 + int.from_bytes(raw[15:19], "big")]
        encrypted = cipher != b"none"
        for name, kind in ((b"ssh-ed25519", "Ed25519"), (b"ssh-rsa", "RSA"), (b"ecdsa-sha2", "EC"), (b"ssh-dss", "DSA")):
            if name in raw[:200]:
                facts.append(("key_type", kind))
                break
    elif label[1] in _TYPES:
        facts.append(("key_type", _TYPES[label[1]]))
    return [*facts, ("encrypted", "yes" if encrypted else "no")]


def service_account(value: bytes) -> list[tuple[str, str]] | None:
    """The private key of a Google service account, as its JSON file holds it (line ends written `\\n`)."""
    return private_key(value)
