"""Servers that throttle, break off, go round in circles, lead elsewhere or never end: what was read stays, and what is
missing is told, in bounded time and memory."""

from __future__ import annotations

import gzip
import logging
import socket
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from listed_pages import Listed, access, listed
from oakum.scanner.errors import TargetError, UsageError
from oakum.scanner.sources.stores import Limits
from oakum.scanner.sources.stores.opening import open_store
from servers import Answering, answer, told

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "made-up-key-id", "AWS_SECRET_ACCESS_KEY": "made-up-secret-key"}


def s3_page(first: int, token: str = "", count: int = 2) -> str:
    """A page of ListObjectsV2; `token` leads to the next one."""
    entries = "".join(f"<Contents><Key>key-{n:04d}</Key><Size>1</Size></Contents>" for n in range(first, first + count))
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return (
        '<?xml version="1.0"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
        f"{more}{entries}</ListBucketResult>"
    )


def error(code: str, message: str = "") -> str:
    return f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"


def s3(answering: Answering, **more: Any) -> tuple[Listed, list[str]]:
    """What a listing of a bucket gives that a server answers so, and what it was asked for."""
    with told(answering) as (url, asked):
        found = listed("s3://bucket", access(more.pop("environment", {}), endpoint=url, **more))
    return found, asked.targets


def sizes(found: Listed) -> list[int]:
    return [page.data.count(b"<Contents>") for page in found.pages]


# --- what passes -----------------------------------------------------------------------------------------------------


def test_throttling_is_waited_out() -> None:
    """503 SlowDown, 429 and 500, with and without Retry-After."""
    refusals = [(503, {"Retry_After": "0"}), (429, {"Retry_After": "1"}), (500, {}), (503, {})]

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        if number in (0, 1, 3, 4):
            status, headers = refusals[number - number // 3]
            answer(to, error("SlowDown"), status, **headers)
        else:
            answer(to, s3_page(number, "more" if number == 2 else ""))

    begun = time.monotonic()
    found, targets = s3(answering)
    assert (sizes(found), found.why, len(targets)) == ([2, 2], [], 6)
    assert 0.2 <= time.monotonic() - begun < 5, "the longest pause holds against Retry-After"


def test_throttling_that_does_not_end() -> None:
    """The pages before it stay; how often it was asked is told."""

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        if number < 2:
            answer(to, s3_page(number * 2, f"token-{number}"))
        else:
            answer(to, error("SlowDown"), 503)

    found, targets = s3(answering)
    assert (sizes(found), found.why) == (
        [2, 2],
        [
            "s3://bucket: the listing breaks off: it answers 503 SlowDown; it was asked 3 times: try again later; "
            "2 pages were read, what comes after is not known"
        ],
    )
    assert len(targets) == 5


def reset(to: BaseHTTPRequestHandler) -> None:
    """End a connection at once."""
    to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    to.rfile.close()
    to.wfile.close()
    to.connection.close()
    to.close_connection = True


def closed(to: BaseHTTPRequestHandler) -> None:
    to.close_connection = True


def half(to: BaseHTTPRequestHandler) -> None:
    """An answer that ends before its length."""
    to.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + s3_page(0).encode()[:100])
    to.close_connection = True


def half_packed(to: BaseHTTPRequestHandler) -> None:
    answer(to, gzip.compress(s3_page(0).encode())[:-12], Content_Encoding="gzip")


def garbage(to: BaseHTTPRequestHandler) -> None:
    to.wfile.write(b"\x00\xff garbage\r\n\r\n" * 10)
    to.close_connection = True


