"""`oakum listing` as a user meets it: files, folders of them, pipes; stores are in tests/stores and tests/incidents."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

import pytest
from oakum.scanner.sources.listings.fields import CUT_OFF, GOES_ON
from scanning import Fresh


def s3(*objects: tuple[str, int], more: str = "false", bucket: str = "backups") -> bytes:
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2020-07-20T10:00:00.000Z</LastModified>"
        f"<ETag>&quot;ab&quot;</ETag><Size>{size}</Size></Contents>"
        for key, size in objects
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{bucket}</Name><IsTruncated>{more}</IsTruncated>{entries}</ListBucketResult>"
    ).encode()


def run(*arguments: str | Path, given: bytes = b"", expect: int = 1) -> str:
    """What the command prints, and that it ends as expected."""
    command = [sys.executable, "-m", "oakum.scanner", "listing", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, check=False, env=os.environ | {"COLUMNS": "100"})
    assert done.returncode == expect, done.stderr.decode() + done.stdout.decode()
    assert b"Traceback" not in done.stderr
    return done.stdout.decode() + (done.stderr.decode() if expect == 2 else "")


def document(*arguments: str | Path, given: bytes = b"", expect: int = 1) -> Any:
    return json.loads(run(*arguments, "--format", "json", given=given, expect=expect).partition("\noakum:")[0])


OBJECTS = (
    ("home/alice/.ssh/id_rsa", 1_679),
    ("home/alice/.ssh/id_rsa.pub", 400),
    ("disks/alice.vhdx", 412_000_000_000),
    *((f"logs/2020/{n:02}.log", 1_000_000) for n in range(20)),
)


def test_the_page(tmp_path: Path) -> None:
    """One sentence, what to look at first and why, what lies where, and what was read."""
    listing = tmp_path / "objects.xml"
    listing.write_bytes(s3(*OBJECTS))
    page = run(listing)
    head, _, rest = page.partition("\n\n")
    assert head.endswith("objects.xml  (object listing in the XML of S3)")
    sentence, _, rest = rest.partition("\n\n")
    assert " ".join(sentence.split()) == (
        'Container "backups": 23 objects, 412.0 GB, changed in 2020; 2 of them look like credentials; first: '
        "home/alice/.ssh/id_rsa."
    )
    plan, tree, summary = rest.split("\n\n")
    rows = plan.splitlines()
    assert rows[0].startswith("2 names that tell of credentials: 1 critical, ")
    assert [line.split()[-1] for line in rows if line[2:5].strip().isdigit()] == [
        "home/alice/.ssh/id_rsa",
        "disks/alice.vhdx",
    ]
    assert [line.split()[:2] for line in tree.splitlines()] == [
        ["what", "lies"],
        ["backups", "23"],
        ["home/alice/.ssh/", "2"],
        ["disks/", "1"],
        ["logs/2020/", "20"],
    ]
    assert summary.startswith("0 findings\n  searched     23 listing entries: ")


def test_the_document(tmp_path: Path) -> None:
    """All that the page says, for programs."""
    listing = tmp_path / "objects.xml"
    listing.write_bytes(s3(*OBJECTS))
    made = document(listing)
    (target,) = made["targets"]
    assert {name: target[name] for name in ("name", "exposure", "objects", "bytes", "without_size", "oldest")} == {
        "name": str(listing),
        "exposure": "unknown",
        "objects": 23,
        "bytes": 412_020_002_079,
        "without_size": 0,
        "oldest": "2020-07-20",
    }
    assert [(place["container"], place["prefix"], place["objects"]) for place in target["tree"]] == [
        ("backups", "", 23),
        ("backups", "disks/", 1),
        ("backups", "home/", 2),
        ("backups", "home/alice/", 2),
        ("backups", "home/alice/.ssh/", 2),
        ("backups", "logs/", 20),
        ("backups", "logs/2020/", 20),
    ]
    assert [(one["order"], one["container"], one["key"], one["bytes"]) for one in made["plan"]] == [
        (1, "backups", "home/alice/.ssh/id_rsa", 1_679),
        (2, "backups", "disks/alice.vhdx", 412_000_000_000),
    ]
    assert (made["schema"], made["complete"], made["findings"], made["not_scanned"]) == (1, True, [], [])


@pytest.mark.long
def test_credentials_in_names_are_found_and_masked(fresh: Fresh, tmp_path: Path) -> None:
    """A signed URL and a token in keys: findings, and shown nowhere."""
    sas, token = fresh("azure_sas:account").decode(), fresh().decode()
    keys = (f"share/model.pt?{sas}", f"tokens/{token}/id_rsa", f"tokens/{token}/x/y")
    listing = s3(*((key, 10) for key in keys))
    made = document("-", given=listing)
    assert {(f["detector"], f["occurrences"][0]["origin"]["type"]) for f in made["findings"]} == {
        ("azure-storage-sas", "listing"),
        ("github-pat", "listing"),
    }
    for text in (run("-", given=listing), json.dumps(made)):
        assert token not in text
        assert sas[-40:] not in text
    assert token in run("-", "--show-secrets", given=listing)


def test_metadata_is_searched(fresh: Fresh) -> None:
    """A token that somebody wrote into an object's metadata."""
    token = fresh().decode()
    listing = (
        '<EnumerationResults ContainerName="c"><Blobs><Blob><Name>a.bin</Name><Properties><Content-Length>1'
        f"</Content-Length></Properties><Metadata><deploy_token>{token}</deploy_token></Metadata></Blob></Blobs>"
        "<NextMarker /></EnumerationResults>"
    )
    (found,) = document("-", given=listing.encode())["findings"]
    assert found["occurrences"][0]["origin"] == {
        "type": "listing", "listing": "standard input", "container": "c", "key": "a.bin", "exposure": "unknown",
    }  # fmt: skip


