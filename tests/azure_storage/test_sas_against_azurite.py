"""SAS that a server accepts: made by Azure's libraries, used on Azurite, found, decoded field for field, and proved.

Azurite checks signatures as the service does; with one bit changed it refuses what oakum refutes. It has no shares and
no data lake: test_sas_of_the_libraries.py has these. User delegation SAS of a version after 2025-07-05 are unknown to
some releases of it: those that the library for Python makes are signed with the key that the server gave, and tested
offline; the library for JavaScript makes those of older versions, which the server accepts.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.data import tables
from azure.storage import blob, queue
from azure.storage.blob._shared.constants import X_MS_VERSION
from azurite import ACCOUNT, EMULATOR, Azurite, Token, by_version
from oakum.detectors.checks.azure_sas import azure_sas_proof
from signed import DETECTOR, ENCRYPTED, END, FROM_TO, KEY, TO, WHEN, Signed, Told, told

WITHIN: dict[str, Any] = {"ip": "127.0.0.1-127.0.0.9", "protocol": "https"}
SENT_BACK = {
    "cache_control": "no-cache, max-age=0",
    "content_disposition": 'attachment; filename="a b.pdf"',
    "content_encoding": "identity",
    "content_language": "de-AT",
    "content_type": "application/pdf",
}
NAME = "db/año 50% & #1?.bak"
READ = {"permissions": "r", "allows": "read", "privilege": "read"}
LIST = {"permissions": "rl", "allows": "read, list", "privilege": "list"}
BY_POLICY = {"policy": "readers", "revocation": "policy"}
VERSION_OF_TABLES = "2019-02-02"


@dataclass(frozen=True)
class Case:
    """A URL with a SAS, and a request that it allows."""

    signed: Signed
    use: Callable[[str], object]


class Store:
    """An account of the server with a container, a blob, its snapshot, a queue and a table; with stored policies."""

    def __init__(self, server: Azurite, account: str) -> None:
        self.server, self.account, self.key = server, account, server.keys[account]
        self.named_key = AzureNamedKeyCredential(account, self.key)
        every = {"credential": self.named_key, **server.options}
        ends = datetime.now(UTC) + timedelta(days=1)
        container = blob.ContainerClient(server.url("blob", account), "backup", **every)
        container.create_container()
        container.set_container_access_policy({"readers": blob.AccessPolicy("rl", ends, ends - timedelta(days=2))})
        self.snapshot = container.upload_blob(NAME, b"text").create_snapshot()["snapshot"]
        jobs = queue.QueueClient(server.url("queue", account), "jobs", **every)
        jobs.create_queue()
        jobs.set_queue_access_policy({"readers": queue.AccessPolicy("r", ends, ends - timedelta(days=2))})
        orders = tables.TableClient(server.url("table", account), "Orders", **every)
        orders.create_table()
        policy = tables.TableAccessPolicy(permission="r", expiry=ends, start=ends - timedelta(days=2))
        orders.set_table_access_policy({"readers": policy})

    def facts(self, kind: str, service: str, scope: str, **more: str) -> dict[str, str]:
        """What is told of all, and what is told of this one."""
        host = self.server.urls[service].removeprefix("https://")
        common = {"type": f"Azure {kind} SAS", "account": self.account, "host": host, "service": service}
        common |= {"scope": scope, "ip": "any", "protocol": "https,http", "version": X_MS_VERSION}
        mode = {"mode": "emulator"} if self.account == EMULATOR else {}
        return common | {"revocation": "account key"} | mode | more

    # What the server must allow, each with a URL of one of the libraries.

    def blob(self, sas: str, facts: dict[str, str], snapshot: str | None = None) -> Case:
        """Read a blob."""
        client = blob.BlobClient(self.server.url("blob", self.account), "backup", NAME, snapshot, credential=sas)
        return Case(Signed(client.url, facts), self.read)

    def read(self, url: str) -> object:
        """Read a blob by its URL."""
        return blob.BlobClient.from_blob_url(url, **self.server.options).download_blob().readall()

    def write(self, url: str) -> object:
        """Write it."""
        return blob.BlobClient.from_blob_url(url, **self.server.options).upload_blob(b"new", overwrite=True)

    def container(self, sas: str, facts: dict[str, str]) -> Case:
        """List a container."""
        client = blob.ContainerClient(self.server.url("blob", self.account), "backup", credential=sas)
        return Case(Signed(client.url, facts), self.list_blobs)

    def list_blobs(self, url: str) -> object:
        """List a container by its URL."""
        return list(blob.ContainerClient.from_container_url(url, **self.server.options).list_blob_names())

    def queue(self, sas: str, facts: dict[str, str]) -> Case:
        """Look into a queue."""
        client = queue.QueueClient(self.server.url("queue", self.account), "jobs", credential=sas)
        return Case(
            Signed(client.url, facts),
            lambda url: queue.QueueClient.from_queue_url(url, **self.server.options).peek_messages(),
        )

    def table(self, sas: str, facts: dict[str, str]) -> Case:
        """List a table."""
        return Case(
            Signed(f"{self.server.url('table', self.account)}/Orders?{sas}", facts),
            lambda url: list(tables.TableClient.from_table_url(url, **self.server.options).list_entities()),
        )

    def of_container(self, **how: Any) -> str:
        """A container's SAS."""
        return blob.generate_container_sas(self.account, "backup", self.key, **how)

    def of_blob(self, **how: Any) -> str:
        """A blob's."""
        return blob.generate_blob_sas(self.account, "backup", NAME, account_key=self.key, **how)

    def of_queue(self, **how: Any) -> str:
        """A queue's."""
        return queue.generate_queue_sas(self.account, "jobs", self.key, **how)

    def of_table(self, **how: Any) -> str:
        """A table's."""
        return tables.generate_table_sas(self.named_key, "Orders", **how)


