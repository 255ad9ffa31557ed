"""What is said of private keys: held to OpenSSH, OpenSSL, GnuPG and PuTTY, whose keys are made when the tests run."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks.keys import Pairs, private_key, private_key_base64, service_account
from oakum.scanner import catalog
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.model import Match, Piece

needs_ssh_keygen = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="needs gpg")
with_puttygen = pytest.mark.skipif(not shutil.which("puttygen"), reason="no puttygen is installed")

APART = ("problems", "public and private half do not belong together")
CUT = ("problems", "the data ends before the key does")
OWNER = "jane@acme.example"
KINDS = {
    "rsa": (("key_type", "RSA"), ("key_size", "2048")),
    "dsa": (("key_type", "DSA"), ("key_size", "1024")),
    "ecdsa-256": (("key_type", "EC"), ("algorithm", "P-256")),
    "ecdsa-384": (("key_type", "EC"), ("algorithm", "P-384")),
    "ecdsa-521": (("key_type", "EC"), ("algorithm", "P-521")),
    "ed25519": (("key_type", "Ed25519"),),
}
BITS = {"rsa": "2048", "dsa": "1024"}
PKCS8, PKCS1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


def run(*command: str | Path, stdin: bytes = b"", **environment: str) -> bytes:
    """What a program prints."""
    done = subprocess.run(command, input=stdin, capture_output=True, check=True, env=os.environ | environment)
    return done.stdout


def armour(label: str, raw: bytes) -> bytes:
    """RFC 7468."""
    text = base64.encodebytes(raw).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----".encode()


def unarmour(value: bytes) -> bytes:
    """The data of a plain block."""
    return base64.b64decode(b"".join(value.splitlines()[1:-1]))


def der(tag: int, *contents: bytes) -> bytes:
    """A thing in DER (X.690); a tag of 2 takes a number's bytes."""
    content = b"".join(contents)
    size = len(content)
    octets = size.to_bytes(4) if size > 127 else b""
    return bytes([tag]) + (b"\x84" + octets if octets else bytes([size])) + content


