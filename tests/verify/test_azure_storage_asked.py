"""Azure Storage is asked about signatures and keys: Azurite, which checks both as the service does.

It has the account in the path; hosts of its own are tested in test_azure_storage_documented.py. It calls a wrong
signature AuthorizationFailure, and does not look at addresses (`sip`).
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asked_providers import found_in, verdict
from azure.core.credentials import AzureNamedKeyCredential
from azure.data import tables
from azure.storage import blob, queue
from azurite import ACCOUNT, Azurite, missing, running
from git_repository import utc
from scanning import Fresh

END = datetime(2090, 1, 1, tzinfo=UTC)
NAME = "in 2024/año #1.bak"


@pytest.fixture(scope="module")
def store(azurite: Azurite) -> Iterator[Azurite]:
    """An account with a container, which has a blob and a policy; an open container, a queue and a table."""
    with blob.BlobServiceClient(azurite.url("blob"), credential=azurite.keys[ACCOUNT], **azurite.options) as client:
        asked = client.create_container("asked")
        asked.set_container_access_policy({"readers": blob.AccessPolicy("r", END, END - timedelta(days=99_000 // 3))})
        asked.upload_blob(NAME, b"text")
        client.create_container("asked-open", public_access="container").upload_blob("one", b"text")
        yield azurite
        client.delete_container("asked")
        client.delete_container("asked-open")


def ask(store: Azurite, text: str, service: str = "blob", **how: Any) -> tuple[str, str]:
    """The verdict, where the provider's host is replaced by the server."""
    return verdict(text, f"azure={store.urls[service]}", certificates=str(store.certificate), **how)


def at(path: str, sas: str, service: str = "blob") -> str:
    """A line with a URL as it stands in the wild."""
    return f'url = "https://{ACCOUNT}.{service}.core.windows.net/{path}?{sas}"\n'


def of_account(store: Azurite, permissions: str, types: str = "sco", services: str = "b", **how: Any) -> str:
    """An account's signature."""
    key = how.pop("key", store.keys[ACCOUNT])
    given = (blob.ResourceTypes.from_string(types), blob.AccountSasPermissions.from_string(permissions))
    return blob.generate_account_sas(ACCOUNT, key, *given, how.pop("end", END), services=services, **how)


def of_container(store: Azurite, container: str = "asked", **how: Any) -> str:
    """A container's."""
    return blob.generate_container_sas(ACCOUNT, container, store.keys[ACCOUNT], **how)


RIGHT = f"account {ACCOUNT}: its signature is right"
NOT_READ = "it does not allow to read or list (AuthorizationPermissionMismatch)"
NOT_ASKED = "it does not allow what was asked (AuthorizationResourceTypeMismatch)"


@pytest.mark.parametrize(
    ("permissions", "types", "reason"),
    [
        ("rl", "sco", f"account {ACCOUNT}: lists its containers"),
        ("rl", "s", f"account {ACCOUNT}: lists its containers"),
        ("r", "sco", f"account {ACCOUNT}: reads its settings"),
        ("rl", "c", RIGHT),
        ("r", "c", RIGHT),
        ("r", "o", RIGHT),
        ("l", "o", f"{RIGHT}; {NOT_ASKED}"),
        ("w", "sco", f"{RIGHT}; {NOT_READ}"),
        ("w", "o", f"{RIGHT}; {NOT_ASKED}"),
    ],
)
def test_an_account_sas_is_asked_what_it_allows(store: Azurite, permissions: str, types: str, reason: str) -> None:
    """What allows nothing that can be asked without a change is known by what the server says of it: a wrong one it
    refuses otherwise."""
    assert ask(store, at("", of_account(store, permissions, types))) == ("live", reason)


def test_both_keys_of_an_account_sign(store: Azurite) -> None:
    """And another key does not."""
    other = base64.b64encode(os.urandom(64)).decode()
    assert ask(store, at("", of_account(store, "rl", key=store.second)))[0] == "live"
    state, reason = ask(store, at("", of_account(store, "rl", key=other)))
    assert (state, reason) == ("dead", f"{store.urls['blob'].partition('//')[2]} refuses its signature (403)")


