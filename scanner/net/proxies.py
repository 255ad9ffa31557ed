"""Which proxy a request goes through: the variables that curl and others read, from an environment that is given.

`NO_PROXY` holds names (with all below them), addresses and networks, with commas between; `*` is all.
https://everything.curl.dev/usingcurl/proxies/env.html
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from ..model import is_here
from .urls import Url


def proxy_of(url: Url, environment: Mapping[str, str]) -> str:
    """The URL of the proxy; empty for none. What is asked of this machine itself never goes through one."""
    if is_here(url.authority) or _is_excepted(url, _variable(environment, "NO_PROXY")):
        return ""
    named = _variable(environment, f"{url.scheme.upper()}_PROXY") or _variable(environment, "ALL_PROXY")
    return named if "://" in named or not named else f"http://{named}"


def _variable(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name.lower()) or environment.get(name, "")).strip()


def _is_excepted(url: Url, excepted: str) -> bool:
    host = url.host.lower()
    for entry in filter(None, (e.strip().lower() for e in excepted.split(","))):
        name = entry.removeprefix("*").lstrip(".")
        if entry == "*" or name in (host, url.authority.lower()) or host.endswith(f".{name}") or _is_in(host, entry):
            return True
    return False


def _is_in(host: str, network: str) -> bool:
    try:
        return "/" in network and ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
