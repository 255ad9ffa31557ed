"""SAS made by Azure's own libraries: found, decoded field for field, and proved with the key that signed them.

No server takes part: what is here are the kinds that Azurite does not know, and laws over all kinds.
test_sas_against_azurite.py has those that a server accepted.
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.data import tables
from azure.storage import blob, filedatalake, fileshare, queue
from azure.storage.blob._shared.constants import X_MS_VERSION
from hypothesis import assume, example, given
from hypothesis import strategies as st
from oakum.detectors.checks.azure_sas import azure_sas, azure_sas_proof
from scanning import scan
from signed import DETECTOR, ENCRYPTED, END, FROM_TO, KEY, TO, WHEN, Signed, Told, facts_of, told

ACCOUNT = "acme"
RAW = os.urandom(64)
ACCOUNT_KEY = base64.b64encode(RAW).decode()
NAMED_KEY = AzureNamedKeyCredential(ACCOUNT, ACCOUNT_KEY)
BLOB, FILE, QUEUE, TABLE, LAKE = (
    f"https://{ACCOUNT}.{service}.core.windows.net" for service in ("blob", "file", "queue", "table", "dfs")
)
WITHIN: dict[str, Any] = {"ip": "198.51.100.7-198.51.100.9", "protocol": "https"}
SENT_BACK = {
    "cache_control": "no-cache, max-age=0",
    "content_disposition": 'attachment; filename="a b.pdf"',
    "content_encoding": "gzip",
    "content_language": "de-AT",
    "content_type": "application/pdf",
}
A_FILE = ("share", ["in", "a b.txt"])
A_BLOB = ("backup", "db/2024.bak")
LAKE_HOST = f"{ACCOUNT}.dfs.core.windows.net"
PERSON, TENANT, OTHER = (f"{digit * 8}-1111-2222-3333-{digit * 12}" for digit in "abc")
FOR_ONE = {"user_delegation_oid": OTHER}
FOR_AN_AGENT = {"preauthorized_agent_object_id": OTHER, "correlation_id": TENANT}
DELEGATION_RAW = os.urandom(32)


def key_of_a_person(users_tenant: str | None = None) -> blob.UserDelegationKey:
    """A user delegation key as the service would give it."""
    made = blob.UserDelegationKey()
    made.signed_oid, made.signed_tid, made.signed_service, made.signed_version = PERSON, TENANT, "b", X_MS_VERSION
    made.signed_start, made.signed_expiry = "2027-01-01T00:00:00Z", "2027-01-07T00:00:00Z"
    made.signed_delegated_user_tid = users_tenant
    made.value = base64.b64encode(DELEGATION_RAW).decode()
    return made


def facts(kind: str, service: str, scope: str, **more: str) -> dict[str, str]:
    """What is told of all, and what is told of this one."""
    host = f"{ACCOUNT}.{service}.core.windows.net"
    common = {"type": f"Azure {kind} SAS", "account": ACCOUNT, "host": host, "service": service, "scope": scope}
    limits = {"ip": "any", "protocol": "https,http", "version": X_MS_VERSION, "revocation": "account key"}
    return common | limits | more


def delegated(service: str, scope: str, **more: str) -> dict[str, str]:
    """The same of a user delegation SAS."""
    signer = {"signed_by": PERSON, "tenant": TENANT, "key_expires": "2027-01-07T00:00:00Z"}
    return facts("user delegation", service, scope, **signer, revocation="delegation key", **more)


def blob_url(sas: str, container: str = "backup", name: str = "db/2024.bak", **which: str) -> str:
    """The URL of a blob."""
    client = blob.BlobClient(BLOB, container, name, snapshot=which.get("snapshot"), credential=sas)
    return str(client.url)


def container_url(sas: str) -> str:
    """The URL of a container."""
    return str(blob.ContainerClient(BLOB, "backup", credential=sas).url)


def file_url(sas: str) -> str:
    """The URL of a file in a share."""
    return str(fileshare.ShareFileClient(FILE, "share", "in/a b.txt", credential=sas).url)


def lake_url(sas: str) -> str:
    """The URL of a file in a folder of a data lake."""
    return str(filedatalake.DataLakeFileClient(LAKE, "raw", "2024/05/a.csv", credential=sas).url)


def queue_url(sas: str) -> str:
    """The URL of a queue."""
    return str(queue.QueueClient(QUEUE, "jobs", credential=sas).url)


def table_url(sas: str) -> str:
    """The URL of a table."""
    client = tables.TableClient(TABLE, "Orders", credential=AzureSasCredential(sas))
    return f"{client.url}/Orders?{sas}"


def of_account(**how: Any) -> str:
    """An account SAS by the library for blobs."""
    return blob.generate_account_sas(ACCOUNT, ACCOUNT_KEY, **how)


def of_container(**how: Any) -> str:
    """A container's."""
    return blob.generate_container_sas(ACCOUNT, "backup", ACCOUNT_KEY, **how)