@pytest.mark.parametrize(
    ("sas", "reason"),
    [
        ({"permission": "rl", "expiry": END}, f"account {ACCOUNT}: lists the container"),
        ({"permission": "r", "expiry": END}, RIGHT),
        ({"permission": "wd", "expiry": END}, f"{RIGHT}; {NOT_READ}"),
        ({"policy_id": "readers"}, f"{RIGHT}; {NOT_READ}"),
    ],
    ids=["list", "read", "write", "a stored policy"],
)
def test_a_containers_sas(store: Azurite, sas: dict[str, Any], reason: str) -> None:
    """One that only reads is asked for a blob that nobody has."""
    assert ask(store, at("asked/some.bak", of_container(store, **sas))) == ("live", reason)


def test_a_container_that_is_gone(store: Azurite) -> None:
    """Its signature is still right: whoever makes the container again opens it."""
    sas = of_container(store, "asked-gone", permission="rl", expiry=END)
    assert ask(store, at("asked-gone", sas)) == (
        "live",
        f"{RIGHT}; what it opens is not there (ContainerNotFound)",
    )


@pytest.mark.parametrize("permission", ["r", "w"])
def test_a_blobs_sas_opens_that_blob(store: Azurite, permission: str) -> None:
    """Its name goes out as it was signed; nothing is read of it but what it is."""
    sas = blob.generate_blob_sas(
        ACCOUNT, "asked", NAME, account_key=store.keys[ACCOUNT], permission=permission, expiry=END
    )
    told = {"r": f"account {ACCOUNT}: reads the blob", "w": f"{RIGHT}; {NOT_READ}"}
    assert ask(store, at("asked/in%202024/a%C3%B1o%20%231.bak", sas)) == ("live", told[permission])
    assert ask(store, at("asked/other.bak", sas))[0] == "dead"


def test_what_stands_in_a_url_besides_is_not_asked_for(store: Azurite) -> None:
    """`comp=list` of somebody's request is not sent along."""
    sas = of_container(store, permission="rl", expiry=END)
    assert ask(store, at("asked", f"restype=container&comp=metadata&prefix=x&{sas}"))[0] == "live"


def test_a_queue_and_a_table(store: Azurite) -> None:
    """By their own services; nothing is taken out of a queue."""
    named = AzureNamedKeyCredential(ACCOUNT, store.keys[ACCOUNT])
    with queue.QueueClient(store.url("queue"), "asked", credential=named, **store.options) as client:
        client.create_queue()
        client.send_message("still there")
        sas = queue.generate_queue_sas(ACCOUNT, "asked", store.keys[ACCOUNT], permission="r", expiry=END)
        told = f"account {ACCOUNT}: reads the queue"
        assert ask(store, at("asked", sas, "queue"), "queue") == ("live", told)
        assert client.get_queue_properties().approximate_message_count == 1
        client.delete_queue()
    with tables.TableClient(store.url("table"), "Asked", credential=named, **store.options) as table:
        table.create_table()
        sas = tables.generate_table_sas(named, "Asked", permission="r", expiry=END)
        told = f"account {ACCOUNT}: reads the table"
        assert ask(store, at("Asked", sas, "table"), "table") == ("live", told)
        table.delete_table()


def test_what_has_ended_or_not_begun(store: Azurite) -> None:
    """Both are refused; what will be right tomorrow is not dead. Whose end is known is not asked about."""
    ended = of_account(store, "rl", end=datetime.now(UTC) - timedelta(hours=1))
    assert ask(store, at("", ended), now=utc(2020))[0] == "dead"
    assert ask(store, at("", ended), now=utc(2030))[1].startswith("expired on ")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    told = ask(store, at("", of_account(store, "rl", start=tomorrow)), now=utc(2020))
    assert told == ("unknown", f"127.0.0.1: it is not valid before {tomorrow:%Y-%m-%d %H:%M}")


def test_a_server_that_asks_for_no_signature_is_not_believed(store: Azurite) -> None:
    """Azurite takes any for an open container; Azure itself refuses a wrong one there, too."""
    sas = of_container(store, "asked-open", permission="rl", expiry=END)
    assert ask(store, at("asked-open", sas)) == (
        "unknown",
        "127.0.0.1: accepts anything: a made-up secret, too",
    )


