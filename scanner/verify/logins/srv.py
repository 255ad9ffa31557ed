"""The servers behind an address `mongodb+srv://`: SRV and TXT records.

https://github.com/mongodb/specifications/blob/master/source/initial-dns-seedlist-discovery/initial-dns-seedlist-discovery.md

They are looked up only for a host that the user named, who thereby names those that it leads to: they must lie below
the same parent domain, as the specification has it.
"""

from __future__ import annotations

import functools
from urllib.parse import parse_qs

from ..credential import UnaskedError
from . import library

SCHEME = "mongodb+srv"
_SECONDS = 5.0
_MOST = 20


@functools.lru_cache(256)
def servers(host: str) -> tuple[tuple[str, int], ...]:
    """Hosts and ports, in order. UnaskedError where they are not to be had."""
    resolver, exceptions = library("dns.resolver"), library("dns.exception")
    try:
        answer = resolver.resolve(f"_mongodb._tcp.{host}.", "SRV", lifetime=_SECONDS, search=False)
    except exceptions.DNSException as error:
        raise UnaskedError(f"its SRV record cannot be read ({type(error).__name__})") from None
    found = sorted((str(one.target).rstrip(".").lower(), int(one.port)) for one in list(answer)[:_MOST])
    labels = host.split(".")
    parent = "." + ".".join(labels[1:] if len(labels) > 2 else labels)
    if not found or not all(name.endswith(parent) and name != parent[1:] for name, _ in found):
        raise UnaskedError(f"its SRV record leads out of {parent[1:]}")
    return tuple(found)


@functools.lru_cache(256)
def realm_of(host: str) -> str:
    """The database that knows the users, by the TXT record; empty where none says."""
    resolver, exceptions = library("dns.resolver"), library("dns.exception")
    try:
        answer = list(resolver.resolve(f"{host}.", "TXT", lifetime=_SECONDS, search=False))
    except (resolver.NoAnswer, resolver.NXDOMAIN):
        return ""
    except exceptions.DNSException as error:
        raise UnaskedError(f"its TXT record cannot be read ({type(error).__name__})") from None
    text = b"".join(answer[0].strings).decode("ascii", "replace") if len(answer) == 1 else ""
    return parse_qs(text).get("authSource", [""])[0]