def whole_account(store: Store) -> Case:
    """An account SAS that allows all that the library knows."""
    sas = blob.generate_account_sas(
        store.account,
        store.key,
        blob.ResourceTypes(service=True, container=True, object=True),
        blob.AccountSasPermissions.from_string("rwdxylacupfti"),
        services="bqt",
        **WHEN,
        **WITHIN,
        **ENCRYPTED,
    )
    url = blob.BlobServiceClient(store.server.url("blob", store.account), credential=sas).url
    allows = (
        "read, write, delete, delete versions, delete for good, list, add, create, update, process messages, "
        "find by tags, tags, set immutability"
    )
    facts = store.facts("account", "blob", "account", **FROM_TO, **WITHIN, **ENCRYPTED, privilege="full")
    facts |= {"service": "blob, queue, table", "scopes": "service, container, object"}
    facts |= {"permissions": "rwdxylacupfti", "allows": allows}

    def use(url: str) -> object:
        return list(blob.BlobServiceClient(url, **store.server.options).list_containers())

    return Case(Signed(url, facts), use)


def written(store: Store) -> Case:
    """A blob's SAS that allows to write it."""
    permission = blob.BlobSasPermissions(create=True, write=True)
    facts = store.facts("service", "blob", "object", **TO, resource=f"backup/{NAME}", privilege="write")
    case = store.blob(store.of_blob(permission=permission, expiry=END), facts)
    return Case(Signed(case.signed.url, facts | {"permissions": "cw", "allows": "create, write"}), store.write)