def of_blob(container: str = "backup", name: str = "db/2024.bak", **how: Any) -> str:
    """A blob's."""
    return blob.generate_blob_sas(ACCOUNT, container, name, account_key=ACCOUNT_KEY, **how)


def of_queue(**how: Any) -> str:
    """A queue's."""
    return queue.generate_queue_sas(ACCOUNT, "jobs", ACCOUNT_KEY, **how)


def of_table(**how: Any) -> str:
    """A table's."""
    return tables.generate_table_sas(NAMED_KEY, "Orders", **how)


def of_share(**how: Any) -> str:
    """A share's."""
    return fileshare.generate_share_sas(ACCOUNT, "share", ACCOUNT_KEY, **how)


def of_file(**how: Any) -> str:
    """That of a file in a share."""
    return fileshare.generate_file_sas(ACCOUNT, "share", ["in", "a b.txt"], ACCOUNT_KEY, **how)


def of_directory(credential: Any = ACCOUNT_KEY, **how: Any) -> str:
    """That of a directory in a data lake."""
    return filedatalake.generate_directory_sas(ACCOUNT, "raw", "2024/05", credential, **how)


def by_person(generate: Callable[..., str], *what: Any, **how: Any) -> str:
    """One that a user delegation key signs."""
    return generate(ACCOUNT, *what, user_delegation_key=key_of_a_person(), **how)


VERSION_OF_TABLES = "2019-02-02"
FULL = {"privilege": "full"}
READ = {"permissions": "r", "allows": "read", "privilege": "read"}
LIST = {"permissions": "rl", "allows": "read, list", "privilege": "list"}
LIST_ONLY: dict[str, Any] = {"permission": "rl", **WHEN}
ADD_ONLY: dict[str, Any] = {"permission": "a", "expiry": END}
ADD = {"permissions": "a", "allows": "add", "privilege": "write"}
EVERY_ALLOWANCE = (
    "read, write, delete, delete versions, delete for good, list, add, create, update, process messages, find by tags, "
    "tags, set immutability"
)
EMULATOR = f"http://127.0.0.1:10000/{ACCOUNT}"
EMULATED = f"http://{ACCOUNT}.blob.localhost:10000"
SNAPSHOT = "2024-05-06T07:08:09.0123456Z"
ODD_NAME = "año 2024/50% + & #1?=ü.txt"

