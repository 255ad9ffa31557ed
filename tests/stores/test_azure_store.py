"""Azure Blob Storage on Azurite, over https: SAS of accounts and containers, account keys, open containers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ContainerSasPermissions,
    ResourceTypes,
    Services,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)
from azurite import ACCOUNT, Azurite, missing, running
from listed_pages import access, listed
from oakum.scanner.errors import TargetError, UsageError
from oakum.scanner.sources.stores import Access
from oakum.scanner.sources.stores.opening import open_store

NAMES = sorted(["a b/c+d.txt", "ä/€.env", "per%20cent", "x" * 1000, *(f"folder/{n}" for n in range(20))])


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A server of its own: what lies in an account is compared as a whole."""
    if reason := missing():
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="module")
def account(azurite: Azurite) -> Azurite:
    """An account with an open container, two others, and one that is empty."""
    client = service(azurite)
    for container, public in (("open", "container"), ("first", None), ("second", None), ("third", None)):
        client.create_container(container, public_access=public)
    for name in NAMES:
        client.get_container_client("first").upload_blob(name, b"", metadata={"note": "hello"})
        client.get_container_client("open").upload_blob(name, b"")
    client.get_container_client("second").upload_blob("tagged", b"", tags={"purpose": "backup"})
    return azurite


def service(azurite: Azurite) -> BlobServiceClient:
    """Not to be closed: its transport is the server's, for all tests."""
    return BlobServiceClient(azurite.url("blob"), credential=azurite.keys[ACCOUNT], **azurite.options)


def with_azurite(azurite: Azurite, environment: dict[str, str] | None = None, **more: Any) -> Access:
    return access(environment, certificates=str(azurite.certificate), **more)


def account_sas(azurite: Azurite, **changed: Any) -> str:
    given: dict[str, Any] = {
        "resource_types": ResourceTypes(service=True, container=True, object=True),
        "permission": AccountSasPermissions(read=True, list=True, tag=True),
        "expiry": datetime.now(UTC) + timedelta(hours=1),
        "services": Services(blob=True),
    }
    return generate_account_sas(ACCOUNT, azurite.keys[ACCOUNT], **(given | changed))


def container_sas(azurite: Azurite, permission: ContainerSasPermissions, **changed: Any) -> str:
    until = changed.pop("expiry", datetime.now(UTC) + timedelta(hours=1))
    return generate_container_sas(
        ACCOUNT, "first", azurite.keys[ACCOUNT], permission=permission, expiry=until, **changed
    )


ALL = {b"first": [name.encode() for name in NAMES], b"open": [name.encode() for name in NAMES], b"second": [b"tagged"]}


@pytest.mark.parametrize("page_size", [0, 1, 7])
def test_an_account_sas_lists_containers_and_then_their_blobs(account: Azurite, page_size: int) -> None:
    """Wherever in the account its URL points."""
    url = f"{account.url('blob')}/first/folder/1?{account_sas(account)}"
    found = listed(url, with_azurite(account, limits={"page_size": page_size}))
    assert ({name: keys for name, keys in found.keys.items() if keys}, found.why) == (ALL, [])
    assert {page.kind for page in found.pages} == {"azure-xml"}
    assert b"<note>hello</note>" in b"".join(page.data for page in found.pages)
    assert b"<Value>backup</Value>" in b"".join(page.data for page in found.pages)


def test_what_is_shown_of_a_sas(account: Azurite) -> None:
    """Never its signature."""
    store = open_store(f"{account.url('blob')}/first?{account_sas(account)}", with_azurite(account))
    assert (store.title, store.origin, store.exposure) == (
        f"{account.url('blob')} (with a SAS)",
        account.url("blob"),
        "signed",
    )
    assert "sig=" not in repr(store)


