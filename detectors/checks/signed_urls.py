"""Signed URLs of object stores: whose key signed, what for and until when, read from the query.

A signed URL holds, in clear, who signed it, when, and for how long; the signature makes it count. Whoever has the URL
may send the request that was signed. The HTTP method is signed too, but stands nowhere in the URL.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

Pairs = list[tuple[str, str]]

WEEK = 604_800
"""Seconds that a signature of version 4 may last at most, with Amazon, Google and Alibaba alike."""
UNTOLD = "one request of the method that was signed"
_LONGEST = 200
_SHA1, _SHA256 = 20, 32
_RSA = (128, 256, 512)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+\Z")
_COMPACT_TIME = re.compile(r"\d{8}T\d{6}Z\Z", re.ASCII)
_OPERATION = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z0-9]{0,40})?\Z")
_PRIVILEGES = {"Get": "read", "Head": "read", "Select": "read", "Describe": "read", "List": "list"}
_UPLOADS = frozenset(
    "uploadid partnumber uploads upload_id content-md5 content-length x-amz-acl x-amz-tagging x-amz-storage-class "
    "x-amz-server-side-encryption x-amz-sdk-checksum-algorithm x-goog-acl x-goog-resumable x-goog-content-length-range "
    "x-oss-object-acl x-oss-storage-class".split()
)
"""Parameters and signed headers that only a request which writes has."""
_LISTS = frozenset({"list-type", "delimiter", "max-keys"})
_FEWEST = {"hexadecimal": 9, "base64": 11}
"""Different characters that a signature has at least: the shortest random one has about 16 (of 16), and 22 (of 64)."""


def parameters(query: bytes) -> tuple[dict[str, str], list[str]]:
    """The parameters of a query, decoded, by their names in small letters; and the names that stand more than once.

    Of one that stands twice the first counts. A `+` is a plus sign: signatures are base64.
    """
    found: dict[str, str] = {}
    twice: list[str] = []
    for pair in query.decode("utf-8", "replace").split("&"):
        name, equals, text = pair.partition("=")
        if equals and name.lower() in found:
            twice.append(f"{name[:40]} stands twice")
        elif equals:
            found[name.lower()] = unquote(text)
    return found, list(dict.fromkeys(twice))[:3]


def told(pairs: Pairs) -> Pairs:
    """The facts that say something, none too long."""
    return [(name, text[:_LONGEST]) for name, text in pairs if text]


def is_made_up(signature: str, *, kind: str) -> bool:
    """Whether somebody wrote it as a stand-in: few different characters, or one piece over and over."""
    return len(set(signature)) < _FEWEST[kind] or signature in (signature * 2)[1:-1]


def is_hexadecimal(signature: str, length: int) -> bool:
    """Whether it is so many hexadecimal digits, and not made up."""
    return (
        len(signature) == length
        and _HEXADECIMAL.match(signature) is not None
        and not is_made_up(signature, kind="hexadecimal")
    )


def base64_size(signature: str) -> int:
    """How many bytes it is the base64 of, in the one way of writing them; 0 if it is none, or made up."""
    text = unquote(signature).encode("utf-8", "replace")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return 0
    return len(raw) if base64.b64encode(raw) == text and not is_made_up(text.decode(), kind="base64") else 0


def iso(at: datetime | None) -> str:
    """A time in ISO 8601, in UTC and to the second; empty for none."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at and at.year >= 1000 else ""


def compact_time(text: str) -> datetime | None:
    """A time written `20260131T235959Z`."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S%z") if _COMPACT_TIME.match(text) else None
    except ValueError:
        return None


def epoch_time(text: str) -> datetime | None:
    """A time in seconds since 1970; None past the year 9999."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def lasting(start: str, seconds: str) -> tuple[datetime, datetime] | None:
    """Begin and end of a signature of version 4; None where the service refuses it: no time, no or too long a life."""
    begin = compact_time(start)
    if begin is None or not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 6):
        return None
    if not 1 <= int(seconds) <= WEEK:
        return None
    try:
        return begin, begin + timedelta(seconds=int(seconds))
    except OverflowError:
        return None