SIGNED = {
    "account, all of it": Signed(
        blob_url(
            of_account(
                services=blob.Services(blob=True, queue=True, fileshare=True),
                resource_types=blob.ResourceTypes(service=True, container=True, object=True),
                permission=blob.AccountSasPermissions.from_string("rwdxylacupfti"),
                encryption_scope="scope1",
                **WHEN,
                **WITHIN,
            )
        ),
        facts("account", "blob", "account", **FROM_TO, **WITHIN, **FULL, encryption_scope="scope1")
        | {"service": "blob, queue, file", "scopes": "service, container, object"}
        | {"permissions": "rwdxylacupfti", "allows": EVERY_ALLOWANCE},
    ),
    "account, the least": Signed(
        blob_url(of_account(resource_types=blob.ResourceTypes(object=True), permission="r", expiry=END)),
        facts("account", "blob", "account", **READ, **TO, scopes="object"),
    ),
    "account, by the library for queues": Signed(
        queue.QueueServiceClient(
            QUEUE, credential=queue.generate_account_sas(ACCOUNT, ACCOUNT_KEY, "sc", "p", END, protocol="https")
        ).url,
        facts("account", "queue", "account", **TO, scopes="service, container", protocol="https")
        | {"permissions": "p", "allows": "process messages", "privilege": "write"},
    ),
    "account, by the library for shares": Signed(
        file_url(fileshare.generate_account_sas(ACCOUNT, ACCOUNT_KEY, "o", "rwd", END)),
        facts("account", "file", "account", **TO, **FULL, scopes="object")
        | {"permissions": "rwd", "allows": "read, write, delete"},
    ),
    "account, by the library for tables": Signed(
        table_url(
            tables.generate_account_sas(
                NAMED_KEY, tables.ResourceTypes(object=True), "rau", END, ip_address_or_range="198.51.100.7"
            )
        ),
        facts("account", "table", "account", **TO, scopes="object", version=VERSION_OF_TABLES, ip="198.51.100.7")
        | {"permissions": "rau", "allows": "read, add, update", "privilege": "write"},
    ),
    "container": Signed(
        container_url(of_container(permission=blob.ContainerSasPermissions(read=True, list=True), **WHEN, **WITHIN)),
        facts("service", "blob", "container", **FROM_TO, **WITHIN, **LIST, resource="backup"),
    ),
    "container, by a blob's URL": Signed(
        blob_url(of_container(permission="rl", expiry=END)),
        facts("service", "blob", "container", **TO, **LIST, resource="backup"),
    ),
    "container, by a snapshot's URL": Signed(
        blob_url(of_container(permission="r", expiry=END), snapshot=SNAPSHOT),
        facts("service", "blob", "container", **TO, **READ, resource="backup"),
    ),
    "container, by a stored policy": Signed(
        container_url(of_container(policy_id="readers")),
        facts("service", "blob", "container", resource="backup", policy="readers", revocation="policy"),
    ),
    "blob": Signed(
        blob_url(of_blob(permission=blob.BlobSasPermissions(read=True, write=True, delete=True), expiry=END)),
        facts("service", "blob", "object", **TO, **FULL, resource="backup/db/2024.bak")
        | {"permissions": "rwd", "allows": "read, write, delete"},
    ),
    "blob, sent back with headers, encrypted": Signed(
        blob_url(of_blob(permission="r", encryption_scope="scope1", **WHEN, **WITHIN, **SENT_BACK)),
        facts("service", "blob", "object", **FROM_TO, **WITHIN, **READ, encryption_scope="scope1")
        | {"resource": "backup/db/2024.bak"},
    ),
    "blob, its end by a stored policy": Signed(
        blob_url(of_blob(permission="r", policy_id="ends & begins")),
        facts("service", "blob", "object", **READ, resource="backup/db/2024.bak")
        | {"policy": "ends & begins", "revocation": "policy"},
    ),
    "blob, of an odd name": Signed(
        blob_url(of_blob(name=ODD_NAME, permission="r", expiry=END), name=ODD_NAME),
        facts("service", "blob", "object", **READ, **TO, resource=f"backup/{ODD_NAME}"),
    ),
    "blob, in no container": Signed(
        blob_url(of_blob("$root", "a.txt", permission="r", expiry=END), "$root", "a.txt").replace("%24root/", ""),
        facts("service", "blob", "object", **READ, **TO, resource="$root/a.txt"),
    ),
    "blob, at an emulator": Signed(
        str(blob.BlobClient(EMULATOR, *A_BLOB, credential=of_blob(**ADD_ONLY)).url),
        facts("service", "blob", "object", **ADD, **TO, resource="backup/db/2024.bak", host="127.0.0.1:10000"),
    ),
    "container, at an emulator's copy": Signed(
        str(blob.ContainerClient(f"{EMULATOR}-secondary", "backup", credential=of_container(**LIST_ONLY)).url),
        facts("service", "blob", "container", **LIST, **FROM_TO, resource="backup", host="127.0.0.1:10000"),
    ),
    "container, at an emulator with names": Signed(
        str(blob.ContainerClient(EMULATED, "backup", credential=of_container(**ADD_ONLY)).url),
        facts("service", "blob", "container", **ADD, **TO, resource="backup", host="acme.blob.localhost:10000"),
    ),
    "snapshot": Signed(
        blob_url(of_blob(permission="r", expiry=END, snapshot=SNAPSHOT), snapshot=SNAPSHOT),
        facts("service", "blob", "object", **READ, **TO, resource="backup/db/2024.bak"),
    ),
    "version": Signed(
        blob_url(of_blob(permission="r", expiry=END, version_id=SNAPSHOT)) + f"&versionid={SNAPSHOT}",
        facts("service", "blob", "object", **READ, **TO, resource="backup/db/2024.bak"),
    ),
    "queue": Signed(
        queue_url(of_queue(permission=queue.QueueSasPermissions(read=True, process=True), **WHEN, **WITHIN)),
        facts("service", "queue", "container", **FROM_TO, **WITHIN, resource="jobs")
        | {"permissions": "rp", "allows": "read, process messages", "privilege": "write"},
    ),
    "queue, by a stored policy": Signed(
        queue_url(of_queue(policy_id="workers")),
        facts("service", "queue", "container", resource="jobs", policy="workers", revocation="policy"),
    ),
    "table": Signed(
        table_url(of_table(permission=tables.TableSasPermissions(read=True), expiry=END)),
        facts("service", "table", "container", **READ, **TO, resource="Orders", version=VERSION_OF_TABLES),
    ),
    "table, a range of rows": Signed(
        table_url(of_table(permission="a", expiry=END, start_pk="2024", end_pk="2025", start_rk="a b", end_rk="ü&=")),
        facts("service", "table", "container", **ADD, **TO, resource="Orders", version=VERSION_OF_TABLES),
    ),
    "table, by a stored policy": Signed(
        table_url(of_table(policy_id="clerks", ip_address_or_range="198.51.100.7")),
        facts("service", "table", "container", resource="Orders", version=VERSION_OF_TABLES, ip="198.51.100.7")
        | {"policy": "clerks", "revocation": "policy"},
    ),
    "share": Signed(
        file_url(of_share(permission=fileshare.ShareSasPermissions(read=True, list=True), **WHEN, **WITHIN)),
        facts("service", "file", "container", **FROM_TO, **WITHIN, **LIST, resource="share"),
    ),
    "share, by a stored policy": Signed(
        fileshare.ShareClient(FILE, "share", credential=of_share(policy_id="staff")).url,
        facts("service", "file", "container", resource="share", policy="staff", revocation="policy"),
    ),
    "file, sent back with headers": Signed(
        file_url(of_file(permission=fileshare.FileSasPermissions(read=True), **WHEN, **WITHIN, **SENT_BACK)),
        facts("service", "file", "object", **FROM_TO, **WITHIN, **READ, resource="share/in/a b.txt"),
    ),
    "file system": Signed(
        lake_url(filedatalake.generate_file_system_sas(ACCOUNT, "raw", ACCOUNT_KEY, "rl", END)),
        facts("service", "blob", "container", **LIST, **TO, resource="raw", host=LAKE_HOST),
    ),
    "directory": Signed(
        lake_url(of_directory(permission="rwdlmeop", **WHEN, **WITHIN)),
        facts("service", "blob", "container", **FROM_TO, **WITHIN, **FULL, resource="raw/2024/05", host=LAKE_HOST)
        | {"permissions": "rwdlmeop"}
        | {"allows": "read, write, delete, list, move, execute, change owners, change permissions"},
    ),
    "file in a directory": Signed(
        lake_url(filedatalake.generate_file_sas(ACCOUNT, "raw", "2024/05", "a.csv", ACCOUNT_KEY, "r", END)),
        facts("service", "blob", "object", **READ, **TO, resource="raw/2024/05/a.csv", host=LAKE_HOST),
    ),
    "directory of blobs": Signed(
        blob_url(of_blob(name="db", permission="rl", expiry=END, is_directory=True)),
        facts("service", "blob", "container", **LIST, **TO, resource="backup/db"),
    ),
    "directory, its name with a slash": Signed(
        blob_url(of_blob(name="db/", permission="r", expiry=END, is_directory=True)),
        facts("service", "blob", "container", **READ, **TO, resource="backup/db"),
    ),
    "directory, the root": Signed(
        blob_url(of_blob(name="", permission="rl", expiry=END, is_directory=True)),
        facts("service", "blob", "container", **LIST, **TO, resource="backup"),
    ),
}
"""Each kind that an account's key signs, by the library that makes it."""

