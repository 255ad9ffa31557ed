"""Signed URLs and shared access signatures: found in every order and place, decoded, and no near miss taken for one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oakum.detectors import samples
from oakum.detectors.checks import CHECKS, CONTEXTUAL
from oakum.scanner import catalog
from oakum.scanner.engine import Engine
from oakum.scanner.engine.aho_corasick import AhoCorasick
from oakum.scanner.model import Match, Piece

QUERIES = {
    "aws-presigned-url": "aws_presigned",
    "aws-presigned-url-v2": "aws_presigned_v2",
    "aws-cloudfront-signed-url": "cloudfront_signed",
    "cloudflare-r2-presigned-url": "aws_presigned:r2",
    "google-storage-signed-url": "google_signed",
    "alibaba-oss-signed-url": "alibaba_signed",
}
"""The detectors of queries, and what makes one."""
OTHERS = {
    "aws-cloudfront-signed-cookies": "cloudfront_signed:cookie",
    "azure-service-bus-sas": "azure_bus_sas",
    "azure-apim-sas": "azure_apim_sas",
    "azure-event-grid-sas": "azure_event_grid_sas",
    "azure-logic-app-url": "azure_logic_app",
    "azure-power-automate-url": "azure_power_automate",
}
DETECTORS = tuple(d for d in catalog.load() if d.id in {**QUERIES, **OTHERS, "azure-function-url": ""})
ENGINE = Engine(DETECTORS, AhoCorasick(DETECTORS))
OTHER_PARAMETERS = (
    "response-content-disposition=attachment%3B%20filename%3D%22a%20b.pdf%22",
    "response-content-type=application/pdf",
    "versionId=3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY-MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo",
    "x-id=GetObject",
    "x-oss-process=image%2Fresize%2Cw_100",
    "empty=",
    "v=1.2.3",
)
PLACES = (
    b"%s",
    b"QUERY=%s",
    b"'?%s'",
    b'{"query": "%s", "n": 1}',
    b"https://files.acme.test/a/b%%20c.pdf?%s",
    b"http://files.acme.test:9000/a.pdf?%s HTTP/1.1",
    b"[report](https://files.acme.test/a.pdf?%s)",
    b'<a href="https://files.acme.test/a.pdf?%s">',
    b"See https://files.acme.test/a.pdf?%s. Then go on.",
    b"https://files.acme.test/a.pdf?%s,https://files.acme.test/b.pdf",
    b"https://files.acme.test/a.pdf?%s#page=2",
    b'"https:\\/\\/files.acme.test\\/a.pdf?%s"',
)


def search(content: bytes) -> list[Match]:
    """The matches of a small blob."""
    return ENGINE.search([Piece(content)]).matches


def found(content: bytes) -> list[tuple[str, bytes]]:
    """Detector and value of each match."""
    return [(match.detector, match.secret.reveal()) for match in search(content)]


def facts(content: bytes) -> list[tuple[str, str]]:
    """The facts of the one match in a blob."""
    (match,) = search(content)
    return list(match.facts)


def drawn(spec: str, seed: int) -> list[str]:
    """The parameters of a fresh query."""
    return samples.build(spec, Random(seed)).decode().split("&")


def host_of(detector: str) -> bytes:
    """A host that does not turn one detector's URL into another's."""
    return b"0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com" if "r2" in detector else b"files.acme.test"


# --- what is found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detector", QUERIES)
@given(data=st.data(), seed=st.integers(0, 1 << 32))
def test_a_query_is_found_in_every_order_with_other_parameters_and_in_every_place(
    detector: str, data: st.DataObject, seed: int
) -> None:
    """The secret is the query from its first parameter to its last, with or without a URL before it."""
    others = data.draw(st.lists(st.sampled_from(OTHER_PARAMETERS), unique=True))
    query = "&".join(data.draw(st.permutations([*drawn(QUERIES[detector], seed), *others]))).encode()
    place = data.draw(st.sampled_from(PLACES)).replace(b"files.acme.test", host_of(detector))
    assume(not (query.startswith(b"empty=") and place.startswith(b"QUERY")))  # `QUERY=empty=` can be read in two ways
    assert found(place % query) == [(detector, query)]


@pytest.mark.parametrize("detector", QUERIES)
@given(seed=st.integers(0, 1 << 32))
def test_a_query_whose_reserved_characters_are_not_encoded_is_found(detector: str, seed: int) -> None:
    """Slashes, colons, plus and equals signs stand as they are in many hand-made URLs."""
    pairs = drawn(QUERIES[detector], seed)
    plain = "&".join(pairs)
    for code, text in (("%2F", "/"), ("%40", "@"), ("%2B", "+"), ("%3D", "="), ("%3B", ";"), ("%2A", "*")):
        if text != "=" or "filename" not in plain:
            plain = plain.replace(code, text)
    plain = plain.replace("%22", "").replace("%20", "")
    assume(plain[-1].isalnum() or plain[-1] == "=")  # a sign at the end may be of the text around it
    place = b"'https://" + host_of(detector) + b"/a.pdf?%s'"
    assert found(place % plain.encode()) == [(detector, plain.encode())]


@pytest.mark.parametrize("detector", OTHERS)
@given(seed=st.integers(0, 1 << 32))
def test_what_is_no_query_is_found_in_quotes_and_headers(detector: str, seed: int) -> None:
    """Tokens behind the name of their scheme, cookies, and URLs that are secret as a whole."""
    value = samples.build(OTHERS[detector], Random(seed))
    for place in (b"%s", b'"%s"', b"Authorization: %s\r\n", b"token='%s', next"):
        assert found(place % value) == [(detector, value)]


def test_two_urls_in_one_line_are_two_matches() -> None:
    """A list of URLs is not one."""
    one, other = (samples.build("aws_presigned", Random(seed)) for seed in (1, 2))
    for between in (b",", b" ", b";", b"|", b"', '"):
        text = b"https://a.acme.test/x?" + one + between + b"https://a.acme.test/y?" + other
        assert found(text) == [("aws-presigned-url", one), ("aws-presigned-url", other)]


def test_a_value_with_brackets_and_quotes_in_the_middle_of_a_query_is_part_of_it() -> None:
    """JavaScript leaves these characters as they are."""
    query = "response-content-disposition=attachment;filename*=UTF-8''a(1).pdf".replace("*=", "*%3D")
    pairs = [query, *drawn("aws_presigned_v2", 3)]
    for turn in range(1, len(pairs)):
        text = "&".join([*pairs[-turn:], *pairs[:-turn]]).encode() + b"&x-id=GetObject"
        assert found(b"https://acme.s3.amazonaws.com/a?" + text) == [("aws-presigned-url-v2", text)]


def test_a_long_session_token_is_no_obstacle() -> None:
    """Tokens of 4,000 bytes are seen."""
    token = samples.base64_bytes(Random(1), "3000").decode().replace("+", "%2B").replace("/", "%2F")
    pairs = [pair for pair in drawn("aws_presigned", 5) if "Token" not in pair]
    for at in (0, 3, len(pairs)):
        query = "&".join([*pairs[:at], "X-Amz-Security-Token=" + token, *pairs[at:]]).encode()
        assert found(b"https://acme.s3.amazonaws.com/a?" + query) == [("aws-presigned-url", query)]


# --- what is not ------------------------------------------------------------------------------------------------------

SIGNATURES = ("x-amz-signature", "x-goog-signature", "x-oss-signature", "signature", "sig", "sn", "s")
OPTIONAL = ("x-amz-security-token", "response-content-disposition", "x-oss-additional-headers", "skn")


def changed(value: bytes, change: Callable[[str, str], str | None]) -> list[bytes]:
    """The value with one parameter changed; None where there is nothing to change."""
    head, mark, query = value.decode().rpartition("?")
    scheme, blank, body = query.rpartition(" ") if query.startswith("Shared") else ("", "", query)
    pairs = body.split("&")
    out = []
    for at, pair in enumerate(pairs):
        name, _, text = pair.partition("=")
        new = change(name.lower(), text)
        if new is not None:
            rest = [*pairs[:at], *([f"{name}={new}"] if new else []), *pairs[at + 1 :]]
            out.append((head + mark + scheme + blank + "&".join(rest)).encode())
    return out


def of_signature(change: Callable[[str], str]) -> Callable[[str, str], str | None]:
    """A change of the signature alone."""
    return lambda name, text: change(text) if name in SIGNATURES else None


def without_one(name: str, text: str) -> str | None:
    """A parameter left out that must be there."""
    return None if name in OPTIONAL or name in ("sv", "api-version") else ""


NEAR_MISSES: dict[str, Callable[[str, str], str | None]] = {
    "one character short": of_signature(lambda text: text[1:]),
    "one character long": of_signature(lambda text: "a" + text),
    "no digit": of_signature(lambda text: "!" + text[1:]),
    "placeholder": of_signature(lambda text: "<signature>"),
    "dots": of_signature(lambda text: text[:8] + "..."),
    "stars": of_signature(lambda text: "*" * len(text)),
    "zeros": of_signature(lambda text: "0" * len(text)),
    "x": of_signature(lambda text: "x" * len(text)),
    "over and over": of_signature(lambda text: ("0123456789abcdef" * 64)[: len(text)]),
    "parameter missing": without_one,
    "more than a week": lambda name, text: "604801" if name.endswith("-expires") else None,
    "no life": lambda name, text: "0" if name.endswith("-expires") else None,
    "end is no number": lambda name, text: "soon" if name.endswith("expires") or name == "se" else None,
    "thirteenth month": lambda name, text: text[:4] + "13" + text[6:] if name.endswith("-date") else None,
    "other day": lambda name, text: "20190101T000000Z" if name.endswith("-date") else None,
    "other algorithm": lambda name, text: "NONE" if name.endswith("-algorithm") else None,
    "no credential": lambda name, text: "AKIA" if name.endswith("-credential") else None,
    "example's key": lambda name, text: text.replace("%2F", "EXAMPLE%2F", 1) if name == "x-amz-credential" else None,
}


@pytest.mark.parametrize("miss", NEAR_MISSES)
@given(seed=st.integers(0, 1 << 32), spec=st.sampled_from(sorted({**QUERIES, **OTHERS}.items())))
def test_near_misses_are_not_found(miss: str, seed: int, spec: tuple[str, str]) -> None:
    """What the service would refuse, and what somebody wrote in place of a signature."""
    detector, builder = spec
    value = samples.build(builder, Random(seed))
    if detector == "aws-cloudfront-signed-cookies":
        value = value.replace(b"; CloudFront-", b"&").removeprefix(b"CloudFront-")
    near = changed(value, NEAR_MISSES[miss])
    if detector == "azure-event-grid-sas" and miss == "end is no number":
        near = []  # its time has no fixed form
    for text in near:
        if detector == "aws-cloudfront-signed-cookies":
            text = b"CloudFront-" + text.replace(b"&", b"; CloudFront-")
        assert found(b"https://" + host_of(detector) + b"/a?" * (detector in QUERIES) + text) == [], text


def test_every_kind_of_near_miss_is_one_of_some_detector() -> None:
    """The test above has something to look at."""
    values = [samples.build(spec, Random(seed)) for spec in {**QUERIES, **OTHERS}.values() for seed in range(4)]
    assert [miss for miss, change in NEAR_MISSES.items() if not any(changed(v, change) for v in values)] == []


@pytest.mark.parametrize(
    "text",
    [
        b"AWSAccessKeyId=AKIA%s",
        b"https://acme.s3.amazonaws.com/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=%s",
        b"https://storage.googleapis.com/acme/a?X-Goog-Signature=%s",
        b"X-Amz-Signature=%s",
    ],
)
def test_a_signature_alone_is_nothing(text: bytes) -> None:
    """Without what it signs nobody can use it."""
    assert found(text % samples.hexadecimal(Random(1), "64")) == []


# --- what they tell ---------------------------------------------------------------------------------------------------


def signed(**pairs: Any) -> bytes:
    """A query of these parameters; `_` stands for a hyphen in names."""
    return "&".join(f"{name.replace('_', '-')}={text}" for name, text in pairs.items()).encode()


def hexadecimal(length: int) -> str:
    """A fresh signature in hexadecimal."""
    return samples.hexadecimal(Random(length), str(length)).decode()


def encoded(length: int) -> str:
    """A fresh signature of so many bytes in base64, percent-encoded."""
    text = samples.base64_bytes(Random(length), str(length)).decode()
    return text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


KEY = "AKIA" + "QRSTUVWX" * 2
ACCOUNT = "037756382639"
"""What the key's id says."""
TEMPORARY = "ASIA" + "QRSTUVWX" * 2
ONE_DAY = {"X_Amz_Date": "20240229T235959Z", "X_Amz_Expires": "3600"}


