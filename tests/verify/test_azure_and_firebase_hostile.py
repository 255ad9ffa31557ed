"""Whatever goes wrong on the way to Azure or Firebase gives no verdict: of all their checks at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asked_providers import Answer, found_in, provider
from scanning import Fresh


def one_of_each(fresh: Fresh) -> tuple[str, set[str]]:
    """A text with a secret for each check, and the detectors that find them."""
    sas = fresh("azure_sas").decode()
    text = (
        f"a = 'https://acmestore.blob.core.windows.net/backup?{sas}'\n"
        f"b = 'AccountName=acmestore;AccountKey={fresh('base64:64').decode()};EndpointSuffix=core.windows.net'\n"
        f"c = 'AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={fresh('base64:64').decode()};'\n"
        f"AZURE_TENANT_ID={fresh('guid').decode()}\nAZURE_CLIENT_ID={fresh('guid').decode()}\n"
        f"AZURE_CLIENT_SECRET={fresh('azure_client_secret').decode()}\n"
        f"d = 'https://{'acme-app'}.firebaseio.com'\n"
        f"e = https://{'acme-two'}.firebaseio.com/x.json?auth={fresh('mixed:40').decode()}\n"
    )
    return text, {
        "azure-storage-sas",
        "azure-storage-account-key",
        "azure-cosmos-account-key",
        "azure-client-secret",
        "firebase-database-url",
        "firebase-database-secret",
    }


def states(text: str, url: str) -> dict[str, str]:
    """The verdicts by the detectors."""
    found = found_in(text, f"azure={url}", f"firebase={url}")
    return {one.finding.detector.id: one.finding.verdict.state for one in found}


HTML = "<!doctype html><title>Sign in</title>"
GARBAGE = {
    "a page": (200, {"Content-Type": "text/html"}, HTML),
    "a page that refuses": (403, {"Content-Type": "text/html"}, HTML),
    "a page that asks who it is": (401, {"WWW-Authenticate": "Basic realm=x"}, HTML),
    "nothing": (200, {}, ""),
    "JSON of another": (200, {"x-ms-request-id": "0", "Content-Type": "application/json"}, '"\\u0000"'),
    "not found": (404, {"x-ms-request-id": "0"}, ""),
    "a redirect": (302, {"Location": "http://127.0.0.1:1/elsewhere"}, ""),
    "too many": (429, {}, ""),
    "broken": (500, {"x-ms-request-id": "0", "x-ms-error-code": "AuthenticationFailed"}, ""),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_gives_no_verdict(fresh: Fresh, name: str) -> None:
    """A portal, a proxy, a server that is tired, one that sends elsewhere."""
    text, detectors = one_of_each(fresh)
    answer: Answer = GARBAGE[name]
    with provider(lambda _: answer) as (url, _):
        told = states(text, url)
    assert told == dict.fromkeys(detectors, "unknown")


@contextmanager
def breaking() -> Iterator[str]:
    """A server that takes connections and resets them."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_connections_that_break_and_certificates_that_are_not_trusted(fresh: Fresh) -> None:
    """A server without TLS where TLS must be is one of them."""
    text, detectors = one_of_each(fresh)
    with breaking() as url:
        assert states(text, url) == dict.fromkeys(detectors, "unknown")
        assert states(text, url.replace("http:", "https:")) == dict.fromkeys(detectors, "unknown")
