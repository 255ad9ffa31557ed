"""Servers that lie, stall and send elsewhere: the reason is told, the other objects are read, memory and time are
bounded; and nothing of the environment goes to them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import json
import os
import re
import subprocess
import sys
import time
import weakref
import zlib
from collections.abc import AsyncGenerator, Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fetching import fetched, spec, wanted
from hypothesis import given, settings
from hypothesis import strategies as st
from listed_pages import access
from oakum.scanner.errors import UsageError
from oakum.scanner.model import PIECE_SIZE
from oakum.scanner.net.http import UnansweredError
from oakum.scanner.pipeline.fetch import FetchBudget
from oakum.scanner.sources.stores.credentials import AwsCredentials
from oakum.scanner.sources.stores.objects import reader_for
from oakum.scanner.sources.stores.reading import ObjectReader, Part, UnreadError, Wanted, unaddressable
from scanning import Fresh
from servers import answer, told

Answers = Callable[[BaseHTTPRequestHandler], None]
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


def object_of(body: bytes, etag: str = '"e"') -> Answers:
    """A whole object, or the range that is asked for."""

    def give(to: BaseHTTPRequestHandler) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", to.headers.get("Range", ""))
        headers = {"Last_Modified": DATE} | ({"ETag": etag} if etag else {})
        if not asked:
            answer(to, body, **headers)
            return
        start, end = int(asked[1]), min(int(asked[2]) + 1, len(body))
        if start >= len(body):
            answer(to, b"", 416)
            return
        answer(to, body[start:end], 206, Content_Range=f"bytes {start}-{end - 1}/{len(body)}", **headers)

    return give


def refusing(status: int, code: str = "", **headers: str) -> Answers:
    """An error in S3's words."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>hidden</Message></Error>" if code else ""
    return lambda to: answer(to, body, status, **headers)


def partly(sent: bytes, length: int, *, then: float = 0) -> Answers:
    """The beginning of what is announced; then the connection ends, or nothing comes for some seconds."""

    def give(to: BaseHTTPRequestHandler) -> None:
        to.send_response(206)
        for name, value in (
            ("Content-Range", f"bytes 0-{length - 1}/{length}"),
            ("Content-Length", str(length)),
            ("Last-Modified", DATE),
            ("ETag", '"e"'),
        ):
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(sent)
        to.wfile.flush()
        time.sleep(then)
        to.close_connection = True

    return give


def endless(to: BaseHTTPRequestHandler) -> None:
    """Ten terabytes, and no ranges."""
    to.send_response(200)
    for name, value in (("Content-Length", str(10**13)), ("Last-Modified", DATE), ("ETag", '"e"')):
        to.send_header(name, value)
    to.end_headers()
    line = b"nothing to see here\n" * 50_000
    while True:
        to.wfile.write(line)


CASES: dict[str, tuple[Answers, str]] = {
    "forbidden": (refusing(403, "AccessDenied"), "it is refused: not everybody may read it (403 AccessDenied)"),
    "unauthorised": (refusing(401), "it is refused: not everybody may read it (401)"),
    "gone": (refusing(404, "NoSuchKey"), "it went away after it was listed (404 NoSuchKey)"),
    "archived": (
        refusing(409, "BlobArchived"),
        "it is archived (409 BlobArchived): it can be read only after it has been restored",
    ),
    "changed": (object_of(b"other", '"f"'), "it has changed since it was listed: list it again"),
    "precondition": (refusing(412), "it has changed since it was listed: list it again"),
    "error": (refusing(500), "its store answers 500"),
    "busy": (refusing(503, "SlowDown"), "its store wants to be asked less (503 SlowDown): try again later"),
    "cut": (partly(b"ab", 5), "the connection breaks before it is there: try again later"),
    "stalls": (partly(b"ab", 5, then=20), "it does not come in time: try again later"),
    "silent": (lambda _to: time.sleep(20), "it does not come in time: try again later"),
    "redirect": (
        lambda to: answer(to, b"", 302, Location="http://localhost:1/x"),
        "its store cannot be reached, or redirects to another host, which is not followed",
    ),
    "metadata": (
        lambda to: answer(to, b"", 302, Location="http://169.254.169.254/latest/meta-data/"),
        "its store cannot be reached, or redirects to another host, which is not followed",
    ),
    "nowhere": (lambda to: answer(to, b"", 302), "its store redirects, and does not say where: is the region right?"),
    "another range": (
        lambda to: answer(to, b"abcde", 206, Content_Range="bytes 5-9/10", Last_Modified=DATE, ETag='"e"'),
        "what its store answers cannot be read (GenericError)",
    ),
    "echo": (refusing(400, "Wh4tEver-was-sent"), "its store answers 400"),
}


