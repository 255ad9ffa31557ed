"""Checks on private keys: PEM (RFC 7468), OpenSSH, PGP (RFC 9580), PuTTY, and the JSON and base64 that wrap them."""

from __future__ import annotations

import base64
import binascii
import re

_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})-----")
_TYPES = {b"RSA PRIVATE KEY": "RSA", b"DSA PRIVATE KEY": "DSA", b"EC PRIVATE KEY": "EC"}
_OIDS = (
    (bytes.fromhex("2a864886f70d010101"), "RSA"),
    (bytes.fromhex("2a8648ce380401"), "DSA"),
    (bytes.fromhex("2a8648ce3d0201"), "EC"),
    (bytes.fromhex("2b6570"), "Ed25519"),
    (bytes.fromhex("2b6571"), "Ed448"),
    (bytes.fromhex("2b656e"), "X25519"),
)
_SSH_TYPES = ((b"ssh-ed25519", "Ed25519"), (b"ssh-rsa", "RSA"), (b"ecdsa-sha2", "EC"), (b"ssh-dss", "DSA"))
_LINE_END = re.compile(rb"\r?\n|(?:\\r)?\\n|\\r|\r")
_JOIN = re.compile(rb"""(?:\\r)?(?:\\n)?["'][ \t]*+[+.,\\]?+\s*+[+.]?+[ \t]*+[bBrRuU@]?+["']""")
"""What stands between two string literals that source code puts together, line by line. Nothing is ever given back:
three repeats in a row that take blanks would otherwise divide them in cubic time."""
_PUTTY = re.compile(rb"PuTTY-User-Key-File-[123]: ([a-z0-9@.-]+)")
_PUTTY_LINES = re.compile(rb"Private-Lines: ?\d++((?:\s|\\[rn])[A-Za-z0-9+/=\s\\]*)Private-")
_PGP_NUMBERS = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4}
"""How many numbers the public part has, by algorithm: RSA, Elgamal, DSA. Curves have an object identifier and one."""
_PGP_TYPES = {1: "RSA", 2: "RSA", 3: "RSA", 16: "Elgamal", 17: "DSA", 18: "EC", 19: "EC", 22: "Ed25519", 25: "X25519"}
_PGP_TYPES |= {26: "X448", 27: "Ed25519", 28: "Ed448"}
_PGP_FIXED = {25: 32, 26: 56, 27: 32, 28: 57}

Pairs = list[tuple[str, str]]


def private_key(value: bytes) -> Pairs | None:
    """A private key whose body is base64 of the structure that its first line names: key type, size, encrypted or not.

    Sources: RFC 7468, RFC 8017 (appendix A.1.2), RFC 5958, RFC 9580; PROTOCOL.key of OpenSSH; PuTTY's manual,
    appendix C.
    """
    if value.startswith(b"PuTTY-User-Key-File-"):
        return _putty(value)
    label = _LABEL.match(value)
    if not label:
        return None
    headers, raw = _body(value[label.end() :].partition(b"-----END")[0])
    if len(raw) < 32 or len(set(raw)) < 8:
        return None
    if label[1] == b"OPENSSH PRIVATE KEY":
        return _openssh(raw)
    if label[1] == b"PGP PRIVATE KEY BLOCK":
        return _pgp(raw)
    if b"4,ENCRYPTED" in headers:
        return [*_typed(_TYPES.get(label[1])), ("encrypted", "yes")]
    if raw[0] != 0x30:
        return None
    if label[1].startswith(b"ENCRYPTED"):
        return [("encrypted", "yes")]
    kind = _TYPES.get(label[1]) or next((name for oid, name in _OIDS if oid in raw[:40]), None)
    size = _modulus_bits(raw) if kind == "RSA" else 0
    return [*_typed(kind), *([("key_size", str(size))] if size else []), ("encrypted", "no")]


