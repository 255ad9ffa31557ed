"""Secrets to plant in made-up repositories: drawn at run time from the detectors' own samples, so that none stands in
ours; and the note of each, which says where a scan must find it, and knows it by its fingerprint only.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from random import Random
from typing import Literal

from oakum.detectors import samples
from oakum.scanner import catalog
from oakum.scanner.model import Detector, Secret

Where = Literal["head", "history", "branch", "pull request", "message", "tag", "twice"]
WHERE: tuple[Where, ...] = ("head", "history", "branch", "pull request", "message", "twice", "tag")
"""At the head of the default branch; only in its history; on another branch; in what a pull request brings, which no
branch has; in the message of a commit, or of a tag; at the heads of two repositories."""
REACH = {
    "head": "head",
    "history": "history",
    "branch": "branch",
    "pull request": "unreachable",
    "message": "history",
    "tag": "history",
    "twice": "head",
}
"""How a report says that such a place is reached (docs/scanning.md)."""
KINDS = (
    "github-pat",
    "aws-secret-access-key",
    "privatekey-openssh",
    "generic-password",
    "gitlab-routable-token",
    "azure-storage-sas",
    "npm-access-token",
    "google-service-account-key",
    "slack-bot-token",
    "docker-auth",
    "pypi-api-token",
    "azure-storage-account-key",
    "stripe-live-secret-key",
    "privatekey-pem",
    "openai-project-key",
    "generic-secret",
    "slack-webhook",
)
"""Detectors of what is planted: narrow and wide ones, blocks, what is guessable, what stands encoded."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A secret in a repository: `path` is where its file is, empty in a message; `reach` as a report says it."""

    repository: str
    where: Where
    path: str
    reach: str
    detector: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A fresh secret: the text that it stands in, as its detector's example has it."""

    detector: str
    fingerprint: str
    text: bytes

    def planted(self, repository: str, where: Where, path: str = "") -> Plant:
        """The note of it."""
        return Plant(repository, where, path, REACH[where], self.detector, self.fingerprint)


@functools.cache
def _detectors() -> dict[str, Detector]:
    return {detector.id: detector for detector in catalog.load()}


def draw(kind: int, seed: str) -> Drawn:
    """A secret of one of the kinds, counted round and round: the same for the same seed."""
    detector, random = _detectors()[KINDS[kind % len(KINDS)]], Random(seed)
    value = samples.draw(detector.sample, detector.regex, random)
    text = samples.fill(detector.examples[0], value, random)
    return Drawn(detector.id, Secret(value).fingerprint(), text.rstrip(b"\n") + b"\n")
