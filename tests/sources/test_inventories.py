"""Inventories in CSV, of S3, Azure and GCS, and other tables of objects; the same in Parquet and ORC."""

from __future__ import annotations

import csv
import datetime
import io
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oakum.scanner.listed import Container, Rows
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings import LONGEST
from oakum.scanner.sources.listings.columnar import MISSING, NO_TABLE, is_columnar, read_columnar
from oakum.scanner.sources.listings.csv_columns import s3_schema
from oakum.scanner.sources.listings.fields import CUT_OFF, NO_DATE, NO_SIZE
from oakum.scanner.sources.listings.inventory import AZURE, DAMAGED, GCS, KINDS, S3, TABLE, TOO_LONG, s3_inventory
from oakum.scanner.sources.listings.kinds import recognise
from oakum.scanner.sources.listings.table import NO_KEY, TOO_LONG_KEY
from oakum.scanner.sources.listings.values import LONGEST_NAME
from pyarrow import orc, parquet
from read_listings import Row, flat, keys, pieces, read

MD5 = "0123456789abcdef0123456789abcdef"


def table(*records: Sequence[object], separator: str = ",", quoted: bool = False) -> bytes:
    """Records as CSV."""
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\n").writerows(records)
    return text.getvalue().encode("utf-8", "surrogateescape")


def kinds(data: bytes) -> list[str]:
    """The kinds of tables that recognise one; the first is the one that is taken."""
    names = [kind.name for kind in KINDS if kind.recognises(data)]
    taken = recognise(data)
    assert not names or (taken is not None and taken.name == names[0])
    return names


def lost(why: str, count: int = 1) -> NotScanned:
    return NotScanned(b"the listing", why, count=count)


class TestS3:
    def test_by_looks(self) -> None:
        """Without its manifest: bucket and key come first, the rest is known by what it looks like."""
        data = table(
            ("acme-media", "a/b%2Bc+d.txt", 12, "2020-07-20T10:00:00.000Z", MD5, "STANDARD", "false"),
            ("acme-media", "e", 0, "2020-07-21T10:00:00.000Z", f"{MD5}-3", "GLACIER", "true"),
            quoted=True,
        )
        assert kinds(data) == ["s3-inventory"]
        assert read(S3, data) == [
            Row(b"acme-media", b"a/b+c d.txt", 12, b"2020-07-20", MD5.encode()),
            Row(b"acme-media", b"e", 0, b"2020-07-21", MD5.encode() + b"-3"),
        ]

    def test_versions(self) -> None:
        """An inventory of all versions: a delete marker is no object."""
        time = "2020-07-20T10:00:00.000Z"
        data = table(
            ("acme", "a", "v2", "true", "false", 12, time, MD5),
            ("acme", "a", "", "false", "false", 11, time, MD5),
            ("acme", "b", "v3", "true", "true", "", time, ""),
            quoted=True,
        )
        assert kinds(data) == ["s3-inventory"]
        assert read(S3, data) == [
            Row(b"acme", b"a", 12, b"2020-07-20", MD5.encode(), b"v2"),
            Row(b"acme", b"a", 11, b"2020-07-20", MD5.encode()),
        ]

    def test_names_alone(self) -> None:
        """The least that an inventory says."""
        data = table(("acme", "a"), ("acme", "b/c"), quoted=True)
        assert kinds(data) == ["s3-inventory"]
        assert read(S3, data) == [Row(b"acme", b"a"), Row(b"acme", b"b/c")]

    def test_manifest(self) -> None:
        """By the names in manifest.json, whatever columns look like."""
        schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"
        kind = s3_inventory(json.dumps({"fileFormat": "CSV", "fileSchema": schema, "files": []}).encode())
        assert kind is not None
        data = table(("acme", "1", "2", "", "", "", "2020-07-20T10:00:00.000Z", "", "STANDARD"), quoted=True)
        assert read(kind, data) == [Row(b"acme", b"1", -1, b"2020-07-20", b"", b"2")]
        assert s3_schema("Bucket, Key, Size, ObjectOwner") == (b"container", b"key", b"size", b"")

    @pytest.mark.parametrize(
        "other", [b"", b"[]", b"{", b'{"fileSchema": 1}', b'{"fileFormat": "ORC", "fileSchema": "struct<>"}', b"\xff"]
    )
    def test_no_manifest(self, other: bytes) -> None:
        """What is no manifest of CSV files is none."""
        assert s3_inventory(other) is None