def number(value: int) -> bytes:
    """An INTEGER."""
    return der(2, value.to_bytes(value.bit_length() // 8 + 1))


def wire(*values: bytes) -> bytes:
    """Strings as SSH sends them (RFC 4251)."""
    return b"".join(len(value).to_bytes(4) + value for value in values)


# --- OpenSSH --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SshKey:
    """A key pair that ssh-keygen made, with the fingerprint that it prints."""

    private: bytes
    public: bytes
    fingerprint: str


def ssh_keygen(folder: Path, kind: str, form: str = "RFC4716", passphrase: str = "") -> SshKey:
    """A fresh key."""
    name, _, bits = kind.partition("-")
    path = folder / "key"
    for old in (path, folder / "key.pub"):
        old.unlink(missing_ok=True)
    size = bits or BITS.get(kind, "256")
    try:
        run("ssh-keygen", "-q", "-t", name, "-b", size, "-m", form, "-N", passphrase, "-C", OWNER, "-f", path)
    except subprocess.CalledProcessError:
        pytest.skip(f"this ssh-keygen makes no {kind}")
    public = base64.b64decode((folder / "key.pub").read_bytes().split()[1])
    return SshKey(path.read_bytes().strip(), public, run("ssh-keygen", "-lf", folder / "key.pub").decode().split()[1])


@needs_ssh_keygen
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_ssh_keygen_makes_has_the_fingerprint_that_it_prints(kind: str, tmp_path: Path) -> None:
    """In OpenSSH's own format, as PKCS#8 and in the older forms; OpenSSH has Ed25519 in its own format only."""
    for form in ("RFC4716", "PEM", "PKCS8"):
        key = ssh_keygen(tmp_path, kind, form)
        own = b"OPENSSH" in key.private
        owner = [("email", OWNER)] if own else []
        assert private_key(key.private) == [
            *KINDS[kind],
            ("encrypted", "no"),
            ("public_key", key.fingerprint),
            *owner,
        ], form
        assert private_key_base64(base64.b64encode(key.private).rstrip(b"=")) == private_key(key.private)


@needs_ssh_keygen
@pytest.mark.parametrize("kind", KINDS)
def test_openssh_shows_the_public_half_of_a_key_under_a_passphrase(kind: str, tmp_path: Path) -> None:
    """Its comment is locked away; the other forms lock the public half, too, and PKCS#8 the type."""
    key = ssh_keygen(tmp_path, kind, passphrase="open sesame")
    assert private_key(key.private) == [*KINDS[kind], ("encrypted", "yes"), ("public_key", key.fingerprint)]
    if kind != "ed25519":
        older = private_key(ssh_keygen(tmp_path, kind, "PEM", "open sesame").private)
        assert older == [KINDS[kind][0], ("encrypted", "yes")]
        assert private_key(ssh_keygen(tmp_path, kind, "PKCS8", "open sesame").private) == [("encrypted", "yes")]


@needs_ssh_keygen
def test_what_contradicts_itself_in_an_openssh_key_is_told(tmp_path: Path) -> None:
    """The two check numbers, the public half that stands there three times, the seed it comes from, the end."""
    key = ssh_keygen(tmp_path, "ed25519")
    raw, half = unarmour(key.private), key.public[-32:]
    known = [("key_type", "Ed25519"), ("encrypted", "no"), ("public_key", key.fingerprint)]
    private = raw.index(key.public) + len(key.public) + 4
    seed = raw.rindex(half) - 32

    def damaged(at: int) -> Pairs | None:
        return private_key(armour("OPENSSH PRIVATE KEY", raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]))

    assert damaged(private) == [*known, ("email", OWNER), ("problems", "its two check numbers differ")]
    assert damaged(seed) == [*known, ("email", OWNER), APART]
    assert damaged(seed + 32) == [*known, ("email", OWNER), APART]
    assert private_key(armour("OPENSSH PRIVATE KEY", raw[: seed + 40])) == [*known, CUT]
    other = damaged(raw.index(half))
    assert other is not None
    assert [name for name, _ in other] == ["key_type", "encrypted", "public_key", "email", "problems"]
    assert other[-1] == APART
    assert other[2] != known[2]


@needs_ssh_keygen
@pytest.mark.parametrize("kind", ["rsa", "ecdsa-256"])
def test_a_public_half_of_another_key_is_told(kind: str, tmp_path: Path) -> None:
    """In OpenSSH's own format, where both halves stand."""
    one, other = ssh_keygen(tmp_path, kind), ssh_keygen(tmp_path, kind)
    mixed = unarmour(one.private).replace(wire(one.public), wire(other.public), 1)
    assert private_key(armour("OPENSSH PRIVATE KEY", mixed)) == [
        *KINDS[kind],
        ("encrypted", "no"),
        ("public_key", other.fingerprint),
        ("email", OWNER),
        APART,
    ]


def test_the_handle_of_a_security_key_is_no_whole_key() -> None:
    """PROTOCOL.u2f of OpenSSH: the private half never leaves the device."""
    public = wire(b"sk-ssh-ed25519@openssh.com", Random(1).randbytes(32), b"ssh:")
    raw = b"openssh-key-v1\0" + wire(b"none", b"none", b"") + (1).to_bytes(4) + wire(public, b"1234" * 2 + public)
    found = private_key(armour("OPENSSH PRIVATE KEY", raw))
    assert found is not None
    assert [fact for fact in found if fact[0] != "public_key"] == [
        ("key_type", "Ed25519"),
        ("encrypted", "no"),
        ("type", "handle of a FIDO security key"),
    ]


@pytest.mark.parametrize(
    ("comment", "fact"),
    [
        ("jane@acme.example", [("email", "jane@acme.example")]),
        ("jane.doe+git@acme.example", [("email", "jane.doe+git@acme.example")]),
        ("root@web1", [("user", "root@web1")]),
        ("jane@Laptop.local", [("user", "jane@Laptop.local")]),
        ("ec2-user@ip-10-0-0-1.ec2.internal", [("user", "ec2-user@ip-10-0-0-1.ec2.internal")]),
        ("root@10.0.0.1", [("user", "root@10.0.0.1")]),
        ("imported-openssh-key", []),
        ("a key of jane@acme.example", []),
        ("jane@acme.example\x1b[31m", []),
        ("j@" + "x" * 300, []),
    ],
)
def test_a_comment_says_whose_key_it_is_only_where_it_is_an_address(comment: str, fact: list[tuple[str, str]]) -> None:
    """A mail address, or a user and a host that no mail goes to."""
    public = wire(b"ssh-dss", b"\1", b"\1", b"\1", b"\1")
    private = b"1234" * 2 + wire(b"ssh-dss", b"\1", b"\1", b"\1", b"\1", b"\1", comment.encode())
    raw = b"openssh-key-v1\0" + wire(b"none", b"none", b"") + (1).to_bytes(4) + wire(public, private)
    found = private_key(armour("OPENSSH PRIVATE KEY", raw))
    assert found is not None
    assert [pair for pair in found if pair[0] in ("email", "user", "problems")] == fact


# --- PEM ------------------------------------------------------------------------------------------------------------


def fingerprint_of(public: bytes, folder: Path) -> str:
    """What ssh-keygen prints of a public key in its own line format."""
    path = folder / "public"
    path.write_bytes(public)
    return run("ssh-keygen", "-lf", path).decode().split()[1]


@needs_ssh_keygen
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: str(c.name))
def test_a_curve_key_without_its_public_half_has_the_same_fingerprint(curve: ec.EllipticCurve, tmp_path: Path) -> None:
    """RFC 5915 leaves the public half optional; the scalar gives it."""
    key = ec.generate_private_key(curve)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    scalar = key.private_numbers().private_value.to_bytes((curve.key_size + 7) // 8)
    oid = {256: "2a8648ce3d030107", 384: "2b81040022", 521: "2b81040023"}[curve.key_size]
    named = der(6, bytes.fromhex(oid))
    expected = [
        ("key_type", "EC"),
        ("algorithm", f"P-{curve.key_size}"),
        ("encrypted", "no"),
        ("public_key", fingerprint_of(public, tmp_path)),
    ]
    short = der(0x30, number(1), der(4, scalar))
    pkcs8 = der(0x30, number(0), der(0x30, der(6, bytes.fromhex("2a8648ce3d0201")), named), der(4, short))
    assert private_key(armour("EC PRIVATE KEY", der(0x30, number(1), der(4, scalar), der(0xA0, named)))) == expected
    assert private_key(armour("PRIVATE KEY", pkcs8)) == expected
    whole = pem(key)
    assert private_key(whole) == expected
    other = unarmour(whole).replace(scalar, scalar[:-1] + bytes([scalar[-1] ^ 1]))
    assert private_key(armour("PRIVATE KEY", other)) == [*expected, APART]


@needs_openssl
@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        ("ED448", [("key_type", "Ed448")]),
        ("X25519", [("key_type", "X25519")]),
        ("X448", [("key_type", "X448")]),
        ("EC -pkeyopt ec_paramgen_curve:secp256k1", [("key_type", "EC"), ("algorithm", "secp256k1")]),
        ("EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", [("key_type", "EC"), ("algorithm", "brainpoolP256r1")]),
        ("EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", [("key_type", "EC")]),
    ],
)
def test_a_key_of_another_type_has_no_fingerprint(arguments: str, facts: list[tuple[str, str]]) -> None:
    """SSH has no form for it, or OpenSSL does not name the curve."""
    key = run("openssl", "genpkey", "-algorithm", *arguments.split()).strip()
    assert private_key(key) == [*facts, ("encrypted", "no")]