@pytest.mark.parametrize("breaks", [reset, closed, half, half_packed, garbage], ids=lambda f: str(f.__name__))
def test_a_connection_that_breaks_is_made_again(breaks: Callable[[BaseHTTPRequestHandler], None]) -> None:
    """And where it always breaks, that is told."""

    def once(to: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            breaks(to)
        else:
            answer(to, s3_page(number * 2, "" if number else "more"))

    found, _ = s3(once)
    assert (sizes(found), found.why) == ([2, 2], [])
    found, targets = s3(lambda to, _: breaks(to))
    assert (found.pages, len(found.why), len(targets)) == ([], 1, 3)
    assert found.why[0].endswith("it was asked 3 times: try again later")


def test_a_packed_page() -> None:
    """gzip is undone."""
    found, _ = s3(lambda to, _: answer(to, gzip.compress(s3_page(0).encode()), Content_Encoding="gzip"))
    assert (found.pages[0].data, found.why) == (s3_page(0).encode(), [])


# --- credentials that end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("ExpiredToken", 400, "the credentials have expired (400 ExpiredToken): run it again with new ones"),
        ("AccessDenied", 403, "it refuses to list: these credentials may not list it (403 AccessDenied)"),
        ("", 403, "it refuses to list: these credentials may not list it (403)"),
    ],
)
def test_a_token_that_expires_in_mid_listing(code: str, status: int, why: str) -> None:
    """What was listed stays."""

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        if number:
            answer(to, error(code) if code else "", status)
        else:
            answer(to, s3_page(0, "more"))

    found, _ = s3(answering, environment=CREDENTIALS | {"AWS_SESSION_TOKEN": "made-up-token"})
    assert (sizes(found), found.why) == (
        [2],
        [f"s3://bucket: the listing breaks off: {why}; 1 page was read, what comes after is not known"],
    )


def azure_containers(names: list[str], marker: str = "") -> str:
    containers = "".join(f"<Container><Name>{name}</Name></Container>" for name in names)
    return (
        f'\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x"><Containers>{containers}'
        f"</Containers><NextMarker>{marker}</NextMarker></EnumerationResults>"
    )


def test_a_sas_that_expires_between_two_containers() -> None:
    """The rest is not asked for one by one, and counted; nothing that is told holds the signature."""

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        if number == 0:
            answer(to, azure_containers([f"con-{n}" for n in range(10)]))
        elif number < 3:
            answer(to, azure_containers([]))
        else:
            signature = parse_qs(urlsplit(to.path).query)["sig"][0]
            answer(to, error("AuthenticationFailed", signature), 403, x_ms_error_code="AuthenticationFailed")

    ends = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    query = "sv=2023-11-03&ss=b&srt=sco&sp=rwl&sig=c2lnbmF0dXJlLW1hZGUtdXA%3D&se=" + ends.replace("+", "%2B")
    with told(answering) as (url, asked):
        found = listed(f"{url}/acme?{query}", access())
    assert [page.container for page in found.pages] == [b"", b"con-0", b"con-1"]
    assert found.why == [
        f"{url}/acme/con-2: it does not take the signature (403 AuthenticationFailed): it has expired, or its key was "
        f"changed, or it is not complete: the SAS ended on {ends[:10]}",
        f"{url}/acme: containers: not asked after that",
    ]
    assert [n.count for n in found.left_out] == [1, 7]
    assert len(asked.targets) == 4
    assert all(query in target for target in asked.targets), "what is signed goes out as it was given"


def test_a_store_that_falls_silent_between_two_containers() -> None:
    """It is asked for three more, and not for all."""

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        if number == 0:
            answer(to, azure_containers([f"con-{n}" for n in range(10)]))
        elif number == 1:
            answer(to, azure_containers([]))
        else:
            answer(to, "", 503)

    with told(answering) as (url, asked):
        query = "sv=2023-11-03&ss=b&srt=sco&sp=rwl&sig=made-up"
        found = listed(f"{url}/acme?{query}", access(limits={"retries": 1}))
    assert [page.container for page in found.pages] == [b"", b"con-0"]
    assert found.why == [
        *(f"{url}/acme/con-{n}: it answers 503; it was asked 2 times: try again later" for n in (1, 2, 3)),
        f"{url}/acme: containers: not asked after that",
    ]
    assert ([n.count for n in found.left_out], len(asked.targets)) == ([1, 1, 1, 6], 2 + 3 * 2)


@pytest.mark.parametrize("where", ["code", "header", "location", "hex", "status line", "body"])
def test_a_server_that_repeats_what_was_sent(where: str, caplog: pytest.LogCaptureFixture) -> None:
    """No message and no log holds a signature."""
    signature = "c2lnbmF0dXJlLW1hZGUtdXA%3D"

    def answering(to: BaseHTTPRequestHandler, _number: int) -> None:
        if where == "code":
            answer(to, error(to.path), 403)
        elif where == "header":
            answer(to, "", 403, x_ms_error_code=signature.rstrip("%3D"), WWW_Authenticate=to.path)
        elif where == "location":
            answer(to, "", 302, Location=f"https://elsewhere.example{to.path.replace('?', '/')}")
        elif where == "hex":
            spelt = signature.encode().hex()
            answer(to, error(f"e{spelt}"), 302, Location=f"https://elsewhere.example/{spelt}", x_ms_error_code=spelt)
        elif where == "status line":
            to.wfile.write(f"HTTP/1.1 {to.path}\r\n\r\n".encode())
            to.close_connection = True
        else:
            answer(to, to.path)

    caplog.set_level(logging.DEBUG)
    with told(answering) as (url, _):
        found = listed(f"{url}/acme/con?sv=2023-11-03&sr=c&sp=rl&sig={signature}", access())
    assert len(found.why) == 1
    assert "c2lnbmF0dXJl" not in repr(found.left_out) + caplog.text
    assert signature.encode().hex()[:8] not in found.why[0]
    if where == "hex":
        assert "it redirects to the host elsewhere.example (302), which is not followed" in found.why[0]


# --- circles ---------------------------------------------------------------------------------------------------------


def test_the_same_page_for_ever() -> None:
    """With the same token, or with a new one each time."""
    for token in ("same", "new-{}"):
        found, targets = s3(lambda to, number, token=token: answer(to, s3_page(0, token.format(number))))
        assert (len(found.pages), len(found.why)) == (1, 1)
        assert "it gives the same page again and again; 1 page was read" in found.why[0]
        assert len(targets) == 2


def test_tokens_that_lead_back() -> None:
    """Other pages, and a token that came before."""
    found, targets = s3(lambda to, number: answer(to, s3_page(number * 2, f"token-{number % 3}")))
    assert (len(found.pages), len(targets)) == (4, 4)
    assert "it leads back to a page that came before; 4 pages were read" in found.why[0]


@pytest.mark.long
def test_other_pages_for_ever() -> None:
    """They are bounded in number, and all together in time."""
    found, targets = s3(lambda to, number: answer(to, s3_page(number * 2, f"token-{number}")), limits={"pages": 50})
    assert (len(found.pages), len(targets)) == (50, 50)
    assert "50 pages were asked for, which is the most; 50 pages were read" in found.why[0]

    def slowly(to: BaseHTTPRequestHandler, number: int) -> None:
        time.sleep(0.05)
        answer(to, s3_page(number * 2, f"token-{number}"))

    begun = time.monotonic()
    found, _ = s3(slowly, limits={"all": 0.5})
    assert time.monotonic() - begun < 3
    assert "the 0.5 seconds that this may take are over" in found.why[0]
    assert found.pages


def test_a_page_that_goes_on_nowhere() -> None:
    """It says that there is more."""
    page = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"
    found, _ = s3(lambda to, _: answer(to, page))
    assert found.why == [
        "s3://bucket: the listing breaks off: where it goes on cannot be told: it says that it goes on, and not where; "
        "1 page was read, what comes after is not known"
    ]


# --- elsewhere -------------------------------------------------------------------------------------------------------


def test_a_token_is_never_an_address() -> None:
    """Whatever it holds, it is a parameter of the same request."""
    tokens = ["https://elsewhere.example/?a=b", "//elsewhere.example/", "a&amp;prefix=other#x", "../../up", "\u20ac"]

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        answer(to, s3_page(number * 2, tokens[number] if number < len(tokens) else ""))

    found, targets = s3(answering)
    assert (len(found.pages), found.why) == (6, [])
    asked = [parse_qs(urlsplit(target).query, keep_blank_values=True) for target in targets]
    fixed = {"list-type": ["2"], "encoding-type": ["url"]}
    assert asked[0] == fixed
    assert asked[1:] == [fixed | {"continuation-token": [token.replace("&amp;", "&")]} for token in tokens]
    assert {urlsplit(target).path for target in targets} == {"/bucket"}


def test_a_redirect_is_not_followed() -> None:
    """Its target is told, without its query."""
    with told(lambda to, _: answer(to, s3_page(0))) as (elsewhere, untouched):
        location = f"{elsewhere}/bucket?token=made-up"
        found, _ = s3(lambda to, _: answer(to, "", 302, Location=location))
        assert found.why == [
            f"s3://bucket: it redirects to {elsewhere}/bucket… (302), which is not followed: give that URL, if it is "
            "the right one"
        ]
        assert untouched.targets == []
        for query in ("?token=made-up", "?code=made-up"):
            with told(lambda to, _: answer(to, "", 302, Location="/login/made-up")) as (url, _):
                assert listed(url + query, access()).why == [
                    f"{url}: it redirects to another place (302), which is not followed: give that URL, if it is the "
                    "right one"
                ]


def test_the_region_of_a_bucket_is_learnt_once() -> None:
    """From the header and from the error; the request is signed for it, and goes to the same endpoint."""

    def scope(number: int, headers: list[dict[str, str]]) -> str:
        return headers[number]["authorization"].split("/")[2]

    refusals: list[tuple[str, int, dict[str, str]]] = [
        ("", 301, {"x_amz_bucket_region": "eu-west-3"}),
        ("<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>", 400, {}),
    ]
    for body, status, headers in refusals:

        def answering(to: BaseHTTPRequestHandler, number: int, body: str = body, status: int = status) -> None:
            if number == 0:
                answer(to, body, status, **headers)  # noqa: B023  # called in this turn of the loop only
            else:
                answer(to, s3_page(0))

        with told(answering) as (url, asked):
            found = listed("s3://bucket", access(CREDENTIALS, endpoint=url))
        assert (sizes(found), found.why) == ([2], [])
        assert [scope(n, asked.headers) for n in (0, 1)] == ["us-east-1", "eu-west-3"]
    found, targets = s3(lambda to, n: answer(to, "", 301, x_amz_bucket_region=f"eu-west-{n + 2}"))
    assert (found.pages, len(found.why), len(targets)) == ([], 1, 2)
    found, targets = s3(lambda to, _: answer(to, "", 301, x_amz_bucket_region="evil.example/"))
    assert (found.pages, len(found.why), len(targets)) == ([], 1, 1)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "metadata.google.internal", "[::ffff:169.254.169.254]"]
)
def test_metadata_addresses_are_never_asked(host: str) -> None:
    """By their numbers and names."""
    found = listed(f"https://{host}/latest/", access())
    assert found.pages == []
    assert len(found.why) == 1
    assert found.why[0].endswith("own metadata: never asked")


def test_names_that_lead_to_metadata_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """All addresses of a name are looked at, and the connection goes to one of these."""
    looked_up: list[str] = []

    def lookup(host: str, port: int, **_: object) -> list[Any]:
        looked_up.append(host)
        addresses = ["127.0.0.1", "169.254.169.254"] if len(looked_up) == 1 else ["10.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    found = listed("https://rebinding.example.org/", access())
    assert found.why == [
        "https://rebinding.example.org: rebinding.example.org leads to 169.254.169.254, which is for this machine's "
        "own metadata: never asked"
    ]
    found = listed("http://localhost:1/", access())
    assert found.why == ["http://localhost:1: localhost leads to 10.0.0.1, which is not this machine"]


def test_plain_http_only_here() -> None:
    """Elsewhere it must be allowed; a password in a URL is not sent at all."""
    for target, why in {
        "http://store.example.org/": "over http anybody on the way reads what is sent",
        "https://name@store.example.org/": "a name and password in a URL are not sent",
        "https://": "this is no URL of a store",
        "https://[::1/": "this is no URL",
        "https://host:port/": "this is no URL",
    }.items():
        with pytest.raises(TargetError, match=why):
            open_store(target, access())
    assert open_store("http://store.example.org/", access(plain_http=True)).title == "http://store.example.org/"


# --- too much --------------------------------------------------------------------------------------------------------


def endless(to: BaseHTTPRequestHandler, _number: int) -> None:
    to.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    part = s3_page(0).encode() * 1000
    while True:
        to.wfile.write(part)


def bomb(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, BOMB, Content_Encoding="gzip")


BOMB = gzip.compress(bytes(256 << 20), 1)


def drip(to: BaseHTTPRequestHandler, _number: int) -> None:
    """A byte now and then: never silent for long."""
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
        to.wfile.write(bytes((byte,)))
        time.sleep(0.05)


def silent(to: BaseHTTPRequestHandler, _number: int) -> None:
    time.sleep(2)


def unasked(to: BaseHTTPRequestHandler, _number: int) -> None:
    answer(to, b"\x1b", Content_Encoding="br")


@pytest.mark.parametrize(
    ("answering", "why"),
    [
        (endless, "an answer of it has more than 4 MiB: it is not what was asked for"),
        (bomb, "an answer of it has more than 4 MiB: it is not what was asked for"),
        (drip, "it does not answer in time; it was asked 3 times: try again later"),
        (silent, "it does not answer in time; it was asked 3 times: try again later"),
        (unasked, "its answer is packed in a way that was not asked for"),
    ],
    ids=["endless", "bomb", "drip", "silent", "unasked"],
)
def test_answers_are_bounded(answering: Answering, why: str) -> None:
    """In bytes and in time."""
    begun = time.monotonic()
    tracemalloc.start()
    found, _ = s3(answering, limits={"answer": 0.4, "silence": 0.3} if answering in (drip, silent) else {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.pages, found.why) == ([], [f"s3://bucket: {why}"])
    assert time.monotonic() - begun < 5
    if answering is not endless:  # the server's own memory counts there
        assert peak < 24 << 20


DTD = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (DTD + s3_page(0, "&b;").partition("\n")[2], "it declares a document type, which no store does"),
        (s3_page(0, "more")[:-30], "its XML is damaged (no element found, line 2)"),
        ("<ListBucketResult>" + "<a>" * 1000, "its elements lie more than 32 deep"),
        ("<html><body>Log in</body></html>", "what it answers is no listing of a bucket"),
        ("", "what it answers is no listing of a bucket"),
        ("\x00\xff", "what it answers is no listing of a bucket"),
    ],
)
def test_pages_of_which_cannot_be_told_how_they_go_on(page: str, why: str) -> None:
    """They are handed on all the same: the good entries count."""
    found, _ = s3(lambda to, _: answer(to, page))
    assert [one.data for one in found.pages] == [page.encode()]
    assert found.why == [
        f"s3://bucket: the listing breaks off: where it goes on cannot be told: {why}; 1 page was read, what comes "
        "after is not known"
    ]


ACCOUNT_SAS = "sv=2023-11-03&ss=b&srt=sco&sp=rl&sig=made-up"


def buckets(names: list[str]) -> str:
    inner = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in names)
    return f'<?xml version="1.0"?><ListAllMyBucketsResult><Buckets>{inner}</Buckets></ListAllMyBucketsResult>'


@pytest.mark.parametrize("damage", ["cut", "document type"])
def test_a_damaged_page_of_containers(damage: str) -> None:
    """Those before the damage are listed; what it is, is told once."""

    def damaged(page: str, more: str) -> str:
        return page.partition(more)[0] + more[:3] if damage == "cut" else DTD + page.partition("?>")[2]

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        if number:
            answer(to, azure_containers([]))
        else:
            answer(to, damaged(azure_containers(["con-0", "con-1"]), "</Containers>"))

    why = {
        "cut": "its XML is damaged (unclosed token, line 1)",
        "document type": "it declares a document type, which no store does",
    }[damage]
    told_of = f"the listing breaks off: where it goes on cannot be told: {why}; 1 page was read, what comes after is"
    with told(answering) as (url, _):
        found = listed(f"{url}/acme?{ACCOUNT_SAS}", access())
    assert [page.container for page in found.pages] == [b"", *([b"con-0", b"con-1"] if damage == "cut" else [])]
    assert found.why == [f"{url}/acme: {told_of} not known"]

    def answering_s3(to: BaseHTTPRequestHandler, number: int) -> None:
        answer(to, s3_page(0) if number else damaged(buckets(["bucket-0", "bucket-1"]), "</Buckets>"))

    with told(answering_s3) as (url, _):
        found = listed("s3://", access(CREDENTIALS, endpoint=url))
    assert [page.container for page in found.pages] == [b"", *([b"bucket-0", b"bucket-1"] if damage == "cut" else [])]
    assert found.why == [f"buckets: {told_of} not known"]


def test_containers_with_names_that_are_none() -> None:
    """They are counted."""
    odd = ["Bad_Name", "../other", "a?b=c", ""]
    with told(lambda to, n: answer(to, azure_containers([] if n else ["con-0", *odd]))) as (url, asked):
        found = listed(f"{url}/acme?{ACCOUNT_SAS}", access())
    assert [(n.what.decode(), n.why, n.count) for n in found.left_out] == [
        (f"{url}/acme: containers", "their names are none that can be asked for", 4)
    ]
    assert len(asked.targets) == 2
    with told(lambda to, n: answer(to, s3_page(0) if n else buckets(["bucket", *odd[1:]]))) as (url, asked):
        found = listed("s3://", access(CREDENTIALS, endpoint=url))
    assert [(n.what, n.why, n.count) for n in found.left_out] == [
        (b"buckets", "their names are none that can be asked for", 3)
    ]
    assert len(asked.targets) == 2