DELEGATED = {
    "container": Signed(
        container_url(by_person(blob.generate_container_sas, "backup", permission="rl", **WHEN, **WITHIN)),
        delegated("blob", "container", **FROM_TO, **WITHIN, **LIST, resource="backup"),
    ),
    "blob, sent back with headers, encrypted": Signed(
        blob_url(by_person(blob.generate_blob_sas, *A_BLOB, permission="r", expiry=END, **SENT_BACK, **ENCRYPTED)),
        delegated("blob", "object", **READ, **TO, **ENCRYPTED, resource="backup/db/2024.bak"),
    ),
    "blob, for one user only": Signed(
        blob_url(
            blob.generate_blob_sas(
                ACCOUNT, *A_BLOB, user_delegation_key=key_of_a_person(OTHER), permission="r", expiry=END, **FOR_ONE
            )
        ),
        delegated("blob", "object", **READ, **TO, resource="backup/db/2024.bak"),
    ),
    "snapshot": Signed(
        blob_url(
            by_person(blob.generate_blob_sas, *A_BLOB, permission="r", expiry=END, snapshot=SNAPSHOT), snapshot=SNAPSHOT
        ),
        delegated("blob", "object", **READ, **TO, resource="backup/db/2024.bak"),
    ),
    "directory, for an agent": Signed(
        lake_url(of_directory(key_of_a_person(), permission="rl", expiry=END, **FOR_AN_AGENT)),
        delegated("blob", "container", **LIST, **TO, resource="raw/2024/05", host=LAKE_HOST),
    ),
    "directory, for an agent without rights": Signed(
        lake_url(of_directory(key_of_a_person(), permission="rl", expiry=END, agent_object_id=OTHER)),
        delegated("blob", "container", **LIST, **TO, resource="raw/2024/05", host=LAKE_HOST),
    ),
    "queue": Signed(
        queue_url(by_person(queue.generate_queue_sas, "jobs", permission="a", **WHEN, **WITHIN)),
        delegated("queue", "container", **FROM_TO, **WITHIN, **ADD, resource="jobs"),
    ),
    "share": Signed(
        file_url(by_person(fileshare.generate_share_sas, "share", permission="rl", expiry=END)),
        delegated("file", "container", **LIST, **TO, resource="share"),
    ),
    "file, for one user only": Signed(
        file_url(by_person(fileshare.generate_file_sas, *A_FILE, permission="r", expiry=END, **FOR_ONE)),
        delegated("file", "object", **READ, **TO, resource="share/in/a b.txt"),
    ),
}
"""Each kind that a user delegation key signs."""


