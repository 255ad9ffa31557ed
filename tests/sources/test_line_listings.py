"""Listings in lines of text, by the tools that are here, and by what their documentation shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_folder import DAY, flat, made, read, walked
from hypothesis import given, settings
from hypothesis import strategies as st
from oakum.scanner.listed import Container, Folders, Rows
from oakum.scanner.model import NotScanned
from oakum.scanner.sources.listings import Chunk, Read, lines
from oakum.scanner.sources.listings.amounts import NO_YEAR, amount_of, spoken_day
from oakum.scanner.sources.listings.fields import NO_DATE, NO_SIZE
from oakum.scanner.sources.listings.lines import LineKind
from oakum.scanner.sources.listings.lines.archives import TAR_TVF, UNZIP_L
from oakum.scanner.sources.listings.lines.azure import AZ_TABLE, AZ_TSV, AZCOPY_LIST
from oakum.scanner.sources.listings.lines.found import TOO_LONG, UNFIT, looks_of
from oakum.scanner.sources.listings.lines.google import GSUTIL_LS
from oakum.scanner.sources.listings.lines.ls import LS_LR
from oakum.scanner.sources.listings.lines.paths import DU_A, FIND, FIND_LS, FIND_PRINT0, PLAIN
from oakum.scanner.sources.listings.lines.rclone import RCLONE_LS, RCLONE_LSL
from oakum.scanner.sources.listings.lines.s3 import AWS_S3_LS, MC_LS, S3CMD_LS
from oakum.scanner.sources.listings.lines.tree import TREE
from read_listings import pieces

KINDS: list[LineKind] = [
    AWS_S3_LS,
    S3CMD_LS,
    MC_LS,
    GSUTIL_LS,
    AZCOPY_LIST,
    AZ_TABLE,
    FIND_LS,
    LS_LR,
    TAR_TVF,
    UNZIP_L,
    TREE,
    RCLONE_LSL,
    RCLONE_LS,
    DU_A,
    FIND_PRINT0,
    FIND,
    AZ_TSV,
    PLAIN,
]
"""In the order in which they are asked."""


def recognised(head: bytes) -> str:
    return next((kind.name for kind in KINDS if kind.recognises(head)), "")


# --- by the tools themselves, over a folder of hostile names ---------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("stored"))


def printed(folder: Path, *command: str) -> bytes:
    """What a program prints there, in UTF-8 and UTC."""
    if not shutil.which(command[0]):
        pytest.skip(f"needs {command[0]}: apt-get install {command[0]}")
    environment = os.environ | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True).stdout


def one_line(key: bytes) -> bool:
    return b"\n" not in key


def no_controls(key: bytes) -> bool:
    return not re.search(rb"[\0-\x1f]", key)


def any_name(key: bytes) -> bool:
    return True


@pytest.mark.parametrize(
    ("command", "kind", "says", "sizes", "days"),
    [
        (["ls", "-lR"], LS_LR, one_line, True, True),
        (["ls", "-laR", "."], LS_LR, one_line, True, True),
        (["ls", "-lR", "--full-time"], LS_LR, one_line, True, True),
        (["ls", "-lR", "--time-style=long-iso"], LS_LR, one_line, True, True),
        (["ls", "-lR", "--time-style=iso"], LS_LR, one_line, True, True),
        (["ls", "-lisR"], LS_LR, one_line, True, True),
        (["ls", "-lRgG"], LS_LR, one_line, True, True),
        (["ls", "-laR", "--quoting-style=shell-escape"], LS_LR, any_name, True, True),
        (["ls", "-lRQ"], LS_LR, any_name, True, True),
        (["find"], FIND, one_line, False, False),
        (["find", ".", "-depth"], FIND, one_line, False, False),
        (["find", ".", "-type", "f"], FIND, one_line, False, False),
        (["find", ".", "-print0"], FIND_PRINT0, any_name, False, False),
        (["find", ".", "-ls"], FIND_LS, any_name, True, True),
        (["du", "-ab"], DU_A, one_line, True, False),
        (["du", "-ab", "--time"], DU_A, one_line, True, True),
        (["tar", "-cvvf", "/dev/null", "."], TAR_TVF, any_name, True, True),
        (["tar", "-cvvf", "/dev/null", "--full-time", "."], TAR_TVF, any_name, True, True),
        (["tree", "-ap"], TREE, any_name, False, False),
        (["tree", "-afp"], TREE, any_name, False, False),
        (["tree", "-apsD"], TREE, any_name, True, True),
        (["tree", "-apsD", "--charset=ascii", "-F"], TREE, any_name, True, True),
        (["rclone", "lsl", "."], RCLONE_LSL, no_controls, True, True),
        (["rclone", "ls", "."], RCLONE_LS, no_controls, True, False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_a_tool_prints_is_what_is_there(
    folder: Path, command: list[str], kind: LineKind, says: Callable[[bytes], bool], sizes: bool, days: bool
) -> None:
    """Every object that the format can tell of, with its size and day where they are told, and no other."""
    if command[0] == "rclone" and not shutil.which("rclone"):
        pytest.skip("is run where rclone is")
    text = printed(folder, *command)
    assert recognised(text) == kind.name
    told = read(kind, [text])
    found = {
        key: (size, day)
        for rows in told
        if isinstance(rows, Rows)
        for key, size, day in zip(rows.keys, rows.sizes, rows.days, strict=True)
    }
    want = {key: (size if sizes else -1, DAY if days else b"") for key, size in walked(folder).items() if says(key)}
    assert {key: told for key, told in found.items() if key in want} == want
    broken = {b"new", b"new\xe2\x90\x8aline", b"tab\xe2\x90\x89bed"}
    assert set(found) - set(want) <= broken
    assert not [
        r for r in told if isinstance(r, NotScanned) and (r.what, r.why, r.count) != (b"a line like xxxx", UNFIT, 1)
    ]


@pytest.mark.parametrize("command", ["find a b ./c", "find a/ b/ c/", "find b a c | sort", "find c b a | sort -r"])
def test_several_folders_that_find_looks_through(command: str, tmp_path: Path) -> None:
    """Folders are none of the objects, whatever stands between them and what lies below."""
    stored = {b"a/x.d/one", b"a/x.d-old", b"a/y", b"b/two", b"b-side/three", b"c/x.d/four"}
    for path in stored:
        (tmp_path / os.fsdecode(path)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / os.fsdecode(path)).touch()
    text = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True).stdout
    if not command.endswith("-r"):
        assert recognised(text) == "find"
    found = [key for rows in read(FIND, [text]) if isinstance(rows, Rows) for key in rows.keys]
    assert sorted(found) == sorted(stored - {b"b-side/three"})


def test_paths_that_others_lie_below() -> None:
    """Of keys as they come they are folders, unless they have an ending: a store may have both."""
    text = b"acme/backup\nacme/.ssh\nacme/.ssh/id_rsa\nacme/a.sql\nacme/a.sql/b\nacme/backup-2\nacme/backup/c\n"
    want = [b"acme/.ssh/id_rsa", b"acme/a.sql", b"acme/a.sql/b", b"acme/backup-2", b"acme/backup/c"]
    assert recognised(text) == "plain"
    assert read(PLAIN, [text], b"c") == [Rows(b"c", want, [-1] * 5, [b""] * 5)]


def test_folders_that_ls_does_not_enter(folder: Path) -> None:
    """`ls -l` of one folder: those in it are named and no more."""
    told = read(LS_LR, [printed(folder, "ls", "-la")], b"disk")
    assert Folders(b"disk", [b"b/", b"with blank/"]) in told


# --- by what their documentation shows --------------------------------------------------------------------------------

AWS = b"""\
2013-07-11 17:08:50 mybucket
2013-07-24 14:55:44 mybucket2
                           PRE some prefix/
