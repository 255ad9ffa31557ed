"""Password hashes: the scheme and the cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.detectors.checks import hashes


@pytest.mark.parametrize(
    ("value", "scheme", "cost"),
    [
        ("$y$j9T$salt$", "yescrypt", "4096,32"),
        ("$gy$j75$salt$", "yescrypt", "1024,8"),
        ("$y$jD5.$salt$", "yescrypt", ""),
        ("$7$CU..../....salt$", "scrypt", "16384,32,1"),
        ("scrypt:32768:8:1$salt$", "scrypt", "32768,8,1"),
        ("$6$salt$", "sha512-crypt", "5000"),
        ("$6$rounds=10000$salt$", "sha512-crypt", "10000"),
        ("$5$salt$", "sha256-crypt", "5000"),
        ("$1$salt$", "md5-crypt", "1000"),
        ("$apr1$salt$", "md5-apr1", "1000"),
        ("a" * 13, "des-crypt", "25"),
        ("$2y$12$", "bcrypt", "12"),
        ("$argon2id$v=19$m=65536,t=3,p=4$", "argon2", "65536,3,4"),
        ("pbkdf2_sha256$600000$", "pbkdf2", "600000"),
        ("pbkdf2:sha256:260000$", "pbkdf2", "260000"),
        ("{SSHA}", "ssha", ""),
        ("{SHA}", "sha1-base64", ""),
    ],
)
def test_a_hash_tells_its_scheme_and_its_cost(value: str, scheme: str, cost: str) -> None:
    """Where crypt(5) fixes the rounds they are told, too; one round of SHA has none to tell."""
    expected = [("scheme", scheme), *([("cost", cost)] if cost else [])]
    assert hashes.password_hash(value.encode()) == expected


@given(st.sampled_from([b"", b"$y$", b"$7$", b"$6$", b"$2a$"]), st.binary(max_size=100))
def test_any_bytes_are_answered(prefix: bytes, value: bytes) -> None:
    """Nothing is raised."""
    found = hashes.password_hash(prefix + value)
    assert found is None or found[0][0] == "scheme"
