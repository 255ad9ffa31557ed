"""Checks on passwords, and on their hashes in the forms of crypt(3), Apache htpasswd and their successors."""

from __future__ import annotations

import re

_SCHEMES = (
    ("argon2", re.compile(rb"\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=(\d+),t=(\d+),p=(\d+)\$")),
    ("bcrypt", re.compile(rb"\$2[abxy]\$(\d\d)\$")),
    ("yescrypt", re.compile(rb"\$g?y\$")),
    ("scrypt", re.compile(rb"\$7\$|scrypt:(\d+):(\d+):(\d+)\$")),
    ("sha512-crypt", re.compile(rb"\$6\$(?:rounds=(\d+)\$)?")),
    ("sha256-crypt", re.compile(rb"\$5\$(?:rounds=(\d+)\$)?")),
    ("md5-apr1", re.compile(rb"\$apr1\$")),
    ("md5-crypt", re.compile(rb"\$1\$")),
    ("sha1-base64", re.compile(rb"\{SHA\}")),
    ("sha2-base64", re.compile(rb"\{SHA(?:256|512)\}")),
    ("ssha", re.compile(rb"\{SSHA\d{0,3}\}")),
    ("pbkdf2", re.compile(rb"pbkdf2_sha\d+\$(\d+)\$|pbkdf2:sha\d+:(\d+)\$|\$pbkdf2-sha\d+\$(\d+)\$")),
    ("mysql-native", re.compile(rb"\*[0-9A-F]{40}\Z")),
)
_FIXED = {"sha512-crypt": "5000", "sha256-crypt": "5000", "md5-crypt": "1000", "md5-apr1": "1000", "des-crypt": "25"}
"""Rounds where the form says nothing of them."""
_CRYPT64 = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_YESCRYPT = re.compile(rb"\$g?y\$[./A-Za-z0-9]([./0-9A-Z])([./0-9A-Za-j])\$")
"""Flavour, log2 of N less one, r less one, where each is one character; it is of values up to 47."""
_SCRYPT = re.compile(rb"\$7\$([./0-9A-Z])([./0-9A-Za-z]{5})([./0-9A-Za-z]{5})")
"""log2 of N, r and p, the last two of 30 bits, low ones first."""


def password_hash(value: bytes) -> list[tuple[str, str]] | None:
    """The scheme and the cost (rounds, log2 rounds of bcrypt, memory,time,lanes of argon2, N,r,p of scrypt).

    Sources: crypt(5); libxcrypt's crypt-yescrypt.c and crypt-scrypt.c; RFC 9106 for argon2; MySQL's
    mysql_native_password; https://httpd.apache.org/docs/2.4/misc/password_encryptions.html;
    https://docs.djangoproject.com/en/stable/topics/auth/passwords/
    """
    for scheme, pattern in _SCHEMES:
        found = pattern.match(value)
        if found:
            cost = ",".join(g.decode() for g in found.groups() if g) or _FIXED.get(scheme, "") or _crypt_cost(value)
            return [("scheme", scheme), *([("cost", cost)] if cost else [])]
    des = re.fullmatch(rb"[./0-9A-Za-z]{13}", value)
    return [("scheme", "des-crypt"), ("cost", _FIXED["des-crypt"])] if des else None


def _crypt_cost(value: bytes) -> str:
    """N,r of yescrypt and N,r,p of scrypt, in the alphabet of crypt."""
    if found := _YESCRYPT.match(value):
        power, r = (_CRYPT64.index(g) + 1 for g in found.groups())
        return f"{1 << power},{r}"
    if found := _SCRYPT.match(value):
        r, p = (sum(_CRYPT64.index(c) << 6 * at for at, c in enumerate(g)) for g in found.groups()[1:])
        return f"{1 << _CRYPT64.index(found[1])},{r},{p}"
    return ""