def presigned(credential: str, **more: str) -> bytes:
    """The query of a pre-signed URL, Signature Version 4."""
    pairs = {"X_Amz_Algorithm": "AWS4-HMAC-SHA256", "X_Amz_Credential": credential.replace("/", "%2F")}
    pairs |= {**ONE_DAY, "X_Amz_SignedHeaders": "host", "X_Amz_Signature": hexadecimal(64)}
    return signed(**(pairs | more))


S3 = f"{KEY}/20240229/eu-west-1/s3/aws4_request"
FROM_TO = [("starts", "2024-02-29T23:59:59Z"), ("expires", "2024-03-01T00:59:59Z")]
SIGNED = [("allows", "one request of the method that was signed"), ("revocation", "signing key")]


def test_a_presigned_url_of_s3_is_decoded() -> None:
    """Begin and end, the object, the operation where a parameter names it."""
    url = b"https://acme.backup.s3.eu-west-1.amazonaws.com/db/a%20b.sql?" + presigned(S3, x_id="PutObject")
    assert facts(url) == [
        ("type", "AWS pre-signed URL (Signature Version 4)"),
        ("access_key_id", KEY),
        ("account", ACCOUNT),
        ("region", "eu-west-1"),
        ("service", "S3"),
        ("host", "acme.backup.s3.eu-west-1.amazonaws.com"),
        ("resource", "acme.backup/db/a b.sql"),
        ("scope", "object"),
        *FROM_TO,
        ("permissions", "PutObject"),
        ("allows", "put object"),
        ("privilege", "write"),
        ("revocation", "signing key"),
    ]