2013-09-02 21:37:53         10 a.txt
2013-09-02 21:37:53    2863288 path/with  spaces/ x.zip
2013-09-02 21:32:57          0@

Total Objects: 2
   Total Size: 2863298
""".replace(b"@", b" ")
AWS_HUMAN = b"""\
2013-09-02 21:37:53   10 Bytes a.txt
2013-09-02 21:37:53    2.9 MiB Bytes of b.zip
2013-09-02 21:32:57    0 Bytes c

Total Objects: 3
   Total Size: 2.9 MiB
"""
S3CMD = b"""\
2020-02-29 08:30           12  s3://bucket/a b.txt
                          DIR  s3://bucket/dir/
2020-02-29 08:30         120k d41d8cd98f00b204e9800998ecf8427e  STANDARD     s3://other/x
2019-01-01 00:00  s3://third
"""
MC = b"""\
[2020-02-29 08:30:00 UTC]  34MiB STANDARD a b.txt
[2020-02-29 08:30:00 CEST] 1.2KiB old version
[2020-02-29 08:30:00 UTC]     0B folder/
"""
GSUTIL = b"""\
      1234  2020-02-29T19:25:17Z  gs://bucket/a b
  1.2 KiB  2020-02-29T19:25:17Z  gs://bucket/dir/c#1360887759327000  metageneration=1
                                 gs://bucket/dir/