# --- found, decoded, proved ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a scan tells of all of them, each as it is and with one bit changed, beside the account's key."""
    signed = [*SIGNED.values(), *DELEGATED.values()]
    urls = [one.url for both in signed for one in (both, both.changed)]
    return told(urls, {ACCOUNT: ACCOUNT_KEY}, tmp_path_factory.mktemp("offline") / "repository")


@pytest.mark.parametrize("kind", SIGNED)
def test_one_signed_by_the_accounts_key_is_decoded_and_proved(found: Told, kind: str) -> None:
    """All facts, as the library was told; with one bit of the signature changed it is refuted."""
    one = SIGNED[kind]
    assert found[one.query] == (DETECTOR, one.facts | {"signature": "proved"})
    assert found[one.changed.query] == (DETECTOR, one.facts | {"signature": "refuted"})


@pytest.mark.parametrize("kind", DELEGATED)
def test_one_signed_by_a_user_delegation_key_is_decoded_and_proved(found: Told, kind: str) -> None:
    """The account's key says nothing of it, in a scan; the key that signed it does."""
    one = DELEGATED[kind]
    assert found[one.query] == (DETECTOR, one.facts)
    assert found[one.changed.query] == (DETECTOR, one.facts)
    proofs = [azure_sas_proof(query.encode(), one.facts, DELEGATION_RAW) for query in (one.query, one.changed.query)]
    assert proofs == [True, False]


