"""Azurite, the emulator of Azure Storage, started for tests: on loopback, in memory, killed when they end.

It checks signatures as the service does. It lies in `.azurite/`: `npm install --prefix .azurite azurite
@azure/storage-blob`.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FOLDER = Path(__file__).parents[1] / ".azurite" / "node_modules"
PROGRAM = FOLDER / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "acmestore"
EMULATOR = "devstoreaccount1"
START = 60
"""Seconds until it must listen, and those until it must have ended."""
_LISTENS = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (https?://127\.0\.0\.1:\d+)")


def missing() -> str:
    """Why it cannot be started; empty where it can."""
    if not shutil.which("node") or not PROGRAM.is_file() or not (FOLDER / "@azure" / "storage-blob").is_dir():
        return "needs Azurite: npm install --prefix .azurite azurite @azure/storage-blob"
    return ""


@dataclass(frozen=True)
class Azurite:
    """A running server. `keys` are the keys of its two accounts, in base64, and `second` the other key of `ACCOUNT`;
    `options` are what a client needs; `certificate` is the file by which it is trusted (over https)."""

    urls: dict[str, str]
    keys: dict[str, str]
    options: dict[str, Any]
    certificate: Path
    second: str = ""

    def url(self, service: str, account: str = ACCOUNT) -> str:
        """Where an account's service is; no account has a host of its own here."""
        return f"{self.urls[service]}/{account}"


class _Shared(RequestsTransport):
    """Stays open when one of the clients that share it is closed."""

    def close(self) -> None:
        """By `running`."""


@contextmanager
def running(folder: Path, *, tls: bool = True, filled: dict[str, int] | None = None) -> Iterator[Azurite]:
    """Azurite, while the block runs; `folder` holds its certificate and what it prints.

    `filled` are containers with so many empty blobs each. Azurite looks through all that it has for each that is put,
    and takes minutes to take in some ten thousand: they are written into its files.
    """
    certificate, private_key = _certificate(folder)
    first, second = (base64.b64encode(os.urandom(64)).decode() for _ in range(2))
    keys = {ACCOUNT: first, EMULATOR: _public_key()}
    if filled:
        _fill(folder, keys, filled)
    command = ["node", str(PROGRAM), *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0")]
    command += ["--location", str(folder)] if filled else ["--inMemoryPersistence"]
    if tls:
        command += ["--oauth", "basic", "--cert", str(certificate), "--key", str(private_key)]
    with _started(command, folder, keys | {ACCOUNT: f"{first}:{second}"}) as urls:
        transport = _Shared(
            connection_verify=str(certificate), use_env_settings=False, connection_timeout=10, read_timeout=30
        )
        try:
            yield Azurite(urls, keys, {"transport": transport, "retry_total": 0}, certificate, second)
        finally:
            RequestsTransport.close(transport)


@contextmanager
def _started(command: list[str], folder: Path, keys: dict[str, str]) -> Iterator[dict[str, str]]:
    """The addresses of its services, while the block runs."""
    command = [*command, "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--loose"]
    accounts = {"AZURITE_ACCOUNTS": ";".join(f"{name}:{key}" for name, key in keys.items())}
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=os.environ | accounts, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            yield _listening(server, folder / "output")
        finally:
            server.terminate()
            try:
                server.wait(START)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _fill(folder: Path, keys: dict[str, str], filled: dict[str, int]) -> None:
    """Have Azurite write one container and one blob, and make of them all that are wanted."""
    command = ["node", str(PROGRAM), *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0")]
    with _started([*command, "--location", str(folder)], folder, keys) as urls:
        client = BlobServiceClient(f"{urls['blob']}/{ACCOUNT}", credential=keys[ACCOUNT])
        client.create_container("one").upload_blob("one", b"")
        client.close()
    file = folder / "__azurite_db_blob__.json"
    written = json.loads(file.read_text())
    for collection in written["collections"]:
        if collection["name"] == "$CONTAINERS_COLLECTION$":
            _multiply(collection, [{"name": name} for name in filled])
        elif collection["name"] == "$BLOBS_COLLECTION$":
            blobs = ((name, n) for name, count in filled.items() for n in range(count))
            _multiply(collection, [{"containerName": name, "name": f"blob-{n:06d}"} for name, n in blobs])
    file.write_text(json.dumps(written))


def _multiply(collection: dict[str, Any], wanted: list[dict[str, str]]) -> None:
    """Copies of the one document of a collection of LokiJS, and its indexes."""
    (one,) = collection["data"]
    made = collection["data"] = [one | other | {"$loki": n} for n, other in enumerate(wanted, 1)]
    collection["maxId"] = len(made)
    for name, index in collection["binaryIndices"].items():
        index["values"] = sorted(range(len(made)), key=lambda n, name=name: made[n][name])


def _listening(server: subprocess.Popen[bytes], output: Path) -> dict[str, str]:
    """The address of each service, once all listen; it chooses the ports itself."""
    until = time.monotonic() + START
    while True:
        ended = server.poll() is not None
        said = output.read_text("utf-8", "replace")
        urls = {name.lower(): url for name, url in _LISTENS.findall(said)}
        if len(urls) == 3:
            return urls
        assert not ended, f"Azurite ended with {server.returncode}:\n{said}"
        assert time.monotonic() < until, f"Azurite does not listen after {START} seconds:\n{said}"
        time.sleep(0.02)


def _public_key() -> str:
    """The emulator's key that everybody knows, as Azurite's own program has it."""
    source = (FOLDER / "azurite" / "dist" / "src" / "common" / "utils" / "constants.js").read_text()
    found = re.search(r'EMULATOR_ACCOUNT_KEY = Buffer\.from\("([A-Za-z0-9+/]{86}==)"', source)
    assert found, "Azurite keeps its public key elsewhere"
    return found[1]


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A fresh certificate of loopback, signed by itself, and its private key: tokens are only taken over https."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, protection = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    certificate, private_key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(pem))
    private_key.write_bytes(key.private_bytes(pem, form, protection))
    return certificate, private_key


class Token:
    """Credentials of a made-up person: Azurite looks at the form of a token, not at its signature."""

    def __init__(self, person: str, tenant: str) -> None:
        self._claims = {"oid": person, "tid": tenant, "iss": f"https://sts.windows.net/{tenant}/"}

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A token that is valid now."""
        now = int(time.time())
        times = {"iat": now - 60, "nbf": now - 60, "exp": now + 3600, "aud": "https://storage.azure.com"}
        parts = ({"alg": "HS256", "typ": "JWT"}, self._claims | times)
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return AccessToken(".".join([*encoded, Random(now).randbytes(32).hex()]), now + 3600)


def by_version(account: str, key: str, delegation: dict[str, str] | None, wanted: list[dict[str, Any]]) -> list[str]:
    """SAS of blobs and containers by the official library for JavaScript, which can make all versions since 2015.

    Each of `wanted` holds its arguments; without `delegation` the account's key signs.
    """
    given = {"account": account, "key": key, "delegation": delegation, "wanted": wanted}
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "azure_storage" / "by_version.cjs")],
        input=json.dumps(given),
        env=os.environ | {"NODE_PATH": str(FOLDER)},
        capture_output=True,
        text=True,
        timeout=START,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: list[str] = json.loads(done.stdout)
    return made
