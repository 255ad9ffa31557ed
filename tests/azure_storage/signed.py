"""SAS URLs as the libraries made them, the same with one bit changed, and what a scan tells of them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from git_repository import GitRepository
from oakum.scanner.model import ScanResult
from scanning import scan

DETECTOR = "azure-storage-sas"
KEY = "azure-storage-account-key"
END = datetime(2051, 10, 6, 23, 9, tzinfo=UTC)
WHEN: dict[str, Any] = {"start": datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), "expiry": END}
"""What a library is told, and below what must be told of it."""
TO = {"expires": "2051-10-06T23:09:00Z"}
FROM_TO = {"starts": "2024-02-29T23:59:59Z", **TO}
ENCRYPTED = {"encryption_scope": "scope1"}
"""The same for both."""
Told = dict[str, tuple[str, dict[str, str]]]
"""By secret: its detector and its facts."""


@dataclass(frozen=True)
class Signed:
    """A URL with a SAS, and all that must be told of it, but for whether its signature is proved."""

    url: str
    facts: dict[str, str]

    @property
    def query(self) -> str:
        """What is secret of it."""
        return self.url.partition("?")[2]

    @property
    def changed(self) -> Signed:
        """The same with one bit of its signature changed."""
        head, _, tail = self.url.partition("sig=")
        text, *rest = tail.split("&")
        signature = bytearray(base64.b64decode(unquote(text)))
        signature[len(self.url) % 32] ^= 1 << len(self.url) % 8
        new = quote(base64.b64encode(signature).decode(), safe="")
        return Signed("&".join([f"{head}sig={new}", *rest]), self.facts)


def told(urls: Iterable[str], keys: Mapping[str, str], folder: Path) -> Told:
    """What a scan of a repository tells that holds the URLs, each in a file, and connection strings with the keys."""
    repository = GitRepository.create(folder)
    lines = [f"AccountName={name};AccountKey={key};EndpointSuffix=core.windows.net\n" for name, key in keys.items()]
    files = {f"docs/{n}.md": f"Fetch it:\n\n    curl '{url}'\n".encode() for n, url in enumerate(urls)}
    repository.commit(files | {".env": "".join(f"STORE_{n}={line}" for n, line in enumerate(lines)).encode()})
    return facts_of(scan(folder))


def facts_of(result: ScanResult) -> Told:
    """What is told of each secret."""
    found = [ranked.finding for ranked in result.findings]
    return {f.secret.reveal().decode(): (f.detector.id, dict(f.facts)) for f in found}