KINDS: dict[str, Callable[[Store], Case]] = {
    "account, all of it": whole_account,
    "account, the least": lambda store: store.blob(
        blob.generate_account_sas(store.account, store.key, "o", "r", END),
        store.facts("account", "blob", "account", **TO, **READ, scopes="object"),
    ),
    "account, by the library for queues": lambda store: store.queue(
        queue.generate_account_sas(store.account, store.key, "o", "rp", END),
        store.facts("account", "queue", "account", **TO, scopes="object", permissions="rp")
        | {"allows": "read, process messages", "privilege": "write"},
    ),
    "account, by the library for tables": lambda store: store.table(
        tables.generate_account_sas(store.named_key, tables.ResourceTypes(object=True, container=True), "rl", END),
        store.facts("account", "table", "account", **TO, **LIST, scopes="object, container", version=VERSION_OF_TABLES),
    ),
    "container": lambda store: store.container(
        store.of_container(permission=blob.ContainerSasPermissions(read=True, list=True), **WHEN, **WITHIN),
        store.facts("service", "blob", "container", **FROM_TO, **WITHIN, **LIST, resource="backup"),
    ),
    "container, encrypted": lambda store: store.container(
        store.of_container(permission="rl", expiry=END, **ENCRYPTED),
        store.facts("service", "blob", "container", **TO, **LIST, **ENCRYPTED, resource="backup"),
    ),
    "container, by a stored policy": lambda store: store.container(
        store.of_container(policy_id="readers"),
        store.facts("service", "blob", "container", **BY_POLICY, resource="backup"),
    ),
    "container, by a blob's URL": lambda store: store.blob(
        store.of_container(permission="r", expiry=END),
        store.facts("service", "blob", "container", **TO, **READ, resource="backup"),
    ),
    "blob, to write": written,
    "blob, sent back with headers": lambda store: store.blob(
        store.of_blob(permission=blob.BlobSasPermissions(read=True), **WHEN, **WITHIN, **SENT_BACK),
        store.facts("service", "blob", "object", **FROM_TO, **WITHIN, **READ, resource=f"backup/{NAME}"),
    ),
    "blob, by a stored policy": lambda store: store.blob(
        store.of_blob(policy_id="readers"),
        store.facts("service", "blob", "object", **BY_POLICY, resource=f"backup/{NAME}"),
    ),
    "snapshot": lambda store: store.blob(
        store.of_blob(permission="r", expiry=END, snapshot=store.snapshot),
        store.facts("service", "blob", "object", **TO, **READ, resource=f"backup/{NAME}"),
        store.snapshot,
    ),
    "queue": lambda store: store.queue(
        store.of_queue(permission=queue.QueueSasPermissions(read=True), **WHEN, **WITHIN),
        store.facts("service", "queue", "container", **FROM_TO, **WITHIN, **READ, resource="jobs"),
    ),
    "queue, by a stored policy": lambda store: store.queue(
        store.of_queue(policy_id="readers"),
        store.facts("service", "queue", "container", **BY_POLICY, resource="jobs"),
    ),
    "table": lambda store: store.table(
        store.of_table(permission=tables.TableSasPermissions(read=True), **WHEN, protocol="https"),
        store.facts("service", "table", "container", **FROM_TO, **READ, resource="Orders", version=VERSION_OF_TABLES)
        | {"protocol": "https"},
    ),
    "table, a range of rows": lambda store: store.table(
        store.of_table(permission="r", expiry=END, start_pk="2024", end_pk="2025", start_rk="a b", end_rk="z&="),
        store.facts("service", "table", "container", **TO, **READ, resource="Orders", version=VERSION_OF_TABLES),
    ),
    "table, by a stored policy": lambda store: store.table(
        store.of_table(policy_id="readers"),
        store.facts("service", "table", "container", **BY_POLICY, resource="Orders", version=VERSION_OF_TABLES),
    ),
}
"""Each kind that an account's key signs and that Azurite has."""

# --- versions --------------------------------------------------------------------------------------------------------

OLDER = ("2018-11-09", "2019-12-12", "2020-02-10", "2020-12-06", "2024-11-04", "2025-07-05")
VERSIONS = [
    *((version, what, "key") for version in ("2015-04-05", "2018-03-28", *OLDER) for what in ("container", "blob")),
    *((version, "snapshot", "key") for version in OLDER),
    *((version, what, "delegation key") for version in OLDER for what in ("container", "blob")),
]
"""What the library for JavaScript makes, version by version: the text that is signed has changed many times."""