_CODE = re.compile(
    rb"\$\{|\{\{|\}\}|\{%|<%|\$\(|%\(|#\{|%\{|@\{|\[\[|\\[nrtdws]"  # templates, formats, patterns
    rb"|\{[\w.:!]{0,40}\}|%[-.0-9]{0,4}[sdvqrxi](?![A-Za-z0-9])|<[^<>]{1,80}>"
    rb"|[(\[]\Z|\A[^(]*+\(.*+(?<==)\Z|\A\^|\.\*|\[a-z|\[A-Z|\[0-9|\[\^"
    rb"|\A\$[A-Za-z_][\w:.>-]*\Z|\A%[A-Za-z_]\w*%?\Z|\A\$\d\Z|\A&[A-Za-z_]\w*\Z"  # variables
    rb"|\A[A-Za-z_$][\w.$:>-]*[(\[][^()\[\]]*[)\]]{1,2}\Z"  # calls and subscripts
    rb"|\A[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+\Z"  # members
    rb"|\A(?:https?|file|s3|ssh|vault|secretref|op|env|arn):|://|\A(?:\.{0,2}|~)/|\A[A-Za-z]:\\"  # places
    rb"|\A[\w.+-]+@[A-Za-z][\w-]*(?:\.[A-Za-z]{2,12})+\Z"  # mail addresses
    rb"|\A[#.@:&?*!-]++(?:[A-Za-z_-]++[=:]?|(?<=.-)=?|(?<=.-:))\Z|[?&]\w+=",  # selectors, options, query strings
    re.DOTALL,
)
_FIELD = re.compile(
    rb"(?i)(?>[a-z_.:/ *-]*?(?:passw|passphrase|pwd|secret|token|credential|(?<![a-z])pass(?![a-z])|api[_-]?key|"
    rb"user[_-]?name|required|optional|enter|your|kennwort|contrase|senha|motdepasse))[a-z_.:/ *?!-]*"
)
_WORDS = frozenset(
    "null none nil true false undefined string str text varchar char bytes object integer number bool boolean "
    "required optional default prompt input hidden empty unset disabled enabled always never method function "
    "sha256 sha512 sha1 md5 base64 utf8 utf-8 plaintext".split()
)
_NAME = re.compile(
    rb"[a-z]+(?:_[a-z0-9]+)+|[a-z]+(?:[A-Z][a-z]+)+\d?|[A-Z]+(?:_[A-Z0-9]+)+|[a-z]+(?:-[a-z]+)+-?\d{0,2}"
)
_PLAIN_NAME = re.compile(rb"[a-z]{2,12}-[a-z]{2,12}|[a-z]+(?:_[a-z]+)+|[a-z]+(?:[A-Z][a-z]+)+|[A-Z]+(?:_[A-Z]+)+")
"""Names in snake, kebab or camel case: what code calls things, and few passwords look like."""


def password_text(value: bytes, strength: str = "") -> list[tuple[str, str]] | None:
    """Text that can be a password: no template, variable, call, path, field name, type or mask of stars.

    `mixed` also asks for what password rules ask for: letters with a digit, or with a sign that names have not, and
    not the shape of a name in code. `strong`, for values without quotes: a digit, and a second one, or both cases, or
    a sign. A guess on form alone; entropy says nothing of `Summer2024!`.
    """
    if len(set(value)) < 3 or re.search(rb"[\x00-\x1f\x7f]", value) or _CODE.search(value) or value[-1:] in b"([{":
        return None
    if value.lower().decode("latin-1") in _WORDS or _FIELD.fullmatch(value) or _PLAIN_NAME.fullmatch(value):
        return None
    if _TOKEN.search(value) and len(re.findall(rb"\d", value)) >= 4:
        return []  # a prefix and random text is no name, though it has the form of one: `acme_live_0a1b…`
    if not strength:
        return _strength(value)
    if not re.search(rb"[A-Za-z\x80-\xff]", value) or _NAME.fullmatch(value):
        return None
    digits = len(re.findall(rb"\d", value))
    sign = re.search(rb"[!@#$%^&*+=?~|]", value.rstrip(b"?!*:.,")) or re.search(rb"[a-z]!+\Z", value)
    if not digits and _SHUFFLED.fullmatch(value) and not _CAMEL.fullmatch(value):
        return _strength(value)
    if not digits and (not sign or strength == "strong" or re.search(rb"[\x80-\xff]", value)):
        return None
    if strength == "strong" and digits < 2 and not sign and (value.islower() or value.isupper()):
        return None
    return _strength(value)


_TOKEN = re.compile(rb"(?:\A|[_.-])(?=[a-z]{0,20}\d)(?=\d{0,20}[a-z])[a-z0-9]{20,}\Z")
_SHUFFLED = re.compile(rb"(?=(?:[a-z]{0,20}[A-Z]){3})(?=(?:[A-Z]{0,20}[a-z]){3})[A-Za-z]{10,}")
_CAMEL = re.compile(rb"[A-Z]{0,5}[a-z]{2,}+(?:[A-Z][a-z]{2,}+)*+[A-Z]{0,4}")
_LEET = bytes.maketrans(b"013457@$!|", b"oleastasii")
_COMMON = re.compile(
    rb"pass?w(?:or)?d|pas2w|passw|secret|admin|welcome|letmein|changeme|example|sample|dummy|iloveyou|qwerty|lq2w|"
    rb"(?<![a-z])(?:my|test|user|root|guest|demo|foo|bar)(?:pass|pw|pwd|[^a-z]|\Z)|[l1]2[3e]4|abc[l1]2"
)


def _strength(value: bytes) -> list[tuple[str, str]]:
    """Whether a password is one of those that everybody makes up, for examples above all."""
    plain = value.lower()
    return [("strength", "common")] if _COMMON.search(plain) or _COMMON.search(plain.translate(_LEET)) else []