TOTAL: 2 objects, 2462 bytes (2.4 KiB)
"""
GSUTIL_SHORT = b"""\
gs://bucket/
gs://bucket/dir/:
gs://bucket/dir/a
gs://bucket/dir/sub/
"""
GSUTIL_LONG = b"""\
gs://bucket/dir/a.txt:
    Creation time:          Sat, 29 Feb 2020 19:25:17 GMT
    Storage class:          STANDARD
    Content-Length:         12
    Content-Type:           text/plain
    Metadata:
        owner:              alice
        note:               see the wiki
    Hash (md5):             0A==
    ETag:                   CP==
    ACL:                    [
  {
    "entity": "user-alice"
  }
]
gs://bucket/dir/b:
    Creation time:          Sat, 29 Feb 2020 19:25:17 GMT
    Content-Length:         13
TOTAL: 2 objects, 25 bytes (25 B)
"""
AZCOPY = b"""\
INFO: a b.txt; Content Length: 12.30 KiB
INFO: dir/; Content Length: 0.00 B
c; d; Content Length: 5.00 B
e; LastModifiedTime: 2020-02-29 08:30:00 +0000 GMT; VersionId: ; BlobType: BlockBlob; Content Length: 7

File count: 3
Total file size: 12.31 KiB
"""
TABLE = b"""\
Name       Blob Type    Blob Tier    Length    Content Type    Last Modified              Snapshot
---------  -----------  -----------  --------  --------------  -------------------------  ----------------------------
a b.txt    BlockBlob    Hot          12        text/plain      2020-02-29T08:30:00+00:00
disk.vhd   PageBlob                  512       application/x   2020-02-29T08:30:00+00:00  2020-03-01T00:00:00.0000000Z
"""
CONTAINERS = b"""\
Name     Lease Status    Last Modified
-------  --------------  -------------------------
backups                  2020-02-29T08:30:00+00:00
"""
TSV = b"a b.txt\t12\t2020-02-29T08:30:00+00:00\nc\t13\t2020-02-29T08:30:00+00:00\n"
UNZIP = b"""\
Archive:  x.zip
  Length      Date    Time    Name
---------  ---------- -----   ----
        0  2020-02-29 08:30   a b/
       12  2020-02-29 08:30   a b/c d
       13  02-29-20 08:30   e
---------                     -------
       25                     3 files
"""
UNZIP_LONG = b"""\
Archive:  x.zip
 Length   Method    Size  Cmpr    Date    Time   CRC-32   Name
--------  ------  ------- ---- ---------- ----- --------  ----
       0  Stored        0   0% 2020-02-29 08:30 00000000  a/
      12  Defl:N       10  17% 2020-02-29 08:30 0a0b0c0d  a/c d
--------          -------  ---                            -------
      12               10  17%                            2 files
