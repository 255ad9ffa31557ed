"""Pre-signed URLs of Amazon Web Services and of stores that speak S3's language, and CloudFront's signed URLs."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from . import signed_urls as common
from .aws import aws_access_key_id
from .decoding import said

Pairs = list[tuple[str, str]]

_R2 = ".r2.cloudflarestorage.com"
_COMPATIBLE = {
    _R2: "Cloudflare R2",
    ".digitaloceanspaces.com": "DigitalOcean Spaces",
    ".wasabisys.com": "Wasabi",
    ".backblazeb2.com": "Backblaze B2",
    ".linodeobjects.com": "Linode Object Storage",
    ".scw.cloud": "Scaleway Object Storage",
    ".googleapis.com": "Google Cloud Storage",
    ".aliyuncs.com": "Alibaba Cloud OSS",
}
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")
_R2_KEY = re.compile(r"[0-9a-f]{32}\Z")
_REGION = re.compile(r"[a-z0-9-]{2,40}\Z")
_SERVICE = re.compile(r"[a-z0-9-]{2,40}\Z")
_RSA = (128, 256, 512)


def aws_presigned_url(value: bytes, facts: dict[str, str], store: str = "aws") -> Pairs | None:
    """The query of a pre-signed URL (Signature Version 4 or 4A) of any service; with `r2`, of Cloudflare R2 alone.

    None where AWS refuses it: a parameter missing, a signature of the wrong length, a day in the credential that is not
    that of the date, a life of more than seven days. Sources:
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html#aws-signing-authentication-query,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html,
    https://developers.cloudflare.com/r2/api/s3/presigned-urls/
    """
    query, problems = common.parameters(value)
    key, day, region, service = _credential(query)
    life = _life(query, service)
    if not key or life is None or life[0][:10].replace("-", "") != day or not query.get("x-amz-signedheaders"):
        return None
    if not _is_signed(query) or key.upper().endswith("EXAMPLE"):
        return None
    host = facts.get("host", "")
    is_r2 = common.name_of(host).endswith(_R2) if host else region == "auto" and _R2_KEY.match(key) is not None
    if is_r2 != (store == "r2"):
        return None
    named = "Cloudflare R2" if is_r2 else _service_of(host, service)
    token = query.get("x-amz-security-token") or query.get("x-amz-s3session-token") or ""
    version = "Version 4A" if "ECDSA" in query["x-amz-algorithm"] else "Version 4"
    return common.told(
        [
            ("type", _type(named, host, version, temporary=bool(token) or key.startswith("ASIA"))),
            ("access_key_id", key),
            *([("account", _r2_account(host))] if is_r2 else _owner(key)),
            ("region", region),
            ("service", named),
            *_place(host, facts.get("resource", ""), service),
            ("starts", life[0]),
            ("expires", life[1]),
            *common.requested(query),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def aws_presigned_url_v2(value: bytes, facts: dict[str, str]) -> Pairs | None:
    """The query of a pre-signed URL of S3, Signature Version 2: `AWSAccessKeyId`, `Expires`, `Signature`.

    None where one is missing, the signature is no base64 of 20 bytes (HMAC-SHA1) or the time is none. Source:
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
    """
    query, problems = common.parameters(value)
    key, until = query.get("awsaccesskeyid", ""), common.epoch_time(query.get("expires", ""))
    if not key or key.upper().endswith("EXAMPLE") or until is None:
        return None
    if common.base64_size(query.get("signature", "")) != 20:
        return None
    host = facts.get("host", "")
    named = _service_of(host, "s3")
    temporary = bool(query.get("x-amz-security-token")) or key.startswith("ASIA")
    return common.told(
        [
            ("type", _type(named, host, "Version 2", temporary=temporary)),
            ("access_key_id", key),
            *_owner(key),
            ("service", named),
            *_place(host, facts.get("resource", ""), "s3"),
            ("expires", common.iso(until)),
            *common.requested(query),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def _owner(key: str) -> Pairs:
    """Whose account a key id of Amazon's names, and whose bait it is."""
    return [(name, text) for name, text in aws_access_key_id(key.encode()) if name != "type"]


def _credential(query: dict[str, str]) -> tuple[str, str, str, str]:
    """(key id, day, region, service); all empty if it is none. Version 4A has regions of its own, a set."""
    regions = query.get("x-amz-region-set", "")
    parts = query.get("x-amz-credential", "").rsplit("/", 3 if regions else 4)
    if regions:
        parts[2:2] = [regions]
    if len(parts) != 5 or parts[4] != "aws4_request" or not _SERVICE.match(parts[3]):
        return "", "", "", ""
    if not regions and not _REGION.match(parts[2]):
        return "", "", "", ""
    return parts[0], parts[1], parts[2], parts[3]


def _life(query: dict[str, str], service: str) -> tuple[str, str] | None:
    """Begin and end. Services other than S3 give a URL a life of their own where it names none."""
    start, seconds = query.get("x-amz-date", ""), query.get("x-amz-expires")
    if seconds is None and service != "s3":
        begin = common.compact_time(start)
        return (common.iso(begin), "") if begin else None
    life = common.lasting(start, seconds or "")
    return (common.iso(life[0]), common.iso(life[1])) if life else None


def _is_signed(query: dict[str, str]) -> bool:
    algorithm, signature = query.get("x-amz-algorithm"), query.get("x-amz-signature", "")
    if algorithm == "AWS4-HMAC-SHA256":
        return common.is_hexadecimal(signature, 64)
    if algorithm != "AWS4-ECDSA-P256-SHA256" or "x-amz-region-set" not in query:
        return False
    return common.is_hexadecimal(signature, len(signature)) and _is_ecdsa(_from_hexadecimal(signature))


