"""How random a value looks: its Shannon entropy, against that of random text of the same alphabet and length.

Shannon entropy (C. E. Shannon, 1948) of a short text is far below the logarithm of its alphabet: 20 random letters of
base64 have about 4.1 bits a character, not 6. So it is put in relation to what random text of that length has.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter

_ALPHABETS = (
    (10, re.compile(rb"[0-9]+")),
    (16, re.compile(rb"[0-9a-f]+|[0-9A-F]+")),
    (36, re.compile(rb"[0-9a-z]+|[0-9A-Z]+")),
    (62, re.compile(rb"[0-9A-Za-z]+")),
    (65, re.compile(rb"[0-9A-Za-z+/=]+|[0-9A-Za-z_=-]+")),
)
_OTHER = 90
"""Characters of a typed password: letters, digits and signs."""


def shannon(value: bytes) -> float:
    """Shannon entropy in bits a byte; 0 for an empty value."""
    if not value:
        return 0.0
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


def alphabet(value: bytes) -> int:
    """The size of the smallest usual alphabet that holds the value: digits, hex, one case, alphanumeric, base64."""
    for size, pattern in _ALPHABETS:
        if pattern.fullmatch(value):
            return size
    return _OTHER


@functools.lru_cache(maxsize=4096)
def expected(length: int, letters: int) -> float:
    """The mean Shannon entropy, in bits a character, of random text of `length` characters over `letters` letters.

    Exact: letters * E[-(X/n) log2(X/n)] with X binomial (n, 1/letters).
    """
    total, p = 0.0, 1 / letters
    for count in range(1, length + 1):
        log = math.lgamma(length + 1) - math.lgamma(count + 1) - math.lgamma(length - count + 1)
        log += count * math.log(p) + (length - count) * math.log1p(-p)
        if log < -60 and count > length * p:
            break
        total -= letters * math.exp(log) * (count / length) * math.log2(count / length)
    return total


_BODY = re.compile(rb"[_.-]([A-Za-z0-9]{16,})\Z")


@functools.lru_cache(maxsize=4096)
def randomness(value: bytes) -> float:
    """Entropy as a share of what random text of this alphabet and length has: about 1 for a random key, less for words.

    Values longer than 512 bytes are judged by their first 512. Behind a prefix, the body is judged by itself too, and
    the better one counts: `acme_` and hexadecimal digits together look like poor base64.
    """
    value = value[:512]
    if len(value) < 2:
        return 0.0
    whole = shannon(value) / expected(len(value), alphabet(value))
    body = _BODY.search(value)
    return max(whole, randomness(body[1])) if body else whole
