"""Buckets of S3 on a real server, moto: pages in order, signed and not, keys of all kinds, versions, all buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from listed_pages import access, listed
from oakum.scanner.errors import TargetError, UsageError
from oakum.scanner.sources.stores import Openness
from oakum.scanner.sources.stores.opening import open_store
from servers import Moto, moto

KEYS = ["a b/c+d.txt", "ä/€.env", "control\x01\x1f.txt", "per%20cent", "<tag>&amp;", "x" * 1024, "a//b", "z?a=b#c"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """With authentication."""
    with moto(tmp_path_factory.mktemp("moto"), {"few": 25, "none": 0, "odd.name_here": 3}, checked=True) as running:
        yield running


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """Without."""
    with moto(tmp_path_factory.mktemp("moto"), {"public": 25, "keys": 0}) as running:
        for key in KEYS:
            running.client("s3").put_object(Bucket="keys", Key=key, Body=b"")
        yield running


def names(count: int) -> list[bytes]:
    return sorted(b"folder %d/object-%06d" % (n % 10, n) for n in range(count))


def test_a_bucket_with_credentials(server: Moto) -> None:
    """All pages, in order, each key once."""
    found = listed("s3://few", access(server.environment, limits={"page_size": 10}))
    assert (found.keys, found.why, len(found.pages)) == ({b"few": names(25)}, [], 3)
    store = open_store("s3://few/folder 1", access(server.environment))
    assert (store.title, store.origin, store.exposure) == ("s3://few/folder 1", "s3://few", "signed")


def test_a_prefix(server: Moto) -> None:
    """Only what begins so."""
    found = listed("s3://few/folder 1/", access(server.environment))
    assert found.keys == {b"few": [k for k in names(25) if k.startswith(b"folder 1/")]}


def test_all_buckets(server: Moto) -> None:
    """The list of buckets, then each of them; a name that does not fit into a host, too."""
    found = listed("s3://", access(server.environment))
    assert [page.container for page in found.pages] == [b"", b"few", b"none", b"odd.name_here"]
    assert (found.keys[b"few"], found.why) == (names(25), [])


def test_a_profile(server: Moto, tmp_path: Path) -> None:
    """From a file that is named, and from the usual one."""
    key_id, secret = server.environment["AWS_ACCESS_KEY_ID"], server.environment["AWS_SECRET_ACCESS_KEY"]
    file = tmp_path / ".aws" / "credentials"
    file.parent.mkdir()
    file.write_text(f"[work]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n")
    endpoint = {"AWS_ENDPOINT_URL_S3": server.url}
    for environment in ({"HOME": str(tmp_path)}, {"AWS_SHARED_CREDENTIALS_FILE": str(file)}):
        found = listed("s3://few", access(environment | endpoint, profile="work"))
        assert (len(found.keys[b"few"]), found.why) == (25, [])
    with pytest.raises(UsageError, match="the profile other has no access key"):
        open_store("s3://few", access({"HOME": str(tmp_path)}, profile="other"))
    assert open_store("s3://few", access({"HOME": str(tmp_path)})).exposure == "anonymous"


def test_credentials_that_are_not_taken(server: Moto) -> None:
    """The code of the provider, and nothing of what was sent."""
    wrong = server.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    assert listed("s3://few", access(wrong)).why == [
        "s3://few: it does not take the credentials (403 SignatureDoesNotMatch)"
    ]
    assert listed("s3://nowhere", access(server.environment)).why == [
        "s3://nowhere: there is none of that name (404 NoSuchBucket)"
    ]


@pytest.mark.parametrize("page_size", [0, 1, 3])
def test_keys_of_all_kinds(open_server: Moto, page_size: int) -> None:
    """Blanks, control characters, escapes, long ones: each once."""
    found = listed("s3://keys", access(endpoint=open_server.url, limits={"page_size": page_size}))
    assert (found.keys, found.why) == ({b"keys": sorted(key.encode() for key in KEYS)}, [])


def test_a_bucket_that_anybody_can_list(open_server: Moto) -> None:
    """By s3://, and by its URL, of which the content says whose it is."""
    environment = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    found = listed("s3://public", access(environment, endpoint=open_server.url, limits={"page_size": 10}))
    assert (found.keys, found.why) == ({b"public": names(25)}, [])
    store = open_store(f"{open_server.url}/public?max-keys=7&list-type=2", access(limits={"page_size": 10}))
    assert (store.title, store.origin, store.exposure) == (
        f"{open_server.url}/public",
        f"{open_server.url}/public",
        "anonymous",
    )
    assert [page.kind for page in store.pages()] == ["s3-xml"] * 3  # type: ignore[union-attr]


def test_older_versions(open_server: Moto) -> None:
    """Each version of an object, where they are asked for."""
    s3 = open_server.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    for n in range(5):
        s3.put_object(Bucket="versions", Key=f"k {n % 2}", Body=b"%d" % n)
    found = listed("s3://versions", access(endpoint=open_server.url, versions=True, limits={"page_size": 2}))
    assert (found.keys, found.why) == ({b"versions": [b"k 0"] * 3 + [b"k 1"] * 2}, [])


def test_whether_anybody_can_list(open_server: Moto) -> None:
    """Asked once, without the credentials that the listing itself goes with."""
    store = open_store("s3://public", access(open_server.environment))
    assert store.exposure == "signed"
    assert store.anybody() == Openness("open", "asked without credentials, it gives its listing")
    closed = open_store("s3://nowhere", access(open_server.environment)).anybody()
    assert closed == Openness("closed", "there is none of that name (404 NoSuchBucket)")
    assert open_store("s3://", access(open_server.environment)).anybody().state == "closed"


def test_targets_that_are_none() -> None:
    """What to write instead."""
    for target, why in {
        "s3://a b/c": "is no name of a bucket",
        "s3://": "there are no credentials",
        "gs://": "write gs://bucket/prefix",
        "ftp://x/": "write s3://, gs://, az:// or https://",
    }.items():
        with pytest.raises(TargetError, match=why):
            open_store(target, access())
    with pytest.raises(UsageError, match="AWS_SECRET_ACCESS_KEY is not set"):
        open_store("s3://bucket", access({"AWS_ACCESS_KEY_ID": "only"}))


@pytest.mark.long
def test_fifty_thousand_keys(tmp_path: Path) -> None:
    """Signed, a thousand a page."""
    with moto(tmp_path, {"large": 50_000}, checked=True) as running:
        found = listed("s3://large", access(running.environment, limits={"answer": 60, "silence": 60, "all": 600}))
        assert (found.keys == {b"large": names(50_000)}, found.why, len(found.pages)) == (True, [], 50)


@pytest.mark.long
def test_fifty_thousand_keys_that_anybody_can_list(tmp_path: Path) -> None:
    """By URL."""
    with moto(tmp_path, {"large": 50_000}) as running:
        found = listed(f"{running.url}/large/", access(limits={"answer": 60, "silence": 60, "all": 600}))
        assert (sum(page.data.count(b"<Contents>") for page in found.pages), found.why) == (50_000, [])