def test_a_bare_query_tells_what_stands_in_it() -> None:
    """No host, no resource, no scope."""
    assert facts(b"QUERY=" + presigned(S3)) == [
        ("type", "AWS pre-signed URL (Signature Version 4)"),
        ("access_key_id", KEY),
        ("account", ACCOUNT),
        ("region", "eu-west-1"),
        ("service", "S3"),
        *FROM_TO,
        *SIGNED,
    ]


@pytest.mark.parametrize(
    ("url", "service", "resource", "scope"),
    [
        (b"https://acme.s3.amazonaws.com/a/b.txt", "S3", "acme/a/b.txt", "object"),
        (b"https://s3.amazonaws.com/acme/a.txt", "S3", "acme/a.txt", "object"),
        (b"https://s3-us-west-2.amazonaws.com/acme/", "S3", "acme/", "container"),
        (b"https://acme.s3.dualstack.us-west-2.amazonaws.com/", "S3", "acme", "container"),
        (b"https://acme.s3-accelerate.amazonaws.com/a", "S3", "acme/a", "object"),
        (b"https://acme--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/a", "S3", None, "object"),
        (b"https://s3.cn-north-1.amazonaws.com.cn/acme/a", "S3", "acme/a", "object"),
        (b"https://acme.fra1.digitaloceanspaces.com/a/b", "DigitalOcean Spaces", "a/b", "object"),
        (b"https://storage.googleapis.com/acme/a", "Google Cloud Storage", "acme/a", "object"),
        (b"https://minio.acme.test:9000/acme/a", "S3", "acme/a", "object"),
        (b"https://s3.amazonaws.com/", "S3", None, "account"),
    ],
)
def test_bucket_and_object_are_read_from_host_and_path(
    url: bytes, service: str, resource: str | None, scope: str
) -> None:
    """The bucket is in the host's name, or the first part of the path."""
    told = dict(facts(url + b"?" + presigned(S3)))
    assert (told["service"], told["scope"]) == (service, scope)
    if resource:
        assert told["resource"] == resource


