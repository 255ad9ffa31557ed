"""What decides what a sweep finds in a repository, and what of that is known already: digests that are compared."""

from __future__ import annotations

import hashlib

from ..swept import Remote
from . import Settings


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
