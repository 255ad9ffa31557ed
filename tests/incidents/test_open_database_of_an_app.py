"""Incident 5: a mobile app shipped the address and key of a cloud database that had no access rules.

Whoever unpacked the app read what all its users had written. oakum finds the addresses in the app's files, and with
--verify asks who may read them: the open one comes first, and why; one that is closed stays the mere address that it is
in every app. The database is a server on loopback that answers as Firebase's REST documentation says
(https://firebase.google.com/docs/reference/rest/database); the storage account of the second app is Azurite.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from asked_providers import Answer, Request, provider
from azure.storage.blob import BlobServiceClient
from azurite import ACCOUNT, Azurite
from scanning import Fresh

JSON = {"Content-Type": "application/json; charset=utf-8"}
OPEN = f"https://{'acme-chat'}.firebaseio.com"
CLOSED = f"https://{'acme-shop'}.europe-west1.firebasedatabase.app"
DATA = {"users": {"u1": {"mail": "somebody@acme.test"}}, "chats": {"c1": "see you at eight"}}
WRITES = ("PUT", "POST", "PATCH", "DELETE")


def database(request: Request) -> Answer:
    """Two databases at one address, as the emulator has them: one with rules, and one without."""
    if request.method in WRITES:
        return 401, JSON, json.dumps({"error": "Permission denied"})
    if "auth" in request.query:
        return 401, JSON, json.dumps({"error": "Could not parse auth token."})
    if request.query.get("ns") != "acme-chat" or request.path != "/.json":
        return 401, JSON, json.dumps({"error": "Permission denied"})
    shown = dict.fromkeys(DATA, True) if request.query.get("shallow") == "true" else DATA
    return 200, JSON, json.dumps(shown)


def app(folder: Path, fresh: Fresh) -> None:
    """An app for two systems and the web, each with the files that Firebase's own guide puts there."""
    key = (b"AIza" + fresh("mixed:35")).decode()
    services = {
        "project_info": {
            "project_number": "100000000001",
            "firebase_url": OPEN,
            "project_id": "acme-chat",
        },
        "client": [{"api_key": [{"current_key": key}]}],
        "configuration_version": "1",
    }
    strings = (
        '<?xml version="1.0" encoding="utf-8"?>\n<resources>\n'
        '    <string name="app_name">Acme Chat</string>\n'
        f'    <string name="firebase_database_url" translatable="false">{OPEN}</string>\n'
        f'    <string name="google_api_key" translatable="false">{key}</string>\n</resources>\n'
    )
    web = (
        "const firebaseConfig = {\n"
        f'  apiKey: "{key}",\n'
        '  authDomain: "acme-shop.firebaseapp.com",\n'
        f'  databaseURL: "{CLOSED}",\n'
        '  projectId: "acme-shop",\n'
        "};\n"
    )
    for path, text in (
        ("android/app/google-services.json", json.dumps(services, indent=2)),
        ("android/app/src/main/res/values/strings.xml", strings),
        ("web/src/firebase.js", web),
        ("README.md", "# Acme Chat\n\nBuild it with `gradle assembleRelease`.\n"),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def scanned(folder: Path, *arguments: str) -> tuple[Any, str]:
    """The findings, and what was said besides."""
    command = [sys.executable, "-m", "oakum.scanner", "scan", str(folder), "--format", "json", "--no-cache"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)["findings"], done.stderr


def test_the_database_that_anybody_can_read_comes_first(fresh: Fresh, tmp_path: Path) -> None:
    """Before the key, which every app has, and before the other database, which is closed."""
    app(tmp_path, fresh)
    with provider(database) as (url, asked):
        found, said = scanned(tmp_path, "--verify", "--verify-only", "firebase", "--verify-host", f"firebase={url}")
    first, *others = found
    assert (first["detector"], first["facts"]["database"]) == ("firebase-database-url", "acme-chat")
    assert (first["band"], first["verdict"]["state"], first["verdict"]["reason"]) == (
        "high",
        "live",
        "anybody can read it",
    )
    assert [reason["text"] for reason in first["reasons"]][:2] == ["no credential is needed for it", "read access"]
    assert "live: anybody can read it" in [reason["text"] for reason in first["reasons"]]
    assert {Path(o["origin"]["path"]).name for o in first["occurrences"]} == {"google-services.json", "strings.xml"}
    (closed,) = (one for one in others if one["detector"] == "firebase-database-url")
    assert (closed["facts"]["database"], closed["band"], closed["verdict"]["state"]) == ("acme-shop", "low", "dead")
    assert "verifying 2 secrets with the hosts 127.0.0.1" in said
    assert asked
    assert [request for request in asked if request.method in WRITES] == []
    assert {request.query.get("shallow") for request in asked if "auth" not in request.query} == {"true"}


def test_without_being_asked_nothing_is_sent(fresh: Fresh, tmp_path: Path) -> None:
    """Offline both are addresses, and say that nobody was asked."""
    app(tmp_path, fresh)
    with provider(database) as (_, asked):
        found, _ = scanned(tmp_path)
    told = [(f["band"], f["verdict"]["state"]) for f in found if f["detector"] == "firebase-database-url"]
    assert (told, asked) == ([("low", "unknown")] * 2, [])


def test_the_key_of_a_storage_account_in_an_app(azurite: Azurite, tmp_path: Path) -> None:
    """The same with another cloud: the key of the account in which all users' pictures lie, and one that was changed
    since. The one that still opens it comes first, critical; the account is as it was."""
    keys = {"live": azurite.second, "old": base64.b64encode(os.urandom(64)).decode()}
    for name, key in keys.items():
        text = f"DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={key};EndpointSuffix=core.windows.net"
        (tmp_path / f"app-{name}" / "res").mkdir(parents=True)
        (tmp_path / f"app-{name}" / "res" / "strings.xml").write_text(
            f'<resources>\n    <string name="storage">{text}</string>\n</resources>\n'
        )
    with BlobServiceClient(azurite.url("blob"), credential=azurite.keys[ACCOUNT], **azurite.options) as client:
        before = [container.name for container in client.list_containers()]
        arguments = ("--verify", "--verify-host", f"azure={azurite.urls['blob']}", "--ca-file")
        found, said = scanned(tmp_path, *arguments, str(azurite.certificate))
        assert [container.name for container in client.list_containers()] == before
    first, other = found
    assert (first["band"], first["verdict"]["state"]) == ("critical", "live")
    assert first["verdict"]["reason"] == f"a key of account {ACCOUNT}"
    assert "app-live" in first["occurrences"][0]["origin"]["path"]
    assert other["verdict"]["state"] != "live"
    assert first["score"] > other["score"]
    assert all(key not in said + json.dumps(found) for key in keys.values())