class TestHeaders:
    def test_azure(self) -> None:
        """Azure's names begin with the container; a folder of a hierarchical namespace is no blob."""
        head = (
            "Name,Creation-Time,Last-Modified,Etag,Content-Length,BlobType,hdi_isfolder,VersionId,Metadata,CopySource"
        )
        source = "https://other.blob.core.windows.net/x?sig=abc"
        data = table(
            head.split(","),
            (
                "media/a b.txt",
                "2020-07-19T1",
                "2020-07-20T10:00:00Z",
                "0x8",
                3,
                "BlockBlob",
                "",
                "v",
                '{"a":"b"}',
                source,
            ),
            ("media/dir", "", "", "", 0, "BlockBlob", "true", "", "", ""),
            ("$web/index.html", "", "", "", "", "", "false", "", "", ""),
        )
        assert kinds(data) == ["azure-inventory", "csv"]
        text = f'Metadata={{"a":"b"}}\nCopySource={source}'.encode()
        assert read(AZURE, data) == [
            Row(b"media", b"a b.txt", 3, b"2020-07-20", b"0x8", b"v", text),
            Row(b"$web", b"index.html"),
        ]

    def test_azure_containers(self) -> None:
        """An inventory of containers: who may read them."""
        data = table(
            ("Name", "Last-Modified", "PublicAccess", "HasLegalHold"),
            ("web", "2020-07-20T10:00:00Z", "container", "false"),
            ("media", "2020-07-20T10:00:00Z", "blob", "false"),
            ("private", "2020-07-20T10:00:00Z", "", "false"),
        )
        assert kinds(data)[0] == "azure-inventory"
        assert read(AZURE, data) == [
            Container(b"web", "list", b"2020-07-20"),
            Container(b"media", "read", b"2020-07-20"),
            Container(b"private", "none", b"2020-07-20"),
        ]

    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    def test_gcs(self, separator: str) -> None:
        """GCS writes any of four separators."""
        data = table(
            ("project", "bucket", "name", "size", "timeCreated", "updated", "etag", "generation", "contentType"),
            ("1", "acme", "a,b;c\td|e", 3, "2020-07-19T10:00:00Z", "2020-07-20T10:00:00Z", "CAE=", "7", "text/plain"),
            separator=separator,
        )
        assert kinds(data) == ["gcs-inventory", "csv"]
        assert read(GCS, data) == [Row(b"acme", b"a,b;c\td|e", 3, b"2020-07-20", b"CAE=", b"7")]

    def test_plain_words(self) -> None:
        """Any table that names a name and a size or a date, as Windows writes it; other columns are texts."""
        data = b"\xef\xbb\xbfFile Name,Size (bytes),Last modified,Download URL\r\na%20b,3,2020-07-20 10:00,http://x/?k=1\r\n"
        assert kinds(data) == ["csv"]
        assert read(TABLE, data, b"acme") == [
            Row(b"acme", b"a%20b", 3, b"2020-07-20", text=b"Download URL=http://x/?k=1")
        ]

    def test_powershell(self) -> None:
        """What `Get-AzStorageBlob | Select-Object Name, Length, LastModified | Export-Csv` writes."""
        data = table(("Name", "Length", "LastModified"), ("a/b", 3, "7/20/2020 10:00:00 AM +00:00"), quoted=True)
        assert kinds(data) == ["csv"]
        assert read(TABLE, data, b"acme") == [Row(b"acme", b"a/b", 3, b"2020-07-20")]

    @pytest.mark.parametrize(
        "other",
        [
            b"",
            b"\n",
            b"name\na\n",
            b"name,colour\na,red\n",
            b'"name","colour"\n"a","red"\n',
            b'"2020","1"\n"2021","2"\n',
            b"acme,a,12\nacme,b,13\n",
            b'{"Key": "a", "Size": 1}',
            b'"a\n',
        ],
    )
    def test_other_tables(self, other: bytes) -> None:
        """Tables of something else are not recognised."""
        assert kinds(other) == []

    def test_several_files(self) -> None:
        """Files one after another: their header is no object."""
        data = table(("name", "size"), ("a", 1))
        assert read(TABLE, data * 3) == [Row(b"", b"a", 1)] * 3

    def test_values(self) -> None:
        """Sizes, dates and names that are none are counted; a name may be no UTF-8, with a line's end in quotes."""
        data = table(
            ("key", "size", "date"),
            ('a\udcff\n"b",c', 2**63, "2020-02-30"),
            ("", 1, ""),
            ("k" * ((16 << 10) + 1), 1, ""),
            ("d", "x", "soon"),
            ("e", "", ""),
        )
        assert read(TABLE, data) == [
            Row(b"", b'a\xff\n"b",c'),
            Row(b"", b"d"),
            Row(b"", b"e"),
            NotScanned(b"the listing", NO_DATE, policy=True, count=2),
            NotScanned(b"the listing", NO_SIZE, policy=True, count=2),
            lost(NO_KEY),
            lost(TOO_LONG_KEY),
        ]


