"""Signatures of requests to clouds, made with the secret of an access key, so that the secret itself is not sent.

All three are HMAC-SHA256 (RFC 2104) over the digest of the same canonical request: method, path, query, signed headers
in order, their names, digest of the body. They differ in the text around it and in the key:

- AWS Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
- Alibaba Cloud V3: https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
- Tencent Cloud V3: https://www.tencentcloud.com/document/product/1150/49452

Paths are signed as they are sent, which is right for the services asked here (all are asked at `/`), and for no store.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from ...net.urls import Url


def aws(
    key: tuple[str, str],
    url: Url,
    body: bytes,
    headers: Mapping[str, str],
    *,
    service: str,
    region: str,
    at: datetime,
    token: str = "",
) -> dict[str, str]:
    """The headers of a POST by an access key (id, secret), those given and its signature among them; all are signed.
    `token` is the session token of a temporary key."""
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "X-Amz-Date": moment} | ({"X-Amz-Security-Token": token} if token else {})
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    request, names = canonical(url, body, signed)
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{_digest(request)}"
    signature = _chained(f"AWS4{key[1]}", *scope.split("/"), text)
    given = f"AWS4-HMAC-SHA256 Credential={key[0]}/{scope}, SignedHeaders={names}, Signature={signature}"
    return signed | {"Authorization": given}


def alibaba(key: tuple[str, str], url: Url, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """The same for Alibaba Cloud: `headers` have the action, its version, the date and a nonce (`x-acs-…`)."""
    signed = {**headers, "x-acs-content-sha256": hashlib.sha256(body).hexdigest()}
    request, names = canonical(url, body, signed)
    signature = _chained(key[1], f"ACS3-HMAC-SHA256\n{_digest(request)}")
    given = f"ACS3-HMAC-SHA256 Credential={key[0]},SignedHeaders={names},Signature={signature}"
    return signed | {"Authorization": given}


def tencent(
    key: tuple[str, str], url: Url, body: bytes, headers: Mapping[str, str], *, service: str, at: datetime
) -> dict[str, str]:
    """The same for Tencent Cloud; of `headers` only the type of the body is signed."""
    seconds = str(int(at.timestamp()))
    scope = f"{at.astimezone(UTC):%Y-%m-%d}/{service}/tc3_request"
    request, names = canonical(url, body, {"Content-Type": headers["Content-Type"]})
    text = f"TC3-HMAC-SHA256\n{seconds}\n{scope}\n{_digest(request)}"
    signature = _chained(f"TC3{key[1]}", *scope.split("/"), text)
    given = f"TC3-HMAC-SHA256 Credential={key[0]}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "X-TC-Timestamp": seconds, "Authorization": given}


def canonical(url: Url, body: bytes, headers: Mapping[str, str]) -> tuple[str, str]:
    """The canonical request of a POST, and the names of the headers that it covers: those given, and the host."""
    covered = {name.lower(): " ".join(value.split()) for name, value in headers.items()} | {"host": url.authority}
    lines = "".join(f"{name}:{covered[name]}\n" for name in sorted(covered))
    names = ";".join(sorted(covered))
    query = "&".join(sorted(url.query.split("&")))
    return "\n".join(("POST", url.path, query, lines, names, hashlib.sha256(body).hexdigest())), names


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _chained(secret: str, *texts: str) -> str:
    """Each text signed with the signature of the one before; of the last one in hexadecimal."""
    made = secret.encode()
    for text in texts:
        made = hmac.digest(made, text.encode(), "sha256")
    return made.hex()