@needs_openssl
@needs_ssh_keygen
def test_an_ed25519_key_of_openssl_has_the_fingerprint_of_its_public_half(tmp_path: Path) -> None:
    """RFC 8410 keeps the seed alone; with the public half behind it (version 2), that one must fit."""
    key = run("openssl", "genpkey", "-algorithm", "ED25519").strip()
    half = run("openssl", "pkey", "-pubout", "-outform", "DER", stdin=key)[-32:]
    line = b"ssh-ed25519 " + base64.b64encode(wire(b"ssh-ed25519", half))
    expected = [
        ("key_type", "Ed25519"),
        ("encrypted", "no"),
        ("public_key", fingerprint_of(line, tmp_path)),
    ]
    assert private_key(key) == expected
    inside = unarmour(key)[2:]
    assert private_key(armour("PRIVATE KEY", der(0x30, inside, der(0x81, b"\0" + half)))) == expected
    other = private_key(armour("PRIVATE KEY", der(0x30, inside, der(0x81, b"\0" + half[::-1]))))
    assert other is not None
    assert other[-1] == APART


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key of 2048 bits."""
    return rsa.generate_private_key(65537, 2048)


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    form: serialization.PrivateFormat = PKCS8,
    passphrase: bytes = b"",
) -> bytes:
    """A key in PEM."""
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, lock).strip()


def test_a_wrong_label_does_not_matter(rsa_key: rsa.RSAPrivateKey) -> None:
    """What a key is, its structure says; people write labels by hand."""
    expected = private_key(pem(rsa_key))
    plain, older, locked = (
        unarmour(pem(rsa_key)),
        unarmour(pem(rsa_key, PKCS1)),
        unarmour(pem(rsa_key, passphrase=b"open sesame")),
    )
    for label in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"):
        assert private_key(armour(label, plain)) == expected
        assert private_key(armour(label, older)) == expected
        assert private_key(armour(label, locked)) == [("encrypted", "yes")]


def test_an_rsa_key_whose_modulus_is_not_the_product_of_its_primes_is_told(rsa_key: rsa.RSAPrivateKey) -> None:
    """Made-up numbers look like that, damaged keys too: nothing is dropped."""
    known = private_key(pem(rsa_key))
    first = rsa_key.private_numbers().p.to_bytes(128)
    for form in (PKCS8, PKCS1):
        raw = unarmour(pem(rsa_key, form)).replace(first, first[:-1] + bytes([first[-1] ^ 2]))
        assert known is not None
        assert private_key(armour("RSA PRIVATE KEY", raw)) == [*known, APART]


def test_a_key_that_was_cut_short_is_told(rsa_key: rsa.RSAPrivateKey) -> None:
    """What stands whole before the cut counts; of half a scalar nothing is computed."""
    known = private_key(pem(rsa_key))
    assert known is not None
    for form in (PKCS8, PKCS1):
        raw = unarmour(pem(rsa_key, form))
        assert private_key(armour("RSA PRIVATE KEY", raw[:900])) == [*known, CUT]
        assert private_key(armour("RSA PRIVATE KEY", raw[:200])) == [("key_type", "RSA"), ("encrypted", "no"), CUT]
    curve = pem(ec.generate_private_key(ec.SECP256R1()))
    assert private_key(armour("PRIVATE KEY", unarmour(curve)[:55])) == [
        ("key_type", "EC"),
        ("algorithm", "P-256"),
        ("encrypted", "no"),
        CUT,
    ]


def hurtful() -> Iterator[tuple[str, bytes, Pairs]]:
    """Keys of about 64 KiB that are made to take long."""
    rng = Random(1)

    def large(bits: int) -> bytes:
        return number(rng.getrandbits(bits) | 1 << (bits - 1) | 1)

    numbers = (number(0), large(100_000), number(3), large(100_000), large(50_000), large(50_000), number(3) * 3)
    yield "RSA PRIVATE KEY", der(0x30, *numbers), [("key_type", "RSA"), ("key_size", "100000"), ("encrypted", "no")]
    group = der(0x30, large(150_000), large(150_000), large(149_000))
    dsa = der(0x30, der(6, bytes.fromhex("2a8648ce380401")), group)
    facts = [("key_type", "DSA"), ("key_size", "150000"), ("encrypted", "no")]
    yield "PRIVATE KEY", der(0x30, number(0), dsa, der(4, large(512))), facts
    scalar = der(4, large(300_000)[6:])
    curve = der(0x30, number(1), scalar, der(0xA0, der(6, bytes.fromhex("2b81040023"))))
    yield "EC PRIVATE KEY", curve, [("key_type", "EC"), ("algorithm", "P-521"), ("encrypted", "no")]
    yield "PRIVATE KEY", der(0x30, rng.randbytes(8), b"\x02\x00" * 20_000), [("encrypted", "no")]


@pytest.mark.parametrize(("label", "raw", "facts"), list(hurtful()))
def test_a_key_that_is_made_to_take_long_does_not(label: str, raw: bytes, facts: Pairs) -> None:
    """Numbers above 16384 bits are measured, and no more; 4096 of DSA."""
    begun = time.process_time()
    assert private_key(armour(label, raw)) == facts
    assert time.process_time() - begun < 0.5


# --- PuTTY ----------------------------------------------------------------------------------------------------------


@pytest.mark.long
@with_puttygen
@pytest.mark.parametrize("version", ["2", "3"])
@pytest.mark.parametrize("kind", ["rsa", "ecdsa-256", "ed25519"])
def test_a_key_that_puttygen_makes_has_the_fingerprint_that_it_prints(kind: str, version: str, tmp_path: Path) -> None:
    """Under a passphrase, too; without one its MAC can be computed, which proves the file whole."""
    name, _, bits = kind.partition("-")
    path, passphrase = tmp_path / "key.ppk", tmp_path / "passphrase"
    for text in ("", "open sesame"):
        passphrase.write_text(text)
        run(
            *("puttygen", "-q", "-t", name, "-b", bits or BITS.get(kind, "255"), "-C", OWNER, "-o", path),
            *("--new-passphrase", passphrase, "--ppk-param", f"version={version}"),
        )
        fingerprint = run("puttygen", "-l", path).decode().split()[2]
        known = [("public_key", fingerprint), ("email", OWNER)]
        value = path.read_bytes().strip()
        if text:
            assert private_key(value) == [*KINDS[kind], ("encrypted", "yes"), *known]
            continue
        known = [*KINDS[kind], ("encrypted", "no"), *known]
        assert private_key(value) == [*known, ("checksum", "valid")]
        assert private_key(value.replace(b"\n", b"\r\n")) == [*known, ("checksum", "valid")]
        other = value.replace(OWNER.encode(), b"joan@acme.example")
        changed = [*known[:-1], ("email", "joan@acme.example"), ("problems", "its MAC does not fit")]
        assert private_key(other) == changed
        path.unlink()


# --- PGP ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpg_home() -> Iterator[str]:
    """A home of GnuPG's own: a short path, for sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="gpg") as home:
        yield home
        run("gpgconf", "--kill", "all", GNUPGHOME=home)