def test_an_emulator_in_the_data_is_asked_only_when_it_is_named(store: Azurite) -> None:
    """There the account is a part of the path that was found."""
    text = f'url = "{store.url("blob")}/asked?{of_container(store, permission="rl", expiry=END)}"\n'
    host = store.urls["blob"].partition("//")[2]
    given = {"certificates": str(store.certificate)}
    assert verdict(text, **given) == (
        "unknown",
        f"not asked: {host} came out of the data (--verify-host {host} names it)",
    )
    assert verdict(text, host, **given) == ("live", f"account {ACCOUNT}: lists the container")


# --- account keys ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A server without tokens: the other one takes a wrong key for a damaged token."""
    if reason := missing():
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("azurite"), tls=False) as server:
        yield server


CONNECTION = "DefaultEndpointsProtocol=https;AccountName={};AccountKey={};EndpointSuffix=core.windows.net\n"


def test_an_account_key(plain: Azurite, store: Azurite) -> None:
    """The first, the second, and one that is none; each gives the whole account."""
    for key in (plain.keys[ACCOUNT], plain.second):
        (found,) = found_in(CONNECTION.format(ACCOUNT, key), f"azure={plain.urls['blob']}")
        assert (found.finding.verdict.state, found.finding.verdict.reason) == ("live", f"a key of account {ACCOUNT}")
        assert dict(found.finding.verdict.facts) == {"account": ACCOUNT, "scope": "account", "privilege": "full"}
        assert found.band == "critical"
    wrong = CONNECTION.format(ACCOUNT, base64.b64encode(os.urandom(64)).decode())
    assert verdict(wrong, f"azure={plain.urls['blob']}") == ("dead", f"account {ACCOUNT} does not take it (403)")
    assert ask(store, CONNECTION.format(ACCOUNT, store.second))[0] == "live"


def test_a_marked_key_beside_the_url_of_its_account(plain: Azurite, fresh: Fresh) -> None:
    """Its account is the one of the URL; one that stands alone is nobody's."""
    key = fresh("azure_marked_key").decode()
    code = 'client = BlobServiceClient("https://{}.blob.core.windows.net/", credential="{}")\n'
    (found,) = found_in(code.format(ACCOUNT, key), f"azure={plain.urls['blob']}")
    assert found.finding.verdict.reason == f"account {ACCOUNT} does not take it (403)"
    assert verdict(f'key = "{key}"\n')[1] == "its account is not known, without which nobody can be asked"


def test_the_endpoint_of_a_connection_string_is_asked_when_it_is_named(plain: Azurite) -> None:
    """Over http only on this machine."""
    text = f"AccountName={ACCOUNT};AccountKey={plain.keys[ACCOUNT]};BlobEndpoint={plain.url('blob')};\n"
    host = plain.urls["blob"].partition("//")[2]
    assert verdict(text)[1] == f"not asked: {host} came out of the data (--verify-host {host} names it)"
    assert verdict(text, host) == ("live", f"a key of account {ACCOUNT}")


def test_through_the_program(store: Azurite, tmp_path: Path) -> None:
    """It says where secrets go before it asks, and prints nothing of them."""
    sas = of_account(store, "rl")
    (tmp_path / "settings.py").write_text(
        at("", sas) + "CONNECTION = '" + CONNECTION.format(ACCOUNT, store.second).strip() + "'\n"
    )
    command = [sys.executable, "-m", "oakum.scanner", "scan", str(tmp_path), "--format", "json", "--verify"]
    command += ["--verify-host", f"azure={store.urls['blob']}", "--ca-file", str(store.certificate), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    found = {one["detector"]: one["verdict"]["state"] for one in json.loads(done.stdout)["findings"]}
    assert found == {"azure-storage-sas": "live", "azure-storage-account-key": "live"}
    host = store.urls["blob"].partition("//")[2]
    assert f"oakum: verifying 2 secrets with the hosts {host} (2)" in done.stderr
    for secret in (sas.partition("sig=")[2], store.second):
        assert secret not in done.stdout + done.stderr