def test_a_folder_of_parts(tmp_path: Path) -> None:
    """As an inventory comes: in several files, compressed; what is no listing is told."""
    (tmp_path / "a.xml.gz").write_bytes(gzip.compress(s3(*OBJECTS[:3])) + gzip.compress(s3(*OBJECTS[3:5])))
    (tmp_path / "b.xml").write_bytes(s3(*OBJECTS[5:]).decode().encode("utf-16"))
    (tmp_path / "notes").write_bytes(b"\0\1\2\3 of no kind")
    made = document(tmp_path)
    assert made["targets"][0]["objects"] == len(OBJECTS)
    assert [(n["what"], n["policy"]) for n in made["not_scanned"]] == [(str(tmp_path / "notes"), False)]


def test_an_inventory_with_its_manifest(tmp_path: Path) -> None:
    """The manifest says what the columns are, in whatever order."""
    (tmp_path / "manifest.json").write_text('{"fileFormat": "CSV", "fileSchema": "Bucket, Size, Key"}')
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.csv.gz").write_bytes(
        gzip.compress(b'"acme","1679","home/.ssh/id_rsa"\n"acme","5","a%20b"\n')
    )
    made = document(tmp_path)
    assert (made["targets"][0]["objects"], made["targets"][0]["bytes"], made["not_scanned"]) == (2, 1684, [])
    assert made["plan"][0]["key"] == "home/.ssh/id_rsa"


def test_a_manifest_that_names_very_many_files(tmp_path: Path) -> None:
    """It is read to its end."""
    names = ", ".join(f'{{"key": "data/{n:08}.csv.gz"}}' for n in range(4000))
    manifest = f'{{"files": [{names}], "fileFormat": "CSV", "fileSchema": "Bucket, Size, Key"}}'
    (tmp_path / "manifest.json").write_text(manifest)
    (tmp_path / "1.csv").write_text('"acme","1679","home/.ssh/id_rsa"\n"acme","5","b"\n')
    made = document(tmp_path)
    assert (made["targets"][0]["bytes"], made["not_scanned"]) == (1684, [])