def requested(query: dict[str, str]) -> Pairs:
    """What the signed request does, as far as parameters tell: an operation's name, or such as only some take."""
    operation = query.get("x-id") or query.get("action") or ""
    if _OPERATION.match(operation):
        words = re.findall("[A-Z][a-z0-9]*", operation)
        privilege = _PRIVILEGES.get(words[0], "write")
        return [("permissions", operation), ("allows", " ".join(words).lower()), ("privilege", privilege)]
    names = query.keys() | set(_signed_headers(query))
    if names & _UPLOADS or any(name.startswith(("x-amz-meta-", "x-goog-meta-", "x-oss-meta-")) for name in names):
        return [("allows", "upload"), ("privilege", "write")]
    if any(name.startswith("response-") for name in names):
        return [("allows", "read"), ("privilege", "read")]
    if names & _LISTS:
        return [("allows", "list"), ("privilege", "list")]
    return [("allows", UNTOLD)]


def _signed_headers(query: dict[str, str]) -> list[str]:
    parameters_of = ("x-amz-signedheaders", "x-goog-signedheaders", "x-oss-additional-headers")
    return ";".join(query.get(name, "") for name in parameters_of).lower().split(";")


def stored(host: str, path: str, bucket: str) -> Pairs:
    """Resource and scope in an object store: the bucket of the host's name, if that holds it, and the path."""
    resource = "/".join(filter(None, (bucket, path_of(path))))
    if not host:
        return []
    scope = "object" if "/" in resource.rstrip("/") else "container" if resource else "account"
    return [("host", host), ("resource", resource), ("scope", scope)]


def path_of(path: str) -> str:
    """A path without its first slash, decoded; as JSON may write it, too (`\\/`)."""
    return unquote(path.replace("\\/", "/")).lstrip("/")


def name_of(host: str) -> str:
    """A host's name in small letters, without its port."""
    return host.lower().partition(":")[0].rstrip(".")


# --- Google Cloud Storage -------------------------------------------------------------------------------------------

_GOOGLE_HOSTS = ("storage.googleapis.com", "storage.cloud.google.com", "storage-download.googleapis.com")
_SERVICE_ACCOUNT = re.compile(r"[^@]{1,80}@(?P<project>[a-z0-9.:-]{1,80})\.iam\.gserviceaccount\.com\Z")


