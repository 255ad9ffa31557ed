"""Signatures of requests are those of the providers' own libraries and pages."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.net.urls import Url
from oakum.scanner.verify.clouds import signing

WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip)


@settings(deadline=None)
@given(
    name=WORDS.map(str.upper),
    secret=SECRETS,
    host=st.tuples(WORDS, WORDS).map(".".join),
    body=st.binary(max_size=200),
    headers=st.dictionaries(WORDS.map("X-Test-{}".format), VALUES, max_size=4),
    service=WORDS,
    region=WORDS,
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    token=st.sampled_from(["", "a+token/of=some=sort"]),
)
def test_requests_to_aws_are_signed_as_its_own_library_signs_them(
    name: str,
    secret: str,
    host: str,
    body: bytes,
    headers: dict[str, str],
    service: str,
    region: str,
    at: datetime,
    token: str,
) -> None:
    """For any key, text and time."""
    made = signing.aws(
        (name, secret), Url("https", host), body, headers, service=service, region=region, at=at, token=token
    )
    request = AWSRequest("POST", f"https://{host}/", {n: v for n, v in made.items() if n != "Authorization"}, body)
    request.context["timestamp"] = made["X-Amz-Date"]
    auth = SigV4Auth(Credentials(name, secret, token or None), service, region)
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    assert made["Authorization"].endswith(f", Signature={signature}")
    assert made["Authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={name}/{at:%Y%m%d}/{region}/{service}/")


def test_the_example_of_alibaba_has_the_signature_that_its_page_shows() -> None:
    """https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature"""
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    headers = {
        "x-acs-action": "RunInstances",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    pair = ("YourAccessKeyId", "YourAccessKeySecret")
    made = signing.alibaba(pair, Url("https", "ecs.cn-shanghai.aliyuncs.com", "/", query), b"", headers)
    assert made["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )
    assert made["x-acs-content-sha256"] == hashlib.sha256(b"").hexdigest()


def test_the_example_of_tencent_has_the_signature_that_its_page_shows() -> None:
    """https://www.tencentcloud.com/document/product/1150/49452, whose secret stands here in two parts"""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    made = signing.tencent(
        ("id", "Gu5t9xGARNpq86cd" + "98joQYCN3EXAMPLE"),
        Url("https", "cvm.tencentcloudapi.com"),
        body,
        {"Content-Type": "application/json; charset=utf-8", "X-TC-Action": "DescribeInstances"},
        service="cvm",
        at=datetime.fromtimestamp(1551113065, UTC),
    )
    assert made["X-TC-Timestamp"] == "1551113065"
    assert made["Authorization"] == (
        "TC3-HMAC-SHA256 Credential=id/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )
