"""Google Cloud Storage and OpenStack Swift, and others who list in their ways, by servers that answer as they do."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listed_pages import access, listed
from oakum.scanner.errors import TargetError
from oakum.scanner.sources.stores.answers import UnreadableError, json_text
from oakum.scanner.sources.stores.opening import open_store
from oakum.scanner.sources.stores.s3 import S3Store, bucket_url
from servers import answer, told

NAMES = ["a/b c", "ä", 'quote" and \\', "nextPageToken", "\ud800", "z\n"]


def google(to: BaseHTTPRequestHandler, _number: int) -> None:
    """Two objects a page."""
    at = int(parse_qs(urlsplit(to.path).query).get("pageToken", ["0"])[0].removeprefix("page "))
    items = [{"kind": "storage#object", "name": n, "metadata": {"nextPageToken": "x"}} for n in NAMES[at : at + 2]]
    more = {"nextPageToken": f"page {at + 2}"} if at + 2 < len(NAMES) else {}
    answer(to, json.dumps({"kind": "storage#objects", **more, "items": items}))


def names(pages: list[Any], place: str = "") -> list[str]:
    return [
        item["name"] for page in pages for item in (json.loads(page.data)[place] if place else json.loads(page.data))
    ]


def test_a_bucket_of_google_with_a_token() -> None:
    """The token goes in a header; without one, or where none is to be sent, it is asked anonymously."""
    environment = {"CLOUDSDK_AUTH_ACCESS_TOKEN": "made-up-token"}
    for told_to, sent in ((access(environment), "Bearer made-up-token"), (access(environment, anonymous=True), None)):
        with told(google) as (url, asked):
            store = open_store("gs://bucket_1.example/a b/", replace(told_to, endpoint=url))
            pages = list(store.pages())
        assert names(pages, "items") == NAMES
        assert {page.container for page in pages} == {b"bucket_1.example"}  # type: ignore[union-attr]
        assert {headers.get("authorization") for headers in asked.headers} == {sent}
        assert asked.targets[1] == "/storage/v1/b/bucket_1.example/o?prefix=a%20b%2F&pageToken=page%202"
        assert (store.title, store.origin) == ("gs://bucket_1.example/a b/", "gs://bucket_1.example")
        assert store.exposure == ("signed" if sent else "anonymous")


def test_a_token_of_google_that_expires() -> None:
    """The reason that the error gives."""

    def answering(to: BaseHTTPRequestHandler, number: int) -> None:
        if number:
            error = {"error": {"code": 401, "message": "made-up-token", "errors": [{"reason": "authError"}]}}
            answer(to, json.dumps(error), 401)
        else:
            google(to, number)

    with told(answering) as (url, _):
        found = listed("gs://bucket", access({"CLOUDSDK_AUTH_ACCESS_TOKEN": "made-up-token"}, endpoint=url))
    assert found.why == [
        "gs://bucket: the listing breaks off: it does not take the credentials (401 authError); 1 page was read, what "
        "comes after is not known"
    ]


def test_a_list_in_googles_way_by_its_url() -> None:
    """As Firebase gives it."""
    with told(google) as (url, asked):
        found = listed(f"{url}/v0/b/app.appspot.com/o?alt=json&maxResults=1", access())
    assert (names(found.pages, "items"), found.why) == (NAMES, [])
    assert asked.targets[1:3] == [
        "/v0/b/app.appspot.com/o?alt=json",
        "/v0/b/app.appspot.com/o?alt=json&pageToken=page%202",
    ]


def swift(to: BaseHTTPRequestHandler, _number: int) -> None:
    """Two objects a page; in plain text where no format is asked for."""
    query = parse_qs(urlsplit(to.path).query)
    ordered = sorted(name for name in NAMES if name != "\ud800")
    after = [name for name in ordered if name > query.get("marker", [""])[0]][:2]
    items = [{"name": name, "bytes": 1, "hash": "0", "last_modified": "2024-01-01T00:00:00"} for name in after]
    plain = "\n".join(after)
    answer(to, json.dumps(items) if "format" in query else plain, X_Container_Object_Count="5")


def test_a_container_of_swift() -> None:
    """Known by its header; the last name leads on, to an empty page."""
    with told(swift) as (url, asked):
        found = listed(f"{url}/v1/AUTH_x/my%20files?prefix=&limit=1", access())
        assert open_store(f"{url}/v1/AUTH_x/my%20files", access()).anybody().state == "open"
    assert (names(found.pages), found.why) == (sorted(name for name in NAMES if name != "\ud800"), [])
    assert {page.container for page in found.pages} == {b"my files"}
    assert asked.targets[1] == "/v1/AUTH_x/my%20files?prefix=&format=json"


@pytest.mark.parametrize(
    ("target", "title"),
    [
        ("https://storage.googleapis.com/bucket/a/b?alt=x", "gs://bucket/a/b"),
        ("https://bucket.storage.googleapis.com/", "gs://bucket"),
        ("https://storage.cloud.google.com/bucket", "gs://bucket"),
        ("https://storage.googleapis.com/storage/v1/b/bucket/o?prefix=x", "gs://bucket/x"),
        ("https://bucket.s3.amazonaws.com", "s3://bucket"),
        ("https://bucket.with.dots.s3.eu-west-1.amazonaws.com/a/", "s3://bucket.with.dots/a/"),
        ("https://s3-eu-west-1.amazonaws.com/bucket/a?list-type=2", "s3://bucket/a"),
        ("https://s3.dualstack.us-west-2.amazonaws.com/bucket?prefix=a%2Fb", "s3://bucket/a/b"),
        ("https://bucket.oss-cn-hangzhou.aliyuncs.com/", "https://bucket.oss-cn-hangzhou.aliyuncs.com/"),
        ("HTTPS://Files.Example.org:443/x%20y/", "https://files.example.org/x y/"),
    ],
)
def test_stores_by_their_urls(target: str, title: str) -> None:
    """Nothing is asked yet, and nothing goes with it."""
    store = open_store(target, access({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}))
    assert (store.title, store.exposure) == (title, "anonymous")


@pytest.mark.parametrize(
    ("query", "exposure"),
    [
        ("?list-type=2&continuation-token=x&marker=y&key-marker=z&prefix=key/&pageToken=a", "anonymous"),
        ("?access_token=x", "signed"),
        ("?apikey=x", "signed"),
        ("?prefix=a&auth=x", "signed"),
        ("", "anonymous"),
    ],
)
def test_parameters_that_are_credentials(query: str, exposure: str) -> None:
    """What is read with them is not said to be open to all."""
    store = open_store(f"https://store.example.org/list{query}", access())
    assert (store.exposure, store.title) == (exposure, "https://store.example.org/list")


def test_whether_anybody_can_list_is_asked_without_credentials() -> None:
    """The parameters stay that say which folder is meant."""
    page = "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"
    answers: list[tuple[str, int, str]] = [
        (page, 200, "open"),
        ("", 403, "closed"),
        ("", 500, "unknown"),
        ("<html><h1>Log in</h1></html>", 200, "unknown"),
    ]
    for body, status, state in answers:
        with told(lambda to, _, body=body, status=status: answer(to, body, status)) as (url, asked):
            store = open_store(
                f"{url}/tok/?token=made-up&prefix=a%2fb&x=made-up&marker=m", access(limits={"retries": 0})
            )
            assert (store.exposure, store.anybody().state) == ("signed", state)
        assert asked.targets == ["/tok/?prefix=a%2fb"]


def test_where_a_bucket_of_amazon_lies() -> None:
    """In the host, but for names that no certificate covers; elsewhere in the path."""
    told_to = access({"AWS_ENDPOINT_URL": "https://minio.example.org:9000/base/"})
    assert bucket_url(told_to, "a b", "eu-west-1").target == "/base/a%20b"
    for bucket, region, url in (
        ("bucket", "eu-west-1", "https://bucket.s3.eu-west-1.amazonaws.com/"),
        ("bucket", "cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn/"),
        ("bucket.org", "us-east-1", "https://s3.us-east-1.amazonaws.com/bucket.org"),
        ("", "us-east-1", "https://s3.us-east-1.amazonaws.com/"),
    ):
        assert bucket_url(access(), bucket, region).shown.removesuffix("/") == url.removesuffix("/")
    named = open_store("https://s3.eu-west-1.amazonaws.com/bucket/", told_to)
    assert isinstance(named, S3Store)
    assert bucket_url(named.access, named.bucket, named.region).site == "https://bucket.s3.eu-west-1.amazonaws.com"


def test_urls_that_open_one_object() -> None:
    """A signed URL cannot list."""
    for query in ("X-Amz-Signature=made-up", "X-Goog-Signature=made-up", "Expires=1&Signature=made-up"):
        with pytest.raises(TargetError, match="opens one object and cannot list") as error:
            open_store(f"https://bucket.s3.amazonaws.com/key?{query}", access())
        assert "made-up" not in str(error.value)


def test_an_answer_of_which_nothing_is_known() -> None:
    """Text, JSON, nothing."""
    for body in ("hello", '{"a": 1}', "[1, 2]", "", "<rss></rss>"):
        with told(lambda to, _, body=body: answer(to, body)) as (url, _):
            assert listed(f"{url}/x", access()).why == [f"{url}/x: what it gives is no listing that oakum knows"]
            assert open_store(f"{url}/x", access()).anybody().state == "unknown"


# --- JSON ------------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("name"), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text() | st.just("name"), json_values), st.none() | st.text(), st.booleans())
def test_a_member_of_json_is_found_at_its_depth(outer: dict[str, Any], name: str | None, ascii_only: bool) -> None:
    """As the standard library reads it."""
    if name is not None:
        outer["name"] = name
    page = json.dumps(outer, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    expected = outer.get("name")
    assert json_text(page, "name", 1) == (expected if isinstance(expected, str) else "")


@pytest.mark.parametrize("page", [b"", b"[", b'{"name": "a', b"{" * 100_000, b'{"name": "\\x"}'])
def test_json_that_is_damaged(page: bytes) -> None:
    """Told as what it is."""
    with pytest.raises(UnreadableError):
        json_text(page, "name", 1)


def test_json_with_a_text_that_never_ends() -> None:
    """Read once, and not again from each quote within it."""
    begun = time.monotonic()
    for inner in (rb"\"", rb"\\\"", b'" '):
        with pytest.raises(UnreadableError, match="cut off"):
            json_text(b'{"kind": "storage#objects", "x": "' + inner * 500_000 + b"\\", "name", 1)
    assert time.monotonic() - begun < 5