def test_nothing_else_is_found(found: Told) -> None:
    """A finding for each, and the account's key."""
    assert len(found) == 2 * (len(SIGNED) + len(DELEGATED)) + 1
    assert found[ACCOUNT_KEY][0] == KEY


def bare(told: dict[str, str]) -> dict[str, str]:
    """What a query alone tells."""
    return {name: text for name, text in told.items() if name not in ("account", "host", "resource")}


def test_a_token_without_its_url(tmp_path: Path) -> None:
    """The key of an account tells whose account SAS it is; of others it is not known what they open."""
    account, container = (SIGNED[kind] for kind in ("account, the least", "container"))
    (tmp_path / "config.ini").write_text(f"one={account.query}\nother={container.query}\n")
    (tmp_path / "store.env").write_text(f"AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY}\n")
    found = facts_of(scan(tmp_path))
    assert found[account.query] == (DETECTOR, bare(account.facts) | {"account": ACCOUNT, "signature": "proved"})
    assert found[container.query] == (DETECTOR, bare(container.facts))


def test_a_snapshot_that_is_not_named_is_no_other_key() -> None:
    """It is signed, and not part of what the library makes: programs add it to the URL."""
    for name in ("snapshot", "version"):
        query = SIGNED[name].query.replace(f"snapshot={SNAPSHOT}&", "").replace(f"&versionid={SNAPSHOT}", "")
        assert azure_sas_proof(query.encode(), SIGNED[name].facts, RAW) is None
        assert azure_sas_proof(SIGNED[name].query.encode(), SIGNED[name].facts, RAW) is True


def test_values_that_only_the_request_has_are_not_known() -> None:
    """A SAS can hold names of headers and parameters whose values are signed, and sent apart."""
    for how in ({"request_headers": {"x-ms-user": "a", "x-b": "c"}}, {"request_query_params": {"tag": "a"}}):
        sas = by_person(blob.generate_blob_sas, *A_BLOB, permission="r", expiry=END, **how)
        expected = delegated("blob", "object", **READ, **TO, resource="backup/db/2024.bak")
        assert decoded(blob_url(sas)) == expected
        assert azure_sas_proof(sas.encode(), expected, DELEGATION_RAW) is None


OLD = ("2051-10-06T23:09:00Z", f"/{ACCOUNT}/backup/db/2024.bak", "")


@pytest.mark.parametrize(
    ("version", "signed"),
    [
        ("2013-08-15", ("r", "", *OLD, "2013-08-15", "no-cache", "", "", "", "text/plain")),
        ("2012-02-12", ("r", "", *OLD, "2012-02-12")),
        ("", ("r", "", *OLD)),
    ],
)
def test_versions_before_2015_are_proved(version: str, signed: tuple[str, ...]) -> None:
    """No library makes them any more: what was signed is as the documentation says (create-service-sas)."""
    signature = base64.b64encode(hmac.digest(RAW, "\n".join(signed).encode(), "sha256")).decode()
    sent_back = "&rscc=no-cache&rsct=text%2Fplain" if version == "2013-08-15" else ""
    sas = f"sr=b&sp=r&se={END:%Y-%m-%dT%H:%M:%SZ}{sent_back}&sig={quote(signature, safe='')}"
    url = f"{BLOB}/backup/db/2024.bak?{sas}" + (f"&sv={version}" if version else "")
    told = decoded(url)
    resource = {"resource": "backup/db/2024.bak", "version": version}
    assert told == {n: text for n, text in facts("service", "blob", "object", **READ, **TO, **resource).items() if text}
    assert azure_sas_proof(url.partition("?")[2].encode(), told, RAW) is True