def gpg(home: str, *arguments: str) -> bytes:
    """What GnuPG prints."""
    fixed = ("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase")
    return run(*fixed, *arguments, GNUPGHOME=home)


@needs_gpg
@pytest.mark.parametrize(
    ("algorithm", "facts"),
    [
        pytest.param("rsa2048", [("key_type", "RSA"), ("key_size", "2048")], marks=pytest.mark.long),
        ("ed25519", [("key_type", "Ed25519")]),
        pytest.param("nistp256", [("key_type", "EC"), ("algorithm", "P-256")], marks=pytest.mark.long),
    ],
)
@pytest.mark.long
def test_a_pgp_key_has_the_fingerprint_that_gnupg_shows(
    algorithm: str, facts: list[tuple[str, str]], gpg_home: str
) -> None:
    """With its owner and its time. GnuPG leaves the primary key's secret out where only subkeys are asked for: the same
    is told as long as there are any."""
    for passphrase in ("", "open sesame"):
        user = f"{algorithm}{len(passphrase)}@acme.example"
        gpg(gpg_home, passphrase, "--quick-generate-key", f"Jane Doe <{user}>", algorithm, "sign", "never")
        rows = [row.split(":") for row in gpg(gpg_home, "", "-K", "--with-colons", user).decode().splitlines()]
        made = next(int(row[5]) for row in rows if row[0] == "sec")
        fingerprint = next(row[9] for row in rows if row[0] == "fpr")
        expected = [
            *facts,
            ("encrypted", "yes" if passphrase else "no"),
            ("public_key", fingerprint),
            ("created", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made))),
            ("email", user),
        ]
        assert private_key(gpg(gpg_home, passphrase, "--armor", "--export-secret-keys", user).strip()) == expected
        assert private_key(gpg(gpg_home, passphrase, "--armor", "--export-secret-subkeys", user).strip()) is None
        gpg(gpg_home, passphrase, "--quick-add-key", fingerprint, "ed25519", "sign", "never")
        assert private_key(gpg(gpg_home, passphrase, "--armor", "--export-secret-subkeys", user).strip()) == expected