def test_what_is_called_a_manifest_and_is_none(tmp_path: Path) -> None:
    """A listing of that name is read; what is neither is told."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.json").write_text('{"name": "a web application"}')
    (tmp_path / "a" / "objects.xml").write_bytes(s3(*OBJECTS))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "manifest.json").write_bytes(s3(("c/.env", 5)))
    made = document(tmp_path)
    assert made["targets"][0]["objects"] == len(OBJECTS) + 1
    assert [n["what"] for n in made["not_scanned"]] == [str(tmp_path / "a" / "manifest.json")]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (s3(*OBJECTS)[:-300], CUT_OFF),
        (s3(*OBJECTS, more="true"), GOES_ON),
        (gzip.compress(s3(*OBJECTS))[:-20], "its gzip data is cut off; what came before was read"),
    ],
)
def test_what_is_missing_is_told(given: bytes, why: str) -> None:
    """What came before it counts."""
    made = document("-", given=given)
    assert made["complete"] is False
    assert why in {n["why"] for n in made["not_scanned"]}
    assert made["plan"][0]["key"] == "home/alice/.ssh/id_rsa"


@pytest.mark.long
def test_exit_codes(tmp_path: Path) -> None:
    """0 where nothing tells of credentials, 1 where something does, 2 where it cannot be read."""
    run("-", given=s3(("a.log", 1)), expect=0)
    run("-", given=s3(*OBJECTS), expect=1)
    run("-", given=s3(("disks/alice.vhdx", 1 << 40)), expect=1)
    run("-", "--min-band", "critical", given=s3(("disks/alice.vhdx", 1 << 40)), expect=0)
    assert "no listing that oakum knows" in run("-", given=b"\0\1\2", expect=2)
    assert "there is no such file" in run(tmp_path / "absent", expect=2)
    assert "nothing to read" in run(expect=2)
    assert "only" in run("-", "-", expect=2)
    assert "names no container" in run("https://acme.blob.core.windows.net/", expect=2)


def test_several_targets(tmp_path: Path) -> None:
    """Each has its sentence; the plan is one; what cannot be read does not stop the others."""
    for name, objects in (("a.xml", OBJECTS[:1]), ("b.xml", OBJECTS[1:])):
        (tmp_path / name).write_bytes(s3(*objects))
    (tmp_path / "targets").write_text(f"# what to read\n{tmp_path / 'b.xml'}\n\n{tmp_path / 'absent'}\n")
    made = document(tmp_path / "a.xml", "--targets-from", tmp_path / "targets")
    assert [t["objects"] for t in made["targets"]] == [1, len(OBJECTS) - 1]
    assert [one["target"] for one in made["plan"]] == [str(tmp_path / "a.xml"), str(tmp_path / "b.xml")]
    assert [n["what"] for n in made["not_scanned"]] == [str(tmp_path / "absent")]


def test_hostile_names_act_on_no_terminal() -> None:
    """Control and bidirectional characters are escaped."""
    key = "a\x1b]0;evil\x07/\u202eid_rsa\r\n/id_rsa"
    page = run("-", given=s3((key, 9)).replace(b"\x1b", b"&#27;").replace(b"\x07", b"&#7;"))
    assert not set("\x1b\x07\u202e\r") & set(page)
    assert "\\x1b]0;evil\\x07/\\u202eid_rsa\\x0d\\x0a/id_rsa" in page


def test_a_credential_with_slashes_is_in_no_folder(fresh: Fresh) -> None:
    """A folder of the tree never ends inside one."""
    pairs = dict(pair.split("=", 1) for pair in fresh("azure_sas:account").decode().split("&"))
    letters = fresh("alnum:28").decode()
    signature = "".join(f"{letters[n : n + 2]}/" for n in range(0, 28, 2))
    pairs["sig"] = f"{signature}A="  # a slash after every second letter: 32 bytes in base64
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs.items(), key=lambda pair: pair[0] == "sig"))
    made = document("-", given=s3((f"dl/{query}/a.txt", 1), (f"dl/{query}/b.txt", 1)))
    assert [f["detector"] for f in made["findings"]] == ["azure-storage-sas"]
    assert {place["prefix"] for place in made["targets"][0]["tree"]} <= {"", "dl/"}
    assert signature[:12] not in json.dumps(made)


def test_a_credential_as_the_name_of_a_container(fresh: Fresh) -> None:
    """It is found, and masked wherever the container is named; so are etags and versions."""
    token = fresh().decode()
    listing = s3(("a/.env", 5), bucket=token, more="true").replace(b"&quot;ab&quot;", token.encode())
    made = document("-", given=listing)
    assert [f["detector"] for f in made["findings"]] == ["github-pat"]
    assert token not in json.dumps(made) + run("-", given=listing)


def test_an_empty_object_is_none_that_tells() -> None:
    """Its name may: it holds nothing."""
    made = document("-", given=s3(("home/.ssh/id_rsa", 0)), expect=0)
    assert (made["plan"], made["named"]["bands"]) == ([], {})
    assert made["targets"][0]["sentence"] == (
        'Container "backups": 1 object, changed in 2020; the name of none tells of credentials.'
    )


def test_the_sentence_counts_what_is_reported() -> None:
    """As the plan does."""
    listing = s3(("disks/alice.vhdx", 1 << 40), ("home/.ssh/id_rsa", 9))
    made = document("-", "--min-band", "critical", given=listing)
    assert "1 of them looks like a credential; first: home" in made["targets"][0]["sentence"]


def test_what_was_read_whole_is_not_at_least(tmp_path: Path) -> None:
    """Each target is judged by itself, and the part of a folder that is damaged is named."""
    (tmp_path / "whole.xml").write_bytes(s3(("a/b.log", 1)))
    (tmp_path / "parts").mkdir()
    for n in range(2):
        (tmp_path / "parts" / f"{n}.xml").write_bytes(s3(("a/b.log", 1), ("c", 1))[:-60])
    made = document(tmp_path / "whole.xml", tmp_path / "parts", expect=2)
    assert [(t["complete"], t["sentence"].partition(":")[2][:18]) for t in made["targets"]] == [
        (True, " 1 object, 1 byte,"),
        (False, " at least 2 object"),
    ]
    assert sorted(n["what"] for n in made["not_scanned"]) == [
        f"{tmp_path / 'parts' / '0.xml'}: backups",
        f"{tmp_path / 'parts' / '1.xml'}: backups",
    ]


def test_long_names_do_not_fill_the_page() -> None:
    """Of a key of 9 kB its beginning and its end are shown."""
    page = run("-", given=s3(*((f"{n}{'x' * 9000}/id_rsa", 5) for n in range(30))))
    assert len(page) < 20_000
    assert "x/id_rsa" in page


def test_where_obstore_was_used_the_process_ends_at_once(tmp_path: Path) -> None:
    """Its threads may abort a Python that takes itself apart. What was printed arrives, and the exit code is right."""
    listing = tmp_path / "objects.xml"
    listing.write_bytes(s3(*OBJECTS))
    program = "import atexit, sys; from oakum.scanner.cli import main; atexit.register(print, 'taken apart'); main()"
    told = []
    for given in (program, f"import obstore; {program}"):
        command = [sys.executable, "-c", given, "listing", str(listing)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told.append((done.returncode, done.stdout, done.stderr))
    assert told[0] == (1, told[1][1] + "taken apart\n", told[1][2])
    assert told[1][0] == 1
    assert told[1][1].count("\n") > 10