# --- laws -------------------------------------------------------------------------------------------------------------

WORDS = {
    **{word: word for word in ("read", "add", "create", "write", "delete", "list", "move", "execute", "update")},
    "delete_previous_version": "delete versions",
    "permanent_delete": "delete for good",
    "tag": "tags",
    "filter_by_tags": "find by tags",
    "set_immutability_policy": "set immutability",
    "process": "process messages",
}
"""By the name of a permission in the libraries: how it is told."""


@dataclass(frozen=True)
class Kind:
    """How SAS of a kind are made, and what is told of each; `permissions` are the library's, by name."""

    make: Callable[..., str]
    url: Callable[[str], str]
    permission: Callable[..., Any]
    permissions: str
    facts: dict[str, str]


KINDS = {
    "account": Kind(
        partial(of_account, resource_types="sco"),
        blob_url,
        blob.AccountSasPermissions,
        "read write delete delete_previous_version permanent_delete list add create update process tag filter_by_tags "
        "set_immutability_policy",
        facts("account", "blob", "account", scopes="service, container, object"),
    ),
    "container": Kind(
        of_container,
        container_url,
        blob.ContainerSasPermissions,
        "read add create write delete delete_previous_version permanent_delete list tag filter_by_tags move execute "
        "set_immutability_policy",
        facts("service", "blob", "container", resource="backup"),
    ),
    "blob": Kind(
        of_blob,
        blob_url,
        blob.BlobSasPermissions,
        "read add create write delete delete_previous_version permanent_delete list tag move execute "
        "set_immutability_policy",
        facts("service", "blob", "object", resource="backup/db/2024.bak"),
    ),
    "queue": Kind(
        of_queue,
        queue_url,
        queue.QueueSasPermissions,
        "read add update process",
        facts("service", "queue", "container", resource="jobs"),
    ),
    "table": Kind(
        lambda ip=None, **how: of_table(ip_address_or_range=ip, **how),
        table_url,
        tables.TableSasPermissions,
        "read add update delete",
        facts("service", "table", "container", resource="Orders", version=VERSION_OF_TABLES),
    ),
    "share": Kind(
        of_share,
        file_url,
        fileshare.ShareSasPermissions,
        "read create write delete list",
        facts("service", "file", "container", resource="share"),
    ),
    "file": Kind(
        of_file,
        file_url,
        fileshare.FileSasPermissions,
        "read create write delete",
        facts("service", "file", "object", resource="share/in/a b.txt"),
    ),
}
TEXT = st.characters(codec="utf-8", exclude_characters="\ufffd")
ADDRESSES = st.ip_addresses(v=4).map(str)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2999, 12, 31)).map(lambda at: at.replace(tzinfo=UTC, microsecond=0))
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "start": TIMES,
        "ip": ADDRESSES | st.tuples(ADDRESSES, ADDRESSES).map("-".join),
        "protocol": st.sampled_from(["https", "https,http"]),
        "policy_id": st.text(TEXT, min_size=1, max_size=64),
    },
)


def decoded(url: str) -> dict[str, str] | None:
    """What the check says of a URL, without what is empty."""
    address, _, query = url.partition("?")
    host, _, path = address.removeprefix("https://").partition("/")
    pairs = azure_sas(query.encode(), {"host": host, "resource": path})
    return None if pairs is None else {name: text for name, text in pairs if text}


def expected(kind: Kind, given: dict[str, Any], permissions: list[str]) -> dict[str, str]:
    """What must be told of what the library was told."""
    out = {name: given[name] for name in ("ip", "protocol") if name in given}
    out |= {told: f"{given[name]:%Y-%m-%dT%H:%M:%SZ}" for name, told in TOLD_TIMES if name in given}
    if "policy_id" in given:
        out |= {"policy": given["policy_id"], "revocation": "policy"}
    if permissions:
        out |= {"permissions": str(given["permission"]), "privilege": privilege(set(permissions))}
        out |= {"allows": ", ".join(sorted(WORDS[name] for name in permissions))}
    if "start" in given and "expiry" in given and given["start"] >= given["expiry"]:
        out |= {"problems": "it ends before it begins"}
    return kind.facts | out


