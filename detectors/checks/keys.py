"""Checks on private keys: PEM (RFC 7468), OpenSSH, PGP (RFC 9580), PuTTY, and the JSON and base64 that wrap them.

The public numbers are read by hand: a library that loads a key tests its numbers, which takes seconds if a hostile one
is large, and refuses damaged keys. Only to get from a private scalar to its point does `cryptography` serve, which is
imported when there is a scalar; without it fewer facts come out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})-----")
_TYPES = {b"RSA PRIVATE KEY": "RSA", b"DSA PRIVATE KEY": "DSA", b"EC PRIVATE KEY": "EC"}
_OIDS = {
    bytes.fromhex("2a864886f70d010101"): "RSA",
    bytes.fromhex("2a864886f70d01010a"): "RSA",
    bytes.fromhex("2a8648ce380401"): "DSA",
    bytes.fromhex("2a8648ce3d0201"): "EC",
    bytes.fromhex("2b6570"): "Ed25519",
    bytes.fromhex("2b6571"): "Ed448",
    bytes.fromhex("2b656e"): "X25519",
    bytes.fromhex("2b656f"): "X448",
}
_CURVES = {
    bytes.fromhex("2a8648ce3d030107"): "P-256",
    bytes.fromhex("2b81040022"): "P-384",
    bytes.fromhex("2b81040023"): "P-521",
    bytes.fromhex("2b81040021"): "P-224",
    bytes.fromhex("2b8104000a"): "secp256k1",
    bytes.fromhex("2b2403030208010107"): "brainpoolP256r1",
    bytes.fromhex("2b240303020801010b"): "brainpoolP384r1",
    bytes.fromhex("2b240303020801010d"): "brainpoolP512r1",
    bytes.fromhex("2b060104019755010501"): "Curve25519",
}
_SSH_CURVES = {"P-256": b"nistp256", "P-384": b"nistp384", "P-521": b"nistp521"}
_POINTS = {"P-256": 65, "P-384": 97, "P-521": 133}
"""The bytes of an uncompressed point (SEC 1, section 2.3.3), of the curves that SSH knows."""
_SSH_TYPES = (
    (b"ssh-ed25519", "Ed25519"),
    (b"ssh-ed448", "Ed448"),
    (b"ssh-rsa", "RSA"),
    (b"ecdsa-sha2", "EC"),
    (b"ssh-dss", "DSA"),
)
_LINE_END = re.compile(rb"\r?\n|(?:\\r)?\\n|\\r|\r")
_JOIN = re.compile(rb"""(?:\\r)?(?:\\n)?["'][ \t]*+[+.,\\]?+\s*+[+.]?+[ \t]*+[bBrRuU@]?+["']""")
"""What stands between two string literals that source code puts together, line by line. Nothing is ever given back:
three repeats in a row that take blanks would otherwise divide them in cubic time."""
_OWNER = re.compile(r"[\w.+-]{1,64}@([\w.-]{0,99}\w)", re.ASCII)
_LOCAL = re.compile(r"[^.]*|.*\.(?:internal|lan|local|localdomain|home|corp|\d+)")
"""Names of hosts that no mail goes to."""
_PGP_NUMBERS = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4}
"""How many numbers the public part has, by algorithm: RSA, Elgamal, DSA. Curves have an object identifier and one."""
_PGP_TYPES = {1: "RSA", 2: "RSA", 3: "RSA", 16: "Elgamal", 17: "DSA", 18: "EC", 19: "EC", 22: "Ed25519", 25: "X25519"}
_PGP_TYPES |= {26: "X448", 27: "Ed25519", 28: "Ed448"}
_PGP_FIXED = {25: 32, 26: 56, 27: 32, 28: 57}

_MOST_BITS = 16384
"""The size above which a number is only measured: OpenSSH and OpenSSL take no larger modulus either."""
_MOST_DSA_BITS = 4096
_CUT = "the data ends before the key does"
_APART = "public and private half do not belong together"