@pytest.mark.parametrize(
    ("credential", "more", "kind", "privilege"),
    [
        (S3.replace(KEY, TEMPORARY), {}, "AWS pre-signed URL (Signature Version 4), temporary credentials", None),
        (S3, {"X_Amz_Security_Token": "abc"}, "AWS pre-signed URL (Signature Version 4), temporary credentials", None),
        (S3, {"x_id": "GetObject"}, "AWS pre-signed URL (Signature Version 4)", "read"),
        (S3, {"response_content_type": "text%2Fplain"}, "AWS pre-signed URL (Signature Version 4)", "read"),
        (S3, {"list_type": "2"}, "AWS pre-signed URL (Signature Version 4)", "list"),
        (S3, {"partNumber": "1", "uploadId": "x"}, "AWS pre-signed URL (Signature Version 4)", "write"),
        (S3, {"X_Amz_SignedHeaders": "content-md5%3Bhost"}, "AWS pre-signed URL (Signature Version 4)", "write"),
        (S3, {"x_amz_meta_owner": "ada"}, "AWS pre-signed URL (Signature Version 4)", "write"),
        (
            S3.replace("/s3/", "/sts/"),
            {"Action": "GetCallerIdentity"},
            "AWS pre-signed URL (Signature Version 4)",
            "read",
        ),
    ],
)
def test_what_a_presigned_url_allows_is_told_by_parameters_that_only_some_requests_have(
    credential: str, more: dict[str, str], kind: str, privilege: str | None
) -> None:
    """The method stands nowhere."""
    told = dict(facts(presigned(credential, **more)))
    assert (told["type"], told.get("privilege")) == (kind, privilege)


