"""Proofs: whether a key that was found elsewhere made a signature.

Each takes the signature's value, what is known of it, and the key as it stands in the text (None: the one that is
public, if there is one). It says None where it cannot tell, as something that was signed is not known.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from urllib.parse import quote, unquote

from . import azure_sas
from . import signed_urls as common

_METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
"""What can be signed; it stands nowhere in a URL."""
_BUS_FIELD = re.compile(rb"(?:\A|[ \t&+]|%20)(sr|se|sig)=([^&]*)")


def azure_storage(value: bytes, facts: dict[str, str], key: bytes | None) -> bool | None:
    """An Azure Storage SAS, with an account's key or a user delegation key (base64)."""
    if key is None:
        return azure_sas.azure_sas_proof(value, facts, None)
    raw = _decoded(key)
    return azure_sas.azure_sas_proof(value, facts, raw) if raw else None


def azure_service_bus(value: bytes, facts: dict[str, str], key: bytes | None) -> bool | None:
    """A signature of Service Bus, Event Hubs or IoT Hub: HMAC-SHA256 over `sr`, as it stands there, a newline, `se`.

    The key is used as text; that of IoT Hub is decoded. Sources:
    https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas#generate-a-shared-access-signature-token,
    https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas#sas-token-structure
    """
    found = dict(_BUS_FIELD.findall(value))
    if key is None or len(found) != 3:
        return None
    wanted = common.parameters(b"sig=" + found[b"sig"])[0]["sig"].encode("utf-8", "replace")
    text = found[b"sr"] + b"\n" + found[b"se"]
    keys = (key, _decoded(key))
    return any(_is_signed(text, one, wanted) for one in keys if one)


def aws_presigned_url(value: bytes, facts: dict[str, str], key: bytes | None) -> bool | None:
    """A pre-signed URL of S3, Signature Version 4, that signs no header but the host; each method is tried.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    query = common.parameters(value)[0]
    host, resource, credential = facts.get("host", ""), facts.get("resource", ""), query.get("x-amz-credential", "")
    day, region, service = (credential.split("/") + [""] * 4)[1:4]
    if key is None or not host or query.get("x-amz-signedheaders") != "host" or service != "s3":
        return None
    bucket, _, name = resource.partition("/")
    path = f"/{name}" if host.startswith(f"{bucket}.") else f"/{resource}"
    pairs = (pair.partition("=") for pair in value.decode("utf-8", "replace").split("&"))
    encoded = sorted(
        (quote(unquote(n), safe="~"), quote(unquote(text), safe="~"))
        for n, _, text in pairs
        if n.lower() != "x-amz-signature"
    )
    asked = "&".join(f"{n}={text}" for n, text in encoded)
    signing = b"AWS4" + key
    for part in (day, region, service, "aws4_request"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    for method in _METHODS:
        request = "\n".join((method, quote(path, safe="/~"), asked, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"))
        scope = f"{day}/{region}/{service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256", query.get("x-amz-date", ""), scope, digest))
        if hmac.compare_digest(hmac.digest(signing, text.encode(), "sha256").hex(), query.get("x-amz-signature", "")):
            return True
    return False


def _decoded(key: bytes) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except binascii.Error:
        return b""


def _is_signed(text: bytes, key: bytes, wanted: bytes) -> bool:
    return hmac.compare_digest(base64.b64encode(hmac.digest(key, text, "sha256")), wanted)
