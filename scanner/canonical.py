"""The form of a secret that its identity is made from: the same however it was written (docs/fingerprints.md).

It looks at the value alone, so that a better detector later changes no fingerprint; it is frozen with `oakum1`.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_SIGNATURES = frozenset({b"sig", b"signature", b"x-amz-signature", b"x-goog-signature", b"x-oss-signature"})
_SIGNED = frozenset(
    b"sig sp st se sr si sip spr sv ss srt ses sdd tn spk srk epk erk rscc rscd rsce rscl rsct skoid sktid skt ske sks "
    b"skv saoid suoid scid skdutid sduoid srh srq skn uid ex sn signature expires policy key-pair-id hash-algorithm "
    b"awsaccesskeyid googleaccessid ossaccesskeyid security-token".split()
)
"""Parameters of signed URLs, beside those that begin with one of `_PREFIXES`; the others say what is asked for."""
_PREFIXES = (b"x-amz-", b"x-goog-", b"x-oss-")
_QUERY = re.compile(
    rb"(?:SharedAccessSignature\s+)?((?:[A-Za-z][A-Za-z0-9._-]*=[^&\s]*)(?:&[A-Za-z][A-Za-z0-9._-]*=[^&\s]*)+)\Z"
)


def canonical(value: bytes) -> bytes:
    """PEM without white space and escapes; of a signed query its parameters, decoded and sorted; else the value."""
    if value.startswith(b"-----BEGIN"):
        return re.sub(rb'(?<=[\s(+,])b(?=["\'])|\s|\\[nrt]|["\'+,\\]', b"", value)
    return _signed_query(value) or value


def _signed_query(value: bytes) -> bytes:
    """Empty where the value is no query with a signature. Of a parameter that stands twice the first counts."""
    found = _QUERY.match(value) if b"ig" in value else None
    if not found:
        return b""
    parameters: dict[bytes, bytes] = {}
    for pair in found[1].split(b"&"):
        name, _, text = pair.partition(b"=")
        if name.lower() in _SIGNED or name.lower().startswith(_PREFIXES):
            parameters.setdefault(name.lower(), unquote_to_bytes(text))
    if not parameters.keys() & _SIGNATURES:
        return b""
    return b"&".join(name + b"=" + text for name, text in sorted(parameters.items()))