WAITING = ("silent", "stalls")
"""What takes as long as the patience with it."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in WAITING)) for name in sorted(CASES)]
)
@pytest.mark.long
def test_why_an_object_cannot_be_read(name: str, fresh: Fresh) -> None:
    """Only that one: what comes after it is read."""
    answers, why = CASES[name]
    secret = fresh()
    limits = {"answer": 0.8, "silence": 0.5, "connect": 0.5}

    def giving(to: BaseHTTPRequestHandler, _number: int) -> None:
        (object_of(b"token: " + secret) if to.path == "/good" else answers)(to)

    with told(giving) as (url, _):
        place = spec(url, access(limits=limits))
        done = fetched([(wanted("bad", 5, etag="e"), place), (wanted("good", 50), place)])
    assert (done.lost, done.keys) == ([(b"bad", why)], {secret: [b"good"]})


def test_what_is_final_is_not_asked_for_again() -> None:
    """Credentials that have expired open nothing else of that container."""
    with told(lambda to, _: refusing(400, "ExpiredToken")(to)) as (url, asked):
        place, other = spec(url, access()), spec(f"{url}/other", access())
        plan = [(wanted(f"k{n}", 1 << 24), place) for n in range(50)] + [(wanted("one", 1), other)]
        done = fetched(plan, FetchBudget(0, 0))
    assert len(asked.targets) < 10
    assert sum(n.count for n in done.result.not_scanned if not n.policy) == 51
    assert {n.why for n in done.result.not_scanned} == {
        "the credentials have expired (400 ExpiredToken): run it again with new ones"
    }


def test_an_object_that_changes_while_it_is_read(fresh: Fresh) -> None:
    """What was read before that is searched, and it is told."""
    secret, other = fresh(), fresh()
    body = b"token: " + secret + b"\n" + b"a line\n" * 6_000_000

    def giving(to: BaseHTTPRequestHandler, number: int) -> None:
        object_of(body if not number else body[:-1] + other, '"e"' if not number else '"f"')(to)

    with told(giving) as (url, _):
        done = fetched([(wanted("k", len(body)), spec(url, access()))])
    assert done.keys == {secret: [b"k"]}
    assert done.lost == [(b"k", f"it changes while it is read; {PIECE_SIZE:,} bytes of it were searched")]


def test_an_endless_object(fresh: Fresh) -> None:
    """It is read up to the limit, as a stream."""
    with told(lambda to, _: endless(to)) as (url, _):
        done = fetched([(wanted("k", 100), spec(url, access()))], options={"max_size": 5 << 20})
    assert done.fetched.bytes == 5 << 20
    assert done.left_out == [
        (b"k", "larger than what is read of an object (10,000,000,000,000 bytes); its beginning was searched", 1)
    ]


def test_a_text_that_is_cut_is_no_end(fresh: Fresh) -> None:
    """A value that goes on behind the limit is not taken for a shorter one in what is decoded."""
    secret = fresh()
    body = b"token: " + secret + b"\n" + b"x" * 100_000
    with told(lambda to, _: object_of(body)(to)) as (url, _):
        done = fetched([(wanted("k", len(body)), spec(url, access()))], options={"max_size": 50_000})
    assert (done.keys, done.fetched.bytes) == ({secret: [b"k"]}, 50_000)


def flushed(text: bytes) -> bytes:
    """gzip data up to the end of a block; a block of a kind that there is not may follow."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH)


