"""Fresh, valid, made-up secrets: what detector files name in `sample`, so that no token stands in the repository.

A spec is a function of `BUILDERS` and its arguments: `alnum:20`, `hex:32`, `base64:64`. Without a spec, a value is
drawn from the group `secret` of the detector's pattern. Every builder takes the random source and its arguments as
text, and returns the bytes of one secret.
"""

from __future__ import annotations

import base64
import re
import string
import uuid
import zlib
from collections.abc import Callable
from random import Random
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

ALNUM = string.ascii_letters + string.digits
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def _text(rng: Random, alphabet: str, length: int) -> bytes:
    return "".join(rng.choice(alphabet) for _ in range(length)).encode()


def alnum(rng: Random, length: str) -> bytes:
    """Letters and digits."""
    return _text(rng, ALNUM, int(length))


def upper(rng: Random, length: str) -> bytes:
    """Capital letters and digits."""
    return _text(rng, string.ascii_uppercase + string.digits, int(length))


def lower(rng: Random, length: str) -> bytes:
    """Small letters and digits."""
    return _text(rng, string.ascii_lowercase + string.digits, int(length))


def digits(rng: Random, length: str) -> bytes:
    """Digits."""
    return _text(rng, string.digits, int(length))


def hexadecimal(rng: Random, length: str) -> bytes:
    """Small hexadecimal digits."""
    return _text(rng, "0123456789abcdef", int(length))


def base64_bytes(rng: Random, length: str) -> bytes:
    """Base64 (RFC 4648) of that many random bytes, padded."""
    return base64.b64encode(rng.randbytes(int(length)))


def base64url_bytes(rng: Random, length: str) -> bytes:
    """URL-safe base64 (RFC 4648) of that many random bytes, without padding."""
    return base64.urlsafe_b64encode(rng.randbytes(int(length))).rstrip(b"=")


def guid(rng: Random) -> bytes:
    """A random UUID (RFC 9562, version 4) in its usual form."""
    return str(uuid.UUID(bytes=rng.randbytes(16), version=4)).encode()


def password(rng: Random, length: str = "14") -> bytes:
    """A password of letters, digits and a few signs, as people are made to choose them."""
    body = [rng.choice(string.ascii_lowercase), rng.choice(string.ascii_uppercase), rng.choice(string.digits)]
    body += [rng.choice(ALNUM + "-_+") for _ in range(int(length) - 3)]
    rng.shuffle(body)
    return "".join(body).encode()


def from_pattern(pattern: str, rng: Random) -> bytes:
    """A random text that the group `secret` of a pattern takes; look-around inside it is left to the caller."""
    tree = sre_parser.parse(pattern.encode("ascii"))
    number = tree.state.groupdict["secret"]
    group = _find(list(tree), number)
    if group is None:
        raise ValueError("the pattern has no group (?P<secret>…)")
    return bytes(_draw(group, rng))


def _find(items: Any, number: int) -> Any:
    for op, av in items:
        if op is sre.SUBPATTERN and av[0] == number:
            return av[3]
        children = [av[3]] if op is sre.SUBPATTERN else av[1] if op is sre.BRANCH else []
        for child in children:
            found = _find(child, number)
            if found is not None:
                return found
    return None


def _draw(items: Any, rng: Random) -> list[int]:
    out: list[int] = []
    for op, av in items:
        if op is sre.LITERAL:
            out.append(av)
        elif op is sre.IN:
            taken = [b for b in range(33, 127) if _in_set(av, b)] or [32]
            out.append(rng.choice(taken))
        elif op in (sre.ANY, sre.NOT_LITERAL):
            out.append(rng.choice([ord(c) for c in ALNUM if op is sre.ANY or ord(c) != av]))
        elif op is sre.SUBPATTERN:
            out += _draw(av[3], rng)
        elif op is sre.ATOMIC_GROUP:
            out += _draw(av, rng)
        elif op is sre.BRANCH:
            out += _draw(rng.choice(av[1]), rng)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            for _ in range(rng.randint(av[0], av[1])):
                out += _draw(av[2], rng)
    return out


def _in_set(members: Any, byte: int) -> bool:
    negated = any(kind is sre.NEGATE for kind, _ in members)
    categories = {sre.CATEGORY_DIGIT: rb"\d", sre.CATEGORY_SPACE: rb"\s", sre.CATEGORY_WORD: rb"\w"}
    categories |= {sre.CATEGORY_NOT_DIGIT: rb"\D", sre.CATEGORY_NOT_SPACE: rb"\S", sre.CATEGORY_NOT_WORD: rb"\W"}
    found = any(
        (kind is sre.LITERAL and value == byte)
        or (kind is sre.RANGE and value[0] <= byte <= value[1])
        or (kind is sre.CATEGORY and re.match(categories[value], bytes([byte])) is not None)
        for kind, value in members
    )
    return found != negated


def crc32_base62(value: bytes, width: int) -> bytes:
    """CRC-32 (ISO-HDLC, as zlib's) of a value in base62, digits first, padded with zeros to `width`."""
    number, out = zlib.crc32(value), ""
    while number:
        number, digit = divmod(number, 62)
        out = BASE62[digit] + out
    return out.rjust(width, "0").encode()


def github(rng: Random, prefix: str) -> bytes:
    """A GitHub token: prefix, 30 letters and digits, their CRC-32 in six base62 digits.

    Source: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    body = _text(rng, ALNUM, 30)
    return prefix.encode() + b"_" + body + crc32_base62(body, 6)


def aws_access_key_id(rng: Random) -> bytes:
    """An AWS access key id: AKIA and 16 base32 characters."""
    return b"AKIA" + _text(rng, string.ascii_uppercase + "234567", 16)


BUILDERS: dict[str, Callable[..., bytes]] = {
    "alnum": alnum,
    "aws_access_key_id": aws_access_key_id,
    "base64": base64_bytes,
    "base64url": base64url_bytes,
    "digits": digits,
    "github": github,
    "guid": guid,
    "hex": hexadecimal,
    "lower": lower,
    "password": password,
    "upper": upper,
}


def build(spec: str, rng: Random) -> bytes:
    """One fresh secret for a spec such as `base64:64` or `github:ghp`; KeyError names an unknown builder."""
    name, _, arguments = spec.partition(":")
    return BUILDERS[name](rng, *(arguments.split(",") if arguments else ()))


_FILTERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "basic": lambda value: base64.b64encode(b"deploy:" + value),
}
_PLACE = re.compile(r"\{(secret|sample:[^{}|]+)((?:\|[a-z0-9]+)*)\}")


def fill(example: str, secret: bytes, rng: Random) -> bytes:
    """An example with its places filled: `{secret}`, and `{sample:SPEC}` for other made-up parts.

    A filter may stand behind either: `|base64`, or `|basic` for the base64 of `deploy:VALUE` (RFC 7617).
    """

    def value(place: re.Match[str]) -> str:
        found = secret if place[1] == "secret" else build(place[1].removeprefix("sample:"), rng)
        for name in place[2].split("|")[1:]:
            found = _FILTERS[name](found)
        return found.decode("latin-1")

    return _PLACE.sub(value, example).encode("latin-1")