def test_other_services_have_no_need_of_an_end() -> None:
    """The gateway of IoT takes its URLs for a day; S3 refuses one without an end."""
    url = presigned(S3.replace("/s3/", "/iotdevicegateway/"))
    told = facts(b"wss://acme-ats.iot.eu-west-1.amazonaws.com/mqtt?" + url.replace(b"&X-Amz-Expires=3600", b""))
    assert told == [
        ("type", "AWS pre-signed URL (Signature Version 4)"),
        ("access_key_id", KEY),
        ("account", ACCOUNT),
        ("region", "eu-west-1"),
        ("service", "iotdevicegateway"),
        ("host", "acme-ats.iot.eu-west-1.amazonaws.com"),
        ("resource", "mqtt"),
        FROM_TO[0],
        *SIGNED,
    ]


def test_version_4a_names_a_set_of_regions_and_is_signed_with_ecdsa() -> None:
    """Its signature is DER, its credential has no region."""
    told = dict(facts(b"https://acme.s3.amazonaws.com/a?" + samples.build("aws_presigned:v4a", Random(1))))
    assert (told["type"].partition(",")[0], told["region"]) == ("AWS pre-signed URL (Signature Version 4A)", "*")


def test_a_url_of_r2_is_one_match_of_cloudflares_detector() -> None:
    """With the account of the host's name, and the bucket before it or in the path."""
    account = "0123456789abcdef" * 2
    query = presigned(f"{hexadecimal(32)}/20240229/auto/s3/aws4_request")
    expected = [
        ("type", "Cloudflare R2 pre-signed URL (Signature Version 4)"),
        ("access_key_id", hexadecimal(32)),
        ("account", account),
        ("region", "auto"),
        ("service", "Cloudflare R2"),
        ("host", f"acme.{account}.eu.r2.cloudflarestorage.com"),
        ("resource", "acme/db.sql"),
        ("scope", "object"),
        *FROM_TO,
        *SIGNED,
    ]
    url = f"https://acme.{account}.eu.r2.cloudflarestorage.com/db.sql?".encode() + query
    assert found(url) == [("cloudflare-r2-presigned-url", query)]
    assert facts(url) == expected
    assert found(b"QUERY=" + query) == [("cloudflare-r2-presigned-url", query)]


def test_a_presigned_url_of_version_2_is_decoded() -> None:
    """Its end is a time, which can lie far away."""
    query = signed(AWSAccessKeyId=KEY, Expires="2580000000", Signature=encoded(20))
    assert facts(b"https://acme.s3.amazonaws.com/db.sql?" + query) == [
        ("type", "AWS pre-signed URL (Signature Version 2)"),
        ("access_key_id", KEY),
        ("account", ACCOUNT),
        ("service", "S3"),
        ("host", "acme.s3.amazonaws.com"),
        ("resource", "acme/db.sql"),
        ("scope", "object"),
        ("expires", "2051-10-04T02:40:00Z"),
        *SIGNED,
    ]


def safe(raw: bytes) -> str:
    """CloudFront's own base64."""
    return base64.b64encode(raw).decode().translate(str.maketrans("+=/", "-_~"))


def test_a_signed_url_of_cloudfront_with_a_canned_policy_is_decoded() -> None:
    """It opens the one object of its path."""
    query = signed(Expires="2000000000", Signature=safe(Random(1).randbytes(256)), Key_Pair_Id="K2ABCDEFGHIJKL")
    assert facts(b"https://d111111abcdef8.cloudfront.net/films/one.mp4?" + query) == [
        ("type", "CloudFront signed URL"),
        ("key_id", "K2ABCDEFGHIJKL"),
        ("key_type", "RSA"),
        ("host", "d111111abcdef8.cloudfront.net"),
        ("resource", "films/one.mp4"),
        ("scope", "object"),
        ("ip", "any"),
        ("expires", "2033-05-18T03:33:20Z"),
        ("service", "CloudFront"),
        ("revocation", "signing key"),
    ]