def test_a_container_sas(account: Azurite) -> None:
    """Its container; what it has no permission for, it is not asked for."""
    sas = container_sas(account, ContainerSasPermissions(read=True, list=True))
    store = open_store(f"{account.url('blob')}/first?restype=container&comp=list&prefix=folder%2F&{sas}", access())
    assert store.title == f"{account.url('blob')}/first (with a SAS)"
    found = listed(f"{account.url('blob')}/first?{sas}", with_azurite(account, limits={"page_size": 10}))
    assert (found.keys, found.why, len(found.pages)) == ({b"first": ALL[b"first"]}, [], 3)


def test_an_account_key(account: Azurite) -> None:
    """From variables and from a connection string: all containers, one, a prefix."""
    key = account.keys[ACCOUNT]
    separate = {"AZURE_STORAGE_ACCOUNT": ACCOUNT, "AZURE_STORAGE_KEY": key}
    endpoint = account.url("blob")
    string = f"DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={endpoint};"
    for told in (
        with_azurite(account, separate, endpoint=account.urls["blob"]),
        with_azurite(account, {"AZURE_STORAGE_CONNECTION_STRING": string}),
    ):
        assert {name: keys for name, keys in listed(f"az://{ACCOUNT}", told).keys.items() if keys} == ALL
        assert listed(f"az://{ACCOUNT}/second", told).keys == {b"second": [b"tagged"]}
        assert listed(f"az://{ACCOUNT}/first/folder/1", told).keys == {
            b"first": [name for name in ALL[b"first"] if name.startswith(b"folder/1")]
        }


def test_a_sas_of_the_environment(account: Azurite) -> None:
    """For the container that the target names."""
    sas = {"AZURE_STORAGE_SAS_TOKEN": "?" + container_sas(account, ContainerSasPermissions(list=True))}
    found = listed(f"az://{ACCOUNT}/first", with_azurite(account, sas, endpoint=account.url("blob")))
    assert (found.keys, found.why) == ({b"first": ALL[b"first"]}, [])


def test_credentials_of_another_account_are_not_sent(account: Azurite) -> None:
    """The environment says whose they are."""
    other = {"AZURE_STORAGE_ACCOUNT": "another", "AZURE_STORAGE_KEY": account.keys[ACCOUNT]}
    with pytest.raises(UsageError, match="are for the account another, and the target is acmestore"):
        open_store(f"az://{ACCOUNT}/first", with_azurite(account, other))
    told = replace(with_azurite(account, other, endpoint=account.url("blob")), anonymous=True)
    assert open_store(f"az://{ACCOUNT}/open", told).exposure == "anonymous"


def test_an_open_container(account: Azurite) -> None:
    """By az:// without credentials, and by the URL of its listing; one that is not open says so."""
    told = with_azurite(account, endpoint=account.url("blob"))
    found = listed(f"az://{ACCOUNT}/open", told)
    assert (found.keys, found.why) == ({b"open": ALL[b"open"]}, [])
    by_url = listed(f"{account.url('blob')}/open?restype=container&comp=list&maxresults=1", told)
    assert (by_url.keys, by_url.why) == ({b"open": ALL[b"open"]}, [])
    closed = listed(f"az://{ACCOUNT}/first", told)
    assert (closed.pages, len(closed.why)) == ([], 1)
    assert "it refuses to list: not everybody may list it" in closed.why[0] or "not public" in closed.why[0]


def test_whether_anybody_can_list(account: Azurite) -> None:
    """Asked without the SAS."""
    sas = account_sas(account, resource_types=ResourceTypes(container=True))
    told = with_azurite(account)
    for container, state in (("open", "open"), ("first", "closed")):
        store = open_store(f"{account.url('blob')}/{container}?{sas}", told)
        assert (store.exposure, store.anybody().state) == ("signed", state)


