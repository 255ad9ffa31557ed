"""What decides what a sweep finds in a repository, and what of that is known already: digests that are compared."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator

from .. import catalog
from ..swept import Remote
from . import Settings


def installed(detectors: Iterable[str]) -> str:
    """A digest of what is installed here and decides what is found: oakum's own files and the user's detectors, by what
    they hold, so that two machines with the same version agree."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {catalog.name_of(detectors)}".encode())
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for part in ("scanner", "detectors", "allowlists"):
        for path in sorted(_sources(os.path.join(top, part))):
            with open(path, "rb") as file:
                digest.update(f"{os.path.relpath(path, top)}\0".encode("utf-8", "surrogateescape"))
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _sources(folder: str) -> Iterator[str]:
    for below, _, names in os.walk(folder):
        yield from (os.path.join(below, name) for name in names if name.endswith((".py", ".toml", ".txt")))


def program_of(settings: Settings, installed: str) -> str:
    """A digest of what is installed (oakum, its detectors and the user's: `installed`) and of the settings that decide
    what is found. An entry that has expired does not count: on the day after, all is looked at again."""
    today = settings.now.date()
    held = {(one.path, one.detector) for one in settings.suppressions if not (one.expires and one.expires < today)}
    told = (settings.max_size, settings.min_band, settings.markers, *sorted(held))
    return hashlib.sha256(repr((installed, told)).encode("utf-8", "surrogatepass")).hexdigest()


def stamp(refs: str, remote: Remote) -> str:
    """A digest of a repository's refs, and of who can read it, by which its findings are ranked; empty where the refs
    are not known."""
    return hashlib.sha256(f"{refs} {remote.readers}".encode()).hexdigest() if refs else ""