class TestDamage:
    @pytest.mark.parametrize(
        "damage",
        [b'"b,2', b'"b"x,2', b"b", b"b,2,3", b'b,"2', b'"b\nc', b"," + b"x" * 140_000],
        ids=range(7),
    )
    def test_one_record(self, damage: bytes) -> None:
        """A damaged record costs its line."""
        told = read(TABLE, b'key,size\n"a",1\n%s\n"c",3\n' % damage)
        assert [r for r in told if isinstance(r, Row) and r.key in (b"a", b"c")] == [
            Row(b"", b"a", 1),
            Row(b"", b"c", 3),
        ]
        assert told[-1].why in (DAMAGED, NO_KEY)  # type: ignore[attr-defined]
        assert keys(told) == [b"a", b"c"]

    def test_outside_of_quotes(self) -> None:
        """Outside of quotes, a quote behind a text is text; so is a carriage return that ends no line, and a NUL."""
        long = b"l" * 140_000
        data = b'key,size,note\r\na"b,1,\r\nc\rd,2,""\r\n\r\ne\0,3,"%s""x"\r\n' % long
        assert read(TABLE, data) == [
            Row(b"", b'a"b', 1),
            Row(b"", b"c\rd", 2),
            Row(b"", b"e\0", 3, text=b"note=" + long + b'"x'),
        ]

    def test_cut_off(self) -> None:
        """A table that ends in quotes is cut off; one without a last line's end is whole."""
        end = NotScanned(b"the end of the listing", CUT_OFF)
        assert read(TABLE, b'key,size\na,1\n"b') == [Row(b"", b"a", 1), end]
        assert read(TABLE, b"key,size\na,1\nb,2") == [Row(b"", b"a", 1), Row(b"", b"b", 2)]

    @pytest.mark.long
    def test_too_long(self) -> None:
        """A record may have 1 MiB; a longer one is left out, and no quote takes more with it."""
        for part in (1 << 16, 1 << 24):
            data = b"key,size,note\na,1,\n%s,2,\nc,3,\n" % (b"b" * LONGEST)
            assert read(TABLE, data, part=part) == [Row(b"", b"a", 1), Row(b"", b"c", 3), lost(TOO_LONG)]
            data = b'key,size,note\na,1,\n"' + b"b,2,\n" * (LONGEST // 4)
            told = read(TABLE, data, part=part)
            assert keys(told) == [b"a"] + [b"b"] * (LONGEST // 4 - 1)
            assert told[-1] == lost(DAMAGED)

    @given(st.lists(st.tuples(st.text(min_size=1, max_size=9), st.integers(0, 99)), max_size=5), st.integers(1, 40))
    def test_parts(self, there: list[tuple[str, int]], part: int) -> None:
        """Records are the same however the stream is cut, and as Python's own reader reads them."""
        data = table(("key", "size"), *there)
        told = read(TABLE, data, part=part)
        assert told == [Row(b"", key.encode(), size) for key, size in there]

    @given(st.integers(1, 5), st.floats(0, 1, exclude_max=True), st.sampled_from(list(b'",\nx\r\0\xff')), st.booleans())
    def test_one_damaged_byte(self, count: int, where: float, byte: int, inserted: bool) -> None:
        """A byte that is changed or inserted costs its record, and at most the next, as the quotes tell it."""
        head = b"key,size\n"
        data = table(*((f"k{n}", n) for n in range(count)), quoted=True)
        at = int(where * len(data))
        damaged = head + data[:at] + bytes([byte]) + data[at + (not inserted) :]
        told = read(TABLE, damaged)
        assert read(TABLE, damaged, part=3) == told
        missing = {b"k%d" % n for n in range(count)} - set(keys(told))
        assert len(missing) <= 2

    @given(st.text('",\nx\r1', max_size=40), st.integers(1, 9))
    def test_anything(self, text: str, part: int) -> None:
        """Nothing raises, and parts make no difference."""
        for kind in KINDS:
            kind.recognises(text.encode())
            assert read(kind, b"key,size\n" + text.encode(), part=part) == read(kind, b"key,size\n" + text.encode())

    def test_time(self) -> None:
        """Columns by the ten thousands, all with a text, cost what their bytes do."""
        header = ",".join(["Key", "Size", *(f"x{n}" for n in range(60_000))])
        data = f"{header}\na,1{',v' * 60_000}\n".encode()
        began = time.process_time()
        told = read(TABLE, data)
        assert time.process_time() - began < 3
        assert told == [Row(b"", b"a", 1, text=b"\n".join(b"x%d=v" % n for n in range(60_000)))]

    def test_long_names_of_columns(self) -> None:
        """A name of any length is told once, and its end after that."""
        name = "n" * 300_000
        told = read(TABLE, f"Key,Size,{name}\n".encode() + b"a,1,v\n" * 10_000)
        assert told[:2] == [Row(b"", b"a", 1, text=f"{text}=v".encode()) for text in (name, name[-LONGEST_NAME:])]
        assert len(told) == 10_000
        assert told[2:] == told[1:-1]

    def test_memory(self) -> None:
        """Records of any number are read in a few chunks of memory."""

        def stream() -> Iterator[bytes]:
            yield b"key,size,note\n"
            for n in range(1 << 10):
                yield b"".join(b'"k/%d/%d",%d,"%s"\n' % (n, m, m, b"x" * 1000) for m in range(32))

        tracemalloc.start()
        count = sum(len(part.keys) for part in pieces(TABLE, stream()) if isinstance(part, Rows))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == 1 << 15
        assert peak < 48 << 20


TIME = datetime.datetime(2020, 7, 20, 10, tzinfo=datetime.UTC)
WRITERS = {"parquet": parquet.write_table, "orc": orc.write_table}


@pytest.fixture(params=sorted(WRITERS))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    """Writes columns in one of the formats, and reads them."""

    def write(columns: dict[str, pa.Array]) -> list[object]:
        path = tmp_path / "inventory"
        WRITERS[request.param](pa.table(columns), path)
        assert is_columnar(path.read_bytes()[:4])
        return flat(read_columnar(bytes(path)))

    return iter([write])


class TestColumnar:
    def test_s3(self, written: Iterator[object]) -> None:
        """S3 Inventory: keys as they are, versions, delete markers."""
        (write,) = written
        assert write(  # type: ignore[operator]
            {
                "bucket": pa.array(["acme"] * 3),
                "key": pa.array(["a+b%20c", "d", "e"]),
                "version_id": pa.array(["v1", None, "v3"]),
                "is_latest": pa.array([True, False, True]),
                "is_delete_marker": pa.array([False, False, True]),
                "size": pa.array([12, None, None], pa.int64()),
                "last_modified_date": pa.array([TIME, None, TIME], pa.timestamp("ns" if False else "ms")),
                "e_tag": pa.array([MD5, None, None]),
                "storage_class": pa.array(["STANDARD"] * 3),
            }
        ) == [Row(b"acme", b"a+b%20c", 12, b"2020-07-20", MD5.encode(), b"v1"), Row(b"acme", b"d")]

    def test_azure(self, written: Iterator[object]) -> None:
        """Azure's inventory: milliseconds since 1970, the container in the name, metadata."""
        (write,) = written
        assert write(  # type: ignore[operator]
            {
                "Name": pa.array(["media/a/b", "media/c"]),
                "Creation-Time": pa.array([0, 0], pa.int64()),
                "Last-Modified": pa.array([1595239200000, None], pa.int64()),
                "Content-Length": pa.array([3, 4], pa.int64()),
                "Metadata": pa.array([[("owner", "jo")], None], pa.map_(pa.string(), pa.string())),
                "CopySource": pa.array(["https://x/?sig=1", ""]),
            }
        ) == [
            Row(b"media", b"a/b", 3, b"2020-07-20", text=b"Metadata=owner=jo\nCopySource=https://x/?sig=1"),
            Row(b"media", b"c", 4),
        ]

    def test_values(self, written: Iterator[object]) -> None:
        """Dates and sizes out of reach are counted; names may be no UTF-8."""
        (write,) = written
        names = pa.array([b"a\xff", b"b"]).cast(pa.binary())
        assert write(  # type: ignore[operator]
            {
                "key": pa.Array.from_buffers(pa.string(), 2, names.buffers()),
                "size": pa.array([-7, 2], pa.int64()),
                "last_modified_date": pa.array(
                    [datetime.datetime(1850, 1, 1, tzinfo=datetime.UTC), TIME], pa.timestamp("ms")
                ),
            }
        ) == [
            Row(b"", b"a\xff"),
            Row(b"", b"b", 2, b"2020-07-20"),
            NotScanned(b"the listing", NO_DATE, policy=True),
            NotScanned(b"the listing", NO_SIZE, policy=True),
        ]

    def test_other_tables(self, written: Iterator[object]) -> None:
        """A table of something else is said to be one."""
        (write,) = written
        (told,) = write({"colour": pa.array(["red"])})  # type: ignore[operator]
        assert told.why == NO_TABLE

    @pytest.mark.parametrize("damage", [b"PAR1", b"ORC", b"PAR1" + bytes(99), b"ORC" + bytes(99)])
    def test_damaged(self, damage: bytes, tmp_path: Path) -> None:
        """What is damaged is told, in one line."""
        path = tmp_path / "inventory"
        path.write_bytes(damage)
        (told,) = read_columnar(bytes(path))
        assert isinstance(told, NotScanned)
        assert told.what == bytes(path)
        assert told.why.startswith("it is damaged")
        assert "\n" not in told.why

    def test_many_rows(self, written: Iterator[object]) -> None:
        """Rows come in batches, and none is missing."""
        (write,) = written
        count = 40_000
        told = write({"key": pa.array([str(n) for n in range(count)]), "size": pa.array(range(count))})  # type: ignore[operator]
        assert told == [Row(b"", str(n).encode(), n) for n in range(count)]

    def test_without_pyarrow(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Without pyarrow: what to install."""
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        assert list(read_columnar(bytes(tmp_path))) == [NotScanned(bytes(tmp_path), MISSING)]