Pairs = list[tuple[str, str]]


class _Key(NamedTuple):
    """What is known of a key; `public` is its public half in the wire form of SSH, `sound` that nothing contradicts."""

    kind: str = ""
    size: int = 0
    curve: str = ""
    public: bytes = b""
    sound: bool = True


def private_key(value: bytes) -> Pairs | None:
    """A private key whose body is base64 of the structure that its first line names: type, size, public half, owner.

    The fingerprint is that of OpenSSH (`ssh-keygen -lf`), of a PGP key its own. A key that contradicts itself is told
    to (`problems`) and not dropped, for damaged keys are real ones.

    Sources: RFC 7468, RFC 8017 (appendix A.1.2), RFC 5915, RFC 5958, RFC 8410, RFC 9580; RFC 4253 (section 6.6),
    RFC 5656 and RFC 8709 for the wire form; PROTOCOL.key of OpenSSH; PuTTY's manual, appendix C.
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
        return _facts(_Key(_TYPES.get(label[1], "")), encrypted=True)
    return _pem(label[1], raw) if raw[0] == 0x30 else None


def private_key_base64(value: bytes) -> Pairs | None:
    """Base64 of a whole PEM or OpenSSH private key, as kubeconfig files and pipelines hold it."""
    return private_key(_decoded(value))


def service_account(value: bytes, facts: dict[str, str]) -> Pairs | None:
    """The private key of a Google service account, as its JSON file holds it (line ends written `\\n`).

    Where the file does not name the project, the account's address does, of those that a project's users made.

    Source: https://cloud.google.com/iam/docs/service-account-types
    """
    found = private_key(value)
    project, _, domain = facts.get("email", "").partition("@")[2].partition(".iam.")
    if found and domain == "gserviceaccount.com" and "project" not in facts:
        found.append(("project", project))
    return found


# --- what is told ---------------------------------------------------------------------------------------------------


def _facts(key: _Key, *, encrypted: bool, problems: Sequence[str] = (), more: Pairs | None = None) -> Pairs:
    size, fingerprint = str(key.size or ""), _fingerprint(key.public)
    facts = [("key_type", key.kind), ("algorithm", key.curve), ("key_size", size)]
    facts += [("encrypted", "yes" if encrypted else "no"), ("public_key", fingerprint), *(more or [])]
    facts.append(("problems", "; ".join([*problems, *([] if key.sound else [_APART])])))
    return [fact for fact in facts if fact[1]]


def _fingerprint(public: bytes) -> str:
    """As `ssh-keygen -l` prints it."""
    digest = base64.b64encode(hashlib.sha256(public).digest()).rstrip(b"=")
    return f"SHA256:{digest.decode()}" if public else ""


def _owner(comment: bytes) -> Pairs:
    """Whose key it is, if the comment says so: a mail address, or a user and a host, as ssh-keygen writes by itself."""
    found = _OWNER.fullmatch(comment.decode("latin-1"))
    if not found:
        return []
    return [("user" if _LOCAL.fullmatch(found[1].lower()) else "email", found[0])]


# --- the public half of each type -----------------------------------------------------------------------------------


def _rsa(modulus: int, exponent: int, first: int = 0, second: int = 0) -> _Key:
    size = modulus.bit_length()
    if not 0 < size <= _MOST_BITS:
        return _Key("RSA" if size else "", size)
    fits = first.bit_length() + second.bit_length() - size in (0, 1) and first * second == modulus
    public = _wire(b"ssh-rsa", _mpint(exponent), _mpint(modulus))
    return _Key("RSA", size, public=public, sound=fits or not (first and second))


def _dsa(prime: int, order: int, base: int, public: int) -> _Key:
    size = prime.bit_length()
    if not public or size > _MOST_BITS:
        return _Key("DSA", size)
    return _Key("DSA", size, public=_wire(b"ssh-dss", *map(_mpint, (prime, order, base, public))))


def _ec(curve: str, point: bytes, scalar: bytes) -> _Key:
    if curve not in _SSH_CURVES:
        return _Key("EC", curve=curve)
    derived = _point(curve, int.from_bytes(scalar))
    if len(point) != _POINTS[curve] or point[0] != 4:
        point = derived
    name = _SSH_CURVES[curve]
    public = _wire(b"ecdsa-sha2-" + name, name, point) if point else b""
    return _Key("EC", curve=curve, public=public, sound=not derived or derived == point)


def _ed25519(seed: bytes, public: bytes) -> _Key:
    derived = _ed25519_public(seed)
    public = public if len(public) == 32 else derived
    wire = _wire(b"ssh-ed25519", public) if public else b""
    return _Key("Ed25519", public=wire, sound=not derived or derived == public)


def _point(curve: str, scalar: int) -> bytes:
    """The public point of a scalar, uncompressed; empty if there is none, or no library to compute it."""
    if scalar.bit_length() > 521:
        return b""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        return b""
    curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    try:
        numbers = ec.derive_private_key(scalar, curves[curve]).public_key().public_numbers()
    except (ValueError, UnsupportedAlgorithm):
        return b""
    width = _POINTS[curve] // 2
    return b"\x04" + numbers.x.to_bytes(width) + numbers.y.to_bytes(width)


def _ed25519_public(seed: bytes) -> bytes:
    """The public half of a seed (RFC 8032); empty if it has not 32 bytes, or there is no library to compute it."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        return b""
    try:
        return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    except (ValueError, UnsupportedAlgorithm):
        return b""


