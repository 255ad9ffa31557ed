"""What messages show of targets: nothing that could be a credential, in whatever state a URL is."""

from __future__ import annotations

import io
import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from git_repository import utc
from hypothesis import given
from hypothesis import strategies as st
from listed_pages import access, listed
from oakum.scanner.errors import OakumError, TargetError
from oakum.scanner.net.shown import may_be_url, shown
from oakum.scanner.pipeline.listing import listing
from oakum.scanner.pipeline.options import ListingOptions, ScanOptions
from oakum.scanner.sources.files import require_readable
from oakum.scanner.sources.stores.opening import open_store
from oakum.scanner.sources.stores.s3 import S3Store
from servers import answer, told

HIDDEN = "S3cret"
QUERY = f"sv=2023-11-03&sr=c&sp=rl&sig={HIDDEN}"
TARGETS = {
    f"az://acct/cont?{QUERY}": "az://acct/cont…",
    f"az://acct/cont/pre?{QUERY}": "az://acct/cont/pre…",
    f"az://acct/cont/pre%3Fsig%3D{HIDDEN}": "az://acct/cont/pre…",
    f"s3://bucket?X-Amz-Signature={HIDDEN}": "s3://bucket…",
    f"s3://bucket/key&X-Amz-Signature={HIDDEN}": "s3://bucket/key…",
    f"gs://bucket?X-Goog-Signature={HIDDEN}": "gs://bucket…",
    f"https://acct.blob.core.windows.net/cont%3F{QUERY}": "https://acct.blob.core.windows.net/cont…",
    f"https://acct.blob.core.windows.net/cont%253f{QUERY}": "https://acct.blob.core.windows.net/cont…",
    f"https://acct.blob.core.windows.net/cont&{QUERY}": "https://acct.blob.core.windows.net/cont…",
    f"https://acct.blob.core.windows.net/#{QUERY}": "https://acct.blob.core.windows.net/…",
    f"acct.blob.core.windows.net/cont?{QUERY}": "acct.blob.core.windows.net/cont…",
    f'"https://acct.blob.core.windows.net/cont?{QUERY}"': '"https://acct.blob.core.windows.net/cont…',
    f"blob:https://host/cont?{QUERY}": "blob:https://host/cont…",
    f"https://user:{HIDDEN}@host/": "https://host/",
    f"https://{HIDDEN}@host/": "https://host/",
    f"https://user:{HIDDEN}@ho st/": "https://ho…",
    f"https://user:{HIDDEN}@host:99999/": "https://host:99999/",
    f"https://user:x/{HIDDEN}@host/": "https://user…",
    f"https://user%3a{HIDDEN}%40host/": "https://host/",
    f"https:/user:{HIDDEN}@host/": "https:/host/",
    f"user:{HIDDEN}@host/path": "host/path",
    f"ftp://user:{HIDDEN}@host/": "ftp://host/",
}


@pytest.mark.parametrize("target", [*TARGETS])
def test_targets_that_are_refused(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By themselves, as one of several, and as what should be scanned: no message holds what is secret."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.xml").write_text("<ListBucketResult></ListBucketResult>")
    options = ListingOptions(ScanOptions({}, utc(2027), engine="aho-corasick"), access())
    assert (shown(target), may_be_url(target)) == (TARGETS[target], True)
    for run in (
        lambda: listing([target], options, io.BytesIO()),
        lambda: require_readable(target.encode()),
        lambda: open_store(target, access()),
    ):
        with pytest.raises(OakumError) as error:
            run()
        assert HIDDEN not in str(error.value)
    told_of = listing([target, "empty.xml"], options, io.BytesIO())
    assert [one.name for one in told_of.targets] == ["empty.xml"]
    assert HIDDEN not in repr(told_of)


@given(
    st.text(st.sampled_from("ab:/@?#%;&=. []\\")),
    st.sampled_from(["https://", "s3://", "", "blob:https://", "https:/"]),
)
def test_what_stands_behind_a_mark_is_never_shown(text: str, scheme: str) -> None:
    """Neither a query nor a password, whatever stands around them."""
    for target in (f"{scheme}{text}?x={HIDDEN}", f"{scheme}{text}#{HIDDEN}{text}", f"{scheme}{text}%3fsig={HIDDEN}"):
        assert HIDDEN not in shown(target)
    if scheme:
        assert HIDDEN not in shown(f"{scheme}user:{HIDDEN}{text}@host/")


def test_what_is_no_secret_is_shown_whole() -> None:
    """Files, and targets as they are."""
    for target in ("a.xml", "C:\\a@b\\c.xml", "what?.txt", "git@host.org:a/b", "mail@host/a;b"):
        assert not may_be_url(target)
    for target in ("https://host:8443/a b/", "https://[::1]:80/x", "s3://bucket/mail@host/key=1/", "https://host"):
        assert shown(target) == target
    assert shown(f"https://user:1/{HIDDEN}@host/") == "https://user…"
    assert shown("https://ho\x1b]0;x\x07st/\u202e") == "https://ho\\x1b…"
    assert open_store("s3://bucket/token=a;b/", access()).title == "s3://bucket/…"
    assert open_store("s3://bucket/a;b&c#d/", access()).title == "s3://bucket/a;b&c#d/"
    assert open_store(f"https://host/a%3Fsig%3D{HIDDEN}", access()).title == "https://host/a…"


@pytest.mark.parametrize(
    ("target", "instead"),
    [
        ("s3://bucket/a?b", "https://BUCKET.s3.amazonaws.com/"),
        ("gs://bucket/a?b", "https://storage.googleapis.com/BUCKET"),
        ("AZ://acct/cont?b", "https://ACCOUNT.blob.core.windows.net/CONTAINER"),
    ],
)
def test_queries_where_none_is_sent(target: str, instead: str) -> None:
    """What to write instead."""
    with pytest.raises(TargetError, match="is followed by names alone") as error:
        open_store(target, access())
    assert instead in str(error.value)


@pytest.mark.parametrize("prefix", [b"\xff/", b"a\xc3(", "ä".encode()])
def test_prefixes_in_any_encoding(prefix: bytes) -> None:
    """The bytes are asked for that were given, and shown as far as they can be."""
    text = os.fsdecode(prefix)
    encoded = "".join(f"%{byte:02X}" for byte in prefix)
    with told(lambda to, _: answer(to, "<ListBucketResult/>")) as (url, asked):
        elsewhere = access(endpoint=url)
        for target in (f"s3://bucket/{text}", f"gs://bucket/{text}", f"az://acct/cont/{text}"):
            listed(target, elsewhere)
            query = asked.targets[-1].partition("?")[2]
            assert prefix in [unquote_to_bytes(part.partition("=")[2]) for part in query.split("&")]
            open_store(target, elsewhere).title.encode()
        listed(f"{url}/{text}", access())
        listing([f"{url}/{text}"], ListingOptions(ScanOptions({}, utc(2027), engine="aho-corasick"), access()), stdin())
    for target in (f"https://bucket.s3.amazonaws.com/{encoded}", f"https://bucket.s3.amazonaws.com/?prefix={encoded}"):
        store = open_store(target, access())
        assert isinstance(store, S3Store)
        assert os.fsencode(store.prefix) == prefix
        store.title.encode()


def stdin() -> io.BytesIO:
    return io.BytesIO()
