"""What is asked about, and where it may be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from ..errors import UsageError
from ..model import Detector, Facts, Finding, clean, is_here
from ..net.addresses import is_metadata_name
from ..net.urls import bracketed


class UnaskedError(Exception):
    """Nobody is asked, or there is no answer that says anything: the text is the reason of the verdict `unknown`."""


def text_of(value: bytes) -> str:
    """A value as text. UnaskedError for one that is none: no provider gives such a secret."""
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise UnaskedError("it is no ASCII text: nothing that can be sent") from None


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret with what is known of it: all that a check needs. `others` are those that it is used with, by their
    detectors (`Verification.joins`); `near` is that of the finding; `made_up` says that nobody gave it out."""

    detector: Detector
    value: bytes = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict, repr=False)
    others: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    made_up: bool = False
    near: Facts = field(default=(), repr=False)

    @classmethod
    def of(cls, finding: Finding, others: Mapping[str, Finding] | None = None) -> Credential:
        """That of a finding."""
        joined = {name: other.secret.reveal() for name, other in (others or {}).items()}
        return cls(finding.detector, finding.secret.reveal(), dict(finding.facts), joined, near=finding.near)

    @property
    def text(self) -> str:
        """The value as text. UnaskedError for one that is none."""
        return text_of(self.value)

    def fact(self, name: str) -> str:
        """A fact; UnaskedError where it is not known."""
        value = self.facts.get(name, "")
        if not value:
            hint = f" (--verify-host {self.detector.provider}=HOST names it)" if name == "host" else ""
            raise UnaskedError(f"its {name.replace('_', ' ')} is not known, without which nobody can be asked{hint}")
        return value

    def at(self, host: str) -> Credential:
        """The same for a host that the user names, where the data name none."""
        return self if self.facts.get("host") else replace(self, facts={**self.facts, "host": host})

    def with_value(self, value: bytes) -> Credential:
        """The same with another value, which belongs to nothing that stands near."""
        return replace(self, value=value, near=())


@dataclass(frozen=True, slots=True)
class Destination:
    """A host that something is sent to. `own` says that it is the provider's; any other must be named by the user."""

    scheme: str
    host: str
    port: int
    own: bool = False

    def __str__(self) -> str:
        """As the user names it, and as it stands in a URL."""
        host = bracketed(self.host)
        return host if self.port == PORTS.get(self.scheme) else f"{host}:{self.port}"


PORTS = {"https": 443, "http": 80}
PLAIN = "over http anybody on the way reads the secret: not asked"


@dataclass(frozen=True, slots=True)
class Named:
    """The hosts that the user names (`--verify-host`): `hosts` as (host, port or 0 for any), and `instead` those that a
    provider's checks go to instead of its own: named for these alone."""

    hosts: frozenset[tuple[str, int]] = frozenset()
    instead: Mapping[str, Destination] = field(default_factory=dict)

    @classmethod
    def read(cls, entries: Iterable[str]) -> Named:
        """From `HOST`, `HOST:PORT`, and `PROVIDER=HOST` with or without a port or `https://` (`http://` for this
        machine alone). UsageError for others."""
        hosts: set[tuple[str, int]] = set()
        instead: dict[str, Destination] = {}
        for entry in entries:
            provider, equals, place = entry.rpartition("=")
            destination, given = _read(place, entry)
            if not equals:
                hosts.add((destination.host, given))
                continue
            if not re.fullmatch(r"[a-z0-9]+", provider):
                raise UsageError(f"--verify-host {clean(entry)}: {clean(provider)!r} is no provider's name")
            instead[provider] = destination
        return cls(frozenset(hosts), instead)

    def has(self, destination: Destination) -> bool:
        """Whether the user names a host, whosever it is."""
        return any((destination.host, port) in self.hosts for port in (0, destination.port))


_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|[0-9a-f:.]{2,45}", re.IGNORECASE)


def _read(place: str, entry: str) -> tuple[Destination, int]:
    """The destination, and the port that was given (0: none)."""
    try:
        parts = urlsplit(place if "://" in place else f"https://{place}")
        host, given = (parts.hostname or "").rstrip("."), parts.port or 0
    except ValueError:
        host, given, parts = "", 0, urlsplit("")
    wrong = parts.scheme not in PORTS or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment
    if wrong or not _HOST.fullmatch(host):
        raise UsageError(f"--verify-host {clean(entry)}: write HOST, HOST:PORT or PROVIDER=HOST")
    if is_metadata_name(host):
        raise UsageError(f"--verify-host {clean(entry)}: a machine's own metadata is never asked")
    if parts.scheme == "http" and not is_here(bracketed(host)):
        raise UsageError(f"--verify-host {clean(entry)}: over http anybody on the way reads the secret: write https://")
    return Destination(parts.scheme, host, given or PORTS[parts.scheme]), given


def destination(url: str, hosts: Iterable[str]) -> Destination:
    """Where a URL leads; `hosts` are the provider's own. UnaskedError for a URL that cannot be asked."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise UnaskedError("the URL in it is damaged") from None
    if parts.scheme not in PORTS or not _HOST.fullmatch(host):
        raise UnaskedError("the URL in it leads to no host")
    if parts.scheme == "http" and not is_here(bracketed(host)):
        raise UnaskedError(PLAIN)
    port = port or PORTS[parts.scheme]
    return Destination(parts.scheme, host, port, own=parts.scheme == "https" and is_own_host(host, hosts, port))


def is_own_host(host: str, hosts: Iterable[str], port: int = PORTS["https"]) -> bool:
    """Whether a host is one of the provider's: by its name, or below `*.`; at the port of https, or the one that the
    entry of `hosts` has."""
    for name, _, at in (one.partition(":") for one in hosts):
        if port == int(at or PORTS["https"]) and (host == name or (name.startswith("*.") and host.endswith(name[1:]))):
            return True
    return False
