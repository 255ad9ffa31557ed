"""Objects of real servers: moto, Azurite, nginx, Python's own. What is planted is found, with all of its origin."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas
from azurite import ACCOUNT, Azurite
from fetching import Outcome, fetched
from listed_pages import access
from oakum.scanner.model import PIECE_SIZE, StoredObject
from oakum.scanner.sources.stores import Access
from oakum.scanner.sources.stores.opening import open_store
from oakum.scanner.sources.stores.reading import Wanted, spec_of
from scanning import Fresh
from servers import Moto, http_server, moto, nginx, nginx_program

LARGE = 40_000_000


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """A server that checks signatures and permissions."""
    with moto(tmp_path_factory.mktemp("moto"), {"few": 3}, checked=True) as running:
        yield running


@pytest.fixture(scope="module")
def anonymous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """A server that does not."""
    with moto(tmp_path_factory.mktemp("moto"), {"acme": 0}) as running:
        yield running


def put(s3: Any, **what: Any) -> dict[str, str]:
    """An object that anybody can read."""
    made: dict[str, str] = s3.put_object(ACL="public-read", **what)
    return made


def lines(count: int, seed: object) -> bytes:
    """So many bytes of text in which nothing is to be found."""
    word = Random(f"{seed}").randbytes(24).hex()
    return (f"the {word} of a line\n".encode() * (count // 40 + 1))[:count]


def across(secret: bytes, at: int, size: int = LARGE) -> bytes:
    """An object of that size that holds a secret around a place."""
    text = bytearray(lines(size, "large"))
    whole = b"\ntoken: " + secret + b"\n"
    text[at - len(whole) // 2 : at - len(whole) // 2 + len(whole)] = whole
    return bytes(text)


def read(target: str, container: bytes, with_: Access, objects: list[Wanted], *, most: int = 64 << 20) -> Outcome:
    """A fetch of some objects of a store that was listed."""
    spec = spec_of(open_store(target, with_), container)
    return fetched([(one, spec) for one in objects], options={"max_size": most})


def wanted(store: str, container: str, key: str, size: int, **more: str) -> Wanted:
    return Wanted(store, container.encode(), key.encode(), size, **more)  # type: ignore[arg-type]


def test_a_bucket_with_credentials(signed: Moto) -> None:
    """An object that is empty, one by one signed; and that wrong ones are told."""
    objects = [wanted("s3://few", "few", f"folder {n}/object-{n:06d}", 0) for n in range(3)]
    done = read("s3://few", b"few", access(signed.environment), objects)
    assert (done.fetched.objects, done.lost, done.found) == (3, [], {})
    wrong = signed.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    done = read("s3://few", b"few", access(wrong), objects[:1])
    assert done.lost == [(objects[0].name, "its store does not take the credentials (403 SignatureDoesNotMatch)")]
    done = read("s3://few", b"few", access(endpoint=signed.url), [wanted("s3://few", "few", "nothing", 3)])
    assert [why for _, why in done.lost] != []


@pytest.mark.long
def test_a_secret_across_two_ranges_of_a_large_object(anonymous: Moto, fresh: Fresh) -> None:
    """And all of its origin: store, container, key, version, etag."""
    secret, small = fresh(), fresh()
    s3 = anonymous.client("s3")
    s3.put_bucket_versioning(Bucket="acme", VersioningConfiguration={"Status": "Enabled"})
    large = put(s3, Bucket="acme", Key="backups/a+b ä.sql", Body=across(secret, PIECE_SIZE))
    older = put(s3, Bucket="acme", Key=".env", Body=b"TOKEN=" + small + b"\n")
    newer = put(s3, Bucket="acme", Key=".env", Body=b"TOKEN=\n")
    objects = [
        wanted("s3://acme", "acme", "backups/a+b ä.sql", LARGE, etag=large["ETag"].strip('"')),
        wanted("s3://acme", "acme", ".env", len(small) + 7, version=older["VersionId"], etag=older["ETag"]),
        wanted("s3://acme", "acme", ".env", 7, version=newer["VersionId"], etag=newer["ETag"]),
    ]
    done = read("s3://acme", b"acme", access(endpoint=anonymous.url), objects)
    assert (done.lost, done.left_out, done.fetched.objects) == ([], [], 3)
    assert done.found == {
        secret: [
            (
                StoredObject("s3://acme", b"acme", "backups/a+b ä.sql".encode(), "", large["ETag"].strip('"')),
                PIECE_SIZE - (len(secret) + 9) // 2 + 8,
            )
        ],
        small: [(StoredObject("s3://acme", b"acme", b".env", older["VersionId"], older["ETag"]), 6)],
    }


def test_what_became_of_an_object_since(anonymous: Moto, fresh: Fresh) -> None:
    """Another one, none, an archived one; one that is read up to the limit; the others are read all the same."""
    secret = fresh()
    s3 = anonymous.client("s3")
    s3.create_bucket(Bucket="since")
    listed = {key: put(s3, Bucket="since", Key=key, Body=b"old") for key in ("changed", "gone", "resized")}
    for key in ("changed", "resized"):
        put(s3, Bucket="since", Key=key, Body=b"token: " + fresh())
    s3.delete_object(Bucket="since", Key="gone")
    put(s3, Bucket="since", Key="cold", Body=b"x", StorageClass="DEEP_ARCHIVE")
    put(s3, Bucket="since", Key="long", Body=b"token: " + secret + b"\n" + b"x" * 5000 + fresh())
    put(s3, Bucket="since", Key="gzip", Body=gzip.compress(b"token: " + secret + b"\n"), ContentEncoding="gzip")
    objects = [
        wanted("s3://since", "since", "changed", 3, etag=listed["changed"]["ETag"]),
        wanted("s3://since", "since", "gone", 3),
        wanted("s3://since", "since", "resized", 3),
        wanted("s3://since", "since", "cold", 1),
        wanted("s3://since", "since", "long", -1),
        wanted("s3://since", "since", "gzip", -1),
    ]
    done = read("s3://since", b"since", access(endpoint=anonymous.url), objects, most=4096)
    assert done.keys == {secret: [b"gzip", b"long"]}
    assert done.lost == [
        (b"since/changed", "it has changed since it was listed: list it again"),
        (b"since/gone", "it went away after it was listed (404 NoSuchKey)"),
        (b"since/resized", "it has changed since it was listed: list it again"),
        (b"since/cold", "it is archived (403 InvalidObjectState): it can be read only after it has been restored"),
    ]
    assert done.left_out == [
        (b"since/long", "larger than what is read of an object (5,088 bytes); its beginning was searched", 1)
    ]


def test_keys_of_all_kinds(anonymous: Moto, fresh: Fresh) -> None:
    """Each is read under its own name, or it is said why it is not."""
    s3 = anonymous.client("s3")
    s3.create_bucket(Bucket="keys")
    keys = ["a b", "a+b", "a%20b", "a%2Fb", "ä/€", "x" * 1000, "z?a=b#c", "<t>&amp;", "a\\b", "~", "a*'b", "a..b/.c"]
    secrets = {key: fresh() for key in keys}
    for key, secret in secrets.items():
        put(s3, Bucket="keys", Key=key, Body=b"token: " + secret)
    refused = ["a//b", "/a", "a/", "a/./b", "../a", ".", "a\nb", "a\x01"]
    objects = [wanted("s3://keys", "keys", key, -1) for key in [*keys, *refused]]
    done = read("s3://keys", b"keys", access(endpoint=anonymous.url), objects)
    assert done.keys == {secret: [key.encode()] for key, secret in secrets.items()}
    assert [what for what, _ in done.lost] == [b"keys/" + key.encode() for key in refused]
    assert {why.partition(":")[2] for _, why in done.lost} == {" oakum cannot ask for it"}


@pytest.mark.long
def test_a_container_of_azure(azurite: Azurite, fresh: Fresh) -> None:
    """By a SAS that reads and lists, by the account's key; a SAS that may not read says so."""
    secret, large = fresh(), fresh()
    key = azurite.keys[ACCOUNT]
    with BlobServiceClient(azurite.url("blob"), credential=key, **azurite.options) as client:
        container = client.create_container("fetched")
        blob = container.upload_blob("folder/a+b ä.env", b"TOKEN=" + secret)
        etag = blob.get_blob_properties().etag.strip('"')
        container.upload_blob("dump.sql", across(large, 2 * PIECE_SIZE))

    def sas(**permissions: bool) -> str:
        return generate_container_sas(
            ACCOUNT,
            "fetched",
            key,
            permission=ContainerSasPermissions(**permissions),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )

    url = f"{azurite.url('blob')}/fetched"
    store = url
    trusted = {"certificates": str(azurite.certificate)}
    objects = [
        wanted(store, "fetched", "folder/a+b ä.env", 6 + len(secret), etag=etag),
        wanted(store, "fetched", "dump.sql", LARGE),
    ]
    by_sas = read(f"{url}?{sas(read=True, list=True)}", b"fetched", access(**trusted), objects)
    environment = {"AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_KEY": key}
    endpoint = azurite.urls["blob"]
    by_key = read(
        f"az://{ACCOUNT}/fetched", b"fetched", access(environment, endpoint=endpoint, objects=True, **trusted), objects
    )
    for done in (by_sas, by_key):
        assert (done.lost, done.left_out) == ([], [])
        assert done.found[secret] == [(StoredObject(store, b"fetched", "folder/a+b ä.env".encode(), "", etag), 6)]
        assert [(o.key, o.etag != "") for o, _ in done.found[large]] == [(b"dump.sql", True)]
    done = read(f"{url}?{sas(list=True)}", b"fetched", access(**trusted), objects[:1])
    code = "403 AuthorizationPermissionMismatch"
    assert done.lost == [(objects[0].name, f"it is refused: these credentials may not read it ({code})")]
    changed = wanted(store, "fetched", "dump.sql", LARGE, etag="0x8D0000000000000")
    done = read(f"{url}?{sas(read=True, list=True)}", b"fetched", access(**trusted), [changed])
    assert done.lost == [(b"fetched/dump.sql", "it has changed since it was listed: list it again")]