def _from_hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _is_ecdsa(raw: bytes) -> bool:
    """Whether bytes are an ECDSA signature on a curve of 256 bits in DER: a sequence of two integers."""
    if not 60 <= len(raw) <= 72 or raw[0] != 0x30 or raw[1] != len(raw) - 2 or raw[2] != 2:
        return False
    second = 4 + raw[3]
    return second + 2 <= len(raw) and raw[second] == 2 and second + 2 + raw[second + 1] == len(raw)


def _service_of(host: str, service: str) -> str:
    name = "." + common.name_of(host)
    known = next((known for suffix, known in _COMPATIBLE.items() if name.endswith(suffix)), "")
    return known or ("S3" if service == "s3" else service)


def _type(service: str, host: str, version: str, *, temporary: bool) -> str:
    is_amazon = not host or common.name_of(host).endswith(_AMAZON)
    maker = service if service in _COMPATIBLE.values() else "AWS" if is_amazon else "AWS or S3-compatible"
    return f"{maker} pre-signed URL (Signature {version}){', temporary credentials' if temporary else ''}"


def _place(host: str, path: str, service: str) -> Pairs:
    if service in ("s3", "s3express"):
        return common.stored(host, path, _bucket(common.name_of(host)))
    return [("host", host), ("resource", common.path_of(path))]


def _bucket(name: str) -> str:
    """The bucket that a host's name holds before the store's own: `bucket.s3.region.…`, `bucket.account.r2.…`."""
    labels = name.split(".")
    if name.endswith(_AMAZON):
        at = max((n for n, label in enumerate(labels) if re.match(r"s3(?:express)?(?:-|\Z)", label)), default=0)
        return ".".join(labels[:at])
    account = _r2_account(name)
    return ".".join(labels[: labels.index(account)]) if account else ""


def _r2_account(host: str) -> str:
    """The account in the name of a host of R2."""
    name = common.name_of(host)
    return next((label for label in name.split(".") if name.endswith(_R2) and _R2_KEY.match(label)), "")


# --- CloudFront -----------------------------------------------------------------------------------------------------

_COOKIE = re.compile(rb";[ \t]{0,3}CloudFront-")
_SAFE = str.maketrans("-_~", "+=/")


def aws_cloudfront_signed(value: bytes, facts: dict[str, str]) -> Pairs | None:
    """A signed URL's query of CloudFront, or its signed cookies: `Expires` or `Policy`, `Signature`, `Key-Pair-Id`.

    None where one is missing, the signature is none of RSA (1024, 2048, 4096 bits) nor of ECDSA, or the policy is no
    policy that ends. Sources, below https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/:
    private-content-creating-signed-url-canned-policy.html, private-content-creating-signed-url-custom-policy.html,
    private-content-setting-signed-cookie-custom-policy.html
    """
    is_cookie = value.startswith(b"CloudFront-")
    if is_cookie:
        value = _COOKIE.sub(b"&", value.removeprefix(b"CloudFront-"))
    query, problems = common.parameters(value)
    raw = _decoded(query.get("signature", ""))
    if not query.get("key-pair-id") or not (len(raw) in _RSA or _is_ecdsa(raw)):
        return None
    if common.is_made_up(query["signature"], kind="base64"):
        return None
    limits = _policy(query["policy"]) if query.get("policy") else _canned(query, facts)
    if limits is None:
        return None
    return common.told(
        [
            ("type", f"CloudFront signed {'cookies' if is_cookie else 'URL'}"),
            ("key_id", query["key-pair-id"]),
            ("key_type", "RSA" if len(raw) in _RSA else "ECDSA"),
            ("host", facts.get("host", "")),
            *limits,
            ("service", "CloudFront"),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def _decoded(text: str) -> bytes:
    """What CloudFront's own base64 stands for (`-_~` for `+=/`)."""
    try:
        return base64.b64decode(text.translate(_SAFE).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _canned(query: dict[str, str], facts: dict[str, str]) -> Pairs | None:
    until = common.epoch_time(query.get("expires", ""))
    if until is None:
        return None
    return [
        ("resource", common.path_of(facts.get("resource", ""))),
        ("scope", "object"),
        ("ip", "any"),
        ("expires", common.iso(until)),
    ]


def _policy(text: str) -> Pairs | None:
    """What a custom policy allows: one statement with a resource, an end, and perhaps a begin and an address range."""
    try:
        document = json.loads(_decoded(text))
    except (ValueError, RecursionError):
        return None
    statement = _at(document, "Statement")
    if isinstance(statement, list):
        statement = statement[0] if statement else None
    resource, condition = _at(statement, "Resource"), _at(statement, "Condition")
    until = _time(condition, "DateLessThan")
    if not until:
        return None
    resource = said(resource) if isinstance(resource, str) else "*"
    address = said(_at(_at(condition, "IpAddress"), "AWS:SourceIp"))
    limited = address and not address.endswith("/0")
    return [
        ("resource", resource),
        ("scope", "container" if "*" in resource else "object"),
        ("ip", address if limited else "any"),
        ("starts", _time(condition, "DateGreaterThan")),
        ("expires", until),
    ]


def _at(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _time(condition: Any, name: str) -> str:
    seconds = _at(_at(condition, name), "AWS:EpochTime")
    return common.iso(common.epoch_time(str(seconds))) if isinstance(seconds, int) and seconds < 10**12 else ""