def arguments(store: Store, version: str, what: str) -> dict[str, Any]:
    """Those of the library for JavaScript, with all that may stand in a SAS of a version."""
    out = {"containerName": "backup", "permissions": "rl" if what == "container" else "r", "version": version}
    out |= {"startsOn": "2024-02-29T23:59:59Z", "expiresOn": "2051-10-06T23:09:00Z", "protocol": "https"}
    out |= {"cacheControl": "no-cache", "contentDisposition": 'attachment; filename="a b"', "contentType": "text/plain"}
    out |= {"contentLanguage": "de-AT", "contentEncoding": "identity"}
    out |= {"encryptionScope": "scope1"} if version >= "2020-12-06" else {}
    out |= {"blobName": NAME} if what != "container" else {}
    out |= {"snapshotTime": store.snapshot} if what == "snapshot" else {}
    return out | {"ipRange": {"start": "127.0.0.1", "end": "127.0.0.9"}}


def of_versions(store: Store, key: blob.UserDelegationKey) -> dict[tuple[str, str, str], Case]:
    """A case for each of the versions."""
    delegation = {"signedObjectId": key.signed_oid, "signedTenantId": key.signed_tid, "value": key.value}
    delegation |= {"signedStartsOn": key.signed_start, "signedExpiresOn": key.signed_expiry}
    delegation |= {"signedService": key.signed_service, "signedVersion": key.signed_version}
    out: dict[tuple[str, str, str], Case] = {}
    for signer in ("key", "delegation key"):
        wanted = [one for one in VERSIONS if one[2] == signer]
        given = [arguments(store, version, what) for version, what, _ in wanted]
        made = by_version(store.account, store.key, delegation if signer != "key" else None, given)
        out |= {one: of_version(store, key, sas, *one) for one, sas in zip(wanted, made, strict=True)}
    return out


def of_version(store: Store, key: blob.UserDelegationKey, sas: str, version: str, what: str, signer: str) -> Case:
    """The case of one version."""
    kind, scope = "service" if signer == "key" else "user delegation", "container" if what == "container" else "object"
    facts = store.facts(kind, "blob", scope, **FROM_TO, **WITHIN, version=version)
    facts |= {**LIST, "resource": "backup"} if what == "container" else {**READ, "resource": f"backup/{NAME}"}
    facts |= delegated(key) if signer != "key" else {}
    facts |= ENCRYPTED if version >= "2020-12-06" else {}
    return (
        store.container(sas, facts)
        if what == "container"
        else store.blob(sas, facts, store.snapshot if what == "snapshot" else None)
    )


def delegated(key: blob.UserDelegationKey) -> dict[str, str]:
    """What is told of the key of a person."""
    told = {"signed_by": key.signed_oid, "tenant": key.signed_tid, "key_expires": key.signed_expiry}
    return told | {"revocation": "delegation key"}


# --- the server ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stores(azurite: Azurite) -> dict[str, Store]:
    """Both accounts of the server."""
    return {account: Store(azurite, account) for account in (ACCOUNT, EMULATOR)}


@pytest.fixture(scope="module")
def delegation(azurite: Azurite) -> blob.UserDelegationKey:
    """A user delegation key that the server gave."""
    now, token = datetime.now(UTC), Token(*(f"{c * 8}-1111-2222-3333-{c * 12}" for c in "ab"))
    client = blob.BlobServiceClient(azurite.url("blob"), credential=token, **azurite.options)
    return client.get_user_delegation_key(now - timedelta(hours=1), now + timedelta(days=1))


@pytest.fixture(scope="module")
def cases(stores: dict[str, Store], delegation: blob.UserDelegationKey) -> dict[tuple[str, ...], Case]:
    """All of them: by account and kind, and by version, what it is and what signed it."""
    kinds = {(account, kind): make(store) for account, store in stores.items() for kind, make in KINDS.items()}
    return kinds | of_versions(stores[ACCOUNT], delegation)