"""
ZIPINFO = b"""\
Archive:  x.zip
Zip file size: 174 bytes, number of entries: 2
drwxr-xr-x  3.0 unx        0 bx stor 20-Feb-29 08:30 a/
-rw-r--r--  3.0 unx       12 tx defN 29-Feb-20 08:30 a/c d
1 file, 12 bytes uncompressed, 10 bytes compressed:  17%
"""
FOUND = b"""\
.
./a
./a/b c
./a/d
./a/d/e.txt
./a b
./f
"""
FOUND_DEEP = b"/srv/a/b/c\n/srv/a/b\n/srv/a\n/srv/d\n/srv\n"
USED = b"8\t./a/b c\n12\t./a/d\n24\t./a\n4.5M\t./e\n5000\t.\n"
BSD_TAR = b"""\
drwxr-xr-x  0 root   wheel       0 Feb 29  2020 a/
-rw-r--r--  0 root   wheel      12 Feb 29  2020 a/b c
lrwxrwxrwx  0 root   wheel       0 Feb 29  2020 a/l -> b c
"""
BSD_LS = b"""\
total 16
drwxr-xr-x@ 3 me  staff    96 Feb 29  2020 dir
-rw-r--r--+ 1 me  domain users  12 Feb 29 08:30:00 2020 a b

./dir:
total 8
-rw-r--r--. 1 me  staff  1.2K 29 Feb  2020 c
crw-rw-rw-  1 me  staff  3, 2 Feb 29  2020 null
lrwxr-xr-x  1 me  staff     1 Feb 29  2020 l -> c
-rw-r--r--  1 me  staff     5 Feb 29 08:30 recent
"""
DRAWN = """\
.
├── a b
│   └── c.txt
├── closed [error opening dir]
├── [       1234]  d
└── e -> a b

