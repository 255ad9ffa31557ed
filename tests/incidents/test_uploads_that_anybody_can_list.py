"""Incident 3: what people uploaded by a web form lay in a folder, bucket or container that anybody could list.

oakum is given its address and no credentials, on a web server (nginx), in a bucket (moto) and in a container (Azurite).
It says that anybody can list it, what lies there since when, and what in it tells of credentials.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from azurite import ACCOUNT, Azurite
from servers import moto, nginx, nginx_program

UPLOADS = {
    **{f"uploads/2024/{n:03}/application.pdf": b"%PDF" + b"x" * n for n in range(40)},
    "uploads/2024/007/passwords.xlsx": b"PK\3\4" + b"x" * 100,
    "uploads/backup/dump.sql": b"-- dump\n",
}


@contextmanager
def web_server(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folder as nginx lists it."""
    if not nginx_program():
        pytest.skip("needs nginx: apt-get install nginx-light")
    for name, text in UPLOADS.items():
        path = folder / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    with nginx(folder / "root", folder) as url:
        yield url, []


@contextmanager
def bucket(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A bucket on a server that speaks S3."""
    with moto(folder, {"forms": 0}) as server:
        client = server.client("s3")
        for name, text in UPLOADS.items():
            client.put_object(Bucket="forms", Key=name, Body=text)
        yield "s3://forms", ["--endpoint", server.url, "--anonymous"]


@contextmanager
def container(azurite: Azurite) -> Iterator[tuple[str, list[str]]]:
    """A container with public access, on Azurite."""
    with BlobServiceClient(azurite.url("blob"), credential=azurite.keys[ACCOUNT], **azurite.options) as client:
        forms = client.create_container("forms", public_access="container")
        for name, text in UPLOADS.items():
            forms.upload_blob(name, text)
        yield f"{azurite.url('blob')}/forms?restype=container&comp=list", ["--ca-file", str(azurite.certificate)]
        forms.delete_container()


@pytest.mark.long
@pytest.mark.parametrize("where", ["web server", "bucket", "container"])
def test_anybody_can_list_it(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What lies there, and how much, in one sentence."""
    with ExitStack() as stack:
        if where == "container":
            given = container(request.getfixturevalue("azurite"))
        else:
            given = (web_server if where == "web server" else bucket)(tmp_path)
        target, arguments = stack.enter_context(given)
        found = listed(target, *arguments)
    (told,) = found["targets"]
    assert told["exposure"] == "public"
    assert told["sentence"].startswith("Anybody can list ")
    assert f": {len(UPLOADS)} objects, " in told["sentence"]
    assert "; 2 of them look like credentials; first: uploads/" in told["sentence"]
    assert {(p["prefix"], p["objects"]) for p in told["tree"] if p["prefix"].count("/") < 3} == {
        ("", 42),
        ("uploads/", 42),
        ("uploads/2024/", 41),
        ("uploads/backup/", 1),
    }
    assert [one["key"] for one in found["plan"]] == ["uploads/2024/007/passwords.xlsx", "uploads/backup/dump.sql"]
    assert found["complete"] is True


def listed(*arguments: str) -> Any:
    command = [sys.executable, "-m", "oakum.scanner", "listing", *arguments, "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)