def test_a_custom_policy_of_cloudfront_tells_what_it_opens_from_when_and_for_whom() -> None:
    """In signed cookies as in a URL."""
    limits = {
        "IpAddress": {"AWS:SourceIp": "192.0.2.0/24"},
        "DateGreaterThan": {"AWS:EpochTime": 1_900_000_000},
        "DateLessThan": {"AWS:EpochTime": 2_000_000_000},
    }
    policy = json.dumps({"Statement": [{"Resource": "https://media.acme.test/films/*", "Condition": limits}]})
    pairs = {
        "Policy": safe(policy.encode()),
        "Signature": safe(Random(1).randbytes(256)),
        "Key-Pair-Id": "K2ABCDEFGHIJ",
    }
    opened = [
        ("resource", "https://media.acme.test/films/*"),
        ("scope", "container"),
        ("ip", "192.0.2.0/24"),
        ("starts", "2030-03-17T17:46:40Z"),
        ("expires", "2033-05-18T03:33:20Z"),
        ("service", "CloudFront"),
        ("revocation", "signing key"),
    ]
    key = [("key_id", "K2ABCDEFGHIJ"), ("key_type", "RSA")]
    cookies = "; ".join(f"CloudFront-{name}={text}" for name, text in pairs.items()).encode()
    assert facts(b"Cookie: " + cookies) == [("type", "CloudFront signed cookies"), *key, *opened]
    assert facts(signed(**pairs)) == [("type", "CloudFront signed URL"), *key, *opened]


@pytest.mark.parametrize(
    "policy", ["", "[]", "null", '{"Statement": []}', '{"Statement": [{"Resource": "*"}]}', "[" * 3000]
)
def test_a_policy_of_cloudfront_without_an_end_counts_for_nothing(policy: str) -> None:
    """CloudFront refuses it."""
    pairs = {
        "Policy": safe(policy.encode()),
        "Signature": safe(Random(1).randbytes(256)),
        "Key-Pair-Id": "K2ABCDEFGHIJ",
    }
    assert found(signed(**pairs)) == []


ROBOT = "robot@acme-prod.iam.gserviceaccount.com"


def test_signed_urls_of_google_cloud_storage_are_decoded() -> None:
    """Version 4, in small letters as the command line tool writes it, and version 2."""
    credential = f"{ROBOT}/20240229/auto/storage/goog4_request".replace("/", "%2F").replace("@", "%40")
    query = signed(
        x_goog_signature=hexadecimal(512),
        x_goog_algorithm="GOOG4-RSA-SHA256",
        x_goog_credential=credential,
        x_goog_date="20240229T235959Z",
        x_goog_expires="3600",
        x_goog_signedheaders="host%3Bx-goog-resumable",
    )
    place = [("host", "storage.googleapis.com"), ("resource", "acme/db.sql"), ("scope", "object")]
    signer = [("email", ROBOT), ("project", "acme-prod")]
    assert facts(b"https://storage.googleapis.com/acme/db.sql?" + query) == [
        ("type", "Google Cloud Storage signed URL (version 4)"),
        *signer,
        ("region", "auto"),
        *FROM_TO,
        ("service", "Google Cloud Storage"),
        *place,
        ("allows", "upload"),
        ("privilege", "write"),
        ("revocation", "signing key"),
    ]
    query = signed(GoogleAccessId=ROBOT, Expires="2580000000", Signature=encoded(256))
    assert facts(b"https://storage.googleapis.com/acme/db.sql?" + query) == [
        ("type", "Google Cloud Storage signed URL (version 2)"),
        *signer,
        ("expires", "2051-10-04T02:40:00Z"),
        ("service", "Google Cloud Storage"),
        *place,
        *SIGNED,
    ]


def test_signed_urls_of_alibaba_oss_are_decoded() -> None:
    """Version 4 names the region, version 1 leaves that to the host."""
    place = [("host", "acme.oss-cn-beijing.aliyuncs.com"), ("resource", "acme/db.sql"), ("scope", "object")]
    key = "LTAI" + "Abcd5678" * 2
    query = signed(
        x_oss_signature_version="OSS4-HMAC-SHA256",
        x_oss_credential=f"{key}/20240229/cn-beijing/oss/aliyun_v4_request".replace("/", "%2F"),
        x_oss_date="20240229T235959Z",
        x_oss_expires="3600",
        x_oss_signature=hexadecimal(64),
    )
    assert facts(b"https://acme.oss-cn-beijing.aliyuncs.com/db.sql?" + query) == [
        ("type", "Alibaba Cloud OSS signed URL (version 4)"),
        ("access_key_id", key),
        ("region", "cn-beijing"),
        *FROM_TO,
        ("service", "Alibaba Cloud OSS"),
        *place,
        *SIGNED,
    ]
    query = signed(OSSAccessKeyId="STS." + key, Expires="2580000000", Signature=encoded(20), security_token="abc")
    assert facts(b"https://acme.oss-cn-beijing.aliyuncs.com/db.sql?" + query) == [
        ("type", "Alibaba Cloud OSS signed URL (version 1), temporary credentials"),
        ("access_key_id", "STS." + key),
        ("expires", "2051-10-04T02:40:00Z"),
        ("region", "cn-beijing"),
        ("service", "Alibaba Cloud OSS"),
        *place,
        *SIGNED,
    ]