2 directories, 4 files
""".encode()
URLS = b"""\
s3://bucket/a b.txt
s3://bucket/dir/
https://acme.blob.core.windows.net/c/x%20y?sv=1&sig=abc
https://host.example.com/plain.txt
backup/keys/id.pem
"""

DOCUMENTED: list[tuple[LineKind, bytes, list[Read]]] = [
    (
        AWS_S3_LS,
        AWS,
        [
            Container(b"mybucket", day=b"2013-07-11"),
            Container(b"mybucket2", day=b"2013-07-24"),
            Rows(b"c", [b"a.txt", b"path/with  spaces/ x.zip"], [10, 2863288], [b"2013-09-02"] * 2),
            Folders(b"c", [b"some prefix/"]),
        ],
    ),
    (
        AWS_S3_LS,
        AWS_HUMAN,
        [Rows(b"c", [b"a.txt", b"Bytes of b.zip", b"c"], [10, 3040870, 0], [b"2013-09-02"] * 3)],
    ),
    (
        S3CMD_LS,
        S3CMD,
        [
            Container(b"third", day=b"2019-01-01"),
            Rows(b"bucket", [b"a b.txt"], [12], [DAY]),
            Rows(b"other", [b"x"], [122880], [DAY]),
            Folders(b"bucket", [b"dir/"]),
        ],
    ),
    (
        MC_LS,
        MC,
        [Rows(b"c", [b"a b.txt", b"old version"], [34 << 20, 1228], [DAY] * 2), Folders(b"c", [b"folder/"])],
    ),
    (
        GSUTIL_LS,
        GSUTIL,
        [
            Rows(b"bucket", [b"a b", b"dir/c"], [1234, 1228], [DAY] * 2, (), [b"", b"1360887759327000"]),
            Folders(b"bucket", [b"dir/"]),
        ],
    ),
    (
        GSUTIL_LS,
        GSUTIL_SHORT,
        [Container(b"bucket"), Rows(b"bucket", [b"dir/a"], [-1], [b""]), Folders(b"bucket", [b"dir/sub/"])],
    ),
    (
        GSUTIL_LS,
        GSUTIL_LONG,
        [
            Rows(
                b"bucket",
                [b"dir/a.txt", b"dir/b"],
                [12, 13],
                [DAY] * 2,
                texts={0: b"owner=alice\nnote=see the wiki"},
            )
        ],
    ),
    (
        AZCOPY_LIST,
        AZCOPY,
        [
            Rows(b"c", [b"a b.txt", b"c; d", b"e"], [12595, 5, 7], [b"", b"", DAY]),
            Folders(b"c", [b"dir/"]),
        ],
    ),
    (
        AZ_TABLE,
        TABLE,
        [Rows(b"c", [b"a b.txt", b"disk.vhd"], [12, 512], [DAY] * 2, (), [b"", b"2020-03-01T00:00:00.0000000Z"])],
    ),
    (AZ_TABLE, CONTAINERS, [Container(b"backups", day=DAY)]),
    (AZ_TSV, TSV, [Rows(b"c", [b"a b.txt", b"c"], [12, 13], [DAY] * 2)]),
    (UNZIP_L, UNZIP, [Rows(b"c", [b"a b/c d", b"e"], [12, 13], [DAY] * 2)]),
    (UNZIP_L, UNZIP_LONG, [Rows(b"c", [b"a/c d"], [12], [DAY])]),
    (UNZIP_L, ZIPINFO, [Rows(b"c", [b"a/c d"], [12], [DAY])]),
    (TAR_TVF, BSD_TAR, [Rows(b"c", [b"a/b c", b"a/l"], [12, -1], [DAY] * 2)]),
    (FIND, FOUND, [Rows(b"c", [b"a/b c", b"a/d/e.txt", b"a b", b"f"], [-1] * 4, [b""] * 4)]),
    (FIND, FOUND_DEEP, [Rows(b"c", [b"/srv/a/b/c", b"/srv/d"], [-1] * 2, [b""] * 2)]),
    (
        FIND_PRINT0,
        FOUND.replace(b"\n", b"\0"),
        [Rows(b"c", [b"a/b c", b"a/d/e.txt", b"a b", b"f"], [-1] * 4, [b""] * 4)],
    ),
    (DU_A, USED, [Rows(b"c", [b"a/b c", b"a/d", b"e"], [8192, 12288, 4718592], [b""] * 3)]),
    (
        LS_LR,
        BSD_LS,
        [
            Rows(b"c", [b"a b", b"dir/c", b"dir/recent", b"dir/l"], [12, 1228, 5, -1], [DAY, DAY, b"", DAY]),
            Folders(b"c", [b"dir/"]),
            NotScanned(b"c", NO_YEAR, policy=True),
        ],
    ),
    (
        TREE,
        DRAWN,
        [Rows(b"c", [b"a b/c.txt", b"d", b"e"], [-1, 1234, -1], [b""] * 3), Folders(b"c", [b"closed/"])],
    ),
    (
        PLAIN,
        URLS,
        [
            Rows(b"bucket", [b"a b.txt"], [-1], [b""]),
            Rows(
                b"https://acme.blob.core.windows.net",
                [b"c/x y"],
                [-1],
                [b""],
                texts={0: b"url=https://acme.blob.core.windows.net/c/x%20y?sv=1&sig=abc"},
            ),
            Rows(b"https://host.example.com", [b"plain.txt"], [-1], [b""]),
            Rows(b"c", [b"backup/keys/id.pem"], [-1], [b""]),
            Folders(b"bucket", [b"dir/"]),
        ],
    ),
]
DOCUMENTED_IDS = [f"{kind.name}-{number}" for number, (kind, _, _) in enumerate(DOCUMENTED)]


@pytest.mark.parametrize(("kind", "text", "want"), DOCUMENTED, ids=DOCUMENTED_IDS)
def test_what_documentation_shows(kind: LineKind, text: bytes, want: list[Read]) -> None:
    """It is recognised as what it is, and all of it is read, however its lines end."""
    assert recognised(text) == kind.name
    assert read(kind, [text], b"c") == want
    assert read(kind, [b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n")], b"c") == want


@pytest.mark.parametrize(("kind", "text", "want"), DOCUMENTED, ids=DOCUMENTED_IDS)
def test_where_chunks_end_makes_no_difference(
    kind: LineKind, text: bytes, want: list[Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands before a chunk and matters comes with it."""
    long = text * 3 if kind not in (LS_LR, TREE, DU_A) else text
    whole = flat(read(kind, [long], b"c"))
    for size in (1, 40, 150, 400):
        monkeypatch.setattr(lines, "CHUNK", size)
        assert flat(read(kind, [long[at : at + 50] for at in range(0, len(long), 50)], b"c")) == whole
    monkeypatch.undo()


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_parts_of_a_stream_make_no_difference(data: st.DataObject) -> None:
    """A stream may come in any parts."""
    kind, text, want = data.draw(st.sampled_from(DOCUMENTED))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(kind, parts, b"c") == want