def google_signed_url(value: bytes, facts: dict[str, str]) -> Pairs | None:
    """The query of a signed URL of Google Cloud Storage, of version 4 (`X-Goog-Signature`) or 2 (`GoogleAccessId`).

    None where it cannot count: a parameter missing, a signature of the wrong length, more than seven days. Sources:
    https://cloud.google.com/storage/docs/access-control/signed-urls,
    https://cloud.google.com/storage/docs/authentication/canonical-requests#required-query-parameters,
    https://cloud.google.com/storage/docs/access-control/signed-urls-v2
    """
    query, problems = parameters(value)
    signed = _google_4(query) if "x-goog-signature" in query else _google_2(query)
    if signed is None:
        return None
    host = facts.get("host", "")
    suffix = next((f".{known}" for known in _GOOGLE_HOSTS if name_of(host).endswith(f".{known}")), "")
    bucket = name_of(host).removesuffix(suffix) if suffix else ""
    place = stored(host, facts.get("resource", ""), bucket)
    return told(
        [
            *signed,
            ("service", "Google Cloud Storage"),
            *place,
            *requested(query),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def _google_4(query: dict[str, str]) -> Pairs | None:
    get = query.get
    parts = get("x-goog-credential", "").rsplit("/", 4)
    life = lasting(get("x-goog-date", ""), get("x-goog-expires", ""))
    if len(parts) != 5 or parts[3:] != ["storage", "goog4_request"] or not parts[0] or life is None:
        return None
    if get("x-goog-date", "")[:8] != parts[1] or not get("x-goog-signedheaders"):
        return None
    sizes = {"GOOG4-RSA-SHA256": _RSA, "GOOG4-HMAC-SHA256": (_SHA256,)}.get(get("x-goog-algorithm", ""), ())
    if not any(is_hexadecimal(get("x-goog-signature", ""), 2 * size) for size in sizes):
        return None
    return [
        ("type", "Google Cloud Storage signed URL (version 4)"),
        *_google_signer(parts[0]),
        ("region", parts[2]),
        ("starts", iso(life[0])),
        ("expires", iso(life[1])),
    ]


def _google_2(query: dict[str, str]) -> Pairs | None:
    signer, expires = query.get("googleaccessid", ""), query.get("expires", "")
    is_signed = base64_size(query.get("signature", "")) in (*_RSA, _SHA1)
    until = epoch_time(expires)
    if not signer or until is None or not is_signed:
        return None
    return [("type", "Google Cloud Storage signed URL (version 2)"), *_google_signer(signer), ("expires", iso(until))]


def _google_signer(signer: str) -> Pairs:
    if "@" not in signer:
        return [("access_key_id", signer)]
    account = _SERVICE_ACCOUNT.match(signer)
    return [("email", signer), ("project", account["project"] if account else "")]


# --- Alibaba Cloud OSS ----------------------------------------------------------------------------------------------


def alibaba_signed_url(value: bytes, facts: dict[str, str]) -> Pairs | None:
    """The query of a signed URL of Alibaba Cloud OSS, of version 4 (`x-oss-signature`) or 1 (`OSSAccessKeyId`).

    None where it cannot count: a parameter missing, a signature of the wrong length, more than seven days. Sources:
    https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls,
    https://www.alibabacloud.com/help/en/oss/developer-reference/ddd-signatures-to-urls
    """
    query, problems = parameters(value)
    signed = _alibaba_4(query) if "x-oss-signature" in query else _alibaba_1(query)
    if signed is None:
        return None
    host = facts.get("host", "")
    labels = name_of(host).split(".")
    at = next((n for n, label in enumerate(labels) if label.startswith("oss-")), 0)
    region = labels[at].removeprefix("oss-").removesuffix("-internal") if labels[at].startswith("oss-") else ""
    return told(
        [
            *signed,
            ("region", region if not any(name == "region" for name, _ in signed) else ""),
            ("service", "Alibaba Cloud OSS"),
            *stored(host, facts.get("resource", ""), ".".join(labels[:at])),
            *requested(query),
            ("revocation", "signing key"),
            ("problems", "; ".join(problems)),
        ]
    )


def _alibaba_type(version: int, key: str, token: str | None) -> str:
    temporary = ", temporary credentials" if token or key.startswith(("STS.", "TMP.")) else ""
    return f"Alibaba Cloud OSS signed URL (version {version}){temporary}"


def _alibaba_4(query: dict[str, str]) -> Pairs | None:
    get = query.get
    parts = get("x-oss-credential", "").rsplit("/", 4)
    life = lasting(get("x-oss-date", ""), get("x-oss-expires", ""))
    if get("x-oss-signature-version") != "OSS4-HMAC-SHA256" or life is None:
        return None
    if len(parts) != 5 or parts[3:] != ["oss", "aliyun_v4_request"] or not parts[0]:
        return None
    if get("x-oss-date", "")[:8] != parts[1] or not is_hexadecimal(get("x-oss-signature", ""), 2 * _SHA256):
        return None
    return [
        ("type", _alibaba_type(4, parts[0], get("x-oss-security-token"))),
        ("access_key_id", parts[0]),
        ("region", parts[2]),
        ("starts", iso(life[0])),
        ("expires", iso(life[1])),
    ]


def _alibaba_1(query: dict[str, str]) -> Pairs | None:
    key, until = query.get("ossaccesskeyid", ""), epoch_time(query.get("expires", ""))
    if not key or until is None or base64_size(query.get("signature", "")) != _SHA1:
        return None
    kind = _alibaba_type(1, key, query.get("security-token"))
    return [("type", kind), ("access_key_id", key), ("expires", iso(until))]