@pytest.mark.long
def test_gzip_that_lies(fresh: Fresh) -> None:
    """What unpacks to much more than it is, is damaged, or cut off: what was unpacked is searched."""
    secret = fresh()
    text = b"token: " + secret + b"\n"
    objects = {
        "/plain.gz": text,
        "/good": gzip.compress(text) + gzip.compress(b"more\n") + bytes(512),
        "/bomb": gzip.compress(text + bytes(60 << 20)),
        "/large": gzip.compress(text + os.urandom(1 << 20) + bytes(10 << 20)),
        "/cut": gzip.compress(text + os.urandom(3000))[:-200],
        "/damaged": flushed(text + os.urandom(100_000).hex().encode()) + b"\x07" + bytes(500),
        "/tail": gzip.compress(text) + b"something else",
        "/only the beginning": b"\x1f\x8b\x08 and then " + text,
    }
    with told(lambda to, _: object_of(objects[to.path.replace("%20", " ")])(to)) as (url, _):
        place = spec(url, access())
        plan = [(wanted(name[1:], len(body)), place) for name, body in objects.items()]
        done = fetched(plan, options={"max_size": 32 << 20})
        small = fetched(plan[3:4], options={"max_size": 2 << 20})
    assert done.keys == {secret: sorted(name[1:].encode() for name in objects)}
    assert done.left_out == []
    assert done.lost == [
        (b"bomb", "unpacks to more than 200 times its size; its beginning was searched"),
        (b"cut", "its gzip data is cut off; what came before was searched"),
        (b"damaged", "its gzip data is damaged; what came before was searched"),
        (b"tail", "other data stands behind its gzip data; that was not searched"),
    ]
    assert small.keys == {secret: [b"large"]}
    assert small.left_out == [(b"large", "unpacks to more than is read of an object; its beginning was searched", 1)]


class Failing:
    """Reads nothing."""

    async def parts(self, _wanted: Wanted, _most: int) -> AsyncGenerator[Part, None]:
        raise UnreadError("it is refused")
        yield Part(b"", 0)


def test_what_reads_is_let_go_at_once() -> None:
    """With its connections, not when the memory is looked through; also after an error."""
    gc.disable()
    try:
        reader = Failing()
        kept = weakref.ref(reader)
        made = [reader]
        del reader
        done = fetched([(wanted("k", 5), spec("http://127.0.0.1:1", access()))], readers=lambda _: made.pop())
        assert (done.lost, kept()) == ([(b"k", "it is refused")], None)
    finally:
        gc.enable()


def test_nothing_is_read_of_a_metadata_service() -> None:
    """Neither by its address nor by its name."""
    for url in ("http://169.254.169.254/x", "http://metadata.google.internal/x", "http://[fd00:ec2::254]/x"):
        with pytest.raises(UnansweredError, match="metadata: never asked"):
            reader_for(spec(url, access()))