@given(
    kind=st.sampled_from(KINDS),
    parts=st.lists(
        st.one_of(st.binary(max_size=60), st.sampled_from([t[: n * 37] for _, t, _ in DOCUMENTED for n in (1, 3, 9)])),
        max_size=6,
    ),
)
@settings(max_examples=300, deadline=None)
def test_nothing_makes_it_fail(kind: LineKind, parts: list[bytes]) -> None:
    """Whatever comes, each object has a name, a size that a store could hold, and a day or none."""
    kind.recognises(b"".join(parts))
    for rows in read(kind, parts):
        if isinstance(rows, Rows):
            assert all(rows.keys)
            assert all(-1 <= size < 1 << 63 for size in rows.sizes)
            assert all(not day or re.fullmatch(rb"(?:19[7-9]|20\d)\d-\d\d-\d\d", day) for day in rows.days)
            assert len(rows.keys) == len(rows.sizes) == len(rows.days)


# --- what does not fit ------------------------------------------------------------------------------------------------


def test_lines_that_fit_nowhere_are_counted_and_no_secret_is_shown() -> None:
    """One of them is told by its looks: a password may be a word like any other."""
    bad = b"login: root password: Summerwind 7 years, and more\nfatal\n"
    assert read(AWS_S3_LS, [AWS, bad], b"c")[-1] == NotScanned(
        b"a line like xxxxx: xxxx xxxxxxxx: xxxxxxxxxx 9 xxxxx...", UNFIT, count=2
    )
    assert looks_of("pässwörd!+é\0\x1b[1m".encode()) == b"a line like xxxxxxxxxxxxxxxx[9x"


def test_dates_and_sizes_that_cannot_be() -> None:
    """The object stays; what is wrong of it is counted."""
    text = b"2020-13-41 08:30:00 99999999999999999999 a\n2020-02-29 08:30:00          1 b\n"
    assert read(AWS_S3_LS, [text], b"c") == [
        Rows(b"c", [b"a", b"b"], [-1, 1], [b"", DAY]),
        NotScanned(b"c", NO_SIZE, policy=True),
        NotScanned(b"c", NO_DATE, policy=True),
    ]


def test_names_and_lines_that_are_too_long() -> None:
    """They are left out and counted, and never held."""
    start = b"2020-02-29 08:30:00          1 "
    parts = [start + b"a\n" + start, *[b"x" * (1 << 20)] * 12, b"\n" + start + b"y" * 20000 + b"\n" + start + b"b\n"]
    assert flat(read(AWS_S3_LS, parts, b"c")) == [
        (b"c", b"a", 1, DAY, b"", b""),
        (b"c", b"b", 1, DAY, b"", b""),
        {TOO_LONG: 1, lines.TOO_LONG_LINE: 1},
    ]


DEEP = b".\n" + b"".join(b"    " * n + b"|-- " + b"n" * 4000 + b"\n" for n in range(4))
LONG_HEADING = b"./" + b"h" * 4900 + b":\n"