@pytest.mark.parametrize(
    ("place", "policy", "expected"),
    [
        (
            "sb%3A%2F%2Facme.servicebus.windows.net%2F",
            "RootManageSharedAccessKey",
            [
                ("type", "Azure Service Bus or Event Hubs SAS"),
                ("service", "Azure Service Bus or Event Hubs"),
                ("host", "acme.servicebus.windows.net"),
                ("scope", "account"),
                ("policy", "RootManageSharedAccessKey"),
                ("privilege", "full"),
            ],
        ),
        (
            "https%253A%252F%252Facme.servicebus.windows.net%252Forders",
            "send",
            [
                ("type", "Azure Service Bus or Event Hubs SAS"),
                ("service", "Azure Service Bus or Event Hubs"),
                ("host", "acme.servicebus.windows.net"),
                ("resource", "orders"),
                ("scope", "container"),
                ("policy", "send"),
            ],
        ),
        (
            "acme.azure-devices.net/devices/pump-7",
            "",
            [
                ("type", "Azure IoT Hub device token"),
                ("service", "Azure IoT Hub"),
                ("host", "acme.azure-devices.net"),
                ("resource", "devices/pump-7"),
                ("scope", "object"),
            ],
        ),
        (
            "0ne00123456%2Fregistrations%2Fpump-7",
            "registration",
            [
                ("type", "Azure SAS"),
                ("resource", "0ne00123456/registrations/pump-7"),
                ("scope", "container"),
                ("policy", "registration"),
            ],
        ),
    ],
)
def test_a_shared_access_signature_of_service_bus_or_iot_hub_is_decoded(
    place: str, policy: str, expected: list[tuple[str, str]]
) -> None:
    """The place may be encoded once, twice or not at all."""
    pairs = [f"se={2_000_000_000}", f"sig={encoded(32)}", f"sr={place}", *([f"skn={policy}"] if policy else [])]
    for turn in range(len(pairs)):
        token = "SharedAccessSignature " + "&".join([*pairs[turn:], *pairs[:turn]])
        assert found(token.encode()) == [("azure-service-bus-sas", token.encode())]
        assert facts(token.encode()) == [*expected, ("expires", "2033-05-18T03:33:20Z"), ("revocation", "signing key")]


def test_a_token_of_api_management_is_decoded() -> None:
    """Both forms of the management API, and that of a gateway."""
    mark, rest = base64.b64encode(Random(1).randbytes(64)).decode(), [("revocation", "signing key")]
    management = [
        ("type", "Azure API Management access token"),
        ("service", "API Management"),
        ("user", "integration"),
        ("scope", "account"),
        ("privilege", "full"),
        ("expires", "2030-02-28T08:30:00Z"),
        *rest,
    ]
    assert (
        facts(f"SharedAccessSignature sn={mark}&uid=integration&ex=2030-02-28T08:30:00.0000000Z".encode()) == management
    )
    assert facts(f"SharedAccessSignature integration&203002280830&{mark}".encode()) == management
    assert facts(f"//apim:integration%26203002280830%26{mark.replace('=', '%3D')}@x".encode()) == management
    assert facts(f"GatewayKey edge&203002280830&{mark}".encode()) == [
        ("type", "Azure API Management gateway token"),
        ("service", "API Management"),
        ("name", "edge"),
        ("privilege", "read"),
        ("expires", "2030-02-28T08:30:00Z"),
        *rest,
    ]


@pytest.mark.parametrize(
    "when", ["6%2F15%2F2030%206%3A20%3A15%20PM", "6%2f15%2f2030+6%3a20%3a15+PM", "2030-06-15T18:20:15Z"]
)
def test_a_shared_access_signature_of_event_grid_is_decoded(when: str) -> None:
    """Its time is written in the American way, or as the program likes."""
    place = "https%3A%2F%2Facme.westus2-1.eventgrid.azure.net%2Fapi%2Fevents%3Fapi-version%3D2018-01-01"
    assert facts(f"aeg-sas-token: r={place}&e={when}&s={encoded(32)}".encode()) == [
        ("type", "Azure Event Grid SAS"),
        ("service", "Event Grid"),
        ("host", "acme.westus2-1.eventgrid.azure.net"),
        ("resource", "api/events"),
        ("scope", "container"),
        ("allows", "publish events"),
        ("privilege", "write"),
        ("expires", "2030-06-15T18:20:15Z"),
        ("revocation", "signing key"),
    ]


