"""Schemes of verification that a table cannot say: each is a module here, imported when it is needed."""

from __future__ import annotations

import importlib
from typing import Literal, Protocol, cast, runtime_checkable

from ...model import Verdict
from ...verification import HTTP, Verification
from ..credential import Credential, Destination
from ..line import Line

_MODULES = {HTTP: "http"}
"""Where they are not called as their scheme is."""


class Scheme(Protocol):
    """How a kind of credential is asked about.

    `PROBE` says how a host is tried with something made up, which it must refuse before it is believed: `each` time
    that it takes a credential, once for the `host` (logins, of which too many that fail would lock somebody out), or
    `never` (nothing is accepted there, but computed here).
    """

    PROBE: Literal["each", "host", "never"]

    def destinations(self, credential: Credential, check: Verification) -> tuple[Destination, ...]:
        """The hosts that something is sent to, the one that decides first. UnaskedError where nobody can be asked."""
        ...

    def ask(self, credential: Credential, check: Verification, line: Line) -> Verdict:
        """Ask: `live` or `dead`. UnaskedError where the answer says neither."""
        ...

    def made_up(self, credential: Credential, value: bytes) -> Credential:
        """One that nobody gave out, for the same hosts; `value` is a made-up secret of the same form."""
        ...

    def user(self, credential: Credential) -> str:
        """Whom a login is for: each is tried once at a host. Empty for what is no login."""
        ...


@runtime_checkable
class Leading(Protocol):
    """A scheme whose hosts may lead to others, which whoever names them names, too."""

    def behind(self, to: Destination) -> tuple[Destination, ...]:
        """The hosts that one leads to. UnaskedError where that cannot be told."""
        ...


def scheme_of(check: Verification) -> Scheme:
    """The scheme of a check."""
    name = _MODULES.get(check.scheme, check.scheme.replace("-", "_"))
    return cast(Scheme, importlib.import_module(f".{name}", __package__))