def test_without_obstore(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install."""
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(UsageError, match=r"pip install 'oakum\[cloud\]'"):
        reader_for(spec("http://127.0.0.1:1", access()))


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
keys = st.lists(names | st.sampled_from(["", ".", "..", "%2e", "a b", "+", "\\"]), min_size=1, max_size=4).map("/".join)


async def first(reader: ObjectReader, key: str) -> bytes:
    return (await anext(reader.parts(wanted(key), 10))).data


@pytest.mark.long
def test_no_key_is_changed_on_the_way() -> None:
    """Whatever is asked for is asked for under its own name, or not at all."""
    with told(lambda to, _: object_of(b"x")(to)) as (url, asked):
        readers = [reader_for(spec(f"{url}/base", access(), kind)) for kind in ("http", "s3")]

        @settings(max_examples=150, deadline=None)
        @given(keys)
        def check(key: str) -> None:
            asked.targets.clear()
            for reader in readers:
                with contextlib.suppress(UnreadError):
                    asyncio.run(first(reader, key))
            if unaddressable(key.encode()):
                assert asked.targets == []
            else:
                assert [unquote(target) for target in asked.targets] == [f"/base/{key}"] * 2

        check()


# --- the environment -------------------------------------------------------------------------------------------------


_CHILD = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
url, meta, names = map(json.loads, sys.argv[2:])
from fetching import fetched, spec, wanted
from listed_pages import access
from oakum.scanner.sources.stores.credentials import AwsCredentials
from oakum.scanner.pipeline.workers import searcher_for
places = [
    spec(url + "/s3/anonymous", access(), "s3"),
    spec(url + "/s3/signed", access(), "s3", credentials=AwsCredentials("given-id", "given-key")),
    spec(url + "/azure/anonymous", access(), "azure"),
    spec(url + "/azure/signed", access(), "azure", query="sv=2021-12-02&sig=given"),
    spec(url + "/gcs/anonymous", access(), "gcs"),
    spec(url + "/gcs/signed", access(), "gcs", token="given"),
    spec(url + "/http", access()),
]
values = ["true", meta, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=", "/nonexistent", "sse-c"]
import asyncio
from oakum.scanner.sources.stores.objects import reader_for
async def read(place):
    async for part in reader_for(place).parts(wanted("k", 3), 10):
        assert part.data == b"abc"
settings = [{}] + [{name: value for name in names} for value in values]
settings += [{name: values[n % len(values)]} for n, name in enumerate(names)]
for setting in settings:
    os.environ.update(setting)
    for place in places:
        asyncio.run(read(place))
    for name in setting:
        del os.environ[name]
os._exit(0)  # as oakum does where obstore was used: its threads may abort a Python that takes itself apart
"""


@pytest.mark.long
def test_nothing_of_the_environment_is_obeyed_or_sent(tmp_path: Path) -> None:
    """Each variable that obstore knows, with values that would change what is asked, of whom, and with what; also those
    of proxies. No metadata service is asked."""
    import obstore

    folder = Path(obstore.__file__).parent / "_store"
    known = {
        name
        for file in folder.glob("*.pyi")
        for name in re.findall(r"\b(?:AWS|AZURE|GOOGLE)_[A-Z0-9_]+\b", file.read_text())
    }
    assert len(known) > 60
    known |= {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_ALLOW_INVALID_CERTIFICATES",
        "AWS_PROXY_URL",
        "GCE_METADATA_HOST",
    }
    known |= {"AZURE_PROXY_URL", "GOOGLE_PROXY_URL", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURITE_BLOB_STORAGE_URL"}
    known |= {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "SSL_CERT_FILE"}
    root = Path(__file__).parents[1]
    with (
        told(lambda to, _: object_of(b"abc")(to)) as (url, asked),
        told(lambda to, _: answer(to, "{}")) as (meta, trap),
    ):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                _CHILD,
                *map(json.dumps, ([str(root), str(root / "stores")], url, meta, sorted(known))),
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr[-2000:]) == (0, "")
    assert trap.targets == []
    sent: dict[str, set[str]] = {}
    for target, headers in zip(asked.targets, asked.headers, strict=True):
        headers["authorization"] = re.sub(r"/\d{8}/|Signature=\w+", "", headers.get("authorization", ""))
        changing = ("x-amz-date", "date")
        shown = {name: value for name, value in headers.items() if name not in changing}
        sent.setdefault(target, set()).add(json.dumps(shown, sort_keys=True))
    assert {target: len(ways) for target, ways in sent.items()} == {
        "/s3/anonymous/k": 1,
        "/s3/signed/k": 1,
        "/azure/anonymous/k": 1,
        "/azure/signed/k?sv=2021-12-02&sig=given": 1,
        "/gcs/anonymous/k": 1,
        "/gcs/signed/k": 1,
        "/http/k": 1,
    }
    by_target = {target: json.loads(ways.pop()) for target, ways in sent.items()}
    assert [by_target[f"/{kind}/anonymous/k"]["authorization"] for kind in ("s3", "azure", "gcs")] == ["", "", ""]
    assert "Credential=given-id" in by_target["/s3/signed/k"]["authorization"]
    assert by_target["/gcs/signed/k"]["authorization"] == "Bearer given"


def test_a_proxy_is_used_where_one_is_named(fresh: Fresh) -> None:
    """Of the environment that is given, not of that of the process; for other machines only."""
    secret = fresh()
    with told(lambda to, _: object_of(b"token: " + secret)(to)) as (proxy, asked):
        environment = {"HTTP_PROXY": proxy}
        place = spec("http://store.example/base", access(environment, plain_http=True))
        done = fetched([(wanted("k", 47), place)])
    assert done.keys == {secret: [b"k"]}
    assert asked.targets == ["http://store.example/base/k"]


def test_what_is_sent_is_not_shown() -> None:
    """A server that repeats it, in its error's code, tells nobody."""
    held = AwsCredentials("AnAccessKey", "ASecretAccessKey", "ASessionToken")
    sent: list[Any] = ["ASecretAccessKey", "ASessionToken", "AnAccessKey", "ASignature"]
    for code in sent:
        with told(lambda to, _, code=code: refusing(403, code)(to)) as (url, _):  # type: ignore[misc]
            signed = spec(url, access(), "s3", credentials=held)
            by_query = spec(url, access(), "azure", query="sig=ASignature")
            done = fetched([(wanted("k", 1), signed if code != "ASignature" else by_query)])
        assert done.lost == [(b"k", "it is refused: these credentials may not read it (403)")]