def test_an_expired_sas(account: Azurite) -> None:
    """The server's code, and what it may mean."""
    past = datetime.now(UTC) - timedelta(hours=1)
    sas = container_sas(account, ContainerSasPermissions(list=True), expiry=past)
    found = listed(f"{account.url('blob')}/first?{sas}", with_azurite(account))
    assert found.why == [
        f"{account.url('blob')}/first: it refuses to list: these credentials may not list it "
        f"(403 AuthorizationFailure): the SAS ended on {past:%Y-%m-%d}"
    ]


def test_signatures_that_cannot_list(account: Azurite) -> None:
    """Said without asking."""
    blob = generate_blob_sas(
        ACCOUNT,
        "first",
        "f",
        account_key=account.keys[ACCOUNT],
        permission="r",
        expiry=datetime(2051, 1, 1, tzinfo=UTC),
    )
    for sas, why in {
        blob: r"opens one object and cannot list \(sr=b\)",
        container_sas(account, ContainerSasPermissions(read=True)): r"cannot list the container \(sp=r, without l\)",
        account_sas(account, permission="rw"): r"cannot list the account \(sp=rw, without l\)",
        account_sas(account, services=Services(queue=True)): r"opens no blobs \(ss=q\)",
        account_sas(account, resource_types=ResourceTypes(object=True)): r"single objects whose names are known",
    }.items():
        with pytest.raises(TargetError, match=why) as error:
            open_store(f"{account.url('blob')}/first/f?{sas}", access())
        assert "sig" not in str(error.value)
    only = account_sas(account, resource_types=ResourceTypes(container=True))
    with pytest.raises(TargetError, match="put the name of one into the URL"):
        open_store(f"{account.url('blob')}?{only}", access())
    found = listed(f"{account.url('blob')}/second/tagged?{only}", with_azurite(account))
    assert (found.keys, found.why) == (
        {b"second": [b"tagged"]},
        [f"{account.url('blob')}: this SAS opens its other containers, too, and cannot list their names (srt=c)"],
    )


def test_a_certificate_that_is_not_trusted(account: Azurite) -> None:
    """Nothing is sent to it."""
    found = listed(f"{account.url('blob')}/first?{account_sas(account)}", access())
    assert found.why == [
        f"{account.url('blob')}: its certificate is not trusted (self-signed certificate): name the file of the "
        "authority that signed it"
    ]


def test_hosts_of_azure() -> None:
    """What is asked of Azure's own hosts, by what is known of a SAS: nothing is sent here."""
    signed = "sv=2023-11-03&sig=AAAA&sp=rl"
    for target, shown in {
        f"https://acme.dfs.core.windows.net/c/a/b?sr=d&sdd=1&{signed}": "https://acme.blob.core.windows.net/c/a/",
        f"https://acme.queue.core.windows.net/q?ss=bq&srt=sco&{signed}": "https://acme.blob.core.windows.net/",
        f"https://acme.blob.core.usgovcloudapi.net/c?sr=c&{signed}": "https://acme.blob.core.usgovcloudapi.net/c",
        f"https://files.acme.org/c?sr=c&{signed}": "https://files.acme.org/c",
    }.items():
        assert open_store(target, access()).title == f"{shown} (with a SAS)"
    assert open_store("https://acme.blob.core.windows.net/con/a?x=1", access()).title == (
        "https://acme.blob.core.windows.net/con/a"
    )
    with pytest.raises(TargetError, match="only a container can be listed without a SAS"):
        open_store("https://acme.blob.core.windows.net/", access())


@pytest.mark.long
def test_three_containers_with_fifty_thousand_blobs(tmp_path: Path) -> None:
    """An account SAS opens all of them."""
    counts = {"large-1": 30_000, "large-2": 15_000, "large-3": 5_000}
    with running(tmp_path, filled=counts) as server:
        limits = {"answer": 60, "silence": 60, "all": 600}
        found = listed(f"{server.url('blob')}?{account_sas(server)}", with_azurite(server, limits=limits))
    assert ({c: len(set(found.keys[c.encode()])) for c in counts}, found.why) == (counts, [])