@pytest.mark.parametrize("kind", ["nginx", "python"])
def test_a_folder_of_a_web_server(kind: str, tmp_path: Path, fresh: Fresh) -> None:
    """nginx gives ranges, Python's own does not; the sizes that an index tells may be rounded."""
    secret, large = fresh(), fresh()
    root, work = tmp_path / "root", tmp_path / "work"
    (root / "files" / "in side").mkdir(parents=True)
    work.mkdir()
    (root / "files" / "in side" / "a+b%20ä.env").write_bytes(b"TOKEN=" + secret)
    (root / "files" / "dump.sql").write_bytes(across(large, PIECE_SIZE))
    (root / "files" / "empty").write_bytes(b"")
    if kind == "nginx" and not nginx_program():
        pytest.skip("needs nginx")
    with nginx(root, work) if kind == "nginx" else http_server(root, work) as server:
        url = f"{server}/files"
        objects = [
            wanted(url, "", "in side/a+b%20ä.env", 20),
            wanted(url, "", "dump.sql", 41_000_000),
            wanted(url, "", "empty", -1),
            wanted(url, "", "missing", 3),
        ]
        done = read(f"{url}/", b"", access(), objects)
    assert done.keys == {secret: ["in side/a+b%20ä.env".encode()], large: [b"dump.sql"]}
    assert done.lost == [(b"missing", "it went away after it was listed (404)")]
    assert done.fetched.bytes == LARGE + 6 + len(secret)