# --- PEM ------------------------------------------------------------------------------------------------------------


def _body(text: bytes) -> tuple[bytes, bytes]:
    """The header lines of an armoured block, and its data."""
    headers, data = [], []
    for line in _LINE_END.split(_JOIN.sub(b"\n", text)):
        line = line.strip().rstrip(b"\\").rstrip()
        if b":" in line:
            headers.append(line)
        elif not line.startswith(b"="):
            data.append(line)
    return b"\n".join(headers), _decoded(re.sub(rb"\s", b"", b"".join(data)))


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""


def _pem(label: bytes, raw: bytes) -> Pairs:
    """A key in DER. Its structure says what it is: labels are often wrong."""
    parts = _inside(raw)
    tags = [tag for tag, _ in parts]
    if tags[:1] == [0x30] or (label.startswith(b"ENCRYPTED") and tags[:1] != [2]):
        return _facts(_Key(), encrypted=True)
    if tags[1:3] == [0x30, 4]:
        key = _pkcs8(parts)
    elif tags[1:2] == [4]:
        key = _sec1(parts)
    else:
        key = _numbers([int.from_bytes(content) for tag, content in parts if tag == 2], _TYPES.get(label, ""))
    if not key.kind:
        key = key._replace(kind=_TYPES.get(label, ""))
    if not _cut(raw):
        return _facts(key, encrypted=False)
    if key.kind != "RSA":  # its public half may be computed of a part of the private one
        key = key._replace(public=b"", sound=True)
    return _facts(key, encrypted=False, problems=[_CUT])


def _numbers(numbers: list[int], kind: str) -> _Key:
    """A key that is a row of numbers, a version first: RSA (PKCS#1) or DSA (OpenSSL). The last one may be cut short."""
    if kind == "DSA":
        return _dsa(*numbers[1:5]) if len(numbers) > 5 else _Key(kind)
    if len(numbers) < 4:
        return _Key(kind)
    primes = numbers[4:6] if len(numbers) > 6 and numbers[0] == 0 else []
    return _rsa(numbers[1], numbers[2], *primes)