RUN = "api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig="
RUNS = [
    ("scope", "object"),
    ("permissions", "/triggers/manual/run"),
    ("allows", "run the workflow"),
    ("privilege", "write"),
    ("version", "1.0"),
    ("revocation", "signing key"),
]


@pytest.mark.parametrize(
    ("address", "service", "host", "more"),
    [
        (
            f"https://prod-12.westeurope.logic.azure.com:443/workflows/{hexadecimal(32)}/triggers/manual/paths/invoke",
            "Logic Apps or Power Automate",
            "prod-12.westeurope.logic.azure.com",
            [("resource", hexadecimal(32))],
        ),
        (
            "https://acme.azurewebsites.net/api/orders/triggers/manual/invoke",
            "Logic Apps or Power Automate",
            "acme.azurewebsites.net",
            [("resource", "orders")],
        ),
        (
            "https://default0123456789abcdef0123456789abcd.ef.environment.api.powerplatform.com:443/powerautomate"
            f"/automations/direct/workflows/{hexadecimal(32)}/triggers/manual/paths/invoke",
            "Power Automate",
            "default0123456789abcdef0123456789abcd.ef.environment.api.powerplatform.com",
            [
                ("workspace", "01234567-89ab-cdef-0123-456789abcdef"),
                ("tenant", "01234567-89ab-cdef-0123-456789abcdef"),
                ("resource", hexadecimal(32)),
            ],
        ),
    ],
)
def test_the_url_of_a_trigger_is_decoded(address: str, service: str, host: str, more: list[tuple[str, str]]) -> None:
    """Whoever has it runs the workflow; of a default environment the name tells the tenant."""
    url = address + "?" + RUN + samples.base64url_bytes(Random(1), "32").decode()
    assert facts(url.encode()) == [("type", "URL of a trigger"), ("service", service), ("host", host), *more, *RUNS]


def test_the_url_of_a_function_tells_host_and_path() -> None:
    """From the pattern alone."""
    url = b"https://acme-x1.westeurope-01.azurewebsites.net/api/ingest?code=" + samples.base64_bytes(Random(1), "40")
    assert facts(url) == [("host", "acme-x1.westeurope-01.azurewebsites.net"), ("resource", "api/ingest")]


# --- laws -------------------------------------------------------------------------------------------------------------

OURS = sorted(
    name for name in CHECKS if name.startswith(("aws_presigned", "aws_cloudfront", "azure_", "google_s", "alibaba"))
)
NAMES = (
    "X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Signature Expires Signature "
    "AWSAccessKeyId Key-Pair-Id Policy X-Goog-Credential X-Goog-Date X-Goog-Expires X-Goog-Signature GoogleAccessId "
    "OSSAccessKeyId x-oss-credential x-oss-date x-oss-signature sr se sig skn uid ex sn r e s sp sv x-id"
).split()
TEXTS = st.one_of(
    st.text(),
    st.integers().map(str),
    st.sampled_from(["99999999999", "-1", "²", "9" * 5000, "00000000T000000Z", "99991231T235959Z", "%FF%00", "=="]),
)


@pytest.mark.parametrize("check", OURS)
@given(value=st.one_of(st.binary(), st.dictionaries(st.sampled_from(NAMES), TEXTS)), host=st.text(), path=st.text())
def test_a_check_never_raises(check: str, value: bytes | dict[str, str], host: str, path: str) -> None:
    """Whatever stands there."""
    if isinstance(value, dict):
        value = "&".join(f"{name}={text}" for name, text in value.items()).encode("utf-8", "surrogatepass")
    arguments = [{"host": host, "resource": path}] if check in CONTEXTUAL else []
    told = CHECKS[check](value, *arguments)
    assert told is None or all(len(text) <= 200 for _, text in told)


@pytest.mark.parametrize("detector", sorted({**QUERIES, **OTHERS}))
@given(seed=st.integers(0, 1 << 32))
def test_no_fact_gives_the_signature_away(detector: str, seed: int) -> None:
    """Not a piece of 12 characters."""
    value = samples.build({**QUERIES, **OTHERS}[detector], Random(seed)).decode()
    marks = re.findall(r"(?i)(?:signature|[?& ]sig|[?& ]sn|[?&]s)=([^&;]+)|&([^&;=]{80,}=*)$", value)
    pieces = {mark[at : at + 12] for pair in marks for mark in pair for at in range(0, len(mark) - 12, 4)}
    assert pieces or detector == "azure-event-grid-sas"
    for match in search(value.encode()):
        told = " ".join(text for _, text in match.facts)
        assert [piece for piece in pieces if piece in told] == []