@pytest.mark.parametrize(
    ("kind", "heading", "line", "length"),
    [
        (TREE, DEEP, b"    " * 4 + b"|-- %06d\n", 16_010),
        (LS_LR, LONG_HEADING, b"-rw-r--r-- 1 a b 0 Jan  1  2020 %06d\n", 4907),
    ],
    ids=["tree", "ls-lR"],
)
def test_long_folders_are_not_held_for_each_of_their_entries(
    kind: LineKind, heading: bytes, line: bytes, length: int
) -> None:
    """A few bytes a line make a long key: they are told some at a time."""
    text = heading + b"".join(line % n for n in range(10_000))
    tracemalloc.start()
    told = [(len(part.keys), {*map(len, part.keys)}) for part in pieces(kind, [text]) if isinstance(part, Rows)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(count for count, _ in told) == 10_000
    assert {n for _, lengths in told for n in lengths} == {length}
    assert peak < 40 << 20


def test_folders_of_a_drawing_that_are_too_deep() -> None:
    """A path is put together as far as a name may be long; what lies deeper is counted, and what follows is read."""
    name = b"|-- " + b"n" * 4000 + b"\n"
    text = b".\n" + b"".join(b"    " * n + name for n in range(800)) + b"|-- a\n"
    tracemalloc.start()
    told = flat(read(TREE, [text[n : n + (1 << 16)] for n in range(0, len(text), 1 << 16)], b"c"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told == [(b"c", b"a", -1, b"", b"", b""), {TOO_LONG: 1}]
    assert peak < 32 << 20


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# A title\n\nSome words of prose, as they stand in a README. More of them.\n",
        b"<html><body><a href='x'>x</a></body></html>",
        b'{"Contents": [{"Key": "a/b"}]}',
        b'"bucket","a/b","12","2020-02-29T08:30:00.000Z"\n' * 3,
        b"<?xml version='1.0'?><ListBucketResult><Key>a/b</Key></ListBucketResult>",
        b"apple\t12\npear\t13\n",
        b"      1 apple\n     12 pear\n",
        b"import os\nimport sys\n\nprint(os.sep)\n",
        bytes(range(256)) * 4,
    ],
)
def test_what_is_no_listing_is_not_taken_for_one(text: bytes) -> None:
    """Prose, code, other kinds of listings, binary data."""
    assert recognised(text) == ""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "line",
    [
        b" ",
        b"-rw-r--r-- 1 ",
        b"2020-02-29 ",
        b"a; ",
        b"x BlockBlob 1  ",
        b"\xe2\x94\x82\xc2\xa0\xc2\xa0 ",
        b"0\t",
        b"gs://",
    ],
)
def test_time_grows_with_the_listing(kind: LineKind, line: bytes) -> None:
    """Text that is made to hurt a pattern is read in the blink of an eye, in one line and in many."""
    began = time.monotonic()
    for text in (
        line * (60_000 // len(line)),
        (line * (2000 // len(line)) + b"\n") * 30,
        b"|-- " + line * (60_000 // len(line)),
        b"-rw-r--r-- 1 " + line * (60_000 // len(line)),
    ):
        kind.recognises(text)
        read(kind, [text])
    assert time.monotonic() - began < 10


def test_chunks_are_read_anywhere() -> None:
    """A chunk holds all that its reading needs."""
    chunks = [c for c in LS_LR.split([BSD_LS], b"c") if isinstance(c, Chunk)]
    assert [r for c in chunks for r in LS_LR.read(Chunk(c.kind, c.container, c.data, c.state))] == next(
        want for kind, _, want in DOCUMENTED if kind is LS_LR
    )


# --- sizes and days ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b"0", 0),
        (b"1234", 1234),
        (b"1,234,567", 1234567),
        (b"1.2K", 1228),
        (b"1,2K", 1228),
        (b"34M", 34 << 20),
        (b"12.30 KiB", 12595),
        (b"10 Bytes", 10),
        (b"5.00 B", 5),
        (b"7.9E", 9108079886394091110),
        (b"9E", -1),
        (b"99999999999999999999", -1),
        (b"1.5", -1),
        (b"-", -1),
        (b"", -1),
    ],
)
def test_sizes_as_people_read_them(text: bytes, size: int) -> None:
    """About as many bytes."""
    assert amount_of(text) == size


@pytest.mark.parametrize(
    "text",
    [
        b"2020-02-29T08:30:00Z",
        b"2020/02/29",
        b"2020-Feb-29 08:30:00",
        b"29-Feb-2020 08:30",
        b"29-Feb-20 08:30",
        b"Sat, 29 Feb 2020 08:30:00 GMT",
        b"2/29/2020  8:30 AM",
        b"29/2/2020",
        b"29.02.2020",
        b"02-29-20",
        b"Saturday, February 29, 2020 8:30 AM",
        b"Feb 29  2020",
        b"Feb 29 08:30:00 2020",
    ],
)
def test_days_as_people_write_them(text: bytes) -> None:
    """All ways of writing one day."""
    assert spoken_day(text) == DAY


@pytest.mark.parametrize("text", [b"Feb 29 08:30", b"30-Feb-2020", b"1969-12-31", b"13/13/2020", b"2100-01-01", b"x"])
def test_days_that_are_none(text: bytes) -> None:
    """No year, no such day, or beyond the years that are believed."""
    assert spoken_day(text) == b""