def _sec1(parts: list[tuple[int, bytes]], curve: bytes = b"") -> _Key:
    """A key on a curve (RFC 5915); within PKCS#8 the curve is named outside of it."""
    optional = dict(parts[2:])
    named = _items(optional.get(0xA0, b""))
    shown = _items(optional.get(0xA1, b""))
    name = _CURVES.get(named[0][1] if named else curve, "")
    return _ec(name, shown[0][1][1:] if shown else b"", parts[1][1])


def _pkcs8(parts: list[tuple[int, bytes]]) -> _Key:
    """A key of any type (RFC 5958): version, algorithm, private half, and perhaps the public one (RFC 8410)."""
    (_, algorithm), (_, private) = parts[1:3]
    names = _items(algorithm)
    kind = _OIDS.get(names[0][1], "") if names else ""
    parameters = names[1][1] if len(names) > 1 else b""
    held = _items(private)
    if kind == "RSA":
        return _numbers([int.from_bytes(content) for tag, content in _inside(private) if tag == 2], kind)
    if kind == "EC" and len(_inside(private)) > 1:
        return _sec1(_inside(private), parameters)
    if kind == "Ed25519" and held:
        return _ed25519(held[0][1], dict(parts[3:]).get(0x81, b"")[1:])
    numbers = [int.from_bytes(content) for _, content in (*_items(parameters), *held)]
    if kind == "DSA" and len(numbers) == 4:
        prime, order, base, secret = numbers
        modest = 1 < prime.bit_length() <= _MOST_DSA_BITS and secret.bit_length() <= 512 and base < prime
        return _dsa(prime, order, base, pow(base, secret, prime) if modest else 0)
    return _Key(kind)


def _items(data: bytes) -> list[tuple[int, bytes]]:
    """The first things that stand one after the other in DER (X.690), as tag and content; the last may be cut short."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at + 2 <= len(data) and len(found) < 12:
        start, size = _extent(data, at)
        found.append((data[at], data[start : start + size]))
        at = start + size
    return found


def _inside(data: bytes) -> list[tuple[int, bytes]]:
    found = _items(data)
    return _items(found[0][1]) if found else []


def _cut(data: bytes) -> bool:
    return sum(_extent(data, 0)) > len(data)


def _extent(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of what begins there begins, and how long it says it is."""
    start, size = at + 2, data[at + 1]
    if size & 0x80:
        octets = size & 0x7F
        return start + octets, int.from_bytes(data[start : start + octets])
    return start, size


# --- SSH ------------------------------------------------------------------------------------------------------------


def _strings(data: bytes, most: int = 9) -> list[bytes]:
    """The first strings, each behind its length (RFC 4251, section 5), that are there as a whole."""
    found: list[bytes] = []
    at = 0
    while len(found) < most and at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        if end > len(data):
            break
        found.append(data[at + 4 : end])
        at = end
    return found


def _wire(*values: bytes) -> bytes:
    return b"".join(len(value).to_bytes(4) + value for value in values)


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1) if number else b""


def _ssh_key(public: bytes) -> _Key:
    """A public key as SSH sends it."""
    fields = [*_strings(public), *[b""] * 3]
    kind = next((kind for name, kind in _SSH_TYPES if name in fields[0]), "")
    number = fields[2] if kind == "RSA" else fields[1] if kind == "DSA" else b""
    curve = next((curve for curve, name in _SSH_CURVES.items() if kind == "EC" and name == fields[1]), "")
    return _Key(kind, int.from_bytes(number).bit_length(), curve, public if kind else b"")