@pytest.fixture(scope="module")
def found(cases: dict[tuple[str, ...], Case], azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a scan tells of all, each as it is and with one bit changed, beside the key of the one account only."""
    urls = [url for case in cases.values() for url in (case.signed.url, case.signed.changed.url)]
    return told(urls, {ACCOUNT: azurite.keys[ACCOUNT]}, tmp_path_factory.mktemp("found") / "repository")


def check_server(case: Case) -> None:
    """It accepts the URL, and refuses it with one bit of the signature changed."""
    case.use(case.signed.url)
    with pytest.raises(HttpResponseError) as refused:
        case.use(case.signed.changed.url)
    assert refused.value.status_code == 403


def but_refuted(facts: dict[str, str]) -> dict[str, str]:
    """The facts of a signature that no key made: only the key tells that it is an emulator's."""
    return {name: text for name, text in facts.items() if name != "mode"} | {"signature": "refuted"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("account", [ACCOUNT, EMULATOR])
def test_what_the_server_accepts_is_proved_and_what_it_refuses_refuted(
    cases: dict[tuple[str, ...], Case], found: Told, account: str, kind: str
) -> None:
    """With the account's key in the scan; the emulator's own account needs none, as everybody knows its key."""
    case = cases[account, kind]
    check_server(case)
    signed = case.signed
    assert found[signed.query] == (DETECTOR, signed.facts | {"signature": "proved"})
    assert found[signed.changed.query] == (DETECTOR, but_refuted(signed.facts))


@pytest.mark.parametrize(("version", "what", "signer"), VERSIONS)
def test_every_version_is_proved_by_what_signed_it(
    cases: dict[tuple[str, ...], Case],
    found: Told,
    delegation: blob.UserDelegationKey,
    version: str,
    what: str,
    signer: str,
) -> None:
    """By the account's key in a scan, or by the user delegation key, of which the account's key says nothing."""
    case = cases[version, what, signer]
    check_server(case)
    signed, changed = case.signed, case.signed.changed
    if signer == "key":
        assert found[signed.query] == (DETECTOR, signed.facts | {"signature": "proved"})
        assert found[changed.query] == (DETECTOR, but_refuted(signed.facts))
    else:
        raw = base64.b64decode(delegation.value)
        assert found[signed.query] == found[changed.query] == (DETECTOR, signed.facts)
        assert azure_sas_proof(signed.query.encode(), signed.facts, raw) is True
        assert azure_sas_proof(changed.query.encode(), signed.facts, raw) is False


@pytest.mark.parametrize("what", ["container", "blob"])
def test_the_newest_version_is_proved_by_the_servers_delegation_key(
    stores: dict[str, Store], delegation: blob.UserDelegationKey, what: str
) -> None:
    """As the library for Python makes it."""
    how: dict[str, Any] = {
        "user_delegation_key": delegation,
        "permission": "r",
        **WHEN,
        **WITHIN,
        **ENCRYPTED,
        **SENT_BACK,
    }
    names = ("backup", NAME) if what == "blob" else ("backup",)
    sas = getattr(blob, f"generate_{what}_sas")(ACCOUNT, *names, **how)
    facts = {"account": ACCOUNT, "service": "blob", "resource": "/".join(names)}
    signed = Signed(f"{stores[ACCOUNT].server.url('blob')}/backup?{sas}", facts)
    raw = base64.b64decode(delegation.value)
    assert azure_sas_proof(signed.query.encode(), facts, raw) is True
    assert azure_sas_proof(signed.changed.query.encode(), facts, raw) is False


def test_nothing_else_is_found(cases: dict[tuple[str, ...], Case], found: Told, azurite: Azurite) -> None:
    """A finding for each, and the account's key."""
    assert len(found) == 2 * len(cases) + 1
    assert found[azurite.keys[ACCOUNT]][0] == KEY
