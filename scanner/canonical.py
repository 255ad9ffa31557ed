"""The form of a secret that its identity is made from: the same however it was written (docs/fingerprints.md).

It looks at the value alone, so that a better detector later changes no fingerprint; it is frozen with `oakum1`.
"""

from __future__ import annotations

import re

from .patterns import later

_SIGNATURES = frozenset({b"sig", b"signature", b"x-amz-signature", b"x-goog-signature", b"x-oss-signature"})
_SIGNED = frozenset(
    b"sig sp st se sr si sip spr sv ss srt ses sdd tn spk srk epk erk rscc rscd rsce rscl rsct skoid sktid skt ske sks "
    b"skv saoid suoid scid skdutid sduoid srh srq skn uid ex sn signature expires policy key-pair-id hash-algorithm "
    b"awsaccesskeyid googleaccessid ossaccesskeyid security-token".split()
)
"""Parameters of signed URLs, beside those that begin with one of `_PREFIXES`; the others say what is asked for."""
_PREFIXES = (b"x-amz-", b"x-goog-", b"x-oss-")
_NAME = rb"[A-Za-z][A-Za-z0-9._-]*"
_QUERY = later(
    rb"(?:SharedAccessSignature(?:\s|\+|%%20)+)?(?P<url>https?://[^\s?#]+\?)?(?P<query>%b=[^&\s]*(?:&%b=[^&\s]*)+)\Z"
    % (_NAME, _NAME)
)
_TOPIC = {b"r", b"e", b"s"}
"""All parameters of a signature of Azure Event Grid."""
_MANAGEMENT = later(rb"[\w.-]{1,80}(?:&|%26)\d{12}(?:&|%26)[A-Za-z0-9+/%]{40,300}={0,2}\Z")
"""An access token of Azure API Management, in its other form."""


def canonical(value: bytes) -> bytes:
    """PEM without white space and escapes; of a signed query its parameters, decoded and sorted; else the value."""
    if value.startswith(b"-----BEGIN"):
        return re.sub(rb'(?<=[\s(+,])b(?=["\'])|\s|\\[nrt]|["\'+,\\]', b"", value)
    if _MANAGEMENT.match(value):
        return _unquoted(value)
    return _signed_query(value) or value


def _signed_query(value: bytes) -> bytes:
    """Empty where the value is no query with a signature. Of a parameter that stands twice the first counts."""
    found = _QUERY.match(value)
    if not found:
        return b""
    parameters: dict[bytes, bytes] = {}
    for pair in found["query"].split(b"&"):
        name, _, text = pair.partition(b"=")
        parameters.setdefault(name.lower(), _unquoted(text))
    if parameters.keys() != _TOPIC:
        if not parameters.keys() & _SIGNATURES:
            return b""
        if not found["url"]:
            parameters = {n: t for n, t in parameters.items() if n in _SIGNED or n.startswith(_PREFIXES)}
    return (found["url"] or b"") + b"&".join(name + b"=" + text for name, text in sorted(parameters.items()))


def _unquoted(text: bytes) -> bytes:
    from urllib.parse import unquote_to_bytes  # here: it takes milliseconds to import, and most values are no URLs

    return unquote_to_bytes(text)
