"""SCRAM, by which a client proves that it has a password, and a server that it knows it (RFC 5802, RFC 7677).

Without channel binding. The rounds that a server may ask for are bounded: they are work for this machine.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import stringprep
import unicodedata

from ..credential import UnaskedError

MOST_ROUNDS = 1_000_000
"""PostgreSQL has 4,096 by default, MongoDB 15,000."""


class Scram:
    """One exchange: `first`, the server's answer, `last`, the server's answer, `is_proved`."""

    def __init__(self, algorithm: str, user: str, password: str) -> None:
        self._algorithm = algorithm
        self._password = password.encode()
        self._nonce = secrets.token_urlsafe(24)
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self._nonce}"
        self._signature = b""

    def first(self) -> bytes:
        """What begins it."""
        return f"n,,{self._bare}".encode()

    def last(self, answer: bytes) -> bytes:
        """What proves the password, given the server's first answer."""
        said = answer.decode("ascii")
        fields = _fields(said)
        nonce, salt, rounds = fields["r"], base64.b64decode(fields["s"], validate=True), int(fields["i"])
        if not nonce.startswith(self._nonce) or nonce == self._nonce or not 1 <= rounds <= MOST_ROUNDS:
            raise UnaskedError("it does not keep to SCRAM, or asks for too much work")
        salted = hashlib.pbkdf2_hmac(self._algorithm, self._password, salt, rounds)
        bare = f"c={base64.b64encode(b'n,,').decode()},r={nonce}"
        message = f"{self._bare},{said},{bare}".encode()
        key = self._hmac(salted, b"Client Key")
        signature = self._hmac(hashlib.new(self._algorithm, key).digest(), message)
        self._signature = self._hmac(self._hmac(salted, b"Server Key"), message)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{bare},p={base64.b64encode(proof).decode()}".encode()

    def is_proved(self, answer: bytes) -> bool:
        """Whether the server knows the password, too, by its last answer."""
        told = base64.b64decode(_fields(answer.decode("ascii")).get("v", ""), validate=True)
        return bool(self._signature) and hmac.compare_digest(told, self._signature)

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self._algorithm)


def _fields(text: str) -> dict[str, str]:
    return {name: value for name, equals, value in (part.partition("=") for part in text.split(",")) if equals}


def prepared(password: str) -> str:
    """A password in the form that is hashed (SASLprep, RFC 4013); as it is where that allows it not."""
    if password.isascii():
        return password
    mapped = (" " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c))
    text = unicodedata.ucd_3_2_0.normalize("NFKC", "".join(mapped))
    forbidden = any(check(c) for c in text for check in _FORBIDDEN)
    return password if forbidden or not text else text


_FORBIDDEN = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)
