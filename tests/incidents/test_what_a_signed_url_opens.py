"""Incident 1, its storage side: what did the account SAS in that README open?

Disk backups with private keys and passwords, tens of thousands of chat messages. oakum asks the account (Azurite, which
checks signatures as the service does), says in one sentence what the URL opens, and which objects to look at first;
with --fetch it reads those, and finds the keys in them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    Services,
    generate_account_sas,
)
from azurite import ACCOUNT, Azurite
from scanning import Fresh

CHATS = 300
CONTAINERS = ("backups-leak", "chats-leak", "models-leak")


@pytest.fixture
def opened(azurite: Azurite, fresh: Fresh) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The URL, and the secrets that lie behind it, by their keys."""
    secrets = {
        "disks/alice/home/.ssh/id_rsa": fresh("openssh_key"),
        "disks/alice/notes/passwords.txt": b"github " + fresh() + b"\n",
        "services/billing/.env.production": b'GITHUB_TOKEN="' + fresh() + b'"\n',
    }
    with BlobServiceClient(azurite.url("blob"), credential=azurite.keys[ACCOUNT], **azurite.options) as client:
        for container in CONTAINERS:
            client.create_container(container)
        backups = client.get_container_client("backups-leak")
        for key, text in secrets.items():
            backups.upload_blob(key, b"x" * 3000 + b"\n" + text)
        backups.upload_blob("disks/alice/laptop.vhdx", b"\0" * 5000)
        backups.upload_blob("disks/alice/home/.ssh/id_rsa.pub", b"ssh-rsa AAAA")
        for n in range(CHATS):
            client.get_container_client("chats-leak").upload_blob(f"teams/2020/{n:05}.json", b'{"text": "hi"}')
        client.get_container_client("models-leak").upload_blob("robust.pt", b"\1" * 20_000)
    sas = generate_account_sas(
        ACCOUNT,
        azurite.keys[ACCOUNT],
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, delete=True, list=True, add=True, create=True),
        datetime(2051, 10, 6, tzinfo=UTC),
        start=datetime(2020, 10, 6, tzinfo=UTC),
        services=Services(blob=True),
    )
    yield f"{azurite.url('blob')}/?{sas}", secrets
    with BlobServiceClient(azurite.url("blob"), credential=azurite.keys[ACCOUNT], **azurite.options) as client:
        for container in CONTAINERS:
            client.delete_container(container)


def run(url: str, folder: Path, azurite: Azurite, *arguments: str) -> Any:
    (folder / "url").write_text(url + "\n")
    command = [sys.executable, "-m", "oakum.scanner", "listing", "--targets-from", str(folder / "url")]
    command += ["--ca-file", str(azurite.certificate), "--format", "json", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert url.partition("sig=")[2] not in done.stdout.decode() + done.stderr.decode()
    return json.loads(done.stdout)


def test_one_sentence_says_what_it_opens(
    opened: tuple[str, dict[str, bytes]], azurite: Azurite, tmp_path: Path
) -> None:
    """And the objects that deserve a look come first: the key before the disk that it lies beside."""
    url, _ = opened
    found = run(url, tmp_path, azurite)
    (target,) = found["targets"]
    ours = [p for p in target["tree"] if p["container"].endswith("-leak") and not p["prefix"]]
    assert [(p["container"], p["objects"]) for p in ours] == [
        ("backups-leak", 5),
        ("chats-leak", CHATS),
        ("models-leak", 1),
    ]
    containers = len({p["container"] for p in target["tree"]})
    named = sum(target["named"].values())
    assert target["sentence"].startswith(
        f"This URL lets anybody read, write and delete {containers} containers with {target['objects']:,} objects, "
    )
    assert f", until 2051-10-06; {named:,} of them look like credentials; first: " in target["sentence"]
    assert "full control (rwdlac) of blobs in account" in target["url"]["summary"]
    assert "can be revoked only by rotating the account key" in target["url"]["summary"]
    plan = [one["key"] for one in found["plan"] if one["container"] == "backups-leak"]
    assert set(plan) == {
        "disks/alice/home/.ssh/id_rsa",
        "disks/alice/notes/passwords.txt",
        "services/billing/.env.production",
        "disks/alice/laptop.vhdx",
    }
    assert plan.index("disks/alice/home/.ssh/id_rsa") < plan.index("disks/alice/laptop.vhdx")
    assert found["complete"] is True


def test_a_look_inside_finds_the_keys(opened: tuple[str, dict[str, bytes]], azurite: Azurite, tmp_path: Path) -> None:
    """Each with the place that it was read from; nothing is written to the disk."""
    url, secrets = opened
    (tmp_path / "work").mkdir()
    found = run(url, tmp_path, azurite, "--fetch")
    places = {
        (o["origin"]["key"], f["detector"])
        for f in found["findings"]
        for o in f["occurrences"]
        if o["origin"]["type"] == "object" and o["origin"]["container"] == "backups-leak"
    }
    assert places == {
        ("disks/alice/home/.ssh/id_rsa", "privatekey-openssh"),
        ("disks/alice/notes/passwords.txt", "github-pat"),
        ("services/billing/.env.production", "github-pat"),
    }
    assert all(o["origin"]["etag"] for f in found["findings"] for o in f["occurrences"])
    assert set(secrets) == {key for key, _ in places}