@pytest.mark.parametrize(
    ("public", "facts"),
    [
        (
            "04 53f35f0b 16 092b06010401da470f01 0107 40"
            "3f098994bdd916ed4053197934e4a87c80733a1280d62f8010992e43ee3b2406",
            [
                ("public_key", "C959BDBAFA32A2F89A153B678CFDE12197965A9A"),
                ("created", "2014-08-19T14:28:27Z"),
            ],
        ),
        (
            "06 63877fe3 1b 00000020 f94da7bb48d60a61e567706a6587d0331999bb9d891a08242ead84543df895a3",
            [
                ("public_key", "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9"),
                ("created", "2022-11-30T16:08:03Z"),
            ],
        ),
    ],
)
def test_a_pgp_fingerprint_is_that_of_the_standard(public: str, facts: list[tuple[str, str]]) -> None:
    """RFC 9580, appendix A.1 and A.3; the secret part is made up, as the fingerprint does not cover it."""
    packet = bytes.fromhex(public) + b"\0" + Random(1).randbytes(40)
    value = armour("PGP PRIVATE KEY BLOCK", bytes([0xC5, len(packet)]) + packet)
    assert private_key(value) == [("key_type", "Ed25519"), ("encrypted", "no"), *facts]


# --- Google ---------------------------------------------------------------------------------------------------------

