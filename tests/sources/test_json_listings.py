"""Listings in JSON as stores and tools write them: each is recognised, and all that it says is read."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws
from oakum.scanner.listed import Container, Folders
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings.fields import GOES_ON, NO_DATE, NO_SIZE
from oakum.scanner.sources.listings.json_listing import ERRORS, UNKNOWN
from oakum.scanner.sources.listings.kinds import KINDS, recognise
from oakum.scanner.sources.listings.table import NO_KEY, TOO_LONG_KEY
from read_listings import Row, read

JSON = KINDS["json"]


def said(value: Any, container: bytes = b"") -> list[object]:
    """What a listing says; it is recognised, and the same however it is laid out."""
    plain, laid_out = json.dumps(value).encode(), json.dumps(value, indent=4, ensure_ascii=False).encode()
    assert recognise(plain) is recognise(laid_out) is JSON
    assert read(JSON, plain, container) == read(JSON, laid_out, container)
    return read(JSON, plain, container)


def lines(*items: dict[str, Any]) -> list[object]:
    """What a listing of one item a line says."""
    data = b"".join(json.dumps(item).encode() + b"\n" for item in items)
    assert recognise(data) is JSON
    return read(JSON, data)


GCS = {
    "kind": "storage#object",
    "id": "acme-media/backups/db.sql/1595239200000000",
    "selfLink": "https://www.googleapis.com/storage/v1/b/acme-media/o/backups%2Fdb.sql",
    "mediaLink": "https://storage.googleapis.com/download/storage/v1/b/acme-media/o/backups%2Fdb.sql"
    "?generation=1595239200000000&alt=media",
    "name": "backups/db.sql",
    "bucket": "acme-media",
    "generation": "1595239200000000",
    "metageneration": "1",
    "contentType": "application/sql",
    "storageClass": "STANDARD",
    "size": "1024",
    "md5Hash": "1B2M2Y8AsgTpgAmY7PhCfg==",
    "crc32c": "AAAAAA==",
    "etag": "CAE=",
    "timeCreated": "2020-07-20T10:00:00.000Z",
    "updated": "2020-07-21T10:00:00.000Z",
}
GCS_ROW = Row(b"acme-media", b"backups/db.sql", 1024, b"2020-07-21", b"CAE=", b"1595239200000000")


class TestGoogleCloudStorage:
    def test_objects(self) -> None:
        """A page of objects, with folders, and another page behind it."""
        page = {"kind": "storage#objects", "nextPageToken": "abc", "prefixes": ["logs/", "tmp/"], "items": [GCS]}
        assert said(page) == [
            Folders(b"", [b"logs/", b"tmp/"]),
            GCS_ROW,
            NotScanned(b"the listing", GOES_ON),
        ]

    def test_pages(self) -> None:
        """Pages one after another, the last without a token, are one listing."""
        pages = [{"kind": "storage#objects", "nextPageToken": "a", "items": [GCS]}, {"kind": "storage#objects"}]
        data = b"\n".join(json.dumps(page).encode() for page in pages)
        assert read(JSON, data) == [GCS_ROW]

    def test_pages_in_an_array(self) -> None:
        """Pages that were put into an array."""
        assert said([{"kind": "storage#objects", "items": [GCS]}] * 2) == [GCS_ROW] * 2

    def test_metadata(self) -> None:
        """What users wrote is text; so is a link that says more than where the object is."""
        link = "https://storage.googleapis.com/acme-media/x?X-Goog-Signature=abc"
        item = {**GCS, "metadata": {"owner": "jo", "n": "1"}, "mediaLink": link, "contentDisposition": "a.sql"}
        text = f"mediaLink={link}\nowner=jo\nn=1\ncontentDisposition=a.sql".encode()
        assert said({"kind": "storage#objects", "items": [item]}) == [GCS_ROW._replace(text=text)]

    def test_some_fields(self) -> None:
        """A page that was asked for some fields only is of the container that was asked."""
        assert said({"items": [{"name": "a"}, {"name": "b", "size": "2"}]}, b"acme") == [
            Row(b"acme", b"a"),
            Row(b"acme", b"b", 2),
        ]

    def test_buckets(self) -> None:
        """Buckets: public, closed, and not told."""
        common = {"kind": "storage#bucket", "location": "EU", "timeCreated": "2020-07-20T10:00:00.000Z"}
        grant = {"kind": "storage#bucketAccessControl", "entity": "allUsers", "role": "READER"}
        closed = {"iamConfiguration": {"publicAccessPrevention": "enforced"}}
        items = [
            {**common, "name": "open", "acl": [grant]},
            {**common, "name": "closed", **closed},
            {**common, "name": "so", "labels": {"a": "b"}},
        ]
        assert said({"kind": "storage#buckets", "items": items}) == [
            Container(b"open", "list", b"2020-07-20"),
            Container(b"closed", "none", b"2020-07-20"),
            Container(b"so", "", b"2020-07-20", b"a=b"),
        ]

    def test_gcloud_ls(self) -> None:
        """`gcloud storage ls --json`: objects, folders and buckets, each with its URL."""
        there = [
            {"url": "gs://acme-media/backups/db.sql#1595239200000000", "type": "cloud_object", "metadata": GCS},
            {"url": "gs://acme-media/a#b.txt#7", "type": "cloud_object", "metadata": {"size": "3"}},
            {"url": "gs://acme-media/logs/", "type": "prefix"},
            {"url": "gs://acme-logs/", "type": "cloud_bucket", "metadata": {"name": "acme-logs"}},
        ]
        assert said(there) == [
            GCS_ROW,
            Row(b"acme-media", b"a#b.txt", 3),
            Folders(b"acme-media", [b"logs/"]),
            Container(b"acme-logs"),
        ]

    def test_gcloud_list(self) -> None:
        """`gcloud storage objects list --format=json` and `buckets list`."""
        item = {
            "bucket": "acme",
            "content_type": "text/plain",
            "crc32c_hash": "AAAAAA==",
            "creation_time": "2020-07-20T10:00:00+0000",
            "custom_fields": {"team": "data"},
            "etag": "CAE=",
            "generation": "7",
            "name": "a.txt",
            "size": 12,
            "storage_url": "gs://acme/a.txt#7",
            "update_time": "2020-07-21T10:00:00+0000",
        }
        assert said([item]) == [Row(b"acme", b"a.txt", 12, b"2020-07-21", b"CAE=", b"7", b"team=data")]
        bucket = {
            "creation_time": "2020-07-20T10:00:00+0000",
            "location": "EU",
            "name": "acme",
            "public_access_prevention": "enforced",
            "storage_url": "gs://acme/",
        }
        assert said([bucket]) == [Container(b"acme", "none", b"2020-07-20")]


AZ: dict[str, Any] = {
    "container": "backups",
    "deleted": None,
    "encryptedMetadata": None,
    "metadata": None,
    "name": "db/full.bak",
    "objectReplicationSourceProperties": [],
    "properties": {
        "blobTier": "Hot",
        "blobType": "BlockBlob",
        "contentLength": 2048,
        "contentSettings": {"cacheControl": None, "contentMd5": "1B2M2Y8AsgTpgAmY7PhCfg==", "contentType": "x"},
        "copy": {"id": None, "source": None, "status": None},
        "creationTime": "2020-07-19T10:00:00+00:00",
        "etag": "0x8D82C",
        "lastModified": "2020-07-20T10:00:00+00:00",
        "lease": {"duration": None, "state": "available", "status": "unlocked"},
    },
    "snapshot": None,
    "tags": None,
    "versionId": None,
}
AZ_ROW = Row(b"backups", b"db/full.bak", 2048, b"2020-07-20", b"0x8D82C")


class TestAzure:
    def test_blobs(self) -> None:
        """`az storage blob list`, with a version, and the note that there is more (`--show-next-marker`)."""
        version = {**AZ, "versionId": "2020-07-20T10:00:00.1234567Z"}
        assert said([AZ, version, {"nextMarker": "2!76!MDAw"}]) == [
            AZ_ROW,
            AZ_ROW._replace(version=b"2020-07-20T10:00:00.1234567Z"),
            NotScanned(b"the listing", GOES_ON),
        ]

    def test_texts(self) -> None:
        """Metadata, tags, and the URL that a blob was copied from."""
        source = "https://other.blob.core.windows.net/x/y?sig=abc"
        properties = {**AZ["properties"], "copy": {"id": "1", "source": source}}
        item = {**AZ, "metadata": {"hint": "see wiki"}, "tags": {"env": "prod"}, "properties": properties}
        text = f"hint=see wiki\nenv=prod\ncopy.source={source}".encode()
        assert said([item]) == [AZ_ROW._replace(text=text)]

    def test_prefixes(self) -> None:
        """What a delimiter leaves: prefixes have no properties."""
        prefix = {"container": "backups", "name": "db/", "properties": None}
        assert said([prefix, AZ]) == [AZ_ROW, Folders(b"backups", [b"db/"])]

    def test_containers(self) -> None:
        """`az storage container list`: what anybody may do there."""
        there = [
            {
                "metadata": None,
                "name": name,
                "properties": {"etag": "0x8", "lastModified": "2020-07-20T10:00:00+00:00", "publicAccess": access},
            }
            for name, access in (("web", "container"), ("media", "blob"), ("private", None))
        ]
        assert said(there) == [
            Container(b"web", "list", b"2020-07-20"),
            Container(b"media", "read", b"2020-07-20"),
            Container(b"private", "none", b"2020-07-20"),
        ]

    def test_files(self) -> None:
        """`az storage fs file list`: files, and directories, whose files are listed too."""
        file = {"name": "a/b", "contentLength": 3, "lastModified": "2020-07-20T10:00:00", "etag": "0x8"}
        assert said([{**file, "isDirectory": False}, {**file, "name": "a", "isDirectory": True}]) == [
            Row(b"", b"a/b", 3, b"2020-07-20", b"0x8")
        ]

    def test_azcopy(self) -> None:
        """`azcopy list --output-type=json`: sizes as digits or rounded, sums, and what failed."""

        def line(kind: str, content: str) -> dict[str, str]:
            return {"TimeStamp": "2020-07-20T10:00:00Z", "MessageType": kind, "MessageContent": content}

        exact = {"Path": "a/b", "LastModifiedTime": "2020-07-20T10:00:00Z", "VersionId": "v", "ContentLength": "12"}
        assert lines(
            line("ListObject", json.dumps(exact)),
            line("ListObject", json.dumps({"Path": "c", "ContentLength": "1.50 KiB"})),
            line("Info", "INFO: old/style.txt;  Content Length: 3.00 B"),
            line("ListSummary", json.dumps({"FileCount": "2", "TotalFileSize": "1.51 KiB"})),
            line("Error", "failed to list"),
        ) == [
            Row(b"", b"a/b", 12, b"2020-07-20", b"", b"v"),
            Row(b"", b"c", 1536),
            Row(b"", b"old/style.txt", 3),
            NotScanned(b"the listing", ERRORS),
        ]


class TestS3:
    def test_as_boto3_has_it(self) -> None:
        """What S3 answers, as the AWS command line and scripts write it down."""
        with mock_aws():
            s3 = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
            s3.create_bucket(Bucket="acme")
            s3.put_bucket_versioning(Bucket="acme", VersioningConfiguration={"Status": "Enabled"})
            for key in ("a b+c.txt", "d/e", "d/f", "ü\n.txt"):
                s3.put_object(Bucket="acme", Key=key, Body=b"12345")
            s3.delete_object(Bucket="acme", Key="d/e")
            answers = [
                s3.list_objects_v2(Bucket="acme"),
                s3.list_objects(Bucket="acme", MaxKeys=1),
                s3.list_objects_v2(Bucket="acme", Delimiter="/"),
                s3.list_object_versions(Bucket="acme"),
                s3.list_buckets(),
            ]
        day = answers[0]["Contents"][0]["LastModified"].date().isoformat().encode()
        told = [said(json.loads(json.dumps(answer, default=str))) for answer in answers]
        etag = b'"827ccb0eea8a706c4c34a16891f84e7b"'
        first, *rest = [Row(b"acme", k, 5, day, etag) for k in (b"a b+c.txt", b"d/f", "ü\n.txt".encode())]
        assert told[0] == [first, *rest]
        assert told[1] == [first, NotScanned(b"acme", GOES_ON)]
        assert told[2] == [first, rest[1], Folders(b"acme", [b"d/"])]
        versions = [r._replace(version=b"") for r in told[3] if isinstance(r, Row)]
        assert sorted(versions) == sorted([first, Row(b"acme", b"d/e", 5, day, etag), *rest])
        assert told[4] == [Container(b"acme", "", day)]

    def test_of_the_command_line(self) -> None:
        """`aws s3api list-objects-v2` names no bucket; nor does what `--query` leaves."""
        item = {"Key": "a", "LastModified": "2020-07-20T10:00:00+00:00", "ETag": '"ab"', "Size": 0}
        row = Row(b"acme", b"a", 0, b"2020-07-20", b'"ab"')
        assert said({"Contents": [item], "RequestCharged": None, "Prefix": ""}, b"acme") == [row]
        assert said([item], b"acme") == [row]
        assert said([{"Key": "a", "Size": 3}]) == [Row(b"", b"a", 3)]
        assert said({"RequestCharged": None}) == []

    def test_goes_on(self) -> None:
        """`--max-items` leaves a token; an empty one says nothing."""
        page = {"Contents": [{"Key": "a", "Size": 3}]}
        told = NotScanned(b"the listing", GOES_ON)
        assert said({**page, "NextToken": "abc"}) == [Row(b"", b"a", 3), told]
        assert said({**page, "NextToken": "", "IsTruncated": False}) == [Row(b"", b"a", 3)]


class TestOtherStores:
    def test_swift(self) -> None:
        """OpenStack Swift: objects and folders of a container, the containers of an account."""
        item = {
            "hash": "d41d8cd98f00b204e9800998ecf8427e",
            "last_modified": "2020-07-20T10:00:00.123450",
            "bytes": 14,
            "name": "a/b",
            "content_type": "text/plain",
        }
        row = Row(b"acme", b"a/b", 14, b"2020-07-20", b"d41d8cd98f00b204e9800998ecf8427e")
        assert said([item, {"subdir": "photos/"}], b"acme") == [row, Folders(b"acme", [b"photos/"])]
        assert said([{"count": 2, "bytes": 14, "name": "media", "last_modified": "2020-07-20T10:00:00.1"}]) == [
            Container(b"media", "", b"2020-07-20")
        ]

    def test_mc(self) -> None:
        """`mc ls --json`: objects, versions, folders, delete markers, and what failed."""
        item = {
            "status": "success",
            "type": "file",
            "lastModified": "2020-07-20T10:00:00+02:00",
            "size": 7,
            "key": "a.txt",
            "etag": "ab",
            "url": "http://localhost:9000/acme/",
            "versionOrdinal": 1,
        }
        assert lines(
            item,
            {**item, "key": "b", "versionId": "v1"},
            {**item, "key": "c", "isDeleteMarker": True},
            {**item, "key": "logs/", "type": "folder", "lastModified": "0001-01-01T00:00:00Z"},
            {"status": "error", "error": {"message": "Unable to list folder."}},
        ) == [
            Row(b"", b"a.txt", 7, b"2020-07-20", b"ab"),
            Row(b"", b"b", 7, b"2020-07-20", b"ab", b"v1"),
            Folders(b"", [b"logs/"]),
            NotScanned(b"the listing", ERRORS),
        ]

    def test_rclone(self) -> None:
        """`rclone lsjson`: files with what users said of them; a folder is no object; -1 is no size."""
        item = {"Path": "d/a.txt", "Name": "a.txt", "Size": 3, "ModTime": "2020-07-20T10:00:00.5Z", "IsDir": False}
        meta = {**item, "MimeType": "text/plain", "Hashes": {"md5": "ab"}, "Metadata": {"note": "x"}, "ID": "17"}
        assert said([item, {**item, "Path": "d", "Size": -1, "IsDir": True}, meta, {**item, "Size": -1}]) == [
            Row(b"", b"d/a.txt", 3, b"2020-07-20"),
            Row(b"", b"d/a.txt", 3, b"2020-07-20", b"", b"17", b"note=x"),
            Row(b"", b"d/a.txt", -1, b"2020-07-20"),
        ]

    def test_nginx(self) -> None:
        """nginx's autoindex."""
        time = "Mon, 20 Jul 2020 10:00:00 GMT"
        there = [
            {"name": "logs", "type": "directory", "mtime": time},
            {"name": "a.txt", "type": "file", "mtime": time, "size": 3},
        ]
        assert said(there) == [Row(b"", b"a.txt", 3, b"2020-07-20"), Folders(b"", [b"logs/"])]

    def test_caddy(self) -> None:
        """Caddy's file browser."""
        common = {"mod_time": "2020-07-20T10:00:00Z", "mode": 420, "is_symlink": False}
        there = [
            {"name": "logs/", "size": 4096, "url": "./logs/", "is_dir": True, **common},
            {"name": "a b", "size": 3, "url": "./a%20b", "is_dir": False, **common},
        ]
        assert said(there) == [Row(b"", b"a b", 3, b"2020-07-20"), Folders(b"", [b"logs/"])]