def _openssh(raw: bytes) -> Pairs | None:
    """OpenSSH's own format: the public half stands in clear, the private one says the public one again, if readable."""
    if not raw.startswith(b"openssh-key-v1\0"):
        return None
    lock = _strings(raw[15:], 3)
    keys = _strings(raw[15 + len(_wire(*lock)) + 4 :], 2)
    if len(lock) < 3 or not keys:
        return None
    key, encrypted = _ssh_key(keys[0]), lock[0] != b"none"
    more: Pairs = [("type", "handle of a FIDO security key")] if keys[0][4:7] == b"sk-" else []
    if len(keys) < 2:
        return _facts(key, encrypted=encrypted, problems=[_CUT], more=more)
    if encrypted:
        return _facts(key, encrypted=True, more=more)
    problems = ["its two check numbers differ"] if keys[1][:4] != keys[1][4:8] else []
    again, comment = _openssh_private(_strings(keys[1][8:]))
    sound = again is None or (again.sound and again.public in (b"", key.public))
    return _facts(key._replace(sound=sound), encrypted=False, problems=problems, more=[*more, *_owner(comment)])


def _openssh_private(fields: list[bytes]) -> tuple[_Key | None, bytes]:
    """The key that the private half is of, with the comment behind it."""
    name = fields[0] if fields else b""
    if name == b"ssh-ed25519" and len(fields) > 3:
        return _ed25519(fields[2][:32], fields[2][32:]), fields[3]
    if name == b"ssh-rsa" and len(fields) > 7:
        modulus, exponent, _, _, first, second = map(int.from_bytes, fields[1:7])
        return _rsa(modulus, exponent, first, second), fields[7]
    if name == b"ssh-dss" and len(fields) > 6:
        return _dsa(*map(int.from_bytes, fields[1:5])), fields[6]
    if name.startswith(b"ecdsa-sha2-") and len(fields) > 4:
        curve = next((curve for curve, ssh in _SSH_CURVES.items() if ssh == fields[1]), "")
        return _ec(curve, fields[2], fields[3]), fields[4]
    return None, b""


def _putty(value: bytes) -> Pairs | None:
    """PuTTY's format: lines `Name: text`, of which two say how many lines of base64 follow."""
    lines = iter(value.splitlines())
    fields = dict(_putty_field(line, lines) for line in lines)
    kind = next(iter(fields.values()), b"")
    public, private = _decoded(fields.get(b"Public-Lines", b"")), _decoded(fields.get(b"Private-Lines", b""))
    if len(private) < 20:
        return None
    key = _ssh_key(public)
    if not key.kind:
        key = _Key(next((known for name, known in _SSH_TYPES if name in kind), ""))
    locked, comment = fields.get(b"Encryption", b""), fields.get(b"Comment", b"")
    if locked != b"none":
        return _facts(key, encrypted=True, more=_owner(comment))
    covered = _wire(kind, locked, comment, public, private)
    if b"Private-MAC" not in fields:  # version 1
        return _facts(key, encrypted=False, more=_owner(comment))
    if _putty_mac(value[20:21], covered) == fields[b"Private-MAC"]:
        return _facts(key, encrypted=False, more=[*_owner(comment), ("checksum", "valid")])
    return _facts(key, encrypted=False, problems=["its MAC does not fit"], more=_owner(comment))


def _putty_field(line: bytes, lines: Iterator[bytes]) -> tuple[bytes, bytes]:
    name, _, text = line.partition(b": ")
    if name in (b"Public-Lines", b"Private-Lines") and text.isdigit() and len(text) < 4:
        text = b"".join(row for _, row in zip(range(int(text)), lines, strict=False))
    return name, text


def _putty_mac(version: bytes, covered: bytes) -> bytes:
    """The MAC of a key without a passphrase; version 3 takes no key then, the older ones hash a fixed text."""
    if version == b"3":
        return hmac.new(b"", covered, "sha256").hexdigest().encode()
    fixed = hashlib.sha1(b"putty-private-key-file-mac-key", usedforsecurity=False).digest()
    return hmac.new(fixed, covered, "sha1").hexdigest().encode()


# --- PGP ------------------------------------------------------------------------------------------------------------


