"""Addresses that nothing may be asked of: those at which clouds tell a machine its own credentials.

Link-local ones (RFC 3927, RFC 4291 2.5.6), and the metadata services that lie elsewhere:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (fd00:ec2::254),
https://cloud.google.com/compute/docs/metadata/querying-metadata (fd20:ce::254),
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16,
https://www.alibabacloud.com/help/ecs/user-guide/view-instance-metadata (100.100.100.200),
https://docs.oracle.com/iaas/Content/Compute/Tasks/gettingmetadata.htm (fd00:c1::a9fe:a9fe).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_METADATA = frozenset(
    map(
        ip_address,
        (
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
        ),
    )
)
_NAMES = frozenset(
    {"metadata.google.internal", "metadata.goog", "metadata", "instance-data", "metadata.tencentyun.com"}
)
_LAST_BITS = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))
"""Where the last 32 bits are an IPv4 address: NAT64 (RFC 6052; RFC 8215 for a network's own), SIIT (RFC 7915), and the
compatible ones of old (RFC 4291 2.5.5.1)."""
_LOCAL = tuple(map(ip_network, ("64:ff9b:1::/48", "fec0::/10")))
"""What no version of Python's `is_global` may take for the internet: RFC 8215, and site-local addresses (RFC 3879)."""


def is_forbidden(address: str) -> bool:
    """Whether an address is one of those; text that is no address is not."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(each.is_link_local or each.is_multicast or each in _METADATA for each in (ip, *_inside(ip)))


def is_own(address: str) -> bool:
    """Whether an address is this machine's own."""
    ip = ip_address(address.partition("%")[0])
    return any(each.is_loopback or each.is_unspecified for each in (ip, *_inside(ip)))


def is_private(address: str) -> bool:
    """Whether an address is none of the internet (RFC 6890): loopback, of a private network, or reserved."""
    ip = ip_address(address.partition("%")[0])
    return any(ip in one for one in _LOCAL) or any(not each.is_global for each in (ip, *_inside(ip)))


def is_metadata_name(host: str) -> bool:
    """Whether a name is that of a metadata service: for where another machine looks it up (a proxy)."""
    name = host.lower().rstrip(".")
    known = name in _NAMES or name.startswith("instance-data.")
    return known or is_forbidden(name.strip("[]")) or is_forbidden(_by_number(name))


def _by_number(name: str) -> str:
    """The IPv4 address that a name made of numbers means to whoever looks it up, as `0xa9fea9fe` and `169.254.43518`
    do (inet_aton of POSIX); empty where it means none."""
    parts = name.split(".")
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        return ""
    *first, last = (int(part, 16 if part[1:2] == "x" else 8 if part[0] == "0" else 10) for part in parts)
    if max(first, default=0) > 0xFF or last >> 8 * (4 - len(first)):
        return ""
    return str(IPv4Address(sum(part << 8 * (3 - place) for place, part in enumerate(first)) + last))


_NUMBER = re.compile(r"0x[0-9a-f]{1,20}|0[0-7]{0,20}|[1-9][0-9]{0,20}")


def _inside(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 one stands for."""
    if isinstance(ip, IPv4Address):
        return []
    inside = [ip.ipv4_mapped, ip.sixtofour, ip.teredo[1] if ip.teredo else None]
    if int(ip) > 1 and any(ip in one for one in _LAST_BITS):
        inside.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    return [each for each in inside if each is not None]