def private_key_base64(value: bytes) -> Pairs | None:
    """Base64 of a whole PEM or OpenSSH private key, as kubeconfig files and pipelines hold it."""
    try:
        text = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return None
    return private_key(text)


def service_account(value: bytes) -> Pairs | None:
    """The private key of a Google service account, as its JSON file holds it (line ends written `\\n`)."""
    return private_key(value)


def _typed(kind: str | None) -> Pairs:
    return [("key_type", kind)] if kind else []


def _body(text: bytes) -> tuple[bytes, bytes]:
    """The header lines of an armoured block, and its data."""
    headers, data = [], []
    for line in _LINE_END.split(_JOIN.sub(b"\n", text)):
        line = line.strip().rstrip(b"\\").rstrip()
        if b":" in line:
            headers.append(line)
        elif not line.startswith(b"="):
            data.append(line)
    joined = re.sub(rb"\s", b"", b"".join(data))
    try:
        return b"\n".join(headers), base64.b64decode(joined + b"=" * (-len(joined) % 4), validate=True)
    except binascii.Error:
        return b"", b""


def _openssh(raw: bytes) -> Pairs | None:
    if not raw.startswith(b"openssh-key-v1\0"):
        return None
    cipher = raw[19 : 19 + int.from_bytes(raw[15:19], "big")]
    kind = next((name for text, name in _SSH_TYPES if text in raw[:200]), None)
    return [*_typed(kind), ("encrypted", "no" if cipher == b"none" else "yes")]


def _putty(value: bytes) -> Pairs | None:
    kind, lines = _PUTTY.match(value), _PUTTY_LINES.search(value)
    if not kind or not lines or len(_body(lines[1])[1]) < 32:
        return None
    named = next((name for text, name in _SSH_TYPES if kind[1].startswith(text)), None)
    return [*_typed(named), ("encrypted", "no" if b"Encryption: none" in value else "yes")]


def _modulus_bits(raw: bytes) -> int:
    """The size of an RSA key: that of the first long integer in it (of PKCS#1, or of PKCS#1 within PKCS#8)."""
    found = re.search(rb"\x02\x01\x00\x02(?:\x81(.)|\x82(..))(\x00?)", raw[:64], re.DOTALL)
    return (int.from_bytes(found[1] or found[2], "big") - len(found[3])) * 8 if found else 0


def _pgp(raw: bytes) -> Pairs | None:
    """The first packet must be a secret key (tag 5, or 7 of a subkey). Its protection is told by the octet that
    follows the public part: 0 is none. A key that only points to a smartcard (S2K 101) holds nothing."""
    tag = raw[0]
    number = tag & 0x3F if tag & 0x40 else tag >> 2 & 0x0F
    if not tag & 0x80 or number not in (5, 7):
        return None
    if tag & 0x40:
        start = 2 if raw[1] < 192 else 3 if raw[1] < 224 else 6
    else:
        start = 1 + (1 << (tag & 3) if tag & 3 < 3 else 0)
    packet = raw[start:]
    if len(packet) < 20 or packet[0] not in (4, 6):
        return None
    algorithm, at = packet[5], 6 if packet[0] == 4 else 10
    facts = _typed(_PGP_TYPES.get(algorithm))
    if algorithm in _PGP_FIXED:
        at += _PGP_FIXED[algorithm]
    else:
        if algorithm not in _PGP_NUMBERS:
            at += 1 + packet[at]
        for _ in range(_PGP_NUMBERS.get(algorithm, 1)):
            at += 2 + (int.from_bytes(packet[at : at + 2], "big") + 7) // 8
        if algorithm == 18:
            at += 1 + (packet[at] if at < len(packet) else 0)
    if at >= len(packet):
        return None
    if packet[at] in (253, 254, 255) and b"\x65\x00GNU" in packet[at : at + 16]:
        return None
    return [*facts, ("encrypted", "no" if packet[at] == 0 else "yes")]