def _pgp(raw: bytes) -> Pairs | None:
    """Packets (RFC 9580): the first must be a secret key (tag 5, or 7 of a subkey), and one of them must hold a secret.

    A key whose secret part lies elsewhere (S2K 101 of GnuPG: on a smartcard, or left out) may have subkeys with theirs.
    """
    packets = list(_packets(raw))
    if not packets or packets[0][0] not in (5, 7):
        return None
    locks = [_pgp_lock(packet) for tag, packet in packets if tag in (5, 7)]
    held = [lock for lock in locks if lock]
    primary = packets[0][1]
    end = _pgp_public(primary)
    if not held or not end:
        return None
    key = _pgp_key(primary, end)
    created = datetime.fromtimestamp(int.from_bytes(primary[1:5]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    more = [("public_key", _pgp_fingerprint(primary[:end])), ("created", created)]
    names = [packet for tag, packet in packets if tag == 13]
    more += _owner(names[0].rpartition(b"<")[2].rstrip(b">")) if names else []
    return _facts(key, encrypted="no" not in held, more=more)


def _packets(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of the first packets (RFC 9580, section 4.2); the last may be cut short."""
    at = 0
    for _ in range(64):
        if at + 2 > len(raw) or not raw[at] & 0x80:
            return
        tag = raw[at] & 0x3F if raw[at] & 0x40 else raw[at] >> 2 & 0x0F
        if not raw[at] & 0x40:
            octets = 1 << (raw[at] & 3)
            start = at + 1 + (octets if octets < 8 else 0)
            size = int.from_bytes(raw[at + 1 : start]) if octets < 8 else len(raw)
        elif raw[at + 1] < 192:
            start, size = at + 2, raw[at + 1]
        elif raw[at + 1] < 224:
            start, size = at + 3, (raw[at + 1] - 192 << 8) + 192 + int.from_bytes(raw[at + 2 : at + 3])
        elif raw[at + 1] == 255:
            start, size = at + 6, int.from_bytes(raw[at + 2 : at + 6])
        else:
            return
        yield tag, raw[start : start + size]
        at = start + size


def _pgp_public(packet: bytes) -> int:
    """Where the public part of a key packet ends; 0 if it is none, or ends too early."""
    if len(packet) < 20 or packet[0] not in (4, 6):
        return 0
    algorithm, at = packet[5], 6 if packet[0] == 4 else 10
    if algorithm in _PGP_FIXED:
        at += _PGP_FIXED[algorithm]
    else:
        if algorithm not in _PGP_NUMBERS:
            at += 1 + packet[at]
        for _ in range(_PGP_NUMBERS.get(algorithm, 1)):
            at += 2 + (int.from_bytes(packet[at : at + 2]) + 7) // 8
        if algorithm == 18:
            at += 1 + (packet[at] if at < len(packet) else 0)
    return at if at < len(packet) else 0


def _pgp_lock(packet: bytes) -> str:
    """Whether the secret part is locked, told by the octet behind the public one: 0 is not; empty if there is none."""
    end = _pgp_public(packet)
    if not end or (packet[end] in (253, 254, 255) and b"\x65\x00GNU" in packet[end : end + 16]):
        return ""
    return "no" if packet[end] == 0 else "yes"


def _pgp_key(packet: bytes, end: int) -> _Key:
    algorithm, start = packet[5], 6 if packet[0] == 4 else 10
    kind = _PGP_TYPES.get(algorithm, "")
    if algorithm in _PGP_NUMBERS:
        return _Key(kind, int.from_bytes(packet[start : start + 2]))
    if kind == "EC":
        return _Key(kind, curve=_CURVES.get(packet[start + 1 : start + 1 + packet[start]], ""))
    return _Key(kind)


def _pgp_fingerprint(public: bytes) -> str:
    """Section 5.5.4: of version 4 SHA-1, of version 6 SHA-256, in capital letters as GnuPG shows it."""
    if public[0] == 4:
        return hashlib.sha1(b"\x99" + len(public).to_bytes(2) + public, usedforsecurity=False).hexdigest().upper()
    return hashlib.sha256(b"\x9b" + len(public).to_bytes(4) + public).hexdigest().upper()