class TestRecognised:
    @pytest.mark.parametrize(
        "other",
        [
            b'{"name": "left-pad", "version": "1.0.0"}',
            b'{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "a"}}]}',
            b'{"items": [{"name": "a", "path": "b", "sha": "c"}]}',
            b'{"kind": "compute#instanceList", "items": [{"kind": "compute#instance", "name": "a"}]}',
            b'{"status": "error", "error": "not found"}',
            b'{"fileSchema": "Bucket, Key", "files": [{"key": "a", "size": 1, "MD5checksum": "b"}]}',
            b"[1, 2, 3]",
            b'["a/", "b/"]',
            b"Key,Size\na,1\n",
            b"<ListBucketResult>",
            b"",
            b"[",
            b"{",
            b"{{{{",
        ],
    )
    def test_other_json(self, other: bytes) -> None:
        """JSON that lists no objects is none of these."""
        assert not JSON.recognises(other)

    def test_empty(self) -> None:
        """Empty listings are listings."""
        for empty in (b"[]", b" [ ]\n", b'{"kind": "storage#objects"}'):
            assert JSON.recognises(empty)
            assert read(JSON, empty) == []

    def test_head(self) -> None:
        """The beginning suffices, also of one whose first item is damaged."""
        page = json.dumps({"kind": "storage#objects", "items": [GCS] * 3}).encode()
        assert JSON.recognises(page[: len(page) // 2])
        assert JSON.recognises(page.replace(b'"id": "', b'"id: "', 1))


class TestValues:
    def test_names_as_they_stand(self) -> None:
        """Names are bytes: other than UTF-8, control characters, half a pair of an escape, a percent sign."""
        data = b'[{"Key":"a\xff\\u0001","Size":1},{"Key":"\\ud800","Size":1},{"Key":"a%20b+\\udcff","Size":1}]'
        assert read(JSON, data) == [
            Row(b"", b"a\xff\x01", 1),
            Row(b"", b"\xed\xa0\x80", 1),
            Row(b"", b"a%20b+\xff", 1),
        ]

    def test_sizes(self) -> None:
        """Sizes that are none, or too large for any store, are counted; the objects are listed."""
        sizes: list[Any] = [0, 2**63 - 1, 2**63, -5, "12", "x", None, 1e300, 3.0, True, [], "9" * 30]
        told = said([{"Key": "a", "Size": size} for size in sizes])
        assert [row.size for row in told if isinstance(row, Row)] == [
            0,
            2**63 - 1,
            -1,
            -1,
            12,
            -1,
            -1,
            -1,
            3,
            -1,
            -1,
            -1,
        ]
        assert told[-1] == NotScanned(b"the listing", NO_SIZE, policy=True, count=7)

    def test_dates(self) -> None:
        """Dates that cannot be are counted; seconds and milliseconds are dates."""
        dates: list[Any] = ["2020-02-30", "1969-01-01", "soon", None, "", 1595239200, 1595239200000, 5, {}, 1e300]
        told = said([{"Key": "a", "LastModified": date} for date in dates])
        assert [row.day for row in told if isinstance(row, Row)] == [b""] * 5 + [b"2020-07-20"] * 2 + [b""] * 3
        assert told[-1] == NotScanned(b"the listing", NO_DATE, policy=True, count=6)

    def test_keys(self) -> None:
        """What has no name, or one too long, is left out and counted."""
        names: list[Any] = ["a", "", None, [], "k" * (16 << 10), "k" * ((16 << 10) + 1)]
        assert said([{"Key": name, "Size": 1} for name in names]) == [
            Row(b"", b"a", 1),
            Row(b"", b"k" * (16 << 10), 1),
            NotScanned(b"the listing", NO_KEY, count=3),
            NotScanned(b"the listing", TOO_LONG_KEY),
        ]

    def test_of_no_known_form(self) -> None:
        """Items of other forms are counted."""
        assert said([{"Key": "a", "Size": 1}, {"b": 1}, "c", {"Key": "d", "Size": 2}]) == [
            Row(b"", b"a", 1),
            Row(b"", b"d", 2),
            NotScanned(b"the listing", UNKNOWN, count=2),
        ]

    def test_order(self) -> None:
        """Objects come in the order of the listing, whatever members they have."""
        there = [{"Key": str(n), "Size": n, **({"Metadata": {"n": n}} if n % 3 else {})} for n in range(9)]
        assert said(there) == [Row(b"", b"%d" % n, n, text=b"n=%d" % n if n % 3 else b"") for n in range(9)]