def test_control_characters_do_not_end_a_listing() -> None:
    """Some stores write keys as they are; the pages go on all the same."""

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        page = s3_page(number * 2, "" if number else "more").replace("key-0001", "k\x01\x1f&#x1;&#31;y")
        answer(to, page.encode() if number else page.encode().replace(b"key-0000", b"k\xff\xfe"))

    found, _ = s3(answering)
    assert (sizes(found), found.why) == ([2, 2], [])


def test_a_store_that_knows_the_first_version_only() -> None:
    """The last key leads on, whatever bytes it has, or what the server names."""
    keys = ["a b", "c%20d", "ä", "&amp;x"]

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        more = f"<IsTruncated>{'true' if number < len(keys) else 'false'}</IsTruncated>"
        key = keys[number] if number < len(keys) else "z"
        answer(to, f"<ListBucketResult>{more}<Contents><Key>{key}</Key></Contents></ListBucketResult>")

    _, targets = s3(answering)
    markers = [parse_qs(urlsplit(target).query).get("marker", [""])[0] for target in targets]
    assert markers == ["", "a b", "c%20d", "ä", "&x"]


def test_nobody_listens() -> None:
    """No host, no server: that is told soon, with the pauses that are usual."""
    begun = time.monotonic()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        usual = Limits()
        limits = {"retries": usual.retries, "pause": usual.pause, "longest_pause": usual.longest_pause}
        found = listed("s3://bucket", access(endpoint=f"http://127.0.0.1:{port}", limits=limits))
    assert time.monotonic() - begun < 3
    assert found.why == [
        "s3://bucket: no connection ([Errno 111] Connection refused); it was asked 2 times: try again later"
    ]
    assert listed("https://no-such-host.invalid/", access()).why == [
        "https://no-such-host.invalid: there is no host no-such-host.invalid"
    ]


def test_a_server_that_ends_is_waited_for() -> None:
    """Once it has answered, it may be started again."""

    def ends(to: BaseHTTPRequestHandler, _number: int) -> None:
        to.server.socket.close()
        answer(to, s3_page(0, "more"), Connection="close")
        to.close_connection = True

    found, _ = s3(ends)
    assert sizes(found) == [2]
    assert "it was asked 3 times" in found.why[0]


@pytest.mark.parametrize("word", ["made\nup", "made-\u20ac-up", "made up\x00"])
def test_credentials_that_cannot_be_sent(word: str) -> None:
    """They are not in the message, and nothing is sent."""
    sas = {"AZURE_STORAGE_SAS_TOKEN": f"sv=2023-11-03&sr=c&sp=rl&sig={word}"}
    with told(lambda to, _: answer(to, "{}")) as (url, asked):
        stores = [
            open_store("gs://bucket", access({"CLOUDSDK_AUTH_ACCESS_TOKEN": word}, endpoint=url)),
            open_store("az://acme/container", access(sas, endpoint=url)),
            open_store("s3://bucket", access(CREDENTIALS | {"AWS_SESSION_TOKEN": word}, endpoint=url)),
        ]
        for store in stores:
            with pytest.raises(UsageError, match="characters that cannot be sent") as error:
                list(store.pages())
            assert "made" not in str(error.value)
    assert asked.targets == []


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that answers by itself."""
    with told(lambda to, _: answer(to, s3_page(0))) as (url, asked):
        yield url, asked.targets


def test_a_proxy(proxy: tuple[str, list[str]]) -> None:
    """From the environment that is given; NO_PROXY holds; a metadata service is not asked through it either."""
    url, targets = proxy
    store = "http://store.example.org/bucket/"
    told_to = access({"http_proxy": url}, plain_http=True)
    assert (sizes(listed(store, told_to)), targets[0]) == ([2], store)
    assert listed("http://169.254.169.254/bucket/", told_to).pages == []
    refused = listed("https://store.example.org/", access({"HTTPS_PROXY": url}))
    assert refused.pages == []
    for environment in ({"HTTP_PROXY": url, "NO_PROXY": "other, .example.org"}, {"ALL_PROXY": url, "NO_PROXY": "*"}):
        before = len(targets)
        assert listed("http://no-such-store.example.org/", access(environment, plain_http=True)).pages == []
        assert len(targets) == before
    with pytest.raises(UsageError, match="is no http:// or https:// URL"):
        listed("https://store.example.org/", access({"HTTPS_PROXY": "socks5://127.0.0.1:1"}))