GOOGLE = [d for d in catalog.load() if d.id in ("google-service-account-key", "privatekey-pem")]
ENGINE = Engine(GOOGLE, AhoCorasick(GOOGLE))
ACCOUNT = {
    "type": "service_account",
    "project_id": "acme-prod",
    "private_key_id": "0123456789" * 4,
    "client_email": "deploy@acme-prod.iam.gserviceaccount.com",
    "client_id": "1" * 21,
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/deploy%40acme-prod",
    "universe_domain": "googleapis.com",
}
TOLD = {
    "type": "service account",
    "email": ACCOUNT["client_email"],
    "project": "acme-prod",
    "key_id": ACCOUNT["private_key_id"],
    "client_id": ACCOUNT["client_id"],
}


def accounts(text: str) -> list[Match]:
    """The service accounts found in a text."""
    matches = ENGINE.search([Piece(text.encode())]).matches
    return [match for match in matches if match.detector == "google-service-account-key"]


@given(st.permutations(["private_key", *ACCOUNT]), st.sampled_from([None, 2, 4]), st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_a_service_account_is_told_whole_whatever_the_order_of_its_members(
    names: list[str], indent: int | None, seed: int
) -> None:
    """As a file, as a text within JSON, and between other objects."""
    secret = samples.build("google_service_account", Random(seed)).decode()
    members = {name: ACCOUNT.get(name, secret.replace("\\n", "\n")) for name in names}
    other = {"client_email": "other@acme-test.iam.gserviceaccount.com", "project_id": "acme-test"}
    file = json.dumps(members, indent=indent)
    key = dict(private_key(secret.encode()) or [])
    for text in (file, json.dumps(file), json.dumps([other, members, other], indent=indent)):
        found = accounts(text)
        assert [dict(match.facts) for match in found] == [TOLD | key]
        assert found[0].secret.reveal().decode().replace("\\\\n", "\\n") == secret


def test_a_service_account_whose_object_begins_too_far_away_is_found() -> None:
    """What stands behind the key is told then."""
    secret = samples.build("google_service_account", Random(1)).decode()
    start = '{"project_id": "acme-prod", "comment": "' + "x" * 3000 + '", "private_key": "'
    found = accounts(start + secret + '", "client_email": "deploy@acme-test.iam.gserviceaccount.com", "x": 1}')
    assert [dict(match.facts) for match in found] == [
        {
            "type": "service account",
            "email": "deploy@acme-test.iam.gserviceaccount.com",
            "project": "acme-test",
            **dict(private_key(secret.encode()) or []),
        }
    ]


@pytest.mark.parametrize(
    ("facts", "project"),
    [
        ({"email": "deploy@acme-prod.iam.gserviceaccount.com"}, ["acme-prod"]),
        ({"email": "deploy@acme-prod.iam.gserviceaccount.com", "project": "stated"}, []),
        ({"email": "deploy@acme-prod.acme.example.iam.gserviceaccount.com"}, ["acme-prod.acme.example"]),
        ({"email": "12345-compute@developer.gserviceaccount.com"}, []),
        ({}, []),
    ],
)
def test_an_account_that_users_made_names_its_project(facts: dict[str, str], project: list[str]) -> None:
    """Google's own accounts do not; what the file states goes first."""
    found = service_account(samples.build("google_service_account", Random(1)), facts)
    assert found is not None
    assert [value for name, value in found if name == "project"] == project
    assert service_account(b"no key", facts) is None


# --- laws -----------------------------------------------------------------------------------------------------------

BUILDERS = ["pem", "pem:RSA", "pem:EC", "pem:DSA", "pem_encrypted", "openssh_key", "putty_key", "pgp_key"]


@given(st.sampled_from(BUILDERS), st.integers(0, 2**32))
@settings(deadline=None)
def test_a_fresh_sample_contradicts_itself_nowhere(builder: str, seed: int) -> None:
    """So that what is shown in examples looks like what is found."""
    found = private_key(samples.build(builder, Random(seed)))
    assert found is not None
    assert "problems" not in dict(found)


@given(
    st.sampled_from(BUILDERS), st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=3)))
)
@settings(deadline=None)
def test_a_damaged_key_never_raises(builder: str, seed: int, damage: list[tuple[int, bytes]]) -> None:
    """Whatever is changed, in the text or in the structure within it."""
    value = samples.build(builder, Random(seed))
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", value.partition(b"KEY")[2].replace(b"\\n", b""))
    text, raw = bytearray(value), bytearray(base64.b64decode(letters[: len(letters) // 4 * 4]))
    for at, change in damage:
        text[at : at + 2] = change
        raw[at : at + 2] = change
    private_key(bytes(text))
    for label in ("PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):
        private_key(armour(label, bytes(raw)))


@given(
    st.sampled_from([b"\x30\x82\x01\x00", b"openssh-key-v1\0", b"\xc5\x70\x04", b"\x95\x01\x00\x06"]),
    st.binary(min_size=32),
)
@settings(deadline=None)
def test_no_bytes_raise(start: bytes, rest: bytes) -> None:
    """In any armour."""
    for label in ("PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):
        private_key(armour(label, start + rest))
    private_key(rest)
    private_key_base64(rest)
    private_key(b"PuTTY-User-Key-File-" + rest)


# --- the library ----------------------------------------------------------------------------------------------------


def test_without_the_library_fewer_facts_come_out(monkeypatch: pytest.MonkeyPatch, rsa_key: rsa.RSAPrivateKey) -> None:
    """Only what needs a multiplication on a curve is lost."""
    bare = samples.build("pem:EC", Random(1))
    whole = pem(ec.generate_private_key(ec.SECP256R1()))
    before = [private_key(value) for value in (bare, whole, pem(rsa_key))]
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    after = [private_key(value) for value in (bare, whole, pem(rsa_key))]
    assert after == [[("key_type", "EC"), ("algorithm", "P-256"), ("encrypted", "no")], *before[1:]]
    assert before[0] is not None
    assert [name for name, _ in before[0]] == ["key_type", "algorithm", "encrypted", "public_key"]


def test_the_library_is_imported_only_for_a_curve() -> None:
    """A scan that meets no private key, or none on a curve, does not pay for it."""
    program = (
        "import sys; from random import Random; from oakum.detectors import checks, samples\n"
        "loaded = lambda: any(name.partition('.')[0] == 'cryptography' for name in sys.modules)\n"
        "for builder in ('pem:RSA', 'pem:DSA', 'putty_key', 'pgp_key', 'pem:EC'):\n"
        "    assert checks.CHECKS['private_key'](samples.build(builder, Random(1))); print(builder, loaded())\n"
    )
    shown = run(sys.executable, "-c", program).decode().split("\n")
    assert shown == ["pem:RSA False", "pem:DSA False", "putty_key False", "pgp_key False", "pem:EC True", ""]