TOLD_TIMES = (("start", "starts"), ("expiry", "expires"))


def privilege(names: set[str]) -> str:
    """What permissions come to."""
    if names >= {"read", "delete"} and names & {"write", "update"}:
        return "full"
    if names - {"read", "execute", "list", "filter_by_tags"}:
        return "write"
    return "list" if names & {"list", "filter_by_tags"} else "read"


@st.composite
def signed_urls(draw: st.DrawFn, name: str) -> tuple[str, dict[str, str]]:
    """A URL of a kind with any permissions and limits, and what must be told of it."""
    kind = KINDS[name]
    given: dict[str, Any] = dict(draw(LIMITS))
    if name == "account":
        given.pop("policy_id", None)
    named = "policy_id" in given
    permissions = draw(st.lists(st.sampled_from(kind.permissions.split()), min_size=0 if named else 1, unique=True))
    if permissions:
        given["permission"] = kind.permission(**dict.fromkeys(permissions, True))
    if not named or draw(st.booleans()):
        given["expiry"] = draw(TIMES)
    return kind.url(kind.make(**given)), expected(kind, given, permissions)


def in_order(told: dict[str, str] | None) -> dict[str, str] | None:
    """The facts, with what is allowed in the order of the alphabet."""
    return told and {n: ", ".join(sorted(text.split(", "))) if n == "allows" else text for n, text in told.items()}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_the_library_was_told_is_what_is_told(kind: str, data: st.DataObject) -> None:
    """For any permissions, times, addresses, protocols and policies; and the key that signed it proves it."""
    url, facts = data.draw(signed_urls(kind))
    assert in_order(decoded(url)) == facts
    assert azure_sas_proof(url.partition("?")[2].encode(), facts, RAW) is True


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_one_bit_changed_in_any_parameter_is_refuted(kind: str, data: st.DataObject) -> None:
    """Or it is no SAS any more."""
    url, _ = data.draw(signed_urls(kind))
    address, _, query = url.partition("?")
    pairs = [pair.split("=") for pair in query.split("&")]
    pair = data.draw(st.sampled_from(pairs))
    value = bytearray(unquote(pair[1]).encode())
    value[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assume(pair[0] != "tn" or value.lower() != b"orders")  # capital and small letters are the same in tables' names
    pair[1] = quote(bytes(value), safe="")
    changed = "&".join("=".join(pair) for pair in pairs)
    told = decoded(f"{address}?{changed}")
    assert told is None or azure_sas_proof(changed.encode(), told, RAW) is False


@given(name=st.text(TEXT, min_size=1), other=st.text(TEXT, min_size=1))
@example(name="a" * 300, other="a" * 299)
def test_a_blob_of_any_name(name: str, other: str) -> None:
    """Its URL tells its name, and only that name's signature is proved. What the facts cut short proves nothing."""
    query = of_blob(name=name, permission="r", expiry=END).encode()
    for called in (name, other):
        told = decoded(blob_url(query.decode(), name=called))
        assert told == facts("service", "blob", "object", **READ, **TO, resource=f"backup/{called}"[:200])
        proof = azure_sas_proof(query, told, RAW)
        assert proof is (None if len(told["resource"]) == 200 else called == name)


@pytest.mark.parametrize(
    "text",
    ["2051-10-06T23:09:00Z", "2051-10-06T23:09Z", "2051-10-06T23:09:00.0000000Z", "2051-10-07T01:09:00+02:00"],
)
def test_a_time_may_be_written_in_other_ways(text: str) -> None:
    """The libraries sign a text as it is."""
    sas = of_container(permission="rl", expiry=text)
    told = decoded(container_url(sas))
    assert told == facts("service", "blob", "container", **LIST, **TO, resource="backup")
    assert azure_sas_proof(sas.encode(), told, RAW) is True
